/// Whichever form of a calculation runs, the same numbers: every form that is legal, against the plain one.
module Rflo.Core.Tests.FormTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let private single = [
    Forms.Deferred
    Forms.Ahead
    Forms.Products
    Forms.Blocks
    Forms.WholePass
    Forms.OneColumn
    Forms.AnswersAtEnd
    Forms.SharedRows
    Forms.Direct
    Forms.Beside
    Forms.OneSource
]

/// Larger areas, and trials about half as long as the first of them has presynaptic signals: thresholds lie there.
let private resized (case: Case) =
    let random = Random(case.Seed + 3)
    let largest = if random.Next 5 = 0 then 60 else 20

    let areas =
        case.Circuit.Areas
        |> List.map (fun area -> {
            area with
                Units =
                    if random.Next 3 = 0 then
                        area.Units
                    else
                        random.Next(5, largest)
        })

    let half = max 2 (areas.Head.Units / 2)

    {
        case with
            Circuit.Areas = areas
            Task.Lengths =
                case.Task.Lengths |> List.map (fun length -> max 2 (half + length % 7 - 3))
    }

/// The first area by itself: it receives from itself alone, and readouts receive from it.
let private isolated (case: Case) =
    let projections =
        case.Circuit.Projections
        |> List.filter (fun projection ->
            match projection.Source, projection.Target with
            | Rates(0, _), Read _
            | Bias, Read _ -> true
            | _ -> false)

    {
        case with
            Circuit.Areas = [ case.Circuit.Areas.Head ]
            Circuit.Projections =
                {
                    RandomCircuits.plain (Rates(0, 1)) (Onto 0) case.Seed with
                        Gain = 0.8
                }
                :: projections
            Circuit.Feedbacks = case.Circuit.Feedbacks |> List.filter (fun (_, area, _) -> area = 0)
    }

/// The fast forms that a session has, by name.
let private chosen graph (task: ITask) forms =
    let plan = Session.Create(graph, task, 1L, Precision.Double, forms).Plan

    set [
        for one in plan.Operators do
            if one.Form <> "" then
                if
                    one.Name.StartsWith "trace and update"
                    && one.Reads
                       |> Seq.exists (fun read -> read.Buffer = "sensitivities and memories")
                then
                    $"KeRNL: {one.Form}"
                else
                    one.Form

        for choice in plan.Choices do
            if choice.IsChosen then
                choice.Form
    ]

/// In how many sessions each fast form was.
type private Met = Collections.Generic.Dictionary<string, int>

let private times (met: Met) name =
    match met.TryGetValue name with
    | true, count -> count
    | _ -> 0

let private agree (met: Met) precision tolerance (tally: Tally) (case: Case) =
    let random = Random case.Seed
    let case = if random.Next 3 > 0 then Experiments.tidy case else case
    let case = if random.Next 2 = 0 then resized case else case
    let case = if random.Next 6 = 0 then isolated case else case

    let kind =
        if random.Next 5 = 0 then
            Experiments.simple
        else
            Experiments.anything

    // Where nothing learns in the steps, outputs may wait.
    let graph, case =
        if random.Next 8 = 0 then
            let rule = if random.Next 2 = 0 then Rules.bptt else Rules.rflo
            graphWith (learning rule UpdateSchedule.TrialEnd 0.05) case.Circuit, case
        else
            Experiments.graphOf kind case

    let task = WhiteNoise case

    let run forms =
        let session = Session.Create(graph, task, int64 case.Seed, precision, forms)
        let status = session.Run 5
        status.End, Experiments.resultOf session

    tally.Count()
    let finish, plain = run Forms.None

    // Where weights have grown, rounding grows with them.
    if
        finish <> RunEnd.Completed
        || Array.exists (fun (x: float[]) -> norm x > 1e3 || Double.IsNaN(norm x)) plain
    then
        tally.Idle()
    else
        for forms in
            [
                Forms.Eager
                Forms.All
                single[random.Next single.Length] ||| Forms.Unpaid
                Forms.Eager &&& ~~~single[random.Next single.Length]
            ] do
            for name in chosen graph task forms do
                met[name] <- 1 + times met name

            let finish, fast = run forms
            Expect.equal finish RunEnd.Completed $"{forms}"

            Numbers.isLessThan
                (Experiments.apart plain fast)
                tolerance
                $"{forms} and the plain forms"

