/// Numbers that are none: what a task gives is a number or is named; what a circuit makes of it is finite, or the run diverged.
module Rflo.Core.Tests.NumberTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// White noise in which something is changed after a trial was made.
type private Changed(case: Case, change: Trial -> unit) =
    let inner: ITask = WhiteNoise case

    interface ITask with
        member _.Inputs = inner.Inputs
        member _.Outputs = inner.Outputs
        member _.MaxSteps = inner.MaxSteps
        member _.Events = inner.Events
        member _.GivesRewards = true

        member _.Fill(trial, stream, into) =
            inner.Fill(trial, stream, into)
            change into

let private losses (session: Session) =
    session.Run 3 |> ignore
    RandomExperiments.known session

/// Where the mask is 0 a target may be anything.
let private noTarget (form: AllRules.Form) case =
    let case = {
        case with
            Case.Task = { case.Task with Masked = true }
    }

    let setup = AllRules.learningAs form 0.05

    let session value =
        let change (trial: Trial) =
            for k in 0 .. trial.Steps * trial.Outputs - 1 do
                if trial.Mask[k] = 0.0 then
                    trial.Targets[k] <- value

        Session.Create(graphWith setup case.Circuit, Changed(case, change), int64 case.Seed)

    let expected = losses (session 0.25)

    for value in [ nan; infinity; -1e300 ] do
        Expect.isEmpty (RandomExperiments.differences expected (losses (session value))) $"{value}"

let private leastSquares: ReadoutRule list = [ RlsReadout 0.5; RidgeReadout 0.5 ]

let private noTargetOfLeastSquares case =
    for rule in leastSquares do
        let case = {
            case with
                Case.Circuit.Readouts = [
                    for readout in case.Circuit.Readouts ->
                        {
                            readout with
                                Kind = OutputKind.Linear
                                Loss = None
                        }
                ]
        }

        let form = AllRules.ways.Head

        noTarget form {
            case with
                Case.Circuit = case.Circuit
        }

        let setup = {
            asDeclared with
                Plasticity =
                    fun _ -> Plasticity(Rules.rflo, 0.05, UpdateSchedule.TrialEnd, Readout = rule)
        }

        let session value =
            let change (trial: Trial) =
                for k in 0 .. trial.Steps * trial.Outputs - 1 do
                    trial.Mask[k] <- float (k % 2)

                    if k % 2 = 0 then
                        trial.Targets[k] <- value

            Session.Create(graphWith setup case.Circuit, Changed(case, change), int64 case.Seed)

        Expect.isEmpty
            (RandomExperiments.differences (losses (session 0.0)) (losses (session nan)))
            $"{rule.GetType().Name}"

