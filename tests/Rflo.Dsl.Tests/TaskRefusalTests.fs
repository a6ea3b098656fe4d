/// What is said of the parameters of standard tasks, of phases and of tasks made of tasks, word for word.
module Rflo.Dsl.Tests.TaskRefusalTests

open Expecto
open Rflo.Dsl

let private lines task =
    match Trials.show 1.0<ms> 1L task [ 0 ] with
    | Ok _ -> []
    | Error problems -> List.map Problem.text problems

let private perceptual = PerceptualDecision.standard
let private matching = DelayedMatch.standard

let private silent phases =
    Task.phased 0 1 phases ignore (fun () _ -> {
        Input = [||]
        Target = [| 0.0 |]
        Mask = [||]
        Events = []
    })

let private oneChannel = silent [ phase "run" (fixedFor 5.0<ms>) ]

let private rows = [
    "a sine of no period",
    Task.sine {
        SineCommand.standard with
            ShortestPeriod = 0.0<ms>
    },
    [
        "task: the shortest period is 0 ms; it must be finite and more than 0 ms"
    ]

    "a sine whose longest period is shorter than its shortest",
    Task.sine {
        SineCommand.standard with
            LongestPeriod = 20.0<ms>
            Amplitude = nan
    },
    [
        "task: the longest period is 20 ms; it must be finite and at least the shortest, 50 ms"
        "task: the amplitude is NaN; it must be finite"
    ]

    "a flip-flop of nothing",
    Task.flipFlop {
        FlipFlop.standard with
            Bits = 0
            Pulse = 1.5<ms>
            Interval = 0.5<ms>
            Run = fixedFor 10.5<ms>
    },
    [
        "task: the duration of phase run is 10.5 ms, which is no whole number of steps of 1 ms; change it or dt"
        "task: the number of bits is 0; it must be at least 1"
        "task: the duration of a pulse is 1.5 ms, which is no whole number of steps of 1 ms; change it or dt"
        "task: the interval between pulses is 0.5 ms; it must be finite, more than 0 ms and at least one step, 1 ms"
    ]

    "an add task whose delays are no multiples",
    Task.add {
        AddTask.standard with
            FirstDelay = 25.0<ms>
            SecondDelay = -10.0<ms>
    },
    [
        "task: the first delay is 25 ms; it must be a multiple of the time for which a bit is held, 10 ms"
        "task: the second delay is -10 ms; it must be a multiple of the time for which a bit is held, 10 ms"
    ]

    "an add task with a probability above 1",
    Task.add {
        AddTask.standard with
            Base = 0.75
            SecondWeight = 0.0
            Bernoulli = true
    },
    [
        "task: the probability where the two bits are 1 and 0 is 1.25; it must be in [0, 1]"
        "task: the probability where the two bits are 1 and 1 is 1.25; it must be in [0, 1]"
    ]

    "a sensorimotor map without a neutral target",
    Task.sensorimotorMap {
        SensorimotorMap.standard with
            Neutral = infinity
    },
    [
        "task: the neutral target is Infinity; it must be finite"
    ]

    "a match of one direction",
    Task.delayedMatch {
        matching with
            Directions = 1
            MatchShare = 1.5
            Noise = -0.1
            Answer = {
                High = nan
                Low = infinity
                QuietWeight = -1.0
            }
    },
    [
        "task: the number of directions is 1; it must be at least 2"
        "task: the share of matches is 1.5; it must be in [0, 1]"
        "task: the noise is -0.1; it must be finite and at least 0"
        "task: the target of the right output is NaN; it must be finite"
        "task: the target of the wrong output is Infinity; it must be finite"
        "task: the weight before the decision is -1; it must be finite and at least 0"
    ]

    "a discrimination of the same",
    Task.delayedDiscrimination {
        DelayedDiscrimination.standard with
            Pairs = [ 10.0, 10.0; 20.0, nan ]
            Highest = 10.0
    },
    [
        "task: a pair of frequencies is (10, 10); it must be two different finite numbers"
        "task: a pair of frequencies is (20, NaN); it must be two different finite numbers"
        "task: the highest frequency is 10; it must be finite and more than the lowest, 10"
    ]

    "a discrimination of no pair",
    Task.delayedDiscrimination {
        DelayedDiscrimination.standard with
            Pairs = []
    },
    [ "task: the number of pairs is 0; it must be at least 1" ]

    "a decision without evidence",
    Task.perceptualDecision { perceptual with Coherences = [] },
    [
        "task: the number of coherences is 0; it must be at least 1"
    ]

    "evidence of negative coherence",
    Task.perceptualDecision {
        perceptual with
            Coherences = [ 0.1; -0.1 ]
    },
    [
        "task: a coherence is -0.1; it must be finite and at least 0"
    ]

    "contexts of no gain",
    Task.contextIntegration {
        ContextIntegration.standard with
            Gain = nan
            Report = RunningSum infinity
    },
    [
        "task: the gain is NaN; it must be finite"
        "task: the scale of the sum is Infinity; it must be finite"
    ]

    "an even number of cues",
    Task.evidenceAccumulation {
        EvidenceAccumulation.standard with
            Cues = 6
            Share = -0.5
    },
    [
        "task: the number of cues is 6; it must be odd and at least 1"
        "task: the share of cues on the side drawn is -0.5; it must be in [0, 1]"
    ]

    "cues without a duration",
    Task.evidenceAccumulation {
        EvidenceAccumulation.standard with
            On = 0.0<ms>
            Off = 15.0<ms>
    },
    [
        "task: the duration of a cue is 0 ms; it must be finite and at least one step, 1 ms"
    ]

    "intervals of negative weight",
    Task.intervalDiscrimination {
        IntervalDiscrimination.standard with
            Answer = {
                Answer.standard with
                    QuietWeight = -0.1
            }
    },
    [
        "task: the weight before the decision is -0.1; it must be finite and at least 0"
    ]

    "no phase", silent [], [ "task: the number of phases is 0; it must be at least 1" ]

    "phases of no time",
    silent [ phase "run" (between 0.0<ms> 5.0<ms>) ],
    [
        "task: the shortest trial is 0 ms; it must be finite and at least one step, 1 ms"
    ]

    "phases of too much time",
    silent [
        phase "a" (fixedFor 1.5e9<ms>)
        phase "b" (fixedFor 1.5e9<ms>)
    ],
    [
        "task: the shortest trial is 3000000000 ms; it must be fewer than 2000000000 steps of 1 ms"
        "task: the longest trial is 3000000000 ms; it must be fewer than 2000000000 steps of 1 ms"
    ]

    "a phase by nearly its name",
    Task.phased 0 1 [ phase "delay" (fixedFor 5.0<ms>) ] ignore (fun () now -> {
        Input = [||]
        Target = [| float (now.DurationOf "dealy") |]
        Mask = [||]
        Events = []
    }),
    [
        "task: no phase is named dealy (known: delay); did you mean delay?"
    ]

    "no block", Task.blocks [], [ "task: the number of tasks is 0; it must be at least 1" ]
    "no share", Task.mixture [], [ "task: the number of tasks is 0; it must be at least 1" ]

    "parts of other channels, and wrong in themselves",
    Task.mixture [
        oneChannel, 1.0
        Task.perceptualDecision { perceptual with Noise = nan }, nan
        Task.blocks [ oneChannel, 0 ] |> Task.named "turns", 1.0
    ],
    [
        "task: the number of input channels of perceptual-decision is 3; it must be 0, as those of phases"
        "task: the number of outputs of perceptual-decision is 2; it must be 1, as those of phases"
        "task: the weight of perceptual-decision is NaN; it must be finite and more than 0; leave the task out, if it is never to be drawn"
        "task, its part perceptual-decision: the noise is NaN; it must be finite and at least 0"
        "task, its part turns: the number of trials of phases is 0; it must be at least 1"
    ]

    "parts of one name",
    Task.blocks [ oneChannel, 10; oneChannel, -1 ],
    [
        "task: the number of trials of phases (number 2) is -1; it must be at least 1"
    ]

    "a stage passed by rewards that nobody gives",
    Task.curriculum [ oneChannel, MeanRewardAbove(1.0, 10) ] oneChannel,
    [
        "task: phases (number 1) is passed by its rewards, and gives none; pass it by its loss, such as lossBelow 0.01 50"
    ]

    "a stage of no trial",
    Task.curriculum [ oneChannel, AfterTrials 0 ] (oneChannel |> Task.named "last"),
    [
        "task: the number of trials of phases is 0; it must be at least 1"
    ]

    "a task that is made by what a circuit does",
    Task.syllables Syllables.standard,
    [
        "task: it is made step by step from what a circuit does, and there is none; use Before and After of what Run.train returns"
    ]
]

