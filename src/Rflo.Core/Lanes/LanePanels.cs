using System.Numerics;

namespace Rflo.Core;

/// <summary>The vectors that one target's weights are multiplied with in several lanes, side by side. One thread uses it at a time.</summary>
/// <param name="network">A network with the sizes of all lanes.</param>
/// <param name="lanes">The most lanes.</param>
internal sealed class LanePanels<T>(Network<T> network, int lanes)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedArray<T> _vectors = new(lanes, Widest(network));
    private readonly AlignedArray<T> _results = new(lanes, Widest(network));

    /// <summary>The vector that is multiplied, for one lane.</summary>
    /// <param name="lane">Which lane.</param>
    /// <param name="length">Elements of every lane.</param>
    public Span<T> Vector(int lane, int length) => _vectors.Row(lane, length);

    /// <summary>The product, for one lane.</summary>
    /// <param name="lane">Which lane.</param>
    /// <param name="length">Elements of every lane.</param>
    public Span<T> Result(int lane, int length) => _results.Row(lane, length);

    /// <summary>Computes the currents of the dense weights onto an area for the signals of a step, for every lane; <see cref="Afferents{T}.Currents"/> then does not compute them again.</summary>
    /// <param name="active">The lanes whose trials have that step.</param>
    /// <param name="area">Which area; one with dense weights.</param>
    /// <param name="step">t.</param>
    /// <param name="pending">Changes of the weights that are not made yet, but count; null for none.</param>
    public void MakeCurrents(ReadOnlySpan<Lane<T>> active, int area, int step, LaneChanges<T>? pending = null)
    {
        Afferents<T> shape = active[0].Network.Areas[area].Afferents;
        int columns = shape.DenseStride, rows = shape.BlockRows;
        for (int k = 0; k < active.Length; k++)
        {
            AreaState<T> own = active[k].Network.Areas[area];
            active[k].Network.GatherAhead(own, step);
            own.Afferents.Signals(step)[..columns].CopyTo(Vector(k, columns));
        }

        Kernels.MultiplyLanes(shape.Weights.Dense.Span, columns, _vectors.Span, _results.Span, rows, active.Length);
        for (int k = 0; k < active.Length; k++)
        {
            AreaState<T> own = active[k].Network.Areas[area];
            Span<T> current = own.Current.Span;
            Result(k, rows).CopyTo(current);
            current[rows..].Clear();
            own.Afferents.DenseAhead = step;
        }

        pending?.AddTo(active, _vectors.Span);
    }

    /// <summary>Adds the transposed dense weights of a target times <see cref="Vector"/> to <see cref="Result"/>, for every lane.</summary>
    /// <param name="afferents">The target.</param>
    /// <param name="count">How many lanes.</param>
    public void AddTransposed(Afferents<T> afferents, int count) =>
        Kernels.AddTransposedLanes(afferents.Weights.Dense.Span, afferents.DenseStride, _vectors.Span, afferents.Rows, _results.Span, afferents.Rows, count);

    private static int Widest(Network<T> network) => network.Areas.Max(area => Math.Max(area.Afferents.DenseStride, area.Padded));
}
