namespace Rflo.Cli

open System
open System.IO
open Argu
open Rflo.Host
open Rflo.Runs

/// The script that a run folder has a copy of, laid out so that it runs again: with the files that it loads where it looks for them, and
/// with this very version of the language for its host.
[<RequireQualifiedAccess>]
module internal ArchivedScript =

    /// Folders above the script: room for the steps up of what it loads.
    [<Literal>]
    let private Depth = 12

    let private write (root: string) (path: string) (text: string) =
        let full = Path.GetFullPath path

        // A name from a file may lead anywhere.
        if full.StartsWith(root + string Path.DirectorySeparatorChar, StringComparison.Ordinal) then
            Directory.CreateDirectory(nonNull (Path.GetDirectoryName full)) |> ignore
            File.WriteAllText(full, text)

    /// Where a file of the folder stood beside the script: `loaded/up/lib/x.fsx` is ../lib/x.fsx.
    let private original (name: string) =
        let parts = name.Split '/' |> List.ofArray

        match parts with
        | "loaded" :: rest ->
            let ups = rest |> List.takeWhile ((=) "up") |> List.length

            [
                String.concat "/" (List.replicate ups ".." @ List.skip ups rest)
                // A folder may be called up.
                String.concat "/" rest
            ]
            |> List.distinct
        | _ -> [ name ]

    /// What loads this version of the language: of a clone its host.fsx, which finds the assemblies beside itself.
    let private hostOf folder =
        match Templates.origin () with
        | Clone host ->
            let beside = (nonNull (Path.GetDirectoryName host)).Replace('\\', '/')
            let assemblies = "#I \"" + beside + "/bin/"
            File.ReadAllText(host).Replace("#I \"bin/", assemblies)
        | package -> Templates.header folder package + "\n"

    /// Writes the script of a run and what it loads below a new folder; the path of the script. None where the folder has none.
    let restore (saved: SavedRun) (root: string) =
        match List.ofSeq saved.Sources with
        | [] -> None
        | script :: _ ->
            let root = Path.GetFullPath root

            let folder = Path.Combine(root, String.concat "/" [ for k in 1..Depth -> string k ])

            let sources = [
                for name in saved.Sources do
                    let file = Path.Combine(saved.Place, name)

                    if File.Exists file then
                        name, File.ReadAllText file
            ]

            for name, text in sources do
                for place in original name do
                    write root (Path.Combine(folder, place)) text

            // The host is of this version, wherever the script looks for it.
            for name, text in sources do
                for place in original name do
                    let here = nonNull (Path.GetDirectoryName(Path.Combine(folder, place)))

                    for load in ScriptFiles.paths "load" text do
                        let target = Path.GetFullPath(Path.Combine(here, load))

                        if Path.GetFileName load = "host.fsx" && not (File.Exists target) then
                            write root target (hostOf here)

            if List.exists (fst >> (=) script) sources then
                Some(Path.Combine(folder, script))
            else
                None

/// `rflo analyze`: what a run that has ended learned, as a page with figures and numbers. The experiment comes from the script that made
/// the run, since no file holds the functions of a task.
[<RequireQualifiedAccess>]
module internal Analyze =

    let private usage =
        "analyze RUN [options], or analyze SCRIPT.fsx --run RUN [options]"

    let private help () =
        let options =
            ArgumentParser.Create<AnalysisOption>(programName = "rflo analyze RUN").PrintUsage()

        printfn
            $"{options.TrimEnd()}\n\nThe experiment comes from the script that made the run: the copy that the run folder has, which is run as it is, or SCRIPT.fsx --run RUN, which may read files beside it. Without an option it computes what suits the task, and says what it left out.\n\n{ExitCode.help}"

        ExitCode.Done

    let private refuse mistakes = Mistake.refuse "rflo analyze" mistakes

    let private complain (text: string) =
        eprintfn $"rflo analyze: {text}"
        ExitCode.Arguments

    /// The folder that --run names, and the other words.
    let private runIn (words: string list) =
        let rec go (found: string list) kept words =
            match words with
            | "--run" :: place :: rest -> go (place :: found) kept rest
            | [ "--run" ] -> Error(Refused "argument '--run' must be followed by <folder>.")
            | word :: rest when (word: string).StartsWith("--run=", StringComparison.Ordinal) ->
                go (word.Substring "--run=".Length :: found) kept rest
            | word :: rest -> go found (word :: kept) rest
            | [] -> Ok(List.tryHead found, List.rev kept)

        go [] [] words

    /// What is wrong with the options, before a script is started for them.
    let private mistakes place options =
        match Arguments.parse "rflo analyze" (Array.ofList ("--analyze" :: place :: options)) with
        | Ok(Arguments.Do request) ->
            match Arguments.contradictions request, request.Analyze with
            | [], Some(_, analysis) ->
                match AnalysisRequests.read analysis with
                | Ok _ -> []
                | Error mistakes -> mistakes
            | mistakes, _ -> mistakes
        | Ok(Arguments.Help _) -> []
        | Error mistakes -> mistakes

    let private start script place options =
        Scripts.run "analyze" (script :: "--analyze" :: place :: options)

    let private fromFolder place options =
        if SweepFolder.IsSweep place then
            complain
                $"{place} is the folder of a sweep; name the run folder of a point with the script of the sweep: rflo analyze SCRIPT.fsx --run {place}/points/..."
        else
            let saved = RunFolder.Open place
            let root = Directory.CreateTempSubdirectory "rflo-analyze-"
            // The copy is thrown away: to keep what is compiled of it would be of no use.
            Environment.SetEnvironmentVariable("RFLO_SCRIPT_CACHE", "off")

            try
                match ArchivedScript.restore saved root.FullName with
                | Some script -> start script place options
                | None ->
                    complain
                        $"{place} has no copy of a script, as points of sweeps and runs of other programs have none; name the script: rflo analyze SCRIPT.fsx --run {place}"
            finally
                root.Delete true

    /// The command; its exit code.
    let run (arguments: string list) =
        match arguments with
        | _ when Usage.isAskedFor arguments -> help ()
        | target :: rest when not (target.StartsWith '-') ->
            try
                let isScript = target.EndsWith(".fsx", StringComparison.OrdinalIgnoreCase)

                match runIn rest with
                | Error mistake -> refuse [ mistake ]
                | Ok(None, _) when isScript ->
                    refuse [
                        Refused $"which run of {target}? Type rflo analyze {target} --run RUN"
                    ]
                | Ok(Some _, _) when not isScript ->
                    refuse [
                        Refused
                            $"--run names the run of a script, and {target} is none; type rflo analyze {target}, or rflo analyze SCRIPT.fsx --run RUN"
                    ]
                | Ok(place, options) ->
                    let place = place |> Option.defaultValue target

                    match mistakes place options with
                    | _ :: _ as mistakes -> refuse mistakes
                    | [] when isScript -> start target place options
                    | [] -> fromFolder place options
            with
            | :? RunFileException as e -> complain e.Message
            | :? IOException
            | :? UnauthorizedAccessException as e -> complain e.Message
        | _ ->
            let given = String.concat " " arguments

            let said =
                if given = "" then
                    "nothing was given"
                else
                    $"given: {given}"

            refuse [
                Refused $"it must be: rflo {usage}; {said} (--help prints the details)"
            ]
