/// Archives written here by the letter of numpy's format, byte by byte: every type, byte order, order of axes and version of the header.
module Rflo.Runs.Tests.NpzLawTests

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Runs
open Rflo.Runs.Tests.Archives

/// An array as numpy would save it.
type Saved = {
    /// Such as f8.
    Kind: string
    /// Little, big, or that of this machine, as numpy's header has it.
    Order: char
    IsFortran: bool
    Version: byte
    IsPacked: bool
    Shape: int list
    /// In C order, of which the type holds each exactly.
    Values: float list
    /// Spaces between the entries of the header, and their order.
    Style: int
}

let private kinds = [ "f8"; "f4"; "i8"; "i4"; "b1" ]

/// Numbers that a type holds, its extremes among them.
let private valueOf kind =
    match kind with
    | "f8" ->
        Gen.oneof [
            Gen.elements [
                nan
                infinity
                -infinity
                -0.0
                Double.Epsilon
                Double.MaxValue
                0.1
            ]
            ArbMap.defaults
            |> ArbMap.generate<int64>
            |> Gen.map BitConverter.Int64BitsToDouble
            |> Gen.filter (Double.IsNaN >> not)
        ]
    | "f4" ->
        Gen.oneof [
            Gen.elements [
                nan
                infinity
                -0.0
                float Single.Epsilon
                float Single.MaxValue
            ]
            ArbMap.defaults |> ArbMap.generate<float32> |> Gen.map float
        ]
    | "i8" ->
        Gen.oneof [
            Gen.elements [
                9007199254740992.0
                -9007199254740992.0
                4294967296.0
                -1.0
                255.0
                256.0
            ]
            ArbMap.defaults
            |> ArbMap.generate<int>
            |> Gen.map (fun k -> float k * 1048576.0)
        ]
    | "i4" ->
        Gen.oneof [
            Gen.elements [
                float Int32.MaxValue
                float Int32.MinValue
                -1.0
                255.0
                65536.0
            ]
            ArbMap.defaults |> ArbMap.generate<int> |> Gen.map float
        ]
    | _ -> Gen.elements [ 0.0; 1.0 ]

let private saved =
    gen {
        let! kind = Gen.elements kinds
        let! order = Gen.elements [ '<'; '>'; '=' ]

        let! isFortran, isPacked =
            Gen.zip (Gen.elements [ false; true ]) (Gen.elements [ false; true ])

        let! version = Gen.elements [ 1uy; 2uy; 3uy ]
        let! axes = Gen.choose (0, 4)
        let! shape = Gen.listOfLength axes (Gen.choose (0, 4))
        let! values = Gen.listOfLength (List.fold (*) 1 shape) (valueOf kind)
        let! style = Gen.choose (0, 5)

        return {
            Kind = kind
            Order = order
            IsFortran = isFortran
            Version = version
            IsPacked = isPacked
            Shape = shape
            Values = values
            Style = style
        }
    }

type SavedGenerators =
    static member Saved() = Arb.fromGen saved

let private isBig order =
    order = '>' || (order = '=' && not BitConverter.IsLittleEndian)

let private bytesOf kind order (value: float) =
    let little: byte array =
        match kind with
        | "f8" -> BitConverter.GetBytes value
        | "f4" -> BitConverter.GetBytes(float32 value)
        | "i8" -> BitConverter.GetBytes(int64 value)
        | "i4" -> BitConverter.GetBytes(int value)
        | _ -> [| byte value |]

    if isBig order then Array.rev little else little

/// The places in C order of an array whose first axis runs fastest, by counting through its indices.
let private fortranPlaces (shape: int list) =
    let rec indices axes =
        match axes with
        | [] -> [ [] ]
        | length :: rest -> [
            for below in indices rest do
                for k in 0 .. length - 1 -> k :: below
          ]

    // The innermost loop above runs over the first axis.
    indices shape
    |> List.map (fun index -> List.fold2 (fun place length k -> place * length + k) 0 shape index)

let private shapeText (shape: int list) =
    match shape with
    | [ one ] -> $"({one},)"
    | _ -> "(" + String.concat ", " (List.map string shape) + ")"

