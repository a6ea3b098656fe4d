module Rflo.Host.Tests.NewTests

open System
open System.IO
open Expecto
open Rflo.Cli
open Rflo.Host
open Rflo.Host.Tests.Processes

let private filesOf folder =
    Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
    |> Array.map (fun file -> Path.GetRelativePath(folder, file).Replace('\\', '/'))
    |> Array.sort
    |> List.ofArray

let private refused name arguments (message: string) =
    test name {
        inFolder (fun folder ->
            let ended = rflo folder ("new" :: arguments)
            Expect.equal ended.Code 2 "exit code"
            Expect.stringContains ended.Errors message "message"
            Expect.isEmpty (Directory.GetFileSystemEntries folder) "nothing is written")
    }

let private inClone = Path.Combine(root, "examples", "reach")
let private host = Path.Combine(root, "src", "Rflo.Host", "host.fsx")

let private isLong = System.Environment.GetEnvironmentVariable "RFLO_LONG" = "1"

[<Tests>]
let tests =
    testList "rflo new" [
        for template in Templates.names do
            test $"writes a model and tests that run at once: {template}" {
                inFolder (fun folder ->
                    let made = rflo folder [ "new"; "reach"; "--template"; template ]
                    Expect.equal made.Code 0 $"exit code ({made.Errors})"
                    let place = Path.Combine(folder, "reach")

                    Expect.equal
                        (filesOf place)
                        [ "model.fsx"; "tests/Tests.fs"; "tests/tests.fsproj" ]
                        "files"

                    let text = File.ReadAllText(Path.Combine(place, "model.fsx"))
                    Expect.isFalse (text.Contains "RFLO_") "nothing is left to fill in"

                    let trained = script place "model.fsx" [ "--trials"; "2"; "--quiet" ]
                    Expect.equal trained.Code 0 $"exit code of the model ({trained.Errors})"
                    Expect.isTrue (Directory.Exists(Path.Combine(place, "runs", "reach-1"))) "run"

                    // Each builds a project of its own, with the same tests: all in the long form.
                    if isLong || template = Templates.names.Head then
                        let tests () =
                            run place "dotnet" [ "run"; "--project"; "tests" ]

                        let tested = tests ()
                        Expect.equal tested.Code 0 $"exit code of the tests ({tested.Output})"
                        Expect.stringContains tested.Output "4 passed" "tests"

                        // What was restored serves once more: they see a model that breaks.
                        File.WriteAllText(
                            Path.Combine(place, "model.fsx"),
                            text.Replace("gaussian 1.5", "gaussian nan")
                        )

                        let broken = tests ()
                        Expect.notEqual broken.Code 0 "exit code of a broken model"
                        Expect.stringContains broken.Output "the gain is NaN" "message")
            }

        test "takes the periodic template by default" {
            Expect.equal
                (Templates.files "/a" "b" Templates.names.Head (Clone host) |> List.head |> snd)
                (Templates.files "/a" "b" "periodic" (Clone host) |> List.head |> snd)
                "model"
        }

        test "never writes over anything" {
            inFolder (fun folder ->
                Directory.CreateDirectory(Path.Combine(folder, "reach")) |> ignore
                let ended = rflo folder [ "new"; "reach" ]
                Expect.equal ended.Code 2 "exit code"
                Expect.stringContains ended.Errors "reach is there already" "message"

                Expect.isEmpty
                    (Directory.GetFileSystemEntries(Path.Combine(folder, "reach")))
                    "files"

                Expect.equal (Directory.GetFileSystemEntries folder).Length 1 "nothing beside it")
        }

        refused "asks for a name" [] "new needs a name"
        refused "takes one name" [ "a"; "b" ] "new makes one folder"
        refused "takes no path" [ "../a" ] "the name is '../a'; it must be"
        refused "takes no name that a script could not carry" [ "a b" ] "the name is 'a b'"
        refused "takes no name with a line break" [ "a\nb" ] "it must be at most 60 letters"
        refused "takes no long name" [ String('a', 61) ] "it must be at most 60 letters"

        refused
            "names the templates"
            [ "a"; "--template"; "periodc" ]
            "no template is named periodc (known: periodic, two-areas, ready-set-go, syllables); did you mean periodic?"

        refused "names a wrong option" [ "a"; "--templat"; "periodic" ] "did you mean --template?"

        test
            "loads a clone by a path that moves with it, from inside; by its place or by its way, from elsewhere" {
            Expect.equal
                (Templates.header inClone (Clone host))
                "#load \"../../src/Rflo.Host/host.fsx\""
                "inside"

            let elsewhere = Templates.header "/elsewhere" (Clone host)
            let folder = Path.GetDirectoryName host
            let way = Path.GetRelativePath("/elsewhere", nonNull folder)
            Expect.stringContains elsewhere $"#I \"{folder}\"" "its place"

            Expect.stringContains elsewhere $"#I \"{way}\"" "its way from there"

            Expect.stringEnds elsewhere "#load \"host.fsx\"" "the file"
        }

        test "loads a package by its version" {
            Expect.equal
                (Templates.header "/a" (Package "1.2.3"))
                "#r \"nuget: Rflo.Host, 1.2.3\""
                "script"

            let project =
                Templates.files "/a" "b" "periodic" (Package "1.2.3")
                |> List.find (fst >> (=) "tests/tests.fsproj")
                |> snd

            Expect.stringContains
                project
                "<PackageReference Include=\"Rflo.Host\" Version=\"1.2.3\" />"
                "project"

            Expect.isFalse (project.Contains "HintPath") "no path of a clone"
        }

        test "writes the version of Expecto that is in use" {
            let project = Templates.files "/a" "b" "periodic" (Package "1") |> List.last |> snd
            let used = File.ReadAllText(Path.Combine(root, "paket.dependencies"))
            let line = used.Split '\n' |> Array.find _.StartsWith("nuget Expecto ")

            let version = line.Substring("nuget Expecto ".Length).Trim()

            Expect.stringContains project $"Include=\"Expecto\" Version=\"{version}\"" "version"
        }
    ]
