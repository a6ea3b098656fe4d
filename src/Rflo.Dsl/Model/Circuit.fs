namespace Rflo.Dsl

open Rflo.Core

/// The transfer function phi of an area: Tanh (default), Relu, Sigmoid, Softplus, Identity, RectifiedTanh.
type Transfer = Rflo.Core.Transfer

/// The nonlinearity of a readout: Linear (its own loss is the squared error), Sigmoid or Softmax (cross-entropy), Exponential
/// (Poisson), Softplus (squared error).
type Output = OutputKind

/// Where the rates of a trial begin.
type Initial =
    /// Every trial begins with this rate in every unit.
    | Reset of rate: float
    /// Every trial begins with these rates, one a unit.
    | ResetTo of rates: float[]
    /// Every trial begins with the rates at the end of the trial before; the first begins with this rate in every unit.
    | CarriedOver of first: float
    /// Every trial begins with rates drawn anew from the normal distribution.
    | RandomStart of mean: float * deviation: float
    /// Every trial begins with the same rates, drawn once a network from the normal distribution.
    | DrawnOnce of mean: float * deviation: float

/// The time constant of the leak of an area's units.
type Tau =
    /// The same for every unit.
    | SameTau of float<ms>
    /// One a unit.
    | TauOfUnit of float<ms>[]
    /// One step: the rate is phi of the current, with no memory.
    | OneStep

/// How an area's currents become rates.
type Dynamics =
    /// Leaky rate units: the rate is the leaky sum of phi of the current.
    | Leaky
    /// The current form: the rate is phi of the leaky sum of the current. Its initial values are those of that sum.
    | CurrentForm
    /// Units of a model with states of their own, such as spiking units. The initial values are those of the first state.
    | OfModel of Rflo.Core.UnitModel
    /// The unit with the largest current is 1, the others 0, decided when a gate into the area is open and held in
    /// between; with probability explore a random unit wins.
    | WinnerTakeAll of explore: float

/// One end of a projection, by the names of its parts.
type End =
    /// All units of an area.
    | OfArea of area: string
    /// The units of a named population of an area.
    | OfPopulation of area: string * population: string
    /// All channels of an external input.
    | OfInput of input: string
    /// Some channels of an external input, counted from 0.
    | OfChannels of input: string * channels: int list
    /// The outputs of a readout.
    | OfReadout of readout: string
    /// The constant 1: its weights are biases.
    | OfBias

/// The initial weights of a projection. Matrices are (post, pre): a row for each postsynaptic unit.
[<CustomEquality; NoComparison>]
type Weights =
    /// Normal with mean 0 and standard deviation gain / sqrt n, n the expected number of inputs of a unit.
    | Gaussian of gain: float
    /// Uniform in [low, high).
    | Uniform of low: float * high: float
    /// Uniform in [-bound, bound) / sqrt n, n the expected number of inputs of a unit.
    | UniformScaled of bound: float
    /// Normal, and then scaled so that the largest magnitude of an eigenvalue is this. Signs and masks come first.
    | SpectralRadius of radius: float
    /// The same everywhere.
    | Constant of float
    /// Unit k to unit k, with this weight; nothing else exists.
    | OneToOne of weight: float
    /// This matrix.
    | Given of float[,]
    /// These connections with these weights, and no others; a mask and `noSelf` remove further ones.
    | GivenSparse of SparseWeights
    /// A matrix that is read when the experiment is checked, such as one of an .npz file; `source` names it in messages.
    | ReadFrom of source: string * read: (unit -> Result<WeightMatrix, string>)

    override this.Equals other =
        match other with
        | :? Weights as that ->
            match this, that with
            | Gaussian a, Gaussian b
            | SpectralRadius a, SpectralRadius b
            | UniformScaled a, UniformScaled b
            | Constant a, Constant b
            | OneToOne a, OneToOne b -> a.Equals b
            | Uniform(a, b), Uniform(c, d) -> a.Equals c && b.Equals d
            | Given a, Given b -> a = b
            | GivenSparse a, GivenSparse b -> a = b
            | ReadFrom(a, _), ReadFrom(b, _) -> a = b
            | _ -> false
        | _ -> false

    override this.GetHashCode() =
        match this with
        | Gaussian a
        | SpectralRadius a
        | UniformScaled a
        | Constant a
        | OneToOne a -> hash a
        | Uniform(a, b) -> hash (a, b)
        | Given a -> hash (a.GetLength 0, a.GetLength 1)
        | GivenSparse a -> hash a
        | ReadFrom(source, _) -> hash source

/// Which connections of a projection exist.
type Connectivity =
    /// Every unit to every unit.
    | Dense
    /// This fraction of the connections, in (0, 1], drawn once.
    | Density of float
    /// Where the matrix (post, pre) is true.
    | Mask of bool[,]

