namespace Rflo.Core;

/// <summary>
/// Several tasks as one: a <see cref="TaskChoice"/> selects the task of each trial. Trial k has the same bits as trial k of the
/// selected task.
/// </summary>
/// <remarks>Each task fills a trial of its own, which is copied.</remarks>
public class CombinedTask : IProgressTask
{
    private readonly ITask[] _tasks;
    private readonly Trial[] _own;
    private readonly int[][] _events;
    private readonly string[] _conditions;
    private readonly int[][] _places;
    private readonly TaskChoice _choice;
    private Trial? _into;

    private protected CombinedTask(IReadOnlyList<ITask> tasks, IReadOnlyList<int[]> events, int kinds, TaskChoice choice)
    {
        if (tasks.Count != choice.Count)
            ThrowHelper.ShapeMismatch(nameof(tasks), tasks.Count, choice.Count, "the choice");
        if (events.Count != tasks.Count)
            ThrowHelper.ShapeMismatch(nameof(events), events.Count, tasks.Count, "the tasks");
        for (int k = 0; k < tasks.Count; k++)
        {
            if (tasks[k].Inputs != tasks[0].Inputs)
                ThrowHelper.ShapeMismatch($"inputs of task {k}", tasks[k].Inputs, tasks[0].Inputs, "the first task");
            if (tasks[k].Outputs != tasks[0].Outputs)
                ThrowHelper.ShapeMismatch($"outputs of task {k}", tasks[k].Outputs, tasks[0].Outputs, "the first task");
            if (events[k].Length != tasks[k].Events)
                ThrowHelper.ShapeMismatch($"events of task {k}", events[k].Length, tasks[k].Events, "that task");
            foreach (int kind in events[k])
                if (kind < 0 || kind >= kinds)
                    ThrowHelper.Unknown($"event of task {k}", kind, kinds);
        }

        _tasks = [.. tasks];
        _own = [.. tasks.Select(Trial.For)];
        _conditions = [PartCondition, .. tasks.SelectMany(task => task.Conditions).Distinct().Where(name => name != PartCondition)];
        _places = [.. tasks.Select(task => task.Conditions.Select(name => Array.IndexOf(_conditions, name)).ToArray())];
        _events = [.. events.Select(numbers => numbers.ToArray())];
        _choice = choice;
        IsPerformancePure = tasks.All(UserCode.IsScoredAlone) && !tasks.Any(task => task.Conditions.Contains(PartCondition))
            && _events.All(AreDistinct) && _places.All(AreDistinct);
        Events = kinds;
        MaxSteps = tasks.Max(task => task.MaxSteps);
        GivesRewards = tasks.Any(task => task.GivesRewards);
        ProgressLength = choice.StateLength + tasks.Sum(task => (task as IProgressTask)?.ProgressLength ?? 0);
    }

    /// <summary>The condition that is the index of the trial's task, from 0; of nested combined tasks, that of the outermost.</summary>
    public const string PartCondition = "part";

    /// <inheritdoc/>
    public IReadOnlyList<string> Conditions => _conditions;

    /// <summary>
    /// Whether the trial of the selected task follows from that of the whole, so that it can be scored when other trials were filled since: all tasks are
    /// scored by their trials alone, none is a combined task itself, and no two events or conditions of a task have one place in the whole.
    /// </summary>
    public bool IsPerformancePure { get; }

    /// <inheritdoc/>
    public double Performance(Trial trial, double[] outputs)
    {
        ArgumentNullException.ThrowIfNull(trial);
        if (!IsPerformancePure || ReferenceEquals(trial, _into) || trial.Conditions.Length == 0)
            return _tasks[Chosen].Performance(Own, outputs);
        int part = (int)trial.Conditions[0];
        return _tasks[part].Performance(OwnOf(part, trial), outputs);
    }

    /// <inheritdoc/>
    public int Inputs => _tasks[0].Inputs;

    /// <inheritdoc/>
    public int Outputs => _tasks[0].Outputs;

    /// <inheritdoc/>
    public int MaxSteps { get; }

    /// <inheritdoc/>
    public int Events { get; }

    /// <inheritdoc/>
    public bool GivesRewards { get; }

    /// <inheritdoc/>
    public int ProgressLength { get; }

    /// <summary>The task of the current trial.</summary>
    private protected int Chosen { get; private set; }

