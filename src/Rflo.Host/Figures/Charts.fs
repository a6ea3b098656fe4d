namespace Rflo.Host

open System
open MathNet.Numerics.LinearAlgebra
open Plotly.NET
open Rflo.Dsl

/// Plotly.NET charts of a run, for interactive sessions and notebooks: `Run.train e |> Result.map Charts.loss`. They have the style
/// of the reports; `Chart.show` opens one, and every function of Plotly.NET's `Chart` changes one further. A name that the
/// run does not have raises an ArgumentException that lists those it has.
[<RequireQualifiedAccess>]
module Charts =

    /// A chart with Plotly in its file, so that it opens without a network. (A notebook has Plotly already.)
    let private complete (chart: GenericChart) =
        let isNotebook =
            AppDomain.CurrentDomain.GetAssemblies()
            |> Array.exists (fun assembly ->
                (string (assembly.GetName().Name))
                    .StartsWith("Microsoft.DotNet.Interactive", StringComparison.Ordinal))

        if isNotebook then
            chart
        else
            chart
            |> Chart.withDisplayOptions (
                DisplayOptions.init (PlotlyJSReference = PlotlyJSReference.Full)
            )

    /// A title of its own line, above the legend.
    let private titled (title: string) height (chart: GenericChart) =
        let heading =
            Title.init (
                Text = title,
                X = 0.02,
                XAnchor = StyleParam.XAnchorPosition.Left,
                Y = 0.97,
                YAnchor = StyleParam.YAnchorPosition.Top
            )

        chart
        |> Chart.withTitle heading
        |> Chart.withMarginSize (Left = 56, Right = 12, Top = 76, Bottom = 48)
        |> Chart.withSize (720, height)
        |> complete

    let private ofPanel (panel: Panel) =
        titled panel.Title (panel.Height + 60) panel.Chart

    let private named what name (parts: Map<string, 'part>) =
        match Map.tryFind name parts with
        | Some part -> part
        | None ->
            let known = List.ofSeq parts.Keys

            let hint =
                match Problem.nearest name known with
                | Some near -> $"; did you mean {near}?"
                | None -> ""

            let all = if known.IsEmpty then "none" else String.concat ", " known
            invalidArg (nameof name) $"the run has no {what} named {name} (it has: {all}){hint}"

    let private times (dt: float<ms>) steps =
        Array.init steps (fun t -> float dt * float (t + 1))

    let private column k (series: Matrix<float>) = series.Column(k).ToArray()

    /// `Charts.loss trained |> Charts.save "loss.html"` writes a chart, of these or of any other kind, as one file that opens without a
    /// network.
    let save (file: string) (chart: GenericChart) =
        if not (file.EndsWith(".html", StringComparison.OrdinalIgnoreCase)) then
            invalidArg
                (nameof file)
                $"a chart is saved as a page, and '{file}' does not end in .html"

        chart
        |> Chart.withDisplayOptions (
            DisplayOptions.init (PlotlyJSReference = PlotlyJSReference.Full)
        )
        |> GenericChart.toEmbeddedHTML
        |> fun html -> IO.File.WriteAllText(file, html)

    /// Loss of every trial, both axes logarithmic; the curves of several runs by their names.
    let losses (runs: (string * Trained) list) =
        runs
        |> List.map (fun (name, trained) -> name, trained.Losses)
        |> Figures.loss (
            Losses.definition [
                for _, trained in runs do
                    for readout in trained.Experiment.Circuit.Readouts -> Losses.ofReadout readout
            ]
        )
        |> ofPanel

    /// Loss of every trial, both axes logarithmic.
    let loss (trained: Trained) =
        losses [ trained.Experiment.Name, trained ]

    /// Names of all outputs, in the order of their columns in the targets.
    let private outputNames (experiment: Experiment) = [
        for readout in experiment.Circuit.Readouts do
            for k in 0 .. readout.Outputs - 1 do
                readout.Name,
                k,
                (if readout.Outputs = 1 then
                     readout.Name
                 else
                     $"{readout.Name} {k}")
    ]

    /// `Charts.outputOf e trained.Before` is the outputs of the experiment's circuit in that trial, with their targets where these
    /// count.
    let outputOf (experiment: Experiment) (activity: Activity) =
        let t = times experiment.Dt activity.Targets.RowCount

        let curves = [
            for place, (readout, k, label) in List.indexed (outputNames experiment) do
                let asked =
                    Array.map2
                        (fun target counted -> if counted = 0.0 then nan else target)
                        (column place activity.Targets)
                        (column place activity.Mask)

                label, asked, column k activity.Outputs[readout]
        ]

        let range =
            Figures.limits [
                for _, asked, given in curves do
                    asked
                    given
            ]

        let targetOf label =
            if curves.Length = 1 then "target" else $"target of {label}"

        [
            for place, (label, asked, given) in List.indexed curves do
                let ink = if curves.Length = 1 then Style.ink else Style.nth place

                Style.line (targetOf label) ink 1.5 t asked
                |> Chart.withLineStyle (Dash = StyleParam.DrawingStyle.Dot)

                Style.line label (Style.nth place) 2.5 t given
        ]
        |> Style.figure (Style.axis "time (ms)") (Style.axis "output" |> Style.ranged range)
        |> titled "Output and target" 380

    /// The outputs in test trial 0 after training, with their targets where these count.
    let output (trained: Trained) =
        outputOf trained.Experiment trained.After

    /// A color scale with the darkest colors at the extremes and white at 0.
    let private diverging =
        StyleParam.Colorscale.Custom [
            0.0, Color.fromString "#0072b2"
            0.5, Color.fromString "#ffffff"
            1.0, Color.fromString "#d55e00"
        ]

    /// A matrix as a heat map with colors symmetric around 0; values that are not finite are left empty.
    let private heatMap
        title
        (x: LayoutObjects.LinearAxis)
        (y: LayoutObjects.LinearAxis)
        (columns: float[])
        (matrix: Matrix<float>)
        =
        let largest =
            matrix.Enumerate()
            |> Seq.filter Double.IsFinite
            |> Seq.fold (fun most value -> max most (abs value)) 1e-12

        y.SetProperty("autorange", "reversed")

        [
            Chart.Heatmap(
                zData = matrix.ToRowArrays(),
                X = columns,
                Y = [| 0 .. matrix.RowCount - 1 |],
                ColorScale = diverging,
                UseDefaults = false
            )
            |> GenericChart.mapTrace (fun trace ->
                trace.SetProperty("zmin", -largest)
                trace.SetProperty("zmax", largest)
                trace)
        ]
        |> Style.figure x y
        |> titled title 480

    /// `Charts.activityOf e "cortex" trained.Before` is the rates of that area in that trial, a row for each unit.
    let activityOf (experiment: Experiment) area (activity: Activity) =
        let rates = named "area" area activity.Rates

        heatMap
            $"Rates of {area}"
            (Style.axis "time (ms)")
            (Style.axis "unit")
            (times experiment.Dt rates.RowCount)
            (rates.Transpose())

    /// The rates of all units of an area in test trial 0 after training, a row for each.
    let activity area (trained: Trained) =
        activityOf trained.Experiment area trained.After

    /// The weights of a projection after training, such as those of "cortex->y": a row for each postsynaptic unit.
    let weights projection (trained: Trained) =
        let matrix = named "projection" projection trained.Final

        heatMap
            $"Weights of {projection}"
            (Style.axis "presynaptic unit")
            (Style.axis "postsynaptic unit")
            (Array.init matrix.ColumnCount float)
            matrix

    /// Eigenvalues of the weights of a projection from an area to itself, such as "cortex->cortex", before and after training.
    /// O(n^3).
    let spectrum projection (trained: Trained) =
        let before = named "projection" projection trained.Initial
        let after = named "projection" projection trained.Final

        if before.RowCount <> before.ColumnCount then
            invalidArg
                (nameof projection)
                $"{projection} has weights of shape ({before.RowCount}, {before.ColumnCount}); only those of an area to itself have a spectrum"

        let gain =
            trained.Experiment.Circuit.Projections
            |> List.tryPick (fun p ->
                match p.Weights with
                | Gaussian gain when Projection.name p = projection -> Some gain
                | _ -> None)

        Figures.spectrum projection gain before after |> ofPanel

    /// Alignment of the readouts' weights with every fixed feedback matrix, after each trial.
    let alignment (trained: Trained) =
        Map.toList trained.Alignments
        |> List.map (fun ((readout, area), values) -> $"{readout}->{area}", values)
        |> Figures.alignment
        |> ofPanel

    /// `Charts.intervals [ Measure.interval p dt activity; ... ]` is the delay that a network produced against the target delay, a
    /// point for each trial of ready-set-go; the dashed line is the target.
    let intervals (trials: (float<ms> * float<ms>) list) =
        let target, produced =
            trials
            |> List.map (fun (target, produced) -> float target, float produced)
            |> List.unzip

        let longest = List.fold max 1.0 (target @ produced)

        [
            Style.line "target" Style.ink 1.5 [| 0.0; longest |] [| 0.0; longest |]
            |> Chart.withLineStyle (Dash = StyleParam.DrawingStyle.Dash)

            Style.points
                "produced"
                (TraceObjects.Marker.init (Color = Style.blue, Size = 9))
                (Array.ofList target)
                (Array.ofList produced)
        ]
        |> Style.figure (Style.axis "target delay (ms)") (Style.axis "produced delay (ms)")
        |> titled "Produced against target delay" 420
