module Rflo.Runs.Tests.NumpyTests

open System
open System.Diagnostics
open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private python = "/usr/bin/python3"

/// Runs a Python program in a folder; exit code and output.
let private run folder (program: string) =
    let info =
        ProcessStartInfo(
            python,
            [ "-c"; program ],
            WorkingDirectory = folder,
            RedirectStandardOutput = true
        )

    use child = nonNull (Process.Start info)
    let output = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    child.ExitCode, output

let private hasNumpy =
    lazy
        (File.Exists python
         && fst (
             run
                 (Path.GetTempPath())
                 "import importlib.util, sys; sys.exit(importlib.util.find_spec('numpy') is None)"
         )
             =
             0)

let private numpy program (check: string -> string -> unit) =
    if not hasNumpy.Value then
        skiptest $"{python} has no numpy (Debian: python3-numpy)"

    inFolder (fun folder ->
        let code, output = run folder ("import numpy as np\n" + program)
        Expect.equal code 0 "numpy's exit code"
        check folder output)

let private read folder name =
    Npz.ReadArray(Path.Combine(folder, "a.npz"), name)

[<Tests>]
let tests =
    testList "numpy" [
        test "reads what we write, to the bit" {
            if not hasNumpy.Value then
                skiptest $"{python} has no numpy (Debian: python3-numpy)"

            inFolder (fun folder ->
                let all = [
                    yield! weights
                    NamedArray("scalar", [||], [| 0.1 |])
                    NamedArray("empty", [| 0; 3 |], [||])
                    NamedArray(
                        "Größe ε",
                        [| 1; 2; 1 |],
                        [|
                            BitConverter.Int64BitsToDouble 0x7FF8000000000123L
                            5e-324
                        |]
                    )
                ]

                Npz.Write(Path.Combine(folder, "a.npz"), all)

                let code, output =
                    run
                        folder
                        "import numpy as np
for name, a in np.load('a.npz').items():
    print(name.encode().hex(), a.dtype.str, a.flags.c_contiguous, list(a.shape), a.tobytes().hex(), sep=';')"

                let expected = [
                    for array in all do
                        let name = Convert.ToHexStringLower(Text.Encoding.UTF8.GetBytes array.Name)
                        let shape = array.Shape |> Array.map string |> String.concat ", "

                        let data =
                            array.Values
                            |> Array.collect BitConverter.GetBytes
                            |> Convert.ToHexStringLower

                        $"{name};<f8;True;[{shape}];{data}"
                ]

                Expect.equal code 0 "numpy's exit code"

                Expect.equal
                    (List.ofArray (output.Split('\n', StringSplitOptions.RemoveEmptyEntries)))
                    expected
                    "arrays")
        }

        for save in [ "savez"; "savez_compressed" ] do
            test $"writes with {save} what we read" {
                numpy
                    $"""np.{save}('a.npz', **{{'cortex->cortex': np.arange(6.0).reshape(2, 3) / 7, 'area/bias': np.array([np.nan, -np.inf]),
    'scalar': np.float64(0.1), 'empty': np.zeros((0, 3)), 'cube': np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    'columns': np.arange(6.0).reshape(2, 3).T, 'single': np.array([0.1], 'f4'), 'big': np.array([0.5, -3.0], '>f8'), 'bigger': np.array([7], '>i4'),
    'long': np.array([[-5], [2**53]]), 'int': np.array([-5], 'i4'), 'bool': np.array([True, False])}})"""
                    (fun folder _ ->
                        let values name = List.ofArray (read folder name).Values

                        Expect.equal
                            (values "cortex->cortex")
                            [ for k in 0.0 .. 5.0 -> k / 7.0 ]
                            "C order"

                        Expect.equal ((read folder "cortex->cortex").Shape) [| 2; 3 |] "shape"
                        let bias = values "area/bias"
                        Expect.isTrue (Double.IsNaN bias[0]) "NaN"
                        Expect.equal bias[1] -infinity "infinity"
                        Expect.equal (values "scalar") [ 0.1 ] "no axes"
                        Expect.equal ((read folder "empty").Shape) [| 0; 3 |] "no numbers"
                        Expect.equal (values "cube") [ 0.0 .. 23.0 ] "Fortran order, three axes"

                        Expect.equal
                            (values "columns")
                            [ 0.0; 3.0; 1.0; 4.0; 2.0; 5.0 ]
                            "Fortran order, two axes"

                        Expect.equal (values "single") [ float 0.1f ] "float32"
                        Expect.equal (values "big") [ 0.5; -3.0 ] "big-endian"
                        Expect.equal (values "bigger") [ 7.0 ] "big-endian int32"
                        Expect.equal (values "long") [ -5.0; 9007199254740992.0 ] "int64"
                        Expect.equal (values "int") [ -5.0 ] "int32"
                        Expect.equal (values "bool") [ 1.0; 0.0 ] "bool")
            }

        test "writes more than one chunk of numbers, and we read it" {
            numpy
                "np.savez_compressed('a.npz', w=np.arange(100000.0).reshape(1000, 100, order='F'), s=np.arange(50000, dtype='i4'))"
                (fun folder _ ->
                    let w = read folder "w"
                    Expect.equal w.Values[1] 1000.0 "rows"
                    Expect.equal w.Values[99999] 99999.0 "last"
                    Expect.equal (read folder "s").Values [| 0.0 .. 49999.0 |] "int32")
        }

        test "writes pickled objects, and we refuse them" {
            numpy "np.savez('a.npz', w=np.array([{}], dtype=object))" (fun folder _ ->
                expectRefusal [ "'w'"; "pickled" ] (fun () -> read folder "w"))
        }
    ]
