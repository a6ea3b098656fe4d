using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace Rflo.Core;

/// <summary>The largest magnitude of an eigenvalue of square weights: how fast activity grows or fades in a linear network.</summary>
public static class Spectrum
{
    /// <summary>Up to so many units, all eigenvalues are computed.</summary>
    private const int FewUnits = 128;

    /// <summary>After so many squarings, what is left of a matrix is the space of its largest eigenvalues.</summary>
    private const int Squarings = 10;

    /// <summary>Dimensions of that space that are looked at.</summary>
    private const int Largest = 96;

    /// <summary>What the powers have left of the first direction that is not looked at, against the largest.</summary>
    private const double Left = 1e-9;

    /// <summary>The units that lie on a path which leads back to where it began, or between such paths; no others have a part in it.</summary>
    /// <param name="size">Number of units n.</param>
    /// <param name="connections">Which connections exist, as (post, pre).</param>
    public static int[] Core(int size, IEnumerable<(int Post, int Pre)> connections)
    {
        ArgumentNullException.ThrowIfNull(connections);
        (int Post, int Pre)[] left = [.. connections];
        while (true)
        {
            bool[] sends = new bool[size], receives = new bool[size];
            foreach ((int post, int pre) in left)
                sends[pre] = receives[post] = true;
            (int Post, int Pre)[] kept = Array.FindAll(left, pair => receives[pair.Pre] && sends[pair.Post]);
            if (kept.Length == left.Length)
                return [.. Enumerable.Range(0, size).Where(unit => sends[unit] && receives[unit])];
            left = kept;
        }
    }

    /// <summary>The spectral radius of weights from n units to themselves.</summary>
    /// <param name="synapses">Weights, shape (n, n).</param>
    /// <param name="size">n.</param>
    /// <returns>At least 0; 0 where no path leads back to where it began.</returns>
    /// <remarks>
    /// Up to 128 units, from all eigenvalues. Beyond, the matrix is squared ten times, which leaves the space of its largest
    /// eigenvalues, and these are computed within that space; where too many are equally large for that, from all again.
    /// O(n^3).
    /// </remarks>
    public static double Radius(Synapses synapses, int size)
    {
        (int Post, int Pre, double Weight)[] entries = [.. Entries(synapses, size)];
        int[] core = Core(size, entries.Select(entry => (entry.Post, entry.Pre)));
        if (core.Length == 0)
            return 0;
        int[] place = new int[size];
        Array.Fill(place, -1);
        for (int k = 0; k < core.Length; k++)
            place[core[k]] = k;
        var matrix = Matrix<double>.Build.Dense(core.Length, core.Length);
        foreach ((int post, int pre, double weight) in entries)
            if (place[post] >= 0 && place[pre] >= 0)
                matrix[place[post], place[pre]] = weight;
        return OfEigenvalues(core.Length <= FewUnits ? matrix : WithinLargest(matrix) ?? matrix);
    }

    private static double OfEigenvalues(Matrix<double> matrix) => matrix.Evd().EigenValues.Max(value => value.Magnitude);

    private static IEnumerable<(int Post, int Pre, double Weight)> Entries(Synapses synapses, int size)
    {
        if (synapses is SparseSynapses sparse)
        {
            for (int i = 0; i < size; i++)
                for (int k = sparse.RowStart[i]; k < sparse.RowStart[i + 1]; k++)
                    yield return (i, sparse.Columns[k], sparse.Weights[k]);
            yield break;
        }

        var dense = (DenseSynapses)synapses;
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++)
                if (dense.Exists is null || dense.Exists[i * size + j])
                    yield return (i, j, dense.Weights[i * size + j]);
    }

    /// <summary>
    /// The matrix within the space of its largest eigenvalues, Q' A Q with Q an orthonormal basis of A^1024 times random
    /// columns; null where that space is larger than is looked at.
    /// </summary>
    private static Matrix<double>? WithinLargest(Matrix<double> matrix)
    {
        int size = matrix.RowCount;
        int stride = Simd.Padded<double>(size);
        var power = new AlignedArray<double>(size * stride);
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++)
                power.Row(i, stride)[j] = matrix[i, j];
        for (int k = 0; k < Squarings; k++)
            power = Square(power, size, stride);

        var stream = new RandomStream(0, "spectral radius");
        var random = Matrix<double>.Build.Dense(size, Largest, (_, _) => stream.Gaussian());
        var columns = (Matrix<double>.Build.Dense(size, size, (i, j) => power.Row(i, stride)[j]) * random).QR(QRMethod.Thin);
        if (!(Math.Abs(columns.R[Largest - 1, Largest - 1]) < Left * Math.Abs(columns.R[0, 0])))
            return null;
        var basis = columns.Q;
        return basis.TransposeThisAndMultiply(matrix * basis);
    }

    /// <summary>The square, over its largest entry.</summary>
    private static AlignedArray<double> Square(AlignedArray<double> matrix, int size, int stride)
    {
        var transposed = new AlignedArray<double>(size * stride);
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++)
                transposed.Row(j, stride)[i] = matrix.Row(i, stride)[j];
        var square = new AlignedArray<double>(size * stride);
        Kernels.AccumulateOuter<double>(transposed.Span, stride, matrix.Span, stride, size, 1, square.Span, stride, size, stride);
        double largest = System.Numerics.Tensors.TensorPrimitives.MaxMagnitude<double>(square.Span);
        System.Numerics.Tensors.TensorPrimitives.Divide(square.Span, Math.Abs(largest), square.Span);
        return square;
    }
}
