namespace Rflo.Testing

open Rflo.Dsl
open Rflo.Testing.Trying

/// Laws of learning rules, each tested on many random experiments: `Laws.daleHolds mine` returns if the law holds in all, and raises
/// `LawBrokenException` with a small counterexample if not. `Laws.daleHolds(mine, settings)` uses other settings. An
/// ArgumentException is raised where a rule cannot be tested or is exempt, or where hardly any case could have failed.
[<AbstractClass; Sealed>]
type Laws =

    static member private Try(law, rule: Rule, settings) =
        hold law (defaultArg settings Settings.standard) rule

    /// At fixed weights the increments are minus the gradient of the loss, by central differences to 1e-6, in any circuit of
    /// smooth units, where errors return by the transpose of the readouts' weights. True of exact rules: BPTT, RTRL.
    static member gradientMatches(rule, ?settings) =
        Laws.Try(Gradients.everywhere, rule, settings)

    /// The same in circuits in which no weight carries a rate back to an area. True of rules that leave out only what passes
    /// through recurrent weights, such as RFLO, e-prop and SnAp-1.
    static member gradientMatchesWithoutRecurrence(rule, ?settings) =
        Laws.Try(Gradients.forward, rule, settings)

    /// Weights from an excitatory unit are never negative, those from an inhibitory one never positive.
    static member daleHolds(rule, ?settings) =
        Laws.Try(HeldWeights.dale, rule, settings)

    /// A weight never leaves its bounds.
    static member boundsHold(rule, ?settings) =
        Laws.Try(HeldWeights.bounds, rule, settings)

    /// A connection that does not exist keeps the weight 0.
    static member masksStayZero(rule, ?settings) =
        Laws.Try(HeldWeights.masks, rule, settings)

    /// Frozen projections, and those that the rule does not change, keep every bit.
    static member frozenStaysFrozen(rule, ?settings) =
        Laws.Try(HeldWeights.frozen, rule, settings)

    /// At learning rate 0 every weight keeps every bit.
    static member rateZeroChangesNothing(rule, ?settings) =
        Laws.Try(HeldWeights.rateZero, rule, settings)

    /// The same experiment gives the same losses and weights to the last bit, again and on other threads. A function of a
    /// rule with hidden state breaks it.
    static member sameSeedSameBits(rule, ?settings) =
        Laws.Try(Repetition.sameSeed, rule, settings)

    /// A run that is stopped between two trials and resumed from its checkpoint ends with the bits of one that never stopped.
    static member resume(rule, ?settings) =
        Laws.Try(Repetition.resume, rule, settings)

    /// At fixed weights the update at the end of a trial is the sum of the increments of its steps. For rules that have these.
    static member trialEndIsSumOfOnline(rule, ?settings) =
        Laws.Try(Repetition.trialEnd, rule, settings)

    /// Units in another order learn the same weights in that order. Not for rules that draw numbers for each unit.
    static member permutation(rule, ?settings) =
        Laws.Try(Relabelling.law, rule, settings)

    /// The increments of a unit's weights depend on no other unit's weights and feedback, as long as all signals are the same: rates,
    /// currents, errors. True of rules of traces and third factors; the exact rules read the weights of others.
    static member localOnly(rule, ?settings) = Laws.Try(Locality.law, rule, settings)

    /// The laws that a rule must satisfy by its declaration, by name: for a test framework, a test for each.
    static member ofRule(rule: Rule, ?settings: Settings) : (string * (unit -> unit)) list =
        let settings = defaultArg settings Settings.standard

        let isExact =
            match rule.Credit with
            | BackwardInTime
            | ForwardInTime -> true
            | _ -> false

        [
            HeldWeights.rateZero
            HeldWeights.frozen
            HeldWeights.masks
            HeldWeights.dale
            HeldWeights.bounds
            Repetition.sameSeed
            Repetition.resume
            Repetition.trialEnd
            Relabelling.law
            if rule.Credit.StaysInArea then
                Locality.law
            if isExact then
                Gradients.everywhere
        ]
        |> List.filter (fun law -> Option.isNone (law.Exempts rule))
        |> List.map (fun law -> law.Name, (fun () -> hold law settings rule))
