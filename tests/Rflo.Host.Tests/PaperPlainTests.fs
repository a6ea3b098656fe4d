/// Some conditions of the reproduction again, by plain loops that share no code with the core: the equations of Murray (2019), Eqs 1,
/// 5, 6, 15 and 18 to 23, written out over arrays. From the same first weights they must come to the same weights.
module Rflo.Host.Tests.PaperPlainTests

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Dsl
open Rflo.Host
open Rflo.Reproductions.Murray2019

/// Weights (post, pre) of a plain network with one output.
type private Plain = {
    W: float[,]
    In: float[,]
    Out: float[]
    B: float[]
}

let private units (net: Plain) = net.Out.Length

/// A trial's inputs x(t), row t - 1, and targets.
type private Shown = { X: float[,]; Target: float[] }

/// h(0..T), u(1..T) and eps(1..T).
let private forward (net: Plain) shown =
    let n, steps = units net, shown.Target.Length
    let h = Array2D.create (steps + 1) n 0.1
    let u = Array2D.zeroCreate (steps + 1) n
    let eps = Array.zeroCreate (steps + 1)

    for t in 1..steps do
        let mutable y = 0.0

        for i in 0 .. n - 1 do
            let mutable current = 0.0

            for j in 0 .. n - 1 do
                current <- current + net.W[i, j] * h[t - 1, j]

            for j in 0 .. Array2D.length2 net.In - 1 do
                current <- current + net.In[i, j] * shown.X[t - 1, j]

            u[t, i] <- current
            h[t, i] <- h[t - 1, i] + (tanh current - h[t - 1, i]) / 10.0
            y <- y + net.Out[i] * h[t, i]

        eps[t] <- shown.Target[t - 1] - y

    h, u, eps

let private slope u = 1.0 - tanh u * tanh u

/// RFLO's increments of a trial, for W, W_in and W_out (Eqs 5, 6 and 15).
let private rflo (net: Plain) shown =
    let n, steps = units net, shown.Target.Length
    let channels = Array2D.length2 net.In
    let h, u, eps = forward net shown

    let dW, dIn, dOut =
        Array2D.zeroCreate n n, Array2D.zeroCreate n channels, Array.zeroCreate n

    let p, q = Array2D.zeroCreate n n, Array2D.zeroCreate n channels
    let share = 1.0 / float steps

    for t in 1..steps do
        for a in 0 .. n - 1 do
            let post = slope u[t, a] / 10.0

            for b in 0 .. n - 1 do
                p[a, b] <- 0.9 * p[a, b] + post * h[t - 1, b]
                dW[a, b] <- dW[a, b] + share * net.B[a] * eps[t] * p[a, b]

            for b in 0 .. channels - 1 do
                q[a, b] <- 0.9 * q[a, b] + post * shown.X[t - 1, b]
                dIn[a, b] <- dIn[a, b] + share * net.B[a] * eps[t] * q[a, b]

            dOut[a] <- dOut[a] + share * eps[t] * h[t, a]

    dW, dIn, dOut

/// BPTT's (Eqs 20 to 23).
let private bptt (net: Plain) shown =
    let n, steps = units net, shown.Target.Length
    let channels = Array2D.length2 net.In
    let h, u, eps = forward net shown

    let dW, dIn, dOut =
        Array2D.zeroCreate n n, Array2D.zeroCreate n channels, Array.zeroCreate n

    let share = 1.0 / float steps
    let mutable z = Array.zeroCreate n

    for t in steps .. -1 .. 1 do
        // What the step after hands back, and the error of this one.
        z <-
            Array.init n (fun i ->
                let mutable back = 0.0

                if t < steps then
                    back <- 0.9 * z[i]

                    for j in 0 .. n - 1 do
                        back <- back + z[j] * slope u[t + 1, j] * net.W[j, i] / 10.0

                back + net.Out[i] * eps[t])

        for a in 0 .. n - 1 do
            for b in 0 .. n - 1 do
                dW[a, b] <- dW[a, b] + share * z[a] * slope u[t, a] / 10.0 * h[t - 1, b]

            for b in 0 .. channels - 1 do
                dIn[a, b] <- dIn[a, b] + share * z[a] * slope u[t, a] / 10.0 * shown.X[t - 1, b]

            dOut[a] <- dOut[a] + share * eps[t] * h[t, a]

    dW, dIn, dOut

/// Trains: increments summed over `every` trials; signs are kept where there are any.
let private train increments rate every (signs: float[] option) (trials: Shown list) (net: Plain) =
    let held (j: int) (value: float) =
        match signs with
        | Some signs when value * signs[j] < 0.0 -> 0.0
        | _ -> value

    (net, List.chunkBySize every trials)
    ||> List.fold (fun net batch ->
        let all = batch |> List.map (increments net)
        let sum pick at = all |> List.sumBy (pick >> at)

        {
            net with
                W =
                    net.W
                    |> Array2D.mapi (fun i j w ->
                        held j (w + rate * sum (fun (d: float[,], _, _) -> d) (fun d -> d[i, j])))
                In =
                    net.In
                    |> Array2D.mapi (fun i j w ->
                        w + rate * sum (fun (_, d: float[,], _) -> d) (fun d -> d[i, j]))
                Out =
                    net.Out
                    |> Array.mapi (fun i w ->
                        w + rate * sum (fun (_, _, d: float[]) -> d) (fun d -> d[i]))
        })

