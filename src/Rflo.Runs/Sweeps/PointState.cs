namespace Rflo.Runs;

/// <summary>How far a point of a sweep is.</summary>
public enum PointStage
{
    /// <summary>Nobody has begun it.</summary>
    NotBegun,

    /// <summary>It was begun and stopped, by a signal or a kill; it goes on from its last checkpoint.</summary>
    Stopped,

    /// <summary>A process writes it, or one of another machine did, of which nothing is known here.</summary>
    Running,

    /// <summary>It has ended where it should.</summary>
    Finished,

    /// <summary>It diverged, its task threw, or it has problems.</summary>
    Failed,

    /// <summary>What it left is damaged or cannot be read.</summary>
    Damaged,
}

/// <summary>How far a point of a sweep is, and why it failed or what is damaged.</summary>
/// <param name="Stage">How far.</param>
/// <param name="Reason">Why it failed, or what is damaged; empty otherwise.</param>
public readonly record struct PointState(PointStage Stage, string Reason = "");
