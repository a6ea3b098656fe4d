namespace Rflo.Core;

/// <summary>What an area's rates are before the first step of a trial.</summary>
public enum InitialPolicy
{
    /// <summary>Every trial begins with the same rates.</summary>
    Reset,

    /// <summary>A trial begins with the last rates of the one before it; the first trial begins with the given rates.</summary>
    CarriedOver,

    /// <summary>Every trial begins with the given rates plus a random draw of its own.</summary>
    Random,
}

/// <summary>How the units of an area become rates.</summary>
public enum Dynamics
{
    /// <summary>Leaky rate units: h(t) = (1 - alpha) h(t-1) + alpha phi(u(t)).</summary>
    Leaky,

    /// <summary>
    /// Winner-take-all: h is 1 for the unit with the largest current and 0 for the others, decided only in steps
    /// where a gate of an incoming projection is open, and held in between.
    /// </summary>
    WinnerTakeAll,

    /// <summary>
    /// Current form: x(t) = (1 - alpha) x(t-1) + alpha u(t), and the rate is h(t) = phi(x(t)), so that currents are filtered and not
    /// rates. With one alpha for all units it is <see cref="Leaky"/> in other coordinates.
    /// </summary>
    CurrentForm,
}

/// <summary>One area: a group of rate units that share a transfer function.</summary>
public sealed record AreaSpec
{
    /// <summary>Its name in the model; used in statuses and as the key of its random streams.</summary>
    public required string Name { get; init; }

    /// <summary>Number of units n, at least 1.</summary>
    public required int Units { get; init; }

    /// <summary>dt / tau of every unit, shape (n), each in (0, 1]; both times in ms.</summary>
    public required double[] Alpha { get; init; }

    /// <summary>
    /// How the time constants of the units learn; null where they do not. The parameter is ln tau: d ln tau = -eta dL/d ln tau,
    /// exact under BPTT and RTRL, with the rule's own trace under a local rule that receives an error. tau stays at or above dt.
    /// </summary>
    public Plasticity? TauPlasticity { get; init; }

    /// <summary>
    /// How the states learn that a trial begins with; null where they do not. The parameter of a unit is the first of its state variables
    /// before step 1: h(0), or x(0) of the current form. Exact under BPTT and RTRL, and under truncated BPTT where a window reaches step 1;
    /// with the rule's own trace under a local rule that receives an error.
    /// </summary>
    public Plasticity? InitialPlasticity { get; init; }

    /// <summary>The transfer function phi.</summary>
    public Transfer Transfer { get; init; } = Transfer.Tanh;

    /// <summary>How currents become rates.</summary>
    public Dynamics Dynamics { get; init; } = Dynamics.Leaky;

    /// <summary>
    /// A unit model that takes the place of <see cref="Dynamics"/> and <see cref="Transfer"/>; null for none. Rates are the signals that its units
    /// send, and <see cref="InitialRates"/> is where its first state variable begins.
    /// </summary>
    public UnitModel? Model { get; init; }

    /// <summary>Whether recordings have the states of its units (<see cref="Recording.States"/>); only where they have any beside their rates.</summary>
    public bool RecordsStates { get; init; }

    /// <summary>The names of the state variables that units have beside their rates: x of the current form, those of a unit model; none of others.</summary>
    public IReadOnlyList<string> StateNames => Model?.States ?? (Dynamics == Dynamics.CurrentForm ? ["x"] : []);

    /// <summary>d, the state variables of a unit.</summary>
    internal int StateCount => Model?.States.Count ?? 1;

    /// <summary>Standard deviation sigma of the noise added to every unit's current in every step; 0 for none.</summary>
    public double Noise { get; init; }

    /// <summary>
    /// The noise that counts as 1 for rules that learn from it (<see cref="PostSignal.Noise"/>); 0 for <see cref="Noise"/> itself. With
    /// steps of dt in ms and noise sigma / sqrt(dt) it is sigma, so that what such a rule learns does not depend on dt.
    /// </summary>
    public double NoiseUnit { get; init; }

    /// <summary>Costs of its rates, beside the losses of the readouts.</summary>
    public IReadOnlyList<RatePenalty> Penalties { get; init; } = [];

    /// <summary>Where a trial's rates begin.</summary>
    public InitialPolicy InitialPolicy { get; init; } = InitialPolicy.Reset;

    /// <summary>h(0), of the current form x(0); shape (n).</summary>
    public required double[] InitialRates { get; init; }

    /// <summary>Standard deviation of the draw that <see cref="InitialPolicy.Random"/> adds to it.</summary>
    public double InitialSpread { get; init; }

    /// <summary>
    /// Probability that a winner-take-all area takes a random unit instead of the one with the largest current.
    /// </summary>
    public double Explore { get; init; }
}

/// <summary>What a readout's sum becomes.</summary>
public enum OutputKind
{
    /// <summary>y is the sum itself (Murray 2019, Eq 1).</summary>
    Linear,

    /// <summary>y = 1 / (1 + exp(-sum)), each output for itself.</summary>
    Sigmoid,

    /// <summary>y = exp(sum) / total over the outputs.</summary>
    Softmax,

    /// <summary>y = exp(sum): a rate, to be compared with counts.</summary>
    Exponential,

    /// <summary>y = log(1 + exp(sum)): a rate that grows as its sum does.</summary>
    Softplus,
}

/// <summary>One readout: outputs that are compared with the task's targets.</summary>
public sealed record ReadoutSpec
{
    /// <summary>Its name in the model.</summary>
    public required string Name { get; init; }

    /// <summary>Number of outputs, at least 1.</summary>
    public required int Outputs { get; init; }

    /// <summary>The nonlinearity.</summary>
    public OutputKind Kind { get; init; } = OutputKind.Linear;

    /// <summary>
    /// The loss of outputs and targets; null for the loss that belongs to the nonlinearity (<see cref="Rflo.Core.Loss.Natural"/>):
    /// half the squared error, the cross-entropy of a sigmoid or a softmax, the Poisson loss of an exponential.
    /// </summary>
    public Loss? Loss { get; init; }

    /// <summary><see cref="Loss"/>, or the nonlinearity's natural loss where that is null.</summary>
    public Loss LossOrNatural => Loss ?? Rflo.Core.Loss.Natural(Kind);
}
