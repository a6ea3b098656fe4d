/// Tasks of named phases: durations, what the functions see, events, and what depends on what.
module Rflo.Dsl.Tests.PhaseTests

open Expecto
open Rflo.Dsl
open Rflo.Dsl.Tests.Views

let private phases = [
    phase "fixation" (fixedFor 20.0<ms>)
    phase "cue" (between 3.0<ms> 6.0<ms>)
    phase "delay" (oneOf [ 10.0<ms>; 20.0<ms>; 40.0<ms> ])
    phase "go" (exponential 8.0<ms> 5.0<ms> 30.0<ms>)
]

/// Remember a number over a delay.
let private memory =
    let at (value: float) (now: Instant) = {
        Input = [|
            if now.During "cue" then value else 0.0
            0.1 * now.Stream.Gaussian()
        |]
        Target = [| if now.Phase = "go" then value else 0.0 |]
        Mask = [| if now.Phase = "go" then 1.0 else 0.25 |]
        Events = []
    }

    Task.phased 2 1 phases (fun stream -> stream.Uniform(-1.0, 1.0)) at

/// The chance of each number of steps of an exponential phase, by the geometric sum: the end comes in a step with probability
/// 1 - exp(-1/mean), whatever went before, and the rest beyond the longest is cut off.
let private geometric mean shortest longest =
    let stays = exp (-1.0 / mean)
    let raw = [ for k in 0 .. longest - shortest -> stays ** float k ]
    raw |> List.mapi (fun k p -> shortest + k, p / List.sum raw)

let private durations =
    testList "durations" [
        test "each is drawn as often as it should be, in whole steps" {
            let count = 4000
            let shown = views 1L memory [ 0 .. count - 1 ]

            let often name steps =
                shown |> List.filter (fun view -> lengthOf name view = steps) |> List.length

            let chances = [
                "fixation", [ 20, 1.0 ]
                "cue", [ for k in 3..6 -> k, 0.25 ]
                "delay", [ for k in [ 10; 20; 40 ] -> k, 1.0 / 3.0 ]
                "go", geometric 8.0 5 30
            ]

            for name, expected in chances do
                let all = expected |> List.sumBy (fun (steps, _) -> often name steps)
                Expect.equal all count $"{name} has no other duration"

                for steps, probability in expected do
                    expectShare $"{name} of {steps} steps" probability (often name steps) count
        }

        test "an exponential phase is drawn in steps of dt, whatever dt is" {
            let count = 4000
            let go = [ phase "go" (exponential 8.0<ms> 5.0<ms> 30.0<ms>) ]

            let silent () (_: Instant) = {
                Input = [||]
                Target = [| 0.0 |]
                Mask = [||]
                Events = []
            }

            for dt in [ 0.5<ms>; 2.5<ms> ] do
                let inSteps (time: float<ms>) = int (round (time / dt))

                let shown = viewsWith dt 1L (Task.phased 0 1 go ignore silent) [ 0 .. count - 1 ]

                for length, probability in
                    geometric (8.0<ms> / dt) (inSteps 5.0<ms>) (inSteps 30.0<ms>) do
                    let often = shown |> List.filter (fun view -> steps view = length)
                    expectShare $"{length} steps of {dt} ms" probability often.Length count
        }

        test "phases follow each other, and the trial ends with the last" {
            for view in views 2L memory [ 0..20 ] do
                let rows = phases |> List.collect (fun phase -> rowsOf phase.Name view)
                Expect.equal rows [ 0 .. steps view - 1 ] "every row, once, in order"
        }

        test "a phase of 0 ms is left out, with its events" {
            let task =
                Task.phased
                    0
                    1
                    [
                        phase "none" (fixedFor 0.0<ms>)
                        phase "some" (fixedFor 4.0<ms>)
                        phase "seldom" (between 0.0<ms> 1.0<ms>)
                    ]
                    ignore
                    (fun () now -> {
                        Input = [||]
                        Target = [| float now.Step |]
                        Mask = [||]
                        Events = []
                    })

            let shown = views 3L task [ 0..50 ]
            let seldom = shown |> List.filter (fun view -> lengthOf "seldom" view = 1)
            Expect.isTrue (seldom.Length > 5 && seldom.Length < 45) "sometimes one step"

            for view in shown do
                let events = Map view.Events
                Expect.isEmpty events["none"] "no step"
                Expect.isEmpty events["none.onset"] "no first step"
                Expect.equal events["some.onset"] [ 1 ] "begins at once"
                Expect.equal (steps view) (4 + lengthOf "seldom" view) "steps"
        }

        test "times of other steps than 1 ms are counted in them" {
            let at () (now: Instant) = {
                Input = [||]
                Target = [|
                    float now.Time
                    float now.Since
                    float (now.OnsetOf "b")
                |]
                Mask = [||]
                Events = []
            }

            let task =
                Task.phased
                    0
                    3
                    [
                        phase "a" (fixedFor 2.0<ms>)
                        phase "b" (fixedFor 1.5<ms>)
                    ]
                    ignore
                    at

            let view = List.head (viewsWith 0.5<ms> 1L task [ 0 ])
            let column k = [ for t in 0 .. steps view - 1 -> view.Targets[t, k] ]
            Expect.equal (column 0) [ 0.5..0.5..3.5 ] "time"
            Expect.equal (column 1) [ 0.5; 1.0; 1.5; 2.0; 0.5; 1.0; 1.5 ] "time in the phase"
            Expect.equal (List.distinct (column 2)) [ 2.0 ] "onset"
        }
    ]

