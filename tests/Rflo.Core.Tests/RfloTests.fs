/// RFLO against its definition, against the exact gradient where the two must agree, and its two forms against
/// each other.
module Rflo.Core.Tests.RfloTests

open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.GradientTests

let private closeTo tolerance what case a b =
    for index, x, y in List.zip3 (plastic case) a b do
        expectClose tolerance what index x y

let private forwardPass case =
    let circuit, shown = InReference.reference case 1
    let run = Reference.run circuit shown
    let ours = (session case).Replay 1
    Expect.equal ours.Steps shown.Steps "steps"

    let across (series: float[][][]) part = [|
        for t in 1 .. shown.Steps do
            yield! series[t][part]
    |]

    // Two orders of the same sums; where rates amplify each other, rounding grows along the trial (1.003e-12 was seen
    // once in thousands of cases).
    for area in 0 .. circuit.Areas.Length - 1 do
        let difference = relative ours.Rates[area] (across run.Rates area)
        Numbers.isLessThan difference 1e-11 $"rates of area {area}"

    let outputs = run.Outputs |> Array.skip 1 |> Array.collect Array.concat
    Numbers.isLessThan (relative ours.Outputs outputs) 1e-12 "outputs"

    // A trial in which no target counts has no loss.
    if System.Double.IsNaN ours.Loss then
        Expect.isTrue (Array.forall (fun weight -> weight = 0.0) ours.Mask) "some target counts"
        Expect.equal run.Loss 0.0 "no loss"
    else
        Numbers.isLessThan (abs (ours.Loss - run.Loss)) (1e-12 * (1.0 + run.Loss)) "loss"

/// What a slope that is wrong by a rounding of 1 adds: near saturation 1 - tanh^2 has lost its digits.
let private roundingOf circuit shown =
    let run = Reference.run circuit shown

    let largest series =
        series |> Seq.concat |> Seq.concat |> Seq.fold (fun m x -> max m (abs x)) 1.0

    1e-14 * largest run.Rates * (1.0 + largest run.Errors)

let private definition (tally: Tally) case =
    tally.Count()
    let circuit, shown = InReference.reference case 1

    let byDefinition feedbacks = [
        for index in plastic case do
            Reference.rflo circuit shown feedbacks circuit.Links[index]
            |> InReference.gather case.Circuit case.Circuit.Projections[index]
    ]

    let session = session case
    let declared = byDefinition circuit.Feedbacks
    let symmetric = byDefinition (Reference.symmetric circuit)

    if norm (List.map norm declared) < 1e-6 then
        tally.Idle()

    let rounding = roundingOf circuit shown

    for time in [ UpdateTime.Online; UpdateTime.TrialEnd ] do
        for rule, expected in [ Rules.rflo, declared; Rules.local, symmetric ] do
            let ours = increments session case 1 rule time

            for index, a, b in List.zip3 (plastic case) ours expected do
                Numbers.isLessThanOrEqual
                    (norm (Array.map2 (-) a b))
                    (1e-11 * norm b + rounding)
                    $"{Rules.name rule}, {time}, projection {index}: %A{a} and %A{b}"

/// The same circuit with no credit carried by weights between areas: they are all zero.
let private unconnected case =
    let cut (projection: ProjectionCase) =
        match projection.Source, projection.Target with
        | (Rates _ | Fed _), Onto _ -> { projection with Gain = 0.0 }
        | _ -> projection

    {
        case with
            Circuit.Projections = List.map cut case.Circuit.Projections
    }

let private exactWithout (tally: Tally) case =
    tally.Count()
    let case = unconnected case
    let session = session case
    let exact = increments session case 1 Rules.bptt UpdateTime.TrialEnd

    if norm (List.map norm exact) < 1e-6 then
        tally.Idle()

    closeTo 1e-12 "RFLO" case (increments session case 1 Rules.local UpdateTime.TrialEnd) exact
    closeTo 1e-12 "RTRL" case (increments session case 1 Rules.rtrl UpdateTime.TrialEnd) exact

/// Outputs that are fed back depend on the readout's weights before step 1, which the delta rule does not see.
let private exactInOneStep (tally: Tally) case =
    tally.Count()
    let case = { case with Task.Lengths = [ 1 ] }
    let session = session case
    let exact = increments session case 0 Rules.bptt UpdateTime.TrialEnd
    let local = increments session case 0 Rules.local UpdateTime.TrialEnd

    let isFedBack readout =
        case.Circuit.Projections
        |> List.exists (fun projection ->
            match projection.Source with
            | Fed(index, _) -> index = readout
            | _ -> false)

    if norm (List.map norm exact) < 1e-6 then
        tally.Idle()

    for index, a, b in List.zip3 (plastic case) local exact do
        match case.Circuit.Projections[index].Target with
        | Read readout when isFedBack readout -> ()
        | _ -> expectClose 1e-12 "one step" index a b

let private formsAgree (tally: Tally) case =
    tally.Count()
    let session = session case
    let by rule time = increments session case 1 rule time

    if norm (List.map norm (by Rules.rflo UpdateTime.Online)) < 1e-6 then
        tally.Idle()

    for rule in
        [
            Rules.rflo
            Rules.local
            Rules.rtrl
            Rules.rtrlByFeedback
        ] do
        let a, b = by rule UpdateTime.Online, by rule UpdateTime.TrialEnd
        closeTo 1e-12 (Rules.name rule) case a b

let private randomFeedback (tally: Tally) case =
    tally.Count()
    let session = session case
    let forward = increments session case 1 Rules.rtrlByFeedback UpdateTime.TrialEnd
    let backward = increments session case 1 Rules.bpttByFeedback UpdateTime.TrialEnd

    if norm (List.map norm forward) < 1e-6 then
        tally.Idle()

    closeTo 1e-10 "random feedback, forward and backward" case backward forward

/// RFLO is not the gradient of a network with recurrent weights: the tests above can tell the two apart.
let private isAnApproximation (tally: Tally) case =
    tally.Count()
    let session = session case
    let exact = increments session case 0 Rules.bptt UpdateTime.TrialEnd

    for rule in [ Rules.rflo; Rules.local ] do
        let approximate = increments session case 0 rule UpdateTime.TrialEnd
        expectClose 1e-12 "readout" 3 (List.item 3 approximate) (List.item 3 exact)

        if relative approximate.Head exact.Head < 1e-3 then
            tally.Idle()

let private property name arbitrary most check =
    test name {
        let tally = Tally()
        forAll (cases 300 5000) arbitrary (check tally)
        tally.Demand most
    }

[<Tests>]
let tests =
    let any, network = RandomCircuits.anyCircuit, RandomCircuits.anyNetwork

    testList "RFLO" [
        test "the forward pass is the equations of a circuit, written down" {
            forAll (cases 300 5000) any forwardPass
        }

        property
            "is its definition: leaky sums of slopes and signals, and fed-back errors"
            any
            0.3
            definition
        property "is the exact gradient where areas are not connected" any 0.2 exactWithout
        property "is the exact gradient of one step" any 0.3 exactInOneStep
        property "online and trial-end increments have the same sum" any 0.3 formsAgree
        property "with random feedback, RTRL = BPTT" any 0.3 randomFeedback
        property "is not the exact gradient of a recurrent network" network 0.3 isAnApproximation
    ]
