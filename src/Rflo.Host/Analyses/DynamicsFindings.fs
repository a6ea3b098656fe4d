namespace Rflo.Host

open System
open MathNet.Numerics.LinearAlgebra
open Plotly.NET
open Rflo.Analysis
open Rflo.Dsl

/// What a circuit does at constant inputs: fixed points and Lyapunov exponents.
[<RequireQualifiedAccess>]
module internal DynamicsFindings =

    /// Numbers of a state up to which fixed points are computed where no part is named: those of which whole matrices are factored.
    [<Literal>]
    let UnaskedState = Modes.LargestDense

    /// Numbers of a state up to which all eigenvalues of each point are computed.
    [<Literal>]
    let private AllModes = 100

    [<Literal>]
    let private TrialsOfStarts = 10

    /// Starts of a search, which bound its time: a step of it takes a time that grows as the third power of the size.
    let startsOf size =
        if size <= 60 then 60
        elif size <= 200 then 30
        else 16

    /// Points that are drawn and listed.
    [<Literal>]
    let private MostPoints = 24

    /// Points whose eigenvalues are drawn.
    [<Literal>]
    let private MostSpectra = 6

    [<Literal>]
    let private Exponents = 5

    [<Literal>]
    let private Steps = 2000

    /// The map of the run's circuit at the requested inputs.
    let map (analyzed: Analyzed) =
        let request = analyzed.Request

        try
            match Dynamics.ofWeights request.Gates analyzed.Weights analyzed.Experiment with
            | Ok map -> map |> Dynamics.at request.Inputs
            | Error problems ->
                Findings.notPossible (problems |> List.map Problem.text |> String.concat "; ")
        with :? ArgumentException as e ->
            let hint =
                if e.Message.Contains "its gate opens" then
                    " Give --gate PROJECTION=open or --gate PROJECTION=shut."
                else
                    ""

            Findings.notPossible (e.Message.TrimEnd '.' + "." + hint)

    let private inputWords (map: CircuitMap) =
        if map.Inputs.Length = 0 then
            "The circuit has no input"
        elif map.Inputs |> Array.forall ((=) 0.0) then
            "At inputs of 0, without noise"
        else
            let all = map.Inputs |> Array.map TableText.short |> String.concat ", "
            $"At inputs of {all}, without noise"

    /// The states that test trials visit at their own inputs, and those of them from which the search starts.
    let private starts (analyzed: Analyzed) (map: CircuitMap) =
        let states = map |> Dynamics.states (List.truncate TrialsOfStarts analyzed.Activity)
        states.Length, map |> Dynamics.chosenStarts (startsOf map.Size) states

    let private circle =
        let angles = Array.init 181 (fun k -> 2.0 * Math.PI * float k / 180.0)
        Array.map cos angles, Array.map sin angles

    let private name k (point: FixedPoint) =
        let kind = if point.IsFixed then "fixed" else "slow"
        $"{k + 1} ({kind})"

    let private spectra words (points: FixedPoint list) =
        let shown = List.truncate MostSpectra points

        let imaginary = Style.axis "imaginary part"
        imaginary.SetProperty("scaleanchor", "x")
        imaginary.SetProperty("scaleratio", 1.0)

        let panel = {
            Title = "Eigenvalues at the fixed points"
            Caption =
                $"Eigenvalues of the Jacobian of a step at the first {shown.Length} of {points.Length} points; outside of the unit circle a direction leaves. {words}."
            IsWide = false
            Height = 380
            Chart =
                [
                    let x, y = circle
                    Style.guide Style.ink StyleParam.DrawingStyle.Solid x y

                    for k, point in List.indexed shown do
                        Style.points
                            (name k point)
                            (TraceObjects.Marker.init (Color = Style.nth k, Size = 7, Opacity = 0.8)) [|
                                for mode in point.Modes -> mode.Value.Real
                            |] [| for mode in point.Modes -> mode.Value.Imaginary |]
                ]
                |> Style.figure (Style.axis "real part") imaginary
        }

        "eigenvalues",
        panel,
        ([
            "point"
            "real part"
            "imaginary part"
            "time constant ms"
            "frequency per second"
         ],
         [
             for k, point in List.indexed points do
                 for mode in point.Modes ->
                     [
                         string (k + 1)
                         TableText.exact mode.Value.Real
                         TableText.exact mode.Value.Imaginary
                         TableText.exact mode.TimeConstant
                         TableText.exact mode.Frequency
                     ]
         ])

    /// The points along the first two components of the largest area, among the trajectories of some trials.
    let private plane words (analyzed: Analyzed) (map: CircuitMap) (points: FixedPoint list) =
        let area = analyzed.Experiment.Circuit.Areas |> List.maxBy _.Units

        if area.Units < 2 then
            None
        else
            let trials = List.truncate TrialsOfStarts analyzed.Activity
            let activity, steps = Findings.rates area.Name trials
            let components = Population.pca activity

            if
                components.Components.ColumnCount < 2
                || not (Array.sum components.Variances > 0.0)
            then
                None
            else
                let along = activity |> Population.project 2 components

                let place (point: FixedPoint) =
                    let rates = map |> Dynamics.rates area.Name point.State
                    let centred = Vector<float>.Build.DenseOfArray rates - components.Mean

                    centred.DotProduct(components.Components.Column(0)),
                    centred.DotProduct(components.Components.Column(1))

                let places = points |> List.map place

                /// Ends that hold trajectories and points.
                let within axis found =
                    Figures.limits [
                        for k in 0 .. along.Trials - 1 do
                            Array.init along.Steps (fun t -> along[k, t, axis])

                        Array.ofList found
                    ]

                let group label symbol (chosen: FixedPoint -> bool) colour =
                    let found =
                        List.zip points places |> List.filter (fst >> chosen) |> List.map snd

                    if found.IsEmpty then
                        []
                    else
                        [
                            Style.points
                                label
                                (TraceObjects.Marker.init (
                                    Color = colour,
                                    Size = 10,
                                    Symbol = symbol
                                )) [| for x, _ in found -> x |] [| for _, y in found -> y |]
                        ]

                let panel = {
                    Title = $"Fixed points in the plane of {area.Name}"
                    Caption =
                        $"Rates of {area.Name} along the first two principal components of {trials.Length} test trials, which the thin lines are. {words}.{Findings.window trials steps}"
                    IsWide = false
                    Height = 380
                    Chart =
                        [
                            for k in 0 .. along.Trials - 1 do
                                Style.guide
                                    Style.grey
                                    StyleParam.DrawingStyle.Solid
                                    (Array.init along.Steps (fun t -> along[k, t, 0]))
                                    (Array.init along.Steps (fun t -> along[k, t, 1]))

                            yield!
                                group
                                    "stable"
                                    StyleParam.MarkerSymbol.Circle
                                    (fun point -> point.IsFixed && point.IsStable)
                                    Style.blue

                            yield!
                                group
                                    "directions leave"
                                    StyleParam.MarkerSymbol.X
                                    (fun point -> point.IsFixed && not point.IsStable)
                                    Style.orange

                            yield!
                                group
                                    "slow"
                                    StyleParam.MarkerSymbol.Diamond
                                    (fun point -> not point.IsFixed)
                                    Style.green
                        ]
                        |> Style.figure
                            (Style.axis "component 1"
                             |> Style.ranged (within 0 (List.map fst places)))
                            (Style.axis "component 2"
                             |> Style.ranged (within 1 (List.map snd places)))
                }

                Some(
                    "fixed-points-plane",
                    panel,
                    ([ "point"; "component 1"; "component 2" ],
                     [
                         for k, (x, y) in List.indexed places ->
                             [ string (k + 1); TableText.exact x; TableText.exact y ]
                     ])
                )

    let private table (analyzed: Analyzed) (map: CircuitMap) (points: FixedPoint list) =
        let readouts = analyzed.Experiment.Circuit.Readouts

        [
            "point"
            "kind"
            "q"
            "directions that leave"
            "slowest time constant (ms)"
            "turns per second"
            "starts"

            for readout in readouts do
                for k in 0 .. readout.Outputs - 1 do
                    if readout.Outputs = 1 then
                        readout.Name
                    else
                        $"{readout.Name} {k}"
        ],
        [
            for k, point in List.indexed points ->
                let slowest = point.Modes[0]

                [
                    string (k + 1)
                    (if point.IsFixed then "fixed" else "slow")
                    $"%.2g{point.Speed}"
                    string point.UnstableDirections
                    $"%.3g{slowest.TimeConstant}"
                    $"%.3g{slowest.Frequency}"
                    string point.Starts

                    for readout in readouts do
                        for output in map |> Dynamics.outputs readout.Name point.State do
                            $"%.4g{output}"
                ]
        ]

    /// Fixed and slow points of a map, from states that test trials visit.
    let fixedPointsOf (map: CircuitMap) (analyzed: Analyzed) : AnalysisResult =
        let visited, starts = starts analyzed map
        let words = inputWords map

        let points =
            try
                map
                |> Dynamics.fixedPointsWith (FixedPointOptions(AllModesUpTo = AllModes)) starts
            with :? ArgumentException as e ->
                Findings.notPossible e.Message

        let shown = List.truncate MostPoints points
        let stable = points |> List.filter (fun point -> point.IsFixed && point.IsStable)

        let saddles =
            points |> List.filter (fun point -> point.IsFixed && not point.IsStable)

        let slow = points |> List.filter (_.IsFixed >> not)

        {
            Findings.nothing "Fixed points" with
                Figures = [
                    if not points.IsEmpty then
                        match plane words analyzed map shown with
                        | Some figure -> figure
                        | None -> ()

                        spectra words shown
                ]
                Table =
                    if points.IsEmpty then
                        None
                    else
                        Some("fixed-points", table analyzed map shown)
                Notes = [
                    let led (found: FixedPoint list) = found |> List.sumBy _.Starts
                    let toFixed, toSlow = led (stable @ saddles), led slow

                    $"{words}. The search started from {starts.Length} of the {visited} states that {min TrialsOfStarts analyzed.Activity.Length} test trials visit: half of them the slowest that lie apart, the others spread over all (k-means++). {toFixed} starts converged to fixed points and {toSlow} to slow ones; {starts.Length - toFixed - toSlow} reached neither. {points.Length} points are distinct."

                    if map.Size > AllModes then
                        $"Directions that leave are counted among the {(FixedPointOptions()).Modes} eigenvalues of largest magnitude, of {map.Size}."

                    if points.Length > MostPoints then
                        $"The first {MostPoints} of them are shown."

                    "A time constant below 0 is that of a direction that leaves."
                ]
                Key = [
                    "starts of the search", string starts.Length
                    "stable fixed points", string stable.Length
                    "fixed points that directions leave", string saddles.Length
                    "slow points", string slow.Length
                ]
        }

    /// Fixed and slow points.
    let fixedPoints (analyzed: Analyzed) = fixedPointsOf (map analyzed) analyzed

    /// The largest Lyapunov exponents from the circuit's initial state.
    let exponents (analyzed: Analyzed) : AnalysisResult =
        let map = map analyzed
        let count = min Exponents map.Size

        let spectrum =
            try
                map |> Dynamics.lyapunov count Steps
            with :? ArgumentException as e ->
                Findings.notPossible e.Message

        let perSecond = spectrum.PerSecond

        let errors =
            spectrum.Errors |> Array.map (fun error -> 1000.0 * error / spectrum.Dt)

        let number = Array.init count (fun k -> float (k + 1))

        let panel = {
            Title = "Lyapunov exponents"
            Caption =
                $"The {count} largest exponents over {spectrum.Steps} steps behind {Steps / 4} in which the circuit settles, with standard errors. {inputWords map}. Above 0 neighboring states part."
            IsWide = false
            Height = 320
            Chart =
                [
                    Style.guide Style.grey StyleParam.DrawingStyle.Dot [| 0.5; float count + 0.5 |] [|
                        0.0
                        0.0
                    |]

                    Findings.intervals
                        Style.blue
                        number
                        (Array.map2 (-) perSecond errors)
                        (Array.map2 (+) perSecond errors)

                    Style.points "exponent" (Findings.marker Style.blue 9) number perSecond
                ]
                |> Style.figure
                    (Style.axis "exponent" |> Style.ranged (0.5, float count + 0.5))
                    (Style.axis "per second"
                     |> Style.ranged (Figures.limits [ perSecond; [| 0.0 |] ]))
        }

        {
            Findings.nothing "Lyapunov exponents" with
                Figures = [
                    "lyapunov-exponents",
                    panel,
                    Findings.columns [
                        "exponent", number
                        "per step", spectrum.PerStep
                        "per second", perSecond
                        "error per second", errors
                    ]
                ]
                Notes = [
                    if Double.IsFinite spectrum.Dimension then
                        $"Kaplan and Yorke's dimension: {TableText.short spectrum.Dimension}."
                ]
                Key = [
                    "largest Lyapunov exponent",
                    $"{TableText.short perSecond[0]} +- {TableText.short errors[0]} per second"
                ]
        }
