namespace Rflo.Host

open System
open MathNet.Numerics.LinearAlgebra
open Plotly.NET

/// The figures of a report, each from plain arrays.
[<RequireQualifiedAccess>]
module internal Figures =

    /// Words as the beginning of a title.
    let sentence (words: string) =
        if words = "" then
            ""
        else
            words.Substring(0, 1).ToUpperInvariant() + words.Substring 1

    let private isPositive value = Double.IsFinite value && value > 0.0

    let private thinned isSingle (bins: Thinned) =
        if not bins.IsThinned then
            ""
        else
            let band =
                if isSingle then
                    "; band: their smallest and largest"
                else
                    ""

            $" Line: median of the trials in a bin (bins are equally wide in log trial){band}."

    /// The axis of trials, as long as the longest series.
    let private trials (curves: (string * float[]) list) =
        let longest = curves |> List.map (snd >> Array.length) |> List.fold max 2
        Style.logAxis "trial (the first is 1)" (1.0, float longest)

    /// Limits on a logarithmic axis, with some room.
    let logLimits (series: float[] seq) =
        let numbers = series |> Seq.collect (Seq.filter isPositive) |> Array.ofSeq

        if numbers.Length = 0 then
            0.1, 1.0
        else
            let low, high = Array.min numbers, Array.max numbers
            let room = max 1.1 ((high / low) ** 0.04)
            low / room, min (high * room) 1e300

    /// The numbers of losses that a logarithmic axis cannot show, and of trials without a loss, in words.
    let private leftOut (curves: (string * float[]) list) =
        let count chosen =
            curves |> List.sumBy (snd >> Array.filter chosen >> Array.length)

        let without, others =
            count Double.IsNaN, count (fun loss -> not (Double.IsNaN loss || isPositive loss))

        String.concat "" [
            if without > 0 then
                $" {without} trials have no loss: they had no target, or the run diverged."
            if others > 0 then
                $" {others} of the losses are 0 or not finite and cannot be shown on this axis."
        ]

    /// Loss of every trial on logarithmic axes, by its definition in words; a curve for each name.
    let loss (definition: string) (curves: (string * float[]) list) =
        let traces, bins =
            curves
            |> List.mapi (fun k (name, losses) ->
                let bins = Thinning.bins isPositive losses
                let single = curves.Length = 1

                let band =
                    if bins.IsThinned && single then
                        Style.between
                            "smallest to largest"
                            Style.band
                            bins.Trials
                            bins.Lowest
                            bins.Highest
                    else
                        []

                let label = if single && bins.IsThinned then "median" else name

                band
                @ [
                    Style.line label (Style.nth k) 2.2 bins.Trials bins.Median
                    |> Chart.withLineStyle (Dash = Style.dash k)
                ],
                bins)
            |> List.unzip

        {
            Title = "Loss"
            Caption =
                definition
                + (bins
                   |> List.tryFind _.IsThinned
                   |> Option.map (thinned (curves.Length = 1))
                   |> Option.defaultValue "")
                + leftOut curves
            IsWide = true
            Height = 340
            Chart =
                List.concat traces
                |> Style.figure
                    (trials curves)
                    (Style.logAxis
                        "loss L"
                        (logLimits (bins |> List.collect (fun bin -> [ bin.Lowest; bin.Highest ]))))
        }

    /// Loss v. the time that training took, in seconds; a curve for each name.
    let lossOverTime (curves: (string * float[] * float[]) list) =
        let shown =
            curves
            |> List.map (fun (name, seconds, losses) ->
                let sums = seconds |> Array.scan (+) 0.0 |> Array.tail
                let bins = Thinning.bins isPositive losses

                let times =
                    bins.Trials
                    |> Array.map (fun trial -> sums[min (sums.Length - 1) (max 0 (int trial - 1))])

                name, times, bins.Median)

        let all chosen = shown |> Seq.map chosen

        {
            Title = "Loss v. time"
            Caption =
                "L of each trial over the time that training took until then, on this machine; without the time of probes."
            IsWide = true
            Height = 340
            Chart =
                shown
                |> List.mapi (fun k (name, times, losses) ->
                    Style.line name (Style.nth k) 2.2 times losses
                    |> Chart.withLineStyle (Dash = Style.dash k))
                |> Style.figure
                    (Style.logAxis
                        "training time (s)"
                        (logLimits (all (fun (_, times, _) -> times))))
                    (Style.logAxis "loss L" (logLimits (all (fun (_, _, losses) -> losses))))
        }

    /// Limits that hold all the numbers, with some room.
    let limits (series: float[] seq) =
        match Thinning.range series with
        | None -> -1.0, 1.0
        | Some(low, high) ->
            let room = max 1e-3 (0.06 * (high - low))
            low - room, high + room

    /// An output with its target; where the target does not count, it is not drawn.
    let output
        title
        caption
        range
        colour
        (times: float[])
        (target: float[])
        (mask: float[])
        (output: float[])
        =
        let asked = Array.map2 (fun y m -> if m = 0.0 then nan else y) target mask

        let line name colour width values =
            Thinning.line times values ||> Style.line name colour width

        {
            Title = title
            Caption = caption + Thinning.caption times.Length
            IsWide = false
            Height = 280
            Chart =
                [
                    line "target" Style.ink 1.5 asked
                    line "output" colour 2.5 output
                ]
                |> Style.figure (Style.axis "time (ms)") (Style.axis "output" |> Style.ranged range)
        }

    /// Alignment of readouts and feedback.
    let alignment (curves: (string * float[]) list) =
        let traces =
            curves
            |> List.mapi (fun k (name, values) ->
                let bins = Thinning.bins Double.IsFinite values

                Style.line name (Style.nth k) 2.2 bins.Trials bins.Median
                |> Chart.withLineStyle (Dash = Style.dash k))

        let low =
            match Thinning.range (List.map snd curves) with
            | Some(low, _) -> min 0.0 low
            | None -> 0.0

        {
            Title = "Alignment of readout and feedback"
            Caption =
                "Σ W_out B / (|W_out| |B|) after each trial: 1 where the readout's weights point the way of the fixed feedback."
            IsWide = false
            Height = 360
            Chart =
                traces
                |> Style.figure
                    (trials curves)
                    (Style.axis "alignment (cosine)" |> Style.ranged (min 0.0 (low * 1.1), 1.02))
        }

    /// Rates of some units, one above the other, on a common scale.
    let activity title colour scale (times: float[]) (units: (string * float[]) list) =
        let count = units.Length

        let traces =
            units
            |> List.mapi (fun k (name, rates) ->
                let height = float (count - 1 - k)
                let times, rates = Thinning.line times rates
                let shifted = rates |> Array.map (fun rate -> height + 0.8 * rate / scale)

                Style.moved name colour 1.6 times rates shifted
                |> Chart.withTraceInfo (ShowLegend = false))

        let axis = Style.axis "unit" |> Style.ranged (-0.7, float count - 0.3)
        axis.SetProperty("tickmode", "array")
        axis.SetProperty("tickvals", [| for k in 0 .. count - 1 -> float (count - 1 - k) |])
        axis.SetProperty("ticktext", units |> List.map fst |> Array.ofList)

        {
            Title = title
            Caption =
                $"Rates of {count} units; one division of the vertical axis is %.3g{scale / 0.8}."
                + Thinning.caption times.Length
            IsWide = false
            Height = 90 + 30 * count
            Chart = traces |> Style.figure (Style.axis "time (ms)") axis
        }

    let private circle radius =
        let angles = Array.init 181 (fun k -> 2.0 * Math.PI * float k / 180.0)
        angles |> Array.map (fun a -> radius * cos a), angles |> Array.map (fun a -> radius * sin a)

    let private eigenvalues (matrix: Matrix<float>) =
        let values = matrix.Evd().EigenValues.ToArray()
        values |> Array.map _.Real, values |> Array.map _.Imaginary

    /// Eigenvalues of a square block before and after training, with the unit circle and that of its gain.
    let spectrum name (gain: float option) (before: Matrix<float>) (after: Matrix<float>) =
        let marker colour symbol =
            TraceObjects.Marker.init (Color = colour, Size = 7, Symbol = symbol, Opacity = 0.85)

        let circles = [
            let x, y = circle 1.0
            Style.guide Style.ink StyleParam.DrawingStyle.Solid x y

            match gain with
            | Some gain ->
                let x, y = circle gain
                Style.guide Style.grey StyleParam.DrawingStyle.Dash x y
            | None -> ()
        ]

        let part label colour symbol matrix =
            let x, y = eigenvalues matrix
            Style.points label (marker colour symbol) x y

        let imaginary = Style.axis "imaginary part"
        imaginary.SetProperty("scaleanchor", "x")
        imaginary.SetProperty("scaleratio", 1.0)

        {
            Title = $"Spectrum of {name}"
            Caption =
                "Eigenvalues of the recurrent weights. Circle: radius 1"
                + (match gain with
                   | Some gain -> $"; dashed: radius {string gain}, the gain of the first weights."
                   | None -> ".")
            IsWide = false
            Height = 360
            Chart =
                circles
                @ [
                    part
                        "before"
                        Style.grey
                        (StyleParam.MarkerSymbol.Modified(
                            StyleParam.MarkerSymbol.Circle,
                            StyleParam.SymbolStyle.Open
                        ))
                        before
                    part "after" Style.blue StyleParam.MarkerSymbol.Circle after
                ]
                |> Style.figure (Style.axis "real part") imaginary
        }

    let private histogram (low, high) count (values: float[]) =
        let width = (high - low) / float count
        let bins = Array.zeroCreate<float> count

        for value in values do
            let k = min (count - 1) (max 0 (int ((value - low) / width)))
            bins[k] <- bins[k] + 1.0 / (width * float values.Length)

        bins

    /// Distribution of a block's weights before and after training.
    let weights name (before: float[]) (after: float[]) =
        let low, high = limits [ before; after ]
        let count = min 60 (max 8 (int (sqrt (float before.Length))))

        let edges =
            Array.init count (fun k -> low + (float k + 0.5) * (high - low) / float count)

        let part label colour values =
            Style.line label colour 2.0 edges (histogram (low, high) count values)
            |> GenericChart.mapTrace (fun trace ->
                (trace.TryGetTypedPropertyValue<Line> "line")
                |> Option.iter (fun line -> line.SetProperty("shape", "hvh"))

                trace)

        {
            Title = $"Weights of {name}"
            Caption = "Density of the weights before and after training."
            IsWide = false
            Height = 300
            Chart =
                [
                    part "before" Style.grey before
                    part "after" Style.blue after
                ]
                |> Style.figure (Style.axis "weight") (Style.axis "density (1/weight)")
        }
