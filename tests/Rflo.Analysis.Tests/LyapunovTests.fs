/// Lyapunov exponents against known values, and flow fields against the map.
module Rflo.Analysis.Tests.LyapunovTests

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Analysis
open Rflo.Analysis.Tests.Small

let private startOf units draw =
    let stream = RandomStream(draw, "start")
    Array.init units (fun _ -> 0.5 * stream.Gaussian())

/// Symmetric weights: the exponents are the logarithms of the eigenvalues of the map.
let private isLinear () =
    let weights =
        Array2D.init 5 5 (fun i j ->
            0.2 * cos (float ((i + 1) * (j + 1))) + 0.2 * cos (float ((j + 1) * (i + 1))))

    let map = mapOf Transfer.Identity 0.4 weights
    let jacobian = 0.6 * Matrix<float>.Build.DenseIdentity 5 + 0.4 * matrix weights

    let values =
        jacobian.Evd(Symmetricity.Symmetric).EigenValues
        |> Seq.map _.Magnitude
        |> Seq.sortDescending
        |> Array.ofSeq

    let spectrum = LyapunovSpectrum.Of(map, Array.create 5 0.1, 5, 50, 2000)

    for k in 0..4 do
        isNear 1e-9 (log values[k]) spectrum.PerStep[k] $"exponent {k}"
        isNear 1e-9 0.0 spectrum.Errors[k] "all parts alike"

/// The sum of all exponents is what volumes change by.
let private isVolume draw =
    let map = mapOf Transfer.Tanh 0.4 (random 2.0 6 draw)
    let start = startOf 6 draw
    let steps, discarded = 200, 20
    let spectrum = LyapunovSpectrum.Of(map, start, 6, steps, discarded)
    let states = map.Trajectory(start, discarded + steps)

    let volume =
        Seq.average (
            seq {
                for t in discarded .. discarded + steps - 1 ->
                    log (abs (map.At(states[t]).ToMatrix().Determinant()))
            }
        )

    isNear 1e-9 volume (Array.sum spectrum.PerStep) "mean log |det J|"
    Expect.equal spectrum.LastState states[discarded + steps] "where the trajectory ends"

/// Two units that turn: on the cycle one exponent is 0 and the other below.
let private isCycle () =
    let c, s = 1.5 * cos 0.4, 1.5 * sin 0.4
    let map = mapOf Transfer.Tanh 0.3 (array2D [ [ c; -s ]; [ s; c ] ])
    let spectrum = LyapunovSpectrum.Of(map, [| 0.3; 0.1 |], 2, 4000, 500)
    isNear 2e-4 0.0 spectrum.PerStep[0] "along the cycle"
    Numbers.isLessThan spectrum.PerStep[1] -0.05 "onto the cycle"
    isNear 1e-9 (1000.0 * spectrum.PerStep[1]) spectrum.PerSecond[1] "per second at steps of 1 ms"

/// Below g = 1 everything decays to 0, where the exponent is that of the largest eigenvalue.
let private isQuiet () =
    let weights = random 0.5 60 1L
    let map = mapOf Transfer.Tanh 0.1 weights
    let jacobian = map.At(Array.zeroCreate<float> 60).ToMatrix()
    let largest = jacobian.Evd().EigenValues |> Seq.map _.Magnitude |> Seq.max
    let spectrum = LyapunovSpectrum.Of(map, startOf 60 2L, 1, 1500, 600)
    isNear 5e-4 (log largest) spectrum.PerStep[0] "the largest eigenvalue at 0"
    Numbers.isLessThan spectrum.PerStep[0] 0.0 "it is stable"

/// The mean over a standard normal z of f(z).
let private ofNormal f =
    let points = 4000

    let at k =
        -8.0 + 16.0 * (float k + 0.5) / float points

    Seq.sum (
        seq {
            for k in 0 .. points - 1 ->
                f (at k) * exp (-0.5 * at k * at k) * 16.0
                / (float points * sqrt (2.0 * Math.PI))
        }
    )

/// Of h(t) = tanh(g J h(t-1)) with many independent units: q = g^2 < tanh^2(sqrt q z) >, and the largest exponent is
/// 1/2 ln(g^2 < tanh'^2(sqrt q z) >) (Molgedey, Schuchhardt and Schuster 1992).
let meanField gain =
    let mutable q = 1.0

    for _ in 1..500 do
        q <- gain * gain * ofNormal (fun z -> tanh (sqrt q * z) ** 2.0)

    0.5
    * log (gain * gain * ofNormal (fun z -> (1.0 - tanh (sqrt q * z) ** 2.0) ** 2.0))

let private exponent gain units draw =
    let map = mapOf Transfer.Tanh 1.0 (random gain units draw)
    LyapunovSpectrum.Of(map, startOf units draw, 1, 250, 50).PerStep[0]

