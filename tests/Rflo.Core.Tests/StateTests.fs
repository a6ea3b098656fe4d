/// State is all that the future depends on: a run that was stopped and restored goes on as if it never had been, whatever
/// is in it; and looking at a session changes nothing of it.
module Rflo.Core.Tests.StateTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.RandomExperiments

let private trials = 7

/// Trains until a trial; before the second trial the time constants of the first area are set, if the experiment's draw says so.
let private until last experiment (made: Made) =
    let session = made.Session
    let mutable well = true

    let forward (count: int) =
        if well && count > 0 then
            well <- (run made count).End = RunEnd.Completed

    if session.TrialsDone <= 1 && last > 1 then
        forward (1 - session.TrialsDone)

        if well && experiment.Draw % 2 = 0 then
            session.SetTimeConstants(
                AreaId 0,
                Array.map (fun tau -> 1.5 * tau) (session.TimeConstants(AreaId 0))
            )

    forward (last - session.TrialsDone)

let private expectSame what a b =
    Expect.equal (differences (known a) (known b)) [] $"{what}: the parts that differ"

let private resumed (tally: Tally) experiment =
    tally.Count()
    let whole = make experiment
    until trials experiment whole

    if whole.Session.TrialsDone < trials then
        tally.Idle()

    for stop in
        [
            experiment.Draw % (trials + 1)
            (experiment.Draw / 8) % (trials + 1)
        ] do
        let first, second = make experiment, make experiment
        until stop experiment first
        let state = first.Session.Capture()

        // What was captured is no view of what goes on.
        until trials experiment first
        second.Session.Restore state

        Expect.equal second.Session.TrialsDone (min stop whole.Session.TrialsDone) "trials done"
        until trials experiment second
        expectSame $"captured at {stop} and gone on" whole.Session first.Session
        expectSame $"restored at {stop} elsewhere" whole.Session second.Session

let private looked experiment =
    let plain, watched = make experiment, make experiment

    for _ in 1..3 do
        until (plain.Session.TrialsDone + 1) experiment plain
        until (watched.Session.TrialsDone + 1) experiment watched
        let before = known watched.Session
        let trial = experiment.Draw % 5

        try
            watched.Session.Test trial |> ignore

            watched.Session.Increments(
                trial,
                Rflo.Core.Tests.InCore.Rules.bptt,
                UpdateTime.TrialEnd
            )
            |> ignore

            watched.Session.Increments(trial, KernlRule 0.3, UpdateTime.Online) |> ignore
        with :? TaskException ->
            ()

        for area in 0 .. watched.Session.Graph.Areas.Count - 1 do
            watched.Session.TimeConstants(AreaId area) |> ignore

        Expect.isEmpty
            (differences before (known watched.Session))
            "what a test or a captured state changed"

    expectSame "tested in between" plain.Session watched.Session

/// What is learned does not depend on what is measured.
let private unmeasured experiment =
    let learned (session: Session) =
        known session
        |> Map.filter (fun name _ ->
            not (name.StartsWith "probes." || name.StartsWith "metrics.probe"))

    let measured, plain =
        make { experiment with Probes = true }, make { experiment with Probes = false }

    until 5 experiment measured
    until 5 experiment plain

    Expect.isEmpty
        (differences (learned measured.Session) (learned plain.Session))
        "the parts that differ"

/// The weights and time constants with which the best trial began are the best ones.
let private best experiment =
    let made = make { experiment with Best = true }
    let session = made.Session

    // The mean of one trial: a trial's own weights are those of its loss.
    session.Stopping <- Stopping(nan, 0, 1)

    let parameters weights taus starts = [|
        for k in 0 .. session.Graph.Projections.Count - 1 do
            yield (weights (ProjectionId k): float[])
        for k in 0 .. session.Graph.Areas.Count - 1 do
            yield (taus (AreaId k): float[])
            yield (starts (AreaId k): float[])
    |]

    let before = ResizeArray()

    let now () =
        parameters session.Weights session.TimeConstants session.InitialStates

    before.Add(now ())

    // Within one run, so that no last batch is applied between trials.
    session.Run(6, (fun _ _ -> before.Add(now ()))) |> ignore

    let trial = session.Metrics.BestTrial

    // Where a run diverged, trials are trained on from what is left.
    if trial >= 0 && trial < before.Count && session.TrialsDone = 6 then
        Array.iter2
            (fun a b -> Expect.isTrue (sameBits a b) $"parameters of trial {trial}")
            before[trial]
            (parameters session.BestWeights session.BestTimeConstants session.BestInitialStates)

/// Time constants that are set before the first trial are as good as declared ones.
let private setTaus experiment =
    let taus (spec: AreaSpec) =
        Array.init spec.Units (fun k -> 2.0 + float ((experiment.Draw + k) % 7))

    let declared =
        makeWith
            (fun spec -> Remade.Area(spec, alpha = Array.map (fun tau -> 1.0 / tau) (taus spec)))
            experiment

    let set = makeWith id experiment

    for made in [ declared; set ] do
        if experiment.Probes then
            made.Session.Watch(probes made experiment)

    for k, spec in Seq.indexed set.Session.Graph.Areas do
        set.Session.SetTimeConstants(AreaId k, taus spec)

    run declared 4 |> ignore
    run set 4 |> ignore
    expectSame "set and declared" declared.Session set.Session

// ---- named cases --------------------------------------------------------------------------------

