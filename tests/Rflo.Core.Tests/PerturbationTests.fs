/// Circuits that are perturbed while they run: what each perturbation is, what it leaves alone, and that rules learn from it what they are.
module Rflo.Core.Tests.PerturbationTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

// ---- drawn perturbations ------------------------------------------------------------------------

/// One or more of so many units, each once; null for all.
let private someUnits (random: Random) count : int[] | null =
    if random.Next 3 = 0 then
        null
    else
        let order = Array.init count id
        random.Shuffle order
        Array.truncate (random.Next(1, count + 1)) order

let private countOf (graph: Graph) area (units: int[] | null) =
    match units with
    | null -> graph.Areas[area].Units
    | some -> some.Length

let private course (random: Random) count =
    match random.Next 3 with
    | 0 -> TimeCourse.Constant(gaussian random)
    | 1 -> TimeCourse.OfSteps(Array.init (random.Next(1, 5)) (fun _ -> gaussian random))
    | _ -> TimeCourse.OfUnits(Array.init (3 * count) (fun _ -> gaussian random), count)

let private window (random: Random) steps events =
    match random.Next 4 with
    | 0 -> PerturbationWindow.WholeTrial
    | 1 when events > 0 -> PerturbationWindow.AtEvent 0
    | 2 when events > 0 ->
        PerturbationWindow.After(0, random.Next(0, min 3 steps), random.Next(1, 4))
    | _ ->
        let from = random.Next(0, steps)
        PerturbationWindow.Between(from, random.Next(from + 1, steps + 1))

/// A perturbation of any kind that the circuit allows.
let private one (random: Random) (graph: Graph) window : PerturbationSpec =
    let area = random.Next graph.Areas.Count
    let units = someUnits random graph.Areas[area].Units
    let count = countOf graph area units
    let id = AreaId area
    let isWinner = graph.Areas[area].Dynamics = Dynamics.WinnerTakeAll

    match random.Next 7 with
    | 0 -> Silence(id, units, Window = window)
    | 1 -> Clamp(id, units, course random count, Window = window)
    | 2 -> Stimulate(id, units, course random count, Window = window)
    | 3 -> Stimulate(id, units, TimeCourse.Constant 0.2, Noise = 0.5, Window = window)
    | 4 when not isWinner ->
        KickStates(
            id,
            units,
            Array.init count (fun _ -> gaussian random),
            Adds = (random.Next 2 = 0),
            State = random.Next graph.Areas[area].StateCount,
            Window = window
        )
    | 5 when
        window.Kind = WindowKind.WholeTrial
        && graph.Areas[area].InitialPolicy <> InitialPolicy.CarriedOver
        ->
        Lesion(id, units)
    | _ ->
        ScaleProjection(
            ProjectionId(random.Next graph.Projections.Count),
            (if random.Next 3 = 0 then 0.0 else gaussian random),
            Window = window
        )

let with' (graph: Graph) (perturbations: PerturbationSpec seq) =
    Graph(
        graph.Areas,
        graph.Inputs,
        graph.Readouts,
        graph.Projections,
        graph.Feedbacks,
        Array.ofSeq perturbations
    )

/// Whether the circuit's rules can learn under a perturbation.
let private isAllowed (graph: Graph) (perturbation: PerturbationSpec) =
    try
        PerturbationRules.CheckTau(graph.Areas, [ perturbation ])

        for projection in graph.Projections do
            match projection.Plasticity with
            | null -> ()
            | plastic ->
                PerturbationRules.Check(
                    projection.Name,
                    plastic.Rule,
                    graph.Areas,
                    [ perturbation ]
                )

        true
    with :? ArgumentException ->
        false

/// One to three that act together.
let several (random: Random) (graph: Graph) steps events = [
    for _ in 1 .. random.Next(1, 4) do
        let drawn = one random graph (window random steps events)

        if isAllowed graph drawn then
            drawn
]

let private perturbed (case: Case) setup =
    let graph = graphWith setup case.Circuit
    let random = Random(case.Seed + 17)
    with' graph (several random graph (List.max case.Task.Lengths) case.Task.Events)

/// Without kinks, which differences of a loss do not pass.
let private smooth (case: Case) = {
    case with
        Circuit.Areas = [
            for area in case.Circuit.Areas ->
                {
                    area with
                        Transfer =
                            match area.Transfer with
                            | Transfer.Relu -> Transfer.Softplus
                            | Transfer.RectifiedTanh -> Transfer.Tanh
                            | other -> other
                }
        ]
}

/// Some areas with a unit model of two states.
let private mixed = {
    asDeclared with
        Area =
            fun index area ->
                if (index + area.Units) % 3 = 0 then
                    UnitModels.asAdapting area
                else
                    area
}

// ---- rules --------------------------------------------------------------------------------------

let private exactGradients (tally: Tally) (case: Case) =
    let case = smooth case
    let trial = 1
    tally.Count()
    let session = Session.Create(perturbed case mixed, WhiteNoise case, int64 case.Seed)

    let bptt =
        GradientTests.increments session case trial Rules.bptt UpdateTime.TrialEnd

    let rtrl =
        GradientTests.increments session case trial Rules.rtrl UpdateTime.TrialEnd

    let online =
        GradientTests.increments session case trial Rules.rtrl UpdateTime.Online

    let loss = session.Replay(trial).Loss

    let control =
        session.Test(
            trial,
            TestOptions(TrainingTrials = true, Exploration = true, Perturbed = false)
        )

    if
        norm (List.map norm bptt) < 1e-4
        || List.forall2
            sameBits
            (List.ofSeq (session.Replay(trial).Rates))
            (List.ofSeq control.Rates)
    then
        tally.Idle()

    for index, b, r, o in
        List.zip3 (plastic case) bptt rtrl
        |> List.map2 (fun o (i, b, r) -> i, b, r, o) online do
        GradientTests.expectClose 1e-10 "BPTT and RTRL" index b r
        GradientTests.expectClose 1e-10 "RTRL online and at the end" index o r

        GradientTests.expectSlope
            loss
            index
            b
            (GradientTests.differences session trial (ProjectionId index))

/// Circuits without a way from an area's units to areas, of which something onto an area learns.
let private feedforward =
    RandomCircuits.feedforward (fun case ->
        case.Circuit.Projections
        |> List.exists (fun projection ->
            projection.Plastic
            && (match projection.Target with
                | Onto _ -> true
                | Read _ -> false)))

