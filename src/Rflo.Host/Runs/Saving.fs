namespace Rflo.Host

open System
open System.IO
open Rflo.Dsl
open Rflo.Pictures
open Rflo.Runs

/// Writes results to their folder, or to another one where that fails; a page that cannot be made does not affect them.
[<RequireQualifiedAccess>]
module internal Saving =

    let private complain (name: string) (text: string) = eprintfn $"{name}: {text}"

    /// Makes a page or a picture; a failure is reported and does not end the run.
    let private tryMake name what work =
        try
            Some(work ())
        with e ->
            let reason =
                match e with
                | :? RunFileException as e -> e.Message
                | :? OutOfMemoryException -> "there is not enough memory for it"
                | e -> $"{e.GetType().Name}: {e.Message}"

            complain name $"the {what} was not made: {reason}"
            None

    /// Writes the numbers and the manifest, then the pages, and moves the folder into place. Returns the place, and whether all files
    /// were made.
    let private write
        name
        (folder: RunFolder)
        (report: (RunRecord -> string) option)
        circuit
        record
        =
        RunRecord.writeNumbers folder record

        let picture =
            circuit
            |> Option.map (fun circuit ->
                tryMake name "picture of the circuit" (fun () ->
                    let svg = Picture.svg circuit
                    folder.WritePicture svg
                    svg))

        let pictured = {
            record with
                Picture = Option.flatten picture
        }

        let page =
            report
            |> Option.map (fun report ->
                tryMake name "report" (fun () -> folder.WriteReport(report pictured)))

        let place = folder.Commit record.Manifest

        if page = Some None then
            complain name $"rflo report {place} makes it from the other files"

        place, picture <> Some None && page <> Some None

    /// Copies the script and the sessions of a run into the folder that replaces its own.
    let private hand (from: RunFolder) (into: RunFolder) =
        try
            into.Archive [|
                for name in from.Sources -> SourceFile(Path.Combine(from.Temporary, name), name)
            |]
            |> ignore

            for session in from.Sessions do
                into.Begin session
        with :? RunFileException as e ->
            complain from.Place e.Message

    let private rescue (folder: RunFolder) name report circuit record =
        use other = RunFolder.Rescue(name: string)
        hand folder other
        fst (write name other report circuit record)

    /// Writes a run into its folder and moves it into place: returns its place, whether that is its own folder, and whether all files
    /// were made. Failures are reported here.
    let save (folder: RunFolder) (circuit: Circuit option) report (record: RunRecord) =
        let name = record.Manifest.Name

        try
            let place, isWhole = write name folder report circuit record
            Some place, isWhole
        with :? RunFileException as e ->
            complain name e.Message

            // The folder was complete and could only not be moved; the message has its place.
            if not (File.Exists(Path.Combine(folder.Temporary, RunFileNames.Manifest))) then
                try
                    let place = rescue folder (name.Replace('/', '-')) report circuit record
                    complain name $"the results were written to {place} instead"
                with :? RunFileException as e ->
                    complain name e.Message

            None, false
