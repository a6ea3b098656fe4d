namespace Rflo.Dsl

open System
open Rflo.Core

/// The random draws of a circuit: which connections exist, weights, feedback. Each has a stream of its own, named
/// after its projection, so that no part moves another's numbers.
[<RequireQualifiedAccess>]
module internal Draw =

    /// Connections of a projection as (post, pre) pairs, row after row.
    type private Pattern =
        | All
        | These of (int * int)[]

    /// Pairs drawn with the same probability each: the gaps between them are geometric, so absent ones cost nothing.
    let private drawn (stream: RandomStream) fraction (post: int) (pre: int) =
        if fraction >= 1.0 then
            All
        else
            let total = int64 post * int64 pre
            // At the smallest fractions 1 - fraction is 1: then no gap ends within the matrix.
            let logAbsent = min (Math.Log(1.0 - fraction)) -Double.Epsilon
            let found = ResizeArray()
            let mutable at = -1L

            while at < total do
                let gap = Math.Floor(Math.Log(1.0 - stream.Uniform(0.0, 1.0)) / logAbsent)
                at <- if gap > float total then total else at + 1L + int64 gap

                if at < total then
                    found.Add(int (at / int64 pre), int (at % int64 pre))

            These(found.ToArray())

    let private pattern
        seed
        (projection: Projection)
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        =
        let post, pre = target.Size, source.Size
        let every = Seq.allPairs (seq { 0 .. post - 1 }) (seq { 0 .. pre - 1 })

        let connected =
            match projection.Connectivity, projection.Weights with
            | _, OneToOne _ -> These [| for k in 0 .. post - 1 -> k, k |]
            | Dense, _ -> All
            | Density fraction, _ ->
                drawn (RandomStream(seed, $"mask {Wiring.label projection}")) fraction post pre
            | Mask matrix, _ ->
                These(every |> Seq.filter (fun (i, j) -> matrix[i, j]) |> Array.ofSeq)

        let isSelf = Wiring.isSelf source target

        match connected with
        | _ when not (Wiring.sparesSelf projection) -> connected
        | All -> These(every |> Seq.filter (isSelf >> not) |> Array.ofSeq)
        | These pairs -> These(pairs |> Array.filter (isSelf >> not))

    /// Factors of the columns that balance excitation and inhibition: inhibitory weights are scaled so that a unit's
    /// expected inputs sum to zero, then all so that their mean square stays what it was.
    let private balance (signs: sbyte[]) =
        let excitatory =
            signs |> Array.filter (fun sign -> sign > 0y) |> Array.length |> float

        let inhibitory = float signs.Length - excitatory
        let ratio = excitatory / inhibitory
        let all = sqrt (float signs.Length / (excitatory + inhibitory * ratio * ratio))
        signs |> Array.map (fun sign -> if sign > 0y then all else all * ratio)

    /// Weight of one connection as a function of (post, pre), called row after row.
    let private weight
        seed
        (projection: Projection)
        (matrix: float[,] option)
        signs
        expected
        : int -> int -> float =
        let stream = RandomStream(seed, $"weights {Wiring.label projection}")
        let scale = 1.0 / sqrt (max 1.0 expected)

        let raw: int -> int -> float =
            match projection.Weights, matrix with
            | _, Some matrix -> fun i j -> matrix[i, j]
            | Gaussian gain, _ -> fun _ _ -> gain * scale * stream.Gaussian()
            | SpectralRadius _, _ -> fun _ _ -> scale * stream.Gaussian()
            | Uniform(low, high), _ -> fun _ _ -> stream.Uniform(low, high)
            | UniformScaled bound, _ -> fun _ _ -> scale * stream.Uniform(-bound, bound)
            | (Constant weight | OneToOne weight), _ -> fun _ _ -> weight
            | (Given _ | ReadFrom _), None -> invalidOp "a matrix that was checked is missing"

        let signed =
            match signs with
            | None -> raw
            | Some(signs: sbyte[]) when projection.Balanced ->
                let factors = balance signs
                fun i j -> float signs[j] * factors[j] * abs (raw i j)
            | Some signs -> fun i j -> float signs[j] * abs (raw i j)

        match projection.Bounds with
        | Some(low, high) -> fun i j -> Math.Clamp(signed i j, low, high)
        | None -> signed

    let private sparse post (pairs: (int * int)[]) weight =
        let start = Array.zeroCreate (post + 1)

        for i, _ in pairs do
            start[i + 1] <- start[i + 1] + 1

        for i in 0 .. post - 1 do
            start[i + 1] <- start[i + 1] + start[i]

        Synapses.Sparse(
            start,
            pairs |> Array.map snd,
            pairs |> Array.map (fun (i, j) -> weight i j)
        )

    let private dense (post: int) (pre: int) (pairs: (int * int)[]) weight =
        let weights = Array.zeroCreate (post * pre)
        let exists = Array.zeroCreate (post * pre)

        for i, j in pairs do
            weights[i * pre + j] <- weight i j
            exists[i * pre + j] <- true

        Synapses.Dense(weights, exists)

    let private full (post: int) (pre: int) weight =
        let weights = Array.zeroCreate (post * pre)

        for i in 0 .. post - 1 do
            for j in 0 .. pre - 1 do
                weights[i * pre + j] <- weight i j

        Synapses.Dense weights

    /// Expected number of inputs of a unit: presynaptic units times density.
    let private expected (projection: Projection) (pre: int) =
        match projection.Connectivity with
        | Density fraction -> fraction * float pre
        | Mask matrix ->
            (matrix |> Seq.cast<bool> |> Seq.filter id |> Seq.length |> float)
            / float (max 1 (matrix.GetLength 0))
        | Dense -> float pre

    /// Whether any path through a projection's connections leads back to where it began; without one, the spectral radius
    /// is 0 whatever the weights.
    let returns seed projection (source: Wiring.Resolved) (target: Wiring.Resolved) =
        match pattern seed projection source target with
        | All -> true
        | These pairs ->
            let core =
                Spectrum.Core(target.Size, pairs |> Seq.map (fun (i, j) -> struct (i, j)))

            core.Length > 0

    /// The same connections with weights of that spectral radius.
    let private scaledTo radius size (synapses: Synapses) =
        let factor = radius / Spectrum.Radius(synapses, size)
        let scaled = Array.map ((*) factor)

        match synapses with
        | :? SparseSynapses as sparse -> sparse.With(scaled sparse.Weights)
        | :? DenseSynapses as dense -> Synapses.Dense(scaled dense.Weights, dense.Exists)
        | _ -> invalidOp "no such kind of synapses"

    /// Connections and weights of a projection.
    let synapses
        seed
        circuit
        projection
        matrix
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        =
        let post, pre = target.Size, source.Size
        let signs = Wiring.signsOf circuit projection
        let weight = weight seed projection matrix signs (expected projection pre)

        let drawn =
            match pattern seed projection source target with
            | All -> full post pre weight
            | These pairs when Wiring.isSparse projection post pre -> sparse post pairs weight
            | These pairs -> dense post pre pairs weight

        match projection.Weights with
        | SpectralRadius radius -> scaledTo radius post drawn
        | _ -> drawn

    /// The fixed matrix B of a feedback, row-major; none where it is symmetric.
    let feedback seed (feedback: Feedback) (units: int) (outputs: int) =
        match feedback.Through with
        | SymmetricFeedback -> None
        | GivenFeedback matrix ->
            Some [|
                for i in 0 .. units - 1 do
                    for k in 0 .. outputs - 1 -> matrix[i, k]
            |]
        | RandomFeedback scale ->
            let stream = RandomStream(seed, $"feedback {feedback.Readout}->{feedback.Area}")
            Some(Array.init (units * outputs) (fun _ -> scale * stream.Gaussian()))
