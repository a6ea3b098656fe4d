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

/// Bytes of the arrays that a session keeps, as its plan lists them.
let private taken setup case = float (sessionOf setup case).Plan.Bytes

/// The plan lists what making a session allocates; the rest is the objects that hold the arrays, and what is thrown away.
let private listed form =
    let setup = AllRules.learningAs form 0.01

    for units, steps in [ 128, 16; 32, 512 ] do
        let case = network units steps
        let graph, task = graphWith setup case.Circuit, WhiteNoise case

        let once () =
            let before = GC.GetAllocatedBytesForCurrentThread()
            let session = Session.Create(graph, task, 1L)
            float (GC.GetAllocatedBytesForCurrentThread() - before), session

        once () |> ignore
        let allocated, session = once ()
        let bytes = float session.Plan.Bytes

        Numbers.isLessThanOrEqual
            bytes
            allocated
            $"{units} units, {steps} steps: no array is listed twice"

        Numbers.isGreaterThan
            bytes
            (0.93 * allocated - 2e5)
            $"{units} units, {steps} steps: none is left out"

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

let private estimatedWith change form =
    for units, steps in [ 16, 256; 64, 64; 128, 16 ] do
        let case = network units steps

        let setup = {
            AllRules.learningAs form 0.01 with
                Area = fun _ area -> change area
        }

        let graph = graphWith setup case.Circuit
        let estimate = MemoryEstimate.Of(graph, steps, Precision.Double)
        // The declaration has weights of its own.
        let counted = taken setup case + 8.0 * float graph.Weights
        let own = estimate.Total - estimate.Lanes
        let ratio = own / counted

        Expect.isTrue
            (ratio > 0.7 && ratio < 1.5)
            $"{units} units, {steps} steps: {own} for {counted}"

/// What the trials of an update take that run side by side, once the first of them was made.
let private lanes (form: AllRules.Form) =
    let form = {
        form with
            Schedule = UpdateSchedule(UpdateTime.TrialEnd, 4)
    }

    for units, steps in [ 16, 256; 64, 64; 128, 16 ] do
        let case = network units steps
        let graph = graphWith (AllRules.learningAs form 1e-6) case.Circuit
        let estimate = MemoryEstimate.Of(graph, steps, Precision.Double)

        let taken forms =
            let session = Session.Create(graph, WhiteNoise case, 1L, Precision.Double, forms)
            session.Run 1 |> ignore
            session.Run 3 |> ignore
            float session.Plan.Bytes, session.TrialsBeside

        let more, beside = taken Forms.Eager
        let few, alone = taken (Forms.Eager &&& ~~~Forms.Lanes)
        Expect.equal (beside, alone) (3, 0) "the first trial of the first run is by itself"
        let ratio = estimate.Lanes / (more - few)

        Expect.isTrue
            (ratio > 0.7 && ratio < 1.5)
            $"{units} units, {steps} steps: {estimate.Lanes} for {more - few}"

let private estimated form = estimatedWith id form

let private inCurrentForm (area: AreaSpec) =
    Remade.Area(area, dynamics = Dynamics.CurrentForm)

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
            test $"memory of {form.Name} is as estimated" { estimated form }
            test $"memory of {form.Name} is all in the plan" { listed form }

            if
                not form.Schedule.IsStepwise
                && not (AllRules.remembers form.Rule)
                && not (LearningRule.HasFunction form.Rule)
            then
                test $"memory of trials of {form.Name} side by side is as estimated" { lanes form }

            if UnitModels.allows form.Rule then
                test
                    $"memory of {form.Name} is as estimated in the current form and of units with two states" {
                    estimatedWith inCurrentForm form
                    estimatedWith UnitModels.asAdapting form
                }

            if isLong then
                test $"time of {form.Name} grows as stated, or less" { speed form }
    ]
