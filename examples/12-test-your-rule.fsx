// A learning rule of one's own, held to the laws that every rule must keep.
//
//     dotnet fsi examples/12-test-your-rule.fsx
//
// Each law is tried on random circuits of every kind. Where it does not hold, the smallest circuit found is shown. In a
// test project the same lines stand behind `testCase name law`; any framework will do, since a law is a function that
// returns or throws.
#load "../src/Rflo.Testing/testing.fsx"

open Rflo.Dsl
open Rflo.Testing

/// The rule of 06-your-own-rule.
let mine =
    Rule.local "slow-and-centred" {
        Trace = TraceTau 30.0<ms>
        Post = Rule.the Slope |> Rule.map "clipped" (fun slope -> min slope 0.08)
        Pre = Rule.the Presynaptic |> Rule.minusMean (OverTime 50.0<ms>)
        Modulator = Rule.the FeedbackError
        Oja = false
    }

for name, law in Laws.ofRule mine do
    law ()
    printfn $"{mine.Name}: {name} holds"

/// Says what is wrong, instead of ending the script as a test would.
let expectBroken law (rule: Rule) =
    try
        law rule
        failwith $"nothing is wrong with {rule.Name}"
    with :? LawBrokenException as broken ->
        printfn $"\n{broken.Message}"

// It is local, but it does not follow the gradient, not even where no rate comes back: its trace is too long.
expectBroken Laws.gradientMatchesWithoutRecurrence mine

// A mistake that is easily made: a function that remembers. The same function serves all units, trials and runs.
let last = ref 0.0

let change rate =
    let before = last.Value
    last.Value <- rate
    rate - before

let remembering =
    Rule.local "remembering" {
        Trace = UnitTau
        Post = Rule.the Rate |> Rule.map "change" change
        Pre = Rule.the Presynaptic
        Modulator = Rule.the FeedbackError
        Oja = false
    }

expectBroken Laws.sameSeedSameBits remembering
