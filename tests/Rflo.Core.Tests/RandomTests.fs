/// Named streams: each part of an experiment has numbers of its own.
module Rflo.Core.Tests.RandomTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.Distributions
open Rflo.Core
open Rflo.Core.Tests.Checking

let private numbers (stream: RandomStream) =
    Array.init 20 (fun _ -> stream.Gaussian())

/// Keys that are easily confused: names that share letters, seeds and trials that share bits.
let private keys = [
    for seed in [ 0L; 1L; 256L; -1L; 1L <<< 40 ] do
        for name in [ ""; "noise a"; "noise b"; "noise ab"; "noise ba"; "task" ] do
            $"{seed} {name}", (fun () -> RandomStream(seed, name))

            for trial in [ 0L; 1L; 2L; -1L; 1L <<< 33 ] do
                let ofTrial () = RandomStream.OfTrial(seed, name, trial)

                $"{seed} {name}, trial {trial}", ofTrial
                $"part of {seed} {name}, trial {trial}", (fun () -> ofTrial().Part "phases")
                $"other part of {seed} {name}, trial {trial}", (fun () -> ofTrial().Part "steps")
]

/// Published answers of Threefry2x64 with 20 rounds (kat_vectors of Random123): counter, key, block.
let private knownAnswers = [
    (0UL, 0UL), (0UL, 0UL), (0xc2b6e3a8c2c69865UL, 0x6f81ed42f350084dUL)
    (UInt64.MaxValue, UInt64.MaxValue),
    (UInt64.MaxValue, UInt64.MaxValue),
    (0xe02cb7c4d95d277aUL, 0xd06633d0893b8b68UL)
    (0x243f6a8885a308d3UL, 0x13198a2e03707344UL),
    (0xa4093822299f31d0UL, 0x082efa98ec4e6c89UL),
    (0x263c7d30bb0f0af1UL, 0x56be8361d3311526UL)
]

let private block key (low, high) =
    let mutable x, y = low, high
    Threefry.Block(key, &x, &y)
    x, y

let private anyWord =
    Gen.frequency [
        3,
        Gen.map2
            (fun (a: int) (b: int) -> (uint64 a <<< 32) ^^^ uint64 b)
            (Gen.choose (Int32.MinValue, Int32.MaxValue))
            (Gen.choose (Int32.MinValue, Int32.MaxValue))
        1,
        Gen.elements [
            0UL
            1UL
            UInt64.MaxValue
            UInt64.MaxValue - 3UL
            1UL <<< 63
            1UL <<< 62
            0xfffUL
            0x1000UL
            0x95f619980c433UL <<< 12
        ]
    ]

/// Counts that ought to be equal are so, as far as chance goes: one run in a million would fail on either side.
let private alike what (counts: int[]) =
    let expected = float (Array.sum counts) / float counts.Length

    let chi =
        counts |> Array.sumBy (fun count -> (float count - expected) ** 2.0 / expected)

    let p = ChiSquared.CDF(float counts.Length - 1.0, chi)

    Expect.isTrue
        (p > 5e-7 && p < 1.0 - 5e-7)
        $"{what}: chi square {chi} of {counts.Length} counts, p = {p}"

let private histogram bins (places: int seq) =
    let counts = Array.zeroCreate<int> bins

    for place in places do
        counts[place] <- counts[place] + 1

    counts

let private areDistinct (words: uint64[]) =
    Array.Sort words
    let mutable pairs = 0

    for k in 1 .. words.Length - 1 do
        if words[k] = words[k - 1] then
            pairs <- pairs + 1

    Expect.equal pairs 0 "equal pairs"

/// The bin of a normal draw, among bins of equal probability.
let private bin bins draw =
    min (bins - 1) (int (float bins * Normal.CDF(0.0, 1.0, draw)))

