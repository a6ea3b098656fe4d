namespace Rflo.Core;

/// <summary>
/// Leaky integrate-and-fire: v(t) = (1 - alpha) v(t-1) + alpha u(t) - theta z(t-1), and a spike z(t) = 1 where v(t) reaches the
/// threshold theta, 0 elsewhere.
/// </summary>
/// <param name="Threshold">theta, more than 0, in units of v.</param>
/// <param name="Dampening">gamma of the surrogate slope dz/dv = gamma / theta max(0, 1 - |v - theta| / theta), at least 0; 0.3 in Bellec et al. (2020).</param>
/// <remarks>
/// The derivative of the reset is left out of A, as there: A = 1 - alpha, c = alpha. A spike lasts one step, so the firing rate in Hz is
/// 1000 / dt times the mean of z, with dt in ms.
/// </remarks>
public sealed record LeakyIntegrateAndFire(double Threshold = 1, double Dampening = 0.3) : UnitModel
{
    private static readonly string[] _states = ["v"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> States => _states;

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"leaky integrate-and-fire (threshold {Threshold}, dampening {Dampening})");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems =>
    [
        .. OutOfRange.UnlessPositive("the threshold", Threshold),
        .. OutOfRange.UnlessNotNegative("the dampening of the surrogate slope", Dampening),
    ];

    /// <inheritdoc/>
    public override void Advance<T>(in UnitStep<T> update)
    {
        ReadOnlySpan<T> alpha = update.Alpha, current = update.Current, before = update.Before(0);
        Span<T> v = update.After(0), a = update.A(0, 0), c = update.C(0);
        var threshold = T.CreateTruncating(Threshold);
        for (int i = 0; i < v.Length; i++)
        {
            T reset = before[i] >= threshold ? threshold : T.Zero;
            a[i] = T.One - alpha[i];
            c[i] = alpha[i];
            v[i] = a[i] * before[i] + alpha[i] * current[i] - reset;
        }
    }

    /// <inheritdoc/>
    public override void Send<T>(in UnitOutput<T> output)
    {
        ReadOnlySpan<T> v = output.State(0);
        Span<T> z = output.Signal, g = output.G(0);
        T threshold = T.CreateTruncating(Threshold), height = T.CreateTruncating(Dampening / Threshold);
        for (int i = 0; i < v.Length; i++)
        {
            z[i] = v[i] >= threshold ? T.One : T.Zero;
            g[i] = height * T.Max(T.Zero, T.One - T.Abs(v[i] - threshold) / threshold);
        }
    }
}
