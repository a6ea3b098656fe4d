/// Mistakes in a task, and in how it fits its circuit.
module Rflo.Dsl.Tests.SpoiledTasks

open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials
open Rflo.Dsl.Tests.Planting

let private withTask kind (e: Experiment) = {
    e with
        Task = { e.Task with Kind = kind }
}

let private periodic name fault change =
    kind name (fun e -> [
        match e.Task.Kind with
        | Periodic(period, harmonics) ->
            e
            |> withTask (Periodic(period, change harmonics))
            |> inTask (always fault) [] []
        | _ -> ()
    ])

let private arrays name fault change =
    kind name (fun e -> [
        match e.Task.Kind with
        | Arrays data ->
            match change data with
            | Some(changed: TrialData) ->
                e |> withTask (Arrays changed) |> inTask (always (fault e data)) [] []
            | None -> ()
        | _ -> ()
    ])

let private rows (matrix: float[,]) = Array2D.length1 matrix
let private columns (matrix: float[,]) = Array2D.length2 matrix

let private with00 value (matrix: float[,]) =
    if matrix.Length = 0 then
        None
    else
        let copy = Array2D.copy matrix
        copy[0, 0] <- value
        Some copy

let private functions name needs change =
    kind name (fun e -> [
        match e.Task.Kind with
        | Drawn drawn ->
            for changed, fault in change e drawn do
                e |> withTask (Drawn changed) |> inTask (always fault) [] needs
        | _ -> ()
    ])

let private loops name change =
    kind name (fun e -> [
        match e.Task.Kind with
        | InLoop loop ->
            let changed, fault = change loop

            let known =
                function
                | Unknown(what, name, _) -> Unknown(what, name, e.Task.Events)
                | other -> other

            e |> withTask (InLoop changed) |> inTask (always (known fault)) [] []
        | _ -> ()
    ])

let private sizeList names =
    if List.isEmpty names then
        "none"
    else
        String.concat " + " names


