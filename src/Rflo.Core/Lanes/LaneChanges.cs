using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// The changes of an area's weights that lanes make in the steps of their trials, kept as products over steps until the trials end. Each counts in the
/// currents of every lane from the next step on.
/// </summary>
/// <remarks>
/// With Q_k(s, t) = post_k(s) times the sum over t' from s to t of M_k(t') D_k(s, t') of lane k, the weights after step t are W(0) + sum over lanes and
/// steps s of eta / T_k Q_k(s, t) pre_k(s)', times 1 / B for a mean. A step filters each lane's learning signals backward, O(t post) a lane, and makes two
/// products of matrices: overlaps pre_k(s)' x_b of every lane with every other, and Q_k times them, each O(t B pre) or O(t B post) a lane.
/// </remarks>
internal sealed class LaneChanges<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PendingChange<T>[] _lanes;
    private readonly int _area;
    private readonly int _padded;
    private readonly int _columns;
    private readonly AlignedArray<T> _factors;
    private readonly AlignedArray<T> _overlaps;
    private readonly AlignedArray<T> _currents;

    /// <param name="area">The area, in any of the lanes.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="lanes">The changes of each lane.</param>
    public LaneChanges(AreaState<T> area, int maxSteps, PendingChange<T>[] lanes)
    {
        (_lanes, _area, _padded, _columns) = (lanes, area.Index, area.Padded, area.Afferents.Stride);
        _factors = new AlignedArray<T>(maxSteps, _padded);
        _overlaps = new AlignedArray<T>(lanes.Length, maxSteps + 3);
        _currents = new AlignedArray<T>(lanes.Length, _padded);
    }

    /// <summary>Adds the share of the changes so far to the currents of a step.</summary>
    /// <param name="active">The lanes whose currents were made.</param>
    /// <param name="signals">The wide rows of signals of that step, one for each of them.</param>
    public void AddTo(ReadOnlySpan<Lane<T>> active, ReadOnlySpan<T> signals)
    {
        Span<T> currents = _currents.Span[..(active.Length * _padded)];
        currents.Clear();
        bool any = false;
        foreach (PendingChange<T> changes in _lanes)
        {
            int steps = changes.Taken;
            if (steps == 0)
                continue;
            any = true;
            changes.MakeFactors(_factors.Span);

            // Rows are multiplied in fours; the last ones by themselves, since rows of steps to come hold no numbers yet.
            int whole = steps / 4 * 4, rest = steps - whole;
            if (whole > 0)
            {
                Span<T> overlaps = _overlaps.Span[..(active.Length * whole)];
                Kernels.MultiplyLanes(changes.Signals(1), _columns, signals, overlaps, whole, active.Length);
                TensorPrimitives.Multiply(overlaps, changes.RateOfLane, overlaps);
                Kernels.AddTransposedLanes(_factors.Span, _padded, overlaps, whole, currents, whole, active.Length);
            }

            if (rest > 0)
            {
                Span<T> overlaps = _overlaps.Span[..(active.Length * rest)];
                for (int k = 0; k < active.Length; k++)
                    Kernels.Multiply(changes.Signals(whole + 1), signals.Slice(k * _columns, _columns), overlaps.Slice(k * rest, rest));
                TensorPrimitives.Multiply(overlaps, changes.RateOfLane, overlaps);
                Kernels.AddTransposedLanes(_factors.Span[(whole * _padded)..], _padded, overlaps, rest, currents, rest, active.Length);
            }
        }

        if (!any)
            return;
        for (int k = 0; k < active.Length; k++)
        {
            Span<T> own = active[k].Network.Areas[_area].Current.Span;
            TensorPrimitives.Add<T>(own, currents.Slice(k * _padded, _padded), own);
        }
    }
}
