/// RFLO, written by hand from what a step of an area shows: for tests of rules that are not the core's own.
[<RequireQualifiedAccess>]
module ByHand

open System
open Rflo.Core

/// e(t) = A(t) e(t-1) + c(t) pre(t), with d numbers for each synapse; what is asked is `learningSignal now k i` times g(t) . e(t), for unit i and
/// projection k.
let traces (learningSignal: LearningStep -> int -> int -> float) (site: AreaSite) =
    let d = site.States

    let all = [|
        for projection in site.Projections -> Array.zeroCreate<float>(d * projection.Count)
    |]

    fun (now: LearningStep) ->
        if now.Step = 1 then
            for trace in all do
                Array.Clear trace

        let next = Array.zeroCreate<float> d

        for p in 0 .. all.Length - 1 do
            let projection, trace = site.Projections[p], all[p]
            let pre = now.Pre p
            let ask = now.Increments p

            for i in 0 .. site.Units - 1 do
                let signal = learningSignal now p i

                let first, last =
                    match projection.RowStart with
                    | null -> i * projection.Pre, (i + 1) * projection.Pre - 1
                    | rows -> rows[i], rows[i + 1] - 1

                for at in first..last do
                    let j =
                        match projection.Columns with
                        | null -> at - first
                        | columns -> columns[at]

                    for k in 0 .. d - 1 do
                        next[k] <- now.C(k)[i] * pre[j]

                        for l in 0 .. d - 1 do
                            next[k] <- next[k] + now.A(k, l)[i] * trace[d * at + l]

                    let mutable sum = 0.0

                    for k in 0 .. d - 1 do
                        trace[d * at + k] <- next[k]
                        sum <- sum + now.G(k)[i] * next[k]

                    ask[at] <- signal * sum

/// With the learning signal of the unit itself.
let rflo site =
    traces (fun now _ unit -> now.Signal[unit]) site
