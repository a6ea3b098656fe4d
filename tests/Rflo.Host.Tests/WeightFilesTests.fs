module Rflo.Host.Tests.WeightFilesTests

open System
open System.IO
open Expecto
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private from file name =
    let experiment = Periodic.experiment 3 20 |> trials 2
    let start = weights (npz file name)

    {
        experiment with
            Circuit = experiment.Circuit |> Circuit.mapProjection "cortex->cortex" start
    }

let private faults experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> problems |> List.map _.Fault

let private withFile (body: string -> unit) =
    inFolder (fun folder ->
        let file = Path.Combine(folder, "w.npz")

        Npz.Write(
            file,
            [
                NamedArray("good", [| 3; 3 |], Array.init 9 float)
                NamedArray("small", [| 2; 3 |], Array.zeroCreate 6)
                NamedArray("flat", [| 9 |], Array.zeroCreate 9)
            ]
        )

        body file)

let private reason fault =
    match fault with
    | [ Unreadable(_, reason) ] -> reason
    | other -> failtest $"{other}"

let private train experiment =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

/// Two areas, the first under Dale's law and with time constants and initial states that learn, of those recurrent connections.
let private network shape =
    let a = area "a" 15 |> dale 0.6 |> tau 5.0<ms> |> learnTau 2.0 |> learnInitial 2.0
    let b = area "b" 15
    let y = readout "y" 1

    Circuit.empty
    |> areas [ a; b ]
    |> readouts [ y ]
    |> projections [
        a --> a |> weights (gaussian 1.0) |> shape |> learningRate 3.0
        a --> b |> weights (gaussian 1.0) |> density 0.2 |> learningRate 3.0
        b --> a |> weights (gaussian 1.0) |> bounds 0.0 1.0 |> learningRate 3.0
        b --> y |> weights (uniformScaled 1.0) |> learningRate 0.3
    ]
    |> feedback [ errorOf y --> a; errorOf y --> b ]

let private shapes: (string * (Projection -> Projection)) list = [
    "full", id
    "density 0.1", density 0.1
    "density 0.25", density 0.25
    "density 0.5", density 0.5
    "mask", mask (Array2D.init 15 15 (fun i j -> (i + 2 * j) % 3 = 0))
    "no self-connections", noSelf
    "one to one", weights (oneToOne 0.4)
]

let private wave =
    Task.ofArrays (Array2D.zeroCreate 20 0) (Array2D.init 20 1 (fun t _ -> sin (0.3 * float t)))

let private saved folder trained =
    let file = Path.Combine(folder, "weights.npz")
    let record = RunRecord.ofTrained DateTimeOffset.UnixEpoch [] None trained
    Npz.Write(file, record.Weights)
    file

/// The bits of what is stored, by place.
let private bits (trained: Trained) =
    trained.Final
    |> Map.map (fun _ matrix -> [
        for struct (i, j, value) in matrix.EnumerateIndexed() do
            i, j, BitConverter.DoubleToInt64Bits value
    ])

let private goingOn =
    testList "a run that goes on from a file is one that never stopped" [
        for name, shape in shapes do
            for numbers in [ Precision.Double; Precision.Single ] do
                test $"{name}, {numbers}" {
                    inFolder (fun folder ->
                        let e = experiment "on" (network shape) wave |> precision numbers
                        let whole = train (e |> trials 8)
                        let file = saved folder (train (e |> trials 4))

                        let byRun = {
                            e with
                                Circuit = Circuit.withWeights (savedWeights file "final") e.Circuit
                                Trials = 4
                        }

                        Expect.equal (bits (train byRun)) (bits whole) "the weights of a run"

                        // Projection by projection; what the file says of connections takes the place of a density or a mask.
                        let load (projection: Projection) = {
                            projection with
                                Weights = npz file $"final/{Projection.name projection}"
                                Connectivity = Connectivity.Dense
                        }

                        let taus = Npz.ReadArray(file, "final/tau a").Values
                        let starts = Npz.ReadArray(file, "final/start a").Values

                        let byName = {
                            byRun with
                                Circuit = {
                                    e.Circuit with
                                        Projections = List.map load e.Circuit.Projections
                                        Areas =
                                            e.Circuit.Areas
                                            |> List.map (fun a ->
                                                if a.Name = "a" then
                                                    {
                                                        a with
                                                            Tau =
                                                                TauOfUnit [|
                                                                    for tau in taus ->
                                                                        tau * 1.0<ms>
                                                                |]
                                                            Initial = ResetTo starts
                                                    }
                                                else
                                                    a)
                                }
                        }

                        Expect.equal (bits (train byName)) (bits whole) "array by array")
                }
    ]

