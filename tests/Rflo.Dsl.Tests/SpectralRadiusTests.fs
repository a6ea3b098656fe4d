/// Weights of a given spectral radius, whatever signs, masks and sizes they have.
module Rflo.Dsl.Tests.SpectralRadiusTests

open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl

/// The weights of an area of so many units to itself, drawn.
let private drawn (area: Area) (arrow: Projection) =
    let y = readout "y" 1

    let network =
        Circuit.empty
        |> areas [ area ]
        |> readouts [ y ]
        |> projections [ arrow; area --> y ]

    let task = Task.ofArrays (Array2D.zeroCreate 3 0) (Array2D.zeroCreate 3 1)

    match Check.experiment (experiment "drawn" network task |> trials 0) with
    | Error problems -> failtestf "%A" (List.map Problem.text problems)
    | Ok ready ->
        let compiled = Compile.experiment ready
        let name = Projection.name arrow
        (Run.weights compiled (Run.session compiled))[name]

/// From all eigenvalues.
let private radiusOf (weights: Matrix<float>) =
    let dense = Matrix<float>.Build.DenseOfMatrix weights
    dense.Evd().EigenValues |> Seq.map _.Magnitude |> Seq.max

let private hasRadius tolerance radius weights =
    Numbers.isLessThan (abs (radiusOf weights / radius - 1.0)) tolerance "radius"

let private cortex units = area "cortex" units

let private onto (area: Area) =
    area --> area |> weights (spectralRadius 0.9)

let private cases = [
    "dense", cortex 20, onto
    "sparse", cortex 60, onto >> density 0.1
    "so sparse that some units lead nowhere", cortex 40, onto >> density 0.05
    "without self-connections", cortex 15, onto >> noSelf
    "masked", cortex 12, onto >> mask (Array2D.init 12 12 (fun i j -> (i + 2 * j) % 3 = 0))
    "under Dale's law", cortex 20 |> dale 0.8, onto
    "balanced under Dale's law", cortex 40 |> dale 0.8, onto >> density 0.5 >> balanced
    "of a population",
    cortex 20 |> population "left" [ 3; 5; 7; 11 ],
    fun area -> area["left"] --> area["left"] |> weights (spectralRadius 0.9)
    "dense and large", cortex 200, onto
    "sparse and large", cortex 300, onto >> density 0.05
    "large under Dale's law", cortex 180 |> dale 0.5, onto >> noSelf
]

[<Tests>]
let tests =
    testList "spectral radius" [
        for name, area, arrow in cases do
            test name { hasRadius 1e-9 0.9 (drawn area (arrow area)) }

        test "is that of the normal weights of the same seed, scaled" {
            let area = cortex 30
            let ours = drawn area (onto area)
            let plain = drawn area (area --> area |> weights (gaussian 1.0))
            let factor = ours[0, 0] / plain[0, 0]
            Numbers.isLessThan ((ours - plain * factor).L2Norm()) 1e-12 "all by one factor"
        }

        test "a ring, all of whose eigenvalues are equally large" {
            let area = cortex 200
            let ring = Array2D.init 200 200 (fun i j -> i = (j + 1) % 200)
            let weights = drawn area (onto area |> mask ring)

            // The eigenvalues are the roots of the product of the weights.
            let logs = [ for i in 0..199 -> log (abs weights[i, (i + 199) % 200]) ]
            Numbers.isLessThan (abs (List.average logs - log 0.9)) 1e-6 "radius"
        }

        test "units on no way back are left out" {
            // 0 -> 1 -> 2 -> 1, 2 -> 3; 4 alone.
            let connections = [
                struct (1, 0)
                struct (2, 1)
                struct (1, 2)
                struct (3, 2)
            ]

            Expect.equal (Spectrum.Core(5, connections)) [| 1; 2 |] "core"
            Expect.isEmpty (Spectrum.Core(4, [ struct (1, 0); struct (2, 1) ])) "no way back"
        }
    ]
