/// A random circuit as a graph of the core, and its task.
module Rflo.Core.Tests.InCore

open System
open Rflo.Core
open Rflo.Core.Tests.Circuits

/// The rules by the names that the tests give them.
module Rules =
    let rflo: LearningRule = ThreeFactorRule.Rflo()
    let local: LearningRule = ThreeFactorRule.Rflo ErrorPath.Symmetric
    let bptt: LearningRule = BpttRule()
    let rtrl: LearningRule = RtrlRule()
    let bpttByFeedback: LearningRule = BpttRule ErrorPath.Feedback
    let rtrlByFeedback: LearningRule = RtrlRule ErrorPath.Feedback

    let all = [ rflo; local; bptt; rtrl; bpttByFeedback; rtrlByFeedback ]

    let name (rule: LearningRule) =
        let word =
            match rule with
            | :? ThreeFactorRule -> "RFLO"
            | :? BpttRule -> "BPTT"
            | _ -> "RTRL"

        $"{word} ({rule.Path})"

let private orNull option =
    match option with
    | Some array -> array
    | None -> null

/// The parts of a graph that a circuit became.
type Ids = {
    Areas: AreaId list
    Inputs: InputId list
    Readouts: ReadoutId list
}

let sourceOf ids (projection: ProjectionCase) (drawn: Drawn) =
    match projection.Source with
    | Rates(area, delay) -> Source.Area(ids.Areas[area], delay, orNull drawn.From)
    | Channels input -> Source.Input(ids.Inputs[input], orNull drawn.From)
    | Fed(readout, delay) -> Source.Readout(ids.Readouts[readout], delay, orNull drawn.From)
    | Bias -> Source.One

let targetOf ids (projection: ProjectionCase) (drawn: Drawn) =
    match projection.Target with
    | Onto area -> Target.Area(ids.Areas[area], orNull drawn.To)
    | Read readout -> Target.Readout ids.Readouts[readout]

/// What holds the weights of a projection.
type Limits = {
    /// Every third unit is inhibitory.
    Dale: bool
    Lower: float
    Upper: float
    Decay: float
    L1: float
    L2: float
}

let unlimited = {
    Dale = false
    Lower = -infinity
    Upper = infinity
    Decay = 0.0
    L1 = 0.0
    L2 = 0.0
}

/// How the projections learn, by their place, and what all parts' names begin with.
type Setup = {
    Plasticity: int -> Plasticity
    Limits: Limits
    /// How time constants learn, if they do.
    Tau: Plasticity option
    /// How initial states learn, where an area has its own.
    Initial: Plasticity option
    /// What becomes of an area's declaration, by its place.
    Area: int -> AreaSpec -> AreaSpec
    /// Costs of the rates of every area.
    Penalties: RatePenalty list
    Name: string
}

let asDeclared = {
    Plasticity = fun _ -> Plasticity(Rules.bptt, 0.1, UpdateSchedule.TrialEnd)
    Limits = unlimited
    Tau = None
    Initial = None
    Area = fun _ spec -> spec
    Penalties = []
    Name = ""
}

let learning rule schedule rate = {
    asDeclared with
        Plasticity = fun _ -> Plasticity(rule, rate, schedule)
}

let signOf unit = if unit % 3 = 2 then -1y else 1y

/// The signs of a projection's presynaptic units, if it comes from an area and Dale's law holds.
let signsOf limits (projection: ProjectionCase) (drawn: Drawn) =
    match projection.Source, projection.Target with
    | Rates _, Onto _ when limits.Dale ->
        Some(
            Array.init (Array2D.length2 drawn.Weights) (fun j ->
                signOf (drawn.From |> Option.map (Array.item j) |> Option.defaultValue j))
        )
    | _ -> None

/// Declarations as others are, but for what is said: F# has no `with` for records of C#.
type Remade =

    static member Area
        (
            area: AreaSpec,
            ?units: int,
            ?alpha: float[],
            ?transfer: Transfer,
            ?dynamics: Dynamics,
            ?model: UnitModel,
            ?noise: float,
            ?start: InitialPolicy,
            ?rates: float[],
            ?tau: Plasticity,
            ?initial: Plasticity,
            ?records: bool
        ) =
        AreaSpec(
            Name = area.Name,
            Units = defaultArg units area.Units,
            Alpha = defaultArg alpha area.Alpha,
            Transfer = defaultArg transfer area.Transfer,
            Dynamics = defaultArg dynamics area.Dynamics,
            Model = (model |> Option.orElse (Option.ofObj area.Model) |> Option.toObj),
            Noise = defaultArg noise area.Noise,
            NoiseUnit = area.NoiseUnit,
            InitialPolicy = defaultArg start area.InitialPolicy,
            InitialRates = defaultArg rates area.InitialRates,
            InitialSpread = area.InitialSpread,
            Explore = area.Explore,
            Penalties = area.Penalties,
            RecordsStates = defaultArg records area.RecordsStates,
            TauPlasticity = (tau |> Option.orElse (Option.ofObj area.TauPlasticity) |> Option.toObj),
            InitialPlasticity =
                (if defaultArg start area.InitialPolicy = InitialPolicy.CarriedOver then
                     null
                 else
                     (initial |> Option.orElse (Option.ofObj area.InitialPlasticity) |> Option.toObj))
        )

    /// The same with the units of a model, which takes the place of transfer and dynamics.
    static member WithUnits(area: AreaSpec, model: UnitModel) =
        Remade.Area(area, transfer = Transfer.Tanh, dynamics = Dynamics.Leaky, model = model)

