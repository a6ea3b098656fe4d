/// Units that are connected with nothing change nothing, and so does what rows are filled up with: a circuit, and the same
/// circuit with silent units added, learn the same.
module Rflo.Core.Tests.PaddingTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

// ---- the same circuit with more units ------------------------------------------------------------

let private append (rest: 'a[]) (items: 'a[]) = Array.append items rest

let private wider extra (area: AreaSpec) =
    Remade.Area(
        area,
        units = area.Units + extra,
        alpha = append (Array.create extra 0.5) area.Alpha,
        rates = append (Array.zeroCreate extra) area.InitialRates
    )

/// Rows and columns of connections that do not exist.
let private filled post pre rows columns (synapses: Synapses) =
    match synapses with
    | :? SparseSynapses as sparse ->
        let starts = Array.ofSeq sparse.RowStart
        let last = starts[post]

        Synapses.Sparse(
            append (Array.create (rows - post) last) starts,
            Array.ofSeq sparse.Columns,
            sparse.Weights
        )
    | :? DenseSynapses as dense ->
        let existing =
            match dense.Exists with
            | null -> Array.create (post * pre) true
            | exists -> exists

        let at (values: 'a[]) nothing = [|
            for i in 0 .. rows - 1 do
                for j in 0 .. columns - 1 ->
                    if i < post && j < pre then values[i * pre + j] else nothing
        |]

        Synapses.Dense(at dense.Weights 0.0, at existing false)
    | _ -> synapses

/// With more units in every area: projections have rows and columns of nothing for them, or name the units that they had.
let private widened extra byName (graph: Graph) =
    let builder = GraphBuilder()

    let areas = [|
        for area in graph.Areas -> builder.AddArea(wider extra area)
    |]

    let inputs = [| for input in graph.Inputs -> builder.AddInput input |]

    let readouts = [|
        for readout in graph.Readouts -> builder.AddReadout readout
    |]

    for feedback in graph.Feedbacks do
        FeedbackSpec(
            Readout = readouts[feedback.Readout.Index],
            Area = areas[feedback.Area.Index],
            Matrix =
                match feedback.Matrix with
                | null -> null
                | matrix ->
                    append
                        (Array.zeroCreate (extra * graph.Readouts[feedback.Readout.Index].Outputs))
                        matrix
        )
        |> builder.AddFeedback

    for projection in graph.Projections do
        let source, target = projection.Source, projection.Target
        let post, pre = graph.Postsynaptic projection, graph.Presynaptic projection

        let named (units: int[] | null) index : int[] | null =
            match units with
            | null when byName -> [| 0 .. graph.Areas[index].Units - 1 |]
            | units -> units

        let moreColumns = source.Kind = SignalKind.Area && isNull source.Units && not byName
        let moreRows = not target.IsReadout && isNull target.Units && not byName
        let columns = if moreColumns then pre + extra else pre
        let rows = if moreRows then post + extra else post

        ProjectionSpec(
            Name = projection.Name,
            Source =
                (match source.Kind with
                 | SignalKind.Area ->
                     Source.Area(areas[source.Index], source.Delay, named source.Units source.Index)
                 | SignalKind.Input -> Source.Input(inputs[source.Index], source.Units)
                 | SignalKind.Readout ->
                     Source.Readout(readouts[source.Index], source.Delay, source.Units)
                 | _ -> Source.One),
            Target =
                (if target.IsReadout then
                     Target.Readout readouts[target.Index]
                 else
                     Target.Area(areas[target.Index], named target.Units target.Index)),
            Synapses =
                (if moreRows || moreColumns then
                     filled post pre rows columns projection.Synapses
                 else
                     projection.Synapses),
            Gate = projection.Gate,
            Plasticity = projection.Plasticity,
            Signs =
                (match projection.Signs with
                 | null -> null
                 | signs -> append (Array.create (columns - pre) 1y) signs),
            Lower = projection.Lower,
            Upper = projection.Upper,
            Decay = projection.Decay,
            L1 = projection.L1,
            L2 = projection.L2
        )
        |> builder.AddProjection
        |> ignore

    builder.Build()

