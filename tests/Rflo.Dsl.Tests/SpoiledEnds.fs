/// Mistakes in inputs and readouts.
module Rflo.Dsl.Tests.SpoiledEnds

open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials
open Rflo.Dsl.Tests.Planting

let all = [
    kind "input without channels" (fun e -> [
        for index, x in List.indexed e.Circuit.Inputs do
            withCircuit
                (fun c -> {
                    c with
                        Inputs = List.updateAt index { x with Channels = 0 } c.Inputs
                })
                e
            |> inInput index (notAllowed "the number of channels" "0" "at least 1") [
                $"size of input {x.Name}"
            ] [ "sums"; "names" ]
    ])
    kind "input with a bad name" (fun e -> [
        for index, x in List.indexed e.Circuit.Inputs do
            withCircuit (renamed x.Name "my input") e
            |> inInput index (always (BadName "my input")) [ "names" ] [
                $"size of input {x.Name}"
                "sums"
            ]
    ])
    kind "two inputs of one name" (fun e -> [
        for x in e.Circuit.Inputs do
            withCircuit (appendInputs [ x ]) e
            |> inInput e.Circuit.Inputs.Length (always (NameTaken x.Name)) [ "names" ] [
                "sums"
                $"size of input {x.Name}"
            ]
    ])
    kind "readout without outputs" (fun e -> [
        for index, y in List.indexed e.Circuit.Readouts do
            withCircuit
                (fun c -> {
                    c with
                        Readouts = List.updateAt index { y with Outputs = -1 } c.Readouts
                })
                e
            |> inReadout index (notAllowed "the number of outputs" "-1" "at least 1") [
                $"size of readout {y.Name}"
            ] [ "sums"; "names" ]
    ])
    kind "unknown output" (fun e -> [
        for index, y in List.indexed e.Circuit.Readouts do
            withCircuit
                (fun c -> {
                    c with
                        Readouts = List.updateAt index { y with Output = enum 5 } c.Readouts
                })
                e
            |> inReadout
                index
                (notAllowed "output" "5" "one of Linear, Sigmoid, Softmax, Exponential, Softplus") [
                    $"size of readout {y.Name}"
                    "names"
                ] []
    ])
    kind "readout with a bad name" (fun e -> [
        for index, y in List.indexed e.Circuit.Readouts do
            withCircuit (renamed y.Name "y,1") e
            |> inReadout index (always (BadName "y,1")) [ "names" ] [
                $"size of readout {y.Name}"
                "sums"
            ]
    ])
    kind "two readouts of one name" (fun e -> [
        for y in e.Circuit.Readouts do
            withCircuit (appendReadouts [ y ]) e
            |> inReadout e.Circuit.Readouts.Length (always (NameTaken y.Name)) [ "names" ] [
                "sums"
                $"size of readout {y.Name}"
            ]
    ])
    kind "readout with the name of an area" (fun e -> [
        if not (List.exists isWinnerTakeAll e.Circuit.Areas) then
            for a in e.Circuit.Areas do
                let index = e.Circuit.Readouts.Length

                withCircuit (appendReadouts [ readout a.Name 1 ]) e
                |> appended (arrow OfBias (OfReadout a.Name))
                |> snd
                |> fitTask (stepsOf e)
                |> inReadout index (always (NameTaken a.Name)) [
                    "names"
                    "task"
                    "competition"
                    "sums"
                ] [ "dt" ]
    ])
    kind "readout that listens to nothing" (fun e -> [
        let index = e.Circuit.Readouts.Length

        withCircuit (appendReadouts [ readout $"deaf{index}" 2 ]) e
        |> fitTask (stepsOf e)
        |> inReadout index (always NothingArrives) [ "task"; "sums" ] [ "dt" ]
    ])
]
