/// Units with states of their own: the core's units once more as models, and models with two states against finite differences, against
/// definitions and across every rule.
module Rflo.Core.Tests.UnitModelTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let private noisy (area: AreaSpec) = Remade.Area(area, noise = 0.2)

let private setup form change = {
    asDeclared with
        Plasticity = fun _ -> AllRules.plasticity form 0.02
        Area = fun _ area -> change (noisy area)
}

let private resultOf precision setup (case: Case) =
    let session =
        Session.Create(graphWith setup case.Circuit, WhiteNoise case, int64 case.Seed, precision)

    let status = session.Run 4

    status.End,
    [|
        for index in 0 .. case.Circuit.Projections.Length - 1 do
            yield! session.Weights(ProjectionId index)
        yield! session.Metrics.CopyLosses() |> Array.filter Double.IsFinite
    |]

/// A circuit whose areas have models in the place of the core's units learns what it learns with those.
let private isTwin precision tolerance twin forms (tally: Tally) (case: Case) =
    tally.Count()
    let random = Random case.Seed
    let forms: AllRules.Form list = forms
    let form = forms[random.Next forms.Length]
    let finish, own = resultOf precision (setup form id) case

    if finish <> RunEnd.Completed || norm own > 1e3 || GradientTests.isNearKink case 0 then
        tally.Idle()
    else
        let _, model = resultOf precision (setup form twin) case

        Numbers.isLessThanOrEqual
            (norm (Array.map2 (-) own model))
            (tolerance * (1.0 + norm own))
            $"{form.Name}"

/// Traces whose memory is not the unit's.
let private ofOwnMemory = [
    for memory in
        [
            TraceMemory.Given
            TraceMemory.None
            TraceMemory.WholeTrial
        ] do
        for schedule in [ UpdateSchedule.Online; UpdateSchedule.TrialEnd ] do
            ({
                Name = $"memory {memory}, {schedule.Time}"
                Rule = ThreeFactorRule(ErrorPath.Symmetric, Memory = memory, MemoryAlpha = 0.3)
                Schedule = schedule
                Optimizer = Optimizer.Plain
                Clip = Clip.None
                Rates = LearningRateSchedule.Constant
            }
            : AllRules.Form)
]

let private forms =
    ofOwnMemory
    @ (AllRules.all |> List.filter (fun form -> UnitModels.allows form.Rule))

/// Two states have twice the random numbers of one, and more norm.
let private drawing =
    forms |> List.filter (fun form -> not (AllRules.draws form.Rule))

let private adapting plasticity = {
    asDeclared with
        Plasticity = plasticity
        Area = fun _ area -> UnitModels.asAdapting area
}

let private learning rule schedule =
    adapting (fun _ -> Plasticity(rule, 0.1, schedule))

let private declared = learning Rules.bptt UpdateSchedule.TrialEnd

/// BPTT and RTRL have the gradient of finite differences.
let private isExact (tally: Tally) case =
    tally.Count()
    let session = sessionWith declared case
    let bptt = GradientTests.increments session case 1 Rules.bptt UpdateTime.TrialEnd
    let rtrl = GradientTests.increments session case 1 Rules.rtrl UpdateTime.TrialEnd
    let loss = session.Replay(1).Loss

    if norm (List.map norm bptt) < 1e-4 then
        tally.Idle()

    for index, b, r in List.zip3 (plastic case) bptt rtrl do
        GradientTests.expectClose 1e-10 "BPTT and RTRL" index b r

        GradientTests.expectSlope
            loss
            index
            b
            (GradientTests.differences session 1 (ProjectionId index))

let private isSame name one other (tally: Tally) case =
    tally.Count()
    let session = sessionWith declared case

    let increments (rule, time) =
        GradientTests.increments session case 0 rule time

    let first, second = increments one, increments other

    if norm (List.map norm first) < 1e-6 then
        tally.Idle()

    for index, a, b in List.zip3 (plastic case) first second do
        GradientTests.expectClose 1e-10 name index a b

let private feedforward =
    RandomCircuits.feedforward (fun case -> not case.Circuit.Projections.IsEmpty)

