module Rflo.Runs.Tests.FuzzTests

open System
open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

/// What a small file may take: the memory that it may ask for without a reason, and the reader's own.
let private mostBytes = 40_000_000L

let private interesting = [|
    0uy
    1uy
    0x7Fuy
    0x80uy
    0xFFuy
    byte '9'
    byte '-'
    byte '"'
    byte '{'
|]

/// A changed copy: bytes replaced, cut off at the end, cut out, or doubled.
let mutate (random: Random) (original: byte array) =
    let place () = random.Next original.Length

    match random.Next 8 with
    | 0 -> Array.truncate (place ()) original
    | 1 ->
        let at = place ()
        Array.removeManyAt at (min (random.Next 64) (original.Length - at)) original
    | 2 ->
        let at = place ()
        Array.insertManyAt at (original[at .. at + random.Next 64]) original
    | _ ->
        let changed = Array.copy original

        for _ in 0 .. random.Next 4 do
            changed[place ()] <-
                if random.Next 2 = 0 then
                    interesting[random.Next interesting.Length]
                else
                    byte (random.Next 256)

        changed

/// Reads mutations of a file: each is read or refused, and takes little memory.
let private fuzz count (file: string) (read: unit -> unit) =
    let random = Random 7
    let original = File.ReadAllBytes file
    let mutable refused = 0

    for k in 1..count do
        File.WriteAllBytes(file, mutate random original)
        let before = GC.GetAllocatedBytesForCurrentThread()

        try
            read ()
        with :? RunFileException as e ->
            refused <- refused + 1
            Expect.stringContains e.Message file $"mutation {k} is refused by name"

        Numbers.isLessThan
            (GC.GetAllocatedBytesForCurrentThread() - before)
            mostBytes
            $"memory of mutation {k}"

    Numbers.isGreaterThan refused (count / 4) "damage is noticed"

[<Tests>]
let tests =
    testList "damaged files are read or refused, and nothing else" [
        test "stored archives" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "a.npz")
                Npz.Write(file, weights)
                fuzz 4000 file (fun () -> Npz.Read file |> ignore))
        }

        test "packed archives" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "a.npz")

                writeZip file [
                    "w.npy", npy "'<f8'" "(64,)" (Array.init 512 byte)
                    "m.npy", npy "'|b1'" "(10, 10)" (Array.zeroCreate 100)
                ]

                fuzz 4000 file (fun () -> Npz.Read file |> ignore))
        }

        test "metrics" {
            inFolder (fun folder ->
                let run = writeRun (Path.Combine(folder, "p1")) false
                let file = Path.Combine(run, RunFileNames.Metrics)
                fuzz 2000 file (fun () -> MetricsTable.Read file |> ignore))
        }

        test "manifests" {
            inFolder (fun folder ->
                let run = writeRun (Path.Combine(folder, "p1")) false
                let file = Path.Combine(run, RunFileNames.Manifest)
                fuzz 2000 file (fun () -> RunFolder.Open run |> ignore))
        }
    ]
