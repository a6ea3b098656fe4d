namespace Rflo.Host

open System
open MathNet.Numerics.LinearAlgebra
open Rflo.Dsl
open Rflo.Runs

/// Weights in files.
[<AutoOpen>]
module WeightFiles =

    /// The arrays of a projection's weights. Where some connections do not exist, NAME/exists marks those that do; where the core
    /// stores those only, there are NAME/row, /column and /value of them, and /shape, instead.
    let internal arrays isCompressed name (matrix: Matrix<float>) =
        let rows, columns = matrix.RowCount, matrix.ColumnCount

        let full () =
            NamedArray(name, [| rows; columns |], matrix.ToRowMajorArray())

        if not (SparseWeights.isStored matrix) then
            [ full () ]
        else
            let weights = SparseWeights.ofMatrix isCompressed (fun _ _ _ -> true) matrix
            let row = Array.zeroCreate weights.Values.Length

            for i in 0 .. rows - 1 do
                Array.fill row weights.RowStart[i] (weights.RowStart[i + 1] - weights.RowStart[i]) i

            if isCompressed then
                let indices part (values: int[]) =
                    NamedArray(
                        $"{name}/{part}",
                        [| values.Length |],
                        Array.map float values,
                        NpzType.Index
                    )

                [
                    indices "row" row
                    indices "column" weights.Presynaptic
                    NamedArray($"{name}/value", [| weights.Values.Length |], weights.Values)
                    indices "shape" [| rows; columns |]
                ]
            else
                let exists = Array.zeroCreate (rows * columns)
                Array.iter2 (fun i j -> exists[i * columns + j] <- 1.0) row weights.Presynaptic

                [
                    full ()
                    NamedArray($"{name}/exists", [| rows; columns |], exists, NpzType.Flag)
                ]

    let private shapeText (shape: int[]) =
        match shape with
        | [| length |] -> $"({length},)"
        | _ -> "(" + (shape |> Array.map string |> String.concat ", ") + ")"

    let private matrixOf (array: NamedArray) =
        match array.Shape with
        | [| rows; columns |] ->
            Ok(Array2D.init rows columns (fun i j -> array.Values[i * columns + j]))
        | shape ->
            Error
                $"{array.Name} has shape {shapeText shape}; a matrix of weights has two axes, (post, pre)"

    /// A full matrix, with another that marks the connections that exist.
    let private masked (array: NamedArray) (exists: NamedArray) =
        matrixOf array
        |> Result.bind (fun matrix ->
            if exists.Shape <> array.Shape then
                Error
                    $"{exists.Name} has shape {shapeText exists.Shape}; it must be that of {array.Name}, {shapeText array.Shape}"
            else
                let columns = matrix.GetLength 1

                SparseWeights.ofRows (matrix.GetLength 0) columns false (fun i ->
                    seq {
                        for j in 0 .. columns - 1 do
                            if exists.Values[i * columns + j] <> 0.0 then
                                struct (j, matrix[i, j])
                    })
                |> WeightMatrix.Sparse
                |> Ok)

    /// Indices that are whole numbers below a length, or the first that is none.
    let private indices (length: int) (array: NamedArray) =
        match
            array.Values
            |> Array.tryFind (fun value ->
                not (value >= 0.0 && value < float length && value = Math.Floor value))
        with
        | Some wrong ->
            Error
                $"{array.Name} has an index {string wrong}; it must be a whole number in 0 .. {length - 1}"
        | None -> Ok(Array.map int array.Values)

    /// Connections in any order, as those of scipy's coo_array.
    let private ofEntries name rows columns (row: int[]) (column: int[]) (values: float[]) =
        let key k =
            int64 row[k] * int64 columns + int64 column[k]

        let order = Array.init values.Length id
        let keys = Array.map key order
        Array.Sort(keys, order)

        match Seq.tryFind (fun k -> keys[k] = keys[k + 1]) (seq { 0 .. keys.Length - 2 }) with
        | Some place ->
            let k = order[place]

            Error
                $"{name} has two weights for row {row[k]}, column {column[k]}; save each connection once (scipy: sum_duplicates())"
        | None ->
            let start = Array.zeroCreate (rows + 1)

            for i in row do
                start[i + 1] <- start[i + 1] + 1

            for i in 0 .. rows - 1 do
                start[i + 1] <- start[i + 1] + start[i]

            Ok(
                WeightMatrix.Sparse {
                    SparseWeights.Rows = rows
                    Columns = columns
                    RowStart = start
                    Presynaptic = order |> Array.map (fun k -> column[k])
                    Values = order |> Array.map (fun k -> values[k])
                    IsCompressed = true
                }
            )

    let private sparse name (read: string -> NamedArray) =
        let row, column, value =
            read $"{name}/row", read $"{name}/column", read $"{name}/value"

        match (read $"{name}/shape").Values with
        | [| rows; columns |] when
            rows >= 1.0
            && columns >= 1.0
            && rows <= float Array.MaxLength
            && columns <= float Array.MaxLength
            && row.Values.Length = value.Values.Length
            && column.Values.Length = value.Values.Length
            ->
            match indices (int rows) row, indices (int columns) column with
            | Ok row, Ok column -> ofEntries name (int rows) (int columns) row column value.Values
            | Error reason, _
            | _, Error reason -> Error reason
        | [| _; _ |] ->
            Error
                $"{name}/row, /column and /value have {row.Values.Length}, {column.Values.Length} and {value.Values.Length} numbers; they must have as many, and {name}/shape must be two numbers of units"
        | shape -> Error $"{name}/shape has {shape.Length} numbers; it must have two, (post, pre)"

    let private read file name =
        let names = Npz.Names file |> Set.ofSeq
        let read name = Npz.ReadArray(file, name)

        if names.Contains name then
            if names.Contains $"{name}/exists" then
                masked (read name) (read $"{name}/exists")
            else
                matrixOf (read name) |> Result.map WeightMatrix.Full
        elif names.Contains $"{name}/value" && not (names.Contains $"{name}/shape") then
            Error
                $"{name} has no {name}/shape: it was written by an earlier version, which lost its shape and its connections of weight 0. Run the experiment again, or save the array {name}/shape beside the others with numpy.savez, to begin without these connections"
        elif names.Contains $"{name}/value" then
            sparse name read
        else
            // A missing name is left to the reader, whose message lists the names of the file.
            matrixOf (read name) |> Result.map WeightMatrix.Full

    /// `npz "runs/p1/weights.npz" "final/cortex->cortex"` starts from those weights of that file, of shape (post, pre): an array, or
    /// the arrays that a run writes for a projection without all connections. The missing connections do not exist here either;
    /// those of weight 0 do. The file is read when the experiment is checked. A relative path starts from the current folder.
    let npz file name =
        ReadFrom(
            $"{file}, {name}",
            fun () ->
                try
                    read file name
                with :? RunFileException as e ->
                    Error $"{e.Problem}. {e.Remedy}"
        )

    /// `savedWeights "runs/p1" "final"` is the final weights of that run (or "initial", or "best" where it was kept): the weights
    /// of every projection by name, and learned time constants, for `Circuit.withWeights` and `Run.performWith`. The path may
    /// also be that of an .npz file. A RunFileException has the reason where it cannot be read.
    let savedWeights (run: string) (moment: string) : Map<string, Matrix<float>> =
        let file =
            if IO.Directory.Exists run then
                IO.Path.Combine(run, "weights.npz")
            else
                run

        let names = Npz.Names file |> Set.ofSeq

        let isPart (name: string) =
            match name.LastIndexOf '/' with
            | -1 -> false
            | slash ->
                let whole = name.Substring(0, slash)

                match name.Substring(slash + 1) with
                | "exists" -> names.Contains whole
                | "row"
                | "column"
                | "shape" -> names.Contains $"{whole}/value"
                | _ -> false

        /// The name of a matrix among the arrays that it is saved as.
        let nameOf (array: string) =
            let whole = array.Substring(moment.Length + 1)

            if
                array.EndsWith("/value", StringComparison.Ordinal)
                && names.Contains(array.Substring(0, array.Length - "value".Length) + "row")
            then
                whole.Substring(0, whole.Length - "/value".Length)
            else
                whole

        let matrix (name: string) =
            if
                name.StartsWith("tau ", StringComparison.Ordinal)
                || name.StartsWith("start ", StringComparison.Ordinal)
            then
                let ofUnits = Npz.ReadArray(file, $"{moment}/{name}")
                Matrix<float>.Build.Dense(ofUnits.Values.Length, 1, ofUnits.Values)
            else
                match read file $"{moment}/{name}" with
                | Ok(WeightMatrix.Full full) -> Matrix<float>.Build.DenseOfArray full
                | Ok(WeightMatrix.Sparse weights) -> SparseWeights.toMatrix weights
                | Error reason ->
                    raise (RunFileException(file, $"{moment}/{name}", "cannot be loaded", reason))

        let found = [
            for name in names do
                if name.StartsWith($"{moment}/", StringComparison.Ordinal) && not (isPart name) then
                    nameOf name
        ]

        if List.isEmpty found then
            raise (
                RunFileException(
                    file,
                    null,
                    $"holds no weights called {moment}/",
                    "There are initial and final ones, and best ones of a run with keepBest."
                )
            )

        Map.ofList [ for name in found -> name, matrix name ]
