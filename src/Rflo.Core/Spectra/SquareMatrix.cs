using System.Numerics;
using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Core;

/// <summary>The weights of an area onto itself, row after row, without those that are 0.</summary>
internal sealed class SquareMatrix
{
    private readonly int[] _start;
    private readonly int[] _columns;
    private readonly double[] _values;

    /// <param name="size">Rows and columns.</param>
    /// <param name="entries">The sum of the entries at a place is its element.</param>
    public SquareMatrix(int size, IEnumerable<(int Row, int Column, double Value)> entries)
    {
        Size = size;
        _start = new int[size + 1];
        (int Row, int Column, double Value)[] sorted = [.. entries.Where(entry => entry.Value != 0).OrderBy(entry => entry.Row)];
        _columns = Array.ConvertAll(sorted, entry => entry.Column);
        _values = Array.ConvertAll(sorted, entry => entry.Value);
        foreach ((int row, _, _) in sorted)
            _start[row + 1]++;
        for (int row = 0; row < size; row++)
            _start[row + 1] += _start[row];
    }

    public int Size { get; }

    public bool IsFinite => Array.TrueForAll(_values, double.IsFinite);

    /// <summary>All projections of an area onto itself, whatever their delays.</summary>
    public static SquareMatrix OfArea<T>(AreaState<T> area)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        new(area.Units, area.Afferents.Segments
            .Where(segment => segment.Source.Kind == SignalKind.Area && segment.Source.Index == area.Index)
            .SelectMany(segment => Entries(area.Afferents, segment)));

    /// <summary>product = matrix * vector.</summary>
    public void Multiply(ReadOnlySpan<double> vector, Span<double> product)
    {
        for (int row = 0; row < Size; row++)
        {
            double sum = 0;
            for (int k = _start[row]; k < _start[row + 1]; k++)
                sum += _values[k] * vector[_columns[k]];
            product[row] = sum;
        }
    }

    public Matrix<double> ToDense()
    {
        Matrix<double> dense = Matrix<double>.Build.Dense(Size, Size);
        for (int row = 0; row < Size; row++)
            for (int k = _start[row]; k < _start[row + 1]; k++)
                dense[row, _columns[k]] += _values[k];
        return dense;
    }

    private static IEnumerable<(int Row, int Column, double Value)> Entries<T>(Afferents<T> afferents, Segment segment)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int row = 0; row < afferents.Rows; row++)
        {
            if (segment.Sparse is { } pattern)
            {
                for (int k = pattern.Start[row]; k < pattern.Start[row + 1]; k++)
                    yield return (row, segment.SourceUnit(pattern.Column[k]), double.CreateTruncating(afferents.Weights.Sparse[afferents.Place(segment)][k]));
                continue;
            }

            for (int column = 0; column < segment.Width; column++)
                yield return (row, segment.SourceUnit(column), double.CreateTruncating(afferents.Weights.Dense.Row(row, afferents.DenseStride)[segment.Offset + column]));
        }
    }
}
