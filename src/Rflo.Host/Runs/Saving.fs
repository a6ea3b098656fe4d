namespace Rflo.Host

open System
open System.IO
open Rflo.Dsl
open Rflo.Pictures
open Rflo.Runs

/// Puts results where they belong, or at least somewhere: they are worth more than their place, and than the pages made of them.
[<RequireQualifiedAccess>]
module internal Saving =

    let private complain (name: string) (text: string) = eprintfn $"{name}: {text}"

    /// A page or a picture that cannot be made costs nothing but itself.
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

    /// The numbers, then the manifest, and only then what is made of them. Where it lies, and whether it is all of what was wanted.
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
            complain name $"rflo report {place} makes it of the other files"

        place, picture <> Some None && page <> Some None

    /// The script and the sessions of a run, for the folder that takes the place of another.
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

    /// Writes a run into its folder and moves it into place: where it lies then, if it lies there, and whether everything that was
    /// wanted was made. What could not be done has been said.
    let save (folder: RunFolder) (circuit: Circuit option) report (record: RunRecord) =
        let name = record.Manifest.Name

        try
            let place, isWhole = write name folder report circuit record
            Some place, isWhole
        with :? RunFileException as e ->
            complain name e.Message

            // The folder was complete and only could not be moved; the message says where it lies.
            if not (File.Exists(Path.Combine(folder.Temporary, RunFileNames.Manifest))) then
                try
                    let place = rescue folder (name.Replace('/', '-')) report circuit record
                    complain name $"the results were written to {place} instead"
                with :? RunFileException as e ->
                    complain name e.Message

            None, false