let private meaning =
    testList "what is shown" [
        test "is what the functions say, in each phase" {
            for view in views 4L memory [ 0..50 ] do
                let value = view.Inputs[List.head (rowsOf "cue" view), 0]
                Expect.isTrue (abs value < 1.0) "drawn"

                for t in 0 .. steps view - 1 do
                    let phase = phaseOf view t
                    let is name number = if phase = name then number else 0.0
                    near "cue" (is "cue" value) view.Inputs[t, 0]
                    near "target" (is "go" value) view.Targets[t, 0]
                    near "mask" (if phase = "go" then 1.0 else 0.25) view.Mask[t, 0]
        }

        test "knows where each phase begins and how long it lasts" {
            let at () (now: Instant) =
                let onset = now.OnsetOf now.Phase
                Expect.equal (now.Since + onset) now.Time "time"
                Expect.equal now.IsOnset (now.Since = 1.0<ms>) "first step"
                Expect.isTrue (now.Since <= now.DurationOf now.Phase) "not over"
                Expect.equal (float now.Step * 1.0<ms>) now.Time "step"

                {
                    Input = [||]
                    Target = [|
                        float (now.DurationOf "delay")
                        float now.Timeline.Duration
                    |]
                    Mask = [||]
                    Events = []
                }

            for view in views 5L (Task.phased 0 2 phases ignore at) [ 0..20 ] do
                Expect.equal view.Targets[0, 0] (float (lengthOf "delay" view)) "delay"
                Expect.equal view.Targets[0, 1] (float (steps view)) "trial"
        }

        test "may depend on the phases and keep something from step to step" {
            let make (timeline: Timeline) (stream: RandomStream) =
                let pulses = Array.init timeline.Steps (fun _ -> stream.Between(0, 2))
                let mutable sum = 0

                fun (now: Instant) ->
                    sum <- sum + pulses[now.Step - 1]

                    {
                        Input = [| float pulses[now.Step - 1] |]
                        Target = [| float sum |]
                        Mask = [||]
                        Events = []
                    }

            for view in views 6L (Task.phasedBy 1 1 phases make) [ 0; 1; 0 ] do
                let counted = Seq.scan (+) 0.0 [ for t in 0 .. steps view - 1 -> view.Inputs[t, 0] ]

                for t, sum in Seq.indexed (Seq.tail counted) do
                    Expect.equal view.Targets[t, 0] sum $"step {t + 1}"
        }

        test "marks each phase while it lasts, and its first step" {
            Expect.equal
                memory.Events
                [
                    "fixation"
                    "cue"
                    "delay"
                    "go"
                    "fixation.onset"
                    "cue.onset"
                    "delay.onset"
                    "go.onset"
                ]
                "events"

            for view in views 7L memory [ 0..10 ] do
                let events = Map view.Events

                for phase in phases do
                    let rows = rowsOf phase.Name view
                    Expect.equal events[phase.Name] [ for row in rows -> row + 1 ] phase.Name

                    Expect.equal
                        events[Phase.onset phase.Name]
                        [ rows[0] + 1 ]
                        $"{phase.Name} begins"
        }
    ]

let private randomness =
    testList "random numbers" [
        test "trial k depends on the seed and k alone" {
            let forwards = views 8L memory [ 0..30 ]
            let backwards = views 8L memory [ 30..-1..0 ]
            Expect.equal (List.rev backwards) forwards "in any order"
            Expect.notEqual (views 9L memory [ 0 ]) (views 8L memory [ 0 ]) "another seed"
            Expect.equal (List.distinct forwards).Length 31 "every trial is another"
        }

        test "durations, the trial's numbers and noise are other numbers" {
            let drawing (value: int) (now: Instant) = {
                Input = [| float value; float (now.Stream.Between(0, 1000)) |]
                Target = [| 0.0 |]
                Mask = [||]
                Events = []
            }

            let task =
                Task.phased
                    2
                    1
                    [ phase "any" (between 1.0<ms> 1000.0<ms>) ]
                    (fun stream -> stream.Between(0, 1000))
                    drawing

            let first = [
                for view in views 12L task [ 0..50 ] ->
                    float (steps view - 1), view.Inputs[0, 0], view.Inputs[0, 1]
            ]

            // Two of a thousand numbers are the same in one trial of a thousand.
            let same chosen =
                first |> List.filter chosen |> List.length

            Numbers.isLessThan
                (same (fun (a, b, _) -> a = b))
                4
                "durations and numbers of the trial"

            Numbers.isLessThan (same (fun (a, _, c) -> a = c)) 4 "durations and noise"
            Numbers.isLessThan (same (fun (_, b, c) -> b = c)) 4 "numbers of the trial and noise"
        }

        test "durations, the trial's numbers and noise do not move each other" {
            let other draw noise =
                let at value (now: Instant) = {
                    Input = [| value; (if noise then now.Stream.Gaussian() else 0.0) |]
                    Target = [| 0.0 |]
                    Mask = [||]
                    Events = []
                }

                Task.phased 2 1 phases draw at

            let once (stream: RandomStream) = stream.Uniform(-1.0, 1.0)

            let late (stream: RandomStream) =
                for _ in 1..100 do
                    stream.Gaussian() |> ignore

                0.0

            let shown = views 10L (other once true) [ 0..20 ]

            for view, drawsMore in List.zip shown (views 10L (other late true) [ 0..20 ]) do
                Expect.equal drawsMore.Phases view.Phases "durations"
                Expect.equal drawsMore.Inputs[*, 1] view.Inputs[*, 1] "noise"

            for view, quiet in List.zip shown (views 10L (other once false) [ 0..20 ]) do
                Expect.equal quiet.Inputs[*, 0] view.Inputs[*, 0] "the trial's number"
        }
    ]

[<Tests>]
let tests = testList "phases" [ durations; meaning; randomness ]