let private sparseFile folder (arrays: NamedArray list) =
    let file = Path.Combine(folder, "sparse.npz")
    Npz.Write(file, arrays)
    file

let private column name (values: float list) =
    NamedArray(name, [| values.Length |], Array.ofList values)

let private sparseArrays row column' value shape = [
    column "w/row" row
    column "w/column" column'
    column "w/value" value
    column "w/shape" shape
]

let private reasonOf arrays =
    let mutable said = ""
    inFolder (fun folder -> said <- reason (faults (from (sparseFile folder arrays) "w")))
    said

let private sparse =
    testList "sparse weights from a file" [
        test "may stand in any order, and keep zeros as connections" {
            inFolder (fun folder ->
                let file =
                    sparseFile folder (sparseArrays [ 2; 0; 0 ] [ 1; 2; 0 ] [ 5; 0; 7 ] [ 3; 3 ])

                let matrix = (train (from file "w" |> trials 0)).Initial["cortex->cortex"]

                Expect.equal
                    (matrix.ToArray())
                    (array2D [ [ 7.0; 0.0; 0.0 ]; [ 0.0; 0.0; 0.0 ]; [ 0.0; 5.0; 0.0 ] ])
                    "weights"

                let entries = SparseWeights.ofMatrix true (fun _ _ _ -> true) matrix
                Expect.equal entries.Presynaptic [| 0; 2; 1 |] "connections")
        }

        test "are refused by what is wrong with them" {
            for arrays, said in
                [
                    sparseArrays [ 3 ] [ 0 ] [ 1 ] [ 3; 3 ],
                    "w/row has an index 3; it must be a whole number in 0 .. 2"
                    sparseArrays [ 0 ] [ 0.5 ] [ 1 ] [ 3; 3 ], "w/column has an index 0.5"
                    sparseArrays [ -1 ] [ 0 ] [ 1 ] [ 3; 3 ], "w/row has an index -1"
                    sparseArrays [ nan ] [ 0 ] [ 1 ] [ 3; 3 ], "w/row has an index NaN"
                    sparseArrays [ 0; 0 ] [ 1; 1 ] [ 1; 2 ] [ 3; 3 ],
                    "two weights for row 0, column 1"
                    sparseArrays [ 0; 0 ] [ 1 ] [ 1; 2 ] [ 3; 3 ], "have 2, 1 and 2 numbers"
                    sparseArrays [ 0 ] [ 1 ] [ 1 ] [ 3 ], "w/shape has 1 numbers"
                    sparseArrays [ 0 ] [ 1 ] [ 1 ] [ 3; 3 ] |> List.truncate 3,
                    "w has no w/shape: it was written by an earlier version"
                    [
                        NamedArray("w", [| 3; 3 |], Array.zeroCreate 9)
                        NamedArray("w/exists", [| 3; 2 |], Array.zeroCreate 6)
                    ],
                    "w/exists has shape (3, 2)"
                ] do
                Expect.stringContains (reasonOf arrays) said "reason"
        }

        test "have the shape of their projection" {
            inFolder (fun folder ->
                let file = sparseFile folder (sparseArrays [ 0 ] [ 0 ] [ 1 ] [ 4; 3 ])

                match faults (from file "w") with
                | [ WrongShape(_, "(4, 3)", _) ] -> ()
                | other -> failtest $"{other}")
        }

        test "obey Dale's law and bounds, or are refused by place" {
            inFolder (fun folder ->
                let file = sparseFile folder (sparseArrays [ 1 ] [ 2 ] [ 5 ] [ 3; 3 ])
                let e = from file "w"
                let bounded = e.Circuit |> Circuit.mapProjection "cortex->cortex" (bounds 0.0 1.0)

                match faults { e with Circuit = bounded } with
                | [ NotAllowed("the weight of row 1, column 2", "5", _) ] -> ()
                | other -> failtest $"{other}")
        }

        test "are what numpy and scipy make of them, and back" {
            if not hasScipy.Value then
                skiptest $"{python} has no scipy (Debian: python3-scipy)"

            inFolder (fun folder ->
                let trained = train (experiment "on" (network (density 0.1)) wave |> trials 8)
                saved folder trained |> ignore

                let output =
                    numpy
                        folder
                        "from scipy.sparse import coo_array
w = np.load('weights.npz')
def sparse(name):
    row, column, value, shape = (w[name + '/' + part] for part in ('row', 'column', 'value', 'shape'))
    return coo_array((value, (row, column)), shape=tuple(shape))
m = sparse('final/a->a')
dense = np.zeros(m.shape); dense[m.row, m.col] = m.data
print(m.shape, m.nnz, (m.toarray() == dense).all(), w['final/a->a/row'].dtype, w['final/tau a'].shape)
np.savez('back.npz', **{'w': dense, 's/row': m.row, 's/column': m.col, 's/value': m.data, 's/shape': m.shape})"

                let _, count =
                    let weights =
                        SparseWeights.ofMatrix true (fun _ _ _ -> true) trained.Final["a->a"]

                    weights.RowStart, weights.Values.Length

                Expect.equal output $"(15, 15) {count} True int32 (15,)" "numpy"

                for name in [ "w"; "s" ] do
                    match npz (Path.Combine(folder, "back.npz")) name with
                    | ReadFrom(_, read) ->
                        let matrix =
                            match read () with
                            | Ok(WeightMatrix.Full full) -> full
                            | Ok(WeightMatrix.Sparse weights) ->
                                (SparseWeights.toMatrix weights).ToArray()
                            | Error said -> failtest said

                        Expect.equal matrix (trained.Final["a->a"].ToArray()) name
                    | other -> failtest $"{other}")
        }

        test
            "of twenty thousand units and two million connections are saved and loaded in proportion to these" {
            inFolder (fun folder ->
                let random = Random 5

                let large =
                    SparseWeights.ofRows 20000 20000 true (fun _ ->
                        seq {
                            for k in 0..99 do
                                struct (200 * k + random.Next 200, random.NextDouble() - 0.5)
                        })

                let before = GC.GetAllocatedBytesForCurrentThread()

                let file =
                    sparseFile
                        folder
                        (WeightFiles.arrays true "final/a->a" (SparseWeights.toMatrix large))

                let back =
                    (savedWeights file "final")["a->a"]
                    |> SparseWeights.ofMatrix true (fun _ _ _ -> true)

                // As compressed rows they are 24 MB; a full matrix of floats is 3200 MB.
                let took = GC.GetAllocatedBytesForCurrentThread() - before
                Numbers.isLessThan took 600_000_000L "bytes"
                Expect.isTrue ((back = large)) "the same")
        }

        test "of a run are there by moment, or the message says which are" {
            inFolder (fun folder ->
                let file = saved folder (train (experiment "on" (network id) wave |> trials 1))

                Expect.equal
                    (List.ofSeq (savedWeights folder "initial").Keys)
                    [ "a->a"; "a->b"; "b->a"; "b->y"; "start a"; "tau a" ]
                    "names"

                try
                    savedWeights file "best" |> ignore
                    failtest "there are none"
                with :? RunFileException as e ->
                    Expect.stringContains e.Message "initial and final" "message")
        }
    ]

