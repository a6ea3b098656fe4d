/// Random valid experiments, over everything that the language can say.
module Rflo.Dsl.Tests.Circuits

open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl

// What a circuit means, said once more and apart from the library, so that each holds the other to account.

let areaNamed (circuit: Circuit) name =
    circuit.Areas |> List.tryFind (fun (area: Area) -> area.Name = name)

let excitatoryUnits (area: Area) =
    area.Dale
    |> Option.map (fun fraction -> int (round (fraction * float area.Units)))

let unitsOf (area: Area) population =
    match population, excitatoryUnits area with
    | "excitatory", Some count -> [ 0 .. count - 1 ]
    | "inhibitory", Some count -> [ count .. area.Units - 1 ]
    | _ ->
        area.Populations
        |> List.tryFind (fun (name, _) -> name = population)
        |> Option.map snd
        |> Option.defaultValue []

/// The units, channels or outputs of an end, in order; none where it does not exist.
let members (circuit: Circuit) =
    function
    | OfArea name ->
        areaNamed circuit name
        |> Option.map (fun area -> [ 0 .. area.Units - 1 ])
        |> Option.defaultValue []
    | OfPopulation(name, population) ->
        areaNamed circuit name
        |> Option.map (fun area -> unitsOf area population)
        |> Option.defaultValue []
    | OfInput name -> [
        for input in circuit.Inputs do
            if input.Name = name then
                yield! [ 0 .. input.Channels - 1 ]
      ]
    | OfChannels(name, chosen) -> [
        for input in circuit.Inputs do
            if input.Name = name then
                yield! chosen |> List.filter (fun k -> k < input.Channels)
      ]
    | OfReadout name -> [
        for readout in circuit.Readouts do
            if readout.Name = name then
                yield! [ 0 .. readout.Outputs - 1 ]
      ]
    | OfBias -> [ 0 ]

let sizeOf circuit finish = List.length (members circuit finish)

let areaOf =
    function
    | OfArea name
    | OfPopulation(name, _) -> Some name
    | _ -> None

/// The sign of every presynaptic unit of a projection, under Dale's law.
let signsOf (circuit: Circuit) (projection: Projection) =
    match projection.Target, areaOf projection.Source |> Option.bind (areaNamed circuit) with
    | OfReadout _, _
    | _, None -> None
    | _, Some area ->
        excitatoryUnits area
        |> Option.map (fun count -> [
            for unit in members circuit projection.Source -> if unit < count then 1 else -1
        ])

let labelOf (projection: Projection) =
    let text =
        function
        | OfArea name
        | OfInput name
        | OfReadout name -> name
        | OfPopulation(area, population) -> $"{area}[{population}]"
        | OfChannels(input, channels) ->
            let list = channels |> List.map string |> String.concat ","
            $"{input}[{list}]"
        | OfBias -> "bias"

    projection.Label
    |> Option.defaultValue $"{text projection.Source}->{text projection.Target}"

let isWinnerTakeAll (area: Area) = area.Dynamics <> Leaky

let listens (circuit: Circuit) isReadout area =
    circuit.Projections
    |> List.exists (fun p ->
        areaOf p.Source = Some area
        && (match p.Target with
            | OfReadout name -> isReadout name
            | _ -> false))

/// The areas and readouts that a part can act on, itself among them.
let rec private reached (circuit: Circuit) seen part =
    let node =
        function
        | OfReadout name -> Some name
        | finish -> areaOf finish

    if Set.contains part seen then
        seen
    else
        circuit.Projections
        |> List.filter (fun p -> node p.Source = Some part)
        |> List.choose (fun p -> node p.Target)
        |> List.fold (reached circuit) (Set.add part seen)

let private creditPasses (circuit: Circuit) (rule: Rule) start =
    let isReadout name =
        circuit.Readouts |> List.exists (fun r -> r.Name = name)

    let blocks (area: Area) =
        isWinnerTakeAll area
        && Set.contains area.Name (reached circuit Set.empty start)
        && Set.exists isReadout (reached circuit Set.empty area.Name)

    rule.Credit = EligibilityTrace || not (List.exists blocks circuit.Areas)

