using System.Numerics.Tensors;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>Fixed and slow points of a circuit: minima of q = 1/2 |F(z) - z|^2 (Sussillo and Barak 2013).</summary>
public static class FixedPoints
{
    /// <summary>Descends from each start by Levenberg and Marquardt's steps and merges the points that are reached.</summary>
    /// <param name="map">The circuit at constant inputs.</param>
    /// <param name="starts">States to start from, such as those that trials visit.</param>
    /// <param name="options">Tolerances; <see cref="FixedPointOptions.Standard"/> where null.</param>
    /// <returns>Fixed points before slow ones, those to which most starts led first.</returns>
    /// <exception cref="ArgumentException">There is no start, one has another length, or a number in one is not finite.</exception>
    public static IReadOnlyList<FixedPoint> Find(CircuitMap map, IEnumerable<double[]> starts, FixedPointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(starts);
        options ??= FixedPointOptions.Standard;
        double[][] from = [.. starts];
        Check(map, from);
        var stream = new RandomStream(options.Seed, "fixed points");
        var found = new List<(double[] State, double Speed, int Starts)>();
        foreach (double[] start in from)
        {
            double[] displaced = Array.ConvertAll(start, x => options.Jitter > 0 ? x + options.Jitter * stream.Gaussian() : x);
            (double[] state, double speed) = new Descent(map, displaced).Run(options.Iterations);
            if (speed <= Math.Max(options.SlowBelow, options.FixedBelow))
                Merge(found, state, speed, options.MergeWithin);
        }

        return [.. found.OrderBy(point => point.Speed > options.FixedBelow).ThenByDescending(point => point.Starts).Select(point => Described(map, point, options))];
    }

    private static void Check(CircuitMap map, double[][] starts)
    {
        if (starts.Length == 0)
            throw new ArgumentException("starts: there is none. Give states that the circuit visits, such as those of a trajectory.");
        for (int k = 0; k < starts.Length; k++)
        {
            if (starts[k].Length != map.Size)
                throw new ArgumentException($"starts: state {k} has {starts[k].Length} numbers; a state of this circuit has {map.Size}.");
            if (!Array.TrueForAll(starts[k], double.IsFinite))
                throw new ArgumentException($"starts: state {k} has a number that is not finite.");
        }
    }

    /// <summary>Of two points within the tolerance the slower one stays.</summary>
    private static void Merge(List<(double[] State, double Speed, int Starts)> found, double[] state, double speed, double within)
    {
        int same = found.FindIndex(point => TensorPrimitives.Distance<double>(point.State, state) <= within);
        if (same < 0)
            found.Add((state, speed, 1));
        else if (speed < found[same].Speed)
            found[same] = (state, speed, found[same].Starts + 1);
        else
            found[same] = found[same] with { Starts = found[same].Starts + 1 };
    }

    private static Mode[] ModesOf(CircuitMap map, Linearization at, FixedPointOptions options)
    {
        bool isDense = map.Size <= Modes.LargestDense;
        if (isDense && map.Size <= options.AllModesUpTo)
            return Modes.Of(at, map.Size, map.Options.Dt);
        int count = Math.Min(options.Modes, map.Size);
        try
        {
            return Modes.Leading(at, count, map.Options.Dt);
        }
        catch (InvalidOperationException) when (isDense)
        {
            // Where very many eigenvalues have one magnitude, the iteration does not settle.
            return Modes.Of(at, count, map.Options.Dt);
        }
    }

    private static FixedPoint Described(CircuitMap map, (double[] State, double Speed, int Starts) point, FixedPointOptions options)
    {
        Mode[] modes = ModesOf(map, map.At(point.State), options);
        return new FixedPoint
        {
            State = point.State,
            Speed = point.Speed,
            IsFixed = point.Speed <= options.FixedBelow,
            Modes = modes,
            UnstableDirections = modes.Count(mode => mode.Value.Magnitude > 1 + options.Marginal),
            Starts = point.Starts,
        };
    }
}
