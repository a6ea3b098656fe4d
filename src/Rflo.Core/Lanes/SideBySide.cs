namespace Rflo.Core;

/// <summary>Whether the trials of an update run in parallel lanes: no weight changes between them, so no bit depends on it.</summary>
public static class SideBySide
{
    /// <summary>The most lanes: with more, reading weights is no longer the limit.</summary>
    internal const int Most = 16;

    /// <summary>Why the trials of a circuit never run in parallel lanes, in words that end a sentence; null where they may.</summary>
    /// <param name="graph">The circuit.</param>
    /// <param name="task">What it learns.</param>
    public static string? Obstacle(Graph graph, ITask task)
    {
        ArgumentNullException.ThrowIfNull(graph);
        IEnumerable<Plasticity> learning = graph.Projections.Select(projection => projection.Plasticity).Concat(graph.Areas.Select(area => area.InitialPlasticity)).OfType<Plasticity>();
        bool isLeastSquares = graph.Projections.Any(projection => projection.Plasticity is { LearningRate: > 0 } plastic && plastic.IsLeastSquares(projection.Target.IsReadout));
        if (OfLearning(learning, isLeastSquares) is { } obstacle)
            return obstacle;
        if (graph.Areas.FirstOrDefault(area => area.TauPlasticity is { LearningRate: > 0 }) is { } adapting)
            return $"the time constants of {adapting.Name} learn";
        if (task is IClosedLoopTask)
            return "the task is a closed loop";
        if (task is IProgressTask)
            return "the task changes with learning";
        if (graph.Areas.FirstOrDefault(area => area.InitialPolicy == InitialPolicy.CarriedOver) is { } carried)
            return $"{carried.Name} begins a trial where the one before it ended";
        if (graph.Areas.FirstOrDefault(area => area.Model is { } model && UserCode.IsModel(model)) is { } modelled)
            return $"the unit model of {modelled.Name} is not the core's own";
        if (graph.Perturbations.Any(perturbation => perturbation.Trials.Choice is not null))
            return "which trials are perturbed is a function of yours";
        if (graph.Readouts.FirstOrDefault(readout => UserCode.Is(readout.LossOrNatural)) is { } judged)
            return $"the loss of {judged.Name} is not the core's own";
        return null;
    }

    /// <summary>The obstacle that follows from the plasticity of projections.</summary>
    /// <param name="plasticities">Of all projections and initial states that have one.</param>
    /// <param name="isLeastSquares">Whether any readout learns by least squares.</param>
    internal static string? OfLearning(IEnumerable<Plasticity> plasticities, bool isLeastSquares)
    {
        Plasticity[] learning = [.. plasticities.Where(plasticity => plasticity.LearningRate > 0)];
        if (learning.Length == 0)
            return "nothing learns";
        if (isLeastSquares)
            return "least squares keep state between trials";
        if (learning.Any(plasticity => plasticity.Schedule.IsStepwise))
            return "weights change within a trial";
        if (learning.Any(plasticity => plasticity.Schedule.Every < 2))
            return "weights change after every trial";
        if (learning.Any(plasticity => LearningRule.HasFunction(plasticity.Rule)))
            return "a rule is not the core's own, or has a function of yours";
        return learning.Any(plasticity => Remembers(plasticity.Rule)) ? "a rule keeps state between trials" : null;
    }

    /// <summary>Whether a rule keeps anything from one trial to the next.</summary>
    private static bool Remembers(LearningRule rule) => rule switch
    {
        KernlRule => true,
        ThreeFactorRule local => local.PostShaping.MeanAlpha > 0 || local.PreShaping.MeanAlpha > 0 || local.ThirdShaping.MeanAlpha > 0,
        _ => false,
    };
}