/// When the gate of a projection is open.
type Opening =
    /// In every step.
    | Always
    /// Once in so many milliseconds.
    | Every of float<ms>
    /// In the last step of a trial.
    | AtTrialEnd
    /// In the steps in which the task marks this event.
    | AtEvent of string

/// Whether the weights of a projection learn, and how.
type Plasticity =
    /// They do not learn.
    | Frozen
    /// They learn at this rate by the experiment's rule.
    | Learning of rate: float
    /// They learn at this rate by a rule of their own.
    | LearningBy of rate: float * rule: Rule

/// The matrix B that carries a readout's error to an area, shape (units, outputs).
type Through =
    /// Random and fixed: normal with mean 0 and this standard deviation.
    | RandomFeedback of scale: float
    /// The transpose of the readout's current weights.
    | SymmetricFeedback
    /// This matrix.
    | GivenFeedback of float[,]

/// A part at which an arrow can end.
type ITarget =
    /// The part as an end of projections.
    abstract End: End
    /// The part that a circuit adds together with the projection.
    abstract Part: CircuitPart

/// A part from which an arrow can start. `'Arrow` is its result: a `Projection`, or the `Feedback` of an error.
and ISource<'Arrow> =
    /// The arrow to a target, with default settings.
    abstract To: ITarget -> 'Arrow

/// A part that an arrow joins.
and [<RequireQualifiedAccess>] CircuitPart =
    | Area of Area
    | Input of Input
    | Readout of Readout

/// Weights from a signal to the units of an area or to a readout.
and Projection = {
    /// Its own name, if it has one; otherwise its name is that of its two ends.
    Label: string option
    Source: End
    Target: End
    Weights: Weights
    Connectivity: Connectivity
    /// Whether a unit may project to itself.
    SelfConnections: bool
    /// Time between a rate and its effect; at least one step.
    Delay: float<ms> option
    Opening: Opening
    Plasticity: Plasticity
    /// Whether inhibitory weights are scaled at the start so that the expected inputs of every unit sum to zero.
    Balanced: bool
    /// Bounds of every weight.
    Bounds: (float * float) option
    /// Decoupled weight decay: the updates of a trial also subtract learning rate * decay * weight.
    Decay: float
    /// L1 penalty: strength times the sum of absolute weights; its gradient is part of the rule's increments.
    L1: float
    /// L2 penalty: strength / 2 times the sum of squared weights, in the same way.
    L2: float
    /// The parts that it joins, until a circuit takes the projection: the circuit then has these parts, and the projection their names.
    Parts: CircuitPart list
    /// Words that can have no effect on it.
    Lost: Lost list
} with

    /// Decay and penalties of its weights, by their names in descriptions, with the strengths; 0 by default.
    member this.Decays = [ "decay", this.Decay; "L1", this.L1; "L2", this.L2 ]

    /// The projection that an arrow makes, with default settings.
    static member internal Between(source: End, part: CircuitPart option, target: ITarget) = {
        Label = None
        Source = source
        Target = target.End
        Weights = if source.IsOfBias then Constant 0.0 else Gaussian 1.0
        Connectivity = Dense
        SelfConnections = true
        Delay = None
        Opening = Always
        Plasticity = Frozen
        Balanced = false
        Bounds = None
        Decay = 0.0
        L1 = 0.0
        L2 = 0.0
        Parts = Option.toList part @ [ target.Part ]
        Lost = []
    }

/// A path of a readout's error to an area.
and Feedback = {
    Readout: string
    Area: string
    Through: Through
    /// The parts that it joins, until a circuit takes the feedback.
    Parts: CircuitPart list
    /// Words that can have no effect on it.
    Lost: Lost list
}

/// A group of rate units that share a transfer function.
and Area = {
    Name: string
    Units: int
    Tau: Tau
    Transfer: Transfer
    Dynamics: Dynamics
    /// Standard deviation of the noise in every unit's current, in a step of 1 ms; in a step of dt it is this over
    /// sqrt(dt / ms), so that the variance of rates does not depend on dt. A winner-take-all area uses it unscaled in every choice.
    Noise: float
    Initial: Initial
    /// Fraction of excitatory units, where the area obeys Dale's law.
    Dale: float option
    /// The learning rate of the units' time constants, if they learn: by the experiment's rule, as d ln tau.
    TauRate: float option
    /// The learning rate of the units' initial states, if they learn: by the experiment's rule.
    InitialRate: float option
    /// Whether activity contains the states of its units beside their rates.
    RecordsStates: bool
    /// Costs of its rates, beside the losses of the readouts.
    Penalties: Penalty list
    /// Named subsets of the units, counted from 0.
    Populations: (string * int list) list
    /// Words that can have no effect on it.
    Lost: Lost list
} with

    /// `a["name"]` is the population of that name; Dale's law gives "excitatory" and "inhibitory".
    member this.Item
        with get name: Population = { Area = this; Name = name }

    /// `a[[3; 5]]` are units 3 and 5, for perturbations.
    member this.Item
        with get chosen: SomeUnits = { Area = this.Name; Chosen = chosen }

    interface ITarget with
        member this.End = OfArea this.Name
        member this.Part = CircuitPart.Area this

    interface ISource<Projection> with
        member this.To target =
            Projection.Between(OfArea this.Name, Some(CircuitPart.Area this), target)

    interface IUnits with
        member this.Units = PerturbedUnits.Whole this.Name

