/// Decisions and intervals, of circuits with one readout and with several, whatever these are called and in whatever order.
module Rflo.Dsl.Tests.MeasureTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid

/// A task that asks for a decision, beside which other readouts are asked for other things.
type Case = {
    /// Names and widths in order of declaration.
    Readouts: (string * int) list
    /// The one that decides; its first output, if so said, is held high until the decision.
    Choice: string
    Fixation: bool
    /// How much steps before the decision count.
    QuietMask: float
    Waiting: int
    Deciding: int
    Seed: int
}

let private caseGen =
    gen {
        let! others = Gen.choose (0, 3)
        let! names = Gen.shuffle [| "a"; "choice"; "fixation"; "value"; "z" |]
        let! widths = Gen.listOfLength 5 (Gen.choose (1, 4))
        let names = names |> Array.truncate (others + 1) |> List.ofArray
        let! choice = Gen.elements names
        let! width = Gen.choose (2, 4)
        let! fixation = Gen.elements [ false; true ]
        let! quiet = Gen.elements [ 0.0; 0.01; 0.5; 1.0 ]
        let! waiting = Gen.choose (1, 20)
        let! deciding = Gen.choose (1, 5)
        let! seed = Gen.choose (1, 10000)

        return {
            Readouts = [
                for name, other in List.zip names (List.truncate names.Length widths) ->
                    name,
                    (if name = choice then
                         width + (if fixation then 1 else 0)
                     else
                         other)
            ]
            Choice = choice
            Fixation = fixation
            QuietMask = quiet
            Waiting = waiting
            Deciding = deciding
            Seed = seed
        }
    }

type Seed = Seed of int

type Arbitraries =
    static member Case() = Arb.fromGen caseGen

    static member Seed() =
        Gen.choose (1, 100_000) |> Gen.map Seed |> Arb.fromGen

/// A trial with a random right answer, and what an observer answers: outputs of the choice by (right answer, step, output).
let private trial (case: Case) (random: Random) observer : int * Activity =
    let steps = case.Waiting + case.Deciding
    let width = case.Readouts |> List.find (fst >> (=) case.Choice) |> snd
    let first = if case.Fixation then 1 else 0
    let right = random.Next(first, width)

    let asked t k =
        if t < case.Waiting then
            if case.Fixation && k = 0 then 1.0 else 0.0
        elif k = right then
            1.0
        else
            0.0

    let counted t =
        if t < case.Waiting then case.QuietMask else 1.0

    let filled outputs (value: int -> int -> float) : Matrix<float> =
        Matrix<float>.Build.Dense(steps, outputs, fun t k -> value t k)

    let columns choice other : Matrix<float> =
        case.Readouts
        |> List.map (fun (name, outputs) ->
            filled outputs (if name = case.Choice then choice else other))
        |> List.reduce (fun left right -> left.Append right)

    let noise _ _ = random.NextDouble() - 0.5

    right,
    {
        Loss = 0.0
        Readouts = [
            for name, outputs in case.Readouts ->
                {
                    Name = name
                    Outputs = outputs
                    Output = Output.Linear
                    Loss = None
                    Lost = []
                }
        ]
        Inputs = Matrix<float>.Build.Dense(steps, 1)
        Targets = columns asked noise
        Mask = columns (fun t _ -> counted t) (fun _ _ -> 1.0)
        Rewards = Array.zeroCreate steps
        Events = Map.empty
        Conditions = Map.empty
        Performance = nan
        Outputs =
            Map.ofList [
                for name, outputs in case.Readouts ->
                    name, filled outputs (if name = case.Choice then observer asked else noise)
            ]
        Rates = Map.empty
        States = Map.empty
    }

let private decide (case: Case) activity =
    match case.Readouts with
    | [ _ ] -> Measure.decision activity
    | _ -> Measure.decisionOf case.Choice activity

