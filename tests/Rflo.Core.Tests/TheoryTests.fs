/// Appendix 2 of Murray (2019): what a small step of RFLO does to the loss and to the alignment of readout and feedback.
/// Statements that are exact are tested exactly, averages over many draws; each beside a case outside of its conditions.
module Rflo.Core.Tests.TheoryTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.Networks

let private any = Plasticity(Rules.rflo, 1.0, UpdateSchedule.TrialEnd)

/// Where the projections stand in the graph.
let private recurrent, private output = 0, 2

type private Sample = {
    Net: Network
    Transfer: Transfer
    Inputs: float[][]
    Targets: float[][]
}

let private matrix (random: Random) deviation n m =
    Array2D.init n m (fun _ _ -> deviation * gaussian random)

/// White noise on one channel and as the targets; recurrent weights N(0, g^2 / N).
let private drawn transfer units outputs gain seed =
    let random = Random(seed: int)
    let steps = 20

    let noise width =
        Array.init steps (fun _ -> Array.init width (fun _ -> gaussian random))

    {
        Net = {
            Alpha = Array.create units 0.2
            Start = Array.init units (fun _ -> 0.3 * gaussian random)
            Recurrent = matrix random (gain / sqrt (float units)) units units
            Input = matrix random 1.0 units 1
            Bias = [||]
            Readout = matrix random (1.0 / sqrt (float units)) outputs units
            Offset = [||]
            Feedback = matrix random 1.0 units outputs
        }
        Transfer = transfer
        Inputs = noise 1
        Targets = noise outputs
    }

let private linear = drawn Transfer.Identity

let private session sample =
    let task = Given(sample.Inputs, sample.Targets, fun _ -> sample.Targets.Length)
    Session.Create(fst (graphOf sample.Transfer null (fun _ -> any) sample.Net), task, 1L)

let private increments (session: Session) rule projection =
    nonNull (session.Increments(0, rule, UpdateTime.TrialEnd)[projection])

let private dot (a: float[]) (b: float[]) =
    Array.fold2 (fun sum x y -> sum + x * y) 0.0 a b