/// One area of such units whose own connections are from each unit to itself.
let private selfConnected draw rule time =
    let random = Random(draw: int)
    let units = 4
    let builder = GraphBuilder()

    let area =
        AreaSpec(
            Name = "a",
            Units = units,
            Alpha = Array.init units (fun _ -> 0.2 + 0.7 * random.NextDouble()),
            InitialRates = Array.init units (fun _ -> gaussian random),
            Model = UnitModels.adapting
        )
        |> builder.AddArea

    let input = builder.AddInput(InputSpec("x", 2))
    let output = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 2))

    let values count =
        Array.init count (fun _ -> gaussian random)

    let project name source target synapses plastic =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = synapses,
            Plasticity =
                (if plastic then
                     Plasticity(rule, 0.1, UpdateSchedule time)
                 else
                     null)
        )
        |> builder.AddProjection
        |> ignore

    let self =
        Array.init (units * units) (fun k -> if k / units = k % units then gaussian random else 0.0)

    let exists = Array.init (units * units) (fun k -> k / units = k % units)
    project "self" (Source.Area area) (Target.Area area) (DenseSynapses(self, exists)) true
    project "x->a" (Source.Input input) (Target.Area area) (Synapses.Dense(values (2 * units))) true

    project
        "a->y"
        (Source.Area area)
        (Target.Readout output)
        (Synapses.Dense(values (2 * units)))
        false

    let task =
        Networks.Given(
            Array.init 9 (fun _ -> values 2),
            Array.init 9 (fun _ -> values 2),
            (fun _ -> 9)
        )

    (Session.Create(builder.Build(), task, 1L)).Increments(0, rule, time)
    |> Seq.choose Option.ofObj
    |> Array.concat

/// What a run leaves when it is cut and restored in its middle.
let private resumes (tally: Tally) (case: Case) =
    tally.Count()
    let random = Random case.Seed
    let form = forms[random.Next forms.Length]

    let declared = {
        setup form id with
            Area =
                fun _ area ->
                    UnitModels.asAdapting (
                        Remade.Area(area, noise = 0.2, start = InitialPolicy.CarriedOver)
                    )
    }

    let session () = sessionWith declared case
    let whole, first, second = session (), session (), session ()
    let finish = whole.Run 5
    first.Run 2 |> ignore
    second.Restore(first.Capture())
    second.Run 3 |> ignore

    if finish.End <> RunEnd.Completed then
        tally.Idle()
    else
        for index in 0 .. case.Circuit.Projections.Length - 1 do
            Expect.isTrue
                (sameBits (whole.Weights(ProjectionId index)) (second.Weights(ProjectionId index)))
                form.Name

        Expect.isTrue
            (sameBits (whole.Replay(7).Outputs) (second.Replay(7).Outputs))
            "states go on where they were"

let private one (model: UnitModel) =
    AreaSpec(
        Name = "cortex",
        Units = 3,
        Alpha = Array.create 3 0.2,
        InitialRates = Array.zeroCreate 3,
        Model = model
    )

/// An area of such units that learns from one input, with one output.
let private small (model: UnitModel) rule =
    let builder = GraphBuilder()
    let area = builder.AddArea(one model)
    let input = builder.AddInput(InputSpec("x", 1))
    let output = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    let project name source target count =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = Synapses.Dense(Array.init count (fun k -> 1.5 * cos (float k))),
            Plasticity = Plasticity(rule, 0.1, UpdateSchedule.Online)
        )
        |> builder.AddProjection
        |> ignore

    project "x->cortex" (Source.Input input) (Target.Area area) 3
    project "cortex" (Source.Area area) (Target.Area area) 9
    project "cortex->y" (Source.Area area) (Target.Readout output) 3
    builder.AddFeedback(FeedbackSpec(Readout = output, Area = area, Matrix = [| 1.0; -1.0; 0.5 |]))
    builder.Build()

let private driven =
    Networks.Given(
        Array.init 40 (fun t -> [| 3.0 + sin (float t) |]),
        Array.init 40 (fun t -> [| 0.5 + 0.5 * cos (float t) |]),
        (fun _ -> 40)
    )