let areaSpec setup index (area: AreaCase) =
    AreaSpec(
        Name = $"{setup.Name}area {index}",
        Units = area.Units,
        Alpha = Array.map (fun tau -> 1.0 / tau) (taus area),
        Transfer = area.Transfer,
        Dynamics = area.Dynamics,
        Noise = area.Noise,
        InitialPolicy = area.Start,
        InitialRates = startOf area,
        InitialSpread = spreadOfStart,
        Penalties = Array.ofList setup.Penalties,
        TauPlasticity = Option.toObj setup.Tau,
        InitialPlasticity =
            (if area.Start = InitialPolicy.CarriedOver then
                 null
             else
                 Option.toObj setup.Initial)
    )

let projectionSpec setup circuit ids index projection =
    let drawn = draw circuit projection
    let signs = signsOf setup.Limits projection drawn

    // Weights begin within their signs and bounds: others are refused.
    let sign j w =
        match signs with
        | Some signs -> float signs[j] * abs w
        | None -> w

    let signed = {
        drawn with
            Weights =
                drawn.Weights
                |> Array2D.mapi (fun _ j w ->
                    Math.Clamp(sign j w, setup.Limits.Lower, setup.Limits.Upper))
    }

    ProjectionSpec(
        Name = $"{setup.Name}projection {index}",
        Source = sourceOf ids projection drawn,
        Target = targetOf ids projection drawn,
        Synapses = synapses projection signed,
        Gate = projection.Gate,
        Plasticity = (if projection.Plastic then setup.Plasticity index else null),
        Signs = orNull signs,
        Lower = setup.Limits.Lower,
        Upper = setup.Limits.Upper,
        Decay = setup.Limits.Decay,
        L1 = setup.Limits.L1,
        L2 = setup.Limits.L2
    )

/// Adds a circuit whose areas and projections each have a setup of their own; gives the ids of its projections.
let addEach (builder: GraphBuilder) ofArea ofProjection (circuit: CircuitCase) =
    let setup = ofArea 0

    let areas = [
        for index, area in List.indexed circuit.Areas ->
            builder.AddArea((ofArea index).Area index (areaSpec (ofArea index) index area))
    ]

    let inputs = [
        for index, channels in List.indexed circuit.Inputs ->
            builder.AddInput(InputSpec($"{setup.Name}input {index}", channels))
    ]

    let readouts = [
        for index, readout in List.indexed circuit.Readouts ->
            ReadoutSpec(
                Name = $"{setup.Name}readout {index}",
                Outputs = readout.Outputs,
                Kind = readout.Kind,
                Loss = Option.toObj readout.Loss
            )
            |> builder.AddReadout
    ]

    for readout, area, isRandom in circuit.Feedbacks do
        FeedbackSpec(
            Readout = readouts[readout],
            Area = areas[area],
            Matrix =
                if isRandom then
                    flat (feedbackMatrix circuit (readout, area))
                else
                    null
        )
        |> builder.AddFeedback

    let ids = {
        Areas = areas
        Inputs = inputs
        Readouts = readouts
    }

    [
        for index, projection in List.indexed circuit.Projections ->
            builder.AddProjection(projectionSpec (ofProjection index) circuit ids index projection)
    ]

/// Adds a circuit beside what a builder has already; gives the ids of its projections.
let addTo builder setup circuit =
    addEach builder (fun _ -> setup) (fun _ -> setup) circuit

let graphWith setup circuit =
    let builder = GraphBuilder()
    addTo builder setup circuit |> ignore
    builder.Build()

let graph circuit = graphWith asDeclared circuit

/// White-noise inputs and targets, a mask of zeros, halves and ones, random events, trials of several lengths.
type WhiteNoise(case: Case) =
    let inputs = List.sum case.Circuit.Inputs
    let outputs = case.Circuit.Readouts |> List.sumBy _.Outputs

    let target (stream: RandomStream) kind =
        match kind with
        | OutputKind.Linear -> stream.Gaussian()
        | _ -> stream.Uniform(0.0, 1.0)

    interface ITask with
        member _.Inputs = inputs
        member _.Outputs = outputs
        member _.MaxSteps = List.max case.Task.Lengths
        member _.Events = case.Task.Events

        member _.Fill(trial, stream, into) =
            into.Steps <- case.Task.Lengths[abs trial % case.Task.Lengths.Length]

            for k in 0 .. into.Steps * inputs - 1 do
                into.Inputs[k] <- stream.Gaussian()

            for t in 0 .. into.Steps - 1 do
                let mutable k = t * outputs

                for readout in case.Circuit.Readouts do
                    for _ in 1 .. readout.Outputs do
                        into.Targets[k] <- target stream readout.Kind

                        into.Mask[k] <-
                            if case.Task.Masked then
                                0.5 * float (stream.Between(0, 3))
                            else
                                1.0

                        k <- k + 1

            for k in 0 .. into.Steps * case.Task.Events - 1 do
                into.Events[k] <- stream.Chance 0.4

            for t in 0 .. into.Steps - 1 do
                into.Rewards[t] <- if stream.Chance 0.3 then stream.Uniform(0.0, 1.0) else 0.0

let sessionWith setup (case: Case) =
    Session.Create(graphWith setup case.Circuit, WhiteNoise case, int64 case.Seed)

let session case = sessionWith asDeclared case

/// The places of the projections that learn.
let plastic case = [
    for index, projection in List.indexed case.Circuit.Projections do
        if projection.Plastic then
            index
]
