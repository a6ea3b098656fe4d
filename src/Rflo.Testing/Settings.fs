namespace Rflo.Testing

open System
open Rflo.Dsl

/// Settings of the test of a law.
type Settings = {
    /// How many random experiments are tried.
    Cases: int
    /// The seed of the cases: the same seed gives the same cases.
    Seed: uint64
    /// The largest number of units that an area of a random circuit may have.
    Size: int
    /// Makes the circuit of a case from a number, to test the rule in given circuits. Their plastic projections learn by the
    /// rule, and a failing case is made smaller as any other. None: random circuits of every kind.
    Circuits: (int -> Circuit) option
    /// The units of every area that is no winner-take-all area, to test a unit model.
    Units: UnitModel option
    /// Makes the learner of an experiment.
    Learner: CheckedExperiment -> Learner
}

/// Settings of the laws.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Settings =

    /// 60 cases in random circuits of areas of at most 6 units, learning in this library's core; the same cases each time.
    let standard = {
        Cases = 60
        Seed = 43299UL
        Size = 6
        Circuits = None
        Units = None
        Learner = Learner.ofCore
    }

    /// `Settings.standard |> Settings.cases 1000` tries a thousand.
    let cases count (settings: Settings) = { settings with Cases = count }

    /// `s |> Settings.seed 7` tries other cases.
    let seed number (settings: Settings) = { settings with Seed = uint64 number }

    /// `s |> Settings.size 12` tries larger areas.
    let size units (settings: Settings) = { settings with Size = units }

    /// `s |> Settings.circuits (fun k -> loop (2 + k % 5))` tests in those circuits.
    let circuits make (settings: Settings) = { settings with Circuits = Some make }

    /// `Settings.standard |> Settings.units mine` tests the rule in areas of units of that model:
    /// `Laws.gradientMatches (Rule.bptt, s)` compares the model's derivatives with finite differences, if it has no surrogate
    /// slope, and `Laws.ofRule (Rule.rflo, s)` tests the other laws.
    let units model (settings: Settings) = { settings with Units = Some model }

    /// `s |> Settings.learner mine` tests another learner than the core.
    let learner make (settings: Settings) = { settings with Learner = make }

/// A law does not hold. The message has the law, the reason, and the smallest experiment found in which it fails.
type LawBrokenException
    (law: string, rule: string, reason: string, experiment: Experiment, cases: int, shrinks: int) =
    inherit
        Exception(
            String.concat "\n" [
                $"{rule} breaks the law {law}: {reason}"
                $"Found in case {cases}, made smaller {shrinks} times:"
                for line in Circuit.describe experiment.Circuit do
                    "  " + line
                $"  task {experiment.Task.Name}, at most {Trials.stepsOf experiment} steps of {string (float experiment.Dt)} ms; "
                + $"{experiment.Trials} trials, seed {experiment.Seed}, {experiment.Precision.ToString().ToLowerInvariant()} precision"
            ]
        )

    /// The law's name, such as "dale-holds".
    member _.Law = law
    /// The rule's name.
    member _.Rule = rule
    /// The reason: the difference that was found.
    member _.Reason = reason
    /// The smallest experiment found in which the law fails.
    member _.Experiment = experiment
    /// The number of the first random case that broke the law, from 1.
    member _.Cases = cases
    /// How many times it was made smaller.
    member _.Shrinks = shrinks