/// Whether the rule can change the weights of the projection.
let canLearn (circuit: Circuit) (rule: Rule) (projection: Projection) =
    match projection.Target, areaOf projection.Target |> Option.bind (areaNamed circuit) with
    | OfReadout name, _ -> creditPasses circuit rule name
    | _, None -> false
    | _, Some area ->
        let isTold =
            circuit.Feedback |> List.exists (fun feedback -> feedback.Area = area.Name)

        not (isWinnerTakeAll area)
        && creditPasses circuit rule area.Name
        && (match rule.Credit, rule.Error with
            | EligibilityTrace, DeclaredFeedback -> isTold
            | EligibilityTrace, SymmetricPath -> listens circuit (fun _ -> true) area.Name
            | _, DeclaredFeedback -> not (List.isEmpty circuit.Feedback)
            | _, SymmetricPath -> true)

// Tasks of any size.

let private wave (row: int) (column: int) =
    0.5 + 0.4 * sin (0.7 * float (row + 1) * float (column + 1))

let private trialOf channels outputs steps isMasked events = {
    Inputs = Array2D.init steps channels (fun t k -> wave t (k + 3))
    Targets = Array2D.init steps outputs wave
    Mask =
        if isMasked then
            Some(Array2D.init steps outputs (fun t k -> if (t + k) % 3 = 0 then 0.0 else 1.0))
        else
            None
    Events = [
        for event in events do
            event, [ 1..3..steps ]
    ]
}

let arraysTask channels outputs steps isMasked events = {
    Name = "arrays"
    Kind = Arrays(trialOf channels outputs steps isMasked events)
    Events = events
}

/// Trials of different lengths, with random inputs.
let functionTask channels outputs (dt: float<ms>) steps events =
    let draw trial (stream: RandomStream) =
        let trialSteps = 1 + (trial + steps - 1) % steps
        let data = trialOf channels outputs trialSteps (trial % 2 = 1) events

        {
            data with
                Inputs = data.Inputs |> Array2D.map (fun x -> x + 0.1 * stream.Gaussian())
        }

    Task.ofFunction channels outputs (dt * float steps) draw |> Task.events events

let stepsOf (experiment: Experiment) =
    match experiment.Task.Kind with
    | Periodic(duration, _)
    | Drawn(_, _, duration, _) -> int (round (duration / experiment.Dt))
    | Arrays data -> Array2D.length1 data.Targets
    | Custom task -> task.MaxSteps

/// The task of the experiment, for the inputs and readouts that its circuit has now.
let fitTask steps (experiment: Experiment) =
    let channels = experiment.Circuit.Inputs |> List.sumBy _.Channels
    let outputs = experiment.Circuit.Readouts |> List.sumBy _.Outputs
    let task = experiment.Task

    let fitting =
        match task.Kind with
        | Periodic(_, harmonics) when channels = 0 && outputs = 1 ->
            Task.periodic (experiment.Dt * float steps) harmonics
        | Periodic _
        | Custom _ -> arraysTask channels outputs steps false []
        | Arrays data -> arraysTask channels outputs steps data.Mask.IsSome task.Events
        | Drawn _ -> functionTask channels outputs experiment.Dt steps task.Events

    { experiment with Task = fitting }

// Parts.

let private sometimes choice =
    Gen.frequency [ 2, Gen.constant None; 1, Gen.map Some choice ]

let private rarely = Gen.frequency [ 4, Gen.constant false; 1, Gen.constant true ]

let private someOf (units: int) =
    gen {
        let! order = Gen.shuffle [| 0 .. units - 1 |]
        let! count = Gen.choose (1, units)
        return order |> Array.truncate count |> List.ofArray
    }

let private tauOf (dt: float<ms>) units =
    let one =
        Gen.elements [ 1.0; 1.5; 4.0; 10.0; 40.0 ] |> Gen.map (fun steps -> dt * steps)

    Gen.oneof [
        Gen.map SameTau one
        Gen.map TauOfUnit (Gen.arrayOfLength units one)
        Gen.constant OneStep
    ]

let private rate = Gen.elements [ -0.5; 0.0; 0.1; 0.7 ]

let private initialOf units =
    Gen.oneof [
        Gen.map Reset rate
        Gen.map ResetTo (Gen.arrayOfLength units rate)
        Gen.map CarriedOver rate
        Gen.map2
            (fun mean deviation -> RandomStart(mean, deviation))
            rate
            (Gen.elements [ 0.0; 0.2 ])
    ]

