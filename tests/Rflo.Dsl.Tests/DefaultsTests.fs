/// What ready-made rules, parts and tasks are when nothing else is said, and which way a rule's error comes.
module Rflo.Dsl.Tests.DefaultsTests

open System
open System.IO
open Expecto
open Rflo.Core
open Rflo.Dsl

let private folder = Path.Combine(__SOURCE_DIRECTORY__, "golden")
let private isUpdating = Environment.GetEnvironmentVariable "RFLO_GOLDEN" = "1"

let private onFile name (lines: string list) =
    let text = String.concat "\n" lines + "\n"
    let file = Path.Combine(folder, $"default-{name}.txt")

    if isUpdating then
        File.WriteAllText(file, text)

    let kept = if File.Exists file then File.ReadAllText file else ""

    Expect.equal
        text
        kept
        $"golden/default-{name}.txt; if the change is meant, run the test program with RFLO_GOLDEN=1 and read the diff before you commit it"

/// A function by its values.
let private values (map: Elementwise option) =
    match map with
    | None -> "none"
    | Some map ->
        let at = [
            for x in [ -2.0; 0.5; 3.0 ] -> sprintf "%g" (map.Apply.Invoke x)
        ]

        $"""{map.Name} {String.concat " " at}"""

let private shaped name (factor: Shaped<'signal>) =
    sprintf "  %s %A, mean %A, map %s" name factor.Signal factor.Mean (values factor.Map)

let private rule (rule: Rule) = [
    sprintf
        "%s: error %A, update %A, optimizer %A, clip %A"
        rule.Name
        rule.Error
        rule.Update
        rule.Optimizer
        rule.Clip
    sprintf "  rates %A, readout %A, learns %A" rule.Schedule rule.Readout rule.Learns

    match rule.Credit with
    | Local trace ->
        sprintf "  trace %A, Oja %A" trace.Trace trace.Oja
        shaped "post" trace.Post
        shaped "pre" trace.Pre
        shaped "modulator" trace.Modulator
    | other -> sprintf "  %A" other
]

let private a = area "a" 5
let private y = readout "y" 1

/// A circuit in which every rule can learn: the area has noise, and the task gives rewards.
let private plan feedbackScale (rule: Rule) =
    let noisy = a |> noise 0.1

    Circuit.empty
    |> areas [ noisy ]
    |> readouts [ y ]
    |> projections [ noisy --> noisy |> learningRate 0.05; noisy --> y ]
    |> feedback [
        errorOf y --> noisy |> through (randomFeedback feedbackScale)
    ]
    |> fun network ->
        Task.ofArrays (Array2D.zeroCreate 10 0) (Array2D.init 10 1 (fun t _ -> float t / 10.0))
        |> Task.rewarded (Array.init 10 (fun t -> 0.1 * float t))
        |> experiment "paths" network
    |> Experiment.rule rule
    |> trials 3

let private learned scale rule =
    match Run.train (plan scale rule) with
    | Ok trained -> trained.Final["a->a"].ToArray()
    | Error problems -> failtest $"{rule.Name}: %A{List.map Problem.text problems}"

let private onlyReadouts = [ "delta"; "force"; "ridge" ]

/// Rules whose error comes through the feedback that the circuit declares.
let private byDeclared = [ "rflo"; "bptt-random"; "rtrl-random" ]

[<Tests>]
let tests =
    testList "defaults" [
        test "of rules are those on file" { onFile "rules" (List.collect rule Rule.all) }

        test "of parts are those on file" {
            onFile "parts" [
                sprintf "%A" (area "a" 3)
                sprintf "%A" (relay "a" 3)
                sprintf "%A" (winnerTakeAll "a" 3)
                sprintf "%A" y
                sprintf "%A" (a --> a)
                sprintf "%A" (bias --> a)
                sprintf "%A" (errorOf y --> a)
                sprintf
                    "%A"
                    {
                        experiment "e" Circuit.empty (Task.periodic 5.0<ms> [ harmonic 1 1.0 ]) with
                            Rule = Rule.rflo
                    }
                        .Trials
                yield! Circuit.describe (Modules.loop 6 2 AtTrialEnd)
                yield! Circuit.describe (Modules.syllables 6 2 0.01)
                yield!
                    Circuit.describe (
                        Modules.sequenced Rule.rewardHebb 3.0 0.1 (Modules.syllables 6 2 0.01)
                    )
                sprintf "%A" SineCommand.standard
                sprintf "%A" FlipFlop.standard
                sprintf "%A" AddTask.standard
                sprintf "%A" DelayedMatch.standard
                sprintf "%A" DelayedDiscrimination.standard
                sprintf "%A" PerceptualDecision.standard
                sprintf "%A" ContextIntegration.standard
                sprintf "%A" IntervalDiscrimination.standard
                sprintf "%A" EvidenceAccumulation.standard
                sprintf "%A" SensorimotorMap.standard
                sprintf "%A" ReadySetGo.standard
                sprintf "%A" Syllables.standard
            ]
        }

        for rule in Rule.all do
            if not (List.contains rule.Name onlyReadouts) then
                test
                    $"{rule.Name} learns by the declared feedback or by the readout's weights, as it says" {
                    let isMoved = learned 0.5 rule <> learned 2.0 rule

                    Expect.equal
                        isMoved
                        (List.contains rule.Name byDeclared)
                        "depends on the feedback"
                }

        test "e-prop is the symmetric local rule, to the bit" {
            Expect.equal (learned 1.0 Rule.eprop) (learned 1.0 Rule.localSymmetric) "weights"
        }

        test "learned time constants are reported in ms, whatever dt is" {
            for step in [ 0.5<ms>; 1.0<ms>; 2.0<ms> ] do
                let constants = [| 6.0<ms>; 8.0<ms>; 10.0<ms>; 14.0<ms>; 40.0<ms> |]
                let slow = a |> taus constants |> learnTau 0.0

                let declared =
                    Circuit.empty
                    |> areas [ slow ]
                    |> readouts [ y ]
                    |> projections [ slow --> slow; slow --> y |> learningRate 0.1 ]
                    |> feedback [ errorOf y --> slow ]
                    |> fun network ->
                        experiment "ms" network (Task.periodic 20.0<ms> [ harmonic 1 1.0 ])
                    |> dt step
                    |> trials 2
                    |> keepBest

                match Run.train declared with
                | Error problems -> failtest $"%A{List.map Problem.text problems}"
                | Ok trained ->
                    for found in
                        [
                            trained.TimeConstants["a"]
                            trained.BestTimeConstants["a"]
                        ] do
                        for tau, expected in Seq.zip found constants do
                            Expect.floatClose Accuracy.high tau (float expected) $"dt {step}"
        }
    ]
