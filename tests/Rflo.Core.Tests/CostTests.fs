/// What rules cost, counted: the memory that a session takes for them, by units and by steps; and, in the long form, the
/// time of a step.
module Rflo.Core.Tests.CostTests

open System
open System.Diagnostics
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// The network of the paper: one area of so many units, two inputs, one output; trials of so many steps.
let private network units steps = {
    Circuit = {
        Areas = [
            {
                Units = units
                Tau = 10.0, 10.0
                Transfer = Transfer.Tanh
                Start = InitialPolicy.Reset
                Noise = 0.1
                Dynamics = Dynamics.Leaky
            }
        ]
        Inputs = [ 2 ]
        Readouts = [
            {
                Outputs = 1
                Kind = OutputKind.Linear
                Loss = None
            }
        ]
        Projections = [
            RandomCircuits.plain (Rates(0, 1)) (Onto 0) 1
            RandomCircuits.plain (Channels 0) (Onto 0) 2
            {
                RandomCircuits.plain (Rates(0, 1)) (Read 0) 3 with
                    Plastic = false
            }
        ]
        Feedbacks = [ 0, 0, true ]
    }
    Task = {
        Lengths = [ steps ]
        Masked = false
        Events = 0
    }
    Seed = 1
}

let private sessionOf setup case =
    Session.Create(graphWith setup case.Circuit, WhiteNoise case, 1L)

/// Bytes of the arrays that a session keeps, as its plan lists them, without lanes.
let private taken setup case =
    let plan = (sessionOf setup case).Plan
    float (plan.Bytes - plan.BytesOfLanes)

/// A rate of zero learns nothing and costs nothing.
let private frozen = learning Rules.rflo UpdateSchedule.TrialEnd 0.0

/// Bytes that a form of a rule takes beyond those of the network itself.
let private ofRule form units steps =
    let case = network units steps
    taken (AllRules.learningAs form 0.01) case - taken frozen case

/// The power of the doubled size with which something grows.
let private exponent small large = Math.Log2(large / small)

/// Whether a rule keeps a short trial's changes as products over its steps, instead of traces.
let private defers (form: AllRules.Form) =
    match form.Rule with
    | :? ThreeFactorRule as local ->
        form.Schedule.Time = UpdateTime.Online
        && not local.Oja
        && local.Memory <> TraceMemory.OwnJacobian
    | _ -> false

/// Whether it keeps a short trial's factor as products over its steps, instead of a matrix.
let private factors (form: AllRules.Form) =
    match form.Rule with
    | :? StochasticRule as stochastic ->
        stochastic.Factors = InfluenceFactors.RankOne && not form.Schedule.IsStepwise
    | _ -> false

/// Memory as a power of units (for few steps) and of steps (for few units), and time of a step as a power of units.
let private stated (form: AllRules.Form) =
    let online = form.Schedule.IsStepwise

    match form.Rule with
    | :? ThreeFactorRule as local when
        local.Post = PostSignal.Slope
        && local.PreAlpha = 1.0
        && local.Memory <> TraceMemory.OwnJacobian
        ->
        if defers form then 1.0, 0.0, 2.0
        elif online then 2.0, 0.0, 2.0
        else 1.0, 1.0, 2.0
    // What is not kept by the network itself is kept for a trial.
    | :? ThreeFactorRule ->
        if online && not (defers form) then
            2.0, 1.0, 2.0
        else
            1.0, 1.0, 2.0
    | :? BpttRule -> 1.0, 1.0, 2.0
    // Online it collects between looks; at ends of trials it sums over looks.
    | :? TruncatedBpttRule -> if online then 2.0, 0.0, 2.0 else 1.0, 1.0, 2.0
    | :? RtrlRule -> 3.0, (if online then 0.0 else 1.0), 4.0
    | :? StochasticRule as stochastic ->
        let steps =
            if stochastic.Factors = InfluenceFactors.RankOne then
                0.0
            else
                1.0

        (if factors form then 1.0 else 2.0),
        steps,
        (if stochastic.Factors = InfluenceFactors.RankOne then
             2.0
         else
             3.0)
    | _ -> 2.0, 0.0, 2.0

