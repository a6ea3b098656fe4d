namespace Rflo.Dsl

open System
open MathNet.Numerics.LinearAlgebra
open Rflo.Core

/// Conditions and performance of trials, for tasks of the core.
[<RequireQualifiedAccess>]
module internal Scoring =

    /// Whether all readouts are linear; true where there is none.
    let private isLinear (readouts: Readout list) =
        readouts |> List.forall (fun readout -> readout.Output = Output.Linear)

    let private matrix (trial: Trial) (values: float[]) =
        Matrix<float>
            .Build.Dense(trial.Steps, trial.Outputs, fun t k -> values[t * trial.Outputs + k])

    /// The absolute errors of a trial where they count, with their weights.
    let private errors (trial: Trial) (outputs: float[]) = [|
        for k in 0 .. trial.Steps * trial.Outputs - 1 do
            if trial.Mask[k] > 0.0 then
                struct (trial.Mask[k], abs (outputs[k] - trial.Targets[k]))
    |]

    /// A mean over weights; NaN where nothing counts.
    let private meanOf (measure: float -> float) (errors: struct (float * float)[]) =
        let sum = errors |> Array.sumBy (fun struct (weight, _) -> weight)

        let total =
            errors |> Array.sumBy (fun struct (weight, error) -> weight * measure error)

        total / sum

    /// The performance of a trial.
    let performance readouts score (trial: Trial) (outputs: float[]) =
        match score with
        | Score.Decision ->
            match
                Decisions.decision {
                    IsLinear = isLinear readouts
                    Outputs = matrix trial outputs
                    Targets = matrix trial trial.Targets
                    Mask = matrix trial trial.Mask
                }
            with
            | Some(asked, chosen) -> if asked = chosen then 1.0 else 0.0
            | None -> nan
        | Score.ErrorBelow most ->
            let error = errors trial outputs |> meanOf id

            if Double.IsNaN error then nan
            elif error < most then 1.0
            else 0.0
        | Score.ShareWithin most ->
            errors trial outputs |> meanOf (fun error -> if error < most then 1.0 else 0.0)

    /// The factor from a condition of the core to one of the language: ready-set-go counts its delay in steps, the language in ms.
    let private unitOf (dt: float<ms>) (task: Task) =
        match task.Kind with
        | ReadySetGo _ -> float dt
        | _ -> 1.0

    /// Whether the core's own task needs no added conditions or score.
    let private isPlain (declared: Task) =
        List.isEmpty declared.Conditions
        && Option.isNone declared.Score
        && not declared.Kind.IsReadySetGo

    /// The stream that the functions of conditions receive.
    let private streamOf (declared: Task) (stream: RandomStream) =
        if declared.Kind.IsPhased || declared.Kind.IsStandard then
            stream.Part "trial"
        else
            stream.FromStart()

    /// The task with the conditions and the score that were declared.
    let applied dt readouts (declared: Task) (task: ITask) : ITask =
        if isPlain declared then
            task
        else
            let before = task.Conditions.Count
            let unit = unitOf dt declared
            let own = [| for condition in declared.Conditions -> condition.Of |]

            let names = [|
                yield! task.Conditions
                for condition in declared.Conditions -> condition.Name
            |]

            let fill number stream (into: Trial) =
                task.Fill(number, stream, into)

                if into.Conditions.Length > 0 then
                    for k in 0 .. before - 1 do
                        into.Conditions[k] <- unit * into.Conditions[k]

                    for k in 0 .. own.Length - 1 do
                        into.Conditions[before + k] <- own[k](streamOf declared stream)

            let isPure, performed =
                match declared.Score with
                | Some score -> true, performance readouts score
                | None ->
                    task.IsPerformancePure, (fun trial outputs -> task.Performance(trial, outputs))

            task |> FollowedTask.described names isPure performed fill

    /// Why a condition of trial 0 cannot be drawn.
    let private drawFirst seed (task: Task) (condition: TrialCondition) =
        try
            condition.Of(streamOf task (RandomStream.OfTrial(seed, "task", 0))) |> ignore

            None
        with error ->
            Some error.Message

    /// The faults of the added conditions and the score of a task; `known` are the names of its own conditions.
    let faults seed (known: string list) (task: Task) = [
        for k, condition in List.indexed task.Conditions do
            let earlier = known @ (task.Conditions |> List.truncate k |> List.map _.Name)

            for fault in CheckValues.name earlier condition.Name do
                match fault with
                | NameTaken name ->
                    Contradiction(
                        $"it has two conditions named {name}",
                        "give one of them another name"
                    )
                | BadName name ->
                    NotAllowed(
                        "the name of a condition",
                        $"'{name}'",
                        "letters, digits and . _ - /"
                    )
                | other -> other

            match drawFirst seed task condition with
            | Some reason -> Failed($"the condition {condition.Name} of trial 0", reason)
            | None -> ()

        match task.Score with
        | Some(Score.ErrorBelow most)
        | Some(Score.ShareWithin most) when not (most > 0.0) || not (Double.IsFinite most) ->
            NotAllowed("the error of a right trial", string most, "finite and more than 0")
        | _ -> ()

        match task.Kind with
        | Custom core when
            core :? IProgressTask
            && (task.Score.IsSome || not (List.isEmpty task.Conditions))
            ->
            Contradiction(
                "it is a task of its own that changes with what is learned, and has conditions or a score",
                "return them from ITask.Conditions and ITask.Performance"
            )
        | Blocks _
        | Mixture _
        | Curriculum _ when task.Score.IsSome || not (List.isEmpty task.Conditions) ->
            Contradiction(
                "it is made of several tasks, and has conditions or a score of its own",
                "give them to its parts"
            )
        | _ -> ()
    ]
