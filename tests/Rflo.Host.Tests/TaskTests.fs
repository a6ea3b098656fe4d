/// Tasks in words, in manifests and in pictures.
module Rflo.Host.Tests.TaskTests

open System.IO
open Expecto
open Rflo.Dsl
open Rflo.Host
open Rflo.Host.Tests.Processes

let private standard = [
    Task.sine SineCommand.standard
    Task.flipFlop FlipFlop.standard
    Task.add AddTask.standard
    Task.sensorimotorMap SensorimotorMap.standard
    Task.delayedMatch DelayedMatch.standard
    Task.delayedDiscrimination DelayedDiscrimination.standard
    Task.perceptualDecision PerceptualDecision.standard
    Task.contextIntegration ContextIntegration.standard
    Task.intervalDiscrimination IntervalDiscrimination.standard
    Task.evidenceAccumulation EvidenceAccumulation.standard
]

let private json task = (TaskJson.ofTask task).ToJsonString()

let private waiting =
    Task.phased
        0
        1
        [
            phase "wait" (exponential 20.0<ms> 10.0<ms> 90.0<ms>)
            phase "go" (oneOf [ 5.0<ms>; 6.0<ms> ])
        ]
        ignore
        (fun () _ -> {
            Input = [||]
            Target = [| 0.0 |]
            Mask = [||]
            Events = []
        })
    |> Task.named "waiting"

/// One parameter of each task changed.
let private changed = [
    Task.sine {
        SineCommand.standard with
            LongestPeriod = 151.0<ms>
    }
    Task.flipFlop {
        FlipFlop.standard with
            Pulse = 6.0<ms>
    }
    Task.add {
        AddTask.standard with
            Bernoulli = true
    }
    Task.sensorimotorMap {
        SensorimotorMap.standard with
            Neutral = 0.4
    }
    Task.delayedMatch {
        DelayedMatch.standard with
            Delay = fixedFor 50.0<ms>
    }
    Task.delayedDiscrimination {
        DelayedDiscrimination.standard with
            Pairs = [ 1.0, 2.0 ]
    }
    Task.perceptualDecision {
        PerceptualDecision.standard with
            Coherences = [ 0.1 ]
    }
    Task.contextIntegration {
        ContextIntegration.standard with
            Report = RunningSum 0.1
    }
    Task.intervalDiscrimination {
        IntervalDiscrimination.standard with
            Answer = { Answer.standard with Low = 0.1 }
    }
    Task.evidenceAccumulation {
        EvidenceAccumulation.standard with
            Share = 0.6
    }
]

[<Tests>]
let tests =
    testList "tasks" [
        test "say in words what they are, their phases and parts" {
            let sentence task = snd (TaskText.sentence task)

            Expect.equal
                (sentence waiting)
                "trials made by the script over phases, 0 inputs, 1 output: wait 10 to 90 ms, exponential with mean 20 ms, go 5 or 6 ms."
                "phases"

            Expect.equal
                (sentence (Task.perceptualDecision PerceptualDecision.standard))
                "noisy evidence for two sides, noise 0.5; two outputs report for which there was more. Phases: fixation 30 ms, stimulus 50 to 150 ms, delay 0 ms, decision 50 ms."
                "standard"

            for words in
                [
                    sentence (Task.blocks [ waiting, 30; List.head standard, 5 ])
                    sentence (Task.mixture [ waiting, 3.0; List.head standard, 1.0 ])
                    sentence (
                        Task.curriculum [ waiting, MeanLossBelow(0.02, 50) ] (List.head standard)
                    )
                ] do
                Expect.stringContains words "waiting" "first part"

                Expect.stringContains
                    words
                    "a tonic command sets the frequency of a sine"
                    "second part"

            Expect.stringContains
                (sentence (Task.mixture [ waiting, 3.0; waiting, 1.0 ]))
                "75 %"
                "shares"

            Expect.stringContains
                (sentence (Task.curriculum [ waiting, MeanLossBelow(0.02, 50) ] waiting))
                "until the mean loss of its last 50 trials is below 0.02"
                "criterion"

            for task in standard do
                Expect.stringContains (sentence task) "Phases: " task.Name
        }

        test "stand in manifests with every parameter" {
            for task, other in List.zip standard changed do
                Expect.equal (json task) (json task) task.Name
                Expect.notEqual (json other) (json task) task.Name

            let several = [
                waiting
                Task.blocks [ waiting, 3 ]
                Task.blocks [ waiting, 4 ]
                Task.mixture [ waiting, 3.0 ]
                Task.mixture [ waiting, 4.0 ]
                Task.curriculum [ waiting, AfterTrials 3 ] waiting
                Task.curriculum [ waiting, MeanLossBelow(0.1, 3) ] waiting
                Task.curriculum [ waiting, MeanRewardAbove(0.1, 3) ] waiting
            ]

            Expect.equal (List.distinct (List.map json several)).Length several.Length "all differ"

            Expect.stringContains
                (json (Task.curriculum [ waiting, MeanLossBelow(0.1, 3) ] (List.head standard)))
                "\"passed\":{\"kind\":\"meanLossBelow\",\"loss\":0.1,\"trials\":3},\"task\":{\"name\":\"waiting\""
                "criterion"
        }

        test "are drawn into an offline page by the script of the docs" {
            inFolder (fun folder ->
                let path = Path.Combine(root, "docs", "tasks", "pictures.fsx")
                let ended = script folder path [ "tasks.html" ]
                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                let page = File.ReadAllText(Path.Combine(folder, "tasks.html"))

                for task in standard do
                    Expect.stringContains page $"<h3>{task.Name}</h3>" task.Name
                    let picture = Path.Combine(root, "docs", "tasks", task.Name + ".png")
                    Expect.isTrue (File.Exists picture) picture

                let refused = script folder path [ "tasks.html"; "sinus" ]
                Expect.equal refused.Code 2 "exit code"
                Expect.stringContains refused.Errors "no task is named sinus" "message")
        }
    ]
