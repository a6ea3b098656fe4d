namespace Rflo.Dsl

/// Which of the declared ways of the error something learns by.
[<RequireQualifiedAccess>]
module ErrorPaths =

    /// Whether a rule uses an error at all.
    let usesError (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Modulator.Signal = FeedbackError
        | Own custom -> custom.UsesError
        | TowardCurrents _ -> false
        | _ -> true

    /// Whether anything that learns takes a signal, by its rule and by the part that it learns onto, an area or a readout: weights, time
    /// constants, or initial states.
    let private anyTakes (takes: Rule -> End -> bool) (experiment: Experiment) =
        let byWeights =
            experiment.Circuit.Projections
            |> List.exists (fun projection ->
                match Wiring.plasticity experiment projection with
                | Some(_, rule) -> takes rule projection.Target
                | None -> false)

        let byUnits =
            experiment.Circuit.Areas
            |> List.exists (fun area ->
                (Option.isSome (Wiring.tauRate experiment area)
                 || Option.isSome (Wiring.initialRate experiment area))
                && takes experiment.Rule (OfArea area.Name))

        byWeights || byUnits

    /// Whether an experiment learns by what a declared feedback carries: a rule that takes the declared error changes something of
    /// its area, or follows the arrows on to it from elsewhere.
    let isUsed (experiment: Experiment) (feedback: Feedback) =
        let takesIt (rule: Rule) (target: End) =
            not target.IsOfReadout
            && usesError rule
            && rule.Error = DeclaredFeedback
            && (Wiring.areaOf target = Some feedback.Area || not rule.Credit.StaysInArea)

        anyTakes takesIt experiment

    /// Whether an experiment learns by what the rates of an area cost, which joins the learning signal of the area: a rule that uses
    /// errors changes something onto it, or follows the arrows on to it from elsewhere.
    let costsCount (experiment: Experiment) (area: Area) =
        let leadsToIt target =
            Wiring.partOf target
            |> Option.exists (fun part ->
                Set.contains area.Name (Wiring.reachedFrom experiment.Circuit part))

        let takesThem (rule: Rule) target =
            usesError rule
            && (Wiring.areaOf target = Some area.Name
                || not rule.Credit.StaysInArea && leadsToIt target)

        anyTakes takesThem experiment
