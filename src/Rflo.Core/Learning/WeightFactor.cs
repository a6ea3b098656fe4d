using System.Numerics;

namespace Rflo.Core;

/// <summary>The choice between the two forms of UORO's factor, from sizes alone.</summary>
internal static class WeightFactor
{
    /// <summary>
    /// Whether products over the steps of a trial take less time than a matrix. With products a step reads half a trial's rows of
    /// factors on average. With a matrix it reads and writes two matrices, one of them twice. The product at the end of the trial
    /// runs in registers and costs a third of the former for each step.
    /// </summary>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="rows">Numbers in the rows of post and pre of all areas that learn.</param>
    /// <param name="weights">How many weights learn.</param>
    public static bool ProductsPay(double maxSteps, double rows, double weights) => maxSteps * rows <= 4 * weights;
}

/// <summary>
/// B, UORO's factor over the weights that learn: in every step B = keep B + add q(t) pre(t)', where q is the random mix of
/// the postsynaptic factors, for each area, and the two numbers are the same for all. The increment of a trial is the sum
/// of signal(t) B(t).
/// </summary>
internal abstract class WeightFactor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>|B| before the step that was taken, over all areas.</summary>
    public abstract double Norm { get; }

    /// <summary>The norm of q(t) pre(t)' of the step that was taken, over all areas.</summary>
    public abstract double NormOfImmediate { get; }

    /// <summary>Before the first step of a trial: B = 0.</summary>
    public abstract void Begin(int steps);

    /// <summary>After the forward step: takes its factors. Steps come in order.</summary>
    /// <param name="step">t.</param>
    /// <param name="mixing">The random numbers of all areas' units.</param>
    public abstract void Take(int step, AlignedArray<T>[] mixing);

    /// <summary>B of the step that was taken, and its part of the increment.</summary>
    public abstract void Advance(int step, double keep, double add, double signal);

    /// <summary>After the last step: adds the increment of the trial to the weights' updates.</summary>
    public abstract void End(int steps);

    /// <summary>q(t) of an area: the random numbers of its states times the postsynaptic factors.</summary>
    protected static void Mix(AreaState<T> area, int step, AlignedArray<T>[] mixing, Span<T> mixed) => area.ToCurrents(step, mixing[area.Index].Span, mixed);
}
