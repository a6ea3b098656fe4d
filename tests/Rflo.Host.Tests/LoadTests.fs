/// A run that is read from its folder is what training left, wherever the folder lies.
module Rflo.Host.Tests.LoadTests

open System
open System.IO
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private ok result =
    match result with
    | Ok found -> found
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

let private short =
    Task.perceptualDecision {
        PerceptualDecision.standard with
            Fixation = fixedFor 2.0<ms>
            Stimulus = between 4.0<ms> 9.0<ms>
            Decision = fixedFor 4.0<ms>
    }

/// Everything that a run can leave: learned time constants and initial states, the best weights, feedback, probes, trials of several lengths, sparse weights.
let private declared =
    let a = area "a" 12 |> tau 5.0<ms> |> learnTau 0.01 |> learnInitial 0.01
    let b = area "b" 12 |> currentForm |> recordStates
    let x = input "x" 3
    let y = readout "y" 2

    Circuit.empty
    |> areas [ a; b ]
    |> inputs [ x ]
    |> readouts [ y ]
    |> projections [
        x --> a |> learningRate 0.01
        a --> a |> noSelf |> learningRate 0.01
        a --> b |> density 0.2 |> learningRate 0.01
        b --> y |> weights (uniformScaled 0.1) |> learningRate 0.01
    ]
    |> feedback [ errorOf y --> a; errorOf y --> b ]
    |> fun network -> experiment "loaded" network short
    |> trials 12
    |> keepBest
    |> lossWindow 2
    |> validate 5 3
    |> probe 3 [
        Probe.weightChange
        Probe.custom "mine" (fun seen -> seen.Activity.Loss)
    ]

let private trained = lazy (ok (Run.train declared))

let private write place (trained: Trained) =
    use folder = RunFolder.Create(place: string)
    folder.Begin(RunSession(DateTimeOffset.UtcNow, 0, [||], [||]))
    RunRecord.write folder (RunRecord.ofFolder folder [] trained)

/// A run in a folder that was moved after it was written.
let private withRun (trained: Trained) (body: string -> unit) =
    inFolder (fun parent ->
        let first = write (Path.Combine(parent, "p1")) trained
        let moved = Path.Combine(parent, "elsewhere", "moved")
        Directory.CreateDirectory(Path.Combine(parent, "elsewhere")) |> ignore
        Directory.Move(first, moved)
        body moved)

