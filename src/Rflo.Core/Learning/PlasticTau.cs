using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The time constants of an area that learns them. The parameter is ln(tau / dt), so that a learning rate has the same relative
/// effect on fast and slow units and no tau becomes negative; tau is kept at or above dt.
/// </summary>
/// <remarks>
/// The increment of a rule is -dL/d ln tau. Since h(t) = (1 - alpha) h(t-1) + alpha phi(u) and alpha = dt / tau, a step's
/// direct effect is alpha (h(t-1) - phi(u)) = h(t-1) - h(t), without a division and without computing phi again.
/// </remarks>
/// <param name="area">The area.</param>
/// <param name="plasticity">How they learn.</param>
/// <param name="joint">The updates that are clipped together.</param>
/// <param name="lanes">The trials that share every update.</param>
internal sealed class PlasticTau<T>(AreaState<T> area, Plasticity plasticity, JointClip joint, TrialLanes lanes) : PlasticUnits<T>(area, plasticity, joint, lanes)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    protected override string Buffer => BufferNames.TimeConstants(Area.Spec.Name);

    /// <summary>Adds the product of credit and direct effect of one step.</summary>
    /// <param name="area">The area in the trial that it is of: this one, or that of another lane.</param>
    /// <param name="step">The step.</param>
    /// <param name="credit">-dL/ds(t), s the state that the leak acts on; shape (units).</param>
    /// <param name="steps">Steps T of the trial.</param>
    public void AddStep(AreaState<T> area, int step, ReadOnlySpan<T> credit, int steps)
    {
        Span<T> before = area.States(step - 1), now = area.States(step);
        var share = T.CreateTruncating(1.0 / steps);
        for (int i = 0; i < Collected.Length; i++)
            Collected[i] = T.FusedMultiplyAdd(share * credit[i], before[i] - now[i], Collected[i]);
    }

    protected override void Read(Span<T> values)
    {
        Span<T> alpha = Area.Alpha.Span;
        for (int i = 0; i < values.Length; i++)
            values[i] = -T.Log(alpha[i]);
    }

    protected override void Write(int unit, T value)
    {
        // Chooses a nearby alpha that a saved tau restores to the bit: alpha = 1 / tau, for which repeating 1 / (1 / alpha) changes nothing.
        double tau = 1 / double.CreateTruncating(T.Exp(-T.Max(T.Zero, value)));
        Span<T> alpha = Area.Alpha.Span, decay = Area.Decay.Span;
        alpha[unit] = T.CreateTruncating(1 / tau);
        decay[unit] = T.One - alpha[unit];
    }
}