let private localIsExact (tally: Tally) (case: Case) =
    tally.Count()
    let session = Session.Create(perturbed case mixed, WhiteNoise case, int64 case.Seed)

    let of' rule time =
        GradientTests.increments session case 0 rule time

    let exact = of' Rules.bptt UpdateTime.TrialEnd

    let snap: LearningRule =
        ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian)

    if norm (List.map norm exact) < 1e-6 then
        tally.Idle()

    for rule in [ Rules.local; snap ] do
        for time in [ UpdateTime.Online; UpdateTime.TrialEnd ] do
            for index, a, b in List.zip3 (plastic case) exact (of' rule time) do
                GradientTests.expectClose 1e-10 $"{rule}, {time}" index a b

/// Units whose only connections are from each to itself: SnAp-1 is exact there.
let private selfConnected (tally: Tally) draw =
    tally.Count()
    let random = Random(draw: int)
    let units = 3
    let builder = GraphBuilder()

    let spec =
        AreaSpec(
            Name = "a",
            Units = units,
            Alpha = Array.init units (fun _ -> 0.2 + 0.7 * random.NextDouble()),
            InitialRates = Array.init units (fun _ -> gaussian random),
            Dynamics =
                (if random.Next 2 = 0 then
                     Dynamics.Leaky
                 else
                     Dynamics.CurrentForm)
        )

    let area =
        builder.AddArea(
            if random.Next 3 = 0 then
                UnitModels.asAdapting spec
            else
                spec
        )

    let input = builder.AddInput(InputSpec("x", 2))
    let output = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 2))

    let values count =
        Array.init count (fun _ -> gaussian random)

    let plastic = Plasticity(Rules.bptt, 0.1, UpdateSchedule.TrialEnd)

    let project name source target synapses =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = synapses,
            Plasticity = plastic
        )
        |> builder.AddProjection
        |> ignore

    let exists = Array.init (units * units) (fun k -> k / units = k % units)

    let self =
        values (units * units) |> Array.mapi (fun k w -> if exists[k] then w else 0.0)

    project "self" (Source.Area area) (Target.Area area) (DenseSynapses(self, exists))
    project "x->a" (Source.Input input) (Target.Area area) (Synapses.Dense(values (2 * units)))
    project "a->y" (Source.Area area) (Target.Readout output) (Synapses.Dense(values (2 * units)))

    for drawn in several random (builder.Build()) 9 0 do
        builder.AddPerturbation drawn

    let task =
        Networks.Given(
            Array.init 9 (fun _ -> values 2),
            Array.init 9 (fun _ -> values 2),
            (fun _ -> 9)
        )

    let session = Session.Create(builder.Build(), task, 1L)

    let of' rule time =
        session.Increments(0, rule, time) |> Seq.map nonNull |> Array.concat

    let exact = of' Rules.rtrl UpdateTime.TrialEnd

    let snap: LearningRule =
        ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian)

    for time in [ UpdateTime.Online; UpdateTime.TrialEnd ] do
        GradientTests.expectClose 1e-10 $"SnAp-1, {time}" 0 exact (of' snap time)

// ---- what stays ---------------------------------------------------------------------------------

let private frozen (circuit: CircuitCase) = {
    circuit with
        Projections = [
            for projection in circuit.Projections -> { projection with Plastic = false }
        ]
}

/// Winner-take-all areas, models, noise, exploration.
let anyUnits seed = {
    asDeclared with
        Area =
            fun index area ->
                match (seed + index) % 4 with
                | 0 when area.Units > 1 ->
                    AreaSpec(
                        Name = area.Name,
                        Units = area.Units,
                        Alpha = area.Alpha,
                        Dynamics = Dynamics.WinnerTakeAll,
                        Noise = 0.3,
                        Explore = 0.3,
                        InitialPolicy = InitialPolicy.Reset,
                        InitialRates = Array.init area.Units (fun k -> if k = 0 then 1.0 else 0.0)
                    )
                | 1 -> UnitModels.asAdapting (Remade.Area(area, noise = 0.2))
                | _ -> area
}

let private rows width from until (values: float[]) =
    values[width * from .. width * until - 1]

/// Before the onset every bit is the same, of all that is shown and drawn every bit throughout, and without the window nothing changes.
let private streams (tally: Tally) precision (case: Case) =
    tally.Count()
    let graph = graphWith (anyUnits case.Seed) (frozen case.Circuit)
    let random = Random(case.Seed + 3)
    let longest = List.max case.Task.Lengths
    let from = random.Next longest
    let window = PerturbationWindow.Between(from, longest)
    let drawn = one random graph window

    let explored perturbed =
        TestOptions(Exploration = true, Perturbed = perturbed)

    let session perturbations =
        Session.Create(with' graph perturbations, WhiteNoise case, int64 case.Seed, precision)

    let acting, plain = session [ drawn ], session []

    for trial in 0..1 do
        let control = plain.Test(trial, explored true)
        let off = acting.Test(trial, explored false)
        let on = acting.Test(trial, explored true)
        let before = min from on.Steps

        Expect.isTrue
            (List.forall2 sameBits (List.ofSeq control.Rates) (List.ofSeq off.Rates))
            "left out"

        Expect.isTrue (sameBits control.Outputs off.Outputs) "left out of outputs"

        Expect.isTrue
            (sameBits control.Inputs on.Inputs && sameBits control.Targets on.Targets)
            "what is shown"

        for area in 0 .. graph.Areas.Count - 1 do
            let n = graph.Areas[area].Units

            Expect.isTrue
                (sameBits (rows n 0 before control.Rates[area]) (rows n 0 before on.Rates[area]))
                $"area {area} before the onset of {drawn}"

        Expect.isTrue
            (sameBits
                (rows graph.Outputs 0 before control.Outputs)
                (rows graph.Outputs 0 before on.Outputs))
            "outputs before the onset"

        if
            trial = 0
            && (before = on.Steps
                || List.forall2 sameBits (List.ofSeq control.Rates) (List.ofSeq on.Rates))
        then
            tally.Idle()

/// What is held is there, in the steps of the window and in no others.
let private held (tally: Tally) (case: Case) =
    tally.Count()
    let graph = graphWith (anyUnits case.Seed) (frozen case.Circuit)
    let random = Random(case.Seed + 3)
    let longest = List.max case.Task.Lengths
    let from = random.Next longest
    let until = random.Next(from + 1, longest + 1)
    let area = random.Next graph.Areas.Count
    let n = graph.Areas[area].Units
    let units = someUnits random n

    let some =
        match units with
        | null -> [| 0 .. n - 1 |]
        | some -> some

    let values = Array.init (3 * some.Length) (fun _ -> gaussian random)

    let clamp =
        Clamp(
            AreaId area,
            units,
            TimeCourse.OfUnits(values, some.Length),
            Window = PerturbationWindow.Between(from, until)
        )

    let session =
        Session.Create(with' graph [ clamp ], WhiteNoise case, int64 case.Seed)

    let shown = session.Test 0

    if shown.Steps <= from then
        tally.Idle()

    for t in from .. min until shown.Steps - 1 do
        for k, unit in Array.indexed some do
            Expect.equal
                shown.Rates[area].[t * n + unit]
                values[min (t - from) 2 * some.Length + k]
                $"row {t}, unit {unit}"

/// In no step behind the window is the signal what it was held at; a choice may be held longer.
let private released (case: Case) =
    let graph = graphWith (anyUnits case.Seed) (frozen case.Circuit)
    let until = max 1 (List.max case.Task.Lengths / 2)

    let clamp area window =
        Clamp(AreaId area, null, TimeCourse.Constant 7.0, Window = window)

    let window = PerturbationWindow.Between(0, until)

    let clamps: PerturbationSpec list = [
        for area in 0 .. graph.Areas.Count - 1 -> clamp area window
    ]

    let shown =
        (Session.Create(with' graph clamps, WhiteNoise case, int64 case.Seed)).Test 0

    for area in 0 .. graph.Areas.Count - 1 do
        if graph.Areas[area].Dynamics <> Dynamics.WinnerTakeAll then
            let n = graph.Areas[area].Units
            let later = rows n (min until shown.Steps) shown.Steps shown.Rates[area]
            Expect.all later (fun rate -> rate <> 7.0) $"area {area} behind step {until}"

/// Two units that forget half of their rate in a step and receive nothing.
let private fading (perturbation: PerturbationSpec) (events: int list) =
    let builder = GraphBuilder()

    AreaSpec(
        Name = "a",
        Units = 2,
        Alpha = [| 0.5; 0.5 |],
        Transfer = Transfer.Identity,
        InitialRates = [| 8.0; 0.0 |]
    )
    |> builder.AddArea
    |> ignore

    builder.AddPerturbation perturbation

    let task = {
        new ITask with
            member _.Inputs = 0
            member _.Outputs = 0
            member _.MaxSteps = 6
            member _.Events = 1

            member _.Fill(_, _, into) =
                for t in events do
                    into.Events[t - 1] <- true
    }

    let rates = (Session.Create(builder.Build(), task, 1L)).Test(0).Rates[0]
    [ for t in 0..5 -> rates[2 * t] ], [ for t in 0..5 -> rates[2 * t + 1] ]

// ---- circuits by hand ---------------------------------------------------------------------------

type private Wire = {
    Source: SourceCase
    Target: TargetCase
    Weights: float[,]
}

/// Areas with one kind of units each, two channels, a readout of two outputs that is fed back, everything connected.
type private Net = {
    Areas: AreaSpec list
    Wires: Wire list
    Feedback: float[,] list
}

let private drawNet (random: Random) kinds : Net =
    let areas = [
        for index in 0..1 ->
            let units = random.Next(2, 5)

            let spec =
                AreaSpec(
                    Name = $"area {index}",
                    Units = units,
                    Alpha = Array.init units (fun _ -> 0.2 + 0.8 * random.NextDouble()),
                    InitialRates = Array.init units (fun _ -> 0.3 * gaussian random)
                )

            match random.Next kinds with
            | 0 -> spec
            | 1 -> Remade.Area(spec, dynamics = Dynamics.CurrentForm, transfer = Transfer.Sigmoid)
            | 2 -> UnitModels.asAdapting spec
            | _ ->
                Remade.Area(
                    spec,
                    dynamics = Dynamics.WinnerTakeAll,
                    rates = Array.init units (fun k -> if k = 1 then 1.0 else 0.0)
                )
    ]

    let size =
        function
        | Rates(area, _) -> areas[area].Units
        | Channels _ -> 2
        | Fed _ -> 2
        | Bias -> 1

    let wire source target =
        let post =
            match target with
            | Onto area -> areas[area].Units
            | Read _ -> 2

        {
            Source = source
            Target = target
            Weights = Array2D.init post (size source) (fun _ _ -> 0.7 * gaussian random)
        }

    {
        Areas = areas
        Wires = [
            for target in 0..1 do
                wire (Channels 0) (Onto target)
                wire Bias (Onto target)
                wire (Fed(0, random.Next(1, 3))) (Onto target)

                for source in 0..1 do
                    wire (Rates(source, random.Next(1, 4))) (Onto target)

            for source in 0..1 do
                wire (Rates(source, 1)) (Read 0)
        ]
        Feedback = [
            for area in areas -> Array2D.init area.Units 2 (fun _ _ -> gaussian random)
        ]
    }

/// The net with some units of each area, and some wires; gives those that are there.
let private build (net: Net) (keep: int -> int[]) (isKept: Wire -> bool) rule schedule =
    let builder = GraphBuilder()

    let pick (units: int[]) (values: float[]) =
        units |> Array.map (fun unit -> values[unit])

    let areas = [
        for index, area in List.indexed net.Areas ->
            let units = keep index

            Remade.Area(
                area,
                units = units.Length,
                alpha = pick units area.Alpha,
                rates = pick units area.InitialRates
            )
            |> builder.AddArea
    ]

    let input = builder.AddInput(InputSpec("x", 2))
    let readout = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 2))

    for index in 0..1 do
        let units = keep index

        FeedbackSpec(
            Readout = readout,
            Area = areas[index],
            Matrix =
                flat (Array2D.init units.Length 2 (fun i k -> net.Feedback[index][units[i], k]))
        )
        |> builder.AddFeedback

    let kept = net.Wires |> List.filter isKept

    for place, wire in List.indexed kept do
        let all count = [| 0 .. count - 1 |]

        let source, pre =
            match wire.Source with
            | Rates(area, delay) -> Source.Area(areas[area], delay), keep area
            | Channels _ -> Source.Input input, all 2
            | Fed(_, delay) -> Source.Readout(readout, delay), all 2
            | Bias -> Source.One, all 1

        let target, post, isWinner =
            match wire.Target with
            | Onto area ->
                Target.Area areas[area],
                keep area,
                net.Areas[area].Dynamics = Dynamics.WinnerTakeAll
            | Read _ -> Target.Readout readout, all 2, false

        ProjectionSpec(
            Name = $"wire {place}",
            Source = source,
            Target = target,
            Synapses =
                Synapses.Dense(
                    [|
                        for i in post do
                            for j in pre -> wire.Weights[i, j]
                    |]
                ),
            Plasticity = (if isWinner then null else Plasticity(rule, 0.2, schedule))
        )
        |> builder.AddProjection
        |> ignore

    builder, kept

let private shown draw =
    let random = Random(draw + 1)
    let row () = Array.init 2 (fun _ -> gaussian random)
    Networks.Given(Array.init 24 (fun _ -> row ()), Array.init 24 (fun _ -> row ()), (fun _ -> 8))

let private learners: (LearningRule * UpdateSchedule) list = [
    Rules.rflo, UpdateSchedule.Online
    Rules.rflo, UpdateSchedule.TrialEnd
    ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian), UpdateSchedule.Online
    Rules.bptt, UpdateSchedule.TrialEnd
    TruncatedBpttRule(4, 2), UpdateSchedule.Online
    Rules.rtrl, UpdateSchedule.TrialEnd
    Rules.rtrl, UpdateSchedule.Online
    AllRules.rules |> List.find (fun one -> one.Name = "Hebb") |> _.Rule, UpdateSchedule.Online
    ThreeFactorRule(ErrorPath.Feedback, Memory = TraceMemory.None, Post = PostSignal.Current),
    UpdateSchedule.Online
]

let private run (graph: Graph) task =
    let session = Session.Create(graph, task, 1L)
    let status = session.Run 3
    Expect.equal status.End RunEnd.Completed (string status)
    session

let private expectSame what (a: float[]) (b: float[]) =
    Numbers.isLessThan (norm (Array.map2 (-) a b)) (1e-9 * (1.0 + norm a)) what

/// A circuit with units that are gone learns what the circuit without these units learns.
let private lesioned (tally: Tally) draw =
    tally.Count()
    let random = Random(draw: int)
    let net = drawNet random 4
    let rule, schedule = learners[random.Next learners.Length]
    let task = shown draw
    let gone = random.Next 2
    let all index = [| 0 .. net.Areas[index].Units - 1 |]
    // Two units of four may go; of two or three, one.
    let lost =
        Array.truncate
            (net.Areas[gone].Units / 2)
            (let order = all gone in
             random.Shuffle order
             order)

    let kept index =
        if index = gone then
            Array.except lost (all gone)
        else
            all index

    let whole, wires = build net all (fun _ -> true) rule schedule
    whole.AddPerturbation(Lesion(AreaId gone, lost))
    let reduced, _ = build net kept (fun _ -> true) rule schedule
    let a, b = run (whole.Build()) task, run (reduced.Build()) task

    expectSame "losses" (a.Metrics.CopyLosses()) (b.Metrics.CopyLosses())

    for place, wire in List.indexed wires do
        let pre, rows =
            let units =
                function
                | Rates(area, _) -> kept area
                | Channels _
                | Fed _ -> [| 0; 1 |]
                | Bias -> [| 0 |]

            units wire.Source,
            (match wire.Target with
             | Onto area -> kept area
             | Read _ -> [| 0; 1 |])

        let width = Array2D.length2 wire.Weights
        let learned = a.Weights(ProjectionId place)

        expectSame
            $"{rule}, wire {place}"
            [|
                for i in rows do
                    for j in pre -> learned[i * width + j]
            |]
            (b.Weights(ProjectionId place))

        for i in 0 .. Array2D.length1 wire.Weights - 1 do
            for j in 0 .. width - 1 do
                if not (Array.contains i rows && Array.contains j pre) then
                    Expect.equal learned[i * width + j] wire.Weights[i, j] "weights of what is gone"

/// A circuit with a projection that is cut learns what the circuit without it learns.
let private cut (tally: Tally) draw =
    tally.Count()
    let random = Random(draw: int)
    let net = drawNet random 4
    let rule, schedule = learners[random.Next learners.Length]
    let task = shown draw
    let all index = [| 0 .. net.Areas[index].Units - 1 |]
    let without = random.Next net.Wires.Length

    let whole, _ = build net all (fun _ -> true) rule schedule
    whole.AddPerturbation(ScaleProjection(ProjectionId without, 0.0))

    let reduced, _ =
        build
            net
            all
            (fun wire -> not (obj.ReferenceEquals(wire, net.Wires[without])))
            rule
            schedule

    let a, b = run (whole.Build()) task, run (reduced.Build()) task
    expectSame "losses" (a.Metrics.CopyLosses()) (b.Metrics.CopyLosses())

    for place in 0 .. net.Wires.Length - 2 do
        let own = if place < without then place else place + 1

        expectSame
            $"{rule}, wire {own}"
            (a.Weights(ProjectionId own))
            (b.Weights(ProjectionId place))

    Expect.equal
        (a.Weights(ProjectionId without))
        (flat net.Wires[without].Weights)
        "what is cut does not learn"

/// A projection that is scaled over whole trials is one whose weights are: activity and other increments are the same, its own are those
/// times the factor.
let private scaled (tally: Tally) draw =
    tally.Count()
    let random = Random(draw: int)
    let net = drawNet random 2
    let all index = [| 0 .. net.Areas[index].Units - 1 |]
    let place = random.Next net.Wires.Length
    let factor = 0.3 + random.NextDouble()
    let task = shown draw

    let create perturb =
        let builder, _ = build net all (fun _ -> true) Rules.bptt UpdateSchedule.TrialEnd

        if perturb then
            builder.AddPerturbation(ScaleProjection(ProjectionId place, factor))

        Session.Create(builder.Build(), task, 1L)

    let a, b = create true, create false

    b.SetWeights(
        ProjectionId place,
        b.Weights(ProjectionId place) |> Array.map (fun weight -> factor * weight)
    )

    expectSame "rates" (a.Replay(0).Rates |> Array.concat) (b.Replay(0).Rates |> Array.concat)

    for rule in
        [
            Rules.rflo
            Rules.bptt
            Rules.rtrl
            ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian)
            TruncatedBpttRule(4, 2)
            KernlRule 0.3
        ] do
        for time in
            [
                UpdateTime.TrialEnd
                if AllRules.canBeOnline rule then
                    UpdateTime.Online
            ] do
            let one, other = a.Increments(0, rule, time), b.Increments(0, rule, time)

            for k in 0 .. net.Wires.Length - 1 do
                let own = if k = place then factor else 1.0

                expectSame
                    $"{rule}, {time}, wire {k}"
                    (nonNull one[k])
                    (nonNull other[k] |> Array.map (fun x -> own * x))

/// A factor with another otherwise is that other one over whole trials, and their ratio where the perturbation acts; a test without
/// perturbations has the other one too.
let private otherwise (tally: Tally) draw =
    tally.Count()
    let random = Random(draw: int)
    let net = drawNet random 2
    let all index = [| 0 .. net.Areas[index].Units - 1 |]
    let place = ProjectionId(random.Next net.Wires.Length)
    let inside, outside = gaussian random, 0.3 + random.NextDouble()
    let window = window random 8 0
    let task = shown draw

    let create (perturbations: PerturbationSpec list) =
        let builder, _ = build net all (fun _ -> true) Rules.bptt UpdateSchedule.TrialEnd
        List.iter builder.AddPerturbation perturbations
        Session.Create(builder.Build(), task, 1L)

    let a =
        create [
            ScaleProjection(place, inside, Otherwise = outside, Window = window)
        ]

    let b =
        create [
            ScaleProjection(place, outside)
            ScaleProjection(place, inside / outside, Window = window)
        ]

    let rates (session: Session) = session.Replay(0).Rates |> Array.concat
    expectSame "rates" (rates a) (rates b)

    for rule in [ Rules.rflo; Rules.bptt; Rules.rtrl ] do
        let increments (session: Session) =
            session.Increments(0, rule, UpdateTime.TrialEnd)

        for k in 0 .. net.Wires.Length - 1 do
            expectSame $"{rule}, wire {k}" (nonNull (increments a).[k]) (nonNull (increments b).[k])

    let unperturbed (session: Session) =
        session.Test(0, TestOptions(Perturbed = false)).Rates |> Array.concat

    let always = create [ ScaleProjection(place, outside) ]
    let perturbed = always.Test(0, TestOptions()).Rates |> Array.concat
    expectSame "a test without perturbations" (unperturbed a) perturbed

/// What an area whose units are all clamped does to others, an input with the same course does.
let private replaced (tally: Tally) draw =
    tally.Count()
    let random = Random(draw: int)
    let units, steps = random.Next(1, 4), 8
    let delay = random.Next(1, 4)
    let values = Array.init (steps * units) (fun _ -> gaussian random)
    let start = Array.init units (fun _ -> gaussian random)
    let rule, schedule = learners[random.Next learners.Length]

    let w, v, out =
        Array.init (3 * units) (fun _ -> gaussian random),
        Array.init 9 (fun _ -> 0.5 * gaussian random),
        Array.init 3 (fun _ -> gaussian random)

    let kind = random.Next 2

    let graph (isInput: bool) =
        let builder = GraphBuilder()

        let area name n start dynamics =
            builder.AddArea(
                AreaSpec(
                    Name = name,
                    Units = n,
                    Alpha = Array.create n 0.4,
                    InitialRates = start,
                    Dynamics = dynamics
                )
            )

        let follower =
            area
                "follower"
                3
                (Array.zeroCreate 3)
                (if kind = 0 then Dynamics.Leaky else Dynamics.CurrentForm)

        let source =
            if isInput then
                Source.Input(builder.AddInput(InputSpec("x", units)))
            else
                Source.Area(area "leader" units start Dynamics.Leaky, delay)

        let readout = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

        FeedbackSpec(Readout = readout, Area = follower, Matrix = [| 0.5; -0.7; 1.1 |])
        |> builder.AddFeedback

        let project name source target weights =
            ProjectionSpec(
                Name = name,
                Source = source,
                Target = target,
                Synapses = Synapses.Dense weights,
                Plasticity = Plasticity(rule, 0.2, schedule)
            )
            |> builder.AddProjection
            |> ignore

        project "to" source (Target.Area follower) w
        project "within" (Source.Area follower) (Target.Area follower) v
        project "out" (Source.Area follower) (Target.Readout readout) out

        if not isInput then
            builder.AddPerturbation(Clamp(AreaId 1, null, TimeCourse.OfUnits(values, units)))

        builder.Build()

    let task inputs = {
        new ITask with
            member _.Inputs = inputs
            member _.Outputs = 1
            member _.MaxSteps = steps
            member _.Events = 0

            member _.Fill(trial, _, into) =
                for t in 1..steps do
                    into.Targets[t - 1] <- sin (float (t + trial))

                    for k in 0 .. inputs - 1 do
                        into.Inputs[(t - 1) * inputs + k] <-
                            if t - delay >= 1 then
                                values[(t - delay - 1) * units + k]
                            else
                                start[k]
    }

    let a, b = run (graph false) (task 0), run (graph true) (task units)
    expectSame "losses" (a.Metrics.CopyLosses()) (b.Metrics.CopyLosses())

    for place in 0..2 do
        expectSame
            $"{rule}, projection {place}"
            (a.Weights(ProjectionId place))
            (b.Weights(ProjectionId place))

// ---- forms, lanes, loops ------------------------------------------------------------------------

/// Every form that is legal gives the plain one's numbers.
let private forms (acted: int ref) precision tolerance (tally: Tally) (case: Case) =
    tally.Count()
    let random = Random case.Seed
    let case = if random.Next 3 > 0 then Experiments.tidy case else case
    let graph, case = Experiments.graphOf Experiments.anything case
    let drawn = several random graph (List.max case.Task.Lengths) case.Task.Events
    let graph = with' graph drawn
    let task = WhiteNoise case

    let run forms =
        let session = Session.Create(graph, task, int64 case.Seed, precision, forms)
        let status = session.Run 5
        status.End, Experiments.resultOf session

    let finish, plain = run Forms.None

    if
        finish <> RunEnd.Completed
        || Array.exists (fun (x: float[]) -> norm x > 1e3 || Double.IsNaN(norm x)) plain
        || List.isEmpty drawn
    then
        tally.Idle()
    else
        acted.Value <- acted.Value + drawn.Length

        for forms in [ Forms.Eager; Forms.All ] do
            let finish, fast = run forms
            Expect.equal finish RunEnd.Completed $"{forms}"

            Numbers.isLessThan
                (Experiments.apart plain fast)
                tolerance
                $"{forms} and the plain forms with %A{drawn}"

/// Trials of one update have the same bits side by side.
let private lanes (beside: int ref) (tally: Tally) (case: Case) =
    tally.Count()

    let case = {
        case with
            Circuit.Areas = [
                for area in case.Circuit.Areas ->
                    {
                        area with
                            Start = InitialPolicy.Random
                    }
            ]
    }

    let graph, case = Experiments.graphOf Experiments.batches case
    let random = Random(case.Seed + 29)
    let steps, events = List.max case.Task.Lengths, case.Task.Events
    let half = TrialChoice.Drawn(0.5, "half")

    let graph =
        with' graph [
            Silence(AreaId 0, null, Window = window random steps events, Trials = half)
            Stimulate(
                AreaId 0,
                null,
                TimeCourse.Constant 0.3,
                Noise = 0.4,
                Window = window random steps events,
                Trials = TrialChoice.Drawn 0.4
            )
            ScaleProjection(
                ProjectionId(random.Next graph.Projections.Count),
                -0.5,
                Window = window random steps events,
                Trials = half
            )
        ]

    let run forms threads =
        let session =
            Session.Create(graph, WhiteNoise case, int64 case.Seed, Precision.Double, forms)

        session.Threads <- threads
        session.Run 12 |> ignore

        if session.TrialsBeside > 0 then
            beside.Value <- beside.Value + 1

        RandomExperiments.known session

    let alone = run (Forms.Eager &&& ~~~Forms.Lanes) 1

    for threads in 1..2 do
        Expect.equal
            (RandomExperiments.differences alone (run Forms.Eager threads))
            []
            $"{threads} threads"

