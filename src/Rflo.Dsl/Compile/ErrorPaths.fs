namespace Rflo.Dsl

/// Which of the declared error paths an experiment uses.
[<RequireQualifiedAccess>]
module ErrorPaths =

    /// Whether a rule uses an error at all.
    let usesError (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Modulator.Signal = FeedbackError
        | Own custom -> custom.UsesError
        | TowardCurrents _ -> false
        | _ -> true

    /// Whether any weights, time constants or initial states that learn use a signal; `takes` decides it by their rule and by the part
    /// that they belong to, an area or a readout.
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

    /// Whether an experiment uses a declared feedback: a rule with the declared error path changes weights or states of its area, or
    /// its errors pass through this area to others.
    let isUsed (experiment: Experiment) (feedback: Feedback) =
        let takesIt (rule: Rule) (target: End) =
            not target.IsOfReadout
            && usesError rule
            && rule.Error = DeclaredFeedback
            && (Wiring.areaOf target = Some feedback.Area || not rule.Credit.StaysInArea)

        anyTakes takesIt experiment

    /// Whether an experiment uses the penalties of an area, which are added to its learning signal: a rule that uses errors changes
    /// weights or states of the area, or its errors pass through the area to parts that lead to it.
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
