namespace Rflo.Host

open System
open System.IO
open MathNet.Numerics.LinearAlgebra
open Rflo.Analysis
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// Runs that lie in folders, of any scripts, side by side: learning curves, final numbers, circuits, and what their declarations say
/// differently.
[<RequireQualifiedAccess>]
module internal RunComparison =

    /// A run and what its folder shows of it.
    type Compared = {
        Label: string
        Run: LoadedRun
        Record: RunRecord
    }

    /// Pairs of areas of which the alignment is computed.
    [<Literal>]
    let private MostPairs = 200

    /// What runs are called among each other: by their names, by their folders where two have one name, else by their paths.
    let private labels (runs: LoadedRun list) =
        let isDistinct names =
            List.length (List.distinct names) = runs.Length

        let names = runs |> List.map _.Manifest.Name
        let folders = runs |> List.map (fun run -> Path.GetFileName run.Place |> nonNull)

        if isDistinct names then names
        elif isDistinct folders then folders
        else runs |> List.map _.Place

    /// Reads the runs. A RunFileException says which is damaged.
    let read (places: string list) : Compared list =
        let runs = places |> List.map LoadedRuns.load

        [
            for label, run in List.zip (labels runs) runs ->
                {
                    Label = label
                    Run = run
                    Record = RunRecord.ofSaved (RunFolder.Open run.Place)
                }
        ]

    let private lastOf column (run: LoadedRun) = Ranking.lastOf column run.Probes

    let private finalLoss (run: LoadedRun) =
        if run.Status.IsWell then
            FinalLoss.ofLosses run.Losses
        else
            nan

    let private score (one: Compared) =
        Ranking.score one.Run.Status.IsWell one.Run.Probes (finalLoss one.Run)

    let private isRanked (runs: Compared list) =
        Ranking.criterion score runs <> RankedBy.FinalLoss

    let private ranked (runs: Compared list) =
        if isRanked runs then Ranking.order score runs else runs

    let private validations (runs: Compared list) =
        [ "validation performance"; "validation loss" ]
        |> List.filter (fun column ->
            runs |> List.exists (fun one -> not (Double.IsNaN(lastOf column one.Run))))

    let private ruleOf (one: Compared) =
        match
            Differences.fields one.Run.Manifest.Experiment
            |> List.tryFind (fun (key, _) -> key = ("rule", "rule"))
        with
        | Some(_, name) -> name
        | None -> "–"

    /// Heads and rows of the table of final numbers.
    let table (runs: Compared list) =
        let columns = validations runs

        [
            "run"
            "rule"
            "trials"
            yield! columns
            "final loss"
            "time (s)"
            "seed"
            "ended"
        ],
        [
            for one in ranked runs ->
                [
                    one.Label
                    ruleOf one
                    string one.Run.Losses.Length

                    for column in columns do
                        TableText.short (lastOf column one.Run)

                    TableText.short (finalLoss one.Run)
                    $"%.2f{Array.sum one.Run.Seconds}"
                    string one.Run.Manifest.Seed
                    one.Run.Manifest.StatusText
                ]
        ]

    /// What the numbers of the table are.
    let legend (runs: Compared list) =
        let order = if isRanked runs then Ranking.words score runs else ""

        let validated =
            if (validations runs).IsEmpty then
                ""
            else
                "validation: mean of the test trials of the last one, without learning; "

        $"{order}{validated}final loss: {FinalLoss.meaning}; losses of different definitions or tasks are not comparable"

    /// What differs between the declarations: heads and rows.
    let differences (runs: Compared list) =
        let found = Differences.between [ for one in runs -> one.Run.Manifest.Experiment ]

        "part" :: "word" :: [ for one in runs -> one.Label ],
        [
            for part, word, values in found ->
                part :: word :: [ for value in values -> if value = "" then "–" else value ]
        ]

    let private isSame (a: Matrix<float>) (b: Matrix<float>) =
        a.RowCount = b.RowCount
        && a.ColumnCount = b.ColumnCount
        && Seq.forall2 (=) (a.Enumerate()) (b.Enumerate())

    /// Whether test trial 0 is the same in both runs.
    let private isSameTrial (a: LoadedRun) (b: LoadedRun) =
        a.After.Targets.RowCount > 0
        && isSame a.After.Inputs b.After.Inputs
        && isSame a.After.Targets b.After.Targets
        && isSame a.After.Mask b.After.Mask

    let private areasOf (run: LoadedRun) = [
        for KeyValue(name, rates) in run.After.Rates do
            if rates.Enumerate() |> Seq.forall Double.IsFinite then
                name, TrialSet.Of [| rates |]
    ]

    /// Linear centered kernel alignment of areas in test trial 0, of pairs of runs that were shown the same: heads, rows, and notes.
    let alignments (runs: Compared list) =
        let pairs = [
            for k, a in List.indexed runs do
                for b in List.skip (k + 1) runs -> a, b
        ]

        let same, other = pairs |> List.partition (fun (a, b) -> isSameTrial a.Run b.Run)

        let rows = [
            for a, b in same do
                for first, ofFirst in areasOf a.Run do
                    for second, ofSecond in areasOf b.Run ->
                        [
                            $"{a.Label}: {first}"
                            $"{b.Label}: {second}"
                            match Population.alignment ofFirst ofSecond with
                            | value when Double.IsFinite value -> $"%.3f{value}"
                            | _ -> "–"
                        ]
        ]

        [ "area"; "area of the other run"; "alignment" ],
        List.truncate MostPairs rows,
        [
            if rows.Length > MostPairs then
                $"{MostPairs} of {rows.Length} pairs of areas are shown."

            for a, b in other do
                $"{a.Label} and {b.Label}: test trial 0 is not the same (another task, seed or duration), so their areas are not aligned."
        ]

    let private named (series: LoadedRun -> float[]) (runs: Compared list) =
        runs |> List.map (fun one -> one.Label, series one.Run)

    let private probes (one: Compared) = [
        for KeyValue(name, series) in one.Run.Probes do
            let values = Array.create one.Run.Losses.Length nan
            Array.iter2 (fun trial value -> values[trial] <- value) series.Trials series.Values
            name, values
    ]

    /// Pictures of circuits: one for runs that have the same.
    let private circuits (runs: Compared list) =
        let drawn = [
            for one in runs do
                match one.Record.Picture with
                | Some svg -> svg, one.Label
                | None -> ()
        ]

        let without = runs |> List.filter _.Record.Picture.IsNone |> List.map _.Label

        [
            match drawn |> List.groupBy fst with
            | [] -> ()
            | groups ->
                Drawings [
                    for svg, same in groups ->
                        String.concat ", " (List.map snd same),
                        svg,
                        "Blue projections learn, grey ones stay; filled arrowheads are excitatory, bars inhibitory, open arrowheads of any sign."
                ]

            if not without.IsEmpty then
                let all = String.concat ", " without

                Note
                    $"No picture of {all}: points of sweeps have none; rflo graph SCRIPT draws their circuit."
        ]

    /// The curves of all runs.
    let panels (runs: Compared list) = [
        let definition =
            Losses.definition (runs |> List.collect (fun one -> Report.lossesOf one.Record))

        "loss", Figures.loss definition (named _.Losses runs)

        "loss-over-time",
        Figures.lossOverTime [
            for one in runs -> one.Label, one.Run.Seconds, one.Run.Losses
        ]

        for panel in ProbeFigures.ofRuns [ for one in runs -> one.Label, probes one ] do
            panel.Title
                .ToLowerInvariant()
                .Split([| ' '; ':'; '/' |], StringSplitOptions.RemoveEmptyEntries)
            |> String.concat "-",
            panel
    ]

    /// The page.
    let html title (runs: Compared list) =
        let heads, rows = table runs
        let differing, differences = differences runs
        let aligned, alignments, notes = alignments runs
        let isWell = runs |> List.forall _.Run.Status.IsWell

        let status =
            if isWell then
                $"{runs.Length} runs ended as they should"
            else
                runs
                |> List.filter (_.Run.Status.IsWell >> not)
                |> List.map (fun one -> $"{one.Label} {one.Run.Manifest.StatusText}")
                |> String.concat "; "

        Page.html
            {
                Title = title
                Subtitle = $"{runs.Length} runs from their folders."
                Status = status, isWell
                Tiles = [
                    for one in List.truncate 8 (ranked runs) do
                        match validations runs with
                        | column :: _ ->
                            $"{column}, {one.Label}", TableText.short (lastOf column one.Run)
                        | [] -> $"final loss, {one.Label}", TableText.short (finalLoss one.Run)
                ]
            }
            [
                "",
                [
                    Table(heads, rows)
                    Note(Figures.sentence (legend runs) + ".")
                    Panels(panels runs |> List.map snd)
                ]

                "What the declarations say differently",
                [
                    if differences.IsEmpty then
                        Note "Nothing: the experiments are the same, but for their names."
                    else
                        Prose(differing, differences)

                    Note
                        "Matrices are compared by their shapes, and functions of scripts, such as those of a task, by their names."
                ]

                "Circuits", circuits runs

                "Alignment of areas",
                [
                    if not alignments.IsEmpty then
                        Table(aligned, alignments)

                        Note
                            "Linear centered kernel alignment over the steps of test trial 0 after training, which both runs were shown: 1 where the rates of one area are those of the other, turned, shifted and scaled."

                    for note in notes do
                        Note note
                ]

                "The runs", [ Terms [ for one in runs -> one.Label, one.Run.Place ] ]
            ]

    /// The losses of all runs, a row a trial.
    let losses (runs: Compared list) =
        let longest = runs |> List.map _.Run.Losses.Length |> List.max

        "trial" :: [ for one in runs -> one.Label ],
        [
            for trial in 0 .. longest - 1 ->
                string trial
                :: [
                    for one in runs ->
                        if trial < one.Run.Losses.Length then
                            TableText.exact one.Run.Losses[trial]
                        else
                            ""
                ]
        ]