let all = [
    kind "period of half a step too much" (fun e -> [
        match e.Task.Kind with
        | Periodic(_, harmonics) ->
            e
            |> withTask (Periodic(halfSteps e, harmonics))
            |> inTask (always (NotWholeSteps("period", halfSteps e, e.Dt))) [] [ "dt" ]
        | _ -> ()
    ])
    periodic
        "period without harmonics"
        (NotAllowed("the number of harmonics", "0", "at least 1"))
        (fun _ -> [])
    periodic "harmonic 0" (NotAllowed("a harmonic", "0", "at least 1")) (fun harmonics ->
        harmonics @ [ 0, 1.0 ])
    periodic
        "amplitude that is no number"
        (NotAllowed("the amplitude of harmonic 2", "NaN", "finite"))
        (fun harmonics -> (2, nan) :: harmonics)
    kind "events of a periodic task" (fun e -> [
        match e.Task.Kind with
        | Periodic _ ->
            {
                e with
                    Task = e.Task |> Task.events [ "go" ]
            }
            |> inTask (notAllowed "events" "go" "none: this task marks no event") [] []
        | _ -> ()
    ])
    arrays
        "inputs of another length than the targets"
        (fun _ data ->
            let steps = rows data.Targets

            WrongShape(
                "the inputs",
                $"({steps + 2}, {columns data.Inputs})",
                $"({steps}, {columns data.Inputs}), since the targets have {steps} steps"
            ))
        (fun data ->
            Some {
                data with
                    Inputs = Array2D.zeroCreate (rows data.Targets + 2) (columns data.Inputs)
            })
    arrays
        "targets of no step"
        (fun _ _ -> NotAllowed("the number of steps of the targets", "0", "at least 1"))
        (fun data ->
            Some {
                Inputs = Array2D.zeroCreate 0 (columns data.Inputs)
                Targets = Array2D.zeroCreate 0 (columns data.Targets)
                Mask = None
                Events = []
                Rewards = Some [||]
                Conditions = []
            })
    arrays
        "target that is no number"
        (fun _ _ -> NotAllowed("the target of output 0 in step 1", "NaN", "finite, or its mask 0"))
        (fun data ->
            with00 nan data.Targets
            |> Option.map (fun targets -> {
                data with
                    Targets = targets
                    Mask = None
            }))
    arrays
        "input that is infinite"
        (fun _ _ -> NotAllowed("the input of channel 0 in step 1", "-Infinity", "finite"))
        (fun data ->
            with00 -infinity data.Inputs
            |> Option.map (fun inputs -> { data with Inputs = inputs }))
    arrays
        "task mask of another shape"
        (fun _ data ->
            let steps, outputs = rows data.Targets, columns data.Targets

            WrongShape(
                "the mask",
                $"({steps}, {outputs + 1})",
                $"({steps}, {outputs}), as the targets"
            ))
        (fun data ->
            Some {
                data with
                    Mask = Some(Array2D.zeroCreate (rows data.Targets) (columns data.Targets + 1))
            })
    arrays
        "mask below 0"
        (fun _ _ -> NotAllowed("the mask of output 0 in step 1", "-1", "finite and at least 0"))
        (fun data ->
            with00 -1.0 data.Targets
            |> Option.map (fun mask -> {
                data with
                    Mask = Some(mask |> Array2D.map (fun m -> if m = -1.0 then m else 1.0))
            }))
    arrays
        "rewards of another length"
        (fun _ data ->
            WrongLength("the rewards", rows data.Targets + 1, rows data.Targets, "one a step"))
        (fun data ->
            Some {
                data with
                    Rewards = Some(Array.zeroCreate (rows data.Targets + 1))
            })
    arrays
        "reward that is no number"
        (fun _ _ -> NotAllowed("the reward of step 1", "NaN", "finite"))
        (fun data ->
            Some {
                data with
                    Rewards = Some(Array.create (rows data.Targets) nan)
            })
    loops "step of other inputs than declared" (fun loop ->
        let step now memory =
            let data = loop.Step now memory

            {
                data with
                    Input = Array.append data.Input [| 0.0 |]
            }

        { loop with Step = step },
        WrongLength("the inputs of a step", loop.Inputs + 1, loop.Inputs, "one number a channel"))
    loops "step that marks what nobody named" (fun loop ->
        let step now memory = {
            loop.Step now memory with
                Events = [ "gong" ]
        }

        { loop with Step = step }, Unknown(EventName, "gong", []))
    loops "beginning that fails" (fun loop ->
        {
            loop with
                Begin = fun _ _ _ -> failwith "no such file"
        },
        Failed("beginning trial 0", "no such file"))
    arrays
        "event that nobody named"
        (fun e _ -> Unknown(EventName, "gong", e.Task.Events))
        (fun data ->
            Some {
                data with
                    Events = data.Events @ [ "gong", [ 1 ] ]
            })
    kind "event outside the trial" (fun e -> [
        match e.Task.Kind, e.Task.Events with
        | Arrays data, event :: _ ->
            let steps = rows data.Targets

            e
            |> withTask (
                Arrays {
                    data with
                        Events = [ event, [ steps + 1 ] ]
                }
            )
            |> inTask
                (notAllowed $"a step of event {event}" (string (steps + 1)) $"in 1 .. {steps}") [] []
        | _ -> ()
    ])
    functions "duration that is none" [ "dt" ] (fun e drawn -> [
        for duration in [ 0.0<ms>; -5.0<ms>; nan * 1.0<ms> ] do
            { drawn with Duration = duration },
            NotAllowed(
                "duration",
                $"{float duration} ms",
                $"finite and at least one step, {float e.Dt} ms"
            )
        { drawn with Duration = halfSteps e }, NotWholeSteps("duration", halfSteps e, e.Dt)
    ])
    functions "drawing that fails" [ "dt" ] (fun _ drawn -> [
        {
            drawn with
                Draw = fun _ _ -> failwith "no such file"
        },
        Failed("drawing trial 0", "no such file")
    ])
    functions "trials longer than declared" [ "dt" ] (fun e drawn ->
        let steps = stepsOf e

        let longer trial stream =
            let data = drawn.Draw trial stream

            {
                Inputs = Array2D.zeroCreate (steps + 1) (columns data.Inputs)
                Targets = Array2D.zeroCreate (steps + 1) (columns data.Targets)
                Mask = None
                Events = []
                Rewards = Some(Array.zeroCreate (steps + 1))
                Conditions = []
            }

        [
            { drawn with Draw = longer },
            NotAllowed(
                "the number of steps of a trial",
                string (steps + 1),
                $"at most {steps}, the duration of the task"
            )
        ])
    functions "trials of other outputs than declared" [ "dt" ] (fun e drawn ->
        let steps = stepsOf e
        let outputs = drawn.Outputs

        let wider trial stream =
            let data = drawn.Draw trial stream

            {
                data with
                    Targets = Array2D.zeroCreate (rows data.Targets) (outputs + 1)
                    Mask = None
            }

        [
            { drawn with Draw = wider },
            WrongShape(
                "the targets",
                $"({steps}, {outputs + 1})",
                $"({steps}, {outputs}), (steps, outputs)"
            )
        ])
    functions "a condition that only some trials have" [ "dt" ] (fun _ drawn -> [
        for name in drawn.Conditions do
            {
                drawn with
                    Draw =
                        fun trial stream -> {
                            drawn.Draw trial stream with
                                Conditions = []
                        }
            },
            Contradiction(
                $"it has no condition {name}, which the first trial has",
                "give it in every trial"
            )

        {
            drawn with
                Draw = drawn.Draw >> fun draw -> draw >> Trial.condition "odd" 1.0
        },
        Contradiction(
            "it has a condition odd, which the first trial does not have",
            "give it in every trial, such as Trial.condition \"odd\" 0.0"
        )
    ])
    functions "a condition that is no number" [ "dt" ] (fun _ drawn -> [
        {
            drawn with
                Conditions = drawn.Conditions @ [ "odd" ]
                Draw = drawn.Draw >> fun draw -> draw >> Trial.condition "odd" nan
        },
        NotAllowed("the condition odd of trial 0", "NaN", "finite")
    ])
    kind "channels that the circuit does not have" (fun e -> [
        let channels = channelsIn e.Circuit

        let fault (final: Experiment) =
            let names = final.Circuit.Inputs |> List.map (fun x -> $"{x.Name} {x.Channels}")

            NotAllowed(
                "the number of input channels",
                string (channels + 1),
                $"{channels}, as the circuit's inputs ({sizeList names})"
            )

        {
            e with
                Task = functionTask (channels + 1) (askedOf e.Circuit) e.Dt 5 e.Task.Events
        }
        |> inTask fault [ "sums" ] [ "dt" ]
    ])
    kind "outputs that the circuit does not have" (fun e -> [
        let channels = channelsIn e.Circuit
        let outputs = outputsIn e.Circuit

        let fault (final: Experiment) =
            let names = final.Circuit.Readouts |> List.map (fun y -> $"{y.Name} {y.Outputs}")

            NotAllowed(
                "the number of outputs",
                string (outputs + 2),
                $"{outputs}, as the circuit's readouts ({sizeList names})"
            )

        {
            e with
                Task = functionTask channels (askedOf e.Circuit @ plainly 2) e.Dt 5 e.Task.Events
        }
        |> inTask fault [ "sums" ] [ "dt" ]
    ])
]
