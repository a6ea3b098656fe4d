/// What RFLO's increments are made of: traces that know two units, the past and nothing else. BPTT's are not.
module Rflo.Core.Tests.TraceTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.Networks

let private any = Plasticity(Rules.rflo, 1.0, UpdateSchedule.TrialEnd)

type private Sample = {
    Net: Network
    Transfer: Transfer
    Inputs: float[][]
    Targets: float[][]
}

let private matrix (random: Random) deviation n m =
    Array2D.init n m (fun _ _ -> deviation * gaussian random)

/// White noise on two channels and as the targets; every fourth network has units that forget at once.
let private drawn units outputs seed =
    let random = Random(seed: int)

    let noise width =
        Array.init 8 (fun _ -> Array.init width (fun _ -> gaussian random))

    let alpha =
        if seed % 4 = 0 then
            1.0
        else
            0.1 + 0.8 * random.NextDouble()

    {
        Net = {
            Alpha = Array.create units alpha
            Start = Array.init units (fun _ -> gaussian random)
            Recurrent = matrix random (1.5 / sqrt (float units)) units units
            Input = matrix random 1.0 units 2
            Bias = [||]
            Readout = matrix random (1.0 / sqrt (float units)) outputs units
            Offset = [||]
            Feedback = matrix random 1.0 units outputs
        }
        Transfer = Transfer.Tanh
        Inputs = noise 2
        Targets = noise outputs
    }

let private session sample =
    let task = Given(sample.Inputs, sample.Targets, fun _ -> sample.Targets.Length)
    Session.Create(fst (graphOf sample.Transfer null (fun _ -> any) sample.Net), task, 1L)

let private blocks sample rule =
    (session sample).Increments(0, rule, UpdateTime.TrialEnd)
    |> Seq.map nonNull
    |> Array.ofSeq

/// h(0), h(1), ..., h(T).
let private rates sample =
    let all = ((session sample).Replay 0).Rates[0]
    Array.append [| sample.Net.Start |] (Array.chunkBySize sample.Net.Alpha.Length all)

/// phi'(u(t)) of tanh units; row 0 is step 1.
let private slopes sample (h: float[][]) =
    sample.Inputs
    |> Array.mapi (fun t x ->
        Array.map2
            (fun a b -> Reference.slope "tanh" (a + b))
            (Reference.multiply sample.Net.Recurrent h[t])
            (Reference.multiply sample.Net.Input x))

/// The traces p and q after the last step, row by row: the increments of the trial over 1/T if the only error is 1, in
/// the last step, and reaches every unit.
let private traces sample =
    let units, steps = sample.Net.Alpha.Length, sample.Targets.Length

    let asking = {
        sample with
            Net.Readout = Array2D.zeroCreate 1 units
            Net.Feedback = Array2D.create units 1 1.0
            Targets = Array.init steps (fun t -> [| (if t = steps - 1 then 1.0 else 0.0) |])
    }

    let all = blocks asking Rules.rflo
    Array.map ((*) (float steps)) all[0], Array.map ((*) (float steps)) all[1]

/// The sum over s up to T of (1 - alpha)^(T-s) alpha slope_a(s) signal_b(s).
let private leakySum alpha (slope: int -> float[]) (signal: int -> float[]) steps = [|
    for a in 0 .. (slope 1).Length - 1 do
        for b in 0 .. (signal 1).Length - 1 do
            Seq.sum (
                seq {
                    for s in 1..steps ->
                        (1.0 - alpha) ** float (steps - s) * alpha * (slope s)[a] * (signal s)[b]
                }
            )
|]

let private untilStep steps sample = {
    sample with
        Inputs = Array.truncate steps sample.Inputs
        Targets = Array.truncate steps sample.Targets
}

let private areLeakySums (misprints: Tally) seed =
    let sample = drawn (1 + seed % 9) 1 seed |> untilStep (1 + seed % 8)
    let steps, alpha = sample.Targets.Length, sample.Net.Alpha[0]
    let h = rates sample
    let d = slopes sample h
    let slope s = d[s - 1]
    let p, q = traces sample
    let sum = leakySum alpha slope
    let close = GradientTests.expectClose 1e-12
    close "p" 0 p (sum (fun s -> h[s - 1]) steps)
    close "q" 1 q (sum (fun s -> sample.Inputs[s - 1]) steps)

    if alpha = 1.0 then
        close "p without memory" 0 p [|
            for x in slope steps do
                for y in h[steps - 1] -> x * y
        |]

    for b, bound in Seq.indexed (Seq.transpose h |> Seq.map (Seq.map abs >> Seq.max)) do
        for a in 0 .. h[0].Length - 1 do
            Numbers.isLessThanOrEqual
                (abs p[a * h[0].Length + b])
                (bound * (1.0 + 1e-12))
                "p's bound"

    // Eqs 6, 11 and 17 print x(t-1) and phi'(u(t-1)).
    misprints.Count()

    let before =
        sum (fun s -> if s = 1 then [| 0.0; 0.0 |] else sample.Inputs[s - 2]) steps

    let earlier =
        leakySum alpha (fun s -> slope (max 1 (s - 1))) (fun s -> sample.Inputs[s - 1]) steps

    if relative q before < 0.1 || (steps > 1 && relative q earlier < 1e-3) then
        misprints.Idle()

