namespace Rflo.Host

open Rflo.Dsl

/// An experiment in words, like the methods section of a paper: a heading and a sentence for each part.
[<RequireQualifiedAccess>]
module internal Describe =

    let private plural count one =
        if count = 1 then $"1 {one}" else $"{count} {one}s"

    let private range (values: float<ms>[]) =
        $"{string (float (Array.min values))} to {string (float (Array.max values))} ms, one a unit"

    let private sentence parts =
        parts
        |> List.filter (fun part -> part <> "")
        |> String.concat "; "
        |> fun text -> text + "."

    let private penalty (penalty: Penalty) =
        let distance =
            if penalty.Target = 0.0 then
                ""
            else
                $", from {string penalty.Target}"

        let whose = if penalty.OfTrialMean then "mean rates" else "rates"

        match penalty.Kind with
        | Rflo.Core.PenaltyKind.Square ->
            $"squared {whose} cost {string penalty.Strength}/2{distance}"
        | _ -> $"absolute {whose} cost {string penalty.Strength}{distance}"

    /// The penalties on the rates of an area, with a note where nothing learns from them.
    let costs experiment (area: Area) = [
        yield! List.map penalty area.Penalties

        if not area.Penalties.IsEmpty && not (ErrorPaths.costsCount experiment area) then
            "nothing learns from this penalty"
    ]

    let private area (experiment: Experiment) (area: Area) =
        let dt = experiment.Dt

        let dynamics =
            match area.Dynamics with
            | Leaky -> plural area.Units (area.Transfer.ToString().ToLowerInvariant() + " unit")
            | CurrentForm ->
                plural area.Units (area.Transfer.ToString().ToLowerInvariant() + " unit")
                + " in the current form, τ dx/dt = −x + u, h = φ(x)"
            | OfModel model -> plural area.Units "unit" + $": {model}"
            | WinnerTakeAll 0.0 -> plural area.Units "winner-take-all unit"
            | WinnerTakeAll explore ->
                let units = plural area.Units "winner-take-all unit"
                $"{units}, the winner random with probability {string explore}"

        let tau =
            match area.Tau with
            | SameTau tau -> $"time constant {string (float tau)} ms"
            | TauOfUnit taus -> $"time constants {range taus}"
            | OneStep -> $"no memory beyond a step ({string (float dt)} ms)"

        let tauRate =
            match area.TauRate with
            | Some rate -> $"time constants learn at rate {string rate}"
            | None -> ""

        let initialRate =
            match area.InitialRate with
            | Some rate -> $"the states that trials begin with learn at rate {string rate}"
            | None -> ""

        let start =
            match area.Initial with
            | Reset rate -> $"every trial begins with rates {string rate}"
            | ResetTo _ -> "every trial begins with given rates"
            | CarriedOver first ->
                $"a trial begins where the one before it ended, the first with rates {string first}"
            | RandomStart(mean, deviation) ->
                $"every trial begins with rates drawn from N({string mean}, {string deviation}²)"
            | DrawnOnce(mean, deviation) ->
                $"every trial begins with the same rates, drawn once from N({string mean}, {string deviation}²)"

        let noise =
            if area.Noise = 0.0 then
                ""
            else
                match area.Dynamics with
                | Leaky
                | OfModel _
                | CurrentForm ->
                    $"normal noise of standard deviation {string area.Noise} / sqrt(dt / ms) in every current and step"
                | WinnerTakeAll _ ->
                    $"normal noise of standard deviation {string area.Noise} in every current and choice"

        let dale =
            match area.Dale with
            | Some fraction -> $"Dale's law with {string (100.0 * fraction)} %% excitatory units"
            | None -> ""

        let recorded =
            if area.RecordsStates then
                "the states of its units are recorded"
            else
                ""

        $"Area {area.Name}",
        sentence [
            dynamics
            tau
            tauRate
            start
            initialRate
            noise
            dale
            recorded
            yield! costs experiment area
        ]

    let private weights =
        function
        | Gaussian gain -> $"weights drawn from N(0, g²/n) with gain g = {string gain}"
        | SpectralRadius radius ->
            $"weights drawn from a normal distribution and scaled to spectral radius {string radius}"
        | Uniform(low, high) -> $"weights uniform in [{string low}, {string high}]"
        | UniformScaled bound -> $"weights uniform in [-{string bound}, {string bound}]/√n"
        | Constant weight -> $"all weights {string weight}"
        | OneToOne weight -> $"unit to unit with weight {string weight}"
        | Given matrix -> $"weights given, {Array2D.length1 matrix} × {Array2D.length2 matrix}"
        | GivenSparse weights ->
            $"weights given of {weights.Values.Length} connections, {weights.Rows} × {weights.Columns}"
        | ReadFrom(source, _) -> $"weights read from {source}"

    let private connectivity =
        function
        | Dense -> ""
        | Density fraction -> $"{string (100.0 * fraction)} %% of the connections exist"
        | Mask _ -> "connections by a given mask"

    let private opening =
        function
        | Always -> ""
        | Every period -> $"open every {string (float period)} ms"
        | AtTrialEnd -> "open in the last step of a trial"
        | AtEvent event -> $"open at the event {event}"

    let private plasticity =
        function
        | Frozen -> "frozen"
        | Learning rate -> $"learns at rate {string rate}"
        | LearningBy(rate, rule) -> $"learns at rate {string rate} by {rule.Name}"

    let private projection (projection: Projection) =
        let selfConnections =
            if projection.SelfConnections then
                ""
            else
                "no connection from a unit to itself"

        let delay =
            match projection.Delay with
            | Some delay -> $"delay {string (float delay)} ms"
            | None -> ""

        let bounds =
            match projection.Bounds with
            | Some(low, high) -> $"weights kept in [{string low}, {string high}]"
            | None -> ""

        let decay =
            projection.Decays
            |> List.filter (fun (_, strength) -> strength <> 0.0)
            |> List.map (fun (word, strength) ->
                let what = if word = "decay" then "weight decay" else $"{word} penalty"
                $"{what} {string strength}")
            |> String.concat ", "

        $"Projection {Projection.name projection}",
        sentence [
            weights projection.Weights
            (if projection.Balanced then "balanced" else "")
            connectivity projection.Connectivity
            selfConnections
            delay
            opening projection.Opening
            bounds
            plasticity projection.Plasticity
            decay
        ]

    let private feedback experiment (feedback: Feedback) =
        let through =
            match feedback.Through with
            | RandomFeedback scale -> $"fixed random weights from N(0, {string scale}²)"
            | SymmetricFeedback -> "the transpose of the readout's weights"
            | GivenFeedback _ -> "given weights"

        let isUsed =
            if ErrorPaths.isUsed experiment feedback then
                ""
            else
                " Nothing learns by it here."

        $"Feedback {feedback.Readout}->{feedback.Area}",
        $"The error of {feedback.Readout} reaches {feedback.Area} through {through}.{isUsed}"

    let private mean =
        function
        | OverTime tau -> $"{string (float tau)} ms"
        | OverTrials trials -> $"{string trials} trials"

    let private shaped name (factor: Shaped<'Signal>) =
        let centred =
            match factor.Mean with
            | Some past -> $"{name} minus its mean over {mean past}"
            | None -> name

        match factor.Map with
        | Some map -> $"{map.Name} of ({centred})"
        | None -> centred

    let private trace (trace: ThreeFactor) =
        let memory =
            match trace.Trace with
            | UnitTau -> "traces with the unit's tau"
            | TraceTau tau -> $"traces with tau {string (float tau)} ms"
            | NoTrace -> "no trace"
            | WholeTrial -> "traces over the whole trial"
            | OwnJacobian -> "traces with the unit's own Jacobian"

        let post =
            match trace.Post.Signal with
            | Slope -> "slope"
            | Rate -> "rate"
            | Current -> "current"
            | Perturbation -> "noise"

        let pre =
            match trace.Pre.Signal with
            | Presynaptic -> "signal"
            | LowPass tau -> $"signal filtered over {string (float tau)} ms"

        let modulator =
            match trace.Modulator.Signal with
            | FeedbackError -> "error"
            | TrialReward -> "reward of the trial"
            | StepReward -> "reward of the step"
            | TaskReward -> "reward of the task"
            | RewardError -> "reward of the task minus the unit's current"
            | Unmodulated -> "1"
            | ReadoutValue readout -> $"output of {readout}"
            | TemporalDifference(readout, gamma) ->
                $"temporal-difference error of {readout}, gamma {string gamma} a step"
            | UnitRate(area, unit, delay) ->
                $"rate of unit {string unit} of {area} {string (float delay)} ms before"
            | AreaRates(area, weights, delay) ->
                $"rates of {area} {string (float delay)} ms before through given weights, {Array2D.length1 weights} × {Array2D.length2 weights}"

        let oja = if trace.Oja then ", with Oja's decay" else ""

        $"local: {memory}; {shaped post trace.Post} times {shaped pre trace.Pre} times {shaped modulator trace.Modulator}{oja}"

    /// The credit assignment of a rule. The text is part of manifest.json.
    let credit =
        function
        | Local factors -> trace factors
        | BackwardInTime -> "back-propagation through time"
        | TruncatedBackward(window, stride) when window = stride ->
            $"back-propagation through one window of {string (float window)} ms after the other"
        | TruncatedBackward(window, stride) ->
            $"back-propagation of the last {string (float stride)} ms' errors through {string (float window)} ms, every {string (float stride)} ms"
        | ForwardInTime -> "real-time recurrent learning"
        | Own custom -> $"a rule of one's own, {custom.Description}"
        | LearnedSensitivity rate ->
            $"traces with sensitivities and memories that are learned at rate {string rate}"
        | TowardCurrents(teacher, alpha, forgetting, every) ->
            let past =
                if forgetting = 1.0 then
                    ""
                else
                    $", forgetting {string forgetting}"

            let steps = if every = 1 then "every step" else $"every {every} steps"

            $"recursive least squares toward the currents of {teacher}, alpha {string alpha}{past}, in {steps}"
        | Stochastic(factors, noise) ->
            let mixed = noise.ToString().ToLowerInvariant()

            match factors with
            | Rflo.Core.InfluenceFactors.RankOne -> $"rank-one influence, {mixed} mixing"
            | Rflo.Core.InfluenceFactors.Kronecker ->
                $"Kronecker-factored influence, {mixed} mixing"
            | _ -> $"reverse Kronecker-factored influence, {mixed} mixing"

    let private path =
        function
        | DeclaredFeedback -> "the error comes through the declared feedback"
        | SymmetricPath -> "the error comes through the readout's own weights"

    /// How readouts learn.
    let readoutRule =
        function
        | DeltaRule -> "the delta rule"
        | RecursiveLeastSquares(alpha, forgetting, every) ->
            let past =
                if forgetting = 1.0 then
                    ""
                else
                    $", forgetting {string forgetting}"

            let steps = if every = 1 then "every step" else $"every {every} steps"
            $"recursive least squares, alpha {string alpha}{past}, in {steps}"
        | RidgeRegression(alpha, washout, every) ->
            let left =
                if washout = 0.0<ms> then
                    ""
                else
                    $", {string (float washout)} ms washed out"

            let trials = if every = 1 then "every trial" else $"every {every} trials"
            $"ridge regression over all trials so far, alpha {string alpha}{left}, at the end of {trials}"
        | TdLambda(gamma, lambda) ->
            $"TD(λ) of the task's rewards, gamma {string gamma} a step, lambda {string lambda}"

    /// The projections that a rule changes, where these are not all.
    let scope =
        function
        | Everything -> ""
        | OnlyReadouts -> "only readouts learn by it"
        | OnlyRecurrent -> "only recurrent weights learn by it"
        | OnlyInputs -> "only input weights and biases of areas learn by it"

    /// When updates are applied.
    let update (rule: Rule) =
        match rule.Credit, rule.Update with
        | TruncatedBackward(_, stride), Online -> $"every {string (float stride)} ms"
        | _, Online -> "in every step"
        | _, EverySteps k -> $"every {k} steps"
        | _, TrialEnd -> "at the end of every trial"
        | _, EveryTrials(k, Sum) -> $"every {k} trials (their sum)"
        | _, EveryTrials(k, Mean) -> $"every {k} trials (their mean)"

    /// The rule, its credit assignment, and the path of its error, if it uses one.
    let private learning (rule: Rule) =
        if ErrorPaths.usesError rule then
            $"{rule.Name} ({credit rule.Credit}; {path rule.Error})"
        else
            $"{rule.Name} ({credit rule.Credit})"

    /// When the run stops, which weights it keeps, and by which mean loss.
    let private stopping (experiment: Experiment) = [
        let stopping = experiment.Stopping

        let mean =
            if stopping.ByValidation then
                "validation loss"
            elif stopping.Window = 1 then
                "loss"
            else
                $"mean loss of the last {stopping.Window} trials that have a target"

        match stopping.TargetLoss with
        | Some loss -> $"stops when the {mean} is at or below {string loss}"
        | None -> ()

        match stopping.Patience with
        | Some trials -> $"stops after {trials} trials without a smaller {mean}"
        | None -> ()

        match stopping.TargetPerformance with
        | Some performance ->
            $"stops when the validation performance is at or above {string performance}"
        | None -> ()

        if stopping.KeepBest then
            if
                not stopping.ByValidation
                && experiment.Trials > 0
                && experiment.Trials < stopping.Window
            then
                $"keeps the last weights as the best, since {experiment.Trials} trials are too few for the {mean}"
            else
                $"keeps the weights of the smallest {mean}"
    ]

    /// The settings of a rule that differ from those of the ready-made rules.
    let besides (rule: Rule) = [
        match rule.Readout with
        | DeltaRule -> ()
        | readout -> $"readouts learn by {readoutRule readout}"

        if rule.Optimizer <> Optimizer.sgd then
            rule.Optimizer.Description

        if not rule.Clip.IsNone then
            let whose = if rule.Clip.Together then " over all parameters" else ""
            $"updates clipped at norm {string rule.Clip.Norm}{whose}"

        if rule.Schedule <> Schedule.constant then
            $"rates {rule.Schedule.Description}"
    ]

    let private training (experiment: Experiment) =
        let rule = experiment.Rule

        "Training",
        sentence [
            learning rule
            $"weights change {update rule}"
            scope rule.Learns
            yield! besides rule
            plural experiment.Trials "trial"

            if experiment.Lanes.AreSeveral then
                let combined = if experiment.Lanes.Mean then "mean" else "sum"

                $"{experiment.Lanes.Count} trials side by side share every update (their {combined})"

            $"seed {string experiment.Seed}"
            $"steps of {string (float experiment.Dt)} ms"
            $"{experiment.Precision.ToString().ToLowerInvariant()} precision"
            yield! stopping experiment
        ]

    let private probes (watched: Watched list) = [
        for every, group in watched |> List.groupBy _.Every do
            let names =
                group |> List.map (fun one -> Probe.name one.Probe) |> String.concat ", "

            let trials =
                if every = 1 then
                    "in every trial"
                else
                    $"every {every} trials"

            "Probes", $"Measured {trials}: {names}."
    ]

    let private perturbations (given: Perturbation list) = [
        for one in given -> "Perturbation", sentence [ Perturbation.words one ]
    ]

    /// Heading and sentence for each part, in the order of declaration.
    let parts (experiment: Experiment) = [
        Unused.used ()
        let circuit = experiment.Circuit

        for each in circuit.Areas do
            area experiment each

        for input in circuit.Inputs do
            $"Input {input.Name}", $"""{plural input.Channels "channel"}."""

        for readout in circuit.Readouts do
            $"Readout {readout.Name}",
            sentence [
                plural readout.Outputs (readout.Output.ToString().ToLowerInvariant() + " output")
                match readout.Loss with
                | Some loss -> loss.Description
                | None -> ()
            ]

        for each in circuit.Projections do
            projection each

        for each in circuit.Feedback do
            feedback experiment each

        TaskText.sentence experiment.Task
        training experiment
        yield! perturbations experiment.Perturbations
        yield! probes experiment.Probes
    ]

    /// All of it as text, one part a line.
    let text experiment =
        parts experiment
        |> List.map (fun (heading, sentence) -> $"{heading}: {sentence}")
        |> String.concat "\n"
