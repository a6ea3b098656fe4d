namespace Rflo.Core;

/// <summary>
/// What an output costs in a step, beside the readout's nonlinearity: L = 1/T sum over steps and outputs of m(t) times it. An
/// assembly adds a loss by deriving from this; every rule then learns by it, since rules use only its slope.
/// </summary>
public abstract record Loss
{
    /// <summary>
    /// Its description, with all of its constants, such as "Huber loss (1)". Losses that differ need different descriptions: it is part of a
    /// run's identity.
    /// </summary>
    public abstract string Description { get; }

    /// <summary>Its formula, for reports, in the outputs y(t), the targets y*(t) and the mask m(t).</summary>
    public abstract string Formula { get; }

    /// <summary>Its constants that are out of range, each with what is allowed.</summary>
    public virtual IEnumerable<OutOfRange> Problems => [];

    /// <summary>The targets that it has a meaning for, such as "at least 0"; null where any number will do.</summary>
    public virtual string? Targets => null;

    /// <summary>Whether a target is one of these.</summary>
    public virtual bool Allows(double target) => true;

    /// <summary>The nonlinearities of a readout whose outputs it has a meaning for; null where any will do.</summary>
    public virtual IReadOnlyList<OutputKind>? Outputs => null;

    /// <summary>The loss of one output.</summary>
    /// <param name="output">y.</param>
    /// <param name="target">y*.</param>
    public abstract double Value(double output, double target);

    /// <summary>Its slope, d loss / d y.</summary>
    /// <param name="output">y.</param>
    /// <param name="target">y*.</param>
    public abstract double Slope(double output, double target);

    /// <summary><see cref="Description"/>, whatever the culture.</summary>
    public sealed override string ToString() => Description;

    /// <summary>The loss of a readout that names none: the cross-entropy of a sigmoid or a softmax, the Poisson loss of an exponential, else half the squared error.</summary>
    public static Loss Natural(OutputKind kind) => kind switch
    {
        OutputKind.Sigmoid or OutputKind.Softmax => new CrossEntropy(),
        OutputKind.Exponential => new PoissonLoss(),
        _ => new SquaredError(),
    };
}