let private memory form =
    let ofUnits, ofSteps, _ = stated form
    let units = if ofUnits > 2.0 then 128 else 256
    let counted = exponent (ofRule form units 4) (ofRule form (2 * units) 4)
    Numbers.isLessThan (abs (counted - ofUnits)) 0.2 $"power of units: {counted}"
    // So many steps that what is kept of each outweighs what is kept once, whatever the width of registers.
    let counted = exponent (ofRule form 4 8192) (ofRule form 4 16384)
    Numbers.isLessThan (abs (counted - ofSteps)) 0.2 $"power of steps: {counted}"

    // In long trials traces, or the factor as a matrix, are the smaller of the two, and all that is kept where no step is.
    if (defers form || factors form) && ofSteps = 0.0 then
        let counted = exponent (ofRule form 256 1024) (ofRule form 512 1024)
        Numbers.isLessThan (abs (counted - 2.0)) 0.2 $"power of units in long trials: {counted}"

/// What the trials of an update take that run side by side: the plan lists it before the first of them is made.
let private lanes (form: AllRules.Form) =
    let form = {
        form with
            Schedule = UpdateSchedule(UpdateTime.TrialEnd, 4)
    }

    for units, steps in [ 16, 256; 64, 64; 128, 16 ] do
        let case = network units steps
        let graph = graphWith (AllRules.learningAs form 1e-6) case.Circuit

        let session =
            Session.Create(graph, WhiteNoise case, 1L, Precision.Double, Forms.Eager)

        let before = session.Plan
        session.Run 1 |> ignore
        let start = GC.GetAllocatedBytesForCurrentThread()
        session.Run 3 |> ignore
        let allocated = float (GC.GetAllocatedBytesForCurrentThread() - start)
        let after = session.Plan
        Expect.equal session.TrialsBeside 3 "the first trial of the first run is by itself"

        let inLanes (plan: Plan) = [
            for buffer in plan.Buffers do
                if buffer.Lanes > 1 then
                    buffer.Part, buffer.Name, buffer.Bytes, buffer.Lanes
        ]

        Expect.equal (inLanes after) (inLanes before) $"{units} units, {steps} steps"
        let bytes = float before.BytesOfLanes
        Numbers.isLessThanOrEqual bytes allocated $"{units} units, {steps} steps: none twice"

        Numbers.isGreaterThan
            bytes
            (0.9 * allocated - 4e5)
            $"{units} units, {steps} steps: none is left out"

/// Seconds of a step, the least of a few trials.
let private time form units =
    let steps = 16
    let session = sessionWith (AllRules.learningAs form 1e-9) (network units steps)
    session.Run 3 |> ignore

    Seq.min (
        seq {
            for _ in 1..7 do
                let watch = Stopwatch.StartNew()
                session.Run 1 |> ignore
                watch.Elapsed.TotalSeconds / float steps
        }
    )

/// Caches, vectors and the network's own step blur powers, so two doublings are taken together, and only what is clearly
/// more than stated is a failure.
let private speed form =
    let _, _, stated = stated form
    let small = if stated > 3.0 then 32 else 64
    let grown = exponent (time form small) (time form (4 * small)) / 2.0
    Numbers.isLessThan grown (stated + 0.7) $"power of units: {grown}"

[<Tests>]
let tests =
    testSequenced
    <| testList "costs" [
        for form in AllRules.ways do
            test $"memory of {form.Name} grows as stated" { memory form }

            if
                not form.Schedule.IsStepwise
                && not (AllRules.remembers form.Rule)
                && not (LearningRule.HasFunction form.Rule)
            then
                test $"memory of trials of {form.Name} side by side is in the plan" { lanes form }

            if isLong then
                test $"time of {form.Name} grows as stated, or less" { speed form }
    ]
