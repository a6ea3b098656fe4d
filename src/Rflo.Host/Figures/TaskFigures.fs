namespace Rflo.Host

open System.IO
open Plotly.NET
open Plotly.NET.LayoutObjects
open Rflo.Dsl

/// Pictures of tasks: a lane for each input channel, each output's target, and the mask, over the phases of one trial.
[<RequireQualifiedAccess>]
module TaskFigures =

    /// Height of a lane, and of the margins around the lanes, in pixels.
    let private laneHeight, room = 40, 100

    /// Lanes in groups; the lanes of a group have one scale.
    let private groupsOf (view: TrialView) =
        let columns name (values: float[,]) = [
            for k in 0 .. Array2D.length2 values - 1 -> $"{name}{k}", values[*, k]
        ]

        // One mask is drawn where all outputs have the same.
        let masks =
            match columns "mask " view.Mask |> List.distinctBy snd with
            | [ _, values ] -> [ "mask", values ]
            | _ -> columns "mask " view.Mask

        [
            Style.ink, columns "x" view.Inputs
            Style.blue, columns "y* " view.Targets
            Style.grey, masks
        ]

    let private lanesOf view = [
        for colour, group in groupsOf view do
            let largest =
                group
                |> Seq.collect snd
                |> Seq.fold (fun most value -> max most (abs value)) 0.0

            for name, values in group ->
                name, colour, values, (if largest > 0.0 then 0.42 / largest else 0.0)
    ]

    let private phaseNames (view: TrialView) height = [
        for name, onset, duration in view.Phases ->
            Annotation.init (
                X = float (onset + duration / 2.0),
                Y = height,
                Text = name,
                ShowArrow = false,
                YAnchor = StyleParam.YAnchorPosition.Bottom,
                Font = Font.init (Size = 11.0, Color = Style.ink)
            )
    ]

    /// `TaskFigures.panel "add" "what it shows" view` is the picture of one trial.
    let internal panel title caption (view: TrialView) : Panel =
        let lanes = lanesOf view
        let height = float lanes.Length + 0.5

        let times =
            Array.init (Array2D.length1 view.Targets) (fun t -> float (t + 1) * float view.Dt)

        let shades =
            view.Phases
            |> List.indexed
            |> List.filter (fun (k, _) -> k % 2 = 1)
            |> List.collect (fun (_, (_, onset, duration)) ->
                let ends = [| float onset; float (onset + duration) |]
                Style.shade "" Style.band ends [| 0.5; 0.5 |] [| height; height |])

        let curves =
            lanes
            |> List.rev
            |> List.mapi (fun k (name, colour, values, scale) -> [
                Style.guide Style.grey StyleParam.DrawingStyle.Dot [| 0.0; Array.last times |] [|
                    float (k + 1)
                    float (k + 1)
                |]
                let times, values = Thinning.line times values

                values
                |> Array.map (fun x -> float (k + 1) + scale * x)
                |> Style.moved name colour 1.6 times values
            ])
            |> List.concat

        let names =
            lanes |> List.map (fun (name, _, _, _) -> name) |> List.rev |> Array.ofList

        {
            Title = title
            Caption = caption + Thinning.caption times.Length
            IsWide = true
            Height = room + laneHeight * lanes.Length
            Chart =
                shades @ curves
                |> Style.figure
                    (Style.axis "time in the trial (ms)" |> Style.ranged (0.0, Array.last times))
                    (Style.namedAxis "" names)
                |> Chart.withAnnotations (phaseNames view height)
                |> Chart.withLegendStyle (Visible = false)
        }

    /// `TaskFigures.write "tasks.html" [ "add", "trial 0", view ]` writes a self-contained page: for each trial its title, its
    /// caption, and the trial, as `Trials.show` returns it.
    let write (path: string) (trials: (string * string * TrialView) list) =
        let panels = [
            for title, caption, view in trials -> panel title caption view
        ]

        let head: PageHead = {
            Title = "Tasks"
            Subtitle =
                "One trial of each: x, the inputs, by channel; y*, the targets, by output; the mask, where it counts. Shaded and named: the phases."
            Status = "as an experiment shows them", true
            Tiles = [ "tasks", string panels.Length ]
        }

        File.WriteAllText(path, Page.html head [ for panel in panels -> "", [ Panels [ panel ] ] ])
