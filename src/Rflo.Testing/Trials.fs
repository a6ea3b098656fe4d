/// Tasks for circuits of any size.
module internal Rflo.Testing.Trials

open Rflo.Dsl
open Rflo.Testing.Meaning

let private wave (row: int) (column: int) =
    0.5 + 0.4 * sin (0.7 * float (row + 1) * float (column + 1))

/// Outputs in groups, and whether the targets of a group are a distribution, as for a softmax.
type Asked = (int * bool) list

let askedOf (circuit: Circuit) : Asked = [
    for readout in circuit.Readouts -> max 0 readout.Outputs, readout.Output = Output.Softmax
]

/// Whether the targets of the circuit's readouts may be any numbers.
let allLinear (circuit: Circuit) =
    circuit.Readouts
    |> List.forall (fun readout -> isNull readout.LossOrNatural.Targets)

/// So many outputs of any kind but softmax.
let plainly outputs : Asked = [ outputs, false ]

let private countOf (asked: Asked) = List.sumBy fst asked

/// Targets that fit any readout of the group: in (0, 1), of a softmax with the sum 1.
let private target (asked: Asked) (row: int) (column: int) =
    let rec look first (left: Asked) =
        match left with
        | (count, isDistribution) :: _ when column < first + count ->
            if isDistribution then
                wave row column / List.sum [ for k in first .. first + count - 1 -> wave row k ]
            else
                wave row column
        | (count, _) :: more -> look (first + count) more
        | [] -> wave row column

    look 0 asked

let private trialOf channels (asked: Asked) steps isMasked events = {
    Inputs = Array2D.init steps channels (fun t k -> wave t (k + 3))
    Targets = Array2D.init steps (countOf asked) (target asked)
    Mask =
        if isMasked then
            Some(
                Array2D.init steps (countOf asked) (fun t k -> if (t + k) % 3 = 0 then 0.0 else 1.0)
            )
        else
            None
    Events = [
        for event in events do
            event, [ 1..3..steps ]
    ]
    Rewards = Some(Array.init steps (fun t -> wave t 1))
    Conditions = []
}

let arraysTask channels asked steps isMasked events = {
    Name = "arrays"
    Kind = Arrays(trialOf channels asked steps isMasked events)
    Events = events
    Mask = None
    Conditions = []
    Score = None
    Lost = []
}

/// Trials of different lengths, with random inputs.
let functionTask channels asked (dt: float<ms>) steps events =
    let draw trial (stream: RandomStream) =
        let trialSteps = 1 + (trial + steps - 1) % steps
        let data = trialOf channels asked trialSteps (trial % 2 = 1) events

        {
            data with
                Inputs = data.Inputs |> Array2D.map (fun x -> x + 0.1 * stream.Gaussian())
        }

    Task.ofTrials (dt * float steps) draw |> Task.events events

/// Trials made step by step from the outputs before, with a memory of earlier outputs.
let loopTask channels asked (dt: float<ms>) steps events =
    let outputs = countOf asked

    let start trial (stream: RandomStream) (memory: float[]) =
        memory[0] <- memory[0] + float (trial + 1)
        memory[1] <- stream.Gaussian()

    let step (now: Moment) (memory: float[]) =
        let seen = Array.sum now.Outputs
        memory[1] <- 0.5 * memory[1] + 0.1 * tanh seen

        {
            Input = Array.init channels (fun k -> wave now.Step k + 0.1 * memory[1])
            Target = Array.init outputs (target asked now.Step)
            Mask = [||]
            Events = events |> List.filter (fun _ -> now.Step % 3 = 1)
        }

    Task.closedLoop channels outputs (dt * float steps) [| 0.0; 0.0 |] start step
    |> Task.judged (fun now memory -> memory[1] - 0.1 * tanh (Array.sum now.Outputs))
    |> Task.events events

