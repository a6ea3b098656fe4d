namespace Rflo.Host

open Argu

/// The options of a model script, as Argu reads them. Values are taken as words: `Overrides` reads them, and reports
/// all mistakes at once.
type internal ScriptOption =
    | Trials of count: string
    | Seed of number: string
    | Rule of name: string
    | Update of time: string
    | Learns of part: string
    | Learning_Rate of rate: string
    | Precision of numbers: string
    | Stop_At_Loss of loss: string
    | Patience of trials: string
    | Loss_Window of trials: string
    | Lanes of trials: string
    | Keep_Best
    | Validate of times: string
    | By_Validation
    | Stop_At_Performance of performance: string
    | Out of folder: string
    | Force
    | Resume of folder: string
    | Checkpoint_Every of trials: string
    | Checkpoint_Minutes of minutes: string
    | Max_Minutes of minutes: string
    | Threads of count: string
    | Analyze of folder: string
    | Check
    | Plan
    | Graph of file: string
    | Graph_Width of millimeters: string
    | Graph_Font of name: string
    | Quiet
    | No_Report

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Trials _ -> "train for so many trials."
            | Seed _ -> "draw all random numbers from this seed."
            | Rule _ ->
                let rules = Rflo.Dsl.Rule.all |> List.map (fun rule -> rule.Name)

                "learn by this rule, except in projections with a rule of their own: "
                + String.concat ", " rules
                + "."
            | Update _ ->
                "change weights online, at trial-end, or every-K trials, such as every-10; except in projections with a rule of their own."
            | Learns _ ->
                "let everything learn, or only readouts, recurrent or inputs; the rest stays as it is."
            | Learning_Rate _ ->
                "learn at this rate in every projection that learns; or in one of them, 'cortex->y=0.1'. Repeatable."
            | Precision _ -> "compute with double or single precision."
            | Stop_At_Loss _ ->
                "end as soon as the mean loss (see --loss-window) is at or below this."
            | Patience _ -> "end when so many trials in a row gave no new smallest mean loss."
            | Loss_Window _ ->
                $"the mean loss is that of the last so many trials that have a target; {Rflo.Core.Stopping.DefaultWindow} without it."
            | Lanes _ ->
                "run so many trials side by side as a group; every update is the mean of theirs. 1 runs one after another."
            | Keep_Best ->
                "keep the weights of the smallest mean loss beside the last, in weights.npz."
            | Validate _ ->
                "EVERY,TRIALS, such as 50,100: after every so many trials show so many test trials, without learning."
            | By_Validation ->
                "let --stop-at-loss, --patience and --keep-best look at the loss of the validations."
            | Stop_At_Performance _ ->
                "end as soon as the performance of a validation is at or above this."
            | Out _ -> "write the run folder here; without it, the next free runs/NAME-1, -2, ..."
            | Force -> "replace the run folder that is there; files in it that no run wrote stay."
            | Resume _ ->
                "continue a run that was stopped or killed, named by its run folder; options that change the experiment are those that began it."
            | Checkpoint_Every _ ->
                "write a checkpoint after every so many trials, and keep the last."
            | Checkpoint_Minutes _ ->
                "write a checkpoint after so many minutes, and keep the last; without both, every 5 minutes, and none is kept of a run that is complete."
            | Max_Minutes _ -> "end after so many minutes with a checkpoint, for --resume."
            | Threads _ ->
                "use so many cores for one run, where its trials may run side by side (update everyTrials); all of them without it. No number depends on it."
            | Analyze _ ->
                "train nothing: analyze the run in that folder, which this script made; rflo analyze --help lists what can be computed."
            | Check -> "train nothing: print all problems, or a summary of the compiled circuit."
            | Plan ->
                "with --check: print how a trial is carried out, too: operators in their order, fast forms and why, arrays with their bytes."
            | Graph _ ->
                "train nothing: write a picture of the circuit: FILE.svg, a page FILE.html, or FILE.dot for Graphviz."
            | Graph_Width _ ->
                "with --graph FILE.svg: the picture for a page, so many millimeters wide."
            | Graph_Font _ -> "with --graph-width: the font of its words; Helvetica without it."
            | Quiet -> "no progress; only problems and the last lines."
            | No_Report -> "write no report.html."

