/// Scripts that `rflo` has compiled once run as they would by `dotnet fsi`, and are compiled anew when anything that they are made of has changed.
module Rflo.Host.Tests.ScriptCacheTests

open System
open System.IO
open Expecto
open Rflo.Cli
open Rflo.Host
open Rflo.Host.Tests.Processes

let private model =
    """
let cortex, y = area "cortex" 4 |> noise 0.1, readout "y" 1

let network =
    circuit [
        cortex --> cortex |> learningRate 0.1
        cortex --> y |> learningRate 0.1
    ]
    |> feedback [ errorOf y --> cortex ]

let target = Task.periodic 10.0<ms> [ harmonic 1 1.0 ]
"""

let private train = "experiment \"cached\" network target |> trials 3 |> Host.run\n"

/// Runs `rflo` with a cache in the folder.
let private cached folder arguments =
    use child =
        startRfloIn [ "RFLO_SCRIPT_CACHE", Path.Combine(folder, "cache") ] folder arguments

    finish child

/// The compiled scripts of the folder's cache, with the times at which they were written.
let private entries folder =
    let cache = Path.Combine(folder, "cache")

    if Directory.Exists cache then
        [
            for entry in Directory.GetDirectories cache |> Array.sort ->
                nonNull (Path.GetFileName entry),
                File.GetLastWriteTimeUtc(Path.Combine(entry, "script.dll"))
        ]
    else
        []

let private weights folder run =
    File.ReadAllBytes(Path.Combine(folder, run, "weights.npz"))

