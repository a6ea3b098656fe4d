/// Draws circuits and tasks, and makes failing ones smaller.
module Rflo.Core.Tests.RandomCircuits

open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Circuits

let private chance percent =
    Gen.choose (1, 100) |> Gen.map (fun k -> k <= percent)

let private transfers = [
    Transfer.Tanh
    Transfer.Relu
    Transfer.Sigmoid
    Transfer.Softplus
    Transfer.Identity
    Transfer.RectifiedTanh
]

let private area =
    gen {
        let! units = Gen.choose (1, 5)
        let! tau = Gen.elements [ 1.0, 1.0; 1.0, 20.0; 2.0, 8.0; 5.0, 5.0 ]

        let! transfer =
            Gen.frequency [ 2, Gen.constant Transfer.Tanh; 3, Gen.elements transfers ]

        let! start =
            Gen.elements [
                InitialPolicy.Reset
                InitialPolicy.CarriedOver
                InitialPolicy.Random
            ]

        let! noise = Gen.elements [ 0.0; 0.0; 0.3 ]

        let! dynamics = Gen.elements [ Dynamics.Leaky; Dynamics.Leaky; Dynamics.CurrentForm ]

        return {
            Units = units
            Tau = tau
            Transfer = transfer
            Start = start
            Noise = noise
            Dynamics = dynamics
        }
    }

let private readout =
    gen {
        let! outputs = Gen.choose (1, 3)

        let! kind, loss =
            Gen.elements [
                OutputKind.Linear, None
                OutputKind.Linear, None
                OutputKind.Linear, None
                OutputKind.Linear, Some(HuberLoss 0.4 :> Loss)
                OutputKind.Sigmoid, None
                OutputKind.Sigmoid, Some(SquaredError())
                OutputKind.Softmax, None
                OutputKind.Softmax, Some(HuberLoss 0.2)
                OutputKind.Softmax, Some(PoissonLoss())
                OutputKind.Exponential, None
                OutputKind.Softplus, None
                OutputKind.Softplus, Some(PoissonLoss())
            ]

        return {
            Outputs = outputs
            Kind = kind
            Loss = loss
        }
    }

let private gate =
    Gen.elements [
        Gate.Every 2
        Gate.Every 3
        Gate.TrialEnd
        Gate.AtEvent 0
    ]

/// A full, plastic projection that is always open.
let plain source target seed = {
    Source = source
    Target = target
    FromPart = false
    OntoPart = false
    Density = 1.0
    Layout = Dense
    Gate = Gate.Always
    Plastic = true
    Gain = 1.0
    Draw = seed
}

/// One area of leaky tanh units that receives its own rates, and a linear readout of one output whose error returns to it.
let one units tau = {
    Areas = [
        {
            Units = units
            Tau = tau
            Transfer = Transfer.Tanh
            Start = InitialPolicy.Reset
            Noise = 0.0
            Dynamics = Dynamics.Leaky
        }
    ]
    Inputs = []
    Readouts = [
        {
            Outputs = 1
            Kind = OutputKind.Linear
            Loss = None
        }
    ]
    Projections = [
        plain (Rates(0, 1)) (Onto 0) 1
        plain (Rates(0, 1)) (Read 0) 2
    ]
    Feedbacks = [ 0, 0, true ]
}

let private projection source target =
    gen {
        let ontoArea =
            match target with
            | Onto _ -> true
            | Read _ -> false

        let! seed = Gen.choose (1, 1000000)
        let! fromPart = chance 20
        let! ontoPart = chance 20
        let! density = Gen.elements [ 1.0; 1.0; 0.8; 0.5 ]
        let! layout = Gen.frequency [ 2, Gen.constant Dense; 1, Gen.constant Compressed ]
        let! gate = Gen.frequency [ 4, Gen.constant Gate.Always; 1, gate ]
        let! plastic = chance 75
        let! gain = Gen.elements [ 0.5; 1.0; 1.3 ]

        return {
            Source = source
            Target = target
            FromPart = fromPart && source <> Bias
            OntoPart = ontoPart && ontoArea
            Density = density
            Layout = layout
            Gate = if ontoArea then gate else Gate.Always
            Plastic = plastic
            Gain = gain
            Draw = seed
        }
    }

/// Each of these with its probability, in percent.
let private some percent gens =
    gens
    |> List.map (fun one ->
        gen {
            let! wanted = chance percent
            let! value = one
            return if wanted then [ value ] else []
        })
    |> Gen.sequenceToList
    |> Gen.map List.concat

let private ratesOf area =
    Gen.frequency [ 3, Gen.constant 1; 2, Gen.choose (2, 4) ]
    |> Gen.map (fun delay -> Rates(area, delay))

let private between source target =
    source |> Gen.bind (fun source -> projection source target)

