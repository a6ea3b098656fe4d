namespace Rflo.Host

open System
open Rflo.Dsl
open Rflo.Runs

/// The measures of a sweep (`Sweep.measure`): a number of each of its runs, or why there is none.
[<RequireQualifiedAccess>]
module internal SweepMeasures =

    /// Reasons of failures stand in one line of a list.
    let private reason (text: string) =
        (Printable.Line(text.ReplaceLineEndings " ")).TrimEnd '.'

    /// Measures what a run left. A function that throws, and a number that is not finite, leave no value and a reason.
    let ofTrained (measures: (string * (Trained -> float)) list) (trained: Trained) = [
        for name, measure in measures do
            name,
            try
                match measure trained with
                | value when Double.IsFinite value -> Ok value
                | value -> Error $"the value is {string value}; a measure must be finite"
            with error ->
                Error(reason $"{error.GetType().Name}: {error.Message}")
    ]

    /// The measures that a finished point has no value of, or all of them.
    let private missing
        isAnew
        (measures: (string * (Trained -> float)) list)
        (manifest: RunManifest)
        =
        measures
        |> List.filter (fun (name, _) -> isAnew || not (manifest.Measures.ContainsKey name))

    let private trained (experiment: Experiment) place =
        match Run.loadFor experiment place with
        | Ok trained -> trained
        | Error problems -> invalidOp (problems |> List.map Problem.text |> String.concat "; ")

    /// Measures a finished point of which some measure has no value, from its folder, and writes the values into its manifest. What went
    /// wrong with a file is the reason of every measure that was to be written.
    let ofFinished isAnew measures (experiment: Experiment) (place: string) =
        if List.isEmpty measures then
            []
        else
            try
                let saved = RunFolder.Open place

                match missing isAnew measures saved.Manifest with
                | [] -> []
                | missing ->
                    let measured = ofTrained missing (trained experiment place)

                    let chosen pick =
                        readOnlyDict [
                            for name, result in measured do
                                match pick result with
                                | Some value -> name, value
                                | None -> ()
                        ]

                    saved.WriteMeasures(
                        chosen Result.toOption,
                        chosen (function
                            | Ok _ -> None
                            | Error reason -> Some reason)
                    )

                    measured
            with
            | :? RunFileException as e -> [
                for name, _ in measures -> name, Error(reason e.Message)
              ]
            | :? InvalidOperationException as e -> [
                for name, _ in measures -> name, Error(reason e.Message)
              ]
