module Rflo.Packages.Tests.PackageTests

open System.IO
open System.Xml.Linq
open Expecto
open Rflo.Packages.Tests.Feed

/// What each package must ask for; of this project's own in the very version, of others in this one or a later.
let private dependencies = [
    "Rflo.Core", [ "MathNet.Numerics"; "System.Numerics.Tensors" ]
    "Rflo.Runs", [ "NumSharp"; "Parquet.Net"; "Rflo.Core" ]
    "Rflo.Dsl", [ "FSharp.Core"; "MathNet.Numerics"; "Rflo.Core" ]
    "Rflo.Host",
    [
        "Argu"
        "FSharp.Core"
        "Plotly.NET"
        "Rflo.Dsl"
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
    Expect.isGreaterThan (text "description" nuspec).Length 40 $"description of {package}"
    Expect.isGreaterThan (feed.Read(package, "README.md")).Length 200 $"readme of {package}"
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
    hasNoPlace feed "rflo" "tools/net10.0/any/Rflo.Tool.dll"

let private model (feed: Feed) =
    $"""#i "nuget: {feed.Packages}"
#r "nuget: Rflo.Host, {version}"
"""
    + """
open Rflo.Dsl
open Rflo.Host

Printers.register fsi

let cortex = area "cortex" 10 |> tau 10.0<ms>
let y = readout "y" 1

let network =
    circuit
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learning 0.03
        cortex --> y |> learning 0.03
    ]
    |> feedback [ errorOf y --> cortex ]

experiment "packed" network (Task.periodic 20.0<ms> [ 1, 1.0 ])
|> trials 40
|> Host.run
"""

let private script (feed: Feed) =
    let folder = feed.NewFolder "script"
    let path = Path.Combine(folder, "model.fsx")
    File.WriteAllText(path, model feed)
    let ended = feed.Run(folder, "dotnet", [ "fsi"; path; "--out"; "run" ])
    Expect.stringContains ended.Output "packed: completed 40 trials" "what it says"
    Expect.isTrue (File.Exists(Path.Combine(folder, "run", "report.html"))) "report"
    path

let private csharp (feed: Feed) =
    let folder = feed.NewFolder "csharp"
    let sample = Path.Combine(root, "examples", "csharp")

    for name in [ "Sample.csproj"; "Program.cs" ] do
        File.Copy(Path.Combine(sample, name), Path.Combine(folder, name))

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
            "--tool-path"
            "."
        ]
    )
    |> ignore

    let rflo = Path.Combine(folder, "rflo")
    let told = feed.Run(folder, rflo, [ "version" ])
    Expect.stringContains told.Output $"rflo {version}" "version"
    let checked' = feed.Run(folder, rflo, [ "check"; model ])
    Expect.stringContains checked'.Output "packed: no problems" "check"

[<Tests>]
let tests =
    testSequenced
    <| testList "packages" [
        test "work outside the repository: a script, a C# project, the installed tool" {
            use feed = new Feed()
            contents feed
            let model = script feed
            csharp feed
            tool feed model
        }
    ]
