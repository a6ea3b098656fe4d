/// Smaller valid experiments beside a valid one.
module internal Rflo.Testing.Shrinks

open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials
open Rflo.Testing.Circuits

/// An area whose lists fit its number of units.
let private fitArea (area: Area) =
    let n = area.Units

    {
        area with
            Tau =
                match area.Tau with
                | TauOfUnit taus -> TauOfUnit(Array.truncate n taus)
                | other -> other
            Initial =
                match area.Initial with
                | ResetTo rates -> ResetTo(Array.truncate n rates)
                | other -> other
            Dale = area.Dale |> Option.map (fun fraction -> round (fraction * float n) / float n)
            Populations = [
                for name, units in area.Populations do
                    match units |> List.filter (fun unit -> unit < n) with
                    | [] -> ()
                    | kept -> name, kept
            ]
    }

let private fitEnd (circuit: Circuit) finish =
    match finish with
    | OfChannels(name, _) -> OfChannels(name, members circuit finish)
    | other -> other

let private corner post pre (matrix: 'entry[,]) =
    Array2D.init post pre (fun i j -> matrix[i, j])

/// A projection whose matrices fit its two ends.
let private fitProjection circuit (projection: Projection) =
    let post, pre = sizeOf circuit projection.Target, sizeOf circuit projection.Source
    let signs = signsOf circuit projection

    let fit matrix =
        corner post pre matrix |> heldMatrix projection.Bounds signs

    let weights =
        match projection.Weights with
        | Given matrix -> Given(fit matrix)
        | ReadFrom(source, read) ->
            ReadFrom(
                source,
                fun () ->
                    read ()
                    |> Result.map (function
                        | WeightMatrix.Full matrix -> WeightMatrix.Full(fit matrix)
                        | sparse -> sparse)
            )
        | OneToOne _ when post <> pre -> Constant 0.0
        | Constant _
        | OneToOne _ when projection.Bounds.IsSome -> Constant 0.0
        | other -> other

    let fitting = {
        projection with
            Weights = weights
            Connectivity =
                match projection.Connectivity with
                | Mask matrix -> Mask(corner post pre matrix)
                | other -> other
            SelfConnections = projection.SelfConnections || not (maySpare projection weights)
    }

    {
        fitting with
            Balanced = fitting.Balanced && mayBalance circuit fitting
    }

let private fitFeedback (circuit: Circuit) (feedback: Feedback) =
    let area = areaNamed circuit feedback.Area
    let readout = circuit.Readouts |> List.tryFind (fun r -> r.Name = feedback.Readout)

    match area, readout, feedback.Through with
    | Some area, Some readout, GivenFeedback matrix ->
        Some {
            feedback with
                Through = GivenFeedback(corner area.Units readout.Outputs matrix)
        }
    | Some area, Some readout, SymmetricFeedback when
        not (listens circuit ((=) readout.Name) area.Name)
        ->
        None
    | Some _, Some _, _ -> Some feedback
    | _ -> None

/// Removes parts that refer to missing parts, until there is none.
let rec private prune (circuit: Circuit) =
    let exists finish = sizeOf circuit finish > 0

    let kept =
        circuit.Projections
        |> List.map (fun p -> {
            p with
                Source = fitEnd circuit p.Source
        })
        |> List.filter (fun p -> exists p.Source && exists p.Target)

    let heard =
        circuit.Readouts
        |> List.filter (fun r -> kept |> List.exists (fun p -> p.Target = OfReadout r.Name))

    let pruned = {
        circuit with
            Projections = kept
            Readouts = heard
    }

    if heard.Length = circuit.Readouts.Length then
        pruned
    else
        prune pruned

let private fitPlasticity (experiment: Experiment) circuit projection =
    let rule =
        match projection.Plasticity with
        | LearningBy(_, rule) -> rule
        | _ -> experiment.Rule

    if canLearn circuit rule projection then
        projection
    else
        frozen projection

/// The experiment without the faults that a change has caused.
let tidy (experiment: Experiment) =
    let sized = {
        experiment.Circuit with
            Areas = List.map fitArea experiment.Circuit.Areas
    }

    let pruned = prune sized

    let fitting = {
        pruned with
            Projections = pruned.Projections |> List.map (fitProjection pruned) |> nameApart
            Feedback = pruned.Feedback |> List.choose (fitFeedback pruned)
    }

    let learning = fitting.Projections |> List.map (fitPlasticity experiment fitting)

    fitTask (stepsOf experiment) {
        experiment with
            Circuit = { fitting with Projections = learning }
            Trials =
                if List.exists isPlastic learning then
                    experiment.Trials
                else
                    0
    }

// The size of an experiment, which every shrink reduces.

let private count conditions =
    conditions |> List.filter id |> List.length

let private areaSize (area: Area) =
    10
    + area.Units
    + area.Populations.Length
    + count [
        area.Tau <> SameTau 10.0<ms>
        area.Transfer <> Transfer.Tanh
        area.Dynamics <> Leaky
        area.Noise > 0.0
        not area.Penalties.IsEmpty
        area.Initial <> Reset 0.1
        area.Dale.IsSome
    ]

/// The end without a choice among its units.
let private whole finish =
    match finish with
    | OfPopulation(area, _) -> OfArea area
    | OfChannels(input, _) -> OfInput input
    | other -> other

let private projectionSize (p: Projection) =
    10
    + count [
        p.Label.IsSome
        p.Weights <> Gaussian 1.0
        p.Connectivity <> Dense
        not p.SelfConnections
        p.Source <> whole p.Source
        p.Target <> whole p.Target
        p.Delay.IsSome
        p.Opening <> Always
        isPlastic p
        p.Balanced
        p.Bounds.IsSome
        p.Decay > 0.0
        p.L1 > 0.0
        p.L2 > 0.0
    ]

let private readoutSize (readout: Readout) =
    10
    + readout.Outputs
    + count [ readout.Output <> Output.Linear; readout.Loss.IsSome ]

let private taskSize (task: Task) =
    match task.Kind with
    | Periodic _
    | Arrays { Mask = None } -> 10 * task.Events.Length
    | Arrays _ -> 1 + 10 * task.Events.Length
    | _ -> 2 + 10 * task.Events.Length

let size (experiment: Experiment) =
    let circuit = experiment.Circuit

    List.sumBy areaSize circuit.Areas
    + List.sumBy (fun (input: Input) -> 10 + input.Channels) circuit.Inputs
    + List.sumBy readoutSize circuit.Readouts
    + List.sumBy projectionSize circuit.Projections
    + 10 * circuit.Feedback.Length
    + stepsOf experiment
    + experiment.Trials
    + taskSize experiment.Task
    + count [ experiment.Dt <> 1.0<ms> ]

let private without (parts: 'part list) = [
    for k in 0 .. parts.Length - 1 -> List.removeAt k parts
]

let private changed (change: 'part -> 'part list) (parts: 'part list) = [
    for k, part in List.indexed parts do
        for other in change part -> List.updateAt k other parts
]

let private smaller units =
    List.distinct [ units / 2; units - 1 ] |> List.filter (fun n -> n >= 1)

let private areaShrinks (a: Area) = [
    for units in smaller a.Units do
        { a with Units = units }

    {
        area a.Name a.Units with
            Tau = SameTau 40.0<ms>
    }
    { a with Dale = None; Populations = [] }

    if not (isWinnerTakeAll a) then
        { a with Dynamics = Leaky }
        { a with Tau = SameTau 10.0<ms> }
        { a with Transfer = Transfer.Tanh }

    { a with Initial = Reset 0.1 }
    { a with Noise = 0.0 }
    { a with Penalties = [] }
    { a with Dale = None }
]

/// A projection between other ends. Matrices are of the size that the ends had, so weights are drawn.
let private between move (p: Projection) = {
    p with
        Source = move p.Source
        Target = move p.Target
        Weights = Gaussian 1.0
        Connectivity = Dense
        Balanced = false
}

let private projectionShrinks (p: Projection) = [
    {
        p with
            Label = None
            Weights = Gaussian 1.0
            Connectivity = Dense
            SelfConnections = true
            Delay = None
            Opening = Always
            Balanced = false
            Bounds = None
            Decay = 0.0
            L1 = 0.0
            L2 = 0.0
    }
    frozen p

    between whole p
    { p with Label = None }
    {
        p with
            Weights = Gaussian 1.0
            Balanced = false
    }
    { p with Connectivity = Dense }
    { p with SelfConnections = true }
    { p with Delay = None }
    { p with Opening = Always }
    { p with Balanced = false }
    { p with Bounds = None }
    { p with Decay = 0.0 }
    { p with L1 = 0.0 }
    { p with L2 = 0.0 }
]

/// One area in place of two: arrows of the other begin or end there.
let private merged (c: Circuit) : Circuit list = [
    for gone in c.Areas do
        for kept in c.Areas do
            if gone.Name <> kept.Name then
                let moved finish =
                    match finish with
                    | OfArea name
                    | OfPopulation(name, _) when name = gone.Name -> OfArea kept.Name
                    | other -> other

                {
                    c with
                        Areas = c.Areas |> List.filter (fun area -> area.Name <> gone.Name)
                        Projections = [
                            for p in c.Projections do
                                if moved p.Source = p.Source && moved p.Target = p.Target then
                                    p
                                else
                                    between moved p
                        ]
                        Feedback =
                            c.Feedback
                            |> List.map (fun feedback ->
                                if feedback.Area = gone.Name then
                                    {
                                        feedback with
                                            Area = kept.Name
                                            Through = RandomFeedback 1.0
                                    }
                                else
                                    feedback)
                            |> List.distinctBy (fun feedback -> feedback.Readout, feedback.Area)
                }
]

let private circuitShrinks (c: Circuit) : Circuit list = [
    if c.Areas.Length > 1 then
        for areas in without c.Areas do
            { c with Areas = areas }

        yield! merged c

    for readouts in without c.Readouts do
        { c with Readouts = readouts }
    for inputs in without c.Inputs do
        { c with Inputs = inputs }
    for projections in without c.Projections do
        { c with Projections = projections }
    for feedback in without c.Feedback do
        { c with Feedback = feedback }
    for areas in changed areaShrinks c.Areas do
        { c with Areas = areas }

    for inputs in
        c.Inputs
        |> changed (fun x -> [ for n in smaller x.Channels -> { x with Channels = n } ]) do
        { c with Inputs = inputs }

    for readouts in
        c.Readouts
        |> changed (fun y -> [
            for n in smaller y.Outputs do
                { y with Outputs = n }
            {
                y with
                    Output = Output.Linear
                    Loss = None
            }
            { y with Loss = None }
        ]) do
        { c with Readouts = readouts }

    for projections in changed projectionShrinks c.Projections do
        { c with Projections = projections }
]

/// The same arrays in every trial, with the events of the gates.
let private plainTask (experiment: Experiment) =
    let circuit = experiment.Circuit

    let awaited =
        circuit.Projections
        |> List.choose (fun p ->
            match p.Opening with
            | AtEvent event -> Some event
            | _ -> None)
        |> List.distinct

    arraysTask (channelsIn circuit) (askedOf circuit) (stepsOf experiment) false awaited

/// Steps of 1 ms, with all times of the circuit and its task as many steps as they were. Times of the
/// rules stay as they are, and may fit these steps no longer.
let inPlainSteps (experiment: Experiment) =
    let times (time: float<ms>) =
        round (time / experiment.Dt * 1000.0) / 1000.0 * 1.0<ms>

    let area (a: Area) = {
        a with
            Tau =
                match a.Tau with
                | SameTau tau -> SameTau(times tau)
                | TauOfUnit taus -> TauOfUnit(Array.map times taus)
                | OneStep -> OneStep
    }

    let projection (p: Projection) = {
        p with
            Delay = Option.map times p.Delay
            Opening =
                match p.Opening with
                | Every period -> Every(times period)
                | other -> other
    }

    fitTask (stepsOf experiment) {
        experiment with
            Dt = 1.0<ms>
            Circuit = {
                experiment.Circuit with
                    Areas = List.map area experiment.Circuit.Areas
                    Projections = List.map projection experiment.Circuit.Projections
            }
    }

/// Smaller valid experiments: one part less with all that depends on it, smaller sizes, plainer parts.
let shrink (experiment: Experiment) =
    seq {
        for circuit in circuitShrinks experiment.Circuit do
            tidy { experiment with Circuit = circuit }

        for steps in smaller (stepsOf experiment) do
            fitTask steps experiment

        if experiment.Trials > 0 then
            for trials in smaller experiment.Trials do
                { experiment with Trials = trials }

        tidy {
            experiment with
                Task = plainTask experiment
        }
    }
    |> Seq.filter (fun other -> size other < size experiment)