/// One area that learns online, small enough for the deferred form or not, beside time constants that learn: the weights that
/// are pending are read by whatever looks at weights.
let private besideTau n longest precision (tau: Plasticity) schedule (rule: LearningRule) =
    let one = RandomCircuits.one n (2.0, 8.0)

    let circuit = {
        one with
            Areas = [
                {
                    one.Areas.Head with
                        Start = InitialPolicy.CarriedOver
                }
            ]
            Projections = [
                { one.Projections.Head with Gain = 1.2 }
                yield! one.Projections.Tail
            ]
    }

    let setup = {
        asDeclared with
            Plasticity = fun _ -> Plasticity(rule, 0.3, schedule)
            Tau = Some tau
    }

    let steps = 10

    let task = {
        new ITask with
            member _.Inputs = 0
            member _.Outputs = 1
            member _.MaxSteps = longest
            member _.Events = 0

            member _.Fill(trial, _, into) =
                into.Steps <- steps

                for t in 1..steps do
                    into.Targets[t - 1] <- sin (2.0 * Math.PI * float (t + trial) / float steps)
    }

    let session = Session.Create(graphWith setup circuit, task, 1L, precision)
    session.Run 12 |> ignore
    Experiments.resultOf session

let private taus: (string * Plasticity) list = [
    let plan rule schedule = Plasticity(rule, 0.5, schedule)
    "RFLO online", plan Rules.rflo UpdateSchedule.Online

    "SnAp-1 online",
    plan
        (ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian))
        UpdateSchedule.Online

    "RTRL online", plan Rules.rtrl UpdateSchedule.Online
    "RTRL", plan Rules.rtrl UpdateSchedule.TrialEnd
    "BPTT", plan Rules.bptt UpdateSchedule.TrialEnd
]

[<Tests>]
let tests =
    testList "forms" [
        test "every legal form of any experiment gives the plain one's numbers" {
            let tally = Tally()
            let met = Met()

            forAll
                (allCases 240 20000)
                RandomCircuits.anyCircuit
                (agree met Precision.Double 1e-8 tally)

            tally.Demand 0.35

            for name in
                [
                    "online updates made at the end of the trial"
                    "KeRNL: online updates made at the end of the trial"
                    "update and next currents in one pass"
                    "factor of the weights as products over steps"
                    "influence in blocks of steps"
                    "backward pass in one call"
                    "learning signal as one column times an error"
                    "outputs made at the end of the trial"
                    "rates read where they lie"
                    "increments added to the weights as they come"
                    "tangent multiplied in the pass that makes the currents"
                    "influence of a single source read where it lies"
                ] do
                Numbers.isGreaterThan (times met name) 4 $"{name} was met"
        }

        test "the same in single precision" {
            let tally = Tally()

            forAll
                (cases 50 5000)
                RandomCircuits.anyCircuit
                (agree (Met()) Precision.Single 2e-3 tally)

            tally.Demand 0.4
        }

        for name, tau in taus do
            test
                $"weights that learn online beside time constants that learn by {name}: the longest trial does not matter" {
                for rule in [ Rules.rflo; KernlRule 0.05 ] do
                    for n in [ 18; 19; 20; 21; 24; 40 ] do
                        let long = besideTau n 100 Precision.Double tau UpdateSchedule.Online rule
                        let short = besideTau n 10 Precision.Double tau UpdateSchedule.Online rule

                        Numbers.isLessThan
                            (Experiments.apart long short)
                            1e-11
                            $"{rule.GetType().Name}, {n} units"
            }

        test
            "the backward filter of a trial's end takes the decays of its steps, and the feedback of its steps" {
            let filtered = UpdateSchedule.TrialEnd
            // Traces step by step, applied at the end.
            let traced = UpdateSchedule(UpdateTime.EverySteps, 1000)

            for tau in
                [
                    Plasticity(Rules.rflo, 5.0, UpdateSchedule.Online)
                    Plasticity(Rules.rtrl, 5.0, UpdateSchedule.Online)
                ] do
                let a = besideTau 6 10 Precision.Double tau filtered Rules.rflo
                let b = besideTau 6 10 Precision.Double tau traced Rules.rflo
                Numbers.isLessThan (Experiments.apart a b) 1e-12 "the same increments"
        }

        test "thresholds count signals and not padded rows" {
            // 2 T = 18 and 20: a row of 18 numbers is padded to 20 or 24.
            let form n steps =
                let graph =
                    graphWith
                        (learning Rules.rflo UpdateSchedule.Online 0.1)
                        (RandomCircuits.one n (2.0, 2.0))

                let task: ITask = {
                    new ITask with
                        member _.Inputs = graph.InputChannels
                        member _.Outputs = graph.Outputs
                        member _.MaxSteps = steps
                        member _.Events = 0
                        member _.Fill(_, _, _) = ()
                }

                Session.Create(graph, task, 1L).Plan.Has
                    "online updates made at the end of the trial"

            Expect.isTrue (form 18 9) "18 signals, 9 steps"
            Expect.isFalse (form 17 9) "17 signals, 9 steps"
            Expect.isFalse (form 49 25) "49 signals, 25 steps"
            Expect.isTrue (form 50 25) "50 signals, 25 steps"
        }
    ]
