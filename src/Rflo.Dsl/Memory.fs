namespace Rflo.Dsl

open System
open Rflo.Core

/// Rules and schedules in the words of the core.
[<RequireQualifiedAccess>]
module internal RuleCompile =

    let private path =
        function
        | DeclaredFeedback -> Rflo.Core.ErrorPath.Feedback
        | SymmetricPath -> Rflo.Core.ErrorPath.Symmetric

    let rule (rule: Rule) : LearningRule =
        match rule.Credit with
        | EligibilityTrace -> ThreeFactorRule.Rflo(path rule.Error)
        | BackwardInTime -> BpttRule(path rule.Error)
        | ForwardInTime -> RtrlRule(path rule.Error)

    let schedule =
        function
        | Online -> UpdateSchedule.Online
        | TrialEnd -> UpdateSchedule.TrialEnd
        | EveryTrials(k, combine) -> UpdateSchedule(UpdateTime.TrialEnd, k, combine.IsMean)

    let plasticity rate (learning: Rule) =
        Plasticity(rule learning, rate, schedule learning.Update)

/// What an experiment will take of memory, known from its sizes before a weight is drawn.
[<RequireQualifiedAccess>]
module Memory =

    let private size circuit finish =
        match Wiring.resolve circuit finish with
        | Ok resolved -> resolved.Size
        | Error _ -> 0

    let private isFedBack (circuit: Circuit) =
        function
        | OfReadout readout ->
            circuit.Projections |> List.exists (fun p -> p.Source = OfReadout readout)
        | _ -> false

    let private block (experiment: Experiment) (projection: Projection) =
        let circuit = experiment.Circuit
        let post, pre = size circuit projection.Target, size circuit projection.Source

        let count =
            match projection.Connectivity, projection.Weights with
            | _, OneToOne _ -> float post
            | Density fraction, _ -> fraction * float post * float pre
            | Mask matrix, _ -> matrix |> Seq.cast<bool> |> Seq.filter id |> Seq.length |> float
            | Dense, _ -> float post * float pre

        BlockSize(
            int64 post,
            int64 pre,
            int64 count,
            Wiring.isSparse projection post pre,
            projection.Target.IsOfReadout,
            isFedBack circuit projection.Target,
            Wiring.plasticity experiment projection
            |> Option.map (fun (rate, rule) -> RuleCompile.plasticity rate rule)
            |> Option.toObj
        )

    let private maxDelay (experiment: Experiment) =
        experiment.Circuit.Projections
        |> List.choose (fun projection ->
            projection.Delay |> Option.bind (TaskCompile.steps experiment.Dt))
        |> List.fold max 1

    /// Bytes by what they are for.
    let estimate (experiment: Experiment) =
        MemoryEstimate.Of(
            experiment.Circuit.Projections |> List.map (block experiment),
            experiment.Circuit.Areas |> List.sumBy (fun area -> int64 area.Units),
            int64 (snd (TaskCompile.sizes experiment.Task)),
            int64 (maxDelay experiment),
            int64 (TaskCompile.longest experiment.Dt experiment.Task),
            experiment.Precision
        )