/// A number that is none, wherever it stands, is named with its trial, step and place, and nothing is learned of it.
let private named (case, seed) =
    let random = Random(seed: int)

    let bad = [| nan; infinity; -infinity |][random.Next 3]

    let inputs = List.sum case.Circuit.Inputs
    let outputs = case.Circuit.Readouts |> List.sumBy _.Outputs

    let what, width, array, value =
        [|
            if inputs > 0 then
                "channel", inputs, (fun (trial: Trial) -> trial.Inputs), bad
            "target", outputs, (fun trial -> trial.Targets), bad
            "mask", outputs, (fun trial -> trial.Mask), bad
            "mask", outputs, (fun trial -> trial.Mask), -0.5
            "reward", 1, (fun trial -> trial.Rewards), bad
        |]
        |> fun all -> all[random.Next all.Length]

    let column = random.Next width
    let trials = random.Next 3
    let mutable made = 0
    let mutable step = 0

    let change (trial: Trial) =
        if made = trials then
            step <- random.Next trial.Steps + 1
            let at = (step - 1) * width + column
            trial.Mask[if what = "target" then at else 0] <- 1.0
            (array trial)[at] <- value

        made <- made + 1

    let setup = learning Rules.rflo UpdateSchedule.Online 0.01

    let session =
        Session.Create(graphWith setup case.Circuit, Changed(case, change), int64 case.Seed)

    let status = session.Run 4

    if status.End <> RunEnd.Diverged then
        Expect.equal status.End RunEnd.Failed $"{what}: {status}"
        Expect.equal status.Trial trials "trial"
        Expect.equal status.Step step "step"
        Expect.stringContains status.Where what "what"

        let part, within =
            if what = "reward" then
                "reward", 0
            else
                let widths =
                    if what = "channel" then
                        case.Circuit.Inputs
                    else
                        case.Circuit.Readouts |> List.map _.Outputs

                let firsts = widths |> List.scan (+) 0

                let part =
                    firsts
                    |> List.findIndexBack (fun first -> first <= column && first < List.sum widths)

                (if what = "channel" then
                     $"input {part}"
                 else
                     $"readout {part}"),
                column - firsts[part]

        Expect.stringContains status.Where part "part"

        if what <> "reward" then
            Expect.stringContains
                status.Where
                (if what = "channel" then
                     $"channel {within}"
                 else
                     $"output {within}")
                "place"

        let whole =
            Session.Create(graphWith setup case.Circuit, WhiteNoise case, int64 case.Seed)

        whole.Run trials |> ignore

        Expect.isEmpty
            (RandomExperiments.differences
                (RandomExperiments.known whole)
                (RandomExperiments.known session))
            "nothing was learned of it"

let private withSeed =
    Arb.fromGen (Gen.zip RandomCircuits.circuits (Gen.choose (1, 1_000_000)))

// ---- runs that end beyond all bounds ------------------------------------------------------------

/// One linear unit that is multiplied in each step; its readout is compared with 1.
let private growing factor transfer readout =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "a",
                Units = 1,
                Alpha = [| 1.0 |],
                InitialRates = [| 1.0 |],
                Transfer = transfer
            )
        )

    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    let add name target (weight: float) =
        ProjectionSpec(
            Name = name,
            Source = Source.Area area,
            Target = target,
            Synapses = Synapses.Dense [| weight |]
        )
        |> builder.AddProjection
        |> ignore

    add "a->a" (Target.Area area) factor
    add "a->y" (Target.Readout y) readout
    builder.Build()

let private constant (count: int) = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = count
        member _.Events = 0

        member _.Fill(trial, _, into) =
            into.Steps <- min count (1 + trial * 20)
            into.Targets.AsSpan().Fill 1.0
}

/// Two areas, of which the readout reads the first; in the second one unit is multiplied in each step.
let private unread (units, growing, factor: float) =
    let builder = GraphBuilder()

    let add name units =
        AreaSpec(
            Name = name,
            Units = units,
            Alpha = Array.create units 0.5,
            InitialRates = Array.create units 1.0,
            Transfer = Transfer.Identity
        )
        |> builder.AddArea

    let read, own = add "read" 1, add "own" units
    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    let join name source target weights =
        ProjectionSpec(
            Name = name,
            Source = Source.Area source,
            Target = target,
            Synapses = Synapses.Dense weights
        )
        |> builder.AddProjection
        |> ignore

    Array.init (units * units) (fun k -> if k = growing * (units + 1) then factor else 0.0)
    |> join "own->own" own (Target.Area own)

    join "read->y" read (Target.Readout y) [| 0.5 |]
    builder.Build()

/// Inputs of 1e200, and targets of 0.
let private large channels count : ITask = {
    new ITask with
        member _.Inputs = channels
        member _.Outputs = 1
        member _.MaxSteps = count
        member _.Events = 0
        member _.Fill(_, _, into) = into.Inputs.AsSpan().Fill 1e200
}

