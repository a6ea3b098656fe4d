/// Rows of few registers have forms of their own, and so has a look back over a whole trial: the same sums as their slow twins.
module Rflo.Core.Tests.ShortRowTests

open System
open System.Numerics
open Expecto
open Rflo.Core

/// Units on both sides of every number of registers from one to ten.
let private units = [ 1..80 ]

type private Kernel<'T
    when 'T: unmanaged
    and 'T: struct
    and 'T: (new: unit -> 'T)
    and 'T: equality
    and 'T :> ValueType
    and 'T :> IFloatingPointIeee754<'T>>(tolerance: float) =
    let one (x: float) : 'T = 'T.CreateTruncating x
    let back (x: 'T) = Double.CreateTruncating x
    let read (xs: 'T[]) = ReadOnlySpan<'T> xs
    let write (xs: 'T[]) = Span<'T> xs
    let r n = read (Array.zeroCreate<'T> n)
    let w n = write (Array.zeroCreate<'T> n)

    /// Rows of so many numbers, padded with zeros to whole registers.
    let padded seed rows columns =
        let random = Random(seed: int)
        let stride = Simd.Padded<'T> columns

        Array.init (rows * stride) (fun k ->
            if k % stride < columns then
                one (2.0 * random.NextDouble() - 1.0)
            else
                'T.Zero)

    let near what (found: 'T) expected =
        Numbers.isLessThanOrEqual
            (abs (back found - expected))
            (tolerance * (1.0 + abs expected))
            what

    /// Whole registers of 256 bits, as those who know the padding tell it.
    let paddingOf columns =
        let half = Simd.NarrowCount<'T>()
        Simd.Padded<'T> columns - (columns + half - 1) / half * half

    member _.Padding() =
        for columns in units do
            for rows in [ 1; 4; 7; 8; 12; 19; 52 ] do
                let matrix, vector = padded 1 rows columns, padded 2 1 columns

                let product padding backward =
                    let result = Array.create rows (one 7.0)

                    Kernels.Multiply(
                        read matrix,
                        read vector,
                        write result,
                        backward = backward,
                        padding = padding
                    )

                    result

                let whole = product 0 false
                let what = $"{rows} x {columns}"
                Expect.sequenceEqual (product (paddingOf columns) false) whole what
                Expect.sequenceEqual (product (paddingOf columns) true) whole $"{what}, backward"

    member _.LookBack() =
        for n in units do
            for steps in [ 0; 1; 2; 5 ] do
                let stride = Simd.Padded<'T> n
                let weights, decay = padded 1 n n, padded 2 1 n
                let post, told = padded 3 steps n, padded 4 steps n
                let credit, delta = Array.copy told, Array.create (steps * stride) 'T.Zero
                Kernels.LookBack(read weights, n, read decay, read post, write credit, write delta)

                // Errors of single precision grow with the credit that is carried back.
                let z, d = Array2D.zeroCreate (steps + 1) n, Array2D.zeroCreate (steps + 1) n

                for t in steps - 1 .. -1 .. 0 do
                    for j in 0 .. n - 1 do
                        let through =
                            Seq.sum (
                                seq {
                                    for i in 0 .. n - 1 ->
                                        back weights[i * stride + j] * d[t + 1, i]
                                }
                            )

                        z[t, j] <- back told[t * stride + j] + back decay[j] * z[t + 1, j] + through

                        d[t, j] <- z[t, j] * back post[t * stride + j]

                let largest = z |> Seq.cast<float> |> Seq.fold (fun m x -> max m (abs x)) 1.0

                for t in 0 .. steps - 1 do
                    for j in 0 .. n - 1 do
                        let what = $"step {t} of {steps}, unit {j} of {n}"
                        let at = t * stride + j
                        near $"credit, {what}" (credit[at] / one largest) (z[t, j] / largest)
                        near $"delta, {what}" (delta[at] / one largest) (d[t, j] / largest)

                    for j in n .. stride - 1 do
                        Expect.equal delta[t * stride + j] 'T.Zero "padding"

    /// What is told may be one column times errors that lie apart: the same as the rows that they make.
    member _.LookBackOfColumn() =
        for n in units do
            for steps in [ 0; 1; 2; 5 ] do
                let stride, apart = Simd.Padded<'T> n, 3
                let weights, decay, post = padded 1 n n, padded 2 1 n, padded 3 steps n
                let column, errors = padded 4 1 n, padded 5 1 (steps * apart + 1)

                let told =
                    Array.init (steps * stride) (fun k ->
                        errors[k / stride * apart] * column[k % stride])

                let look credit (column: 'T[]) =
                    let delta = Array.create (steps * stride) 'T.Zero

                    Kernels.LookBack(
                        read weights,
                        n,
                        read decay,
                        read post,
                        write credit,
                        write delta,
                        read column,
                        read errors,
                        apart
                    )

                    delta

                let rows, own = Array.copy told, Array.create (steps * stride) (one 7.0)
                let expected, found = look rows [||], look own column

                for t in 0 .. steps - 1 do
                    for j in 0 .. n - 1 do
                        let at = t * stride + j
                        let what = $"step {t} of {steps}, unit {j} of {n}"
                        near $"delta, {what}" found[at] (back expected[at])
                        near $"credit, {what}" own[at] (back rows[at])

    member _.Scale() =
        for n in 0..70 do
            let x, y = Array.init n (fun k -> one (float k - 3.5)), Array.create n (one 7.0)
            Kernels.Scale(read x, one 0.5, write y)

            for k in 0 .. n - 1 do
                near $"scaled [{k}]" y[k] (0.5 * back x[k])

    /// A column of the weights that is not a number reaches its unit, and through it every one of the step before.
    member _.NaN() =
        let n = 50
        let stride = Simd.Padded<'T> n
        let weights, decay, post = padded 1 n n, padded 2 1 n, padded 3 3 n
        weights[7 * stride + 4] <- 'T.NaN
        let credit, delta = padded 4 3 n, Array.create (3 * stride) 'T.Zero
        Kernels.LookBack(read weights, n, read decay, read post, write credit, write delta)

        let lost t =
            Seq.length (Seq.filter 'T.IsNaN delta[t * stride .. t * stride + n - 1])

        Expect.equal
            [ lost 2; lost 1; lost 0 ]
            [ 0; 1; n ]
            "units that are lost, from the last step back"

    member _.Shapes() =
        let raises (parameter: string) (action: unit -> unit) =
            Expect.throwsC action (fun refused ->
                Expect.stringContains refused.Message parameter "names the parameter")

        let look weights units post credit delta () =
            Kernels.LookBack(r weights, units, r 16, r post, w credit, w delta)

        raises "weights" (look 255 16 32 32 32)
        raises "units" (look 272 17 32 32 32)
        raises "post" (look 256 16 31 32 32)
        raises "credit" (look 256 16 32 31 32)
        raises "delta" (look 256 16 32 32 31)

        let ofColumn column errors () =
            Kernels.LookBack(r 256, 16, r 16, r 32, w 32, w 32, r column, r errors, 2)

        raises "column" (ofColumn 15 3)
        raises "errors" (ofColumn 16 2)
        raises "x" (fun () -> Kernels.Scale(r 3, 'T.One, w 4))

    member this.All = [
        test "zeros that are known give the same bits, from either end" { this.Padding() }
        test "a look back over a trial is its formula" { this.LookBack() }
        test "a look back on errors of one column is one on the rows that they make" {
            this.LookBackOfColumn()
        }
        test "a scaled vector is its formula" { this.Scale() }
        test "NaN is carried back" { this.NaN() }
        test "wrong shapes are refused by the name of the parameter" { this.Shapes() }
    ]

[<Tests>]
let tests =
    testList "kernels of short rows" [
        testList "double" (Kernel<float>(1e-13).All)
        testList "single" (Kernel<float32>(1e-5).All)
    ]

/// Arrays that are large enough to ask for large pages are what small ones are.
[<Tests>]
let arrays =
    testList "arrays" [
        for length in
            [
                1
                1000
                LargePages.LeastBytes / 8 + 3
                5 * LargePages.LeastBytes / 8
            ] do
            test $"{length} numbers are zero, and all there" {
                let array = AlignedArray<float> length
                Expect.equal array.Span.Length length "length"
                Expect.isTrue (array.Span.IndexOfAnyExcept 0.0 = -1) "zeros"
                array.Span.Fill 1.5
                Expect.isTrue (array.Span.IndexOfAnyExcept 1.5 = -1) "what was written"
            }
    ]
