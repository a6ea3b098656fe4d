namespace Rflo.Dsl

open System
open MathNet.Numerics.LinearAlgebra
open MathNet.Numerics.LinearAlgebra.Double
open MathNet.Numerics.LinearAlgebra.Storage

/// The connections that exist between two groups of units, and their weights. A connection with weight 0 exists too: a weight that
/// Dale's law or a bound holds at 0 may grow again.
[<RequireQualifiedAccess; CustomEquality; NoComparison>]
type SparseWeights = {
    /// Postsynaptic units.
    Rows: int
    /// Presynaptic units.
    Columns: int
    /// Where the connections of each row begin, and where those of the last end, shape (rows + 1).
    RowStart: int[]
    /// The presynaptic unit of every connection, rising within a row.
    Presynaptic: int[]
    /// The weight of every connection.
    Values: float[]
    /// Whether the core stores only these connections, or full rows and a mask. The order of sums differs, so the last bits of a run
    /// depend on it.
    IsCompressed: bool
} with

    override this.Equals other =
        match other with
        | :? SparseWeights as that ->
            Object.ReferenceEquals(this, that)
            || (this.Rows = that.Rows
                && this.Columns = that.Columns
                && this.IsCompressed = that.IsCompressed
                && this.RowStart.AsSpan().SequenceEqual(that.RowStart.AsSpan())
                && this.Presynaptic.AsSpan().SequenceEqual(that.Presynaptic.AsSpan())
                && this.Values.AsSpan().SequenceEqual(that.Values.AsSpan()))
        | _ -> false

    override this.GetHashCode() =
        hash (this.Rows, this.Columns, this.Values.Length)

/// A matrix of weights, shape (post, pre), that is given or read: of all connections, or of those that exist.
[<RequireQualifiedAccess>]
type WeightMatrix =
    | Full of float[,]
    | Sparse of SparseWeights

    /// Postsynaptic units.
    member this.Rows =
        match this with
        | Full matrix -> matrix.GetLength 0
        | Sparse weights -> weights.Rows

    /// Presynaptic units.
    member this.Columns =
        match this with
        | Full matrix -> matrix.GetLength 1
        | Sparse weights -> weights.Columns

/// Sparse weights as MathNet matrices and back. MathNet's compressed rows keep stored zeros, so the stored entries of such a matrix
/// are the connections that exist.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module SparseWeights =

    /// Rows of connections from those of each row, in order.
    let ofRows
        rows
        columns
        isCompressed
        (entries: int -> struct (int * float) seq)
        : SparseWeights =
        let start = Array.zeroCreate (rows + 1)
        let presynaptic, values = ResizeArray(), ResizeArray()

        for i in 0 .. rows - 1 do
            for struct (j, value) in entries i do
                presynaptic.Add j
                values.Add value

            start[i + 1] <- values.Count

        {
            Rows = rows
            Columns = columns
            RowStart = start
            Presynaptic = presynaptic.ToArray()
            Values = values.ToArray()
            IsCompressed = isCompressed
        }

    /// The weights as a matrix that stores every connection that exists, those of weight 0 too.
    let toMatrix (weights: SparseWeights) : Matrix<float> =
        let matrix = SparseMatrix(weights.Rows, weights.Columns)

        match matrix.Storage with
        | :? SparseCompressedRowMatrixStorage<float> as storage ->
            Array.blit weights.RowStart 0 storage.RowPointers 0 weights.RowStart.Length
            storage.ColumnIndices <- Array.copy weights.Presynaptic
            storage.Values <- Array.copy weights.Values
        | _ -> invalidOp "a sparse matrix has compressed rows"

        matrix

    /// Whether the stored entries of a matrix are the connections that exist.
    let isStored (matrix: Matrix<float>) =
        matrix.Storage :? SparseCompressedRowMatrixStorage<float>

    /// How many connections a matrix stores.
    let count (matrix: Matrix<float>) =
        match matrix.Storage with
        | :? SparseCompressedRowMatrixStorage<float> as storage -> float storage.ValueCount
        | _ -> float matrix.RowCount * float matrix.ColumnCount

    /// The connections of a matrix: its stored entries, zero or not; of a full matrix, those for which `exists` is true of place
    /// and weight.
    let ofMatrix isCompressed exists (matrix: Matrix<float>) : SparseWeights =
        match matrix.Storage with
        | :? SparseCompressedRowMatrixStorage<float> as storage ->
            let count = storage.ValueCount
            let columns = Array.sub storage.ColumnIndices 0 count
            let values = Array.sub storage.Values 0 count

            // Products of sparse matrices need not keep the order within a row.
            for i in 0 .. matrix.RowCount - 1 do
                let first, last = storage.RowPointers[i], storage.RowPointers[i + 1] - 1

                if
                    Seq.exists (fun k -> columns[k] > columns[k + 1]) (seq { first .. last - 1 })
                then
                    Array.Sort(columns, values, first, last - first + 1)

            {
                Rows = matrix.RowCount
                Columns = matrix.ColumnCount
                RowStart = Array.sub storage.RowPointers 0 (matrix.RowCount + 1)
                Presynaptic = columns
                Values = values
                IsCompressed = isCompressed
            }
        | _ ->
            ofRows matrix.RowCount matrix.ColumnCount isCompressed (fun i ->
                seq {
                    for j in 0 .. matrix.ColumnCount - 1 do
                        if exists i j matrix[i, j] then
                            struct (j, matrix[i, j])
                })

    /// The weight from presynaptic unit j to postsynaptic unit i; none where there is no connection.
    let tryItem i j (weights: SparseWeights) =
        let first = weights.RowStart[i]

        match
            Array.BinarySearch(weights.Presynaptic, first, weights.RowStart[i + 1] - first, j)
        with
        | k when k >= 0 -> Some weights.Values[k]
        | _ -> None
