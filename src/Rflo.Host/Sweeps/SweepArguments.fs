namespace Rflo.Host

open System
open Argu

/// The options that a sweep has beside those of every script.
type internal SweepOption =
    | Jobs of count: string
    | Retry
    | Take_Over
    | Remeasure
    | Part of part: string
    | Slurm
    | Partition of name: string
    | Time of limit: string
    | Mem of size: string
    | Max_Parallel of tasks: string
    | Chunk of points: string
    | Dry_Run

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Jobs _ -> "run so many points at once; as many as there are cores without it."
            | Retry -> "begin points anew that failed, or whose files are damaged."
            | Take_Over -> "take points over from processes on other machines that have ended."
            | Remeasure ->
                "compute the measures of finished points anew; without it only those that have no value."
            | Part _ -> "run the K-th of N parts of the sweep, K/N, such as 3/10."
            | Slurm ->
                "train nothing here: write a job array into the folder of the sweep and hand it to the queue of a cluster."
            | Partition _ -> "with --slurm: the partition of the cluster."
            | Time _ ->
                "with --slurm: time limit of a task, such as 1:00:00; one that reaches it continues in another task."
            | Mem _ -> "with --slurm: memory of a task, such as 2G."
            | Max_Parallel _ -> "with --slurm: so many tasks at once, at most."
            | Chunk _ -> "with --slurm: so many points a task."
            | Dry_Run ->
                "train a few trials of the first point only, and print the cost of the sweep."

/// The requests for a cluster.
type internal SlurmRequest = {
    Partition: string option
    Time: string option
    Memory: string option
    MaxParallel: int option
    /// Points a task.
    Chunk: int option
}

/// The requests of a sweep's command line.
type internal SweepRequest = {
    Settings: SweepSettings
    /// The cluster, if the sweep runs on one.
    Slurm: SlurmRequest option
    /// Whether only the costs are printed.
    DryRun: bool
    /// The words of the command line that every script takes.
    Rest: string list
    /// The requests that all scripts share.
    Script: Request
}

