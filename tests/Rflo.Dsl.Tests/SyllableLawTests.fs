/// The cursor of syllables beside a plain definition of it, for any task of the kind: what is shown and asked, which choices
/// are barred, what is rewarded, and where the cursor goes, step by step through trials that follow each other.
module Rflo.Dsl.Tests.SyllableLawTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl

/// Any task of syllables, by a seed.
let private anyTask (random: Random) =
    let pick (choices: 'choice list) = choices[random.Next choices.Length]
    let chance () = random.Next 2 = 0
    let count = 2 + random.Next 3
    let sequence = List.init (1 + random.Next 5) (fun _ -> random.Next count)
    let hasSequence = random.Next 4 > 0
    let turn = 2.0 * Math.PI * random.NextDouble()

    // Where syllables are drawn, one of them must stay in the workspace wherever the cursor is: those of a cross.
    let directions = [
        for k in 0 .. (if hasSequence then count - 1 else 3) ->
            let angle =
                if hasSequence then
                    2.0 * Math.PI * random.NextDouble()
                else
                    turn + 0.5 * Math.PI * float k

            cos angle, sin angle
    ]

    let length = 0.3 + random.NextDouble()

    {
        Syllables.standard with
            Directions = directions
            Move = float (2 + random.Next 4) * 2.0<ms>
            Hold = float (random.Next 3) * 2.0<ms>
            InputInHold = chance ()
            Length = length
            EvenSpeed = chance ()
            Amplitude = 0.5 + random.NextDouble()
            Bounds =
                if chance () then
                    Some(-0.7 * length, 0.8 * length)
                else
                    None
            Start = 0.1, -0.2
            Returns = chance ()
            MovedByTarget = chance ()
            Sequence = if hasSequence then sequence else []
            PerTrial = 1 + random.Next 3
            Cue =
                if hasSequence then
                    pick [ EachSyllable; FirstSyllable; NoSyllable ]
                else
                    EachSyllable
            Chooser = if hasSequence && chance () then Some "striatum" else None
            JudgedByPair = chance ()
            StopsAtError = chance ()
    }

let private compiled step (task: Syllables) =
    let count = task.Directions.Length
    let channels = if task.Cue = NoSyllable then 0 else count
    let chooser, velocity = winnerTakeAll "striatum" count, readout "velocity" 2

    let network =
        Circuit.empty
        |> areas [ chooser ]
        |> inputs [
            if channels > 0 then
                input "syllable" channels
        ]
        |> readouts [ velocity ]
        |> projections [ chooser --> velocity |> weights (constant 1.0) ]

    let e = experiment "law" network (Task.syllables task) |> dt step |> trials 0

    match Check.experiment e with
    | Ok ready -> (Compile.experiment ready).Task :?> IClosedLoopTask
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

/// The task as its documentation has it.
type private Plain(dt: float<ms>, task: Syllables) =
    let steps (time: float<ms>) = int (round (time / dt))
    let move = steps task.Move
    let segment = move + steps task.Hold
    let count = task.Directions.Length
    let low, high = task.Bounds |> Option.defaultValue (-infinity, infinity)
    let sequence = Array.ofList task.Sequence

    let places =
        if sequence.Length > 0 then
            sequence.Length
        else
            task.PerTrial

    let mutable cursor = task.Start
    let mutable asked, ran = 0, 0
    let mutable isOver = false

    member _.Steps = places * segment

    member _.Begin() =
        isOver <- false

        if task.Returns then
            cursor <- task.Start

    /// Whether a syllable would end in the workspace, half a length of which does not matter.
    member _.Stays k =
        let dx, dy = task.Directions[k]
        let x, y = fst cursor + task.Length * dx, snd cursor + task.Length * dy

        let isIn p =
            p >= low - 0.5 * task.Length && p <= high + 0.5 * task.Length

        isIn x && isIn y

    member private _.Decides row =
        not isOver && row % segment = segment - 1 && row + 1 < places * segment

    /// What step `row` + 1 must show, when the units of the chooser were at `rates` one step ago. `seen` is the syllable that a
    /// task without a sequence shows.
    member this.Before(row, rates: float[], seen: int) =
        let place, phase = row / segment, row % segment

        if phase = 0 then
            asked <- if sequence.Length > 0 then sequence[place] else seen

            if sequence.Length = 0 then
                Expect.isTrue (this.Stays seen) "a syllable that is drawn stays in the workspace"

            ran <-
                if task.Chooser.IsSome && place > 0 then
                    Array.IndexOf(rates, Array.max rates)
                else
                    asked

        let isMoving = phase < move
        let isOn = isMoving || task.InputInHold
        let isCued = task.Cue = EachSyllable || (task.Cue = FirstSyllable && place = 0)

        let input =
            if task.Cue = NoSyllable then
                [||]
            else
                Array.init count (fun k ->
                    if isOn && isCued && k = asked then task.Amplitude else 0.0)

        let speed =
            if not isMoving then
                0.0
            elif task.EvenSpeed then
                task.Length
            else
                task.Length * 2.0 * sin (Math.PI * float (phase + 1) / float move) ** 2.0

        let dx, dy = task.Directions[asked]

        {|
            Input = input
            Target = [| speed * dx; speed * dy |]
            Mask = if isOver then 0.0 else 1.0
            Decide = this.Decides row
            Move = isOn
            Allowed = Array.init count (fun k -> not (this.Decides row) || this.Stays k)
        |}

    /// The reward of that step, in which the chooser's units are at `rates` and the outputs are those; the cursor moves.
    member this.After(row, rates: float[], target: float[], outputs: float[]) =
        let dx, dy =
            if task.MovedByTarget then
                target[0], target[1]
            else
                outputs[0], outputs[1]

        let within p = max low (min high p)
        let share = 1.0 / float move
        let decides = this.Decides row
        cursor <- within (fst cursor + dx * share), within (snd cursor + dy * share)

        if task.Chooser.IsSome && decides then
            let choice = Array.IndexOf(rates, Array.max rates)

            let isRight =
                if task.JudgedByPair then
                    Array.pairwise sequence |> Array.contains (ran, choice)
                else
                    choice = sequence[row / segment + 1]

            isOver <- not isRight && task.StopsAtError
            if isRight then 1.0 else 0.0
        else
            0.0

let private agrees (seed: int) =
    let random = Random seed
    let given = anyTask random
    let dt = [| 1.0<ms>; 2.0<ms>; 0.5<ms> |][random.Next 3]
    let task, plain = compiled dt given, Plain(dt, given)
    let count = given.Directions.Length
    let channels = task.Inputs
    let watched = List.ofSeq task.Watches
    let now = Moment(2, watched, [ for _ in watched -> count ])
    let into = Trial(task.MaxSteps, channels, 2, 2)
    let mutable rates = Array.zeroCreate count
    let mutable wasBarred = false
    Expect.equal watched (Option.toList given.Chooser) "whom it watches"
    Expect.equal task.GivesRewards given.Chooser.IsSome "whether it gives rewards"

    let show (values: float[]) =
        for name in watched do
            values.CopyTo(now.Rates name, 0)

    let near what (expected: float) (actual: float) =
        Expect.isTrue
            (abs (expected - actual) <= 1e-12 * (1.0 + abs expected))
            $"{what}: {actual}, expected {expected}, seed {seed}"

    for trial in 0..2 do
        let stream = RandomStream.OfTrial(int64 seed, "task", int64 trial)
        task.Fill(trial, stream, into)
        plain.Begin()
        Expect.equal into.Steps plain.Steps "steps"

        for step in 1 .. into.Steps do
            let row = step - 1

            let what name =
                $"{name} in step {step} of trial {trial}"

            now.MoveTo(trial, step, stream)
            show rates
            task.Before(now, into)

            let seen =
                if channels = 0 then
                    0
                else
                    Array.IndexOf(
                        into.Inputs[row * count .. row * count + count - 1],
                        given.Amplitude
                    )

            let expected = plain.Before(row, rates, seen)

            for k in 0 .. channels - 1 do
                near (what $"input {k}") expected.Input[k] into.Inputs[row * channels + k]

            for k in 0..1 do
                near (what $"target {k}") expected.Target[k] into.Targets[2 * row + k]
                near (what $"mask {k}") expected.Mask into.Mask[2 * row + k]

            Expect.equal into.Events[2 * row] expected.Decide (what "decide")
            Expect.equal into.Events[2 * row + 1] expected.Move (what "move")

            for name in watched do
                wasBarred <- wasBarred || Array.contains false expected.Allowed

                Expect.equal
                    (List.ofArray (now.Allowed name))
                    (List.ofArray expected.Allowed)
                    (what "allowed")

            // A chooser that is right about half of the time.
            rates <- Array.init count (fun _ -> random.NextDouble())

            if given.Chooser.IsSome && random.Next 2 = 0 then
                rates[given.Sequence[min
                                         (given.Sequence.Length - 1)
                                         (row / (into.Steps / given.Sequence.Length) + 1)]] <- 2.0

            show rates
            now.Outputs[0] <- random.NextDouble() - 0.5
            now.Outputs[1] <- random.NextDouble() - 0.5
            task.After(now, into)

            near
                (what "reward")
                (plain.After(row, rates, expected.Target, now.Outputs))
                into.Rewards[row]

    wasBarred

[<Tests>]
let tests =
    testList "syllables, step by step" [
        test "are those of a plain definition, for any task of the kind" {
            let barred = [ for seed in 1..300 -> agrees seed ]
            Numbers.isGreaterThan (barred |> List.filter id |> List.length) 10 "choices were barred"
        }
    ]
