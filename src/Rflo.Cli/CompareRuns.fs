namespace Rflo.Cli

open System
open System.IO
open Argu
open Rflo.Host
open Rflo.Runs

/// The options of `rflo compare`.
type internal CompareOption =
    | [<MainCommand>] Runs of folder: string
    | Out of folder: string

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Runs _ -> "run folders, two or more, of any scripts."
            | Out _ ->
                "write comparison.html and its tables here; without it, into the next free runs/comparison-1, -2, ..."

/// `rflo compare`: finished runs side by side.
[<RequireQualifiedAccess>]
module internal CompareRuns =

    [<Literal>]
    let private PageName = "comparison.html"

    let private refuse mistakes = Mistake.refuse "rflo compare" mistakes

    let private full (path: string) =
        Path.TrimEndingDirectorySeparator(Path.GetFullPath path)

    let private mistakes (places: string list) = [
        for stray in places |> List.filter _.StartsWith('-') do
            UnknownOption(stray, Arguments.names<CompareOption>())

        match places |> List.filter (fun place -> not (place.StartsWith '-')) with
        | []
        | [ _ ] -> Refused "a comparison needs two run folders or more: rflo compare RUN RUN ..."
        | runs ->
            for _, same in List.groupBy full runs do
                if same.Length > 1 then
                    Refused $"{same.Head} is given {same.Length} times; name each run once"
    ]

    let private write place (runs: RunComparison.Compared list) =
        let within name = Path.Combine(place, name)

        let csv name table =
            TableText.writeCsv (within $"{name}.csv") table

        csv "final" (RunComparison.table runs)
        csv "differences" (RunComparison.differences runs)
        csv "losses" (RunComparison.losses runs)
        let heads, rows, _ = RunComparison.alignments runs

        if not rows.IsEmpty then
            csv "alignment" (heads, rows)

        for name, panel in RunComparison.panels runs do
            TextFiles.Write(within $"{name}.svg", VectorFigure.ofPanel panel)

        let title = String.concat " and " (runs |> List.truncate 3 |> List.map _.Label)
        let title = if runs.Length > 3 then $"{title}, ..." else title
        TextFiles.Write(within PageName, RunComparison.html title runs)

    let private compare place places =
        let runs = RunComparison.read places

        let place =
            match place with
            | Some place -> place
            | None -> Compare.nextFree "comparison"

        write place runs
        Terminal.table <|| RunComparison.table runs
        Terminal.sentence (RunComparison.legend runs)
        let _, differing = RunComparison.differences runs

        printfn
            "%s"
            (match differing.Length with
             | 0 -> "the declarations are the same, but for their names"
             | 1 -> "1 word of the declarations differs"
             | count -> $"{count} words of the declarations differ")

        printfn "%s" (Path.Combine(place, PageName))
        StandardOutput.finish ExitCode.Done

    /// The command; its exit code.
    let run (arguments: string list) =
        Arguments.command<CompareOption> "rflo compare" arguments (fun options ->
            let places =
                options
                |> List.choose (function
                    | Runs place -> Some place
                    | Out _ -> None)

            let out =
                options
                |> List.choose (function
                    | Out place -> Some place
                    | Runs _ -> None)
                |> List.tryLast

            match mistakes places with
            | [] ->
                try
                    compare out places
                with :? RunFileException as e ->
                    eprintfn $"rflo compare: {e.Message}"
                    ExitCode.Arguments
            | mistakes -> refuse mistakes)
