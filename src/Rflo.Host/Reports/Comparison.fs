namespace Rflo.Host

open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// The page that compares several runs.
[<RequireQualifiedAccess>]
module internal Comparison =

    let private short (value: float) = $"%.4g{value}"

    /// Microseconds a step, if the run was long enough to say.
    let microseconds (trained: Trained) =
        Speed.microseconds trained.Seconds trained.Steps

    /// The reference of the runs' angle probes, if they have one.
    let private reference (runs: Trained list) =
        let angle = "angle own/"

        runs
        |> Seq.collect (fun trained -> trained.Probes |> Map.keys)
        |> Seq.tryFind (fun name ->
            name.StartsWith(angle, System.StringComparison.Ordinal)
            && name.IndexOf(' ', angle.Length) < 0)
        |> Option.map (fun name -> name, name.Substring angle.Length)

    /// The alignments of the feedback that a run used, in order of declaration.
    let private alignments (trained: Trained) = [
        for feedback in trained.Experiment.Circuit.Feedback do
            if ErrorPaths.isUsed trained.Experiment feedback then
                match Map.tryFind (feedback.Readout, feedback.Area) trained.Alignments with
                | Some values -> $"{feedback.Readout}->{feedback.Area}", values
                | None -> ()
    ]

    /// The columns of validations of any of the runs.
    let validations (runs: Trained list) = [
        for column in [ "validation loss"; "validation performance" ] do
            let isMeasured (trained: Trained) =
                match trained.Probes.TryFind column with
                | Some series -> series.Values |> Array.exists (System.Double.IsNaN >> not)
                | None -> false

            if List.exists isMeasured runs then
                column
    ]

    let private lastOf column (trained: Trained) = Ranking.lastOf column trained.Probes

    let private isRanked (runs: Trained list) = not (validations runs).IsEmpty

    let private score (trained: Trained) =
        Ranking.score trained.Status.IsWell trained.Probes (FinalLoss.ofRun trained)

    /// The runs in the order of the table: the best first where any of them validates, else as they were given. The loss of the training
    /// decides no order: rules may have other losses, and trials of the training are what was learned.
    let ranked (runs: Trained list) =
        if isRanked runs then Ranking.order score runs else runs

    /// The heads of the table.
    let heads (runs: Trained list) = [
        "run"
        "trials"
        "final loss"
        "alignment"
        "time (s)"
        "µs a step"
        match reference runs with
        | Some(_, name) -> $"angle to {name} (°)"
        | None -> ()
        yield! validations runs
    ]

    /// The definitions of the table's numbers.
    let legend =
        $"final loss: {FinalLoss.meaning}; µs a step: {Speed.meaning}, – where they were too few; "
        + "alignment: of the readout with the feedback that the run learned by, after its last trial"

    /// What the numbers of the table of these runs are, and the order of its rows.
    let legendOf (runs: Trained list) =
        if isRanked runs then
            Ranking.words score runs + legend
        else
            legend

    let private finalAlignment (trained: Trained) =
        match alignments trained with
        | [] -> "–"
        | [ _, values ] when values.Length > 0 -> $"%.3f{Array.last values}"
        | several ->
            several
            |> List.filter (fun (_, values) -> values.Length > 0)
            |> List.map (fun (name, values) -> $"{name} %.3f{Array.last values}")
            |> String.concat ", "

    /// The label of a run among others: the name of its experiment, or of its rule where the experiments have one name.
    let label (runs: Trained list) (trained: Trained) =
        if
            runs |> List.distinctBy (fun run -> run.Experiment.Name) |> List.length = runs.Length
        then
            trained.Experiment.Name
        else
            trained.Experiment.Rule.Name

    /// The number that ranks a run, with its name; the final loss where no run validates.
    let private decisive (runs: Trained list) (trained: Trained) (finalLoss: string) =
        let column =
            match Ranking.criterion score runs with
            | RankedBy.ValidationPerformance when isRanked runs -> Some "validation performance"
            | RankedBy.ValidationLoss when isRanked runs -> Some "validation loss"
            | _ -> None

        match column with
        | Some column -> column, TableText.short (lastOf column trained)
        | None -> "final loss", finalLoss

    let private finalLoss (trained: Trained) =
        match FinalLoss.ofRun trained with
        | loss when System.Double.IsNaN loss ->
            if trained.Status.End = RunEnd.Diverged then
                "diverged"
            else
                "–"
        | loss -> short loss

    /// A row of the table.
    let row (runs: Trained list) (trained: Trained) = [
        label runs trained
        string trained.Losses.Length
        finalLoss trained
        finalAlignment trained
        $"%.2f{Array.sum trained.Seconds}"
        microseconds trained
        |> Option.map (fun time -> $"%.2f{time}")
        |> Option.defaultValue "–"
        match reference runs with
        | Some(column, _) ->
            trained.Probes
            |> Map.tryFind column
            |> Option.bind (fun series -> Array.tryLast series.Values)
            |> Option.map (fun angle -> $"%.1f{angle}")
            |> Option.defaultValue "–"
        | None -> ()

        for column in validations runs do
            TableText.short (lastOf column trained)
    ]

    /// The first output of every readout, in order of declaration, each run with its own target.
    let internal outputs (runs: Trained list) =
        let column (matrix: MathNet.Numerics.LinearAlgebra.Matrix<float>) =
            matrix.Column(0).ToArray()

        let readouts =
            runs
            |> List.collect (fun trained -> trained.After.Readouts |> List.map _.Name)
            |> List.distinct

        [
            for readout in readouts do
                let having =
                    List.indexed runs
                    |> List.filter (fun (_, trained) ->
                        trained.After.Outputs.ContainsKey readout
                        && trained.After.Targets.RowCount > 0)

                let target (trained: Trained) =
                    column (Measure.targets readout trained.After)

                let output (trained: Trained) = column trained.After.Outputs[readout]

                let range =
                    Figures.limits [
                        for _, trained in having do
                            target trained
                            output trained
                    ]

                let what =
                    if readouts.Length = 1 then
                        "Output"
                    else
                        $"Output of {readout}"

                for k, trained in having do
                    Figures.output
                        $"{what} after {trained.Losses.Length} trials of {label runs trained}"
                        "Test trial 0, with learning off."
                        range
                        (Style.nth k)
                        (Array.init trained.After.Targets.RowCount (fun t ->
                            float trained.Experiment.Dt * float (t + 1)))
                        (target trained)
                        (column (Measure.mask readout trained.After))
                        (output trained)
        ]

    /// A note on what the page leaves out.
    let private leftOut (runs: Trained list) = [
        if
            runs
            |> List.exists (fun trained ->
                trained.Experiment.Circuit.Readouts
                |> List.exists (fun readout -> readout.Outputs > 1))
        then
            Note
                "Of readouts with several outputs the first is shown; the report of each run and its activity.npz have the others."
    ]

    let private named (series: Trained -> float[]) (runs: Trained list) =
        runs |> List.map (fun trained -> label runs trained, series trained)

    /// A curve for each feedback of each run that has one.
    let private alignmentCurves (runs: Trained list) = [
        for trained in runs do
            match alignments trained with
            | [ _, values ] -> label runs trained, values
            | several ->
                for name, values in several do
                    $"{label runs trained}, {name}", values
    ]

    let private kinds (runs: Trained list) = [
        for trained in runs do
            for readout in trained.Experiment.Circuit.Readouts -> Losses.ofReadout readout
    ]

    /// The description of the experiments: once where the runs differ in training only, else for each.
    let private experiments (runs: Trained list) =
        let parts (trained: Trained) = Describe.parts trained.Experiment

        let apart (trained: Trained) =
            parts trained |> List.filter (fun (heading, _) -> heading <> "Training")

        let training = [
            for trained in runs do
                for heading, sentence in parts trained do
                    if heading = "Training" then
                        $"Training of {label runs trained}", sentence
        ]

        match runs |> List.map apart |> List.distinct with
        | [ common ] -> [ "The experiment", [ Terms(common @ training) ] ]
        | _ -> [
            for trained in runs -> $"The experiment {label runs trained}", [ Terms(parts trained) ]
          ]

    /// The page; the note is the result of the comparison.
    let html title (note: string, isGood: bool) (runs: Trained list) =
        let tasks = runs |> List.map (fun run -> run.Experiment.Task.Name) |> List.distinct

        Page.html
            {
                Title = title
                Subtitle =
                    match tasks with
                    | [ task ] -> $"{runs.Length} ways to learn the task {task}, side by side."
                    | _ ->
                        let all = String.concat ", " tasks
                        $"{runs.Length} runs of the tasks {all}, side by side."
                Status = note, isGood
                Tiles = [
                    for trained in ranked runs do
                        let name, value = decisive runs trained (finalLoss trained)
                        $"{name}, {label runs trained}", value
                ]
            }
            [
                "",
                [
                    Table(heads runs, List.map (row runs) (ranked runs))
                    Note(legendOf runs + ".")
                    Panels [
                        Figures.loss (Losses.definition (kinds runs)) (named _.Losses runs)
                        Figures.lossOverTime [
                            for trained in runs ->
                                label runs trained, trained.Seconds, trained.Losses
                        ]
                        yield!
                            ProbeFigures.ofRuns [
                                for trained in runs -> label runs trained, RunRecord.probes trained
                            ]
                        yield! outputs runs
                        match alignmentCurves runs with
                        | [] -> ()
                        | curves -> {
                            Figures.alignment curves with
                                Height = 280
                          }
                    ]
                    yield! leftOut runs
                ]
                yield! experiments runs
            ]
