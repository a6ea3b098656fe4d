namespace Rflo.Host

open Rflo.Dsl
open Rflo.Runs

/// One page about a sweep: learning curves by setting, final losses, times, failures.
[<RequireQualifiedAccess>]
module internal SweepReport =

    [<Literal>]
    let private MostRows = 24

    [<Literal>]
    let private MostFailures = 200

    [<Literal>]
    let private MostBest = 10

    let private short (value: float) = $"%.3g{value}"

    let private medianOf (quantity: SweepFigures.Quantity) (results: PointResult[]) =
        let _, median, _ = results |> Array.map quantity.Of |> SweepFigures.quartiles
        if System.Double.IsNaN median then "–" else short median

    let private row (shown: SweepFigures.Quantity list) (value: string, results: PointResult[]) = [
        let failed = results |> Array.filter _.Failure.IsSome |> Array.length
        let low, median, high = results |> Array.map _.FinalLoss |> SweepFigures.quartiles
        let _, seconds, _ = results |> Array.map _.Seconds |> SweepFigures.quartiles
        value
        string results.Length
        string failed

        for quantity in shown do
            medianOf quantity results

        short low
        short median
        short high
        short seconds
    ]

    let private table (setting: string) (shown: SweepFigures.Quantity list) groups =
        Table(
            [
                setting
                "points"
                "failed"

                for quantity in shown do
                    $"median of {quantity.Name}"

                "first quartile of final loss"
                "median"
                "third quartile"
                "median of seconds"
            ],
            groups |> Array.truncate MostRows |> Array.map (row shown) |> List.ofArray
        )

    /// The validations and the measures that any point has a number of.
    let private quantities (sweep: SweepResults) =
        let measures =
            sweep.Results
            |> Seq.collect _.Measures.Keys
            |> Seq.distinct
            |> Seq.map SweepFigures.measure
            |> List.ofSeq

        let isMeasured (quantity: SweepFigures.Quantity) =
            sweep.Results |> Array.exists (quantity.Of >> System.Double.IsFinite)

        List.filter isMeasured SweepFigures.validation, measures

    /// The best points, with what ranks them.
    let private best (shown: SweepFigures.Quantity list) (sweep: SweepResults) =
        let scores = sweep.Results |> Array.map _.Score
        let words = RunRanking.Words(RunRanking.Criterion scores)

        let number value =
            if System.Double.IsNaN value then "–" else short value

        [
            Table(
                [
                    "rank"
                    yield! sweep.Description.Axes |> Seq.map _.Name
                    for quantity in shown do
                        quantity.Name
                    "final loss"
                    "point"
                ],
                [
                    for rank, place in
                        RunRanking.Order scores |> Seq.truncate MostBest |> Seq.indexed do
                        let result = sweep.Results[place]

                        [
                            string (rank + 1)
                            for axis in sweep.Description.Axes do
                                Map.tryFind axis.Name result.Settings |> Option.defaultValue "–"
                            for quantity in shown do
                                number (quantity.Of result)
                            number result.FinalLoss
                            result.Id
                        ]
                ]
            )
            Note
                $"Best first, by {words}. Points that diverged or failed are last. rflo collect --csv lists all points in this order."
        ]

    let private failures (sweep: SweepResults) = [
        for label, reason in sweep.Refused do
            yield [ label; reason ]

        for result in sweep.Results do
            match result.Failure with
            | Some reason ->
                let settings = [ for pair in result.Settings -> pair.Key, pair.Value ]
                yield [ Sweep.label settings; reason ]
            | None -> ()
    ]

    let private failureSection (failed: string list list) =
        if failed.IsEmpty then
            []
        else
            [
                "Failures",
                [
                    Table([ "point"; "reason" ], List.truncate MostFailures failed)

                    if failed.Length > MostFailures then
                        Note $"And {failed.Length - MostFailures} more; rflo status lists them."
                ]
            ]

    /// The settings that have more than one value, with the points of each.
    let private axes (sweep: SweepResults) = [
        for axis in sweep.Description.Axes do
            let groups = SweepFigures.groups axis.Name sweep.Results

            if groups.Length > 1 then
                axis.Name, groups
    ]

    let private curves (sweep: SweepResults) axes = [
        let coloured =
            axes
            |> List.filter (fun (_, groups) -> Array.length groups <= SweepFigures.MostCurves)

        if coloured.IsEmpty && sweep.Results.Length > 0 then
            SweepFigures.curves "Loss" sweep.Trials [| "median of all points", sweep.Results |]

        for name, groups in coloured do
            let named = groups |> Array.map (fun (value, results) -> $"{name} {value}", results)
            SweepFigures.curves $"Loss by {name}" sweep.Trials named
    ]

    /// The page of the points that have ended so far.
    let page (folder: SweepFolder) : PageHead * (string * Section list) list =
        let sweep = SweepResults.read folder
        let axes = axes sweep
        let validations, measures = quantities sweep
        let shown = validations @ measures
        let failed = failures sweep
        let _, median, _ = sweep.Results |> Array.map _.FinalLoss |> SweepFigures.quartiles
        let seconds = sweep.Results |> Array.sumBy _.Seconds
        let ended = sweep.Results.Length + sweep.Refused.Length
        let over = sweep.Description.Axes |> Seq.map _.Name |> String.concat ", "

        let isWhole =
            ended = min sweep.Points SweepResults.Most || sweep.Points > SweepResults.Most

        let status =
            if failed.IsEmpty then
                $"{ended} of {sweep.Points} points have ended"
            else
                $"{ended} of {sweep.Points} points have ended, {failed.Length} of them failed"

        {
            Title = sweep.Description.Name
            Subtitle = $"{sweep.Points} points over {over}."
            Status = status, failed.IsEmpty && isWhole
            Tiles = [
                "points", string sweep.Points
                "failed", string failed.Length
                "median of final losses", short median
                for quantity in validations do
                    $"median of {quantity.Name}", medianOf quantity sweep.Results
                "seconds of training, all points", short seconds
            ]
        },
        [
            if sweep.Points > SweepResults.Most then
                "",
                [
                    Note
                        $"Of {sweep.Points} points every k-th is shown, at most {SweepResults.Most}."
                ]

            if sweep.Results.Length > 1 then
                "The best points", best shown sweep

            "Learning", [ Panels(curves sweep axes) ]

            if not axes.IsEmpty then
                "Settings",
                [
                    Panels [
                        for name, groups in axes do
                            for quantity in validations @ [ SweepFigures.finalLoss ] do
                                SweepFigures.against quantity name groups
                    ]
                    for name, groups in axes do
                        Note ""
                        table name shown groups
                ]

            if not axes.IsEmpty && not measures.IsEmpty then
                "Measures",
                [
                    Panels [
                        for name, groups in axes do
                            for quantity in measures do
                                SweepFigures.against quantity name groups
                    ]
                ]

            yield! failureSection failed
        ]