/// An area that learns its time constants by BPTT beside one whose weights learn by KeRNL, as a probe's rules see them.
let private kernlBesideTau () =
    let builder = GraphBuilder()
    let random = Random 3

    let weights count =
        Array.init count (fun _ -> Circuits.gaussian random)

    let area name (tau: Plasticity | null) =
        AreaSpec(
            Name = name,
            Units = 4,
            Alpha = Array.create 4 0.3,
            InitialRates = Array.create 4 0.1,
            TauPlasticity = tau
        )
        |> builder.AddArea

    let plasticity rule =
        Plasticity(rule, 0.01, UpdateSchedule.TrialEnd)

    let a, b = area "a" (plasticity InCore.Rules.bptt), area "b" null
    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    let project name source target count rule =
        ProjectionSpec(
            Name = name,
            Source = Source.Area source,
            Target = target,
            Synapses = Synapses.Dense(weights count),
            Plasticity = plasticity rule
        )
        |> builder.AddProjection
        |> ignore

    project "a->a" a (Target.Area a) 16 InCore.Rules.bptt
    project "b->b" b (Target.Area b) 16 (KernlRule 0.1)
    project "a->y" a (Target.Readout y) 4 InCore.Rules.rflo
    project "b->y" b (Target.Readout y) 4 InCore.Rules.rflo
    builder.Build()

let private ones inputs outputs steps = {
    new ITask with
        member _.Inputs = inputs
        member _.Outputs = outputs
        member _.MaxSteps = steps
        member _.Events = 0
        member _.Fill(_, _, into) = into.Targets.AsSpan().Fill 1.0
}

/// A reservoir of so many units, read by so many outputs that learn by least squares.
let private reservoir units outputs (rule: ReadoutRule) =
    let builder = GraphBuilder()
    let random = Random 4

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "a",
                Units = units,
                Alpha = Array.create units 0.3,
                InitialRates = Array.create units 0.1
            )
        )

    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = outputs))

    ProjectionSpec(
        Name = "a->y",
        Source = Source.Area area,
        Target = Target.Readout y,
        Synapses = Synapses.Dense(Array.init (units * outputs) (fun _ -> Circuits.gaussian random)),
        Plasticity = Plasticity(InCore.Rules.rflo, 1.0, UpdateSchedule.TrialEnd, Readout = rule)
    )
    |> builder.AddProjection
    |> ignore

    builder.Build()

[<Tests>]
let tests =
    testList "state" [
        test "a run that was stopped and restored is one that never was, to the bit" {
            let tally = Tally()
            forAll (cases 350 20_000) anyExperiment (resumed tally)
            tally.Demand 0.5
        }

        test "testing and capturing change nothing, to the bit" {
            forAll (cases 120 5_000) anyExperiment looked
        }

        test "what is measured changes nothing that is learned, in closed loops either" {
            forAll (cases 120 5_000) anyExperiment unmeasured
        }

        test "the best weights and time constants are those of the best trial" {
            forAll (cases 100 5_000) anyExperiment best
        }

        test "time constants that are set are as good as declared ones" {
            forAll (cases 120 5_000) anyExperiment setTaus
        }

        test "a task finds its trial as a new one, not as it left the one before" {
            let seen = ResizeArray()

            let task = {
                new ITask with
                    member _.Inputs = 0
                    member _.Outputs = 1
                    member _.MaxSteps = 4
                    member _.Events = 1

                    member _.Fill(_, _, into) =
                        seen.Add(
                            (into.Steps,
                             Array.sum into.Targets,
                             Array.sum into.Mask,
                             Array.sum into.Rewards,
                             Array.contains true into.Events)
                        )

                        into.Steps <- 2
                        into.Targets[0] <- 1.0
                        into.Mask[1] <- 0.0
                        into.Rewards[0] <- 1.0
                        into.Events[0] <- true
            }

            Session.Create(reservoir 2 1 ReadoutRule.Delta, task, 1L).Run 3 |> ignore
            Expect.allEqual seen (4, 0.0, 4.0, 0.0, false) "as new"
        }

        test
            "a probe of the circuit's own rules finds its learners beside time constants that learn" {
            let session = Session.Create(kernlBesideTau (), ones 0 1 6, 1L)

            session.Watch [|
                AngleProbe(
                    1,
                    PassiveRule("own", null, UpdateTime.TrialEnd),
                    PassiveRule("bptt", InCore.Rules.bptt, UpdateTime.TrialEnd)
                )
            |]

            Expect.equal (session.Run 3).End RunEnd.Completed "it runs"
        }

        for rule in [ RlsReadout 1.0 :> ReadoutRule; RidgeReadout 1.0 ] do
            test
                $"the matrix of least squares that outputs share is saved once, {rule.GetType().Name}" {
                let units, outputs = 60, 20
                let session = Session.Create(reservoir units outputs rule, ones 0 outputs 5, 1L)
                session.Run 2 |> ignore

                let numbers =
                    session.Capture()
                    |> Seq.filter (fun part -> part.Key.EndsWith ".matrix")
                    |> Seq.sumBy (fun part -> part.Value.Length)

                Expect.equal numbers (units * (units + 1) / 2) "numbers"
            }

        test "a state whose outputs share what they cannot share is refused, and nothing is changed" {
            let session = Session.Create(reservoir 4 3 (RlsReadout 1.0), ones 0 3 5, 1L)
            session.Run 1 |> ignore
            let before = known session

            for sharing in
                [
                    [| 1.0; 1.0; 1.0 |]
                    [| 0.0; 2.0; 0.0 |]
                    [| nan; 0.0; 0.0 |]
                    [| 0.0; 0.0 |]
                ] do
                let state = Collections.Generic.Dictionary(session.Capture())
                let part = state.Keys |> Seq.find _.EndsWith(".sharing")
                state[part] <- sharing

                let message =
                    try
                        session.Restore state
                        ""
                    with :? ArgumentException as e ->
                        e.Message

                Expect.stringContains message "sharing" "names the part"
                Expect.isEmpty (differences before (known session)) "nothing changed"
        }
    ]
