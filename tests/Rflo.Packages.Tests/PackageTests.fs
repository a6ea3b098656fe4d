module Rflo.Packages.Tests.PackageTests

open System.IO
open System.Xml.Linq
open Expecto
open Rflo.Packages.Tests.Feed

/// What each package must ask for; of this project's own in the very version, of others in this one or a later.
let private dependencies = [
    "Rflo.Core", [ "MathNet.Numerics"; "System.Numerics.Tensors" ]
    "Rflo.Runs", [ "NumSharp"; "Parquet.Net"; "PureHDF"; "Rflo.Core" ]
    "Rflo.Analysis",
    [
        "MathNet.Numerics"
        "PureHDF"
        "Rflo.Core"
        "System.Numerics.Tensors"
    ]
    "Rflo.Dsl",
    [
        "FSharp.Core"
        "MathNet.Numerics"
        "Rflo.Analysis"
        "Rflo.Core"
    ]
    "Rflo.Pictures", [ "FSharp.Core"; "Rflo.Dsl" ]
    "Rflo.Host",
    [
        "Argu"
        "FSharp.Core"
        "Plotly.NET"
        "Rflo.Dsl"
        "Rflo.Pictures"
        "Rflo.Runs"
        "Spectre.Console"
    ]
    "Rflo.Testing", [ "FSharp.Core"; "FsCheck"; "MathNet.Numerics"; "Rflo.Dsl" ]
]

let private elements name (nuspec: XDocument) =
    nuspec.Descendants() |> Seq.filter (fun e -> e.Name.LocalName = name)

let private text name nuspec =
    match Seq.tryHead (elements name nuspec) with
    | Some element -> element.Value
    | None -> failtest $"the nuspec has no {name}"

let private attribute (name: string) (element: XElement) =
    (nonNull (element.Attribute(XName.Get name))).Value

let private describes (feed: Feed) package =
    let nuspec = XDocument.Parse(feed.Read(package, $"{package}.nuspec"))
    Expect.equal (text "version" nuspec) version $"version of {package}"
    Expect.equal (text "license" nuspec) "MIT" $"licence of {package}"
    Expect.equal (text "readme" nuspec) "README.md" $"readme of {package}"
    Numbers.isGreaterThan (text "description" nuspec).Length 40 $"description of {package}"
    Numbers.isGreaterThan (feed.Read(package, "README.md")).Length 200 $"readme of {package}"
    nuspec

/// Sources with the places of this machine would be no use to anybody, and differ from machine to machine.
let private hasNoPlace (feed: Feed) package file =
    Expect.isFalse ((feed.Read(package, file)).Contains root) $"{package}/{file} names no place"

let private contents (feed: Feed) =
    for package, expected in dependencies do
        let nuspec = describes feed package
        let files = feed.Files package
        Expect.contains files $"lib/net10.0/{package}.dll" "assembly"
        Expect.contains files $"lib/net10.0/{package}.xml" "documentation"
        hasNoPlace feed package $"lib/net10.0/{package}.dll"

        let found =
            elements "dependency" nuspec
            |> Seq.map (fun d -> attribute "id" d, attribute "version" d)
            |> List.ofSeq

        Expect.equal (found |> List.map fst |> List.sort) (List.sort expected) $"needs of {package}"

        for name, asked in found do
            if name.StartsWith "Rflo." then
                Expect.equal asked version $"{package} needs {name}"
            else
                Expect.isFalse (asked.StartsWith "[") $"{package} takes later versions of {name}"

    describes feed "rflo" |> ignore
    hasNoPlace feed "rflo" "tools/net10.0/any/Rflo.Cli.dll"

