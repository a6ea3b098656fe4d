namespace Rflo.Host

open System
open Plotly.NET
open Rflo.Analysis
open Rflo.Dsl

/// What the activity of areas shows in test trials: components, trajectories, what can be decoded.
[<RequireQualifiedAccess>]
module internal PopulationFindings =

    /// Products of numbers that a decomposition may take: some ten seconds.
    [<Literal>]
    let private MostProducts = 2e10

    /// Components of which the explained variance is shown.
    [<Literal>]
    let private MostComponents = 20

    /// Steps that are decoded: each takes classifiers of its own.
    [<Literal>]
    let private MostSteps = 100

    /// Values of a condition that are decoded as classes; more are predicted as numbers.
    [<Literal>]
    let private MostClasses = 10

    /// Trials whose trajectories are drawn one by one.
    [<Literal>]
    let private SingleTrials = 4

    let private areas (analyzed: Analyzed) = analyzed.Experiment.Circuit.Areas

    /// As many of the trials as a decomposition takes in some seconds.
    let private within (units: int) (activity: Activity list) =
        let steps = activity |> List.map _.Inputs.RowCount |> List.max
        let most = MostProducts / (float steps * float units * float units)
        activity |> List.truncate (max 10 (int (min 1e6 most)))

    let private explained area used (components: PrincipalComponents) words =
        let shares = components.Explained |> Array.truncate MostComponents
        let summed = shares |> Array.scan (+) 0.0 |> Array.tail
        let number = Array.init shares.Length (fun k -> float (k + 1))

        let panel = {
            Title = $"Variance of {area}"
            Caption =
                $"Share of the variance over all steps of {used} test trials that the principal components explain, each by itself and summed.{words}"
            IsWide = false
            Height = 320
            Chart =
                [
                    Style.line "summed" Style.grey 2.0 number summed
                    Style.points "component" (Findings.marker Style.blue 8) number shares
                ]
                |> Style.figure
                    (Style.axis "principal component")
                    (Style.axis "share of the variance" |> Style.ranged (-0.03, 1.03))
        }

        $"variance-{Findings.fileName area}",
        panel,
        Findings.columns [ "component", number; "share", shares; "summed", summed ]

    /// A curve in stretches of equal time, from dark to light.
    let private byTime dt (x: float[]) (y: float[]) = [
        let count = min Style.TimeColors (max 1 (x.Length - 1))

        for k in 0 .. count - 1 do
            let first, last = k * (x.Length - 1) / count, (k + 1) * (x.Length - 1) / count

            Style.line
                $"{TableText.short (dt * float (first + 1))} to {TableText.short (dt * float (last + 1))} ms"
                (Style.timeColor k)
                2.4
                x[first..last]
                y[first..last]
    ]

    /// Means of the trials of each condition along the first two components.
    let private trajectories
        area
        (dt: float<ms>)
        split
        (names: string list)
        (labels: int[])
        (activity: TrialSet)
        (components: PrincipalComponents)
        isOneTarget
        words
        =
        let count = min 3 components.Components.ColumnCount

        // Without conditions trials of several targets have no mean that stands for them.
        let isPlain = names.IsEmpty
        let isSingle = isPlain && not isOneTarget

        let along =
            if isSingle then
                activity |> Population.project count components
            elif isPlain then
                activity.ConditionMeans(Array.zeroCreate activity.Trials)
                |> Population.project count components
            else
                activity.ConditionMeans labels |> Population.project count components

        let curve k axis =
            Array.init along.Steps (fun t -> along[k, t, axis])

        let names =
            if isSingle then
                [
                    for k in 0 .. min SingleTrials activity.Trials - 1 -> $"test trial {k}"
                ]
            elif isPlain then
                [ "all trials" ]
            else
                names

        let panel = {
            Title = $"Trajectories of {area}"
            Caption =
                (match split with
                 | Some name -> $"Means of the test trials of each {name}"
                 | None when isSingle -> $"The first {names.Length} test trials"
                 | None -> $"The mean of {activity.Trials} test trials")
                + " along the first two principal components"
                + (if isPlain then ", colored by time" else "")
                + $"; a circle marks the first step.{words}"
            IsWide = false
            Height = 320
            Chart =
                [
                    if isPlain then
                        for k in 0 .. names.Length - 1 do
                            for stretch in byTime (float dt) (curve k 0) (curve k 1) do
                                if k = 0 then
                                    stretch
                                else
                                    stretch |> Chart.withTraceInfo (ShowLegend = false)

                    for k, name in List.indexed names do
                        let x, y = curve k 0, curve k 1

                        if not isPlain then
                            Style.line name (Style.nth k) 2.0 x y
                            |> Chart.withLineStyle (Dash = Style.dash k)

                        Style.points
                            ""
                            (Findings.marker (if isPlain then Style.timeColor 0 else Style.nth k) 8) [|
                                x[0]
                            |] [| y[0] |]
                        |> Chart.withTraceInfo (ShowLegend = false)
                ]
                |> Style.figure
                    (Style.axis "component 1"
                     |> Style.ranged (
                         Figures.limits [ for k in 0 .. names.Length - 1 -> curve k 0 ]
                     ))
                    (Style.axis "component 2"
                     |> Style.ranged (
                         Figures.limits [ for k in 0 .. names.Length - 1 -> curve k 1 ]
                     ))
        }

        $"trajectories-{Findings.fileName area}",
        panel,
        ([
            Option.defaultValue "trials" split
            "time ms"
            for k in 1..count do
                $"component {k}"
         ],
         [
             for k, name in List.indexed names do
                 for t in 0 .. along.Steps - 1 ->
                     [
                         name
                         TableText.exact (float dt * float (t + 1))
                         for axis in 0 .. count - 1 do
                             TableText.exact along[k, t, axis]
                     ]
         ])

    /// The trials that have a label, with it.
    let private having (activity: Activity list) (labels: int option[]) = [
        for trial, label in Seq.zip activity labels do
            match label with
            | Some label -> trial, label
            | None -> ()
    ]

    /// Principal components of every area with two units or more.
    let components (analyzed: Analyzed) : AnalysisResult =
        for name in analyzed.Request.Conditions do
            Findings.requireCondition "--condition" analyzed.Trials name []

        let split = Findings.splitting analyzed

        let found = [
            for area in areas analyzed do
                if area.Units >= 2 then
                    let used = within area.Units analyzed.Activity

                    let names, labelled =
                        match split with
                        | None -> [], [ for trial in used -> trial, 0 ]
                        | Some name ->
                            let values, labels =
                                Findings.labels name (List.truncate used.Length analyzed.Trials)

                            [ for value in values -> $"{name} {TableText.short value}" ],
                            having used labels

                    let trials = List.map fst labelled

                    if trials.Length < 2 then
                        Findings.notPossible
                            $"{trials.Length} test trials have the condition, and components need two; give --test-trials a larger number"

                    let activity, steps = Findings.rates area.Name trials
                    let components = Population.pca activity
                    let participation = Population.dimensions activity

                    let words =
                        Findings.window trials steps
                        + Findings.some trials.Length analyzed.Trials.Length

                    let isFlat = not (Array.sum components.Variances > 0.0)

                    area.Name,
                    (if isFlat then
                         []
                     else
                         [
                             explained area.Name trials.Length components words
                             if components.Components.ColumnCount >= 2 then
                                 trajectories
                                     area.Name
                                     analyzed.Experiment.Dt
                                     split
                                     names
                                     (labelled |> List.map snd |> Array.ofList)
                                     activity
                                     components
                                     (TrialAxes.haveOneTarget trials)
                                     words
                         ]),
                    components,
                    participation,
                    isFlat
        ]

        if found.IsEmpty then
            Findings.notPossible "no area has two units, which components need"

        {
            Findings.nothing "Components" with
                Figures = found |> List.collect (fun (_, figures, _, _, _) -> figures)
                Notes = [
                    for name, _, components, participation, isFlat in found do
                        if isFlat then
                            $"{name}: its rates do not vary, so they have no components."
                        else
                            $"{name}: the first three components explain {TableText.short (components.Explained |> Array.truncate 3 |> Array.sum)} of the variance; participation ratio {TableText.short participation.Ratio} +- {TableText.short participation.Error}."
                ]
                Key = [
                    for name, _, components, participation, isFlat in found do
                        if not isFlat then
                            $"first component, {name}",
                            $"%.3f{components.Explained[0]} of the variance"

                            $"participation ratio, {name}",
                            $"{TableText.short participation.Ratio} +- {TableText.short participation.Error}"
                ]
        }

    /// Every k-th step of trials, so that there are at most so many.
    let private thinned (trials: Activity list) area =
        let all, steps = Findings.rates area trials
        let every = (steps + MostSteps - 1) / MostSteps
        let chosen = [| 0..every .. steps - 1 |]

        let values = [|
            for k in 0 .. all.Trials - 1 do
                for t in chosen do
                    for i in 0 .. all.Units - 1 -> all[k, t, i]
        |]

        TrialSet(values, all.Trials, chosen.Length, all.Units), chosen, every, steps

    /// How well a condition, or the choice, is decoded from each area in each step.
    let decoding condition (analyzed: Analyzed) : AnalysisResult =
        let trials = List.truncate analyzed.Activity.Length analyzed.Trials

        if condition <> "choice" then
            Findings.requireCondition "--decode" trials condition [ "choice" ]

        let values, labels = Findings.labels condition trials

        match values with
        | []
        | [ _ ] ->
            Findings.notPossible
                $"--decode {condition}: {values.Length} of its values occurs in {trials.Length} test trials, so there is nothing to decode"
        | _ -> ()

        let activity, labels = List.unzip (having analyzed.Activity labels)
        let labels = Array.ofList labels
        let isClasses = values.Length <= MostClasses
        let dt = float analyzed.Experiment.Dt

        let found = [
            for area in areas analyzed do
                let rates, chosen, every, steps = thinned activity area.Name
                let time = chosen |> Array.map (fun t -> dt * float (t + 1))

                if isClasses then
                    let decoded = rates |> Population.decode labels
                    area.Name, time, decoded.Accuracy, decoded.Errors, decoded.Chance, every, steps
                else
                    let numbers = labels |> Array.map (fun label -> values[label])
                    let explained = rates |> Population.regress numbers
                    area.Name, time, explained, Array.create time.Length nan, 0.0, every, steps
        ]

        let _, time, _, _, chance, every, steps = found.Head

        let what =
            if isClasses then
                "share of trials decoded right"
            else
                "share of the variance predicted"

        let method' =
            if isClasses then
                $"Linear discriminants of {values.Length} classes, tested on trials that were left out (five parts); band: standard error; dotted: the share of the most frequent class."
            else
                $"Ridge regression on {values.Length} values, tested on trials that were left out."

        let stepsWords =
            if every > 1 then
                $" One step of every {every} is decoded, of {steps}."
            else
                ""

        let panel = {
            Title = $"Decoding {condition}"
            Caption =
                method'
                + stepsWords
                + Findings.window activity steps
                + Findings.some activity.Length analyzed.Trials.Length
            IsWide = true
            Height = 320
            Chart =
                [
                    Style.guide Style.grey StyleParam.DrawingStyle.Dot [|
                        time[0]
                        Array.last time
                    |] [| chance; chance |]

                    for k, (name, time, values, errors, _, _, _) in List.indexed found do
                        if isClasses then
                            yield!
                                Style.between
                                    ""
                                    (Style.nthBand k)
                                    time
                                    (Array.map2 (-) values errors)
                                    (Array.map2 (+) values errors)
                                |> List.map (Chart.withTraceInfo (ShowLegend = false))

                        Style.line name (Style.nth k) 2.2 time values
                        |> Chart.withLineStyle (Dash = Style.dash k)
                ]
                |> Style.figure
                    (Style.axis "time (ms)")
                    (Style.axis what
                     |> Style.ranged (
                         Figures.limits [
                             for _, _, values, _, _, _, _ in found do
                                 values
                             [| chance; 1.0 |]
                         ]
                     ))
        }

        {
            Findings.nothing $"Decoding of {condition}" with
                Figures = [
                    $"decoding-{Findings.fileName condition}",
                    panel,
                    Findings.columns [
                        "time ms", time
                        for name, _, values, errors, _, _, _ in found do
                            name, values

                            if isClasses then
                                $"{name} error", errors
                    ]
                ]
                Key = [
                    for name, time, values, _, chance, _, _ in found do
                        let finite =
                            values
                            |> Array.map (fun value ->
                                if Double.IsFinite value then value else -infinity)

                        let best = Array.max finite
                        let at = time[Array.findIndex ((=) best) finite]

                        $"{condition} from {name}",
                        $"%.3f{best} at %g{at} ms"
                        + (if isClasses then $", chance %.3f{chance}" else "")
                ]
        }
