namespace Rflo.Core;

/// <summary>
/// How many trials run side by side as a group that shares every update. The trials of a group start together, each with activity, noise, traces and
/// learners of its own. After every step, or wherever updates are due, one update is made of the increments of all of them.
/// </summary>
/// <remarks>
/// Trial k of group g is trial g B + k, with the draws that it has by itself. A trial that is shorter than others of its group adds nothing after its
/// last step. The mean divides by B in every step all the same, as a loss does that is averaged over a padded batch. Updates at ends of trials are of the
/// whole group. A group has the learning rate of its last trial.
/// </remarks>
/// <param name="Count">B, at least 1; 1 is one trial after another.</param>
/// <param name="Mean">Whether an update is the mean of the increments of the lanes, instead of their sum.</param>
public sealed record TrialLanes(int Count, bool Mean = true)
{
    /// <summary>One trial after another.</summary>
    public static TrialLanes One { get; } = new(1);

    /// <summary>Whether updates are shared.</summary>
    public bool AreSeveral => Count > 1;

    /// <summary>What the sum of the lanes' increments is multiplied by.</summary>
    internal double Share => Mean ? 1.0 / Count : 1.0;

    /// <summary>Everything that keeps a circuit or a task from running in lanes, each in words that end a sentence.</summary>
    /// <param name="graph">The circuit.</param>
    /// <param name="task">What it learns.</param>
    public IReadOnlyList<string> Obstacles(Graph graph, ITask task)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(task);
        if (!AreSeveral)
            return [];
        var found = new List<string>();
        if (task is IClosedLoopTask)
            found.Add("the task is a closed loop, whose memory is of one trial at a time");
        if (task is IProgressTask { ProgressLength: > 0 })
            found.Add("the task changes with the outcome of every trial");
        foreach (ProjectionSpec projection in graph.Projections)
        {
            if (projection.Plasticity is not { LearningRate: > 0 } plastic)
                continue;
            if (plastic.IsLeastSquares(projection.Target.IsReadout))
                found.Add($"{projection.Name} learns by least squares, which take one trial after another");
            else if (!Divides(plastic.Schedule))
                found.Add($"{projection.Name} has updates of {plastic.Schedule.Every} trials, which is no multiple of {Count} lanes");
        }

        foreach (AreaSpec area in graph.Areas)
        {
            if (area.TauPlasticity is { LearningRate: > 0 } tau && !Divides(tau.Schedule))
                found.Add($"the time constants of {area.Name} have updates of {tau.Schedule.Every} trials, which is no multiple of {Count} lanes");
            if (area.InitialPlasticity is { LearningRate: > 0 } start && !Divides(start.Schedule))
                found.Add($"the initial states of {area.Name} have updates of {start.Schedule.Every} trials, which is no multiple of {Count} lanes");
        }

        return found;
    }

    /// <summary>Whether updates fall on ends of groups.</summary>
    private bool Divides(UpdateSchedule schedule) => schedule.Time != UpdateTime.TrialEnd || schedule.Every == 1 || schedule.Every % Count == 0;
}
