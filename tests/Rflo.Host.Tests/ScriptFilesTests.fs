/// A run folder holds what the script loads, wherever that lies.
module Rflo.Host.Tests.ScriptFilesTests

open System.IO
open Expecto
open Rflo.Host
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private put (folder: string) (name: string) (text: string) =
    let path = Path.GetFullPath(Path.Combine(folder, name))
    Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
    File.WriteAllText(path, text)
    path

let private model folder =
    put folder "lib/deep.fsx" "let deep = 1\n" |> ignore

    put folder "lib/net.fsx" "#load \"deep.fsx\"\n#load \"../a/model.fsx\"\nlet net = 0\n"
    |> ignore

    put folder "elsewhere/found.fsx" "let found = 2\n" |> ignore
    put folder "a/up/lib/net.fsx" "let other = 3\n" |> ignore
    put folder "host.fsx" "#r \"Rflo.Host.dll\"\n" |> ignore

    put
        folder
        "a/model.fsx"
        ("#load \"../host.fsx\"\n#I @\"../elsewhere\"\n#load \"../lib/net.fsx\" \"found.fsx\"\n"
         + "#load \"\"\"up/lib/net.fsx\"\"\"\n// #load \"no.fsx\"\n#load \"absent.fsx\"\n")

[<Tests>]
let tests =
    testList "what a script loads" [
        test "is found through all files and folders, each once, and kept under safe names" {
            inFolder (fun folder ->
                let sources = Sources.ofScript (Some(model folder))

                Expect.equal
                    (sources
                     |> List.map (fun file ->
                         file.Name, Path.GetRelativePath(folder, file.Path).Replace('\\', '/')))
                    [
                        "model.fsx", "a/model.fsx"
                        "loaded/up/lib/net.fsx", "lib/net.fsx"
                        "loaded/up/lib/deep.fsx", "lib/deep.fsx"
                        "loaded/up/elsewhere/found.fsx", "elsewhere/found.fsx"
                        "loaded/up/lib/net-2.fsx", "a/up/lib/net.fsx"
                    ]
                    "files"

                use made = RunFolder.Create(Path.Combine(folder, "out"))
                let names = made.Archive(List.toArray sources)
                Expect.equal (List.ofSeq names) (sources |> List.map _.Name) "kept")
        }
    ]
