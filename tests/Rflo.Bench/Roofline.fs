/// The least time that a dense step can take on one core: its multiply-adds at the ceiling of arithmetic, or its bytes at
/// the bandwidth of where they lie, whichever is longer.
module Rflo.Bench.Roofline

open Rflo.Core
open Rflo.Dsl
open Rflo.Bench.Ceilings
open Rflo.Bench.Work

/// What a step does one thing after another; each is bound by itself.
type Phase = {
    MultiplyAdds: float
    /// Bytes that it must move, written ones beside read ones.
    Bytes: float
    IsWritten: bool
    /// Bytes that are gone through again in the next step, or in the next block of steps.
    WorkingSet: float
}

/// A step of some rule: its phases, and how they are counted in the documentation.
type Dense = { Phases: Phase list; Count: string }

/// Steps that RTRL takes at once at the end of a trial.
let private block = 8.0

/// The step of a dense area of n units with weights of b bytes in trials of T steps, for rules whose count is known.
let step (work: Work) : Dense option =
    let n, steps = float work.Units, float work.Steps
    let b = if work.Precision = Precision.Single then 4.0 else 8.0
    let matrix = b * n * n

    /// A product of the weights and a vector: every weight is read once.
    let product count = {
        MultiplyAdds = count * n * n
        Bytes = count * matrix
        IsWritten = false
        WorkingSet = matrix
    }

    /// Increments of a whole trial: one product over time, which reads and writes the weights once.
    let trialEnd = {
        MultiplyAdds = n * n
        Bytes = 2.0 * matrix / steps + 2.0 * b * n
        IsWritten = true
        WorkingSet = matrix
    }

    /// So many matrices of n^2 numbers are read and written.
    let through matrices multiplyAdds = {
        MultiplyAdds = multiplyAdds * n * n
        Bytes = 2.0 * matrices * matrix
        IsWritten = true
        WorkingSet = matrices * matrix
    }

    /// The product of the weights with the signals and with a direction, among so many matrices that a step goes through.
    let forwardAndTangent matrices = {
        product 1.0 with
            MultiplyAdds = 2.0 * n * n
            WorkingSet = matrices * matrix
    }

    /// KeRNL's sensitivity: what it makes of the nudges must be known before it learns, and what it tells is known then.
    let sensitivity matrices = [
        {
            product 1.0 with
                WorkingSet = matrices * matrix
        }
        {
            through 1.0 4.0 with
                WorkingSet = matrices * matrix
        }
    ]

    let dense count phases = Some { Phases = phases; Count = count }

    match work.Synapses, work.Rule.Name, work.Rule.Update with
    | Some _, _, _ -> None
    | None, ("rflo" | "local-symmetric" | "e-prop"), TrialEnd ->
        dense "forward n^2, b n^2; product n^2, 2 b n^2 / T" [ product 1.0; trialEnd ]
    | None, ("rflo" | "local-symmetric" | "hebb"), Online when n >= 2.0 * steps ->
        // Factors of a trial's steps are kept, half of which lie behind a step on average: pre, post and, where it is not one
        // vector times an error, what units are told.
        let factors, count =
            if work.Rule.Name = "rflo" then
                2.0, "forward n^2, b n^2; pending 2 n T, b n T; product n^2, 2 b n^2 / T"
            else
                3.0, "forward n^2, b n^2; pending 2 n T, 3/2 b n T; product n^2, 2 b n^2 / T"

        dense count [
            product 1.0
            {
                MultiplyAdds = 2.0 * n * steps
                Bytes = factors / 2.0 * b * n * steps
                IsWritten = false
                WorkingSet = factors * b * n * steps
            }
            trialEnd
        ]
    | None, ("rflo" | "local-symmetric" | "e-prop"), Online ->
        dense "trace 2 n^2, weights n^2, next product n^2; 4 b n^2" [ through 2.0 4.0 ]
    | None, "hebb", Online -> dense "weights n^2, next product n^2; 2 b n^2" [ through 1.0 2.0 ]
    | None, "bptt", TrialEnd ->
        dense "forward and backward n^2, b n^2 each; product n^2, 2 b n^2 / T" [
            product 1.0
            product 1.0
            trialEnd
        ]
    | None, "truncated-bptt", TrialEnd ->
        // The ready-made window is two strides long.
        dense "forward n^2, b n^2; backward 2 n^2, 2 b n^2; product n^2, 2 b n^2 / T" [
            product 1.0
            product 2.0
            trialEnd
        ]
    | None, "rtrl", TrialEnd ->
        // No influence comes into the first block, and none leaves the last. Every block but the last takes 7 products of
        // Jacobians and adds what 8 steps give; every one but the first carries the error to what came before.
        let blocks = ceil (steps / block)
        let cube = n * n * n

        dense "influence n^4 / 8 + 2 n^3, 2 b n^3 / 8, in blocks of 8; forward and product as RFLO" [
            product 1.0
            {
                MultiplyAdds =
                    (max 0.0 (blocks - 2.0) * cube * n + (blocks - 1.0) * 2.0 * block * cube)
                    / steps
                Bytes = 2.0 * (blocks - 1.0) * b * cube / steps
                IsWritten = true
                WorkingSet = b * n * n * n
            }
            trialEnd
        ]
    | None, "uoro", TrialEnd when 2.0 * n >= steps ->
        // The factor over the weights is kept as products over the steps, half of which lie behind a step on average: each
        // has its inner product with the step's own, on either side.
        dense "forward and tangent 2 n^2, b n^2; overlaps n T, b n T; product n^2, 2 b n^2 / T" [
            forwardAndTangent 1.0
            {
                MultiplyAdds = n * steps
                Bytes = b * n * steps
                IsWritten = false
                WorkingSet = 2.0 * b * n * steps
            }
            trialEnd
        ]
    | None, "uoro", TrialEnd ->
        dense "forward and tangent 2 n^2, b n^2; factor and sum 4 n^2, 4 b n^2" [
            forwardAndTangent 1.0
            through 2.0 4.0
        ]
    | None, "kf-rtrl", TrialEnd ->
        dense "factor n^3, 2 b n^2; forward and product as RFLO" [
            product 1.0
            {
                through 1.0 n with
                    WorkingSet = 2.0 * matrix
            }
            trialEnd
        ]
    | None, "kernl", Online when n >= 2.0 * steps ->
        // Weights and sensitivity lie side by side; what is pending counts in the tangent too.
        dense
            "forward and tangent 2 n^2, b n^2; pending 4 n T, 2 b n T; product n^2, 2 b n^2 / T; sensitivity n^2, b n^2, and 4 n^2, 2 b n^2"
            [
                forwardAndTangent 2.0
                {
                    MultiplyAdds = 4.0 * n * steps
                    Bytes = 2.0 * b * n * steps
                    IsWritten = false
                    WorkingSet = 4.0 * b * n * steps
                }
                trialEnd
                yield! sensitivity 2.0
            ]
    | None, "kernl", Online ->
        dense
            "forward and tangent 2 n^2, b n^2; traces and weights 3 n^2, 4 b n^2; sensitivity n^2, b n^2, and 4 n^2, 2 b n^2"
            [
                forwardAndTangent 3.0
                {
                    through 2.0 3.0 with
                        WorkingSet = 3.0 * matrix
                }
                yield! sensitivity 3.0
            ]
    | _ -> None