/// The readme's own script, of the packages in the feed.
let private script (feed: Feed) =
    let folder = feed.NewFolder "script"
    let path = Path.Combine(folder, "model.fsx")
    let reference = "#r \"nuget: Rflo.Host\""
    let code = feed.ReadmeCode "Rflo.Host"
    Expect.stringContains code reference "the readme's first line"

    let sources = $"#i \"nuget: {feed.Packages}\"\n#r \"nuget: Rflo.Host, {version}\""

    File.WriteAllText(
        path,
        code
            .Replace(reference, sources)
            .Replace("|> Host.run", "|> Host.run\nPrinters.register fsi")
    )

    let ended =
        feed.Run(folder, "dotnet", [ "fsi"; path; "--trials"; "20"; "--out"; "run" ])

    Expect.stringContains ended.Output "periodic: completed 20 trials" "what it says"
    Expect.isTrue (File.Exists(Path.Combine(folder, "run", "report.html"))) "report"
    path

/// The readme's own Expecto program, as a project of somebody's own.
let private ofRules (feed: Feed) =
    let folder = feed.NewFolder "rules"
    File.WriteAllText(Path.Combine(folder, "Program.fs"), feed.ReadmeCode "Rflo.Testing")

    let project = [
        "<Project Sdk=\"Microsoft.NET.Sdk\">"
        "<PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>"
        "<TreatWarningsAsErrors>true</TreatWarningsAsErrors></PropertyGroup>"
        "<ItemGroup><Compile Include=\"Program.fs\" /></ItemGroup>"
        "<ItemGroup><PackageReference Update=\"FSharp.Core\" Version=\"10.1.403\" />"
        "<PackageReference Include=\"Expecto\" Version=\"11.1.1\" />"
        $"<PackageReference Include=\"Rflo.Testing\" Version=\"{version}\" /></ItemGroup>"
        "</Project>"
    ]

    File.WriteAllLines(Path.Combine(folder, "rules.fsproj"), project)

    let ended =
        feed.Run(
            folder,
            "dotnet",
            [
                "run"
                "--configuration"
                "Release"
                "-p:UseSharedCompilation=false"
                "--"
                "--no-spinner"
                "--colours"
                "0"
            ]
        )

    Expect.stringContains ended.Output "10 tests run" "what it says"
    Expect.stringContains ended.Output "10 passed" "what it says"

let private csharp (feed: Feed) =
    let folder = feed.NewFolder "csharp"
    let sample = Path.Combine(root, "examples", "csharp")

    for file in DirectoryInfo(sample).GetFiles "*.cs*" do
        file.CopyTo(Path.Combine(folder, file.Name)) |> ignore

    let ended =
        feed.Run(
            folder,
            "dotnet",
            [
                "run"
                "--configuration"
                "Release"
                $"-p:RfloVersion={version}"
                "-p:UseSharedCompilation=false"
            ]
        )

    Expect.stringContains ended.Output "completed 1000 trials: loss" "what it says"
    Expect.stringContains ended.Output "the same bits where it was taken up" "parts of its own"
    Expect.stringContains ended.Output "by a rule of one's own" "a rule of its own"
    Expect.stringContains ended.Output "spiking units of one's own" "a unit model of its own"

let private tool (feed: Feed) model =
    let folder = feed.NewFolder "tool"

    feed.Run(
        folder,
        "dotnet",
        [
            "tool"
            "install"
            "rflo"
            "--version"
            version
            "--source"
            feed.Packages
            "--tool-path"
            "."
        ]
    )
    |> ignore

    let rflo = Path.Combine(folder, "rflo")
    let told = feed.Run(folder, rflo, [ "version" ])
    Expect.stringContains told.Output $"rflo {version}" "version"
    let checked' = feed.Run(folder, rflo, [ "check"; model ])
    Expect.stringContains checked'.Output "periodic: no problems" "check"

[<Tests>]
let tests =
    testSequenced
    <| testList "packages" [
        test
            "work outside the repository: a script, a C# project, tests of a rule, the installed tool" {
            use feed = new Feed()
            contents feed
            let model = script feed
            csharp feed
            ofRules feed
            tool feed model
        }
    ]
