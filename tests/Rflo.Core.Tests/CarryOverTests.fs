/// Carried-over rates: a trial that is cut into shorter ones is the same trial, however far delays reach back.
module Rflo.Core.Tests.CarryOverTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// One long trial, cut behind these steps.
type private Cut(case: Case, ends: int[]) =
    let inputs = List.sum case.Circuit.Inputs
    let outputs = case.Circuit.Readouts |> List.sumBy _.Outputs
    let starts = Array.append [| 0 |] ends

    /// Any number that depends on the step and the place alone.
    let value step place =
        sin (float (31 * step + 7 * place + case.Seed % 100))

    interface ITask with
        member _.Inputs = inputs
        member _.Outputs = outputs

        member _.MaxSteps =
            Array.pairwise starts |> Array.map (fun (a, b) -> b - a) |> Array.max

        member _.Events = case.Task.Events

        member _.Fill(trial, _, into) =
            into.Steps <- starts[trial + 1] - starts[trial]

            for t in 0 .. into.Steps - 1 do
                let step = starts[trial] + t

                for k in 0 .. inputs - 1 do
                    into.Inputs[t * inputs + k] <- value step k

                for k in 0 .. outputs - 1 do
                    into.Targets[t * outputs + k] <- 0.5 + 0.4 * value step (-k - 1)

                for k in 0 .. case.Task.Events - 1 do
                    into.Events[t * case.Task.Events + k] <- (value step 99 > 0.0)

/// All areas go on where they ended; nothing is random, and no gate counts the steps of a trial.
let private carriedOver case =
    let gate (gate: Gate) =
        match gate.Kind with
        | GateKind.Event -> gate
        | _ -> Gate.Always

    {
        case with
            Case.Circuit = {
                case.Circuit with
                    Areas = [
                        for area in case.Circuit.Areas ->
                            {
                                area with
                                    Start = InitialPolicy.CarriedOver
                                    Noise = 0.0
                            }
                    ]
                    Projections = [
                        for projection in case.Circuit.Projections ->
                            {
                                projection with
                                    Gate = gate projection.Gate
                                    Plastic = false
                                    Source =
                                        match projection.Source with
                                        // Longer than most of the pieces.
                                        | Rates(area, delay) when delay > 1 ->
                                            Rates(area, delay + 2)
                                        | source -> source
                            }
                    ]
            }
    }

let private steps = 12

let private cut (tally: Tally) case =
    let case = carriedOver case
    let random = Random case.Seed

    let ends = [|
        for t in 1 .. steps - 1 do
            if random.Next 3 = 0 then
                yield t
    |]

    let whole = [| steps |]
    let graph = graphWith asDeclared case.Circuit
    tally.Count()

    if ends.Length = 0 then
        tally.Idle()

    /// Outputs and rates, piece after piece.
    let recorded ends test =
        let session = Session.Create(graph, Cut(case, ends), 1L)

        let recordings = [|
            for trial in 0 .. ends.Length - 1 do
                let recording = session.Replay trial
                session.Run 1 |> ignore

                // What a captured session goes on from is the same.
                if test then
                    session.Restore(session.Capture())

                recording
        |]

        [|
            yield recordings |> Array.collect _.Outputs
            for area in 0 .. graph.Areas.Count - 1 do
                yield recordings |> Array.collect (fun recording -> recording.Rates[area])
        |]

    let expected = recorded whole false

    for test in [ false; true ] do
        Array.iter2
            (fun a b -> Expect.isTrue (sameBits a b) $"cut behind {ends}")
            expected
            (recorded (Array.append ends whole) test)

[<Tests>]
let tests =
    testList "carry-over" [
        test "a trial that is cut into pieces is the same trial, to the bit" {
            let tally = Tally()
            forAll (cases 200 5_000) RandomCircuits.anyCircuit (cut tally)
            tally.Demand 0.2
        }
    ]
