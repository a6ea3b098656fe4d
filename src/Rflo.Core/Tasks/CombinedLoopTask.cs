namespace Rflo.Core;

/// <summary>Several tasks as one, some of which are closed-loop tasks.</summary>
internal sealed class CombinedLoopTask : CombinedTask, IClosedLoopTask
{
    private readonly IClosedLoopTask?[] _loops;
    private readonly string[] _watches;

    public CombinedLoopTask(IReadOnlyList<ITask> tasks, IReadOnlyList<int[]> events, int kinds, TaskChoice choice)
        : base(tasks, events, kinds, choice)
    {
        _loops = [.. tasks.Select(task => task as IClosedLoopTask)];
        _watches = [.. _loops.SelectMany(loop => loop?.Watches ?? []).Distinct()];
        StateLength = _loops.Sum(loop => loop?.StateLength ?? 0);
    }

    public IReadOnlyList<string> Watches => _watches;

    public int StateLength { get; }

    public void SaveState(Span<double> state)
    {
        foreach (IClosedLoopTask? loop in _loops)
            if (loop is not null)
            {
                loop.SaveState(state[..loop.StateLength]);
                state = state[loop.StateLength..];
            }
    }

    public void RestoreState(ReadOnlySpan<double> state)
    {
        foreach (IClosedLoopTask? loop in _loops)
            if (loop is not null)
            {
                loop.RestoreState(state[..loop.StateLength]);
                state = state[loop.StateLength..];
            }
    }

    public void Before(Moment now, Trial trial)
    {
        if (_loops[Chosen] is not { } loop)
            return;
        loop.Before(now, Own);
        Copy(now.Step - 1, 1, trial);
        CopyConditions(trial);
    }

    public void After(Moment now, Trial trial)
    {
        if (_loops[Chosen] is not { } loop)
            return;
        loop.After(now, Own);
        Copy(now.Step - 1, 1, trial);
        CopyConditions(trial);
    }
}