/// A task that marks event 0 where the output of the step before was positive.
let private watching steps = {
    new IClosedLoopTask with
        member _.Inputs = 1
        member _.Outputs = 1
        member _.MaxSteps = steps
        member _.Events = 1
        member _.Watches = []
        member _.StateLength = 0
        member _.SaveState _ = ()
        member _.RestoreState _ = ()
        member _.Fill(_, _, _) = ()

        member _.Before(now, trial) =
            trial.Inputs[now.Step - 1] <- 2.0 * sin (0.9 * float now.Step)
            trial.Events[now.Step - 1] <- now.Outputs[0] > 0.0
}

let private looped (window: PerturbationWindow) =
    let setup = {
        asDeclared with
            Plasticity = fun _ -> Plasticity(Rules.rflo, 0.1, UpdateSchedule.Online)
    }

    let circuit = {
        RandomCircuits.one 4 (1.0, 3.0) with
            Inputs = [ 1 ]
            Projections = [
                RandomCircuits.plain (Channels 0) (Onto 0) 3
                RandomCircuits.plain (Rates(0, 1)) (Read 0) 2
            ]
    }

    let graph =
        with' (graphWith setup circuit) [ Silence(AreaId 0, [| 1; 2 |], Window = window) ]

    let session = Session.Create(graph, watching 40, 1L)
    let recording = session.Test 0

    let isSilent t =
        recording.Rates[0].[t * 4 + 1] = 0.0 && recording.Rates[0].[t * 4 + 2] = 0.0

    [ for t in 0..39 -> isSilent t ],
    [
        for t in 0..39 -> t > 0 && recording.Outputs[t - 1] > 0.0
    ]

