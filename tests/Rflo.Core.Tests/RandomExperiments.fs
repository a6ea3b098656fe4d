/// Random experiments over all that a session can be given: any rule for each projection, unit dynamics, gates, delays,
/// masks, learned time constants, optimizers, schedules, least squares, noise, exploration, carry-over, closed loops, tasks
/// that change with what is learned, rewards, probes, best weights. User code in them can be made to throw.
module Rflo.Core.Tests.RandomExperiments

open System
open System.Collections.Generic
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// Where user code runs.
type Place =
    | Fill
    | Before
    | After
    | Learned
    | Function
    | Measure
    | Callback

let places = [
    Fill
    Before
    After
    Learned
    Function
    Measure
    Callback
]

/// Acts once, in the so-manieth call of the code at one place. Until it is armed, code runs as it should.
type Charge() =
    let mutable place = None
    let mutable left = 0
    let mutable act = ignore
    let mutable fired = false
    member _.Fired = fired

    member _.Arm(where, call, action) =
        place <- Some where
        left <- call
        act <- action

    member _.Pass where =
        if place = Some where then
            left <- left - 1

            if left = 0 then
                fired <- true
                act ()

/// What an experiment is drawn from; each flag that is false makes it smaller.
type Experiment = {
    Case: Case
    Draw: int
    /// Areas but the first may be winner-take-all, which explore and have noise.
    Winners: bool
    /// The task looks at the circuit in every step, and keeps a state.
    Loop: bool
    /// The task changes with the losses.
    Progress: bool
    Tau: bool
    Initial: bool
    LeastSquares: bool
    /// Local rules with running means and functions of the user.
    Functions: bool
    Limits: bool
    Probes: bool
    Best: bool
    IsSingle: bool
}

let private flag = Gen.elements [ true; false ]

let private drawn =
    gen {
        let! case = RandomCircuits.circuits
        let! draw = Gen.choose (1, 1_000_000)
        let! flags = Gen.listOfLength 10 flag
        let! single = Gen.elements [ false; false; true ]

        return {
            Case = case
            Draw = draw
            Winners = flags[0]
            Loop = flags[1]
            Progress = flags[2]
            Tau = flags[3]
            LeastSquares = flags[4]
            Functions = flags[5]
            Limits = flags[6]
            Probes = flags[7]
            Best = flags[8]
            Initial = flags[9]
            IsSingle = single
        }
    }

let private smaller experiment =
    seq {
        for case in RandomCircuits.smaller experiment.Case do
            { experiment with Case = case }

        if experiment.Winners then
            { experiment with Winners = false }

        if experiment.Loop then
            { experiment with Loop = false }

        if experiment.Progress then
            { experiment with Progress = false }

        if experiment.Tau then
            { experiment with Tau = false }

        if experiment.Initial then
            { experiment with Initial = false }

        if experiment.LeastSquares then
            { experiment with LeastSquares = false }

        if experiment.Functions then
            { experiment with Functions = false }

        if experiment.Limits then
            { experiment with Limits = false }

        if experiment.Probes then
            { experiment with Probes = false }

        if experiment.Best then
            { experiment with Best = false }

        if experiment.IsSingle then
            { experiment with IsSingle = false }
    }

let anyExperiment = Arb.fromGenShrink (drawn, smaller)

// ---- the task -----------------------------------------------------------------------------------

