namespace Rflo.Host

open System
open System.Globalization
open Plotly.NET
open Rflo.Dsl

/// The figures of a sweep's report.
[<RequireQualifiedAccess>]
module internal SweepFigures =

    /// The most values of a setting that have a color each.
    [<Literal>]
    let MostCurves = 6

    let private isPositive value = Double.IsFinite value && value > 0.0

    /// First quartile, median and third quartile of the finite ones of some numbers.
    let quartiles (values: float[]) =
        values |> Array.filter Double.IsFinite |> Quartiles.ofValues

    let private number (text: string) =
        match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, value when Double.IsFinite value -> Some value
        | _ -> None

    /// The values of a setting in the order of numbers, if they are, else in that in which they occur; and their points.
    let groups setting (results: PointResult[]) =
        let grouped =
            results
            |> Array.choose (fun result ->
                Map.tryFind setting result.Settings |> Option.map (fun value -> value, result))
            |> Array.groupBy fst
            |> Array.map (fun (value, results) -> value, Array.map snd results)

        if grouped |> Array.forall (fst >> number >> Option.isSome) then
            grouped |> Array.sortBy (fst >> number >> Option.get)
        else
            grouped

    /// Median and quartiles of the losses of every trial, a curve for each group of points.
    let curves (title: string) (trials: int[]) (groups: (string * PointResult[])[]) =
        let x = Array.map float trials

        let shown =
            groups
            |> Array.mapi (fun k (name, results) ->
                let of' =
                    trials
                    |> Array.mapi (fun at _ ->
                        results |> Array.map (fun result -> result.Curve[at]) |> quartiles)

                k, name, of')

        let numbers =
            shown
            |> Seq.collect (fun (_, _, of') ->
                of' |> Seq.collect (fun (low, median, high) -> [ low; median; high ]))
            |> Array.ofSeq

        {
            Title = title
            Caption =
                "Loss of each trial: the median of the points, and the band between their quartiles. Points that failed count up to their last trial."
            IsWide = true
            Height = 340
            Chart =
                [
                    for k, name, of' in shown do
                        yield!
                            Style.between
                                $"{name}, quartiles"
                                (Style.nthBand k)
                                x
                                (of' |> Array.map (fun (low, _, _) -> low))
                                (of' |> Array.map (fun (_, _, high) -> high))
                            |> List.map (Chart.withTraceInfo (ShowLegend = false))

                    for k, name, of' in shown do
                        Style.line
                            name
                            (Style.nth k)
                            2.2
                            x
                            (of' |> Array.map (fun (_, median, _) -> median))
                        |> Chart.withLineStyle (Dash = Style.dash k)
                ]
                |> Style.figure
                    (Style.logAxis "trial (the first is 1)" (1.0, float (max 2 (Array.last trials))))
                    (Style.logAxis "loss L" (Figures.logLimits [ numbers ]))
        }

    /// The positions of a setting's values, and the axis: numeric where all are numbers, else side by side.
    let private places setting (values: string[]) =
        match values |> Array.map number |> Array.forall Option.isSome with
        | true ->
            let numbers = values |> Array.map (number >> Option.get)
            let low, high = Array.min numbers, Array.max numbers

            if low > 0.0 && high / low >= 10.0 then
                numbers, Style.logAxis setting (low / 1.3, high * 1.3)
            else
                let room = max 1e-12 (0.06 * (high - low))
                numbers, Style.axis setting |> Style.ranged (low - room, high + room)
        | false -> Array.init values.Length (fun k -> float (k + 1)), Style.namedAxis setting values

    /// A number of every point, as figures show it.
    type Quantity = {
        /// What it is called, such as "final loss".
        Name: string
        /// What it is, as the end of "of each point, the".
        Meaning: string
        /// Whether its axis is logarithmic, which shows positive numbers only.
        IsLog: bool
        Of: PointResult -> float
    }

    /// The final loss of the training.
    let finalLoss = {
        Name = "final loss"
        Meaning = FinalLoss.meaning
        IsLog = true
        Of = _.FinalLoss
    }

    /// What the last validation measured.
    let validation = [
        {
            Name = "validation performance"
            Meaning = "mean performance of the test trials of its last validation"
            IsLog = false
            Of = _.Score.ValidationPerformance
        }
        {
            Name = "validation loss"
            Meaning = "mean loss of the test trials of its last validation"
            IsLog = true
            Of = _.Score.ValidationLoss
        }
    ]

    /// A measure of the script (`Sweep.measure`).
    let measure name = {
        Name = name
        Meaning = $"measure {name} of the script"
        IsLog = false
        Of = fun result -> Map.tryFind name result.Measures |> Option.defaultValue nan
    }

    /// A number of every point against a setting, and the medians.
    let against (quantity: Quantity) setting (groups: (string * PointResult[])[]) =
        let at, axis = places setting (Array.map fst groups)

        let isShown value =
            if quantity.IsLog then
                isPositive value
            else
                Double.IsFinite value

        let points =
            Array.zip at groups
            |> Array.collect (fun (x, (_, results)) ->
                results
                |> Array.map quantity.Of
                |> Array.filter isShown
                |> Array.map (fun value -> x, value))

        let medians =
            groups
            |> Array.map (fun (_, results) ->
                let _, median, _ = results |> Array.map quantity.Of |> quartiles
                median)

        {
            Title = $"{Figures.sentence quantity.Name} against {setting}"
            Caption =
                $"Of each point, the {quantity.Meaning}; and the median of the points with the same value."
            IsWide = false
            Height = 300
            Chart =
                [
                    Style.points
                        "points"
                        (TraceObjects.Marker.init (Color = Style.nth 0, Size = 5, Opacity = 0.45))
                        (Array.map fst points)
                        (Array.map snd points)
                    Style.points
                        "median"
                        (TraceObjects.Marker.init (
                            Color = Style.nth 1,
                            Size = 16,
                            Symbol = StyleParam.MarkerSymbol.LineEW,
                            Outline = Line.init (Color = Style.nth 1, Width = 3.0)
                        ))
                        at
                        medians
                ]
                |> Style.figure
                    axis
                    (if quantity.IsLog then
                         Style.logAxis
                             quantity.Name
                             (Figures.logLimits [ Array.map snd points; medians ])
                     else
                         Style.axis quantity.Name
                         |> Style.ranged (Figures.limits [ Array.map snd points; medians ]))
        }
