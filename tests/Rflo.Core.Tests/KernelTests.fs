/// Every kernel is its slow twin, for all lengths around the vector width, in double and in single precision; it
/// lets NaN through, leaves its neighbours alone, and refuses wrong shapes by name.
module Rflo.Core.Tests.KernelTests

open System
open System.Numerics
open Expecto
open Rflo.Core

/// Lengths on both sides of every vector width that there is.
let private lengths = [ 0..70 ]
let private rowCounts = [ 0; 1; 2; 3; 4; 5; 7; 8; 9; 12; 15; 16; 17; 24; 33 ]

let private numbers seed count =
    let random = Random(seed: int)
    Array.init count (fun _ -> 2.0 * random.NextDouble() - 1.0)

let private square seed rows columns =
    let flat = numbers seed (rows * columns)
    Array2D.init rows columns (fun i j -> flat[i * columns + j])

let private flat (matrix: 'a[,]) = Seq.toArray (Seq.cast<'a> matrix)

/// A matrix with rows further apart than they are long; what lies between is 7.
let private spaced stride (matrix: float[,]) =
    let rows, columns = Array2D.length1 matrix, Array2D.length2 matrix

    Array.init (rows * stride) (fun k ->
        if k % stride < columns then
            matrix[k / stride, k % stride]
        else
            7.0)

let private raises parameter (action: unit -> unit) =
    try
        action ()
        failtest $"took a wrong {parameter}"
    with :? ArgumentException as refused ->
        Expect.stringContains refused.Message parameter "names the parameter"

