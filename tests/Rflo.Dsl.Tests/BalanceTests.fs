/// The expected inputs of every unit of a balanced projection sum to zero, whatever connections it has; and masks say how many inputs
/// a unit is expected to have.
module Rflo.Dsl.Tests.BalanceTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl

let private matrixOf (e: Experiment) name =
    match Check.experiment e with
    | Error problems -> failtest $"%A{List.map Problem.text problems}"
    | Ok ready ->
        let compiled = Compile.experiment ready
        let at = compiled.Projections |> List.findIndex ((=) name)
        let spec = compiled.Graph.Projections[at]
        let struct (post, pre) = compiled.Graph.ShapeOf(ProjectionId at)
        let matrix = Array2D.zeroCreate post pre

        match spec.Synapses with
        | :? DenseSynapses as dense ->
            dense.Weights |> Array.iteri (fun k w -> matrix[k / pre, k % pre] <- w)
        | :? SparseSynapses as sparse ->
            for i in 0 .. post - 1 do
                for k in sparse.RowStart[i] .. sparse.RowStart[i + 1] - 1 do
                    matrix[i, sparse.Columns[k]] <- sparse.Weights[k]
        | _ -> ()

        matrix

let private drawn number (source: Area) (target: Area) (p: Projection) =
    let distinct =
        if source.Name = target.Name then
            [ source ]
        else
            [ source; target ]

    experiment
        "balance"
        (Circuit.empty |> areas distinct |> projections [ p |> label "p" ])
        (Task.ofArrays (Array2D.create 2 0 0.0) (Array2D.create 2 0 0.0))
    |> trials 0
    |> seed number
    |> fun e -> matrixOf e "p"

let private draws = 400

/// The sum of each row, over many draws: its mean in units of its own standard error.
let private scores source target p =
    let sums = [|
        for number in 1..draws ->
            let matrix = drawn number source target p

            [|
                for i in 0 .. Array2D.length1 matrix - 1 -> Array.sum matrix[i, *]
            |]
    |]

    [|
        for i in 0 .. sums[0].Length - 1 ->
            let row = sums |> Array.map (Array.item i)
            let mean = Array.average row
            let variance = row |> Array.averageBy (fun s -> (s - mean) ** 2.0)

            if variance = 0.0 then
                0.0
            else
                mean / sqrt (variance / float draws)
    |]

let private source = area "a" 10 |> dale 0.8
let private target = area "b" 4

/// Masks in which every row has inputs of both signs, as different in their numbers as can be.
let private masks post =
    gen {
        let! excitatory = Gen.arrayOfLength post (Gen.choose (1, 8))
        let! inhibitory = Gen.arrayOfLength post (Gen.choose (1, 2))

        return
            Array2D.init post 10 (fun i j ->
                if j < 8 then
                    (j + i) % 8 < excitatory[i]
                else
                    j - 8 < inhibitory[i])
    }
    |> Gen.sampleWithSeed (Rnd 89UL) 5 3

[<Tests>]
let tests =
    testList "balanced projections" [
        for name, p, into in
            [
                "dense", source --> target, target
                "density", source --> target |> density 0.5, target
                "sparse", source --> target |> density 0.2, target
                "recurrent without self-connections", source --> source |> noSelf, source
                "uniform", source --> target |> weights (uniform -0.3 1.0), target
                for k, mask in Array.indexed (masks 4) do
                    $"mask {k}", source --> target |> Projection.mask mask, target
                for k, mask in Array.indexed (masks 10) do
                    $"mask {k} without self-connections",
                    // Every row has a unit of either sign beside its own.
                    source --> source
                    |> Projection.mask (
                        mask
                        |> Array2D.mapi (fun i j m ->
                            m || (if j < 8 then (j - i + 16) % 8 = 1 else i >= 8))
                    )
                    |> noSelf,
                    source
            ] do
            test $"{name}: the expected inputs of every unit sum to zero" {
                for i, score in Array.indexed (scores source into (balanced p)) do
                    Numbers.isLessThan (abs score) 4.5 $"row {i}"

                Expect.exists
                    (scores source into p)
                    (fun score -> abs score > 4.5)
                    "not without the word"
            }

        test "a row with one inhibitory unit, itself, cannot be balanced without it" {
            let one = area "a" 5 |> dale 0.8

            let problems =
                match
                    Check.experiment (
                        experiment
                            "one"
                            (Circuit.empty
                             |> areas [ one ]
                             |> projections [ one --> one |> noSelf |> balanced ])
                            (Task.ofArrays (Array2D.create 2 0 0.0) (Array2D.create 2 0 0.0))
                        |> trials 0
                    )
                with
                | Ok _ -> []
                | Error problems -> List.map Problem.text problems

            Expect.equal
                problems
                [
                    "projection a->a: row 4 has connections of one sign only, which cannot be balanced; give it connections of both signs, or leave balanced out"
                ]
                "said"
        }

        // The mask has 30 rows and 120 columns, so that dividing by the wrong number of units shows.
        test "the weights of a mask are as large as its mean number of inputs says" {
            let wide, narrow = area "a" 120, area "b" 30
            let mask = Array2D.init 30 120 (fun i j -> (i + j) % 3 = 0)

            for start, variance in
                [
                    gaussian 1.5, 1.5 * 1.5 / 40.0
                    uniformScaled 1.5, 1.5 * 1.5 / 3.0 / 40.0
                ] do
                let matrix =
                    drawn 1 wide narrow (wide --> narrow |> weights start |> Projection.mask mask)

                let existing = [|
                    for i in 0..29 do
                        for j in 0..119 do
                            if mask[i, j] then
                                matrix[i, j]
                |]

                let found = existing |> Array.averageBy (fun w -> w * w)
                // 1200 draws: the relative error of their mean square is at most sqrt(2 / 1200) = 0.04.
                Numbers.isLessThan (abs (found / variance - 1.0)) 0.2 $"%A{start}"
        }
    ]
