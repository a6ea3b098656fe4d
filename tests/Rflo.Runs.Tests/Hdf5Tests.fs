/// Files of HDF5: what is written is read, here and by h5py, and the other way round; and everything that can be wrong with one.
module Rflo.Runs.Tests.Hdf5Tests

open System
open System.Diagnostics
open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private python = "/usr/bin/python3"

let private run folder (program: string) =
    let info =
        ProcessStartInfo(
            python,
            [ "-c"; program ],
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    use child = nonNull (Process.Start info)
    let output = child.StandardOutput.ReadToEndAsync()
    let errors = child.StandardError.ReadToEndAsync()
    child.WaitForExit()
    child.ExitCode, output.Result.ReplaceLineEndings "\n", errors.Result

let private hasH5py =
    lazy
        (File.Exists python
         && (let code, _, _ = run (Path.GetTempPath()) "import h5py, numpy" in code = 0))

/// Runs a Python program in a folder, or skips the test where there is no h5py.
let private h5py folder (program: string) =
    if not hasH5py.Value then
        skiptest $"{python} has no h5py (Debian: python3-h5py)"

    let code, output, errors = run folder ("import h5py, json, numpy as np\n" + program)

    Expect.equal code 0 $"h5py's exit code ({errors})"
    output.Trim()

let private inFile test =
    inFolder (fun folder -> test (Path.Combine(folder, "a.h5")))

let private sorted (arrays: NamedArray seq) =
    arrays |> Seq.map bits |> Seq.sortBy (fun (name, _, _) -> name) |> List.ofSeq

/// What HDF5 cannot hold: an array that would be a group too.
let private isHeld (arrays: NamedArray list) =
    arrays
    |> List.forall (fun one ->
        arrays |> List.forall (fun other -> not (other.Name.StartsWith(one.Name + "/"))))

let private some = [
    NamedArray("rates/cortex", [| 2; 3; 2 |], [| for k in 1..12 -> float k / 7.0 |])
    NamedArray("steps", [| 2 |], [| 3.0; 2.0 |], NpzType.Index)
    NamedArray("events/go", [| 2; 3 |], [| 0.0; 1.0; 0.0; 1.0; 0.0; 0.0 |], NpzType.Flag)
    NamedArray("dt", [||], [| 0.5 |])
    NamedArray("inputs", [| 2; 3; 0 |], [||])
]

/// Each mistake, the program that writes it, and what the message says.
let private wrong = [
    "text", "f['w'] = 'hello'", [ "'w'"; "VariableLength"; "astype(float)" ]
    "complex numbers", "f['w'] = np.zeros(3, 'c16')", [ "'w'"; "Compound"; "astype(float)" ]
    "long floating-point numbers", "f['w'] = np.zeros(3, 'g')", [ "'w'"; "16 bytes" ]
    "big-endian numbers", "f['w'] = np.zeros(3, '>f8')", [ "'w'"; "big-endian"; "astype('<f8')" ]
    "a dataset without a shape", "f['w'] = h5py.Empty('f8')", [ "'w'"; "h5py.Empty" ]
    "whole numbers that no double holds",
    "f['w'] = np.array([1, 2**53 + 1])",
    [ "'w'"; "2^53"; "float64" ]
    "a group that is in itself",
    "f['g/w'] = 1.0; f['g/g'] = f['g']",
    [ "'g/g/"; "a group links to one around it" ]
    "numbers of many bytes that are not there",
    "f.create_dataset('w', shape=(10**7, 10**4), chunks=(1000, 10), dtype='f8')",
    [ "'w'"; "MaxTotalBytes" ]
    "chunks of many bytes",
    "f.create_dataset('w', shape=(2**28,), chunks=(2**28,), dtype='f8', maxshape=(None,))",
    [ "'w'"; "chunks of more than 1024 MiB" ]
    "a filter that is not there",
    "f.create_dataset('w', data=np.arange(99.), chunks=(9,), compression='lzf')",
    [ "'w'"; "cannot be read as HDF5" ]
    "another name", "f['v'] = 1.0", [ "'w'"; "there is no such dataset. It holds: v" ]
]

[<Tests>]
let tests =
    testList "hdf5" [
        testPropertyWithConfig
            config
            "arrays come back to the bit"
            (fun (arrays: NamedArray list) ->
                if isHeld arrays then
                    inFile (fun path ->
                        Hdf5.Write(path, arrays)
                        Expect.equal (sorted (Hdf5.Read path)) (sorted arrays) "all arrays"

                        for array in arrays do
                            Expect.equal
                                (bits (Hdf5.ReadArray(path, array.Name)))
                                (bits array)
                                array.Name))

        test "arrays of several chunks come back to the bit" {
            inFile (fun path ->
                let values = Array.init (7 * 50021) (fun k -> sin (float k))
                let array = NamedArray("rates/cortex", [| 7; 50021 |], values)

                let long =
                    NamedArray(
                        "steps",
                        [| 350_147 |],
                        values |> Array.map (fun x -> floor (9.0 * x)),
                        NpzType.Index
                    )

                Hdf5.Write(path, [ array; long ])
                Expect.equal (sorted (Hdf5.Read path)) (sorted [ array; long ]) "both")
        }

        test "arrays lie in a group for each part of their names, thirty-two deep at most" {
            let inGroups count =
                NamedArray(String.replicate count "g/" + "x", [||], [| float count |])

            inFile (fun path ->
                let arrays = [
                    inGroups 0
                    NamedArray("a/b/c", [||], [| 1.0 |])
                    NamedArray("a/b/d/e", [||], [| 2.0 |])
                    NamedArray("a/f", [||], [| 3.0 |])
                    inGroups 32
                ]

                Hdf5.Write(path, arrays)
                Expect.equal (sorted (Hdf5.Read path)) (sorted arrays) "names and numbers"
                Hdf5.Write(path, [ inGroups 33 ])

                expectRefusal [ "more than 32 groups deep" ] (fun () -> Hdf5.Read path))
        }

        test "the same arrays give the same bytes, and no other file is left" {
            inFile (fun path ->
                Hdf5.Write(path, some)
                let first = File.ReadAllBytes path
                Hdf5.Write(path, some)
                Expect.sequenceEqual (File.ReadAllBytes path) first "bytes"

                Expect.equal
                    (Directory.GetFiles(nonNull (Path.GetDirectoryName path)))
                    [| path |]
                    "files"
                // A refusal leaves the file as it was.
                expectRefusal
                    [
                        "'rates'"
                        "would be the group of 'rates/cortex' too"
                        ".npz"
                    ]
                    (fun () -> Hdf5.Write(path, NamedArray("rates", [| 1 |], [| 0.0 |]) :: some))

                expectRefusal [ "'dt'"; "two arrays" ] (fun () ->
                    Hdf5.Write(path, [ some[3]; some[3] ]))

                expectRefusal [ "'../x'"; "leaves the folder" ] (fun () ->
                    Hdf5.Write(path, [ NamedArray("../x", [||], [| 0.0 |]) ]))

                Expect.sequenceEqual (File.ReadAllBytes path) first "not touched")
        }

        test "h5py reads what is written, its types, shapes and attributes" {
            inFile (fun path ->
                let attributes name : Collections.Generic.IReadOnlyDictionary<string, string> =
                    readOnlyDict [ "axes", $"of {name}" ]

                Hdf5.Write(path, some, attributes)

                let printed =
                    h5py
                        (nonNull (Path.GetDirectoryName path))
                        "with h5py.File('a.h5') as f:\n\
                         \x20   for name in ['rates/cortex', 'steps', 'events/go', 'dt', 'inputs']:\n\
                         \x20       print(name, f[name].dtype, f[name].shape, f[name].attrs['axes'])\n\
                         \x20   print(f['rates/cortex'][()].tolist() == (np.arange(1, 13.).reshape(2, 3, 2) / 7).tolist(), f['steps'][()].tolist(), f['events/go'][()].tolist(), f['dt'][()])\n\
                         \x20   print(f.attrs['axes'])"

                Expect.equal
                    printed
                    "rates/cortex float64 (2, 3, 2) of rates/cortex\n\
                     steps int32 (2,) of steps\n\
                     events/go bool (2, 3) of events/go\n\
                     dt float64 () of dt\n\
                     inputs float64 (2, 3, 0) of inputs\n\
                     True [3, 2] [[False, True, False], [True, False, False]] 0.5\n\
                     of"
                    "what h5py reads")
        }

        for seed in 1..4 do
            test $"what h5py writes is read, drawn by {seed}" {
                inFile (fun path ->
                    let printed =
                        h5py
                            (nonNull (Path.GetDirectoryName path))
                            $"r = np.random.RandomState({seed}); out = {{}}\n\
                              with h5py.File('a.h5', 'w', libver=['earliest', 'latest'][r.randint(2)]) as f:\n\
                              \x20   for kind in ['f8', 'f4', 'f2', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', '?']:\n\
                              \x20       shape = tuple(r.randint(0 if r.randint(4) == 0 else 1, 6, r.randint(0, 4)).tolist())\n\
                              \x20       x = np.asarray(r.randn(*shape) * 100); x = np.asarray(np.abs(x) if kind[0] == 'u' else x).astype(kind)\n\
                              \x20       name = ['', 'g/', 'g/h/'][r.randint(3)] + 'x-' + kind.replace('?', 'b')\n\
                              \x20       packed = x.size > 0 and x.ndim > 0 and r.randint(2)\n\
                              \x20       options = dict(chunks=tuple(max(1, n // 2) for n in x.shape), compression=[None, 'gzip'][r.randint(2)], shuffle=bool(r.randint(2)), fletcher32=bool(r.randint(2))) if packed else {{}}\n\
                              \x20       f.create_dataset(name, data=x, **options)\n\
                              \x20       out[name] = [list(x.shape), [float(v).hex() for v in x.ravel()]]\n\
                              \x20   f['soft'] = h5py.SoftLink('/' + name); f['broken'] = h5py.SoftLink('/nowhere')\n\
                              \x20   out['soft'] = out[name]\n\
                              for name in sorted(out): print(name, '|', out[name][0], '|', ' '.join(out[name][1]))"

                    let hex (array: NamedArray) =
                        let shape = array.Shape |> Array.map string |> String.concat ", "
                        array.Name, $"[{shape}]", List.ofArray array.Values

                    /// A number as Python's float.hex writes it.
                    let number (text: string) =
                        let isNegative = text[0] = '-'
                        let parts = text.TrimStart('-').Substring(2).Split('p')
                        let digits = parts[0].Split('.')
                        let fraction = Convert.ToInt64((digits[1] + "0000000000000")[..12], 16)
                        let whole = float digits[0] + float fraction / 4503599627370496.0
                        let value = Math.ScaleB(whole, int parts[1])
                        if isNegative then -value else value

                    let expected = [
                        for line in printed.Split '\n' do
                            let parts = line.Split('|') |> Array.map _.Trim()

                            parts[0],
                            parts[1],
                            [
                                for text in
                                    parts[2].Split(' ', StringSplitOptions.RemoveEmptyEntries) ->
                                    number text
                            ]
                    ]

                    let found = Hdf5.Read path |> Seq.map hex |> Seq.sort |> List.ofSeq
                    Expect.equal found (List.sort expected) "all datasets")
            }

        for name, program, words in wrong do
            test $"refuses {name}, saying so" {
                inFile (fun path ->
                    let folder = nonNull (Path.GetDirectoryName path)
                    h5py folder $"f = h5py.File('a.h5', 'w'); {program}; f.close()" |> ignore
                    let message = refusal (fun () -> Hdf5.ReadArray(path, "w"))

                    for text in path :: words do
                        Expect.stringContains message text name

                    Expect.isFalse (message.Contains '\n') "one line")
            }

        test "refuses what is no file of HDF5, saying so" {
            inFile (fun path ->
                let read () = Hdf5.Read path
                expectRefusal [ path; "no such file" ] read
                File.WriteAllText(path, "")
                expectRefusal [ path; "is empty" ] read
                File.WriteAllText(path, String('x', 3000))
                expectRefusal [ path; "is no HDF5 file"; "h5py" ] read
                Npz.Write(path, some)
                expectRefusal [ path; "archive of numpy"; "ends in .npz" ] read
                Hdf5.Write(path, some)
                let whole = File.ReadAllBytes path
                File.WriteAllBytes(path, whole[.. whole.Length / 2])
                expectRefusal [ path; "cannot be read as HDF5"; "copy it again" ] read

                let few = ReadLimits(MaxMembers = 4)

                File.WriteAllBytes(path, whole)

                expectRefusal [ "more than 4 datasets"; "MaxMembers" ] (fun () ->
                    Hdf5.Names(path, few))

                let little = ReadLimits(MaxTotalBytes = 100L)

                expectRefusal [ "100 bytes of memory" ] (fun () -> Hdf5.Read(path, little)))
        }

        test "a number that has changed is refused, by the name of its array" {
            inFile (fun path ->
                Hdf5.Write(path, some)
                let bytes = File.ReadAllBytes path
                let value = BitConverter.GetBytes(5.0 / 7.0)
                let at = MemoryExtensions.IndexOf(ReadOnlySpan bytes, ReadOnlySpan value)
                Numbers.isGreaterThan at 0 "the number is there"
                bytes[at] <- bytes[at] ^^^ 1uy
                File.WriteAllBytes(path, bytes)

                expectRefusal [ "'rates/cortex'"; "checksum"; "copy it again" ] (fun () ->
                    Hdf5.Read path)

                Expect.equal
                    (Hdf5.ReadArray(path, "steps").Values)
                    [| 3.0; 2.0 |]
                    "others are read")
        }

        test "files damaged anywhere are read or refused, never anything else" {
            inFile (fun path ->
                Hdf5.Write(path, some)
                let whole = File.ReadAllBytes path
                let random = Random 5
                let mutable refused = 0

                for _ in 1..400 do
                    File.WriteAllBytes(path, FuzzTests.mutate random whole)

                    try
                        Hdf5.Read path |> ignore
                    with :? RunFileException as e ->
                        refused <- refused + 1
                        Expect.isFalse (e.Message.Contains '\n') "one line"

                Numbers.isGreaterThan refused 100 "many of them are refused")
        }
    ]
