// A learning rule of your own, tested by the laws of learning rules.
//
//     dotnet fsi examples/12-test-your-rule.fsx
//
// Each law is tested on random circuits of every kind. Where it does not hold, the smallest circuit found is printed. In a
// test project use `testCase name law`; any framework works, since a law is a function that
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

/// Prints the message of a broken law and continues.
let expectBroken law (rule: Rule) =
    try
        law rule
        failwith $"nothing is wrong with {rule.Name}"
    with :? LawBrokenException as broken ->
        printfn $"\n{broken.Message}"

// It is local, but it does not follow the gradient, not even without recurrent connections: its trace is too long.
expectBroken Laws.gradientMatchesWithoutRecurrence mine

// A frequent mistake: a function with hidden state, which all units, trials and runs then share.
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
