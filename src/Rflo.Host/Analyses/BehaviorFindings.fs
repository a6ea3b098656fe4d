namespace Rflo.Host

open System
open Plotly.NET
open Rflo.Dsl

/// How well test trials are done: by condition, as psychometric and chronometric curves.
[<RequireQualifiedAccess>]
module internal BehaviorFindings =

    let private heads = [
        "trials"
        "performance"
        "performance low"
        "performance high"
        "loss"
        "loss low"
        "loss high"
        "reward"
    ]

    let private cells (found: BehaviorSummary) = [
        string found.Trials

        for one in [ found.Performance; found.Loss ] do
            TableText.exact one.Value
            TableText.exact one.Low
            TableText.exact one.High

        TableText.exact found.Reward.Value
    ]

    /// The performance where trials have one, else the loss.
    let private decisive (all: BehaviorSummary) =
        if Double.IsFinite all.Performance.Value then
            "performance", fun (found: BehaviorSummary) -> found.Performance
        else
            "loss", fun (found: BehaviorSummary) -> found.Loss

    let private byCondition all name (groups: (float * BehaviorSummary) list) =
        let what, of' = decisive all
        let x = [| for value, _ in groups -> value |]
        let values = [| for _, found in groups -> of' found |]

        let panel = {
            Title = $"{Figures.sentence what} by {name}"
            Caption =
                $"Mean {what} of the test trials of each {name}, with its interval of 95 %% (of a share by Wilson, of a mean by Student's t)."
            IsWide = false
            Height = 300
            Chart =
                (if x.Length > 1 then
                     [
                         Style.guide
                             Style.grey
                             StyleParam.DrawingStyle.Dot
                             x
                             (values |> Array.map _.Value)
                     ]
                 else
                     [])
                @ Findings.estimates what Style.blue x values
                |> Style.figure
                    (Style.axis name)
                    (Style.axis what |> Style.ranged (Findings.around values))
        }

        $"{what}-by-{Findings.fileName name}",
        panel,
        (name :: heads,
         [
             for value, found in groups -> TableText.exact value :: cells found
         ])

    /// How often each output is chosen where the target calls for each.
    let private confusion (trials: TestedTrial list) =
        let counts = (Behavior.confusion trials).Counts
        let outputs = Array2D.length1 counts

        // With one output there is nothing to choose between.
        if outputs < 2 then
            None
        else
            Some(
                "choices",
                (("called for" :: [ for k in 0 .. outputs - 1 -> $"chose {k}" ]),
                 [
                     for asked in 0 .. outputs - 1 ->
                         $"output {asked}"
                         :: [ for k in 0 .. outputs - 1 -> string counts[asked, k] ]
                 ])
            )

    /// Loss and performance in all, and by the conditions.
    let performance (analyzed: Analyzed) : AnalysisResult =
        let trials = analyzed.Trials
        let all = Behavior.summary trials

        for name in analyzed.Request.Conditions do
            Findings.requireCondition "--condition" trials name []

        let known = Findings.conditions trials

        let names, passed =
            match analyzed.Request.Conditions with
            | [] ->
                known
                |> List.partition (fun name ->
                    let values = (Findings.valuesOf name trials).Length
                    values >= 2 && values <= Findings.FewValues)
            | chosen ->
                for name in chosen do
                    let values = (Findings.valuesOf name trials).Length

                    if values > Findings.MostValues then
                        Findings.notPossible
                            $"--condition: {name} has {values} values in {trials.Length} trials; trials are split by at most {Findings.MostValues}"

                chosen, []

        {
            Findings.nothing "Performance" with
                Figures = [
                    for name in names -> byCondition all name (Behavior.by name trials)
                ]
                Table = confusion trials
                Notes = [
                    $"All test trials: performance {all.Performance}, loss {all.Loss}, reward {all.Reward}."

                    if known.IsEmpty then
                        "The task has no conditions to split trials by; a task of your own says them by Task.conditions."

                    for name in passed do
                        let values = (Findings.valuesOf name trials).Length

                        if values > 1 then
                            $"Not split by {name}, which has {values} values; --condition {name} splits by up to {Findings.MostValues}."
                ]
                Key = [
                    if Double.IsFinite all.Performance.Value then
                        "performance", string all.Performance

                    if Double.IsFinite all.Loss.Value then
                        "loss", string all.Loss

                    if all.Reward.Value <> 0.0 && Double.IsFinite all.Reward.Value then
                        "reward", string all.Reward
                ]
        }

    let private chose (trials: TestedTrial list) =
        trials
        |> List.exists (fun trial ->
            match trial.Decision with
            | Some(_, chosen) -> chosen <= 1
            | None -> false)

    /// Psychometric curve with its fit, and reaction times.
    let psychometric condition (analyzed: Analyzed) : AnalysisResult =
        let trials = analyzed.Trials

        if not (chose trials) then
            Findings.notPossible
                "no test trial has a choice between outputs 0 and 1, which a psychometric curve is of"

        let name =
            match condition with
            | Some name ->
                Findings.requireCondition "--psychometric" trials name []
                name
            | None ->
                match Findings.evidence trials with
                | Some name -> name
                | None ->
                    let known = Findings.conditions trials
                    let all = if known.IsEmpty then "none" else String.concat ", " known

                    Findings.notPossible
                        $"the trials have no condition evidence or difference; name one with --psychometric CONDITION (known: {all})"

        match Findings.valuesOf name trials with
        | []
        | [ _ ] ->
            Findings.notPossible
                $"{name} has the same value in all test trials, and a curve needs two"
        | _ -> ()

        let curve = Behavior.psychometric name trials
        let x = [| for value, _ in curve.Points -> value |]
        let shares = [| for _, share in curve.Points -> share |]
        let low, high = Array.min x, Array.max x
        let fine = Array.init 201 (fun k -> low + float k * (high - low) / 200.0)
        let fitted = fine |> Array.map curve.At
        let times = Behavior.chronometric analyzed.Experiment.Dt name trials

        let hasTimes = times |> List.exists (fun (_, time) -> Double.IsFinite time.Value)

        let curvePanel = {
            Title = $"Choices by {name}"
            Caption =
                $"Share of test trials in which output 1 was chosen, with its interval of 95 %% (Wilson), and the logistic curve with lapses of largest likelihood."
            IsWide = false
            Height = 320
            Chart =
                [
                    Style.line "fit" Style.orange 2.2 fine fitted
                    yield! Findings.estimates "chose output 1" Style.blue x shares
                ]
                |> Style.figure
                    (Style.axis name)
                    (Style.axis "share that chose output 1" |> Style.ranged (-0.03, 1.03))
        }

        let timePanel =
            let x = [| for value, _ in times -> value |]
            let values = [| for _, time in times -> time |]

            {
                Title = $"Reaction time by {name}"
                Caption =
                    "Mean time from the first step of the decision period until the chosen output leads, of right trials, with its interval of 95 % (Student's t)."
                IsWide = false
                Height = 320
                Chart =
                    Findings.estimates "right trials" Style.blue x values
                    |> Style.figure
                        (Style.axis name)
                        (Style.axis "reaction time (ms)" |> Style.ranged (Findings.around values))
            }

        {
            Findings.nothing "Psychometric curve" with
                Figures = [
                    $"psychometric-{Findings.fileName name}",
                    curvePanel,
                    ([ name; "share chose 1"; "low"; "high"; "trials"; "fitted" ],
                     [
                         for value, share in curve.Points ->
                             [
                                 TableText.exact value
                                 TableText.exact share.Value
                                 TableText.exact share.Low
                                 TableText.exact share.High
                                 string share.Trials
                                 TableText.exact (curve.At value)
                             ]
                     ])

                    if hasTimes then
                        $"reaction-time-{Findings.fileName name}",
                        timePanel,
                        ([ name; "mean time ms"; "low"; "high"; "trials" ],
                         [
                             for value, time in times ->
                                 [
                                     TableText.exact value
                                     TableText.exact time.Value
                                     TableText.exact time.Low
                                     TableText.exact time.High
                                     string time.Trials
                                 ]
                         ])
                ]
                Notes = [
                    $"Bias {curve.Bias}, slope {curve.Slope}, lapses {curve.LapseLow} (low end) and {curve.LapseHigh} (high end); intervals of 95 %% from trials that are drawn again."

                    if not hasTimes then
                        "No right trial has a reaction time."
                ]
                Key = [
                    $"bias ({name})", string curve.Bias
                    $"slope ({name})", string curve.Slope
                    "lapses, low end", string curve.LapseLow
                    "lapses, high end", string curve.LapseHigh
                ]
        }