let private isNormal what (draws: float[]) =
    alike $"{what}, bins" (draws |> Seq.map (bin 200) |> histogram 200)

    // Six standard errors, from the moments of the normal distribution: E x^(2k) = (2k - 1)!!.
    for power, mean, square in [ 1, 0.0, 1.0; 2, 1.0, 3.0; 3, 0.0, 15.0; 4, 3.0, 105.0 ] do
        let moment = draws |> Array.averageBy (fun x -> pown x power)
        let error = sqrt ((square - mean * mean) / float draws.Length)
        Numbers.isLessThan (abs (moment - mean)) (6.0 * error) $"{what}, moment {power}"

    // Beyond four standard deviations lie 6.3e-5 of the draws.
    let beyond = draws |> Seq.filter (fun x -> abs x > 4.0) |> Seq.length |> float
    let expected = 2.0 * Normal.CDF(0.0, 1.0, -4.0) * float draws.Length
    Numbers.isLessThan (abs (beyond - expected)) (6.0 * sqrt expected + 1.0) $"{what}, beyond 4"

/// Two draws do not depend on each other: all pairs of bins are as likely.
let private isIndependent what (pairs: (float * float) seq) =
    alike what (pairs |> Seq.map (fun (a, b) -> 12 * bin 12 a + bin 12 b) |> histogram 144)

/// Streams of parts, seeds and trials that are alike: what a long sweep of a circuit with noise draws from.
let private manyStreams seeds names trials =
    seq {
        for seed in seeds do
            for name in names do
                for trial in trials -> RandomStream.OfTrial(seed, name, trial)
    }

let private draws<'T
    when 'T: unmanaged
    and 'T: (new: unit -> 'T)
    and 'T: struct
    and 'T :> ValueType
    and 'T :> Numerics.IFloatingPointIeee754<'T>>
    (stream: RandomStream)
    count
    =
    let values = Array.zeroCreate<'T> count
    stream.FillGaussian(values.AsSpan(), 0.75)
    values