let private member' (array: Saved) =
    let descr =
        if array.Kind = "b1" then
            "|b1"
        else
            $"{array.Order}{array.Kind}"

    let quote = if array.Style % 2 = 0 then "'" else "\""

    let entries = [
        $"{quote}descr{quote}: {quote}{descr}{quote}"
        $"{quote}fortran_order{quote}: {array.IsFortran}"
        $"{quote}shape{quote}: {shapeText array.Shape}"
    ]

    let entries = if array.Style >= 3 then List.rev entries else entries

    let dictionary =
        "{" + String.concat ", " entries + (if array.Style = 1 then "}" else ", }")

    let lengthBytes = if array.Version = 1uy then 2 else 4
    let unpadded = 8 + lengthBytes + dictionary.Length + 1

    let header =
        dictionary.PadRight(dictionary.Length + (64 - unpadded % 64) % 64) + "\n"

    let values = Array.ofList array.Values

    let ordered =
        if array.IsFortran && array.Shape.Length > 0 then
            fortranPlaces array.Shape |> List.map (Array.get values) |> Array.ofList
        else
            values

    Array.concat [
        [| 0x93uy |]
        Encoding.ASCII.GetBytes "NUMPY"
        [| array.Version; 0uy |]
        Array.truncate lengthBytes (BitConverter.GetBytes header.Length)
        Encoding.ASCII.GetBytes header
        Array.collect (bytesOf array.Kind array.Order) ordered
    ]

let private save (path: string) (arrays: (string * Saved) list) =
    use archive = ZipFile.Open(path, ZipArchiveMode.Create)

    for name, array in arrays do
        let level =
            if array.IsPacked then
                CompressionLevel.Optimal
            else
                CompressionLevel.NoCompression

        use entry = archive.CreateEntry(name + ".npy", level).Open()
        let bytes = member' array
        entry.Write(bytes, 0, bytes.Length)

let private expectRead name (array: Saved) (read: NamedArray) =
    Expect.equal (List.ofArray read.Shape) array.Shape $"shape of {name}"

    Expect.equal
        (read.Values |> Array.map BitConverter.DoubleToInt64Bits |> List.ofArray)
        (array.Values |> List.map BitConverter.DoubleToInt64Bits)
        $"numbers of {name}: %A{array}"

let private law = {
    config with
        maxTest = 400
        arbitrary = [ typeof<SavedGenerators> ]
}

