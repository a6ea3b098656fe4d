namespace Rflo.Dsl

open System
open Rflo.Core
open CheckValues

/// What is wrong with a rule, and with a projection that learns by it.
module internal CheckRules =

    /// Whether credit follows the arrows of the circuit, exactly or on average.
    let followsArrows (rule: Rule) = not rule.Credit.StaysInArea

    let errorReaches (circuit: Circuit) (rule: Rule) (target: Area) = [
        let told =
            circuit.Feedback |> List.exists (fun feedback -> feedback.Area = target.Name)

        let hasReadout =
            circuit.Projections
            |> List.exists (fun p ->
                p.Target.IsOfReadout && Wiring.areaOf p.Source = Some target.Name)

        match rule.Credit, rule.Error with
        | _ when not (ErrorPaths.usesError rule) -> ()
        | (Local _ | Own _), DeclaredFeedback when not told ->
            NoErrorReaches(target.Name, rule.Name)
        | (Local _ | Own _), SymmetricPath when not hasReadout ->
            RuleCannot(
                rule.Name,
                $"send an error to {target.Name}, since no projection runs from it to a readout",
                "use Rule.rflo and declare feedback, such as by errorOf, or freeze the projection"
            )
        | _, DeclaredFeedback when List.isEmpty circuit.Feedback ->
            NoErrorReaches(target.Name, rule.Name)
        | _ -> ()
    ]

    /// Exact credit follows the arrows from a target to the readouts; a winner-take-all area on the way blocks it.
    let throughCompetition (circuit: Circuit) (rule: Rule) target = [
        if followsArrows rule then
            let reached = Wiring.reachedFrom circuit target

            for competitor in circuit.Areas do
                if competitor.Dynamics.IsWinnerTakeAll && Set.contains competitor.Name reached then
                    let beyond = Wiring.reachedFrom circuit competitor.Name

                    if
                        circuit.Readouts
                        |> List.exists (fun readout -> Set.contains readout.Name beyond)
                    then
                        RuleCannot(
                            rule.Name,
                            $"pass credit through the winner-take-all area {competitor.Name}, which has no slope",
                            "use a local rule such as rflo, or freeze the projection"
                        )
    ]

    let usesSlope (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Post.Signal = Slope || trace.Trace = OwnJacobian
        | Own _
        | TowardCurrents _ -> false
        | _ -> true

    let usesNoise (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Post.Signal = Perturbation
        | _ -> false

    /// What a rule cannot do with the units of a model.
    let ofModel (rule: Rule) (model: UnitModel) = [
        match rule.Credit with
        | Local trace when trace.Oja ->
            RuleCannot(
                rule.Name,
                $"have Oja's term with the unit model {model}, whose postsynaptic factor is one number for each state",
                "set Oja = false"
            )
        | Local trace when trace.Post.Signal = Slope && trace.Post <> Rule.the Slope ->
            RuleCannot(
                rule.Name,
                $"shape the slope of the unit model {model}, which is one number for each state",
                "shape the presynaptic factor or the modulator"
            )
        | _ -> ()
    ]

    /// KeRNL learns how rates act on rates.
    let private ofSensitivity (circuit: Circuit) (rule: Rule) = [
        match rule.Credit, circuit.Areas |> List.tryFind _.Dynamics.IsOfModel with
        | LearnedSensitivity _, Some area ->
            RuleCannot(
                rule.Name,
                $"learn the sensitivities of units to those of {area.Name}, which have a unit model",
                "use another rule, such as Rule.rflo, or leave units out"
            )
        | _ -> ()
    ]

    let ontoArea (circuit: Circuit) (rule: Rule) (target: Area) = [
        yield! ofSensitivity circuit rule

        match target.Dynamics with
        | WinnerTakeAll _ when usesSlope rule ->
            RuleCannot(
                rule.Name,
                "change weights onto a winner-take-all area, which has no slope",
                "use a rule of rates such as reward-hebb, or freeze the projection"
            )
        | OfModel model when not (List.isEmpty (ofModel rule model)) -> yield! ofModel rule model
        | _ ->
            yield! errorReaches circuit rule target
            yield! throughCompetition circuit rule target.Name

            if usesNoise rule && target.Noise = 0.0 then
                RuleCannot(
                    rule.Name,
                    $"learn from the noise of {target.Name}, which has none",
                    "give the area noise, such as |> noise 0.1"
                )
    ]

    let asksForReward (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Modulator.Signal.TakesReward
        | _ -> false

    let private noRewards (experiment: Experiment) (rule: Rule) = [
        if not (TaskCompile.givesRewards experiment.Seed experiment.Task) then
            RuleCannot(
                rule.Name,
                $"learn from rewards, since the task {experiment.Task.Name} gives none",
                "give its trials rewards, use another rule, or freeze the projection"
            )
    ]

    /// A rule whose modulator is 0 in every step changes no weight.
    let rewardArrives (experiment: Experiment) (rule: Rule) = [
        if asksForReward rule then
            yield! noRewards experiment rule
    ]

    /// What is wrong with the area whose rates are a modulator.
    let private modulatingArea (circuit: Circuit) name (check: Area -> Fault list) =
        match Wiring.findArea circuit name with
        | Error faults -> faults
        | Ok area -> check area

    /// Whether the circuit has the signal that modulates a rule, in the shape that the units of an area need.
    let modulatorArrives (circuit: Circuit) (rule: Rule) (target: Area) = [
        match rule.Credit with
        | Local { Modulator = { Signal = signal } } ->
            match signal with
            | ReadoutValue name
            | TemporalDifference(name, _) ->
                match Wiring.findReadout circuit name with
                | Error faults -> yield! faults
                | Ok readout when readout.Outputs > 1 ->
                    RuleCannot(
                        rule.Name,
                        $"take {name} as its modulator, which has {string readout.Outputs} outputs",
                        $"""declare a readout with one output, such as readout "value" 1, and name it"""
                    )
                | Ok _ -> ()
            | UnitRate(name, unit, _) ->
                yield!
                    modulatingArea circuit name (fun area -> [
                        if area.Units > 0 && (unit < 0 || unit >= area.Units) then
                            NotAllowed(
                                $"the unit of {name} that modulates {rule.Name}",
                                string unit,
                                $"from 0 to {string (area.Units - 1)}"
                            )
                    ])
            | AreaRates(name, weights, _) ->
                yield!
                    modulatingArea circuit name (fun area -> [
                        if
                            area.Units > 0
                            && target.Units > 0
                            && not (CheckValues.has target.Units area.Units weights)
                        then
                            WrongShape(
                                $"the weights from {name} that modulate {rule.Name}",
                                CheckValues.shapeOf weights,
                                $"{CheckValues.shape target.Units area.Units}, (units of {target.Name}, units of {name})"
                            )
                    ])
            | _ -> ()
        | _ -> ()
    ]

    /// A time of at least one step. Where dt itself is wrong, any positive time passes, so that one mistake is reported once.
    let atLeastOneStep field (dt: float<ms>) (given: float<ms>) = [
        let isDuration = dt > 0.0<ms> && Double.IsFinite(float dt)
        let isLongEnough = given > 0.0<ms> && (not isDuration || given >= dt)

        if not isLongEnough || not (Double.IsFinite(float given)) then
            let allowed =
                if isDuration then
                    $"finite and at least one step, {string (float dt)} ms"
                else
                    "finite and more than 0 ms"

            NotAllowed(field, $"{string (float given)} ms", allowed)
    ]

    let meanOf field dt (factor: Shaped<'Signal>) = [
        match factor.Mean with
        | Some(OverTime tau) -> yield! atLeastOneStep $"the running mean of the {field}" dt tau
        | Some(OverTrials trials) ->
            if not (trials >= 1.0) || not (Double.IsFinite trials) then
                NotAllowed(
                    $"the running mean of the {field}",
                    $"over {string trials} trials",
                    "over at least 1"
                )
        | None -> ()
    ]

    /// Window and stride of truncated BPTT; where dt itself is wrong, they need not be whole numbers of steps.
    let windowOf (dt: float<ms>) (window: float<ms>) (stride: float<ms>) = [
        let step =
            if dt > 0.0<ms> && Double.IsFinite(float dt) then
                Some dt
            else
                None

        yield! TaskCompile.durationFaults "the window" step window
        yield! TaskCompile.durationFaults "the stride" step stride

        if window < stride then
            NotAllowed(
                "the window",
                $"{string (float window)} ms",
                $"at least the stride, {string (float stride)} ms, so that every error is used"
            )
    ]

    /// The delay of a modulator: whole steps, at least one.
    let private modulatorDelay (dt: float<ms>) (delay: float<ms>) = [
        let field = "the delay of the modulator"
        let faults = atLeastOneStep field dt delay
        yield! faults

        if
            List.isEmpty faults
            && dt > 0.0<ms>
            && Double.IsFinite(float dt)
            && Option.isNone (TaskCompile.steps dt delay)
        then
            NotWholeSteps(field, delay, dt)
    ]

    /// What is wrong with the numbers of a modulator, whatever the circuit is.
    let private modulator precision dt =
        function
        | TemporalDifference(_, gamma) -> probability "the gamma of the temporal difference" gamma
        | UnitRate(_, _, delay) -> modulatorDelay dt delay
        | AreaRates(_, weights, delay) -> [
            yield! modulatorDelay dt delay
            yield! allFinite precision "a weight of the modulator" weights
          ]
        | _ -> []

    let readoutRule (dt: float<ms>) (readout: Rflo.Dsl.ReadoutRule) = [
        match readout with
        | DeltaRule -> ()
        | TdLambda(gamma, lambda) ->
            yield! probability "the gamma of the temporal difference" gamma
            yield! probability "the lambda of the temporal difference" lambda
        | RecursiveLeastSquares(alpha, forgetting, every) ->
            yield! CheckLeastSquares.settings alpha forgetting every
        | RidgeRegression(alpha, washout, every) ->
            yield! moreThanZero "alpha of the ridge regression" alpha
            yield! atLeastOne "the number of trials between ridge regressions" every

            if not (washout >= 0.0<ms>) || not (Double.IsFinite(float washout)) then
                NotAllowed(
                    "the washout",
                    $"{string (float washout)} ms",
                    "finite and at least 0 ms"
                )
            elif
                dt > 0.0<ms>
                && Double.IsFinite(float dt)
                && Option.isNone (TaskCompile.steps dt washout)
            then
                NotWholeSteps("the washout", washout, dt)
    ]

    /// The word for when updates are applied, as `update` takes it.
    let updateWord =
        function
        | Online -> "online"
        | EverySteps k -> $"everySteps {string k}"
        | TrialEnd -> "trialEnd"
        | EveryTrials(k, Sum) -> $"everyTrialsSum {string k}"
        | EveryTrials(k, Mean) -> $"everyTrials {string k}"

    /// What is wrong with the parts of a rule, whatever it is used for.
    let parts precision (dt: float<ms>) (rule: Rule) = [
        match rule.Credit with
        | Local trace ->
            match trace.Trace with
            | TraceTau tau -> yield! atLeastOneStep "the time constant of the trace" dt tau
            | _ -> ()

            match trace.Pre.Signal with
            | LowPass tau -> yield! atLeastOneStep "the time constant of the low-pass" dt tau
            | Presynaptic -> ()

            yield! meanOf "post factor" dt trace.Post
            yield! meanOf "pre factor" dt trace.Pre
            yield! meanOf "modulator" dt trace.Modulator
            yield! modulator precision dt trace.Modulator.Signal
        | TruncatedBackward(window, stride) -> yield! windowOf dt window stride
        | Stochastic(factors, noise) ->
            if not (Enum.IsDefined factors) then
                NotAllowed(
                    "the factors of the influence",
                    string (int factors),
                    oneOf<InfluenceFactors>()
                )

            if not (Enum.IsDefined noise) then
                NotAllowed("the mixing noise", string (int noise), oneOf<MixingNoise>())
        | Own custom ->
            if System.String.IsNullOrWhiteSpace custom.Description then
                NotAllowed(
                    "the description of a rule of your own",
                    "empty",
                    "what it is, with all of its constants"
                )

            let own =
                match custom with
                | :? DefinedRule -> rule.Error
                | _ -> (Rule.ofCore custom).Error

            if rule.Error <> own then
                RuleCannot(
                    rule.Name,
                    "take another error path than its own",
                    "leave Rule.withErrorPath out, and set the path in the rule itself"
                )
        | LearnedSensitivity rate ->
            if not (rate >= 0.0 && rate <= 1.0) then
                NotAllowed("the rate at which sensitivities are learned", string rate, "in [0, 1]")
        | TowardCurrents(_, alpha, forgetting, every) ->
            yield! CheckLeastSquares.settings alpha forgetting every
        | _ -> ()

        yield! optimizer precision rule.Optimizer
        yield! rates rule.Schedule

        if not (rule.Clip.Norm > 0.0) then
            NotAllowed(
                "the norm at which updates are clipped",
                string rule.Clip.Norm,
                "more than 0"
            )

        yield! readoutRule dt rule.Readout
    ]

    /// Whether the strides of truncated BPTT end in steps that are not each k-th.
    let fallsBetween dt stride k =
        match TaskCompile.steps dt stride with
        | Some steps when steps >= 1 -> k % steps <> 0
        | _ -> false

    let schedule precision (dt: float<ms>) (rule: Rule) = [
        match rule.Credit, rule.Update with
        | BackwardInTime, (Online | EverySteps _) ->
            RuleCannot(
                rule.Name,
                "update online, since it passes errors backward over a whole trial",
                "use update trialEnd, or Rule.rtrl with update online"
            )
        | TruncatedBackward(_, stride), EverySteps k when k >= 1 && fallsBetween dt stride k ->
            RuleCannot(
                rule.Name,
                $"update every {k} steps, since it passes errors backward every {string (float stride)} ms",
                "use update online, which updates after each of these passes"
            )
        | Local { Modulator = { Signal = TrialReward } }, (Online | EverySteps _) ->
            RuleCannot(
                rule.Name,
                "update online, since the reward of a trial is known at its end",
                "use update trialEnd, or the reward of each step, Rule.the StepReward"
            )
        | _, EveryTrials(k, _) -> yield! atLeastOne "the number of trials between updates" k
        | _, EverySteps k -> yield! atLeastOne "the number of steps between updates" k
        | _ -> ()

        yield! parts precision dt rule
    ]

    /// What is wrong with a projection onto a readout that learns to predict rewards.
    let private byPrediction (experiment: Experiment) (rule: Rule) (readout: Readout) = [
        let instead =
            "or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"

        if readout.Outputs > 1 then
            RuleCannot(
                rule.Name,
                $"predict rewards by {readout.Name}, which has {string readout.Outputs} outputs",
                $"give the critic a readout with one output, {instead}"
            )

        if readout.Output = Output.Softmax then
            RuleCannot(
                rule.Name,
                $"predict rewards by {readout.Name}, since one softmax output is always 1",
                $"make the readout linear, {instead}"
            )

        yield! noRewards experiment rule
    ]

    let ontoReadout (experiment: Experiment) (rule: Rule) readout projection =
        let circuit = experiment.Circuit

        match rule.Readout, Wiring.findReadout circuit readout with
        | DeltaRule, _ -> throughCompetition circuit rule readout
        | TdLambda _, Ok readout -> byPrediction experiment rule readout
        | _, Ok readout -> CheckLeastSquares.ofReadout rule readout projection
        | _, Error _ -> []

    /// Whether a rule needs no learning signal before the end of the trial, for weights onto readouts or onto areas.
    let private waits (rule: Rule) (target: End) =
        (rule.Update.IsTrialEnd || rule.Update.IsEveryTrials)
        && not rule.Readout.IsRecursiveLeastSquares
        && (target.IsOfReadout
            || match rule.Credit with
               | BackwardInTime -> true
               | Local {
                           Modulator = { Mean = None; Map = None }
                       } -> true
               | _ -> false)

    /// A penalty on the mean rate of a trial is computed at its end, so rules that need it in earlier steps are refused.
    let private trialMeans (experiment: Experiment) (rule: Rule) doesWait = [
        let penalized =
            experiment.Circuit.Areas
            |> List.tryFind (fun area -> area.Penalties |> List.exists _.OfTrialMean)

        match penalized with
        | Some area when not doesWait ->
            Contradiction(
                $"{area.Name} has a penalty on mean rates, known at the end of a trial, and {rule.Name} with {updateWord rule.Update} needs it in every step",
                "use Rule.bptt or a local rule with update trialEnd, or use Penalty.toward, which applies to each step"
            )
        | _ -> ()
    ]

    let learns (experiment: Experiment) (projection: Projection) = [
        match Wiring.declaredPlasticity experiment projection with
        | None -> ()
        | Some(rate, rule) ->
            yield! notNegativeIn experiment.Precision "the learning rate" rate
            yield! trialMeans experiment rule (waits rule projection.Target)

            // The experiment's rule is checked once, with the experiment.
            if projection.Plasticity.IsLearningBy then
                yield! schedule experiment.Precision experiment.Dt rule

            match projection.Target with
            | _ when not (Wiring.changes rule projection) ->
                if projection.Plasticity.IsLearningBy then
                    Contradiction(
                        $"it learns by {rule.Name}, which leaves weights of this kind as they are",
                        "freeze it, or use a rule that changes more, such as Rule.rflo"
                    )
            | OfArea target
            | OfPopulation(target, _) ->
                match Wiring.findArea experiment.Circuit target with
                | Ok target ->
                    yield! ontoArea experiment.Circuit rule target
                    yield! modulatorArrives experiment.Circuit rule target
                    yield! CheckLeastSquares.ofArea experiment.Circuit rule target projection
                    yield! rewardArrives experiment rule
                | Error _ -> ()
            | OfReadout readout -> yield! ontoReadout experiment rule readout projection
            | _ -> ()
    ]

    /// Whether a rule is defined for time constants.
    let private knowsTau (rule: Rule) =
        match rule.Credit with
        | BackwardInTime
        | ForwardInTime -> true
        | Local trace ->
            trace.Modulator.Signal = FeedbackError
            && trace.Post = Rule.the Slope
            && not trace.Oja
        | _ -> false

    /// What is wrong with time constants that learn.
    let learnsTau (experiment: Experiment) (area: Area) = [
        match Wiring.tauRate experiment area with
        | None -> ()
        | Some rate ->
            let rule = experiment.Rule
            yield! notNegativeIn experiment.Precision "the learning rate of tau" rate

            if area.Dynamics.IsWinnerTakeAll then
                Contradiction(
                    "it learns tau, which a winner-take-all area does not have",
                    "leave learnTau out"
                )
            elif area.Dynamics.IsOfModel then
                Contradiction(
                    "it learns tau, and its unit model does not give the derivative by tau",
                    "leave learnTau out"
                )
            elif area.Tau = OneStep then
                Contradiction(
                    "it learns tau, and a relay has none",
                    "give it a tau to begin with, or leave learnTau out"
                )
            elif not (knowsTau rule) then
                RuleCannot(
                    rule.Name,
                    "learn time constants",
                    "use bptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnTau out"
                )
            else
                yield! ontoArea experiment.Circuit rule area
                // A local rule multiplies the trace of a time constant by the learning signal in every step, whatever its update.
                yield! trialMeans experiment rule rule.Credit.IsBackwardInTime
    ]

    /// Whether a rule is defined for initial states.
    let private knowsStart (rule: Rule) =
        match rule.Credit with
        | TruncatedBackward _ -> true
        | Local trace -> knowsTau rule && trace.Trace <> NoTrace
        | _ -> knowsTau rule

    /// What is wrong with initial states that learn.
    let learnsInitial (experiment: Experiment) (area: Area) = [
        match Wiring.initialRate experiment area with
        | None -> ()
        | Some rate ->
            let rule = experiment.Rule
            yield! notNegativeIn experiment.Precision "the learning rate of initial states" rate

            match area.Initial with
            | _ when area.Dynamics.IsWinnerTakeAll ->
                Contradiction(
                    "it learns its initial state, and that of a winner-take-all area is a choice, which has no gradient",
                    "leave learnInitial out"
                )
            | CarriedOver _ ->
                Contradiction(
                    "it learns its initial state, and its states carry over, so that its trials have none of their own",
                    "take initial (reset 0.1), or leave learnInitial out"
                )
            | RandomStart _ ->
                Contradiction(
                    "it learns its initial state, which is drawn anew in every trial",
                    "take initial (drawnOnce 0.0 0.1), which begins with one draw, or leave learnInitial out"
                )
            | _ when not (knowsStart rule) ->
                RuleCannot(
                    rule.Name,
                    "learn initial states",
                    "use bptt, tbptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnInitial out"
                )
            | _ ->
                yield! ontoArea experiment.Circuit rule area
                // A local rule multiplies its trace by the learning signal in every step, whatever its update.
                yield! trialMeans experiment rule rule.Credit.IsBackwardInTime
    ]

    /// The projections that a rule changes, in words.
    let private scope =
        function
        | Everything -> "everything"
        | OnlyReadouts -> "what arrives at readouts"
        | OnlyRecurrent -> "what areas and fed-back readouts send to areas"
        | OnlyInputs -> "input weights and biases of areas"

    /// Whether an experiment trains and changes nothing by it.
    let changesNothing (experiment: Experiment) =
        experiment.Trials > 0
        && experiment.Circuit.Projections
           |> List.forall (fun p -> Option.isNone (Wiring.plasticity experiment p))
        && experiment.Circuit.Areas
           |> List.forall (fun a ->
               Option.isNone (Wiring.tauRate experiment a)
               && Option.isNone (Wiring.initialRate experiment a))

    /// The problem of an experiment in which nothing learns: no learning rate, or a rule that changes other projections.
    let leavesNothing (experiment: Experiment) = [
        let declared =
            experiment.Circuit.Projections |> List.exists (fun p -> p.Plasticity.IsLearning)

        if declared && experiment.Rule.Learns <> Everything then
            RuleCannot(
                experiment.Rule.Name,
                $"change anything, since it changes only {scope experiment.Rule.Learns} and nothing of that has a learning rate",
                "give it one, such as |> learningRate 0.03, or use a rule that changes more, such as Rule.rflo"
            )
        else
            NothingLearns
    ]