[<Tests>]
let tests =
    testList "lyapunov exponents" [
        testCase "of linear units are logarithms of eigenvalues" isLinear

        testCase "add up to the mean logarithm of the determinant"
        <| fun () ->
            for draw in 1L .. 5L do
                isVolume draw

        testCase "of a limit cycle are 0 and one below" isCycle
        testCase "of a quiet random network are those of its rest" isQuiet

        testCase "of a random network follow mean-field theory"
        <| fun () ->
            for gain in [ 2.0; 4.0 ] do
                let found = [ for draw in 1L .. 2L -> exponent gain 200 draw ]
                isNear 0.03 (meanField gain) (List.average found) $"g = {gain}"

        testCase "are minus infinity where a step loses a direction"
        <| fun () ->
            let map = mapOf Transfer.Identity 1.0 (array2D [ [ 0.5; 0.5 ]; [ 0.5; 0.5 ] ])
            let spectrum = LyapunovSpectrum.Of(map, [| 1.0; 0.0 |], 2, 20, 1)
            isNear 1e-12 0.0 spectrum.PerStep[0] "along the line"
            Expect.equal spectrum.PerStep[1] -infinity "across it"

        testCase "give the dimension at which they add up to 0"
        <| fun () ->
            let of' exponents =
                LyapunovSpectrum(
                    PerStep = exponents,
                    Errors = [||],
                    Dt = 1.0,
                    Steps = 10,
                    LastState = [||]
                )

            isNear 1e-12 2.4 (of' [| 0.3; 0.1; -1.0; -2.0 |]).Dimension "between two and three"
            Expect.equal (of' [| -0.1; -0.2 |]).Dimension 0.0 "a point"
            Expect.isTrue (Double.IsNaN (of' [| 0.3; 0.1; -0.1 |]).Dimension) "too few are known"

        testCase "are per second by the duration of a step"
        <| fun () ->
            let spectrum =
                LyapunovSpectrum(
                    PerStep = [| 0.1; -0.2 |],
                    Errors = [||],
                    Dt = 0.5,
                    Steps = 10,
                    LastState = [||]
                )

            Expect.equal spectrum.PerSecond [| 200.0; -400.0 |] "1000 / 0.5 times as much"

        testCase "say what does not fit"
        <| fun () ->
            let map = mapOf Transfer.Identity 1.0 (array2D [ [ 3.0 ] ])

            isRefused [ "exponents"; "2 were"; "has 1" ] (fun () ->
                LyapunovSpectrum.Of(map, [| 1.0 |], 2, 20))

            isRefused [ "steps"; "at least 10" ] (fun () ->
                LyapunovSpectrum.Of(map, [| 1.0 |], 1, 5))

            isRefused [ "does not stay finite" ] (fun () ->
                LyapunovSpectrum.Of(map, [| 1.0 |], 1, 2000))
    ]

[<Tests>]
let flow =
    testList "flow fields" [
        testCase "are F(z) - z in the plane"
        <| fun () ->
            let map = mapOf Transfer.Tanh 0.3 (random 1.5 4 5L)
            let origin = startOf 4 1L
            let first, second = startOf 4 2L, startOf 4 3L

            let field =
                FlowField.Of(map, origin, first, second, [| -1.0; 0.0; 0.5 |], [| 0.25; 2.0 |])

            let a = Vector<float>.Build.Dense(first).Normalize(2.0)
            let b = Vector<float>.Build.Dense second
            let b = (b - a * a.DotProduct b).Normalize(2.0)

            for row in 0..1 do
                for column in 0..2 do
                    let state =
                        Vector<float>.Build.Dense(origin)
                        + a * field.Horizontal[column]
                        + b * field.Vertical[row]

                    let flow = Vector<float>.Build.Dense(map.Next(state.ToArray())) - state
                    let k = 3 * row + column

                    isNear
                        1e-12
                        (a.DotProduct flow)
                        field.AlongHorizontal[k]
                        "along the first direction"

                    isNear 1e-12 (b.DotProduct flow) field.AlongVertical[k] "along the second"
                    isNear 1e-12 (flow.L2Norm()) field.Speed[k] "in all directions"

        testCase "take signals under way along with the state"
        <| fun () ->
            let map = FixedPointTests.delayed 2 3
            let origin: float[] = Array.zeroCreate map.Size

            let unit k =
                Array.init map.Size (fun i -> if i = k then 1.0 else 0.0)

            let field = FlowField.Of(map, origin, unit 0, unit 1, [| 0.7 |], [| -0.4 |])
            let rate h = 0.8 * h + 0.2 * tanh (2.0 * h)
            isNear 1e-12 (rate 0.7 - 0.7) field.AlongHorizontal[0] "as though without a delay"
            isNear 1e-12 (rate -0.4 + 0.4) field.AlongVertical[0] "as though without a delay"

        testCase "say what does not fit"
        <| fun () ->
            let map = mapOf Transfer.Tanh 0.3 (random 1.5 2 5L)

            let of' origin first second () =
                FlowField.Of(map, origin, first, second, [| 0.0 |], [| 0.0 |])

            isRefused
                [ "first and second"; "no plane" ]
                (of' [| 0.0; 0.0 |] [| 1.0; 2.0 |] [| 2.0; 4.0 |])

            isRefused
                [ "second"; "3 numbers" ]
                (of' [| 0.0; 0.0 |] [| 1.0; 2.0 |] [| 2.0; 4.0; 1.0 |])

            isRefused [ "first"; "length is 0" ] (of' [| 0.0; 0.0 |] [| 0.0; 0.0 |] [| 2.0; 4.0 |])
    ]
