/// What is asked of this library's speed, row by row, and how each row is measured.
module Rflo.Bench.Targets

open Rflo.Core
open Rflo.Dsl
open Rflo.Bench.Work
open Rflo.Bench.Rows

/// What the rows measure with.
type Bench = {
    Effort: Effort
    Peers: PeerSet
    Ceilings: Ceilings.Ceilings
}

/// A part of the table that can be asked for by its name.
type Target = {
    Name: string
    /// Left out of a quick run, since it takes long.
    IsLong: bool
    Measure: Bench -> Measured list
}

let private beside name work asked = {
    Name = name
    IsLong = false
    Measure = fun bench -> besidePeers bench.Effort bench.Peers work asked
}

let private single (work: Work) = {
    work with
        Precision = Precision.Single
}

let private rflo = work Rule.rflo
let private onlineRflo = work (online Rule.rflo)
let private bptt = work Rule.bptt

/// As a dense matrix its weights would take 3.2 GB.
let private sparse = {
    work (online Rule.rflo) 20_000 with
        Synapses = Some 100
}

let all = [
    beside "rflo-50" (rflo 50) [ "numpy", Some 120.0; "numba", Some 8.0 ]
    beside "bptt-50" (bptt 50) [ "numpy", Some 80.0; "torch", Some 100.0 ]
    beside "online-50" (onlineRflo 50) [ "numpy", Some 70.0; "numba", None ]
    beside "rtrl-50" (work Rule.rtrl 50) [ "numpy", Some 12.0 ]
    beside "rflo-500" (rflo 500) [ "numpy", Some 25.0; "numba", Some 10.0 ]
    beside "bptt-500" (bptt 500) [ "numpy", Some 8.0; "torch", Some 8.0 ]
    beside "online-500" (onlineRflo 500) [ "numpy", None; "numba", None ]
    {
        Name = "rtrl-500"
        IsLong = true
        // A trial of the peer would take many minutes.
        Measure = fun bench -> oneTrial bench.Effort bench.Peers (work Rule.rtrl 500) "numpy" 2
    }
    {
        Name = "online-2000"
        IsLong = false
        Measure =
            fun bench -> [
                besideBound
                    bench.Effort
                    bench.Ceilings
                    (onlineRflo 2000)
                    "bandwidth ceiling"
                    (Some 70.0)
            ]
    }
    {
        Name = "sparse"
        IsLong = false
        Measure = fun bench -> [ updates bench.Effort sparse (Some 300.0) ]
    }
    {
        Name = "threads"
        IsLong = false
        Measure =
            fun bench -> [
                for units in [ 50; 500; 1000 ] -> twoRuns bench.Effort (rflo units) (Some 1.8)
            ]
    }
    {
        Name = "batches"
        IsLong = true
        Measure =
            fun bench -> [
                for precision in [ Precision.Double; Precision.Single ] do
                    for threads in [ 1; 2 ] do
                        for units in [ 64; 128; 256; 512; 1024 ] do
                            let work = {
                                (bptt units |> inBatches 64 threads) with
                                    Precision = precision
                            }

                            let asked = if units <= 128 then 2.0 else 1.5
                            yield! besidePeers bench.Effort bench.Peers work [ "torch", Some asked ]
            ]
    }
    {
        Name = "sideBySide"
        IsLong = false
        Measure =
            fun bench -> [
                for make in [ bptt; rflo ] do
                    for units in [ 128; 256; 512; 1024 ] do
                        let one = make units

                        inTurn bench.Effort (inBatches 64 1 one) one "one trial an update" None

                        inTurn
                            bench.Effort
                            (inBatches 64 2 one)
                            (inBatches 64 1 one)
                            "one thread"
                            None
            ]
    }
    {
        Name = "lanes"
        IsLong = false
        Measure =
            fun bench ->
                let beside units target rule =
                    let one = { rflo units with Rule = online rule }
                    inTurn bench.Effort (inLanes 8 one) one "one lane" (Some target)

                [
                    for units in [ 200; 500; 1000 ] do
                        beside units 3.0 Rule.rflo

                    for units in [ 50; 200 ] do
                        for rule in [ Rule.uoro; Rule.kfRtrl; Rule.kernl; Rule.snap1 ] do
                            beside units 1.0 rule

                    beside 20 1.0 Rule.rtrl
                    beside 50 1.0 Rule.rtrl
                ]
    }
    {
        Name = "evaluation"
        IsLong = true
        Measure =
            fun bench -> [
                for precise in [ id; single ] do
                    for units in [ 64; 128; 256; 512 ] ->
                        evaluations bench.Effort 500 (precise (rflo units))
            ]
    }
    {
        Name = "single"
        IsLong = false
        Measure =
            fun bench -> [
                for units in [ 200; 500 ] do
                    for make in [ rflo; onlineRflo; bptt ] ->
                        inTurn bench.Effort (single (make units)) (make units) "double" (Some 1.7)
            ]
    }
]

/// The dense steps of the roofline, of which half a ceiling is asked.
let dense isQuick = [
    for units in
        [
            200
            500
            if not isQuick then
                1000
        ] do
        rflo units
        onlineRflo units
        work (online Rule.hebb) units
        bptt units
        work Rule.tbptt units
        work Rule.uoro units
        work (online Rule.kernl) units

        if units <= 500 then
            work Rule.kfRtrl units

        if units <= 200 then
            work Rule.rtrl units
]

/// The fraction of a ceiling that is asked of every dense step.
let denseFraction = 0.5

/// How much of its bound each of those steps reaches.
let roofline (bench: Bench) works : Roofline.Reached list =
    works
    |> List.choose (fun work ->
        match Roofline.step work, warm work with
        | Some dense, Ok running ->
            let reached: Roofline.Reached = {
                Work = work
                Dense = dense
                Bound = Roofline.bound bench.Ceilings work dense
                Microseconds =
                    [| for _ in 1..3 -> time bench.Effort.Seconds running |] |> Statistics.median
            }

            Some reached
        | _ -> None)
