namespace Rflo.Dsl

open System
open Rflo.Core
open CheckValues

/// What is wrong with a projection, but for how it learns.
module internal CheckProjections =

    /// The bounds of a projection, where they make sense.
    let soundBounds (projection: Projection) =
        projection.Bounds
        |> Option.filter (fun (low, high) -> low <= high && low < infinity && high > -infinity)

    /// Whether a connection may exist, as far as its projection says.
    let mayExist projection source target (matrix: float[,]) (i, j) =
        let isMasked =
            match projection.Connectivity with
            | Mask mask when has (matrix.GetLength 0) (matrix.GetLength 1) mask -> not mask[i, j]
            | _ -> false

        not isMasked
        && not (Wiring.sparesSelf projection && Wiring.isSelf source target (i, j))

    let givenMatrix
        (circuit: Circuit)
        projection
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        (matrix: float[,])
        = [
        let post, pre = target.Size, source.Size

        if not (has post pre matrix) then
            WrongShape("the weights", shapeOf matrix, $"{shape post pre}, (post, pre)")
        else
            yield! allFinite "a weight" matrix

            let existing =
                Seq.allPairs (seq { 0 .. post - 1 }) (seq { 0 .. pre - 1 })
                |> Seq.filter (mayExist projection source target matrix)

            match Wiring.signsOf circuit projection with
            | Some signs ->
                match
                    existing |> Seq.tryFind (fun (i, j) -> float signs[j] * matrix[i, j] < 0.0)
                with
                | Some(i, j) ->
                    let kind = if signs[j] > 0y then "excitatory" else "inhibitory"
                    let sign = if signs[j] > 0y then "at least 0" else "at most 0"

                    NotAllowed(
                        $"the weight of row {i}, column {j}",
                        string matrix[i, j],
                        $"{sign}, since Dale's law makes its presynaptic unit {kind}"
                    )
                | None -> ()
            | None -> ()

            match soundBounds projection with
            | Some(low, high) ->
                match
                    existing
                    |> Seq.tryFind (fun (i, j) -> matrix[i, j] < low || matrix[i, j] > high)
                with
                | Some(i, j) ->
                    NotAllowed(
                        $"the weight of row {i}, column {j}",
                        string matrix[i, j],
                        $"in [{low}, {high}], its bounds"
                    )
                | None -> ()
            | None -> ()
    ]

    /// What is wrong with a start whatever the sizes of the two ends.
    let start (projection: Projection) read = [
        match projection.Weights with
        | Gaussian gain -> yield! notNegative "the gain" gain
        | SpectralRadius radius ->
            if not (radius > 0.0) || not (Double.IsFinite radius) then
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
        | UniformScaled bound -> yield! notNegative "the bound of the uniform weights" bound
        | Constant weight
        | OneToOne weight -> yield! finite "the weight" weight
        | Uniform(low, high) ->
            yield! finite "the lower end of the uniform weights" low
            yield! finite "the upper end of the uniform weights" high

            if low > high then
                NotAllowed(
                    "the lower end of the uniform weights",
                    string low,
                    $"at most the upper end, {high}"
                )
        | Given _ -> ()
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
                "use gaussian, spectralRadius, uniform or uniformScaled"
            )
        | _ -> ()
    ]

    /// The most weights that one array can hold.
    let mostWeights = float Array.MaxLength

    /// What is wrong with a start between those units.
    let startShape
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
        | Given matrix, _
        | ReadFrom _, Some(Ok matrix) -> yield! givenMatrix circuit projection source target matrix
        | _ -> ()

        let stored =
            match projection.Connectivity with
            | Density fraction when Wiring.isSparse projection post pre ->
                fraction * float post * float pre
            | _ when Wiring.isSparse projection post pre -> float post
            | _ -> float post * float pre

        if stored > mostWeights then
            NotAllowed(
                "the number of weights",
                $"%.0f{stored}",
                $"at most %.0f{mostWeights}; split the projection, or give it a density of at most {Wiring.sparseBelow}"
            )
    ]

    let connectivity (projection: Projection) = [
        match projection.Connectivity, projection.Weights with
        | Density fraction, _ when not (fraction > 0.0 && fraction <= 1.0) ->
            NotAllowed("density", string fraction, "in (0, 1]")
        | (Density _ | Mask _), OneToOne _ ->
            Contradiction("it is one-to-one and has a density or a mask", "leave one of them out")
        | _ -> ()
    ]

    /// Whether weights of an area to itself can have any spectral radius but 0.
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
                "no path through its connections leads back to where it began, so its spectral radius is 0 whatever the weights",
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

    /// Whether the signs of a projection's source cannot be told, since its area is unknown or its Dale fraction wrong.
    let areSignsUnknown circuit (projection: Projection) =
        match Wiring.areaOf projection.Source |> Option.map (Wiring.findArea circuit) with
        | Some(Ok area) -> Option.isSome area.Dale && Option.isNone (Wiring.excitatory area)
        | Some(Error _) -> true
        | None -> false

    let balance circuit (projection: Projection) = [
        if projection.Balanced then
            match Wiring.signsOf circuit projection with
            | Some signs when Array.contains 1y signs && Array.contains -1y signs -> ()
            | _ when areSignsUnknown circuit projection -> ()
            | _ ->
                Contradiction(
                    "balanced weights need excitatory and inhibitory units at the source",
                    "give the source a dale fraction between 0 and 1, or leave balanced out"
                )
    ]

    /// Every value that a start without draws gives its weights.
    let fixedValues (projection: Projection) (signs: sbyte[] option) =
        match projection.Weights, signs with
        | (Constant weight | OneToOne weight), None -> [ weight ]
        | (Constant weight | OneToOne weight), Some signs -> [
            for sign in Array.distinct signs -> float sign * abs weight
          ]
        | _ -> []

    let bounds circuit (projection: Projection) = [
        let signs = Wiring.signsOf circuit projection

        let has sign =
            signs |> Option.exists (Array.contains sign)

        match soundBounds projection with
        | Some _ when areSignsUnknown circuit projection -> ()
        | Some(low, high) ->
            if low > 0.0 && has -1y || high < 0.0 && has 1y then
                let kind = if low > 0.0 then "inhibitory" else "excitatory"

                Contradiction(
                    $"the bounds [{low}, {high}] leave no weight to the {kind} units of the source",
                    "let them include 0"
                )
            else
                match
                    fixedValues projection signs
                    |> List.tryFind (fun value -> value < low || value > high)
                with
                | Some value ->
                    NotAllowed("the weight", string value, $"in [{low}, {high}], its bounds")
                | None -> ()
        | None -> ()
    ]

    let delay dt (projection: Projection) = [
        match projection.Delay, projection.Source, projection.Target with
        | None, _, _ -> ()
        | Some _, _, OfReadout _ ->
            Contradiction("a readout listens to rates of the same step", "leave the delay out")
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
                "a readout listens to areas and to the bias only",
                "put an area between the two"
            )
        | _, (OfInput _ | OfChannels _ | OfBias) ->
            Contradiction(
                $"an arrow cannot end at {Wiring.endName projection.Target}",
                "let it end at an area, a population or a readout"
            )
        | _ -> ()
    ]

    let boundsAndDecay (projection: Projection) = [
        match projection.Bounds with
        | Some(low, _) when low = infinity ->
            NotAllowed("the lower bound", string low, "less than infinity")
        | Some(_, high) when high = -infinity ->
            NotAllowed("the upper bound", string high, "more than -infinity")
        | Some(low, high) when not (low <= high) ->
            NotAllowed("the lower bound", string low, $"at most the upper bound, {high}")
        | _ -> ()

        yield! notNegative "decay" projection.Decay
    ]