// ---- what is refused ----------------------------------------------------------------------------

let private small () =
    let builder = GraphBuilder()

    let area name dynamics start rates =
        builder.AddArea(
            AreaSpec(
                Name = name,
                Units = 3,
                Alpha = Array.create 3 0.5,
                InitialRates = rates,
                Dynamics = dynamics,
                InitialPolicy = start
            )
        )
        |> ignore

    area "a" Dynamics.Leaky InitialPolicy.Reset [| 0.0; 0.0; 0.0 |]
    area "b" Dynamics.WinnerTakeAll InitialPolicy.Reset [| 1.0; 0.0; 0.0 |]
    area "c" Dynamics.Leaky InitialPolicy.CarriedOver [| 0.0; 0.0; 0.0 |]
    builder

let private refused: (string * (unit -> PerturbationSpec)) list = [
    let a = AreaId 0
    let one = TimeCourse.Constant 1.0
    "the area of Silence is number 9, but", fun () -> Silence(AreaId 9)
    "is number 3, but", fun () -> Silence(a, [| 3 |])
    "each once", fun () -> Silence(a, [| 1; 1 |])
    "each once", fun () -> Silence(a, [||])
    "has 2 elements", fun () -> Clamp(a, null, TimeCourse.OfUnits([| 1.0; 2.0 |], 2))
    "must be finite", fun () -> Clamp(a, null, TimeCourse.Constant nan)
    "must be finite", fun () -> Stimulate(a, null, TimeCourse.Constant infinity)
    "at least 0", fun () -> Stimulate(a, null, one, Noise = -1.0)
    "or more whole steps", fun () -> Stimulate(a, null, TimeCourse.OfUnits([| 1.0; 2.0; 3.0 |], 2))
    "no state but its choice", fun () -> KickStates(AreaId 1, null, [| 1.0 |])
    "has 2 elements", fun () -> KickStates(a, null, [| 1.0; 2.0 |])
    "is number 1, but", fun () -> KickStates(a, null, [| 1.0 |], State = 1)
    "whole trials", fun () -> Lesion(a, null, Window = PerturbationWindow.Between(1, 2))
    "carried from trial", fun () -> Lesion(AreaId 2, null)
    "is number 0, but", fun () -> ScaleProjection(ProjectionId 0, 1.0)
    "has no step", fun () -> Silence(a, null, Window = PerturbationWindow.Between(4, 4))
    "has no step", fun () -> Silence(a, null, Window = PerturbationWindow.Between(-1, 4))
    "at least 0", fun () -> Silence(a, null, Window = PerturbationWindow.AtEvent -1)
    "in [0, 1]", fun () -> Silence(a, null, Trials = TrialChoice.Drawn 1.5)
]

