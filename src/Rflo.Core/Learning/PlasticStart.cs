using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The initial states of an area that learns them: the first state variable of each unit before step 1. The increment of a rule is -dL/ds(0), of which
/// all rates before step 1 are a function. A trial begins with the states after the last update.
/// </summary>
/// <param name="area">The area.</param>
/// <param name="plasticity">How they learn.</param>
/// <param name="joint">The updates that are clipped together.</param>
/// <param name="lanes">The trials that share every update.</param>
internal sealed class PlasticStart<T>(AreaState<T> area, Plasticity plasticity, JointClip joint, TrialLanes lanes) : PlasticUnits<T>(area, plasticity, joint, lanes)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    protected override string Buffer => BufferNames.InitialStates(Area.Spec.Name);

    /// <summary>Adds 1/T times the increments of a rule.</summary>
    /// <param name="increments">-dL/ds(0) times T; at least the units.</param>
    /// <param name="steps">Steps T of the trial.</param>
    public void Add(ReadOnlySpan<T> increments, int steps)
    {
        var share = T.CreateTruncating(1.0 / steps);
        for (int i = 0; i < Collected.Length; i++)
            Collected[i] = T.FusedMultiplyAdd(share, increments[i], Collected[i]);
    }

    protected override void Read(Span<T> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = T.CreateTruncating(Area.Start[i]);
    }

    protected override void Write(int unit, T value) => Area.Start[unit] = double.CreateTruncating(value);
}
