/// Initial states that learn: exact under BPTT, RTRL and windows that reach the first step, local under rules that receive an error.
module Rflo.Core.Tests.InitialStateTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let private rate = 1e-3

let private trialEnd rule =
    Plasticity(rule, rate, UpdateSchedule.TrialEnd)

/// Nothing learns but the initial states.
let private graphOnly setup case =
    graphWith setup {
        case.Circuit with
            Projections = case.Circuit.Projections |> List.map (fun p -> { p with Plastic = false })
    }

let private only change plan case =
    let graph: Graph = change (graphOnly { asDeclared with Initial = Some plan } case)
    Session.Create(graph, WhiteNoise case, int64 case.Seed)

let private areasOf (session: Session) = [|
    for area in 0 .. session.Graph.Areas.Count - 1 do
        if not (isNull session.Graph.Areas[area].InitialPlasticity) then
            AreaId area
|]

/// What a rule asks for in the first trial, -dL / ds(0): the change over the rate, of each area that learns.
let private asked (session: Session) =
    let states () =
        areasOf session |> Array.map session.InitialStates

    let before = states ()
    session.Run 1 |> ignore

    Array.map2 (Array.map2 (fun (a: float) (b: float) -> (b - a) / rate)) before (states ())

/// -dL / ds(0) of the first trial, by central differences.
let private differences (session: Session) =
    let step = 1e-6

    areasOf session
    |> Array.map (fun area ->
        let own = session.InitialStates area

        own
        |> Array.mapi (fun unit start ->
            let lossAt value =
                let changed = Array.copy own
                changed[unit] <- value
                session.SetInitialStates(area, changed)
                let loss = session.Replay(0).Loss
                session.SetInitialStates(area, own)
                loss

            (lossAt (start - step) - lossAt (start + step)) / (2.0 * step)))

let private close what (expected: float[][]) (found: float[][]) =
    for area in 0 .. expected.Length - 1 do
        Numbers.isLessThanOrEqual
            (norm (Array.map2 (-) expected[area] found[area]))
            (1e-11 * float expected[area].Length + 1e-10 * norm expected[area])
            $"{what}: %A{expected[area]} and %A{found[area]}"

let private size asked = norm (Array.map norm asked)

/// A window longer than any trial, with a look of every stride: the sum over looks is the whole gradient.
let private whole stride : LearningRule = TruncatedBpttRule(50, stride)

let private exact change (tally: Tally) case =
    tally.Count()

    if GradientTests.isNearKink case 0 then
        tally.Idle()
    else
        let bptt = asked (only change (trialEnd Rules.bptt) case)
        let slopes = differences (only change (trialEnd Rules.bptt) case)
        let loss = (only change (trialEnd Rules.bptt) case).Replay(0).Loss

        if size bptt < 1e-4 then
            tally.Idle()

        close "BPTT and RTRL" bptt (asked (only change (trialEnd Rules.rtrl) case))
        close "BPTT and looks of 3 steps" bptt (asked (only change (trialEnd (whole 3)) case))

        let stepwise rule =
            Plasticity(rule, rate, UpdateSchedule.Online)

        // Online the states of this trial stay, so the sum of its updates is that of its end.
        close "BPTT and RTRL online" bptt (asked (only change (stepwise Rules.rtrl) case))
        close "BPTT and looks online" bptt (asked (only change (stepwise (whole 2)) case))

        for area in 0 .. bptt.Length - 1 do
            GradientTests.expectSlope loss area bptt[area] slopes[area]

/// The circuit with units of two states.
let private adapting (graph: Graph) =
    Graph(
        [| for area in graph.Areas -> UnitModels.asAdapting area |],
        graph.Inputs,
        graph.Readouts,
        graph.Projections,
        graph.Feedbacks,
        graph.Perturbations
    )

/// The circuit with some units of each area gone, some kicked and some held for a time.
let private perturbed (graph: Graph) =
    Graph(
        graph.Areas,
        graph.Inputs,
        graph.Readouts,
        graph.Projections,
        graph.Feedbacks,
        [|
            for area in 0 .. graph.Areas.Count - 1 do
                Lesion(AreaId area, [| 0 |]) :> PerturbationSpec

                if graph.Areas[area].Units > 1 then
                    KickStates(
                        AreaId area,
                        [| 1 |],
                        [| 0.3 |],
                        Adds = true,
                        Window = PerturbationWindow.Between(0, 1)
                    )

                if graph.Areas[area].Units > 2 then
                    Silence(AreaId area, [| 2 |], Window = PerturbationWindow.Between(1, 3))
        |]
    )

