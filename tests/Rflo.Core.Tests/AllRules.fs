/// The one list of rules that every law runs over, in every form that each of them has. A new rule is held to all laws
/// by being added here.
module Rflo.Core.Tests.AllRules

open Rflo.Core
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// A rule by name.
type Named = { Name: string; Rule: LearningRule }

let private local path = ThreeFactorRule.Rflo path

/// Rates or what stands in their place, without traces.
let private hebbian post postShaping third thirdShaping oja =
    ThreeFactorRule(
        ErrorPath.Feedback,
        Memory = TraceMemory.None,
        Post = post,
        PostShaping = postShaping,
        Third = third,
        ThirdShaping = thirdShaping,
        Oja = oja
    )

let private plain = Shaping.Plain
let private cube = System.Func<float, float>(fun x -> x * x * x)

let private named name rule = { Name = name; Rule = rule }

/// Every rule, with windows short enough for the tests' trials.
let rules = [
    named "RFLO" (local ErrorPath.Feedback)
    named "local symmetric" (local ErrorPath.Symmetric)
    named "SnAp-1" (ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian))
    named "Hebb" (hebbian PostSignal.Rate plain ThirdFactor.Constant plain false)
    named "Oja" (hebbian PostSignal.Rate plain ThirdFactor.Constant plain true)
    named "reward Hebb" (hebbian PostSignal.Rate plain ThirdFactor.TaskReward plain false)
    named
        "node perturbation"
        (hebbian PostSignal.Noise plain ThirdFactor.TrialReward (Shaping 0.05) false)
    named
        "Miconi"
        (hebbian
            PostSignal.Current
            (Shaping(0.05, cube))
            ThirdFactor.TrialReward
            (Shaping 0.05)
            false)
    named
        "of means"
        (ThreeFactorRule(
            ErrorPath.Feedback,
            Memory = TraceMemory.Given,
            MemoryAlpha = 0.4,
            PostShaping = Shaping 0.3,
            PreAlpha = 0.5,
            PreShaping = Shaping 0.2,
            Third = ThirdFactor.StepReward,
            ThirdShaping = Shaping 0.25
        ))
    named
        "Hebb by the TD error"
        (ThreeFactorRule(
            ErrorPath.Feedback,
            Memory = TraceMemory.Given,
            MemoryAlpha = 0.5,
            Post = PostSignal.Rate,
            Third = ThirdFactor.Signal,
            Source = TemporalDifferenceModulator(ReadoutId 0, 0.9)
        ))
    named
        "by a readout"
        (ThreeFactorRule(
            ErrorPath.Feedback,
            Third = ThirdFactor.Signal,
            Source = ReadoutModulator(ReadoutId 0),
            ThirdShaping = Shaping 0.2
        ))
    named
        "by a unit"
        (ThreeFactorRule(
            ErrorPath.Feedback,
            Third = ThirdFactor.Signal,
            Source = AreaModulator(AreaId 0, 0)
        ))
    named "BPTT" (BpttRule())
    named "BPTT by feedback" (BpttRule ErrorPath.Feedback)
    named "truncated BPTT" (TruncatedBpttRule(5, 2))
    named "truncated BPTT, window after window" (TruncatedBpttRule(2, 2, ErrorPath.Feedback))
    named "RTRL" (RtrlRule())
    named "RTRL by feedback" (RtrlRule ErrorPath.Feedback)
    named "UORO" (StochasticRule InfluenceFactors.RankOne)
    named "KF-RTRL" (StochasticRule(InfluenceFactors.Kronecker, MixingNoise.Gaussian))
    named "reverse KF-RTRL" (StochasticRule InfluenceFactors.ReverseKronecker)
    named "KeRNL" (KernlRule 0.1)
]

// ---- what a rule is -----------------------------------------------------------------------------

let isExact (rule: LearningRule) = rule :? BpttRule || rule :? RtrlRule

/// Whether it learns from the noise of its area.
let needsNoise (rule: LearningRule) =
    match rule with
    | :? ThreeFactorRule as local -> local.Post = PostSignal.Noise
    | _ -> false

/// Whether it draws numbers of its own, unit by unit.
let draws (rule: LearningRule) =
    rule :? StochasticRule || rule :? KernlRule

/// Whether it learns from errors, and only from them.
let asksForError (rule: LearningRule) =
    match rule with
    | :? ThreeFactorRule as local -> local.Third = ThirdFactor.Error
    | _ -> true

/// Whether it looks at nothing but the part of a circuit that it is in: rewards are those of the whole, and what draws
/// mixes all that learns with it.
let isOfItsPart (rule: LearningRule) =
    match rule with
    | :? ThreeFactorRule as local ->
        local.Third = ThirdFactor.Error || local.Third = ThirdFactor.Constant
    | _ -> not (draws rule)