let private score case random observer count =
    let scores =
        List.init count (fun _ ->
            let right, activity = trial case random observer

            match decide case activity with
            | Some(asked, chosen) ->
                Expect.equal asked right "asked"
                if asked = chosen then 1.0 else 0.0
            | None -> failtest "no decision")

    List.average scores

let private cases = {
    config 60 with
        arbitrary = [ typeof<Arbitraries> ]
}

/// A run of two readouts, the one that decides behind or before one of another width.
let private two order =
    let c = area "c" 4
    let parts = order [ readout "value" 1; readout "choice" 2 ]

    let network =
        Circuit.empty
        |> areas [ c ]
        |> readouts parts
        |> projections [
            for part in parts -> c --> part |> weights (gaussian 1.0) |> learningRate 0.01
        ]

    let targets =
        if parts.Head.Name = "value" then
            [| 5.0; 0.0; 1.0 |]
        else
            [| 0.0; 1.0; 5.0 |]

    let task =
        Task.ofArrays (Array2D.zeroCreate 6 0) (Array2D.init 6 3 (fun _ k -> targets[k]))

    match Run.train (experiment "two" network task |> trials 1) with
    | Ok trained -> trained
    | Error problems -> failtest $"{problems}"

[<Tests>]
let tests =
    testList "measures" [
        testPropertyWithConfig
            cases
            "an ideal observer is always right, and one that guesses as often as chance"
            (fun (case: Case) ->
                let random = Random case.Seed
                Expect.equal (score case random (fun asked t k -> asked t k) 20) 1.0 "ideal"
                let width = case.Readouts |> List.find (fst >> (=) case.Choice) |> snd

                // What is asked for in steps that do not count cannot be known to be no choice.
                let isWaiting = case.Fixation && case.QuietMask > 0.0
                let choices = float (if isWaiting then width - 1 else width)
                let guessed = score case random (fun _ _ _ -> random.NextDouble()) 400

                // Six standard deviations of a mean of 400.
                let spread = 6.0 * sqrt ((choices - 1.0) / (choices * choices * 400.0))
                Numbers.isLessThan (abs (guessed - 1.0 / choices)) spread "guessed")

        testPropertyWithConfig
            cases
            "targets that do not count are no part of a decision"
            (fun (case: Case) ->
                let random = Random case.Seed

                for _ in 1..20 do
                    let _, activity = trial case random (fun _ _ _ -> random.NextDouble())

                    let mask =
                        activity.Mask.Map(fun weight -> if random.Next 3 = 0 then 0.0 else weight)

                    let targets =
                        activity.Targets.MapIndexed(fun t k target ->
                            if mask[t, k] = 0.0 then
                                3.0 * random.NextDouble()
                            else
                                target)

                    Expect.equal
                        (decide case {
                            activity with
                                Mask = mask
                                Targets = targets
                        })
                        (decide case { activity with Mask = mask })
                        "the same")

        testPropertyWithConfig
            cases
            "choices are those with which each syllable but the first begins"
            (fun (Seed seed) ->
                let random = Random seed
                let pick (values: 'value list) = values[random.Next values.Length]
                let dt = pick [ 0.5<ms>; 1.0<ms>; 2.0<ms> ]
                let units, syllables = random.Next(2, 6), random.Next(2, 6)

                let task = {
                    Syllables.standard with
                        Move = pick [ 4.0<ms>; 8.0<ms> ]
                        Hold = pick [ 0.0<ms>; 2.0<ms> ]
                }

                let segment = int ((task.Move + task.Hold) / dt)
                let choices = List.init (syllables - 1) (fun _ -> random.Next units)

                // A choice is made in the last step of the syllable before, and held until the next one is.
                let winner t =
                    if t < segment - 1 then 0
                    elif t = segment * syllables - 1 then random.Next units
                    else choices[(t + 1) / segment - 1]

                let winners = [| for t in 0 .. segment * syllables - 1 -> winner t |]

                let rates =
                    Matrix<float>
                        .Build.Dense(
                            winners.Length,
                            units,
                            fun t unit -> if winners[t] = unit then 1.0 else 0.0
                        )

                Expect.equal (Measure.choices task dt rates) choices "choices")

        test "of several readouts one is to be named, and the message says how" {
            for order in [ id; List.rev ] do
                let trained = two order
                let after = trained.After

                let message =
                    try
                        Measure.decision after |> ignore
                        "nothing"
                    with :? ArgumentException as e ->
                        e.Message

                Expect.stringContains message "2 readouts" "how many"
                Expect.stringContains message "Measure.decisionOf \"" "what to type"

                Expect.throwsT<ArgumentException>
                    (fun () -> Measure.interval ReadySetGo.standard 1.0<ms> after |> ignore)
                    "interval"

                Expect.throwsT<ArgumentException>
                    (fun () -> Measure.decisionOf "choise" after |> ignore)
                    "a slip"

                Expect.equal (Option.map fst (Measure.decisionOf "choice" after)) (Some 1) "asked"
                Expect.allEqual ((Measure.targets "value" after).Enumerate()) 5.0 "targets"
                Expect.equal (Measure.targets "choice" after).ColumnCount 2 "targets of the choice"
                Expect.equal (Measure.mask "choice" after).ColumnCount 2 "mask of the choice"
        }

        test "one output chooses by its sign, one of a sigmoid by a half" {
            let activity output target (values: float) : Activity = {
                Loss = 0.0
                Readouts = [
                    {
                        Name = "y"
                        Outputs = 1
                        Output = output
                        Loss = None
                        Lost = []
                    }
                ]
                Inputs = Matrix<float>.Build.Dense(4, 1)
                Targets = Matrix<float>.Build.Dense(4, 1, fun t _ -> if t < 2 then 0.0 else target)
                Mask = Matrix<float>.Build.Dense(4, 1, fun t _ -> if t < 2 then 0.1 else 1.0)
                Rewards = Array.zeroCreate 4
                Events = Map.empty
                Conditions = Map.empty
                Performance = nan
                Outputs = Map [ "y", Matrix<float>.Build.Dense(4, 1, values) ]
                Rates = Map.empty
                States = Map.empty
            }

            let decide output target value =
                Measure.decision (activity output target value)

            Expect.equal (decide Output.Linear 1.0 0.2) (Some(1, 1)) "linear"
            Expect.equal (decide Output.Linear -1.0 0.2) (Some(0, 1)) "linear, wrong"
            Expect.equal (decide Output.Linear 0.0 0.2) None "nothing asked"
            Expect.equal (decide Output.Sigmoid 1.0 0.2) (Some(1, 0)) "sigmoid, wrong"
            Expect.equal (decide Output.Sigmoid 0.0 0.2) (Some(0, 0)) "sigmoid"
        }

        test "fixation that returns after the decision is no decision" {
            let columns (rows: float list list) =
                let rows = array2D rows
                Matrix<float>.Build.DenseOfArray rows

            let fix, left = [ 1.0; 0.0; 0.0 ], [ 0.0; 1.0; 0.0 ]
            let targets = columns [ fix; fix; left; left; fix ]

            let activity: Activity = {
                Loss = 0.0
                Readouts = [
                    {
                        Name = "y"
                        Outputs = 3
                        Output = Output.Linear
                        Loss = None
                        Lost = []
                    }
                ]
                Inputs = Matrix<float>.Build.Dense(5, 1)
                Targets = targets
                Mask = Matrix<float>.Build.Dense(5, 3, 1.0)
                Rewards = Array.zeroCreate 5
                Events = Map.empty
                Conditions = Map.empty
                Performance = nan
                Outputs = Map [ "y", targets ]
                Rates = Map.empty
                States = Map.empty
            }

            Expect.equal (Measure.decision activity) (Some(1, 1)) "left"
        }
    ]
