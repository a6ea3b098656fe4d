namespace Rflo.Reproductions.Murray2019

open System
open MathNet.Numerics.LinearAlgebra
open Plotly.NET
open Rflo.Dsl
open Rflo.Host

/// The figures of the reproduction's pages.
[<RequireQualifiedAccess>]
module internal Panels =

    let private withBand k name (points: (float * (float * float * float))[]) =
        let x = points |> Array.map fst
        let low = points |> Array.map (fun (_, (low, _, _)) -> low)
        let middle = points |> Array.map (fun (_, (_, middle, _)) -> middle)
        let high = points |> Array.map (fun (_, (_, _, high)) -> high)

        [
            yield!
                Style.between $"{name}, quartiles" (Style.nthBand k) x low high
                |> List.map (Chart.withTraceInfo (ShowLegend = false))

            Style.line name (Style.nth k) 2.4 x middle
            |> Chart.withLineStyle (Dash = Style.dash k)
        ]

    let private room (low, high) = low / 1.3, high * 1.3

    let private limits (curves: (float * (float * float * float))[] list) =
        let numbers = [
            for points in curves do
                for _, (low, _, high) in points do
                    for value in [ low; high ] do
                        if Double.IsFinite value && value > 0.0 && value < Runs.diverged then
                            value
        ]

        if numbers.IsEmpty then
            0.1, 1.0
        else
            room (List.min numbers, List.max numbers)

    /// A series v. trial: median over runs, and quartiles.
    let private overTrials
        title
        caption
        isWide
        measure
        (axis: (float * (float * float * float))[] list -> LayoutObjects.LinearAxis)
        (series: (string * string) list)
        results
        =
        let names, curves =
            series
            |> List.map (fun (name, key) -> name, Runs.curve measure (Runs.of' results key))
            |> List.unzip

        let longest = curves |> List.map (Array.last >> fst) |> List.max

        {
            Title = title
            Caption = $"{caption} Lines: median over the runs; bands: quartiles."
            IsWide = isWide
            Height = 340
            Chart =
                List.zip names curves
                |> List.mapi (fun k (name, points) -> withBand k name points)
                |> List.concat
                |> Style.figure (Style.logAxis "trial" (1.0, longest)) (axis curves)
        }

    /// Loss v. trial.
    let losses title caption =
        overTrials title caption true _.Losses (fun curves ->
            Style.logAxis "loss L" (limits curves))

    /// Alignment v. trial.
    let alignments title caption =
        overTrials title caption false _.Alignment (fun _ ->
            Style.axis "alignment (cosine)" |> Style.ranged (-0.5, 1.0))

    /// Final loss v. a number, for several series.
    let finals title caption axis (series: (string * (float * string) list) list) results =
        let curves =
            series
            |> List.map (fun (name, points) ->
                name,
                points
                |> List.map (fun (x, key) -> x, Runs.quartiles (Runs.finals results key))
                |> Array.ofList)

        let numbers = curves |> List.collect (snd >> Array.map fst >> List.ofArray)

        {
            Title = title
            Caption =
                $"{caption} Median over the last {Runs.finalTrials} trials of a run; lines: median over the runs; bands: quartiles."
            IsWide = false
            Height = 340
            Chart =
                curves
                |> List.mapi (fun k (name, points) -> [
                    yield! withBand k name points

                    Style.points
                        name
                        (TraceObjects.Marker.init (Color = Style.nth k, Size = 7))
                        (Array.map fst points)
                        (points |> Array.map (fun (_, (_, middle, _)) -> middle))
                    |> Chart.withTraceInfo (ShowLegend = false)
                ])
                |> List.concat
                |> Style.figure
                    (Style.logAxis axis (List.min numbers / 1.05, List.max numbers * 1.05))
                    (Style.logAxis "final loss" (limits (List.map snd curves)))
        }

    /// The output of one run against its target, with learning off.
    let output title caption (key: string) results =
        let runs = Runs.of' results key

        // The first seed, or the first that did not diverge.
        let run = runs |> List.tryFind Runs.isWell |> Option.defaultValue runs.Head

        match TestTrials.perform run run.Experiment.Task 1 with
        | [ shown ] ->
            let output = (Seq.head (Map.values shown.Outputs)).Column(0).ToArray()
            let target = shown.Targets.Column(0).ToArray()
            let mask = shown.Mask.Column(0).ToArray()
            let times = Array.init target.Length (fun t -> float (t + 1))

            Figures.output
                title
                caption
                (Figures.limits [ target; output ])
                Style.blue
                times
                target
                mask
                output
        | _ -> invalidOp "one trial was asked for"

    /// Time of the output's peak against the target delay.
    let intervals title (series: (string * (float * float list) list) list) =
        let longest = series |> List.collect (snd >> List.map fst) |> List.fold max 100.0

        {
            Title = title
            Caption =
                "Delay from the second pulse to the output's peak, with learning off; lines: median over the runs; bands: quartiles. Dashed: the target."
            IsWide = true
            Height = 420
            Chart =
                [
                    Style.guide Style.ink StyleParam.DrawingStyle.Dash [| 0.0; longest |] [|
                        0.0
                        longest
                    |]
                    for k, (name, points) in List.indexed series do
                        yield!
                            points
                            |> List.map (fun (target, produced) -> target, Runs.quartiles produced)
                            |> Array.ofList
                            |> withBand k name
                ]
                |> Style.figure (Style.axis "target delay (ms)") (Style.axis "produced delay (ms)")
        }

    /// One dot a network: a number of every run, condition by condition.
    let dots title caption axis range guides (series: (string * float list) list) = {
        Title = title
        Caption = caption
        IsWide = true
        Height = 420
        Chart =
            [
                for guide in guides do
                    Style.guide Style.grey StyleParam.DrawingStyle.Dash [|
                        0.5
                        float series.Length + 0.5
                    |] [| guide; guide |]

                for k, (name, values) in List.indexed series do
                    // Side by side, so that equal numbers do not hide each other.
                    let x =
                        values
                        |> List.mapi (fun i _ ->
                            float (k + 1) + 0.5 * (float i + 0.5) / float (max 1 values.Length)
                            - 0.25)

                    Style.points
                        name
                        (TraceObjects.Marker.init (Color = Style.nth k, Size = 8))
                        (Array.ofList x)
                        (values |> List.map (min (snd range) >> max (fst range)) |> Array.ofList)
                    // The axis names the conditions.
                    |> Chart.withTraceInfo (ShowLegend = false)
            ]
            |> Style.figure
                (Style.namedAxis "" (series |> List.map fst |> Array.ofList) |> Style.slanted)
                (Style.axis axis |> Style.ranged range)
    }

    /// The cursor's path in the plane, for some runs.
    let paths title caption (target: (float * float) list) (paths: (float * float) list list) =
        let line name colour width path =
            let x, y = List.unzip path
            Style.line name colour width (Array.ofList x) (Array.ofList y)

        {
            Title = title
            Caption = caption
            IsWide = false
            Height = 380
            Chart =
                [
                    line "target" Style.ink 1.5 target
                    for k, path in List.indexed paths do
                        line "cursor" (Style.nth k) 2.0 path
                        |> Chart.withTraceInfo (ShowLegend = (k = 0))
                ]
                |> Style.figure
                    (Style.axis "x (lengths)" |> Style.ranged (-0.7, 1.7))
                    (Style.axis "y (lengths)" |> Style.ranged (-0.7, 1.7))
        }
