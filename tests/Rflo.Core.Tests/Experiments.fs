/// How every part of a random circuit learns: rules, times, optimizers, rates and limits of its own, time constants and
/// readouts among them. All of it follows from the case's seed, so a smaller case is a valid experiment again.
module Rflo.Core.Tests.Experiments

open System
open Rflo.Core
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let private pick (random: Random) (items: 'a list) = items[random.Next items.Length]

let chance (random: Random) percent = random.Next 100 < percent

let private map f = Func<float, float>(f)

let private shaping random =
    pick random [
        Shaping.Plain
        Shaping.Plain
        Shaping 0.3
        Shaping(0.0, map cos)
        Shaping(0.2, map sin)
    ]

/// The rule with a signal of the circuit as modulator, where that is what modulates it: any that there is.
let private modulated (case: Case) target (random: Random) (rule: LearningRule) : LearningRule =
    match rule with
    | :? ThreeFactorRule as local when local.Third = ThirdFactor.Signal ->
        let circuit = case.Circuit
        let readout = random.Next circuit.Readouts.Length
        let output = random.Next circuit.Readouts[readout].Outputs
        let area = random.Next circuit.Areas.Length
        let units = circuit.Areas[area].Units
        let delay = random.Next(1, 5)

        let source: Neuromodulator =
            match random.Next 5 with
            | 0 -> ReadoutModulator(ReadoutId readout, output)
            | 1
            | 2 ->
                TemporalDifferenceModulator(
                    ReadoutId readout,
                    pick random [ 0.0; 0.7; 1.0 ],
                    output
                )
            | 3 -> AreaModulator(AreaId area, random.Next units, delay)
            | _ ->
                AreaModulator(
                    AreaId area,
                    Array.init (circuit.Areas[target].Units * units) (fun k ->
                        sin (float (k * k + 1))),
                    delay
                )

        ThreeFactorRule(
            local.Path,
            Memory = local.Memory,
            MemoryAlpha = local.MemoryAlpha,
            Post = local.Post,
            PostShaping = local.PostShaping,
            PreAlpha = local.PreAlpha,
            PreShaping = local.PreShaping,
            Third = local.Third,
            Source = source,
            ThirdShaping = local.ThirdShaping,
            Oja = local.Oja
        )
    | other -> other

/// Any three-factor rule; a modulator of the circuit is still to be chosen.
let private anyLocal (random: Random) =
    let third =
        pick random [
            ThirdFactor.Error
            ThirdFactor.Error
            ThirdFactor.Error
            ThirdFactor.TrialReward
            ThirdFactor.StepReward
            ThirdFactor.TaskReward
            ThirdFactor.RewardError
            ThirdFactor.Constant
            ThirdFactor.Signal
            ThirdFactor.Signal
        ]

    let path = pick random [ ErrorPath.Feedback; ErrorPath.Symmetric ]

    if chance random 50 then
        // RFLO and SnAp-1 themselves.
        ThreeFactorRule(path, Memory = pick random [ TraceMemory.AsUnit; TraceMemory.OwnJacobian ])
    else
        ThreeFactorRule(
            path,
            Memory =
                pick random [
                    TraceMemory.AsUnit
                    TraceMemory.Given
                    TraceMemory.None
                    TraceMemory.WholeTrial
                    TraceMemory.OwnJacobian
                ],
            MemoryAlpha = 0.4,
            Post =
                pick random [
                    PostSignal.Slope
                    PostSignal.Slope
                    PostSignal.Rate
                    PostSignal.Current
                ],
            PostShaping = shaping random,
            PreAlpha = pick random [ 1.0; 1.0; 0.5 ],
            PreShaping = shaping random,
            Third = third,
            ThirdShaping =
                pick random [
                    Shaping.Plain
                    Shaping.Plain
                    Shaping 0.25
                    Shaping(0.0, map sin)
                ],
            Oja = chance random 20
        )

/// Any three-factor rule that needs no circuit to be chosen.
let rec localRule random =
    let rule = anyLocal random

    if rule.Third = ThirdFactor.Signal then
        localRule random
    else
        rule

/// Any rule for weights onto an area; what has noise of its own learns from it too.
let private anyRule (random: Random) : LearningRule =
    match random.Next 13 with
    | 0 -> BpttRule(pick random [ ErrorPath.Feedback; ErrorPath.Symmetric ])
    | 1 -> TruncatedBpttRule(4, 2)
    | 2
    | 12 -> RtrlRule()
    | 3 -> StochasticRule InfluenceFactors.RankOne
    | 4 -> StochasticRule InfluenceFactors.Kronecker
    | 5 -> StochasticRule InfluenceFactors.ReverseKronecker
    | 6
    | 7 -> KernlRule(pick random [ 0.0; 0.1 ])
    | _ -> anyLocal random

let private schedule (random: Random) (rule: LearningRule) online =
    let anyEnd () =
        pick random [
            UpdateSchedule.TrialEnd
            UpdateSchedule(UpdateTime.TrialEnd, 2)
            UpdateSchedule(UpdateTime.TrialEnd, 3, true)
        ]

    if not (AllRules.canBeOnline rule) then
        anyEnd ()
    elif online then
        UpdateSchedule.Online
    else
        match random.Next 4 with
        | 0 -> UpdateSchedule.Online
        | 1 -> UpdateSchedule(UpdateTime.EverySteps, 4)
        | 2 when not (rule :? TruncatedBpttRule) ->
            UpdateSchedule(UpdateTime.EverySteps, pick random [ 3; 50 ])
        | _ -> anyEnd ()

let private clip random =
    pick random [
        Clip.None
        Clip.None
        Clip.Each 0.02
        Clip.Each 0.3
        Clip.All 0.05
        Clip.All 0.4
    ]

let private optimizer random : Optimizer =
    pick random [
        Momentum 0.7
        Momentum(0.6, true)
        Adam(0.8, 0.95, 1e-3)
        AdamW(0.5, 0.8, 0.95, 1e-3)
        RmsProp(0.9, 1e-3)
        Optimizer.Plain
        Optimizer.Plain
        Optimizer.Plain
    ]

let private rates (random: Random) =
    pick random [
        LearningRateSchedule.Constant
        LearningRateSchedule.Constant
        HalvedRate 2.0
        InverseRate 3.0
        SteppedRate(2, 0.5)
        CosineRate(5.0, 0.2)
        WarmUp(2, PlateauRate(0.5, 1))
        RateOfTrial("zigzag", fun trial -> if trial % 2 = 0 then 1.0 else 0.3)
    ]

/// What an experiment may be made of.
type Kind = {
    /// The rule of a projection onto an area.
    Rule: Random -> LearningRule
    /// The rule of an area's time constants.
    TauRule: Random -> LearningRule
    /// How readouts learn.
    Readout: Random -> ReadoutRule
    /// Whether rates may cost something.
    Costs: bool
    /// Whether all of a circuit learns online, by one rule and at one rate, within no limits: what deferred updates are for.
    IsSimple: bool
    /// Whether every update is of several trials.
    Batches: bool
    /// Whether lanes may share every update, and no rate depends on the number of a trial.
    IsShared: bool
}

let private errorRule random =
    ThreeFactorRule(
        pick random [ ErrorPath.Feedback; ErrorPath.Symmetric ],
        Memory =
            pick random [
                TraceMemory.AsUnit
                TraceMemory.OwnJacobian
                TraceMemory.Given
            ],
        MemoryAlpha = 0.3
    )

/// Every rule and every readout.
let anything = {
    Rule = anyRule
    TauRule =
        fun random ->
            match random.Next 3 with
            | 0 -> BpttRule()
            | 1 -> RtrlRule()
            | _ -> errorRule random
    Readout =
        fun random ->
            pick random [
                ReadoutRule.Delta
                ReadoutRule.Delta
                RlsReadout(0.5, 0.99)
                RidgeReadout(0.5, 1, 2)
            ]
    Costs = true
    IsSimple = false
    Batches = false
    IsShared = false
}

/// Updates of several trials, by rules that do not remember the trials before and call no function: what runs side by side.
let batches = {
    anything with
        Rule =
            fun random ->
                match random.Next 8 with
                | 0
                | 1 ->
                    ThreeFactorRule(
                        pick random [ ErrorPath.Feedback; ErrorPath.Symmetric ],
                        Memory =
                            pick random [
                                TraceMemory.AsUnit
                                TraceMemory.OwnJacobian
                                TraceMemory.WholeTrial
                            ],
                        Post =
                            pick random [ PostSignal.Slope; PostSignal.Slope; PostSignal.Current ],
                        PreAlpha = pick random [ 1.0; 0.5 ],
                        Third =
                            pick random [
                                ThirdFactor.Error
                                ThirdFactor.Error
                                ThirdFactor.TrialReward
                                ThirdFactor.StepReward
                                ThirdFactor.Signal
                                ThirdFactor.Signal
                            ],
                        Oja = chance random 20
                    )
                | 2 -> TruncatedBpttRule(4, 2)
                | 3 -> RtrlRule()
                | 4 ->
                    StochasticRule(pick random (List.ofArray (Enum.GetValues<InfluenceFactors>())))
                | _ -> BpttRule(pick random [ ErrorPath.Feedback; ErrorPath.Symmetric ])
        Readout = fun _ -> ReadoutRule.Delta
        Batches = true
}

/// Three-factor rules and the delta rule.
let local = {
    Rule = fun random -> anyLocal random
    TauRule = fun random -> errorRule random
    Readout = fun _ -> ReadoutRule.Delta
    Costs = true
    IsSimple = false
    Batches = false
    IsShared = false
}

/// What lanes may share: every rule but least squares.
let shared = {
    anything with
        Readout = fun _ -> ReadoutRule.Delta
        IsShared = true
}

/// Of that, what plain loops know.
let sharedLocal = { local with IsShared = true }

/// One local rule online throughout, and time constants that learn by it or by an exact one.
let simple = {
    anything with
        Rule =
            fun random ->
                pick random [
                    ThreeFactorRule.Rflo() :> LearningRule
                    ThreeFactorRule(ErrorPath.Symmetric)
                    KernlRule 0.05
                ]
        Readout = fun _ -> ReadoutRule.Delta
        IsSimple = true
}

let private ontoArea (projection: ProjectionCase) =
    match projection.Target with
    | Onto _ -> true
    | Read _ -> false

/// Leaky areas of rates, and whole, dense and plastic projections onto them: fast forms of online rules are for these.
let tidy (case: Case) = {
    case with
        Circuit.Areas = [
            for area in case.Circuit.Areas -> { area with Dynamics = Dynamics.Leaky }
        ]
        Circuit.Projections = [
            for projection in case.Circuit.Projections ->
                if ontoArea projection then
                    {
                        projection with
                            OntoPart = false
                            Density = 1.0
                            Layout = Dense
                            Plastic = true
                            Source =
                                match projection.Source with
                                | Rates(area, _) when case.Seed % 2 = 0 -> Rates(area, 1)
                                | other -> other
                    }
                else
                    projection
        ]
}

/// The circuit and how it learns.
let graphOf kind (case: Case) =
    let whole = Random(case.Seed)
    // Half of the circuits learn by one rule throughout, as most experiments do; half of those online.
    let uniform = chance whole 60 || kind.IsSimple
    let online = chance whole 60 || kind.IsSimple
    let withTau = chance whole 50 && not kind.Batches
    let withLimits = chance whole 40 && not kind.IsSimple
    let shared = whole.Next()
    let leastSquares = kind.Readout whole
    // Sparse blocks beside dense ones, or every projection, at a rate of its own.
    let ownRates = if kind.IsSimple then 7 else whole.Next 8

    let case =
        if leastSquares = ReadoutRule.Delta then
            case
        else
            {
                case with
                    Circuit.Readouts =
                        case.Circuit.Readouts
                        |> List.map (fun readout -> {
                            readout with
                                Kind = OutputKind.Linear
                                Loss = None
                        })
            }

    // Readouts of one output may learn to predict rewards.
    let critics: ReadoutRule list = [
        for k, readout in List.indexed case.Circuit.Readouts do
            let random = Random(case.Seed + 31 * k + 2)

            if
                readout.Outputs = 1
                && readout.Kind <> OutputKind.Softmax
                && not kind.IsSimple
                && chance random 60
            then
                TdReadout(pick random [ 0.5; 0.9; 1.0 ], pick random [ 0.0; 0.6; 1.0 ])
            else
                ReadoutRule.Delta
    ]

    let plan seed (rule: Random -> LearningRule) online =
        let random = Random(seed: int)
        let rule = rule random

        let time =
            if kind.IsShared then
                let time = schedule random rule online

                if time.Time = UpdateTime.TrialEnd then
                    UpdateSchedule.TrialEnd
                else
                    time
            elif kind.Batches then
                UpdateSchedule(UpdateTime.TrialEnd, pick random [ 2; 4; 5 ], chance random 50)
            else
                schedule random rule online

        let rate = pick random [ 0.05; 0.05; 0.1; 0.2 ]

        let optimizer, clip, rates =
            if online && (kind.IsSimple || chance random 70) then
                Optimizer.Plain, Clip.None, LearningRateSchedule.Constant
            else
                optimizer random, clip random, rates random

        let rates =
            if kind.IsShared then
                LearningRateSchedule.Constant
            else
                rates

        Plasticity(rule, rate, time, Optimizer = optimizer, Clip = clip, Rates = rates)

    let ofProjection index =
        let projection = case.Circuit.Projections[index]
        let random = Random(case.Seed + 7 * index + 1)
        let seed = if uniform then shared else random.Next()

        let plasticity =
            match projection.Target with
            | Onto area ->
                let own random =
                    modulated case area (Random(seed + 3)) (kind.Rule random)

                plan seed own (uniform && online)
            | Read readout ->
                let own = plan (seed + 1) (fun _ -> Rules.rflo) false

                match projection.Source with
                // Beside them the delta rule, on the same readout.
                | _ when
                    leastSquares = ReadoutRule.Delta
                    && critics[readout] <> ReadoutRule.Delta
                    && random.Next 4 > 0
                    ->
                    Plasticity(
                        own.Rule,
                        own.LearningRate,
                        own.Schedule,
                        Optimizer = own.Optimizer,
                        Clip = own.Clip,
                        Rates = own.Rates,
                        Readout = critics[readout]
                    )
                | Rates _
                | Bias when leastSquares <> ReadoutRule.Delta ->
                    Plasticity(own.Rule, own.LearningRate, own.Schedule, Readout = leastSquares)
                | _ -> own

        let limits =
            if
                not withLimits
                || (not (ontoArea projection) && leastSquares <> ReadoutRule.Delta)
            then
                unlimited
            else
                match random.Next 8 with
                | 0 -> { unlimited with Decay = 0.5 }
                | 4 -> { unlimited with L2 = 0.4; L1 = 0.05 }
                | 5 -> {
                    unlimited with
                        Dale = true
                        L1 = 0.1
                        Decay = 0.2
                  }
                | 1 -> {
                    unlimited with
                        Lower = -0.6
                        Upper = 0.6
                        Decay = 0.3
                  }
                | 2 -> { unlimited with Dale = true }
                | 6 -> { unlimited with Lower = -0.4 }
                | 7 -> { unlimited with Upper = 0.4 }
                | _ -> unlimited

        let share =
            match ownRates, projection.Layout with
            | (0 | 1), Compressed -> 0.5
            | 2, _ -> 1.0 / float (1 + index % 3)
            | _ -> 1.0

        let plasticity =
            if plasticity.Readout = ReadoutRule.Delta then
                Plasticity(
                    plasticity.Rule,
                    share * plasticity.LearningRate,
                    plasticity.Schedule,
                    Optimizer = plasticity.Optimizer,
                    Clip = plasticity.Clip,
                    Rates = plasticity.Rates
                )
            else
                plasticity

        {
            asDeclared with
                Plasticity = fun _ -> plasticity
                Limits = limits
        }

    let ofArea index =
        let random = Random(case.Seed + 13 * index + 5)

        let costs: RatePenalty list =
            pick random [
                []
                []
                [ RatePenalty(PenaltyKind.Square, 0.3) ]
                [
                    RatePenalty(PenaltyKind.Absolute, 0.1)
                    RatePenalty(PenaltyKind.Square, 0.2, 0.4)
                ]
            ]

        {
            asDeclared with
                Penalties = (if kind.Costs then costs else [])
                Tau =
                    if withTau && chance random 70 then
                        let own = plan (random.Next()) kind.TauRule false

                        Some(
                            Plasticity(
                                own.Rule,
                                4.0 * own.LearningRate,
                                own.Schedule,
                                Optimizer = own.Optimizer,
                                Clip = own.Clip,
                                Rates = own.Rates
                            )
                        )
                    else
                        None
                Initial =
                    // A generator of its own: what else is drawn stays what it was.
                    let random = Random(case.Seed + 13 * index + 6)
                    let own = plan (random.Next()) kind.TauRule false

                    let isAble =
                        match own.Rule with
                        | :? ThreeFactorRule as local -> local.LearnsInitialStates
                        | _ -> true

                    if isAble && chance random 40 then Some own else None
        }

    let builder = GraphBuilder()
    addEach builder ofArea ofProjection case.Circuit |> ignore
    builder.Build(), case

/// Losses; 0 for a trial without a target, which has none.
let lossesOf (session: Session) =
    session.Metrics.CopyLosses()
    |> Array.map (fun loss -> if Double.IsNaN loss then 0.0 else loss)

/// Losses, weights, time constants and initial states.
let resultOf (session: Session) = [|
    lossesOf session
    for k in 0 .. session.Graph.Projections.Count - 1 do
        session.Weights(ProjectionId k)
    for area in 0 .. session.Graph.Areas.Count - 1 do
        session.TimeConstants(AreaId area)
    for area in 0 .. session.Graph.Areas.Count - 1 do
        session.InitialStates(AreaId area)
|]

/// Differences that rounding does not explain.
let apart (expected: float[][]) (found: float[][]) =
    Array.map2
        (fun (a: float[]) (b: float[]) ->
            Checking.norm (Array.map2 (-) a b) / (1.0 + Checking.norm a))
        expected
        found
    |> Array.max
