module Rflo.Dsl.Tests.SweepTests

open Expecto
open Rflo.Dsl

let private cortex = area "cortex" 4

let private base' =
    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ readout "y" 1 ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> readout "y" 1 |> learningRate 0.03
    ]
    |> feedback [ errorOf (readout "y" 1) --> cortex ]

let private plan =
    experiment "plan" base' (Task.periodic 20.0<ms> [ harmonic 1 1.0 ]) |> trials 3

let private start = Sweep.ofExperiment plan

let private settings (sweep: Sweep) = [ for k in 0 .. sweep.Count - 1 -> (sweep.At k).Settings ]

let private gain (value: float) (experiment: Experiment) = {
    experiment with
        Circuit =
            experiment.Circuit
            |> Circuit.mapProjection "cortex->cortex" (weights (gaussian value))
}

let private rate (value: float) (experiment: Experiment) = { experiment with Dt = value * 1.0<ms> }

let private expect sweep expected =
    Expect.equal (List.map Problem.text (Sweep.problems sweep)) expected "problems"

[<Tests>]
let tests =
    testList "Sweep" [
        test "an experiment by itself is one point" {
            Expect.equal start.Count 1 "points"
            Expect.equal (start.At 0).Experiment plan "the experiment"
            expect start []
        }

        test "the last axis runs fastest, and every point is changed by all" {
            let sweep =
                start
                |> Sweep.over "seed" [ 1..2 ] seed
                |> Sweep.overNamed "rule" [ for r in [ Rule.rflo; Rule.bptt ] -> r.Name, rule r ]

            Expect.equal
                (settings sweep)
                [
                    for seed in [ "1"; "2" ] do
                        for rule in [ "rflo"; "bptt" ] -> [ "seed", seed; "rule", rule ]
                ]
                "settings"

            let third = (sweep.At 2).Experiment
            Expect.equal (third.Seed, third.Rule.Name) (2L, "rflo") "the third"
            expect sweep []
        }

        testProperty
            "a grid has the product of its axes, each point its own settings"
            (fun (a: uint8) (b: uint8) ->
                let a, b = 1 + int a % 12, 1 + int b % 12

                let sweep =
                    start |> Sweep.over "seed" [ 1..a ] seed |> Sweep.over "trials" [ 1..b ] trials

                sweep.Count = a * b
                && List.length (List.distinct (settings sweep)) = a * b
                && Sweep.problems sweep = []
                && Seq.forall
                    (fun k ->
                        let point = sweep.At k

                        point.Experiment.Seed = int64 (1 + k / b)
                        && point.Experiment.Trials = 1 + k % b)
                    (seq { 0 .. a * b - 1 }))

        test "numbers read back to the same bits from their text" {
            let sweep = start |> Sweep.sample 50 3 [ Sweep.logUniform "dt" 1e-9 1e9 rate ]

            for k in 0..49 do
                let point = sweep.At k
                let value = float (snd point.Settings.Head)
                Expect.equal (value * 1.0<ms>) point.Experiment.Dt "the number"
        }

        test "a sample is the same for every point, and another dimension moves none of its numbers" {
            let draws dimensions =
                start
                |> Sweep.over "seed" [ 1..2 ] seed
                |> Sweep.sample 5 7 dimensions
                |> settings
                |> List.map (List.filter (fun (name, _) -> name <> "seed"))

            let uniform = Sweep.uniform "dt" 1.0 2.0 rate
            let alone = draws [ uniform ]
            Expect.equal (List.take 5 alone) (List.skip 5 alone) "both seeds"

            let beside =
                draws [ Sweep.choice "trials" [ 1; 2; 3 ] trials; uniform ]
                |> List.map (List.filter (fun (name, _) -> name = "dt"))

            Expect.equal beside alone "beside another"
        }

        test "draws stay within their range, and go all over it" {
            let sweep = start |> Sweep.sample 400 1 [ Sweep.logUniform "dt" 1e-4 1.0 rate ]
            let values = settings sweep |> List.map (fun s -> log10 (float (snd s.Head)))
            Expect.isTrue (values |> List.forall (fun v -> v >= -4.0 && v < 0.0)) "range"

            for decade in [ -4.0; -3.0; -2.0; -1.0 ] do
                let share =
                    values |> List.filter (fun v -> v >= decade && v < decade + 1.0) |> List.length

                // A quarter of 400 each; the standard deviation is 9.
                Expect.isTrue (abs (share - 100) < 45) $"{share} values in 1e{decade}"
        }

        test "a million points cost nothing until one is asked for" {
            let made = [| 0 |]

            let sweep =
                start
                |> Sweep.over "seed" [ 1..1000 ] (fun k e ->
                    made[0] <- made[0] + 1
                    seed k e)
                |> Sweep.over "trials" [ 1..1000 ] trials

            Expect.equal sweep.Count 1_000_000 "points"
            Expect.equal made[0] 0 "made"
            Expect.equal (sweep.At 999_999).Settings [ "seed", "1000"; "trials", "1000" ] "the last"
            Expect.equal made[0] 1 "made"
            // Whether an axis changes anything is seen in its first two values.
            Expect.equal (Sweep.problems sweep) [] "problems"
            Numbers.isLessThan made[0] 6 "looked at"
        }

        test "appended points follow, with axes of their own" {
            let sweep =
                start
                |> Sweep.over "seed" [ 1..2 ] seed
                |> Sweep.append (start |> Sweep.over "gain" [ 0.5 ] gain)

            Expect.equal sweep.Axes [ "seed"; "gain" ] "axes"

            Expect.equal
                (settings sweep)
                [ [ "seed", "1" ]; [ "seed", "2" ]; [ "gain", "0.5" ] ]
                "settings"

            expect sweep []
        }

        test "measures are kept in their order, by appending too" {
            let width: Trained -> float = fun _ -> 1.0

            let measured =
                start |> Sweep.measure "slope" (fun _ -> 2.0) |> Sweep.measure "width" width

            let more =
                start
                |> Sweep.over "gain" [ 0.5 ] gain
                |> Sweep.measure "width" width
                |> Sweep.measure "height" (fun _ -> 3.0)

            let both = measured |> Sweep.over "seed" [ 1; 2 ] seed |> Sweep.append more

            Expect.equal (List.map fst both.Measures) [ "slope"; "width"; "height" ] "names"
            expect both []
        }

        test "a measure with a name that is taken, or that is none" {
            let zero (_: Trained) = 0.0

            expect
                (start
                 |> Sweep.over "seed" [ 1; 2 ] seed
                 |> Sweep.measure "seed" zero
                 |> Sweep.measure "slope" zero
                 |> Sweep.measure "slope" zero
                 |> Sweep.over "slope" [ 0.1; 0.2 ] gain
                 |> Sweep.measure "a b" zero)
                [
                    "sweep plan, measure seed: the name seed is taken by an earlier part; give it another"
                    "sweep plan, measure slope: the name slope is taken by an earlier part; give it another"
                    "sweep plan, axis slope: the name slope is taken by an earlier part; give it another"
                    "sweep plan, measure a b: the name 'a b' has a character that is not allowed in lists and file names; use letters, digits and . _ - /"
                ]
        }

        test "measures of appended sweeps that have one name and are two functions" {
            let one =
                start |> Sweep.over "seed" [ 1; 2 ] seed |> Sweep.measure "slope" (fun _ -> 1.0)

            let other =
                start |> Sweep.over "gain" [ 0.5 ] gain |> Sweep.measure "slope" (fun _ -> 2.0)

            let third = start |> Sweep.over "slope" [ 0.5 ] gain

            let taken =
                "sweep plan, measure slope: the name slope is taken by an earlier part; give it another"

            expect (one |> Sweep.append other) [
                "sweep plan, measure slope: both of the sweeps have a measure of that name; declare it once, behind Sweep.append"
            ]

            expect (one |> Sweep.append third) [ taken ]
            expect (third |> Sweep.append one) [ taken ]
        }

        test "points with the same seed are paired: the same weights, whatever the rule" {
            let sweep =
                start
                |> Sweep.over "seed" [ 1..2 ] seed
                |> Sweep.overNamed "rule" [ for r in [ Rule.rflo; Rule.bptt ] -> r.Name, rule r ]

            let first k =
                match Check.experiment (sweep.At k).Experiment with
                | Ok ready -> (Run.start ready).Initial
                | Error problems -> failtest $"%A{problems}"

            Expect.equal (first 0) (first 1) "seed 1"
            Expect.equal (first 2) (first 3) "seed 2"
            Expect.notEqual (first 0) (first 2) "the two seeds"
        }

        test "an axis named twice" {
            let sweep =
                start |> Sweep.over "seed" [ 1; 2 ] seed |> Sweep.over "seed" [ 3; 4 ] seed

            expect sweep [
                "sweep plan, axis seed: the name seed is taken by an earlier part; give it another"
            ]
        }

        test "dimensions of one sample named twice" {
            let dimension = Sweep.uniform "dt" 1.0 2.0 rate

            expect (start |> Sweep.sample 2 1 [ dimension; dimension ]) [
                "sweep plan, axis dt: the name dt is taken by an earlier part; give it another"
            ]
        }

        test "an axis without values" {
            expect (start |> Sweep.over "seed" List.empty<int> seed) [
                "sweep plan, axis seed: the number of values is 0; it must be at least 1"
            ]
        }

        test "a value twice" {
            expect (start |> Sweep.over "seed" [ 1; 2; 1 ] seed) [
                "sweep plan, axis seed: the value 1 is given 2 times; it must be given once"
            ]
        }

        test "values that are no short text" {
            expect (start |> Sweep.over "note" [ "one\nline" ] (fun _ e -> e)) [
                "sweep plan, axis note: a value is 'one line'; it must be one line of at most 100 characters; name such values with Sweep.overNamed"
            ]
        }

        test "the same points appended" {
            let seeds = start |> Sweep.over "seed" [ 1; 2 ] seed

            expect (seeds |> Sweep.append (start |> Sweep.over "seed" [ 2; 3 ] seed)) [
                "sweep plan: points 2 and 3 are the same (seed 2); leave one of them out"
            ]
        }

        test "more points than can be counted" {
            let many name = Sweep.over name [ 1..50_000 ] trials

            expect (start |> many "a" |> many "b") [
                "sweep plan: the number of points is 2500000000; it must be at most 2147483647"
            ]
        }

        test "ends of a range that no number lies between" {
            expect
                (start
                 |> Sweep.sample 0 1 [
                     Sweep.logUniform "low" 0.0 1.0 rate
                     Sweep.uniform "turned" 2.0 1.0 rate
                 ])
                [
                    "sweep plan, axis low: the lower end is 0; it must be finite and more than 0"
                    "sweep plan, axis turned: the lower end is 2; it must be at most the upper end, 1"
                    "sweep plan: the number of draws is 0; it must be at least 1"
                ]
        }
    ]
