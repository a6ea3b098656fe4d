/// Interval matching and the cursor of syllables: every number by its formula, and what is carried over.
module Rflo.Dsl.Tests.PaperTaskTests

open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid
open Rflo.Dsl.Tests.Views

let private one = area "one" 3 |> initial (carriedOver 0.3)

/// Any circuit of those channels and outputs, untrained: what the task shows is all that is asked here.
let private watchingBy (dt: float<ms>) channels outputs task =
    let y = readout "y" outputs

    let network =
        Circuit.empty
        |> areas [ one ]
        |> readouts [ y ]
        |> projections [
            one --> one |> weights (gaussian 1.5)
            one --> y |> weights (gaussian 2.0)
        ]

    let network =
        if channels = 0 then
            network
        else
            let x = input "x" channels

            network |> inputs [ x ] |> projections [ x --> one |> weights (gaussian 1.0) ]

    let watched = {
        (experiment "watch" network task |> trials 0) with
            Dt = dt
    }

    match Check.experiment watched with
    | Ok ready -> (Run.start ready)
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

let private watching channels outputs task =
    watchingBy 1.0<ms> channels outputs task

let private show (running: Run.Running) trial =
    Run.replay running.Compiled running.Session trial

let private stepOf = Gen.elements [ 0.5<ms>; 1.0<ms>; 2.0<ms> ]

let private periodic =
    testPropertyWithConfig
        (config 100)
        "a periodic output is the sum of its harmonics, one period a trial"
        (Prop.forAll
            (Arb.fromGen (
                Gen.zip3
                    stepOf
                    (Gen.choose (2, 60))
                    (Gen.nonEmptyListOf (
                        Gen.zip (Gen.choose (1, 6)) (Gen.elements [ 1.0; -0.5; 0.25 ])
                    ))
            ))
            (fun (dt, steps, harmonics) ->
                let task = Task.periodic (float steps * dt) harmonics
                let shown = viewsWith dt 1L task [ 0; 3 ]

                for view in shown do
                    Expect.equal (Array2D.length1 view.Targets) steps "steps"

                    for step in 1..steps do
                        let share = float step / float steps

                        let expected =
                            harmonics
                            |> List.sumBy (fun (k, amplitude) ->
                                amplitude * sin (2.0 * System.Math.PI * float k * share))

                        Numbers.isLessThan
                            (abs (view.Targets[step - 1, 0] - expected))
                            1e-12
                            $"step {step}"))

let private pulse (width: float) distance =
    exp (-(distance ** 2.0) / (2.0 * width * width))

let private fewDelays =
    Gen.choose (1, 4)
    |> Gen.bind (fun count ->
        Gen.listOfLength count (Gen.elements [ 10.0<ms> .. 2.0<ms> .. 30.0<ms> ]))

