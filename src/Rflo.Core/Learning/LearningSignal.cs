using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// What the units of an area are told of the error: l(t) = sum over readouts of B eps(t), with B the declared feedback
/// matrix, or the transpose of the readout's current weights.
/// </summary>
internal sealed class LearningSignal<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T> _area;
    private readonly List<(ReadoutState<T> Readout, AlignedArray<T> Transposed)> _fixed = [];
    private readonly List<(ReadoutState<T> Readout, Segment Segment)> _symmetric = [];

    public LearningSignal(Network<T> network, AreaState<T> area, ErrorPath path)
    {
        _area = area;
        if (path == ErrorPath.Symmetric)
        {
            foreach (ReadoutState<T> readout in network.Readouts)
                AddSymmetric(readout);
            return;
        }

        foreach (FeedbackSpec feedback in network.Graph.Feedbacks)
        {
            if (feedback.Area.Index != area.Index)
                continue;
            ReadoutState<T> readout = network.Readouts[feedback.Readout.Index];
            if (feedback.Matrix is { } matrix)
                _fixed.Add((readout, Transpose(matrix, readout.Outputs)));
            else
                AddSymmetric(readout);
        }
    }

    /// <summary>l(t), shape (padded units). Overwrites <paramref name="told"/>.</summary>
    public void Tell(int step, Span<T> told)
    {
        told.Clear();
        Add(step, told);
    }

    /// <summary>Adds l(t) to <paramref name="told"/>, shape (padded units).</summary>
    public void Add(int step, Span<T> told)
    {
        foreach ((ReadoutState<T> readout, AlignedArray<T> matrix) in _fixed)
        {
            Span<T> error = readout.Error(step);
            for (int k = 0; k < readout.Outputs; k++)
                Kernels.AddScaled(told, error[k], matrix.Row(k, _area.Padded));
        }

        foreach ((ReadoutState<T> readout, Segment segment) in _symmetric)
            TellSymmetric(readout, segment, readout.Error(step), told);
    }

    private static void TellSymmetric(ReadoutState<T> readout, Segment segment, ReadOnlySpan<T> error, Span<T> told)
    {
        Afferents<T> afferents = readout.Afferents;
        int[]? population = segment.Source.Units;
        if (segment.Sparse is { } pattern)
        {
            T[] block = afferents.Weights.Sparse[afferents.Place(segment)];
            for (int k = 0; k < pattern.Rows; k++)
                for (int n = pattern.Start[k]; n < pattern.Start[k + 1]; n++)
                    told[population is null ? pattern.Column[n] : population[pattern.Column[n]]] += error[k] * block[n];
            return;
        }

        for (int k = 0; k < readout.Outputs; k++)
        {
            Span<T> weights = afferents.Weights.Dense.Row(k, afferents.DenseStride).Slice(segment.Offset, segment.Width);
            if (population is not { } units)
            {
                Kernels.AddScaled(told[..segment.Width], error[k], weights);
                continue;
            }

            for (int j = 0; j < units.Length; j++)
                told[units[j]] += error[k] * weights[j];
        }
    }

    private void AddSymmetric(ReadoutState<T> readout)
    {
        foreach (Segment segment in readout.Afferents.Segments)
            if (segment.Source is { Kind: SignalKind.Area } source && source.Index == _area.Index)
                _symmetric.Add((readout, segment));
    }

    private AlignedArray<T> Transpose(double[] matrix, int outputs)
    {
        var transposed = new AlignedArray<T>(outputs * _area.Padded);
        for (int i = 0; i < _area.Units; i++)
            for (int k = 0; k < outputs; k++)
                transposed.Span[k * _area.Padded + i] = T.CreateTruncating(matrix[i * outputs + k]);
        return transposed;
    }
}
