namespace Rflo.Host

open System.Text.Json.Nodes
open Rflo.Dsl
open Json

/// An experiment in full, as in manifest.json. Matrices are represented by their shapes; their numbers are in weights.npz.
[<RequireQualifiedAccess>]
module internal ExperimentJson =

    let private penalty (penalty: Penalty) =
        record [
            "kind", text (string penalty.Kind)
            "strength", number penalty.Strength
            "target", number penalty.Target
            "ofTrialMean", flag penalty.OfTrialMean
        ]

    let private area (area: Area) =
        record [
            "name", text area.Name
            "units", whole area.Units
            "tauMs",
            (match area.Tau with
             | SameTau tau -> time tau
             | TauOfUnit taus -> list (Seq.map time taus)
             | OneStep -> text "one step")
            "transfer", text (area.Transfer.ToString())
            "dynamics",
            (match area.Dynamics with
             | Leaky -> case "leaky" []
             | CurrentForm -> case "currentForm" []
             | OfModel model ->
                 case "unitModel" [
                     "model", text model.Description
                     "states", list (Seq.map text model.States)
                 ]
             | WinnerTakeAll explore -> case "winnerTakeAll" [ "explore", number explore ])
            "noise", number area.Noise

            if not area.Penalties.IsEmpty then
                "penalties", list (Seq.map penalty area.Penalties)

            "initial",
            (match area.Initial with
             | Reset rate -> case "reset" [ "rate", number rate ]
             | ResetTo rates -> case "resetTo" [ "rates", list (Seq.map number rates) ]
             | CarriedOver first -> case "carriedOver" [ "first", number first ]
             | RandomStart(mean, deviation) ->
                 case "random" [ "mean", number mean; "deviation", number deviation ]
             | DrawnOnce(mean, deviation) ->
                 case "drawnOnce" [ "mean", number mean; "deviation", number deviation ])
            match area.TauRate with
            | Some rate -> "tauRate", number rate
            | None -> ()
            match area.InitialRate with
            | Some rate -> "initialRate", number rate
            | None -> ()
            if area.RecordsStates then
                "recordsStates", flag true
            match area.Dale with
            | Some fraction -> "dale", number fraction
            | None -> ()
            if not area.Populations.IsEmpty then
                "populations",
                record [
                    for name, units in area.Populations -> name, list (Seq.map whole units)
                ]
        ]

    let private weights =
        function
        | Gaussian gain -> case "gaussian" [ "gain", number gain ]
        | SpectralRadius radius -> case "spectralRadius" [ "radius", number radius ]
        | Uniform(low, high) -> case "uniform" [ "low", number low; "high", number high ]
        | UniformScaled bound -> case "uniformScaled" [ "bound", number bound ]
        | Constant weight -> case "constant" [ "weight", number weight ]
        | OneToOne weight -> case "oneToOne" [ "weight", number weight ]
        | Given matrix -> case "given" [ "shape", shape matrix ]
        | GivenSparse weights ->
            case "givenSparse" [
                "shape", JsonArray(whole weights.Rows, whole weights.Columns)
                "connections", whole weights.Values.Length
            ]
        | ReadFrom(source, _) -> case "readFrom" [ "source", text source ]

    let private connectivity =
        function
        | Dense -> case "dense" []
        | Density fraction -> case "density" [ "fraction", number fraction ]
        | Mask matrix ->
            case "mask" [
                "shape", shape matrix
                "connections", whole (matrix |> Seq.cast<bool> |> Seq.filter id |> Seq.length)
            ]

    let private opening =
        function
        | Always -> case "always" []
        | Every period -> case "every" [ "periodMs", time period ]
        | AtTrialEnd -> case "trialEnd" []
        | AtEvent event -> case "event" [ "event", text event ]

    let private update =
        function
        | Online -> case "online" []
        | EverySteps k -> case "everySteps" [ "steps", whole k ]
        | TrialEnd -> case "trialEnd" []
        | EveryTrials(k, combine) ->
            case "everyTrials" [ "trials", whole k; "combine", text (string combine) ]

    let private readoutRule =
        function
        | DeltaRule -> case "delta" []
        | RecursiveLeastSquares(alpha, forgetting, every) ->
            case "recursiveLeastSquares" [
                "alpha", number alpha
                "forgetting", number forgetting
                "everySteps", whole every
            ]
        | RidgeRegression(alpha, washout, every) ->
            case "ridgeRegression" [
                "alpha", number alpha
                "washoutMs", time washout
                "everyTrials", whole every
            ]
        | TdLambda(gamma, lambda) ->
            case "tdLambda" [ "gamma", number gamma; "lambda", number lambda ]

    let private rule (rule: Rule) =
        record [
            "name", text rule.Name
            "credit", text (Describe.credit rule.Credit)
            "error", text (string rule.Error)
            "update", update rule.Update
            "optimizer", text (string rule.Optimizer)
            if not rule.Clip.IsNone then
                "clip", number rule.Clip.Norm

                if rule.Clip.Together then
                    "clipTogether", flag true
            "rates", text (string rule.Schedule)
            "readout", readoutRule rule.Readout
            "learns", text (string rule.Learns)
        ]

    let private plasticity =
        function
        | Frozen -> case "frozen" []
        | Learning rate -> case "learning" [ "rate", number rate ]
        | LearningBy(rate, own) -> case "learningBy" [ "rate", number rate; "rule", rule own ]

    let private projection (projection: Projection) =
        record [
            "name", text (Projection.name projection)
            "source", text (Projection.endName projection.Source)
            "target", text (Projection.endName projection.Target)
            "recurrent", flag (Projection.isRecurrent projection)
            "weights", weights projection.Weights
            "connectivity", connectivity projection.Connectivity
            "selfConnections", flag projection.SelfConnections
            "balanced", flag projection.Balanced
            match projection.Delay with
            | Some delay -> "delayMs", time delay
            | None -> ()
            "gate", opening projection.Opening
            "plasticity", plasticity projection.Plasticity
            match projection.Bounds with
            | Some(low, high) -> "bounds", list [ number low; number high ]
            | None -> ()
            "decay", number projection.Decay

            if projection.L1 <> 0.0 then
                "l1", number projection.L1

            if projection.L2 <> 0.0 then
                "l2", number projection.L2
        ]

    let private feedback experiment (feedback: Feedback) =
        record [
            "readout", text feedback.Readout
            "area", text feedback.Area
            "used", flag (ErrorPaths.isUsed experiment feedback)
            "through",
            (match feedback.Through with
             | RandomFeedback scale -> case "random" [ "scale", number scale ]
             | SymmetricFeedback -> case "symmetric" []
             | GivenFeedback matrix -> case "given" [ "shape", shape matrix ])
        ]

    let private probe (watched: Watched) =
        let fields =
            match watched.Probe with
            | Probe.Angle(own, reference) -> [
                match own with
                | Some passive -> "rule", rule passive
                | None -> ()
                "reference", rule reference
              ]
            | Probe.SpectralRadius area
            | Probe.ParticipationRatio area
            | Probe.Rates area -> [ "area", text area ]
            | Probe.WeightChange
            | Probe.Dale
            | Probe.Masks
            | Probe.Own _ -> []
            | Probe.Validation trials -> [ "trials", whole trials ]

        record (
            [
                "name", text (Probe.name watched.Probe)
                "every", whole watched.Every
            ]
            @ fields
        )

    let private units =
        function
        | PerturbedUnits.Whole area -> [ "area", text area ]
        | PerturbedUnits.Population(area, population) -> [
            "area", text area
            "population", text population
          ]
        | PerturbedUnits.Some(area, chosen) -> [
            "area", text area
            "units", list (Seq.map whole chosen)
          ]

    let private course =
        function
        | Course.Constant value -> number value
        | Course.Steps values -> list (Seq.map number values)
        | Course.OfUnits values ->
            list [
                for step in 0 .. values.GetLength 0 - 1 -> list (Seq.map number values[step, *])
            ]

    let private perturbation (perturbation: Perturbation) =
        let kind, fields =
            match perturbation.Kind with
            | PerturbationKind.Silence some -> "silence", units some
            | PerturbationKind.Clamp(some, held) -> "clamp", units some @ [ "course", course held ]
            | PerturbationKind.Stimulate(some, added, noise) ->
                "stimulate", units some @ [ "course", course added; "noise", number noise ]
            | PerturbationKind.Kick(some, kick) ->
                "kick",
                units some
                @ [
                    "values", list (Seq.map number kick.Values)
                    "adds", flag kick.Adds
                    match kick.State with
                    | Some name -> "state", text name
                    | None -> ()
                ]
            | PerturbationKind.Lesion some -> "lesion", units some
            | PerturbationKind.ScaleProjection(name, factor) ->
                "scaleProjection", [ "projection", text name; "factor", number factor ]
            | PerturbationKind.ReplaceWeights(name, weights) ->
                "replaceWeights",
                [
                    "projection", text name
                    "weights",
                    list [
                        for row in weights.EnumerateRows() -> list (Seq.map number row)
                    ]
                ]

        record [
            "kind", text kind
            yield! fields
            "steps",
            (match perturbation.Steps with
             | PerturbedSteps.All -> case "all" []
             | PerturbedSteps.During event -> case "during" [ "event", text event ]
             | PerturbedSteps.Between(from, until) ->
                 case "between" [ "fromMs", time from; "untilMs", time until ]
             | PerturbedSteps.After(event, after, lasting) ->
                 case "afterOnset" [
                     "event", text event
                     "afterMs", time after
                     "lastingMs", time lasting
                 ])
            "trials",
            (match perturbation.Trials with
             | PerturbedTrials.All -> case "all" []
             | PerturbedTrials.Drawn(fraction, key) ->
                 case "drawn" [ "fraction", number fraction; "key", text key ]
             | PerturbedTrials.Chosen _ -> case "chosen" [])
        ]

    /// The experiment.
    let ofExperiment (experiment: Experiment) =
        let circuit = experiment.Circuit

        record [
            "name", text experiment.Name
            "areas", list (Seq.map area circuit.Areas)
            "inputs",
            list [
                for input in circuit.Inputs ->
                    record [
                        "name", text input.Name
                        "channels", whole input.Channels
                    ]
            ]
            "readouts",
            list [
                for readout in circuit.Readouts ->
                    record [
                        "name", text readout.Name
                        "outputs", whole readout.Outputs
                        "output", text (readout.Output.ToString())

                        match Losses.named readout with
                        | Some loss ->
                            "loss", text loss.Description
                            "lossFormula", text loss.Formula
                        | None -> ()
                    ]
            ]
            "projections", list (Seq.map projection circuit.Projections)
            "feedback", list (Seq.map (feedback experiment) circuit.Feedback)
            "task", TaskJson.ofTask experiment.Task
            "rule", rule experiment.Rule
            "trials", whole experiment.Trials
            "seed", JsonValue.Create experiment.Seed

            if experiment.Lanes.AreSeveral then
                "lanes",
                record [
                    "count", whole experiment.Lanes.Count
                    "combine", text (if experiment.Lanes.Mean then "Mean" else "Sum")
                ]

            "dtMs", time experiment.Dt
            "precision", text (experiment.Precision.ToString())
            "stopping",
            record [
                match experiment.Stopping.TargetLoss with
                | Some loss -> "targetLoss", number loss
                | None -> ()

                match experiment.Stopping.Patience with
                | Some trials -> "patience", whole trials
                | None -> ()

                "keepBest", flag experiment.Stopping.KeepBest
                "lossWindow", whole experiment.Stopping.Window

                if experiment.Stopping.ByValidation then
                    "byValidation", flag true

                match experiment.Stopping.TargetPerformance with
                | Some performance -> "targetPerformance", number performance
                | None -> ()
            ]
            "probes", list (Seq.map probe experiment.Probes)

            if not experiment.Perturbations.IsEmpty then
                "perturbations", list (Seq.map perturbation experiment.Perturbations)
        ]