[<Tests>]
let tests =
    testList "compiled scripts" [
        test "leave the numbers of dotnet fsi, and are compiled once" {
            inFolder (fun folder ->
                let path = write folder "model.fsx" (model + train)
                let options out = [ "--quiet"; "--no-report"; "--out"; out ]
                let plain = script folder path (options "a")
                Expect.equal plain.Code 0 plain.Errors
                let first = cached folder ([ "run"; path ] @ options "b")
                Expect.equal first.Code 0 first.Errors
                let kept = entries folder
                Expect.equal kept.Length 1 "one compiled script"
                let second = cached folder ([ "run"; path ] @ options "c")
                Expect.equal second.Code 0 second.Errors
                Expect.equal (entries folder) kept "nothing was compiled anew"
                Expect.equal (weights folder "b") (weights folder "a") "compiled just now"
                Expect.equal (weights folder "c") (weights folder "a") "compiled before"

                // All but the time and the folder.
                let said (ended: Ended) =
                    ended.Output.Substring(0, ended.Output.IndexOf ", in ")

                Expect.equal (said second) (said first) "output"

                // A compiled script that was damaged is compiled again.
                let assembly = Path.Combine(folder, "cache", fst kept.Head, "script.dll")

                File.WriteAllBytes(assembly, File.ReadAllBytes(assembly)[..999])
                let third = cached folder [ "check"; path ]
                Expect.equal third.Code 0 third.Errors
                Numbers.isGreaterThan (FileInfo(assembly).Length) 1000L "whole again")
        }

        test
            "are compiled anew when a file that they load has changed, and do not outlive their warnings" {
            inFolder (fun folder ->
                write folder "parts.fsx" model |> ignore

                let path = write folder "model.fsx" ("#load \"parts.fsx\"\nopen Parts\n" + train)

                let check () = cached folder [ "check"; path ]
                let ended = check ()
                Expect.equal ended.Code 0 ended.Errors
                Expect.stringContains ended.Output "4 units" "the circuit"

                write folder "parts.fsx" (model.Replace("\"cortex\" 4", "\"cortex\" 5"))
                |> ignore

                let ended = check ()
                Expect.equal ended.Code 0 ended.Errors
                Expect.stringContains ended.Output "5 units" "the changed circuit"
                Expect.equal (entries folder).Length 2 "both"

                let warned =
                    write
                        folder
                        "warned.fsx"
                        (model + "let first list = match list with head :: _ -> head\n" + train)

                for _ in 1..2 do
                    let ended = cached folder [ "check"; warned ]
                    Expect.equal ended.Code 0 ended.Errors
                    Expect.stringContains ended.Errors "warning FS0025" "each time"

                Expect.equal (entries folder).Length 3 "one more")
        }

        test
            "end as dotnet fsi ends, where they do not compile, throw, read their options or hand nothing over" {
            inFolder (fun folder ->
                let wrong = write folder "wrong.fsx" (model + "let a: int = \"a\"\n")
                let ended = cached folder [ "run"; wrong ]
                Expect.equal ended.Code 1 "it does not compile"
                Expect.stringContains ended.Errors "wrong.fsx(15,14): error FS0001" "place"
                Expect.equal (entries folder) [] "nothing is kept"
                let throws = write folder "throws.fsx" (model + "failwith \"by itself\"\n")
                let ended = cached folder [ "run"; throws ]
                Expect.equal ended.Code 1 "it throws"
                Expect.stringContains ended.Errors "System.Exception: by itself" "what it threw"
                Expect.isFalse (ended.Errors.Contains "TargetInvocation") "and nothing else"

                let reads =
                    write
                        folder
                        "reads.fsx"
                        "printfn \"%A\" fsi.CommandLineArgs\nprintfn \"%s\" __SOURCE_DIRECTORY__\nexit 7\n"

                let plain = script folder reads [ "--"; "a"; "b c" ]
                let ended = cached folder [ "run"; reads; "a"; "b c" ]
                Expect.equal ended.Code 7 "its exit code"
                Expect.equal ended.Output plain.Output "what it reads"
                let forgot = write folder "forgot.fsx" model

                for _ in 1..2 do
                    let ended = cached folder [ "run"; forgot ]
                    Expect.equal ended.Code 1 "nothing is handed over"
                    Expect.stringContains ended.Errors "passed no experiment" "says so")
        }

        test "are left to dotnet fsi where they need it, or nothing can be kept" {
            inFolder (fun folder ->
                let path name = Path.Combine(folder, name)
                let source (text: string) = File.WriteAllText(path "a.fsx", text)

                let isFound text =
                    source text
                    Option.isSome (ScriptSources.tryFind (path "a.fsx"))

                Expect.isTrue (isFound "printfn \"a\"\n") "a plain one"
                Expect.isFalse (isFound "#r \"nuget: FsCheck\"\n") "of packages"
                Expect.isFalse (isFound "#load \"missing.fsx\"\n") "whose file is missing"
                Expect.isFalse (isFound "#time \"on\"\n") "with a directive of sessions"
                let file = path "file"
                File.WriteAllText(file, "")
                let good = write folder "good.fsx" (model + train)

                use child =
                    startRfloIn [ "RFLO_SCRIPT_CACHE", Path.Combine(file, "cache") ] folder [
                        "check"
                        good
                    ]

                let ended = finish child
                Expect.equal ended.Code 0 ended.Errors
                Expect.stringContains ended.Output "4 units" "by dotnet fsi")
        }

        test "run in sweeps, whose points train side by side" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "sweep.fsx"
                        (model
                         + "experiment \"cached\" network (Task.ofTrials 10.0<ms> (fun _ _ -> Trial.ofSteps 10 (fun t -> [], [ float cortex.Units ]))) |> trials 3 |> Sweep.ofExperiment |> Sweep.over \"seed\" [ 1..4 ] seed |> Host.sweep\n")

                let ended = cached folder [ "sweep"; path; "--quiet"; "--jobs"; "2"; "--out"; "s" ]

                Expect.equal ended.Code 0 (ended.Errors + ended.Output)
                let points = (Rflo.Runs.SweepFolder.Open(Path.Combine(folder, "s"))).ReadPoints()
                Expect.equal (Seq.length points) 4 "points")
        }
    ]
