// Plants the mistakes of the catalogue in a copy of the sources, and finds out which the tests see:
// `dotnet fsi build.fsx mutate`. The copy (artifacts/mutants) holds all mistakes at once, each behind a switch that the
// environment names, so that one build serves all of them.

#load "Catalogue.fs"

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Text
open System.Threading.Tasks
open System.Xml
open System.Xml.Linq
open Rflo.Mutations.Catalogue

let root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "..", ".."))

let copy = Path.Combine(root, "artifacts", "mutants", "tree")
let results = Path.Combine(root, "artifacts", "mutants")

// ---- options ------------------------------------------------------------------------------------

type Options = {
    Only: string list
    List: bool
    All: bool
    Built: bool
    Jobs: int
}

let usage =
    "dotnet fsi build.fsx mutate [--only NAME[,NAME...]] [--list] [--all] [--built] [--jobs K]

  --only NAMES  these mistakes, or all of an area (a file of tests/mutations); a name may end in *
  --list        print the mistakes and plant none
  --all         those that their own test lists do not see are run on every test program too
  --built       the copy is built already: plant nothing anew
  --jobs K      so many test programs at once (1)"

let refuse (reason: string) =
    eprintfn $"{reason}\n\n{usage}"
    exit 2

let rec parse options arguments =
    match arguments with
    | [] -> options
    | "--only" :: names :: rest ->
        let split = (names: string).Split(',', StringSplitOptions.RemoveEmptyEntries)

        parse
            {
                options with
                    Only = options.Only @ List.ofArray split
            }
            rest
    | "--list" :: rest -> parse { options with List = true } rest
    | "--all" :: rest -> parse { options with All = true } rest
    | "--built" :: rest -> parse { options with Built = true } rest
    | "--jobs" :: count :: rest ->
        match Int32.TryParse count with
        | true, jobs when jobs > 0 -> parse { options with Jobs = jobs } rest
        | _ -> refuse $"--jobs takes a number from 1 on, not {count}."
    | other :: _ -> refuse $"mutate does not take: {other}"

let options =
    let none = {
        Only = []
        List = false
        All = false
        Built = false
        Jobs = 1
    }

    parse none (List.tail (List.ofArray fsi.CommandLineArgs))

let everything =
    try
        load root
    with Unreadable reason ->
        eprintfn $"tests/mutations: {reason}"
        exit 1

/// Is a mistake among those that were asked for?
let isMeant (pattern: string) (mutant: Mutant) =
    pattern = mutant.Name
    || pattern = mutant.Area
    || (pattern.EndsWith '*' && mutant.Name.StartsWith(pattern.TrimEnd '*'))

let chosen =
    for pattern in options.Only do
        if not (List.exists (isMeant pattern) everything) then
            refuse $"There is no mistake and no area {pattern}; see --list."

    if options.Only.IsEmpty then
        everything
    else
        everything
        |> List.filter (fun mutant ->
            options.Only |> List.exists (fun pattern -> isMeant pattern mutant))

if options.List then
    for area, mutants in chosen |> List.groupBy _.Area do
        printfn $"{area} ({mutants.Length})"

        for mutant in mutants do
            printfn $"  {mutant.Name}: {mutant.Does}"

    exit 0

match complaints root everything with
| [] -> ()
| found ->
    List.iter (eprintfn "%s") found
    exit 1

// ---- the copy -----------------------------------------------------------------------------------

let start (folder: string) (file: string) arguments captured mutant =
    let info =
        ProcessStartInfo(
            file,
            WorkingDirectory = folder,
            RedirectStandardOutput = captured,
            RedirectStandardError = captured
        )

    List.iter info.ArgumentList.Add arguments
    info.Environment[variable] <- mutant
    info.Environment["MSBUILDDISABLENODEREUSE"] <- "1"
    info.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] <- "0"
    Console.Out.Flush()
    Process.Start info

/// No mistake: the name that switches nothing on, and says that the sources are those of the copy.
let noMistake = "none"

let run folder file arguments =
    use child = start folder file arguments false noMistake
    child.WaitForExit()

    if child.ExitCode <> 0 then
        eprintfn $"""Failed: {String.concat " " (file :: arguments)}"""
        exit child.ExitCode

