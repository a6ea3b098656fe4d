// Builds, tests and shows Rflo.Dsl: `dotnet fsi build.fsx TARGET`; without a target it lists them.
// No packages here, so that it starts at once.

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Security.Cryptography
open System.Text
open System.Text.RegularExpressions
open System.Xml
open System.Xml.Linq

let root = __SOURCE_DIRECTORY__
let inRoot path = Path.Combine(root, path)

/// The project files two levels down, such as src/Rflo.Core/Rflo.Core.csproj.
let projects folder extension =
    if Directory.Exists(inRoot folder) then
        Directory.GetDirectories(inRoot folder)
        |> Array.collect (fun project -> Directory.GetFiles(project, "*." + extension))
        |> Array.sort
    else
        [||]

let allProjects () =
    Array.concat [
        projects "src" "csproj"
        projects "src" "fsproj"
        projects "tests" "fsproj"
        projects "examples" "csproj"
    ]

// ---- evidence: what a step has shown, and the next one asks for ---------------------------------

type Restored = Restored
type Built = Built

type Counts = {
    Passed: int
    Failed: int
    Skipped: int
}

/// A step that failed: the command line as it was run, and its exit code.
exception StepFailed of command: string * exitCode: int

// ---- commands -----------------------------------------------------------------------------------

/// Nothing that a command starts may outlive it and keep the pipes open that somebody reads.
let commandEnvironment = [
    "MSBUILDDISABLENODEREUSE", "1"
    "DOTNET_CLI_USE_MSBUILD_SERVER", "0"
    "DOTNET_CLI_TELEMETRY_OPTOUT", "1"
    "DOTNET_NOLOGO", "1"
]

let private start (file: string) (arguments: string list) environment captured =
    let info =
        ProcessStartInfo(file, WorkingDirectory = root, RedirectStandardOutput = captured)

    List.iter info.ArgumentList.Add arguments

    for name, value in commandEnvironment @ environment do
        info.Environment[name] <- value

    // What this script has written must stand before what the command writes.
    Console.Out.Flush()
    Process.Start info

/// The exit code of a command that writes to our own output.
let exitCodeOf file arguments environment =
    use child = start file arguments environment false
    child.WaitForExit()
    child.ExitCode

let run file arguments environment =
    match exitCodeOf file arguments environment with
    | 0 -> ()
    | code -> raise (StepFailed(String.concat " " (file :: arguments), code))

let dotnet arguments = run "dotnet" arguments []

