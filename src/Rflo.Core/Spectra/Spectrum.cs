namespace Rflo.Core;

/// <summary>The largest magnitude of an eigenvalue of square weights: how fast activity grows or fades in a linear network.</summary>
public static class Spectrum
{
    /// <summary>The units that lie on a path which leads back to where it began, or between such paths; no others contribute to it.</summary>
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
    /// <remarks>Of few units from all eigenvalues, O(n^3); of many from products with vectors, see <see cref="Arnoldi"/>.</remarks>
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
        var matrix = new SquareMatrix(core.Length, entries
            .Where(entry => place[entry.Post] >= 0 && place[entry.Pre] >= 0)
            .Select(entry => (place[entry.Post], place[entry.Pre], entry.Weight)));
        double radius = SpectralRadius.Of(matrix);

        // An iteration that does not settle is rare, and all eigenvalues always do.
        return double.IsNaN(radius) ? SpectralRadius.Dense(matrix.ToDense()) : radius;
    }

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
}
