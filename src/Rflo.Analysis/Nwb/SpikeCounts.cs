namespace Rflo.Analysis;

/// <summary>Spikes in bins, and their smoothing over time.</summary>
internal static class SpikeCounts
{
    /// <summary>Bins on both sides of a Gaussian, in standard deviations.</summary>
    private const double Reach = 4;

    /// <summary>Counts spikes in bins that follow each other: bin b has those from its edge b up to, and without, edge b + 1.</summary>
    /// <param name="spikes">Rising times, s.</param>
    /// <param name="time">The event, s.</param>
    /// <param name="first">Edge 0, ms from the event.</param>
    /// <param name="dt">Width of a bin, ms.</param>
    /// <param name="from">The first bin to count; before edge 0 where negative.</param>
    /// <param name="counts">Where the counts go.</param>
    public static void Count(ReadOnlySpan<double> spikes, double time, double first, double dt, int from, Span<double> counts)
    {
        int at = FirstFrom(spikes, Edge(time, first, dt, from));
        for (int bin = 0; bin < counts.Length; bin++)
        {
            double end = Edge(time, first, dt, from + bin + 1);
            int begin = at;
            while (at < spikes.Length && spikes[at] < end)
                at++;
            counts[bin] = at - begin;
        }
    }

    /// <summary>Weights of a Gaussian over bins, which add up to 1; the middle one is its center.</summary>
    /// <param name="milliseconds">Its standard deviation, ms; 0 for one weight.</param>
    /// <param name="dt">Width of a bin, ms.</param>
    /// <exception cref="ArgumentException">It is not finite, below 0, or a million bins and more.</exception>
    public static double[] Gaussian(double milliseconds, double dt)
    {
        double deviation = milliseconds / dt;
        if (!(deviation >= 0) || !(deviation < 1e6))
            throw new ArgumentException(FormattableString.Invariant($"smoothing: a standard deviation of {milliseconds} ms; it must be at least 0 and less than a million steps of {dt} ms."));
        if (deviation == 0)
            return [1];
        int radius = (int)(Reach * deviation + 0.5);
        double[] weights = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(k => Math.Exp(-0.5 * k * k / (deviation * deviation)))];
        double sum = weights.Sum();
        return Array.ConvertAll(weights, weight => weight / sum);
    }

    /// <summary>The weighted sum of counts around each bin, times a scale.</summary>
    /// <param name="counts">As many bins as rates, and on both sides as many more as the kernel reaches.</param>
    /// <param name="kernel">Weights; an odd number of them.</param>
    /// <param name="scale">What turns a count into a rate.</param>
    /// <param name="rates">Where the rates go.</param>
    public static void Smooth(ReadOnlySpan<double> counts, double[] kernel, double scale, Span<double> rates)
    {
        for (int t = 0; t < rates.Length; t++)
        {
            double sum = 0;
            for (int k = 0; k < kernel.Length; k++)
                sum += kernel[k] * counts[t + k];
            rates[t] = scale * sum;
        }
    }

    private static double Edge(double time, double first, double dt, int bin) => time + (first + bin * dt) / 1000;

    /// <summary>The first spike at or after a time.</summary>
    private static int FirstFrom(ReadOnlySpan<double> spikes, double time)
    {
        int low = 0, high = spikes.Length;
        while (low < high)
        {
            int middle = low + (high - low) / 2;
            if (spikes[middle] < time)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
