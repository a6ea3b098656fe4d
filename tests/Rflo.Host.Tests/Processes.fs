module Rflo.Host.Tests.Processes

open System
open System.Diagnostics
open System.IO
open Expecto

/// The top folder of the repository.
let root =
    let rec up (folder: string | null) =
        match folder with
        | null -> failwith "the tests lie in no repository"
        | folder when File.Exists(Path.Combine(folder, "Rflo.Dsl.sln")) -> folder
        | folder -> up (Path.GetDirectoryName folder)

    up AppContext.BaseDirectory

let examples = Path.Combine(root, "examples")

/// Scripts run on the host as it lies beside the examples, whatever it was built for; the tests run the same one.
let private host =
    Path.Combine(root, "src", "Rflo.Cli", "bin", "Release", "net10.0", "Rflo.Cli.dll")

/// Where `rflo` keeps the scripts that it compiles for these tests.
let private scriptCache = Path.Combine(root, "artifacts", "tests", "scripts")

/// Does something in a new folder, and deletes it.
let inFolder (body: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "rflo-host-"

    try
        body folder.FullName
    finally
        folder.Delete true

/// What a process left.
type Ended = {
    Code: int
    Output: string
    Errors: string
}

let private longest = TimeSpan.FromMinutes 6.0

let private infoOf (folder: string) (file: string) (arguments: string list) =
    let info =
        ProcessStartInfo(
            file,
            arguments,
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    // The children write no colours, and no server of theirs outlives them.
    info.Environment["NO_COLOR"] <- "1"
    info.Environment["DOTNET_NOLOGO"] <- "1"
    info.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] <- "1"
    info.Environment["RFLO_SCRIPT_CACHE"] <- scriptCache
    info

let start folder file arguments =
    nonNull (Process.Start(infoOf folder file arguments))

/// Waits for a process; one that hangs is killed.
let finishWithin (longest: TimeSpan) (child: Process) =
    let output = child.StandardOutput.ReadToEndAsync()
    let errors = child.StandardError.ReadToEndAsync()

    if not (child.WaitForExit longest) then
        child.Kill true
        failtest $"a process ran for more than {longest.TotalSeconds} s"

    {
        Code = child.ExitCode
        Output = output.Result
        Errors = errors.Result
    }

let finish child = finishWithin longest child

let run folder file arguments =
    use child = start folder file arguments
    finish child

/// Runs a script as a user does.
let script folder (path: string) options =
    run folder "dotnet" ([ "fsi"; path ] @ options)

let private startIn (variables: (string * string) list) folder arguments =
    let info = infoOf folder "dotnet" arguments

    for name, value in variables do
        info.Environment[name] <- value

    nonNull (Process.Start info)

/// Starts a script with some variables of its environment set.
let startScriptIn variables folder (path: string) options =
    startIn variables folder ([ "fsi"; path ] @ options)

/// Starts the `rflo` command with some variables of its environment set.
let startRfloIn variables folder arguments =
    startIn variables folder (host :: arguments)

/// Runs the `rflo` command.
let rflo folder arguments = run folder "dotnet" (host :: arguments)

let python = "/usr/bin/python3"

let hasNumpy =
    lazy (File.Exists python && (run "/" python [ "-c"; "import numpy" ]).Code = 0)

let hasScipy =
    lazy (hasNumpy.Value && (run "/" python [ "-c"; "import scipy" ]).Code = 0)

/// Runs a Python program, or skips the test where there is no numpy.
let numpy folder (program: string) =
    if not hasNumpy.Value then
        skiptest $"{python} has no numpy (Debian: python3-numpy)"

    let ended = run folder python [ "-c"; "import numpy as np\n" + program ]
    Expect.equal ended.Code 0 $"numpy's exit code ({ended.Errors})"
    ended.Output.Trim()

/// Loads the host as the examples do.
let load =
    let host = Path.Combine(root, "src", "Rflo.Host", "host.fsx")
    $"#load @\"{host}\"\nopen Rflo.Dsl\nopen Rflo.Host\n"

/// Writes a script into a folder; its path.
let write folder name (text: string) =
    let path = Path.Combine(folder, name)
    File.WriteAllText(path, load + text)
    path
