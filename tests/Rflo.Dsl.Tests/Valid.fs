/// Random valid experiments as the tests of the language draw them.
module Rflo.Dsl.Tests.Valid

open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Testing.Trials
open Rflo.Testing.Circuits
open Rflo.Testing.Shrinks

/// A valid experiment, shown in words.
[<StructuredFormatDisplay("{Words}")>]
type Valid =
    | Valid of Experiment

    member this.Words =
        let (Valid experiment) = this
        let rule = experiment.Rule

        String.concat "\n" [
            ""
            yield! Circuit.describe experiment.Circuit
            $"{rule.Name}, %A{rule.Update}, {experiment.Task.Name} of {stepsOf experiment} steps, "
            + $"dt {experiment.Dt} ms, seed {experiment.Seed}, {experiment.Precision}"
        ]

type Arbitraries =
    static member Valid() =
        Arb.fromGenShrink (Gen.map Valid experimentGen, fun (Valid e) -> shrink e |> Seq.map Valid)

let isLong = System.Environment.GetEnvironmentVariable "RFLO_LONG" = "1"

/// So many random experiments, the same in every run, so that a failure is news; twenty times as many new ones in the
/// long form.
let config count = {
    Expecto.FsCheckConfig.defaultConfig with
        maxTest = (if isLong then 20 * count else count)
        replay = (if isLong then None else Some(43299UL, 20191104001UL, None))
        arbitrary = [ typeof<Arbitraries> ]
}
