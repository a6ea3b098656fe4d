/// Probes: the run does not feel them, and they tell the truth.
module Rflo.Core.Tests.ProbeTests

open System
open Expecto
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.LawTests

let private stochastic: LearningRule list = [
    StochasticRule(InfluenceFactors.RankOne)
    StochasticRule(InfluenceFactors.Kronecker)
    StochasticRule(InfluenceFactors.ReverseKronecker)
]

let private own = PassiveRule("own", null, UpdateTime.TrialEnd)
let private passive name rule time = PassiveRule(name, rule, time)
let private exact = passive "bptt" Rules.bptt UpdateTime.TrialEnd

let private angle rule reference : ProbeSpec = AngleProbe(1, rule, reference)

/// Everything that can be measured, each at an interval of its own.
let private everything case : ProbeSpec list = [
    AngleProbe(1, own, exact)
    AngleProbe(2, passive "rflo" Rules.rflo UpdateTime.Online, exact)
    AngleProbe(3, passive "rtrl" Rules.rtrl UpdateTime.Online, exact)

    for k, rule in List.indexed stochastic do
        AngleProbe(2, passive $"random-{k}" rule UpdateTime.TrialEnd, exact)

    WeightChangeProbe 2
    DaleProbe 1
    MaskProbe 1
    ValidationProbe(2, 2)
    CustomProbe(2, "loss", (fun seen -> seen.Recording.Loss))

    for k in 0 .. case.Circuit.Areas.Length - 1 do
        SpectralRadiusProbe(1, AreaId k)
        ParticipationProbe(2, AreaId k)
        RatesProbe(1, AreaId k)
]

let private series (session: Session) name =
    session.Metrics.Probes |> Seq.find (fun series -> series.Name = name)

let private values session name = (series session name).CopyValues()

// ---- the run does not feel them -----------------------------------------------------------------

let private unfelt (form: AllRules.Form) case =
    let run probes =
        let session = sessionWith (AllRules.learningAs form 0.05) case
        session.Watch probes
        let first = session.Run 2
        let second = session.Run 4
        [ first; second ], session

    let statuses, plain = run [||]
    let watchedStatuses, watched = run (Array.ofList (everything case))
    Expect.equal watchedStatuses statuses "how the runs ended"
    expectSameBits form.Name (allWeights plain) (allWeights watched)

    Expect.isTrue
        (sameBits (plain.Metrics.CopyLosses()) (watched.Metrics.CopyLosses()))
        $"losses, {form.Name}"

// ---- they tell the truth ------------------------------------------------------------------------

/// Rules that keep something from trial to trial, by the place of the projection: what they ask for depends on the trials before.
let private withMemory: (int -> LearningRule) list = [
    for third in [ ThirdFactor.TrialReward; ThirdFactor.StepReward ] do
        fun _ ->
            ThreeFactorRule(
                ErrorPath.Feedback,
                Post = PostSignal.Current,
                PostShaping = Shaping 0.3,
                PreShaping = Shaping 0.2,
                Third = third,
                ThirdShaping = Shaping 0.25
            )

    // What one keeps has the same names as what the other keeps.
    fun index -> KernlRule(if index % 2 = 0 then 0.1 else 0.6)
]

/// What a rule with running means asks for at the end of a trial is how far it moves the weights.
let private ownMeans (tally: Tally) case =
    for rule in withMemory do
        let setup = {
            asDeclared with
                Plasticity = fun index -> Plasticity(rule index, 1.0, UpdateSchedule.TrialEnd)
        }

        let session = sessionWith setup case
        // Means that the probe collected itself would miss the trials that it does not measure.
        session.Watch [| AngleProbe(2, own, exact) |]

        for trial in 0..4 do
            if trial % 2 = 1 then
                session.Run 1 |> ignore
            elif session.TrialsDone = trial then
                let before = allWeights session
                let gradient = session.Increments(trial, Rules.bptt, UpdateTime.TrialEnd)
                session.Run 1 |> ignore
                let now = allWeights session

                for index in plastic case do
                    let projection = session.Graph.Projections[index]

                    if not projection.Target.IsReadout && session.TrialsDone = trial + 1 then
                        let moved = Array.map2 (-) now[index] before[index]
                        let g = nonNull gradient[index]
                        let size = norm before[index]
                        tally.Count()

                        // The rule's share must stand out of the rounding of the weights.
                        if norm moved > 1e-6 * size && norm moved < 1e6 && norm g > 0.0 then
                            let ratio = values session $"ratio own/bptt {projection.Name}"
                            let expected = norm moved / norm g

                            Numbers.isLessThan
                                (abs (ratio[trial / 2] - expected))
                                (1e-6 * expected)
                                "ratio"
                        else
                            tally.Idle()