let private matrices (weights: Map<'name, Matrix<float>>) =
    weights
    |> Map.map (fun _ matrix -> matrix.RowCount, List.ofSeq (matrix.Enumerate()))

/// Numbers as text, since no NaN equals itself.
let private text (values: float seq) =
    values |> Seq.map _.ToString("R") |> String.concat " "

let private activity (activity: Activity) =
    text [ activity.Loss; activity.Performance ],
    (activity.Conditions, activity.Events),
    List.map
        (fun (readout: Readout) -> readout.Name, readout.Outputs, readout.Output)
        activity.Readouts,
    [
        for matrix in [ activity.Inputs; activity.Targets; activity.Mask ] ->
            matrix.RowCount, matrix.ColumnCount, text (matrix.Enumerate())
    ],
    text activity.Rewards,
    matrices activity.Outputs,
    matrices activity.Rates,
    matrices activity.States

/// The probes' measurements that are numbers.
let private measured (probes: Map<string, Series>) =
    probes
    |> Map.map (fun _ series ->
        Array.zip series.Trials series.Values
        |> Array.filter (fun (_, value) -> not (Double.IsNaN value)))

let private refusal work =
    try
        work () |> ignore
        failtest "it was loaded"
    with :? RunFileException as e ->
        e.Message

/// Takes an array out of an archive of a run, which stays whole.
let private without name array place =
    let file = Path.Combine(place, name)
    let arrays = Npz.Read(file, ReadLimits.Default)
    File.Delete file

    Npz.Write(
        file,
        [
            for a in arrays do
                if a.Name <> array then
                    a
        ]
    )

[<Tests>]
let tests =
    testList "loading a run" [
        test "gives what training left, from a folder that was moved" {
            withRun trained.Value (fun place ->
                let whole = trained.Value
                let loaded = ok (Run.loadFor declared place)
                Expect.equal loaded.Experiment whole.Experiment "experiment"
                Expect.equal loaded.Status whole.Status "status"
                Expect.equal (text loaded.Losses) (text whole.Losses) "losses"
                Expect.equal loaded.Steps whole.Steps "steps"
                Expect.equal loaded.Rewards whole.Rewards "rewards"
                Expect.equal loaded.Seconds whole.Seconds "seconds"

                for what, read in
                    [
                        "initial", (fun (run: Trained) -> run.Initial)
                        "final", _.Final
                        "best", _.Best
                    ] do
                    Expect.isFalse (read whole).IsEmpty $"there is something {what}"
                    Expect.equal (matrices (read loaded)) (matrices (read whole)) what

                Expect.equal (matrices loaded.Feedback) (matrices whole.Feedback) "feedback"
                Expect.equal loaded.Compressed whole.Compressed "compressed"
                Expect.equal loaded.TimeConstants whole.TimeConstants "time constants"
                Expect.equal loaded.BestTimeConstants whole.BestTimeConstants "the best of them"
                Expect.isFalse whole.TimeConstants.IsEmpty "there are some"
                Expect.equal loaded.InitialStates whole.InitialStates "initial states"
                Expect.equal loaded.BestInitialStates whole.BestInitialStates "the best of those"
                Expect.isFalse whole.BestInitialStates.IsEmpty "there are some of those"
                Expect.equal loaded.Alignments whole.Alignments "alignments"
                Expect.equal (measured loaded.Probes) (measured whole.Probes) "probes"
                Expect.equal (activity loaded.Before) (activity whole.Before) "before"
                Expect.equal (activity loaded.After) (activity whole.After) "after"

                Expect.equal
                    (ok (Behavior.test loaded short 6))
                    (ok (Behavior.test whole short 6))
                    "tests of it")
        }

        test "without an experiment gives the same numbers, and training goes on from them" {
            withRun trained.Value (fun place ->
                let run = Run.load place
                Expect.equal (matrices run.Final) (matrices trained.Value.Final) "final"
                Expect.equal (activity run.After) (activity trained.Value.After) "after"
                Expect.equal run.Status trained.Value.Status "status"
                Expect.equal run.Manifest.Name "loaded" "name"

                let onward = declared |> startingFrom run.Final |> trials 2
                let same = declared |> startingFrom trained.Value.Final |> trials 2

                Expect.equal
                    (matrices (ok (Run.train onward)).Final)
                    (matrices (ok (Run.train same)).Final)
                    "goes on")
        }

        test "how it ended is read too" {
            let stopped = ok (Run.train (declared |> stopAtLoss 1e9))
            Expect.equal stopped.Status.End RunEnd.Stopped "stopped"

            withRun stopped (fun place ->
                Expect.equal (Run.load place).Status stopped.Status "stopped")

            for status in
                [
                    RunStatus(RunEnd.Diverged, 7, 3, "area a")
                    RunStatus(RunEnd.Failed, 7, 0, "the task: no")
                    RunStatus(RunEnd.Cancelled, 11, 0, "")
                ] do
                withRun { trained.Value with Status = status } (fun place ->
                    Expect.equal (Run.load place).Status status (string status))
        }

        test "of another declaration is refused, with what is other" {
            withRun trained.Value (fun place ->
                let other (experiment: Experiment) =
                    refusal (fun () -> Run.loadFor experiment place)

                Expect.stringContains
                    (other {
                        declared with
                            Rule = { Rule.rflo with Clip = Clip.All 0.5 }
                    })
                    "is no run of the experiment loaded as it is declared here: these of its parts are others: rule"
                    "rule"

                Expect.stringContains (other (seed 2 declared)) "others: seed" "seed"

                Expect.stringContains
                    (other {
                        declared with
                            Task = short |> Task.scored (Score.ErrorBelow 0.1)
                    })
                    "others: task"
                    "task"

                // The same shapes, and other numbers.
                let given value = {
                    declared with
                        Circuit =
                            declared.Circuit
                            |> Circuit.mapProjection
                                "b->y"
                                (weights (ofMatrix (Array2D.create 2 12 value)))
                }

                withRun (ok (Run.train (given 0.1))) (fun place ->
                    Expect.stringContains
                        (refusal (fun () -> Run.loadFor (given 0.2) place))
                        "it begins from other b->y"
                        "weights"

                    Expect.isOk (Run.loadFor (given 0.1) place) "the same")

                // What decides no number of a trial may be another.
                let longer =
                    declared |> trials 99 |> patience 3 |> probe 2 [ Probe.rates (area "a" 12) ]

                Expect.isOk (Run.loadFor { longer with Name = "again" } place) "beside")
        }

        test "of a damaged or a later folder is refused with one message that names it" {
            for damage, said in
                [
                    (fun place -> File.Delete(Path.Combine(place, "weights.npz"))), "weights.npz"
                    (fun place ->
                        let file = Path.Combine(place, "weights.npz")
                        let bytes = File.ReadAllBytes file
                        File.WriteAllBytes(file, bytes[.. bytes.Length / 2])),
                    "weights.npz"
                    // A whole archive, of which an array is missing.
                    without "weights.npz" "final/b->y", "weights.npz"
                    (fun place ->
                        File.AppendAllText(Path.Combine(place, "metrics.csv"), "12,1,1\n")),
                    "metrics.csv"
                    (fun place ->
                        let file = Path.Combine(place, "manifest.json")

                        File.WriteAllText(
                            file,
                            File
                                .ReadAllText(file)
                                .Replace("\"formatVersion\": 1", "\"formatVersion\": 99")
                        )),
                    "has format 99"
                    (fun place -> File.Delete(Path.Combine(place, "manifest.json"))),
                    "manifest.json"
                    without "activity.npz" "after/targets", "activity.npz"
                ] do
                withRun trained.Value (fun place ->
                    damage place
                    Expect.stringContains (refusal (fun () -> Run.load place)) said "the file")

            Expect.stringContains
                (refusal (fun () -> Run.load "/nowhere/at/all"))
                "/nowhere/at/all"
                "none"
        }
    ]