[<Tests>]
let tests =
    testList "npz of every kind" [
        testPropertyWithConfig law "is read as numpy means it" (fun (array: Saved) ->
            inFile (fun path ->
                save path [ "w", array ]
                expectRead "w" array (Npz.ReadArray(path, "w"))))

        for kind in kinds do
            for order in [ '<'; '>'; '=' ] do
                test $"{order}{kind} is read beyond the first chunk, in both orders of axes" {
                    inFile (fun path ->
                        let numbers = [
                            for k in 0..29_999 -> if kind = "b1" then float (k % 2) else float k
                        ]

                        let array isFortran = {
                            Kind = kind
                            Order = order
                            IsFortran = isFortran
                            Version = 1uy
                            IsPacked = false
                            Shape = [ 100; 300 ]
                            Values = numbers
                            Style = 0
                        }

                        save path [ "c", array false; "f", array true ]
                        expectRead "c" (array false) (Npz.ReadArray(path, "c"))
                        expectRead "f" (array true) (Npz.ReadArray(path, "f")))
                }

        test "other types are refused by name, with what to do" {
            for descr, size, remedy in
                [
                    "<u4", 4, "astype(float)"
                    "<i2", 2, "astype(float)"
                    "<f2", 2, "astype(float)"
                    ">c8", 8, "its real and its imaginary part"
                    "<c16", 16, "its real and its imaginary part"
                    "|S4", 4, "Save arrays of numbers"
                    "<U2", 8, "Save arrays of numbers"
                    "|u1", 1, "astype(float)"
                    "|i1", 1, "astype(float)"
                    "<M8[s]", 8, "Save arrays of numbers"
                ] do
                inFile (fun path ->
                    writeZip path [
                        "w.npy", npy $"'{descr}'" "(2,)" (Array.zeroCreate (2 * size))
                    ]

                    expectRefusal [ "'w'"; descr; remedy ] (fun () -> Npz.Read path))
        }

        test "whole numbers that no double holds are refused, and those beside them read" {
            for order in [ '<'; '>' ] do
                let one (value: int64) =
                    let bytes = BitConverter.GetBytes value
                    if order = '>' then Array.rev bytes else bytes

                for value in
                    [
                        9007199254740993L
                        -9007199254740993L
                        Int64.MaxValue
                        Int64.MinValue
                    ] do
                    inFile (fun path ->
                        writeZip path [ "w.npy", npy $"'{order}i8'" "(1,)" (one value) ]
                        expectRefusal [ "'w'"; string value ] (fun () -> Npz.Read path))
        }

        test "what is written is numpy's format to the byte" {
            inFile (fun path ->
                let values = [| 1.5; -0.0; nan; 5e-324; infinity; -7.25 |]

                Npz.Write(
                    path,
                    [
                        NamedArray("a/b->c", [| 2; 3 |], values)
                        NamedArray("one", [| 6 |], values)
                        NamedArray("scalar", [||], [| 0.1 |])
                        NamedArray("empty", [| 0; 2 |], [||])
                    ]
                )

                use archive = ZipFile.OpenRead path

                for name, shape, values in
                    [
                        "a/b->c.npy", "(2, 3)", values
                        "one.npy", "(6,)", values
                        "scalar.npy", "()", [| 0.1 |]
                        "empty.npy", "(0, 2)", [||]
                    ] do
                    let entry = nonNull (archive.GetEntry name)
                    Expect.equal entry.CompressedLength entry.Length $"{name} is stored"
                    Expect.equal entry.LastWriteTime.Year 1980 $"{name} has no time"
                    use stream = entry.Open()
                    use memory = new MemoryStream()
                    stream.CopyTo memory
                    let bytes = memory.ToArray()

                    Expect.equal
                        bytes[..5]
                        [|
                            0x93uy
                            byte 'N'
                            byte 'U'
                            byte 'M'
                            byte 'P'
                            byte 'Y'
                        |]
                        name

                    Expect.equal (bytes[6], bytes[7]) (1uy, 0uy) $"version of {name}"
                    let length = int (BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8, 2)))

                    Expect.equal
                        ((10 + length) % 64)
                        0
                        $"numbers of {name} begin at a multiple of 64"

                    let header = Encoding.ASCII.GetString(bytes, 10, length)

                    Expect.stringStarts
                        header
                        $"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
                        name

                    Expect.equal header[length - 1] '\n' $"end of the header of {name}"

                    let numbers = [|
                        for k in 0 .. (bytes.Length - 10 - length) / 8 - 1 ->
                            BinaryPrimitives.ReadInt64LittleEndian(
                                bytes.AsSpan(10 + length + 8 * k, 8)
                            )
                    |]

                    Expect.equal
                        numbers
                        (Array.map BitConverter.DoubleToInt64Bits values)
                        $"numbers of {name}")
        }

        test "each limit allows what it says, and not one more" {
            inFile (fun path ->
                let arrays = [
                    for k in 1..3 -> NamedArray($"w{k}", [| 100 |], Array.zeroCreate 100)
                ]

                Npz.Write(path, arrays)
                let file = FileInfo(path).Length
                let count limits = (Npz.Read(path, limits)).Count
                Expect.equal (count (ReadLimits(MaxMembers = 3))) 3 "members"

                expectRefusal [ "3 members"; "2 is the limit" ] (fun () ->
                    count (ReadLimits(MaxMembers = 2)))

                Expect.equal (count (ReadLimits(MaxTotalBytes = file))) 3 "bytes"

                expectRefusal [ "is the limit" ] (fun () ->
                    count (ReadLimits(MaxTotalBytes = file - 1L))))

            inFile (fun path ->
                // Eight bytes of memory for each of one on the disk.
                writeZip path [ "w.npy", npy "'|b1'" "(1000,)" (Array.zeroCreate 1000) ]

                let read bytes =
                    (Npz.Read(path, ReadLimits(MaxTotalBytes = bytes))).Count

                Expect.equal (read 8000L) 1 "memory"
                expectRefusal [ "more than 7999 bytes" ] (fun () -> read 7999L))

            inFile (fun path ->
                writeZip path [ "w.npy", npy "'<f8'" "(4000,)" (Array.zeroCreate 32_000) ]
                use archive = ZipFile.OpenRead path
                let entry = archive.Entries[0]
                let ratio = float entry.Length / float entry.CompressedLength

                let read ratio free =
                    (Npz.Read(path, ReadLimits(MaxRatio = ratio, RatioFreeBytes = free))).Count

                Expect.equal (read (ratio * 1.001) 0L) 1 "ratio"
                expectRefusal [ "bomb" ] (fun () -> read (ratio * 0.999) 0L)
                Expect.equal (read 1.0 entry.Length) 1 "below which the ratio does not matter"
                expectRefusal [ "bomb" ] (fun () -> read 1.0 (entry.Length - 1L)))
        }

        testPropertyWithConfig
            { law with maxTest = 300 }
            "a member with any byte changed is refused by name, or read as it was"
            (fun (array: Saved) (place: NonNegativeInt) (bit: byte) ->
                inFile (fun path ->
                    save path [ "w", array ]
                    let bytes = File.ReadAllBytes path
                    let at = place.Get % bytes.Length
                    bytes[at] <- bytes[at] ^^^ (1uy <<< int (bit % 8uy))
                    File.WriteAllBytes(path, bytes)

                    try
                        for read in Npz.Read path do
                            if read.Name = "w" then
                                expectRead "w" array read
                    with :? RunFileException as e ->
                        Expect.stringContains e.Message path "by name"))
    ]
