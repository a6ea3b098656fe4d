namespace Rflo.Core;

/// <summary>Which rules work with unit models.</summary>
internal static class ModelRules
{
    /// <summary>Refuses what has no meaning.</summary>
    /// <param name="name">Name of the projection that is to learn.</param>
    /// <param name="rule">Its rule.</param>
    /// <param name="areas">All areas of the circuit.</param>
    /// <param name="target">The area that it ends at.</param>
    /// <exception cref="ArgumentException">The rule cannot learn there; the message has the reason and a fix.</exception>
    public static void Check(string name, LearningRule rule, IEnumerable<AreaSpec> areas, AreaSpec target)
    {
        // KeRNL learns one decay a unit for its traces, from perturbations of the rates of all areas.
        if (rule is KernlRule && areas.FirstOrDefault(area => area.Model is not null) is { } modelled)
            ThrowHelper.Invalid($"{name}: KeRNL is defined for units with one state, their rate; {modelled.Name} has the unit model {modelled.Model}. Take another rule.");
        if (target.Model is null || rule is not ThreeFactorRule local)
            return;
        if (local.Oja)
            ThrowHelper.Invalid($"{name}: Oja's term needs one postsynaptic factor a unit, and a unit model has one for each state. Leave it out.");
        if (local.Post == PostSignal.Slope && !local.PostShaping.IsPlain)
            ThrowHelper.Invalid($"{name}: the slope of a unit model is one number for each state, so no function or mean shapes it. Shape the presynaptic or the third factor.");
    }
}
