/// The culture of the machine changes no word: everything is read and written as on any other.
module Rflo.Dsl.Tests.CultureTests

open System.Globalization
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Testing.Circuits
open Rflo.Dsl.Tests.Planting

/// Numbers as German has them. The machines of the tests may know no cultures, so it is made here.
let private german =
    let culture = CultureInfo.InvariantCulture.Clone() :?> CultureInfo
    culture.NumberFormat.NumberDecimalSeparator <- ","
    culture.NumberFormat.NumberGroupSeparator <- "."
    culture.NumberFormat.PercentDecimalSeparator <- ","
    culture.NumberFormat.NaNSymbol <- "keine Zahl"
    culture.NumberFormat.PositiveInfinitySymbol <- "unendlich"
    culture

/// Numbers as Swedish has them: its minus sign is no hyphen, and whole numbers have it too.
let private swedish =
    let culture = german.Clone() :?> CultureInfo
    culture.NumberFormat.NegativeSign <- "\u2212"
    culture

let private cultures = [ "German", german; "Swedish", swedish ]

let private under culture (action: unit -> 'result) =
    let before = CultureInfo.CurrentCulture

    try
        CultureInfo.CurrentCulture <- culture
        action ()
    finally
        CultureInfo.CurrentCulture <- before

let private words (experiment: Experiment) = [
    yield! Circuit.describe experiment.Circuit

    match Check.experiment experiment with
    | Ok _ -> ()
    | Error problems -> yield! Problem.report experiment.Name problems

    let sweep =
        Sweep.ofExperiment experiment
        |> Sweep.over "rate" [ 0.25; 1e-7 ] (fun rate e ->
            e |> rule { e.Rule with Clip = Clip.Each rate })
        |> Sweep.sample 2 7 [
            Sweep.logUniform "step" 1e-3 1.5 (fun step e -> e |> dt (step * 1.0<ms>))
        ]

    for k in 0 .. sweep.Count - 1 do
        Sweep.label (sweep.At k).Settings
]

let private numbers = [ 0.5; -1.25; 1e-7; 1234567.25; nan; infinity ]

/// Standard tasks with a number of each spoiled: their messages write the numbers of all kinds.
let private tasks = [
    for number in numbers do
        let time = number * 1.0<ms>
        Task.periodic time [ harmonic 1 number ]

        Task.sine {
            SineCommand.standard with
                ShortestPeriod = time
        }

        Task.flipFlop {
            FlipFlop.standard with
                Pulse = time
                Interval = time
        }

        Task.add {
            AddTask.standard with
                Base = number
                Held = time
        }

        Task.readySetGo {
            ReadySetGo.standard with
                Width = time
                Delays = DrawnBetween(time, 0.5 * time)
        }

        Task.syllables {
            Syllables.standard with
                Move = time
                Length = number
                Bounds = Some(number, -number)
        }

        Task.perceptualDecision {
            PerceptualDecision.standard with
                Noise = number
        }

        Task.delayedDiscrimination {
            DelayedDiscrimination.standard with
                Noise = number
        }

        Task.curriculum
            [
                Task.periodic time [ harmonic 2 number ], MeanLossBelow(number, 3)
            ]
            (Task.periodic 5.5<ms> [ harmonic 1 0.5 ])
]

[<Tests>]
let tests =
    testList "culture" [
        test "the culture made for these tests writes a comma" {
            Expect.equal (under german (fun () -> (0.5).ToString())) "0,5" "a comma"
            Expect.equal (under swedish (fun () -> (-3).ToString())) "\u22123" "a sign"
        }

        test "what is said of random experiments and their mistakes does not depend on it" {
            let number = Gen.choose (0, 1_000_000)

            let spoiled =
                Gen.zip experimentGen (Gen.listOfLength 4 (Gen.zip number number))
                |> Gen.sampleWithSeed (Rnd 49UL) 8 250

            for experiment, choices in spoiled do
                let wrong, _, _ = plantAll PlantedKinds.all choices experiment

                for e in [ experiment; wrong ] do
                    for name, culture in cultures do
                        Expect.equal (under culture (fun () -> words e)) (words e) name
        }

        test "what is said of standard tasks does not depend on it" {
            let a = area "a" 3 |> tau 12.5<ms>

            for task in tasks do
                let e = experiment "e" (Circuit.empty |> areas [ a ]) task |> dt 0.5<ms>

                for name, culture in cultures do
                    Expect.equal
                        (under culture (fun () -> words e))
                        (words e)
                        $"{task.Name}, {name}"
        }

        test "a network at rest learns the same under it" {
            let e = Gen.sampleWithSeed (Rnd 3UL) 8 5 experimentGen

            for one in e do
                let losses () =
                    match Run.train one with
                    | Ok trained -> trained.Losses
                    | Error problems -> failtest $"%A{problems}"

                // By their bits: a trial without a target has no loss.
                let bits losses =
                    Array.map System.BitConverter.DoubleToInt64Bits losses

                for name, culture in cultures do
                    Expect.sequenceEqual (bits (under culture losses)) (bits (losses ())) name
        }
    ]
