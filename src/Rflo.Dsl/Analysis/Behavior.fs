namespace Rflo.Dsl

open System
open MathNet.Numerics.LinearAlgebra

/// The results of one test trial, without its activity.
[<RequireQualifiedAccess>]
type TestedTrial = {
    /// L of the trial; NaN where it had no target.
    Loss: float
    /// Its performance (`Task.scored`); NaN where the task or the trial defines none.
    Performance: float
    /// The sum of its rewards.
    Reward: float
    /// The conditions of the trial by name.
    Conditions: Map<string, float>
    /// The output of the target, and the chosen one, over all outputs of the task; none where the trial has no decision.
    Decision: (int * int) option
    /// Steps from the first of the decision period to the first in which the chosen output exceeds every other by half of the targets'
    /// difference; none where there is no such step.
    ReactionSteps: int option
} with

    /// A condition of the trial; NaN where it has none of that name.
    member this.Condition name =
        this.Conditions |> Map.tryFind name |> Option.defaultValue nan

/// Summary statistics of test trials, each with its 95 % interval.
[<RequireQualifiedAccess>]
type BehaviorSummary = {
    Trials: int
    /// Mean loss (Student's t).
    Loss: Estimate
    /// Mean performance: by Wilson where trials are right or wrong, else by Student's t.
    Performance: Estimate
    /// Mean reward (Student's t).
    Reward: Estimate
    /// The share of each output among the choices (Wilson).
    Choices: (int * Estimate) list
}

/// The number of trials by output of the target and by chosen output.
[<RequireQualifiedAccess>]
type Confusion = {
    /// Shape (outputs of the target, outputs chosen).
    Counts: int[,]
} with

    /// The share of a row: of the trials with one output as the target, those with the other chosen (Wilson).
    member this.Share(asked, chosen) =
        let row =
            Seq.sum (seq { for k in 0 .. this.Counts.GetLength 1 - 1 -> this.Counts[asked, k] })

        Estimate.proportion this.Counts[asked, chosen] row

/// Behavior of a trained circuit in test trials: loss, performance and choices, by condition.
[<RequireQualifiedAccess>]
module Behavior =

    let private sideBySide (activity: Activity) =
        let columns = [
            for readout in activity.Readouts do
                for k in 0 .. readout.Outputs - 1 -> activity.Outputs[readout.Name].Column k
        ]

        if List.isEmpty columns then
            Matrix<float>.Build.Dense(activity.Targets.RowCount, 0)
        else
            Matrix<float>.Build.DenseOfColumnVectors columns

    let private answers (activity: Activity) : Decisions.Answers = {
        IsLinear = activity.Readouts |> List.forall (fun readout -> readout.Output = Output.Linear)
        Outputs = sideBySide activity
        Targets = activity.Targets
        Mask = activity.Mask
    }

    /// `Behavior.ofActivity activity` is the result of a trial of `Run.evaluate`, without its activity.
    let ofActivity (activity: Activity) : TestedTrial =
        let answers = answers activity

        {
            Loss = activity.Loss
            Performance = activity.Performance
            Reward = Array.sum activity.Rewards
            Conditions = activity.Conditions
            Decision = Decisions.decision answers
            ReactionSteps = Decisions.reaction answers
        }

    /// `Behavior.testWith how weights experiment task 500` runs 500 trials as `Run.evaluate` does, and keeps their results without the
    /// activity, so that memory allows many.
    let testWith how weights experiment task count =
        Run.evaluateEach ofActivity how weights experiment task count

    /// `Behavior.test trained task 500` is 500 test trials of that task with the run's final weights. None of them is a trial of
    /// the training, unless the task is the same in every trial.
    let test (trained: Trained) task count =
        testWith Evaluation.standard trained.Final trained.Experiment task count

    /// Loss, performance, rewards and choices of trials.
    let summary (trials: TestedTrial list) : BehaviorSummary =
        let chosen = trials |> List.choose _.Decision |> List.map snd

        {
            Trials = trials.Length
            Loss = Estimate.mean (trials |> List.map _.Loss)
            Performance = Estimate.ofScores (trials |> List.map _.Performance)
            Reward = Estimate.mean (trials |> List.map _.Reward)
            Choices =
                chosen
                |> List.countBy id
                |> List.sortBy fst
                |> List.map (fun (output, count) -> output, Estimate.proportion count chosen.Length)
        }

    /// `Behavior.byFunction (fun trial -> trial.Condition "evidence" > 0.0) trials` is the summary of each group that the function makes,
    /// in order.
    let byFunction (key: TestedTrial -> 'key) (trials: TestedTrial list) =
        trials
        |> List.groupBy key
        |> List.sortBy fst
        |> List.map (fun (key, group) -> key, summary group)

    /// The trials that have a condition. An exception where none has it.
    let private having condition (trials: TestedTrial list) =
        match trials |> List.filter (fun trial -> trial.Conditions.ContainsKey condition) with
        | [] when not (List.isEmpty trials) ->
            let known =
                trials
                |> Seq.collect _.Conditions.Keys
                |> Seq.distinct
                |> Seq.sort
                |> String.concat ", "

            let known = if known = "" then "none" else known

            invalidArg (nameof condition) $"no trial has a condition {condition} (known: {known})"
        | found -> found

    /// `Behavior.by "coherence" trials` is the summary of the trials of each coherence, in order.
    let by condition trials =
        having condition trials |> byFunction _.Condition(condition)

    /// The number of trials by output of the target and by chosen output.
    let confusion (trials: TestedTrial list) : Confusion =
        let decisions = trials |> List.choose _.Decision

        let outputs =
            match decisions with
            | [] -> 0
            | _ ->
                1
                + (decisions |> List.map (fun (asked, chosen) -> max asked chosen) |> List.max)

        let counts = Array2D.zeroCreate outputs outputs

        for asked, chosen in decisions do
            counts[asked, chosen] <- counts[asked, chosen] + 1

        { Counts = counts }

    /// `Behavior.psychometricWith how "evidence" trials`: as `Behavior.psychometric`, with other lapses, resamples or seed.
    let psychometricWith how condition (trials: TestedTrial list) =
        having condition trials
        |> List.choose (fun trial ->
            match trial.Decision with
            | Some(_, chosen) when chosen <= 1 -> Some(trial.Condition condition, (chosen = 1))
            | _ -> None)
        |> PsychometricFit.ofChoices how

    /// `Behavior.psychometric "evidence" trials` is the logistic curve, with lapses, of choosing output 1 by a condition whose
    /// large values are evidence for it: maximum likelihood, intervals by resampling. Standard tasks call it "evidence" or
    /// "difference".
    let psychometric condition trials =
        psychometricWith PsychometricFit.standard condition trials

    /// `Behavior.chronometric 1.0<ms> "evidence" trials` is the mean reaction time in ms by a condition, of the trials that have one and
    /// are right (Student's t); `ReactionSteps` defines it.
    let chronometric (dt: float<ms>) condition (trials: TestedTrial list) =
        having condition trials
        |> List.groupBy _.Condition(condition)
        |> List.sortBy fst
        |> List.map (fun (value, group) ->
            value,
            group
            |> List.choose (fun trial ->
                match trial.Decision, trial.ReactionSteps with
                | Some(asked, chosen), Some steps when asked = chosen ->
                    Some(float steps * float dt)
                | _ -> None)
            |> Estimate.mean)
