// A TD error as dopamine: a critic learns to predict a delayed reward, and the same error trains a choice.
//
//     dotnet fsi examples/18-dopamine.fsx
//     dotnet fsi examples/18-dopamine.fsx --trials 4000 --seed 2
//
// One of two cues comes at a random time. Striatum chooses 100 ms later, and the right choice is rewarded 200 ms after that. The readout
// "value" learns by TD(lambda) to predict the reward, and its error, delta(t) = r(t) + gamma V(t) - V(t-1), is the modulator of
// striatum's weights. Over training delta moves from the reward to the cue, and a reward that is left out leaves a dip
// (Schultz, Dayan and Montague 1997, doi 10.1126/science.275.5306.1593). The table under the run shows both, metrics.csv has delta over trials.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let gamma = 0.98
let choiceAfter, rewardAfter = 10, 30 // Steps of 10 ms after the cue.

/// memory: the step of the cue, and which of the two it is. The right choice has that reward.
let choose reward =
    let start _ (stream: RandomStream) (memory: float[]) =
        memory[0] <- floor (stream.Uniform(10.0, 31.0))
        memory[1] <- (if stream.Chance 0.5 then 1.0 else 0.0)

    let step (now: Moment) (memory: float[]) =
        let since = now.Step - int memory[0]

        let cue k =
            if k = int memory[1] && since = 0 then 1.0 else 0.0
        // The value has no target.
        let shown = Step.ofArrays [| cue 0; cue 1 |] [| 0.0 |] |> Step.mask 0.0

        if since = choiceAfter then
            shown |> Step.event "choose"
        else
            shown

    Task.closedLoop 2 1 800.0<ms> [| 0.0; 0.0 |] start step
    |> Task.watching [ "striatum" ]
    |> Task.judged (fun now memory ->
        let isRight = now.Rates("striatum")[int memory[1]] = 1.0

        if now.Step - int memory[0] = rewardAfter && isRight then
            reward
        else
            0.0)
    |> Task.events [ "choose" ]
    |> Task.named "choose by a cue"

// Representation of the time since a cue: a chain of units for each, in which one activates the next. It is at rest until the cue comes.
let links = 40

let chain =
    Array2D.init (2 * links) (2 * links) (fun i j ->
        if i = j + 1 && i % links <> 0 then 1.0 else 0.0)

let begins =
    Array2D.init (2 * links) 2 (fun i k -> if i = k * links then 1.0 else 0.0)

let cortex =
    relay "cortex" (2 * links) |> transfer Transfer.identity |> initial (reset 0.0)

let striatum = winnerTakeAll "striatum" 2 |> explore 0.1
let cue = input "cue" 2
let value = readout "value" 1

/// Rates of cortex at the choice, kept in traces for 200 ms, times the TD error.
let dopamine =
    Rule.local "dopamine" {
        Trace = TraceTau 200.0<ms>
        Post = Rule.the Rate
        Pre = Rule.the Presynaptic
        Modulator = Rule.the (TemporalDifference("value", gamma))
        Oja = false
    }

let network =
    circuit [
        cue --> cortex |> weights (ofMatrix begins)
        cortex --> cortex |> weights (ofMatrix chain)
        cortex --> striatum
        |> weights (constant 0.0)
        |> gate (atEvent "choose")
        |> learnBy dopamine 4.0
        cortex --> value |> weights (constant 0.0) |> learnBy (Rule.td gamma 0.9) 2.0
    ]

/// delta(t) of a trial, t from 1 on; its last step is terminal.
let deltas (activity: Activity) =
    let value = activity.Outputs["value"].Column(0)
    let last = value.Count - 1

    Array.init value.Count (fun k ->
        activity.Rewards[k] + (if k = last then 0.0 else gamma * value[k])
        - (if k = 0 then 0.0 else value[k - 1]))

/// The step of the cue, from 0.
let cueOf (activity: Activity) =
    Seq.findIndex
        (fun (inputs: MathNet.Numerics.LinearAlgebra.Vector<float>) -> inputs.Sum() > 0.0)
        (activity.Inputs.EnumerateRows())

/// delta in the step of the cue, and of the reward.
let atCue activity =
    deltas activity |> Array.item (cueOf activity)

let atReward activity =
    deltas activity |> Array.item (cueOf activity + rewardAfter)

experiment "dopamine" network (choose 1.0)
|> rule dopamine
|> dt 10.0<ms>
|> trials 1000
|> probe 10 [
    Probe.custom "delta-at-cue" (fun seen -> atCue seen.Activity)
    Probe.custom "delta-at-reward" (fun seen -> atReward seen.Activity)
]
|> Host.runThen (fun trained ->
    let report name task =
        match Run.perform trained task 50 with
        | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
        | Ok activities ->
            let mean look = activities |> List.averageBy look
            printfn $"%-22s{name} %6.2f{mean atCue} at the cue %6.2f{mean atReward} at the reward"

    let measured name =
        trained.Probes[name].Values |> Array.splitInto 5 |> Array.map Array.average

    for k, (cue, reward) in
        Array.indexed (Array.zip (measured "delta-at-cue") (measured "delta-at-reward")) do
        printfn $"part {k + 1} of training:    %6.2f{cue} at the cue %6.2f{reward} at the reward"

    report "rewarded:" (choose 1.0)
    report "the reward left out:" (choose 0.0))
