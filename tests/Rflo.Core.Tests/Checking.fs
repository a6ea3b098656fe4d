/// Small tools of the tests: many random cases, norms, and counts of the cases that prove nothing.
module Rflo.Core.Tests.Checking

open System
open Expecto
open FsCheck
open FsCheck.FSharp

let isLong = Environment.GetEnvironmentVariable "RFLO_LONG" = "1"

/// Set where some of the cases do: in the inner loop, and where the same tests run once more in another form.
[<Literal>]
let Brief = "RFLO_BRIEF"

let isBrief = Environment.GetEnvironmentVariable Brief = "1"

/// How often a property is tried: a number for every run, another for the long form.
let cases usual long =
    if isBrief then (usual + 4) / 5
    elif isLong then long
    else usual

/// The same for a test that counts what its cases met: the inner loop tries all of them too.
let allCases usual long = if isLong then long else usual

/// The same cases in every run, so that a failure is news; the long form draws new ones each time.
let private replay =
    if isLong then
        None
    else
        Some { Rnd = Rnd 43299UL; Size = None }

/// Tries a check on many random cases; a failing one is made smaller and shown.
let forAll count (arbitrary: Arbitrary<'a>) (check: 'a -> unit) =
    let config =
        Config.QuickThrowOnFailure
            .WithMaxTest(count)
            .WithReplay(replay)
            .WithStartSize(10)
            .WithEndSize(10)
            .WithQuietOnSuccess(true)

    Check.One(config, Prop.forAll arbitrary check)

/// How many cases there were, and how many of them could prove nothing.
type Tally() =
    let mutable all = 0
    let mutable idle = 0
    member _.Count() = all <- all + 1
    member _.Idle() = idle <- idle + 1

    /// Most cases must have proved something.
    member _.Demand(most: float) =
        Numbers.isLessThanOrEqual
            (float idle)
            (most * float all)
            $"{idle} of {all} cases proved nothing"

let norm (numbers: float seq) =
    sqrt (Seq.sumBy (fun x -> x * x) numbers)

/// The norm of the difference over the larger norm; 0 where both are 0.
let relative (a: float[]) (b: float[]) =
    let scale = max (norm a) (norm b)
    let difference = norm (Array.map2 (-) a b)
    if difference = 0.0 then 0.0 else difference / scale

/// Bits, not numbers: NaN equals itself and 0 is not -0.
let sameBits (a: float[]) (b: float[]) =
    a.Length = b.Length
    && Array.forall2
        (fun (x: float) (y: float) ->
            BitConverter.DoubleToInt64Bits x = BitConverter.DoubleToInt64Bits y)
        a
        b
