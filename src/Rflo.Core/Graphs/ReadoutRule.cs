namespace Rflo.Core;

/// <summary>How the weights of a readout learn, whatever the rule of the areas is.</summary>
public abstract record ReadoutRule
{
    private protected ReadoutRule()
    {
    }

    /// <summary>The delta rule; the default.</summary>
    public static ReadoutRule Delta { get; } = new DeltaReadout();

    /// <summary>Whether it solves least squares, at times of its own.</summary>
    internal bool IsLeastSquares => this is RlsReadout or RidgeReadout;
}

/// <summary>
/// The delta rule, dW = eta / T sum over t of eps(t) s(t)' (Murray 2019, Eq 5); for a readout that is fed back, under
/// BPTT and RTRL, the exact gradient. Time and memory O(outputs * pre).
/// </summary>
public sealed record DeltaReadout : ReadoutRule;

/// <summary>
/// TD(lambda): the readout learns to predict the rewards of the task, V(t-1) = r(t) + gamma r(t+1) + ... (Sutton and Barto 2018, section 12.2).
/// dW(t) = eta / T delta(t) e(t-1), delta(t) = r(t) + gamma V(t) - V(t-1), e(t) = gamma lambda e(t-1) + f'(t) s(t), from t = 0 on.
/// </summary>
/// <remarks>
/// s are rates and the constant 1, f' the slope of the output's nonlinearity. Targets play no part. V(0) and s(0) are of the rates with
/// which the trial begins; its last step is terminal, where V(T) counts as 0. Traces begin anew in each trial. The readout has one output.
/// Time and memory O(pre).
/// </remarks>
/// <param name="Gamma">gamma, the discount of a step, in [0, 1].</param>
/// <param name="Lambda">lambda, in [0, 1]: 0 for errors that reach the step before alone.</param>
public sealed record TdReadout(double Gamma, double Lambda) : ReadoutRule;

/// <summary>
/// Recursive least squares, the readout's part of FORCE (Sussillo and Abbott 2009), with the error of the step before the
/// update: k = P s / (lambda + m s' P s), dW = m (y* - y) k', P = (P - m k (P s)') / lambda, P = I / alpha at the start.
/// </summary>
/// <remarks>
/// After any number of steps with lambda = 1, W minimises the sum of m |y* - W s|^2 + alpha |W - W0|^2, where W0 are the
/// weights at the start. s are all rates that learn, from whatever area, and the constant 1 where the readout has a bias.
/// P is kept from trial to trial, in double precision. Time and memory O(pre^2) a step; times the number of outputs where
/// their masks or connections differ. Of the learning rate, only whether it is more than 0 matters.
/// </remarks>
/// <param name="Alpha">alpha, more than 0: small for fast learning.</param>
/// <param name="Forgetting">lambda, the forgetting factor, in (0, 1]: 1 weights all steps alike; below 1, P grows along directions without input.</param>
/// <param name="Every">k, at least 1: an update is made in every k-th step. Steps whose mask is 0 are skipped.</param>
public sealed record RlsReadout(double Alpha, double Forgetting = 1, int Every = 1) : ReadoutRule;

/// <summary>
/// Ridge regression over everything collected so far, as an echo-state network's readout learns (Jaeger 2001):
/// W minimises the sum over all trials and steps of m |y* - W s|^2, plus alpha |W|^2.
/// </summary>
/// <remarks>
/// Solved by Cholesky's factors of the sum of m s s' (Gram matrix) plus alpha. Time O(pre^2) a step and O(pre^3) an update,
/// memory O(pre^2), in double precision; times the number of outputs where their masks or connections differ. What a
/// frozen projection sends to the readout is subtracted from the targets first. Of the learning rate, only whether it is
/// more than 0 matters.
/// </remarks>
/// <param name="Alpha">alpha, more than 0.</param>
/// <param name="Washout">Steps at the beginning of every trial that are not collected, at least 0.</param>
/// <param name="Every">k, at least 1: weights change at the end of every k-th trial.</param>
public sealed record RidgeReadout(double Alpha, int Washout = 0, int Every = 1) : ReadoutRule;
