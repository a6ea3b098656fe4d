/// The memory of a session is that of its plan: a plan that is made without a session has the buffers of the session, and a session takes their bytes.
module Rflo.Core.Tests.MemoryTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// Bytes that a session takes for its arrays. A sketch has the same objects and none of the arrays, but for their first values.
let private ofArrays create =
    let taken () =
        let before = GC.GetAllocatedBytesForCurrentThread()
        let session: Session = create ()
        float (GC.GetAllocatedBytesForCurrentThread() - before), session

    let ofSketch () =
        let scope = Storage.Sketch()

        try
            fst (taken ())
        finally
            scope.Dispose()

    taken () |> ignore
    ofSketch () |> ignore
    let all, session = taken ()
    all, all - ofSketch (), session

/// Bytes that are no arrays of a plan: what makes first values, and sizes that a sketch notes.
let private mostBeside, shareBeside = 5e4, 0.07

let private lines (plan: Plan) = [
    for buffer in plan.Buffers ->
        $"{buffer.Part}: {buffer.Name}: {buffer.Purpose}, {buffer.Elements} numbers, {buffer.Bytes} bytes, {buffer.Lanes} lanes"
]

/// What making a session takes: its buffers without the declaration, and without lanes that are made with the first update.
let private held (plan: Plan) (lanes: TrialLanes) =
    let declared =
        plan.Buffers
        |> Seq.filter (fun buffer -> buffer.Part = "declaration")
        |> Seq.sumBy _.Bytes

    plan.Bytes
    - declared
    - (if lanes.Count > 1 then
           0L
       else
           plan.BytesOfLanes
           + (plan.Buffers
              |> Seq.filter (fun buffer -> buffer.Part = "lanes together")
              |> Seq.sumBy _.Bytes))

let private agree name graph (task: ITask) precision (lanes: TrialLanes) =
    let allocated, ofArrays, session =
        ofArrays (fun () -> Session.CreateInLanes(graph, task, 1L, precision, lanes))

    let plan = Plan.Of(graph, task, precision, lanes)
    Expect.equal (lines plan) (lines session.Plan) $"{name}: buffers"

    Expect.equal
        [ for one in plan.Choices -> string one ]
        [ for one in session.Plan.Choices -> string one ]
        $"{name}: forms"

    let bytes = float (held plan lanes)
    Numbers.isLessThanOrEqual bytes allocated $"{name}: no array is listed twice"

    Numbers.isGreaterThan
        bytes
        ((1.0 - shareBeside) * ofArrays - mostBeside)
        $"{name}: none is left out"

let private precisionOf (case: Case) =
    if case.Seed % 2 = 0 then
        Precision.Single
    else
        Precision.Double

/// Any rules, optimizers, schedules, dynamics, least squares, and what else a session can be given.
let private ofExperiment (experiment: RandomExperiments.Experiment) =
    let made =
        RandomExperiments.makeWith id {
            experiment with
                Probes = false
                Best = false
        }

    let session = made.Session
    agree "experiment" session.Graph session.Task session.Precision TrialLanes.One

/// Every rule, in every time of update and with every optimizer, alone, of units with two states, and in lanes.
let private ofForm (form: AllRules.Form) case =
    let setup = AllRules.learningAs form 0.01
    let graph, task = graphWith setup case.Circuit, WhiteNoise case
    agree form.Name graph task (precisionOf case) TrialLanes.One

    let lanes = TrialLanes(2 + case.Seed % 3)

    if lanes.Obstacles(graph, task).Count = 0 then
        agree $"{form.Name}, {lanes.Count} lanes" graph task (precisionOf case) lanes

    if
        UnitModels.allows form.Rule
        && case.Circuit.Areas
           |> List.forall (fun area -> area.Dynamics <> Dynamics.WinnerTakeAll)
    then
        let graph =
            graphWith
                {
                    setup with
                        Area = fun _ area -> UnitModels.asAdapting area
                }
                case.Circuit

        agree $"{form.Name}, two states" graph task (precisionOf case) TrialLanes.One

let private large = {
    // Rules of perturbations need noise.
    Circuit =
        let one = RandomCircuits.one 96 (5.0, 20.0)

        {
            one with
                Areas = [ for area in one.Areas -> { area with Noise = 0.1 } ]
        }
    Task = {
        Lengths = [ 60 ]
        Masked = false
        Events = 0
    }
    Seed = 1
}

/// The same circuit, of whose connections only the number is known.
let private sized (graph: Graph) =
    let builder = GraphBuilder(History = graph.History)

    for area in graph.Areas do
        builder.AddArea area |> ignore

    for input in graph.Inputs do
        builder.AddInput input |> ignore

    for readout in graph.Readouts do
        builder.AddReadout readout |> ignore

    for spec in graph.Projections do
        let isMasked =
            match spec.Synapses with
            | :? DenseSynapses as dense -> not (isNull dense.Exists)
            | _ -> false

        builder.AddProjection(
            ProjectionSpec(
                Name = spec.Name,
                Source = spec.Source,
                Target = spec.Target,
                Synapses =
                    Synapses.OfSize(
                        int64 spec.Synapses.Count,
                        (spec.Synapses :? SparseSynapses),
                        isMasked
                    ),
                Gate = spec.Gate,
                Plasticity = spec.Plasticity,
                Signs = spec.Signs,
                Lower = spec.Lower,
                Upper = spec.Upper,
                Decay = spec.Decay,
                L1 = spec.L1,
                L2 = spec.L2
            )
        )
        |> ignore

    for feedback in graph.Feedbacks do
        builder.AddFeedback feedback

    builder.Build()