/// Reads the command lines of sweeps.
[<RequireQualifiedAccess>]
module internal SweepArguments =

    /// A parsed command line.
    type Asked =
        | Help of text: string
        | Do of SweepRequest

    let private jobs (text: string) =
        match Overrides.whole text with
        | Some count when count >= 1L && count <= 1024L -> Ok(int count)
        | _ -> Error(BadValue("--jobs", text, "a whole number from 1 to 1024"))

    let private part (text: string) =
        match text.Split '/' |> Array.map Overrides.whole with
        | [| Some k; Some n |] when k >= 1L && k <= n && n <= int64 Int32.MaxValue ->
            Ok(int k, int n)
        | _ -> Error(BadValue("--part", text, "K/N with K from 1 to N, such as 3/10"))

    let private count option (text: string) =
        match Overrides.whole text with
        | Some count when count >= 1L && count <= int64 Int32.MaxValue -> Ok(int count)
        | _ -> Error(BadValue(option, text, "a whole number, at least 1"))

    /// A value for a shell script, without characters that a shell interprets.
    let private word option (text: string) =
        if
            text <> ""
            && text |> Seq.forall (fun c -> Char.IsAsciiLetterOrDigit c || "-_.:,".Contains c)
        then
            Ok text
        else
            Error(BadValue(option, text, "letters, digits and - _ . : ,"))

    /// The last value that is given of an option, read; none where it is not given.
    let private given read chosen (own: SweepOption list) =
        match List.choose chosen own |> List.tryLast with
        | None -> Ok None
        | Some text -> read text |> Result.map Some

    let private wrong result =
        match result with
        | Error mistake -> [ mistake ]
        | Ok _ -> []

    let private valueOf result =
        match result with
        | Ok value -> value
        | Error _ -> None

    let private notOfSweeps isDryRun (request: Request) = [
        if request.CheckOnly && request.Graph.IsSome then
            Refused "--check and --graph each replace training; give one of them"

        if isDryRun && (request.CheckOnly || request.Graph.IsSome) then
            Refused "--dry-run, --check and --graph each replace the sweep; give one of them"

        if request.Resume.IsSome then
            Refused
                "--resume continues one run; a sweep continues when the same command is given again"

        if request.Force then
            Refused
                "--force replaces one run; a sweep begins failed points anew with --retry, and all of them in another place, --out"
    ]

    let private slurm (own: SweepOption list) =
        let partition =
            own
            |> given (word "--partition") (function
                | Partition name -> Some name
                | _ -> None)

        let time =
            own
            |> given (word "--time") (function
                | Time limit -> Some limit
                | _ -> None)

        let memory =
            own
            |> given (word "--mem") (function
                | Mem size -> Some size
                | _ -> None)

        let atOnce =
            own
            |> given (count "--max-parallel") (function
                | Max_Parallel tasks -> Some tasks
                | _ -> None)

        let chunk =
            own
            |> given (count "--chunk") (function
                | Chunk points -> Some points
                | _ -> None)

        let request = {
            Partition = valueOf partition
            Time = valueOf time
            Memory = valueOf memory
            MaxParallel = valueOf atOnce
            Chunk = valueOf chunk
        }

        let mistakes = [
            yield! wrong partition
            yield! wrong time
            yield! wrong memory
            yield! wrong atOnce
            yield! wrong chunk
        ]

        let isAsked = List.contains Slurm own

        let isNothing =
            (request = {
                           Partition = None
                           Time = None
                           Memory = None
                           MaxParallel = None
                           Chunk = None
                       })

        match mistakes with
        | [] when isAsked -> Ok(Some request)
        | [] when isNothing -> Ok None
        | [] ->
            Error [
                Refused
                    "--partition, --time, --mem, --max-parallel and --chunk are for a cluster; give --slurm too"
            ]
        | mistakes -> Error mistakes

    let private settings place (own: SweepOption list) rest (request: Request) =
        let jobs =
            own
            |> given jobs (function
                | Jobs text -> Some text
                | _ -> None)

        let part =
            own
            |> given part (function
                | Part text -> Some text
                | _ -> None)

        let guard = Guards.ofRequest request
        let slurm = slurm own

        let mistakes = [
            yield! wrong jobs
            yield! wrong part
            yield! notOfSweeps (List.contains Dry_Run own) request

            match guard with
            | Error mistakes -> yield! mistakes
            | Ok _ -> ()

            match slurm with
            | Error mistakes -> yield! mistakes
            | Ok(Some _) when List.exists (fun (option: SweepOption) -> option.IsPart) own ->
                Refused "--slurm makes the parts itself; leave --part out"
            | Ok(Some _) when List.contains Remeasure own ->
                Refused
                    "--slurm hands in points that are not finished, and --remeasure is for those that are; give one of them"
            | Ok _ -> ()
        ]

        match guard, slurm, mistakes with
        | Ok guard, Ok slurm, [] ->
            let usual = Sweeps.into (Option.defaultValue place request.Out)

            Ok {
                Script = request
                Slurm = slurm
                DryRun = List.contains Dry_Run own
                Rest = rest
                Settings = {
                    usual with
                        Jobs =
                            valueOf jobs
                            |> Option.defaultValue (if slurm.IsSome then 1 else usual.Jobs)
                        Retry = List.contains Retry own
                        TakeOver = List.contains Take_Over own
                        Remeasure = List.contains Remeasure own
                        Part = valueOf part
                        Given = request.Given
                        Words = request.Words
                        Guard = guard
                        Quiet = request.Quiet
                }
            }
        | _ -> Error mistakes

    /// Adds the options of sweeps to the known options of a mistake.
    let private alsoKnown more mistake =
        match mistake with
        | UnknownOption(given, known) -> UnknownOption(given, known @ more)
        | other -> other

    /// The request of a sweep's options, or all of their mistakes. `place` is its folder without --out.
    let parse (program: string) place (arguments: string[]) : Result<Asked, Mistake list> =
        let parser = ArgumentParser.Create<SweepOption>(programName = program)

        let names = Arguments.names<SweepOption>()

        if Usage.isAskedFor (List.ofArray arguments) then
            match Arguments.parse program arguments with
            | Ok(Arguments.Help text) ->
                Ok(Help(parser.PrintUsage().TrimEnd() + "\n\nOptions of all scripts:\n\n" + text))
            | _ -> Ok(Help(parser.PrintUsage()))
        else
            try
                let results =
                    parser.ParseCommandLine(
                        Arguments.words<SweepOption> arguments,
                        ignoreMissing = true,
                        ignoreUnrecognized = true,
                        raiseOnUsage = false
                    )

                let rest = results.UnrecognizedCliParams

                match Arguments.parse program (Array.ofList rest) with
                | Ok(Arguments.Help text) -> Ok(Help text)
                | Error mistakes -> Error(List.map (alsoKnown names) mistakes)
                | Ok(Arguments.Do request) ->
                    {
                        request with
                            Words = List.ofArray arguments
                    }
                    |> settings place (results.GetAllResults()) rest
                    |> Result.map Do
            with :? ArguParseException as refused ->
                let line = (refused.Message.Split '\n')[0]
                Error [ Refused(line.Replace("ERROR: ", "").Trim()) ]
