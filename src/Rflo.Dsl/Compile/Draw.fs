namespace Rflo.Dsl

open System
open Rflo.Core

/// The random draws of a circuit: which connections exist, weights, feedback. Each has a stream of its own, named
/// after its projection, so that its numbers do not depend on other parts.
[<RequireQualifiedAccess>]
module internal Draw =

    /// Connections of a projection.
    type private Pattern =
        | All
        /// Where the connections of each row begin, shape (post + 1), and their presynaptic units, rising within a row.
        | Rows of start: int[] * presynaptic: int[]

    /// The connections that exist, row after row, among `candidates` of each row.
    let private rows post (candidates: int -> int seq) exists =
        let start, presynaptic = Array.zeroCreate (post + 1), ResizeArray()

        for i in 0 .. post - 1 do
            for j in candidates i do
                if exists i j then
                    presynaptic.Add j

            start[i + 1] <- presynaptic.Count

        Rows(start, presynaptic.ToArray())

    /// Connections drawn with equal probability: the gaps between them are geometric, so the time depends on the existing ones only.
    let private drawn (stream: RandomStream) fraction (post: int) (pre: int) =
        if fraction >= 1.0 then
            All
        else
            let total = int64 post * int64 pre
            // At the smallest fractions 1 - fraction is 1: then no gap ends within the matrix.
            let logAbsent = min (Math.Log(1.0 - fraction)) -Double.Epsilon
            let start, presynaptic = Array.zeroCreate (post + 1), ResizeArray()
            let mutable at = -1L

            while at < total do
                let gap = Math.Floor(Math.Log(1.0 - stream.Uniform(0.0, 1.0)) / logAbsent)
                at <- if gap > float total then total else at + 1L + int64 gap

                if at < total then
                    let row = int (at / int64 pre)
                    presynaptic.Add(int (at % int64 pre))
                    start[row + 1] <- start[row + 1] + 1

            for i in 0 .. post - 1 do
                start[i + 1] <- start[i + 1] + start[i]

            Rows(start, presynaptic.ToArray())

    let private pattern
        seed
        (projection: Projection)
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        =
        let post, pre = target.Size, source.Size
        let every _ = seq { 0 .. pre - 1 }

        /// The connections of the pattern for which `exists` is true.
        let those exists =
            function
            | All -> rows post every exists
            | Rows(start, presynaptic) ->
                rows
                    post
                    (fun i -> ArraySegment(presynaptic, start[i], start[i + 1] - start[i]))
                    exists

        let connected =
            match projection.Connectivity, projection.Weights with
            | _, OneToOne _ -> rows post Seq.singleton (fun _ _ -> true)
            | Mask matrix, GivenSparse weights ->
                Rows(weights.RowStart, weights.Presynaptic) |> those (fun i j -> matrix[i, j])
            | _, GivenSparse weights -> Rows(weights.RowStart, weights.Presynaptic)
            | Dense, _ -> All
            | Density fraction, _ ->
                drawn (RandomStream(seed, $"mask {Wiring.label projection}")) fraction post pre
            | Mask matrix, _ -> All |> those (fun i j -> matrix[i, j])

        if Wiring.sparesSelf projection then
            connected |> those (fun i j -> not (Wiring.isSelf source target (i, j)))
        else
            connected

    /// Factors of the excitatory and the inhibitory weights of a row that balance the two: inhibitory weights are scaled so that the
    /// row's expected inputs sum to zero, then all so that their mean square is unchanged. A row with connections of one sign, which
    /// the check refuses, is not scaled.
    let private balance (excitatory: int, inhibitory: int) =
        if excitatory = 0 || inhibitory = 0 then
            1.0, 1.0
        else
            let excitatory, inhibitory = float excitatory, float inhibitory
            let ratio = excitatory / inhibitory
            let count = excitatory + inhibitory
            let all = sqrt (count / (excitatory + inhibitory * ratio * ratio))
            all, all * ratio

    /// The factor of every connection of a balanced projection.
    let private balancing (projection: Projection) source (target: Wiring.Resolved) signs =
        let ofRow = Wiring.inputsOf projection source target signs >> balance

        let factors =
            match projection.Connectivity with
            | Mask _ -> Array.init target.Size ofRow
            | _ when Wiring.sparesSelf projection -> Array.init target.Size ofRow
            | _ -> Array.create target.Size (ofRow 0)

        fun i j ->
            let excitatory, inhibitory = factors[i]
            if signs[j] > 0y then excitatory else inhibitory

    /// Weight of one connection as a function of (post, pre), called row after row.
    let private weight
        seed
        (projection: Projection)
        source
        target
        signs
        expected
        : int -> int -> float =
        let stream = RandomStream(seed, $"weights {Wiring.label projection}")
        let scale = 1.0 / sqrt (max 1.0 expected)

        let raw: int -> int -> float =
            match projection.Weights with
            | Given matrix -> fun i j -> matrix[i, j]
            | GivenSparse weights ->
                fun i j -> SparseWeights.tryItem i j weights |> Option.defaultValue 0.0
            | Gaussian gain -> fun _ _ -> gain * scale * stream.Gaussian()
            | SpectralRadius _ -> fun _ _ -> scale * stream.Gaussian()
            | Uniform(low, high) -> fun _ _ -> stream.Uniform(low, high)
            | UniformScaled bound -> fun _ _ -> scale * stream.Uniform(-bound, bound)
            | Constant weight
            | OneToOne weight -> fun _ _ -> weight
            | ReadFrom _ -> invalidOp "a matrix that was read is missing"

        let signed =
            match signs, projection.Weights with
            | None, _ -> raw
            // The signs of given weights were checked, so these are not changed; a weight of 0 keeps its sign bit.
            | _, (Given _ | GivenSparse _) -> raw
            | Some(signs: sbyte[]), _ when projection.Balanced ->
                let factor = balancing projection source target signs
                fun i j -> float signs[j] * factor i j * abs (raw i j)
            | Some signs, _ -> fun i j -> float signs[j] * abs (raw i j)

        match projection.Bounds with
        | Some(low, high) -> fun i j -> Math.Clamp(signed i j, low, high)
        | None -> signed

    /// Calls an action with every connection, row after row, and its place among them.
    let private each (start: int[]) (presynaptic: int[]) action =
        for i in 0 .. start.Length - 2 do
            for k in start[i] .. start[i + 1] - 1 do
                action k i presynaptic[k]

    let private sparse start (presynaptic: int[]) weight =
        let weights = Array.zeroCreate presynaptic.Length
        each start presynaptic (fun k i j -> weights[k] <- weight i j)
        Synapses.Sparse(start, presynaptic, weights)

    let private dense (post: int) (pre: int) start presynaptic weight =
        let weights = Array.zeroCreate (post * pre)
        let exists = Array.zeroCreate (post * pre)

        each start presynaptic (fun _ i j ->
            weights[i * pre + j] <- weight i j
            exists[i * pre + j] <- true)

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

    /// Whether a projection's connections contain a cycle; without one, the spectral radius
    /// is 0 whatever the weights.
    let returns seed projection (source: Wiring.Resolved) (target: Wiring.Resolved) =
        match pattern seed projection source target with
        | All -> true
        | Rows(start, presynaptic) ->
            let pairs = ResizeArray presynaptic.Length
            each start presynaptic (fun _ i j -> pairs.Add(struct (i, j)))
            let core = Spectrum.Core(target.Size, pairs)

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
    let synapses seed circuit projection (source: Wiring.Resolved) (target: Wiring.Resolved) =
        let post, pre = target.Size, source.Size
        let signs = Wiring.signsOf circuit projection

        let weight = weight seed projection source target signs (expected projection pre)

        let drawn =
            match pattern seed projection source target with
            | All -> full post pre weight
            | Rows(start, presynaptic) when Wiring.isSparse projection post pre ->
                sparse start presynaptic weight
            | Rows(start, presynaptic) -> dense post pre start presynaptic weight

        match projection.Weights with
        | SpectralRadius radius -> scaledTo radius post drawn
        | _ -> drawn

    /// The rates with which every trial of an area begins, drawn once.
    let initial seed area units mean deviation =
        let stream = RandomStream(seed, $"initial rates {area}")
        Array.init units (fun _ -> mean + deviation * stream.Gaussian())

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
