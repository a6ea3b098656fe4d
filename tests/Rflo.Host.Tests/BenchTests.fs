/// The benchmark compares like with like, counts what its roofs rest on, and refuses what it does not know. What it measures
/// is no test: a clock is no judge.
module Rflo.Host.Tests.BenchTests

open Expecto
open Rflo.Core
open Rflo.Dsl
open Rflo.Host
open Rflo.Bench

/// Runs a body beside a peer, or skips the test where the peer is not here.
let private beside name body =
    match Peers.start name with
    | Error reason -> skiptest $"{name}: {reason} (Debian: python3-{name})"
    | Ok peer ->
        try
            body peer
        finally
            Peers.stop peer

let private small rule = { Work.work rule 20 with Steps = 30 }

let private compared = [
    "numpy", Rule.rflo
    "numpy", Work.online Rule.rflo
    "numpy", Rule.bptt
    "numpy", Rule.rtrl
    "torch", Rule.bptt
    "numba", Rule.rflo
    "numba", Work.online Rule.rflo
]

let private trains (peer, rule) =
    test $"{peer} trains by {Work.ruleName rule} what we train" {
        beside peer (fun peer -> Expect.equal (Peers.load peer (small rule)) (Ok()) "losses")
    }

/// A machine of one multiply-add a second and so many bytes, twice as many where they are near.
let private machine bytes : Ceilings.Ceilings = {
    Arithmetic = {
        Double512 = None
        Double256 = 1.0
        Single512 = None
        Single256 = 2.0
        Clock = 1.0
    }
    Ladder = [
        {
            Bytes = 1024.0
            Read = 2.0 * bytes
            ReadWrite = 2.0 * bytes
        }
        {
            Bytes = 4096.0
            Read = bytes
            ReadWrite = bytes
        }
    ]
}

let private boundOf machine work =
    Roofline.step work |> Option.get |> Roofline.bound machine work

let private refused = [
    [ "--qick" ], "there is no option --qick; did you mean --quick? (--help lists all)"
    [ "--pairs"; "0" ], "--pairs is '0'; it must be a whole number from 1 to 1000"
    [ "--pairs"; "many" ], "--pairs is 'many'; it must be a whole number from 1 to 1000"
    [ "rflo-50" ], "'rflo-50' belongs to no option (--help lists all)"
]

let private mistakes words =
    match Options.parse (Array.ofList words) with
    | Error(Choice2Of2 mistakes) -> mistakes |> List.map Mistake.text
    | other -> failtest $"{other}"

[<Tests>]
let tests =
    testList "benchmark" [
        yield! List.map trains compared

        test "a peer that does other work is refused" {
            beside "numpy" (fun peer ->
                match Peers.loadAs "bptt" peer (small Rule.rflo) with
                | Error reason -> Expect.stringContains reason "other work" "the reason"
                | Ok() -> failtest "BPTT passed for RFLO")
        }

        test "a peer that is not here says so" {
            match Peers.start "nobody" with
            | Error reason -> Expect.isNotEmpty reason "the reason"
            | Ok _ -> failtest "there is no such peer"
        }

        test "every rule of the curves can be trained and stays finite" {
            for rule in Curves.rules do
                match Work.losses 3 (small rule) with
                | Ok losses -> Expect.all losses System.Double.IsFinite (Work.ruleName rule)
                | Error problem -> failtest $"{Work.ruleName rule}: {problem}"
        }

        test "a step that moves much is bound by bandwidth, one that computes much by arithmetic" {
            let work = Work.work (Work.online Rule.rflo) 100
            let slow = boundOf (machine 1.0) work
            Expect.isFalse slow.IsArithmetic "one byte a second"
            // Traces and weights are read and written: 4 numbers of 8 bytes a synapse.
            Expect.floatClose Accuracy.high slow.Microseconds (32e4 * 1e6) "bytes"
            let fast = boundOf (machine 1e6) work
            Expect.isTrue fast.IsArithmetic "many bytes a second"
            Expect.floatClose Accuracy.high fast.Microseconds (4e4 * 1e6) "multiply-adds"
        }

        test "single precision halves either bound" {
            for machine in [ machine 1.0; machine 1e6 ] do
                for rule in [ Work.online Rule.rflo; Rule.bptt; Rule.rtrl ] do
                    let work = Work.work rule 100
                    let double = boundOf machine work

                    let single =
                        boundOf machine {
                            work with
                                Precision = Precision.Single
                        }

                    Expect.floatClose
                        Accuracy.high
                        (double.Microseconds / single.Microseconds)
                        2.0
                        (Work.ruleName rule)
        }

        test "bandwidth between two measured sizes lies between theirs" {
            let at size =
                Ceilings.bytesASecond _.Read size (machine 1.0)

            Expect.equal (at 512.0) 2.0 "below the smallest"
            Expect.equal (at 1024.0) 2.0 "the smallest"
            Expect.floatClose Accuracy.high (at 2048.0) 1.5 "half of the way"
            Expect.equal (at 4096.0) 1.0 "the largest"
            Expect.equal (at 8192.0) 1.0 "above the largest"
        }

        test "the exponent of a power law is its power" {
            let points = [ for n in [ 100.0; 200.0; 500.0 ] -> n, 0.3 * n ** 2.5 ]
            Expect.floatClose Accuracy.high (Statistics.exponent points) 2.5 "exponent"
        }

        test "options that are none are refused by name" {
            for words, text in refused do
                Expect.equal (mistakes words) [ text ] $"{words}"

            Expect.stringContains
                (List.head (mistakes [ "--only"; "rflo-5" ]))
                "did you mean rflo-50?"
                "a row that is none"

            Expect.equal
                (Main.main [| "--pairs"; "0"; "--only"; "nothing" |])
                ExitCode.Arguments
                "exit code"
        }
    ]