/// Losses, weights and time constants of the units that both have.
let private common (small: Graph) (session: Session) = [|
    Experiments.lossesOf session
    for k in 0 .. small.Projections.Count - 1 do
        let projection = small.Projections[k]
        let weights = session.Weights(ProjectionId k)
        let post, pre = small.Postsynaptic projection, small.Presynaptic projection

        match projection.Synapses with
        | :? DenseSynapses ->
            let columns = session.Graph.Presynaptic session.Graph.Projections[k]

            [|
                for i in 0 .. post - 1 do
                    for j in 0 .. pre - 1 -> weights[i * columns + j]
            |]
        | _ -> weights
    for area in 0 .. small.Areas.Count - 1 do
        Array.truncate small.Areas[area].Units (session.TimeConstants(AreaId area))
    for area in 0 .. small.Areas.Count - 1 do
        Array.truncate small.Areas[area].Units (session.InitialStates(AreaId area))
|]

// ---- what they learn by --------------------------------------------------------------------------

/// Functions that make of 0 what is not 0, or no number at all.
let private maps: (float -> float) list = [
    fun x -> log (abs x)
    fun x -> if x = 0.0 then 1.0 / x else sin x
    fun x -> if x = 0.0 then nan else x
    fun x -> x + 1.0
    cos
]

