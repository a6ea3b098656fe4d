namespace Rflo.Core;

/// <summary>The decay of an eligibility trace: the factor that is left of it after one step.</summary>
public enum TraceMemory
{
    /// <summary>1 - alpha of the unit, the unit's own decay (RFLO).</summary>
    AsUnit,

    /// <summary>A given time constant, the same for all units.</summary>
    Given,

    /// <summary>0: the trace is the step's own product.</summary>
    None,

    /// <summary>1: the trace is the sum over the trial so far.</summary>
    WholeTrial,

    /// <summary>
    /// The unit's diagonal entry of the Jacobian, 1 - alpha + alpha phi'(u) W_ii: the effect of a rate on itself through the leak
    /// and through its self-connection (SnAp-1).
    /// </summary>
    OwnJacobian,
}

/// <summary>What of the postsynaptic unit enters a trace.</summary>
public enum PostSignal
{
    /// <summary>alpha phi'(u): the effect of the current on the rate.</summary>
    Slope,

    /// <summary>The rate h.</summary>
    Rate,

    /// <summary>The current u.</summary>
    Current,

    /// <summary>The noise in the current, in units of <see cref="AreaSpec.NoiseUnit"/>.</summary>
    Noise,
}

/// <summary>What turns a trace into a weight change: the third factor.</summary>
public enum ThirdFactor
{
    /// <summary>The error of the readouts, sent back to the area.</summary>
    Error,

    /// <summary>Minus the loss of the whole trial, the same in every step of it; available only when the trial has ended.</summary>
    TrialReward,

    /// <summary>Minus the loss of the step.</summary>
    StepReward,

    /// <summary>The reward that the task gives in the step.</summary>
    TaskReward,

    /// <summary>
    /// That reward minus the unit's current u: the unit's prediction error (the delta rule of Rescorla and Wagner 1972).
    /// </summary>
    RewardError,

    /// <summary>The constant 1: there is no third factor.</summary>
    Constant,

    /// <summary>A signal of the circuit, given by <see cref="ThreeFactorRule.Source"/>.</summary>
    Signal,
}

/// <summary>A transformation of a signal before it enters a trace: minus its running mean, through a function, or both.</summary>
/// <param name="MeanAlpha">dt / tau of the running mean that is subtracted, in (0, 1]; 0 for none.</param>
/// <param name="Map">An elementwise function, applied last; null for none.</param>
public sealed record Shaping(double MeanAlpha = 0, Func<double, double>? Map = null)
{
    /// <summary>As it is.</summary>
    public static Shaping Plain { get; } = new();

    /// <summary>Whether it leaves the signal unchanged.</summary>
    internal bool IsPlain => MeanAlpha == 0 && Map is null;
}

/// <summary>
/// A local rule of three factors: a trace of post- and presynaptic activity for every synapse,
/// e_ij(t) = lambda_i e_ij(t-1) + post_i(t) pre_j(t), and a third factor that turns it into a weight change,
/// dW_ij(t) = eta / T * M_i(t) e_ij(t). All of them run in the same two kernels.
/// </summary>
/// <remarks>
/// Time and memory O(post * pre) a step online; at the end of a trial O(post) a step and one matrix product.
/// See <see cref="Rflo"/> for Murray (2019), Eqs 5 and 6.
/// </remarks>
public sealed record ThreeFactorRule(ErrorPath Path) : LearningRule(Path)
{
    /// <summary>The decay of traces.</summary>
    public TraceMemory Memory { get; init; } = TraceMemory.AsUnit;

    /// <summary>dt / tau of a trace with a time constant of its own, in (0, 1]; used by <see cref="TraceMemory.Given"/>.</summary>
    public double MemoryAlpha { get; init; } = 1;

    /// <summary>What of the postsynaptic unit enters the trace.</summary>
    public PostSignal Post { get; init; } = PostSignal.Slope;

    /// <summary>The transformation of the postsynaptic factor.</summary>
    public Shaping PostShaping { get; init; } = Shaping.Plain;

    /// <summary>dt / tau of the low-pass filter on the presynaptic signal, in (0, 1]; 1 for the signal itself.</summary>
    public double PreAlpha { get; init; } = 1;

    /// <summary>The transformation of the presynaptic signal, after the filter.</summary>
    public Shaping PreShaping { get; init; } = Shaping.Plain;

    /// <summary>The third factor.</summary>
    public ThirdFactor Third { get; init; } = ThirdFactor.Error;

    /// <summary>Which signal of the circuit is the third factor, where that is <see cref="ThirdFactor.Signal"/>; null elsewhere.</summary>
    public Neuromodulator? Source { get; init; }

    /// <summary>
    /// The transformation of the third factor. A reward's running mean is subtracted before it is updated; that of
    /// <see cref="ThirdFactor.TrialReward"/> is updated once a trial, that of <see cref="ThirdFactor.TaskReward"/> and
    /// <see cref="ThirdFactor.RewardError"/> in steps in which a gate of what learns is open.
    /// </summary>
    public Shaping ThirdShaping { get; init; } = Shaping.Plain;

    /// <summary>Whether weights also decay by M_i post_i^2 W_ij in every step (Oja 1982), which bounds Hebbian growth.</summary>
    public bool Oja { get; init; }

    /// <summary>RFLO: the unit's decay, slope, presynaptic signal, error (Murray 2019, Eqs 5 and 6).</summary>
    public static ThreeFactorRule Rflo(ErrorPath path = ErrorPath.Feedback) => new(path);

    /// <summary>
    /// Whether it has a form for time constants: an error must reach the units one by one, and its traces be of slopes.
    /// </summary>
    public bool LearnsTau => Third == ThirdFactor.Error && Post == PostSignal.Slope && PostShaping.IsPlain && !Oja;

    /// <summary>Whether it has a form for initial states: as for time constants, and its traces must last longer than a step.</summary>
    public bool LearnsInitialStates => LearnsTau && Memory != TraceMemory.None;

    /// <summary>The decay factor of a trace, where it is the same for all units; null where it is the unit's own.</summary>
    internal T? FixedMemory<T>()
        where T : struct, System.Numerics.INumberBase<T> => Memory switch
        {
            TraceMemory.None => T.Zero,
            TraceMemory.WholeTrial => T.One,
            TraceMemory.Given => T.One - T.CreateTruncating(MemoryAlpha),
            _ => null,
        };

    /// <summary>Whether its third factor is available only when the trial has ended.</summary>
    public bool NeedsWholeTrial => Third == ThirdFactor.TrialReward;
}
