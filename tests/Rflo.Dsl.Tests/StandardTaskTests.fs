/// The tasks that the field knows by name: what they ask, worked out anew from what they show, and what they draw.
module Rflo.Dsl.Tests.StandardTaskTests

open Expecto
open Rflo.Dsl
open Rflo.Dsl.Tests.Views

let private rows view = [ 0 .. steps view - 1 ]

let private expectRow what (expected: float list) (matrix: float[,]) row =
    for k, value in List.indexed expected do
        near $"{what} {k} in step {row + 1}" value matrix[row, k]

let private answer = {
    High = 0.9
    Low = 0.2
    QuietWeight = 0.3
}

/// What a task with that answer asks in a row: output `right` in "decision".
let private expectAnswer right (view: TrialView) =
    for t in rows view do
        let isDecision = phaseOf view t = "decision"

        let targets =
            if not isDecision then [ 0.0; 0.0 ]
            elif right = 0 then [ 0.9; 0.2 ]
            else [ 0.2; 0.9 ]

        let weight = if isDecision then 1.0 else 0.3
        expectRow "target" targets view.Targets t
        expectRow "mask" [ weight; weight ] view.Mask t

/// Channel 0 falls when the decision is asked for.
let private expectFixation (view: TrialView) =
    for t in rows view do
        near "fixation" (if phaseOf view t = "decision" then 0.0 else 1.0) view.Inputs[t, 0]

/// A number of a column that is the same in all rows of a phase, as without noise.
let private shownIn name column (view: TrialView) =
    match [ for t in rowsOf name view -> view.Inputs[t, column] ] |> List.distinct with
    | [ value ] -> value
    | values -> failtest $"channel {column} changes in {name}: %A{values}"

let private expectSilent columns outside (view: TrialView) =
    for t in rows view do
        if not (List.contains (phaseOf view t) outside) then
            for column in columns do
                near $"channel {column} in step {t + 1}" 0.0 view.Inputs[t, column]

let private count = 400

let private shareOf what probability chosen views =
    expectShare what probability (views |> List.filter chosen |> List.length) (List.length views)

/// Standard deviation of noise, over all rows and trials, of a channel that shows nothing else.
let private spread column phase (views: TrialView list) =
    let values = [
        for view in views do
            for t in rowsOf phase view -> view.Inputs[t, column]
    ]

    sqrt (values |> List.averageBy (fun x -> x * x)), values.Length

let private expectSpread what expected (deviation, count: int) =
    // The standard error of a standard deviation from n normal draws is sigma / sqrt(2 n).
    Numbers.isLessThan
        (abs (deviation - expected))
        (4.5 * expected / sqrt (2.0 * float count))
        $"{what}: {deviation}, expected {expected}"

