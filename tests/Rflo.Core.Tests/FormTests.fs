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

/// The fast forms that a session has, by name.
let private chosen graph (task: ITask) forms =
    let network = Network<float>(graph, task.MaxSteps, task.Events, 1L, forms)

    set [
        for learner in (Learners.ForTraining network).Learners do
            match learner with
            | :? ThreeFactorDeferred<float> -> "deferred"
            | :? ThreeFactorOnline<float> as online when online.LooksAhead -> "ahead"
            | :? Uoro<float> as uoro when (uoro.WeightFactor :? WeightFactorProducts<float>) ->
                "products"
            | :? Kernl<float> as kernl when kernl.IsDeferred -> "KeRNL deferred"
            | :? RtrlBlocks<float> -> "blocks"
            | _ -> ()
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

    let kind =
        if random.Next 5 = 0 then
            Experiments.simple
        else
            Experiments.anything

    let graph, case = Experiments.graphOf kind case
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
    let circuit = {
        Areas = [
            {
                Units = n
                Tau = 2.0, 8.0
                Transfer = Transfer.Tanh
                Start = InitialPolicy.CarriedOver
                Noise = 0.0
                Dynamics = Dynamics.Leaky
            }
        ]
        Inputs = []
        Readouts = [
            {
                Outputs = 1
                Kind = OutputKind.Linear
                Loss = None
            }
        ]
        Projections = [
            {
                RandomCircuits.plain (Rates(0, 1)) (Onto 0) 1 with
                    Gain = 1.2
            }
            RandomCircuits.plain (Rates(0, 1)) (Read 0) 2
        ]
        Feedbacks = [ 0, 0, true ]
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
                (cases 240 20000)
                RandomCircuits.anyCircuit
                (agree met Precision.Double 1e-8 tally)

            tally.Demand 0.35

            for name in
                [
                    "deferred"
                    "ahead"
                    "products"
                    "KeRNL deferred"
                    "blocks"
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
                let network =
                    Network<float>(
                        graphWith
                            (learning Rules.rflo UpdateSchedule.Online 0.1)
                            (RandomCircuits.one n (2.0, 2.0)),
                        steps,
                        0,
                        1L
                    )

                let area = network.Areas[0]

                (Learners.ForTraining network).Learners
                |> Seq.exists (fun learner -> learner :? ThreeFactorDeferred<float>),
                area.Units

            Expect.isTrue (fst (form 18 9)) "18 signals, 9 steps"
            Expect.isFalse (fst (form 17 9)) "17 signals, 9 steps"
            Expect.isFalse (fst (form 49 25)) "49 signals, 25 steps"
            Expect.isTrue (fst (form 50 25)) "50 signals, 25 steps"
        }
    ]
