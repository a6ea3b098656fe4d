module Rflo.Runs.Tests.NpzRefusalTests

open System
open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private eight = Array.zeroCreate<byte> 8

/// Name of the mistake, members of the archive, what the message says.
let private bad = [
    "pickled objects", [ "w.npy", npy "'|O'" "(1,)" eight ], [ "'w'"; "pickled" ]
    "complex numbers",
    [ "w.npy", npy "'<c16'" "(1,)" (Array.zeroCreate 16) ],
    [ "'w'"; "<c16"; "imaginary" ]
    "a structured type",
    [ "w.npy", npy "[('a', '<f8')]" "(1,)" eight ],
    [ "'w'"; "('a', '<f8')"; "each field" ]
    "a shape that the data do not fill",
    [ "w.npy", npy "'<f8'" "(1000000, 1000000)" eight ],
    [
        "'w'"
        "(1000000, 1000000)"
        "8000000000000 bytes"
        "holds 8"
    ]
    "a shape beyond all numbers",
    [ "w.npy", npy "'<f8'" "(99999999999999999999,)" eight ],
    [ "'w'"; "header" ]
    "a header with an entry more",
    [ "w.npy", npy "'<f8', 'more': True" "(1,)" eight ],
    [ "'w'"; "header" ]
    "a header with an entry less",
    [
        "w.npy", npyOf "{'descr': '<f8', 'shape': (1,), }\n" eight
    ],
    [ "'w'"; "header" ]
    "a header with an entry twice",
    [ "w.npy", npy "'<f8', 'descr': '<f8'" "(1,)" eight ],
    [ "'w'"; "header" ]
    "a negative length", [ "w.npy", npy "'<f8'" "(-1,)" eight ], [ "'w'"; "header" ]
    "more data than the shape",
    [ "w.npy", npy "'<f8'" "(1,)" (Array.zeroCreate 16) ],
    [ "'w'"; "holds 16" ]
    "a whole number that no double holds",
    [
        "w.npy", npy "'<i8'" "(1,)" (BitConverter.GetBytes((1L <<< 53) + 1L))
    ],
    [ "9007199254740993" ]
    "no array", [ "w.npy", "hello, world"B ], [ "'w'"; "no numpy array" ]
    "an array cut off in its header",
    [ "w.npy", Array.truncate 20 (npy "'<f8'" "(1,)" eight) ],
    [ "'w'"; "cut off" ]
    "a member that is no array", [ "notes.txt", "hello"B ], [ "notes.txt"; ".npy" ]
    "a path that leaves the folder",
    [ "../w.npy", npy "'<f8'" "(1,)" eight ],
    [ "../w.npy"; "leaves the folder" ]
    "a name that leaves the folder by its root",
    [ "/etc/w.npy", npy "'<f8'" "(1,)" eight ],
    [ "leaves the folder" ]
    "a name given twice",
    [ for _ in 1..2 -> "w.npy", npy "'<f8'" "(1,)" eight ],
    [ "'w'"; "two arrays" ]
    "a bomb",
    [
        "w.npy", npy "'<f8'" "(4000000,)" (Array.zeroCreate 32_000_000)
    ],
    [ "'w"; "bomb"; "MaxRatio" ]
]