/// Every area has initial states of its own that last longer than a step.
let private begins (case: Case) = {
    case with
        Circuit.Areas =
            case.Circuit.Areas
            |> List.map (fun area -> {
                area with
                    Tau = max 1.5 (fst area.Tau), 1.0 + max 1.5 (snd area.Tau)
                    Start =
                        if area.Start = InitialPolicy.CarriedOver then
                            InitialPolicy.Reset
                        else
                            area.Start
            })
}

/// No kinks, and steps enough for what perturbs.
let private smooth (case: Case) =
    let case = begins case

    {
        case with
            Circuit.Areas =
                case.Circuit.Areas
                |> List.map (fun area -> {
                    area with
                        Transfer = Transfer.Sigmoid
                })
            Task.Lengths = case.Task.Lengths |> List.map (max 4)
    }

/// Without a way from rates to areas nothing passes through other units.
let private cut case = {
    begins case with
        Circuit.Projections =
            case.Circuit.Projections
            |> List.filter (fun projection ->
                match projection.Source, projection.Target with
                | (Rates _ | Fed _), Onto _ -> false
                | _ -> true)
}

/// Two leaky units by hand: s(0) reaches rate t as (1 - alpha)^t, on its own unit.
let private byDefinition (network: Networks.Network) (trial: Recording) =
    let units = network.Alpha.Length
    let outputs = Array2D.length1 network.Readout

    [|
        for i in 0 .. units - 1 ->
            Seq.sum [
                for t in 0 .. trial.Steps - 1 ->
                    let told =
                        Seq.sum [
                            for k in 0 .. outputs - 1 ->
                                network.Feedback[i, k]
                                * (trial.Targets[t * outputs + k] - trial.Outputs[t * outputs + k])
                        ]

                    told * (1.0 - network.Alpha[i]) ** float (t + 1)
            ]
            / float trial.Steps
    |]

let private goldenBy plan =
    let graph =
        fst (Networks.graphWithTau null (fun _ -> null) ReferenceDataTests.golden)

    let learning =
        Graph(
            [|
                for area in graph.Areas -> Remade.Area(area, initial = plan)
            |],
            graph.Inputs,
            graph.Readouts,
            graph.Projections,
            graph.Feedbacks,
            graph.Perturbations
        )

    Session.Create(learning, ReferenceDataTests.goldenGiven (), 1L)

let private golden rule = goldenBy (trialEnd rule)

/// One area of random units, whose weights are frozen.
let private small plan =
    let case = {
        Circuit = {
            RandomCircuits.one 4 (2.0, 8.0) with
                Projections =
                    (RandomCircuits.one 4 (2.0, 8.0)).Projections
                    |> List.map (fun p -> { p with Plastic = false })
        }
        Task = {
            Lengths = [ 6 ]
            Masked = false
            Events = 0
        }
        Seed = 5
    }

    sessionWith { asDeclared with Initial = Some plan } case

