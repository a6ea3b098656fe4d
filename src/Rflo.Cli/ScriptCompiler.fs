namespace Rflo.Cli

open System
open System.ComponentModel
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Rflo.Host

/// Compiles a script by the F# compiler of the .NET SDK, with what `dotnet fsi` defines and refers to.
[<RequireQualifiedAccess>]
module internal ScriptCompiler =

    /// The `dotnet` that runs this program.
    let dotnet () =
        HandOver.variable "DOTNET_HOST_PATH" |> Option.defaultValue "dotnet"

    /// The exit code of a command, its output and its errors.
    let private captured (arguments: string list) =
        let info =
            ProcessStartInfo(
                dotnet (),
                arguments,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        info.Environment["DOTNET_NOLOGO"] <- "1"
        info.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] <- "1"
        use child = Process.Start info |> nonNull
        let errors = child.StandardError.ReadToEndAsync()
        let output = child.StandardOutput.ReadToEnd()
        child.WaitForExit()
        child.ExitCode, output, errors.Result

    /// The folder of the F# compiler in the SDK that `dotnet` takes here.
    let private compilerFolder () =
        match captured [ "--version" ], captured [ "--list-sdks" ] with
        | (0, version, _), (0, sdks, _) ->
            let pattern = $@"(?m)^{Regex.Escape(version.Trim())} \[(.+)\]\s*$"

            match Regex.Match(sdks, pattern) with
            | found when found.Success ->
                let folder = Path.Combine(found.Groups[1].Value, version.Trim(), "FSharp")

                if File.Exists(Path.Combine(folder, "fsc.dll")) then
                    Some folder
                else
                    None
            | _ -> None
        | _ -> None

    /// Compiles a script into an assembly. The folders with what it needs, and what the compiler warned of; `Error` has its errors. None where there
    /// is no SDK, or the assembly did not come to be.
    let compile
        (script: string)
        (sources: ScriptSources)
        (assembly: string)
        : Result<string list * string, string> option =
        try
            match compilerFolder () with
            | None -> None
            | Some compiler ->
                let session = Path.Combine(compiler, "FSharp.Compiler.Interactive.Settings.dll")

                let code, output, errors =
                    captured [
                        Path.Combine(compiler, "fsc.dll")
                        "--nologo"
                        "--target:exe"
                        "--targetprofile:netcore"
                        "--define:INTERACTIVE"
                        "--optimize+"
                        "--debug:embedded"
                        "--nocopyfsharpcore"
                        "-r:" + session
                        "-o:" + assembly
                        script
                    ]

                let said = (output + errors).Trim()

                if code <> 0 then
                    Some(Error said)
                elif File.Exists assembly then
                    let ofReferences =
                        sources.References
                        |> List.map (fun file -> nonNull (Path.GetDirectoryName file))
                        |> List.distinct

                    Some(Ok(compiler :: ofReferences, said))
                else
                    None
        with :? Win32Exception ->
            None
