/// The same random circuit for the slow reference, with the same noise.
module Rflo.Core.Tests.InReference

open Rflo.Core
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let transferName transfer =
    match transfer with
    | Transfer.Tanh -> "tanh"
    | Transfer.Relu -> "relu"
    | Transfer.Sigmoid -> "sigmoid"
    | Transfer.Softplus -> "softplus"
    | Transfer.Identity -> "identity"
    | _ -> "rectified tanh"

/// The nonlinearity of a readout, and the loss that it names.
let kindName (readout: ReadoutCase) =
    let kind = (string readout.Kind).ToLowerInvariant()

    match readout.Loss with
    | None -> kind
    | Some(:? HuberLoss as huber) -> $"{kind}, huber {huber.Delta}"
    | Some(:? PoissonLoss) -> $"{kind}, poisson"
    | Some(:? HingeLoss as hinge) -> $"{kind}, hinge {hinge.Margin}"
    | Some(:? SquaredError) -> $"{kind}, squared"
    | Some other -> failwith $"the reference has no {other}"

let isOpen (shown: Trial) gate t =
    match (gate: Gate).Kind with
    | GateKind.Every -> t % gate.Number = 0
    | GateKind.TrialEnd -> t = shown.Steps
    | GateKind.Event -> shown.Events[(t - 1) * shown.EventKinds + gate.Number]
    | _ -> true

/// Spreads a projection's matrix over all units of its source and target.
let spread circuit (projection: ProjectionCase) (drawn: Drawn) =
    let whole =
        Array2D.zeroCreate
            (sizeOfTarget circuit projection.Target)
            (sizeOfSource circuit projection.Source)

    drawn.Weights
    |> Array2D.iteri (fun i j w ->
        let row = drawn.To |> Option.map (Array.item i) |> Option.defaultValue i
        let column = drawn.From |> Option.map (Array.item j) |> Option.defaultValue j
        whole[row, column] <- w)

    whole

/// The part of a whole matrix that a projection has, in the order of the core's weights.
let gather circuit projection (whole: float[,]) =
    let drawn = draw circuit projection

    [|
        for i in 0 .. Array2D.length1 drawn.Weights - 1 do
            for j in 0 .. Array2D.length2 drawn.Weights - 1 do
                let row = drawn.To |> Option.map (Array.item i) |> Option.defaultValue i
                let column = drawn.From |> Option.map (Array.item j) |> Option.defaultValue j

                if drawn.Exists[i, j] then
                    whole[row, column]
                elif projection.Layout = Dense then
                    0.0
    |]

/// The trial that the core will be shown.
let trialOf (case: Case) number =
    let task: ITask = WhiteNoise case
    let trial = Trial(task.MaxSteps, task.Inputs, task.Outputs, task.Events)
    task.Fill(number, RandomStream.OfTrial(int64 case.Seed, "task", int64 number), trial)
    trial

/// What the core draws for an area in a trial: its rates before the first step and its noise, (step, unit).
let drawsOf (case: Case) number steps index (area: AreaCase) =
    let stream what =
        RandomStream.OfTrial(int64 case.Seed, $"{what} area {index}", int64 number)

    let start, noise = stream "initial state", stream "noise"

    (match area.Start with
     | InitialPolicy.Random ->
         startOf area |> Array.map (fun h -> h + spreadOfStart * start.Gaussian())
     | _ -> startOf area),
    [|
        for _ in 1..steps do
            [|
                for _ in 1 .. area.Units do
                    if area.Noise > 0.0 then
                        area.Noise * noise.Gaussian()
                    else
                        0.0
            |]
    |]

/// Circuit and trial for the reference, before any trial is trained.
let reference (case: Case) number =
    let circuit, trial = case.Circuit, trialOf case number

    let link (projection: ProjectionCase) : Reference.Link =
        let drawn = draw circuit projection

        {
            From =
                match projection.Source with
                | Rates(area, delay) -> Reference.Rate(area, delay)
                | Channels input -> Reference.Input(circuit.Inputs |> List.take input |> List.sum)
                | Fed(readout, delay) -> Reference.Output(readout, delay)
                | Bias -> Reference.One
            Into =
                match projection.Target with
                | Onto area -> Reference.Area area
                | Read readout -> Reference.Readout readout
            Weights = spread circuit projection drawn
            IsOpen = fun t -> t < 1 || isOpen trial projection.Gate t
        }

    let net: Reference.Circuit = {
        Areas = [|
            for index, area in List.indexed circuit.Areas do
                let start, noise = drawsOf case number trial.Steps index area

                {
                    Alpha = Array.map (fun tau -> 1.0 / tau) (taus area)
                    Transfer = transferName area.Transfer
                    IsCurrent = (area.Dynamics = Dynamics.CurrentForm)
                    Start = start
                    Noise = fun t i -> noise[t - 1][i]
                }
        |]
        Readouts = [|
            for readout in circuit.Readouts do
                {
                    Outputs = readout.Outputs
                    Kind = kindName readout
                }
        |]
        Links = [|
            for projection in circuit.Projections -> link projection
        |]
        Feedbacks = [|
            for readout, area, isRandom in circuit.Feedbacks do
                if isRandom then
                    {
                        Of = readout
                        To = area
                        Matrix = feedbackMatrix circuit (readout, area)
                    }
        |]
    }

    let shown: Reference.Shown = {
        Steps = trial.Steps
        Input = fun t k -> trial.Inputs[(t - 1) * trial.InputChannels + k]
        Target = fun t k -> trial.Targets[(t - 1) * trial.Outputs + k]
        Mask = fun t k -> trial.Mask[(t - 1) * trial.Outputs + k]
    }

    let declared = [|
        yield! net.Feedbacks
        for feedback in Reference.symmetric net do
            if List.contains (feedback.Of, feedback.To, false) circuit.Feedbacks then
                feedback
    |]

    { net with Feedbacks = declared }, shown
