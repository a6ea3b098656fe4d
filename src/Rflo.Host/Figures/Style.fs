namespace Rflo.Host

open System
open Plotly.NET
open Plotly.NET.LayoutObjects

/// A figure of a page, with its title and caption.
type internal Panel = {
    Title: string
    /// A description of the figure in a sentence or two.
    Caption: string
    /// Whether it takes the whole width of the page.
    IsWide: bool
    /// In pixels.
    Height: int
    Chart: GenericChart
}

/// The style of all figures: colors for readers with color blindness (Okabe and Ito), thin axes, a unit on each.
[<RequireQualifiedAccess>]
module internal Style =

    let private colour (hex: string) = Color.fromString hex

    /// Text and targets.
    let ink = colour "#1b1f24"
    /// Before training, and what is in the background.
    let grey = colour "#9aa3af"
    /// After training; the first series.
    let blue = colour "#0072b2"
    let orange = colour "#d55e00"
    let green = colour "#009e73"
    let band = colour "rgba(0,114,178,0.18)"

    /// Colours of several series, in order.
    let series =
        [|
            "#0072b2"
            "#d55e00"
            "#009e73"
            "#cc79a7"
            "#e69f00"
            "#56b4e9"
        |]
        |> Array.map colour

    let nth k = series[k % series.Length]

    /// The same colours, thin enough for a band behind lines.
    let nthBand k =
        [|
            "rgba(0,114,178,0.16)"
            "rgba(213,94,0,0.16)"
            "rgba(0,158,115,0.16)"
            "rgba(204,121,167,0.16)"
            "rgba(230,159,0,0.16)"
            "rgba(86,180,233,0.16)"
        |][k % series.Length]
        |> colour

    /// Colours of stretches of time, from dark to light (viridis).
    let private times =
        [|
            "#440154"
            "#433e85"
            "#2f6c8e"
            "#1f9a8a"
            "#3fbc73"
            "#93d741"
        |]
        |> Array.map colour

    /// How many stretches of time have colours.
    [<Literal>]
    let TimeColors = 6

    let timeColor k = times[min k (times.Length - 1)]

    /// Lines that may lie on each other differ in their dashes too, and those beyond the last colour are all dashed.
    let dash k =
        if k >= series.Length then StyleParam.DrawingStyle.DashDot
        elif k % 3 = 2 then StyleParam.DrawingStyle.Dot
        else StyleParam.DrawingStyle.Solid

    let private axisLine = colour "#5b6470"
    let private gridLine = colour "#eceff3"

    /// An axis with a title that names its unit.
    let axis (title: string) =
        let axis =
            LinearAxis.init (
                Title = Title.init (Text = title, Standoff = 8),
                AxisType = StyleParam.AxisType.Linear,
                ShowLine = true,
                LineColor = axisLine,
                LineWidth = 1.0,
                Ticks = StyleParam.TickOptions.Outside,
                TickLen = 4,
                TickColor = axisLine,
                ShowGrid = true,
                GridColor = gridLine,
                ZeroLine = false
            )

        axis.SetProperty("automargin", true)
        axis

    /// Even steps of 1, 2 or 5 times a power of ten, of which at least two lie between the two.
    let internal evenTicks (low: float) (high: float) =
        let least = (high - low) / 5.0
        let power = 10.0 ** floor (log10 least)

        let step =
            power * ([ 1.0; 2.0; 5.0; 10.0 ] |> List.find (fun k -> k * power >= least))

        [|
            for k in ceil (low / step) .. floor (high / step) -> k * step
        |]

    /// 1, 2 and 5 times the powers of ten where there are few of these, else the powers alone; even steps where the axis has less than two
    /// of them.
    let internal logTicks (low: float) (high: float) =
        let first, last = int (floor (log10 low)), int (ceil (log10 high))

        let within =
            [| first..last |]
            |> Array.filter (fun k -> 10.0 ** float k >= low && 10.0 ** float k <= high)

        if within.Length >= 3 then
            let every = 1 + (within.Length - 1) / 8

            within
            |> Array.indexed
            |> Array.filter (fun (k, _) -> k % every = 0)
            |> Array.map (fun (_, k) -> 10.0 ** float k)
        else
            let ticks = [|
                for k in first..last do
                    for digit in [ 1.0; 2.0; 5.0 ] -> digit * 10.0 ** float k
            |]

            match ticks |> Array.filter (fun tick -> tick >= low && tick <= high) with
            | [||]
            | [| _ |] -> evenTicks low high
            | _ -> ticks

    let internal tickText (value: float) =
        if value >= 1e6 || value < 1e-3 then
            let exponent = Math.Floor(Math.Log10 value + 1e-9)
            let digit = Math.Round(value / Math.Pow(10.0, exponent), 6)
            let factor = if digit = 1.0 then "" else $"{string digit}·"
            $"{factor}10<sup>{string exponent}</sup>"
        else
            (Math.Round(value, 9))
                .ToString("#,0.#########", Globalization.CultureInfo.InvariantCulture)

    /// The same axis with logarithmic steps, from one positive number to another.
    let logAxis (title: string) (low: float, high: float) =
        let axis = axis title
        axis.SetProperty("type", "log")

        if low > 0.0 && low < high && Double.IsFinite high then
            let ticks = logTicks low high
            axis.SetProperty("range", [| log10 low; log10 high |])
            axis.SetProperty("tickmode", "array")
            axis.SetProperty("tickvals", ticks)
            axis.SetProperty("ticktext", Array.map tickText ticks)

        axis

    /// The same axis from one number to another.
    let ranged (low: float, high: float) (axis: LinearAxis) =
        if Double.IsFinite low && Double.IsFinite high && low < high then
            axis.SetProperty("range", [| low; high |])

        axis

    /// An axis of names, in their order, at 1, 2, ...
    let namedAxis (title: string) (names: string[]) =
        let axis = axis title |> ranged (0.5, float names.Length + 0.5)
        axis.SetProperty("tickmode", "array")
        axis.SetProperty("tickvals", [| 1 .. names.Length |])
        axis.SetProperty("ticktext", names)
        axis

    /// The same axis with slanted labels where names are long, and a margin that fits them.
    let slanted (axis: LinearAxis) =
        axis.SetProperty("tickangle", -28)
        axis.SetProperty("automargin", true)
        axis

    /// Above the axes, where it covers no line. Each figure has its own, since what changes the legend of a chart changes this object.
    let private legend () =
        Legend.init (
            Orientation = StyleParam.Orientation.Horizontal,
            TraceOrder = StyleParam.TraceOrder.Normal,
            X = 0.0,
            XAnchor = StyleParam.XAnchorPosition.Left,
            Y = 1.02,
            YAnchor = StyleParam.YAnchorPosition.Bottom,
            BGColor = colour "rgba(0,0,0,0)"
        )

    /// The lines on one pair of axes.
    let figure (x: LinearAxis) (y: LinearAxis) (traces: GenericChart list) =
        let layout =
            Layout.init (
                Font =
                    Font.init (
                        Family =
                            StyleParam.FontFamily.Custom
                                "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
                        Size = 13.0,
                        Color = ink
                    ),
                PaperBGColor = colour "rgba(0,0,0,0)",
                PlotBGColor = colour "rgba(0,0,0,0)",
                Margin = Margin.init (Left = 56, Right = 12, Top = 30, Bottom = 48),
                HoverMode = StyleParam.HoverMode.Closest
            )

        layout.SetProperty(
            "modebar",
            ModeBar.init (
                BGColor = colour "rgba(0,0,0,0)",
                Color = colour "#c3cad3",
                ActiveColor = colour "#5b6470"
            )
        )

        Chart.combine traces
        |> GenericChart.setLayout layout
        |> Chart.withLegend (legend ())
        |> Chart.withXAxis x
        |> Chart.withYAxis y

    /// A line; numbers that are not finite leave a gap.
    let line (name: string) (colour: Color) (width: float) (x: float[]) (y: float[]) =
        let shown =
            y |> Array.map (fun value -> if Double.IsFinite value then value else nan)

        Chart.Line(
            x = x,
            y = shown,
            Name = name,
            LineColor = colour,
            LineWidth = width,
            UseDefaults = false
        )

    /// A thin line that stays out of the legend.
    let guide (colour: Color) (dash: StyleParam.DrawingStyle) (x: float[]) (y: float[]) =
        Chart.Line(
            x = x,
            y = y,
            ShowLegend = false,
            LineColor = colour,
            LineWidth = 1.0,
            LineDash = dash,
            UseDefaults = false
        )

    /// The space between two curves.
    let between (name: string) (fill: Color) (x: float[]) (low: float[]) (high: float[]) = [
        Chart.Line(
            x = x,
            y = low,
            ShowLegend = false,
            LineWidth = 0.0,
            LineColor = fill,
            UseDefaults = false
        )
        Chart.Line(
            x = x,
            y = high,
            Name = name,
            LineWidth = 0.0,
            LineColor = fill,
            Fill = StyleParam.Fill.ToNext_y,
            FillColor = fill,
            UseDefaults = false
        )
    ]

    /// What marks the trace of a shade, which has no numbers.
    [<Literal>]
    let Shade = "shade"

    /// A shade over stretches of an axis.
    let shade name fill x low high =
        between name fill x low high
        |> List.map (
            GenericChart.mapTrace (fun trace ->
                trace.SetProperty("meta", Shade)
                trace)
        )

    /// A line that is moved up to stand above others, as in a stack of rates: what the page says of its points are the values.
    let moved name colour width x (values: float[]) (heights: float[]) =
        line name colour width x heights
        |> GenericChart.mapTrace (fun trace ->
            trace.SetProperty("customdata", values)
            trace.SetProperty("hovertemplate", "%{customdata:.4g}")
            trace)

    /// Points.
    let points (name: string) (marker: TraceObjects.Marker) (x: float[]) (y: float[]) =
        Chart.Point(x = x, y = y, Name = name, Marker = marker, UseDefaults = false)