/// RFLO on leaky integrate-and-fire units by plain loops: the weights of the input and of the area after a trial.
let private spiking threshold dampening eta =
    let alpha, steps = 0.2, 40
    let wx = Array.init 3 (fun k -> 1.5 * cos (float k))
    let w = Array.init 9 (fun k -> 1.5 * cos (float k))
    let out = Array.init 3 (fun k -> 1.5 * cos (float k))
    let feedback = [| 1.0; -1.0; 0.5 |]
    let ofInput, ofUnits = Array.zeroCreate 3, Array.zeroCreate 9
    let mutable v, z = Array.zeroCreate<float> 3, Array.zeroCreate<float> 3

    for t in 0 .. steps - 1 do
        let x, target = 3.0 + sin (float t), 0.5 + 0.5 * cos (float t)

        let next =
            Array.init 3 (fun i ->
                let u = wx[i] * x + Seq.sum (seq { for j in 0..2 -> w[3 * i + j] * z[j] })
                (1.0 - alpha) * v[i] + alpha * u - threshold * z[i])

        for i in 0..2 do
            ofInput[i] <- (1.0 - alpha) * ofInput[i] + alpha * x

            for j in 0..2 do
                ofUnits[3 * i + j] <- (1.0 - alpha) * ofUnits[3 * i + j] + alpha * z[j]

        v <- next
        z <- v |> Array.map (fun v -> if v >= threshold then 1.0 else 0.0)
        let error = target - Seq.sum (seq { for i in 0..2 -> out[i] * z[i] })
        let scale = eta / float steps

        for i in 0..2 do
            let slope =
                dampening / threshold * max 0.0 (1.0 - abs (v[i] - threshold) / threshold)

            wx[i] <- wx[i] + scale * feedback[i] * error * slope * ofInput[i]

            for j in 0..2 do
                w[3 * i + j] <-
                    w[3 * i + j] + scale * feedback[i] * error * slope * ofUnits[3 * i + j]

            out[i] <- out[i] + scale * error * z[i]

    wx, w, out

let private refusal text build =
    try
        build () |> ignore
        failtestf "nothing was refused; expected %s" text
    with :? ArgumentException as e ->
        Expect.stringContains e.Message text "the message"

let private failing at =
    UnitModels.model
        "failing"
        [ "v" ]
        (fun unit ->
            if unit.Current > at then
                failwith "no such current"

            unit.A[0, 0] <- 1.0 - unit.Alpha
            unit.C[0] <- unit.Alpha
            unit.State[0] <- (1.0 - unit.Alpha) * unit.Before[0] + unit.Alpha * unit.Current)
        (fun unit ->
            unit.G[0] <- 1.0
            unit.State[0])

/// The same input and target in so many steps; takes no memory.
type private Steady(steps) =
    interface ITask with
        member _.Inputs = 1
        member _.Outputs = 1
        member _.MaxSteps = steps
        member _.Events = 0

        member _.Fill(_, _, into) =
            into.Steps <- steps

            for t in 0 .. steps - 1 do
                into.Inputs[t] <- 3.0
                into.Targets[t] <- 0.5