/// The files of the repository, committed or not.
let sources () =
    use child =
        start
            root
            "git"
            [
                "-c"
                "core.quotePath=false"
                "ls-files"
                "--cached"
                "--others"
                "--exclude-standard"
            ]
            true
            noMistake

    let names = child.StandardOutput.ReadToEnd()
    child.WaitForExit()

    names.Split('\n', StringSplitOptions.RemoveEmptyEntries)
    |> Array.filter (fun name -> File.Exists(Path.Combine(root, name)))

/// Written only where it differs, so that what was built of it stays.
let write name (content: byte[]) =
    let target = Path.Combine(copy, name)

    if not (File.Exists target && content.AsSpan().SequenceEqual(File.ReadAllBytes target)) then
        Directory.CreateDirectory(nonNull (Path.GetDirectoryName target)) |> ignore
        File.WriteAllBytes(target, content)

let isBuilt (path: string) =
    let parts = path.Split Path.DirectorySeparatorChar

    Array.contains "bin" parts
    || Array.contains "obj" parts
    || parts[0] = "artifacts"
    || parts[0] = "paket-files"

let plantAll () =
    let switchFile = "src/Rflo.Core/Mutant.cs"
    let byFile = everything |> List.groupBy _.File |> Map.ofList
    let names = sources ()

    for name in names do
        let content = File.ReadAllBytes(Path.Combine(root, name))

        match byFile.TryFind name with
        | None -> write name content
        | Some mutants ->
            write
                name
                (Encoding.UTF8.GetBytes(plant name (Encoding.UTF8.GetString content) mutants))

    write switchFile (Encoding.UTF8.GetBytes(switches everything))
    let kept = HashSet(Seq.append names [ switchFile ])

    for file in Directory.GetFiles(copy, "*", SearchOption.AllDirectories) do
        let name = Path.GetRelativePath(copy, file)

        if not (kept.Contains name || isBuilt name) then
            File.Delete file

let build () =
    run copy "dotnet" [ "fsi"; "build.fsx"; "restore" ]

    run copy "dotnet" [
        "build"
        "Rflo.Dsl.sln"
        "--no-restore"
        "--nologo"
        "--verbosity"
        "quiet"
        "--configuration"
        "Release"
        "-maxCpuCount:2"
        "-nodeReuse:false"
        "-p:UseSharedCompilation=false"
        "-clp:NoSummary;ErrorsOnly"
        // A mistake may leave a name without a use; style is the business of the sources themselves.
        "-p:TreatWarningsAsErrors=false"
        "-p:EnforceCodeStyleInBuild=false"
        "-p:RunAnalyzers=false"
    ]

// ---- runs ---------------------------------------------------------------------------------------

type Outcome =
    | Passed of tests: int
    | Failed of test: string
    | Crashed of how: string

/// Longer than any list takes without a mistake: one that makes a loop endless is seen too.
let patience = TimeSpan.FromMinutes 15.0

let private failures (summary: string) =
    // What a test says may hold any character, also those that XML has no place for.
    let readable =
        File.ReadAllText summary
        |> String.map (fun each -> if XmlConvert.IsXmlChar each then each else '?')

    let cases =
        (XDocument.Parse readable).Descendants(XName.Get "test-case") |> List.ofSeq

    let value (name: string) (case: XElement) =
        match case.Attribute(XName.Get name) with
        | null -> ""
        | attribute -> attribute.Value

    let bad =
        cases
        |> List.filter (fun case ->
            match value "result" case with
            | "Success"
            | "Ignored" -> false
            | _ -> true)

    cases.Length, List.map (value "name") bad

/// Runs a list of a test program, or all of it, with a mistake.
let test mutant (program: string) (list: string option) (limit: TimeSpan) =
    let summary = Path.Combine(results, Path.GetRandomFileName() + ".xml")
    let folder = Path.Combine(copy, "tests", program)

    use child =
        start
            folder
            "dotnet"
            [
                Path.Combine(folder, "bin", "Release", "net10.0", program + ".dll")
                "--nunit-summary"
                summary
                "--no-spinner"
                "--colours"
                "0"
                match list with
                | Some list ->
                    "--filter-test-list"
                    list
                | None -> ()
            ]
            true
            mutant

    let drained =
        Task.WhenAll(child.StandardOutput.ReadToEndAsync(), child.StandardError.ReadToEndAsync())

    if not (child.WaitForExit limit) then
        child.Kill true
        Crashed "it did not end"
    else
        drained.Wait 5000 |> ignore

        if not (File.Exists summary) then
            Crashed $"exit code {child.ExitCode}"
        else
            let count, bad = failures summary
            File.Delete summary

            match bad with
            | [] when child.ExitCode = 0 -> Passed count
            | [] -> Crashed $"exit code {child.ExitCode}"
            | first :: _ -> Failed first

