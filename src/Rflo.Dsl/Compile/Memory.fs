namespace Rflo.Dsl

open System
open Rflo.Core

/// Rules and schedules as types of the core.
[<RequireQualifiedAccess>]
module internal RuleCompile =

    let private path =
        function
        | DeclaredFeedback -> Rflo.Core.ErrorPath.Feedback
        | SymmetricPath -> Rflo.Core.ErrorPath.Symmetric

    /// dt / tau of a running mean; over trials, one trial is the step.
    let private meanAlpha (dt: float<ms>) =
        function
        | OverTime tau -> dt / tau
        | OverTrials trials -> 1.0 / trials

    let private shaping dt (factor: Shaped<'Signal>) =
        Shaping(
            factor.Mean |> Option.map (meanAlpha dt) |> Option.defaultValue 0.0,
            factor.Map |> Option.map _.Apply |> Option.toObj
        )

    /// Memory is estimated before rules are checked, so a duration that is not a whole number of steps counts as one step.
    let private wholeSteps dt duration =
        TaskCompile.steps dt duration |> Option.defaultValue 1

    /// Index of a named part. Memory is estimated before rules are checked, so a name of no part counts as the first.
    let private place name (names: string list) =
        names |> List.tryFindIndex ((=) name) |> Option.defaultValue 0

    /// The signal of the circuit that a modulator names, if it names one.
    let private source (circuit: Circuit) dt modulator : Neuromodulator option =
        let readout name =
            ReadoutId(circuit.Readouts |> List.map _.Name |> place name)

        let area name =
            AreaId(circuit.Areas |> List.map _.Name |> place name)

        match modulator with
        | ReadoutValue name -> Some(ReadoutModulator(readout name))
        | TemporalDifference(name, gamma) -> Some(TemporalDifferenceModulator(readout name, gamma))
        | UnitRate(name, unit, delay) -> Some(AreaModulator(area name, unit, wholeSteps dt delay))
        | AreaRates(name, weights, delay) ->
            let flat = Array.ofSeq (Seq.cast<float> weights)
            Some(AreaModulator(area name, flat, wholeSteps dt delay))
        | _ -> None

    let private local circuit (dt: float<ms>) error (trace: ThreeFactor) : LearningRule =
        let memory, alpha =
            match trace.Trace with
            | UnitTau -> TraceMemory.AsUnit, 1.0
            | TraceTau tau -> TraceMemory.Given, dt / tau
            | NoTrace -> TraceMemory.None, 1.0
            | WholeTrial -> TraceMemory.WholeTrial, 1.0
            | OwnJacobian -> TraceMemory.OwnJacobian, 1.0

        let post =
            match trace.Post.Signal with
            | Slope -> PostSignal.Slope
            | Rate -> PostSignal.Rate
            | Current -> PostSignal.Current
            | Perturbation -> PostSignal.Noise

        let third =
            match trace.Modulator.Signal with
            | FeedbackError -> ThirdFactor.Error
            | TrialReward -> ThirdFactor.TrialReward
            | StepReward -> ThirdFactor.StepReward
            | TaskReward -> ThirdFactor.TaskReward
            | RewardError -> ThirdFactor.RewardError
            | Unmodulated -> ThirdFactor.Constant
            | ReadoutValue _
            | TemporalDifference _
            | UnitRate _
            | AreaRates _ -> ThirdFactor.Signal

        ThreeFactorRule(
            path error,
            Memory = memory,
            MemoryAlpha = alpha,
            Post = post,
            PostShaping = shaping dt trace.Post,
            PreAlpha =
                (match trace.Pre.Signal with
                 | Presynaptic -> 1.0
                 | LowPass tau -> dt / tau),
            PreShaping = shaping dt trace.Pre,
            Third = third,
            Source = Option.toObj (source circuit dt trace.Modulator.Signal),
            ThirdShaping = shaping dt trace.Modulator,
            Oja = trace.Oja
        )

    /// A rule for the core, in steps of dt, by which parts of a circuit learn.
    let rule (circuit: Circuit) dt (rule: Rule) : LearningRule =
        match rule.Credit with
        | Local trace -> local circuit dt rule.Error trace
        | BackwardInTime -> BpttRule(path rule.Error)
        | TruncatedBackward(window, stride) ->
            TruncatedBpttRule(wholeSteps dt window, wholeSteps dt stride, path rule.Error)
        | ForwardInTime -> RtrlRule(path rule.Error)
        | LearnedSensitivity rate -> KernlRule(rate, path rule.Error)
        | TowardCurrents(teacher, alpha, forgetting, every) ->
            FullForceRule(
                AreaId(circuit.Areas |> List.map _.Name |> place teacher),
                alpha,
                forgetting,
                every
            )
        | Stochastic(factors, noise) -> StochasticRule(factors, noise, path rule.Error)
        | Own custom ->
            match custom with
            | :? DefinedRule as defined ->
                DefinedRule(
                    defined.Name,
                    defined.Start,
                    path rule.Error,
                    ReadsSignal = defined.ReadsSignal
                )
            | other -> other

    let schedule =
        function
        | Online -> UpdateSchedule.Online
        | EverySteps k -> UpdateSchedule(UpdateTime.EverySteps, k)
        | TrialEnd -> UpdateSchedule.TrialEnd
        | EveryTrials(k, combine) -> UpdateSchedule(UpdateTime.TrialEnd, k, combine.IsMean)

    let private readout dt : Rflo.Dsl.ReadoutRule -> Rflo.Core.ReadoutRule =
        function
        | DeltaRule -> Rflo.Core.ReadoutRule.Delta
        | RecursiveLeastSquares(alpha, forgetting, every) -> RlsReadout(alpha, forgetting, every)
        | RidgeRegression(alpha, washout, every) ->
            RidgeReadout(alpha, TaskCompile.steps dt washout |> Option.defaultValue 0, every)
        | TdLambda(gamma, lambda) -> TdReadout(gamma, lambda)

    /// The number of steps before the first whose rates a rule needs.
    let history dt (rule: Rule) =
        match rule.Credit with
        | Local {
                    Modulator = {
                                    Signal = (UnitRate(_, _, delay) | AreaRates(_, _, delay))
                                }
                } -> wholeSteps dt delay
        | _ -> 0

    /// How a projection of a circuit learns at a rate by a rule.
    let plasticity circuit dt rate (learning: Rule) =
        Plasticity(
            rule circuit dt learning,
            rate,
            schedule learning.Update,
            Optimizer = learning.Optimizer,
            Clip = learning.Clip,
            Rates = learning.Schedule,
            Readout = readout dt learning.Readout
        )

/// The memory that an experiment needs, computed from its sizes before a weight is drawn.
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

    /// Place of an area among the areas, or of a readout among the readouts.
    let private placeOf (circuit: Circuit) finish =
        match Wiring.areaOf finish with
        | Some name -> circuit.Areas |> List.tryFindIndex (fun area -> area.Name = name)
        | None ->
            circuit.Readouts
            |> List.tryFindIndex (fun readout -> OfReadout readout.Name = finish)
        |> Option.defaultValue 0

    let private unitsOf (area: Area) =
        let states =
            match area.Dynamics with
            | OfModel model -> model.States.Count
            | _ -> 1

        UnitSize(
            int64 area.Units,
            states,
            area.Dynamics.IsOfModel || area.Dynamics.IsCurrentForm,
            area.Dynamics.IsOfModel
        )

    let private block (experiment: Experiment) plasticity (projection: Projection) =
        let circuit = experiment.Circuit
        let post, pre = size circuit projection.Target, size circuit projection.Source

        let count =
            match projection.Connectivity, projection.Weights with
            | _, OneToOne _ -> float post
            | _, GivenSparse weights -> float weights.Values.Length
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
            placeOf circuit projection.Target,
            Option.toObj plasticity
        )

    /// How a projection learns, if it does.
    let private learns (experiment: Experiment) projection =
        Wiring.plasticity experiment projection
        |> Option.map (fun (rate, rule) ->
            RuleCompile.plasticity experiment.Circuit experiment.Dt rate rule)

    let private maxDelay (experiment: Experiment) =
        experiment.Circuit.Projections
        |> List.choose (fun projection ->
            projection.Delay |> Option.bind (TaskCompile.steps experiment.Dt))
        |> List.fold max 1

    let private ofBlocks (experiment: Experiment) blocks =
        MemoryEstimate.Of(
            blocks,
            experiment.Circuit.Areas |> List.map unitsOf |> Array.ofList,
            int64 (snd (TaskCompile.sizes experiment.Task)),
            int64 (maxDelay experiment),
            int64 (TaskCompile.longest experiment.Dt experiment.Task),
            experiment.Precision,
            experiment.Lanes.Count
        )

    /// The rules whose increments probes compare, each once; None stands for the projections' own.
    let private watching (experiment: Experiment) =
        experiment.Probes
        |> List.collect (fun watched ->
            match watched.Probe with
            | Probe.Angle(rule, reference) -> [ rule; Some reference ]
            | _ -> [])
        |> List.distinct

    /// The plasticity of a projection for a rule that a probe compares: it keeps increments and applies none, for projections
    /// onto areas only.
    let private watches (experiment: Experiment) rule (projection: Projection) =
        learns experiment projection
        |> Option.filter (fun _ -> not projection.Target.IsOfReadout)
        |> Option.map (fun own ->
            rule
            |> Option.map (RuleCompile.plasticity experiment.Circuit experiment.Dt 1.0)
            |> Option.defaultValue own)
        |> Option.map (fun plastic ->
            Plasticity(plastic.Rule, 1.0, UpdateSchedule(plastic.Schedule.Time, 2)))

    /// Bytes by purpose: those of the run, and those of the rules that probes compare.
    let estimate (experiment: Experiment) =
        let bytes plasticityOf =
            experiment.Circuit.Projections
            |> List.map (fun projection -> block experiment (plasticityOf projection) projection)
            |> ofBlocks experiment

        let still = bytes (fun _ -> None)

        (bytes (learns experiment), watching experiment)
        ||> List.fold (fun sum rule ->
            let more = bytes (watches experiment rule)

            MemoryEstimate(
                sum.Weights + more.Weights - still.Weights,
                sum.Activity + more.Activity - still.Activity,
                sum.Traces + more.Traces,
                sum.Influence + more.Influence,
                Lanes = sum.Lanes
            ))
