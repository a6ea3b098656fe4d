namespace Rflo.Cli

open System
open System.IO
open System.Security.Cryptography
open System.Text
open Rflo.Host

/// A script as it was compiled once.
[<NoComparison>]
type internal CompiledScript = {
    /// The assembly.
    Assembly: string
    /// Folders with the assemblies that it needs, in the order of the search.
    Places: string list
    /// What the compiler warned of; it is printed in every run.
    Warnings: string
}

/// Keeps compiled scripts, each in a folder whose name follows from all that it was compiled from. `RFLO_SCRIPT_CACHE` is another folder
/// for them, or `off`. An entry is moved to its name when it is whole; one that was changed afterwards is compiled anew.
[<RequireQualifiedAccess>]
module internal ScriptCache =

    [<Literal>]
    let private Variable = "RFLO_SCRIPT_CACHE"

    /// Another number where entries have another form, or are compiled in another way.
    [<Literal>]
    let private Form = "1"

    /// Entries that are kept: those that were used last.
    [<Literal>]
    let private Most = 50

    [<Literal>]
    let private AssemblyName = "script.dll"

    [<Literal>]
    let private Places = "places.txt"

    [<Literal>]
    let private Warnings = "warnings.txt"

    /// The hash of the assembly: the last file of an entry that is written.
    [<Literal>]
    let private Seal = "sha256.txt"

    let private usual () =
        let folder =
            match HandOver.variable "XDG_CACHE_HOME" with
            | Some place when Path.IsPathRooted place -> place
            | _ when OperatingSystem.IsWindows() ->
                Environment.GetFolderPath Environment.SpecialFolder.LocalApplicationData
            | _ ->
                match Environment.GetFolderPath Environment.SpecialFolder.UserProfile with
                | "" -> ""
                | home -> Path.Combine(home, ".cache")

        if folder = "" then
            None
        else
            Some(Path.Combine(folder, "rflo", "scripts"))

    /// The folder of all entries, if there is to be one.
    let folder () =
        match HandOver.variable Variable with
        | Some "off" -> None
        | Some place -> Some(Path.GetFullPath place)
        | None -> usual ()

    let private hashOf (content: byte[]) =
        Convert.ToHexStringLower(SHA256.HashData content)

    /// The name of an entry: a hash of the contents of all sources, of the times and sizes of all references, and of the versions
    /// of this command and of .NET.
    let private keyOf (sources: ScriptSources) =
        let all = StringBuilder()
        let line (text: string) = all.Append(text).Append('\n') |> ignore
        line Form
        line (string (nonNull (typeof<CompiledScript>.Assembly.GetName().Version)))
        line (string typeof<CompiledScript>.Module.ModuleVersionId)
        line (string Environment.Version)

        for file in sources.Files do
            line file
            line (hashOf (File.ReadAllBytes file))

        for file in sources.References do
            let info = FileInfo file
            line $"{file} {info.Length} {info.LastWriteTimeUtc.Ticks}"

        (hashOf (Encoding.UTF8.GetBytes(all.ToString()))).Substring(0, 32)

    let private read (entry: string) =
        let assembly = Path.Combine(entry, AssemblyName)
        let seal = Path.Combine(entry, Seal)

        if
            File.Exists seal
            && File.ReadAllText(seal).Trim() = hashOf (File.ReadAllBytes assembly)
        then
            Directory.SetLastWriteTimeUtc(entry, DateTime.UtcNow)

            Some {
                Assembly = assembly
                Places = List.ofArray (File.ReadAllLines(Path.Combine(entry, Places)))
                Warnings = File.ReadAllText(Path.Combine(entry, Warnings))
            }
        else
            None

    /// Removes what was not used for the longest time. Another process may do so too.
    let private prune (folder: string) =
        for old in
            DirectoryInfo(folder).GetDirectories()
            |> Array.sortByDescending _.LastWriteTimeUtc
            |> Seq.skip (min Most (Directory.GetDirectories(folder).Length)) do
            try
                old.Delete true
            with
            | :? IOException
            | :? UnauthorizedAccessException -> ()

    /// The compiled script, from the cache or by compiling it now; `Error` has what the compiler says of a script that does not compile. None where
    /// nothing can be kept, or where the script needs an interactive session.
    let find (script: string) : Result<CompiledScript, string> option =
        match folder (), ScriptSources.tryFind script with
        | Some folder, Some sources ->
            try
                let entry = Path.Combine(folder, keyOf sources)

                match read entry with
                | Some compiled -> Some(Ok compiled)
                | None ->
                    let unfinished = $"{entry}.{Guid.NewGuid():N}"
                    Directory.CreateDirectory unfinished |> ignore

                    try
                        let assembly = Path.Combine(unfinished, AssemblyName)

                        match ScriptCompiler.compile script sources assembly with
                        | None -> None
                        | Some(Error said) -> Some(Error said)
                        | Some(Ok(places, warnings)) ->
                            File.WriteAllLines(Path.Combine(unfinished, Places), places)
                            File.WriteAllText(Path.Combine(unfinished, Warnings), warnings)

                            File.WriteAllText(
                                Path.Combine(unfinished, Seal),
                                hashOf (File.ReadAllBytes assembly)
                            )

                            match read entry with
                            // Another process was faster.
                            | Some compiled -> Some(Ok compiled)
                            | None ->
                                // What stands there is not whole.
                                if Directory.Exists entry then
                                    Directory.Delete(entry, true)

                                Directory.Move(unfinished, entry)
                                prune folder
                                read entry |> Option.map Ok
                    finally
                        if Directory.Exists unfinished then
                            Directory.Delete(unfinished, true)
            with
            // Without a cache the script is compiled as it runs.
            | :? IOException
            | :? UnauthorizedAccessException -> None
        | _ -> None
