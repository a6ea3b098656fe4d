using System.Globalization;

namespace Rflo.Core;

/// <summary>The criteria of early stopping, by which a run ends before its last trial.</summary>
/// <param name="TargetLoss">It ends as soon as the mean loss is at or below this; NaN for never.</param>
/// <param name="Patience">It ends when so many trials in a row brought no new smallest mean loss; 0 for never.</param>
/// <param name="Window">Trials of the mean, at least 1: the last so many that had a target. Before so many there is no mean.</param>
/// <param name="ByValidation">
/// Whether these criteria, the best weights and schedules that depend on losses use the validation loss (<see cref="ValidationProbe"/>)
/// instead of the mean loss. Patience counts trained trials since the best validation.
/// </param>
/// <param name="TargetPerformance">It ends as soon as the validation performance is at or above this; NaN for never.</param>
public sealed record Stopping(
    double TargetLoss = double.NaN, int Patience = 0, int Window = Stopping.DefaultWindow, bool ByValidation = false, double TargetPerformance = double.NaN)
{
    /// <summary>The default number of trials of the mean loss.</summary>
    public const int DefaultWindow = 50;

    /// <summary>All trials are run.</summary>
    public static Stopping Never { get; } = new();

    /// <summary>Why a run with these metrics ends now; null where it continues.</summary>
    internal string? Reason(Metrics metrics)
    {
        if (metrics.Validation is { Performance: { Count: > 0 } performance } && performance[performance.Count - 1].Value is var reached && reached >= TargetPerformance)
            return string.Create(CultureInfo.InvariantCulture, $"the validation performance {reached:g4} reached its target {TargetPerformance:g4}");
        LossWindow window = metrics.Choice;
        if (ByValidation)
            return ReasonByValidation(window, metrics.Count);
        if (window.Mean <= TargetLoss)
        {
            string what = Window == 1 ? "the loss" : $"the mean loss of the last {Window} trials that have a target,";
            string value = Window == 1 ? "" : ",";
            return string.Create(CultureInfo.InvariantCulture, $"{what} {window.Mean:g4}{value} reached its target {TargetLoss:g4}");
        }

        if (Patience == 0 || window.BestTrial < 0 || window.SinceBest < Patience)
            return null;
        string smallest = Window == 1 ? "smaller loss" : $"smaller mean loss of {Window} trials";
        return $"no {smallest} for {window.SinceBest} trials";
    }

    private string? ReasonByValidation(LossWindow window, int trained)
    {
        double loss = window.Mean;
        if (loss <= TargetLoss)
            return string.Create(CultureInfo.InvariantCulture, $"the validation loss {loss:g4} reached its target {TargetLoss:g4}");
        int since = trained - 1 - window.BestTrial;
        return Patience == 0 || window.BestTrial < 0 || since < Patience ? null : $"no smaller validation loss for {since} trials";
    }
}
