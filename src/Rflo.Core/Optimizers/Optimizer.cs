using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// How an update follows from a rule's increment: a state for every parameter, which is 0 at first, and a
/// step. An assembly adds an optimizer by deriving from this; records compare by their constants, so projections
/// with the same optimizer are grouped.
/// </summary>
public abstract record Optimizer
{
    /// <summary>dW = eta g; the default, and the optimizer that agreement with other implementations is checked with.</summary>
    public static Optimizer Plain { get; } = new Sgd();

    /// <summary>How many numbers it keeps of every parameter from one update to the next.</summary>
    public virtual int Memory => 0;

    /// <summary>
    /// Its description, with all of its constants, such as "Adam (0.9, 0.999)". Optimizers that differ need different descriptions: it is part
    /// of a run's identity.
    /// </summary>
    public abstract string Description { get; }

    /// <summary>Its constants that are out of range, each with what is allowed.</summary>
    public virtual IEnumerable<OutOfRange> Problems => [];

    /// <summary>Changes some parameters. Must allocate nothing, and treat every parameter alike, wherever it is.</summary>
    /// <param name="update">The increment, the parameters, and the state that is kept of them.</param>
    public abstract void Update<T>(in OptimizerStep<T> update)
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary><see cref="Description"/>, whatever the culture.</summary>
    public sealed override string ToString() => Description;
}

/// <summary>A constant that is not allowed.</summary>
/// <param name="What">Which, such as "the memory of momentum".</param>
/// <param name="Value">What it is.</param>
/// <param name="Allowed">What it may be, such as "in [0, 1)".</param>
public readonly record struct OutOfRange(string What, double Value, string Allowed)
{
    /// <summary>The constant, if it is not in [0, 1).</summary>
    internal static IEnumerable<OutOfRange> UnlessFraction(string what, double value) =>
        value is >= 0 and < 1 ? [] : [new(what, value, "in [0, 1)")];

    /// <summary>The constant, if it is not finite and more than 0.</summary>
    internal static IEnumerable<OutOfRange> UnlessPositive(string what, double value) =>
        value > 0 && double.IsFinite(value) ? [] : [new(what, value, "finite and more than 0")];

    /// <summary>The constant, if it is not finite and at least 0.</summary>
    internal static IEnumerable<OutOfRange> UnlessNotNegative(string what, double value) =>
        value >= 0 && double.IsFinite(value) ? [] : [new(what, value, "finite and at least 0")];
}

/// <summary>One step of an optimizer over parameters that lie side by side. An update of a projection is one of these, or one for each of its rows.</summary>
public readonly ref struct OptimizerStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T[][] _memory;
    private readonly int _at;

    internal OptimizerStep(int number, double learningRate, Span<T> direction, Span<T> parameters, T[][] memory, int at)
    {
        Number = number;
        LearningRate = learningRate;
        Direction = direction;
        Parameters = parameters;
        _memory = memory;
        _at = at;
    }

    /// <summary>Number of the update, from 1.</summary>
    public int Number { get; }

    /// <summary>eta, after the schedule.</summary>
    public double LearningRate { get; }

    /// <summary>
    /// The rule's increment g, after the mean over trials and after clipping, one number a parameter: minus the gradient, for an
    /// exact rule. A copy, which may be overwritten.
    /// </summary>
    public Span<T> Direction { get; }

    /// <summary>The parameters, changed by the step.</summary>
    public Span<T> Parameters { get; }

    /// <summary>The k-th number that is kept of each parameter, 0 before the first update.</summary>
    /// <param name="k">From 0 to <see cref="Optimizer.Memory"/> - 1.</param>
    public Span<T> Memory(int k) => _memory[k].AsSpan(_at, Parameters.Length);
}
