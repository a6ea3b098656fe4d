namespace Rflo.Core;

/// <summary>The way by which a readout's error reaches an area.</summary>
public enum ErrorPath
{
    /// <summary>The circuit's own feedback: the matrices B of <see cref="FeedbackSpec"/>.</summary>
    Feedback,

    /// <summary>The transpose of the current readout weights, as the exact gradient has it.</summary>
    Symmetric,
}

/// <summary>How the weights of a projection onto an area learn. Readout weights learn by a <see cref="ReadoutRule"/> of their own.</summary>
/// <param name="Path">How the error reaches the area.</param>
public abstract record LearningRule(ErrorPath Path)
{
    /// <summary>Whether a rule is code of another assembly, or calls a function of the user's.</summary>
    internal static bool HasFunction(LearningRule? rule) =>
        rule is CustomRule || rule is ThreeFactorRule local && (local.PostShaping.Map ?? local.PreShaping.Map ?? local.ThirdShaping.Map) is not null;
}

/// <summary>
/// Back-propagation through time (Murray 2019, Eqs 18 to 23): the exact gradient, backward over the stored trial.
/// With <see cref="ErrorPath.Feedback"/> it is the paper's non-local rule with random feedback.
/// </summary>
/// <param name="Path">How the error reaches the area.</param>
public sealed record BpttRule(ErrorPath Path = ErrorPath.Symmetric) : LearningRule(Path);

/// <summary>
/// Truncated back-propagation through time (Williams and Peng 1990): in every <paramref name="Stride"/>-th step, and in the
/// last of a trial, a backward pass carries the errors since the last pass back over <paramref name="Window"/> steps. A window
/// at least as long as the trial gives BPTT. Window = stride gives adjacent windows; stride 1 carries every error back equally
/// far. Online means: an update after every backward pass.
/// </summary>
/// <param name="Window">Steps that a backward pass covers, its own step included; at least <paramref name="Stride"/>.</param>
/// <param name="Stride">Steps between backward passes, at least 1.</param>
/// <param name="Path">How the error reaches the area.</param>
public sealed record TruncatedBpttRule(int Window, int Stride, ErrorPath Path = ErrorPath.Symmetric) : LearningRule(Path);

/// <summary>
/// Real-time recurrent learning (Murray 2019, Eqs 10 to 14; Williams and Zipser 1989): the exact gradient, forward in
/// time, by the influence of every weight on every unit.
/// </summary>
/// <param name="Path">How the error reaches the area.</param>
public sealed record RtrlRule(ErrorPath Path = ErrorPath.Symmetric) : LearningRule(Path);

/// <summary>The numbers with which a stochastic rule mixes its terms: mean 0 and variance 1, which is what makes it unbiased.</summary>
public enum MixingNoise
{
    /// <summary>+1 or -1, each with probability one half: the least variance.</summary>
    Rademacher,

    /// <summary>Normal.</summary>
    Gaussian,
}

/// <summary>The factors whose product stands for RTRL's influence P of weight (i, j) on rate k.</summary>
public enum InfluenceFactors
{
    /// <summary>UORO (Tallec and Ollivier 2017): P = a_k B_ij. Time and memory O(n pre).</summary>
    RankOne,

    /// <summary>KF-RTRL (Mujika et al. 2018): P = a_j C_ki. Time O(n^3), memory O(n^2), and far less noise than the others.</summary>
    Kronecker,

    /// <summary>Reverse KF-RTRL: P = a_i C_kj. Time O(n^2 pre), memory O(n pre).</summary>
    ReverseKronecker,
}

/// <summary>
/// A random approximation of real-time recurrent learning whose mean is exact: the influence is kept as a product of
/// two small factors, and each step's new terms are mixed in with random signs.
/// </summary>
/// <param name="Factors">Which factors.</param>
/// <param name="Noise">How terms are mixed.</param>
/// <param name="Path">How the error reaches the area.</param>
/// <remarks>Readouts learn by the delta rule; the effect of a fed-back readout's own weights on later rates is left out.</remarks>
public sealed record StochasticRule(InfluenceFactors Factors, MixingNoise Noise = MixingNoise.Rademacher, ErrorPath Path = ErrorPath.Symmetric)
    : LearningRule(Path);