[<Tests>]
let tests =
    testList "initial states" [
        for name, count, arbitrary, change in
            [
                "a network", allCases 60 2000, RandomCircuits.anyNetwork, id
                "any circuit", allCases 150 4000, RandomCircuits.anyCircuit, id
                "any circuit of units with two states",
                allCases 60 2000,
                RandomCircuits.anyCircuit,
                (fun graph -> adapting graph)
            ] do
            test $"of {name}: BPTT = RTRL = windows that reach step 1 = finite differences" {
                let tally = Tally()
                forAll count arbitrary (exact change tally)
                tally.Demand 0.4
            }

        test "of perturbed circuits: BPTT = RTRL = windows that reach step 1 = finite differences" {
            let tally = Tally()

            forAll (allCases 80 2000) RandomCircuits.anyCircuit (smooth >> exact perturbed tally)

            tally.Demand 0.3
        }

        for window in [ 1; 3 ] do
            test $"a window of {window} that does not reach step 1 says nothing of them" {
                let tally = Tally()

                forAll (cases 60 1000) RandomCircuits.anyCircuit (fun case ->
                    tally.Count()
                    let case = begins case

                    let asked () =
                        asked (
                            only
                                id
                                (trialEnd (TruncatedBpttRule(window, window) :> LearningRule))
                                case
                        )

                    // Of looks at the ends of windows that lie side by side the first alone reaches the start.
                    let first = asked ()

                    if size first < 1e-6 then
                        tally.Idle()

                    // The same with the errors of its steps alone.
                    let task = WhiteNoise case

                    let once = {
                        new ITask with
                            member _.Inputs = (task :> ITask).Inputs
                            member _.Outputs = (task :> ITask).Outputs
                            member _.MaxSteps = (task :> ITask).MaxSteps
                            member _.Events = (task :> ITask).Events

                            member _.Fill(trial, stream, into) =
                                (task :> ITask).Fill(trial, stream, into)

                                into.Mask
                                    .AsSpan(min into.Mask.Length (window * into.Outputs))
                                    .Clear()
                    }

                    let graph =
                        graphOnly
                            {
                                asDeclared with
                                    Initial = Some(trialEnd Rules.bptt)
                            }
                            case

                    let session = Session.Create(graph, once, int64 case.Seed)

                    let states () =
                        areasOf session |> Array.map session.InitialStates

                    let before = states ()
                    session.Run 1 |> ignore

                    let wanted =
                        Array.map2
                            (Array.map2 (fun (a: float) (b: float) -> (b - a) / rate))
                            before
                            (states ())

                    close "the first window alone" wanted first)

                tally.Demand 0.3
            }

        test "the local form is its definition" {
            let session = golden Rules.rflo
            let wanted = byDefinition ReferenceDataTests.golden (session.Replay 0)
            Numbers.isGreaterThan (norm wanted) 1e-3 "something is asked"
            close "RFLO" [| wanted |] (asked session)
        }

        for change, name in [ id, "any circuit"; adapting, "units with two states" ] do
            for memory in [ TraceMemory.AsUnit; TraceMemory.OwnJacobian ] do
                test
                    $"without recurrent weights a local rule with symmetric feedback is exact, {name}, {memory}" {
                    let tally = Tally()

                    forAll (cases 60 2000) RandomCircuits.anyCircuit (fun case ->
                        tally.Count()
                        let case = cut case

                        let local: LearningRule =
                            ThreeFactorRule(ErrorPath.Symmetric, Memory = memory)

                        let exact = asked (only change (trialEnd Rules.bptt) case)

                        if size exact < 1e-4 then
                            tally.Idle()

                        close "local" exact (asked (only change (trialEnd local) case))

                        let online = Plasticity(local, rate, UpdateSchedule.Online)
                        close "online" exact (asked (only change online case)))

                    tally.Demand 0.4
                }

        test "the memory of a trace may be its own" {
            let alpha = 0.3

            let rule =
                ThreeFactorRule(
                    ErrorPath.Symmetric,
                    Memory = TraceMemory.Given,
                    MemoryAlpha = alpha
                )

            let units = ReferenceDataTests.golden

            let other = {
                units with
                    Alpha = Array.map (fun _ -> alpha) units.Alpha
                    Feedback =
                        Array2D.init
                            (Array2D.length2 units.Readout)
                            (Array2D.length1 units.Readout)
                            (fun i k -> units.Readout[k, i])
            }

            let session = golden rule
            close "own" [| byDefinition other (session.Replay 0) |] (asked session)
        }

        test "their rates fall on a plateau" {
            let changes schedule =
                let plan = Plasticity(Rules.bptt, 1e-9, UpdateSchedule.TrialEnd, Rates = schedule)

                let session = goldenBy plan
                session.Stopping <- Stopping(Window = 1)
                let states () = session.InitialStates(AreaId 0)

                [|
                    for _ in 1..6 do
                        let before = states ()
                        session.Run 1 |> ignore
                        yield norm (Array.map2 (-) (states ()) before)
                |]

            let constant = changes LearningRateSchedule.Constant
            let falling = changes (PlateauRate(0.5, 1))

            // The loss of a trial that is always the same does not fall by a thousandth.
            let factors = Array.map2 (/) falling constant

            for found, wanted in Array.zip factors [| 1.0; 1.0; 0.5; 0.25; 0.125; 0.0625 |] do
                Numbers.isLessThan (abs (found - wanted)) 1e-3 $"%A{factors}"
        }

        test "trials side by side give the credit before step 1 that they give one after the other" {
            for delay in 1..3 do
                let random = Random delay
                let units = 16

                let drawn n =
                    Array.init n (fun _ -> random.NextDouble() - 0.5)

                let builder = GraphBuilder()

                let plan = Plasticity(Rules.bptt, 0.5, UpdateSchedule(UpdateTime.TrialEnd, 4))

                let area =
                    builder.AddArea(
                        AreaSpec(
                            Name = "a",
                            Units = units,
                            Alpha = Array.create units 0.3,
                            InitialRates = drawn units,
                            InitialPlasticity = plan
                        )
                    )

                let readout = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

                builder.AddProjection(
                    ProjectionSpec(
                        Name = "a->a",
                        Source = Source.Area(area, delay),
                        Target = Target.Area area,
                        Synapses = Synapses.Dense(drawn (units * units))
                    )
                )
                |> ignore

                builder.AddProjection(
                    ProjectionSpec(
                        Name = "a->y",
                        Source = Source.Area area,
                        Target = Target.Readout readout,
                        Synapses = Synapses.Dense(drawn units)
                    )
                )
                |> ignore

                let graph = builder.Build()
                let targets = Array.init 6 (fun _ -> drawn 1)
                let task = Networks.Given([||], targets, (fun trial -> 3 + trial % 4))

                let run forms =
                    let session = Session.Create(graph, task, 1L, Precision.Double, forms)
                    session.Run 8 |> ignore
                    session

                let alone = run (Forms.Eager &&& ~~~Forms.Lanes)
                let beside = run Forms.Eager
                Numbers.isGreaterThan beside.TrialsBeside 0 "side by side"

                Numbers.isLessThan
                    (norm (Array.map2 (-) (alone.InitialStates area) (beside.InitialStates area)))
                    1e-12
                    $"delay {delay}"
        }

        test "learning them lowers the loss where weights are frozen" {
            for rule in [ Rules.bptt; Rules.rtrl; Rules.local; whole 2 ] do
                let session = goldenBy (Plasticity(rule, 0.5, UpdateSchedule.TrialEnd))
                session.Run 200 |> ignore

                Numbers.isLessThan
                    session.Metrics.Losses[199]
                    (0.95 * session.Metrics.Losses[0])
                    $"{rule}"
        }

        test "a rate of 0 changes nothing, bit for bit" {
            for rule in [ Rules.bptt; Rules.rtrl; Rules.rflo; whole 2 ] do
                let session = small (Plasticity(rule, 0.0, UpdateSchedule.TrialEnd))
                let before = session.InitialStates(AreaId 0)
                session.Run 5 |> ignore

                LawTests.expectSameBits (Rules.name rule) [| before |] [|
                    session.InitialStates(AreaId 0)
                |]
        }

        test "initial states that are set are those that a trial begins with" {
            let session = small (Plasticity(Rules.bptt, 0.0, UpdateSchedule.TrialEnd))
            let first = session.Replay(0).Rates
            session.SetInitialStates(AreaId 0, [| 1.0; -1.0; 0.5; 0.25 |])
            Expect.equal (session.InitialStates(AreaId 0)) [| 1.0; -1.0; 0.5; 0.25 |] "as set"
            Expect.notEqual (session.Replay(0).Rates) first "another trial"
        }

        test "what cannot be set is refused" {
            let session = small (trialEnd Rules.bptt)

            Expect.throwsT<ArgumentException>
                (fun () -> session.SetInitialStates(AreaId 0, [| 1.0 |]))
                "units"

            Expect.throwsT<ArgumentOutOfRangeException>
                (fun () -> session.SetInitialStates(AreaId 0, [| 1.0; nan; 0.0; 0.0 |]))
                "NaN"

            let other =
                sessionWith asDeclared {
                    Circuit = RandomCircuits.one 3 (2.0, 8.0)
                    Task = {
                        Lengths = [ 4 ]
                        Masked = false
                        Events = 0
                    }
                    Seed = 1
                }

            Expect.throwsT<ArgumentException>
                (fun () -> other.SetInitialStates(AreaId 0, [| 0.0; 0.0; 0.0 |]))
                "not learned"
        }

        test "areas and rules without a form for them are refused" {
            let spec = areaSpec asDeclared 0 (RandomCircuits.one 3 (2.0, 8.0)).Areas.Head

            let refused what (area: AreaSpec) =
                Expect.throwsT<ArgumentException>
                    (fun () -> GraphBuilder().AddArea area |> ignore)
                    what

            for rule: LearningRule in
                [
                    StochasticRule InfluenceFactors.RankOne :> LearningRule
                    KernlRule 0.1
                    ThreeFactorRule(ErrorPath.Feedback, Third = ThirdFactor.TaskReward)
                    ThreeFactorRule(ErrorPath.Feedback, Memory = TraceMemory.None)
                ] do
                refused (string rule) (Remade.Area(spec, initial = trialEnd rule))

            refused
                "winners"
                (Remade.Area(spec, dynamics = Dynamics.WinnerTakeAll, initial = trialEnd Rules.bptt))

            refused
                "carried over"
                (AreaSpec(
                    Name = "a",
                    Units = 1,
                    Alpha = [| 0.5 |],
                    InitialRates = [| 0.0 |],
                    InitialPolicy = InitialPolicy.CarriedOver,
                    InitialPlasticity = trialEnd Rules.bptt
                ))
        }
    ]