let private secondsOf (ceilings: Ceilings) isSingle phase =
    let pick = if phase.IsWritten then _.ReadWrite else _.Read
    let arithmetic = phase.MultiplyAdds / multiplyAdds isSingle ceilings
    let bandwidth = phase.Bytes / bytesASecond pick phase.WorkingSet ceilings
    arithmetic, bandwidth

/// The least time of a step, in microseconds, and what binds most of it.
type Bound = {
    Microseconds: float
    IsArithmetic: bool
    MultiplyAdds: float
    Bytes: float
}

let bound ceilings (work: Work) (dense: Dense) =
    let times =
        dense.Phases
        |> List.map (secondsOf ceilings (work.Precision = Precision.Single))

    let longest = times |> List.map (fun (arithmetic, bytes) -> max arithmetic bytes)

    let byArithmetic =
        times
        |> List.filter (fun (arithmetic, bytes) -> arithmetic >= bytes)
        |> List.sumBy fst

    {
        Microseconds = 1e6 * List.sum longest
        IsArithmetic = byArithmetic > List.sum longest / 2.0
        MultiplyAdds = dense.Phases |> List.sumBy _.MultiplyAdds
        Bytes = dense.Phases |> List.sumBy _.Bytes
    }

/// A dense step beside its bound.
type Reached = {
    Work: Work
    Dense: Dense
    Bound: Bound
    Microseconds: float
} with

    /// The bound as a fraction of the time that was measured.
    member this.Fraction = this.Bound.Microseconds / this.Microseconds