/// Rules whose increments depend on nothing but weights and the trial, so that a session without probes knows them too.
let private forgetful =
    AllRules.ways |> List.filter (fun form -> not (AllRules.remembers form.Rule))

let private isCompared (session: Session) index =
    let projection = session.Graph.Projections[index]
    not projection.Target.IsReadout && not (isNull projection.Plasticity)

/// The angle by the textbook's formula, over some projections, from what a session without probes answers now.
let private expected (session: Session) trial rule time =
    let ours = session.Increments(trial, rule, time)
    let theirs = session.Increments(trial, Rules.bptt, UpdateTime.TrialEnd)

    fun indices ->
        let all (increments: Collections.Generic.IReadOnlyList<float array | null>) =
            indices |> List.map (fun index -> nonNull increments[index]) |> Array.concat

        let a, b = all ours, all theirs
        let dot = Array.fold2 (fun sum x y -> sum + x * y) 0.0 a b
        let cosine = dot / (norm a * norm b)
        Math.Acos(max -1.0 (min 1.0 cosine)) * 180.0 / Math.PI, norm a / norm b

let private expectNear (a: float) (b: float) what =
    if Double.IsFinite a || Double.IsFinite b then
        Expect.isTrue (abs (a - b) <= 1e-5 * max 1.0 (abs b)) $"{what}: {a}, {b}"

let private anglesAreTrue (tally: Tally) (form: AllRules.Form) case =
    let time =
        if form.Schedule.IsStepwise then
            UpdateTime.Online
        else
            UpdateTime.TrialEnd

    let setup = AllRules.learningAs form 0.02
    let session, twin = sessionWith setup case, sessionWith setup case
    session.Watch [| AngleProbe(2, own, exact) |]
    let blocks = plastic case |> List.filter (isCompared session)

    // A run that diverges ends there.
    let rec go trial =
        let before = expected twin trial form.Rule time
        let status = session.Run 1
        twin.Run 1 |> ignore

        if trial % 2 = 0 then
            let read column =
                Array.item (trial / 2) (values session column)

            let check indices block =
                let degrees, ratio = before indices
                tally.Count()

                if Double.IsFinite degrees then
                    expectNear (read $"angle own/bptt{block}") degrees $"{form.Name}, angle{block}"
                    expectNear (read $"ratio own/bptt{block}") ratio $"{form.Name}, ratio{block}"
                else
                    tally.Idle()

            check blocks ""

            for index in blocks do
                check [ index ] $" {session.Graph.Projections[index].Name}"

        if trial < 3 && status.End = RunEnd.Completed then
            go (trial + 1)

    go 0

let private exactRulesAgree case =
    let session = sessionWith (learning Rules.rflo UpdateSchedule.TrialEnd 0.05) case

    session.Watch [|
        angle (passive "rtrl" Rules.rtrl UpdateTime.TrialEnd) exact
        angle (passive "rtrl-online" Rules.rtrl UpdateTime.Online) exact
    |]

    session.Run 3 |> ignore

    for series in session.Metrics.Probes do
        let allowed =
            if series.Name.StartsWith "angle" then
                1e-5, 0.0
            else
                1e-7, 1.0

        for value in series.CopyValues() do
            if Double.IsFinite value then
                Expect.isTrue (abs (value - snd allowed) <= fst allowed) $"{series.Name} is {value}"

let private ofMatrix (matrix: Matrix<float>) =
    SquareMatrix(
        matrix.RowCount,
        seq { for struct (i, j, value) in matrix.EnumerateIndexed() -> struct (i, j, value) }
    )

