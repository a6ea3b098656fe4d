/// Archives and arrays for the tests, good ones and bad ones.
module Rflo.Runs.Tests.Archives

open System
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open FsCheck.FSharp
open Rflo.Runs

/// The message of the one exception that is allowed.
let refusal (action: unit -> 'a) =
    try
        action () |> ignore
        failtest "nothing was refused"
    with :? RunFileException as e ->
        e.Message

/// The action is refused, and the message holds every one of these texts.
let expectRefusal texts action =
    let message = refusal action

    for text: string in texts do
        Expect.stringContains message text "the message"

/// Gives the test the path of an archive that is not there yet.
let inFile test =
    Folders.inFolder (fun folder -> test (Path.Combine(folder, "a.npz")))

/// A member of an archive made by hand: a header and bytes.
let npyOf (header: string) (data: byte array) =
    Array.concat [
        [|
            0x93uy
            byte 'N'
            byte 'U'
            byte 'M'
            byte 'P'
            byte 'Y'
            1uy
            0uy
        |]
        BitConverter.GetBytes(uint16 header.Length)
        Encoding.Latin1.GetBytes header
        data
    ]

/// The same with a header that numpy would write.
let npy (descriptor: string) (shape: string) (data: byte array) =
    npyOf $"{{'descr': {descriptor}, 'fortran_order': False, 'shape': {shape}, }}\n" data

/// Writes an archive of members made by hand.
let writeZip (path: string) (members: (string * byte array) list) =
    use archive = ZipFile.Open(path, ZipArchiveMode.Create)

    for name, bytes in members do
        use entry = archive.CreateEntry(name, CompressionLevel.Optimal).Open()
        entry.Write(bytes, 0, bytes.Length)

/// Equal to the last bit, NaN included.
let bits (array: NamedArray) =
    array.Name,
    List.ofArray array.Shape,
    array.Values |> Array.map BitConverter.DoubleToInt64Bits |> List.ofArray

let private shapes =
    Gen.choose (0, 4)
    |> Gen.bind (fun axes -> Gen.arrayOfLength axes (Gen.choose (0, 5)))

// Every pattern of bits is a double: subnormal numbers, infinities and all kinds of NaN.
let private anyDouble =
    ArbMap.defaults
    |> ArbMap.generate<int64>
    |> Gen.map BitConverter.Int64BitsToDouble

let private usual =
    Gen.elements [ 0.0; -0.0; nan; infinity; -infinity; Double.Epsilon; 0.1 ]

let private plainName =
    gen {
        let! first = Gen.elements [ "cortex"; "a b"; "Größe"; "皮質"; "x"; "in.1" ]
        let! link = Gen.elements [ "->"; "/"; " "; "-"; "'" ]
        let! last = Gen.elements [ "cortex"; "bias"; "0"; "ε"; "😀" ]
        return first + link + last
    }

let private array name =
    gen {
        let! shape = shapes
        let count = Array.fold (*) 1 shape
        let! values = Gen.arrayOfLength count (Gen.oneof [ anyDouble; usual ])
        return NamedArray(name, shape, values)
    }

/// Arrays with names that are allowed, each once.
let arrays =
    gen {
        let! names = Gen.listOf plainName
        return! names |> List.distinct |> List.map array |> Gen.sequenceToList
    }

type Generators =
    static member Arrays() = Arb.fromGen arrays

let config = {
    FsCheckConfig.defaultConfig with
        maxTest = 300
        replay = Some(43299UL, 20191104001UL, None)
        arbitrary = [ typeof<Generators> ]
}
