/// The test of a law: many random experiments, and a failing one made smaller.
module internal Rflo.Testing.Trying

open System
open FsCheck
open FsCheck.FSharp
open Rflo.Dsl

/// The result of a law for one experiment.
type Verdict =
    /// It holds, where it could have failed.
    | Proved
    /// The law does not apply to the experiment.
    | Idle
    /// It does not hold, and why.
    | Broken of reason: string

/// A law of rules.
type Law = {
    Name: string
    /// The reason why a rule is exempt, if it is.
    Exempts: Rule -> string option
    /// Changes an experiment so that the law applies to it.
    Prepare: Experiment -> Experiment
    /// Tests one experiment, with a function that makes learners.
    Judge: (Experiment -> Learner) -> Experiment -> Verdict
}

let everyRule (_: Rule) : string option = None

/// Broken with the first complaint; else proved where anything was checked, and idle where nothing was.
let verdict looked complaints =
    match Seq.tryHead complaints with
    | Some complaint -> Broken complaint
    | None when looked -> Proved
    | None -> Idle

/// A runner that prints nothing; the failure is kept.
let private silent = {
    new IRunner with
        member _.OnStartFixture _ = ()
        member _.OnArguments(_, _, _) = ()
        member _.OnShrink(_, _) = ()
        member _.OnFinished(_, _) = ()
}

let private learnerBy (settings: Settings) experiment =
    match Check.experiment experiment with
    | Ok ready -> settings.Learner ready
    | Error problems ->
        Problem.report "an experiment of a law" problems
        |> String.concat "\n"
        |> invalidOp

/// Tests a law on an experiment; an exception of user code breaks it too.
let private judge settings law experiment =
    try
        law.Judge (learnerBy settings) experiment
    with error ->
        Broken $"it threw {error.GetType().Name}: {error.Message}"

let private smaller law (experiment: Experiment) =
    let size = Shrinks.size experiment

    Seq.append [ Shrinks.inPlainSteps experiment ] (Shrinks.shrink experiment)
    |> Seq.map law.Prepare
    |> Seq.filter (fun other -> Shrinks.size other < size && Fitting.isValid other)

/// An experiment whose areas have units of a model, except winner-take-all areas.
let private ofModel model (experiment: Experiment) =
    let change (area: Area) =
        if area.Dynamics.IsWinnerTakeAll then
            area
        else
            {
                area with
                    Dynamics = OfModel model
                    Transfer = Rflo.Core.Transfer.Tanh
                    TauRate = None
            }

    {
        experiment with
            Circuit = {
                experiment.Circuit with
                    Areas = List.map change experiment.Circuit.Areas
            }
    }

/// The least fraction of cases to which the law must apply.
let private leastProved = 0.2

/// Tries a law on a rule. Raises `LawBrokenException` with the smallest failing case found, and an argument exception where
/// the rule is exempt, cannot be tried, or hardly any case could have failed.
let hold (law: Law) (settings: Settings) (rule: Rule) =
    match law.Exempts rule with
    | Some reason -> invalidArg (nameof rule) $"the law {law.Name} is not for {rule.Name}: {reason}"
    | None -> ()

    let law =
        match settings.Units with
        | Some model -> {
            law with
                Prepare = law.Prepare >> ofModel model
          }
        | None -> law

    if settings.Cases < 1 || settings.Size < 1 then
        invalidArg
            (nameof settings)
            $"Cases is {settings.Cases} and Size is {settings.Size}; both must be at least 1"

    let experiments =
        match settings.Circuits with
        | Some make -> Fitting.inCircuits make law.Prepare rule
        | None -> Fitting.experiments settings.Size law.Prepare rule

    let mutable tried, proved, failures = 0, 0, 0
    let mutable smallest = None

    let property experiment =
        if failures = 0 then
            tried <- tried + 1

        match judge settings law experiment with
        | Proved ->
            proved <- proved + 1
            true
        | Idle -> true
        | Broken reason ->
            // Shrinking continues from each failing case, so the last failure is the smallest.
            failures <- failures + 1
            smallest <- Some(experiment, reason)
            false

    let config =
        Config.Quick
            .WithMaxTest(settings.Cases)
            .WithReplay(Some { Rnd = Rnd settings.Seed; Size = None })
            .WithQuietOnSuccess(true)
            .WithRunner(silent)

    Check.One(config, Prop.forAll (Arb.fromGenShrink (experiments, smaller law)) property)

    match smallest with
    | Some(experiment, reason) ->
        raise (LawBrokenException(law.Name, rule.Name, reason, experiment, tried, failures - 1))
    | None when float proved < leastProved * float settings.Cases ->
        invalidArg
            (nameof rule)
            $"the law {law.Name} applies to {proved} of {settings.Cases} cases only, too few to prove anything of {rule.Name}"
    | None -> ()
