using System.Globalization;

namespace Rflo.Core;

/// <summary>When a run ends before its last trial because more of it would be of no use.</summary>
/// <param name="TargetLoss">It ends after a trial whose loss is at or below this; NaN for never.</param>
/// <param name="Patience">It ends when so many trials in a row brought no new smallest loss; 0 for never.</param>
public sealed record Stopping(double TargetLoss = double.NaN, int Patience = 0)
{
    /// <summary>All trials are run.</summary>
    public static Stopping Never { get; } = new();

    /// <summary>Why a run with these metrics ends now; null where it goes on.</summary>
    internal string? Reason(Metrics metrics)
    {
        if (metrics.Count == 0)
            return null;
        double loss = metrics.Losses[^1];
        if (loss <= TargetLoss)
            return string.Create(CultureInfo.InvariantCulture, $"the loss {loss:g4} reached its target {TargetLoss:g4}");
        int since = metrics.Count - 1 - metrics.BestTrial;
        return Patience > 0 && since >= Patience ? $"no smaller loss for {since} trials" : null;
    }
}
