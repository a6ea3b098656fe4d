/// A random circuit as a graph of the core, and its task.
module Rflo.Core.Tests.InCore

open Rflo.Core
open Rflo.Core.Tests.Circuits

/// The rules by the names that the tests give them.
module Rules =
    let rflo: LearningRule = RfloRule()
    let local: LearningRule = RfloRule ErrorPath.Symmetric
    let bptt: LearningRule = BpttRule()
    let rtrl: LearningRule = RtrlRule()
    let bpttByFeedback: LearningRule = BpttRule ErrorPath.Feedback
    let rtrlByFeedback: LearningRule = RtrlRule ErrorPath.Feedback

    let all = [ rflo; local; bptt; rtrl; bpttByFeedback; rtrlByFeedback ]

    let name (rule: LearningRule) =
        let word =
            match rule with
            | :? RfloRule -> "RFLO"
            | :? BpttRule -> "BPTT"
            | _ -> "RTRL"

        $"{word} ({rule.Path})"

let private orNull option =
    match option with
    | Some array -> array
    | None -> null

let sourceOf (projection: ProjectionCase) (drawn: Drawn) =
    match projection.Source with
    | Rates(area, delay) -> Source.Area(AreaId area, delay, orNull drawn.From)
    | Channels input -> Source.Input(InputId input, orNull drawn.From)
    | Fed(readout, delay) -> Source.Readout(ReadoutId readout, delay, orNull drawn.From)
    | Bias -> Source.One

let targetOf (projection: ProjectionCase) (drawn: Drawn) =
    match projection.Target with
    | Onto area -> Target.Area(AreaId area, orNull drawn.To)
    | Read readout -> Target.Readout(ReadoutId readout)

/// How the plastic projections learn, by their place, and a last touch to every projection.
type Setup = {
    Plasticity: int -> Plasticity
    Touch: int -> ProjectionSpec -> ProjectionSpec
    Name: string
}

let asDeclared = {
    Plasticity = fun _ -> Plasticity(BpttRule(), 0.1, UpdateSchedule.TrialEnd)
    Touch = fun _ spec -> spec
    Name = ""
}

let learning rule schedule rate = {
    asDeclared with
        Plasticity = fun _ -> Plasticity(rule, rate, schedule)
}

let areaSpec setup index (area: AreaCase) =
    AreaSpec(
        Name = $"{setup.Name}area {index}",
        Units = area.Units,
        Alpha = Array.map (fun tau -> 1.0 / tau) (taus area),
        Transfer = area.Transfer,
        Noise = area.Noise,
        InitialPolicy = area.Start,
        InitialRates = startOf area,
        InitialSpread = spreadOfStart
    )

let projectionSpec setup circuit index projection =
    let drawn = draw circuit projection

    ProjectionSpec(
        Name = $"{setup.Name}projection {index}",
        Source = sourceOf projection drawn,
        Target = targetOf projection drawn,
        Synapses = synapses projection drawn,
        Gate = projection.Gate,
        Plasticity = if projection.Plastic then setup.Plasticity index else null
    )
    |> setup.Touch index

let graphWith (setup: Setup) (circuit: CircuitCase) =
    let builder = GraphBuilder()

    for index, area in List.indexed circuit.Areas do
        builder.AddArea(areaSpec setup index area) |> ignore

    for index, channels in List.indexed circuit.Inputs do
        builder.AddInput(InputSpec($"{setup.Name}input {index}", channels)) |> ignore

    for index, readout in List.indexed circuit.Readouts do
        ReadoutSpec(
            Name = $"{setup.Name}readout {index}",
            Outputs = readout.Outputs,
            Kind = readout.Kind
        )
        |> builder.AddReadout
        |> ignore

    for index, projection in List.indexed circuit.Projections do
        builder.AddProjection(projectionSpec setup circuit index projection) |> ignore

    for readout, area, isRandom in circuit.Feedbacks do
        FeedbackSpec(
            Readout = ReadoutId readout,
            Area = AreaId area,
            Matrix =
                if isRandom then
                    flat (feedbackMatrix circuit (readout, area))
                else
                    null
        )
        |> builder.AddFeedback

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

let sessionWith setup (case: Case) =
    Session.Create(graphWith setup case.Circuit, WhiteNoise case, int64 case.Seed)

let session case = sessionWith asDeclared case

/// The places of the projections that learn.
let plastic case = [
    for index, projection in List.indexed case.Circuit.Projections do
        if projection.Plastic then
            index
]