/// Whether its modulator is a unit, which another has the place of where units are relabelled.
let namesUnit (rule: LearningRule) =
    match rule with
    | :? ThreeFactorRule as local -> local.Source :? AreaModulator
    | _ -> false

/// Whether its modulator turns round, or stays, when all that an odd network is shown turns round: a TD error has a reward that stays and a value that turns.
let hasParity (rule: LearningRule) =
    match rule with
    | :? ThreeFactorRule as local -> not (local.Source :? TemporalDifferenceModulator)
    | _ -> true

/// Whether the increments of an odd network stay as they are, and do not turn round, when all that it is shown does.
let isEven (rule: LearningRule) =
    match rule with
    | :? ThreeFactorRule as local ->
        let isOdd = local.Third = ThirdFactor.Error || local.Third = ThirdFactor.Signal
        (local.Post = PostSignal.Slope) = isOdd
    | _ -> true

/// Whether a weight changes although nothing arrives: what Oja's rule forgets.
let forgets (rule: LearningRule) =
    match rule with
    | :? ThreeFactorRule as local -> local.Oja
    | _ -> false

/// Whether it keeps more than weights from one trial to the next.
let remembers (rule: LearningRule) =
    match rule with
    | :? ThreeFactorRule as local ->
        [ local.PostShaping; local.PreShaping; local.ThirdShaping ]
        |> List.exists (fun shaping -> shaping.MeanAlpha > 0.0)
    | rule -> rule :? KernlRule

/// Whether it has increments before the end of a trial.
let canBeOnline (rule: LearningRule) =
    match rule with
    | :? BpttRule -> false
    | :? ThreeFactorRule as local -> not local.NeedsWholeTrial
    | _ -> true

// ---- its forms ----------------------------------------------------------------------------------

/// A rule as a projection has it: when it updates, and how updates follow from what it asks for.
type Form = {
    Name: string
    Rule: LearningRule
    Schedule: UpdateSchedule
    Optimizer: Optimizer
    Clip: Clip
    Rates: LearningRateSchedule
}

let private form (named: Named) word schedule = {
    Name = $"{named.Name}, {word}"
    Rule = named.Rule
    Schedule = schedule
    Optimizer = Optimizer.Plain
    Clip = Clip.None
    Rates = LearningRateSchedule.Constant
}

/// Plain updates, at ends of trials and online.
let ways = [
    for rule in rules do
        form rule "trial-end" UpdateSchedule.TrialEnd

        if canBeOnline rule.Rule then
            form rule "online" UpdateSchedule.Online
]

/// Momentum over the mean of two trials; and clipped Adam with falling rates, every four steps where that can be.
let private optimized = [
    for rule in rules do
        {
            form rule "momentum over two trials" (UpdateSchedule(UpdateTime.TrialEnd, 2, true)) with
                Optimizer = Momentum()
        }

        let every =
            if canBeOnline rule.Rule then
                UpdateSchedule(UpdateTime.EverySteps, 4)
            else
                UpdateSchedule.TrialEnd

        {
            form rule "Adam" every with
                Optimizer = Adam()
                Clip = Clip.Each 0.5
                Rates = HalvedRate(3.0)
        }

        {
            form rule "RMSprop" UpdateSchedule.TrialEnd with
                Optimizer = RmsProp(0.9)
                Clip = Clip.All 0.3
                Rates = WarmUp(1, PlateauRate(0.5, 1))
        }
]

let all = ways @ optimized

let plasticity form rate =
    Plasticity(
        form.Rule,
        rate,
        form.Schedule,
        Optimizer = form.Optimizer,
        Clip = form.Clip,
        Rates = form.Rates
    )

/// The whole circuit learns by one form.
let learningAs form rate = {
    asDeclared with
        Plasticity = fun _ -> plasticity form rate
}

/// The circuit with noise in every area, where the rule cannot do without.
let fit rule case =
    let noisy (area: AreaCase) =
        if area.Noise = 0.0 then { area with Noise = 0.3 } else area

    if needsNoise rule then
        {
            case with
                Circuit.Areas = List.map noisy case.Circuit.Areas
        }
    else
        case

/// Every n-th of some, others for another seed.
let every n seed items =
    items
    |> List.indexed
    |> List.filter (fun (k, _) -> (k + seed) % n = 0)
    |> List.map snd

/// Checks every n-th of some forms on a circuit, other ones on another, so that many circuits meet all forms between
/// them. Smaller versions of a circuit meet the same forms.
let someOf n forms check case =
    for form in every n case.Seed forms do
        check form (fit form.Rule case)
