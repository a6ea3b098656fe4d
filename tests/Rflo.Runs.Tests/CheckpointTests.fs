/// What a checkpoint file may go through: damage, strangers, a full disk. The one before it is always there.
module Rflo.Runs.Tests.CheckpointTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let experiment = String('a', 64)

/// A state as a session gives it; each trial's is another.
let state trial : IReadOnlyDictionary<string, float array> =
    readOnlyDict [
        "metrics.trials", [| float trial |]
        "weights.projection0", [| 0.1 * float trial; -0.0; Double.Epsilon; infinity |]
        "plastic0.optimizer.first", Array.init 9 (fun k -> sin (float (k + trial)))
        "best", [||]
    ]

let private same (a: IReadOnlyDictionary<string, float array>) b =
    let bits (values: IReadOnlyDictionary<string, float array>) =
        Set.ofSeq (
            Seq.map
                (fun (KeyValue(name, numbers)) ->
                    name, numbers |> Array.map BitConverter.DoubleToInt64Bits |> List.ofArray)
                values
        )

    bits a = bits b

/// Refuses a state of another shape, as a session does.
let private fits (checkpoint: Checkpoint) =
    let shape (values: IReadOnlyDictionary<string, float array>) =
        values |> Seq.map (fun (KeyValue(name, v)) -> name, v.Length) |> Set.ofSeq

    if shape checkpoint.State <> shape (state 0) then
        raise (ArgumentException "The state is of another shape.")

let takeUp (checkpoints: Checkpoints) =
    let used, passedOver = checkpoints.TakeUp fits
    Option.ofObj used, List.ofSeq passedOver

let private inRun test =
    inFolder (fun parent ->
        use folder = RunFolder.Create(Path.Combine(parent, "p1"))
        test folder (folder.Checkpoints experiment))

let private files (folder: RunFolder) =
    entries folder.Temporary |> List.filter _.StartsWith("checkpoint-")

let private pathOf (folder: RunFolder) trial =
    Path.Combine(folder.Temporary, $"checkpoint-%010d{trial}.npz")

/// Two checkpoints, of trials 10 and 20, of which the newer is spoiled: it is named, and the older one is used.
let private passedOver spoil texts =
    inRun (fun folder checkpoints ->
        checkpoints.Write(10, state 10)
        checkpoints.Write(20, state 20)
        let newest = pathOf folder 20
        spoil newest

        match takeUp checkpoints with
        | Some used, [ wrong ] ->
            Expect.equal used.Trial 10 "the one before"
            Expect.isTrue (same used.State (state 10)) "as it was written"

            for text: string in newest :: texts do
                Expect.stringContains wrong text "what is wrong"
        | used, wrong -> failtest $"%A{used} %A{wrong}")

let private rewrite (change: NamedArray list -> NamedArray list) (path: string) =
    let arrays = Npz.Read path |> List.ofSeq
    Npz.Write(path, change arrays)

let private replaced name values =
    List.map (fun (array: NamedArray) ->
        if array.Name = name then
            NamedArray(name, [| Array.length values |], values)
        else
            array)

/// Reads many changed copies of a checkpoint: each is refused by name, or gives what was written.
let private fuzz (changed: byte array -> int -> byte array) count =
    inRun (fun folder checkpoints ->
        checkpoints.Write(10, state 10)
        checkpoints.Write(20, state 20)
        let newest = pathOf folder 20
        let original = File.ReadAllBytes newest
        let mutable noticed = 0

        for k in 0 .. count - 1 do
            File.WriteAllBytes(newest, changed original k)

            match takeUp checkpoints with
            | Some used, [] -> Expect.isTrue (same used.State (state 20)) $"change {k}: the same"
            | Some used, [ wrong ] ->
                noticed <- noticed + 1
                Expect.stringContains wrong newest $"change {k} is refused by name"
                Expect.isTrue (same used.State (state 10)) $"change {k}: the one before"
            | used, wrong -> failtest $"change {k}: %A{used} %A{wrong}"

        Numbers.isGreaterThan noticed (count / 2) "damage is noticed")

let private isLong = Environment.GetEnvironmentVariable "RFLO_LONG" = "1"

/// The size of the file that the fuzzing starts from.
let private size =
    lazy
        (let mutable bytes = 0

         inRun (fun folder checkpoints ->
             checkpoints.Write(20, state 20)
             bytes <- int (FileInfo(pathOf folder 20).Length))

         bytes)

