namespace Rflo.Host

open System
open System.IO
open System.Security
open Rflo.Runs

/// How what `rflo new` writes comes by Rflo.Dsl.
type Origin =
    /// From the assemblies of a clone, by the path of its host.fsx.
    | Clone of host: string
    /// From the package of this version.
    | Package of version: string

/// The files that `rflo new` writes: a script that trains a model, and a project that tests it.
[<RequireQualifiedAccess>]
module Templates =

    /// The names of the templates; the first is the default.
    let names = [ "periodic"; "two-areas"; "ready-set-go"; "syllables" ]

    /// Where this very program comes from: a clone has host.fsx three folders above its assemblies.
    let origin () =
        let host =
            Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "host.fsx"))

        if File.Exists host then
            Clone host
        else
            // A build of a commit carries its hash, which no package does.
            Package(Array.head (RunVersions.Current.Rflo.Split '+'))

    let private resource (name: string) =
        use stream =
            typeof<Origin>.Assembly.GetManifestResourceStream $"Templates/{name}" |> nonNull

        use reader = new StreamReader(stream)
        reader.ReadToEnd()

    /// A path with the slashes that scripts and projects of every system take.
    let private portable (path: string) = path.Replace('\\', '/')

    let private folderOf (file: string) = nonNull (Path.GetDirectoryName file)

    /// Relative where both lie in one clone, so that it may move; absolute from elsewhere.
    let private pathFrom (folder: string) clonedHost (file: string) =
        let clone = Path.GetFullPath(Path.Combine(folderOf clonedHost, "..", ".."))
        let relative = Path.GetRelativePath(clone, folder)

        let isInside =
            not (relative.StartsWith("..", StringComparison.Ordinal))
            && not (Path.IsPathRooted relative)

        portable (
            if isInside then
                Path.GetRelativePath(folder, file)
            else
                file
        )

    /// The line by which a script in the folder loads the language.
    let header folder origin =
        match origin with
        | Clone host ->
            let path = (pathFrom folder host host).Replace("\"", "\\\"")
            $"#load \"{path}\""
        | Package version -> $"#r \"nuget: Rflo.Host, {version}\""

    /// The references of a project in the folder.
    let references folder origin =
        match origin with
        | Clone host ->
            let assemblies = Path.Combine(folderOf host, "bin", "Release", "net10.0")

            String.concat "\n" [
                for name in
                    [
                        "Rflo.Core"
                        "Rflo.Runs"
                        "Rflo.Dsl"
                        "Rflo.Host"
                        "MathNet.Numerics"
                    ] do
                    let path = pathFrom folder host (Path.Combine(assemblies, name + ".dll"))
                    $"    <Reference Include=\"{name}\" HintPath=\"{SecurityElement.Escape path}\" />"
            ]
        | Package version -> $"    <PackageReference Include=\"Rflo.Host\" Version=\"{version}\" />"

    /// Path and text of each file of a new model in the folder, which lies where the model will.
    let files (folder: string) name template origin =
        let tests = Path.Combine(folder, "tests")

        [
            "model.fsx",
            (resource $"{template}.fsx")
                .Replace("#load \"RFLO_HOST\"", header folder origin)
                .Replace("RFLO_NAME", name)
            "tests/Tests.fs", resource "Tests.fs"
            "tests/tests.fsproj",
            (resource "tests.fsproj.xml").Replace("RFLO_REFERENCES", references tests origin)
        ]
