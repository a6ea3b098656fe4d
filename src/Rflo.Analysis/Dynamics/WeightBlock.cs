using System.Numerics.Tensors;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>The weights of a projection: products with presynaptic signals, with credit, and a list of the entries.</summary>
internal sealed class WeightBlock
{
    private readonly int[]? _rows;
    private readonly int[]? _columns;
    private readonly SparseSynapses? _sparse;
    private readonly double[] _weights;
    private readonly int _post;
    private readonly int _pre;

    /// <param name="graph">The graph.</param>
    /// <param name="index">Which projection.</param>
    /// <param name="weights">Shape (post, pre), or one number an entry where it is sparse. Kept.</param>
    public WeightBlock(Graph graph, int index, double[] weights)
    {
        ProjectionSpec spec = graph.Projections[index];
        (_post, _pre) = graph.ShapeOf(new ProjectionId(index));
        (_rows, _columns, _sparse) = (spec.Target.Units, spec.Source.Units, spec.Synapses as SparseSynapses);
        (Spec, _weights) = (spec, weights);
    }

    public ProjectionSpec Spec { get; }

    public Source Source => Spec.Source;

    /// <summary>current += W signals.</summary>
    public void AddProduct(ReadOnlySpan<double> signals, Span<double> current)
    {
        double[]? taken = _columns is null ? null : Taken(signals);
        ReadOnlySpan<double> pre = taken ?? signals[.._pre];
        for (int row = 0; row < _post; row++)
            current[Row(row)] += _sparse is null ? TensorPrimitives.Dot(_weights.AsSpan(row * _pre, _pre), pre) : SparseDot(row, pre);
    }

    /// <summary>signals += W' current.</summary>
    public void AddTransposed(ReadOnlySpan<double> current, Span<double> signals)
    {
        for (int row = 0; row < _post; row++)
        {
            double factor = current[Row(row)];
            if (_sparse is null && _columns is null)
            {
                TensorPrimitives.MultiplyAdd(_weights.AsSpan(row * _pre, _pre), factor, signals[.._pre], signals);
                continue;
            }

            (int first, int last) = Range(row);
            for (int k = first; k < last; k++)
                signals[Column(row, k)] += _weights[k] * factor;
        }
    }

    /// <summary>The weights one after another: unit of the target, unit of the source, weight.</summary>
    public IEnumerable<(int Post, int Pre, double Weight)> Entries()
    {
        for (int row = 0; row < _post; row++)
        {
            (int first, int last) = Range(row);
            for (int k = first; k < last; k++)
                if (_weights[k] != 0)
                    yield return (Row(row), Column(row, k), _weights[k]);
        }
    }

    private int Row(int row) => _rows is null ? row : _rows[row];

    private int Column(int row, int entry)
    {
        int column = _sparse is null ? entry - row * _pre : _sparse.Columns[entry];
        return _columns is null ? column : _columns[column];
    }

    private (int First, int Last) Range(int row) =>
        _sparse is null ? (row * _pre, (row + 1) * _pre) : (_sparse.RowStart[row], _sparse.RowStart[row + 1]);

    private double[] Taken(ReadOnlySpan<double> signals)
    {
        double[] taken = new double[_pre];
        for (int k = 0; k < _pre; k++)
            taken[k] = signals[_columns![k]];
        return taken;
    }

    private double SparseDot(int row, ReadOnlySpan<double> pre)
    {
        double sum = 0;
        ReadOnlySpan<int> columns = _sparse!.Columns.AsSpan();
        for (int k = _sparse.RowStart[row]; k < _sparse.RowStart[row + 1]; k++)
            sum += _weights[k] * pre[columns[k]];
        return sum;
    }
}
