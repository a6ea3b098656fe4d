using System.Numerics;

namespace Rflo.Core;

/// <summary>What is known of UORO's factor before there is any.</summary>
internal static class WeightFactor
{
    /// <summary>
    /// Whether B is better kept as products over the steps of a trial than as a matrix: half a trial's rows of factors, which a
    /// step goes through on average, are less than the two matrices that it would go through otherwise, one of them twice and
    /// both to write them. What the product at the end takes for each step is done in registers: it is a third of that.
    /// </summary>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="rows">Numbers in the rows of post and pre of all areas that learn.</param>
    /// <param name="weights">How many weights learn.</param>
    public static bool ProductsPay(double maxSteps, double rows, double weights) => maxSteps * rows <= 4 * weights;
}

/// <summary>
/// B, UORO's factor over the weights that learn: in every step B = keep B + add q(t) pre(t)', where q is the random mix of
/// the postsynaptic factors, for each area, and the two numbers are the same for all. What a trial asks for is the sum of
/// told(t) B(t).
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

    /// <summary>B of the step that was taken, and its part of what is asked for.</summary>
    public abstract void Advance(int step, double keep, double add, double told);

    /// <summary>After the last step: hands on what the trial asks for.</summary>
    public abstract void End(int steps);

    /// <summary>q(t) of an area: the random numbers of its states times the postsynaptic factors.</summary>
    protected static void Mix(AreaState<T> area, int step, AlignedArray<T>[] mixing, Span<T> mixed) => area.ToCurrents(step, mixing[area.Index].Span, mixed);
}