/// The picture that is made instead of training.
type internal GraphRequest = {
    File: string
    /// Width of a picture for print, in millimeters.
    Width: string option
    Font: string option
}

/// The requests of a script's command line.
type internal Request = {
    /// Options and values in the order given.
    Given: ScriptOption list
    /// The words of the command line.
    Words: string list
    Out: string option
    Force: bool
    /// The run folder to continue.
    Resume: string option
    /// The values of the options for long runs.
    CheckpointEvery: string option
    CheckpointMinutes: string option
    MaxMinutes: string option
    /// Cores of one run.
    Threads: string option
    /// The run folder that is analyzed, if that is all that is wanted, and by which options.
    Analyze: (string * AnalysisOption list) option
    CheckOnly: bool
    /// Whether a check prints the plan of a trial.
    Plan: bool
    /// The picture of the circuit, if it is requested instead of training.
    Graph: GraphRequest option
    /// The options of a printed picture, whether a picture is requested or not.
    GraphWidth: string option
    GraphFont: string option
    Quiet: bool
    Report: bool
}

/// Reads command lines.
[<RequireQualifiedAccess>]
module internal Arguments =

    /// A parsed command line.
    type Asked =
        | Help of text: string
        | Do of Request

    /// The note on --help of scripts, which `dotnet fsi` takes for itself.
    let private ofScripts =
        "\n\ndotnet fsi takes --help for itself: type `dotnet fsi SCRIPT -- --help` or `rflo run SCRIPT --help`."

    let private namesIn<'option when 'option :> IArgParserTemplate>
        (parser: ArgumentParser<'option>)
        = [
        for case in parser.GetArgumentCases() do
            yield! case.CommandLineNames.Value
    ]

    /// The names of all options of a kind, such as --trials.
    let names<'option when 'option :> IArgParserTemplate> () =
        namesIn (ArgumentParser.Create<'option>())

    /// The mistakes of words that Argu does not parse: unknown options with a hint, and single words. A word after an unknown
    /// option is its value.
    let private unknown (known: string list) (rest: string list) =
        let isOption (word: string) = word.StartsWith '-'

        ("" :: rest, rest)
        ||> Seq.zip
        |> Seq.choose (fun (before, word) ->
            if isOption word then
                Some(UnknownOption((word.Split '=')[0], known))
            elif isOption before then
                None
            else
                Some(StrayWord word))
        |> List.ofSeq

    /// `--trials=5` means `--trials 5`. Further signs of equality belong to the value.
    let private separated (known: string list) (word: string) =
        match word.IndexOf '=' with
        | at when at > 0 && List.contains (word.Substring(0, at)) known -> [
            word.Substring(0, at)
            word.Substring(at + 1)
          ]
        | _ -> [ word ]

    /// The words of a command line, with every option apart from its value.
    let words<'option when 'option :> IArgParserTemplate> (arguments: string[]) =
        let known = names<'option>()
        arguments |> List.ofArray |> List.collect (separated known) |> Array.ofList

    /// Parses with Argu: the values, or all mistakes.
    let parseWith<'option when 'option :> IArgParserTemplate>
        (program: string)
        (arguments: string[])
        =
        let parser = ArgumentParser.Create<'option>(programName = program)

        if Usage.isAskedFor (List.ofArray arguments) then
            Error(Choice1Of2(parser.PrintUsage().TrimEnd() + "\n\n" + ExitCode.help))
        else
            let known = namesIn parser

            try
                let results =
                    parser.ParseCommandLine(
                        words<'option> arguments,
                        ignoreMissing = true,
                        ignoreUnrecognized = true,
                        raiseOnUsage = false
                    )

                match unknown known results.UnrecognizedCliParams with
                | [] -> Ok(results.GetAllResults())
                | mistakes -> Error(Choice2Of2 mistakes)
            with :? ArguParseException as refused ->
                let line = (refused.Message.Split '\n')[0]
                Error(Choice2Of2 [ Refused(line.Replace("ERROR: ", "").Trim()) ])

    /// What a command does with its options; help and mistakes are the same for all of them. The exit code.
    let command<'option when 'option :> IArgParserTemplate>
        (program: string)
        (arguments: string list)
        (act: 'option list -> int)
        =
        match parseWith<'option> program (Array.ofList arguments) with
        | Error(Choice1Of2 help) ->
            printfn $"{help}"
            ExitCode.Done
        | Error(Choice2Of2 mistakes) -> Mistake.refuse program mistakes
        | Ok options -> act options

    /// What a command does with the one folder that it takes, of the words that belong to no option; `takes` is what must follow its name.
    let oneFolder<'option when 'option :> IArgParserTemplate>
        (program: string)
        (takes: string)
        (words: string list)
        (act: string -> int)
        =
        match words |> List.filter _.StartsWith('-'), words with
        | (_ :: _ as strays), _ ->
            Mistake.refuse program [
                for stray in strays -> UnknownOption(stray, names<'option>())
            ]
        | [], [ place ] -> act place
        | [], [] ->
            Mistake.refuse program [
                Refused
                    $"it must be: {program} {takes}; no folder was given (--help prints the details)"
            ]
        | [], _ :: more -> Mistake.refuse program [ for word in more -> StrayWord word ]

    let private last chosen options =
        options |> List.choose chosen |> List.tryLast

    let private isAnalyze (word: string) =
        word = "--analyze"
        || word.StartsWith("--analyze=", System.StringComparison.Ordinal)

    /// The options of an analysis on a line that has --analyze, and the words that are left; without it, all words.
    let private analysisOf (arguments: string[]) =
        if not (Array.exists isAnalyze arguments) then
            Ok([], arguments)
        else
            try
                let results =
                    ArgumentParser
                        .Create<AnalysisOption>()
                        .ParseCommandLine(
                            words<AnalysisOption> arguments,
                            ignoreMissing = true,
                            ignoreUnrecognized = true,
                            raiseOnUsage = false
                        )

                Ok(results.GetAllResults(), Array.ofList results.UnrecognizedCliParams)
            with :? ArguParseException as refused ->
                let line = (refused.Message.Split '\n')[0]
                Error [ Refused(line.Replace("ERROR: ", "").Trim()) ]

    /// An option of analyses on a line without one is no unknown option; on a line with one it may be what was meant.
    let private ofAnalyses isAnalysis mistake =
        match mistake with
        | UnknownOption(given, known) when isAnalysis ->
            UnknownOption(given, known @ names<AnalysisOption>())
        | UnknownOption(given, _) when List.contains given (names<AnalysisOption>()) ->
            Refused
                $"{given} is for the analysis of a run that has ended; give --analyze RUN too, or type rflo analyze RUN {given}"
        | other -> other

    /// The request of a script's options, or all of their mistakes.
    let parse (program: string) (arguments: string[]) : Result<Asked, Mistake list> =
        match
            analysisOf arguments
            |> Result.mapError Choice2Of2
            |> Result.bind (fun (analysis, rest) ->
                parseWith<ScriptOption> program rest
                |> Result.map (fun given -> given, analysis))
        with
        | Error(Choice1Of2 help) -> Ok(Help(help + ofScripts))
        | Error(Choice2Of2 mistakes) ->
            Error(List.map (ofAnalyses (Array.exists isAnalyze arguments)) mistakes)
        | Ok(given, analysis) ->
            let width =
                given
                |> last (function
                    | Graph_Width millimeters -> Some millimeters
                    | _ -> None)

            let font =
                given
                |> last (function
                    | Graph_Font name -> Some name
                    | _ -> None)

            Ok(
                Do {
                    Given = given
                    Out =
                        given
                        |> last (function
                            | Out folder -> Some folder
                            | _ -> None)
                    Words = List.ofArray arguments
                    Force = List.contains Force given
                    Resume =
                        given
                        |> last (function
                            | Resume folder -> Some folder
                            | _ -> None)
                    CheckpointEvery =
                        given
                        |> last (function
                            | Checkpoint_Every trials -> Some trials
                            | _ -> None)
                    CheckpointMinutes =
                        given
                        |> last (function
                            | Checkpoint_Minutes minutes -> Some minutes
                            | _ -> None)
                    MaxMinutes =
                        given
                        |> last (function
                            | Max_Minutes minutes -> Some minutes
                            | _ -> None)
                    Threads =
                        given
                        |> last (function
                            | Threads count -> Some count
                            | _ -> None)
                    Analyze =
                        given
                        |> last (function
                            | Analyze folder -> Some(folder, analysis)
                            | _ -> None)
                    CheckOnly = List.contains Check given
                    Plan = List.contains Plan given
                    Graph =
                        given
                        |> last (function
                            | Graph file ->
                                Some {
                                    File = file
                                    Width = width
                                    Font = font
                                }
                            | _ -> None)
                    GraphWidth = width
                    GraphFont = font
                    Quiet = List.contains Quiet given
                    Report = not (List.contains No_Report given)
                }
            )

    /// The given options of runs that stop and are resumed.
    let ofLongRuns (request: Request) = [
        if request.CheckpointEvery.IsSome then
            "--checkpoint-every"

        if request.CheckpointMinutes.IsSome then
            "--checkpoint-minutes"

        if request.MaxMinutes.IsSome then
            "--max-minutes"
    ]

    /// Options that exclude each other, or that have no effect.
    let contradictions (request: Request) = [
        if request.CheckOnly && request.Graph.IsSome then
            Refused "--check and --graph each replace training; give one of them"

        if request.GraphWidth.IsSome && request.Graph.IsNone then
            Refused "--graph-width is that of a picture; give --graph FILE.svg too"

        if request.GraphFont.IsSome && request.GraphWidth.IsNone then
            Refused
                "--graph-font is that of a printed picture; give --graph-width too, such as --graph-width 180"

        if request.Plan && not request.CheckOnly then
            Refused "--plan belongs to a check; give --check too, or use rflo check"

        if request.Analyze.IsSome then
            let others = [
                if request.CheckOnly then
                    "--check"

                if request.Graph.IsSome then
                    "--graph"

                if request.Resume.IsSome then
                    "--resume"

                if request.Force then
                    "--force"

                yield! ofLongRuns request

                if not request.Report then
                    "--no-report"
            ]

            if not others.IsEmpty then
                let all = String.concat ", " others

                Refused
                    $"--analyze trains nothing and takes none of the options of a run; leave {all} out"

        if request.Resume.IsSome then
            if request.Out.IsSome then
                Refused "--resume continues in its own run folder; leave --out out"

            if request.CheckOnly || request.Graph.IsSome then
                Refused "--check and --graph train nothing; leave --resume out"

        if request.Force && request.Out.IsNone && request.Resume.IsNone then
            Refused
                "--force replaces the run folder that --out names; without --out every run gets a new one: leave --force out"
    ]

    /// The words after the script on this process's command line, and the script's path. Without a
    /// script (an interactive session, a notebook) there are none.
    let ofScript () =
        let words = System.Environment.GetCommandLineArgs() |> List.ofArray |> List.tail

        match List.tryFindIndex Rflo.Dsl.Unused.isScript words with
        | Some place ->
            let rest = List.skip (place + 1) words
            Some words[place], (if rest <> [] && rest[0] = "--" then rest.Tail else rest)
        | None -> None, []