let private readySetGo =
    testList "ready-set-go" [
        testPropertyWithConfig
            (config 30)
            "is two pulses, and a third after the same delay, whatever the duration of a step"
            (Prop.forAll
                (Arb.fromGen (Gen.zip3 stepOf (Gen.elements [ false; true ]) (Gen.choose (0, 1000))))
                (fun (dt, own, trial) ->
                    let task = {
                        ReadySetGo.standard with
                            FirstPulse = 12.0<ms>
                            Delays = DrawnBetween(10.0<ms>, 26.0<ms>)
                            Width = 4.0<ms>
                            Amplitude = 0.7
                            TargetAmplitude = 1.3
                            Tail = 8.0<ms>
                            OwnChannels = own
                    }

                    let channels = if own then 2 else 1
                    let running = watchingBy dt channels 1 (Task.readySetGo task)
                    let shown = show running trial
                    Expect.equal shown.Inputs.RowCount (int (72.0<ms> / dt)) "steps"
                    let asked, _ = Measure.interval task dt shown
                    let steps = asked / dt

                    Expect.isTrue
                        (asked >= 10.0<ms> && asked <= 26.0<ms> && steps = round steps)
                        $"delay {asked}"

                    for t in 1 .. shown.Inputs.RowCount do
                        let near field expected actual =
                            Numbers.isLessThan (abs (expected - actual)) 1e-12 $"{field}, step {t}"

                        let since (time: float<ms>) = float (float t * dt - time)
                        let ready = 0.7 * pulse 4.0 (since 12.0<ms>)
                        let set = 0.7 * pulse 4.0 (since (12.0<ms> + asked))

                        near
                            "go"
                            (1.3 * pulse 4.0 (since (12.0<ms> + 2.0 * asked)))
                            shown.Targets[t - 1, 0]

                        near "mask" 1.0 shown.Mask[t - 1, 0]

                        if own then
                            near "ready" ready shown.Inputs[t - 1, 0]
                            near "set" set shown.Inputs[t - 1, 1]
                        else
                            near "both" (ready + set) shown.Inputs[t - 1, 0]))

        testPropertyWithConfig
            (config 50)
            "takes delays in turn, as many as there are"
            (Prop.forAll (Arb.fromGen (Gen.zip stepOf fewDelays)) (fun (dt, delays) ->
                let task = {
                    ReadySetGo.standard with
                        FirstPulse = 6.0<ms>
                        Delays = InTurn delays
                        Width = 2.0<ms>
                        Tail = 4.0<ms>
                }

                let running = watchingBy dt 1 1 (Task.readySetGo task)

                let asked = [
                    for trial in 0 .. 2 * delays.Length ->
                        fst (Measure.interval task dt (show running trial))
                ]

                Expect.equal asked (delays @ delays @ [ delays.Head ]) "in turn"))

        test "draws every delay, each about as often, and by the number of the trial alone" {
            let task = {
                ReadySetGo.standard with
                    FirstPulse = 5.0<ms>
                    Delays = DrawnBetween(3.0<ms>, 7.0<ms>)
                    Width = 1.0<ms>
                    Tail = 3.0<ms>
            }

            let running = watching 1 1 (Task.readySetGo task)

            let delay trial =
                fst (Measure.interval task 1.0<ms> (show running trial))

            let drawn = [ for trial in 0..499 -> delay trial ]

            Expect.equal
                (List.sort (List.distinct drawn))
                [ 3.0<ms> .. 1.0<ms> .. 7.0<ms> ]
                "delays"

            for _, count in List.countBy id drawn do
                Numbers.isLessThan (abs (float count - 100.0)) (4.0 * sqrt 80.0) "even"

            Expect.equal [ for trial in 499..-1..0 -> delay trial ] (List.rev drawn) "by number"
        }

        test "takes delays in turn, and measures what was produced" {
            let task = {
                ReadySetGo.standard with
                    Delays = InTurn [ 60.0<ms>; 100.0<ms>; 140.0<ms> ]
            }

            let running = watching 1 1 (Task.readySetGo task)

            for trial, delay in List.indexed [ 60.0<ms>; 100.0<ms>; 140.0<ms>; 60.0<ms> ] do
                let shown = show running trial
                Expect.equal (fst (Measure.interval task 1.0<ms> shown)) delay "in turn"
                // An output that is the target, 8 ms late.
                let late =
                    MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.Dense(
                        shown.Targets.RowCount,
                        1,
                        fun t _ -> shown.Targets[max 0 (t - 8), 0]
                    )

                Expect.equal
                    (Measure.interval task 1.0<ms> {
                        shown with
                            Outputs = Map [ "y", late ]
                    })
                    (delay, delay + 8.0<ms>)
                    "produced"
        }
    ]

let private small = {
    Syllables.standard with
        Move = 8.0<ms>
        Hold = 3.0<ms>
        PerTrial = 3
        Amplitude = 0.6
        Length = 0.5
}

let private bell t =
    2.0 * sin (System.Math.PI * float t / 8.0) ** 2.0

