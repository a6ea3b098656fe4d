using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// Finds where a run diverged: where a number stopped being finite, the loss is more than <see cref="MostGrowth"/> times that
/// of outputs that are all 0, or a weight more than that many times the largest at the start; or than 1, where those are less.
/// Called between trials, never in the step loop.
/// </summary>
internal static class Finiteness
{
    /// <summary>
    /// Larger numbers are no result: in double precision the initial values are below their rounding error.
    /// </summary>
    public const double MostGrowth = 1e15;

    /// <summary>A diverged status if the trial that was trained last diverged; null otherwise.</summary>
    public static RunStatus? OfTrial<T>(Network<T> network, Metrics metrics, int trial, int steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        double loss = metrics.Losses[trial];
        if ((!double.IsFinite(loss) && !metrics.LastIsUnscored) || !EndsFinite(network, steps))
            return Locate(network, trial, steps);
        if (loss <= MostGrowth)
            return null;
        double most = MostGrowth * Math.Max(1, OfSilence(network.Trial));
        for (int t = 1; loss > most && t <= steps; t++)
            if (network.StepLoss(t) > most)
                return new RunStatus(RunEnd.Diverged, trial, t, FormattableString.Invariant($"readout {Farthest(network, t)}, with a loss of {loss:g4}"));
        return null;
    }

    /// <summary>The loss of linear outputs that are all 0.</summary>
    private static double OfSilence(Trial trial)
    {
        double sum = 0;
        for (int k = 0; k < trial.Steps * trial.Outputs; k++)
            if (trial.Mask[k] != 0)
                sum += 0.5 * trial.Mask[k] * trial.Targets[k] * trial.Targets[k];
        return sum / trial.Steps;
    }

    /// <summary>The readout with the largest error in a step.</summary>
    private static string Farthest<T>(Network<T> network, int step)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        network.Readouts.MaxBy(readout => Square<T>(readout.Error(step)[..readout.Outputs]))!.Spec.Name;

    /// <summary>Whether all rates of the last step are finite. One that is not stays so until the end of its trial.</summary>
    private static bool EndsFinite<T>(Network<T> network, int steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (AreaState<T> area in network.Areas)
            if (!T.IsFinite(TensorPrimitives.MaxMagnitude<T>(area.Rates(steps)[..area.Units])))
                return false;
        return true;
    }

    /// <summary>The first step, and in it the first part, with a number that is not finite.</summary>
    public static RunStatus Locate<T>(Network<T> network, int trial, int steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int t = 1; t <= steps; t++)
        {
            foreach (AreaState<T> area in network.Areas)
                if (!AllFinite<T>(area.Rates(t)[..area.Units]))
                    return new RunStatus(RunEnd.Diverged, trial, t, $"area {area.Spec.Name}");
            foreach (ReadoutState<T> readout in network.Readouts)
                if (!AllFinite<T>(readout.Output(t)[..readout.Outputs]) || !double.IsFinite(Square<T>(readout.Error(t)[..readout.Outputs])))
                    return new RunStatus(RunEnd.Diverged, trial, t, $"readout {readout.Spec.Name}");
        }

        return new RunStatus(RunEnd.Diverged, trial, steps, "the sum of the losses");
    }

    /// <summary>A diverged status if the last update left a weight that is not finite or grew beyond all bounds; null otherwise.</summary>
    public static RunStatus? OfWeights<T>(Network<T> network, int trial, int steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        double first = 0;
        foreach (ProjectionSpec projection in network.Graph.Projections)
            first = Math.Max(first, Largest<double>(projection.Synapses.Weights));
        IEnumerable<(string Name, WeightStore<T> Weights)> targets =
        [
            .. network.Areas.Select(area => ($"area {area.Spec.Name}", area.Afferents.Weights)),
            .. network.Readouts.Select(readout => ($"readout {readout.Spec.Name}", readout.Afferents.Weights)),
        ];
        foreach ((string name, WeightStore<T> weights) in targets)
        {
            double largest = Largest<T>(weights.Dense.Span);
            foreach (T[] block in weights.Sparse)
                largest = Math.Max(largest, Largest<T>(block));
            if (!double.IsFinite(largest))
                return new RunStatus(RunEnd.Diverged, trial, steps, $"the weights onto {name}");
            if (largest > MostGrowth * Math.Max(1, first))
                return new RunStatus(RunEnd.Diverged, trial, steps, FormattableString.Invariant($"the weights onto {name}, of which one is {largest:g4}"));
        }

        foreach (AreaState<T> area in network.Areas)
            if (!double.IsFinite(Largest<double>(area.Start)))
                return new RunStatus(RunEnd.Diverged, trial, steps, $"the initial states of area {area.Spec.Name}");
        return null;
    }

    /// <summary>The largest magnitude; NaN if any number is NaN.</summary>
    private static double Largest<T>(ReadOnlySpan<T> numbers)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        numbers.IsEmpty ? 0 : double.CreateTruncating(TensorPrimitives.MaxMagnitude(numbers) is var largest && T.IsNegative(largest) ? -largest : largest);

    /// <summary>The squared error, which overflows before the error does.</summary>
    private static double Square<T>(ReadOnlySpan<T> error)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        double sum = 0;
        foreach (T one in error)
            sum += double.CreateTruncating(one) * double.CreateTruncating(one);
        return sum;
    }

    private static bool AllFinite<T>(ReadOnlySpan<T> numbers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (T number in numbers)
            if (!T.IsFinite(number))
                return false;
        return true;
    }
}
