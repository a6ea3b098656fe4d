namespace Rflo.Core;

/// <summary>
/// A task that changes with learning, such as a curriculum: it receives the loss and the reward of every trained trial, and keeps
/// its progress as numbers that can be saved.
/// </summary>
/// <remarks>It does not receive those of test trials, so testing does not change it.</remarks>
public interface IProgressTask : ITask
{
    /// <summary>The number of values in its progress.</summary>
    int ProgressLength { get; }

    /// <summary>Copies the progress into <paramref name="progress"/>, of length <see cref="ProgressLength"/>.</summary>
    void SaveProgress(Span<double> progress);

    /// <summary>Restores a progress that <see cref="SaveProgress"/> copied.</summary>
    void RestoreProgress(ReadOnlySpan<double> progress);

    /// <summary>After a trial was trained, before the next is generated.</summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <param name="loss">Its loss L, measured while it ran; NaN where it had no target.</param>
    /// <param name="reward">Its rewards, summed over its steps; 0 where the task gives none.</param>
    void Learned(int trial, double loss, double reward);

    /// <summary>After test trials of the task as it is now were run without learning (<see cref="ValidationProbe"/>), before the next trial is generated.</summary>
    /// <param name="trial">Number of the trial after which they ran, from 0.</param>
    /// <param name="loss">Their mean loss; NaN where none had a target.</param>
    /// <param name="performance">Their mean performance; NaN where the task defines none.</param>
    void Validated(int trial, double loss, double performance)
    {
    }
}
