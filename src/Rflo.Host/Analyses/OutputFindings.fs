namespace Rflo.Host

open System
open Plotly.NET
open Rflo.Dsl

/// Outputs against targets in test trials, and the intervals that a circuit produces.
[<RequireQualifiedAccess>]
module internal OutputFindings =

    /// Outputs of a readout that are drawn.
    [<Literal>]
    let private MostOutputs = 6

    /// Panels of outputs by condition.
    [<Literal>]
    let private MostPanels = 4

    [<Literal>]
    let private MostCurves = 6

    /// Single trials in one figure.
    [<Literal>]
    let private MostTrials = 4

    let private target (aligned: AlignedTrials) name colour values =
        TrialAxes.line aligned name colour 1.6 values
        |> Chart.withLineStyle (Dash = StyleParam.DrawingStyle.Dot)

    let private columnsOf (readout: Readout) first = [ first .. first + readout.Outputs - 1 ]

    /// The key of target and output where colours are of something else.
    let private styleKey = [
        Style.line "output" Style.grey 2.2 [| nan |] [| nan |]

        Style.line "target" Style.grey 1.6 [| nan |] [| nan |]
        |> Chart.withLineStyle (Dash = StyleParam.DrawingStyle.Dot)
    ]

    let private hidden chart =
        chart |> Chart.withTraceInfo (ShowLegend = false)

    /// The numbers of all outputs of a readout in trials: label, mean target, mean output, deviation.
    let private curvesOf aligned (readout: Readout, first) = [
        for k in 0 .. min MostOutputs readout.Outputs - 1 ->
            TrialAxes.labelOf readout k,
            TrialAxes.meanTarget aligned (first + k),
            TrialAxes.meanOutput aligned readout.Name k,
            TrialAxes.deviation aligned readout.Name k
    ]

    let private low mean deviation = Array.map2 (-) mean deviation
    let private high mean deviation = Array.map2 (+) mean deviation

    /// All numbers of a readout in trials, for the ends of an axis.
    let series dt trials readout = [
        for _, asked, mean, deviation in curvesOf (TrialAxes.align dt None trials) readout do
            asked
            low mean deviation
            high mean deviation
    ]

    /// All outputs of a readout on one axis, in one trial or as means over several with their deviations.
    let panel
        dt
        (trials: Activity list)
        title
        caption
        isWide
        colour
        range
        (readout: Readout, first)
        =
        let aligned = TrialAxes.align dt None trials
        let marks = TrialAxes.marks (columnsOf readout first) aligned
        let curves = curvesOf aligned (readout, first)
        let isOne = readout.Outputs = 1

        {
            Title = title
            Caption =
                caption
                + TrialAxes.caption marks
                + (if curves.Length < readout.Outputs then
                       $" {curves.Length} of {readout.Outputs} outputs are drawn."
                   else
                       "")
                + Thinning.caption aligned.Times.Length
            IsWide = isWide
            Height = 340
            Chart =
                [
                    if not isOne then
                        yield! styleKey

                    for k, (label, asked, mean, deviation) in List.indexed curves do
                        if trials.Length > 1 then
                            yield!
                                Style.between
                                    $"{label} deviation"
                                    (Style.nthBand k)
                                    aligned.Times
                                    (low mean deviation)
                                    (high mean deviation)
                                |> List.map hidden

                        if isOne then
                            TrialAxes.line aligned "output" colour 2.2 mean
                            target aligned "target" Style.ink asked
                        else
                            TrialAxes.line aligned label (Style.nth k) 2.2 mean
                            target aligned $"{label} target" (Style.nth k) asked |> hidden
                ]
                |> TrialAxes.figure isWide aligned marks "output" range
        }

    /// All outputs of a readout on one axis: of one trial, or as means with their deviations where all trials have one target.
    let private together dt (trials: Activity list) isMean (readout: Readout, first) =
        let shown = if isMean then trials else List.truncate 1 trials
        let aligned = TrialAxes.align dt None shown
        let curves = curvesOf aligned (readout, first)

        $"outputs-{Findings.fileName readout.Name}",
        panel
            dt
            shown
            $"Outputs and targets of {readout.Name}"
            (if isMean then
                 $"Mean over {shown.Length} held-out test trials, which have one target; band: one standard deviation over trials."
             else
                 "Held-out test trial 0, without learning.")
            true
            Style.blue
            (Figures.limits (series dt shown (readout, first)))
            (readout, first),
        Findings.columns [
            TrialAxes.timeHead aligned, aligned.Times
            for label, asked, mean, deviation in curves do
                $"{label} target", asked
                $"{label} output", mean

                if isMean then
                    $"{label} deviation", deviation
        ]

    /// Curves with their targets on one axis, and their numbers.
    let private besideTargets title caption isWide (aligned: AlignedTrials) marks curves =
        {
            Title = title
            Caption = caption + TrialAxes.caption marks + Thinning.caption aligned.Times.Length
            IsWide = isWide
            Height = 340
            Chart =
                [
                    yield! styleKey

                    for place, (name, asked, output) in List.indexed curves do
                        target aligned $"{name} target" (Style.nth place) asked |> hidden
                        TrialAxes.line aligned name (Style.nth place) 2.2 output
                ]
                |> TrialAxes.figure
                    isWide
                    aligned
                    marks
                    "output"
                    (Figures.limits [
                        for _, asked, output in curves do
                            asked
                            output
                    ])
        },
        Findings.columns [
            TrialAxes.timeHead aligned, aligned.Times
            for name, asked, output in curves do
                $"{name} target", asked
                $"{name} output", output
        ]

    /// The means of one output by condition.
    let private byCondition dt condition (trials: Activity list) (readout: Readout, first) k =
        let having =
            trials |> List.filter (fun trial -> trial.Conditions.ContainsKey condition)

        let values =
            having |> List.map _.Conditions[condition] |> List.distinct |> List.sort

        let shown = Findings.someValues MostCurves values
        let aligned = TrialAxes.align dt (TrialAxes.lastPhase having) having
        let label = TrialAxes.labelOf readout k
        let marks = TrialAxes.marks [ first + k ] aligned

        let curves = [
            for value in shown do
                let group = {
                    aligned with
                        Trials =
                            aligned.Trials
                            |> List.filter (fun (trial, _) -> trial.Conditions[condition] = value)
                }

                $"{condition} {TableText.short value}",
                TrialAxes.meanTarget group (first + k),
                TrialAxes.meanOutput group readout.Name k
        ]

        let caption =
            $"Means over the held-out test trials of each {condition}, of {having.Length} trials; dotted: mean targets."
            + (if shown.Length < values.Length then
                   $" {shown.Length} of {values.Length} values are drawn."
               else
                   "")
            + (match aligned.Anchor with
               | Some _ ->
                   " Phases differ in length: those steps are shaded and named that all trials have at this time."
               | None -> "")

        let panel, numbers =
            besideTargets $"{label} by {condition}" caption false aligned marks curves

        $"outputs-by-{Findings.fileName condition}-{Findings.fileName label}", panel, numbers

    /// Some trials of one output on one axis, for targets that differ from trial to trial.
    let private several dt (trials: Activity list) (readout: Readout, first) =
        let shown = List.truncate MostTrials trials
        let aligned = TrialAxes.align dt None shown
        let marks = TrialAxes.marks [ first ] aligned

        let curves = [
            for k, (trial, row) in List.indexed aligned.Trials do
                let alone = { aligned with Trials = [ trial, row ] }

                $"test trial {k}",
                TrialAxes.meanTarget alone first,
                TrialAxes.meanOutput alone readout.Name 0
        ]

        let panel, numbers =
            besideTargets
                $"{readout.Name} in test trials"
                $"The first {shown.Length} held-out test trials, whose targets differ."
                true
                aligned
                marks
                curves

        $"outputs-in-trials-{Findings.fileName readout.Name}", panel, numbers

    /// Produced against target intervals of ready-set-go.
    let private intervals (task: ReadySetGo) readout (analyzed: Analyzed) : AnalysisResult =
        let dt = analyzed.Experiment.Dt

        let found =
            analyzed.Activity
            |> List.map (Measure.intervalOf readout task dt)
            |> List.map (fun (asked, produced) -> float asked, float produced)

        let asked, produced =
            found |> List.unzip |> fun (a, b) -> Array.ofList a, Array.ofList b

        let errors = Array.map2 (-) produced asked
        let bias = Estimate.mean errors
        let distance = Estimate.mean (Array.map abs errors)
        let low, high = Figures.limits [ asked; produced ]

        let panel = {
            Title = "Produced against target interval"
            Caption =
                $"Of {found.Length} held-out test trials. The produced interval is the time from the second pulse to the largest output after it; dashed: as long as the target."
            IsWide = false
            Height = 400
            Chart =
                [
                    Style.line "target" Style.ink 1.5 [| low; high |] [| low; high |]
                    |> Chart.withLineStyle (Dash = StyleParam.DrawingStyle.Dash)

                    Style.points
                        "produced"
                        (TraceObjects.Marker.init (Color = Style.blue, Size = 6, Opacity = 0.5))
                        asked
                        produced
                ]
                |> Style.figure
                    (Style.axis "target interval (ms)" |> Style.ranged (low, high))
                    (Style.axis "produced interval (ms)" |> Style.ranged (low, high))
        }

        {
            Findings.nothing "Intervals" with
                Figures = [
                    "intervals",
                    panel,
                    ([ "trial"; "target ms"; "produced ms" ],
                     [
                         for k, (asked, produced) in List.indexed found ->
                             [
                                 string k
                                 TableText.exact asked
                                 TableText.exact produced
                             ]
                     ])
                ]
                Notes = [
                    $"Produced minus target: mean {bias} ms; mean distance {distance} ms (intervals of 95 %%, Student's t, over {found.Length} test trials)."
                ]
                Key = [
                    "produced minus target interval", $"{bias} ms"
                    "distance of produced and target interval", $"{distance} ms"
                ]
        }

    /// Outputs against targets: in one trial, by condition, or in several trials.
    let outputs (analyzed: Analyzed) : AnalysisResult =
        let trials = analyzed.Activity
        let dt = analyzed.Experiment.Dt

        if trials.IsEmpty || trials.Head.Readouts.IsEmpty then
            Findings.notPossible "the circuit has no readout"

        for name in analyzed.Request.Conditions do
            Findings.requireCondition "--condition" analyzed.Trials name []

        let readouts = TrialAxes.readouts trials.Head
        let isMean = trials.Length > 1 && TrialAxes.haveOneTarget trials

        let condition =
            analyzed.Request.Conditions
            |> List.tryHead
            |> Option.orElseWith (fun () -> Findings.splittingCondition analyzed.Trials)

        let panels = [
            match condition with
            | Some name ->
                for readout, first in readouts do
                    for k in 0 .. readout.Outputs - 1 -> name, (readout, first), k
            | None -> ()
        ]

        let ofIntervals =
            match analyzed.Experiment.Task.Kind with
            | ReadySetGo task -> intervals task trials.Head.Readouts.Head.Name analyzed
            | _ -> Findings.nothing ""

        {
            Findings.nothing "Outputs" with
                Figures = [
                    for readout in readouts do
                        together dt trials isMean readout

                    for name, readout, k in List.truncate MostPanels panels do
                        byCondition dt name trials readout k

                    if condition.IsNone && not isMean && trials.Length > 1 then
                        for readout, first in readouts do
                            if readout.Outputs = 1 then
                                several dt trials (readout, first)

                    yield! ofIntervals.Figures
                ]
                Key = ofIntervals.Key
                Notes = [
                    if trials.Length < analyzed.Trials.Length then
                        $"Of {analyzed.Trials.Length} test trials the outputs of the first {trials.Length} are used."

                    if panels.Length > MostPanels then
                        $"{MostPanels} of {panels.Length} outputs are drawn by condition."

                    yield! ofIntervals.Notes
                ]
        }
