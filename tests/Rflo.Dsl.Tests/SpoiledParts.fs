/// Mistakes in tasks that are made of others.
module Rflo.Dsl.Tests.SpoiledParts

open Rflo.Dsl
open Rflo.Testing.Trials
open Rflo.Dsl.Tests.Planting

let private withTask kind (e: Experiment) = {
    e with
        Task = { e.Task with Kind = kind }
}

let private several name needs change =
    kind name (fun e -> [
        match change e.Task.Kind with
        | Some(changed, fault) -> e |> withTask changed |> inTask (always fault) [] needs
        | None -> ()
    ])

/// The task with its second part changed.
let private withSecond change kind =
    let second parts of' =
        parts |> List.mapi (fun k part -> if k = 1 then of' part else part)

    match kind with
    | Blocks parts -> Some(Blocks(second parts (fun (part, n) -> change part, n)))
    | Mixture parts -> Some(Mixture(second parts (fun (part, n) -> change part, n)))
    | Curriculum(stages, last) ->
        Some(Curriculum(second stages (fun (part, n) -> change part, n), last))
    | _ -> None

/// (input channels, outputs) of a part; the circuit's may be spoiled.
let private sizesOf (part: Task) =
    match part.Kind with
    | Arrays data -> Array2D.length2 data.Inputs, Array2D.length2 data.Targets
    | Drawn drawn -> drawn.Inputs, drawn.Outputs
    | InLoop loop -> loop.Inputs, loop.Outputs
    | _ -> invalidOp "a part of another kind"

let private secondOf (task: Task) = (Task.parts task)[1]

let all = [
    several "block of no trial" [] (function
        | Blocks((part, _) :: rest) ->
            Some(
                Blocks((part, 0) :: rest),
                NotAllowed($"the number of trials of {part.Name}", "0", "at least 1")
            )
        | _ -> None)
    several "share of nothing" [] (function
        | Mixture((part, _) :: rest) ->
            Some(
                Mixture((part, 0.0) :: rest),
                NotAllowed(
                    $"the weight of {part.Name}",
                    "0",
                    "finite and more than 0; leave the task out, if it is never to be drawn"
                )
            )
        | _ -> None)
    several "loss that none is below" [] (function
        | Curriculum((part, _) :: rest, last) ->
            Some(
                Curriculum((part, MeanLossBelow(0.0, 5)) :: rest, last),
                NotAllowed(
                    $"the mean loss below which {part.Name} is passed",
                    "0",
                    "finite and more than 0: no loss is below that"
                )
            )
        | _ -> None)
    several "reward to be passed that is no number" [] (function
        | Curriculum(((part, _) as first) :: _ :: rest, last) ->
            Some(
                Curriculum((part, MeanRewardAbove(nan, 5)) :: first :: rest, last),
                NotAllowed(
                    $"the mean reward above which {part.Name} (number 1) is passed",
                    "NaN",
                    "finite"
                )
            )
        | _ -> None)
    several "stage judged by no trial" [] (function
        | Curriculum((part, _) :: rest, last) ->
            Some(
                Curriculum((part, MeanLossBelow(0.1, 0)) :: rest, last),
                NotAllowed($"the number of trials that {part.Name} is judged by", "0", "at least 1")
            )
        | _ -> None)
    kind "part of other outputs than the first" (fun e -> [
        let spoil (part: Task) =
            let channels, outputs = sizesOf part

            arraysTask channels (plainly (outputs + 1)) 4 false part.Events
            |> Task.named part.Name

        match e.Task.Kind |> withSecond spoil with
        | Some changed ->
            let parts = Task.parts { e.Task with Kind = changed }
            let first, second = parts[0], parts[1]
            let _, outputs = sizesOf first

            let label (part: Task) place =
                if first.Name = second.Name then
                    $"{part.Name} (number {place})"
                else
                    part.Name

            e
            |> withTask changed
            |> inTask
                (notAllowed
                    $"the number of outputs of {label second 2}"
                    $"{outputs + 1}"
                    $"{outputs}, as those of {label first 1}") [] []
        | None -> ()
    ])
    kind "events that are not those of the parts" (fun e -> [
        if not (List.isEmpty (Task.parts e.Task)) then
            let marked = String.concat ", " e.Task.Events
            let given = String.concat ", " (e.Task.Events @ [ "gong" ])

            {
                e with
                    Task = e.Task |> Task.events (e.Task.Events @ [ "gong" ])
            }
            |> inTask (notAllowed "events" $"'{given}'" $"'{marked}', those of its parts") [] []
    ])
    kind "mistake in a part" (fun e -> [
        let spoil part =
            let channels, outputs = sizesOf part

            {
                part with
                    Kind =
                        Drawn {
                            Inputs = channels
                            Outputs = outputs
                            Duration = 4.0 * e.Dt
                            Conditions = []
                            Failure = None
                            Draw = fun _ _ -> failwith "no such file"
                        }
            }

        match e.Task.Kind |> withSecond spoil with
        | Some changed ->
            let name = (secondOf { e.Task with Kind = changed }).Name

            e
            |> withTask changed
            |> inTaskPart [ name ] (always (Failed("drawing trial 0", "no such file"))) [] [ "dt" ]
        | None -> ()
    ])
]
