/// Trials of tasks as arrays, without a circuit.
module Rflo.Dsl.Tests.Views

open Expecto
open Rflo.Dsl

let dt = 1.0<ms>

let viewsWith (dt: float<ms>) seed task numbers =
    match Trials.show dt seed task numbers with
    | Ok views -> views
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

let views seed task numbers = viewsWith dt seed task numbers

let steps (view: TrialView) = Array2D.length1 view.Targets

/// First and last row of a phase of a trial.
let rowsOf name (view: TrialView) =
    match view.Phases |> List.tryFind (fun (other, _, _) -> other = name) with
    | Some(_, onset, duration) ->
        let first = int (round (onset / view.Dt))
        [ first .. first + int (round (duration / view.Dt)) - 1 ]
    | None -> []

/// Steps of a phase.
let lengthOf name view = List.length (rowsOf name view)

/// Name of the phase that a row lies in.
let phaseOf (view: TrialView) row =
    let time = (float row + 0.5) * view.Dt

    view.Phases
    |> List.find (fun (_, onset, duration) -> time < onset + duration)
    |> fun (name, _, _) -> name

let near what (expected: float) (actual: float) =
    Numbers.isLessThan (abs (expected - actual)) 1e-12 $"{what}: {expected}, not {actual}"

/// A count of draws of known probability lies within four and a half standard deviations of what is expected: by chance it lies
/// outside once in 150 000 times, and the seeds are fixed.
let expectShare what (probability: float) count total =
    let expected = probability * float total
    let deviation = sqrt (expected * (1.0 - probability))

    Numbers.isLessThan
        (abs (float count - expected))
        (4.5 * deviation + 1e-9)
        $"{what}: {count} of {total}, expected {expected}"
