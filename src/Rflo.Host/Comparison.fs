namespace Rflo.Host

open Rflo.Core
open Rflo.Dsl

/// The page that lays several rules' runs of one experiment side by side.
[<RequireQualifiedAccess>]
module Comparison =

    let private short (value: float) = $"%.4g{value}"

    /// Microseconds a step, median over the trials.
    let microseconds (trained: Trained) =
        match Array.sort trained.Seconds with
        | [||] -> nan
        | seconds -> 1e6 * seconds[seconds.Length / 2] / float trained.After.Targets.RowCount

    /// What the runs' own rules were held against, if they were.
    let private reference (runs: Trained list) =
        let angle = "angle own/"

        runs
        |> Seq.collect (fun trained -> trained.Probes |> Map.keys)
        |> Seq.tryFind (fun name ->
            name.StartsWith(angle, System.StringComparison.Ordinal)
            && name.IndexOf(' ', angle.Length) < 0)
        |> Option.map (fun name -> name, name.Substring angle.Length)

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
    ]

    let private finalAlignment (trained: Trained) =
        trained.Alignments
        |> Map.toList
        |> List.tryHead
        |> Option.bind (snd >> Array.tryLast)
        |> Option.map (fun alignment -> $"%.3f{alignment}")
        |> Option.defaultValue "–"

    /// What a run is called among others: by its experiment, or by its rule where the experiments have one name.
    let label (runs: Trained list) (trained: Trained) =
        if
            runs |> List.distinctBy (fun run -> run.Experiment.Name) |> List.length = runs.Length
        then
            trained.Experiment.Name
        else
            trained.Experiment.Rule.Name

    /// A row of the table.
    let row (runs: Trained list) (trained: Trained) = [
        label runs trained
        string trained.Losses.Length
        trained.Losses |> Array.tryLast |> Option.map short |> Option.defaultValue "–"
        finalAlignment trained
        $"%.2f{Array.sum trained.Seconds}"
        $"%.2f{microseconds trained}"
        match reference runs with
        | Some(column, _) ->
            trained.Probes
            |> Map.tryFind column
            |> Option.bind (fun series -> Array.tryLast series.Values)
            |> Option.map (fun angle -> $"%.1f{angle}")
            |> Option.defaultValue "–"
        | None -> ()
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

    let private named (series: Trained -> float[]) (runs: Trained list) =
        runs |> List.map (fun trained -> label runs trained, series trained)

    let private alignment (trained: Trained) =
        trained.Alignments
        |> Map.toList
        |> List.tryHead
        |> Option.map snd
        |> Option.defaultValue [||]

    /// The page; the note says what the comparison has shown.
    let html title (note: string, isGood: bool) (runs: Trained list) =
        let experiment = runs.Head.Experiment

        Page.html
            {
                Title = title
                Subtitle =
                    $"{runs.Length} ways to learn the task {experiment.Task.Name}, side by side."
                Status = note, isGood
                Tiles = [
                    for trained in runs do
                        $"final loss, {label runs trained}",
                        trained.Losses
                        |> Array.tryLast
                        |> Option.map short
                        |> Option.defaultValue "–"
                ]
            }
            [
                "",
                [
                    Table(heads runs, List.map (row runs) runs)
                    Panels [
                        Figures.loss (named _.Losses runs)
                        Figures.lossOverTime [
                            for trained in runs ->
                                label runs trained, trained.Seconds, trained.Losses
                        ]
                        yield!
                            ProbeFigures.ofRuns [
                                for trained in runs -> label runs trained, RunRecord.probes trained
                            ]
                        yield! outputs runs
                        {
                            Figures.alignment (named alignment runs) with
                                Height = 280
                        }
                    ]
                ]
                "The experiment",
                [
                    Terms(
                        Describe.parts experiment
                        |> List.filter (fun (heading, _) -> heading <> "Training")
                    )
                ]
            ]
