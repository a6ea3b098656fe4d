namespace Rflo.Core;

/// <summary>
/// A perturbation of a circuit during a trial: units that are silenced or driven, a projection that is cut. It acts in some steps of some trials,
/// in training and in tests alike; <see cref="TestOptions.Perturbed"/> leaves it out of a test.
/// </summary>
/// <remarks>
/// Nothing else of a trial changes: inputs, targets, noise and initial states are drawn from the streams that they are drawn from without it.
/// Rules learn from the activity of the perturbed circuit: exact ones have the gradient of the loss for given held and added values.
/// </remarks>
public abstract record PerturbationSpec
{
    private protected PerturbationSpec()
    {
    }

    /// <summary>In which steps of a trial.</summary>
    public PerturbationWindow Window { get; init; } = PerturbationWindow.WholeTrial;

    /// <summary>In which trials.</summary>
    public TrialChoice Trials { get; init; } = TrialChoice.All;

    /// <summary>Whether, while it acts, states of its units do not follow from those of the step before.</summary>
    internal virtual bool CutsStates => false;
}