[<Tests>]
let tests =
    testList "refusals of tasks" [
        for name, task, expected in rows do
            test name { Expect.equal (lines task) expected name }

        test "steps of no duration" {
            match Trials.show 0.0<ms> 1L oneChannel [ 0 ] with
            | Ok _ -> failtest "it was shown"
            | Error problems ->
                Expect.equal
                    (List.map Problem.text problems)
                    [ "task: dt is 0 ms; it must be finite and more than 0 ms" ]
                    "dt"
        }

        test "a step that is wrong in a later trial ends the run there, and says so" {
            let at () (now: Instant) = {
                Input = [||]
                Target = [|
                    (if now.Trial = 3 && now.Phase = "late" then nan else 0.0)
                |]
                Mask = [||]
                Events = []
            }

            let task =
                Task.phased
                    0
                    1
                    [
                        phase "early" (fixedFor 3.0<ms>)
                        phase "late" (fixedFor 2.0<ms>)
                    ]
                    ignore
                    at
                |> Task.named "lapse"

            let y = readout "y" 1
            let cortex = area "cortex" 2

            let network =
                Circuit.empty
                |> areas [ cortex ]
                |> readouts [ y ]
                |> projections [ cortex --> y |> learningRate 0.1 ]

            match Run.train (experiment "later" network task |> trials 10) with
            | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))
            | Ok trained ->
                Expect.equal trained.Losses.Length 3 "trials before it"

                Expect.stringContains
                    (string trained.Status)
                    "trial 3 of lapse: task: the target of output 0 in step 4 of trial 3, in phase late is NaN; it must be finite"
                    "status"
        }
    ]