/// <summary>
/// KeRNL (Roth, Kanitscheider and Fiete 2019): traces as those of RFLO. The sensitivity of every unit to another unit's trace,
/// and the trace's decay, are learned with the weights, from the effect of small perturbations on a copy of the circuit.
/// </summary>
/// <param name="Rate">
/// Rate at which sensitivities and decays are learned, in [0, 1], without units; 0 leaves them at their initial values, which
/// gives RFLO with the symmetric path.
/// </param>
/// <param name="Path">How the error reaches the area.</param>
/// <remarks>Readouts learn by the delta rule; the effect of a fed-back readout's own weights on later rates is left out.</remarks>
public sealed record KernlRule(double Rate, ErrorPath Path = ErrorPath.Symmetric) : LearningRule(Path);

/// <summary>When collected increments become weight changes.</summary>
public enum UpdateTime
{
    /// <summary>In every step.</summary>
    Online,

    /// <summary>In every k-th step, and at the end of the trial.</summary>
    EverySteps,

    /// <summary>At the end of every trial, or of every k-th.</summary>
    TrialEnd,
}

/// <summary>When updates are applied, and whether those of several trials are summed or averaged.</summary>
/// <param name="Time">Each step, each k-th step, or at ends of trials.</param>
/// <param name="Every">k: steps or trials between updates, at least 1; an online rule updates in every step.</param>
/// <param name="Mean">Whether the update of several trials is their mean instead of their sum.</param>
public readonly record struct UpdateSchedule(UpdateTime Time, int Every = 1, bool Mean = false)
{
    /// <summary>In every step.</summary>
    public static UpdateSchedule Online => new(UpdateTime.Online);

    /// <summary>At the end of every trial.</summary>
    public static UpdateSchedule TrialEnd => new(UpdateTime.TrialEnd);

    /// <summary>Whether increments are made step by step.</summary>
    public bool IsStepwise => Time != UpdateTime.TrialEnd;
}

/// <summary>What makes a projection plastic.</summary>
/// <param name="Rule">How it learns; ignored by a projection onto a readout, unless that is fed back and learns by the delta rule.</param>
/// <param name="LearningRate">eta, at least 0. Every step's increment is eta / T times the rule's, T the trial's number of steps.</param>
/// <param name="Schedule">When updates are applied.</param>
public sealed record Plasticity(LearningRule Rule, double LearningRate, UpdateSchedule Schedule)
{
    /// <summary>How updates follow from the rule's increments.</summary>
    public Optimizer Optimizer { get; init; } = Optimizer.Plain;

    /// <summary>The largest norm of the rule's increment in one update.</summary>
    public Clip Clip { get; init; } = Clip.None;

    /// <summary>
    /// How it learns if it ends at a readout. Least squares have update times of their own: schedule, optimizer and rates apply to
    /// the delta rule.
    /// </summary>
    public ReadoutRule Readout { get; init; } = ReadoutRule.Delta;

    /// <summary>How the learning rate changes from trial to trial.</summary>
    public LearningRateSchedule Rates { get; init; } = LearningRateSchedule.Constant;

    /// <summary>Whether weights onto a readout, or onto an area, learn by least squares.</summary>
    internal bool IsLeastSquares(bool ontoReadout) => ontoReadout ? Readout.IsLeastSquares : Rule is FullForceRule;

    /// <summary>Whether increments may be added to the weights as they come.</summary>
    internal bool IsDirect => Optimizer is Sgd && Clip.IsNone;

    /// <summary>Whether code of another assembly, or a function of the user's, runs in its rule or its updates.</summary>
    internal bool RunsUserCode => LearningRule.HasFunction(Rule) || UserCode.Is(Optimizer) || UserCode.IsSchedule(Rates);
}
