/// What operators declare is what they do, and forms are chosen by it alone.
module Rflo.Core.Tests.PlanTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

// ---- what is declared is what is read -----------------------------------------------------------

let private hide (numbers: Span<float>) =
    let saved = numbers.ToArray()
    numbers.Fill nan
    saved

let private show (saved: float[]) (numbers: Span<float>) = saved.AsSpan().CopyTo numbers

let private rowOf (afferents: Afferents<float>) (segment: Segment) unit : Span<float> =
    afferents.Weights.Dense.Row(unit, afferents.DenseStride).Slice(segment.Offset, segment.Width)

/// The weights of a projection, for as long as an action runs, are no numbers.
let private withoutWeights (afferents: Afferents<float>) (segment: Segment) action =
    if isNull segment.Sparse then
        let saved = [|
            for unit in 0 .. afferents.Rows - 1 -> hide (rowOf afferents segment unit)
        |]

        action ()

        saved
        |> Array.iteri (fun unit numbers -> show numbers (rowOf afferents segment unit))
    else
        let block = afferents.Weights.Sparse[afferents.Place segment]
        let saved = hide (block.AsSpan())
        action ()
        show saved (block.AsSpan())

/// A learning stage of a trial in which every buffer that no operator of the stage declares to read holds no number.
let private blindly (network: Network<float>) (operators: PlanOperator list) step action =
    let reads =
        set [
            for one in operators do
                for read in one.Reads -> read.Buffer
        ]

    let mutable run = action

    let hiding buffer (around: (unit -> unit) -> unit) =
        if not (Set.contains buffer reads) then
            let inner = run
            run <- fun () -> around inner

    let targets = [
        for area in network.Areas -> area.Afferents
        for readout in network.Readouts -> readout.Afferents
    ]

    for afferents in targets do
        for segment in afferents.Segments do
            hiding $"weights of {segment.Spec.Name}" (withoutWeights afferents segment)

    for readout in network.Readouts do
        hiding $"errors of {readout.Spec.Name}" (fun inner ->
            let saved = hide (readout.Error step)
            inner ()
            show saved (readout.Error step))

        hiding $"outputs of {readout.Spec.Name}" (fun inner ->
            let saved = hide (readout.Output step)
            inner ()
            show saved (readout.Output step))

    for area in network.Areas do
        hiding $"slopes of {area.Spec.Name}" (fun inner ->
            let saved = hide (area.Post step)
            inner ()
            show saved (area.Post step))

    run ()

/// What a rule collects of a trial, with what it does not declare to read hidden from it or not.
let private collected (form: AllRules.Form) case isHidden =
    let task: ITask = WhiteNoise case

    let network =
        Network<float>(
            graphWith (AllRules.learningAs form 1.0) case.Circuit,
            task.MaxSteps,
            task.Events,
            int64 case.Seed
        )

    let mutable blocks = Array.zeroCreate 0

    let learners =
        Learners.Passive(
            network,
            form.Rule,
            (if form.Schedule.IsStepwise then
                 UpdateTime.Online
             else
                 UpdateTime.TrialEnd),
            &blocks
        )

    let operators = List.ofSeq learners.Operators

    let ofStages stages =
        operators |> List.filter (fun one -> List.contains one.Stage stages)

    let inSteps = ofStages [ PlanStage.ObserveStep; PlanStage.ApplyStep ]
    let atEnd = ofStages [ PlanStage.ObserveTrial; PlanStage.ApplyTrial ]

    let during (stage: PlanOperator list) step action =
        if isHidden then
            blindly network stage step action
        else
            action ()

    task.Fill(0, RandomStream.OfTrial(int64 case.Seed, "task", 0L), network.Trial)
    let steps = network.Trial.Steps
    network.Begin(0L, 0)
    learners.Begin(0, steps)

    for step in 1..steps do
        network.Step step
        during inSteps step (fun () -> learners.Step step)

    network.End()
    during atEnd steps (fun () -> learners.End steps)

    [|
        for block in blocks do
            if block.HasValue then
                let struct (plastic, _) = block.Value
                let store = nonNull plastic.Collected
                yield! store.Dense.Span.ToArray()
                yield! Array.concat store.Sparse
    |],
    operators

let private truthfulIn
    (form: AllRules.Form)
    (seen: Collections.Generic.HashSet<string>)
    (tally: Tally)
    (case: Case)
    =
    tally.Count()

    let case =
        if AllRules.needsNoise form.Rule then
            {
                case with
                    Circuit.Areas =
                        case.Circuit.Areas |> List.map (fun area -> { area with Noise = 0.3 })
            }
        else
            case

    let expected, operators = collected form case false
    let found, _ = collected form case true

    if Array.exists (fun x -> not (Double.IsFinite x)) expected || norm expected = 0.0 then
        tally.Idle()
    else
        seen.Add form.Name |> ignore

        // Padding may hold anything that is no number; what exists is the same to the bit.
        for k in 0 .. expected.Length - 1 do
            if expected[k] <> 0.0 then
                Expect.equal found[k] expected[k] $"{form.Name}, number {k}: {operators}"

