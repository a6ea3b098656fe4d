/// Far from 0: transfer functions, outputs and losses of currents of any size are those of the limit, and numbers.
module Rflo.Core.Tests.ExtremeTests

open System
open Expecto
open Rflo.Core

let private near what (expected: float) (actual: float) =
    Expect.isTrue
        (expected = actual || abs (expected - actual) <= 1e-12 * (1.0 + abs expected))
        $"{what}: {actual}, expected {expected}"

let private sizes = [
    0.0
    1e-12
    0.3
    3.0
    19.0
    25.0
    90.0
    800.0
    1e20
    1e300
]

/// phi and its slope, from what does not overflow.
let private limits: (Transfer * (float -> float * float)) list =
    let sigmoid u =
        if u >= 0.0 then
            1.0 / (1.0 + exp -u)
        else
            exp u / (1.0 + exp u)

    let tanh' u = 1.0 - tanh u * tanh u

    [
        Transfer.Tanh, (fun u -> tanh u, tanh' u)
        Transfer.Relu, (fun u -> max 0.0 u, (if u > 0.0 then 1.0 else 0.0))
        Transfer.Sigmoid, (fun u -> sigmoid u, sigmoid u * sigmoid -u)
        Transfer.Softplus, (fun u -> max 0.0 u + Double.LogP1(exp -(abs u)), sigmoid u)
        Transfer.Identity, (fun u -> u, 1.0)
        Transfer.RectifiedTanh, (fun u -> max 0.0 (tanh u), (if u > 0.0 then tanh' u else 0.0))
    ]

/// A readout that reads constants: one trial of one step, and what it gives.
let private answer kind (sums: float[]) (targets: float[]) (mask: float[]) =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(Name = "a", Units = 1, Alpha = [| 1.0 |], InitialRates = [| 0.0 |])
        )

    let readout =
        builder.AddReadout(ReadoutSpec(Name = "y", Outputs = sums.Length, Kind = kind))

    for name, source, weights in
        [
            "bias", Source.One, sums
            "rates", Source.Area area, Array.zeroCreate sums.Length
        ] do
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = Target.Readout readout,
            Synapses = Synapses.Dense weights
        )
        |> builder.AddProjection
        |> ignore

    let task = {
        new ITask with
            member _.Inputs = 0
            member _.Outputs = sums.Length
            member _.MaxSteps = 1
            member _.Events = 0

            member _.Fill(_, _, into) =
                into.Steps <- 1
                targets.CopyTo(into.Targets, 0)
                mask.CopyTo(into.Mask, 0)
    }

    Session.Create(builder.Build(), task, 1L).Test 0

/// log(1 + e^s) - y s, by what does not overflow.
let private crossEntropy s y =
    max 0.0 s + Double.LogP1(exp -(abs s)) - y * s

[<Tests>]
let tests =
    testList "extremes" [
        for transfer, limit in limits do
            test $"{transfer} and its slope are those of the limit, for any current" {
                let currents = [|
                    for size in sizes do
                        size
                        -size
                |]

                let values, slopes =
                    Array.zeroCreate currents.Length, Array.zeroCreate currents.Length

                Kernels.TransferSlope<float>(
                    transfer,
                    ReadOnlySpan currents,
                    Span values,
                    Span slopes
                )

                for k, current in Array.indexed currents do
                    let value, slope = limit current
                    near $"{transfer} of {current}" value values[k]
                    near $"slope of {transfer} at {current}" slope slopes[k]
            }

        test "a sigmoid's cross-entropy grows as its sum does, and is no infinity before it" {
            for size in sizes do
                for s in [ size; -size ] do
                    for y in [ 0.0; 0.25; 1.0 ] do
                        let shown =
                            answer OutputKind.Sigmoid [| s; 0.0 |] [| y; 0.5 |] [| 0.5; 0.0 |]

                        near $"loss at {s}, target {y}" (0.5 * crossEntropy s y) shown.Loss
        }

        test "a softmax and its cross-entropy depend on differences of sums alone" {
            for shift in [ 0.0; 700.0; -800.0; 1e6 ] do
                let sums = [| 1.0; -2.0; 0.5 |]
                let total = Array.sumBy exp sums
                let targets = [| 0.2; 0.5; 0.3 |]

                let shown =
                    answer
                        OutputKind.Softmax
                        (sums |> Array.map ((+) shift))
                        targets
                        (Array.create 3 2.0)

                for k in 0..2 do
                    Numbers.isLessThan
                        (abs (shown.Outputs[k] - exp sums[k] / total))
                        1e-9
                        $"output {k} at {shift}"

                let loss =
                    Array.map2 (fun y s -> 2.0 * y * (log total - s)) targets sums |> Array.sum

                Numbers.isLessThan (abs (shown.Loss - loss)) 1e-8 $"loss at {shift}"
        }

        test "outputs under a mask of 0 count for nothing, however wrong they are" {
            for kind in [ OutputKind.Linear; OutputKind.Sigmoid ] do
                let masked = answer kind [| 1e200; 0.3 |] [| 0.0; 0.3 |] [| 0.0; 1.0 |]
                let alone = answer kind [| 0.0; 0.3 |] [| 0.0; 0.3 |] [| 0.0; 1.0 |]
                Expect.equal masked.Loss alone.Loss $"{kind}"
                let none = answer kind [| 1e200; 0.3 |] [| 0.0; 0.3 |] [| 0.0; 0.0 |]

                Expect.isTrue
                    (Double.IsNaN none.Loss)
                    $"{kind}: a trial without a target has no loss"
        }
    ]
