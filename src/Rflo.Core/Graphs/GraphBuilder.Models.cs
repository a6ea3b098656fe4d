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

    /// <summary>What a trace of a unit model's slopes cannot have: each slope is a vector over states.</summary>
    private static void CheckTraceOfModel(string name, ThreeFactorRule rule)
    {
        if (rule.Oja)
            ThrowHelper.Invalid($"{name}: Oja's term needs one postsynaptic factor a unit, and a unit model has one for each state. Leave it out.");
        if (rule.Post == PostSignal.Slope && !rule.PostShaping.IsPlain)
            ThrowHelper.Invalid($"{name}: the slope of a unit model is one number for each state, so no function or mean shapes it. Shape the presynaptic or the third factor.");
    }

    /// <summary>KeRNL learns how long a trace lasts as one number a unit, by nudges of rates.</summary>
    private void CheckKernl()
    {
        if (_areas.Find(area => area.Model is not null) is not { } modelled)
            return;
        foreach (ProjectionSpec projection in _projections)
            if (projection.Plasticity is { LearningRate: > 0, Rule: KernlRule } && !projection.Target.IsReadout)
                ThrowHelper.Invalid($"{projection.Name}: KeRNL is defined for units with one state, their rate; {modelled.Name} has the unit model {modelled.Model}. Take another rule.");
    }
}
