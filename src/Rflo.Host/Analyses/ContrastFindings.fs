namespace Rflo.Host

open System
open Plotly.NET
open Rflo.Dsl

/// Test trials under perturbations beside the same trials without: performance, choices, outputs.
[<RequireQualifiedAccess>]
module internal ContrastFindings =

    [<Literal>]
    let private MostOutputs = 4

    /// Values of a condition by which outputs are split.
    [<Literal>]
    let private MostCurves = 4

    /// Perturbations whose outputs are drawn.
    [<Literal>]
    let private MostPerturbations = 6

    let private performances (trials: ContrastedTrials) = trials.Tested |> List.map _.Performance
    let private losses (trials: ContrastedTrials) = trials.Tested |> List.map _.Loss

    /// Performance where trials have one, else the loss.
    let private decisive (control: ContrastedTrials) =
        if performances control |> List.exists Double.IsFinite then
            "performance", performances, Estimate.ofScores
        else
            "loss", losses, Estimate.mean

    /// The difference to the control, trial by trial.
    let private difference of' (control: ContrastedTrials) (perturbed: ContrastedTrials) =
        Estimate.pairedDifference (of' control) (of' perturbed)

    let private intervalWords =
        "Intervals are those of 95 % (of a share by Wilson, of a mean by Student's t)."

    let private places count =
        Array.init count (fun k -> float (k + 1))

    let private named (names: string[]) =
        let axis = Style.namedAxis "" names

        if names.Length > 3 || names |> Array.exists (fun name -> name.Length > 24) then
            Style.slanted axis
        else
            axis

    /// Places of several estimates at one value, side by side.
    let private dodged (x: float[]) count k =
        if x.Length < 2 || count < 2 then
            x
        else
            let step = (Array.max x - Array.min x) / 90.0
            x |> Array.map (fun x -> x + step * (float k - float (count - 1) / 2.0))

    let private dodgeWords =
        "Points at one value are drawn side by side; the numbers are in the file."

    let private cells (one: Estimate) = [
        TableText.exact one.Value
        TableText.exact one.Low
        TableText.exact one.High
    ]

    let private heads name = [ name; $"{name} low"; $"{name} high" ]

    let private overall (all: ContrastedTrials list) =
        let control = all.Head
        let what, of', estimate = decisive control
        let values = all |> List.map (of' >> estimate) |> Array.ofList

        let panel = {
            Title = $"{Figures.sentence what} under perturbations"
            Caption =
                $"Mean {what} of the same {control.Tested.Length} held-out test trials without and with each perturbation. {intervalWords}"
            IsWide = false
            Height = 320
            Chart =
                Findings.estimates what Style.blue (places values.Length) values
                |> Style.figure
                    (named [| for one in all -> one.Words |])
                    (Style.axis what |> Style.ranged (Findings.around values))
                |> Chart.withLegendStyle (Visible = false)
        }

        "perturbations",
        panel,
        ([
            "perturbation"
            "trials"
            yield! heads "performance"
            yield! heads "loss"
            "reward"
            yield! heads "performance difference"
            yield! heads "loss difference"
         ],
         [
             for one in all ->
                 [
                     one.Words
                     string one.Tested.Length
                     yield! cells (Estimate.ofScores (performances one))
                     yield! cells (Estimate.mean (losses one))
                     TableText.exact (Estimate.mean (one.Tested |> List.map _.Reward)).Value
                     yield! cells (difference performances control one)
                     yield! cells (difference losses control one)
                 ]
         ])

    let private differences (all: ContrastedTrials list) =
        let control = all.Head
        let what, of', _ = decisive control
        let found = all.Tail |> List.map (difference of' control) |> Array.ofList

        let isShare =
            of' control @ List.collect of' all.Tail
            |> List.forall (fun x -> x = 0.0 || x = 1.0 || Double.IsNaN x)

        let panel = {
            Title = $"Difference of {what} to the control"
            Caption =
                $"Mean of perturbed minus control over {control.Tested.Length} test trials, paired trial by trial, with its interval of 95 %% "
                + (if isShare then
                       "(of paired shares, Newcombe 1998)."
                   else
                       "(Student's t of the differences).")
                + " Inputs, targets and noise of the two are the same. Dotted: no difference."
            IsWide = false
            Height = 320
            Chart =
                [
                    Style.guide Style.grey StyleParam.DrawingStyle.Dot [|
                        0.5
                        float found.Length + 0.5
                    |] [| 0.0; 0.0 |]
                    yield! Findings.estimates "difference" Style.orange (places found.Length) found
                ]
                |> Style.figure
                    (named [| for one in all.Tail -> one.Words |])
                    (Style.axis $"difference of {what}"
                     |> Style.ranged (
                         Figures.limits [
                             yield [| 0.0 |]

                             for one in found do
                                 yield
                                     [| one.Value; one.Low; one.High |]
                                     |> Array.filter Double.IsFinite
                         ]
                     ))
                |> Chart.withLegendStyle (Visible = false)
        }

        "perturbation-differences",
        panel,
        ([
            "perturbation"
            "pairs"
            yield! heads $"{what} difference"
         ],
         [
             for one, value in List.zip all.Tail (List.ofArray found) ->
                 [ one.Words; string value.Trials; yield! cells value ]
         ])

    let private hasChoices (trials: ContrastedTrials) =
        trials.Tested
        |> List.exists (fun trial ->
            match trial.Decision with
            | Some(_, chosen) -> chosen <= 1
            | None -> false)

    /// Choices by the evidence, control and perturbed on one pair of axes.
    let private psychometric name (all: ContrastedTrials list) =
        let curves = [
            for one in all -> one.Words, Behavior.psychometric name one.Tested
        ]

        let values = [|
            for _, curve in curves do
                for x, _ in curve.Points -> x
        |]

        let low, high = Array.min values, Array.max values
        let fine = Array.init 201 (fun k -> low + float k * (high - low) / 200.0)

        let panel = {
            Title = $"Choices by {name}, control and perturbed"
            Caption =
                $"Share of the same {all.Head.Tested.Length} test trials in which output 1 was chosen, with its interval of 95 %% (Wilson), and the logistic curves with lapses of largest likelihood. {dodgeWords}"
            IsWide = true
            Height = 360
            Chart =
                [
                    for k, (words, curve) in List.indexed curves do
                        let x = [| for x, _ in curve.Points -> x |]

                        Style.line "" (Style.nth k) 2.0 fine (Array.map curve.At fine)
                        |> Chart.withLineStyle (Dash = Style.dash k)
                        |> Chart.withTraceInfo (ShowLegend = false)

                        yield!
                            Findings.estimates words (Style.nth k) (dodged x curves.Length k) [|
                                for _, share in curve.Points -> share
                            |]
                ]
                |> Style.figure
                    (Style.axis name)
                    (Style.axis "share that chose output 1" |> Style.ranged (-0.03, 1.03))
        }

        ($"psychometric-{Findings.fileName name}-perturbed",
         panel,
         ([
             "trials are"
             name
             "share chose 1"
             "low"
             "high"
             "trials"
             "fitted"
          ],
          [
              for words, curve in curves do
                  for value, share in curve.Points ->
                      [
                          words
                          TableText.exact value
                          yield! cells share
                          string share.Trials
                          TableText.exact (curve.At value)
                      ]
          ])),
        [
            for words, curve in curves ->
                $"{Figures.sentence words}: bias {curve.Bias}, slope {curve.Slope} (intervals of 95 %% from trials that are drawn again)."
        ]

    /// Performance or loss by a condition, control and perturbed on one pair of axes.
    let private byCondition name (all: ContrastedTrials list) =
        let what, _, _ = decisive all.Head

        let of' (found: BehaviorSummary) =
            if what = "performance" then
                found.Performance
            else
                found.Loss

        let found = [ for one in all -> one.Words, Behavior.by name one.Tested ]

        let panel = {
            Title = $"{Figures.sentence what} by {name}, control and perturbed"
            Caption =
                $"Mean {what} of the same {all.Head.Tested.Length} test trials by {name}. {intervalWords} {dodgeWords}"
            IsWide = true
            Height = 340
            Chart =
                [
                    for k, (words, groups) in List.indexed found do
                        let x = dodged [| for x, _ in groups -> x |] found.Length k
                        let values = [| for _, one in groups -> of' one |]

                        Style.line "" (Style.nth k) 1.4 x (values |> Array.map _.Value)
                        |> Chart.withLineStyle (Dash = Style.dash k)
                        |> Chart.withTraceInfo (ShowLegend = false)

                        yield! Findings.estimates words (Style.nth k) x values
                ]
                |> Style.figure
                    (Style.axis name)
                    (Style.axis what
                     |> Style.ranged (
                         Findings.around [
                             for _, groups in found do
                                 for _, one in groups -> of' one
                         ]
                     ))
        }

        $"{what}-by-{Findings.fileName name}-perturbed",
        panel,
        ([ "trials are"; name; "trials"; yield! heads what ],
         [
             for words, groups in found do
                 for value, one in groups ->
                     [
                         words
                         TableText.exact value
                         string one.Trials
                         yield! cells (of' one)
                     ]
         ])

    /// Outputs of trials without and with one perturbation: means by condition where there is one, or of all trials where these have one target; otherwise
    /// test trial 0.
    let private outputs
        (dt: float<ms>)
        (condition: string option)
        (control: ContrastedTrials)
        (perturbed: ContrastedTrials)
        =
        let count = min control.Activity.Length perturbed.Activity.Length
        let before = List.truncate count control.Activity
        let after = List.truncate count perturbed.Activity

        // The control has the marks of the perturbed trial too, so that the axis is the same.
        let before =
            List.map2
                (fun (trial: Activity) (other: Activity) -> { trial with Events = other.Events })
                before
                after

        let groups, said =
            match condition with
            | Some name ->
                let values =
                    before
                    |> List.choose (fun trial -> Map.tryFind name trial.Conditions)
                    |> List.distinct
                    |> List.sort

                let shown = Findings.someValues MostCurves values

                [
                    for value in shown ->
                        $"{name} {TableText.short value}",
                        [
                            for k, trial in List.indexed before do
                                if Map.tryFind name trial.Conditions = Some value then
                                    k
                        ]
                ],
                $"Means over the test trials of each {name}, of {count} trials"
                + (if shown.Length < values.Length then
                       $" ({shown.Length} of {values.Length} values are drawn)"
                   else
                       "")
            | None when TrialAxes.haveOneTarget before ->
                [ "all trials", [ 0 .. count - 1 ] ], $"Means over {count} test trials"
            | None -> [ "test trial 0", [ 0 ] ], "Test trial 0"

        let used = groups |> List.collect snd |> List.distinct |> List.sort
        let pick trials = [ for k in used -> List.item k trials ]
        let onset = TrialAxes.onset before
        let control = TrialAxes.align dt onset (pick before)
        let changed = TrialAxes.align dt onset (pick after)

        let group (aligned: AlignedTrials) members = {
            aligned with
                Trials = [
                    for k, trial in List.zip used aligned.Trials do
                        if List.contains k members then
                            trial
                ]
        }

        let columns =
            TrialAxes.readouts before.Head
            |> List.collect (fun (readout, first) -> [
                for k in 0 .. readout.Outputs - 1 ->
                    readout.Name, k, first + k, TrialAxes.labelOf readout k
            ])

        [
            for readout, k, column, label in List.truncate MostOutputs columns do
                let curves = [
                    for name, members in groups ->
                        name,
                        TrialAxes.meanOutput (group control members) readout k,
                        TrialAxes.meanOutput (group changed members) readout k
                ]

                let marks = TrialAxes.marks [ column ] control
                let empty = [| nan |]

                let drawn = [
                    Style.line "control" Style.grey 2.0 empty empty

                    Style.line "perturbed" Style.grey 2.0 empty empty
                    |> Chart.withLineStyle (Dash = StyleParam.DrawingStyle.Dash)

                    for place, (name, before, after) in List.indexed curves do
                        let line aligned values =
                            TrialAxes.line aligned name (Style.nth place) 2.0 values

                        line control before

                        line changed after
                        |> Chart.withLineStyle (Dash = StyleParam.DrawingStyle.Dash)
                        |> Chart.withTraceInfo (ShowLegend = false)
                ]

                $"outputs-{Findings.fileName perturbed.Words}-{Findings.fileName label}",
                {
                    Title = $"{label}: control and {perturbed.Words}"
                    Caption =
                        $"{said}, without the perturbation (solid) and with it (dashed); inputs, targets and noise are the same."
                        + TrialAxes.caption marks
                        + Thinning.caption control.Times.Length
                    IsWide = true
                    Height = 340
                    Chart =
                        TrialAxes.figure
                            true
                            control
                            marks
                            "output"
                            (Figures.limits [
                                for _, before, after in curves do
                                    before
                                    after
                            ])
                            drawn
                },
                Findings.columns [
                    TrialAxes.timeHead control, control.Times
                    for name, before, after in curves do
                        $"{name} control", before
                        $"{name} perturbed", after
                ]
        ],
        columns.Length

    /// The trials of the control, and those of each perturbation, with the condition by which they are split; where none is named, the evidence or the
    /// first with few values.
    let ofTrials dt (condition: string option) (all: ContrastedTrials list) : AnalysisResult =
        let control, perturbed = all.Head, all.Tail
        let split = condition |> Option.orElse (Findings.splittingCondition control.Tested)
        let what, of', estimate = decisive control

        let byEvidence =
            match Findings.evidence control.Tested with
            | Some name when
                hasChoices control && (Findings.valuesOf name control.Tested).Length >= 2
                ->
                Some(psychometric name all)
            | _ -> None

        // The evidence has its own figure.
        let conditions =
            Findings.conditions control.Tested
            |> List.filter (fun name ->
                let count = (Findings.valuesOf name control.Tested).Length

                count >= 2
                && count <= Findings.FewValues
                && (byEvidence.IsNone || Some name <> Findings.evidence control.Tested))

        let ofOutputs =
            if List.isEmpty control.Activity then
                []
            else
                perturbed
                |> List.truncate MostPerturbations
                |> List.filter (fun one -> not one.Activity.IsEmpty)
                |> List.map (outputs dt split control)

        {
            Findings.nothing "Perturbations" with
                Figures = [
                    overall all
                    differences all

                    match byEvidence with
                    | Some(figure, _) -> figure
                    | None -> ()

                    match condition |> Option.orElse (List.tryHead conditions), byEvidence with
                    | Some name, Some _ when Some name = Findings.evidence control.Tested -> ()
                    | Some name, _ -> byCondition name all
                    | None, _ -> ()

                    for figures, _ in ofOutputs do
                        yield! figures
                ]
                Table =
                    Some(
                        "",
                        ([
                            "perturbation"
                            "trials"
                            what
                            $"difference of {what}"
                            "loss"
                         ],
                         [
                             for one in all ->
                                 [
                                     one.Words
                                     string one.Tested.Length
                                     string (estimate (of' one))
                                     (if one.Words = Contrasts.Control then
                                          ""
                                      else
                                          string (difference of' control one))
                                     string (Estimate.mean (losses one))
                                 ]
                         ])
                    )
                Notes = [
                    "Every trial is run without and with each perturbation; differences are taken trial by trial, with intervals of 95 %."

                    match byEvidence with
                    | Some(_, notes) -> yield! notes
                    | None -> ()

                    if perturbed.Length > MostPerturbations then
                        $"Outputs of the first {MostPerturbations} of {perturbed.Length} perturbations are drawn."

                    match ofOutputs with
                    | (_, count) :: _ when count > MostOutputs ->
                        $"{MostOutputs} of {count} outputs are drawn."
                    | _ -> ()
                ]
                Key = [
                    for one in all do
                        $"{what}, {one.Words}", string (estimate (of' one))

                    for one in perturbed do
                        $"difference of {what}, {one.Words}", string (difference of' control one)
                ]
        }