let private areaOfSize dt name units =
    gen {
        let! kind =
            Gen.frequency [
                8, Gen.constant area
                1, Gen.constant relay
                2, Gen.constant winnerTakeAll
            ]

        let! tau = tauOf dt units
        let! phi = Gen.elements [ yield! System.Enum.GetValues<Transfer>() ]
        let! noise = Gen.elements [ 0.0; 0.0; 0.1 ]
        let! initial = initialOf units
        let! excitatory = sometimes (Gen.choose (0, units))
        let! left = sometimes (someOf units)
        let! right = sometimes (someOf units)
        let! explore = Gen.elements [ 0.0; 0.3; 1.0 ]
        let plain: Area = kind name units

        return {
            plain with
                Tau = (if plain.Tau = OneStep then OneStep else tau)
                Transfer = (if plain.Tau = OneStep then plain.Transfer else phi)
                Noise = noise
                Initial = initial
                Dynamics =
                    (if isWinnerTakeAll plain then
                         WinnerTakeAll explore
                     else
                         Leaky)
                Dale = excitatory |> Option.map (fun count -> float count / float units)
                Populations = [
                    yield! left |> Option.map (fun units -> "left", units) |> Option.toList
                    yield! right |> Option.map (fun units -> "right", units) |> Option.toList
                ]
        }
    }

/// The nearest value that bounds and sign allow; both allow 0.
let private held bounds (sign: int option) (weight: float) =
    let low, high = defaultArg bounds (-infinity, infinity)

    match sign with
    | Some sign when float sign * weight < 0.0 -> 0.0
    | _ -> System.Math.Clamp(weight, low, high)

let heldMatrix bounds (signs: int list option) (matrix: float[,]) =
    matrix
    |> Array2D.mapi (fun _ j weight -> held bounds (signs |> Option.map (List.item j)) weight)

let matrixOf post pre entry =
    Gen.listOfLength (post * pre) entry
    |> Gen.map (fun entries ->
        let entries = Array.ofList entries
        Array2D.init post pre (fun i j -> entries[i * pre + j]))

let private fixedWeight bounds signs weight =
    let effective =
        match signs with
        | None -> [ weight ]
        | Some signs -> [ for sign in signs -> float sign * abs weight ]

    let low, high = defaultArg bounds (-infinity, infinity)

    if effective |> List.forall (fun w -> w >= low && w <= high) then
        weight
    else
        0.0

let private weightsOf post pre connectivity bounds signs =
    let number = Gen.elements [ -0.6; -0.2; 0.0; 0.3; 0.9 ]
    let fixed' = number |> Gen.map (fixedWeight bounds signs)

    let matrix =
        matrixOf post pre number
        |> Gen.map (heldMatrix bounds signs)
        |> Gen.map (
            Array2D.mapi (fun i j weight ->
                match connectivity with
                // What does not exist may be anything.
                | Mask mask when not mask[i, j] -> -77.0
                | _ -> weight)
        )

    let drawn = [
        Gen.elements [ 0.0; 0.8; 1.5 ] |> Gen.map Gaussian
        Gen.constant (Uniform(-0.5, 0.5))
        Gen.constant (UniformScaled 1.0)
    ]

    Gen.oneof [
        yield! drawn
        yield! drawn
        Gen.map Constant fixed'
        Gen.map Given matrix
        matrix |> Gen.map (fun matrix -> ReadFrom("memory", (fun () -> Ok matrix)))

        if post = pre && connectivity = Dense then
            Gen.map OneToOne fixed'
    ]

let isDrawn =
    function
    | Gaussian _
    | Uniform _
    | UniformScaled _ -> true
    | _ -> false

let isBalanceable signs =
    match signs with
    | Some signs -> List.contains 1 signs && List.contains -1 signs
    | None -> false

let private openingOf (dt: float<ms>) events =
    Gen.frequency [
        4, Gen.constant Always
        1, Gen.choose (1, 4) |> Gen.map (fun k -> Every(dt * float k))
        1, Gen.constant AtTrialEnd
        if not (List.isEmpty events) then
            1, Gen.elements events |> Gen.map AtEvent
    ]

