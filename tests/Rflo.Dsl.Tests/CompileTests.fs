module Rflo.Dsl.Tests.CompileTests

open System
open System.IO
open Expecto
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Trials
open Rflo.Testing.Shrinks
open Rflo.Dsl.Tests.Valid
open Rflo.Dsl.Tests.Draws

// Golden files.

let private folder = Path.Combine(__SOURCE_DIRECTORY__, "golden")
let private isUpdating = Environment.GetEnvironmentVariable "RFLO_GOLDEN" = "1"

let private golden (experiment: Experiment) =
    test $"the graph of {experiment.Name} is the one on file" {
        let text = String.concat "\n" (Rendering.render (compiled experiment)) + "\n"
        let file = Path.Combine(folder, $"{experiment.Name}.txt")

        if isUpdating then
            Directory.CreateDirectory folder |> ignore
            File.WriteAllText(file, text)

        let kept = if File.Exists file then File.ReadAllText file else ""

        Expect.equal
            text
            kept
            $"golden/{experiment.Name}.txt; if the change is meant, run the test program with RFLO_GOLDEN=1 and read the diff before you commit it"
    }

// One projection at a time.

let private alone (projection: Projection) (areas': Area list) = {
    experiment
        "alone"
        (Circuit.empty |> areas areas' |> projections [ projection |> label "p" ])
        (arraysTask 0 [] 3 false []) with
        Trials = 0
}

let private specOf projection areas' =
    (compiled (alone projection areas')).Graph.Projections[0]

let private drawn projection areas' =
    matrixOf (compiled (alone projection areas')) "p"

let private entries (matrix: float[,]) =
    matrix |> Seq.cast<float> |> Array.ofSeq

let private mean (values: float[]) = Array.average values

/// Root of the mean square.
let private rms values =
    sqrt (mean (values |> Array.map (fun value -> value * value)))

let private big = area "big" 200

let private m1 =
    area "m1" 6 |> population "hand" [ 4; 1 ] |> population "arm" [ 0; 4; 2 ]

let private isSparse (spec: ProjectionSpec) = spec.Synapses :? SparseSynapses

let private layouts =
    testList "layout" [
        for density', isStoredByRows in [ 0.05, true; 0.25, true; 0.3, false; 1.0, false ] do
            test $"of density {density'}" {
                let spec = specOf (big --> big |> density density') [ big ]
                Expect.equal (isSparse spec) isStoredByRows "sparse"
            }

        test "of one-to-one follows the size" {
            let small = area "small" 3

            Expect.isFalse
                (isSparse (specOf (small --> small |> weights (oneToOne 1.0)) [ small ]))
                "3 units"

            Expect.isTrue
                (isSparse (specOf (big --> big |> weights (oneToOne 1.0)) [ big ]))
                "200 units"
        }

        test "of a readout is full" {
            let y = readout "y" 1

            let network =
                Circuit.empty
                |> areas [ big ]
                |> readouts [ y ]
                |> projections [ big --> y |> density 0.1 ]

            let spec =
                (compiled (experiment "e" network (arraysTask 0 (plainly 1) 3 false []) |> trials 0))
                    .Graph.Projections[0]

            Expect.isFalse (isSparse spec) "full"
            Numbers.isLessThan spec.Synapses.Count 60 "but not all of it exists"
        }
    ]

/// Five standard deviations of a count of independent events.
let private fiveSigma (fraction: float) (trials: int) =
    5.0 * sqrt (fraction * (1.0 - fraction) * float trials)

let private densities =
    testList "density" [
        for fraction in [ 0.01; 0.1; 0.25; 0.3; 0.7 ] do
            test $"{fraction} is kept within chance, and fixed by the seed" {
                let plan = alone (big --> big |> density fraction) [ big ]

                let count (e: Experiment) =
                    (compiled e).Graph.Projections[0].Synapses.Count

                let expected = fraction * 40_000.0

                Numbers.isLessThan
                    (abs (float (count plan) - expected))
                    (fiveSigma fraction 40_000)
                    "count"

                Expect.equal (weightsOf (compiled plan)) (weightsOf (compiled plan)) "same seed"

                Expect.notEqual
                    (weightsOf (compiled (plan |> seed 2)))
                    (weightsOf (compiled plan))
                    "other seed"
            }

        test "spreads evenly over rows and columns" {
            let matrix = drawn (big --> big |> density 0.2 |> weights (constant 1.0)) [ big ]

            for k in 0..199 do
                let row = Array.sum matrix[k, *]
                let column = Array.sum matrix[*, k]
                Numbers.isLessThan (abs (row - 40.0)) (fiveSigma 0.2 200 + 1.0) $"row {k}"
                Numbers.isLessThan (abs (column - 40.0)) (fiveSigma 0.2 200 + 1.0) $"column {k}"
        }

        test "too small to see draws no connection" {
            let spec = specOf (big --> big |> density 1e-300) [ big ]
            Expect.equal spec.Synapses.Count 0 "count"
        }

        test "1 is dense, and the values of a density are those of no other" {
            let plain = drawn (big --> big) [ big ]
            Expect.equal (drawn (big --> big |> density 1.0) [ big ]) plain "density 1"
        }
    ]

let private connections =
    testList "connections" [
        for kind, change in
            [
                "full", id
                "half", density 0.5
                "sparse", density 0.2
                "masked", mask (Array2D.create 200 200 true)
            ] do
            test $"noSelf leaves a {kind} projection no diagonal" {
                let spec = specOf (big --> big |> change |> noSelf) [ big ]

                match drawnOf spec.Synapses with
                | Full(_, exists) ->
                    for k in 0..199 do
                        Expect.isFalse exists[201 * k] $"unit {k}"
                | Rows(starts, columns, _) ->
                    let columns = Array.ofList columns

                    for row, (first, last) in List.indexed (List.pairwise starts) do
                        Expect.isFalse (Array.contains row columns[first .. last - 1]) $"unit {row}"
            }

        test "noSelf knows the units of populations" {
            let matrix =
                drawn (m1["hand"] --> m1["arm"] |> noSelf |> weights (constant 1.0)) [ m1 ]
            // hand is units 4 and 1, arm is units 0, 4 and 2.
            Expect.equal
                matrix
                (array2D [ [ 1.0; 1.0 ]; [ 0.0; 1.0 ]; [ 1.0; 1.0 ] ])
                "only 4 -> 4 is left out"
        }

        test "one-to-one is a diagonal" {
            let matrix = drawn (m1 --> m1 |> weights (oneToOne 0.5)) [ m1 ]

            Expect.equal
                matrix
                (Array2D.init 6 6 (fun i j -> if i = j then 0.5 else 0.0))
                "diagonal"
        }

        test "populations choose rows and columns in their own order" {
            let matrix = array2D [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ]; [ 5.0; 6.0 ] ]
            let spec = specOf (m1["hand"] --> m1["arm"] |> weights (ofMatrix matrix)) [ m1 ]
            Expect.equal spec.Source.Units [| 4; 1 |] "columns"
            Expect.equal spec.Target.Units [| 0; 4; 2 |] "rows"

            Expect.equal
                (drawn (m1["hand"] --> m1["arm"] |> weights (ofMatrix matrix)) [ m1 ])
                matrix
                "(post, pre)"
        }

        test "a mask is where it is" {
            let kept = Array2D.init 6 6 (fun i j -> (i + 2 * j) % 3 = 0)
            let matrix = drawn (m1 --> m1 |> mask kept |> weights (constant 1.0)) [ m1 ]

            Expect.equal
                matrix
                (kept |> Array2D.map (fun k -> if k then 1.0 else 0.0))
                "where the mask is true"
        }
    ]

let private starts =
    testList "weights" [
        for fraction in [ 1.0; 0.4; 0.1 ] do
            test $"gaussian at density {fraction} has deviation g / sqrt of the expected inputs" {
                let existing =
                    drawn (big --> big |> weights (gaussian 1.5) |> density fraction) [ big ]
                    |> entries
                    |> Array.filter (fun w -> w <> 0.0)

                let expected = 1.5 / sqrt (200.0 * fraction)
                // The relative error of a deviation from n draws is 1 / sqrt (2 n).
                let chance = 5.0 / sqrt (2.0 * float existing.Length)
                Numbers.isLessThan (abs (rms existing / expected - 1.0)) chance "deviation"

                Numbers.isLessThan
                    (abs (mean existing))
                    (5.0 * expected / sqrt (float existing.Length))
                    "mean"
            }

        test "a mask counts its expected inputs" {
            let half = Array2D.init 200 200 (fun _ j -> j < 50)

            let existing =
                drawn (big --> big |> mask half) [ big ]
                |> entries
                |> Array.filter (fun w -> w <> 0.0)

            Numbers.isLessThan
                (abs (rms existing * sqrt 50.0 - 1.0))
                (5.0 / sqrt 20_000.0)
                "deviation"
        }

        test "a mask of another shape counts the expected inputs of its rows" {
            let few, many = area "few" 50, area "many" 200

            for source, target in [ few, many; many, few ] do
                let third = Array2D.init target.Units source.Units (fun i j -> (i + j) % 4 = 0)

                let existing =
                    drawn (source --> target |> mask third) [ few; many ]
                    |> entries
                    |> Array.filter (fun w -> w <> 0.0)

                let expected = float existing.Length / float target.Units

                Numbers.isLessThan
                    (abs (rms existing * sqrt expected - 1.0))
                    (5.0 / sqrt (2.0 * float existing.Length))
                    $"deviation of weights onto {target.Name}"
        }

        test "uniform weights fill their range and no more" {
            let values = drawn (big --> big |> weights (uniform -0.25 0.75)) [ big ] |> entries
            Numbers.isGreaterThanOrEqual (Array.min values) -0.25 "low"
            Numbers.isLessThan (Array.max values) 0.75 "high"
            Numbers.isLessThan (abs (mean values - 0.25)) (5.0 / sqrt (12.0 * 40_000.0)) "mean"

            let scaled = drawn (big --> big |> weights (uniformScaled 2.0)) [ big ] |> entries
            let bound = 2.0 / sqrt 200.0
            Numbers.isLessThanOrEqual (scaled |> Array.map abs |> Array.max) bound "scaled"

            Numbers.isGreaterThan
                (scaled |> Array.map abs |> Array.max)
                (0.99 * bound)
                "scaled, filled"
        }

        test "Dale's signs belong to the presynaptic unit" {
            let cortex = area "cortex" 10 |> dale 0.7
            let matrix = drawn (cortex --> cortex) [ cortex ]

            matrix
            |> Array2D.iteri (fun _ j w ->
                Expect.isTrue (if j < 7 then w >= 0.0 else w <= 0.0) $"column {j}")

            let inhibitory =
                drawn (cortex["inhibitory"] --> m1 |> weights (constant 0.3)) [ cortex; m1 ]

            Expect.equal inhibitory (Array2D.create 6 3 -0.3) "of a population"

            let spec = specOf (cortex --> cortex) [ cortex ]

            Expect.equal
                spec.Signs
                [| 1y; 1y; 1y; 1y; 1y; 1y; 1y; -1y; -1y; -1y |]
                "held through learning"
        }

        for fraction in [ 0.8; 0.5; 0.2 ] do
            test
                $"balanced inputs of {fraction} excitation sum to about 0, with the same second moment" {
                let cortex = area "cortex" 200 |> dale fraction
                let plain = drawn (cortex --> cortex) [ cortex ]
                let level = drawn (cortex --> cortex |> balanced) [ cortex ]
                let rowSums = [| for i in 0..199 -> Array.sum level[i, *] |]
                // A row is 200 draws of second moment 1/200: its sum spreads by less than 1.
                let spread = 1.0 / sqrt 200.0
                Numbers.isLessThan (abs (mean rowSums)) (5.0 * spread) "balanced"

                Numbers.isLessThan
                    (abs (rms (entries level) / rms (entries plain) - 1.0))
                    0.03
                    "second moment"

                let plainMean = mean [| for i in 0..199 -> Array.sum plain[i, *] |]

                if fraction <> 0.5 then
                    Numbers.isGreaterThan (abs plainMean) (10.0 * spread) "not balanced without it"
            }

        test "bounds hold from the start, and through learning" {
            let values =
                drawn (big --> big |> weights (gaussian 10.0) |> bounds -0.3 0.1) [ big ]
                |> entries

            Expect.equal (Array.min values, Array.max values) (-0.3, 0.1) "clamped"
            let spec = specOf (big --> big |> bounds -0.3 0.1) [ big ]
            Expect.equal (spec.Lower, spec.Upper) (-0.3, 0.1) "kept"
        }

        test "given weights are rows of the post side" {
            let a, b = area "a" 2, area "b" 3
            let matrix = array2D [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ]; [ 5.0; 6.0 ] ]
            let spec = specOf (a --> b |> weights (ofMatrix matrix)) [ a; b ]

            Expect.equal
                (drawnOf spec.Synapses)
                (Full([ 1.0; 2.0; 3.0; 4.0; 5.0; 6.0 ], List.replicate 6 true))
                "row by row"
        }
    ]

let private times =
    let fine = area "fine" 3 |> taus [| 0.5<ms>; 2.0<ms>; 20.0<ms> |]
    let inHalfSteps projection = alone projection [ fine ] |> dt 0.5<ms>

    let spec projection =
        (compiled (inHalfSteps projection)).Graph.Projections[0]

    testList "times" [
        test "tau becomes dt / tau" {
            let graph = (compiled (inHalfSteps (fine --> fine))).Graph
            Expect.equal graph.Areas[0].Alpha [| 1.0; 0.25; 0.025 |] "alpha"
        }

        test "rates that are drawn once are those of a seed and a name, in every trial" {
            let rates seed name =
                let drawn = area name 400 |> initial (drawnOnce 0.3 0.2)

                let plan =
                    experiment
                        "drawn"
                        (Circuit.empty |> areas [ drawn ])
                        (arraysTask 0 [] 3 false [])
                    |> Experiment.seed seed

                let spec = (compiled { plan with Trials = 0 }).Graph.Areas[0]
                Expect.equal spec.InitialPolicy InitialPolicy.Reset "in every trial"
                spec.InitialRates

            let one = rates 1 "a"
            Expect.equal (rates 1 "a") one "again"
            Expect.notEqual (rates 2 "a") one "another seed"
            Expect.notEqual (rates 1 "b") one "another area"
            // Four standard errors.
            Numbers.isLessThan (abs (mean one - 0.3)) (4.0 * 0.2 / 20.0) "their mean"

            Numbers.isLessThan
                (abs (rms (one |> Array.map (fun r -> r - mean one)) - 0.2))
                (4.0 * 0.2 / sqrt 800.0)
                "their deviation"
        }

        test "one step is alpha 1 at any dt" {
            for step in [ 0.1<ms>; 0.5<ms>; 3.0<ms> ] do
                let plan = alone (relay "r" 2 --> relay "r" 2) [ relay "r" 2 ] |> dt step
                Expect.equal (compiled plan).Graph.Areas[0].Alpha [| 1.0; 1.0 |] $"dt {step}"
        }

        for duration, steps in [ 0.5<ms>, 1; 1.0<ms>, 2; 7.5<ms>, 15 ] do
            test $"a delay of {duration} ms is {steps} steps of half a millisecond" {
                Expect.equal (spec (fine --> fine |> delay duration)).Source.Delay steps "delay"
            }

            test $"a gate every {duration} ms opens every {steps} steps of half a millisecond" {
                Expect.equal
                    (spec (fine --> fine |> gate (every duration))).Gate
                    (Gate.Every steps)
                    "gate"
            }

        test "no delay is one step" { Expect.equal (spec (fine --> fine)).Source.Delay 1 "delay" }

        test "tenths of a millisecond count as they are written" {
            for k in 1..50 do
                let fine = fine |> tau 5.0<ms>

                let plan = alone (fine --> fine |> delay (0.1<ms> * float k)) [ fine ] |> dt 0.1<ms>

                Expect.equal (compiled plan).Graph.Projections[0].Source.Delay k $"{k} tenths"
        }

        test "an event has its place among the task's" {
            let plan = {
                inHalfSteps (fine --> fine |> gate (atEvent "stop")) with
                    Task = arraysTask 0 [] 3 false [ "go"; "stop" ]
            }

            Expect.equal (compiled plan).Graph.Projections[0].Gate (Gate.AtEvent 1) "gate"
        }
    ]

// Rules.

let private cube = {
    Name = "cube"
    Apply = Func<float, float>(fun x -> x * x * x)
}

/// A circuit in which any rule can learn, by rules for each of its two projections.
let private learnable step onto reads =
    let noisy = area "a" 4 |> noise 0.1
    let y = readout "y" 1

    // What may modulate a rule.
    let other, value = area "b" 4, readout "value" 1

    Circuit.empty
    |> areas [ noisy; other ]
    |> readouts [ y; value ]
    |> projections [
        noisy --> noisy |> learnBy onto 0.25
        noisy --> y |> learnBy reads 0.5
        noisy --> value
    ]
    |> feedback [ errorOf y --> noisy ]
    |> fun network ->
        Task.ofArrays (Array2D.zeroCreate 40 0) (Array2D.zeroCreate 40 2)
        |> Task.rewarded (Array.create 40 1.0)
        |> experiment "rules" network
    |> dt step

/// A rule of drawn parts, and what each part is in the core, where times are steps.
let private drawRule (random: Random) (dt: float<ms>) : Rule * Rflo.Core.Plasticity =
    let pick (items: 'a list) = items[random.Next items.Length]
    let steps () = random.Next(1, 30)

    // Whole multiples of a power of two, so that dt / tau is 1 / steps to the bit.
    let time steps = float steps * dt

    let shaped signal =
        let mean, alpha =
            match random.Next 3 with
            | 0 -> None, 0.0
            | 1 ->
                let steps = steps ()
                Some(OverTime(time steps)), 1.0 / float steps
            | _ ->
                let trials = 1.0 + 10.0 * random.NextDouble()
                Some(OverTrials trials), 1.0 / trials

        let map = pick [ None; Some cube ]

        {
            Signal = signal
            Mean = mean
            Map = map
        },
        Shaping(alpha, map |> Option.map _.Apply |> Option.toObj)

    let error, path =
        pick [
            DeclaredFeedback, Rflo.Core.ErrorPath.Feedback
            SymmetricPath, Rflo.Core.ErrorPath.Symmetric
        ]

    let local () =
        let given = steps ()

        let trace, memory, alpha =
            pick [
                UnitTau, TraceMemory.AsUnit, 1.0
                TraceTau(time given), TraceMemory.Given, 1.0 / float given
                NoTrace, TraceMemory.None, 1.0
                WholeTrial, TraceMemory.WholeTrial, 1.0
                OwnJacobian, TraceMemory.OwnJacobian, 1.0
            ]

        let postSignal, post =
            pick [
                Slope, PostSignal.Slope
                Rate, PostSignal.Rate
                Current, PostSignal.Current
                Perturbation, PostSignal.Noise
            ]

        let filtered = steps ()

        let preSignal, preAlpha =
            pick [
                Presynaptic, 1.0
                LowPass(time filtered), 1.0 / float filtered
            ]

        let before, gamma = steps (), random.NextDouble()
        // The area has 4 units: entry (i, j) is the number 4 i + j of its weights.
        let weights = Array2D.init 4 4 (fun i j -> float (4 * i + j) + gamma)

        let plainly (third: ThirdFactor) : ThirdFactor * (Neuromodulator | null) = third, null

        let byCircuit source : ThirdFactor * (Neuromodulator | null) =
            ThirdFactor.Signal, (source: Neuromodulator)

        let thirdSignal, (third, source) =
            pick [
                FeedbackError, plainly ThirdFactor.Error
                TrialReward, plainly ThirdFactor.TrialReward
                StepReward, plainly ThirdFactor.StepReward
                TaskReward, plainly ThirdFactor.TaskReward
                RewardError, plainly ThirdFactor.RewardError
                Unmodulated, plainly ThirdFactor.Constant
                ReadoutValue "value", byCircuit (ReadoutModulator(ReadoutId 1))
                TemporalDifference("value", gamma),
                byCircuit (TemporalDifferenceModulator(ReadoutId 1, gamma))
                UnitRate("b", 2, time before), byCircuit (AreaModulator(AreaId 1, 2, before))
                AreaRates("b", weights, time before),
                byCircuit (
                    AreaModulator(AreaId 1, Array.init 16 (fun k -> float k + gamma), before)
                )
            ]

        let postFactor, postShaping = shaped postSignal
        let preFactor, preShaping = shaped preSignal
        let modulator, thirdShaping = shaped thirdSignal
        let oja = pick [ true; false ]

        Local {
            Trace = trace
            Post = postFactor
            Pre = preFactor
            Modulator = modulator
            Oja = oja
        },
        (ThreeFactorRule(
            path,
            Memory = memory,
            MemoryAlpha = alpha,
            Post = post,
            PostShaping = postShaping,
            PreAlpha = preAlpha,
            PreShaping = preShaping,
            Third = third,
            Source = source,
            ThirdShaping = thirdShaping,
            Oja = oja
        )
        :> LearningRule)

    let credit, rule =
        match random.Next 8 with
        | 0 -> BackwardInTime, (BpttRule path: LearningRule)
        | 1 ->
            let stride = steps ()
            let window = stride + steps ()

            TruncatedBackward(time window, time stride), TruncatedBpttRule(window, stride, path)
        | 2 -> ForwardInTime, RtrlRule path
        | 3 ->
            let factors =
                pick [
                    InfluenceFactors.RankOne
                    InfluenceFactors.Kronecker
                    InfluenceFactors.ReverseKronecker
                ]

            let noise = pick [ MixingNoise.Rademacher; MixingNoise.Gaussian ]
            Stochastic(factors, noise), StochasticRule(factors, noise, path)
        | 4 ->
            let rate = random.NextDouble()
            LearnedSensitivity rate, KernlRule(rate, path)
        | _ -> local ()

    let update, schedule =
        let k = random.Next(1, 5)

        pick [
            Online, UpdateSchedule.Online
            EverySteps k, UpdateSchedule(UpdateTime.EverySteps, k)
            TrialEnd, UpdateSchedule.TrialEnd
            EveryTrials(k, Sum), UpdateSchedule(UpdateTime.TrialEnd, k)
            EveryTrials(k, Mean), UpdateSchedule(UpdateTime.TrialEnd, k, true)
        ]

    let beta, other = random.NextDouble(), random.NextDouble()

    let optimizer, madeOptimizer =
        pick [
            Optimizer.sgd, (Sgd(): Rflo.Core.Optimizer)
            Optimizer.momentum beta, Momentum(beta, false)
            Optimizer.nesterov beta, Momentum(beta, true)
            Optimizer.adam, Adam(0.9, 0.999, 1e-8)
            Optimizer.adamWith beta other, Adam(beta, other, 1e-8)
            Optimizer.adamW beta, AdamW(beta, 0.9, 0.999, 1e-8)
            Optimizer.rmsProp beta, RmsProp(beta, 1e-8)
        ]

    let clip, madeClip =
        pick [
            Clip.None, Rflo.Core.Clip(infinity, false)
            Clip.Each 0.5, Rflo.Core.Clip(0.5, false)
            Clip.All 0.25, Rflo.Core.Clip(0.25, true)
        ]

    let rates, madeRates =
        pick [
            Schedule.constant, (ConstantRate(): LearningRateSchedule)
            Schedule.halvedEvery 2.5, HalvedRate 2.5
            Schedule.inverse 3.0, InverseRate 3.0
            Schedule.stepped 4 0.3, SteppedRate(4, 0.3)
            Schedule.cosine 7.0, CosineRate(7.0, 0.0)
            Schedule.cosineTo 0.2 7.0, CosineRate(7.0, 0.2)
            Schedule.warmUp 3 (Schedule.inverse 2.0), WarmUp(3, InverseRate 2.0)
            Schedule.onPlateau 0.4 6, PlateauRate(0.4, 6, 0.0)
        ]

    let alpha, forgetting = random.NextDouble() + 0.1, random.NextDouble() + 1e-3
    let washout, every = random.Next 5, random.Next(1, 5)

    let readout, solver =
        pick [
            DeltaRule, Rflo.Core.ReadoutRule.Delta
            RecursiveLeastSquares(alpha, min 1.0 forgetting, every),
            (RlsReadout(alpha, min 1.0 forgetting, every): Rflo.Core.ReadoutRule)
            RidgeRegression(alpha, time washout, every), RidgeReadout(alpha, washout, every)
            TdLambda(min 1.0 forgetting, min 1.0 alpha),
            TdReadout(min 1.0 forgetting, min 1.0 alpha)
        ]

    {
        Name = "drawn"
        Credit = credit
        Error = error
        Update = update
        Optimizer = optimizer
        Clip = clip
        Schedule = rates
        Readout = readout
        Learns = Everything
    },
    Rflo.Core.Plasticity(
        rule,
        1.0,
        schedule,
        Optimizer = madeOptimizer,
        Clip = madeClip,
        Rates = madeRates,
        Readout = solver
    )

let private costs =
    testList "costs" [
        test "of mean rates are refused by the check where the core refuses them" {
            let mutable accepted = 0

            for learning in Rule.all do
                for time in [ TrialEnd; Online; EveryTrials(2, Mean) ] do
                    for ofUnits in [ id; learnTau 0.1; learnInitial 0.1 ] do
                        let a = area "a" 3 |> noise 0.1 |> penalties [ Penalty.meanToward 0.2 0.1 ]

                        let a = ofUnits a
                        let y = readout "y" 1

                        let ready =
                            Circuit.empty
                            |> areas [ a ]
                            |> readouts [ y ]
                            |> projections [
                                a --> a |> learningRate 0.1
                                a --> y |> learningRate 0.1
                            ]
                            |> feedback [ errorOf y --> a ]
                            |> fun c ->
                                experiment
                                    "means"
                                    c
                                    (Task.ofArrays (Array2D.zeroCreate 4 0) (Array2D.create 4 1 1.0))
                            |> rule { learning with Update = time }
                            |> Check.experiment

                        match ready with
                        | Error _ -> ()
                        | Ok ready ->
                            Compile.experiment ready |> ignore
                            accepted <- accepted + 1

            Numbers.isGreaterThan accepted 8 "experiments that are accepted"
        }

        test "of outputs, rates and weights are the core's" {
            let a =
                area "a" 3
                |> penalties [
                    Penalty.l1 0.1
                    Penalty.l2 0.2
                    Penalty.toward 0.3 0.4
                    Penalty.meanToward 0.5 0.6
                ]

            for loss, made in
                [
                    Loss.squaredError, (SquaredError(): Rflo.Core.Loss)
                    Loss.huber 0.7, HuberLoss 0.7
                    Loss.hinge 0.8, HingeLoss 0.8
                ] do
                let y = readout "y" 1 |> Readout.loss loss

                let ready =
                    Circuit.empty
                    |> areas [ a ]
                    |> readouts [ y ]
                    |> projections [
                        a --> a |> learningRate 0.1 |> l1 0.01 |> l2 0.02
                        a --> y
                    ]
                    |> feedback [ errorOf y --> a ]
                    |> fun c ->
                        experiment
                            "costs"
                            c
                            (Task.ofArrays (Array2D.zeroCreate 4 0) (Array2D.create 4 1 1.0))
                        |> rule Rule.bptt
                    |> Check.experiment

                match ready with
                | Error problems -> failtest $"%A{problems}"
                | Ok ready ->
                    let graph = (Compile.experiment ready).Graph
                    Expect.equal graph.Readouts[0].Loss made $"{loss}"

                    Expect.equal
                        (graph.Projections[0].L1, graph.Projections[0].L2)
                        (0.01, 0.02)
                        "weights"

                    Expect.equal
                        (List.ofSeq graph.Areas[0].Penalties)
                        [
                            RatePenalty(PenaltyKind.Absolute, 0.1)
                            RatePenalty(PenaltyKind.Square, 0.2)
                            RatePenalty(PenaltyKind.Square, 0.4, 0.3)
                            RatePenalty(PenaltyKind.Square, 0.6, 0.5, true)
                        ]
                        "rates"
        }
    ]

let private rules =
    testList "rules" [
        test "every part of a rule is the core's, and every time a number of steps" {
            let mutable compiledRules = 0

            for seed in 1..600 do
                let random = Random seed
                let step = [ 0.5<ms>; 1.0<ms>; 2.0<ms> ][seed % 3]
                let rule, expected = drawRule random step

                match Check.experiment (learnable step rule rule) with
                // A rule that looks back over a whole trial has no updates online, for one.
                | Error _ -> ()
                | Ok ready ->
                    compiledRules <- compiledRules + 1

                    for spec, rate in
                        Seq.zip (Compile.experiment ready).Graph.Projections [ 0.25; 0.5 ] do
                        let rated =
                            Rflo.Core.Plasticity(
                                expected.Rule,
                                rate,
                                expected.Schedule,
                                Optimizer = expected.Optimizer,
                                Clip = expected.Clip,
                                Rates = expected.Rates,
                                Readout = expected.Readout
                            )

                        Expect.equal spec.Plasticity rated $"{spec.Name} by %A{rule}"

            Numbers.isGreaterThan compiledRules 300 "rules that the check allows"
        }

        test "a probe's rule may take rates as old as no delay of the circuit" {
            let old =
                Rule.local "old" {
                    Trace = NoTrace
                    Post = Rule.the Rate
                    Pre = Rule.the Presynaptic
                    Modulator = Rule.the (UnitRate("b", 1, 7.0<ms>))
                    Oja = false
                }

            for watched in [ Probe.angle old; Probe.angleOf old Rule.bptt ] do
                let plan = learnable 1.0<ms> Rule.rflo Rule.rflo |> probe 1 [ watched ] |> trials 2

                match Run.train plan with
                | Ok trained -> Expect.equal trained.Status.End RunEnd.Completed "it runs"
                | Error problems -> failtest $"%A{problems}"
        }

        test "a probe's rule runs online where it updates within a trial, else at its end" {
            for update, time in
                [
                    Online, UpdateTime.Online
                    EverySteps 3, UpdateTime.Online
                    TrialEnd, UpdateTime.TrialEnd
                    EveryTrials(2, Sum), UpdateTime.TrialEnd
                ] do
                for rule, expected in
                    [
                        Rule.rflo, (ThreeFactorRule.Rflo(): LearningRule)
                        Rule.rtrl, RtrlRule()
                    ] do
                    let watched =
                        learnable 1.0<ms> Rule.rflo Rule.rflo
                        |> probe 1 [
                            Probe.angleOf { rule with Update = update } Rule.bptt
                            Probe.angle { rule with Update = update }
                        ]

                    let found = [
                        for spec in (compiled watched).Probes do
                            match spec with
                            | :? AngleProbe as angle -> angle.Rule, angle.Reference
                            | _ -> ()
                    ]

                    let own = PassiveRule("own", null, UpdateTime.TrialEnd)
                    let bptt = PassiveRule("bptt", BpttRule(), UpdateTime.TrialEnd)
                    let passive = PassiveRule(rule.Name, expected, time)
                    Expect.equal found [ passive, bptt; own, passive ] $"{rule.Name}, {update}"
        }
    ]

let private memory =
    testList "memory" [
        test "a plan before anything is drawn is that of the session" {
            let a, b, y = area "a" 30, area "b" 40 |> units (UnitModel.lif 0.5), readout "y" 2

            let network =
                Circuit.empty
                |> areas [ a; b ]
                |> readouts [ y ]
                |> projections [
                    a --> a |> learningRate 0.1
                    b --> b |> learningRate 0.1
                    a --> b |> learningRate 0.1
                    b --> y |> learningRate 0.1
                ]
                |> feedback [ errorOf y --> a; errorOf y --> b ]

            for rule in
                [
                    Rule.uoro
                    Rule.kfRtrl
                    { Rule.rflo with Update = Online }
                ] do
                let plan =
                    experiment "two-areas" network (arraysTask 0 [ 2, false ] 4 false [])
                    |> Experiment.rule rule

                let compiled = compiled plan

                Expect.equal
                    (List.ofSeq (Memory.plan plan).Buffers)
                    (List.ofSeq (Plan.Of(compiled.Graph, compiled.Task)).Buffers)
                    rule.Name
        }

        test "connections that are known before anything is drawn are counted to the last byte" {
            let a, b = area "a" 40, area "b" 24
            let chosen = Array2D.init 24 40 (fun i j -> (i + j) % 3 = 0)
            let few = Array2D.init 40 40 (fun i j -> (i + 7 * j) % 20 = 0)

            for name, projection in
                [
                    "all", a --> b
                    "all but those of units with themselves", a --> a |> noSelf
                    "one-to-one", a --> a |> weights (oneToOne 1.0)
                    "a mask", a --> b |> mask chosen
                    "a sparse mask", a --> a |> mask few
                ] do
                let experiment = alone projection [ a; b ]
                let compiled = compiled experiment

                Expect.equal
                    (List.ofSeq (Memory.plan experiment).Buffers)
                    (List.ofSeq (Plan.Of(compiled.Graph, compiled.Task)).Buffers)
                    name
        }

        testPropertyWithConfig
            (config 60)
            "of any experiment it has the bytes of the session"
            (fun (Valid experiment) ->
                let compiled = compiled experiment

                let probes = [|
                    for probe in compiled.Probes do
                        match probe with
                        | :? AngleProbe as angle -> angle
                        | _ -> ()
                |]

                let whole =
                    Plan.Of(
                        compiled.Graph,
                        compiled.Task,
                        compiled.Precision,
                        compiled.Lanes,
                        probes
                    )

                let counted = Memory.plan experiment

                // Which connections a density draws is not known before.
                for purpose in System.Enum.GetValues<BufferPurpose>() do
                    let expected, found =
                        float (whole.BytesOf purpose), float (counted.BytesOf purpose)

                    Numbers.isLessThanOrEqual
                        (abs (found - expected))
                        (0.1 * expected + 16384.0)
                        $"{purpose}: {found} for {expected} bytes")
    ]

[<Tests>]
let tests =
    testList "compile" [
        testList "golden" (List.map golden GoldenCircuits.all)
        layouts
        densities
        connections
        starts
        times
        rules
        costs
        memory

        testPropertyWithConfig
            (config 200)
            "the same experiment compiles to the same text"
            (fun (Valid experiment) ->
                Expect.equal
                    (Rendering.render (compiled experiment))
                    (Rendering.render (compiled experiment))
                    "text")
    ]
