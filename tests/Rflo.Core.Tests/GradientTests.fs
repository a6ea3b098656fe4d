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

/// Whether a small change of a weight may carry a current across the kink of a rectified transfer function. A current
/// of exactly 0 is one that nothing reaches.
let isNearKink case trial =
    let circuit, shown = InReference.reference case trial
    let run = Reference.run circuit shown

    Seq.exists
        id
        (seq {
            for t in 1 .. shown.Steps do
                for index, area in List.indexed case.Circuit.Areas do
                    if rectified area.Transfer then
                        for u in run.Currents[t][index] -> u <> 0.0 && abs u < 1e-4
        })

/// -dL/dw of every weight of a projection by central differences; 0 for absent ones.
let differences (session: Session) trial projection =
    let step = 1e-6
    let weights = session.Weights projection

    let lossWith k w =
        let changed = Array.copy weights
        changed[k] <- w
        session.SetWeights(projection, changed)
        session.Replay(trial).Loss

    let slopes =
        weights
        |> Array.mapi (fun k w -> (lossWith k (w - step) - lossWith k (w + step)) / (2.0 * step))

    session.SetWeights(projection, weights)
    slopes

/// Increments of a rule in a trial at fixed weights, for the projections that learn.
let increments (session: Session) case trial rule time =
    let all = session.Increments(trial, rule, time)
    plastic case |> List.map (fun index -> nonNull all[index])

/// Relative, but for a floor far below any increment: a sum whose terms cancel keeps the rounding of its terms.
let expectClose tolerance what index (a: float[]) (b: float[]) =
    Expect.isLessThanOrEqual
        (norm (Array.map2 (-) a b))
        (tolerance * max (norm a) (norm b) + 1e-14)
        $"{what}, projection {index}: %A{a} and %A{b}"

/// Differences are wrong by the rounding of the loss over the step, about 1e-9 for a loss of 1.
let expectSlope loss index (gradient: float[]) (slopes: float[]) =
    let noise = 2e-9 * (1.0 + abs loss) * sqrt (float gradient.Length)
    let error = norm (Array.map2 (-) gradient slopes)

    Expect.isLessThanOrEqual
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

[<Tests>]
let tests =
    testList "gradients" [
        exact
            "of a network: BPTT = RTRL = finite differences"
            (cases 300 5000)
            RandomCircuits.anyNetwork
        exact
            "of any circuit: BPTT = RTRL = finite differences"
            (cases 300 5000)
            RandomCircuits.anyCircuit
    ]