[<Tests>]
let files = testList "weights in files" [ goingOn; sparse ]

[<Tests>]
let tests =
    testList "weights from a file" [
        test "are the weights that the run begins with" {
            withFile (fun file ->
                match Run.train (from file "good") with
                | Ok trained ->
                    Expect.equal
                        (trained.Initial["cortex->cortex"].ToRowMajorArray())
                        (Array.init 9 float)
                        "initial weights"
                | Error problems -> failtest $"{List.map Problem.text problems}")
        }

        test "must have the projection's shape" {
            withFile (fun file ->
                match faults (from file "small") with
                | [ WrongShape(_, "(2, 3)", expected) ] ->
                    Expect.stringContains expected "(3, 3)" "expected"
                | other -> failtest $"{other}")
        }

        test "must be a matrix" {
            withFile (fun file ->
                Expect.stringContains
                    (reason (faults (from file "flat")))
                    "flat has shape (9,); a matrix of weights has two axes"
                    "reason")
        }

        test "must be there by name" {
            withFile (fun file ->
                Expect.stringContains
                    (reason (faults (from file "god")))
                    "there is no such array. It holds: good, small, flat"
                    "reason")
        }

        test "must be whole" {
            withFile (fun file ->
                let bytes = File.ReadAllBytes file
                File.WriteAllBytes(file, bytes[.. bytes.Length / 2])
                Expect.isNotEmpty (reason (faults (from file "good"))) "reason")
        }

        test "must be in a file that is there" {
            Expect.stringContains
                (reason (faults (from "/nowhere/w.npz" "good")))
                "there is no such file"
                "reason"
        }
    ]