/// Trials of phases with the names of the events, the first of a random duration.
let phasedTask channels asked (dt: float<ms>) steps events =
    let outputs = countOf asked
    let names = if List.isEmpty events then [ "rest" ] else events
    let others = names.Length - 1
    let isLong = steps > others

    let phases = [
        for k, name in List.indexed names do
            let lasts =
                if k > 0 then fixedFor (if isLong then dt else 0.0<ms>)
                elif isLong then between dt (float (steps - others) * dt)
                else fixedFor (float steps * dt)

            phase name lasts
    ]

    Task.phased channels outputs phases (fun stream -> stream.Gaussian()) (fun drawn now -> {
        Input =
            Array.init channels (fun k ->
                wave now.Step (k + 3) + 0.1 * drawn + 0.1 * now.Stream.Gaussian())
        Target = Array.init outputs (target asked now.Step)
        Mask = [| if now.Step % 3 = 0 then 0.5 else 1.0 |]
        Events = []
    })

/// Tasks made of others, of every kind: number 0, 1 and 2.
let combinedTask kind (parts: Task list) =
    match kind with
    | 0 -> Task.blocks [ for k, part in List.indexed parts -> part, 1 + k ]
    | 1 -> Task.mixture [ for k, part in List.indexed parts -> part, 1.0 + float k ]
    | _ ->
        Task.curriculum
            [
                for part in List.tail parts -> part, MeanLossBelow(1000.0, 1)
            ]
            (List.head parts)

let private partsFor channels asked dt steps events = [
    arraysTask channels asked steps true events
    functionTask channels asked dt (max 1 (steps - 1)) events
    loopTask channels asked dt steps events
]

/// A task made of tasks of all kinds that fit.
let severalTask kind channels asked dt steps events =
    combinedTask kind (partsFor channels asked dt steps events)

let private isSensible steps = steps >= 1.0 && steps <= 1000.0

let rec private stepsIn (dt: float<ms>) (task: Task) =
    match task.Kind with
    | Periodic(duration, _)
    | InLoop { Duration = duration }
    | Drawn { Duration = duration } ->
        let steps = round (duration / dt)
        // A dt or duration of a planted mistake may be invalid.
        if isSensible steps then int steps else 1
    | Phased { Phases = phases } ->
        let longest (phase: Phase) =
            match phase.Lasts with
            | FixedFor duration
            | EvenlyBetween(_, duration)
            | ExponentialBetween(_, _, duration) -> duration
            | OneOf durations -> List.fold max 0.0<ms> durations

        let steps = round (List.sumBy longest phases / dt)
        if isSensible steps then int steps else 1
    | Standard _
    | ReadySetGo _
    | Syllables _ -> 12
    | Arrays data -> Array2D.length1 data.Targets
    | Blocks _
    | Mixture _
    | Curriculum _ -> Task.parts task |> List.map (stepsIn dt) |> List.fold max 1
    | Custom task -> task.MaxSteps

let stepsOf (experiment: Experiment) = stepsIn experiment.Dt experiment.Task

/// The task of the experiment, for the inputs and readouts that its circuit has now.
let fitTask steps (experiment: Experiment) =
    let channels = channelsIn experiment.Circuit
    let outputs = outputsIn experiment.Circuit
    let asked = askedOf experiment.Circuit
    let task = experiment.Task

    let fitting =
        match task.Kind with
        | Periodic(_, harmonics) when channels = 0 && outputs = 1 && allLinear experiment.Circuit ->
            Task.periodic (experiment.Dt * float steps) harmonics
        | Periodic _
        | ReadySetGo _
        | Syllables _
        | Standard _
        | Custom _ -> arraysTask channels asked steps false []
        | Arrays data -> arraysTask channels asked steps data.Mask.IsSome task.Events
        | Drawn _ -> functionTask channels asked experiment.Dt steps task.Events
        | Phased given ->
            let names = [ for phase in given.Phases -> phase.Name ]
            phasedTask channels asked experiment.Dt steps names
        | InLoop _ -> loopTask channels asked experiment.Dt steps task.Events
        | Blocks _ -> severalTask 0 channels asked experiment.Dt steps task.Events
        | Mixture _ -> severalTask 1 channels asked experiment.Dt steps task.Events
        | Curriculum _ -> severalTask 2 channels asked experiment.Dt steps task.Events

    { experiment with Task = fitting }
