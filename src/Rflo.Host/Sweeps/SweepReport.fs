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

    let private short (value: float) = $"%.3g{value}"

    let private row (value: string, results: PointResult[]) = [
        let failed = results |> Array.filter _.Failure.IsSome |> Array.length
        let low, median, high = results |> Array.map _.FinalLoss |> SweepFigures.quartiles
        let _, seconds, _ = results |> Array.map _.Seconds |> SweepFigures.quartiles
        value
        string results.Length
        string failed
        short low
        short median
        short high
        short seconds
    ]

    let private table setting groups =
        Table(
            [
                setting
                "points"
                "failed"
                "first quartile of final loss"
                "median"
                "third quartile"
                "median of seconds"
            ],
            groups |> Array.truncate MostRows |> Array.map row |> List.ofArray
        )

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
    let html (folder: SweepFolder) =
        let sweep = SweepResults.read folder
        let axes = axes sweep
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

        Page.html
            {
                Title = sweep.Description.Name
                Subtitle = $"{sweep.Points} points over {over}."
                Status = status, failed.IsEmpty && isWhole
                Tiles = [
                    "points", string sweep.Points
                    "failed", string failed.Length
                    "median of final losses", short median
                    "seconds of training, all points", short seconds
                ]
            }
            [
                if sweep.Points > SweepResults.Most then
                    "",
                    [
                        Note
                            $"Of {sweep.Points} points every k-th is shown, at most {SweepResults.Most}."
                    ]

                "Learning", [ Panels(curves sweep axes) ]

                if not axes.IsEmpty then
                    "Settings",
                    [
                        Panels [
                            for name, groups in axes -> SweepFigures.final name groups
                        ]
                        for name, groups in axes do
                            Note ""
                            table name groups
                    ]

                yield! failureSection failed
            ]
