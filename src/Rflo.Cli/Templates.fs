namespace Rflo.Cli

open System
open System.IO
open System.Security
open Rflo.Host
open Rflo.Runs

/// Where the files of `rflo new` load Rflo.Dsl from.
type internal Origin =
    /// From the assemblies of a clone, by the path of its host.fsx.
    | Clone of host: string
    /// From the package of this version.
    | Package of version: string

/// The files that `rflo new` writes: a script that trains a model, and a project that tests it.
[<RequireQualifiedAccess>]
module internal Templates =

    /// The names of the templates; the first is the default.
    let names = [ "periodic"; "two-areas"; "ready-set-go"; "syllables" ]

    /// The origin of this program: a clone has src/Rflo.Host/host.fsx beside src/Rflo.Cli.
    let origin () =
        let host =
            Path.GetFullPath(
                Path.Combine(
                    AppContext.BaseDirectory,
                    "..",
                    "..",
                    "..",
                    "..",
                    "Rflo.Host",
                    "host.fsx"
                )
            )

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

    /// A path with forward slashes, which scripts and projects accept on every system.
    let private portable (path: string) = path.Replace('\\', '/')

    let private folderOf (file: string) = nonNull (Path.GetDirectoryName file)

    let private relative (folder: string) (file: string) =
        portable (Path.GetRelativePath(folder, file))

    /// Whether a folder is inside the clone of a host.fsx.
    let private isInside folder clonedHost =
        let clone = Path.GetFullPath(Path.Combine(folderOf clonedHost, "..", ".."))
        let way = Path.GetRelativePath(clone, folder)

        not (way.StartsWith("..", StringComparison.Ordinal))
        && not (Path.IsPathRooted way)

    let private quoted (path: string) = path.Replace("\"", "\\\"")

    /// The lines by which a script in the folder loads the language. Inside a clone it is one relative line. Elsewhere the
    /// lines have the absolute and the relative path of the clone, so that the clone, the folder, or both together can be moved.
    let header folder origin =
        match origin with
        | Clone host when isInside folder host -> $"#load \"{quoted (relative folder host)}\""
        | Clone host ->
            String.concat "\n" [
                "// Where Rflo.Dsl is; one of the two is enough. If both have moved, write the place here."
                "#nowarn \"211\""
                $"#I \"{quoted (portable (folderOf host))}\""
                $"#I \"{quoted (relative folder (folderOf host))}\""
                $"#load \"{Path.GetFileName host}\""
            ]
        | Package version -> $"#r \"nuget: Rflo.Host, {version}\""

    /// The references of a project in the folder.
    let references folder origin =
        match origin with
        | Clone host ->
            let assemblies = Path.Combine(folderOf host, "bin", "Release", "net10.0")

            let inClone = isInside folder host

            String.concat "\n" [
                for name in
                    [
                        "Rflo.Core"
                        "Rflo.Analysis"
                        "Rflo.Runs"
                        "Rflo.Dsl"
                        "Rflo.Pictures"
                        "Rflo.Host"
                        "MathNet.Numerics"
                    ] do
                    let file = Path.Combine(assemblies, name + ".dll")
                    let near = SecurityElement.Escape(relative folder file)

                    if inClone then
                        $"    <Reference Include=\"{name}\" HintPath=\"{near}\" />"
                    else
                        let far = SecurityElement.Escape(portable file)

                        $"    <Reference Include=\"{name}\" HintPath=\"{far}\" Condition=\"Exists('{far}')\" />"

                        $"    <Reference Include=\"{name}\" HintPath=\"{near}\" Condition=\"!Exists('{far}')\" />"
            ]
        | Package version -> $"    <PackageReference Include=\"Rflo.Host\" Version=\"{version}\" />"

    /// Path and text of each file of a new model; `folder` is its final place.
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