/// A named subset of an area's units, as an end of projections.
and Population = {
    Area: Area
    Name: string
} with

    member private this.Place = OfPopulation(this.Area.Name, this.Name)

    interface ITarget with
        member this.End = this.Place
        member this.Part = CircuitPart.Area this.Area

    interface ISource<Projection> with
        member this.To target =
            Projection.Between(this.Place, Some(CircuitPart.Area this.Area), target)

    interface IUnits with
        member this.Units = PerturbedUnits.Population(this.Area.Name, this.Name)

/// Some units of an area, for perturbations.
and [<RequireQualifiedAccess>] SomeUnits = {
    Area: string
    Chosen: int list
} with

    interface IUnits with
        member this.Units = PerturbedUnits.Some(this.Area, this.Chosen)

/// A named group of the task's input channels.
and Input = {
    Name: string
    Channels: int
    /// Words that can have no effect on it.
    Lost: Lost list
} with

    /// `x[[0; 2]]` is channels 0 and 2 of the input.
    member this.Item
        with get chosen: Channels = { Input = this; Chosen = chosen }

    interface ISource<Projection> with
        member this.To target =
            Projection.Between(OfInput this.Name, Some(CircuitPart.Input this), target)

/// Some channels of an external input, as the source of projections.
and Channels = {
    Input: Input
    Chosen: int list
} with

    interface ISource<Projection> with
        member this.To target =
            Projection.Between(
                OfChannels(this.Input.Name, this.Chosen),
                Some(CircuitPart.Input this.Input),
                target
            )

/// Outputs that are compared with targets.
and Readout = {
    Name: string
    Outputs: int
    Output: Output
    /// The loss of its outputs and targets; none for the loss of the nonlinearity.
    Loss: Loss option
    /// Words that can have no effect on it.
    Lost: Lost list
} with

    /// Its loss: the one that is set, or that of the nonlinearity.
    member this.LossOrNatural =
        this.Loss |> Option.defaultWith (fun () -> Loss.Natural this.Output)

    interface ITarget with
        member this.End = OfReadout this.Name
        member this.Part = CircuitPart.Readout this

    interface ISource<Projection> with
        member this.To target =
            Projection.Between(OfReadout this.Name, Some(CircuitPart.Readout this), target)

/// The constant 1, whose weights are biases.
type Bias =
    | Bias

    interface ISource<Projection> with
        member _.To target =
            Projection.Between(OfBias, None, target)

/// The error of a readout, as the source of feedback.
type ErrorOf =
    | ErrorOf of Readout

    interface ISource<Feedback> with
        member this.To target =
            let (ErrorOf readout) = this

            let area, lost =
                match target.End with
                | OfPopulation(area, population) ->
                    area,
                    [
                        {
                            What =
                                $"it ends at the population {population}, and an error reaches whole areas"
                            Instead =
                                $"write errorOf {readout.Name} --> {area}, or make the population an area"
                        }
                    ]
                | OfReadout other ->
                    other,
                    [
                        {
                            What = $"it ends at the readout {other}, and an error reaches areas"
                            Instead = $"write errorOf {readout.Name} --> the area that learns by it"
                        }
                    ]
                | OfArea name
                | OfInput name
                | OfChannels(name, _) -> name, []
                | OfBias -> "bias", []

            {
                Readout = readout.Name
                Area = area
                Through = RandomFeedback 1.0
                Parts = [ CircuitPart.Readout readout; target.Part ]
                Lost = lost
            }

/// Areas, inputs and readouts, and the projections between them.
type Circuit = {
    Areas: Area list
    Inputs: Input list
    Readouts: Readout list
    Projections: Projection list
    Feedback: Feedback list
    /// Words that name parts that it does not have.
    Unmatched: Unmatched list
} with

    /// The circuit with nothing in it.
    static member Empty = {
        Areas = []
        Inputs = []
        Readouts = []
        Projections = []
        Feedback = []
        Unmatched = []
    }