/// White noise with targets that mean nothing where they do not count, and targets that grow with the mean of the losses.
type private Shown(case: Case, charge: Charge, changes: bool) =
    let inner: ITask = WhiteNoise case
    let mutable mean = 0.0
    member _.Inner = inner

    interface IProgressTask with
        member _.Inputs = inner.Inputs
        member _.Outputs = inner.Outputs
        member _.MaxSteps = inner.MaxSteps
        member _.Events = inner.Events
        member _.GivesRewards = true

        member _.Fill(trial, stream, into) =
            inner.Fill(trial, stream, into)

            for k in 0 .. into.Steps * into.Outputs - 1 do
                if into.Mask[k] = 0.0 then
                    into.Targets[k] <- nan
                elif changes then
                    into.Targets[k] <- into.Targets[k] * (1.0 - 0.5 * tanh mean)

            charge.Pass Fill

        member _.ProgressLength = if changes then 1 else 0

        member _.SaveProgress progress =
            if changes then
                progress[0] <- mean

        member _.RestoreProgress progress =
            if changes then
                mean <- progress[0]

        member _.Learned(_, loss, reward) =
            if changes then
                mean <-
                    0.7 * mean
                    + 0.3 * (if Double.IsFinite loss then tanh loss else 1.0)
                    + 0.1 * reward

            charge.Pass Learned

/// The same, to which nobody says what was learned: a run of it need not run user code after a trial was made.
type private Shows(shown: Shown) =
    let task: ITask = shown

    interface ITask with
        member _.Inputs = task.Inputs
        member _.Outputs = task.Outputs
        member _.MaxSteps = task.MaxSteps
        member _.Events = task.Events
        member _.GivesRewards = true
        member _.Fill(trial, stream, into) = task.Fill(trial, stream, into)

/// The same, moved by what the circuit does: a state of two numbers that goes on from trial to trial.
type private Looping(case: Case, charge: Charge, changes: bool, watched: (string * bool) list) =
    let shown = Shown(case, charge, changes)
    let progress: IProgressTask = shown
    let memory = [| 0.1; 0.0 |]

    interface ITask with
        member _.Inputs = progress.Inputs
        member _.Outputs = progress.Outputs
        member _.MaxSteps = progress.MaxSteps
        member _.Events = progress.Events
        member _.GivesRewards = true
        member _.Fill(trial, stream, into) = progress.Fill(trial, stream, into)

    interface IProgressTask with
        member _.ProgressLength = progress.ProgressLength
        member _.SaveProgress saved = progress.SaveProgress saved
        member _.RestoreProgress saved = progress.RestoreProgress saved
        member _.Learned(trial, loss, reward) = progress.Learned(trial, loss, reward)

    interface IClosedLoopTask with
        member _.Watches = [| for name, _ in watched -> name |]
        member _.StateLength = memory.Length
        member _.SaveState state = memory.AsSpan().CopyTo state
        member _.RestoreState state = state.CopyTo(memory.AsSpan())

        member _.Before(now, trial) =
            memory[1] <- memory[1] + 0.1 * now.Stream.Gaussian()

            for k in 0 .. trial.InputChannels - 1 do
                let at = (now.Step - 1) * trial.InputChannels + k
                trial.Inputs[at] <- trial.Inputs[at] + tanh (memory[0] + memory[1])

            for name, chooses in watched do
                if chooses && memory[0] > 0.0 then
                    (now.Allowed name)[0] <- false

            charge.Pass Before

        member _.After(now, trial) =
            for y in now.Outputs do
                memory[0] <- tanh (0.8 * memory[0] + 0.2 * (if Double.IsFinite y then y else 0.0))

            trial.Rewards[now.Step - 1] <- trial.Rewards[now.Step - 1] + 0.1 * memory[0]
            charge.Pass After

// ---- the session --------------------------------------------------------------------------------

