using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The alignment of a readout's weights with the fixed feedback: sum over k, a of W_ka B_ak / (|W| |B|), with W
/// the readout's weights from the area that B reaches (Murray 2019, Fig 2c).
/// </summary>
internal sealed class Alignment<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadoutState<T> _readout;
    private readonly double[]? _matrix;
    private readonly Segment[] _segments;

    public Alignment(Network<T> network, FeedbackSpec feedback)
    {
        _readout = network.Readouts[feedback.Readout.Index];
        _matrix = feedback.Matrix;
        _segments = [.. _readout.Afferents.Segments.Where(segment =>
            segment.Source is { Kind: SignalKind.Area } source && source.Index == feedback.Area.Index && segment.Sparse is null)];
    }

    /// <summary>The alignment now; NaN where it is not defined. Allocates nothing.</summary>
    public double Now()
    {
        if (_matrix is null || _segments.Length == 0)
            return double.NaN;
        double product = 0, weights = 0, matrix = 0;
        int outputs = _readout.Outputs;
        foreach (Segment segment in _segments)
        {
            for (int k = 0; k < outputs; k++)
            {
                Span<T> row = _readout.Afferents.Weights.Dense.Row(k, _readout.Afferents.DenseStride).Slice(segment.Offset, segment.Width);
                for (int j = 0; j < row.Length; j++)
                {
                    double w = double.CreateTruncating(row[j]);
                    double b = _matrix[segment.SourceUnit(j) * outputs + k];
                    product += w * b;
                    weights += w * w;
                    matrix += b * b;
                }
            }
        }

        return product / Math.Sqrt(weights * matrix);
    }
}