let private staysBounded sample =
    let h = rates sample
    let most = Array.map abs >> Array.max

    h |> Array.forall (fun now -> most now <= max 1.0 (most h[0]))

// ---- locality -----------------------------------------------------------------------------------

/// Units 0 and 1 hear nothing of the others, which are other units in the second network; errors are the same.
let private twoWorlds seed =
    let units = 3 + seed % 6

    let deaf sample = {
        sample with
            Net.Recurrent =
                sample.Net.Recurrent
                |> Array2D.mapi (fun i j w -> if i < 2 && j >= 2 then 0.0 else w)
    }

    let first, other = deaf (drawn units 2 seed), deaf (drawn units 2 (seed + 4))

    let rows (a: float[,]) (b: float[,]) =
        Array2D.mapi (fun i j _ -> if i < 2 then a[i, j] else b[i, j]) a

    let second = {
        first with
            Net = {
                first.Net with
                    Alpha = Array.append first.Net.Alpha[..1] other.Net.Alpha[2..]
                    Start = Array.append first.Net.Start[..1] other.Net.Start[2..]
                    Recurrent = rows first.Net.Recurrent other.Net.Recurrent
                    Input = rows first.Net.Input other.Net.Input
                    Readout =
                        first.Net.Readout
                        |> Array2D.mapi (fun i j w -> if j < 2 then w else other.Net.Readout[i, j])
            }
    }

    // Targets lie as far from the outputs in both.
    let asked sample =
        let outputs = ((session sample).Replay 0).Outputs |> Array.chunkBySize 2

        {
            sample with
                Targets = Array.map2 (Array.map2 (+)) outputs first.Targets
        }

    let own (blocks: float[][]) = [|
        for i in 0..1 do
            yield! blocks[0][i * units .. i * units + 1]
            yield! blocks[1][2 * i .. 2 * i + 1]
    |]

    fun rule -> own (blocks (asked first) rule), own (blocks (asked second) rule)

let private isLocal (tally: Tally) seed =
    tally.Count()
    let compare = twoWorlds seed

    for rule in [ Rules.rflo; Rules.local ] do
        let a, b = compare rule
        GradientTests.expectClose 1e-12 (Rules.name rule) 0 a b

    for rule in [ Rules.bpttByFeedback; Rules.rtrlByFeedback ] do
        let a, b = compare rule

        if relative a b < 1e-3 then
            tally.Idle()

// ---- causality ----------------------------------------------------------------------------------

/// What each step adds to BPTT's increments of the recurrent weights (Eqs 20 to 22).
let private backward sample =
    let net, steps = sample.Net, sample.Targets.Length
    let h = rates sample
    let d = slopes sample h

    let error t =
        Array.map2 (-) sample.Targets[t - 1] (Reference.multiply net.Readout h[t])
        |> Reference.multiplyTransposed net.Readout

    let z = Array.create (steps + 2) (Array.zeroCreate net.Alpha.Length)

    for t in steps .. -1 .. 1 do
        let later =
            if t = steps then
                z[t + 1]
            else
                Array.map2 (*) z[t + 1] d[t]
                |> Array.map2 (*) net.Alpha
                |> Reference.multiplyTransposed net.Recurrent

        z[t] <-
            error t
            |> Array.mapi (fun i e -> (1.0 - net.Alpha[i]) * z[t + 1][i] + later[i] + e)

    [|
        for t in 1..steps ->
            [|
                for a in 0 .. net.Alpha.Length - 1 do
                    for b in h[t - 1] -> net.Alpha[a] * z[t][a] * d[t - 1][a] * b / float steps
            |]
    |]

let private seesTheFuture (tally: Tally) seed =
    let sample = drawn (1 + seed % 8) 2 seed
    let now = backward sample

    GradientTests.expectClose
        1e-10
        "sum over steps"
        0
        (Array.reduce (Array.map2 (+)) now)
        (Array.head (blocks sample Rules.bptt))

    let half = now.Length / 2
    let other = drawn 1 2 (seed + 1)

    let otherFuture = {
        sample with
            Inputs = Array.append sample.Inputs[.. half - 1] other.Inputs[half..]
            Targets = Array.append sample.Targets[.. half - 1] other.Targets[half..]
    }

    tally.Count()

    let early steps =
        Array.concat (Array.truncate half steps)

    if relative (early now) (early (backward otherFuture)) < 1e-3 then
        tally.Idle()

// ---- what the delta rule and Dale's law do ------------------------------------------------------