let private radii =
    let gaussian (random: Random) size density =
        Matrix<float>
            .Build.Dense(
                size,
                size,
                fun _ _ ->
                    if random.NextDouble() < density then
                        Circuits.gaussian random / sqrt (density * float size)
                    else
                        0.0
            )

    testList "the spectral radius" [
        for size, density in
            [
                1, 1.0
                2, 1.0
                30, 1.0
                101, 0.2
                180, 1.0
                300, 1.0
                300, 0.1
            ] do
            test $"of {size} units at density {density} is that of all eigenvalues" {
                let random = Random(size + int (10.0 * density))

                for _ in 1..3 do
                    let matrix = gaussian random size density
                    let all = SpectralRadius.Dense matrix
                    let only = Arnoldi.LargestModulus(ofMatrix matrix)
                    Numbers.isLessThan (abs (only - all)) (1e-8 * all) $"{only}, {all}"

                    Expect.equal
                        (SpectralRadius.Of(ofMatrix matrix))
                        (if size <= SpectralRadius.LargestDense then all else only)
                        "which"
            }

        test "of a rotation, of a step to the next, and of nothing" {
            let turn = Matrix<float>.Build.DenseOfArray(array2D [ [ 0.0; -2.0 ]; [ 2.0; 0.0 ] ])
            Expect.floatClose Accuracy.veryHigh (SpectralRadius.Of(ofMatrix turn)) 2.0 "turn"

            let next =
                Matrix<float>.Build.Dense(250, 250, fun i j -> if j = i + 1 then 1.0 else 0.0)

            let cycle = next.Clone()
            cycle[249, 0] <- 1.0
            let found = SpectralRadius.Of(ofMatrix cycle)
            Numbers.isLessThan (abs (found - 1.0)) 1e-8 $"a cycle of 250: {found}"
            Expect.equal (SpectralRadius.Of(ofMatrix (0.0 * next))) 0.0 "nothing"
        }

        test "of numbers that are not finite is no number" {
            let matrix =
                Matrix<float>.Build.DenseOfArray(array2D [ [ 0.0; nan ]; [ 1.0; 0.0 ] ])

            Expect.isTrue (Double.IsNaN(SpectralRadius.Of(ofMatrix matrix))) "NaN"
        }
    ]

let private participation =
    let rates steps modes =
        let units = List.length modes * 3

        units,
        Array.init (steps * units) (fun k ->
            let t, unit = k / units, k % units
            let frequency, amplitude = modes[unit / 3]
            // Three units a mode, in step: the mode is one dimension.
            0.3 + amplitude * sin (2.0 * Math.PI * float (frequency * t) / float steps))

    let byEigenvalues units (rates: float[]) =
        let steps = rates.Length / units
        let matrix = Matrix<float>.Build.DenseOfRowMajor(steps, units, rates)

        let centred =
            matrix
            - Matrix<float>
                .Build.Dense(steps, units, fun _ i -> matrix.Column(i).Sum() / float steps)

        let lambda =
            (centred.TransposeThisAndMultiply centred)
                .Evd(Symmetricity.Symmetric)
                .EigenValues.Map(fun z -> z.Real)

        lambda.Sum() ** 2.0 / lambda.DotProduct lambda

    testList "the participation ratio" [
        for steps in [ 40; 8 ] do
            test $"of equal modes in {steps} steps is their number" {
                for count in 1..3 do
                    let units, rates = rates steps [ for k in 1..count -> k, 0.7 ]

                    Expect.floatClose
                        Accuracy.high
                        (ParticipationRatio.Of(rates, units))
                        (float count)
                        "modes"
            }

        test "of unequal modes is what their variances say" {
            let units, rates = rates 50 [ 1, 1.0; 2, 0.5 ]
            // Variances 1 and 1/4.
            Expect.floatClose
                Accuracy.high
                (ParticipationRatio.Of(rates, units))
                (1.25 ** 2.0 / (1.0 + 1.0 / 16.0))
                "1.47"
        }

        test "of any activity is that of the eigenvalues" {
            let random = Random 3

            for units, steps in [ 4, 30; 30, 4; 12, 12 ] do
                let rates = Array.init (units * steps) (fun _ -> gaussian random)

                Expect.floatClose
                    Accuracy.high
                    (ParticipationRatio.Of(rates, units))
                    (byEigenvalues units rates)
                    $"{units}"
        }

        test "of rest is no number" {
            Expect.isTrue (Double.IsNaN(ParticipationRatio.Of(Array.create 12 0.1, 3))) "rest"
        }
    ]

