namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// Test trials of trained runs, with learning off.
[<RequireQualifiedAccess>]
module internal TestTrials =

    /// Trials of a task, one after another, with the final weights of a run. Areas do not explore; rates that carry over from trial to
    /// trial do so.
    let perform (run: PaperRun) task count =
        match Run.performWith run.Final.Value run.Experiment task count with
        | Ok shown -> shown
        | Error problems -> invalidOp (problems |> List.map Problem.text |> String.concat "; ")

    /// Delays of a test of interval matching, from 50 ms to the longest.
    let delays longest = [
        for k in 0..8 -> 50.0<ms> + round (float k / 8.0 * float (longest - 50.0<ms>)) * 1.0<ms>
    ]

    /// Target and produced delays of a run, in ms, on its own task.
    let intervals (task: ReadySetGo) longest (run: PaperRun) =
        let task = {
            task with
                Delays = InTurn(delays longest)
        }

        perform run (Task.readySetGo task) (delays longest).Length
        |> List.map (fun activity ->
            let target, produced = Measure.interval task 1.0<ms> activity
            float target, float produced)

    /// Slope of produced against target delay by least squares, and the root of the mean squared error.
    let timing (points: (float * float) list) =
        let target, produced =
            points |> List.map fst |> Array.ofList, points |> List.map snd |> Array.ofList

        let struct (_, slope) = MathNet.Numerics.Fit.Line(target, produced)

        let error = points |> List.averageBy (fun (t, p) -> (p - t) * (p - t)) |> sqrt

        slope, error

    /// The cursor's way in each of some performances of a sequence, and the choices that were made there.
    let sequence (run: PaperRun) (task: Syllables) count =
        perform run (Task.syllables task) count
        |> List.map (fun activity ->
            let path = Measure.path task 1.0<ms> task.Start activity.Outputs["velocity"]

            let choices =
                activity.Rates
                |> Map.tryFind "striatum"
                |> Option.map (Measure.choices task 1.0<ms>)

            path, choices)

    /// Performances before the one that is measured, so that it begins with the final state of the sequence.
    let private rehearsals = 3

    /// The cursor's way in a sequence, rehearsed, and the choices that were made there.
    let rehearsed run task =
        sequence run task rehearsals |> List.last

    let private syllables (run: PaperRun) =
        match run.Experiment.Task.Kind with
        | Syllables task -> task
        | _ -> invalidOp $"{run.Experiment.Name} is no sequence of syllables"

    /// The same for the sequence that the run was trained on.
    let performed run = rehearsed run (syllables run)

    /// Whether a run came to its end, and then makes every transition of its sequence.
    let isComplete run =
        Runs.isWell run
        && snd (performed run) = Some(List.tail (syllables run).Sequence)