let private signals =
    testList "signals" [
        test "sine: the command says the frequency, and the phase begins with the wave" {
            let task = {
                SineCommand.standard with
                    Amplitude = 0.7
            }

            let shown = views 1L (Task.sine task) [ 0 .. count - 1 ]

            for view in shown do
                let command = shownIn "wave" 0 view
                let share = (command - 0.25) / 1.0
                let frequency = 1.0 / 150.0 + share * (1.0 / 50.0 - 1.0 / 150.0)
                Expect.isTrue (share >= 0.0 && share < 1.0) "command"
                Expect.equal (steps view) 320 "steps"

                for t in rows view do
                    let isOn = t >= 20
                    let since = float (t + 1 - 20)
                    let wave = 0.7 * sin (2.0 * System.Math.PI * frequency * since)

                    expectRow
                        "input"
                        (if isOn then [ command; 1.0 ] else [ 0.0; 0.0 ])
                        view.Inputs
                        t

                    expectRow "target" [ (if isOn then wave else 0.0) ] view.Targets t
                    near "mask" 1.0 view.Mask[t, 0]

            // Even in frequency: a quarter of the trials lies in the lowest quarter of commands.
            shown
            |> shareOf "low frequencies" 0.25 (fun view -> shownIn "wave" 0 view < 0.5)
        }

        test "flip-flop: each output is the sign of its channel's latest pulse" {
            let task = {
                FlipFlop.standard with
                    Run = fixedFor 1000.0<ms>
                    Amplitude = 2.0
            }

            let shown = views 2L (Task.flipFlop task) [ 0..39 ]
            let mutable waited, begun, up = 0, 0, 0

            for view in shown do
                for bit in 0..2 do
                    let mutable latest, left = 0.0, 0

                    for t in rows view do
                        let input = view.Inputs[t, bit]
                        left <- max 0 (left - 1)

                        if left = 0 then
                            waited <- waited + 1

                            if input <> 0.0 then
                                begun <- begun + 1
                                left <- 5
                                latest <- float (sign input)

                                if input > 0.0 then
                                    up <- up + 1

                        Expect.equal
                            input
                            (if left > 0 then 2.0 * latest else 0.0)
                            "a pulse of 5 steps"

                        Expect.equal view.Targets[t, bit] latest "latest"
                        Expect.equal view.Mask[t, bit] 1.0 "mask"

            expectShare "a pulse begins" (1.0 / 50.0) begun waited
            expectShare "upwards" 0.5 up begun
        }

        test "flip-flop: with one-step pulses it is that of vanilla-rtrl" {
            let task = {
                FlipFlop.standard with
                    Interval = 20.0<ms>
                    Pulse = 1.0<ms>
            }

            let all = [
                for view in views 3L (Task.flipFlop task) [ 0..99 ] do
                    yield! Seq.cast<float> view.Inputs
            ]

            for value, probability in [ 0.0, 0.95; 1.0, 0.025; -1.0, 0.025 ] do
                let often = all |> List.filter ((=) value) |> List.length
                expectShare $"{value}" probability often all.Length
        }

        test "add: outputs follow the bits of two delays, and nothing counts before them" {
            for view in views 4L (Task.add AddTask.standard) [ 0..49 ] do
                let bit t = view.Inputs[t, 0]

                for t in rows view do
                    Expect.isTrue (bit t = 0.0 || bit t = 1.0) "a bit"
                    near "held" (bit (t - t % 10)) (bit t)
                    near "its complement" (1.0 - bit t) view.Inputs[t, 1]

                    if t < 50 then
                        expectRow "mask" [ 0.0; 0.0 ] view.Mask t
                    else
                        let y = 0.5 + 0.5 * bit (t - 20) - 0.25 * bit (t - 50)
                        expectRow "target" [ y; 1.0 - y ] view.Targets t
                        expectRow "mask" [ 1.0; 1.0 ] view.Mask t
        }

        test "add: drawn bits are as likely as they should be" {
            let task = {
                AddTask.standard with
                    Bernoulli = true
            }

            let tally = System.Collections.Generic.Dictionary<float * float, int * int>()

            for view in views 5L (Task.add task) [ 0..299 ] do
                for t in 50..10..290 do
                    let key = view.Inputs[t - 20, 0], view.Inputs[t - 50, 0]
                    let asked = view.Targets[t, 0]
                    Expect.isTrue (asked = 0.0 || asked = 1.0) "a bit"
                    near "its complement" (1.0 - asked) view.Targets[t, 1]
                    near "held" asked view.Targets[t + 9, 0]
                    let ones, all = if tally.ContainsKey key then tally[key] else 0, 0
                    tally[key] <- (ones + int asked, all + 1)

            Expect.equal tally.Count 4 "all pairs of bits"

            for KeyValue((first, second), (ones, all)) in tally do
                expectShare $"({first}, {second})" (0.5 + 0.5 * first - 0.25 * second) ones all
        }

        test "sensorimotor map: the sign that was shown is asked for" {
            let task = {
                SensorimotorMap.standard with
                    Neutral = 0.4
                    Answer = answer
            }

            let shown = views 6L (Task.sensorimotorMap task) [ 0 .. count - 1 ]

            for view in shown do
                let stimulus = shownIn "stimulus" 0 view
                Expect.equal (abs stimulus) 1.0 "+1 or -1"
                expectSilent [ 0 ] [ "stimulus" ] view
                expectSilent [ 1 ] [ "decision" ] view
                near "cue" 1.0 (shownIn "decision" 1 view)
                let report = if stimulus > 0.0 then [ 0.9; 0.2 ] else [ 0.2; 0.9 ]

                for t in rows view do
                    let isReport = phaseOf view t = "decision"
                    expectRow "target" (if isReport then report else [ 0.4; 0.4 ]) view.Targets t
                    near "mask" (if isReport then 1.0 else 0.3) view.Mask[t, 1]

            shown |> shareOf "+1" 0.5 (fun view -> shownIn "stimulus" 0 view > 0.0)
        }
    ]