let private syllables =
    testList "syllables" [
        test "show their channel and ask for their velocity, from where the cursor is" {
            let running = watching 4 2 (Task.syllables small)
            let mutable position = 0.0, 0.0
            let seen = ResizeArray()

            for trial in 0..60 do
                let shown = show running trial
                running.Session.Run 1 |> ignore
                let path = Measure.path small 1.0<ms> position shown.Outputs["y"]

                for segment in 0..2 do
                    let first = 11 * segment
                    let syllable = shown.Inputs.Row(first).MaximumIndex()
                    let dx, dy = small.Directions[syllable]
                    let x, y = path[first]
                    seen.Add syllable
                    // Half a length beyond the workspace still counts as in it.
                    let stays p = p >= -1.25 - 1e-9 && p <= 1.25 + 1e-9
                    Expect.isTrue (stays (x + 0.5 * dx) && stays (y + 0.5 * dy)) "stays inside"

                    for phase in 0..10 do
                        let row = first + phase

                        for k in 0..3 do
                            let expected = if phase < 8 && k = syllable then 0.6 else 0.0
                            Expect.equal shown.Inputs[row, k] expected "input"

                        let speed = if phase < 8 then 0.5 * bell (phase + 1) else 0.0

                        for k, direction in [ 0, dx; 1, dy ] do
                            Numbers.isLessThan
                                (abs (shown.Targets[row, k] - speed * direction))
                                1e-12
                                "target"

                for x, y in path do
                    Expect.isTrue (abs x <= 1.0 && abs y <= 1.0) "the cursor is held inside"

                position <- List.last path

            Expect.equal (Set.ofSeq seen) (Set.ofList [ 0..3 ]) "all syllables"
        }

        test "cover their length, whatever the duration of a step" {
            for dt in [ 1.0<ms>; 0.5<ms>; 2.0<ms> ] do
                let task =
                    Rflo.Core.SyllablesTask(
                        SyllablesSpec(
                            Directions = [| 1.0; 0.0 |],
                            Move = int (20.0<ms> / dt),
                            MovedByTarget = true
                        )
                    )

                let into = Trial(task.MaxSteps, 1, 2, 2)
                let now = Moment(2, [||], [||])
                (task :> ITask).Fill(0, RandomStream(1L, ""), into)

                for t in 1 .. task.MaxSteps do
                    now.MoveTo(0, t, RandomStream(1L, ""))
                    task.Before(now, into)
                    task.After(now, into)

                let state = Array.zeroCreate 3
                task.SaveState(System.Span state)
                Expect.floatClose Accuracy.high state[0] 1.0 "one length"
                Expect.equal state[1] 0.0 "straight"
        }

        test "follow a sequence, from the start, untaught if asked" {
            let task = small |> Syllables.inOrder [ 2; 1 ]
            let running = watching 4 2 (Task.syllables task)

            for trial in 0..2 do
                let shown = show running trial
                running.Session.Run 1 |> ignore
                Expect.equal (shown.Inputs.Row(0).MaximumIndex()) 2 "first"
                Expect.equal (shown.Inputs.Row(11).MaximumIndex()) 1 "second"
                Expect.equal shown.Inputs.RowCount 22 "steps"

            let alone = show (watching 0 2 (Task.syllables (Syllables.untaught task))) 0
            let taught = show (watching 4 2 (Task.syllables task)) 0
            Expect.equal alone.Targets taught.Targets "the same is asked"
        }

        test "need a workspace with room for a move" {
            let e =
                experiment
                    "narrow"
                    (Modules.syllables 5 4 0.01)
                    (Task.syllables { small with Bounds = Some(0.0, 0.4) })

            match Check.experiment e with
            | Error [ problem ] ->
                Expect.equal
                    (Problem.text problem)
                    "task: the workspace is from 0 to 0.4; it must be at least one length, 0.5, wide"
                    "problem"
            | other -> failtest $"found {other}"
        }

        test "a chooser must be there, compete, and have a unit for each syllable" {
            let problems (chooser: Area list) =
                let task = small |> Syllables.inOrder [ 0; 1 ] |> Syllables.chosenBy "striatum"
                let network = Modules.syllables 5 4 0.01 |> areas chooser

                match Check.experiment (experiment "e" network (Task.syllables task)) with
                | Error problems -> List.map Problem.text problems
                | Ok _ -> []

            Expect.equal
                (problems [])
                [
                    "task: no area is named striatum (known: thalamus, cortex)"
                ]
                "none"

            Expect.equal
                (problems [ area "striatum" 4 ])
                [
                    "task: striatum chooses the syllables, and is no winner-take-all area; declare it so, as winnerTakeAll \"striatum\" 4"
                ]
                "leaky"

            Expect.equal
                (problems [ winnerTakeAll "striatum" 3 ])
                [
                    "task: the number of units of striatum, which chooses is 3; it must be 4, one a syllable"
                ]
                "three"

            Expect.equal (problems [ winnerTakeAll "striatum" 4 ]) [] "sound"
        }
    ]

[<Tests>]
let tests = testList "tasks of the paper" [ periodic; readySetGo; syllables ]
