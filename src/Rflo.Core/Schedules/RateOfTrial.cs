namespace Rflo.Core;

/// <summary>A schedule by a function of the user's.</summary>
/// <param name="Name">Its name in descriptions; two schedules of this kind are equal if their names are.</param>
/// <param name="Of">The factor in a trial, counted from 0: finite and at least 0.</param>
public sealed record RateOfTrial(string Name, Func<int, double> Of) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override string Description => $"by the function {Name} of the trial";

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) => Of(trial);

    /// <summary>Whether the other has the same name.</summary>
    public bool Equals(RateOfTrial? other) => other?.Name == Name;

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);
}