/// A chain that carries every area to the first readout, and anything beside it.
let private wiring areas inputs readouts =
    gen {
        let anyArea = Gen.choose (0, areas - 1)

        let! spine =
            [
                between (ratesOf 0) (Read 0)
                for area in 1 .. areas - 1 do
                    anyArea |> Gen.bind (fun target -> between (ratesOf area) (Onto(target % area)))
                for readout in 1 .. readouts - 1 do
                    anyArea |> Gen.bind (fun area -> between (ratesOf area) (Read readout))
                for input in 0 .. inputs - 1 do
                    anyArea |> Gen.bind (fun area -> projection (Channels input) (Onto area))
            ]
            |> Gen.sequenceToList

        let! recurrent =
            some 70 [
                for area in 0 .. areas - 1 -> between (ratesOf area) (Onto area)
            ]

        let! biases =
            some 50 [
                for area in 0 .. areas - 1 -> projection Bias (Onto area)
            ]

        let! offsets =
            some 50 [
                for readout in 0 .. readouts - 1 -> projection Bias (Read readout)
            ]

        let! more =
            some 40 [
                for _ in 1..3 ->
                    Gen.zip anyArea anyArea |> Gen.bind (fun (a, b) -> between (ratesOf a) (Onto b))
            ]

        let! second =
            some 30 [
                anyArea |> Gen.bind (fun area -> between (ratesOf area) (Read(readouts - 1)))
            ]

        let! fedBack =
            some 30 [
                for readout in 0 .. readouts - 1 ->
                    Gen.zip anyArea (Gen.choose (1, 3))
                    |> Gen.bind (fun (area, delay) -> projection (Fed(readout, delay)) (Onto area))
            ]

        return!
            Gen.shuffle (spine @ recurrent @ biases @ offsets @ more @ second @ fedBack)
            |> Gen.map List.ofArray
    }

let private feedbacks areas readouts =
    some 80 [
        for readout in 0 .. readouts - 1 do
            for area in 0 .. areas - 1 do
                chance 70 |> Gen.map (fun isRandom -> readout, area, isRandom)
    ]

let private task =
    gen {
        let! count = Gen.choose (1, 3)
        let! lengths = Gen.listOfLength count (Gen.choose (1, 10))
        let! masked = chance 50

        return {
            Lengths = lengths
            Masked = masked
            Events = 1
        }
    }

/// One to four areas, wired any way that a graph allows.
let circuits =
    gen {
        let! areaCount = Gen.elements [ 1; 1; 2; 2; 3; 4 ]
        let! areas = Gen.listOfLength areaCount area
        let! inputCount = Gen.choose (0, 2)
        let! inputs = Gen.listOfLength inputCount (Gen.choose (1, 3))
        let! readoutCount = Gen.elements [ 1; 1; 2 ]
        let! readouts = Gen.listOfLength readoutCount readout
        let! projections = wiring areaCount inputCount readoutCount
        let! feedbacks = feedbacks areaCount readoutCount
        let! task = task
        let! seed = Gen.choose (1, 1000000)

        return {
            Circuit = {
                Areas = areas
                Inputs = inputs
                Readouts = readouts
                Projections = projections
                Feedbacks = feedbacks
            }
            Task = task
            Seed = seed
        }
    }

/// The network of the paper with inputs and biases: one area of 1 to 12 units, 0 to 3 inputs, 1 to 3 outputs.
let networks =
    gen {
        let! units = Gen.choose (1, 12)
        let! inputs = Gen.choose (0, 3)
        let! outputs = Gen.choose (1, 3)
        let! tau = Gen.choose (1, 20)
        let! steps = Gen.choose (2, 12)
        let! seeds = Gen.listOfLength 6 (Gen.choose (1, 1000000))

        return {
            Circuit = {
                Areas = [
                    {
                        Units = units
                        Tau = float tau, float tau
                        Transfer = Transfer.Tanh
                        Start = InitialPolicy.Reset
                        Noise = 0.0
                        Dynamics = Dynamics.Leaky
                    }
                ]
                Inputs = [
                    if inputs > 0 then
                        inputs
                ]
                Readouts = [
                    {
                        Outputs = outputs
                        Kind = OutputKind.Linear
                        Loss = None
                    }
                ]
                Projections = [
                    {
                        plain (Rates(0, 1)) (Onto 0) seeds[0] with
                            Gain = 1.5
                    }
                    if inputs > 0 then
                        plain (Channels 0) (Onto 0) seeds[1]
                    plain Bias (Onto 0) seeds[2]
                    plain (Rates(0, 1)) (Read 0) seeds[3]
                    plain Bias (Read 0) seeds[4]
                ]
                Feedbacks = [ 0, 0, true ]
            }
            Task = {
                Lengths = [ steps ]
                Masked = false
                Events = 0
            }
            Seed = seeds[5]
        }
    }

// ---- smaller ------------------------------------------------------------------------------------

/// The list without one of its elements, and with one of them made smaller.
let private without list = [
    for k in 0 .. List.length list - 1 -> List.removeAt k list
]