let private draws = Arb.fromGen (Gen.choose (1, 1000000))

[<Tests>]
let tests =
    testList "perturbations" [
        test "BPTT, RTRL and finite differences agree while circuits are perturbed" {
            let tally = Tally()
            forAll (cases 200 5000) RandomCircuits.anyCircuit (exactGradients tally)
            tally.Demand 0.6
        }

        test "local rules are exact where nothing that they leave out is there, perturbed or not" {
            let tally = Tally()
            forAll (cases 80 2000) feedforward (localIsExact tally)
            tally.Demand 0.6
        }

        test "SnAp-1 is exact for units that are connected with themselves only, perturbed or not" {
            let tally = Tally()
            forAll (cases 60 2000) draws (selfConnected tally)
        }

        for precision in [ Precision.Double; Precision.Single ] do
            test $"before its onset no bit changes, and no draw at all, {precision}" {
                let tally = Tally()
                forAll (cases 150 5000) RandomCircuits.anyCircuit (streams tally precision)
                tally.Demand 0.5
            }

        test "what is held is there" {
            let tally = Tally()
            forAll (cases 60 2000) RandomCircuits.anyCircuit (held tally)
            tally.Demand 0.5
        }

        test "what was held is free again behind the window" {
            forAll (cases 60 2000) RandomCircuits.anyCircuit released
        }

        test "a kick acts once in a window, at the end of its first step, each time that it begins" {
            let a = AreaId 0
            let window = PerturbationWindow.Between(2, 5)

            Expect.equal
                (fading (KickStates(a, null, [| 1.0; 2.0 |], Window = window)) [])
                ([ 4.0; 2.0; 2.0; 1.0; 0.5; 0.25 ], [ 0.0; 0.0; 2.0; 1.0; 0.5; 0.25 ])
                "added"

            Expect.equal
                (fading (KickStates(a, [| 1 |], [| 1.0 |], Adds = false, Window = window)) [])
                ([ 4.0; 2.0; 1.0; 0.5; 0.25; 0.125 ], [ 0.0; 0.0; 1.0; 0.5; 0.25; 0.125 ])
                "set"

            let events = PerturbationWindow.AtEvent 0

            Expect.equal
                (fading (KickStates(a, [| 1 |], [| 1.0 |], Window = events)) [ 1; 2; 5 ])
                ([ 4.0; 2.0; 1.0; 0.5; 0.25; 0.125 ], [ 1.0; 0.5; 0.25; 0.125; 1.0625; 0.53125 ])
                "twice"
        }

        test "units that are gone are those of a circuit without them" {
            forAll (cases 150 3000) draws (lesioned (Tally()))
        }

        test "a projection that is cut is that of a circuit without it" {
            forAll (cases 150 3000) draws (cut (Tally()))
        }

        test "a factor holds where the perturbation acts, and the other one otherwise" {
            forAll (cases 60 2000) draws (otherwise (Tally()))
        }

        test "a projection that is scaled is one whose weights are" {
            forAll (cases 60 2000) draws (scaled (Tally()))
        }

        test "an area that is clamped is an input with that course" {
            forAll (cases 60 2000) draws (replaced (Tally()))
        }

        test "every legal form gives the plain one's numbers" {
            let tally, acted = Tally(), ref 0

            forAll
                (cases 120 8000)
                RandomCircuits.anyCircuit
                (forms acted Precision.Double 1e-8 tally)

            tally.Demand 0.5

            forAll
                (cases 25 2000)
                RandomCircuits.anyCircuit
                (forms acted Precision.Single 2e-3 (Tally()))
        }

        test "every legal form of an area that receives its own rates only" {
            let window = PerturbationWindow.Between(3, 6)

            let acting: PerturbationSpec list = [
                Silence(AreaId 0, [| 0; 2 |], Window = window)
                Clamp(AreaId 0, [| 1 |], TimeCourse.Constant 0.7, Window = window)
                KickStates(AreaId 0, [| 3 |], [| 0.5 |], Adds = false, Window = window)
                ScaleProjection(ProjectionId 0, 0.4, Window = window)
                ScaleProjection(ProjectionId 1, 0.4, Window = window)
            ]

            for perturbation in acting do
                for rule, schedule in learners do
                    let setup = learning rule schedule 0.3
                    let graph = graphWith setup (RandomCircuits.one 5 (2.0, 8.0))
                    let graph = with' graph [ perturbation ]

                    let task =
                        Networks.Given(
                            Array.create 9 [||],
                            Array.init 9 (fun t -> [| sin (float t) |]),
                            (fun _ -> 9)
                        )

                    let run forms =
                        let session = Session.Create(graph, task, 1L, Precision.Double, forms)
                        session.Run 4 |> ignore
                        Experiments.resultOf session

                    Numbers.isLessThan
                        (Experiments.apart (run Forms.None) (run Forms.Eager))
                        1e-12
                        $"{perturbation}, {rule}, {schedule.Time}"
        }

        test "trials of one update have the same bits side by side" {
            let beside = ref 0
            forAll (allCases 30 2000) RandomCircuits.anyCircuit (lanes beside (Tally()))
            Numbers.isGreaterThan beside.Value 25 "sessions whose trials ran side by side"
        }

        test "a function that chooses trials is called on one thread" {
            let graph =
                graphWith
                    {
                        asDeclared with
                            Plasticity =
                                fun _ ->
                                    Plasticity(
                                        Rules.bptt,
                                        0.1,
                                        UpdateSchedule(UpdateTime.TrialEnd, 4)
                                    )
                    }
                    (RandomCircuits.one 6 (2.0, 8.0))

            let of' trials =
                with' graph [ Silence(AreaId 0, [| 0 |], Trials = trials) ]

            let task = watching 5

            Expect.stringContains
                (SideBySide.Obstacle(
                    of' (TrialChoice.Where(fun _ -> true)),
                    Networks.Given([||], [||], (fun _ -> 1))
                 )
                 |> string)
                "function"
                ""

            Expect.isNull
                (SideBySide.Obstacle(
                    of' (TrialChoice.Drawn 0.5),
                    Networks.Given([||], [||], (fun _ -> 1))
                ))
                "draws"

            ignore task
        }

        test "a closed loop's events perturb as it marks them" {
            let silent, marked = looped (PerturbationWindow.AtEvent 0)
            Expect.equal silent marked "the steps that are marked"
            Expect.isTrue (List.contains true marked && List.contains false marked) "some"
            let silent, _ = looped (PerturbationWindow.After(0, 2, 3))
            let _, marked = looped (PerturbationWindow.After(0, 2, 3))
            let onset = List.findIndex id marked

            Expect.equal
                silent
                [ for t in 0..39 -> t >= onset + 2 && t < onset + 5 ]
                "after the first"
        }

        test "trials are drawn as often as said, the same for the same key, or chosen" {
            let graph = graphWith asDeclared (frozen (RandomCircuits.one 3 (2.0, 8.0)))

            let acts trials =
                let session =
                    Session.Create(
                        with' graph [
                            Clamp(AreaId 0, null, TimeCourse.Constant 0.5, Trials = trials)
                        ],
                        Networks.Given([||], [| [| 0.0 |] |], (fun _ -> 1)),
                        3L
                    )

                [
                    for trial in 0..199 -> session.Replay(trial).Rates[0] = Array.create 3 0.5
                ]

            let count = acts (TrialChoice.Drawn 0.3) |> List.filter id |> List.length
            // Four standard deviations of a binomial count.
            Expect.isTrue (abs (float count - 60.0) < 26.0) $"{count} of 200"

            Expect.equal
                (acts (TrialChoice.Drawn(0.3, "k")))
                (acts (TrialChoice.Drawn(0.3, "k")))
                "one key"

            Expect.notEqual
                (acts (TrialChoice.Drawn(0.3, "k")))
                (acts (TrialChoice.Drawn 0.3))
                "two keys"

            Expect.equal
                (acts (TrialChoice.Where(fun trial -> trial % 3 = 0)))
                [ for trial in 0..199 -> trial % 3 = 0 ]
                "chosen"

            Expect.allEqual (acts (TrialChoice.Drawn 0.0)) false "none"
        }

        test
            "the noise of a stimulus has its deviation, and no draw of another stimulus or of an area" {
            let builder = GraphBuilder()

            for name, noise in [ "a", 0.0; "b", 0.0; "c", 0.5 ] do
                AreaSpec(
                    Name = name,
                    Units = 2,
                    Alpha = [| 1.0; 1.0 |],
                    Transfer = Transfer.Identity,
                    Noise = noise,
                    InitialRates = [| 0.0; 0.0 |]
                )
                |> builder.AddArea
                |> ignore

            let zero = TimeCourse.Constant 0.0
            builder.AddPerturbation(Stimulate(AreaId 0, null, zero, Noise = 0.5))
            builder.AddPerturbation(Stimulate(AreaId 1, [| 0 |], zero, Noise = 0.5))
            builder.AddPerturbation(Stimulate(AreaId 1, [| 1 |], zero, Noise = 0.5))
            let task = Networks.Given([||], Array.create 400 [||], (fun _ -> 400))
            let rates = (Session.Create(builder.Build(), task, 3L)).Test(0).Rates

            let series = [
                for area in rates do
                    for unit in 0..1 -> [| for t in 0..399 -> area[2 * t + unit] |]
            ]

            for one in series do
                // Five standard errors of 400 draws.
                Expect.isTrue (abs (norm one / 20.0 - 0.5) < 0.09) $"deviation {norm one / 20.0}"

            for a in 0..5 do
                for b in 0 .. a - 1 do
                    let product = Array.map2 (*) series[a] series[b] |> Array.average
                    Expect.isTrue (abs product < 0.0625) $"series {a} and {b}: {product}"
        }

        test "a function that throws ends a run, which is as it was" {
            let setup = {
                asDeclared with
                    Plasticity = fun _ -> Plasticity(Rules.rflo, 0.1, UpdateSchedule.Online)
            }

            let graph = graphWith setup (RandomCircuits.one 3 (2.0, 8.0))

            let session trials =
                Session.Create(
                    with' graph [ Silence(AreaId 0, [| 0 |], Trials = trials) ],
                    Networks.Given([||], Array.create 6 [| 1.0 |], (fun _ -> 3)),
                    3L
                )

            let failing =
                session (
                    TrialChoice.Where(fun trial -> if trial = 2 then failwith "not two" else true)
                )

            let status = failing.Run 4
            Expect.equal (status.End, status.Trial) (RunEnd.Failed, 2) ""
            Expect.stringContains status.Where "the trials of a perturbation: not two" ""
            let whole = session TrialChoice.All
            whole.Run 2 |> ignore

            Expect.equal
                (failing.Weights(ProjectionId 0))
                (whole.Weights(ProjectionId 0))
                "two trials"
        }

        test "what has no meaning is refused, with its name" {
            for said, make in refused do
                let message =
                    try
                        (small ()).AddPerturbation(make ())
                        "nothing"
                    with :? ArgumentException as refusal ->
                        refusal.Message

                Expect.stringContains message said $"{said}"

            let graph = graphWith asDeclared (frozen (RandomCircuits.one 3 (2.0, 8.0)))

            let task = Networks.Given([||], Array.create 6 [| 1.0 |], (fun _ -> 6))

            let create (window: PerturbationWindow) () =
                Session.Create(with' graph [ Silence(AreaId 0, null, Window = window) ], task, 1L)
                |> ignore

            Expect.throwsT<ArgumentOutOfRangeException>
                (create (PerturbationWindow.AtEvent 0))
                "no such event"

            Expect.throwsT<ArgumentOutOfRangeException>
                (create (PerturbationWindow.Between(6, 7)))
                "beyond the trial"

            create (PerturbationWindow.Between(5, 7)) ()
        }

        test "KeRNL and time constants that learn are refused where states are held" {
            let add setup perturbation () =
                let builder = GraphBuilder()
                addTo builder setup (RandomCircuits.one 3 (2.0, 8.0)) |> ignore
                builder.AddPerturbation perturbation
                builder.Build() |> ignore

            let kernl = learning (KernlRule 0.1) UpdateSchedule.Online 0.1

            let tau = {
                asDeclared with
                    Tau = Some(Plasticity(Rules.bptt, 0.1, UpdateSchedule.TrialEnd))
            }

            let kick adds =
                KickStates(AreaId 0, null, [| 1.0 |], Adds = adds)

            for setup, perturbation in
                [
                    kernl, (Silence(AreaId 0) :> PerturbationSpec)
                    kernl, kick false
                    tau, Silence(AreaId 0)
                    tau, kick true
                ] do
                Expect.throwsT<ArgumentException> (add setup perturbation) $"{perturbation}"

            add kernl (kick true) ()
            add tau (Stimulate(AreaId 0, null, TimeCourse.Constant 1.0)) ()
        }
    ]
