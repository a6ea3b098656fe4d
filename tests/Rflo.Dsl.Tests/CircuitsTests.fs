module Rflo.Dsl.Tests.CircuitsTests

open Expecto
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Shrinks
open Rflo.Dsl.Tests.Valid

let private expectValid what experiment =
    match Check.experiment experiment with
    | Ok ready -> ready
    | Error problems ->
        let found = problems |> List.map Problem.text |> String.concat "\n"
        failtest $"{what} is refused:\n{found}"

let private isBounded (area: Area) =
    match area.Transfer with
    | Transfer.Relu
    | Transfer.Softplus
    | Transfer.Identity -> isWinnerTakeAll area
    | _ -> true

[<Tests>]
let tests =
    testList "random circuits" [
        testPropertyWithConfig
            (config 1000)
            "are valid, compile and train"
            (fun (Valid experiment) ->
                let ready = expectValid "a random experiment" experiment
                let session = Run.session (Compile.experiment ready)
                let status = session.Run experiment.Trials

                // Rates without a ceiling may grow without one.
                if List.forall isBounded experiment.Circuit.Areas then
                    Expect.equal status.End RunEnd.Completed (string status)
                    Expect.equal session.Metrics.Count experiment.Trials "trials")

        testPropertyWithConfig
            (config 100)
            "stay valid while they shrink"
            (fun (Valid experiment) ->
                for smaller in shrink experiment do
                    expectValid (Valid smaller).Words smaller |> ignore)
    ]
