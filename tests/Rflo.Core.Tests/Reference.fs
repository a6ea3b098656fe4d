/// What the core computes, written as the sums in the definitions: double precision, plain loops, no vectors,
/// nothing shared with the core. Slow on purpose.
module Rflo.Core.Tests.Reference

open System

// ---- kernels ------------------------------------------------------------------------------------

/// result[i] = sum over j of matrix[i, j] * vector[j]
let multiply (matrix: float[,]) (vector: float[]) =
    Array.init (Array2D.length1 matrix) (fun i ->
        Seq.sum (seq { for j in 0 .. vector.Length - 1 -> matrix[i, j] * vector[j] }))

/// result[j] = sum over i of matrix[i, j] * vector[i]
let multiplyTransposed (matrix: float[,]) (vector: float[]) =
    Array.init (Array2D.length2 matrix) (fun j ->
        Seq.sum (seq { for i in 0 .. vector.Length - 1 -> matrix[i, j] * vector[i] }))

/// result[i, c] = sum over j of a[i, j] * b[j, c]
let product (a: float[,]) (b: float[,]) =
    Array2D.init (Array2D.length1 a) (Array2D.length2 b) (fun i c ->
        Seq.sum (seq { for j in 0 .. Array2D.length2 a - 1 -> a[i, j] * b[j, c] }))

/// before[i, j] + scale * sum over t of post[t, i] * pre[t, j]
let accumulateOuter (post: float[,]) (pre: float[,]) scale (before: float[,]) =
    before
    |> Array2D.mapi (fun i j w ->
        let sum =
            Seq.sum (seq { for t in 0 .. Array2D.length1 post - 1 -> post[t, i] * pre[t, j] })

        w + scale * sum)

/// The transfer functions and their slopes, from the textbook.
let transfer name (u: float) =
    match name with
    | "tanh" -> Math.Tanh u
    | "relu" -> if u > 0.0 then u else 0.0
    | "sigmoid" -> 1.0 / (1.0 + Math.Exp(-u))
    | "softplus" -> if u > 30.0 then u else Math.Log(1.0 + Math.Exp u)
    | "identity" -> u
    | "rectified tanh" -> if u > 0.0 then Math.Tanh u else 0.0
    | other -> failwith $"no transfer function {other}"

let slope name (u: float) =
    match name with
    | "tanh" -> 1.0 / (Math.Cosh u * Math.Cosh u)
    | "relu" -> if u > 0.0 then 1.0 else 0.0
    | "sigmoid" -> 1.0 / ((1.0 + Math.Exp(-u)) * (1.0 + Math.Exp u))
    | "softplus" -> 1.0 / (1.0 + Math.Exp(-u))
    | "identity" -> 1.0
    | "rectified tanh" -> if u > 0.0 then 1.0 / (Math.Cosh u * Math.Cosh u) else 0.0
    | other -> failwith $"no transfer function {other}"

// ---- circuits -----------------------------------------------------------------------------------

type Signal =
    | Rate of area: int * delay: int
    | Input of firstChannel: int
    | Output of readout: int * delay: int
    | One

type Place =
    | Area of int
    | Readout of int

/// Weights from every unit of the source to every unit of the target; absent ones are zero.
type Link = {
    From: Signal
    Into: Place
    Weights: float[,]
    IsOpen: int -> bool
}

type AreaOf = {
    Alpha: float[]
    Transfer: string
    /// Whether the leak is of the current, x, and the rate phi(x).
    IsCurrent: bool
    Start: float[]
    /// Added to the current of a unit in a step.
    Noise: int -> int -> float
}

type ReadoutOf = { Outputs: int; Kind: string }

/// B of a readout's error to an area, (units, outputs).
type Feedback = { Of: int; To: int; Matrix: float[,] }

type Circuit = {
    Areas: AreaOf[]
    Readouts: ReadoutOf[]
    Links: Link[]
    Feedbacks: Feedback[]
}

/// Functions of the step, from 1, and the channel or output; outputs of one readout after the other.
type Shown = {
    Steps: int
    Input: int -> int -> float
    Target: int -> int -> float
    Mask: int -> int -> float
}

type Trace = {
    Currents: float[][][]
    /// What phi is taken of: the current, or its leaky sum.
    Arguments: float[][][]
    Rates: float[][][]
    Outputs: float[][][]
    Errors: float[][][]
    Loss: float
}

let private firstOutput circuit readout =
    circuit.Readouts |> Seq.take readout |> Seq.sumBy _.Outputs

/// log of the sum of exponentials, which may be out of range themselves.
let private logSum (numbers: float[]) =
    let top = Array.max numbers
    top + Math.Log(numbers |> Array.sumBy (fun x -> Math.Exp(x - top)))