/// The tests of all kernels in one precision; sums of 70 products agree to the tolerance.
type Kernel<'T
    when 'T: unmanaged
    and 'T: struct
    and 'T: (new: unit -> 'T)
    and 'T: equality
    and 'T :> ValueType
    and 'T :> IFloatingPointIeee754<'T>>(tolerance: float) =
    let convert (xs: float[]) : 'T[] = xs |> Array.map 'T.CreateTruncating
    let one (x: float) : 'T = 'T.CreateTruncating x
    let back (xs: 'T[]) = xs |> Array.map Double.CreateTruncating
    let width = Kernels.PanelColumns<'T>()
    // What single precision makes of a number: both twins begin with the same ones.
    let seen xs = back (convert xs)
    let seen2 = Array2D.map (fun x -> Double.CreateTruncating(one x))
    let read (xs: 'T[]) = ReadOnlySpan<'T> xs
    let write (xs: 'T[]) = Span<'T> xs
    let r n = read (Array.zeroCreate<'T> n)
    let w n = write (Array.zeroCreate<'T> n)

    let same what (ours: 'T[]) (expected: float[]) =
        Expect.equal ours.Length expected.Length $"{what}: length"

        for k in 0 .. expected.Length - 1 do
            let a, b = Double.CreateTruncating ours[k], expected[k]

            if not (Double.IsNaN a && Double.IsNaN b) then
                Numbers.isLessThanOrEqual (abs (a - b)) (tolerance * (1.0 + abs b)) $"{what} [{k}]"

    member _.Multiply() =
        for rows in rowCounts do
            for columns in lengths do
                let matrix, vector = seen2 (square 1 rows columns), seen (numbers 2 columns)
                let result, backward = Array.create rows (one 7.0), Array.create rows (one 7.0)
                let ours, signals = convert (flat matrix), convert vector
                Kernels.Multiply(read ours, read signals, write result)
                same $"{rows} x {columns}" result (Reference.multiply matrix vector)
                Kernels.Multiply(read ours, read signals, write backward, true)
                Expect.sequenceEqual backward result "the same bits in the other order"

    member _.MultiplyBoth() =
        for rows in rowCounts do
            for columns in lengths do
                let matrix, vector =
                    convert (numbers 1 (rows * columns)), convert (numbers 2 columns)

                let beside = convert (numbers 3 columns)

                let alone (vector: 'T[]) =
                    let result = Array.create rows (one 7.0)
                    Kernels.Multiply(read matrix, read vector, write result)
                    result

                for backward in [ false; true ] do
                    let first, second = Array.create rows (one 7.0), Array.create rows (one 7.0)

                    Kernels.MultiplyBoth(
                        read matrix,
                        read vector,
                        read beside,
                        write first,
                        write second,
                        backward
                    )

                    Expect.sequenceEqual first (alone vector) $"{rows} x {columns}: the bits of one"

                    Expect.sequenceEqual
                        second
                        (alone beside)
                        $"{rows} x {columns}: and of the other"

    member _.MultiplyLanes() =
        for rows in [ 0; 4; 8; 20; 36 ] do
            for columns in [ 0..10 ] |> List.map (fun k -> k * Simd.Count<'T>()) do
                for lanes in 0..9 do
                    let matrix, vectors =
                        convert (numbers 1 (rows * columns)), convert (numbers 2 (lanes * columns))

                    let together = Array.create (lanes * rows + 1) (one 7.0)

                    Kernels.MultiplyLanes(
                        read matrix,
                        columns,
                        read vectors,
                        write together,
                        rows,
                        lanes
                    )

                    let alone = [|
                        for lane in 0 .. lanes - 1 do
                            let result = Array.create rows (one 7.0)

                            Kernels.Multiply(
                                read matrix,
                                read vectors[lane * columns .. (lane + 1) * columns - 1],
                                write result
                            )

                            yield! result
                        one 7.0
                    |]

                    Expect.sequenceEqual
                        together
                        alone
                        $"{rows} x {columns}, {lanes} lanes: the bits of one after the other"

    member _.AddTransposedLanes() =
        // Rows are taken by 64, columns by eight registers.
        for rows in [ 0; 1; 5; 63; 64; 65; 130 ] do
            for columns in [ 0..19 ] |> List.map (fun k -> k * Simd.Count<'T>()) do
                for lanes in [ 0; 1; 2; 3; 4; 5; 7; 8; 9 ] do
                    let stride = rows + 3

                    let matrix, vectors =
                        convert (numbers 1 (rows * columns)), convert (numbers 2 (lanes * stride))

                    let before = convert (numbers 3 (lanes * columns + 1))
                    let together = Array.copy before

                    Kernels.AddTransposedLanes(
                        read matrix,
                        columns,
                        read vectors,
                        stride,
                        write together,
                        rows,
                        lanes
                    )

                    let alone = [|
                        for lane in 0 .. lanes - 1 do
                            let result = before[lane * columns .. (lane + 1) * columns - 1]

                            Kernels.AddTransposed(
                                read matrix,
                                read vectors[lane * stride .. lane * stride + rows - 1],
                                write result
                            )

                            yield! result
                        before[lanes * columns]
                    |]

                    Expect.sequenceEqual
                        together
                        alone
                        $"{rows} x {columns}, {lanes} lanes: the bits of one after the other"

    member _.AccumulateOuterByThreads() =
        // Enough to do for four threads, and a last block of rows that is not full.
        for rows, columns, steps in [ 130, 208, 160; 7, 24, 30; 128, 256, 40 ] do
            let post, pre =
                convert (numbers 1 (steps * rows)), convert (numbers 2 (steps * columns))

            let before = convert (numbers 3 (rows * columns))

            let by threads =
                let result = Array.copy before

                Kernels.AccumulateOuterByThreads(
                    read post,
                    rows,
                    read pre,
                    columns,
                    steps,
                    one 0.3,
                    write result,
                    columns,
                    rows,
                    columns,
                    threads
                )

                result

            for threads in 2..5 do
                Expect.sequenceEqual
                    (by threads)
                    (by 1)
                    $"{rows} x {columns}, {steps} steps, {threads} threads: the bits of one"

    member _.MultiplyTransposed() =
        for rows in rowCounts do
            for columns in lengths do
                let matrix, vector = seen2 (square 1 rows columns), seen (numbers 2 rows)
                let result = Array.create columns (one 7.0)

                Kernels.MultiplyTransposed(
                    read (convert (flat matrix)),
                    read (convert vector),
                    write result
                )

                same $"{rows} x {columns}" result (Reference.multiplyTransposed matrix vector)

    member _.AddTransposed() =
        for rows in rowCounts do
            for columns in lengths do
                let matrix, vector = seen2 (square 1 rows columns), seen (numbers 2 rows)
                let before = seen (numbers 3 columns)
                let result = convert before

                Kernels.AddTransposed(
                    read (convert (flat matrix)),
                    read (convert vector),
                    write result
                )

                same
                    $"{rows} x {columns}"
                    result
                    (Array.map2 (+) before (Reference.multiplyTransposed matrix vector))

    /// A sum does not depend on how many others are made beside it: whoever takes rows one by one, or steps together, gets
    /// the same bits.
    member _.SumsAlike() =
        for columns in lengths do
            let matrix, vector = convert (numbers 1 (15 * columns)), convert (numbers 2 columns)
            let together = Array.zeroCreate 15
            Kernels.Multiply(read matrix, read vector, write together)

            for row in 0..14 do
                let alone = Array.zeroCreate 1
                let own = matrix[row * columns .. (row + 1) * columns - 1]
                Kernels.Multiply(read own, read vector, write alone)
                Expect.equal together[row] alone[0] $"row {row} of {columns} columns"

    member _.MultiplyPanel() =
        for rows in [ 0; 4; 8; 12; 20 ] do
            for columns in [ 0..19 ] do
                let a, b = seen2 (square 1 rows columns), seen2 (square 2 columns width)
                let stride = columns + 3
                let result = Array.create (rows * width) (one 7.0)

                Kernels.MultiplyPanel(
                    read (convert (spaced stride a)),
                    rows,
                    columns,
                    stride,
                    read (convert (flat b)),
                    write result
                )

                same $"{rows} x {columns}" result (flat (Reference.product a b))

    member _.AccumulateOuter() =
        for rows in [ 0; 1; 3; 4; 5; 8; 11 ] do
            for columns in lengths do
                for steps in [ 0; 1; 5 ] do
                    let post, pre = seen2 (square 1 steps rows), seen2 (square 2 steps columns)
                    let before = seen2 (square 3 rows columns)
                    let result = convert (spaced (columns + 2) before)

                    Kernels.AccumulateOuter(
                        read (convert (spaced (rows + 1) post)),
                        rows + 1,
                        read (convert (spaced (columns + 3) pre)),
                        columns + 3,
                        steps,
                        one 0.5,
                        write result,
                        columns + 2,
                        rows,
                        columns
                    )

                    same
                        $"{steps} steps of {rows} x {columns}"
                        result
                        (spaced (columns + 2) (Reference.accumulateOuter post pre 0.5 before))

    member _.AdvanceTrace() =
        for n in lengths do
            let trace, weights, pre = seen (numbers 1 n), seen (numbers 2 n), seen (numbers 3 n)
            let e, w = convert trace, convert weights

            Kernels.AdvanceTrace(write e, write w, one 0.75, one 0.5, read (convert pre), one -0.25)

            let expected = Array.map2 (fun e s -> 0.75 * e + 0.5 * s) trace pre
            same $"trace of {n}" e expected
            same $"weights of {n}" w (Array.map2 (fun w e -> w - 0.25 * e) weights expected)

    /// The one pass is the three operations one after the other, in either direction.
    member _.AdvanceTraces() =
        for rows in [ 0; 1; 2; 3; 6; 9 ] do
            for registers in 0..5 do
                for backward in [ false; true ] do
                    // Whole registers of 256 bits, and five numbers of something else behind them in every row.
                    let columns = registers * Simd.NarrowCount<'T>()
                    let stride = columns + 5

                    let trace, weights =
                        seen2 (square 1 rows columns), seen2 (square 2 rows columns)

                    let decay, post, told =
                        seen (numbers 3 rows), seen (numbers 4 rows), seen (numbers 5 rows)

                    let pre, next = seen (numbers 6 columns), seen (numbers 7 columns)
                    let e, w = convert (spaced stride trace), convert (spaced stride weights)
                    let current = Array.create rows (one 7.0)

                    Kernels.AdvanceTraces(
                        write e,
                        write w,
                        stride,
                        read (convert decay),
                        read (convert post),
                        read (convert pre),
                        read (convert told),
                        one 0.5,
                        read (convert next),
                        write current,
                        backward
                    )

                    let what = $"of {rows} x {columns}"

                    let traced =
                        trace |> Array2D.mapi (fun i j e -> decay[i] * e + post[i] * pre[j])

                    let learned =
                        weights |> Array2D.mapi (fun i j w -> w + 0.5 * told[i] * traced[i, j])

                    same $"traces {what}" e (spaced stride traced)
                    same $"weights {what}" w (spaced stride learned)
                    same $"currents {what}" current (Reference.multiply learned next)

    member _.AddPending() =
        for registers in 0..9 do
            for steps in [ 0; 1; 2; 7 ] do
                for decaySame, toldSame in [ true, false; false, false; false, true ] do
                    let n = registers * Simd.Count<'T>()

                    let rows seed isSame =
                        seen2 (square seed (if isSame then 1 else steps) n)

                    let post, decay, told = rows 1 false, rows 2 decaySame, rows 3 toldSame
                    let overlap, before = seen (numbers 4 steps), seen (numbers 5 n)
                    let current = convert before

                    let post' = convert (flat post)
                    let decay', told' = convert (flat decay), convert (flat told)

                    Kernels.AddPending(
                        StepRows<'T>(read post'),
                        StepRows<'T>(read decay', decaySame),
                        StepRows<'T>(read told', toldSame),
                        read (convert overlap),
                        one 0.5,
                        write current
                    )

                    let expected =
                        before
                        |> Array.mapi (fun i u ->
                            let at (matrix: float[,]) isSame t =
                                matrix[(if isSame then 0 else t), i]

                            let folder (f, sum) t =
                                let f = at decay decaySame t * f + post[t, i] * overlap[t]
                                f, sum + at told toldSame t * f

                            u + 0.5 * snd (Seq.fold folder (0.0, 0.0) (seq { 0 .. steps - 1 })))

                    same $"currents of {steps} steps of {n}" current expected
                    let first, second = convert before, convert before

                    Kernels.AddPendingBoth(
                        StepRows<'T>(read post'),
                        StepRows<'T>(read decay', decaySame),
                        StepRows<'T>(read told', toldSame),
                        read (convert (Array.map ((*) -2.0) overlap)),
                        read (convert overlap),
                        one 0.5,
                        write first,
                        write second
                    )

                    Expect.sequenceEqual second current "the bits of one row alone"
                    let ofFirst = Array.map2 (fun u v -> u - 2.0 * (v - u)) before expected
                    same $"the first of two, {steps} steps of {n}" first ofFirst

                    // Every step is told the same vector: that is one column, and errors of one.
                    if toldSame then
                        let byColumn = convert before
                        let errors = Array.create steps (one 1.0)

                        Kernels.AddPending(
                            StepRows<'T>(read post'),
                            StepRows<'T>(read decay', decaySame),
                            read errors,
                            read told',
                            read (convert overlap),
                            one 0.5,
                            write byColumn
                        )

                        same $"currents of {steps} steps of {n}, by a column" byColumn expected

                        let errors = seen (numbers 6 steps)
                        let once, twice = convert before, convert before

                        let scaled = Array2D.init steps n (fun t i -> errors[t] * told[0, i])
                        let scaled' = convert (flat scaled)

                        Kernels.AddPending(
                            StepRows<'T>(read post'),
                            StepRows<'T>(read decay', decaySame),
                            StepRows<'T>(read scaled'),
                            read (convert overlap),
                            one 0.5,
                            write once
                        )

                        Kernels.AddPending(
                            StepRows<'T>(read post'),
                            StepRows<'T>(read decay', decaySame),
                            read (convert errors),
                            read told',
                            read (convert overlap),
                            one 0.5,
                            write twice
                        )

                        same $"errors times a column, {steps} steps of {n}" twice (back once)

    /// The one pass is two sums over the matrix as it is, its change, and a sum over what it has become.
    /// The one pass is two sums over the matrix as it is, its change, and a sum over what it has become; in either direction.
    member _.AdvanceSensitivity() =
        for rows in [ 0; 1; 3; 4; 6; 8; 13; 17 ] do
            for registers in [ 0; 1; 2; 5 ] do
                for backward in [ false; true ] do
                    let columns = registers * Simd.Count<'T>()
                    let matrix = seen2 (square 1 rows columns)
                    let error, told = seen (numbers 2 rows), seen (numbers 3 rows)
                    let expected = seen (numbers 4 columns)
                    let before = [ for seed in 5..7 -> seen (numbers seed columns) ]
                    let ours = convert (flat matrix)
                    let sums = before |> List.map convert

                    Kernels.AdvanceSensitivity(
                        write ours,
                        read (convert error),
                        one -0.25,
                        read (convert expected),
                        read (convert told),
                        write sums[0],
                        write sums[1],
                        write sums[2],
                        backward
                    )

                    let what = $"{rows} x {columns}"

                    let learned =
                        matrix |> Array2D.mapi (fun i j a -> a - 0.25 * error[i] * expected[j])

                    let square = matrix |> Array2D.map (fun a -> a * a)
                    same $"matrix of {what}" ours (flat learned)

                    [
                        Reference.multiplyTransposed matrix error
                        Reference.multiplyTransposed square (Array.create rows 1.0)
                        Reference.multiplyTransposed learned told
                    ]
                    |> List.map2 (Array.map2 (+)) before
                    |> List.iter2 (same $"sums of {what}") sums

    member _.AddScaled() =
        for n in lengths do
            let x, y = seen (numbers 1 n), seen (numbers 2 n)
            let result = convert y
            Kernels.AddScaled(write result, one 0.5, read (convert x))
            same $"{n}" result (Array.map2 (fun y x -> y + 0.5 * x) y x)

    member _.BackwardFilter() =
        for n in lengths do
            let credit, decay = seen (numbers 1 n), seen (numbers 2 n)
            let told, post = seen (numbers 3 n), seen (numbers 4 n)
            let z, delta = convert credit, Array.create n (one 7.0)

            Kernels.BackwardFilter(
                write z,
                read (convert decay),
                read (convert told),
                read (convert post),
                write delta
            )

            let expected = Array.map3 (fun d z m -> d * z + m) decay credit told
            same $"credit of {n}" z expected
            same $"delta of {n}" delta (Array.map2 (*) expected post)

    member _.PassCredit() =
        for n in lengths do
            let credit, post = seen (numbers 1 n), seen (numbers 2 n)
            let decay, earlier = seen (numbers 3 n), seen (numbers 4 n)
            let delta, before = Array.create n (one 7.0), convert earlier

            Kernels.PassCredit(
                read (convert credit),
                read (convert post),
                read (convert decay),
                write delta,
                write before
            )

            same $"delta of {n}" delta (Array.map2 (*) credit post)
            same $"before of {n}" before (Array.map3 (fun y d z -> y + d * z) earlier decay credit)

    member _.LeakyTanh() =
        for registers in 0..9 do
            let n = registers * Simd.Count<'T>()
            let alpha, previous = seen (numbers 1 n |> Array.map abs), seen (numbers 2 n)

            let current =
                seen (numbers 3 n |> Array.mapi (fun k x -> if k % 7 = 3 then 0.0 else 8.0 * x))

            let post, rate = Array.create n (one 7.0), Array.create n (one 7.0)

            Kernels.LeakyTanh(
                read (convert alpha),
                read (convert current),
                read (convert previous),
                write post,
                write rate
            )

            same
                $"rates of {n}"
                rate
                (Array.map3 (fun a h u -> (1.0 - a) * h + a * tanh u) alpha previous current)

            same
                $"slopes of {n}"
                post
                (Array.map2 (fun a u -> a * Reference.slope "tanh" u) alpha current)

    /// tanh of one unit with tau = dt, which the kernel returns as its rate.
    member _.Tanh() =
        let n = Simd.Count<'T>()
        let ones, zeros = Array.create n 'T.One, Array.zeroCreate n

        let tanhOf (u: float[]) =
            let post, rate = Array.zeroCreate n, Array.zeroCreate n
            Kernels.LeakyTanh(read ones, read (convert u), read zeros, write post, write rate)
            back rate

        // Units in the last place of the precision at hand.
        let ulp = 2.0 * Double.CreateTruncating('T.BitIncrement 'T.One - 'T.One)

        for exponent in -300 .. 5 do
            for fraction in [ 1.0; 1.1; 1.37; 1.5; 1.999 ] do
                for sign in [ -1.0; 1.0 ] do
                    let u = seen (Array.create n (sign * fraction * 2.0 ** float exponent))
                    let expected = Math.Tanh u[0]

                    for found in tanhOf u do
                        Numbers.isLessThanOrEqual
                            (abs (found - expected))
                            (2.0 * ulp * abs expected + Double.CreateTruncating 'T.Epsilon)
                            $"tanh {u[0]}"

        let ends =
            tanhOf (Array.init n (fun k -> [| infinity; -infinity; nan; 0.0 |][k % 4]))

        for k in 0 .. n - 1 do
            match k % 4 with
            | 0 -> Expect.equal ends[k] 1.0 "infinity"
            | 1 -> Expect.equal ends[k] -1.0 "minus infinity"
            | 2 -> Expect.isTrue (Double.IsNaN ends[k]) "NaN"
            | _ -> Expect.equal ends[k] 0.0 "zero"

    member _.LeakyStep() =
        for n in lengths do
            let alpha, value = seen (numbers 1 n |> Array.map abs), seen (numbers 2 n)
            let slope, previous = seen (numbers 3 n), seen (numbers 4 n)
            let d, rate = convert slope, Array.create n (one 7.0)

            Kernels.LeakyStep(
                read (convert alpha),
                read (convert value),
                write d,
                read (convert previous),
                write rate
            )

            same
                $"rates of {n}"
                rate
                (Array.map3 (fun a h f -> (1.0 - a) * h + a * f) alpha previous value)

            same $"slopes of {n}" d (Array.map2 (*) alpha slope)

    member _.AdvanceInfluence inPlace =
        for units in [ 0; 1; 2; 5; 8 ] do
            let matrix seed = seen2 (square seed units width)
            let vector seed = seen (numbers seed units)
            let before, product = matrix 1, matrix 2
            let decay, post, told = vector 3, vector 4, vector 5
            let gradient = seen (numbers 6 width)
            let old = convert (flat before)

            let now = if inPlace then old else Array.create old.Length (one 7.0)

            let g = convert gradient

            Kernels.AdvanceInfluence(
                read old,
                write now,
                read (convert decay),
                read (convert post),
                read (convert (flat product)),
                read (convert told),
                write g
            )

            let expected =
                before |> Array2D.mapi (fun i c p -> decay[i] * p + post[i] * product[i, c])

            same $"influence of {units}" now (flat expected)
            let added = Reference.multiplyTransposed expected told
            same $"gradient of {units}" g (Array.map2 (+) gradient added)

    member _.Transfer(transfer, name) =
        for n in lengths do
            // Up to 8 in size, with zeros.
            let current =
                seen (numbers n n |> Array.mapi (fun k x -> if k % 7 = 3 then 0.0 else 8.0 * x))

            let value, slope = convert current, Array.create n (one 7.0)
            Kernels.TransferSlope(transfer, read value, write value, write slope)
            same $"{name} of {n}, in place" value (Array.map (Reference.transfer name) current)
            same $"slope of {name} of {n}" slope (Array.map (Reference.slope name) current)
            let apart = Array.create n (one 7.0)
            Kernels.TransferSlope(transfer, read (convert current), write apart, write slope)
            Expect.sequenceEqual apart value "in place and apart give the same bits"

    member _.TransferKeepsNaN(transfer, name) =
        for n in [ 1; 4; 8; 9; 17 ] do
            for place in 0 .. n - 1 do
                let current = numbers 1 n
                current[place] <- nan
                let value, slope = convert current, Array.zeroCreate n
                Kernels.TransferSlope(transfer, read value, write value, write slope)

                for k in 0 .. n - 1 do
                    Expect.equal
                        ('T.IsNaN value[k])
                        (k = place)
                        $"{name}, NaN at {place}, seen at {k}"

    member _.Sparse() =
        for rows in [ 0; 1; 3; 6 ] do
            for columns in [ 1; 4; 5; 9; 23 ] do
                let exists = square 1 rows columns |> Array2D.map (fun x -> x > 0.0)
                let dense = seen2 (square 2 rows columns)
                let masked = Array2D.mapi (fun i j w -> if exists[i, j] then w else 0.0) dense

                let entries (matrix: float[,]) = [|
                    for i in 0 .. rows - 1 do
                        for j in 0 .. columns - 1 do
                            if exists[i, j] then
                                matrix[i, j]
                |]

                let column =
                    Array2D.init rows columns (fun _ j -> float j) |> entries |> Array.map int

                let start =
                    Array.init rows (fun i ->
                        Seq.sum (seq { for j in 0 .. columns - 1 -> Convert.ToInt32 exists[i, j] }))
                    |> Array.scan (+) 0

                let pattern = SparseRows(start, column)
                let weights = convert (entries dense)
                let pre, post = seen (numbers 3 columns), seen (numbers 4 rows)
                let told, decay = seen (numbers 5 rows), seen (numbers 6 rows)
                let what = $"{rows} x {columns}"

                let result = Array.create rows (one 1.0)
                Kernels.MultiplySparse(pattern, read weights, read (convert pre), write result)
                same $"product {what}" result (Reference.multiply masked pre |> Array.map ((+) 1.0))

                let result = Array.create columns (one 1.0)

                Kernels.MultiplyTransposedSparse(
                    pattern,
                    read weights,
                    read (convert post),
                    write result
                )

                same
                    $"transposed {what}"
                    result
                    (Reference.multiplyTransposed masked post |> Array.map ((+) 1.0))

                let result = Array.copy weights

                Kernels.AccumulateOuterSparse(
                    pattern,
                    read (convert post),
                    read (convert pre),
                    one 0.5,
                    write result
                )

                let outer = dense |> Array2D.mapi (fun i j w -> w + 0.5 * post[i] * pre[j])

                same $"outer {what}" result (entries outer)

                let trace, grown = Array.copy weights, Array.copy weights

                Kernels.AdvanceTraceSparse(
                    pattern,
                    write trace,
                    write grown,
                    read (convert decay),
                    read (convert post),
                    read (convert pre),
                    read (convert told),
                    one 0.5
                )

                let expected = dense |> Array2D.mapi (fun i j e -> decay[i] * e + post[i] * pre[j])

                same $"trace {what}" trace (entries expected)

                same
                    $"weights {what}"
                    grown
                    (entries (Array2D.mapi (fun i j w -> w + 0.5 * told[i] * expected[i, j]) dense))

                let traceAhead, grownAhead = Array.copy weights, Array.copy weights
                let next, current = seen (numbers 7 columns), Array.create rows (one 1.0)

                Kernels.AdvanceTracesSparse(
                    pattern,
                    write traceAhead,
                    write grownAhead,
                    read (convert decay),
                    read (convert post),
                    read (convert pre),
                    read (convert told),
                    one 0.5,
                    read (convert next),
                    write current
                )

                Expect.sequenceEqual traceAhead trace $"the same traces {what}"
                Expect.sequenceEqual grownAhead grown $"the same weights {what}"

                let learned =
                    masked
                    |> Array2D.mapi (fun i j w ->
                        if exists[i, j] then
                            w + 0.5 * told[i] * expected[i, j]
                        else
                            0.0)

                same
                    $"currents to come {what}"
                    current
                    (Reference.multiply learned next |> Array.map ((+) 1.0))

    member _.NaN() =
        let matrix, vector = numbers 1 (9 * 11), numbers 2 11
        matrix[3 * 11 + 5] <- nan
        let result = Array.zeroCreate<'T> 9
        Kernels.Multiply(read (convert matrix), read (convert vector), write result)

        for i in 0..8 do
            Expect.equal ('T.IsNaN result[i]) (i = 3) $"row {i}"

        let result = Array.zeroCreate<'T> 11
        Kernels.MultiplyTransposed(read (convert matrix), read (convert vector[..8]), write result)

        for j in 0..10 do
            Expect.equal ('T.IsNaN result[j]) (j = 5) $"column {j}"

        for n in [ 1; 5; 17 ] do
            for place in 0 .. n - 1 do
                let pre = numbers 3 n
                pre[place] <- nan
                let trace, weights = convert (numbers 4 n), convert (numbers 5 n)

                Kernels.AdvanceTrace(
                    write trace,
                    write weights,
                    one 0.5,
                    one 0.5,
                    read (convert pre),
                    one 0.5
                )

                for k in 0 .. n - 1 do
                    Expect.equal ('T.IsNaN weights[k]) (k = place) $"weight {k}"

    member _.Shapes() =
        let zero = one 0.0
        raises "matrix" (fun () -> Kernels.Multiply(r 11, r 4, w 3))
        raises "matrix" (fun () -> Kernels.MultiplyBoth(r 11, r 4, r 4, w 3, w 3))
        raises "beside" (fun () -> Kernels.MultiplyBoth(r 12, r 4, r 3, w 3, w 3))
        let row = Simd.Count<'T>()
        raises "columns" (fun () -> Kernels.MultiplyLanes(r 99, row + 1, r 99, w 99, 4, 1))
        raises "rows" (fun () -> Kernels.MultiplyLanes(r (5 * row), row, r 99, w 99, 5, 1))
        raises "matrix" (fun () -> Kernels.MultiplyLanes(r (4 * row - 1), row, r row, w 4, 4, 1))

        raises "vectors" (fun () ->
            Kernels.MultiplyLanes(r (4 * row), row, r (2 * row - 1), w 8, 4, 2))

        raises "results" (fun () -> Kernels.MultiplyLanes(r (4 * row), row, r (2 * row), w 7, 4, 2))

        raises "columns" (fun () -> Kernels.AddTransposedLanes(r 99, row + 1, r 99, 4, w 99, 4, 1))

        raises "matrix" (fun () ->
            Kernels.AddTransposedLanes(r (4 * row - 1), row, r 4, 4, w row, 4, 1))

        raises "vectors" (fun () ->
            Kernels.AddTransposedLanes(r (4 * row), row, r 8, 5, w (2 * row), 4, 2))

        raises "results" (fun () ->
            Kernels.AddTransposedLanes(r (4 * row), row, r 9, 5, w (2 * row - 1), 4, 2))

        raises "besides" (fun () -> Kernels.MultiplyBoth(r 12, r 4, r 4, w 3, w 2))
        raises "matrix" (fun () -> Kernels.MultiplyTransposed(r 11, r 3, w 4))
        // 65,536 squared is 0 in 32 bits: an empty matrix would be the right one.
        let huge = 65536
        raises "matrix" (fun () -> Kernels.Multiply(r 0, r huge, w huge))
        raises "matrix" (fun () -> Kernels.MultiplyBoth(r 0, r huge, r huge, w huge, w huge))
        raises "matrix" (fun () -> Kernels.MultiplyTransposed(r 0, r huge, w huge))
        raises "matrix" (fun () -> Kernels.MultiplyPanel(r 0, huge, 2, huge, r 1000, w 1000))

        raises "matrix" (fun () ->
            Kernels.AdvanceSensitivity(w 0, r huge, zero, r huge, r huge, w huge, w huge, w huge))

        raises "post" (fun () ->
            Kernels.AccumulateOuter(r 3, huge, r 8, 4, huge + 1, zero, w 12, 4, 3, 4))

        raises "trace" (fun () ->
            Kernels.AdvanceTraces(
                w 0,
                w 0,
                huge,
                r huge,
                r huge,
                r huge,
                r huge,
                zero,
                r huge,
                w huge,
                false
            ))

        raises "weights" (fun () ->
            Kernels.LookBack(r 0, huge, r huge, r huge, w huge, w huge, r 0, r 0, 0))

        raises "rows" (fun () -> Kernels.MultiplyPanel(r 100, 3, 2, 2, r 1000, w 1000))
        raises "panel" (fun () -> Kernels.MultiplyPanel(r 8, 4, 2, 2, r (2 * width - 1), w 1000))
        raises "result" (fun () -> Kernels.MultiplyPanel(r 8, 4, 2, 2, r 1000, w (4 * width - 1)))
        raises "matrix" (fun () -> Kernels.MultiplyPanel(r 7, 4, 2, 2, r 1000, w 1000))
        raises "post" (fun () -> Kernels.AccumulateOuter(r 5, 3, r 8, 4, 2, zero, w 12, 4, 3, 4))
        raises "pre" (fun () -> Kernels.AccumulateOuter(r 6, 3, r 7, 4, 2, zero, w 12, 4, 3, 4))
        raises "result" (fun () -> Kernels.AccumulateOuter(r 6, 3, r 8, 4, 2, zero, w 11, 4, 3, 4))
        raises "trace" (fun () -> Kernels.AdvanceTrace(w 2, w 3, zero, zero, r 3, zero))
        raises "weights" (fun () -> Kernels.AdvanceTrace(w 3, w 2, zero, zero, r 3, zero))
        raises "x" (fun () -> Kernels.AddScaled(w 3, zero, r 4))
        raises "decay" (fun () -> Kernels.BackwardFilter(w 3, r 2, r 3, r 3, w 3))
        raises "signal" (fun () -> Kernels.BackwardFilter(w 3, r 3, r 2, r 3, w 3))
        raises "post" (fun () -> Kernels.BackwardFilter(w 3, r 3, r 3, r 4, w 3))
        raises "delta" (fun () -> Kernels.BackwardFilter(w 3, r 3, r 3, r 3, w 4))
        raises "alpha" (fun () -> Kernels.LeakyStep(r 2, r 3, w 3, r 3, w 3))
        raises "value" (fun () -> Kernels.LeakyStep(r 3, r 2, w 3, r 3, w 3))
        raises "slope" (fun () -> Kernels.LeakyStep(r 3, r 3, w 2, r 3, w 3))
        raises "previous" (fun () -> Kernels.LeakyStep(r 3, r 3, w 3, r 2, w 3))
        let n = Simd.Count<'T>()
        raises "rate" (fun () -> Kernels.LeakyTanh(r n, r n, r n, w n, w (n - 1)))
        raises "alpha" (fun () -> Kernels.LeakyTanh(r 1, r n, r n, w n, w n))
        raises "current" (fun () -> Kernels.LeakyTanh(r n, r 1, r n, w n, w n))
        raises "previous" (fun () -> Kernels.LeakyTanh(r n, r n, r 1, w n, w n))
        raises "post" (fun () -> Kernels.LeakyTanh(r n, r n, r n, w 1, w n))
        raises "post" (fun () -> Kernels.PassCredit(r 3, r 2, r 3, w 3, w 3))
        raises "decay" (fun () -> Kernels.PassCredit(r 3, r 3, r 2, w 3, w 3))
        raises "delta" (fun () -> Kernels.PassCredit(r 3, r 3, r 3, w 2, w 3))
        raises "before" (fun () -> Kernels.PassCredit(r 3, r 3, r 3, w 3, w 2))

        let advanceTraces trace weights stride units pre next () =
            Kernels.AdvanceTraces(
                w trace,
                w weights,
                stride,
                r 2,
                r 2,
                r pre,
                r units,
                zero,
                r next,
                w 2,
                false
            )

        raises "pre" (advanceTraces (2 * n) (2 * n) n 2 (n - 1) (n - 1))
        raises "stride" (advanceTraces (2 * n) (2 * n) (n - 1) 2 n n)
        raises "next" (advanceTraces (2 * n) (2 * n) n 2 n (n - 1))
        raises "trace" (advanceTraces (2 * n - 1) (2 * n) n 2 n n)
        raises "weights" (advanceTraces (2 * n) (2 * n - 1) n 2 n n)
        raises "units" (advanceTraces (2 * n) (2 * n) n 1 n n)

        let pending post decay told current () =
            Kernels.AddPending(
                StepRows<'T>(r post),
                StepRows<'T>(r decay, true),
                StepRows<'T>(r told),
                r 2,
                zero,
                w current
            )

        raises "post" (pending (2 * n - 1) n (2 * n) n)
        raises "decay" (pending (2 * n) (n - 1) (2 * n) n)
        raises "signal" (pending (2 * n) n (2 * n - 1) n)
        raises "current" (pending (2 * n) n (2 * n) (n - 1))

        let ofColumn error column () =
            Kernels.AddPending(
                StepRows<'T>(r (2 * n)),
                StepRows<'T>(r n, true),
                r error,
                r column,
                r 2,
                zero,
                w n
            )

        let both beside product () =
            Kernels.AddPendingBoth(
                StepRows<'T>(r (2 * n)),
                StepRows<'T>(r n, true),
                StepRows<'T>(r (2 * n)),
                r 2,
                r beside,
                zero,
                w n,
                w product
            )

        raises "beside" (both 1 n)
        raises "product" (both 2 (n - 1))
        raises "error" (ofColumn 1 n)
        raises "column" (ofColumn 2 (n - 1))

        let sensitivity matrix expected told pull squares heard () =
            Kernels.AdvanceSensitivity(
                w matrix,
                r 2,
                zero,
                r expected,
                r told,
                w pull,
                w squares,
                w heard
            )

        raises "expected" (sensitivity (2 * n) (n - 1) 2 n n n)
        raises "matrix" (sensitivity (2 * n - 1) n 2 n n n)
        raises "signal" (sensitivity (2 * n) n 1 n n n)
        raises "pull" (sensitivity (2 * n) n 2 (n - 1) n n)
        raises "squares" (sensitivity (2 * n) n 2 n (n - 1) n)
        raises "result" (sensitivity (2 * n) n 2 n n (n + 1))
        raises "value" (fun () -> Kernels.TransferSlope(Transfer.Tanh, r 3, w 2, w 3))
        raises "slope" (fun () -> Kernels.TransferSlope(Transfer.Tanh, r 3, w 3, w 2))
        raises "transfer" (fun () -> Kernels.TransferSlope(enum<Transfer> 99, r 3, w 3, w 3))
        let p n = n * width

        let advance before now post product told gradient () =
            Kernels.AdvanceInfluence(r before, w now, r 2, r post, r product, r told, w gradient)

        raises "before" (advance (p 2 - 1) (p 2) 2 (p 2) 2 width)
        raises "now" (advance (p 2) (p 3) 2 (p 2) 2 width)
        raises "post" (advance (p 2) (p 2) 3 (p 2) 2 width)
        raises "product" (advance (p 2) (p 2) 2 (p 1) 2 width)
        raises "signal" (advance (p 2) (p 2) 2 (p 2) 1 width)
        raises "gradient" (advance (p 2) (p 2) 2 (p 2) 2 (width + 1))
        let pattern = SparseRows([| 0; 1; 3 |], [| 0; 0; 1 |])
        raises "weights" (fun () -> Kernels.MultiplySparse(pattern, r 2, r 2, w 2))
        raises "units" (fun () -> Kernels.MultiplySparse(pattern, r 3, r 2, w 1))
        raises "weights" (fun () -> Kernels.MultiplyTransposedSparse(pattern, r 2, r 2, w 2))
        raises "units" (fun () -> Kernels.AccumulateOuterSparse(pattern, r 1, r 2, zero, w 3))

        let ahead trace units next () =
            Kernels.AdvanceTracesSparse(
                pattern,
                w trace,
                w 3,
                r 2,
                r 2,
                r 2,
                r units,
                zero,
                r next,
                w 2
            )

        raises "weights" (ahead 2 2 2)
        raises "units" (ahead 3 1 2)
        raises "next" (ahead 3 2 1)

    member this.All = [
        test "a matrix times a vector is its sum" { this.Multiply() }
        test "a matrix times two vectors is two products, bit for bit" { this.MultiplyBoth() }
        test "a matrix times the vectors of lanes is as many products, bit for bit" {
            this.MultiplyLanes()
        }
        test "a transposed matrix times the vectors of lanes is as many products, bit for bit" {
            this.AddTransposedLanes()
        }
        test "a product over time has the same bits whatever the number of threads" {
            this.AccumulateOuterByThreads()
        }
        test "a transposed matrix times a vector is its sum" { this.MultiplyTransposed() }
        test "a transposed product is added" { this.AddTransposed() }
        test "a sum has the same bits alone and among others" { this.SumsAlike() }
        test "traces, weights and the currents to come advance in one pass" { this.AdvanceTraces() }
        test "pending changes count in the currents" { this.AddPending() }
        test "a matrix learns between two looks at it in one pass" { this.AdvanceSensitivity() }
        test "credit passes to currents and to the step before" { this.PassCredit() }
        test "leaky units with tanh are their formula" { this.LeakyTanh() }
        test "tanh is right to the last places, from the smallest numbers to infinity" {
            this.Tanh()
        }
        test "a matrix times a panel is its sum, whatever lies between the rows" {
            this.MultiplyPanel()
        }
        test "an outer product over time is its sum, and leaves what lies between" {
            this.AccumulateOuter()
        }
        test "a trace and its weights advance as in the paper" { this.AdvanceTrace() }
        test "a scaled vector is added" { this.AddScaled() }
        test "the backward filter is its formula" { this.BackwardFilter() }
        test "the leak is its formula" { this.LeakyStep() }
        test "influence advances by its formula" { this.AdvanceInfluence false }
        test "influence advances in place" { this.AdvanceInfluence true }
        test "a sparse kernel is the dense formula at the entries that exist" { this.Sparse() }
        test "NaN reaches the results that it must, and no other" { this.NaN() }
        test "wrong shapes are refused by the name of the parameter" { this.Shapes() }
        for transfer, name in
            [
                Transfer.Tanh, "tanh"
                Transfer.Relu, "relu"
                Transfer.Sigmoid, "sigmoid"
                Transfer.Softplus, "softplus"
                Transfer.Identity, "identity"
                Transfer.RectifiedTanh, "rectified tanh"
            ] do
            test $"{name} and its slope are the textbook's, in place too" {
                this.Transfer(transfer, name)
            }

            test $"{name} keeps NaN where it was" { this.TransferKeepsNaN(transfer, name) }
    ]

[<Tests>]
let tests =
    testList "kernels" [
        testList "double" (Kernel<float>(1e-13).All)
        testList "single" (Kernel<float32>(1e-5).All)
    ]
