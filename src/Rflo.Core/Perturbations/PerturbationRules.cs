namespace Rflo.Core;

/// <summary>Which rules and parameters do not learn while units are perturbed.</summary>
internal static class PerturbationRules
{
    /// <summary>Refuses what has no meaning.</summary>
    /// <param name="name">Name of what is to learn.</param>
    /// <param name="rule">Its rule.</param>
    /// <param name="areas">The areas of the circuit.</param>
    /// <param name="perturbations">What acts on them.</param>
    /// <exception cref="ArgumentException">The rule cannot learn there; the message has the reason and a fix.</exception>
    public static void Check(string name, LearningRule rule, IReadOnlyList<AreaSpec> areas, IEnumerable<PerturbationSpec> perturbations)
    {
        if (rule is KernlRule && perturbations.OfType<UnitPerturbation>().FirstOrDefault(one => one.CutsStates) is { } held)
            ThrowHelper.Invalid(
                $"{name}: KeRNL learns from nudges of the states of all units, and {areas[held.Area.Index].Name} has units whose state is held or set ({held.GetType().Name}). Take another rule, or stimulate.");
    }

    /// <summary>Refuses trainable time constants where states are held, set or added to: their rules assume that the change of a state in a step is that of the leak.</summary>
    /// <exception cref="ArgumentException">They do.</exception>
    public static void CheckTau(IReadOnlyList<AreaSpec> areas, IEnumerable<PerturbationSpec> perturbations)
    {
        foreach (UnitPerturbation perturbation in perturbations.OfType<UnitPerturbation>())
            if (perturbation is not Stimulate && areas[perturbation.Area.Index] is { TauPlasticity: { LearningRate: > 0 } } area)
                ThrowHelper.Invalid(
                    $"{area.Name}.TauPlasticity: time constants do not learn where states are held or kicked ({perturbation.GetType().Name}). Leave one of them out, or stimulate.");
    }
}