let private trained (experiment: Experiment) =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "; ")

let private plain (run: Trained) (weights: Map<string, Matrix<float>>) = {
    W = weights["cortex->cortex"].ToArray()
    In =
        match Map.tryFind "cue->cortex" weights with
        | Some matrix -> matrix.ToArray()
        | None -> Array2D.zeroCreate weights["cortex->cortex"].RowCount 0
    Out = weights["cortex->y"].Row(0).ToArray()
    B = run.Feedback[("y", "cortex")].Column(0).ToArray()
}

/// The largest difference of two arrays over the largest number in them.
let private apart (a: float seq) (b: float seq) =
    Seq.max (Seq.map2 (fun x y -> abs (x - y)) a b) / Seq.max (Seq.map abs a)

let private agree (run: Trained) (ours: Plain) =
    let theirs = plain run run.Final

    for name, a, b in
        [
            "W", Seq.cast<float> theirs.W, Seq.cast<float> ours.W
            "W_out", Seq.ofArray theirs.Out, Seq.ofArray ours.Out
            if theirs.In.Length > 0 then
                "W_in", Seq.cast<float> theirs.In, Seq.cast<float> ours.In
        ] do
        Numbers.isLessThan (apart a b) 1e-8 $"relative difference of {name}"

    let moved =
        apart (Seq.cast<float> (plain run run.Initial).W) (Seq.cast<float> ours.W)

    Numbers.isGreaterThan moved 1e-4 "how far W has moved"

let private periodic period = {
    X = Array2D.zeroCreate period 0
    Target =
        Array.init period (fun t ->
            let wave k =
                sin (2.0 * Math.PI * float k * float (t + 1) / float period)

            wave 1 + 0.5 * wave 2 + 0.25 * wave 4)
}

/// Pulses at 50 and 50 + d, the target at 50 + 2 d, in trials of 410 steps; each input pulse on its own channel, or both on one.
let private readySetGo own delay =
    let pulse center t =
        exp (-0.5 * ((float t - center) / 15.0) ** 2.0)

    let at t =
        if own then
            [| pulse 50.0 t; pulse (50.0 + delay) t |]
        else
            [| pulse 50.0 t + pulse (50.0 + delay) t |]

    {
        X = array2D [ for t in 1..410 -> at t ]
        Target = [| for t in 1..410 -> pulse (50.0 + 2.0 * delay) t |]
    }

let private ofCondition key conditions =
    conditions |> List.find (fun (condition: Condition) -> condition.Key = key)

let private shortened count (condition: Condition) = {
    condition.Make None with
        Trials = count
}

let private size = {
    Seeds = 1
    Trials = id
    IsQuick = false
}

module C = Conditions

[<Tests>]
let tests =
    testList "the reproduction by plain loops" [
        test "RFLO, T = 200" {
            let run = C.ofPeriod size 200 |> ofCondition (C.rflo 200) |> shortened 20 |> trained

            plain run run.Initial
            |> train rflo 0.03 1 None (List.replicate 20 (periodic 200))
            |> agree run
        }

        test "BPTT, T = 200" {
            let run = C.ofPeriod size 200 |> ofCondition (C.bptt 200) |> shortened 10 |> trained

            plain run run.Initial
            |> train bptt 0.03 1 None (List.replicate 10 (periodic 200))
            |> agree run
        }

        test "Dale's law, half of the units excitatory" {
            let run = C.ofDale size 400 |> ofCondition (C.dale 400) |> shortened 20 |> trained
            let first = plain run run.Initial
            let signs = Array.init 30 (fun j -> if j < 15 then 1.0 else -1.0)

            for j in 0..29 do
                for i in 0..29 do
                    Numbers.isGreaterThanOrEqual (first.W[i, j] * signs[j]) 0.0 "first signs"

            first
            |> train rflo 0.01 1 (Some signs) (List.replicate 20 (periodic 400))
            |> agree run
        }

        for key, own, increments, name in
            [
                C.intervalPrinted 150, false, rflo, "printed"
                C.intervalChosen 150, true, rflo, "in the chosen reading"
                C.intervalBpttChosen 150, true, bptt, "by BPTT"
            ] do
            test $"intervals, {name}" {
                // The delays are given, so that no random number is shared either.
                let delays = [ 50.0; 150.0; 75.0; 125.0; 100.0 ]
                let experiment = C.ofIntervals size |> ofCondition key |> shortened 10

                let task =
                    match experiment.Task.Kind with
                    | ReadySetGo task -> {
                        task with
                            Delays = InTurn(delays |> List.map (fun delay -> delay * 1.0<ms>))
                      }
                    | _ -> failtest "another task"

                let run =
                    trained {
                        experiment with
                            Task = Task.readySetGo task
                    }

                let rate =
                    match experiment.Circuit.Projections.Head.Plasticity with
                    | Learning rate -> rate
                    | _ -> failtest "no rate"

                plain run run.Initial
                |> train increments rate 10 None (delays @ delays |> List.map (readySetGo own))
                |> agree run
            }
    ]