let private pick (random: Random) (items: 'a list) = items[random.Next items.Length]

let private functions (charge: Charge) =
    let map scale =
        Func<float, float>(fun x ->
            charge.Pass Function
            scale * tanh x)

    let rule third memory : LearningRule =
        ThreeFactorRule(
            ErrorPath.Feedback,
            Memory = memory,
            MemoryAlpha = 0.3,
            PostShaping = Shaping(0.3, map 0.9),
            PreShaping = Shaping(0.2, map 1.1),
            PreAlpha = 0.5,
            Third = third,
            ThirdShaping = Shaping(0.25, map 1.0)
        )

    let form name (rule: LearningRule) time : AllRules.Form = {
        Name = name
        Rule = rule
        Schedule = UpdateSchedule(time, 3)
        Optimizer = Optimizer.Plain
        Clip = Clip.None
        Rates = LearningRateSchedule.Constant
    }

    [
        form "by functions, of errors" (rule ThirdFactor.Error TraceMemory.AsUnit) UpdateTime.Online
        form
            "by functions, of rewards"
            (rule ThirdFactor.TaskReward TraceMemory.Given)
            UpdateTime.EverySteps
        form
            "by functions, of trials"
            (rule ThirdFactor.TrialReward TraceMemory.AsUnit)
            UpdateTime.TrialEnd
    ]

let private reaches winner noise (form: AllRules.Form) =
    match form.Rule with
    | :? ThreeFactorRule as local ->
        (local.Post <> PostSignal.Noise || noise > 0.0)
        && not (winner && local.Post = PostSignal.Slope)
    | _ -> not winner

/// What a session of an experiment was made of.
type Made = {
    Session: Session
    Charge: Charge
    Plasticities: Plasticity list
}

let private learningRate (rule: LearningRule) =
    if AllRules.isExact rule then 0.05 else 0.02

/// An experiment of which some forms of calculations may be chosen only.
let makeFormed (allowed: Forms) (change: AreaSpec -> AreaSpec) experiment =
    let case = experiment.Case
    let charge = Charge()
    let random = Random experiment.Draw
    let noise = [ for area in case.Circuit.Areas -> area.Noise ]

    let winners = [
        for k in 0 .. case.Circuit.Areas.Length - 1 ->
            experiment.Winners && k > 0 && random.Next 2 = 0
    ]

    let forms =
        if experiment.Functions then
            functions charge @ AllRules.all |> List.truncate 12
        else
            AllRules.all

    let limits =
        if experiment.Limits then
            {
                Dale = true
                Lower = -6.0
                Upper = 6.0
                Decay = 0.1
                L1 = 0.02
                L2 = 0.05
            }
        else
            unlimited

    let readout (area: int) : ReadoutRule =
        if
            experiment.LeastSquares
            && not experiment.Limits
            && case.Circuit.Readouts[area].Kind = OutputKind.Linear
            && case.Circuit.Readouts[area].Loss.IsNone
        then
            if random.Next 2 = 0 then
                RlsReadout(0.5, 0.98)
            else
                RidgeReadout(0.5, 1, 2)
        else
            ReadoutRule.Delta

    let readouts = List.init case.Circuit.Readouts.Length readout

    let plasticities = [
        for projection in case.Circuit.Projections ->
            let winner, noise, readout =
                match projection.Target with
                | Onto area -> winners[area], noise[area], ReadoutRule.Delta
                | Read readout -> false, 0.0, readouts[readout]

            // Not too many rules in one circuit: they are to meet.
            let form =
                forms
                |> List.filter (reaches winner noise)
                |> pick (Random(experiment.Draw + random.Next 3))

            Plasticity(
                form.Rule,
                learningRate form.Rule,
                form.Schedule,
                Optimizer = form.Optimizer,
                Clip = form.Clip,
                Rates = form.Rates,
                Readout = readout
            )
    ]

    let tau =
        let able (form: AllRules.Form) =
            match form.Rule with
            | :? BpttRule
            | :? RtrlRule -> true
            | :? ThreeFactorRule as local -> local.LearnsTau
            | _ -> false

        let form = forms @ AllRules.all |> List.filter able |> pick random

        if experiment.Tau then
            Some(
                Plasticity(
                    form.Rule,
                    0.05,
                    form.Schedule,
                    Optimizer = form.Optimizer,
                    Clip = form.Clip,
                    Rates = form.Rates
                )
            )
        else
            None

    let initial =
        let able (form: AllRules.Form) =
            match form.Rule with
            | :? BpttRule
            | :? TruncatedBpttRule
            | :? RtrlRule -> true
            | :? ThreeFactorRule as local -> local.LearnsInitialStates
            | _ -> false

        // A generator of its own: what else is drawn stays what it was.
        let form =
            forms @ AllRules.all |> List.filter able |> pick (Random(experiment.Draw + 29))

        if experiment.Initial then
            Some(
                Plasticity(
                    form.Rule,
                    0.1,
                    form.Schedule,
                    Optimizer = form.Optimizer,
                    Clip = form.Clip,
                    Rates = form.Rates
                )
            )
        else
            None

    let area index (spec: AreaSpec) =
        if winners[index] then
            AreaSpec(
                Name = spec.Name,
                Units = spec.Units,
                Alpha = spec.Alpha,
                Dynamics = Dynamics.WinnerTakeAll,
                Noise = spec.Noise,
                Explore = 0.3,
                InitialPolicy = spec.InitialPolicy,
                InitialRates = Array.init spec.Units (fun k -> if k = 0 then 1.0 else 0.0)
            )
        else
            spec

    let setup = {
        asDeclared with
            Plasticity = fun index -> plasticities[index]
            Limits = limits
            Tau = tau
            Initial = initial
            Penalties =
                (if experiment.Limits then
                     [ RatePenalty(PenaltyKind.Square, 0.05, 0.2) ]
                 else
                     [])
            Area = fun index spec -> change (area index spec)
    }

    let watched = [
        for k, area in List.indexed case.Circuit.Areas do
            if experiment.Loop then
                $"area {k}", (winners[k] && area.Units > 1)
    ]

    let task: ITask =
        if experiment.Loop then
            Looping(case, charge, experiment.Progress, watched)
        elif experiment.Progress then
            Shown(case, charge, true)
        else
            Shows(Shown(case, charge, false))

    let session =
        Session.Create(
            graphWith setup case.Circuit,
            task,
            int64 case.Seed,
            (if experiment.IsSingle then
                 Precision.Single
             else
                 Precision.Double),
            allowed
        )

    // Schedules that look at mean losses find some in a few trials.
    session.Stopping <- Stopping(Window = 2)

    if experiment.Best then
        session.KeepBest()

    {
        Session = session
        Charge = charge
        Plasticities = plasticities
    }

let private passive name rule =
    PassiveRule(name, rule, UpdateTime.TrialEnd)

/// The probes of an experiment, some of them user code.
let probes (made: Made) (experiment: Experiment) : ProbeSpec[] = [|
    AngleProbe(2, passive "own" null, passive "bptt" Rules.bptt)
    WeightChangeProbe 2

    CustomProbe(
        1,
        "of my own",
        fun seen ->
            made.Charge.Pass Measure
            seen.Recording.Loss + float seen.Trial
    )

    RatesProbe(1, AreaId 0)
    AngleProbe(3, passive "kernl" (KernlRule 0.2), passive "bptt" Rules.bptt)
    SpectralRadiusProbe(3, AreaId(experiment.Case.Circuit.Areas.Length - 1))
|]

/// An experiment with other units, for the task and the circuit that it has.
let makeWith change experiment = makeFormed Forms.All change experiment

let make experiment =
    let made = makeWith id experiment

    if experiment.Probes then
        made.Session.Watch(probes made experiment)

    made

/// Everything that is known of a session but the time that trials took, by name.
let known (session: Session) =
    session.Capture()
    |> Seq.filter (fun part -> part.Key <> "metrics.seconds")
    |> Seq.map (fun part -> part.Key, Array.copy part.Value)
    |> Map.ofSeq

/// The names of the parts that differ in a bit.
let differences (a: Map<string, float[]>) (b: Map<string, float[]>) = [
    for name in Set.union (Set.ofSeq a.Keys) (Set.ofSeq b.Keys) do
        match Map.tryFind name a, Map.tryFind name b with
        | Some x, Some y when Checking.sameBits x y -> ()
        | _ -> name
]

let run (made: Made) trials =
    made.Session.Run(trials, (fun _ _ -> made.Charge.Pass Callback))