[<Tests>]
let tests =
    testList "checkpoint" [
        test "is read back as it was written" {
            inRun (fun _ checkpoints ->
                Expect.equal (takeUp checkpoints) (None, []) "there is none yet"
                checkpoints.Write(7, state 7)

                match takeUp checkpoints with
                | Some used, [] ->
                    Expect.equal used.Trial 7 "trial"
                    Expect.equal used.Experiment experiment "experiment"
                    Expect.isTrue (same used.State (state 7)) "state"
                | other -> failtest $"%A{other}")
        }

        test "the last two are kept, and names sort as trials do" {
            inRun (fun folder checkpoints ->
                for trial in [ 9; 10; 99; 100; 1_000_000_000; Int32.MaxValue ] do
                    checkpoints.Write(trial, state trial)

                    Expect.equal
                        (fst (takeUp checkpoints) |> Option.map _.Trial)
                        (Some trial)
                        "the newest"

                Expect.equal
                    (files folder)
                    [ "checkpoint-1000000000.npz"; "checkpoint-2147483647.npz" ]
                    "files")
        }

        test "one that was passed over does not outlive the next" {
            inRun (fun folder checkpoints ->
                checkpoints.Write(10, state 10)
                checkpoints.Write(20, state 20)
                File.WriteAllText(pathOf folder 20, "damaged")
                checkpoints.Write(15, state 15)

                Expect.equal
                    (files folder)
                    [ "checkpoint-0000000010.npz"; "checkpoint-0000000015.npz" ]
                    "files")
        }

        test "of another experiment is passed over" {
            inRun (fun folder checkpoints ->
                checkpoints.Write(10, state 10)
                folder.Checkpoints(String('b', 64)).Write(20, state 20)

                match takeUp checkpoints with
                | Some used, [ wrong ] ->
                    Expect.equal used.Trial 10 "the one before"
                    Expect.stringContains wrong (pathOf folder 20) "file"
                    Expect.stringContains wrong "belongs to another experiment" "reason"
                | other -> failtest $"%A{other}"

                match takeUp (folder.Checkpoints(String('c', 64))) with
                | None, wrong -> Expect.hasLength wrong 2 "none can be used, and both are named"
                | other -> failtest $"%A{other}")
        }

        test "of another shape is passed over" {
            passedOver (rewrite (replaced "state/weights.projection0" [| 1.0 |])) [
                "another shape"
            ]
        }

        test "of a later version is passed over" {
            passedOver (rewrite (replaced "format" [| 2.0 |])) [ "this version" ]
        }

        test "without a number of trials is passed over" {
            for trial in [ -1.0; 0.5; nan; infinity; 3e9 ] do
                passedOver (rewrite (replaced "trial" [| trial |])) [ "'trial'" ]
        }

        test "without a hash is passed over" {
            for hash in [ [||]; Array.create 32 256.0; Array.create 32 nan ] do
                passedOver (rewrite (replaced "experiment" hash)) [ "'experiment'" ]
        }

        test "that is another file is passed over" {
            passedOver (fun path -> File.WriteAllText(path, "trial,loss\n")) [ "archive" ]
            passedOver (fun path -> File.WriteAllBytes(path, [||])) []
            passedOver (fun path -> Npz.Write(path, weights)) [ "no checkpoint" ]
        }

        test "that is a bomb is passed over, and takes no memory" {
            passedOver
                (fun path ->
                    File.Delete path

                    writeZip path [
                        "state/w.npy", npy "'<f8'" "(4000000,)" (Array.zeroCreate 32_000_000)
                    ])
                [ "bomb" ]
        }

        test "cut off at any byte is passed over" {
            fuzz (fun original k -> Array.truncate k original) size.Value
        }

        test "changed in any byte is passed over, or says the same" {
            for flip in [ 0x01uy; 0x80uy; 0xFFuy ] do
                fuzz
                    (fun original k ->
                        let changed = Array.copy original
                        changed[k] <- changed[k] ^^^ flip
                        changed)
                    size.Value
        }

        test "changed at random is passed over, or says the same" {
            let random = Random 11

            fuzz
                (fun original _ -> FuzzTests.mutate random original)
                (if isLong then 20_000 else 3000)
        }

        test "on a full disk is refused by name, and the one before is whole" {
            if not (File.Exists "/dev/full") then
                skiptest "there is no /dev/full to stand for a full disk"

            inRun (fun folder checkpoints ->
                checkpoints.Write(10, state 10)

                File.CreateSymbolicLink(pathOf folder 20 + ".part", "/dev/full") |> ignore

                expectRefusal [ pathOf folder 20; "cannot be written"; "room" ] (fun () ->
                    checkpoints.Write(20, state 20))

                Expect.equal (files folder) [ "checkpoint-0000000010.npz" ] "files"

                match takeUp checkpoints with
                | Some used, [] -> Expect.isTrue (same used.State (state 10)) "state"
                | other -> failtest $"%A{other}")
        }

        test "in a folder that is gone is refused by name" {
            inRun (fun folder checkpoints ->
                Directory.Delete(folder.Temporary, true)

                expectRefusal [ pathOf folder 20; "cannot be written" ] (fun () ->
                    checkpoints.Write(20, state 20)))
        }
    ]
