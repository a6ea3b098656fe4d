namespace Rflo.Host

open System
open System.IO
open Rflo.Dsl
open Rflo.Pictures

/// Answers --graph: the picture instead of the training.
[<RequireQualifiedAccess>]
module internal CircuitFiles =

    /// Where each picture goes: one circuit to the file itself, several each to a file with its name added.
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

    /// Writes the pictures of experiments, whatever their problems, and says these; the exit code.
    let write (title: string) (file: string) (experiments: (string * Experiment) list) =
        if not (Picture.isKnown file) then
            Mistake.refuse title [
                BadValue("the file of the picture", file, "a name that ends in .html or .svg")
            ]
        else
            try
                for place, label, experiment in places file experiments do
                    File.WriteAllText(place, Picture.forFile place label experiment.Circuit)
                    printfn $"{place}"

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