/// What is found with the weights of a projection moved so far along a direction.
let private moved (session: Session) projection direction rate (find: unit -> 'a) =
    let id = ProjectionId projection
    let weights = session.Weights id
    session.SetWeights(id, Array.map2 (fun w d -> w + rate * d) weights direction)
    let found = find ()
    session.SetWeights(id, weights)
    found

let private loss (session: Session) () = (session.Replay 0).Loss

let private seeds = Arb.fromGen (Gen.choose (1, 1000000))

let private every count check =
    forAll (cases count (20 * count)) seeds check

/// To first order, the change of the loss over the rate in a step of RFLO on the recurrent weights.
let private firstOrder session =
    -(dot (increments session Rules.rflo recurrent) (increments session Rules.bptt recurrent))

// ---- the loss -----------------------------------------------------------------------------------

let private lossChange seed =
    let session = session (drawn Transfer.Tanh (1 + seed % 12) (1 + seed % 3) 1.5 seed)
    let before = loss session ()
    let rate = 1e-5
    // The losses' rounding over the rate.
    let rounding = 1e-10 * (1.0 + before)

    let change projection direction =
        (moved session projection direction rate (loss session) - before) / rate

    let readout = increments session Rules.rflo output
    let ofReadout = -(dot readout readout)
    let found = change output readout

    Numbers.isLessThan
        (abs (found - ofReadout))
        (1e-3 * abs ofReadout + rounding)
        "the readout's step"

    // The paper's Eq 32 prints another 1/T.
    let printed = ofReadout / float 20

    Numbers.isGreaterThan
        (abs (found - printed) + rounding)
        (0.5 * abs found)
        "the readout's, as printed"

    let m = increments session Rules.rflo recurrent
    let scale = norm m * norm (increments session Rules.bptt recurrent)
    let error = abs (change recurrent m - firstOrder session)
    Numbers.isLessThan error (1e-3 * scale + rounding) "the recurrent weights' step"

let private aligned alpha sample =
    let readout = sample.Net.Readout

    {
        sample with
            Net.Feedback =
                Array2D.init (Array2D.length2 readout) (Array2D.length1 readout) (fun i k ->
                    alpha * readout[k, i])
    }

let private alignedFalls seed =
    let alpha = 0.1 + float (seed % 30) / 10.0

    let session =
        session (linear (2 + seed % 10) (1 + seed % 3) 0.0 seed |> aligned alpha)

    let m = increments session Rules.rflo recurrent
    let expected = -(dot m m) / alpha
    Numbers.isLessThan (abs (firstOrder session - expected)) (1e-6 * abs expected) "-|M|^2 / alpha"

/// In how many of some draws RFLO's step raises the loss.
let private rises make =
    [ 1..200 ]
    |> List.filter (fun seed -> firstOrder (session (make seed)) > 0.0)
    |> List.length

/// b, the feedback of a single output, times w, its readout.
let private overlap sample =
    dot (flat sample.Net.Readout) (flat sample.Net.Feedback)

let private hasItsSign sample =
    sign (firstOrder (session sample)) = -(sign (overlap sample))

let private signOfOverlap seed =
    let sample = linear (2 + seed % 10) 1 0.0 seed
    let session = session sample
    Expect.isTrue (hasItsSign sample) "sign"
    let step = increments session Rules.rflo recurrent
    let rate = 1e-6 / norm step
    let change = moved session recurrent step rate (loss session) - loss session ()

    // Where the first order is small, the second and rounding have a say.
    if abs (overlap sample) > 0.05 && abs change > 1e-10 then
        Expect.equal (sign change) -(sign (overlap sample)) "a small step"

/// Fig 2: 30 tanh units, a random drive, a periodic target of 200 steps; and feedback that the rule does not use.
let private periodic drive gain seed =
    let random = Random(seed: int)
    let units, steps = 30, 200

    let uniform n m =
        Array2D.init n m (fun _ _ -> 2.0 * random.NextDouble() - 1.0)

    {
        Net = {
            Alpha = Array.create units 0.1
            Start = Array.create units 0.1
            Recurrent = matrix random (gain / sqrt (float units)) units units
            Input = uniform units 1 |> Array2D.map ((*) drive)
            Bias = [||]
            Readout = uniform 1 units |> Array2D.map (fun w -> w / sqrt (float units))
            Offset = [||]
            Feedback = matrix random 1.0 units 1
        }
        Transfer = Transfer.Tanh
        Inputs = Array.init steps (fun _ -> [| gaussian random |])
        Targets =
            Array.init steps (fun t ->
                let phase = 2.0 * Math.PI * float (t + 1) / float steps

                [|
                    sin phase + 0.5 * sin (2.0 * phase) + 0.25 * sin (4.0 * phase)
                |])
    },
    matrix random 1.0 units 1

let private shares () =
    let draws = 300
    let share count = float count / float draws

    let agreeing drive gain =
        [ 1..draws ]
        |> List.filter (fun seed -> hasItsSign (fst (periodic drive gain seed)))
        |> List.length
        |> share

    let found = [ 0.0; 0.5; 1.0; 1.5 ] |> List.map (agreeing 0.3)
    let text = $"%A{found}"
    Numbers.isGreaterThan found[0] 0.95 $"without recurrent weights {text}"
    Numbers.isGreaterThan found[3] 0.55 $"at g = 1.5 {text}"

    // 300 draws leave a standard error of 3 %.
    for a, b in List.pairwise found do
        Numbers.isLessThan b (a + 0.03) $"falls with g {text}"

    // A drive that saturates units makes their slopes differ, as recurrent weights do.
    Numbers.isLessThan (agreeing 3.0 0.0) (found[0] - 0.1) $"saturated {text}"

    let other =
        [ 1..draws ]
        |> List.filter (fun seed ->
            let sample, unused = periodic 0.3 0.0 seed

            sign (firstOrder (session sample)) =
                -(sign (dot (flat sample.Net.Readout) (flat unused))))
        |> List.length
        |> share

    Numbers.isLessThan (abs (other - 0.5)) (4.0 * sqrt (0.25 / float draws)) "other feedback"

// ---- the alignment ------------------------------------------------------------------------------

/// Growth of Tr(W_out B) that needs both updates: by the changed rates under the old error, by the changed error under
/// the old rates, and together.
let private growth sample =
    let session = session sample
    let net = sample.Net

    let units, outputs, steps =
        net.Alpha.Length, Array2D.length2 net.Feedback, sample.Targets.Length

    let m = increments session Rules.rflo recurrent
    let rate = 1e-4 / max 1.0 (norm m)

    let slope (find: unit -> float[]) =
        let up, down =
            moved session recurrent m rate find, moved session recurrent m -rate find

        Array.map2 (fun a b -> (a - b) / (2.0 * rate)) up down

    let before = session.Replay 0
    let errors = Array.map2 (-) before.Targets before.Outputs
    let rates = before.Rates[0]
    let changeOfRates = slope (fun () -> (session.Replay 0).Rates[0])

    let changeOfErrors =
        slope (fun () -> (session.Replay 0).Outputs |> Array.map (fun y -> -y))

    let told (errors: float[]) (rates: float[]) =
        Seq.sum (
            seq {
                for t in 0 .. steps - 1 do
                    for k in 0 .. outputs - 1 do
                        for i in 0 .. units - 1 do
                            net.Feedback[i, k] * errors[t * outputs + k] * rates[t * units + i]
            }
        )
        / float steps

    let trace (increments: float[]) =
        Seq.sum (
            seq {
                for k in 0 .. outputs - 1 do
                    for i in 0 .. units - 1 do
                        net.Feedback[i, k] * increments[k * units + i]
            }
        )

    let both = slope (fun () -> [| trace (increments session Rules.rflo output) |])
    told errors changeOfRates, told changeOfErrors rates, both[0], dot m m

let private differs a b =
    abs (a - b) > 1e-6 * max (abs a) (abs b)

let private growthOfRates seed =
    let g1, g2, g, square = growth (linear (2 + seed % 8) (1 + seed % 3) 0.0 seed)
    Expect.isFalse (differs g1 square) $"G1 {g1} is |M|^2 {square}"
    Numbers.isLessThan (abs (g - g1 - g2)) (1e-6 * (abs g1 + abs g2)) "G is the sum of both"

/// Mean and standard error.
let private estimate (values: float list) =
    let count = float values.Length
    let mean = List.average values
    let variance = (values |> List.sumBy (fun x -> (x - mean) ** 2.0)) / (count - 1.0)
    mean, sqrt (variance / count)

/// Feedback for which W_out B is a rotation by 90 degrees; nothing is asked, so errors are the outputs.
let private rotated seed =
    let sample = linear 6 2 0.0 seed
    let w = sample.Net.Readout

    let rows a b =
        Seq.sum (seq { for i in 0..5 -> w[a, i] * w[b, i] })

    let aa, ab, bb = rows 0 0, rows 0 1, rows 1 1
    let det = aa * bb - ab * ab
    // (W_out W_out^T)^-1 times the rotation.
    let r = array2D [ [ -ab / det; -bb / det ]; [ aa / det; ab / det ] ]

    {
        sample with
            Net.Feedback = Array2D.init 6 2 (fun i k -> w[0, i] * r[0, k] + w[1, i] * r[1, k])
            Net.Input = matrix (Random seed) 1.0 6 6
            Inputs =
                let random = Random(seed + 1)
                Array.init 20 (fun _ -> Array.init 6 (fun _ -> gaussian random))
            Targets = Array.init 20 (fun _ -> [| 0.0; 0.0 |])
    }

// ---- random weights -----------------------------------------------------------------------------

/// exp of a square matrix by its series, halved until it is small.
let rec private exponential (a: float[,]) =
    let n = Array2D.length1 a

    let times (x: float[,]) (y: float[,]) =
        let z = Array2D.zeroCreate n n

        for i in 0 .. n - 1 do
            for k in 0 .. n - 1 do
                let xik = x[i, k]

                for j in 0 .. n - 1 do
                    z[i, j] <- z[i, j] + xik * y[k, j]

        z

    if norm (Seq.cast<float> a) > 1.0 then
        let half = exponential (Array2D.map (fun x -> x / 2.0) a)
        times half half
    else
        let identity = Array2D.init n n (fun i j -> if i = j then 1.0 else 0.0)

        // Horner: 1 + a/1 (1 + a/2 (1 + ...)).
        ([ 1..18 ], identity)
        ||> List.foldBack (fun k sum ->
            times a sum |> Array2D.mapi (fun i j x -> identity[i, j] + x / float k))

/// Over draws of W with such entries, exp(-(1 - W)): the mean entry off the diagonal with its standard error, and the
/// mean on the diagonal over e^-1, less 1.
let private propagators units draws (entry: Random -> float) =
    let random = Random units

    let found = [
        for _ in 1..draws do
            let p =
                Array2D.init units units (fun i j -> entry random - if i = j then 1.0 else 0.0)
                |> exponential

            let diagonal = Seq.sum (seq { for i in 0 .. units - 1 -> p[i, i] })
            let all = Seq.sum (Seq.cast<float> p)
            (all - diagonal) / float (units * (units - 1)), diagonal / float units
    ]

    estimate (List.map fst found), List.averageBy snd found * exp 1.0 - 1.0

let private gain = 1.5

let private meanPropagator () =
    let excess =
        [ 10, 3000; 30, 600 ]
        |> List.map (fun (units, draws) ->
            let deviation = gain / sqrt (float units)

            let (mean, error), excess =
                propagators units draws (fun r -> deviation * gaussian r)

            Numbers.isLessThan (abs mean) (3.0 * error) $"N = {units}: off the diagonal"
            let theory = gain * gain / (2.0 * float units)

            Numbers.isLessThan
                (abs (excess - theory))
                (theory / 2.0)
                $"N = {units}: excess {excess}"

            excess)

    // As 1/N.
    Numbers.isGreaterThan (excess[0] / excess[1]) 2.0 $"excess {excess}"

    let (mean, error), _ =
        propagators 10 1000 (fun r -> gain / sqrt 10.0 * (gaussian r + 0.3))

    Numbers.isGreaterThan (abs mean) (3.0 * error) "weights with a mean"

let private startOfAlignment () =
    let draws = 400

    let found = [
        for seed in 1..draws -> (session (drawn Transfer.Tanh 30 1 1.5 seed)).Alignment 0
    ]

    let mean, error = estimate found
    Numbers.isLessThan (abs mean) (4.0 * error) "mean"
    let deviation = error * sqrt (float draws)
    Numbers.isLessThan (abs (deviation * sqrt 30.0 - 1.0)) 0.15 $"standard deviation {deviation}"
    let symmetric = session (drawn Transfer.Tanh 30 1 1.5 1 |> aligned 1.0)
    Expect.floatClose Accuracy.veryHigh (symmetric.Alignment 0) 1.0 "feedback from the readout"

let private alignments learns seed =
    let sample = drawn Transfer.Tanh (2 + seed % 8) 1 1.5 seed
    let task = Given(sample.Inputs, sample.Targets, fun _ -> sample.Targets.Length)

    let plasticity name : Plasticity | null =
        if List.contains name learns then
            Plasticity(Rules.rflo, 0.05, UpdateSchedule.TrialEnd)
        else
            null

    let session =
        Session.Create(fst (graphOf sample.Transfer null plasticity sample.Net), task, 1L)

    [|
        session.Alignment 0
        for _ in 1..3 do
            session.Run 1 |> ignore
            session.Alignment 0
    |]

let private alignmentNeedsBoth (tally: Tally) seed =
    tally.Count()
    let both = alignments [ "recurrent"; "readout" ] seed
    let readout = alignments [ "readout" ] seed
    let recurrent = alignments [ "recurrent" ] seed
    Expect.isTrue (both |> Array.forall (fun a -> abs a <= 1.0 + 1e-15)) "within -1 and 1"
    Expect.allEqual recurrent recurrent[0] "the readout frozen"
    Expect.isTrue (sameBits both[..1] readout[..1]) "the first step is the readout's own"

    if both[0] = both[1] || both[2] = readout[2] then
        tally.Idle()

// ---- perturbed weights --------------------------------------------------------------------------

/// A linear network that nothing drives, and a small change of its weights.
let private undriven seed =
    let sample = linear 8 1 1.0 seed
    let random = Random(seed + 1)
    let change = matrix random (1e-5 / 8.0) 8 8

    {
        sample with
            Net.Input = Array2D.zeroCreate 0 0
            Net.Start = Array.init 8 (fun _ -> gaussian random)
            Inputs = [||]
    },
    change

/// Eq 46 in discrete time and with the leak: delta h(t) is the sum over s of A^(t-s) alpha dW h(s-1), where A is the
/// step of the network. As printed it is (t / tau) dW h(t).
let private duhamel seed =
    let sample, change = undriven seed
    let session = session sample
    let w, alpha, steps = sample.Net.Recurrent, 0.2, sample.Targets.Length
    let rates = (session.Replay 0).Rates[0]

    let h t =
        if t = 0 then
            sample.Net.Start
        else
            rates[8 * (t - 1) .. 8 * t - 1]

    let perturbed =
        moved session 0 (flat change) 1.0 (fun () -> (session.Replay 0).Rates[0])

    let found = Array.map2 (-) perturbed rates |> Array.skip (8 * (steps - 1))

    let step v =
        Array.map2 (fun x wx -> (1.0 - alpha) * x + alpha * wx) v (Reference.multiply w v)

    let from s =
        (Reference.multiply change (h (s - 1)) |> Array.map ((*) alpha), [ s + 1 .. steps ])
        ||> List.fold (fun v _ -> step v)

    let response = [ 1..steps ] |> List.map from |> List.reduce (Array.map2 (+))
    Numbers.isLessThan (relative found response) 1e-4 "the response"

    let printed =
        Reference.multiply change (h steps) |> Array.map ((*) (alpha * float steps))

    Numbers.isGreaterThan (relative found printed) 0.1 "as printed"

/// In continuous time without a leak, delta h(t) = t dW h(t) where W and dW commute, and not elsewhere.
let private printedResponse seed =
    let random = Random(seed: int)
    let n, time = 6, 2.0
    let start = Array.init n (fun _ -> gaussian random)

    let at weights =
        Reference.multiply (exponential (Array2D.map ((*) time) weights)) start

    let diagonal scale =
        Array2D.init n n (fun i j -> if i = j then scale * gaussian random else 0.0)

    let error w change =
        let found =
            Array.map2 (-) (at (Array2D.mapi (fun i j x -> x + Array2D.get change i j) w)) (at w)

        relative found (Reference.multiply change (at w) |> Array.map ((*) time))

    Numbers.isLessThan (error (diagonal 1.0) (diagonal 1e-6)) 1e-4 "that commute"

    let full deviation =
        matrix random (deviation / sqrt (float n)) n n

    Numbers.isGreaterThan (error (full 1.0) (full 1e-6)) 1e-2 "that do not"

[<Tests>]
let tests =
    testList "theory" [
        test "a small step changes the loss by the product of increments and gradient" {
            every 100 lossChange
        }

        test "linear, without recurrent weights: aligned feedback lowers the loss by |M|^2 / alpha" {
            every 100 alignedFalls
        }

        test "with recurrent weights, or feedback that is not aligned, some steps raise the loss" {
            Expect.equal (rises (linear 6 2 0.0 >> aligned 1.0)) 0 "aligned"
            Numbers.isGreaterThan (rises (linear 6 2 0.0)) 0 "random feedback"
            Numbers.isGreaterThan (rises (linear 6 2 2.0 >> aligned 1.0)) 0 "recurrent weights"
        }

        test
            "linear, without recurrent weights, one output: the loss falls as readout and feedback overlap" {
            every 100 signOfOverlap
        }

        test "of a few tanh units it does not always" {
            let agreeing =
                [ 1..200 ]
                |> List.filter (fun seed -> hasItsSign (drawn Transfer.Tanh 4 1 0.0 seed))
                |> List.length

            Numbers.isLessThan agreeing 200 "some draws have the other sign"
            Numbers.isGreaterThan agreeing 150 "most do not"
        }

        test "of tanh units it does more often than not, less so with larger recurrent weights" {
            shares ()
        }

        test
            "linear, without recurrent weights: rates that change by dW align the readout by |dW|^2" {
            every 50 growthOfRates
        }

        test "with recurrent weights it is another number" {
            for seed in 1..20 do
                let g1, _, _, square = growth (linear 6 1 1.0 seed)
                Expect.isTrue (differs g1 square) $"seed {seed}"
        }

        test "one output: on average the two updates together align the readout" {
            let mean, error =
                estimate [
                    for seed in 1..200 -> let _, _, g, _ = growth (linear 8 1 0.0 seed) in g
                ]

            Numbers.isGreaterThan mean (3.0 * error) "mean"
        }

        test "two outputs: the changed error may turn it away, where W_out B is a rotation" {
            let found = [ for seed in 1..100 -> growth (rotated seed) ]
            let mean, error = estimate [ for _, g2, _, _ in found -> g2 ]
            Numbers.isLessThan mean (-3.0 * error) "mean of G2"
            Numbers.isGreaterThan (found |> List.averageBy (fun (_, _, g, _) -> g)) 0.0 "mean of G"
        }

        test "the mean propagator over random weights is diagonal, exp(-s) (1 + s^2 g^2 / 2N)" {
            meanPropagator ()
        }

        test "alignment begins at 0 with deviation 1 / sqrt N" { startOfAlignment () }

        test
            "alignment stays where the readout does; recurrent weights act on it from the second trial" {
            let tally = Tally()
            every 60 (alignmentNeedsBoth tally)
            tally.Demand 0.1
        }

        test "rates respond to changed weights by Duhamel's formula, not by the printed one" {
            every 60 duhamel
        }

        test "the printed one holds without a leak where weights and change commute" {
            every 60 printedResponse
        }
    ]