[<Tests>]
let tests =
    testList "random streams" [
        test "the generator gives the published blocks" {
            for counter, (low, high), expected in knownAnswers do
                Expect.equal (block (StreamKey(low, high)) counter) expected $"{counter}"
        }

        test "blocks by registers are blocks one by one" {
            forAll 200 (Arb.fromGen (Gen.four anyWord)) (fun (k0, k1, low, high) ->
                let key = StreamKey(k0, k1)
                let words = Array.zeroCreate<uint64>(2 * Threefry.BatchBlocks)
                Threefry.Fill(key, low, high, words.AsSpan())

                for k in 0 .. Threefry.BatchBlocks - 1 do
                    Expect.equal
                        (words[k], words[Threefry.BatchBlocks + k])
                        (block key (low + uint64 k, high))
                        $"block {k}")
        }

        test "normal draws are the textbook's radius and angle" {
            forAll 500 (Arb.fromGen (Gen.arrayOfLength 16 anyWord)) (fun words ->
                let normals = Array.zeroCreate<float> 16
                BoxMuller.Transform(ReadOnlySpan words, normals.AsSpan())

                for k in 0..7 do
                    let u = 1.0 - float (words[k] >>> 12) / 4503599627370496.0
                    let radius = sqrt (-2.0 * log u)

                    let turn =
                        (float (words[8 + k] &&& 0xFFFFFFFFFFFFFUL) + 0.5) / 4503599627370496.0
                        - 0.5

                    let c, s = cos (Math.PI / 2.0 * turn), sin (Math.PI / 2.0 * turn)
                    let sign = if words[8 + k] >>> 63 = 0UL then radius else -radius
                    let first, second = if words[8 + k] &&& (1UL <<< 62) = 0UL then c, s else s, c

                    for value, expected in
                        [ normals[k], sign * first; normals[8 + k], sign * second ] do
                        Numbers.isLessThanOrEqual
                            (abs (value - expected))
                            (1e-15 * abs expected)
                            $"{value} of {words[k]:x16} {words[8 + k]:x16}")
        }

        test "the same key gives the same numbers" {
            for key, stream in keys do
                Expect.isTrue (sameBits (numbers (stream ())) (numbers (stream ()))) key
        }

        test "another seed, name or trial gives others" {
            let first = keys |> List.map (fun (key, stream) -> (numbers (stream ()))[0], key)

            let shared =
                first |> List.groupBy fst |> List.filter (fun (_, group) -> group.Length > 1)

            Expect.isEmpty shared "no two keys begin with the same number"
        }

        test "no two of two million streams share a word, tests among them" {
            // Keys of 32 bits gave 465 pairs. By chance there is one among words of 64 bits with a probability of 1e-7.
            let stream = RandomStream(0L, "")
            let words = Array.zeroCreate<uint64> 2000000
            let mutable count = 0

            for seed in 1L .. 5L do
                for part in 1..10 do
                    for name in [ $"noise area {part}"; $"mixing {part}" ] do
                        for k in 0L .. 9999L do
                            for trial in [ k; RandomStream.TestTrial k ] do
                                stream.BeginTrial(seed, name, trial)
                                words[count] <- stream.Next()
                                count <- count + 1

            Expect.equal count words.Length "streams"

            for byte in 0..7 do
                let counts = Array.zeroCreate<int> 256

                for word in words do
                    let value = int (word >>> (8 * byte)) &&& 255
                    counts[value] <- counts[value] + 1

                alike $"byte {byte} of the first word" counts

            areDistinct words
        }

        test "keys of many names are distinct in either half" {
            let keys = [|
                for seed in 0L .. 39L do
                    for k in 0..4999 -> StreamKey.Of(seed, $"weights area {k}->area {k + 1}")
            |]

            areDistinct (keys |> Array.map _.Low)
            areDistinct (keys |> Array.map _.High)
        }

        test "normal draws are normal, and none depends on another" {
            let one =
                draws<float> (RandomStream(3L, "moments")) 400000
                |> Array.map (fun x -> x / 0.75)

            isNormal "one stream" one

            // In a batch of 16, draws k and k + 8 come from the same two words.
            for lag in [ 1; 2; 8; 16; 50 ] do
                isIndependent $"{lag} draws apart" (Seq.zip one one[lag..])

            let first =
                manyStreams [ 1L; 2L ] [ "noise a"; "noise b" ] [ -25000L .. 24999L ]
                |> Seq.map _.Gaussian()
                |> Array.ofSeq

            isNormal "the first draw of many streams" first
            isIndependent "one trial and the next" (Seq.pairwise first)
            isIndependent "one part and another" (Seq.zip first first[50000..])
            isIndependent "one seed and another" (Seq.zip first first[100000..])

            isIndependent
                "the whole and its part"
                (manyStreams [ 1L ] [ "task" ] [ -25000L .. 24999L ]
                 |> Seq.map (fun stream -> stream.Gaussian(), stream.Part("phases").Gaussian()))

            let mixed = RandomStream(4L, "mixed")

            isIndependent
                "uniform and normal draws of one stream"
                (Seq.init 50000 (fun _ ->
                    Normal.InvCDF(0.0, 1.0, mixed.Uniform(0.0, 1.0)), mixed.Gaussian()))
        }

        test
            "normal draws are the same however many are taken at once, and whatever is drawn between them" {
            let sizes = Gen.nonEmptyListOf (Gen.choose (0, 40))

            forAll
                100
                (Arb.fromGen (Gen.zip (ArbMap.defaults |> ArbMap.generate<int64>) sizes))
                (fun (seed, sizes) ->
                    let stream () = RandomStream.OfTrial(seed, "noise", 3L)
                    let whole = draws<float> (stream ()) (List.sum sizes)
                    let pieces = stream ()

                    let inPieces = [|
                        for size in sizes do
                            yield! draws<float> pieces size
                            pieces.Between(0, 10) |> ignore
                    |]

                    Expect.isTrue (sameBits whole inPieces) "in pieces"
                    let single = stream ()

                    Expect.isTrue
                        (sameBits whole (whole |> Array.map (fun _ -> 0.75 * single.Gaussian())))
                        "one by one"

                    Expect.sequenceEqual
                        (draws<float32> (stream ()) whole.Length)
                        (Array.map float32 whole)
                        "in single precision"

                    let between = stream ()
                    let words = [ for _ in 1..20 -> between.Uniform(0.0, 1.0) ]
                    let other = stream ()

                    let others = [
                        for _ in 1..20 do
                            other.Gaussian() |> ignore
                            other.Uniform(0.0, 1.0)
                    ]

                    Expect.equal others words "uniform draws")
        }

        test "whole numbers of a range are equally likely" {
            for low, high in [ 0, 2; -1, 2; 5, 12; 0, 1000 ] do
                let stream = RandomStream(int64 high, "between")

                alike
                    $"{low} to {high}"
                    (Seq.init 100000 (fun _ -> stream.Between(low, high) - low)
                     |> histogram (high - low))

            // Three quarters of all int: with a remainder of 32 bits the first third would come twice as often.
            let wide = RandomStream(1L, "wide")
            let third = 1L <<< 30

            alike
                "three thousand millions"
                (Seq.init 100000 (fun _ ->
                    int (
                        (int64 (wide.Between(Int32.MinValue, 1 <<< 30)) - int64 Int32.MinValue)
                        / third
                    ))
                 |> histogram 3)

            Expect.equal (wide.Between(7, 8)) 7 "a range of one number"
            let all = Array.init 100000 (fun _ -> wide.Between(Int32.MinValue, Int32.MaxValue))
            alike "all int" (all |> Seq.map (fun k -> if k < 0 then 0 else 1) |> histogram 2)

            for low, high in [ 0, 0; 1, 0; Int32.MaxValue, Int32.MinValue ] do
                Expect.throwsT<ArgumentOutOfRangeException>
                    (fun () -> wide.Between(low, high) |> ignore)
                    $"{low} to {high}"
        }

        test "uniform draws are uniform, and never reach the end of their range" {
            let stream = RandomStream(1L, "uniform")

            alike
                "uniform"
                (Seq.init 200000 (fun _ -> int (stream.Uniform(-3.0, 5.0) + 3.0)) |> histogram 8)

            alike
                "chance"
                (Seq.init 200000 (fun _ -> if stream.Chance 0.5 then 1 else 0) |> histogram 2)

            alike
                "chance of a quarter"
                (Seq.init 200000 (fun k -> if stream.Chance 0.25 then 0 else 1 + k % 3)
                 |> histogram 4)

            let next = Math.BitIncrement 1.0

            for _ in 1..100 do
                Expect.equal (stream.Uniform(1.0, next)) 1.0 "only the lower end is in the range"
        }

        test "a permutation has every number once, and every order is as likely" {
            for count in [ 0; 1; 2; 50 ] do
                let order = RandomStream(1L, "order").Permutation count
                Expect.equal (Array.sort order) [| 0 .. count - 1 |] $"{count}"

            let stream = RandomStream(2L, "order")

            let place (order: int[]) =
                6 * order[0] + (if order[1] > order[0] then order[1] - 1 else order[1])

            let counts = Seq.init 60000 (fun _ -> place (stream.Permutation 3)) |> histogram 18
            let orders = counts |> Array.filter (fun count -> count > 0)
            Expect.equal orders.Length 6 "orders that come"
            alike "orders of three" orders
        }

        test "a part neither moves the whole nor depends on what was drawn from it" {
            let whole = RandomStream.OfTrial(5L, "task", 3L)
            let part = numbers (whole.Part "phases")
            let after = numbers whole
            let alone = RandomStream.OfTrial(5L, "task", 3L)
            Expect.isTrue (sameBits (numbers alone) after) "the whole"
            Expect.isTrue (sameBits (numbers (alone.Part "phases")) part) "the part"
        }

        test "a stream that goes on to another trial is that trial's stream" {
            forAll
                100
                (Arb.fromGen (
                    Gen.zip (ArbMap.defaults |> ArbMap.generate<int64>) (Gen.choose (0, 40))
                ))
                (fun (trial, drawn) ->
                    let stream = RandomStream.OfTrial(1L, "task", 0L)

                    for _ in 1..drawn do
                        stream.Gaussian() |> ignore
                        stream.Next() |> ignore

                    stream.BeginTrial(2L, "noise", trial)
                    let own = RandomStream.OfTrial(2L, "noise", trial)
                    Expect.isTrue (sameBits (numbers own) (numbers stream)) "normal"
                    Expect.equal (stream.Next()) (own.Next()) "words")
        }

        test "a test's trials are none of the training's" {
            let training = Set [ 0L .. 999L ]
            let tests = Set [ for k in 0L .. 999L -> RandomStream.TestTrial k ]
            Expect.equal (Set.count tests) 1000 "distinct"
            Expect.isTrue (Set.forall (fun k -> k < 0L) tests) "negative"
            Expect.isEmpty (Set.intersect training tests) "apart"

            Expect.throwsT<ArgumentOutOfRangeException>
                (fun () -> RandomStream.TestTrial -1L |> ignore)
                "-1"
        }
    ]