let private projectionBetween (circuit: Circuit) (dt: float<ms>) events source target =
    gen {
        let arrow: Projection = {
            (bias --> area "nowhere" 1) with
                Source = source
                Target = target
        }

        let post, pre = sizeOf circuit target, sizeOf circuit source
        let signs = signsOf circuit arrow
        let! bounds = sometimes (Gen.elements [ -2.0, 2.0; -1.0, 0.5; 0.0, 1.0; -1.0, 0.0 ])

        let! connectivity =
            Gen.frequency [
                3, Gen.constant Dense
                1, Gen.elements [ 0.05; 0.1; 0.5; 1.0 ] |> Gen.map Density
                1, matrixOf post pre (Gen.elements [ true; false ]) |> Gen.map Mask
            ]

        let! weights = weightsOf post pre connectivity bounds signs
        let! spares = rarely
        let! isBalanced = Gen.elements [ true; false ]
        let! delaySteps = sometimes (Gen.choose (1, 4))
        let! opening = openingOf dt events
        let! decay = Gen.frequency [ 4, Gen.constant 0.0; 1, Gen.constant 0.01 ]

        let isTimed, isLate =
            match source, target with
            | _, OfReadout _ -> false, false
            | (OfArea _ | OfPopulation _ | OfReadout _), _ -> true, true
            | _ -> true, false

        return {
            arrow with
                Weights = weights
                Connectivity = connectivity
                SelfConnections = not spares
                Balanced = isBalanced && isDrawn weights && isBalanceable signs
                Delay =
                    (if isLate then
                         delaySteps |> Option.map (fun k -> dt * float k)
                     else
                         None)
                Opening = (if isTimed then opening else Always)
                Bounds = bounds
                Decay = decay
        }
    }

