namespace Rflo.Host

open System
open System.Globalization
open Rflo.Dsl

/// Puts the options of a command line onto an experiment.
[<RequireQualifiedAccess>]
module internal Overrides =

    /// A number.
    let number (text: string) =
        match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, value -> Some value
        | _ -> None

    /// A whole number.
    let whole (text: string) =
        match Int64.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
        | true, value -> Some value
        | _ -> None

    let private trials text (experiment: Experiment) =
        match whole text with
        | Some count when count >= 0L && count <= 2_000_000_000L ->
            Ok { experiment with Trials = int count }
        | _ -> Error [ BadValue("--trials", text, "a whole number, at least 0") ]

    let private seed text (experiment: Experiment) =
        match whole text with
        | Some seed -> Ok { experiment with Seed = seed }
        | None -> Error [ BadValue("--seed", text, "a whole number") ]

    /// Whether everything that learns has a rule of its own, so that an option for the experiment's rule has no effect.
    let private learnsOnlyByOwnRules (experiment: Experiment) =
        let plasticities: Plasticity list =
            experiment.Circuit.Projections |> List.map _.Plasticity

        plasticities |> List.exists _.IsLearningBy
        && not (plasticities |> List.exists _.IsLearning)
        && experiment.Circuit.Areas
           |> List.forall (fun area -> area.TauRate.IsNone && area.InitialRate.IsNone)

    let private unlessOwn option (experiment: Experiment) change =
        if learnsOnlyByOwnRules experiment then
            Error [
                NoEffect(
                    option,
                    "everything that learns has a rule of its own; change learnBy in the script"
                )
            ]
        else
            change ()

    /// Replaces the rule and keeps the time of its updates, which has a separate option.
    let private rule name (experiment: Experiment) =
        match Rule.named name with
        | Some rule ->
            unlessOwn "--rule" experiment
            <| fun () ->
                Ok {
                    experiment with
                        Rule =
                            experiment.Settings.Of {
                                rule with
                                    Update = experiment.Rule.Update
                            }
                }
        | None ->
            let known = Rule.all |> List.map (fun rule -> rule.Name)
            Error [ UnknownName("--rule", name, "rule", known) ]

    /// "online", "trial-end" or "every-10".
    let readUpdate (text: string) =
        match text with
        | "online" -> Some Online
        | "trial-end" -> Some TrialEnd
        | _ when text.StartsWith("every-", StringComparison.Ordinal) ->
            whole (text.Substring 6)
            |> Option.filter (fun k -> k >= 1L && k <= int64 Int32.MaxValue)
            |> Option.map (fun k -> EveryTrials(int k, Sum))
        | _ -> None

    let private update text (experiment: Experiment) =
        match readUpdate text with
        | Some time ->
            unlessOwn "--update" experiment (fun () -> Ok(Experiment.update time experiment))
        | None ->
            Error [
                BadValue(
                    "--update",
                    text,
                    "online, trial-end or every-K with K at least 1, such as every-10"
                )
            ]

    let private parts = [
        "everything", Everything
        "readouts", OnlyReadouts
        "recurrent", OnlyRecurrent
        "inputs", OnlyInputs
    ]

    /// Sets what learns in the whole circuit, also in projections with a rule of their own.
    let private learns text (experiment: Experiment) =
        match parts |> List.tryFind (fun (name, _) -> name = text) with
        | Some(_, part) ->
            let own (projection: Projection) =
                match projection.Plasticity with
                | LearningBy(rate, rule) -> {
                    projection with
                        Plasticity = LearningBy(rate, { rule with Learns = part })
                  }
                | Learning _
                | Frozen -> projection

            Ok {
                experiment with
                    Rule = { experiment.Rule with Learns = part }
                    Circuit = {
                        experiment.Circuit with
                            Projections = List.map own experiment.Circuit.Projections
                    }
            }
        | None ->
            let names = parts |> List.map fst |> String.concat ", "
            Error [ BadValue("--learns", text, $"one of {names}") ]

    let private withRate rate (projection: Projection) =
        match projection.Plasticity with
        | Frozen -> projection
        | Learning _ -> {
            projection with
                Plasticity = Learning rate
          }
        | LearningBy(_, rule) -> {
            projection with
                Plasticity = LearningBy(rate, rule)
          }

    let private withProjections change (experiment: Experiment) = {
        experiment with
            Circuit = {
                experiment.Circuit with
                    Projections = experiment.Circuit.Projections |> List.map change
            }
    }

    let private rateOf name rate (experiment: Experiment) =
        let projections = experiment.Circuit.Projections

        match projections |> List.tryFind (fun p -> Projection.name p = name) with
        | None ->
            let known = projections |> List.map Projection.name

            Error [
                UnknownName("--learning-rate", name, "projection", known)
            ]
        | Some projection when projection.Plasticity.IsFrozen ->
            Error [ DoesNotLearn("--learning-rate", name) ]
        | Some _ ->
            Ok(
                experiment
                |> withProjections (fun p ->
                    if Projection.name p = name then withRate rate p else p)
            )

    let private learningRate (text: string) experiment =
        let name, value =
            match text.LastIndexOf '=' with
            | -1 -> None, text
            | at -> Some(text.Substring(0, at)), text.Substring(at + 1)

        match number value, name with
        | Some rate, None when rate >= 0.0 && Double.IsFinite rate ->
            if experiment.Circuit.Projections |> List.forall _.Plasticity.IsFrozen then
                Error [
                    NoEffect(
                        "--learning-rate",
                        "no projection learns in the script; give one |> learningRate there first"
                    )
                ]
            else
                Ok(withProjections (withRate rate) experiment)
        | Some rate, Some name when rate >= 0.0 && Double.IsFinite rate ->
            rateOf name rate experiment
        | _ ->
            Error [
                BadValue(
                    "--learning-rate",
                    text,
                    "a finite number, at least 0, or NAME=NUMBER such as 'cortex->y=0.1'"
                )
            ]

    let private precision text (experiment: Experiment) =
        match text with
        | "double" ->
            Ok {
                experiment with
                    Precision = Precision.Double
            }
        | "single" ->
            Ok {
                experiment with
                    Precision = Precision.Single
            }
        | _ -> Error [ BadValue("--precision", text, "double or single") ]

    let private stopAtLoss text experiment =
        match number text with
        | Some loss when Double.IsFinite loss -> Ok(Experiment.stopAtLoss loss experiment)
        | _ -> Error [ BadValue("--stop-at-loss", text, "a finite number") ]

    let private patience text experiment =
        match whole text with
        | Some trials when trials >= 1L && trials <= 2_000_000_000L ->
            Ok(Experiment.patience (int trials) experiment)
        | _ ->
            Error [
                BadValue("--patience", text, "a whole number, at least 1")
            ]

    let private lossWindow text experiment =
        match whole text with
        | Some trials when trials >= 1L && trials <= 2_000_000_000L ->
            Ok(Experiment.lossWindow (int trials) experiment)
        | _ ->
            Error [
                BadValue("--loss-window", text, "a whole number, at least 1")
            ]

    let private lanes text (experiment: Experiment) =
        match whole text with
        | Some count when count >= 1L && count <= 2_000_000_000L ->
            Ok {
                experiment with
                    Lanes = TrialLanes(int count, experiment.Lanes.Mean)
            }
        | _ -> Error [ BadValue("--lanes", text, "a whole number, at least 1") ]

    /// "50,100": after every 50 trials, 100 test trials.
    let private validate (text: string) experiment =
        match text.Split ',' |> Array.map whole with
        | [| Some every; Some trials |] when
            every >= 1L
            && trials >= 1L
            && every <= 2_000_000_000L
            && trials <= 2_000_000_000L
            ->
            Ok(Experiment.validate (int every) (int trials) experiment)
        | _ ->
            Error [
                BadValue(
                    "--validate",
                    text,
                    "EVERY,TRIALS, two whole numbers, each at least 1, such as 50,100"
                )
            ]

    /// Validations are declared, here or in the script: without them the option would have nothing to look at.
    let private ifValidated option (experiment: Experiment) change =
        if experiment.Probes |> List.exists _.Probe.IsValidation then
            Ok(change experiment)
        else
            Error [
                NoEffect(
                    option,
                    "the experiment does not validate; give --validate 50,100 too, or |> validate 50 100 in the script"
                )
            ]

    let private stopAtPerformance text experiment =
        match number text with
        | Some performance when Double.IsFinite performance ->
            ifValidated
                "--stop-at-performance"
                experiment
                (Experiment.stopAtPerformance performance)
        | _ ->
            Error [
                BadValue("--stop-at-performance", text, "a finite number")
            ]

    let private byValidation (experiment: Experiment) =
        ifValidated "--by-validation" experiment Experiment.byValidation

    /// Rates for all projections are applied before those for one, whatever their order on the line.
    let private order =
        function
        | Rule _
        | Validate _ -> 0
        | Learning_Rate text when text.Contains '=' -> 2
        | Learns _ -> 2
        | _ -> 1

    let private apply option experiment =
        match option with
        | Trials text -> trials text experiment
        | Seed text -> seed text experiment
        | Rule name -> rule name experiment
        | Update text -> update text experiment
        | Learns text -> learns text experiment
        | Learning_Rate text -> learningRate text experiment
        | Precision text -> precision text experiment
        | Stop_At_Loss text -> stopAtLoss text experiment
        | Patience text -> patience text experiment
        | Loss_Window text -> lossWindow text experiment
        | Lanes text -> lanes text experiment
        | Keep_Best -> Ok(Experiment.keepBest experiment)
        | Validate text -> validate text experiment
        | By_Validation -> byValidation experiment
        | Stop_At_Performance text -> stopAtPerformance text experiment
        | Out _
        | Force
        | Resume _
        | Checkpoint_Every _
        | Checkpoint_Minutes _
        | Max_Minutes _
        | Threads _
        | Analyze _
        | Check
        | Plan
        | Graph _
        | Graph_Width _
        | Graph_Font _
        | Quiet
        | No_Report -> Ok experiment

    /// The experiment with the options applied, or all mistakes of the options.
    let onto (experiment: Experiment) (options: ScriptOption list) =
        let changed, mistakes =
            ((experiment, []), options |> List.indexed |> List.sortBy (snd >> order))
            ||> List.fold (fun (experiment, mistakes) (place, option) ->
                match apply option experiment with
                | Ok changed -> changed, mistakes
                | Error more ->
                    experiment, mistakes @ List.map (fun mistake -> place, mistake) more)

        if List.isEmpty mistakes then
            Ok changed
        else
            Error(mistakes |> List.sortBy fst |> List.map snd)

    /// The options of settings, as a manifest lists them (`settings`).
    let ofSettings (settings: (string * string) list) : ScriptOption list = [
        for name, value in settings do
            match name with
            | "trials" -> Trials value
            | "seed" -> Seed value
            | "rule" -> Rule value
            | "update" -> Update value
            | "learns" -> Learns value
            | "learning-rate" ->
                for rate in value.Split ", " do
                    Learning_Rate rate
            | "precision" -> ScriptOption.Precision value
            | "stop-at-loss" -> Stop_At_Loss value
            | "patience" -> Patience value
            | "loss-window" -> Loss_Window value
            | "keep-best" -> Keep_Best
            | "lanes" -> Lanes value
            | "validate" -> Validate value
            | "by-validation" -> By_Validation
            | "stop-at-performance" -> Stop_At_Performance value
            | _ -> ()
    ]

    /// The settings that the options change, as the manifest lists them.
    let settings (options: ScriptOption list) =
        options
        |> List.choose (function
            | Trials text -> Some("trials", text)
            | Seed text -> Some("seed", text)
            | Rule name -> Some("rule", name)
            | Update text -> Some("update", text)
            | Learns text -> Some("learns", text)
            | Learning_Rate text -> Some("learning-rate", text)
            | Precision text -> Some("precision", text)
            | Stop_At_Loss text -> Some("stop-at-loss", text)
            | Patience text -> Some("patience", text)
            | Loss_Window text -> Some("loss-window", text)
            | Lanes text -> Some("lanes", text)
            | Keep_Best -> Some("keep-best", "")
            | Validate text -> Some("validate", text)
            | By_Validation -> Some("by-validation", "")
            | Stop_At_Performance text -> Some("stop-at-performance", text)
            | _ -> None)
        |> List.groupBy fst
        |> List.map (fun (name, values) -> name, values |> List.map snd |> String.concat ", ")
