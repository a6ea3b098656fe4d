namespace Rflo.Core;

/// <summary>
/// A learning rule of another assembly. It receives the steps of one area, in double precision whatever the session's, and writes an increment of each weight
/// onto that area. The projection's schedule, optimizer and bounds turn increments into weight changes, as for every rule.
/// </summary>
/// <param name="Path">How the error reaches the area as <see cref="LearningStep.Signal"/>.</param>
/// <remarks>
/// Two rules are the same if they are equal records. Readouts learn by the delta rule or by one of their own. The trials of an update run one after the other, since
/// code of another assembly need not be thread-safe. <c>Laws</c> of Rflo.Testing and the probes that compare rules accept it as any other.
/// </remarks>
public abstract record CustomRule(ErrorPath Path = ErrorPath.Feedback) : LearningRule(Path)
{
    /// <summary>Its description, with all of its constants. Rules that differ need different descriptions: it is part of a run's identity.</summary>
    public abstract string Description { get; }

    /// <summary>Whether it reads <see cref="LearningStep.Signal"/>: then the area must receive an error.</summary>
    public virtual bool UsesError => true;

    /// <summary>Makes the learner of one area. Called once for all projections of the area that have this rule with equal settings.</summary>
    /// <param name="site">Sizes, and the projections.</param>
    public abstract AreaLearner Learn(AreaSite site);
}

/// <summary>The learner of a <see cref="CustomRule"/> in one area, with its state.</summary>
public abstract class AreaLearner
{
    /// <summary>Before the first step of a trial: traces begin anew.</summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <param name="steps">Steps T of it.</param>
    public virtual void BeginTrial(int trial, int steps)
    {
    }

    /// <summary>After the forward step, before any weight changes: reads what it needs, and writes its increments into <see cref="LearningStep.Increments"/>.</summary>
    /// <param name="now">The step. The object is used again for the next.</param>
    public abstract void ObserveStep(LearningStep now);

    /// <summary>After the last step: may write further increments. Where weights change within a trial, that is one more update.</summary>
    /// <param name="last">The last step, with the losses of the trial.</param>
    public virtual void ObserveTrial(LearningStep last)
    {
    }

    /// <summary>
    /// What it keeps from one trial to the next, by name; nothing by default. The arrays themselves: they are saved with checkpoints, and written into when a run
    /// is resumed. State that is kept elsewhere is not saved.
    /// </summary>
    public virtual IReadOnlyDictionary<string, double[]> Memory { get; } = new Dictionary<string, double[]>();
}

/// <summary>Where a rule learns.</summary>
/// <param name="Area">Name of the area.</param>
/// <param name="Units">Its units, n.</param>
/// <param name="States">State variables of a unit, d: 1 but for unit models.</param>
/// <param name="MaxSteps">The longest trial.</param>
/// <param name="Projections">The projections that learn by it, in the order in which <see cref="LearningStep"/> numbers them.</param>
public sealed record AreaSite(string Area, int Units, int States, int MaxSteps, IReadOnlyList<SiteProjection> Projections);

/// <summary>A projection that learns by a rule of another assembly.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Pre">Presynaptic signals.</param>
/// <param name="Count">Numbers that <see cref="LearningStep.Weights"/> and <see cref="LearningStep.Increments"/> have: n * pre, row-major, or one an entry where it is sparse.</param>
/// <param name="RowStart">Of a sparse projection, where the entries of each unit begin, shape (n + 1); null for a dense one.</param>
/// <param name="Columns">Of a sparse projection, the presynaptic signal of each entry; null for a dense one.</param>
public sealed record SiteProjection(string Name, int Pre, int Count, IReadOnlyList<int>? RowStart, IReadOnlyList<int>? Columns);