let private pick (random: Random) (items: 'a list) = items[random.Next items.Length]

let private mapped random =
    let f = pick random maps
    Shaping(pick random [ 0.0; 0.0; 0.2 ], Func<float, float>(fun x -> f x))

/// Every rule that draws no numbers: those would be others with more units. Rates cost nothing: those of units that are connected with
/// nothing would, too, where they are not 0.
let private quiet = {
    Experiments.anything with
        Costs = false
        Rule =
            fun random ->
                match random.Next 8 with
                | 0 -> BpttRule() :> LearningRule
                | 1 -> TruncatedBpttRule(4, 2)
                | 2 -> RtrlRule()
                | 3 -> KernlRule 0.0
                | 4 -> Experiments.localRule random
                | _ ->
                    ThreeFactorRule(
                        pick random [ ErrorPath.Feedback; ErrorPath.Symmetric ],
                        Memory =
                            pick random [
                                TraceMemory.AsUnit
                                TraceMemory.None
                                TraceMemory.OwnJacobian
                            ],
                        PreAlpha = pick random [ 1.0; 0.5 ],
                        PreShaping = mapped random
                    )
}

/// No noise, whose numbers would be others with more units; and no signal that is exactly 0, of which 1/x makes what it must.
let private without (case: Case) = {
    case with
        Circuit.Areas =
            case.Circuit.Areas
            |> List.map (fun area -> {
                area with
                    Noise = 0.0
                    Transfer =
                        match area.Transfer with
                        | Transfer.Relu
                        | Transfer.RectifiedTanh -> Transfer.Sigmoid
                        | other -> other
            })
        Circuit.Projections =
            case.Circuit.Projections
            |> List.map (fun one -> { one with Gate = Gate.Always })
}

let private silent precision tolerance (tally: Tally) (case: Case) =
    let random = Random(case.Seed + 1)
    let case = without case
    let case = if random.Next 2 = 0 then Experiments.tidy case else case
    let graph, case = Experiments.graphOf quiet case
    let extra = random.Next(1, 6)
    let larger = widened extra (random.Next 2 = 0) graph

    let run (graph': Graph) =
        let session = Session.Create(graph', WhiteNoise case, int64 case.Seed, precision)
        let status = session.Run 4
        status.End, common graph session

    tally.Count()
    let finish, small = run graph

    if
        finish <> RunEnd.Completed
        || Array.exists (fun (x: float[]) -> not (norm x < 1e3)) small
    then
        tally.Idle()
    else
        let finish, large = run larger
        Expect.equal finish RunEnd.Completed $"with {extra} more units"

        for part in 0 .. small.Length - 1 do
            Numbers.isLessThan
                (Experiments.apart [| small[part] |] [| large[part] |])
                tolerance
                $"part {part} of losses, weights and time constants, with {extra} more units"

/// One area of sigmoids that learns by the logarithm of what arrives.
let private byLogarithm n schedule =
    let one = RandomCircuits.one n (2.0, 8.0)

    let circuit = {
        one with
            Areas = [
                {
                    one.Areas.Head with
                        Transfer = Transfer.Sigmoid
                }
            ]
    }

    let rule =
        ThreeFactorRule(ErrorPath.Feedback, PreShaping = Shaping(0.0, Func<float, float> log))

    let case = {
        Circuit = circuit
        Task = {
            Lengths = [ 8 ]
            Masked = false
            Events = 0
        }
        Seed = 4
    }

    (sessionWith (learning rule schedule 0.05) case).Run 4

/// Five units, whose rows are filled up to eight, that receive from each other and from two channels; the second reaches no
/// unit, and a function of a rule makes no number of it.
let private ofNoNumber isReached =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "area",
                Units = 5,
                Alpha = Array.create 5 0.4,
                InitialRates = Array.zeroCreate 5
            )
        )

    let input = builder.AddInput(InputSpec("input", 2))
    let readout = builder.AddReadout(ReadoutSpec(Name = "readout", Outputs = 1))

    let roots =
        ThreeFactorRule(
            ErrorPath.Symmetric,
            PreShaping = Shaping(0.0, Func<float, float>(fun x -> if x < 0.0 then nan else sqrt x))
        )

    let add name source target synapses plasticity =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = synapses,
            Plasticity = plasticity
        )
        |> builder.AddProjection
        |> ignore

    let numbers count =
        Array.init count (fun k -> 0.3 * cos (float (3 * k)))

    add
        "area->area"
        (Source.Area area)
        (Target.Area area)
        (Synapses.Dense(numbers 25))
        (Plasticity(Rules.rflo, 0.0, UpdateSchedule.TrialEnd))

    add
        "input->area"
        (Source.Input input)
        (Target.Area area)
        (Synapses.Dense(numbers 10, Array.init 10 (fun k -> k % 2 = 0)))
        (Plasticity(roots, 0.1, UpdateSchedule.TrialEnd))

    add
        "area->readout"
        (Source.Area area)
        (Target.Readout readout)
        (Synapses.Dense(numbers 5))
        (Plasticity(Rules.rflo, 0.1, UpdateSchedule.TrialEnd))

    let task = {
        new ITask with
            member _.Inputs = 2
            member _.Outputs = 1
            member _.MaxSteps = 6
            member _.Events = 0

            member _.Fill(_, _, into) =
                for t in 0..5 do
                    into.Inputs[2 * t] <- float t / 6.0
                    into.Inputs[2 * t + 1] <- if isReached then 1.0 else -1.0
                    into.Targets[t] <- 0.5
    }

    let session = Session.Create(builder.Build(), task, 1L)
    (session.Run 5).End, Experiments.resultOf session

[<Tests>]
let tests =
    testList "padding" [
        test
            "what a rule makes of a signal that reaches no unit stays out of the rows that fill a block" {
            let finish, found = ofNoNumber false
            Expect.equal finish RunEnd.Completed "no weight that exists became none"
            let _, expected = ofNoNumber true

            Numbers.isLessThan (Experiments.apart expected found) 1e-12 "a number or none"
        }

        test "silent units that are connected with nothing change nothing" {
            let tally = Tally()
            forAll (cases 200 10000) RandomCircuits.anyCircuit (silent Precision.Double 1e-9 tally)
            tally.Demand 0.35
        }

        test "the same in single precision" {
            let tally = Tally()
            forAll (cases 50 3000) RandomCircuits.anyCircuit (silent Precision.Single 2e-3 tally)
            tally.Demand 0.35
        }

        test "a function of the presynaptic signal is for signals, not for the padding of a row" {
            for schedule in [ UpdateSchedule.Online; UpdateSchedule.TrialEnd ] do
                for n in 4..57 do
                    Expect.equal (byLogarithm n schedule).End RunEnd.Completed $"{n} units"
        }
    ]
