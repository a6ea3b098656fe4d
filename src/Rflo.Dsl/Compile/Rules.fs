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
