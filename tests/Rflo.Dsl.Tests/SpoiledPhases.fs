/// Mistakes in tasks of phases.
module Rflo.Dsl.Tests.SpoiledPhases

open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Dsl.Tests.Planting

/// A task of phases changed, with the events of its phases.
let private phased name needs change =
    kind name (fun e -> [
        match e.Task.Kind with
        | Phased given ->
            let (changed: Phased), fault = change e given

            {
                e with
                    Task = {
                        e.Task with
                            Kind = Phased changed
                            Events = Phase.events changed.Phases
                    }
            }
            |> inTask (always fault) [] needs
        | _ -> ()
    ])

/// The first phase lasts otherwise.
let private lasting name needs lasts fault =
    phased name needs (fun e given ->
        let first = List.head given.Phases

        {
            given with
                Phases = { first with Lasts = lasts e } :: List.tail given.Phases
        },
        fault e first.Name)

/// Every step is shown otherwise.
let private shown name change fault =
    phased name [ "dt" ] (fun _ given ->
        let make timeline stream =
            let at = given.Make timeline stream
            fun now -> change given now (at now)

        { given with Make = make }, fault given (List.head given.Phases).Name)

/// Only the steps of the first phase.
let private shownFirst name change fault =
    shown
        name
        (fun given (now: Instant) at ->
            if now.During (List.head given.Phases).Name then
                change at
            else
                at)
        fault

let all = [
    lasting "phase of half a step too much" [ "dt" ] (halfSteps >> FixedFor) (fun e name ->
        NotWholeSteps($"the duration of phase {name}", halfSteps e, e.Dt))
    lasting
        "phase whose longest duration is half a step too much"
        [ "dt" ]
        (fun e -> EvenlyBetween(e.Dt, halfSteps e))
        (fun e name -> NotWholeSteps($"the longest duration of phase {name}", halfSteps e, e.Dt))
    lasting
        "phase whose shortest duration is the longest"
        [ "dt" ]
        (fun e -> EvenlyBetween(3.0 * e.Dt, 2.0 * e.Dt))
        (fun e name ->
            NotAllowed(
                $"the shortest duration of phase {name}",
                $"{float (3.0 * e.Dt)} ms",
                $"at most the longest, {float (2.0 * e.Dt)} ms"
            ))
    lasting "phase of no duration" [ "dt" ] (fun _ -> OneOf []) (fun _ name ->
        NotAllowed($"the number of durations of phase {name}", "0", "at least 1"))
    lasting
        "phase of mean 0"
        [ "dt" ]
        (fun e -> ExponentialBetween(0.0<ms>, e.Dt, 2.0 * e.Dt))
        (fun _ name ->
            NotAllowed($"the mean duration of phase {name}", "0 ms", "finite and more than 0 ms"))
    lasting "phase of negative duration" [ "dt" ] (fun e -> OneOf [ -e.Dt; e.Dt ]) (fun e name ->
        NotAllowed(
            $"the duration of phase {name}",
            $"{float -e.Dt} ms",
            $"finite and at least one step, {float e.Dt} ms"
        ))
    phased "two phases of one name" [] (fun e given ->
        let first = List.head given.Phases

        {
            given with
                Phases = given.Phases @ [ { first with Lasts = FixedFor e.Dt } ]
        },
        NameTaken first.Name)
    phased "phase with a space in its name" [] (fun e given ->
        {
            given with
                Phases = given.Phases @ [ phase "the end" (FixedFor e.Dt) ]
        },
        BadName "the end")
    phased "negative number of outputs of phases" [] (fun _ given ->
        { given with Outputs = -1 }, NotAllowed("the number of outputs", "-1", "at least 0"))
    kind "events that are not those of the phases" (fun e -> [
        match e.Task.Kind with
        | Phased _ ->
            let marked = String.concat ", " e.Task.Events

            {
                e with
                    Task = e.Task |> Task.events ("gong" :: e.Task.Events)
            }
            |> inTask
                (notAllowed
                    "events"
                    $"'gong, {marked}'"
                    $"'{marked}', those of its phases, and then those that its steps mark") [] [
                    "dt"
                ]
        | _ -> ()
    ])
    shownFirst
        "input of another length in one phase"
        (fun at -> {
            at with
                Input = Array.append at.Input [| 0.0 |]
        })
        (fun given name ->
            WrongLength(
                $"the input in phase {name}",
                given.Inputs + 1,
                given.Inputs,
                "one number a channel"
            ))
    shownFirst
        "target of another length in one phase"
        (fun at -> {
            at with
                Target = Array.append at.Target [| 0.0 |]
        })
        (fun given name ->
            WrongLength(
                $"the target in phase {name}",
                given.Outputs + 1,
                given.Outputs,
                "one number an output"
            ))
    shownFirst "mask that is no number in one phase" (fun at -> at |> Step.mask nan) (fun _ name ->
        NotAllowed(
            $"the mask in step 1 of trial 0, in phase {name}",
            "NaN",
            "finite and at least 0"
        ))
    shown
        "phase that nobody named"
        (fun _ now at -> if now.During "gong" then at else at |> Step.mask 1.0)
        (fun given _ -> Unknown(PhaseName, "gong", [ for phase in given.Phases -> phase.Name ]))
    shown "steps that cannot be made" (fun _ _ _ -> failwith "no such file") (fun _ _ ->
        Failed("drawing trial 0", "no such file"))
]
