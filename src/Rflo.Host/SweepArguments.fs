namespace Rflo.Host

open System
open Argu

/// The options that a sweep has beside those of every script.
type SweepOption =
    | Jobs of count: string
    | Retry
    | Take_Over
    | Part of part: string

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Jobs _ -> "run so many points at once; as many as there are cores without it."
            | Retry -> "begin points anew that failed."
            | Take_Over ->
                "take points over from processes on other machines, of which you know that they have ended."
            | Part _ -> "run the K-th of N parts of the sweep, K/N, such as 3/10."

/// What somebody asked of a sweep.
type SweepRequest = {
    Settings: SweepSettings
    /// What it has in common with other scripts.
    Script: Request
}

/// Reads the command lines of sweeps.
[<RequireQualifiedAccess>]
module SweepArguments =

    /// What a command line asks for.
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

    let private collect (results: Result<'value, Mistake> list) =
        results
        |> List.choose (function
            | Error mistake -> Some mistake
            | Ok _ -> None)

    let private lastOr otherwise (results: Result<'value, Mistake> list) =
        results
        |> List.choose Result.toOption
        |> List.tryLast
        |> Option.defaultValue otherwise

    let private notOfSweeps (request: Request) = [
        if request.Resume.IsSome then
            Refused
                "--resume goes on with one run; a sweep goes on when the same command is given again"

        if request.Force then
            Refused
                "--force replaces one run; a sweep begins failed points anew with --retry, and all of them in another place, --out"
    ]

    let private settings name (own: SweepOption list) (request: Request) =
        let jobs = [
            for option in own do
                match option with
                | Jobs text -> jobs text
                | _ -> ()
        ]

        let parts = [
            for option in own do
                match option with
                | Part text -> part text
                | _ -> ()
        ]

        let guard = Guards.ofRequest request

        let mistakes = [
            yield! collect jobs
            yield! collect parts
            yield! notOfSweeps request

            match guard with
            | Error mistakes -> yield! mistakes
            | Ok _ -> ()
        ]

        match guard, mistakes with
        | Ok guard, [] ->
            let usual = Sweeps.into (Option.defaultValue name request.Out)

            Ok {
                Script = request
                Settings = {
                    usual with
                        Jobs = lastOr usual.Jobs jobs
                        Retry = List.contains Retry own
                        TakeOver = List.contains Take_Over own
                        Part = lastOr None (List.map (Result.map Some) parts)
                        Given = request.Given
                        Words = request.Words
                        Guard = guard
                        Quiet = request.Quiet
                }
            }
        | _ -> Error mistakes

    /// Everything that is known of an option is known of a sweep's too.
    let private alsoKnown more mistake =
        match mistake with
        | UnknownOption(given, known) -> UnknownOption(given, known @ more)
        | other -> other

    /// What the options of a sweep ask for, or everything that is wrong with them. `place` is where it goes without --out.
    let parse (program: string) place (arguments: string[]) : Result<Asked, Mistake list> =
        let parser = ArgumentParser.Create<SweepOption>(programName = program)

        let names = [
            for case in parser.GetArgumentCases() do
                yield! case.CommandLineNames.Value
        ]

        let isHelp =
            arguments
            |> Array.exists (fun word -> List.contains word [ "--help"; "-h"; "help" ])

        if isHelp then
            match Arguments.parse program arguments with
            | Ok(Arguments.Help text) ->
                Ok(
                    Help(
                        parser.PrintUsage().TrimEnd()
                        + "\n\nAnd what every script takes:\n\n"
                        + text
                    )
                )
            | _ -> Ok(Help(parser.PrintUsage()))
        else
            try
                let results =
                    parser.ParseCommandLine(
                        arguments,
                        ignoreMissing = true,
                        ignoreUnrecognized = true,
                        raiseOnUsage = false
                    )

                match Arguments.parse program (Array.ofList results.UnrecognizedCliParams) with
                | Ok(Arguments.Help text) -> Ok(Help text)
                | Error mistakes -> Error(List.map (alsoKnown names) mistakes)
                | Ok(Arguments.Do request) ->
                    {
                        request with
                            Words = List.ofArray arguments
                    }
                    |> settings place (results.GetAllResults())
                    |> Result.map Do
            with :? ArguParseException as refused ->
                let line = (refused.Message.Split '\n')[0]
                Error [ Refused(line.Replace("ERROR: ", "").Trim()) ]