    /// <summary>Several tasks as one.</summary>
    /// <param name="tasks">The tasks, of the same inputs and outputs.</param>
    /// <param name="events">For each task the numbers that its events have in the whole.</param>
    /// <param name="kinds">Kinds of events of the whole.</param>
    /// <param name="choice">Selects the task of each trial.</param>
    /// <returns>A closed-loop task where one of them is.</returns>
    /// <exception cref="ArgumentException">Shapes or numbers do not agree.</exception>
    public static CombinedTask Of(IReadOnlyList<ITask> tasks, IReadOnlyList<int[]> events, int kinds, TaskChoice choice)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(events);
        ArgumentNullException.ThrowIfNull(choice);
        return tasks.Any(task => task is IClosedLoopTask)
            ? new CombinedLoopTask(tasks, events, kinds, choice)
            : new CombinedTask(tasks, events, kinds, choice);
    }

    /// <inheritdoc/>
    public void SaveProgress(Span<double> progress)
    {
        _choice.Save(progress[.._choice.StateLength]);
        progress = progress[_choice.StateLength..];
        foreach (IProgressTask task in _tasks.OfType<IProgressTask>())
        {
            task.SaveProgress(progress[..task.ProgressLength]);
            progress = progress[task.ProgressLength..];
        }
    }

    /// <inheritdoc/>
    public void RestoreProgress(ReadOnlySpan<double> progress)
    {
        _choice.Restore(progress[.._choice.StateLength]);
        progress = progress[_choice.StateLength..];
        foreach (IProgressTask task in _tasks.OfType<IProgressTask>())
        {
            task.RestoreProgress(progress[..task.ProgressLength]);
            progress = progress[task.ProgressLength..];
        }
    }

    /// <inheritdoc/>
    public void Learned(int trial, double loss, double reward)
    {
        (_tasks[Chosen] as IProgressTask)?.Learned(trial, loss, reward);
        _choice.Learned(loss, reward);
    }

    /// <inheritdoc/>
    public void Validated(int trial, double loss, double performance)
    {
        // With a mixture or with blocks, the mean over test trials is of several tasks.
        if (_choice is CurriculumChoice)
            (_tasks[Chosen] as IProgressTask)?.Validated(trial, loss, performance);
        _choice.Validated(loss, performance);
    }

    /// <inheritdoc/>
    public void Fill(int trial, RandomStream stream, Trial into)
    {
        ArgumentNullException.ThrowIfNull(into);
        _into = into;
        Chosen = _choice.Choose(trial, stream);
        Trial own = _own[Chosen];
        own.Clear();
        _tasks[Chosen].Fill(trial, stream, own);
        into.Steps = own.Steps;
        Copy(0, own.Steps, into);
        CopyConditions(into);
    }

    /// <summary>Copies the conditions of the selected task's trial, and the index of that task.</summary>
    private protected void CopyConditions(Trial into)
    {
        if (into.Conditions.Length == 0)
            return;
        int[] places = _places[Chosen];
        for (int k = 0; k < places.Length; k++)
            into.Conditions[places[k]] = Own.Conditions[k];
        into.Conditions[0] = Chosen;
    }

    /// <summary>The trial of a task, from that of the whole: what <see cref="Copy"/> and <see cref="CopyConditions"/> copied, the other way.</summary>
    private Trial OwnOf(int part, Trial whole)
    {
        var own = Trial.For(_tasks[part]);
        own.Steps = whole.Steps;
        whole.Inputs.AsSpan(0, own.Steps * Inputs).CopyTo(own.Inputs);
        whole.Targets.AsSpan(0, own.Steps * Outputs).CopyTo(own.Targets);
        whole.Mask.AsSpan(0, own.Steps * Outputs).CopyTo(own.Mask);
        whole.Rewards.AsSpan(0, own.Steps).CopyTo(own.Rewards);
        int[] numbers = _events[part], places = _places[part];
        for (int row = 0; row < own.Steps; row++)
            for (int kind = 0; kind < numbers.Length; kind++)
                own.Events[row * numbers.Length + kind] = whole.Events[row * Events + numbers[kind]];
        for (int k = 0; k < places.Length; k++)
            own.Conditions[k] = whole.Conditions[places[k]];
        return own;
    }

    private static bool AreDistinct(int[] numbers) => numbers.Distinct().Count() == numbers.Length;

    /// <summary>The trial that the chosen task fills.</summary>
    private protected Trial Own => _own[Chosen];

    /// <summary>Copies steps of the chosen task's trial, from row <paramref name="first"/> on.</summary>
    private protected void Copy(int first, int rows, Trial into)
    {
        Trial own = Own;
        Rows(own.Inputs, Inputs).CopyTo(Rows(into.Inputs, Inputs));
        Rows(own.Targets, Outputs).CopyTo(Rows(into.Targets, Outputs));
        Rows(own.Mask, Outputs).CopyTo(Rows(into.Mask, Outputs));
        Rows(own.Rewards, 1).CopyTo(Rows(into.Rewards, 1));
        Rows(into.Events, Events).Clear();
        int[] numbers = _events[Chosen];
        for (int row = first; row < first + rows; row++)
            for (int kind = 0; kind < numbers.Length; kind++)
                into.Events[row * Events + numbers[kind]] |= own.Events[row * numbers.Length + kind];

        Span<TValue> Rows<TValue>(TValue[] values, int width) => values.AsSpan(first * width, rows * width);
    }
}