/// The exit code of a command and all that it wrote, in order: for commands that run beside others.
let captured (file: string) (arguments: string list) environment =
    let text = StringBuilder()

    let write (line: string) =
        if not (isNull line) then
            lock text (fun () -> text.AppendLine line |> ignore)

    let info =
        ProcessStartInfo(
            file,
            arguments,
            WorkingDirectory = root,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    for name, value in commandEnvironment @ environment do
        info.Environment[name] <- value

    use child = new Process(StartInfo = info)
    child.OutputDataReceived.Add(fun received -> write received.Data)
    child.ErrorDataReceived.Add(fun received -> write received.Data)
    child.Start() |> ignore
    child.BeginOutputReadLine()
    child.BeginErrorReadLine()
    child.WaitForExit()
    child.ExitCode, text.ToString()

/// Does so much work at a time, in order of the list; the results in that order.
let inParallel workers (work: 'item -> 'result) (items: 'item list) =
    let waiting = ConcurrentQueue(List.indexed items)
    let results = ConcurrentDictionary<int, 'result>()

    let rec go () =
        match waiting.TryDequeue() with
        | true, (place, item) ->
            results[place] <- work item
            go ()
        | _ -> ()

    let threads = [ for _ in 1..workers -> System.Threading.Thread(go) ]
    threads |> List.iter _.Start()
    threads |> List.iter _.Join()
    [ for place in 0 .. items.Length - 1 -> results[place] ]

/// What a command printed; a failing one stops the step.
let outputOf file arguments =
    use child = start file arguments [] true
    let output = child.StandardOutput.ReadToEnd()
    child.WaitForExit()

    if child.ExitCode <> 0 then
        raise (StepFailed(String.concat " " (file :: arguments), child.ExitCode))

    output

// ---- restore ------------------------------------------------------------------------------------

let sourceVariable = "RFLO_NUGET_SOURCE"

/// Paket asks for the package source by name; where nobody set it, the machine's NuGet configuration knows.
let setPackageSource () =
    if String.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable sourceVariable) then
        let listed = outputOf "dotnet" [ "nuget"; "list"; "source"; "--format"; "short" ]
        // One source a line: `E` (enabled) or `D`, perhaps with more letters, then the address.
        let enabled = Regex.Match(listed, @"^E\w*\s+(http\S+)", RegexOptions.Multiline)

        if enabled.Success then
            Environment.SetEnvironmentVariable(sourceVariable, enabled.Groups[1].Value)
        else
            eprintfn
                $"No enabled NuGet source is configured here (see `dotnet nuget list source`); set {sourceVariable} to one."

            raise (StepFailed("dotnet nuget list source --format short", 1))

let packageFolder () =
    match Environment.GetEnvironmentVariable "NUGET_PACKAGES" with
    | null
    | "" ->
        let home = Environment.GetFolderPath Environment.SpecialFolder.UserProfile
        Path.Combine(home, ".nuget", "packages")
    | folder -> folder

/// A digest of everything that a restore depends on.
let restoreDigest () =
    let text = StringBuilder(packageFolder ())

    let sources = [|
        inRoot ".config/dotnet-tools.json"
        inRoot "global.json"
        inRoot "paket.dependencies"
        inRoot "paket.lock"
        yield! Directory.GetFiles(root, "*.sln")
        yield! Directory.GetFiles(inRoot "src", "*.props")
        yield! Directory.GetFiles(inRoot "tests", "*.props")
        for project in allProjects () do
            project
            Path.Combine(Path.GetDirectoryName project, "paket.references")
    |]

    for file in sources |> Array.filter File.Exists do
        text.Append(file).Append(File.ReadAllText file) |> ignore

    text.ToString()
    |> Encoding.UTF8.GetBytes
    |> SHA256.HashData
    |> Convert.ToHexString

let restoreStamp = inRoot "paket-files/build.restored"

/// The folders without which the stamp of an earlier restore means nothing.
let restoreLeftovers () = [|
    // name and version of each tool, then of each package
    let tools = File.ReadAllText(inRoot ".config/dotnet-tools.json")

    for tool in Regex.Matches(tools, "\"([\\w.-]+)\": \\{\\s*\"version\": \"([^\"]+)\"") do
        Path.Combine(packageFolder (), tool.Groups[1].Value, tool.Groups[2].Value)

    for package in Regex.Matches(File.ReadAllText(inRoot "paket.lock"), @"(?m)^    ([\w.-]+) \(") do
        Path.Combine(packageFolder (), package.Groups[1].Value.ToLowerInvariant())

    for project in allProjects () do
        Path.Combine(Path.GetDirectoryName project, "obj", "project.assets.json")
|]

let isRestored () =
    File.Exists restoreStamp
    && File.ReadAllText restoreStamp = restoreDigest ()
    && restoreLeftovers () |> Array.forall Path.Exists

let restore () =
    if not (isRestored ()) then
        setPackageSource ()
        dotnet [ "tool"; "restore" ]
        dotnet [ "paket"; "restore" ]
        dotnet [ "restore"; "Rflo.Dsl.sln"; "-nodeReuse:false" ]
        Directory.CreateDirectory(inRoot "paket-files") |> ignore
        File.WriteAllText(restoreStamp, restoreDigest ())

    Restored

// ---- build --------------------------------------------------------------------------------------

let build Restored =
    dotnet [
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
        "-clp:NoSummary"
    ]

    Built

// ---- checks -------------------------------------------------------------------------------------

let private formatted = [ "src"; "tests"; "examples"; "docs/site"; "build.fsx" ]

let fantomas options =
    "fantomas" :: options @ List.filter (inRoot >> Path.Exists) formatted

let csharpFormat options = [
    for project in Array.append (projects "src" "csproj") (projects "examples" "csproj") do
        [
            "format"
            Path.GetRelativePath(root, project)
            "--no-restore"
        ]
        @ options
]

let format Restored =
    dotnet (fantomas [])
    List.iter dotnet (csharpFormat [])

/// Is all of the code as the formatters would write it?
let isFormatted Restored =
    // Every check runs, so that all complaints are seen at once.
    [
        fantomas [ "--check" ]
        yield! csharpFormat [ "--verify-no-changes" ]
    ]
    |> List.map (fun arguments -> exitCodeOf "dotnet" arguments [])
    |> List.forall ((=) 0)

/// Paket writes the address of the package source where the variable's name stood; it must not be committed.
let namesNoSource () =
    let offending = [
        for file in [ "paket.dependencies"; "paket.lock" ] do
            for number, line in File.ReadAllLines(inRoot file) |> Seq.indexed do
                let elsewhere =
                    Regex.IsMatch(line, @"^\s*(remote:|source)\s+(?!%RFLO_NUGET_SOURCE%\s*$)")

                if line.Contains "://" || elsewhere then
                    $"{file}:{number + 1}: write %%{sourceVariable}%% here, not an address: {line.Trim()}"
    ]

    List.iter (eprintfn "%s") offending
    offending.IsEmpty

/// Checks beside the test programs: each counts as one test.
let checks restored = [
    "packages come from no named address", namesNoSource
    "the code is formatted (dotnet fsi build.fsx format)", (fun () -> isFormatted restored)
]

let passes (name, check: unit -> bool) =
    let passed = check ()
    printfn $"""{if passed then "passed" else "FAILED"}: {name}"""
    passed

// ---- tests --------------------------------------------------------------------------------------

let none = { Passed = 0; Failed = 0; Skipped = 0 }
let passed = { none with Passed = 1 }
let failed = { none with Failed = 1 }

let add a b = {
    Passed = a.Passed + b.Passed
    Failed = a.Failed + b.Failed
    Skipped = a.Skipped + b.Skipped
}

/// The test cases of Expecto's summary.
let casesIn (file: string) =
    // What a test says may hold any character, also those that XML has no place for.
    let readable =
        File.ReadAllText file
        |> String.map (fun each -> if XmlConvert.IsXmlChar each then each else '?')

    (XDocument.Parse readable).Descendants(XName.Get "test-case") |> List.ofSeq

let private attribute name (case: XElement) = case.Attribute(XName.Get name).Value

/// What Expecto's summary says, with the names and reasons of the skipped tests.
let readSummary (file: string) =
    let cases = casesIn file

    let withResult result =
        cases |> List.filter (fun case -> attribute "result" case = result)

    let skipped = [
        for case in withResult "Ignored" do
            let reason =
                case.Descendants(XName.Get "message") |> Seq.map _.Value |> String.concat " "

            attribute "name" case, reason.Trim()
    ]

    let successes = List.length (withResult "Success")

    {
        Passed = successes
        Skipped = skipped.Length
        Failed = cases.Length - successes - skipped.Length
    },
    skipped

/// How much is tested.
type Extent =
    /// The inner loop: what changes most, with fewer random cases.
    | Quick
    | Whole
    /// The slow forms of tests too.
    | Long

/// Variables by which test programs know the extent.
let variablesOf extent =
    match extent with
    | Quick -> List.singleton ("RFLO_BRIEF", "1")
    | Whole -> []
    | Long -> List.singleton ("RFLO_LONG", "1")

/// The test programs, those that take longest first. The second is what only a whole run sees; programs without it are part of the inner loop.
let testPrograms = [
    "Rflo.Host.Tests",
    Some
        "Rflo.Host.Tests: the command, runs that end early and are resumed, reports, examples, `rflo new`, Slurm, the documentation site"
    "Rflo.Core.Tests", None
    "Rflo.Packages.Tests", Some "Rflo.Packages.Tests: packages, installed from a feed"
    "Rflo.Dsl.Tests", None
]

/// What else a whole run adds.
let wholeRunAdds = [
    "the format of the code"
    "four of five random cases of the core's laws"
    "the core's laws at every width of registers"
]

/// A program that is named nowhere is part of the inner loop.
let programsOf extent =
    let all =
        projects "tests" "fsproj"
        |> Array.map Path.GetFileNameWithoutExtension
        |> Array.filter _.EndsWith(".Tests")
        |> List.ofArray

    let named = List.map fst testPrograms
    let later = all |> List.filter (fun name -> not (List.contains name named))

    (named |> List.filter (fun name -> List.contains name all)) @ later
    |> List.filter (fun name ->
        extent <> Quick
        || not (List.exists (fun (each, only) -> each = name && Option.isSome only) testPrograms))

let summaryOf name = inRoot $"artifacts/tests/{name}.xml"

/// Runs one test program. One that crashes, or that ran nothing, is a failure too.
let testProgram extent (name: string) =
    let summary = summaryOf name
    Directory.CreateDirectory(Path.GetDirectoryName summary) |> ignore
    File.Delete summary
    printfn $"{name} ..."

    let exitCode, output =
        captured
            "dotnet"
            [
                inRoot $"tests/{name}/bin/Release/net10.0/{name}.dll"
                "--nunit-summary"
                summary
                "--fail-on-focused-tests"
                "--no-spinner"
                "--colours"
                "0"
            ]
            (variablesOf extent)

    lock testPrograms (fun () ->
        printfn $"\n{name}\n{output.TrimEnd()}"

        let broken reason =
            eprintfn $"FAILED: {name}: {reason} (exit code {exitCode})"
            failed

        if not (File.Exists summary) then
            broken "ended without a summary"
        else
            let counts, skipped = readSummary summary

            for test, reason in skipped do
                printfn $"skipped: {test}: {reason}"

            if counts = none then
                broken "ran no test"
            elif exitCode <> 0 && counts.Failed = 0 then
                add counts (broken "failed though its tests passed")
            else
                counts)

let test restored Built extent =
    let checks =
        if extent = Quick then
            []
        else
            checks restored
            |> List.map (fun check -> if passes check then passed else failed)

    // Two at a time: each has parts that wait, or that nothing may run beside.
    let programs = programsOf extent |> inParallel 2 (testProgram extent)

    if extent = Quick then
        printfn "\nThe whole run (without --quick) adds:"

        for addition in List.choose snd testPrograms @ wholeRunAdds do
            printfn $"- {addition}"

    List.fold add none (checks @ programs)

/// The slowest tests of the last run, in seconds.
let times () =
    let folder = inRoot "artifacts/tests"

    let summaries =
        if Directory.Exists folder then
            Directory.GetFiles(folder, "*.xml")
        else
            [||]

    let cases = [
        for summary in summaries do
            for case in casesIn summary ->
                float (attribute "time" case),
                $"""{Path.GetFileNameWithoutExtension summary}: {attribute "name" case}"""
    ]

    if cases.IsEmpty then
        eprintfn "No test has run here yet: dotnet fsi build.fsx test"
        1
    else
        for seconds, name in cases |> List.sortByDescending fst |> List.truncate 40 do
            printfn $"%8.1f{seconds}  {name}"

        0

let closingLine counts =
    let skipped =
        if counts.Skipped > 0 then
            $", {counts.Skipped} skipped"
        else
            ""

    $"{counts.Passed} passed, {counts.Failed} failed{skipped}"

// ---- what the command does ----------------------------------------------------------------------

let private running project arguments =
    [
        "run"
        "--no-build"
        "--configuration"
        "Release"
        "--project"
        project
        "--"
    ]
    @ arguments

/// Packages of what was built, in artifacts/packages.
let pack Built =
    let folder = inRoot "artifacts/packages"

    if Directory.Exists folder then
        Directory.Delete(folder, true)

    dotnet [
        "pack"
        "Rflo.Dsl.sln"
        "--no-build"
        "--nologo"
        "--verbosity"
        "quiet"
        "--configuration"
        "Release"
        "-nodeReuse:false"
    ]

    for file in Directory.GetFiles(folder, "*.nupkg") |> Array.sort do
        printfn $"{Path.GetRelativePath(root, file)}"

let host Built arguments =
    dotnet (running "src/Rflo.Cli" arguments)

/// Its exit code is ours: 2 where an option is wrong, which it has said already.
let bench Built arguments =
    exitCodeOf "dotnet" (running "tests/Rflo.Bench" arguments) []

/// Plants the mistakes of tests/mutations in a copy of the sources; 1 where one is not seen.
let mutate Restored arguments =
    exitCodeOf "dotnet" ([ "fsi"; "tests/mutations/mutate.fsx" ] @ arguments) []

/// Runs the code of the pages, makes the site, and looks at it in a browser.
let docs Built =
    dotnet [ "fsi"; "docs/site/build.fsx" ]

    run
        "dotnet"
        [
            "tests/Rflo.Host.Tests/bin/Release/net10.0/Rflo.Host.Tests.dll"
            "--filter-test-list"
            "the documentation"
            "--no-spinner"
        ]
        (List.singleton ("RFLO_DOCS_BUILT", "1"))

/// Writes the public names of the libraries anew, which a test compares.
let names Built =
    run
        "dotnet"
        [
            inRoot "tests/Rflo.Host.Tests/bin/Release/net10.0/Rflo.Host.Tests.dll"
            "--filter-test-list"
            "public names"
            "--no-spinner"
        ]
        (List.singleton ("RFLO_GOLDEN", "1"))

let clean () =
    let remove folder =
        if Directory.Exists folder then
            Directory.Delete(folder, true)

    for project in allProjects () do
        let folder = Path.GetDirectoryName project
        remove (Path.Combine(folder, "bin"))
        remove (Path.Combine(folder, "obj"))

    remove (inRoot "artifacts")
    remove (inRoot "paket-files")

/// What a target does with the rest of the command line; the answer is the exit code.
type Target = {
    Name: string
    Summary: string
    Takes: string list -> bool
    Run: string list -> int
}

let done' () = 0
let nothing = List.isEmpty
let anything (_: string list) = true

let targets = [
    {
        Name = "restore"
        Summary = "fetch the tools and packages that are not here yet"
        Takes = nothing
        Run = fun _ -> restore () |> ignore |> done'
    }
    {
        Name = "build"
        Summary = "compile the solution (Release)"
        Takes = nothing
        Run = fun _ -> restore () |> build |> ignore |> done'
    }
    {
        Name = "test"
        Summary =
            "check the format and run every test program; --quick: the inner loop; --long: the slow tests too"
        Takes = fun arguments -> List.contains arguments [ []; [ "--quick" ]; [ "--long" ] ]
        Run =
            fun arguments ->
                let extent =
                    match arguments with
                    | [ "--quick" ] -> Quick
                    | [ "--long" ] -> Long
                    | _ -> Whole

                let restored = restore ()
                let counts = test restored (build restored) extent
                printfn $"\n{closingLine counts}"
                if counts.Failed = 0 then 0 else 1
    }
    {
        Name = "times"
        Summary = "list the slowest tests of the last run"
        Takes = nothing
        Run = fun _ -> times ()
    }
    {
        Name = "demo"
        Summary = "train the periodic-output network by three rules and write a report"
        Takes = anything
        Run = fun arguments -> host (restore () |> build) ("demo" :: arguments) |> done'
    }
    {
        Name = "bench"
        Summary =
            "measure each rule beside numpy, PyTorch, numba and the machine; --quick, --pairs K, --only NAME"
        Takes = anything
        Run = fun arguments -> bench (restore () |> build) arguments
    }
    {
        Name = "mutate"
        Summary =
            "plant mistakes in a copy of the sources and count those that the tests see; --list, --only NAME, --all"
        Takes = anything
        Run = fun arguments -> mutate (restore ()) arguments
    }
    {
        Name = "docs"
        Summary = "run the code of the documentation and make its pages: artifacts/docs"
        Takes = nothing
        Run = fun _ -> restore () |> build |> docs |> done'
    }
    {
        Name = "names"
        Summary = "write the public names of the libraries anew: tests/Rflo.Host.Tests/names"
        Takes = nothing
        Run = fun _ -> restore () |> build |> names |> done'
    }
    {
        Name = "format"
        Summary = "write all code as the formatters want it"
        Takes = nothing
        Run = fun _ -> restore () |> format |> done'
    }
    {
        Name = "format-check"
        Summary = "fail where the formatters would change something, or a package source is named"
        Takes = nothing
        Run =
            fun _ ->
                let results = restore () |> checks |> List.map passes
                if List.forall id results then 0 else 1
    }
    {
        Name = "pack"
        Summary = "make the NuGet packages and the rflo tool, in artifacts/packages"
        Takes = nothing
        Run = fun _ -> restore () |> build |> pack |> done'
    }
    {
        Name = "clean"
        Summary = "delete what the build made"
        Takes = nothing
        Run = fun _ -> clean () |> done'
    }
]

let list () =
    printfn "dotnet fsi build.fsx TARGET\n"

    for target in targets do
        printfn $"  {target.Name, -13} {target.Summary}"

let refuse reason =
    eprintfn $"{reason}\n"
    list ()
    2

let main arguments =
    match arguments with
    | [] ->
        list ()
        0
    | name :: rest ->
        match targets |> List.tryFind (fun target -> target.Name = name) with
        | None -> refuse $"There is no target {name}."
        | Some target when not (target.Takes rest) ->
            let given = String.concat " " rest
            refuse $"The target {name} does not take: {given}"
        | Some target ->
            try
                target.Run rest
            with StepFailed(command, code) ->
                eprintfn $"\nFailed with exit code {code}: {command}"
                code

// Ctrl-C goes to the running command as well, which decides how to end; this script waits for it.
Console.CancelKeyPress.Add(fun pressed -> pressed.Cancel <- true)
exit (main (List.tail (List.ofArray fsi.CommandLineArgs)))
