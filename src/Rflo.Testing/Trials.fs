/// Tasks for circuits of any size.
module internal Rflo.Testing.Trials

open Rflo.Dsl
open Rflo.Testing.Meaning

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
    Rewards = Some(Array.init steps (fun t -> wave t 1))
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

/// Trials made step by step from the outputs before, with a memory of what was done.
let loopTask channels outputs (dt: float<ms>) steps events =
    let start trial (stream: RandomStream) (memory: float[]) =
        memory[0] <- memory[0] + float (trial + 1)
        memory[1] <- stream.Gaussian()

    let step (now: Moment) (memory: float[]) =
        let seen = Array.sum now.Outputs
        memory[1] <- 0.5 * memory[1] + 0.1 * tanh seen

        {
            Shown = Array.init channels (fun k -> wave now.Step k + 0.1 * memory[1])
            Asked = Array.init outputs (fun k -> wave now.Step k)
            Counted = None
            Marked = events |> List.filter (fun _ -> now.Step % 3 = 1)
        }

    Task.closedLoop channels outputs (dt * float steps) [| 0.0; 0.0 |] start step
    |> Task.judged (fun now memory -> memory[1] - 0.1 * tanh (Array.sum now.Outputs))
    |> Task.events events

let stepsOf (experiment: Experiment) =
    match experiment.Task.Kind with
    | Periodic(duration, _)
    | InLoop { Duration = duration }
    | Drawn(_, _, duration, _) ->
        let steps = round (duration / experiment.Dt)
        // A planted dt or duration may be nonsense.
        if steps >= 1.0 && steps <= 1000.0 then int steps else 1
    | ReadySetGo _
    | Syllables _ -> 12
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
        | ReadySetGo _
        | Syllables _
        | Custom _ -> arraysTask channels outputs steps false []
        | Arrays data -> arraysTask channels outputs steps data.Mask.IsSome task.Events
        | Drawn _ -> functionTask channels outputs experiment.Dt steps task.Events
        | InLoop _ -> loopTask channels outputs experiment.Dt steps task.Events

    { experiment with Task = fitting }
