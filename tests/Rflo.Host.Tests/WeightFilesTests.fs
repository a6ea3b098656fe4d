module Rflo.Host.Tests.WeightFilesTests

open System.IO
open Expecto
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private from file name =
    let experiment = Periodic.experiment 3 20 |> trials 2
    let start = weights (npz file name)

    {
        experiment with
            Circuit = experiment.Circuit |> Circuit.mapProjection "cortex->cortex" start
    }

let private faults experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> problems |> List.map _.Fault

let private withFile (body: string -> unit) =
    inFolder (fun folder ->
        let file = Path.Combine(folder, "w.npz")

        Npz.Write(
            file,
            [
                NamedArray("good", [| 3; 3 |], Array.init 9 float)
                NamedArray("small", [| 2; 3 |], Array.zeroCreate 6)
                NamedArray("flat", [| 9 |], Array.zeroCreate 9)
            ]
        )

        body file)

let private reason fault =
    match fault with
    | [ Unreadable(_, reason) ] -> reason
    | other -> failtest $"{other}"

[<Tests>]
let tests =
    testList "weights from a file" [
        test "are the weights that the run begins with" {
            withFile (fun file ->
                match Run.train (from file "good") with
                | Ok trained ->
                    Expect.equal
                        (trained.Initial["cortex->cortex"].ToRowMajorArray())
                        (Array.init 9 float)
                        "initial weights"
                | Error problems -> failtest $"{List.map Problem.text problems}")
        }

        test "must have the projection's shape" {
            withFile (fun file ->
                match faults (from file "small") with
                | [ WrongShape(_, "(2, 3)", expected) ] ->
                    Expect.stringContains expected "(3, 3)" "expected"
                | other -> failtest $"{other}")
        }

        test "must be a matrix" {
            withFile (fun file ->
                Expect.stringContains
                    (reason (faults (from file "flat")))
                    "flat has shape (9); a matrix of weights has two axes"
                    "reason")
        }

        test "must be there by name" {
            withFile (fun file ->
                Expect.stringContains
                    (reason (faults (from file "god")))
                    "there is no such array. It holds: good, small, flat"
                    "reason")
        }

        test "must be whole" {
            withFile (fun file ->
                let bytes = File.ReadAllBytes file
                File.WriteAllBytes(file, bytes[.. bytes.Length / 2])
                Expect.isNotEmpty (reason (faults (from file "good"))) "reason")
        }

        test "must be in a file that is there" {
            Expect.stringContains
                (reason (faults (from "/nowhere/w.npz" "good")))
                "there is no such file"
                "reason"
        }
    ]