/// In some of the forms that rules have.
let private truthful seen tally (case: Case) =
    for form in AllRules.every 8 case.Seed AllRules.ways do
        truthfulIn form seen tally case

// ---- the plans of known circuits ----------------------------------------------------------------

/// Two areas that drive each other, one of which sends to a readout.
let private two =
    let plain = RandomCircuits.plain

    {
        RandomCircuits.one 30 (2.0, 8.0) with
            Areas =
                (RandomCircuits.one 30 (2.0, 8.0)).Areas
                @ (RandomCircuits.one 24 (2.0, 8.0)).Areas
            Inputs = []
            Projections = [
                plain (Rates(0, 1)) (Onto 0) 1
                plain (Rates(1, 2)) (Onto 0) 2
                plain (Rates(0, 1)) (Onto 1) 3
                plain (Rates(0, 1)) (Read 0) 4
            ]
            Feedbacks = [ 0, 0, true; 0, 1, true ]
    }

let private steps = 6

let private task: ITask = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = steps
        member _.Events = 0

        member _.Fill(trial, _, into) =
            for t in 1..steps do
                into.Targets[t - 1] <- sin (float (t + trial))
}

/// A session in which projections onto the first area learn by one rule, that onto the second by another, and the readout at
/// ends of trials.
let private session forms first second =
    let setup = {
        asDeclared with
            Plasticity =
                fun k ->
                    match k with
                    | 0
                    | 1 -> Plasticity(first, 0.05, UpdateSchedule.Online)
                    | 2 -> Plasticity(second, 0.05, UpdateSchedule.Online)
                    | _ -> Plasticity(Rules.rflo, 0.05, UpdateSchedule.TrialEnd)
    }

    Session.Create(graphWith setup two, task, 1L, Precision.Double, forms)

let private waits = "online updates made at the end of the trial"

/// Whether the updates of the first area wait, and why.
let private first (plan: Plan) =
    plan.Choices |> Seq.find (fun choice -> choice.Form = waits)

[<Tests>]
let tests =
    testList "plans" [
        test "rules read nothing that their operators do not declare" {
            let tally, seen = Tally(), Collections.Generic.HashSet<string>()
            forAll (cases 400 10000) RandomCircuits.anyCircuit (truthful seen tally)
            tally.Demand 0.3

            for form in AllRules.ways do
                Expect.contains seen form.Name "was met"
        }

        test "updates wait where no other operator touches the weights, whatever rules there are" {
            let rtrl: LearningRule = RtrlRule()
            let kernl: LearningRule = KernlRule 0.1

            let snap: LearningRule =
                ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian)

            for other, isWaiting, why in
                [
                    Rules.rflo, true, "presynaptic signals are at least 2 x 6 steps"
                    kernl, true, "presynaptic signals are at least 2 x 6 steps"
                    // It reads the self-connections of its own area alone.
                    snap, true, "presynaptic signals are at least 2 x 6 steps"
                    rtrl, false, "influence of every weight reads the weights of"
                    StochasticRule InfluenceFactors.RankOne, false, "tangent of the states reads"
                    TruncatedBpttRule(3, 2), false, "backward pass of a window reads"
                ] do
                let fast = session Forms.All Rules.rflo other
                let choice = first fast.Plan
                Expect.equal choice.IsChosen isWaiting $"{other}: {choice}"
                Expect.stringContains choice.Why why $"{other}"
                let plain = session Forms.None Rules.rflo other
                Expect.isFalse (plain.Plan.Has waits) "the plain plan has no form"
                fast.Run 4 |> ignore
                plain.Run 4 |> ignore

                Numbers.isLessThan
                    (Experiments.apart (Experiments.resultOf plain) (Experiments.resultOf fast))
                    1e-10
                    $"{other}"
        }

        test "a plan lists operators by their stages, each with what it reads and writes" {
            let plan = (session Forms.None Rules.rflo Rules.rflo).Plan
            let stages = [ for one in plan.Operators -> one.Stage ]
            Expect.equal stages (List.sort stages) "in order"

            let written =
                set [
                    for one in plan.Operators do
                        yield! one.Writes
                ]

            for one in plan.Operators do
                Expect.isNonEmpty one.Writes one.Name

                for read in one.Reads do
                    let isGiven =
                        [
                            "weights of"
                            "inputs"
                            "targets"
                            "the constant 1"
                            "time constants of"
                            "rewards"
                            "events"
                        ]
                        |> List.exists (fun given -> read.Buffer.StartsWith given)

                    Expect.isTrue
                        (isGiven || Set.contains read.Buffer written)
                        $"{one.Name} reads {read}, which nothing writes"
        }
    ]
