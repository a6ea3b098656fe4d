/// Packages of what is built, in a folder outside the repository, and programs that take them from there.
module Rflo.Packages.Tests.Feed

open System
open System.Diagnostics
open System.IO
open System.IO.Compression
open System.Xml.Linq
open Expecto

/// The top folder of the repository.
let root =
    let rec up (folder: string | null) =
        match folder with
        | null -> failwith "the tests lie in no repository"
        | folder when File.Exists(Path.Combine(folder, "Rflo.Dsl.sln")) -> folder
        | folder -> up (Path.GetDirectoryName folder)

    up AppContext.BaseDirectory

/// The one place of the version.
let version =
    let props = XDocument.Load(Path.Combine(root, "src", "Directory.Build.props"))
    (props.Descendants(XName.Get "Version") |> Seq.head).Value

/// What a process left.
type Ended = {
    Code: int
    Output: string
    Errors: string
}

let private longest = TimeSpan.FromMinutes 15.0

/// Runs a program in a folder; one that hangs is killed.
let run folder environment (file: string) (arguments: string list) =
    let info =
        ProcessStartInfo(
            file,
            arguments,
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    // No server of theirs outlives the children and keeps the pipes open.
    for name, value in
        [
            "NO_COLOR", "1"
            "DOTNET_NOLOGO", "1"
            "DOTNET_CLI_TELEMETRY_OPTOUT", "1"
            "DOTNET_CLI_USE_MSBUILD_SERVER", "0"
            "MSBUILDDISABLENODEREUSE", "1"
        ]
        @ environment do
        info.Environment[name] <- value

    use child = nonNull (Process.Start info)
    let output = child.StandardOutput.ReadToEndAsync()
    let errors = child.StandardError.ReadToEndAsync()

    if not (child.WaitForExit longest) then
        child.Kill true
        failtest $"{file} ran for more than {longest.TotalMinutes} min"

    {
        Code = child.ExitCode
        Output = output.Result
        Errors = errors.Result
    }

let private succeed what (ended: Ended) =
    if ended.Code <> 0 then
        failtest $"{what} ended with {ended.Code}:\n{ended.Output}\n{ended.Errors}"

/// The packages that the restore has fetched, by name; those of this project, which may be old, left out.
let private linkFetched (into: string) =
    let fetched =
        match Environment.GetEnvironmentVariable "NUGET_PACKAGES" with
        | null
        | "" ->
            let home = Environment.GetFolderPath Environment.SpecialFolder.UserProfile
            Path.Combine(home, ".nuget", "packages")
        | folder -> folder

    Directory.CreateDirectory into |> ignore

    for package in Directory.GetDirectories fetched do
        let name = DirectoryInfo(package).Name

        if not (name.StartsWith("rflo", StringComparison.OrdinalIgnoreCase)) then
            Directory.CreateSymbolicLink(Path.Combine(into, name), package) |> ignore

/// A folder outside the repository with the packages in `feed`, a configuration that knows it, and a package folder of its own,
/// so that no cache gives an older package of the same version.
type Feed() =
    let folder = Directory.CreateTempSubdirectory "rflo-packages-"
    let at name = Path.Combine(folder.FullName, name)

    do
        linkFetched (at "fetched")

        run root [] "dotnet" [
            "pack"
            "Rflo.Dsl.sln"
            "--no-build"
            "--nologo"
            "--configuration"
            "Release"
            "--verbosity"
            "quiet"
            "--output"
            at "feed"
            "-nodeReuse:false"
        ]
        |> succeed "dotnet pack"

        File.WriteAllText(
            at "nuget.config",
            "<configuration><packageSources><add key=\"feed\" value=\"feed\" /></packageSources></configuration>"
        )

    /// Where the packages lie.
    member _.Packages = at "feed"

    /// A new empty folder below the configuration.
    member _.NewFolder name =
        (Directory.CreateDirectory(at name)).FullName

    /// Runs a program there with packages from the feed; it must succeed.
    member _.Run(inFolder, file, arguments) =
        let ended = run inFolder [ "NUGET_PACKAGES", at "fetched" ] file arguments
        succeed $"""{Path.GetFileName(file: string)} {String.concat " " arguments}""" ended
        ended

    /// A file of a package, as text.
    member _.Read(package: string, file: string) =
        use archive =
            ZipFile.OpenRead(Path.Combine(at "feed", $"{package}.{version}.nupkg"))

        match archive.GetEntry file with
        | null -> failtest $"{package} has no {file}"
        | entry ->
            use reader = new StreamReader(entry.Open())
            reader.ReadToEnd()

    /// The first block of F# in a package's readme: what a reader copies.
    member this.ReadmeCode package =
        let readme: string = this.Read(package, "README.md")
        let start = readme.IndexOf "```fsharp\n"
        Numbers.isGreaterThan start -1 $"the readme of {package} has code"
        let code = readme.Substring(start + 10)
        code.Substring(0, code.IndexOf "```")

    /// The files of a package.
    member _.Files(package: string) =
        use archive =
            ZipFile.OpenRead(Path.Combine(at "feed", $"{package}.{version}.nupkg"))

        [ for entry in archive.Entries -> entry.FullName ]

    interface IDisposable with
        member _.Dispose() = folder.Delete true
