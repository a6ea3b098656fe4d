/// Targets fit their readouts, and numbers of trials are numbers: named by trial, step and output where they are not.
module Rflo.Dsl.Tests.TargetTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl

let private a = area "a" 3

let private network (readouts: Readout list) =
    Circuit.empty
    |> areas [ a ]
    |> inputs [ input "x" 1 ]
    |> Circuit.readouts readouts
    |> projections [
        input "x" 1 --> a
        for readout in readouts do
            a --> readout |> learningRate 0.01
    ]

let private plan readouts task =
    experiment "plan" (network readouts) task |> trials 10

let private problems experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> List.map Problem.text problems

let private three = [
    readout "p" 1
    readout "q" 2 |> output Output.sigmoid
    readout "r" 3 |> output softmax
]

let private steps = 6
let private good = [| 7.0; 0.0; 1.0; 0.25; 0.5; 0.25 |]

let private goodTargets () =
    Array2D.init steps 6 (fun _ k -> good[k])

/// One target changed: what it must be called.
type private Spoiled = {
    Trial: int
    Step: int
    Output: int
    Value: float
}

let private named s trial =
    let at = $"in step {s.Step} of trial {trial}"

    if s.Output < 3 then
        $"the target of output {s.Output - 1} of q {at}"
    elif s.Value >= 0.0 && s.Value <= 1.0 then
        $"the sum of the targets of r {at}"
    else
        $"the target of output {s.Output - 3} of r {at}"

let private spoilGen =
    gen {
        let! trial = Gen.choose (0, 8)
        let! step = Gen.choose (1, steps)
        let! output = Gen.choose (1, 5)
        let! wrong = Gen.elements [ -1.0; 2.0; -1e-3; 1.5; 0.9 ]
        // A sigmoid takes 0.9; a softmax does not, beside the others.
        let value = if output < 3 && wrong = 0.9 then 1.1 else wrong

        return {
            Trial = trial
            Step = step
            Output = output
            Value = value
        }
    }
    |> Gen.sampleWithSeed (Rnd 12UL) 10 40

let private with' s masked =
    let targets = goodTargets ()
    targets[s.Step - 1, s.Output] <- s.Value

    let mask =
        if masked then
            let mask = Array2D.create steps 6 1.0
            mask[s.Step - 1, s.Output] <- 0.0
            Some mask
        else
            None

    targets, mask

let private trialOf targets mask = {
    Inputs = Array2D.create steps 1 0.5
    Targets = targets
    Mask = mask
    Events = []
    Rewards = None
    Conditions = []
}

let private drawnTask s masked =
    Task.ofTrials (float steps * 1.0<ms>) (fun trial _ ->
        if trial = s.Trial then
            let targets, mask = with' s masked
            trialOf targets mask
        else
            trialOf (goodTargets ()) None)

let private loopTask s masked =
    Task.closedLoop 1 6 (float steps * 1.0<ms>) [||] (fun _ _ _ -> ()) (fun now _ ->
        let isWrong = now.Trial = s.Trial && now.Step = s.Step
        let targets, mask = with' s masked

        {
            Input = [| 0.5 |]
            Target = (if isWrong then targets[s.Step - 1, *] else good)
            Mask =
                (match mask with
                 | Some mask when isWrong -> mask[s.Step - 1, *]
                 | _ -> [||])
            Events = []
        })

let private failure (task: Task) =
    match Run.train (plan three task) with
    | Ok trained -> trained.Status.End, trained.Status.Trial, trained.Status.Where
    | Error problems -> failtest $"refused: %A{List.map Problem.text problems}"

