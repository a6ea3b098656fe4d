namespace Rflo.Core;

/// <summary>The function of a rate that a penalty takes.</summary>
public enum PenaltyKind
{
    /// <summary>Half the square of its distance from a target rate: L2.</summary>
    Square,

    /// <summary>That distance: L1.</summary>
    Absolute,
}

/// <summary>
/// A cost of firing, beside the loss: strength times the sum over units of the rate's distance from a target rate, half squared or as it is. It
/// enters learning through the learning signal of its area, so every rule that learns from errors learns by it. The loss that is
/// reported is without it.
/// </summary>
/// <param name="Kind">L2 or L1.</param>
/// <param name="Strength">lambda, at least 0. In the mean over steps, as the loss.</param>
/// <param name="Target">The target rate.</param>
/// <param name="OfTrialMean">
/// Whether the rate is the mean over the trial instead of that of each step. The mean is computed at the end of the trial, so only
/// BPTT and local rules with updates at ends of trials can learn by it.
/// </param>
public sealed record RatePenalty(PenaltyKind Kind, double Strength, double Target = 0, bool OfTrialMean = false)
{
    /// <summary>What it adds to the loss for one rate.</summary>
    public double Value(double rate) => Strength * (Kind == PenaltyKind.Square ? 0.5 * (rate - Target) * (rate - Target) : Math.Abs(rate - Target));

    /// <summary>Its slope, by the rate; 0 where it has none.</summary>
    public double Slope(double rate)
    {
        double distance = rate - Target;

        // Math.Sign refuses what is no number; a circuit that diverges has such rates.
        return Strength * (Kind == PenaltyKind.Square || double.IsNaN(distance) ? distance : Math.Sign(distance));
    }
}
