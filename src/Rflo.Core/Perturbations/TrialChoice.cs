namespace Rflo.Core;

/// <summary>The trials in which a perturbation acts.</summary>
public sealed record TrialChoice
{
    private TrialChoice(double fraction, string key, Func<int, bool>? choice) => (Fraction, Key, Choice) = (fraction, key, choice);

    /// <summary>Every trial.</summary>
    public static TrialChoice All { get; } = new(1, "", null);

    /// <summary>Probability with which a trial is drawn.</summary>
    public double Fraction { get; }

    /// <summary>What names the stream of the draws: perturbations with the same fraction and the same key act in the same trials.</summary>
    public string Key { get; }

    /// <summary>Whether a trial of that number is perturbed; null where trials are drawn, or all are.</summary>
    public Func<int, bool>? Choice { get; }

    /// <summary>Each trial with that probability, by a draw of its own.</summary>
    /// <param name="probability">In [0, 1].</param>
    /// <param name="key">Perturbations with the same probability and the same key act in the same trials.</param>
    public static TrialChoice Drawn(double probability, string key = "")
    {
        ArgumentNullException.ThrowIfNull(key);
        return new(probability, key, null);
    }

    /// <summary>The trials for which a function of their number, from 0, is true. It must depend on nothing else.</summary>
    public static TrialChoice Where(Func<int, bool> choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        return new(1, "", choice);
    }
}
