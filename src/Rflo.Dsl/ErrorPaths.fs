namespace Rflo.Dsl

/// Which of the declared ways of the error something learns by.
[<RequireQualifiedAccess>]
module ErrorPaths =

    /// Whether a rule uses an error at all.
    let usesError (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Modulator.Signal = FeedbackError
        | _ -> true

    /// Whether an experiment learns by what a declared feedback carries: a rule that takes the declared error changes something of
    /// its area, or follows the arrows on to it from elsewhere.
    let isUsed (experiment: Experiment) (feedback: Feedback) =
        let takesIt isOfArea (rule: Rule) =
            usesError rule
            && rule.Error = DeclaredFeedback
            && (isOfArea || not rule.Credit.IsLocal)

        let byWeights =
            experiment.Circuit.Projections
            |> List.exists (fun projection ->
                match projection.Target, Wiring.plasticity experiment projection with
                | OfReadout _, _
                | _, None -> false
                | target, Some(_, rule) -> takesIt (Wiring.areaOf target = Some feedback.Area) rule)

        let byTimeConstants =
            experiment.Circuit.Areas
            |> List.exists (fun area ->
                Option.isSome (Wiring.tauRate experiment area)
                && takesIt (area.Name = feedback.Area) experiment.Rule)

        byWeights || byTimeConstants

    /// Whether an experiment learns by what the rates of an area cost, which joins the learning signal of the area: a rule that uses
    /// errors changes something onto it, or follows the arrows on to it from elsewhere.
    let costsCount (experiment: Experiment) (area: Area) =
        let takesThem (rule: Rule) part =
            usesError rule
            && (part = area.Name
                || not rule.Credit.IsLocal
                   && Set.contains area.Name (Wiring.reachedFrom experiment.Circuit part))

        let byWeights =
            experiment.Circuit.Projections
            |> List.exists (fun projection ->
                match Wiring.plasticity experiment projection, projection.Target with
                | Some(_, rule), (OfArea part | OfPopulation(part, _) | OfReadout part) ->
                    takesThem rule part
                | _ -> false)

        let byTimeConstants =
            experiment.Circuit.Areas
            |> List.exists (fun other ->
                Option.isSome (Wiring.tauRate experiment other)
                && takesThem experiment.Rule other.Name)

        byWeights || byTimeConstants