/// The readout is fed back, so its weights act on later errors too, which the delta rule does not see.
let private fedBack seed =
    let projection source target gain draw = {
        Source = source
        Target = target
        FromPart = false
        OntoPart = false
        Density = 1.0
        Layout = Dense
        Gate = Gate.Always
        Plastic = true
        Gain = gain
        Draw = draw
    }

    {
        Circuit = {
            Areas = [
                {
                    Units = 5
                    Tau = 2.0, 4.0
                    Transfer = Transfer.Tanh
                    Start = InitialPolicy.Reset
                    Noise = 0.0
                    Dynamics = Dynamics.Leaky
                }
            ]
            Inputs = []
            Readouts = [
                {
                    Outputs = 2
                    Kind = OutputKind.Linear
                    Loss = None
                }
            ]
            Projections = [
                projection (Rates(0, 1)) (Onto 0) 1.0 seed
                projection (Rates(0, 0)) (Read 0) 1.0 (seed + 1)
                projection (Fed(0, 1)) (Onto 0) 1.0 (seed + 2)
            ]
            Feedbacks = [ 0, 0, true ]
        }
        Task = {
            Lengths = [ 8 ]
            Masked = false
            Events = 0
        }
        Seed = seed
    }

let private readoutOfFedBack (tally: Tally) seed =
    let case = fedBack seed

    let readout rule =
        GradientTests.increments (InCore.session case) case 0 rule UpdateTime.TrialEnd
        |> List.item 1

    tally.Count()

    if relative (readout Rules.rflo) (readout Rules.bptt) < 1e-3 then
        tally.Idle()

/// Trial-end RFLO at a rate that carries many weights across 0.
let private dale (crossed: Tally) case =
    let case = TrainingTests.withoutMemory case
    let rate = 3.0

    let setup limits rate = {
        learning Rules.rflo UpdateSchedule.TrialEnd rate with
            Limits = limits
    }

    let signed = { unlimited with Dale = true }

    let isSigned index =
        match case.Circuit.Projections[index].Source, case.Circuit.Projections[index].Target with
        | Rates _, Onto _ -> true
        | _ -> false

    let session = sessionWith (setup signed rate) case
    let before = TrainingTests.weights session case
    let added = GradientTests.increments session case 0 Rules.rflo UpdateTime.TrialEnd
    session.Run 1 |> ignore
    let after = TrainingTests.weights session case
    crossed.Count()
    let mutable hasCrossed = false

    for index, w, g, now in
        List.zip (List.zip3 (plastic case) before added) after
        |> List.map (fun ((i, w, g), n) -> i, w, g, n) do
        for k in 0 .. w.Length - 1 do
            let raw = w[k] + rate * g[k]

            if isSigned index && float (sign w[k]) * raw < 0.0 then
                hasCrossed <- true
                Expect.equal now[k] 0.0 "a weight that would cross"
            elif not (isSigned index) || w[k] <> 0.0 then
                Numbers.isLessThanOrEqual
                    (abs (now[k] - raw))
                    (1e-12 * (1.0 + abs raw))
                    "the plain step"

    if not hasCrossed then
        crossed.Idle()

    // What has its signs keeps its bits: a step of rate 0 from there changes nothing.
    let still = sessionWith (setup signed 0.0) case

    for index, w in List.zip (plastic case) after do
        still.SetWeights(ProjectionId index, w)

    still.Run 1 |> ignore
    Expect.isTrue (List.forall2 sameBits after (TrainingTests.weights still case)) "once is enough"

[<Tests>]
let tests =
    let seeds = Arb.fromGen (Gen.choose (1, 1000000))

    let every count check =
        forAll (cases count (20 * count)) seeds check

    let tallied name count most check =
        test name {
            let tally = Tally()
            every count (check tally)
            tally.Demand most
        }

    testList "traces" [
        tallied
            "are leaky sums of slopes and signals, within bounds; the printed steps give others"
            100
            0.1
            areLeakySums

        test "rates of tanh stay in -1 to 1; of rectified units they do not" {
            every 100 (fun seed ->
                Expect.isTrue (staysBounded (drawn (1 + seed % 9) 1 seed)) "tanh")

            [ 1..50 ]
            |> List.exists (fun seed ->
                not (
                    staysBounded {
                        drawn 6 1 seed with
                            Transfer = Transfer.Relu
                    }
                ))
            |> fun grows -> Expect.isTrue grows "rectified"
        }

        tallied "know two units and the error, where exact credit knows all" 100 0.2 isLocal
        tallied "know the past, where BPTT's steps know the future" 100 0.1 seesTheFuture

        tallied "of a readout that is fed back are not the gradient" 30 0.1 readoutOfFedBack

        test "Dale's law takes the plain step, and 0 where it would cross; once is enough" {
            let crossed = Tally()
            forAll (cases 100 2000) RandomCircuits.anyNetwork (dale crossed)
            crossed.Demand 0.6
        }
    ]
