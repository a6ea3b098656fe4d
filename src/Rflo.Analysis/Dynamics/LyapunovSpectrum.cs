using System.Numerics.Tensors;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>
/// Lyapunov exponents of a circuit: the rates at which neighboring states diverge or converge, along directions that are
/// orthogonalized after every step (Benettin et al. 1980), by exact Jacobians.
/// </summary>
public sealed record LyapunovSpectrum
{
    private const int Parts = 10;

    /// <summary>The exponents per step, in falling order up to their error; minus infinity where a step maps a direction to 0.</summary>
    public required double[] PerStep { get; init; }

    /// <summary>Standard error of each, from ten parts of the trajectory.</summary>
    public required double[] Errors { get; init; }

    /// <summary>Duration of a step in ms.</summary>
    public required double Dt { get; init; }

    /// <summary>Steps over which they are means.</summary>
    public required int Steps { get; init; }

    /// <summary>The state at the end of the trajectory.</summary>
    public required double[] LastState { get; init; }

    /// <summary>The exponents per second.</summary>
    public double[] PerSecond => Array.ConvertAll(PerStep, exponent => 1000 * exponent / Dt);

    /// <summary>Kaplan and Yorke's dimension of the attractor: NaN where more exponents are needed than were found.</summary>
    public double Dimension
    {
        get
        {
            double sum = 0;
            for (int k = 0; k < PerStep.Length; k++)
            {
                if (sum + PerStep[k] < 0)
                    return k + sum / Math.Abs(PerStep[k]);
                sum += PerStep[k];
            }

            return double.NaN;
        }
    }

    /// <summary>The largest exponents along the trajectory from a state.</summary>
    /// <param name="map">The circuit at constant inputs.</param>
    /// <param name="start">z(0).</param>
    /// <param name="exponents">How many, from 1 to the numbers of a state.</param>
    /// <param name="steps">Steps to take the mean over, at least 10.</param>
    /// <param name="discarded">Steps before them, in which state and directions settle.</param>
    /// <param name="seed">Seed of the directions at the start.</param>
    /// <exception cref="ArgumentException">A number is out of range, or the circuit does not stay finite.</exception>
    public static LyapunovSpectrum Of(CircuitMap map, double[] start, int exponents, int steps, int discarded = 0, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(start);
        if (exponents < 1 || exponents > map.Size)
            throw new ArgumentException($"exponents: {exponents} were requested; a state of this circuit has {map.Size} numbers, so it has as many.");
        if (steps < Parts || discarded < 0)
            throw new ArgumentException($"steps: {steps} after {discarded} discarded; at least {Parts} are needed, after at least 0.");
        var stream = new RandomStream(seed, "directions");
        double[][] directions = new double[exponents][];
        for (int k = 0; k < exponents; k++)
            directions[k] = new double[map.Size];
        foreach (double[] direction in directions)
            stream.FillGaussian<double>(direction, 1);
        Orthonormalize(directions, new double[exponents], stream);
        double[] state = start;
        for (int t = 0; t < discarded; t++)
            state = Advance(map, state, directions, new double[exponents], stream, t);
        double[][] parts = new double[Parts][];
        for (int part = 0, t = 0; part < Parts; part++)
        {
            parts[part] = new double[exponents];
            int from = t;
            for (; t < (int)((long)steps * (part + 1) / Parts); t++)
                state = Advance(map, state, directions, parts[part], stream, discarded + t);
            TensorPrimitives.Divide(parts[part], t - from, parts[part]);
        }

        return Of(map, state, parts, steps);
    }

    private static LyapunovSpectrum Of(CircuitMap map, double[] state, double[][] parts, int steps)
    {
        int exponents = parts[0].Length;
        double[] means = new double[exponents], errors = new double[exponents];
        for (int k = 0; k < exponents; k++)
        {
            // The lengths of parts differ by one step at most.
            for (int part = 0; part < Parts; part++)
                means[k] += parts[part][k] * ((long)steps * (part + 1) / Parts - (long)steps * part / Parts) / steps;
            errors[k] = Math.Sqrt(parts.Sum(part => (part[k] - means[k]) * (part[k] - means[k])) / (Parts * (Parts - 1)));
        }

        return new LyapunovSpectrum { PerStep = means, Errors = errors, Dt = map.Options.Dt, Steps = steps, LastState = state };
    }

    private static double[] Advance(CircuitMap map, double[] state, double[][] directions, double[] logs, RandomStream stream, int step)
    {
        Linearization at = map.At(state);
        if (!double.IsFinite(TensorPrimitives.Sum<double>(at.Next)))
            throw new ArgumentException($"The circuit does not stay finite: step {step + 1} of the trajectory is not.");
        for (int k = 0; k < directions.Length; k++)
        {
            double[] next = new double[state.Length];
            at.Multiply(directions[k], next);
            directions[k] = next;
        }

        Orthonormalize(directions, logs, stream);
        return at.Next;
    }

    /// <summary>Q of the directions, by Gram and Schmidt twice over; adds the logarithms of R's diagonal.</summary>
    private static void Orthonormalize(double[][] directions, double[] logs, RandomStream stream)
    {
        for (int k = 0; k < directions.Length; k++)
        {
            double before = TensorPrimitives.Norm<double>(directions[k]);
            double length = TakeOut(directions, k);
            if (length <= 1e-14 * before || length == 0)
            {
                // The step has mapped this direction to 0: any other direction replaces it.
                logs[k] = double.NegativeInfinity;
                stream.FillGaussian<double>(directions[k], 1);
                length = TakeOut(directions, k);
            }
            else
            {
                logs[k] += Math.Log(length);
            }

            TensorPrimitives.Divide(directions[k], length, directions[k]);
        }
    }

    /// <summary>Subtracts from a direction its parts along those before it. Returns its length.</summary>
    private static double TakeOut(double[][] directions, int index)
    {
        double[] one = directions[index];
        for (int pass = 0; pass < 2; pass++)
            for (int k = 0; k < index; k++)
                TensorPrimitives.MultiplyAdd(directions[k], -TensorPrimitives.Dot<double>(directions[k], one), one, one);
        return TensorPrimitives.Norm<double>(one);
    }
}