/// A run completes if and only if the rates that nothing reads stay finite; else it ends where the first of them does not.
let private ofUnread (units, unit, factor: float, count) =
    let rates =
        1.0 |> Seq.unfold (fun rate -> Some(rate, 0.5 * rate + 0.5 * (factor * rate)))

    let first =
        rates |> Seq.truncate (count + 1) |> Seq.tryFindIndex (Double.IsFinite >> not)

    let graph = unread (units, unit % units, factor)
    let status = Session.Create(graph, large 0 count, 1L).Run 1

    match first with
    | None -> Expect.equal status.End RunEnd.Completed (string status)
    | Some step ->
        Expect.equal
            (status.End, status.Trial, status.Step, status.Where)
            (RunEnd.Diverged, 0, step, "area own")
            "where"

let private anyUnread =
    Gen.zip
        (Gen.zip (Gen.choose (1, 5)) (Gen.choose (0, 4)))
        (Gen.zip (Gen.elements [ 0.5; 1e60; -1e100; 1e200 ]) (Gen.choose (1, 9)))
    |> Gen.map (fun ((units, unit), (factor, count)) -> units, unit, factor, count)
    |> Arb.fromGen

/// A winner-take-all area whose units have the current of a pair of weights each.
let private winners (weights: (float * float) list) =
    let units = weights.Length
    let builder = GraphBuilder()

    let c =
        AreaSpec(
            Name = "c",
            Units = units,
            Alpha = Array.create units 1.0,
            InitialRates = Array.init units (fun k -> if k = 0 then 1.0 else 0.0),
            Dynamics = Dynamics.WinnerTakeAll
        )
        |> builder.AddArea

    let x = builder.AddInput(InputSpec("x", 2))
    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    let join name source target weights =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = Synapses.Dense weights
        )
        |> builder.AddProjection
        |> ignore

    [|
        for first, second in weights do
            yield! [ first; second ]
    |]
    |> join "x->c" (Source.Input x) (Target.Area c)

    join "c->y" (Source.Area c) (Target.Readout y) (Array.create units 0.5)
    builder.Build()

/// Among currents that are numbers one wins; where one is none, no choice is made of them.
let private ofWinners (weights: (float * float) list) =
    let isNumber (first, second) =
        Double.IsFinite(1e200 * first + 1e200 * second)

    let status = Session.Create(winners weights, large 2 3, 1L).Run 1

    if List.forall isNumber weights then
        Expect.equal status.End RunEnd.Completed (string status)
    else
        Expect.equal (status.End, status.Step, status.Where) (RunEnd.Diverged, 1, "area c") "where"

let private anyWinners =
    // Their currents are 0, twice a number, infinite, and no number.
    let unit =
        Gen.frequency [
            4, Gen.elements [ 1.0, -1.0; 0.5, 0.5; -0.5, -0.5 ]
            1, Gen.elements [ 1e200, 1e200; 1e200, -1e200; 0.0, -1e200 ]
        ]

    Gen.nonEmptyListOf unit |> Arb.fromGen

/// One unit that learns by two errors of opposite sign, through two ways of this weight.
let private opposite feedback =
    let builder = GraphBuilder()

    let a =
        AreaSpec(Name = "a", Units = 1, Alpha = [| 0.5 |], InitialRates = [| 0.5 |])
        |> builder.AddArea

    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 2))

    ProjectionSpec(
        Name = "a->a",
        Source = Source.Area a,
        Target = Target.Area a,
        Synapses = Synapses.Dense [| 0.5 |],
        Plasticity = Plasticity(Rules.rflo, 0.1, UpdateSchedule.TrialEnd)
    )
    |> builder.AddProjection
    |> ignore

    builder.AddFeedback(FeedbackSpec(Readout = y, Area = a, Matrix = [| feedback; feedback |]))
    builder.Build()

let private opposed = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 2
        member _.MaxSteps = 4
        member _.Events = 0

        member _.Fill(_, _, into) =
            for t in 0..3 do
                into.Targets[2 * t] <- 1e150
                into.Targets[2 * t + 1] <- -1e150
}

