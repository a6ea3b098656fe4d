namespace Rflo.Core;

/// <summary>The way by which a readout's error reaches an area.</summary>
public enum ErrorPath
{
    /// <summary>The circuit's own feedback: the matrices B of <see cref="FeedbackSpec"/>.</summary>
    Feedback,

    /// <summary>The transpose of the current readout weights, as the exact gradient has it.</summary>
    Symmetric,
}

/// <summary>How the weights of a projection onto an area learn. Readout weights learn by the delta rule under each of them.</summary>
/// <param name="Path">How the error reaches the area.</param>
public abstract record LearningRule(ErrorPath Path);

/// <summary>
/// Random feedback local online learning (Murray 2019, Eqs 5 and 6): an eligibility trace for every synapse, times
/// the error sent back. With <see cref="ErrorPath.Symmetric"/> it is the symmetric local rule.
/// </summary>
/// <param name="Path">How the error reaches the area.</param>
public sealed record RfloRule(ErrorPath Path = ErrorPath.Feedback) : LearningRule(Path);

/// <summary>
/// Back-propagation through time (Murray 2019, Eqs 18 to 23): the exact gradient, backward over the stored trial.
/// With <see cref="ErrorPath.Feedback"/> it is the paper's non-local rule with random feedback.
/// </summary>
/// <param name="Path">How the error reaches the area.</param>
public sealed record BpttRule(ErrorPath Path = ErrorPath.Symmetric) : LearningRule(Path);

/// <summary>
/// Real-time recurrent learning (Murray 2019, Eqs 10 to 14; Williams and Zipser 1989): the exact gradient, forward in
/// time, by the influence of every weight on every unit.
/// </summary>
/// <param name="Path">How the error reaches the area.</param>
public sealed record RtrlRule(ErrorPath Path = ErrorPath.Symmetric) : LearningRule(Path);

/// <summary>When collected increments become weight changes.</summary>
public enum UpdateTime
{
    /// <summary>In every step.</summary>
    Online,

    /// <summary>At the end of every trial, or of every k-th.</summary>
    TrialEnd,
}

/// <summary>When updates are applied, and whether those of several trials are summed or averaged.</summary>
/// <param name="Time">Each step, or at ends of trials.</param>
/// <param name="Trials">Trials between updates, at least 1; used at ends of trials.</param>
/// <param name="Mean">Whether the update is the mean over those trials instead of their sum.</param>
public readonly record struct UpdateSchedule(UpdateTime Time, int Trials = 1, bool Mean = false)
{
    /// <summary>In every step.</summary>
    public static UpdateSchedule Online => new(UpdateTime.Online);

    /// <summary>At the end of every trial.</summary>
    public static UpdateSchedule TrialEnd => new(UpdateTime.TrialEnd);
}

/// <summary>What makes a projection plastic.</summary>
/// <param name="Rule">How it learns; ignored by a projection onto a readout that feeds nothing back, which learns by the delta rule.</param>
/// <param name="LearningRate">eta, at least 0. Every step's increment is eta / T times the rule's, T the trial's number of steps.</param>
/// <param name="Schedule">When updates are applied.</param>
public sealed record Plasticity(LearningRule Rule, double LearningRate, UpdateSchedule Schedule);
