namespace Rflo.Core;

/// <summary>A rule from a function, for a rule of a few lines in a script; one with constants of its own derives from <see cref="CustomRule"/>.</summary>
/// <param name="Name">Its name, with all of its constants. Rules that differ need different names: it is part of a run's identity.</param>
/// <param name="Start">Makes the learner of one area.</param>
/// <param name="Path">How the error reaches the area.</param>
public sealed record DefinedRule(string Name, Func<AreaSite, AreaLearner> Start, ErrorPath Path = ErrorPath.Feedback) : CustomRule(Path)
{
    /// <summary>Whether it reads <see cref="LearningStep.Signal"/>.</summary>
    public bool ReadsSignal { get; init; } = true;

    /// <inheritdoc/>
    public override bool UsesError => ReadsSignal;

    /// <inheritdoc/>
    public override string Description => Name;

    /// <inheritdoc/>
    public override AreaLearner Learn(AreaSite site) => Start(site);

    /// <summary>Two rules with the same name are equal, since functions cannot be compared.</summary>
    public bool Equals(DefinedRule? other) => other is not null && (Name, Path, ReadsSignal) == (other.Name, other.Path, other.ReadsSignal);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Path, ReadsSignal);

    /// <summary>
    /// A rule that is called after every forward step and at no other time. Its traces are variables of the function, begun anew where <see cref="LearningStep.Step"/> is 1; what
    /// it keeps from one trial to the next is not saved with checkpoints.
    /// </summary>
    /// <param name="name">What it is, with all of its constants.</param>
    /// <param name="start">Called once for each area; gives what is called after every step.</param>
    /// <param name="path">How the error reaches the area.</param>
    /// <param name="readsSignal">Whether it reads <see cref="LearningStep.Signal"/>.</param>
    public static DefinedRule OfSteps(string name, Func<AreaSite, Action<LearningStep>> start, ErrorPath path = ErrorPath.Feedback, bool readsSignal = true)
    {
        ArgumentNullException.ThrowIfNull(start);
        return new DefinedRule(name, site => new OfFunction(start(site)), path) { ReadsSignal = readsSignal };
    }

    private sealed class OfFunction(Action<LearningStep> step) : AreaLearner
    {
        public override void ObserveStep(LearningStep now) => step(now);
    }
}