[<Tests>]
let tests =
    testList "numbers" [
        test "a target under a mask of 0 is none, whatever it is" {
            forAll
                (cases 60 2_000)
                RandomCircuits.anyCircuit
                (AllRules.someOf 12 AllRules.all noTarget)
        }

        test "least squares pass over it as well" {
            forAll (cases 40 1_000) RandomCircuits.anyCircuit noTargetOfLeastSquares
        }

        test "a number of a task that is none is named with trial, step and place" {
            forAll (cases 200 5_000) withSeed named
        }

        test "-5 trials are refused" {
            let session = Session.Create(growing 0.5 Transfer.Tanh 1.0, constant 5, 1L)
            let error = Expect.throwsC (fun () -> session.Run -5 |> ignore) id
            Expect.stringContains error.Message "trials is -5" "says so"
            Expect.equal (session.Run 0).End RunEnd.Completed "none is allowed"
        }

        test "as many trials as there are numbers take no room before they run" {
            let session = Session.Create(growing 0.5 Transfer.Tanh 1.0, constant 5, 1L)
            session.Stopping <- Stopping(1e9, 0, 1)
            let before = GC.GetAllocatedBytesForCurrentThread()
            Expect.equal (session.Run Int32.MaxValue).End RunEnd.Stopped "stopped"
            Numbers.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) 10_000_000L "bytes"
        }

        test "a loss of more than 1e15 times that of silence is no completed run" {
            let status =
                Session.Create(growing 100.0 Transfer.Identity 1.0, constant 50, 1L).Run 3

            Expect.equal status.End RunEnd.Diverged (string status)
            Expect.stringContains status.Where "readout y, with a loss of" "says so"
            let below = Session.Create(growing 1.2 Transfer.Identity 1.0, constant 50, 1L).Run 3
            Expect.equal below.End RunEnd.Completed (string below)
        }

        test "a weight of more than 1e15 times the largest at the start is no completed run" {
            let session = Session.Create(growing 0.5 Transfer.Tanh 1.0, constant 5, 1L)
            session.SetWeights(ProjectionId 0, [| 1e20 |])
            let status = session.Run 2
            Expect.equal status.End RunEnd.Diverged (string status)
            Expect.stringContains status.Where "weights onto area a" "says so"
        }

        test "an update that leaves no numbers is no completed run, though no loss shows it" {
            let run feedback =
                Session.Create(opposite feedback, opposed, 1L).Run 1

            Expect.equal (run 1.0).End RunEnd.Completed "errors that cancel"
            let status = run 1e200
            Expect.equal status.End RunEnd.Diverged (string status)
            Expect.equal (status.Trial, status.Where) (0, "the weights onto area a") "where"
        }

        test "rates that are not finite are seen though no loss shows them" {
            forAll (cases 100 2_000) anyUnread ofUnread
        }

        test "a winner-take-all area does not choose among numbers that are none" {
            forAll (cases 100 2_000) anyWinners ofWinners
        }

        test "where a run diverged does not depend on what its callback does" {
            let make () =
                Session.Create(growing 1e200 Transfer.Identity 1.0, constant 5, 1L)

            let expected = make().Run 3
            let session = make ()

            let actual =
                session.Run(
                    3,
                    (fun _ _ ->
                        session.Test 0 |> ignore
                        session.Capture() |> ignore)
                )

            Expect.equal expected.End RunEnd.Diverged "diverged"
            Expect.equal actual expected "the same"
        }

        test "the best weights cannot be kept from the middle on" {
            let session = Session.Create(growing 0.5 Transfer.Tanh 1.0, constant 5, 1L)
            session.KeepBest()
            session.Run 2 |> ignore
            session.KeepBest()
            let late = Session.Create(growing 0.5 Transfer.Tanh 1.0, constant 5, 1L)
            late.Run 2 |> ignore
            let error = Expect.throwsC (fun () -> late.KeepBest()) id
            Expect.stringContains error.Message "after 2 trials" "says so"
            Expect.stringContains error.Message "before the first trial" "and what to do"
        }
    ]