let private decisions =
    testList "decisions" [
        for directions in [ 2; 5 ] do
            test $"delayed match: of {directions} directions on a ring" {
                let task = {
                    DelayedMatch.standard with
                        Directions = directions
                        // Far enough from a half, which chance does not reach in so many trials.
                        MatchShare = 0.85
                        Noise = 0.0
                        Answer = answer
                }

                let shown = views 7L (Task.delayedMatch task) [ 0 .. count - 1 ]

                let direction name view =
                    let ring = [ for k in 1..directions -> shownIn name k view ]
                    let peak = List.findIndex (fun value -> abs (value - 1.0) < 1e-12) ring

                    for k, value in List.indexed ring do
                        let angle = 2.0 * System.Math.PI * float (k - peak) / float directions
                        near "ring" (0.5 + 0.5 * cos angle) value

                    peak

                let pair view =
                    direction "sample" view, direction "test" view

                for view in shown do
                    let sample, test' = pair view
                    expectFixation view
                    expectSilent [ 1..directions ] [ "sample"; "test" ] view
                    expectAnswer (if sample = test' then 0 else 1) view

                    Expect.isTrue
                        (lengthOf "delay" view >= 50 && lengthOf "delay" view <= 150)
                        "delay"

                shown |> shareOf "matches" 0.85 (pair >> fun (a, b) -> a = b)
                let even = 1.0 / float directions

                for k in 0 .. directions - 1 do
                    shown |> shareOf $"sample {k}" even (pair >> fst >> (=) k)

                for k in 1 .. directions - 1 do
                    shown
                    |> shareOf
                        $"test {k} further"
                        (0.15 / float (directions - 1))
                        (pair >> fun (a, b) -> (b - a + directions) % directions = k)
            }

        test "delayed discrimination: the higher of two frequencies" {
            let task = {
                DelayedDiscrimination.standard with
                    Noise = 0.0
                    Answer = answer
            }

            let shown = views 8L (Task.delayedDiscrimination task) [ 0 .. count - 1 ]

            let frequency name view =
                let up, down = shownIn name 1 view, shownIn name 2 view
                near "both channels" 1.6 (up + down)
                10.0 + 24.0 * (up - 0.4) / 0.8

            let pair view =
                round (frequency "first" view), round (frequency "second" view)

            for view in shown do
                let f1, f2 = pair view
                near "whole" f1 (round f1)
                expectFixation view
                expectSilent [ 1; 2 ] [ "first"; "second" ] view
                expectAnswer (if f1 > f2 then 0 else 1) view

            let drawn = List.map pair shown |> List.countBy id

            let expected =
                task.Pairs |> List.collect (fun (a, b) -> [ a, b; b, a ]) |> List.sort

            Expect.equal (drawn |> List.map fst |> List.sort) expected "pairs, in both orders"

            for pair, often in drawn do
                expectShare $"%A{pair}" 0.1 often count
        }

        test "perceptual decision: the side with more evidence" {
            let task = {
                PerceptualDecision.standard with
                    Noise = 0.0
                    Answer = answer
            }

            let shown = views 9L (Task.perceptualDecision task) [ 0 .. count - 1 ]

            let sides view =
                shownIn "stimulus" 1 view, shownIn "stimulus" 2 view

            for view in shown do
                let left, right = sides view
                near "the weaker" 1.0 (min left right)
                expectFixation view
                expectSilent [ 1; 2 ] [ "stimulus" ] view
                expectAnswer (if left > right then 0 else 1) view
                Expect.equal (lengthOf "delay" view) 0 "no delay"

            shown |> shareOf "left" 0.5 (sides >> fun (left, right) -> left > right)

            for coherence in task.Coherences do
                shown
                |> shareOf
                    $"coherence {coherence}"
                    0.25
                    (sides >> fun (left, right) -> abs (max left right - 1.0 - coherence) < 1e-12)
        }

        test "context integration: the stream that the context names, at the end" {
            let task = {
                ContextIntegration.standard with
                    Noise = 0.0
                    Gain = 3.0
                    Report = SignAtEnd 0.3
            }

            let shown = views 10L (Task.contextIntegration task) [ 0 .. count - 1 ]

            let coherences view =
                shownIn "stimulus" 0 view, shownIn "stimulus" 1 view

            let isMotion (view: TrialView) = view.Inputs[0, 2] = 1.0

            for view in shown do
                let motion, colour = coherences view
                let right = sign (if isMotion view then motion else colour)
                expectSilent [ 0; 1 ] [ "stimulus" ] view

                for t in rows view do
                    near "context" (if isMotion view then 1.0 else 0.0) view.Inputs[t, 2]
                    near "context" (if isMotion view then 0.0 else 1.0) view.Inputs[t, 3]
                    let isDecision = phaseOf view t = "decision"
                    near "target" (if isDecision then float right else 0.0) view.Targets[t, 0]
                    near "mask" (if isDecision then 1.0 else 0.3) view.Mask[t, 0]

            shown |> shareOf "motion counts" 0.5 isMotion
            shown |> shareOf "they agree" 0.5 (coherences >> fun (a, b) -> a * b > 0.0)

            for coherence in task.Coherences do
                shown
                |> shareOf
                    $"motion {coherence}"
                    0.1
                    (coherences >> fst >> fun m -> abs (m - 3.0 * coherence) < 1e-12)
        }

        test "context integration: the running sum of what was shown, noise and all" {
            let task = {
                ContextIntegration.standard with
                    Report = RunningSum 0.025
            }

            for view in viewsWith 0.5<ms> 11L (Task.contextIntegration task) [ 0..30 ] do
                let named = if view.Inputs[0, 2] = 1.0 then 0 else 1
                let mutable sum = 0.0

                for t in rows view do
                    sum <- sum + 0.025 * view.Inputs[t, named] * 0.5
                    Numbers.isLessThan (abs (sum - view.Targets[t, 0])) 1e-9 "sum"
                    near "mask" 1.0 view.Mask[t, 0]
        }

        test "interval discrimination: the longer of two intervals, none if they are even" {
            let task = {
                IntervalDiscrimination.standard with
                    Answer = answer
            }

            let shown = views 12L (Task.intervalDiscrimination task) [ 0 .. count - 1 ]
            let mutable even = 0

            for view in shown do
                let first, second = lengthOf "first" view, lengthOf "second" view
                expectFixation view
                expectSilent [ 1 ] [ "first" ] view
                expectSilent [ 2 ] [ "second" ] view
                near "first" 1.0 (shownIn "first" 1 view)
                near "second" 1.0 (shownIn "second" 2 view)

                if first = second then
                    even <- even + 1
                    Expect.allEqual (Seq.cast<float> view.Mask) 0.0 "nothing counts"
                else
                    expectAnswer (if first > second then 0 else 1) view

            expectShare "even" (1.0 / 61.0) even count
        }

        test "evidence accumulation: the side that had more cues" {
            let task = {
                EvidenceAccumulation.standard with
                    Answer = answer
            }

            let shown = views 13L (Task.evidenceAccumulation task) [ 0 .. count - 1 ]

            let cues (view: TrialView) = [
                for cue in 0..6 ->
                    let left, right = view.Inputs[15 * cue, 0], view.Inputs[15 * cue, 1]
                    near "one side" 1.0 (left + right)

                    for t in 15 * cue .. 15 * cue + 14 do
                        let isOn = t < 15 * cue + 10
                        near "left" (if isOn then left else 0.0) view.Inputs[t, 0]
                        near "right" (if isOn then right else 0.0) view.Inputs[t, 1]

                    int right
            ]

            for view in shown do
                Expect.equal (lengthOf "cues" view) 105 "cues"
                expectSilent [ 0; 1 ] [ "cues" ] view
                expectSilent [ 2 ] [ "decision" ] view
                near "recall" 1.0 (shownIn "decision" 2 view)
                expectAnswer (if List.sum (cues view) > 3 then 1 else 0) view

            // Seven on one side: 0.7^7 + 0.3^7.
            shown
            |> shareOf
                "all on one side"
                (0.7 ** 7.0 + 0.3 ** 7.0)
                (cues >> List.distinct >> List.length >> (=) 1)

            shown |> shareOf "right" 0.5 (fun view -> List.sum (cues view) > 3)
        }
    ]

let private noise =
    testList "noise" [
        for dt in [ 0.1<ms>; 0.25<ms>; 0.5<ms>; 1.0<ms> ] do
            test $"has the same sum over a time with steps of {dt} ms" {
                let shows task = viewsWith dt 14L task [ 0..19 ]
                let expected (noise: float) = noise / sqrt (float dt)

                shows (Task.perceptualDecision PerceptualDecision.standard)
                |> spread 1 "fixation"
                |> expectSpread "perceptual" (expected 0.5)

                shows (
                    Task.delayedDiscrimination {
                        DelayedDiscrimination.standard with
                            Noise = 0.2
                    }
                )
                |> spread 2 "delay"
                |> expectSpread "discrimination" (expected 0.2)

                shows (
                    Task.contextIntegration {
                        ContextIntegration.standard with
                            Coherences = [ 0.0 ]
                            Noise = 0.7
                    }
                )
                |> spread 1 "stimulus"
                |> expectSpread "context" (expected 0.7)

                let quiet, loud =
                    shows (
                        Task.delayedMatch {
                            DelayedMatch.standard with
                                Noise = 0.0
                        }
                    ),
                    shows (
                        Task.delayedMatch {
                            DelayedMatch.standard with
                                Noise = 0.3
                        }
                    )

                let difference = [
                    for a, b in List.zip quiet loud do
                        for t in rowsOf "test" a -> b.Inputs[t, 1] - a.Inputs[t, 1]
                ]

                let deviation = sqrt (difference |> List.averageBy (fun x -> x * x))
                expectSpread "match" (expected 0.3) (deviation, difference.Length)
            }
    ]

let all = [
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

let private randomness =
    testList "trial k depends on the seed and k alone" [
        for task in all do
            test task.Name {
                let shown = views 15L task [ 0..8 ]
                Expect.equal (List.rev (views 15L task [ 8..-1..0 ])) shown "in any order"
                Expect.notEqual (views 16L task [ 0..8 ]) shown "another seed"
                Numbers.isGreaterThan (List.distinct shown).Length 1 "trials differ"
            }
    ]

[<Tests>]
let tests = testList "standard tasks" [ signals; decisions; noise; randomness ]
