namespace Rflo.Core;

/// <summary>
/// What a rule of another assembly receives of one area in one step t, and where it writes its increments. Spans are valid within the call that is given them.
/// Shapes: n units, d states a unit.
/// </summary>
public abstract class LearningStep
{
    private protected LearningStep()
    {
    }

    /// <summary>Number of the trial, from 0.</summary>
    public int Trial { get; private protected set; }

    /// <summary>t, from 1.</summary>
    public int Step { get; private protected set; }

    /// <summary>Steps T of the trial. Increments are multiplied by the learning rate and divided by T.</summary>
    public int Steps { get; private protected set; }

    /// <summary>h(t), shape (n).</summary>
    public abstract ReadOnlySpan<double> Rates { get; }

    /// <summary>h(t-1), shape (n).</summary>
    public abstract ReadOnlySpan<double> RatesBefore { get; }

    /// <summary>u(t), with the noise, shape (n).</summary>
    public abstract ReadOnlySpan<double> Current { get; }

    /// <summary>dt / tau, shape (n).</summary>
    public abstract ReadOnlySpan<double> Alpha { get; }

    /// <summary>
    /// l(t), the learning signal of each rate: minus the derivative of the step's loss by the rate, times T, as the rule's path carries it, with the costs of rates;
    /// shape (n).
    /// </summary>
    public abstract ReadOnlySpan<double> Signal { get; }

    /// <summary>A_kl(t) = ds_k(t) / ds_l(t-1), shape (n): 1 - alpha but for unit models.</summary>
    public abstract ReadOnlySpan<double> A(int k = 0, int l = 0);

    /// <summary>c_k(t) = ds_k(t) / du(t), shape (n): alpha phi'(u) for leaky rates.</summary>
    public abstract ReadOnlySpan<double> C(int k = 0);

    /// <summary>g_k(t) = dh(t) / ds_k(t), shape (n): 1 for leaky rates.</summary>
    public abstract ReadOnlySpan<double> G(int k = 0);

    /// <summary>The presynaptic signals of a projection that made u(t), 0 where its gate was shut; shape (pre).</summary>
    /// <param name="projection">Its place in <see cref="AreaSite.Projections"/>.</param>
    public abstract ReadOnlySpan<double> Pre(int projection);

    /// <summary>Its weights of the step.</summary>
    /// <param name="projection">Its place in <see cref="AreaSite.Projections"/>.</param>
    public abstract ReadOnlySpan<double> Weights(int projection);

    /// <summary>
    /// The increments of its weights in this step, 0 at first; for an exact rule minus the derivative of the loss, times T. Connections that do not exist stay 0
    /// whatever is written.
    /// </summary>
    /// <param name="projection">Its place in <see cref="AreaSite.Projections"/>.</param>
    public abstract Span<double> Increments(int projection);

    /// <summary>The reward that the task gives in the step.</summary>
    public double Reward { get; private protected set; }

    /// <summary>The loss of the step, of all readouts.</summary>
    public double StepLoss { get; private protected set; }

    /// <summary>The loss of the trial; NaN before its end, and where it has no target.</summary>
    public double TrialLoss { get; private protected set; } = double.NaN;
}
