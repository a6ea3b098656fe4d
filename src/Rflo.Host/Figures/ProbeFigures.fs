namespace Rflo.Host

open System
open Plotly.NET

/// Figures of the values of probes by trial, from plain columns, NaN where nothing was measured.
[<RequireQualifiedAccess>]
module internal ProbeFigures =

    /// How the values of a kind of probe are shown; the kind is the first word of its columns.
    type private Kind = {
        Word: string
        Title: string
        Axis: string
        Caption: string
        IsLog: bool
    }

    let private kind word title axis caption = {
        Word = word
        Title = title
        Axis = axis
        Caption = caption
        IsLog = false
    }

    /// The scope of angles of several projections.
    let private everything = "over all plastic projections onto areas"

    let private kinds = [
        kind
            "validation"
            "Validation"
            "mean of test trials"
            "Test trials, always the same ones, without learning: their mean loss and their mean performance."
        kind
            "angle"
            "Angle between updates"
            "angle (degrees)"
            $"Angle between the increments of two rules in a trial, {everything}: 0° is the same direction, 90° (dotted) has nothing in common with it."
        {
            kind
                "ratio"
                "Ratio of the norms of updates"
                "|update| / |reference|"
                "Frobenius norm of a rule's increments over that of the reference." with
                IsLog = true
        }
        kind
            "spectral-radius"
            "Spectral radius"
            "largest |eigenvalue|"
            "Of an area's weights onto itself, after the trial."
        kind
            "participation-ratio"
            "Participation ratio"
            "dimensions"
            "(Σλ)² / Σλ² over the eigenvalues λ of the covariance of an area's rates over the trial."
        kind "mean-rate" "Mean rate" "rate" "Over units and steps of the trial."
        kind
            "saturation"
            "Saturation"
            "fraction"
            "Fraction of units and steps in which the slope of the transfer function is less than a tenth of its largest."
        kind
            "change"
            "Weight change since the start"
            "Frobenius norm"
            "Distance of a projection's weights from where they began."
        kind
            "change-since-last"
            "Weight change since the last measurement"
            "Frobenius norm"
            "Distance of a projection's weights from where they were when last measured."
        kind
            "dale-zeros-excitatory"
            "Excitatory weights at zero"
            "fraction"
            "Weights that Dale's law holds at exactly 0."
        kind
            "dale-zeros-inhibitory"
            "Inhibitory weights at zero"
            "fraction"
            "Weights that Dale's law holds at exactly 0."
    ]

    let private words (column: string) = column.Split(' ') |> List.ofArray

    /// Whether a column is of a kind; a custom probe may have the name of a kind alone.
    let private isOf kind column =
        match words column with
        | first :: _ :: _ -> first = kind.Word
        | _ -> false

    let private limits isLog (curves: (string * float[]) list) =
        let shown =
            curves
            |> List.map (fun (_, values) ->
                if isLog then
                    Array.filter (fun value -> value > 0.0) values
                else
                    values)

        match Thinning.range shown with
        | None -> (if isLog then 0.1, 10.0 else 0.0, 1.0)
        | Some(low, high) when isLog -> low / 1.2, high * 1.2
        | Some _ -> Figures.limits ([| 0.0 |] :: shown)

    let private figure kind title (curves: (string * float[]) list) =
        let longest = curves |> List.map (snd >> Array.length) |> List.fold max 2
        let low, high = limits kind.IsLog curves

        let lines =
            curves
            |> List.mapi (fun k (name, values) ->
                let bins = Thinning.bins Double.IsFinite values

                Style.line name (Style.nth k) 2.2 bins.Trials bins.Median
                |> Chart.withLineStyle (Dash = Style.dash k))

        let guides = [
            if kind.Word = "angle" then
                Style.guide Style.grey StyleParam.DrawingStyle.Dot [| 1.0; float longest |] [|
                    90.0
                    90.0
                |]
        ]

        {
            Title = title
            Caption = kind.Caption
            IsWide = false
            Height = 360
            Chart =
                guides @ lines
                |> Style.figure
                    (Style.logAxis "trial (the first is 1)" (1.0, float longest))
                    (if kind.IsLog then
                         Style.logAxis kind.Axis (low, high)
                     elif kind.Word = "angle" then
                         Style.axis kind.Axis |> Style.ranged (0.0, max 100.0 high)
                     else
                         Style.axis kind.Axis |> Style.ranged (low, high))
        }

    /// A figure for each kind of number in the columns of one run; the blocks of a comparison of rules have one each.
    let ofRun (columns: (string * float[]) list) = [
        for kind in kinds do
            let ours =
                columns
                |> List.filter (fun (column, _) -> isOf kind column)
                |> List.map (fun (column, values) -> List.tail (words column), values)

            let blocks = ours |> List.choose (fst >> List.tryItem 1) |> List.distinct

            for block in None :: (if blocks.Length > 1 then List.map Some blocks else []) do
                let curves =
                    ours
                    |> List.filter (fun (rest, _) -> List.tryItem 1 rest = block)
                    |> List.map (fun (rest, values) ->
                        List.tryHead rest |> Option.defaultValue "", values)

                let title =
                    match block with
                    | Some block -> $"{kind.Title}: {block}"
                    | None -> kind.Title

                let ofBlock =
                    match block with
                    | Some block -> {
                        kind with
                            Caption = kind.Caption.Replace(everything, $"over {block}")
                      }
                    | None -> kind

                if not (List.isEmpty curves) then
                    figure ofBlock title curves
    ]

    /// A figure for each column that runs share, a curve for each run.
    let ofRuns (runs: (string * (string * float[]) list) list) = [
        let columns = runs |> List.collect (snd >> List.map fst) |> List.distinct

        for column in columns do
            let curves =
                runs
                |> List.choose (fun (label, measured) ->
                    measured
                    |> List.tryFind (fun (name, _) -> name = column)
                    |> Option.map (fun (_, values) -> label, values))

            match kinds |> List.tryFind (fun kind -> isOf kind column) with
            | Some kind when
                not (List.contains kind.Word [ "angle"; "ratio" ])
                || words column |> List.length = 2
                ->
                figure
                    kind
                    $"""{kind.Title}: {String.concat " " (List.tail (words column))}"""
                    curves
            | _ -> ()
    ]
