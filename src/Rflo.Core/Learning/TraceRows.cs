using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Eligibility traces in the shape of a target's weights, row by row: e = decay e + post pre'. The product of learning signal and
/// trace is added to the weights, or to a separate sum.
/// </summary>
internal static class TraceRows
{
    /// <summary>One step of dense blocks that learn.</summary>
    /// <param name="plastic">The projections that learn.</param>
    /// <param name="traces">The traces. Updated.</param>
    /// <param name="sum">Where increments at learning rate 1 are summed without the 1/T; null where they are the step's own.</param>
    /// <param name="decay">Decay factor of a unit's traces in one step, shape (units) or longer.</param>
    /// <param name="post">Postsynaptic factors, same shape.</param>
    /// <param name="pre">Presynaptic factors, the wide row of the target.</param>
    /// <param name="signal">Learning signal, same shape as <paramref name="decay"/>.</param>
    /// <param name="steps">Steps T of the trial.</param>
    public static void AdvanceDense<T>(
        Plastic<T> plastic, WeightStore<T> traces, WeightStore<T>? sum, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, ReadOnlySpan<T> pre, ReadOnlySpan<T> signal, int steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Afferents<T> afferents = plastic.Afferents;
        WeightStore<T> to = sum ?? plastic.Destination;
        foreach (Plastic<T>.Run run in plastic.Runs)
        {
            T scale = sum is null ? plastic.Scale(run.LearningRate, steps) : T.One;
            ReadOnlySpan<T> signals = pre.Slice(run.Offset, run.Width);
            for (int i = 0; i < afferents.Rows; i++)
            {
                Kernels.AdvanceTrace(
                    traces.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    to.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    decay[i], post[i], signals, scale * signal[i]);
            }
        }
    }

    /// <summary>The same of sparse blocks.</summary>
    /// <param name="plastic">The projections that learn.</param>
    /// <param name="traces">The traces. Updated.</param>
    /// <param name="sum">Where increments at learning rate 1 are summed without the 1/T; null where they are the step's own.</param>
    /// <param name="decay">Decay factor of a unit's traces in one step, shape (units) or longer.</param>
    /// <param name="post">Postsynaptic factors, same shape.</param>
    /// <param name="pre">Presynaptic factors, the wide row of the target.</param>
    /// <param name="signal">Learning signal, same shape as <paramref name="decay"/>.</param>
    /// <param name="steps">Steps T of the trial.</param>
    public static void AdvanceSparse<T>(
        Plastic<T> plastic, WeightStore<T> traces, WeightStore<T>? sum, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, ReadOnlySpan<T> pre, ReadOnlySpan<T> signal, int steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        WeightStore<T> to = sum ?? plastic.Destination;
        foreach (Segment segment in plastic.Segments)
        {
            if (segment.Sparse is not { } pattern)
                continue;
            int at = plastic.Afferents.Place(segment);
            Kernels.AdvanceTraceSparse(
                pattern, traces.Sparse[at], to.Sparse[at], decay, post, pre.Slice(segment.Offset, segment.Width), signal,
                sum is null ? plastic.Scale(segment.Plasticity!.LearningRate, steps) : T.One);
        }
    }
}