/// A name of its own for every projection whose two ends are taken.
let nameApart (projections: Projection list) =
    let step (taken, done') (k, projection: Projection) =
        let fitting =
            if Set.contains (labelOf projection) taken then
                { projection with Label = Some $"p{k}" }
            else
                projection

        Set.add (labelOf fitting) taken, fitting :: done'

    List.indexed projections |> List.fold step (Set.empty, []) |> snd |> List.rev

let private endsOf (circuit: Circuit) =
    let areas = [
        for area in circuit.Areas do
            OfArea area.Name

            for name in [ "left"; "right"; "excitatory"; "inhibitory" ] do
                if not (List.isEmpty (unitsOf area name)) then
                    OfPopulation(area.Name, name)
    ]

    let inputs = [
        for input in circuit.Inputs do
            OfInput input.Name
            OfChannels(input.Name, [ input.Channels - 1 ])
    ]

    areas,
    inputs,
    [
        for readout in circuit.Readouts -> OfReadout readout.Name
    ]

let private projectionsOf (circuit: Circuit) dt events =
    gen {
        let areas, inputs, readouts = endsOf circuit
        let between = projectionBetween circuit dt events
        let! count = Gen.choose (1, 7)

        let! inner =
            Gen.listOfLength
                count
                (gen {
                    let! source =
                        Gen.frequency [
                            4, Gen.elements areas
                            1, Gen.constant OfBias
                            if not (List.isEmpty inputs) then
                                2, Gen.elements inputs
                            if not (List.isEmpty readouts) then
                                1, Gen.elements readouts
                        ]

                    let! target = Gen.elements areas
                    return! between source target
                })

        let! outer =
            Gen.collectToList
                (fun readout ->
                    gen {
                        let! source = Gen.elements areas
                        let! more = Gen.elements [ []; [ OfBias ]; areas |> List.truncate 1 ]

                        return!
                            Gen.collectToList
                                (fun source -> between source readout)
                                (List.distinct (source :: more))
                    })
                readouts

        let! named = Gen.listOfLength (count + 20) rarely

        return
            List.zip
                (inner @ List.concat outer)
                (List.truncate (count + List.length (List.concat outer)) named)
            |> List.mapi (fun k (projection, isNamed) -> {
                projection with
                    Label = (if isNamed then Some $"own.{k}" else None)
            })
            |> nameApart
    }

let private feedbackOf (circuit: Circuit) =
    gen {
        let pairs = [
            for readout in circuit.Readouts do
                for area in circuit.Areas -> readout, area
        ]

        let one (readout: Readout, area: Area) =
            gen {
                let! through =
                    Gen.oneof [
                        Gen.elements [ 0.0; 0.5; 1.0 ] |> Gen.map RandomFeedback
                        matrixOf area.Units readout.Outputs rate |> Gen.map GivenFeedback
                        if listens circuit ((=) readout.Name) area.Name then
                            Gen.constant SymmetricFeedback
                    ]

                return {
                    Readout = readout.Name
                    Area = area.Name
                    Through = through
                }
            }

        let! all = Gen.collectToList one pairs

        let! kept =
            Gen.listOfLength
                all.Length
                (Gen.frequency [ 2, Gen.constant true; 1, Gen.constant false ])

        return List.zip all kept |> List.filter snd |> List.map fst
    }

let private ruleGen =
    gen {
        let! rule = Gen.elements Rule.all

        let! update =
            Gen.oneof [
                Gen.constant TrialEnd
                Gen.map2
                    (fun k combine -> EveryTrials(k, combine))
                    (Gen.choose (1, 3))
                    (Gen.elements [ Sum; Mean ])
                if rule.Credit <> BackwardInTime then
                    Gen.constant Online
            ]

        return { rule with Update = update }
    }

let private plasticityOf circuit (rule: Rule) projection =
    gen {
        let! learningRate = Gen.elements [ 0.0; 0.001; 0.02 ]
        let! own = ruleGen

        return!
            Gen.frequency [
                1, Gen.constant Frozen
                if canLearn circuit rule projection then
                    3, Gen.constant (Learning learningRate)
                if canLearn circuit own projection then
                    1, Gen.constant (LearningBy(learningRate, own))
            ]
    }

let isPlastic (projection: Projection) = projection.Plasticity <> Frozen

let private taskOf (circuit: Circuit) dt events =
    let channels = circuit.Inputs |> List.sumBy _.Channels
    let outputs = circuit.Readouts |> List.sumBy _.Outputs

    gen {
        let! steps = Gen.choose (1, 12)
        let! isMasked = Gen.elements [ true; false ]

        return!
            Gen.elements [
                arraysTask channels outputs steps isMasked events
                functionTask channels outputs dt steps events
                if channels = 0 && outputs = 1 && List.isEmpty events then
                    Task.periodic (dt * float steps) [ 1, 1.0; 3, -0.5 ]
            ]
    }

/// A random valid experiment.
let experimentGen =
    gen {
        let! dt = Gen.elements [ 1.0<ms>; 0.5<ms>; 2.0<ms>; 0.1<ms> ]
        let! areaCount = Gen.choose (1, 4)
        let! inputCount = Gen.choose (0, 2)
        let! readoutCount = Gen.frequency [ 1, Gen.constant 0; 12, Gen.choose (1, 3) ]

        let! areas =
            Gen.collectToList (fun k -> Gen.choose (1, 6) |> Gen.bind (areaOfSize dt $"a{k}")) [
                1..areaCount
            ]

        let! inputs =
            Gen.collectToList (fun k -> Gen.choose (1, 3) |> Gen.map (input $"x{k}")) [
                1..inputCount
            ]

        let! readouts =
            Gen.collectToList
                (fun k ->
                    gen {
                        let! outputs = Gen.choose (1, 3)
                        let! kind = Gen.elements [ yield! System.Enum.GetValues<Output>() ]
                        return readout $"y{k}" outputs |> output kind
                    })
                [ 1..readoutCount ]

        let parts = {
            circuit with
                Areas = areas
                Inputs = inputs
                Readouts = readouts
        }

        let! events = Gen.elements [ []; [ "go" ]; [ "go"; "stop" ] ]
        let! projections = projectionsOf parts dt events
        let wired = { parts with Projections = projections }
        let! feedback = feedbackOf wired
        let told = { wired with Feedback = feedback }
        let! rule = ruleGen

        let! plasticities = Gen.collectToList (plasticityOf told rule) projections

        let plastic =
            List.map2
                (fun (p: Projection) plasticity -> { p with Plasticity = plasticity })
                projections
                plasticities

        let! task = taskOf told dt events
        let! seed = Gen.choose (1, 1_000_000)

        let! precision =
            Gen.frequency [
                4, Gen.constant Precision.Double
                1, Gen.constant Precision.Single
            ]

        return {
            Name = "random"
            Circuit = { told with Projections = plastic }
            Task = task
            Rule = rule
            Trials = (if List.exists isPlastic plastic then 2 else 0)
            Seed = int64 seed
            Dt = dt
            Precision = precision
        }
    }
