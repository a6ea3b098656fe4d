module Rflo.Runs.Tests.NpzTests

open System
open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private halfCharacter = String(char 0xD800, 1)

[<Tests>]
let tests =
    testList "npz" [
        testPropertyWithConfig
            config
            "what is written is read back to the bit"
            (fun (all: NamedArray list) ->
                inFile (fun path ->
                    Npz.Write(path, all)

                    Expect.equal
                        (Npz.Read path |> Seq.map bits |> List.ofSeq)
                        (List.map bits all)
                        "all arrays"

                    Expect.equal
                        (Npz.Names path |> List.ofSeq)
                        (all |> List.map _.Name)
                        "their names"

                    for one in all do
                        Expect.equal (bits (Npz.ReadArray(path, one.Name))) (bits one) "one array"))

        testPropertyWithConfig
            config
            "any name is kept or refused"
            (fun (anything: FsCheck.NonEmptyString) ->
                let name = anything.Get

                inFile (fun path ->
                    try
                        Npz.Write(path, [ NamedArray(name, [||], [| 1.0 |]) ])
                        Expect.equal (List.ofSeq (Npz.Names path)) [ name ] "the name"
                    with :? RunFileException as e ->
                        Expect.isFalse
                            (File.Exists path)
                            "nothing is written under a refused name"

                        Expect.equal e.Member name "the refused name"))

        test "a file that cannot be written anew stays as it was" {
            inFile (fun path ->
                Npz.Write(path, weights)
                let before = File.ReadAllBytes path
                Directory.CreateDirectory(path + ".part") |> ignore
                expectRefusal [ path; "cannot be written" ] (fun () -> Npz.Write(path, []))
                Expect.equal (File.ReadAllBytes path) before "bytes")
        }

        test "the same arrays give the same bytes" {
            inFile (fun path ->
                Npz.Write(path, weights)
                let first = File.ReadAllBytes path
                Npz.Write(path, weights)
                Expect.equal (File.ReadAllBytes path) first "bytes")
        }

        for name in
            [
                "../w"
                "/w"
                "a/../../w"
                "a\\w"
                "C:w"
                "a//w"
                "a/"
                ""
                "w.npy"
                "a\nb"
                halfCharacter
            ] do
            test $"refuses to write the name {Uri.EscapeDataString name}" {
                inFile (fun path ->
                    expectRefusal [ path; "name" ] (fun () ->
                        Npz.Write(path, [ NamedArray(name, [||], [| 1.0 |]) ])))
            }

        test "refuses to write a name twice" {
            inFile (fun path ->
                expectRefusal [ "'w'"; "two arrays" ] (fun () ->
                    Npz.Write(path, [ for _ in 1..2 -> NamedArray("w", [||], [| 1.0 |]) ])))
        }

        test "a shape that does not hold the values is the caller's mistake" {
            Expect.throwsT<ArgumentException>
                (fun () -> NamedArray("w", [| 2; 2 |], [| 1.0 |]) |> ignore)
                "too few"

            Expect.throwsT<ArgumentOutOfRangeException>
                (fun () -> NamedArray("w", [| -1 |], [||]) |> ignore)
                "negative"
        }
    ]