let private ofWeights case =
    let limits = { unlimited with Dale = true }

    let setup = {
        learning Rules.rflo UpdateSchedule.TrialEnd 0.2 with
            Limits = limits
    }

    let session = sessionWith setup case
    let start = allWeights session
    session.Watch [| WeightChangeProbe 2; DaleProbe 2; MaskProbe 2 |]
    let mutable last = start

    for trial in 0..4 do
        session.Run 1 |> ignore

        if trial % 2 = 0 && session.TrialsDone = trial + 1 then
            let now = allWeights session

            for index, projection in List.indexed case.Circuit.Projections do
                let name = session.Graph.Projections[index].Name

                let read column =
                    (values session $"{column} {name}")[trial / 2]

                let apart (one: float[][]) =
                    norm (Array.map2 (-) now[index] one[index])

                if projection.Plastic && Array.forall Double.IsFinite now[index] then
                    expectNear (read "change") (apart start) "change"
                    expectNear (read "change-since-last") (apart last) "since last"

                let drawn = draw case.Circuit projection
                let exists = Seq.toArray (Seq.cast<bool> drawn.Exists)
                let count = exists |> Array.filter id |> Array.length

                if count < exists.Length then
                    Expect.floatClose
                        Accuracy.veryHigh
                        (read "mask-present")
                        (float count / float exists.Length)
                        "present"

                    Expect.equal (read "mask-violations") 0.0 "masked"

                match signsOf limits projection drawn with
                | Some signs ->
                    let columns = signs.Length

                    let places = [|
                        for k in 0 .. exists.Length - 1 do
                            if exists[k] || projection.Layout = Dense then
                                k
                    |]

                    let zeros sign =
                        let ours = [|
                            for n, k in Array.indexed places do
                                if exists[k] && signs[k % columns] = sign then
                                    now[index][n]
                        |]

                        if ours.Length = 0 then
                            nan
                        else
                            float (ours |> Array.filter ((=) 0.0) |> Array.length)
                            / float ours.Length

                    expectNear (read "dale-zeros-excitatory") (zeros 1y) "excitatory"
                    expectNear (read "dale-zeros-inhibitory") (zeros -1y) "inhibitory"

                    if projection.Plastic && Array.forall Double.IsFinite now[index] then
                        Expect.equal (read "dale-violations") 0.0 "signs"
                | None -> ()

            last <- now

/// Two units of which the second is inhibitory, one connection missing, nothing learns.
let private frozen () =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "area",
                Units = 2,
                Alpha = [| 1.0; 1.0 |],
                InitialRates = [| 0.0; 0.0 |]
            )
        )

    builder.AddProjection(
        ProjectionSpec(
            Name = "recurrent",
            Source = Source.Area area,
            Target = Target.Area area,
            Synapses = Synapses.Dense([| 0.5; -0.5; 0.25; 0.0 |], [| true; true; true; false |]),
            Signs = [| 1y; -1y |]
        )
    )
    |> ignore

    builder.Build()

