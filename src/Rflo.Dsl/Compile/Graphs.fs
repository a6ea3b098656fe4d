namespace Rflo.Dsl

open Rflo.Core

/// The graph of an experiment without problems: the only place that builds one.
[<RequireQualifiedAccess>]
module internal GraphCompile =

    let private resolved circuit finish =
        match Wiring.resolve circuit finish with
        | Ok resolved -> resolved
        | Error _ -> invalidOp "an end that was checked is unknown"

    let private stepsOf dt duration =
        match TaskCompile.steps dt duration with
        | Some steps -> steps
        | None -> invalidOp "a time that was checked is no whole number of steps"

    let private place name nameOf parts =
        parts |> List.findIndex (fun part -> nameOf part = name)

    let private alpha (dt: float<ms>) (area: Area) =
        match area.Tau with
        | OneStep -> Array.create area.Units 1.0
        | SameTau tau -> Array.create area.Units (dt / tau)
        | TauOfUnit taus -> taus |> Array.map (fun tau -> dt / tau)

    let private start seed (area: Area) =
        match area.Initial with
        | Reset rate -> InitialPolicy.Reset, Array.create area.Units rate, 0.0
        | ResetTo rates -> InitialPolicy.Reset, Array.copy rates, 0.0
        | CarriedOver rate -> InitialPolicy.CarriedOver, Array.create area.Units rate, 0.0
        | RandomStart(mean, deviation) ->
            InitialPolicy.Random, Array.create area.Units mean, deviation
        | DrawnOnce(mean, deviation) ->
            InitialPolicy.Reset, Draw.initial seed area.Name area.Units mean deviation, 0.0

    /// Standard deviation of a step's noise. For leaky units it is that of white noise with the given deviation in steps of
    /// 1 ms, so that the variance of rates does not depend on dt. A winner is chosen in one step, from one draw.
    let private noise (dt: float<ms>) (area: Area) =
        match area.Dynamics with
        | Leaky
        | OfModel _
        | CurrentForm -> Defining.noiseOf area.Noise dt
        | WinnerTakeAll _ -> area.Noise

    let private area (experiment: Experiment) (area: Area) =
        let dt = experiment.Dt
        let policy, rates, spread = start experiment.Seed area

        let dynamics, explore =
            match area.Dynamics with
            | Leaky
            | OfModel _ -> Rflo.Core.Dynamics.Leaky, 0.0
            | CurrentForm -> Rflo.Core.Dynamics.CurrentForm, 0.0
            | WinnerTakeAll explore -> Rflo.Core.Dynamics.WinnerTakeAll, explore

        AreaSpec(
            Name = area.Name,
            Units = area.Units,
            Alpha = alpha dt area,
            Transfer = area.Transfer,
            Dynamics = dynamics,
            Model =
                (match area.Dynamics with
                 | OfModel model -> Some model
                 | _ -> None
                 |> Option.toObj),
            Noise = noise dt area,
            NoiseUnit = area.Noise,
            InitialPolicy = policy,
            InitialRates = rates,
            InitialSpread = spread,
            Explore = explore,
            Penalties = Array.ofList area.Penalties,
            TauPlasticity =
                (Wiring.tauRate experiment area
                 |> Option.map (fun rate ->
                     RuleCompile.plasticity experiment.Circuit dt rate experiment.Rule)
                 |> Option.toObj),
            RecordsStates = area.RecordsStates,
            InitialPlasticity =
                (Wiring.initialRate experiment area
                 |> Option.map (fun rate ->
                     RuleCompile.plasticity experiment.Circuit dt rate experiment.Rule)
                 |> Option.toObj)
        )

    let areaId (circuit: Circuit) name =
        AreaId(place name (fun (area: Area) -> area.Name) circuit.Areas)

    let private readoutId (circuit: Circuit) name =
        ReadoutId(place name (fun (readout: Readout) -> readout.Name) circuit.Readouts)

    let private inputId (circuit: Circuit) name =
        InputId(place name (fun (input: Input) -> input.Name) circuit.Inputs)

    let private source circuit dt (projection: Projection) =
        let units = (resolved circuit projection.Source).Units |> Option.toObj
        let delay = projection.Delay |> Option.map (stepsOf dt) |> Option.defaultValue 1

        match projection.Source with
        | OfArea name
        | OfPopulation(name, _) -> Source.Area(areaId circuit name, delay, units)
        | OfInput name
        | OfChannels(name, _) -> Source.Input(inputId circuit name, units)
        | OfReadout name -> Source.Readout(readoutId circuit name, delay, units)
        | OfBias -> Source.One

    let private target circuit (projection: Projection) =
        let units = (resolved circuit projection.Target).Units |> Option.toObj

        match projection.Target with
        | OfReadout name -> Target.Readout(readoutId circuit name)
        | OfArea name
        | OfPopulation(name, _) -> Target.Area(areaId circuit name, units)
        | OfInput _
        | OfChannels _
        | OfBias -> invalidOp "an arrow cannot end here"

    let private gate (experiment: Experiment) =
        function
        | Always -> Gate.Always
        | Every duration -> Gate.Every(stepsOf experiment.Dt duration)
        | AtTrialEnd -> Gate.TrialEnd
        | AtEvent event -> Gate.AtEvent(List.findIndex ((=) event) experiment.Task.Events)

    let private projection synapses (experiment: Experiment) signs (projection: Projection) =
        let circuit = experiment.Circuit
        let low, high = projection.Bounds |> Option.defaultValue (-infinity, infinity)

        ProjectionSpec(
            Name = Wiring.label projection,
            Source = source circuit experiment.Dt projection,
            Target = target circuit projection,
            Synapses =
                synapses
                    experiment.Seed
                    circuit
                    projection
                    (resolved circuit projection.Source)
                    (resolved circuit projection.Target),
            Gate = gate experiment projection.Opening,
            Plasticity =
                (Wiring.plasticity experiment projection
                 |> Option.map (fun (rate, rule) ->
                     RuleCompile.plasticity circuit experiment.Dt rate rule)
                 |> Option.toObj),
            Signs = Option.toObj signs,
            Lower = low,
            Upper = high,
            Decay = projection.Decay,
            L1 = projection.L1,
            L2 = projection.L2
        )

    let private feedback seed (circuit: Circuit) (declared: Feedback) =
        let area = circuit.Areas |> List.find (fun area -> area.Name = declared.Area)

        let readout =
            circuit.Readouts |> List.find (fun readout -> readout.Name = declared.Readout)

        FeedbackSpec(
            Readout = readoutId circuit declared.Readout,
            Area = areaId circuit declared.Area,
            Matrix = (Draw.feedback seed declared area.Units readout.Outputs |> Option.toObj)
        )

    let private passive (experiment: Experiment) (rule: Rule) =
        let time =
            match rule.Update with
            | Online
            | EverySteps _ -> UpdateTime.Online
            | TrialEnd
            | EveryTrials _ -> UpdateTime.TrialEnd

        PassiveRule(rule.Name, RuleCompile.rule experiment.Circuit experiment.Dt rule, time)

    /// The probe that compares the increments of a rule, or of the projections' own, with those of another.
    let angle experiment every rule reference =
        let own = PassiveRule("own", null, UpdateTime.TrialEnd)
        let rule = rule |> Option.map (passive experiment) |> Option.defaultValue own
        AngleProbe(every, rule, passive experiment reference)

    /// The rules that probes compare, and those that they are compared with.
    let private compared (experiment: Experiment) =
        experiment.Probes
        |> List.collect (fun watched ->
            match watched.Probe with
            | Probe.Angle(rule, reference) -> reference :: Option.toList rule
            | _ -> [])

    /// The graph, with connections and weights by a function of the seed, the circuit, the projection and its ends.
    let graph synapses (experiment: Experiment) =
        let circuit = experiment.Circuit

        let history =
            compared experiment
            |> List.map (RuleCompile.history experiment.Dt)
            |> List.fold max 0

        let builder = GraphBuilder(History = history)

        for declared in circuit.Areas do
            builder.AddArea(area experiment declared) |> ignore

        for input in circuit.Inputs do
            builder.AddInput(InputSpec(input.Name, input.Channels)) |> ignore

        for readout in circuit.Readouts do
            builder.AddReadout(
                ReadoutSpec(
                    Name = readout.Name,
                    Outputs = readout.Outputs,
                    Kind = readout.Output,
                    Loss = (readout.Loss |> Option.toObj)
                )
            )
            |> ignore

        for declared in circuit.Projections do
            let signs = Wiring.signsOf circuit declared

            builder.AddProjection(projection synapses experiment signs declared) |> ignore

        for name, weights in PerturbationCompile.replaced experiment do
            circuit.Projections
            |> List.find (fun one -> Wiring.label one = name)
            |> PerturbationCompile.withWeights weights
            |> projection synapses experiment None
            |> builder.AddProjection
            |> ignore

        for declared in circuit.Feedback do
            builder.AddFeedback(feedback experiment.Seed circuit declared)

        for declared in experiment.Perturbations do
            PerturbationCompile.perturbation
                (fun area deviation -> noise experiment.Dt { area with Noise = deviation })
                experiment
                declared
            |> List.iter builder.AddPerturbation

        builder.Build()