/// The nonlinearity of a kind such as "sigmoid" or "sigmoid, huber 0.2".
let private outputOf (kind: string) = kind.Split(", ")[0]

let respond kind (sums: float[]) =
    match outputOf kind with
    | "sigmoid" -> sums |> Array.map (fun s -> 1.0 / (1.0 + Math.Exp(-s)))
    | "softmax" ->
        let logTotal = logSum sums
        sums |> Array.map (fun s -> Math.Exp(s - logTotal))
    | "exponential" -> sums |> Array.map Math.Exp
    | "softplus" -> sums |> Array.map (transfer "softplus")
    | _ -> sums

/// d y_k / d s_l.
let private outputSlope kind (sums: float[]) (y: float[]) k l =
    match outputOf kind with
    | "softmax" -> y[k] * ((if k = l then 1.0 else 0.0) - y[l])
    | _ when k <> l -> 0.0
    | "sigmoid" -> y[k] * (1.0 - y[k])
    | "exponential" -> Math.Exp sums[k]
    | "softplus" -> 1.0 / (1.0 + Math.Exp(-sums[k]))
    | _ -> 1.0

/// A loss of one output, and its slope.
let private lossOf (name: string) y target =
    match name.Split ' ' with
    | [| "huber"; delta |] ->
        let delta, d = float delta, abs (target - y)

        (if d <= delta then
             0.5 * d * d
         else
             delta * (d - 0.5 * delta)),
        max -delta (min delta (y - target))
    | [| "poisson" |] -> y - target * log y, 1.0 - target / y
    | [| "hinge"; margin |] ->
        let short = float margin - target * y
        max 0.0 short, (if short > 0.0 then -target else 0.0)
    | [| "squared" |] -> 0.5 * (target - y) ** 2.0, y - target
    | _ -> failwith $"no loss is called {name}"

/// The error -dL/d(sum) and the loss of one step, before the 1/T; -log y is written with sums, or it would round to
/// nothing where an output is sure.
let compare (kind: string) (sums: float[]) (y: float[]) (target: float[]) (mask: float[]) =
    let byLoss name =
        let counted = [
            for k in 0 .. y.Length - 1 do
                if mask[k] <> 0.0 then
                    k, mask[k], lossOf name y[k] target[k]
        ]

        Array.init y.Length (fun l ->
            -List.sum [
                for k, m, (_, slope) in counted -> m * slope * outputSlope kind sums y k l
            ]),
        List.sum [ for _, m, (lost, _) in counted -> m * lost ]

    match kind with
    | "exponential" -> byLoss "poisson"
    | "softplus" -> byLoss "squared"
    | named when named.Contains ", " -> byLoss (named.Split(", ")[1])
    | "sigmoid" ->
        let lost k =
            target[k] * transfer "softplus" -sums[k]
            + (1.0 - target[k]) * transfer "softplus" sums[k]

        Array.init y.Length (fun k -> mask[k] * (target[k] - y[k])),
        Seq.sum (seq { for k in 0 .. y.Length - 1 -> mask[k] * lost k })
    | "softmax" ->
        let asked = Array.map2 (*) mask target
        let logTotal = logSum sums

        Array.init y.Length (fun k -> asked[k] - Array.sum asked * y[k]),
        Seq.sum (seq { for k in 0 .. y.Length - 1 -> asked[k] * (logTotal - sums[k]) })
    | _ ->
        Array.init y.Length (fun k -> mask[k] * (target[k] - y[k])),
        Seq.sum (seq { for k in 0 .. y.Length - 1 -> 0.5 * mask[k] * (target[k] - y[k]) ** 2.0 })

/// s_j(t) of a link: what its weights were multiplied with in step t.
let signalOf shown (rate: int -> int -> float[]) (output: int -> int -> float[]) link t j =
    if not (link.IsOpen t) then
        0.0
    else
        match link.From, link.Into with
        | Rate(area, _), Readout _ -> (rate area t)[j]
        | Rate(area, delay), Area _ -> (rate area (t - delay))[j]
        | Output(readout, delay), _ -> (output readout (t - delay))[j]
        | Input first, _ -> shown.Input t (first + j)
        | One, _ -> 1.0