[<Tests>]
let tests =
    testList "npz from strangers" [
        for name, members, texts in bad do
            test $"refuses {name}, saying so" {
                inFile (fun path ->
                    writeZip path members
                    expectRefusal (path :: texts) (fun () -> Npz.Read path))
            }

        test "a bomb takes no memory" {
            inFile (fun path ->
                writeZip path [
                    "w.npy", npy "'<f8'" "(4000000,)" (Array.zeroCreate 32_000_000)
                ]

                let before = GC.GetAllocatedBytesForCurrentThread()
                refusal (fun () -> Npz.Read path) |> ignore

                Numbers.isLessThan
                    (GC.GetAllocatedBytesForCurrentThread() - before)
                    1_000_000L
                    "bytes")
        }

        test "limits are the caller's to raise and to lower" {
            inFile (fun path ->
                writeZip path [
                    "w.npy", npy "'<f8'" "(4000000,)" (Array.zeroCreate 32_000_000)
                ]

                Expect.equal (Npz.Read(path, ReadLimits(MaxRatio = 2000.0)).Count) 1 "raised"

                expectRefusal [ "MaxTotalBytes" ] (fun () ->
                    Npz.Read(path, ReadLimits(MaxRatio = 2000.0, MaxTotalBytes = 1_000_000L)))

                Npz.Write(path, weights)

                expectRefusal [ "MaxMembers" ] (fun () ->
                    Npz.Read(path, ReadLimits(MaxMembers = 1)))

                expectRefusal [ "MaxTotalBytes" ] (fun () ->
                    Npz.Read(path, ReadLimits(MaxTotalBytes = 100L))))
        }

        test "the limit of memory is that of all arrays together" {
            inFile (fun path ->
                // Bools, so that the file and what it unpacks to are smaller than any of the limits.
                writeZip path [
                    for name in [ "a"; "b"; "c" ] ->
                        $"{name}.npy", npy "'|b1'" "(1000,)" (Array.zeroCreate 1000)
                ]

                let read limit =
                    Npz.Read(path, ReadLimits(MaxRatio = 2000.0, MaxTotalBytes = limit))

                Expect.equal (read 24_000L).Count 3 "three fit"

                for limit, first in
                    [
                        23_999L, "'c'"
                        16_000L, "'c'"
                        15_999L, "'b'"
                        7_999L, "'a'"
                    ] do
                    expectRefusal [ first; "with those before it"; "MaxTotalBytes" ] (fun () ->
                        read limit))
        }

        test "a bool is 1 whatever its byte, and 0 where that is 0" {
            inFile (fun path ->
                writeZip path [
                    "w.npy", npy "'|b1'" "(256,)" [| for k in 0..255 -> byte k |]
                ]

                Expect.equal
                    (Npz.ReadArray(path, "w")).Values
                    (Array.init 256 (fun k -> if k = 0 then 0.0 else 1.0))
                    "values")
        }

        test "bools count as the doubles that they become" {
            inFile (fun path ->
                writeZip path [ "w.npy", npy "'|b1'" "(1000,)" (Array.zeroCreate 1000) ]

                expectRefusal [ "'w'"; "memory" ] (fun () ->
                    Npz.Read(path, ReadLimits(MaxTotalBytes = 4000L))))
        }

        test "every changed byte of the numbers is noticed" {
            inFile (fun path ->
                Npz.Write(path, [ NamedArray("w", [| 4 |], [| 1.0; 2.0; 3.0; 4.0 |]) ])
                let bytes = File.ReadAllBytes path
                let start = bytes.AsSpan().IndexOf(BitConverter.GetBytes(1.0).AsSpan())

                for place in start .. start + 31 do
                    let changed = Array.copy bytes
                    changed[place] <- changed[place] ^^^ 1uy
                    File.WriteAllBytes(path, changed)
                    expectRefusal [ "'w'"; "checksum" ] (fun () -> Npz.Read path))
        }

        test "a missing array, a missing file and a file of another kind are named" {
            inFile (fun path ->
                Npz.Write(path, weights)

                expectRefusal [ "'v'"; "no such array"; "area/bias" ] (fun () ->
                    Npz.ReadArray(path, "v"))

                File.WriteAllBytes(path, npy "'<f8'" "(1,)" eight)
                expectRefusal [ path; "one array"; "numpy.savez" ] (fun () -> Npz.Read path)
                File.WriteAllText(path, "trial,loss\n")
                expectRefusal [ path; "is a text"; "numpy.loadtxt" ] (fun () -> Npz.Read path)
                // An archive of which the beginning is lost is none.
                File.WriteAllBytes(path, [| 0uy; 1uy; 2uy; 3uy |])
                expectRefusal [ path; "damaged" ] (fun () -> Npz.Read path)
                File.WriteAllBytes(path, [||])
                expectRefusal [ path; "damaged" ] (fun () -> Npz.Read path)
                File.Delete path
                expectRefusal [ path; "no such file" ] (fun () -> Npz.Read path))
        }
    ]
