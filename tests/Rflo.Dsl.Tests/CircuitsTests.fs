module Rflo.Dsl.Tests.CircuitsTests

open Expecto
open Rflo.Core
open Rflo.Dsl
open Rflo.Dsl.Tests.Shrinks

let private expectValid what experiment =
    match Check.experiment experiment with
    | Ok ready -> ready
    | Error problems ->
        let found = problems |> List.map Problem.text |> String.concat "\n"
        failtest $"{what} is refused:\n{found}"

[<Tests>]
let tests =
    testList "random circuits" [
        testPropertyWithConfig
            (config 1000)
            "are valid, compile and train"
            (fun (Valid experiment) ->
                match
                    expectValid "a random experiment" experiment
                    |> Compile.experiment
                    |> Run.session
                with
                | session ->
                    let status = session.Run experiment.Trials
                    Expect.equal status.End RunEnd.Completed "two trials of small numbers"
                    Expect.equal session.Metrics.Count experiment.Trials "trials")

        testPropertyWithConfig
            (config 100)
            "stay valid while they shrink"
            (fun (Valid experiment) ->
                for smaller in shrink experiment do
                    expectValid (Valid smaller).Words smaller |> ignore)
    ]
