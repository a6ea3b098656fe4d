using System.Numerics.Tensors;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>Chooses few starts of a search for fixed points from the many states that trajectories visit.</summary>
public static class FixedPointStarts
{
    /// <summary>The part of the states' root mean square distance from their mean that slow starts keep from each other.</summary>
    private const double Apart = 0.1;

    /// <summary>
    /// Half of the starts are the slowest states that lie apart; the others are drawn one by one, each with a chance that is proportional to its squared
    /// distance from the nearest start before it (k-means++, Arthur and Vassilvitskii 2007).
    /// </summary>
    /// <param name="map">The circuit at constant inputs, which define how slow a state is.</param>
    /// <param name="states">States of trajectories, each of shape (n).</param>
    /// <param name="count">Most starts, at least 1.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <returns>The slow ones first, the slowest before all others. Fewer than the count where fewer states differ; those that are not finite are left out.</returns>
    /// <exception cref="ArgumentException">The count is below 1, or a state has another length.</exception>
    public static double[][] Choose(CircuitMap map, IEnumerable<double[]> states, int count, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(states);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        double[][] all = [.. states.Where(state => Array.TrueForAll(state, double.IsFinite))];
        var chosen = new List<double[]>();
        double[] distances = new double[all.Length];
        Array.Fill(distances, double.PositiveInfinity);

        void Take(int k)
        {
            chosen.Add(all[k]);
            for (int j = 0; j < all.Length; j++)
                distances[j] = Math.Min(distances[j], TensorPrimitives.Distance<double>(all[j], all[k]));
        }

        double apart = Apart * Spread(all);
        double[] speeds = Array.ConvertAll(all, map.Speed);
        foreach (int k in Enumerable.Range(0, all.Length).OrderBy(k => speeds[k]))
        {
            if (chosen.Count >= (count + 1) / 2)
                break;
            if (distances[k] > apart)
                Take(k);
        }

        var stream = new RandomStream(seed, "starts of fixed points");
        while (chosen.Count < count)
        {
            double total = distances.Sum(distance => distance * distance);
            if (!(total > 0))
                break;
            double left = stream.Uniform(0, 1) * total;
            int k = 0;
            while (k < all.Length - 1 && (left -= distances[k] * distances[k]) >= 0)
                k++;
            if (distances[k] > 0)
                Take(k);
        }

        return [.. chosen];
    }

    /// <summary>The root mean square distance of states from their mean.</summary>
    private static double Spread(double[][] states)
    {
        if (states.Length == 0)
            return 0;
        double[] mean = new double[states[0].Length];
        foreach (double[] state in states)
            TensorPrimitives.MultiplyAdd(state, 1.0 / states.Length, mean, mean);
        return Math.Sqrt(states.Average(state => Math.Pow(TensorPrimitives.Distance<double>(state, mean), 2)));
    }
}
