// A unit model of one's own, in an assembly of one's own: a spiking neuron with two state variables. Nothing is registered.
using Rflo.Core;

/// <summary>
/// Adaptive leaky integrate-and-fire (Bellec et al. 2020): v(t) = (1 - alpha) v(t-1) + alpha u(t) - theta z(t-1),
/// a(t) = rho a(t-1) + z(t-1), and a spike z(t) = 1 where v(t) reaches theta + beta a(t).
/// </summary>
/// <param name="Threshold">theta, more than 0.</param>
/// <param name="Adaptation">beta, at least 0: by how much a spike raises the threshold.</param>
/// <param name="Memory">rho, in [0, 1): what is left of a after a step.</param>
/// <param name="Dampening">gamma of the surrogate slope psi = gamma / theta max(0, 1 - |v - theta - beta a| / theta).</param>
internal sealed record AdaptiveUnits(double Threshold = 1, double Adaptation = 0.2, double Memory = 0.97, double Dampening = 0.3) : UnitModel
{
    private static readonly string[] _names = ["v", "a"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> States => _names;

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant(
        $"adaptive LIF (threshold {Threshold}, adaptation {Adaptation}, memory {Memory}, dampening {Dampening})");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems
    {
        get
        {
            if (!(Threshold > 0 && double.IsFinite(Threshold)))
                yield return new OutOfRange("the threshold", Threshold, "finite and more than 0");
            if (!(Memory is >= 0 and < 1))
                yield return new OutOfRange("the memory of the adaptation", Memory, "in [0, 1)");
        }
    }

    /// <summary>psi, the surrogate of dz/dv.</summary>
    public double Slope(double v, double a) => Dampening / Threshold * Math.Max(0, 1 - Math.Abs(v - Threshold - Adaptation * a) / Threshold);

    /// <inheritdoc/>
    public override void Advance<T>(in UnitStep<T> update)
    {
        ReadOnlySpan<T> alpha = update.Alpha, current = update.Current, v = update.Before(0), a = update.Before(1);
        Span<T> nextV = update.After(0), nextA = update.After(1);
        T threshold = T.CreateTruncating(Threshold), beta = T.CreateTruncating(Adaptation), memory = T.CreateTruncating(Memory);
        for (int i = 0; i < v.Length; i++)
        {
            T spike = v[i] >= threshold + beta * a[i] ? T.One : T.Zero;
            var slope = T.CreateTruncating(Slope(double.CreateTruncating(v[i]), double.CreateTruncating(a[i])));
            nextV[i] = (T.One - alpha[i]) * v[i] + alpha[i] * current[i] - threshold * spike;
            nextA[i] = memory * a[i] + spike;

            // The reset is left out, as in the paper; the spike that raises the threshold is not.
            update.A(0, 0)[i] = T.One - alpha[i];
            if (slope > T.Zero)
                update.A(1, 0)[i] = slope;
            update.A(1, 1)[i] = memory - beta * slope;
            update.C(0)[i] = alpha[i];
        }
    }

    /// <inheritdoc/>
    public override void Send<T>(in UnitOutput<T> output)
    {
        ReadOnlySpan<T> v = output.State(0), a = output.State(1);
        T threshold = T.CreateTruncating(Threshold), beta = T.CreateTruncating(Adaptation);
        for (int i = 0; i < v.Length; i++)
        {
            var slope = T.CreateTruncating(Slope(double.CreateTruncating(v[i]), double.CreateTruncating(a[i])));
            output.Signal[i] = v[i] >= threshold + beta * a[i] ? T.One : T.Zero;
            output.G(0)[i] = slope;
            output.G(1)[i] = -beta * slope;
        }
    }
}
