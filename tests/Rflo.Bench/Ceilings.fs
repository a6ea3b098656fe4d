/// What one core of this machine can do at most, measured by loops that do nothing else.
module Rflo.Bench.Ceilings

open System
open System.Diagnostics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics

/// Twelve chains that do not wait for each other: more than latency (4 cycles) times units (2) asks for, and few enough to
/// stay in registers.
let inline private chains
    ([<InlineIfLambda>] start: float -> 'v)
    ([<InlineIfLambda>] next: 'v -> 'v)
    ([<InlineIfLambda>] sum: 'v -> 'v -> 'v)
    (rounds: int)
    =
    let mutable a = start 0.1
    let mutable b = start 0.2
    let mutable c = start 0.3
    let mutable d = start 0.4
    let mutable e = start 0.5
    let mutable f = start 0.6
    let mutable g = start 0.7
    let mutable h = start 0.8
    let mutable i = start 0.9
    let mutable j = start 1.0
    let mutable k = start 1.1
    let mutable l = start 1.2

    for _ in 1..rounds do
        a <- next a
        b <- next b
        c <- next c
        d <- next d
        e <- next e
        f <- next f
        g <- next g
        h <- next h
        i <- next i
        j <- next j
        k <- next k
        l <- next l

    // Used, so that nothing of it may be left out.
    sum (sum (sum (sum a b) (sum c d)) (sum (sum e f) (sum g h))) (sum (sum i j) (sum k l))

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private double512 rounds =
    let factor, shift = Vector512.Create 0.999, Vector512.Create 0.001

    chains
        (fun x -> Vector512.Create x)
        (fun v -> Vector512.FusedMultiplyAdd(v, factor, shift))
        (fun x y -> Vector512.Add(x, y))
        rounds
    |> Vector512.Sum

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private double256 rounds =
    let factor, shift = Vector256.Create 0.999, Vector256.Create 0.001

    chains
        (fun x -> Vector256.Create x)
        (fun v -> Vector256.FusedMultiplyAdd(v, factor, shift))
        (fun x y -> Vector256.Add(x, y))
        rounds
    |> Vector256.Sum

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private single512 rounds =
    let factor, shift = Vector512.Create 0.999f, Vector512.Create 0.001f

    chains
        (fun x -> Vector512.Create(float32 x))
        (fun v -> Vector512.FusedMultiplyAdd(v, factor, shift))
        (fun x y -> Vector512.Add(x, y))
        rounds
    |> Vector512.Sum
    |> float

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private single256 rounds =
    let factor, shift = Vector256.Create 0.999f, Vector256.Create 0.001f

    chains
        (fun x -> Vector256.Create(float32 x))
        (fun v -> Vector256.FusedMultiplyAdd(v, factor, shift))
        (fun x y -> Vector256.Add(x, y))
        rounds
    |> Vector256.Sum
    |> float

/// One chain: every multiply-add waits for the one before, 4 cycles on every x86 processor of the last years.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private waiting (rounds: int) =
    let factor, shift = Vector256.Create 0.999, Vector256.Create 0.001
    let mutable v = Vector256.Create 0.5

    for _ in 1..rounds do
        v <- Vector256.FusedMultiplyAdd(v, factor, shift)

    Vector256.Sum v

/// Reads so many doubles (a multiple of 64).
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private read (data: float[]) offset (count: int) =
    let first = &MemoryMarshal.GetArrayDataReference data
    let mutable a = Vector512<float>.Zero
    let mutable b = Vector512<float>.Zero
    let mutable c = Vector512<float>.Zero
    let mutable d = Vector512<float>.Zero
    let mutable at = offset
    let finish = offset + count

    while at < finish do
        a <- Vector512.Add(a, Vector512.LoadUnsafe(&first, unativeint at))
        b <- Vector512.Add(b, Vector512.LoadUnsafe(&first, unativeint (at + 8)))
        c <- Vector512.Add(c, Vector512.LoadUnsafe(&first, unativeint (at + 16)))
        d <- Vector512.Add(d, Vector512.LoadUnsafe(&first, unativeint (at + 24)))
        a <- Vector512.Add(a, Vector512.LoadUnsafe(&first, unativeint (at + 32)))
        b <- Vector512.Add(b, Vector512.LoadUnsafe(&first, unativeint (at + 40)))
        c <- Vector512.Add(c, Vector512.LoadUnsafe(&first, unativeint (at + 48)))
        d <- Vector512.Add(d, Vector512.LoadUnsafe(&first, unativeint (at + 56)))
        at <- at + 64

    Vector512.Sum(Vector512.Add(Vector512.Add(a, b), Vector512.Add(c, d)))

/// Reads so many doubles (a multiple of 64) and writes each back changed.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private update (data: float[]) offset (count: int) =
    let first = &MemoryMarshal.GetArrayDataReference data
    let factor, shift = Vector512.Create 0.999, Vector512.Create 0.001
    let mutable at = offset
    let finish = offset + count

    while at < finish do
        for k in 0..7 do
            let here = unativeint (at + 8 * k)

            Vector512
                .FusedMultiplyAdd(Vector512.LoadUnsafe(&first, here), factor, shift)
                .StoreUnsafe(&first, here)

        at <- at + 64

    data[offset]

/// Shorter than the slices into which a busy machine cuts its time, so that some measurements are not interrupted.
let private slice = 0.001

/// Amount a second: the best of many short times, since nothing can be faster than the machine.
let private best (seconds: float) (amount: int -> float) (work: int -> float) =
    let timed rounds =
        let clock = Stopwatch.StartNew()

        if Double.IsNaN(work rounds) then
            failwith "a ceiling's numbers do not stay finite"

        clock.Elapsed.TotalSeconds

    let mutable rounds = 1

    // The shorter of two, since an interruption makes one long.
    while min (timed rounds) (timed rounds) < slice do
        rounds <- rounds * 2

    let whole = Stopwatch.StartNew()
    let mutable most = 0.0

    while whole.Elapsed.TotalSeconds < seconds do
        most <- max most (amount rounds / timed rounds)

    most

/// Multiply-adds a second of one core.
type Arithmetic = {
    Double512: float option
    Double256: float
    Single512: float option
    Single256: float
    /// Cycles a second, from a chain of multiply-adds of 4 cycles each.
    Clock: float
}

/// Bytes a second from memory of some size, read and written ones counted alike.
type Bandwidth = {
    Bytes: float
    Read: float
    ReadWrite: float
}

type Ceilings = {
    Arithmetic: Arithmetic
    /// From small working sets to large ones.
    Ladder: Bandwidth list
}

let private arithmetic seconds =
    let best amount work =
        Jit.settle (fun () -> work 1000 |> ignore)
        best seconds amount work

    let chains lanes =
        best (fun rounds -> 12.0 * float lanes * float rounds)

    let wide lanes work =
        if Vector512.IsHardwareAccelerated then
            Some(chains lanes work)
        else
            None

    {
        Double512 = wide 8 double512
        Double256 = chains 4 double256
        Single512 = wide 16 single512
        Single256 = chains 8 single256
        Clock = best (fun rounds -> 4.0 * float rounds) waiting
    }

let private bandwidth seconds (data: float[]) offset bytes =
    let count = bytes / 8

    let passes (pass: float[] -> int -> int -> float) rounds =
        let mutable last = 0.0

        for _ in 1..rounds do
            last <- pass data offset count

        last

    {
        Bytes = float bytes
        Read = best seconds (fun rounds -> float bytes * float rounds) (passes read)
        ReadWrite = best seconds (fun rounds -> 2.0 * float bytes * float rounds) (passes update)
    }

/// Measures all of it; each number takes about so long.
let measure seconds =
    let largest = 1 <<< 27
    // Pinned, so that it stays on the line on which it begins.
    let data = GC.AllocateArray<float>(largest / 8 + 8, pinned = true)
    let past = int (Marshal.UnsafeAddrOfPinnedArrayElement(data, 0) % 64n)
    let offset = (64 - past) % 64 / 8
    Array.fill data 0 data.Length 0.5

    Jit.settle (fun () -> bandwidth 0.0 data offset 8192 |> ignore)

    {
        Arithmetic = arithmetic seconds
        Ladder = [
            for power in 13..27 -> bandwidth seconds data offset (1 <<< power)
        ]
    }

/// Most multiply-adds a second at that width of numbers, whatever register gives it.
let multiplyAdds isSingle ceilings =
    let a = ceilings.Arithmetic

    if isSingle then
        max a.Single256 (Option.defaultValue 0.0 a.Single512)
    else
        max a.Double256 (Option.defaultValue 0.0 a.Double512)

/// Bytes a second where so many bytes are gone through again and again: between two measured sizes, by the logarithm of the
/// size.
let bytesASecond (pick: Bandwidth -> float) (workingSet: float) ceilings =
    let ladder = ceilings.Ladder
    let size = Math.Clamp(workingSet, ladder.Head.Bytes, (List.last ladder).Bytes)

    ladder
    |> List.pairwise
    |> List.pick (fun (low, high) ->
        if size <= high.Bytes then
            let share = log (size / low.Bytes) / log (high.Bytes / low.Bytes)
            Some(pick low + share * (pick high - pick low))
        else
            None)
