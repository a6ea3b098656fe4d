/// Tasks for circuits of any size.
module Rflo.Dsl.Tests.Trials

open Rflo.Dsl
open Rflo.Dsl.Tests.Meaning

let private wave (row: int) (column: int) =
    0.5 + 0.4 * sin (0.7 * float (row + 1) * float (column + 1))

let private trialOf channels outputs steps isMasked events = {
    Inputs = Array2D.init steps channels (fun t k -> wave t (k + 3))
    Targets = Array2D.init steps outputs wave
    Mask =
        if isMasked then
            Some(Array2D.init steps outputs (fun t k -> if (t + k) % 3 = 0 then 0.0 else 1.0))
        else
            None
    Events = [
        for event in events do
            event, [ 1..3..steps ]
    ]
}

let arraysTask channels outputs steps isMasked events = {
    Name = "arrays"
    Kind = Arrays(trialOf channels outputs steps isMasked events)
    Events = events
}

/// Trials of different lengths, with random inputs.
let functionTask channels outputs (dt: float<ms>) steps events =
    let draw trial (stream: RandomStream) =
        let trialSteps = 1 + (trial + steps - 1) % steps
        let data = trialOf channels outputs trialSteps (trial % 2 = 1) events

        {
            data with
                Inputs = data.Inputs |> Array2D.map (fun x -> x + 0.1 * stream.Gaussian())
        }

    Task.ofFunction channels outputs (dt * float steps) draw |> Task.events events

let stepsOf (experiment: Experiment) =
    match experiment.Task.Kind with
    | Periodic(duration, _)
    | Drawn(_, _, duration, _) ->
        let steps = round (duration / experiment.Dt)
        // A planted dt or duration may be nonsense.
        if steps >= 1.0 && steps <= 1000.0 then int steps else 1
    | Arrays data -> Array2D.length1 data.Targets
    | Custom task -> task.MaxSteps

/// The task of the experiment, for the inputs and readouts that its circuit has now.
let fitTask steps (experiment: Experiment) =
    let channels = channelsIn experiment.Circuit
    let outputs = outputsIn experiment.Circuit
    let task = experiment.Task

    let fitting =
        match task.Kind with
        | Periodic(_, harmonics) when channels = 0 && outputs = 1 ->
            Task.periodic (experiment.Dt * float steps) harmonics
        | Periodic _
        | Custom _ -> arraysTask channels outputs steps false []
        | Arrays data -> arraysTask channels outputs steps data.Mask.IsSome task.Events
        | Drawn _ -> functionTask channels outputs experiment.Dt steps task.Events

    { experiment with Task = fitting }
