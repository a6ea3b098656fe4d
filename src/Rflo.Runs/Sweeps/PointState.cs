namespace Rflo.Runs;

/// <summary>The stage of a point of a sweep.</summary>
public enum PointStage
{
    /// <summary>It was not begun.</summary>
    NotBegun,

    /// <summary>It was begun and stopped, by a signal or a kill; it can be resumed from its last checkpoint.</summary>
    Stopped,

    /// <summary>A process writes it, or a process of another machine did, whose state cannot be determined here.</summary>
    Running,

    /// <summary>It has ended where it should.</summary>
    Finished,

    /// <summary>It diverged, its task threw, or it has problems.</summary>
    Failed,

    /// <summary>What it left is damaged or cannot be read.</summary>
    Damaged,
}

/// <summary>The stage of a point of a sweep, and why it failed or what is damaged.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Reason">Why it failed, or what is damaged; empty otherwise.</param>
public readonly record struct PointState(PointStage Stage, string Reason = "");
