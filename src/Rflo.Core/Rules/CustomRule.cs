namespace Rflo.Core;

/// <summary>
/// A learning rule of another assembly. It sees one area step by step, in double precision whatever the session's, and says what it asks of each weight
/// onto that area; when that becomes a change, by which optimizer and within which limits is the projection's, as for every rule.
/// </summary>
/// <param name="Path">How the error reaches the area: what <see cref="LearningStep.Signal"/> is made of.</param>
/// <remarks>
/// Two rules are the same if they are equal records. Readouts learn by the delta rule or by one of their own. The trials of an update run one after the other, since
/// code of another assembly need not be ready for two threads. <c>Laws</c> of Rflo.Testing and the probes that compare rules take it as any other.
/// </remarks>
public abstract record CustomRule(ErrorPath Path = ErrorPath.Feedback) : LearningRule(Path)
{
    /// <summary>What it is, with all of its constants. Two that differ must say so: a run is known by it.</summary>
    public abstract string Description { get; }

    /// <summary>Whether it reads <see cref="LearningStep.Signal"/>: then something must bring an error to the area.</summary>
    public virtual bool UsesError => true;

    /// <summary>Makes what learns in one area. Called once for all projections of the area that learn by it alike.</summary>
    /// <param name="site">Sizes, and the projections.</param>
    public abstract AreaLearner Learn(AreaSite site);
}

/// <summary>What a <see cref="CustomRule"/> keeps and does in one area.</summary>
public abstract class AreaLearner
{
    /// <summary>Before the first step of a trial: traces begin anew.</summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <param name="steps">Steps T of it.</param>
    public virtual void BeginTrial(int trial, int steps)
    {
    }

    /// <summary>After the forward step, before any weight changes: takes what it needs, and writes what it asks for into <see cref="LearningStep.Increments"/>.</summary>
    /// <param name="now">The step. The object is used again for the next.</param>
    public abstract void ObserveStep(LearningStep now);

    /// <summary>After the last step: may ask for more. Where weights change within a trial, that is one more update.</summary>
    /// <param name="last">The last step, with the losses of the trial.</param>
    public virtual void ObserveTrial(LearningStep last)
    {
    }

    /// <summary>
    /// What it keeps from one trial to the next, by name; nothing by default. The arrays themselves: they are saved with checkpoints, and written into when a run
    /// is resumed. What is kept otherwise is lost.
    /// </summary>
    public virtual IReadOnlyDictionary<string, double[]> Memory { get; } = new Dictionary<string, double[]>();
}

/// <summary>Where a rule learns.</summary>
/// <param name="Area">Name of the area.</param>
/// <param name="Units">Its units, n.</param>
/// <param name="States">State variables of a unit, d: 1 but for unit models.</param>
/// <param name="MaxSteps">The longest trial.</param>
/// <param name="Projections">What learns by it, in the order in which <see cref="LearningStep"/> numbers them.</param>
public sealed record AreaSite(string Area, int Units, int States, int MaxSteps, IReadOnlyList<SiteProjection> Projections);

/// <summary>A projection that learns by a rule of another assembly.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Pre">Presynaptic signals.</param>
/// <param name="Count">Numbers that <see cref="LearningStep.Weights"/> and <see cref="LearningStep.Increments"/> have: n * pre, row-major, or one an entry where it is sparse.</param>
/// <param name="RowStart">Of a sparse projection, where the entries of each unit begin, shape (n + 1); null for a dense one.</param>
/// <param name="Columns">Of a sparse projection, the presynaptic signal of each entry; null for a dense one.</param>
public sealed record SiteProjection(string Name, int Pre, int Count, IReadOnlyList<int>? RowStart, IReadOnlyList<int>? Columns);