[<Tests>]
let tests =
    testList "unit models" [
        for name, twin, forms in
            [
                "one state", UnitModels.twin, forms
                "two states", UnitModels.twinOfTwo, drawing
            ] do
            test $"of {name}: the core's own units, under every rule" {
                let tally = Tally()

                forAll
                    (cases 300 5000)
                    RandomCircuits.anyCircuit
                    (isTwin Precision.Double 1e-9 twin forms tally)

                tally.Demand 0.4
            }

        test "the core's own units, in single precision" {
            let tally = Tally()

            forAll
                (cases 60 1000)
                RandomCircuits.anyCircuit
                (isTwin Precision.Single 2e-3 UnitModels.twinOfTwo drawing tally)

            tally.Demand 0.5
        }

        test "with states that act on each other: BPTT = RTRL = finite differences" {
            let tally = Tally()
            forAll (cases 100 3000) RandomCircuits.anyCircuit (isExact tally)
            tally.Demand 0.3
        }

        for name, rule: LearningRule in
            [
                "RFLO", Rules.rflo
                "local symmetric", Rules.local
                "SnAp-1", ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian)
                "a given memory",
                ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.Given, MemoryAlpha = 0.3)
                "no memory", ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.None)
                "memory of the whole trial",
                ThreeFactorRule(
                    ErrorPath.Symmetric,
                    Memory = TraceMemory.WholeTrial,
                    PreAlpha = 0.4
                )
            ] do
            test $"{name}: traces and the filter backward learn the same" {
                let tally = Tally()

                forAll
                    (cases 60 2000)
                    RandomCircuits.anyCircuit
                    (isSame name (rule, UpdateTime.Online) (rule, UpdateTime.TrialEnd) tally)

                tally.Demand 0.7
            }

        test "without connections between units, traces are the gradient" {
            let tally = Tally()

            forAll
                (cases 60 2000)
                feedforward
                (isSame
                    "RFLO and BPTT"
                    (Rules.local, UpdateTime.Online)
                    (Rules.bptt, UpdateTime.TrialEnd)
                    tally)

            tally.Demand 0.5
        }

        test "with connections of each unit to itself, SnAp-1 is the gradient" {
            let snap = ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian)

            for draw in 1 .. cases 20 200 do
                let exact = selfConnected draw Rules.rtrl UpdateTime.TrialEnd
                let local = selfConnected draw snap UpdateTime.Online
                Numbers.isLessThan (relative exact local) 1e-12 $"draw {draw}"

                Numbers.isGreaterThan
                    (relative exact (selfConnected draw Rules.local UpdateTime.Online))
                    1e-3
                    "RFLO is not"
        }

        test "a window over the whole trial makes truncated BPTT exact" {
            let tally = Tally()

            forAll
                (cases 60 2000)
                RandomCircuits.anyCircuit
                (isSame
                    "windows"
                    (TruncatedBpttRule(1000, 1000), UpdateTime.TrialEnd)
                    (Rules.bptt, UpdateTime.TrialEnd)
                    tally)

            tally.Demand 0.7
        }

        test "a run that is cut goes on with the same bits, states included" {
            let tally = Tally()
            forAll (cases 60 2000) RandomCircuits.anyCircuit (resumes tally)
            tally.Demand 0.3
        }

        test "leaky integrate-and-fire units learn by RFLO what plain loops learn" {
            let graph = small (LeakyIntegrateAndFire(0.8, 0.4)) Rules.rflo
            let session = Session.Create(graph, driven, 1L)
            session.Run 1 |> ignore
            let wx, w, out = spiking 0.8 0.4 0.1
            Numbers.isLessThan (relative wx (session.Weights(ProjectionId 0))) 1e-12 "of the input"
            Numbers.isLessThan (relative w (session.Weights(ProjectionId 1))) 1e-12 "of the area"

            Numbers.isLessThan
                (relative out (session.Weights(ProjectionId 2)))
                1e-12
                "of the readout"

            let spikes = session.Replay(0).Rates[0]
            Expect.equal (Array.distinct spikes |> Array.sort) [| 0.0; 1.0 |] "spikes"
            let rest = small (LeakyIntegrateAndFire(0.8, 0.0)) Rules.rflo
            let silent = Session.Create(rest, driven, 1L)
            silent.Run 1 |> ignore

            Expect.equal
                (silent.Weights(ProjectionId 1))
                (Array.init 9 (fun k -> 1.5 * cos (float k)))
                "no slope, no learning"
        }

        test "a step of a session with spiking units allocates nothing" {
            for rule in [ Rules.rflo; Rules.rtrl ] do
                for model: UnitModel in
                    [
                        LeakyIntegrateAndFire() :> UnitModel
                        UnitModels.adapting
                    ] do
                    let allocated steps =
                        let session = Session.Create(small model rule, Steady steps, 1L)
                        session.Run 20 |> ignore
                        let before = GC.GetAllocatedBytesForCurrentThread()
                        session.Run 100 |> ignore
                        GC.GetAllocatedBytesForCurrentThread() - before

                    // A trial may take some; a longer one takes no more.
                    Numbers.isLessThan
                        (allocated 200 - allocated 20)
                        (100L * 180L)
                        $"{rule}, {model}"
        }

        test "a trial begins where the area and the model say" {
            let graph = small UnitModels.adapting Rules.rflo
            let session = Session.Create(graph, driven, 1L)

            for k in 0..1 do
                session.SetWeights(ProjectionId k, Array.zeroCreate (if k = 0 then 3 else 9))

            // v(0) = 0 and a(0) = 0.2, without a current.
            let v, a = -0.2 * 0.7 * 0.2, 0.8 * 0.2
            let expected = tanh (v - 0.5 * tanh a ** 2.0)

            for i in 0..2 do
                Expect.floatClose Accuracy.veryHigh (session.Replay(0).Rates[0][i]) expected "r(1)"
        }

        test "a state that is not finite ends the run, though no spike shows it" {
            let broken =
                UnitModels.model "broken" [ "v"; "w" ] (fun unit -> unit.State[1] <- nan) (fun _ ->
                    0.0)

            let status = Session.Create(small broken Rules.rflo, driven, 1L).Run 3
            Expect.equal status.End RunEnd.Diverged "the end"
            Expect.equal status.Step 1 "the step"
        }

        test "a model that throws ends the run by name, with the state of the last whole trial" {
            let session = Session.Create(small (failing 5.9) Rules.rflo, driven, 1L)

            let all () =
                Array.collect (fun k -> session.Weights(ProjectionId k)) [| 0..2 |]

            let before = all ()
            let status = session.Run 3
            Expect.equal status.End RunEnd.Failed "the end"
            Numbers.isGreaterThan status.Step 1 "a step before it learned"
            Expect.stringContains status.Where "the unit model of area cortex" "whose"
            Expect.stringContains status.Where "no such current" "what it said"
            Expect.isTrue (sameBits before (all ())) "nothing changed"
            Expect.equal session.TrialsDone 0 "trials"
        }

        test "what a model cannot have is refused with what to do" {
            let add area = GraphBuilder().AddArea area
            let lif = LeakyIntegrateAndFire()

            for text, build in
                [
                    "a model takes their place",
                    fun () -> add (Remade.Area(one lif, dynamics = Dynamics.CurrentForm))
                    "has no use for the transfer function Relu",
                    fun () -> add (Remade.Area(one lif, transfer = Transfer.Relu))
                    "the threshold is 0; it must be finite and more than 0",
                    fun () -> add (one (LeakyIntegrateAndFire 0.0))
                    "the number of states of the unit model of cortex is 0",
                    fun () -> add (one (UnitModels.model "none" [] ignore (fun _ -> 0.0)))
                    "every one needs a name of its own",
                    fun () ->
                        add (one (UnitModels.model "twice" [ "v"; "v" ] ignore (fun _ -> 0.0)))
                    "where a begins is NaN",
                    fun () ->
                        add (
                            one (
                                PointwiseUnits(
                                    "nan",
                                    [ "v"; "a" ],
                                    ignore,
                                    (fun _ -> 0.0),
                                    Initial = [| nan |]
                                )
                            )
                        )
                    "time constants do not learn under the unit model",
                    fun () ->
                        add (
                            Remade.Area(
                                one lif,
                                tau = Plasticity(Rules.bptt, 0.1, UpdateSchedule.TrialEnd)
                            )
                        )
                ] do
                refusal text build

            refusal "KeRNL is defined for units with one state" (fun () ->
                (Session.Create(small lif Rules.rflo, driven, 1L))
                    .Increments(0, KernlRule 0.1, UpdateTime.Online))

            refusal "KeRNL is defined for units with one state" (fun () ->
                small lif (KernlRule 0.1))

            refusal "Oja's term" (fun () ->
                small lif (ThreeFactorRule(ErrorPath.Feedback, Post = PostSignal.Rate, Oja = true)))

            refusal "no function or mean shapes it" (fun () ->
                small lif (ThreeFactorRule(ErrorPath.Feedback, PostShaping = Shaping 0.1)))
        }

        test "states are recorded where they are asked for, and give the rates" {
            let tally = Tally()

            let recorded (area: AreaSpec) (change: AreaSpec -> AreaSpec) =
                let changed = change area

                AreaSpec(
                    Name = changed.Name,
                    Units = changed.Units,
                    Alpha = changed.Alpha,
                    Transfer = changed.Transfer,
                    Dynamics = changed.Dynamics,
                    Model = changed.Model,
                    Noise = changed.Noise,
                    InitialPolicy = changed.InitialPolicy,
                    InitialRates = changed.InitialRates,
                    InitialSpread = changed.InitialSpread,
                    RecordsStates = true
                )

            forAll (cases 30 300) RandomCircuits.anyCircuit (fun case ->
                let shown change =
                    let session =
                        sessionWith
                            {
                                asDeclared with
                                    Area = fun _ area -> change area
                            }
                            case

                    session.Run 2 |> ignore
                    session.Test 1

                let plain = shown UnitModels.asAdapting
                let found = shown (fun area -> recorded area UnitModels.asAdapting)
                tally.Count()
                Expect.isTrue (plain.States |> Seq.forall (fun states -> states.Count = 0)) "off"

                for area in 0 .. found.States.Count - 1 do
                    Expect.isTrue (sameBits plain.Rates[area] found.Rates[area]) "the same rates"
                    Expect.equal found.States[area].Count 2 "two states"

                    for k in 0 .. found.Rates[area].Length - 1 do
                        let v, a = found.States[area].[0].[k], found.States[area].[1].[k]
                        let positive = Math.Tanh(max 0.0 a)

                        Expect.equal
                            (Math.Tanh(v - 0.5 * positive * positive))
                            found.Rates[area].[k]
                            "the rate"

                if found.Rates |> Seq.forall (fun rates -> norm rates < 1e-6) then
                    tally.Idle())

            tally.Demand 0.5

            refusal "no state beside their rates" (fun () ->
                GraphBuilder()
                    .AddArea(
                        AreaSpec(
                            Name = "a",
                            Units = 1,
                            Alpha = [| 0.5 |],
                            InitialRates = [| 0.0 |],
                            RecordsStates = true
                        )
                    ))
        }
    ]