let private violations = [
    test "a weight of the wrong sign is counted" {
        let session =
            Session.Create(frozen (), Networks.Given([||], Array.create 3 [||], (fun _ -> 3)), 1L)

        session.SetWeights(ProjectionId 0, [| 0.0; 0.5; -0.25; 0.0 |])
        session.Watch [| DaleProbe 1 |]
        session.Run 1 |> ignore
        Expect.equal (values session "dale-violations recurrent") [| 2.0 |] "two of three"
        Expect.equal (values session "dale-zeros-excitatory recurrent") [| 0.5 |] "one of two"

        Expect.equal
            (values session "dale-zeros-inhibitory recurrent")
            [| 0.0 |]
            "the masked one does not count"
    }

    test "a weight where there is no connection is counted" {
        let graph = frozen ()
        let network = Network<float>(graph, 3, 0, 1L)
        let afferents = network.Areas[0].Afferents

        let gauge =
            MaskGauge<float>(graph, [ Block<float>(afferents, afferents.Segments[0], 2) ])

        Expect.equal (List.ofSeq (gauge.Read 0)) [ 0.75; 0.0 ] "before"
        afferents.Weights.Dense.Span[afferents.DenseStride + 1] <- 0.1
        Expect.equal (List.ofSeq (gauge.Read 0)) [ 0.75; 1.0 ] "after"
    }
]

let private customs = [
    test "a probe of one's own sees the trial and the weights after it" {
        let case =
            RandomCircuits.networks
            |> Gen.sampleWithSeed (FsCheck.Rnd 7UL) 10 1
            |> Array.head

        let session = sessionWith (learning Rules.rflo UpdateSchedule.TrialEnd 0.01) case
        let mutable weights = [||]

        session.Watch [|
            CustomProbe(2, "loss", (fun seen -> seen.Recording.Loss))
            CustomProbe(
                1,
                "first",
                (fun seen ->
                    weights <- seen.Weights(ProjectionId 0)
                    float seen.Trial)
            )
        |]

        session.Run 3 |> ignore
        let losses = session.Metrics.CopyLosses()
        Expect.equal ((series session "loss").CopyTrials()) [| 0; 2 |] "trials"
        Expect.equal (values session "loss") [| losses[0]; losses[2] |] "losses"
        Expect.equal (values session "first") [| 0.0; 1.0; 2.0 |] "numbers of trials"
        Expect.isTrue (sameBits weights (session.Weights(ProjectionId 0))) "weights"
    }

    test "a probe of one's own that throws ends the run, and says which and where" {
        let session =
            Session.Create(frozen (), Networks.Given([||], Array.create 3 [||], (fun _ -> 3)), 1L)

        session.Watch [|
            CustomProbe(1, "sound", (fun seen -> float seen.Trial))
            CustomProbe(1, "broken", (fun seen -> if seen.Trial > 0 then invalidOp "no" else 1.0))
        |]

        let status = session.Run 3
        Expect.equal (string status) "failed at trial 1, in the probe broken: no" "status"
        Expect.equal (series session "broken").Failure "trial 1: no" "what it said"

        for name in [ "sound"; "broken" ] do
            Expect.equal ((series session name).CopyTrials()) [| 0 |] "whole trials only"
    }

    test "what cannot be measured is refused" {
        let watch probes () =
            let session =
                Session.Create(
                    frozen (),
                    Networks.Given([||], Array.create 3 [||], (fun _ -> 3)),
                    1L
                )

            session.Watch probes

        Expect.throwsT<ArgumentOutOfRangeException> (watch [| MaskProbe 0 |]) "every 0 trials"

        Expect.throwsT<ArgumentOutOfRangeException>
            (watch [| SpectralRadiusProbe(1, AreaId 1) |])
            "unknown area"

        Expect.throwsT<ArgumentException> (watch [| MaskProbe 1; MaskProbe 2 |]) "two of a name"
    }
]

[<Tests>]
let tests =
    let any = RandomCircuits.anyCircuit

    testList "probes" [
        test "leave a run as it is, bit for bit" {
            forAll (cases 100 2000) any (AllRules.someOf 8 AllRules.all unfelt)
        }

        test "measure the angle that increments have" {
            let tally = Tally()
            forAll (cases 60 1000) any (AllRules.someOf 5 forgetful (anglesAreTrue tally))
            tally.Demand 0.5
        }

        test "know the running means of the rule that trains" {
            let tally = Tally()
            forAll (cases 40 1000) any (ownMeans tally)
            tally.Demand 0.7
        }

        test "find no angle between BPTT and RTRL" { forAll (cases 40 1000) any exactRulesAgree }
        test "measure weights" { forAll (cases 60 1000) any ofWeights }
        yield! violations
        yield! customs
        radii
        participation
    ]
