namespace Rflo.Core;

/// <summary>
/// A task whose next step depends on the activity of the circuit: a cursor that the outputs move, a choice that is rewarded.
/// It writes a trial step by step. Values that it keeps between steps or trials are a state that can be saved.
/// </summary>
/// <remarks>
/// No credit passes through the task: gradient rules take its inputs and targets as constants. None of its
/// methods may allocate if training is to allocate nothing. A trial depends on its number, its stream and the state.
/// </remarks>
public interface IClosedLoopTask : ITask
{
    /// <summary>Names of the areas whose rates it reads, and of which it may allow or bar units.</summary>
    IReadOnlyList<string> Watches { get; }

    /// <summary>The number of values in its state.</summary>
    int StateLength { get; }

    /// <summary>Copies the state into <paramref name="state"/>, of length <see cref="StateLength"/>.</summary>
    void SaveState(Span<double> state);

    /// <summary>Restores a state that <see cref="SaveState"/> copied.</summary>
    void RestoreState(ReadOnlySpan<double> state);

    /// <summary>
    /// Before step t: writes what <see cref="ITask.Fill"/> did not write of that step: inputs, targets, mask, events
    /// and rewards, in row t - 1 of the trial.
    /// </summary>
    /// <param name="now">The circuit after step t - 1; before step 1, as the trial begins.</param>
    /// <param name="trial">The current trial; rows of earlier steps must stay as they are.</param>
    void Before(Moment now, Trial trial);

    /// <summary>
    /// After the forward part of step t, before its errors are computed and learners run: may write that step's reward,
    /// targets and mask.
    /// </summary>
    /// <param name="now">The circuit after step t.</param>
    /// <param name="trial">The current trial.</param>
    void After(Moment now, Trial trial)
    {
    }
}