/// Sizes alone give the same bytes but for what depends on which connections exist: panels of columns, and who shares a matrix.
let private ofSizes (form: AllRules.Form) case =
    let graph = graphWith (AllRules.learningAs form 0.01) case.Circuit
    let task = WhiteNoise case
    let whole = Plan.Of(graph, task, precisionOf case)
    let counted = Plan.Of(sized graph, task, precisionOf case)

    for purpose in Enum.GetValues<BufferPurpose>() do
        let expected, found = float (whole.BytesOf purpose), float (counted.BytesOf purpose)

        Numbers.isLessThanOrEqual
            (abs (found - expected))
            (0.05 * expected + 8192.0)
            $"{form.Name}, {purpose}: {found} for {expected} bytes"

let private huge units rule schedule =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "cortex",
                Units = units,
                Alpha = Array.create units 0.1,
                InitialRates = Array.zeroCreate units
            )
        )

    let readout = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    let add name source target pre post =
        builder.AddProjection(
            ProjectionSpec(
                Name = name,
                Source = source,
                Target = target,
                Synapses = Synapses.OfSize(int64 pre * int64 post, false, false),
                Plasticity = Plasticity(rule, 0.1, schedule)
            )
        )
        |> ignore

    add "cortex->cortex" (Source.Area(area, 1)) (Target.Area area) units units
    add "cortex->y" (Source.Area(area, 1)) (Target.Readout readout) units 1
    builder.AddFeedback(FeedbackSpec(Readout = readout, Area = area))
    builder.Build()

let private still steps = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = steps
        member _.Events = 0
        member _.Fill(_, _, _) = ()
}

[<Tests>]
let tests =
    testSequenced
    <| testList "memory" [
        test "a session takes the bytes of its plan, whatever it is given" {
            forAll (cases 60 2000) RandomExperiments.anyExperiment ofExperiment
        }

        test "a session takes the bytes of its plan, by every rule, optimizer and unit" {
            forAll
                (cases 30 1000)
                RandomCircuits.anyCircuit
                (AllRules.someOf 12 AllRules.all ofForm)
        }

        for form in AllRules.all do
            test $"of 96 units: {form.Name}" {
                for seed in [ 1; 2 ] do
                    ofForm form { large with Seed = seed }
            }

        test "sizes alone are enough for a plan" {
            forAll
                (cases 30 1000)
                RandomCircuits.anyCircuit
                (AllRules.someOf 12 AllRules.ways ofSizes)

            for form in AllRules.ways do
                ofSizes form large
        }

        test "a plan of 100,000 units takes no memory of them" {
            for rule, schedule, least in
                [
                    Rules.rflo, UpdateSchedule.Online, 2.0 * 8.0 * 1e10
                    Rules.bptt, UpdateSchedule.TrialEnd, 2.0 * 8.0 * 1e10
                    Rules.rtrl, UpdateSchedule.TrialEnd, 8.0 * 1e15
                ] do
                let graph = huge 100_000 rule schedule
                let before = GC.GetAllocatedBytesForCurrentThread()
                let plan = Plan.Of(graph, still 1000)
                let taken = GC.GetAllocatedBytesForCurrentThread() - before
                Numbers.isLessThan taken 20_000_000L $"{rule}: bytes for the plan"
                Numbers.isGreaterThan (float plan.Bytes) least $"{rule}: bytes in the plan"
                Numbers.isLessThan (float plan.Bytes) (1.2 * least + 2e11) $"{rule}: no more"
        }

        test "lanes share weights, so that there is room for them beside weights that fill it" {
            let schedule = UpdateSchedule(UpdateTime.TrialEnd, 4)
            let plan = Plan.Of(huge 20_000 Rules.bptt schedule, still 10)
            Numbers.isGreaterThan (plan.BytesOf BufferPurpose.Weights) (1L <<< 32) "weights"
            Numbers.isGreaterThan plan.BytesOfLanes 0L "lanes"
            let most = plan.Buffers |> Seq.map _.Lanes |> Seq.max
            Expect.equal most 5 "the session's own and one for each trial of an update"
        }

        test "no session is made of sizes alone" {
            let graph = huge 10 Rules.rflo UpdateSchedule.Online

            Expect.throwsC (fun () -> Session.Create(graph, still 10, 1L) |> ignore) (fun error ->
                Expect.stringContains
                    error.Message
                    "cortex->cortex: only the number of its connections is known"
                    "the reason")
        }

        test "more connections than there are pairs of units are refused" {
            let builder = GraphBuilder()

            let area =
                builder.AddArea(
                    AreaSpec(
                        Name = "a",
                        Units = 3,
                        Alpha = [| 1.0; 1.0; 1.0 |],
                        InitialRates = [| 0.0; 0.0; 0.0 |]
                    )
                )

            Expect.throwsC
                (fun () ->
                    builder.AddProjection(
                        ProjectionSpec(
                            Name = "a->a",
                            Source = Source.Area(area, 1),
                            Target = Target.Area area,
                            Synapses = Synapses.OfSize(10L, true, false)
                        )
                    )
                    |> ignore)
                (fun error ->
                    Expect.stringContains
                        error.Message
                        "a->a: the number of connections"
                        "the part")
        }
    ]
