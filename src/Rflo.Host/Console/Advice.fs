namespace Rflo.Host

open Rflo.Core
open Rflo.Dsl

/// The fix for a run that did not complete, by its learning rates and rules and by the trial in which it ended.
[<RequireQualifiedAccess>]
module internal Advice =

    /// The name of a projection that learns, or of time constants or initial states that learn, with its rate, rule and decay.
    type private Learning = {
        Name: string
        OfReadout: bool
        Rate: float
        Rule: Rule
        Decay: float
    }

    /// All parameters that learn.
    let private learning (experiment: Experiment) =
        [
            for projection in experiment.Circuit.Projections do
                let found rate rule = {
                    Name = Projection.name projection
                    OfReadout = projection.Target.IsOfReadout
                    Rate = rate
                    Rule = rule
                    Decay = projection.Decay
                }

                match projection.Plasticity with
                | Frozen -> ()
                | Learning rate -> found rate experiment.Rule
                | LearningBy(rate, rule) -> found rate rule

            for area in experiment.Circuit.Areas do
                match area.TauRate with
                | Some rate -> {
                    Name = $"tau of {area.Name}"
                    OfReadout = false
                    Rate = rate
                    Rule = experiment.Rule
                    Decay = 0.0
                  }
                | None -> ()

                match area.InitialRate with
                | Some rate -> {
                    Name = $"initial states of {area.Name}"
                    OfReadout = false
                    Rate = rate
                    Rule = experiment.Rule
                    Decay = 0.0
                  }
                | None -> ()
        ]
        |> List.filter (fun one ->
            match one.Rule.Learns with
            | Everything -> true
            | OnlyReadouts -> one.OfReadout
            | OnlyRecurrent
            | OnlyInputs -> not one.OfReadout)

    /// Whether the learning rate scales updates: least squares of either kind solve for the weights instead.
    let private hasRate (one: Learning) =
        if one.OfReadout then
            one.Rule.Readout.IsDeltaRule
        else
            not one.Rule.Credit.IsTowardCurrents

    let private listed values =
        values
        |> List.map (fun (name, value: float) -> $"{name} {string value}")
        |> String.concat ", "

    let private rates (all: Learning list) =
        match all |> List.filter (fun one -> hasRate one && one.Rate > 0.0) with
        | [] -> []
        | some ->
            let list = some |> List.map (fun one -> one.Name, one.Rate) |> listed

            [
                $"lower the learning rate ({list}), such as with --learning-rate RATE"
            ]

    /// The share of a weight that decay subtracts in an update must stay below 1.
    let private decays (all: Learning list) =
        match all |> List.filter (fun one -> hasRate one && one.Rate * one.Decay > 1.0) with
        | [] -> []
        | some ->
            let list = some |> List.map (fun one -> one.Name, one.Decay) |> listed

            [
                $"lower the decay ({list}): times the learning rate it must stay below 1"
            ]

    /// The word for a ready-made rule; none for another.
    let private wordOf name =
        match name, Rule.named name with
        | "truncated-bptt", _ -> Some "Rule.tbptt"
        | _, None -> None
        | _, Some _ ->
            let parts = (name: string).Split '-'

            let rest =
                parts[1..]
                |> Array.map (fun part ->
                    part.Substring(0, 1).ToUpperInvariant() + part.Substring 1)

            Some("Rule." + parts[0] + String.concat "" rest)

    let private clips (all: Learning list) =
        let isUnclipped (one: Learning) =
            hasRate one
            && one.Rate > 0.0
            && one.Rule.Clip.IsNone
            && not one.Rule.Credit.IsLocal

        match all |> List.filter isUnclipped |> List.map _.Rule.Name |> List.distinct with
        | [] -> []
        | name :: _ ->
            let record = wordOf name |> Option.defaultValue "yourRule"

            [
                $"clip the updates of {name} ({record} |> Rule.clip (Clip.Each 1.0))"
            ]

    /// Ways to steady recursive least squares.
    let private recursive what alpha forgetting = [
        if forgetting < 1.0 then
            $"raise the forgetting of {what} to 1 (it is {string forgetting}: the inverse correlations grow by 1 / forgetting in every step without presynaptic activity)"

        $"raise the alpha of {what} (it is {string alpha})"
    ]

    let private leastSquares (all: Learning list) =
        [
            for one in all do
                match one.OfReadout, one.Rule.Readout, one.Rule.Credit with
                | true, RecursiveLeastSquares(alpha, forgetting, _), _ ->
                    yield! recursive $"the recursive least squares of {one.Name}" alpha forgetting
                | true, RidgeRegression(alpha, _, _), _ ->
                    $"raise the alpha of the ridge regression of {one.Name} (it is {string alpha})"
                | false, _, TowardCurrents(_, alpha, forgetting, _) ->
                    yield! recursive $"the recursive least squares of {one.Name}" alpha forgetting
                | _ -> ()
        ]
        |> List.distinct

    /// The gain of weights from an area to itself.
    let private gain (projection: Projection) =
        match projection.Weights with
        | Gaussian gain
        | SpectralRadius gain when Projection.isRecurrent projection -> Some gain
        | _ -> None

    /// Gains that let rates grow without limit, or that make the updates of an area large.
    let private gains (experiment: Experiment) (all: Learning list) =
        let ofAreas = all |> List.exists (fun one -> not one.OfReadout)

        let isUnbounded (projection: Projection) =
            experiment.Circuit.Areas
            |> List.exists (fun area ->
                Projection.endName projection.Target = area.Name
                && area.Transfer <> Transfer.Tanh
                && area.Transfer <> Transfer.Sigmoid)

        let found =
            experiment.Circuit.Projections
            |> List.choose (fun projection ->
                gain projection
                |> Option.filter (fun _ -> ofAreas || isUnbounded projection)
                |> Option.map (fun value -> Projection.name projection, value))

        match found with
        | [] -> []
        | found -> [ $"lower the gain ({listed found})" ]

    /// Whether any weight can have changed before the run ended.
    let private hasLearned (all: Learning list) (status: RunStatus) =
        let inTheTrial (one: Learning) =
            match one.Rule.Update with
            | _ when not one.OfReadout && one.Rule.Credit.IsTowardCurrents -> true
            | Online
            | EverySteps _ -> true
            | TrialEnd
            | EveryTrials _ -> one.OfReadout && one.Rule.Readout.IsRecursiveLeastSquares

        not all.IsEmpty
        && (status.Trial > 0
            || status.Where.StartsWith("the weights", System.StringComparison.Ordinal)
            || List.exists inTheTrial all)

    /// Fixes to try after a run that diverged, with the current values.
    let private calmer (trained: Trained) =
        let experiment = trained.Experiment
        let all = learning experiment

        let ways =
            if hasLearned all trained.Status then
                rates all @ decays all @ leastSquares all @ gains experiment all @ clips all
            else
                gains experiment []

        match ways with
        | [] ->
            "nothing had been learned by then: check the inputs of the task, and the initial weights"
        | ways -> String.concat ", or " ways

    /// How a run ended and, where it failed or diverged, the fix.
    let ofRun (trained: Trained) =
        match trained.Status.End with
        | RunEnd.Diverged -> $"{trained.Status}; {calmer trained}"
        | RunEnd.Failed -> $"{trained.Status}; fix that code, and run again"
        | _ -> string trained.Status
