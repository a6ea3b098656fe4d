namespace Rflo.Core;

/// <content>Unit models.</content>
public sealed partial class GraphBuilder
{
    private static void CheckModel(AreaSpec area)
    {
        if (area.Model is not { } model)
            return;
        string name = $"the unit model of {area.Name}";
        if (model is PointwiseUnits pointwise)
        {
            Given($"{name}: Names", pointwise.Names);
            Given($"{name}: Step", pointwise.Step);
            Given($"{name}: Signal", pointwise.Signal);
        }

        if (area.Dynamics != Dynamics.Leaky)
            ThrowHelper.Invalid($"{area.Name}: it has the unit model {model} and dynamics {area.Dynamics}; a model takes their place. Leave one of them out.");
        if (area.Transfer != Transfer.Tanh)
            ThrowHelper.Invalid($"{area.Name}: the unit model {model} has no use for the transfer function {area.Transfer}. Leave Transfer out.");
        IReadOnlyList<string> states = model.States;
        if (states.Count is < 1 or > UnitModel.MostStates)
            ThrowHelper.OutOfRange($"the number of states of {name}", states.Count, $"from 1 to {UnitModel.MostStates}");
        if (states.Any(string.IsNullOrWhiteSpace) || states.Distinct().Count() != states.Count)
            ThrowHelper.Invalid($"{name}: its states are named {string.Join(", ", states.Select(state => $"'{state}'"))}; every one needs a name of its own.");
        foreach (OutOfRange problem in model.Problems)
            ThrowHelper.OutOfRange($"{name}: {problem.What}", problem.Value, problem.Allowed);
        for (int k = 1; k < states.Count; k++)
            if (!double.IsFinite(model.InitialState(k)))
                ThrowHelper.OutOfRange($"{name}: where {states[k]} begins", model.InitialState(k), "finite");
    }

    private void CheckModelsOfRules()
    {
        foreach (ProjectionSpec projection in _projections)
            if (projection.Plasticity is { LearningRate: > 0 } plastic && !projection.Target.IsReadout)
                ModelRules.Check(projection.Name, plastic.Rule, _areas, _areas[projection.Target.Index]);
    }
}