[<Tests>]
let tests =
    testList "targets" [
        test "that fit are taken" {
            Expect.isEmpty
                (problems (plan three (Task.ofArrays (Array2D.create steps 1 0.5) (goodTargets ()))))
                "no problem"
        }

        test "that a readout cannot have are problems by step, output and readout" {
            for s in spoilGen do
                let targets, _ = with' s false
                let task = Task.ofArrays (Array2D.create steps 1 0.5) targets

                match problems (plan three task) with
                | [ only ] -> Expect.stringContains only (named s 0) $"%A{s}"
                | other -> failtest $"%A{s}: %A{other}"
        }

        test "do not matter where their mask is 0, but for what is left of a distribution" {
            for s in spoilGen do
                let targets, mask = with' s true

                Expect.isEmpty
                    (problems (
                        plan
                            three
                            (Task.ofArrays (Array2D.create steps 1 0.5) targets
                             |> Task.masked mask.Value)
                    ))
                    $"%A{s}"
        }

        test "of the first trials of a function are problems, later ones end the run where they are" {
            for s in spoilGen do
                let task = drawnTask s false

                if s.Trial < 4 then
                    match problems (plan three task) with
                    | [ only ] -> Expect.stringContains only (named s s.Trial) $"%A{s}"
                    | other -> failtest $"%A{s}: %A{other}"
                else
                    let ended, trial, where = failure task
                    Expect.equal (ended, trial) (RunEnd.Failed, s.Trial) $"%A{s}"
                    Expect.stringContains where (named s s.Trial) $"%A{s}"

                let ended, _, _ = failure (drawnTask s true)
                Expect.equal ended RunEnd.Completed $"masked: %A{s}"
        }

        test "of a closed loop end the run where they are" {
            for s in Array.truncate 15 spoilGen do
                let task = loopTask s false

                if s.Trial = 0 && s.Step = 1 then
                    Expect.hasLength (problems (plan three task)) 1 $"%A{s}"
                else
                    let ended, trial, where = failure task
                    Expect.equal (ended, trial) (RunEnd.Failed, s.Trial) $"%A{s}"
                    Expect.stringContains where (named s s.Trial) $"%A{s}"

                let ended, _, _ = failure (loopTask s true)
                Expect.equal ended RunEnd.Completed $"masked: %A{s}"
        }

        test "of parts of a task name their part" {
            let s = {
                Trial = 0
                Step = 2
                Output = 1
                Value = -1.0
            }

            match
                problems (plan three (Task.blocks [ drawnTask s false |> Task.named "bad", 2 ]))
            with
            | [ only ] ->
                Expect.equal
                    only
                    "task, its part bad: the target of output 0 of q in step 2 of trial 0 is -1; it must be in [0, 1], since the output of q is sigmoid; use such targets, mask the step, or make the readout linear"
                    "said"
            | other -> failtest $"%A{other}"
        }

        test "of standard tasks are looked at beside the circuit that learns them" {
            let decide kind =
                experiment
                    "decide"
                    (circuit [
                        input "x" 3 --> a
                        a --> (readout "y" 2 |> output kind) |> learningRate 0.1
                    ])
                    (Task.perceptualDecision PerceptualDecision.standard)

            match problems (decide Output.Linear), problems (decide Output.Softmax) with
            | [], [ only ] -> Expect.stringContains only "the sum of the targets of y" "softmax"
            | other -> failtest $"%A{other}"
        }

        test "that are no number are named by trial, step and output" {
            let targets = Array2D.create steps 1 0.5
            targets[3, 0] <- nan
            let inputs = Array2D.create steps 1 0.5
            let one = [ readout "y" 1 ]

            Expect.equal
                (problems (plan one (Task.ofArrays inputs targets)))
                [
                    "task: the target of output 0 in step 4 is NaN; it must be finite, or its mask 0"
                ]
                "arrays"

            let drawn = Task.ofTrials (float steps * 1.0<ms>) (fun _ _ -> trialOf targets None)

            Expect.equal
                (problems (plan one drawn))
                [
                    "task: the target of output 0 in step 4 of trial 0 is NaN; it must be finite, or its mask 0"
                ]
                "drawn"
        }

        test "that are no number are no target under a mask of 0" {
            let targets = Array2D.create steps 1 0.5
            targets[3, 0] <- nan
            let inputs = Array2D.create steps 1 0.5
            let one = [ readout "y" 1 ]
            let mask = Array2D.create steps 1 1.0
            mask[3, 0] <- 0.0
            let zeroed = Array2D.copy targets
            zeroed[3, 0] <- 0.0

            let losses targets =
                match Run.train (plan one (Task.ofArrays inputs targets |> Task.masked mask)) with
                | Ok trained -> trained.Losses
                | Error problems -> failtest $"%A{List.map Problem.text problems}"

            Expect.equal (losses targets) (losses zeroed) "as if it were any number"
            Expect.all (losses targets) System.Double.IsFinite "finite"
        }
    ]
