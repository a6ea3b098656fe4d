using System.Numerics;

namespace Rflo.Core;

/// <summary>Finds where a run stopped being finite. Called once, after a loss that is not; never in the step loop.</summary>
internal static class Finiteness
{
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

    /// <summary>A diverged status if the last update left a weight that is not finite; null otherwise.</summary>
    public static RunStatus? OfWeights<T>(Network<T> network, int trial, int steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (AreaState<T> area in network.Areas)
            if (!AllFinite(area.Afferents.Weights))
                return new RunStatus(RunEnd.Diverged, trial, steps, $"the weights onto area {area.Spec.Name}");
        foreach (ReadoutState<T> readout in network.Readouts)
            if (!AllFinite(readout.Afferents.Weights))
                return new RunStatus(RunEnd.Diverged, trial, steps, $"the weights onto readout {readout.Spec.Name}");
        return null;
    }

    /// <summary>The squared error, which leaves the range of numbers before the error does.</summary>
    private static double Square<T>(ReadOnlySpan<T> error)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        double sum = 0;
        foreach (T one in error)
            sum += double.CreateTruncating(one) * double.CreateTruncating(one);
        return sum;
    }

    private static bool AllFinite<T>(WeightStore<T> store)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        AllFinite<T>(store.Dense.Span) && Array.TrueForAll(store.Sparse, block => AllFinite<T>(block));

    private static bool AllFinite<T>(ReadOnlySpan<T> numbers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (T number in numbers)
            if (!T.IsFinite(number))
                return false;
        return true;
    }
}