let programs () =
    Directory.GetDirectories(Path.Combine(root, "tests"), "*.Tests")
    |> Array.map Path.GetFileName
    |> Array.sort
    |> List.ofArray

/// How long each list took without a mistake. A list that is empty or fails is an end to it.
let baseline (lists: TestList list) =
    let times = ConcurrentDictionary<TestList, TimeSpan>()

    let time (list: TestList) =
        let clock = Stopwatch.StartNew()

        match test noMistake list.Program (Some list.List) patience with
        | Passed count when count > 0 ->
            times[list] <- clock.Elapsed
            None
        | Passed _ -> Some $"{list.Program}: no test list has `{list.List}` in its name"
        | Failed name -> Some $"{list.Program}, without a mistake, fails at: {name}"
        | Crashed how -> Some $"{list.Program} `{list.List}`, without a mistake, crashes: {how}"

    let faults = ConcurrentQueue<string>()

    Parallel.ForEach(
        lists,
        ParallelOptions(MaxDegreeOfParallelism = options.Jobs),
        fun list -> time list |> Option.iter faults.Enqueue
    )
    |> ignore

    if not faults.IsEmpty then
        Seq.iter (eprintfn "%s") faults
        exit 1

    times

/// Who sees a mistake: the first of its lists, then, if all is wanted, the first of all programs.
let seen (times: IReadOnlyDictionary<TestList, TimeSpan>) (mutant: Mutant) =
    let by (program, list, limit) =
        match test mutant.Name program list limit with
        | Passed _ -> None
        | Failed name -> Some $"{program}: {name}"
        | Crashed how -> Some $"{program}: {how}"

    let own =
        mutant.SeenBy
        |> List.map (fun list ->
            list.Program, Some list.List, times[list] * 10.0 + TimeSpan.FromMinutes 1.0)

    let rest =
        if options.All then
            programs () |> List.map (fun program -> program, None, patience * 3.0)
        else
            []

    List.tryPick by (own @ rest)

// ---- the score ----------------------------------------------------------------------------------

if not options.Built then
    Directory.CreateDirectory copy |> ignore

    try
        plantAll ()
    with Unreadable reason ->
        eprintfn $"tests/mutations: {reason}"
        exit 1

    build ()

let times = chosen |> List.collect _.SeenBy |> List.distinct |> baseline
let table = Dictionary<string, string option>()
let width = chosen |> List.map _.Name.Length |> List.max

let look (mutant: Mutant) =
    let by = seen times mutant

    lock table (fun () ->
        table[mutant.Name] <- by

        match by, mutant.Equivalent with
        | Some test, None -> printfn $"seen        {mutant.Name.PadRight width}  {test}"
        | Some test, Some _ ->
            printfn $"seen        {mutant.Name.PadRight width}  {test} (it is no equivalent)"
        | None, Some reason -> printfn $"equivalent  {mutant.Name.PadRight width}  {reason}"
        | None, None -> printfn $"SURVIVED    {mutant.Name.PadRight width}  {mutant.Does}"

        Console.Out.Flush())

Parallel.ForEach(chosen, ParallelOptions(MaxDegreeOfParallelism = options.Jobs), look)
|> ignore

let survivors =
    chosen
    |> List.filter (fun mutant -> table[mutant.Name].IsNone && mutant.Equivalent.IsNone)

let found = chosen |> List.filter (fun mutant -> table[mutant.Name].IsSome)
let equivalent = chosen.Length - survivors.Length - found.Length

let argued =
    if equivalent > 0 then
        $"; {equivalent} argued to be equivalent"
    else
        ""

let names =
    match survivors with
    | [] -> "none"
    | _ -> survivors |> List.map _.Name |> String.concat ", "

printfn $"\n{found.Length} of {chosen.Length - equivalent} seen{argued}; survivors: {names}"
exit (if survivors.IsEmpty then 0 else 1)
