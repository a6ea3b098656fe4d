namespace Rflo.Host

open System
open System.IO
open Rflo.Dsl
open Rflo.Pictures

/// Carries out --graph: the picture instead of the training.
[<RequireQualifiedAccess>]
module internal CircuitFiles =

    /// The file of each picture: that of the option for one circuit, with its name added for each of several.
    let private places (file: string) (experiments: (string * Experiment) list) =
        match experiments |> List.distinctBy (fun (_, e) -> Picture.svg e.Circuit) with
        | [ label, experiment ] -> [ file, label, experiment ]
        | several -> [
            for label, experiment in several do
                let stem = Path.ChangeExtension(file, null)
                let name = label.Replace('/', '-')
                $"{stem}-{name}{Path.GetExtension file}", label, experiment
          ]

    let private problems (experiments: (string * Experiment) list) = [
        for label, experiment in experiments do
            match Check.experiment experiment with
            | Error problems -> yield! Problem.report label problems
            | Ok _ -> ()
    ]

    /// The largest width in millimeters; a larger number is taken as a mistake.
    [<Literal>]
    let private Widest = 5000.0

    /// The function that writes a circuit, or what is wrong with the options of its picture.
    let private drawing (graph: GraphRequest) =
        let isSvg = graph.File.EndsWith(".svg", StringComparison.OrdinalIgnoreCase)

        match graph.Width |> Option.map (fun text -> text, Overrides.number text) with
        | _ when not (Picture.isKnown graph.File) ->
            Error(
                BadValue(
                    "the file of the picture",
                    graph.File,
                    "a name that ends in .svg, .html, .dot or .gv"
                )
            )
        | None -> Ok(fun place label circuit -> Picture.forFile place label circuit, "")
        | Some _ when not isSvg ->
            Error(
                NoEffect(
                    "--graph-width",
                    $"only an SVG picture has a width; name it .svg, not {graph.File}"
                )
            )
        | Some(_, Some width) when width > 0.0 && width <= Widest ->
            let width = width * 1.0<mm>

            Ok(fun _ _ circuit ->
                let svg =
                    match graph.Font with
                    | Some font -> Picture.printIn font width circuit
                    | None -> Picture.print width circuit

                svg,
                $": %g{float width} mm wide, words of %.1f{Picture.smallestText width circuit} points and more")
        | Some(text, _) ->
            Error(
                BadValue(
                    "--graph-width",
                    text,
                    $"a number of millimeters, more than 0 and at most %g{Widest}"
                )
            )

    /// Writes the pictures of experiments, also of those with problems, and prints the problems. Returns the exit code.
    let write (title: string) (graph: GraphRequest) (experiments: (string * Experiment) list) =
        match drawing graph with
        | Error mistake -> Mistake.refuse title [ mistake ]
        | Ok draw ->
            try
                for place, label, experiment in places graph.File experiments do
                    let text, note = draw place label experiment.Circuit
                    File.WriteAllText(place, text)
                    printfn $"{place}{note}"

                match problems experiments with
                | [] -> ExitCode.Done
                | lines ->
                    Seq.iter (eprintfn "%s") lines
                    ExitCode.Problems
            with
            | :? IOException
            | :? UnauthorizedAccessException as e ->
                eprintfn $"{title}: the picture cannot be written: {e.Message}"
                ExitCode.Arguments
