/// The exact rules against each other and against differences of the loss.
module Rflo.Core.Tests.GradientTests

open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let private rectified =
    function
    | Transfer.Relu
    | Transfer.RectifiedTanh -> true
    | _ -> false

/// Whether a small change of a weight may carry a current, or the state of the current form, across the kink of a rectified transfer
/// function. One of exactly 0 is one that nothing reaches.
let isNearKink case trial =
    let circuit, shown = InReference.reference case trial
    let run = Reference.run circuit shown

    Seq.exists
        id
        (seq {
            for t in 1 .. shown.Steps do
                for index, area in List.indexed case.Circuit.Areas do
                    if rectified area.Transfer then
                        for u in run.Arguments[t][index] -> u <> 0.0 && abs u < 1e-4
        })

/// -dL/dw of every weight of a projection by central differences of a cost; 0 for absent ones.
let differencesOf (cost: Recording -> float) (session: Session) trial projection =
    let step = 1e-6
    let weights = session.Weights projection

    let lossWith k w =
        let changed = Array.copy weights
        changed[k] <- w
        session.SetWeights(projection, changed)
        cost (session.Replay trial)

    let slopes =
        weights
        |> Array.mapi (fun k w -> (lossWith k (w - step) - lossWith k (w + step)) / (2.0 * step))

    session.SetWeights(projection, weights)
    slopes

let differences session trial projection =
    differencesOf _.Loss session trial projection

/// Increments of a rule in a trial at fixed weights, for the projections that learn.
let increments (session: Session) case trial rule time =
    let all = session.Increments(trial, rule, time)
    plastic case |> List.map (fun index -> nonNull all[index])

/// Relative, but for a floor far below any increment: a sum whose terms cancel keeps the rounding of its terms.
let expectClose tolerance what index (a: float[]) (b: float[]) =
    Numbers.isLessThanOrEqual
        (norm (Array.map2 (-) a b))
        (tolerance * max (norm a) (norm b) + 1e-14)
        $"{what}, projection {index}: %A{a} and %A{b}"

/// Differences are wrong by the rounding of the loss over the step, about 1e-9 for a loss of 1. Without a loss there is no
/// gradient.
let expectSlope loss index (gradient: float[]) (slopes: float[]) =
    if System.Double.IsNaN loss then
        Expect.equal (norm gradient) 0.0 $"no gradient where no target counts, projection {index}"
    else
        let noise = 2e-9 * (1.0 + abs loss) * sqrt (float gradient.Length)
        let error = norm (Array.map2 (-) gradient slopes)

        Numbers.isLessThanOrEqual
            error
            (1e-6 * norm gradient + noise)
            $"gradient and differences, projection {index}: %A{gradient} and %A{slopes}"

let private exactGradients (tally: Tally) trial case =
    tally.Count()

    if isNearKink case trial then
        tally.Idle()
    else
        let session = session case
        let bptt = increments session case trial Rules.bptt UpdateTime.TrialEnd
        let rtrl = increments session case trial Rules.rtrl UpdateTime.TrialEnd
        let loss = session.Replay(trial).Loss

        if norm (List.map norm bptt) < 1e-4 then
            tally.Idle()

        for index, b, r in List.zip3 (plastic case) bptt rtrl do
            expectClose 1e-10 "BPTT and RTRL" index b r
            expectSlope loss index b (differences session trial (ProjectionId index))

let private exact name count arbitrary =
    test name {
        let tally = Tally()
        forAll count arbitrary (exactGradients tally 1)
        tally.Demand 0.25
    }

/// The loss of a trial and what its rates cost, from their definitions.
let private withCosts (penalties: RatePenalty list) (case: Case) (recording: Recording) =
    let steps = recording.Steps

    let costOf (penalty: RatePenalty) rate =
        let distance = rate - penalty.Target

        penalty.Strength
        * (if penalty.Kind = PenaltyKind.Absolute then
               abs distance
           else
               0.5 * distance * distance)

    // A trial without a target has no loss; its rates cost what they cost.
    (if System.Double.IsNaN recording.Loss then
         0.0
     else
         recording.Loss)
    + List.sum [
        for index, area in List.indexed case.Circuit.Areas do
            let rate t i =
                recording.Rates[index].[t * area.Units + i]

            for penalty in penalties do
                for i in 0 .. area.Units - 1 do
                    let all = [ for t in 0 .. steps - 1 -> rate t i ]

                    if penalty.OfTrialMean then
                        costOf penalty (List.average all)
                    else
                        List.averageBy (costOf penalty) all
    ]

/// Exact rules have the gradient of the loss and of what rates cost.
let private costly penalties rules (tally: Tally) case =
    let trial = 0
    tally.Count()

    if isNearKink case trial then
        tally.Idle()
    else
        let session =
            sessionWith
                {
                    asDeclared with
                        Penalties = penalties
                }
                case

        let cost = withCosts penalties case
        let shown = session.Replay trial
        let loss = cost shown

        let recorded = withCosts [] case shown + shown.RateCost

        Expect.floatClose Accuracy.high recorded loss "what is recorded"

        for rule in rules do
            let all = session.Increments(trial, rule, UpdateTime.TrialEnd)

            for index in plastic case do
                expectSlope
                    loss
                    index
                    (nonNull all[index])
                    (differencesOf cost session trial (ProjectionId index))

[<Tests>]
let tests =
    testList "gradients" [
        test "of what rates cost, step by step: BPTT and RTRL have those of finite differences" {
            let tally = Tally()

            let penalties = [
                RatePenalty(PenaltyKind.Square, 0.7)
                RatePenalty(PenaltyKind.Absolute, 0.3, -1.37)
                RatePenalty(PenaltyKind.Square, 0.4, 0.25)
            ]

            forAll
                (cases 60 2000)
                RandomCircuits.anyCircuit
                (costly penalties [ Rules.bptt; Rules.rtrl ] tally)

            tally.Demand 0.5
        }

        test "of what mean rates of trials cost: BPTT has those of finite differences" {
            let tally = Tally()

            let penalties = [
                RatePenalty(PenaltyKind.Square, 2.0, 0.3, true)
                RatePenalty(PenaltyKind.Absolute, 0.5, -1.37, true)
            ]

            forAll (cases 60 2000) RandomCircuits.anyCircuit (costly penalties [ Rules.bptt ] tally)

            tally.Demand 0.5
        }

        exact
            "of a network: BPTT = RTRL = finite differences"
            (cases 300 5000)
            RandomCircuits.anyNetwork
        exact
            "of any circuit: BPTT = RTRL = finite differences"
            (cases 300 5000)
            RandomCircuits.anyCircuit
    ]