let private withOne smaller list = [
    for k, one in List.indexed list do
        for other in smaller one -> List.updateAt k other list
]

let private smallerArea (area: AreaCase) = [
    if area.Units > 1 then
        { area with Units = area.Units - 1 }
    if area.Noise > 0.0 then
        { area with Noise = 0.0 }
    if area.Dynamics <> Dynamics.Leaky then
        { area with Dynamics = Dynamics.Leaky }
    if area.Start <> InitialPolicy.Reset then
        {
            area with
                Start = InitialPolicy.Reset
        }
    if area.Tau <> (1.0, 1.0) then
        { area with Tau = 1.0, 1.0 }
    if area.Transfer <> Transfer.Identity then
        {
            area with
                Transfer = Transfer.Identity
        }
]

let private smallerProjection projection = [
    if projection.FromPart then
        { projection with FromPart = false }
    if projection.OntoPart then
        { projection with OntoPart = false }
    if projection.Density < 1.0 then
        { projection with Density = 1.0 }
    if projection.Layout <> Dense then
        { projection with Layout = Dense }
    if projection.Gate <> Gate.Always then
        { projection with Gate = Gate.Always }
    if projection.Plastic then
        { projection with Plastic = false }
    match projection.Source with
    | Rates(area, delay) when delay > 1 -> {
        projection with
            Source = Rates(area, delay - 1)
      }
    | Fed(readout, delay) when delay > 1 -> {
        projection with
            Source = Fed(readout, delay - 1)
      }
    | _ -> ()
]

let private smallerReadout readout = [
    if readout.Outputs > 1 then
        {
            readout with
                ReadoutCase.Outputs = readout.Outputs - 1
        }
    if readout.Kind <> OutputKind.Linear then
        {
            readout with
                Kind = OutputKind.Linear
                Loss = None
        }
]

/// The last area, input or readout goes, with everything that touches it.
let private withoutLast circuit = [
    let keeping isKept =
        circuit.Projections |> List.filter isKept

    if circuit.Areas.Length > 1 then
        let last = circuit.Areas.Length - 1

        {
            circuit with
                Areas = List.truncate last circuit.Areas
                Projections =
                    keeping (fun one ->
                        one.Target <> Onto last
                        && (match one.Source with
                            | Rates(area, _) -> area <> last
                            | _ -> true))
                Feedbacks = circuit.Feedbacks |> List.filter (fun (_, area, _) -> area <> last)
        }

    if circuit.Readouts.Length > 1 then
        let last = circuit.Readouts.Length - 1

        {
            circuit with
                Readouts = List.truncate last circuit.Readouts
                Projections =
                    keeping (fun one ->
                        one.Target <> Read last
                        && (match one.Source with
                            | Fed(readout, _) -> readout <> last
                            | _ -> true))
                Feedbacks =
                    circuit.Feedbacks |> List.filter (fun (readout, _, _) -> readout <> last)
        }

    if not circuit.Inputs.IsEmpty then
        let last = circuit.Inputs.Length - 1

        {
            circuit with
                Inputs = List.truncate last circuit.Inputs
                Projections = keeping (fun one -> one.Source <> Channels last)
        }
]

let private smallerCircuit circuit = [
    yield! withoutLast circuit
    for fewer in without circuit.Projections do
        { circuit with Projections = fewer }
    for fewer in without circuit.Feedbacks do
        { circuit with Feedbacks = fewer }
    for areas in withOne smallerArea circuit.Areas do
        { circuit with Areas = areas }
    for readouts in withOne smallerReadout circuit.Readouts do
        { circuit with Readouts = readouts }
    for projections in withOne smallerProjection circuit.Projections do
        {
            circuit with
                Projections = projections
        }
]

let private smallerTask task = [
    if task.Lengths.Length > 1 then
        {
            task with
                Lengths = List.tail task.Lengths
        }
    if task.Masked then
        { task with Masked = false }
    for lengths in
        withOne
            (fun steps -> [
                if steps > 1 then
                    steps - 1
            ])
            task.Lengths do
        { task with Lengths = lengths }
]

let smaller case =
    seq {
        for circuit in smallerCircuit case.Circuit do
            { case with Circuit = circuit }

        for task in smallerTask case.Task do
            { case with Task = task }
    }

let anyCircuit = Arb.fromGenShrink (circuits, smaller)
let anyNetwork = Arb.fromGenShrink (networks, smaller)

/// Circuits without a way from an area's units to areas: what local rules leave out is not there. Those that are wanted are drawn.
let feedforward (isWanted: Case -> bool) =
    let isLeft (projection: ProjectionCase) =
        match projection.Target, projection.Source with
        | Onto _, (Channels _ | Bias) -> true
        | Onto _, _ -> false
        | Read _, _ -> true

    anyCircuit
    |> Arb.mapFilter
        (fun case -> {
            case with
                Circuit.Projections = case.Circuit.Projections |> List.filter isLeft
        })
        isWanted