/// u, h, y, eps for t = 0 .. T and the loss. Rates before step 1 are those of step 0; outputs before step 1 follow from them.
let run (circuit: Circuit) (shown: Shown) =
    let steps = shown.Steps

    let fresh (sizes: int[]) =
        Array.init (steps + 1) (fun _ -> sizes |> Array.map Array.zeroCreate<float>)

    let units = circuit.Areas |> Array.map _.Alpha.Length
    let outputs = circuit.Readouts |> Array.map _.Outputs
    let currents, rates, arguments = fresh units, fresh units, fresh units
    let responses, errors = fresh outputs, fresh outputs
    arguments[0] <- circuit.Areas |> Array.map _.Start

    rates[0] <-
        circuit.Areas
        |> Array.map (fun area ->
            if area.IsCurrent then
                Array.map (transfer area.Transfer) area.Start
            else
                area.Start)

    let rate area t = rates[max 0 t][area]
    let output readout t = responses[max 0 t][readout]

    let sums place size t =
        Array.init size (fun i ->
            Seq.sum (
                seq {
                    for link in circuit.Links do
                        if link.Into = place then
                            for j in 0 .. Array2D.length2 link.Weights - 1 do
                                link.Weights[i, j] * signalOf shown rate output link t j
                }
            ))

    let respondAll t =
        for r in 0 .. circuit.Readouts.Length - 1 do
            responses[t][r] <- respond circuit.Readouts[r].Kind (sums (Readout r) outputs[r] t)

    respondAll 0
    let mutable loss = 0.0

    for t in 1..steps do
        for a in 0 .. circuit.Areas.Length - 1 do
            let area = circuit.Areas[a]
            let u = sums (Area a) units[a] t |> Array.mapi (fun i u -> u + area.Noise t i)
            currents[t][a] <- u

            let leak (before: float[]) (toward: float[]) =
                Array.init units[a] (fun i ->
                    (1.0 - area.Alpha[i]) * before[i] + area.Alpha[i] * toward[i])

            if area.IsCurrent then
                arguments[t][a] <- leak (arguments[t - 1][a]) u
                rates[t][a] <- Array.map (transfer area.Transfer) (arguments[t][a])
            else
                arguments[t][a] <- u
                rates[t][a] <- leak (rates[t - 1][a]) (Array.map (transfer area.Transfer) u)

        respondAll t

        for r in 0 .. circuit.Readouts.Length - 1 do
            let first = firstOutput circuit r

            let asked this =
                Array.init outputs[r] (fun k -> this t (first + k))

            let total = sums (Readout r) outputs[r] t

            let error, lost =
                compare
                    circuit.Readouts[r].Kind
                    total
                    (output r t)
                    (asked shown.Target)
                    (asked shown.Mask)

            errors[t][r] <- error
            loss <- loss + lost

    {
        Currents = currents
        Arguments = arguments
        Rates = rates
        Outputs = responses
        Errors = errors
        Loss = loss / float steps
    }

/// Feedback matrices that are the transposed readout weights.
let symmetric (circuit: Circuit) = [|
    for link in circuit.Links do
        match link.From, link.Into with
        | Rate(area, _), Readout readout -> {
            Of = readout
            To = area
            Matrix =
                Array2D.init
                    (Array2D.length2 link.Weights)
                    (Array2D.length1 link.Weights)
                    (fun i k -> link.Weights[k, i])
          }
        | _ -> ()
|]

/// RFLO's weight change of one link at learning rate 1, from the definition: the gradient with every path but
/// a unit's own leak cut, and B in place of the transposed readout weights. For a link into area a,
/// (1/T) sum over t of (B eps(t))_i times sum over s up to t of (1 - alpha_i)^(t-s) alpha_i phi'(u_i(s)) s_j(s).
/// For a link into a readout, (1/T) sum over t of eps_k(t) s_j(t).
let rflo (circuit: Circuit) (shown: Shown) (feedbacks: Feedback[]) (link: Link) =
    let trace = run circuit shown
    let rate area t = trace.Rates[max 0 t][area]
    let output readout t = trace.Outputs[max 0 t][readout]
    let signal t j = signalOf shown rate output link t j
    let steps = shown.Steps
    let error readout t : float[] = trace.Errors[t][readout]

    let slopeOf area i s =
        let arguments: float[] = trace.Arguments[s][area]
        slope circuit.Areas[area].Transfer arguments[i]

    let told area i t =
        Seq.sum (
            seq {
                for feedback in feedbacks do
                    if feedback.To = area then
                        for k in 0 .. Array2D.length2 feedback.Matrix - 1 do
                            feedback.Matrix[i, k] * (error feedback.Of t)[k]
            }
        )

    let eligibility area i j t =
        let alpha = circuit.Areas[area].Alpha[i]

        // The slope of the step in which a signal arrives; of the current form, of the step in which it is felt.
        Seq.sum (
            seq {
                for s in 1..t ->
                    let felt = if circuit.Areas[area].IsCurrent then t else s
                    (1.0 - alpha) ** float (t - s) * alpha * slopeOf area i felt * signal s j
            }
        )

    link.Weights
    |> Array2D.mapi (fun i j _ ->
        let sum =
            match link.Into with
            | Area a -> Seq.sum (seq { for t in 1..steps -> told a i t * eligibility a i j t })
            | Readout r -> Seq.sum (seq { for t in 1..steps -> (error r t)[i] * signal t j })

        sum / float steps)
