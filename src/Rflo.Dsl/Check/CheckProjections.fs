namespace Rflo.Dsl

open System
open Rflo.Core
open CheckValues

/// What is wrong with a projection, apart from how it learns.
module internal CheckProjections =

    /// The bounds of a projection, if they are valid.
    let soundBounds (projection: Projection) =
        projection.Bounds
        |> Option.filter (fun (low, high) -> low <= high && low < infinity && high > -infinity)

    /// Whether a connection may exist, as far as the declaration determines it.
    let mayExist projection source target post pre =
        let isMasked =
            match projection.Connectivity with
            | Mask mask when has post pre mask -> fun i j -> not mask[i, j]
            | _ -> fun _ _ -> false

        let isSpared =
            if Wiring.sparesSelf projection then
                fun i j -> Wiring.isSelf source target (i, j)
            else
                fun _ _ -> false

        fun i j -> not (isMasked i j) && not (isSpared i j)

    /// The first connection, row after row, of which something holds, and its weight.
    let private tryFind holds (matrix: WeightMatrix) =
        let find (columns: int -> int) (entry: int -> int -> struct (int * float)) =
            let mutable found = None
            let mutable i = 0

            while found.IsNone && i < matrix.Rows do
                let mutable k = 0
                let count = columns i

                while found.IsNone && k < count do
                    let struct (j, weight) = entry i k

                    if holds i j weight then
                        found <- Some(i, j, weight)

                    k <- k + 1

                i <- i + 1

            found

        match matrix with
        | WeightMatrix.Full full ->
            find (fun _ -> full.GetLength 1) (fun i j -> struct (j, full[i, j]))
        | WeightMatrix.Sparse weights ->
            let start = weights.RowStart

            find (fun i -> start[i + 1] - start[i]) (fun i k ->
                struct (weights.Presynaptic[start[i] + k], weights.Values[start[i] + k]))

    let givenMatrix
        precision
        (circuit: Circuit)
        projection
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        (matrix: WeightMatrix)
        = [
        let post, pre = target.Size, source.Size

        if matrix.Rows <> post || matrix.Columns <> pre then
            WrongShape(
                "the weights",
                shape matrix.Rows matrix.Columns,
                $"{shape post pre}, (post, pre)"
            )
        else
            let isWrong weight =
                not (Double.IsFinite(rounded precision weight))

            match tryFind (fun _ _ weight -> isWrong weight) matrix with
            | Some(_, _, wrong) -> yield! finiteIn precision "a weight" wrong
            | None -> ()

            let exists = mayExist projection source target post pre

            match Wiring.signsOf circuit projection with
            | Some signs ->
                match
                    matrix
                    |> tryFind (fun i j weight ->
                        float signs[j] * rounded precision weight < 0.0 && exists i j)
                with
                | Some(i, j, weight) ->
                    let kind = if signs[j] > 0y then "excitatory" else "inhibitory"
                    let sign = if signs[j] > 0y then "at least 0" else "at most 0"

                    NotAllowed(
                        $"the weight of row {i}, column {j}",
                        string weight,
                        $"{sign}, since Dale's law makes its presynaptic unit {kind}"
                    )
                | None -> ()
            | None -> ()

            match soundBounds projection with
            | Some(low, high) ->
                // In single precision a run uses the bounds rounded to single numbers, and leaves weights that may be these.
                let isWithin precision weight =
                    let weight = rounded precision weight
                    weight >= rounded precision low && weight <= rounded precision high

                let isOutside weight =
                    let isSingle = weight = rounded Precision.Single weight
                    not (isWithin precision weight || isSingle && isWithin Precision.Single weight)

                match matrix |> tryFind (fun i j weight -> isOutside weight && exists i j) with
                | Some(i, j, weight) ->
                    NotAllowed(
                        $"the weight of row {i}, column {j}",
                        string weight,
                        $"in [{string low}, {string high}], its bounds"
                    )
                | None -> ()
            | None -> ()
    ]

    /// What is wrong with initial weights, whatever the sizes of the two ends.
    let start precision (projection: Projection) read = [
        match projection.Weights with
        | Gaussian gain -> yield! notNegativeIn precision "the gain" gain
        | SpectralRadius radius ->
            if not (radius > 0.0) || not (isFinite precision radius) then
                NotAllowed("the spectral radius", string radius, "finite and more than 0")

            if projection.Source <> projection.Target then
                Contradiction(
                    "a spectral radius is that of weights from an area, or a population, to itself",
                    "let both ends be the same, or use gaussian"
                )

            if Option.isSome (soundBounds projection) then
                Contradiction(
                    "weights of a given spectral radius have no bounds at the start",
                    "leave the bounds out, or use gaussian"
                )
        | UniformScaled bound ->
            yield! notNegativeIn precision "the bound of the uniform weights" bound
        | Constant weight
        | OneToOne weight -> yield! finiteIn precision "the weight" weight
        | Uniform(low, high) ->
            yield! finiteIn precision "the lower end of the uniform weights" low
            yield! finiteIn precision "the upper end of the uniform weights" high

            if low > high then
                NotAllowed(
                    "the lower end of the uniform weights",
                    string low,
                    $"at most the upper end, {string high}"
                )
        | Given _
        | GivenSparse _ -> ()
        | ReadFrom(source, _) ->
            match read with
            | Some(Error reason) -> Unreadable(source, reason)
            | _ -> ()

        match projection.Weights with
        | Gaussian _
        | SpectralRadius _
        | Uniform _
        | UniformScaled _ -> ()
        | _ when projection.Balanced ->
            Contradiction(
                "balanced weights must be drawn",
                "use gaussian, spectralRadius, uniform or uniformScaled, or leave balanced out; Circuit.withWeights takes the weights of a run unchanged"
            )
        | _ -> ()
    ]

    /// The most weights that one array can hold.
    let mostWeights = float Array.MaxLength

    /// What is wrong with initial weights between ends of those sizes.
    let startShape
        precision
        circuit
        (projection: Projection)
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        read
        = [
        let post, pre = target.Size, source.Size

        match projection.Weights, read with
        | OneToOne _, _ when post <> pre ->
            Contradiction(
                $"it is one-to-one between {pre} and {post} units",
                "make both ends the same size"
            )
        | Given matrix, _ ->
            yield! givenMatrix precision circuit projection source target (WeightMatrix.Full matrix)
        | GivenSparse weights, _ ->
            yield!
                givenMatrix precision circuit projection source target (WeightMatrix.Sparse weights)
        | ReadFrom _, Some(Ok matrix) ->
            yield! givenMatrix precision circuit projection source target matrix
        | _ -> ()

        let stored =
            match projection.Connectivity with
            | _ when projection.Weights.IsGivenSparse && Wiring.isSparse projection post pre -> 0.0
            | Density fraction when Wiring.isSparse projection post pre ->
                fraction * float post * float pre
            | _ when Wiring.isSparse projection post pre -> float post
            | _ -> float post * float pre

        if stored > mostWeights then
            NotAllowed(
                "the number of weights",
                $"%.0f{stored}",
                $"at most %.0f{mostWeights}; split the projection, or give it a density of at most {string Wiring.sparseBelow}"
            )
    ]

    let connectivity (projection: Projection) = [
        match projection.Connectivity, projection.Weights with
        | Density fraction, _ when not (fraction > 0.0 && fraction <= 1.0) ->
            NotAllowed("density", string fraction, "in (0, 1]")
        | (Density _ | Mask _), OneToOne _ ->
            Contradiction("it is one-to-one and has a density or a mask", "leave one of them out")
        | Density _, (Given _ | GivenSparse _ | ReadFrom _) ->
            Contradiction(
                "its weights are given and it has a density, which would draw connections among them",
                "leave the density out; a mask, or a sparse matrix, says which connections exist"
            )
        | _ -> ()

        if not projection.SelfConnections then
            match projection.Weights with
            | _ when not (Wiring.isRecurrent projection) ->
                Contradiction(
                    "it leaves out the connections of units to themselves, and does not run from an area to itself",
                    "leave noSelf out"
                )
            | OneToOne _ when projection.Source = projection.Target ->
                Contradiction(
                    "it is one-to-one and leaves out the connections of units to themselves, so no connection is left",
                    "leave noSelf out"
                )
            | _ -> ()
    ]

    /// Whether weights of an area to itself can have a spectral radius other than 0.
    let returns seed (projection: Projection) (source: Wiring.Resolved) (target: Wiring.Resolved) = [
        let isSound =
            match projection.Connectivity with
            | Dense -> true
            | Density fraction -> fraction > 0.0 && fraction <= 1.0
            | Mask matrix -> has target.Size source.Size matrix

        match projection.Weights with
        | SpectralRadius _ when
            isSound
            && projection.Source = projection.Target
            && not (Draw.returns seed projection source target)
            ->
            Contradiction(
                "its connections contain no cycle, so its spectral radius is 0 whatever the weights",
                "use more connections, or gaussian weights"
            )
        | _ -> ()
    ]

    let maskShape (projection: Projection) (post: int) (pre: int) = [
        match projection.Connectivity with
        | Mask matrix when not (has post pre matrix) ->
            WrongShape("the mask", shapeOf matrix, $"{shape post pre}, (post, pre)")
        | _ -> ()
    ]

    /// Whether the signs of a projection's source are undetermined, since its area is unknown or its Dale fraction is wrong.
    let areSignsUnknown circuit (projection: Projection) =
        match Wiring.areaOf projection.Source |> Option.map (Wiring.findArea circuit) with
        | Some(Ok area) -> Option.isSome area.Dale && Option.isNone (Wiring.excitatory area)
        | Some(Error _) -> true
        | None -> false

    let balance
        circuit
        (projection: Projection)
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        = [
        if projection.Balanced then
            match Wiring.signsOf circuit projection with
            | _ when projection.Target.IsOfReadout ->
                Contradiction(
                    "balanced weights have signs, and those of a readout have none",
                    "leave balanced out"
                )
            | Some signs when Array.contains 1y signs && Array.contains -1y signs ->
                if Option.isSome (soundBounds projection) then
                    Contradiction(
                        "bounds at the start would unbalance balanced weights",
                        "leave one of the two out"
                    )

                let isOneSided row =
                    let excitatory, inhibitory = Wiring.inputsOf projection source target signs row

                    (excitatory = 0) <> (inhibitory = 0)

                let isSound =
                    match projection.Connectivity with
                    | Mask mask -> has target.Size source.Size mask
                    | Dense
                    | Density _ -> true

                if isSound then
                    match Seq.tryFind isOneSided (seq { 0 .. target.Size - 1 }) with
                    | Some row ->
                        Contradiction(
                            $"row {row} has connections of one sign only, which cannot be balanced",
                            "give it connections of both signs, or leave balanced out"
                        )
                    | None -> ()
            | _ when areSignsUnknown circuit projection -> ()
            | _ ->
                Contradiction(
                    "balanced weights need excitatory and inhibitory units at the source",
                    "give the source a dale fraction between 0 and 1, or leave balanced out"
                )
    ]

    /// Every value of initial weights that are not drawn.
    let fixedValues (projection: Projection) (signs: sbyte[] option) =
        match projection.Weights, signs with
        | (Constant weight | OneToOne weight), None -> [ weight ]
        | (Constant weight | OneToOne weight), Some signs -> [
            for sign in Array.distinct signs -> float sign * abs weight
          ]
        | _ -> []

    let bounds precision circuit (projection: Projection) = [
        let signs = Wiring.signsOf circuit projection

        let has sign =
            signs |> Option.exists (Array.contains sign)

        match soundBounds projection with
        | Some _ when areSignsUnknown circuit projection -> ()
        | Some(low, high) ->
            if low > 0.0 && has -1y || high < 0.0 && has 1y then
                let kind = if low > 0.0 then "inhibitory" else "excitatory"

                Contradiction(
                    $"the bounds [{string low}, {string high}] leave no weight to the {kind} units of the source",
                    "let them include 0"
                )
            else
                match
                    fixedValues projection signs
                    |> List.tryFind (fun value ->
                        rounded precision value < rounded precision low
                        || rounded precision value > rounded precision high)
                with
                | Some value ->
                    NotAllowed(
                        "the weight",
                        string value,
                        $"in [{string low}, {string high}], its bounds"
                    )
                | None -> ()
        | None -> ()
    ]

    let delay dt (projection: Projection) = [
        match projection.Delay, projection.Source, projection.Target with
        | None, _, _ -> ()
        | Some _, _, OfReadout _ ->
            Contradiction("a readout receives rates of the same step", "leave the delay out")
        | Some _, (OfInput _ | OfChannels _ | OfBias), _ ->
            Contradiction(
                "inputs and biases arrive in the same step",
                "leave the delay out, and delay the task's inputs instead"
            )
        | Some duration, _, _ -> yield! TaskCompile.durationFaults "delay" dt duration
    ]

    let opening dt (task: Task) (projection: Projection) = [
        match projection.Opening, projection.Target with
        | Always, _ -> ()
        | _, OfReadout _ ->
            Contradiction("a projection onto a readout has no gate", "leave the gate out")
        | Every duration, _ -> yield! TaskCompile.durationFaults "the gate's period" dt duration
        | AtEvent event, _ when not (List.contains event task.Events) ->
            Unknown(EventName, event, task.Events)
        | _ -> ()
    ]

    let ends (projection: Projection) = [
        match projection.Source, projection.Target with
        | (OfInput _ | OfChannels _ | OfReadout _), OfReadout _ ->
            Contradiction(
                "a readout receives signals from areas and from the bias only",
                "put an area between the two"
            )
        | _, (OfInput _ | OfChannels _ | OfBias) ->
            Contradiction(
                $"an arrow cannot end at {Wiring.endName projection.Target}",
                "let it end at an area, a population or a readout"
            )
        | _ -> ()
    ]

    let boundsAndDecay precision (projection: Projection) = [
        match projection.Bounds with
        | Some(low, _) when low = infinity ->
            NotAllowed("the lower bound", string low, "less than infinity")
        | Some(_, high) when high = -infinity ->
            NotAllowed("the upper bound", string high, "more than -infinity")
        | Some(low, high) when not (low <= high) ->
            NotAllowed("the lower bound", string low, $"at most the upper bound, {string high}")
        | _ -> ()

        for label, strength in projection.Decays do
            let word = label.ToLowerInvariant()

            let does =
                if word = "decay" then
                    "decays with every update"
                else
                    "has a penalty on its weights"

            yield! notNegativeIn precision word strength

            if projection.Plasticity.IsFrozen && strength > 0.0 then
                Contradiction(
                    $"it {does} and is frozen, so it has no update",
                    $"let it learn, such as |> learningRate 0.03, or leave {word} out"
                )
    ]
