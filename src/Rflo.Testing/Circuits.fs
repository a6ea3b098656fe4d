/// Random valid experiments, over everything that the language can express.
module internal Rflo.Testing.Circuits

open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials

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
        Gen.map (fun mean -> DrawnOnce(mean, 0.2)) rate
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

        let! isCurrent = Gen.elements [ false; false; false; true ]

        let! costs =
            Gen.elements [
                []
                []
                []
                []
                [ Penalty.l2 0.1 ]
                [ Penalty.l1 0.05; Penalty.toward 0.3 0.1 ]
            ]

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
                Penalties = (if isWinnerTakeAll plain then [] else costs)
                Initial = initial
                Dynamics =
                    (if isCurrent && not (isWinnerTakeAll plain) then CurrentForm
                     elif isWinnerTakeAll plain then WinnerTakeAll explore
                     else Leaky)
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
                // The value of a missing connection is arbitrary.
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

        // A density would draw connections among those that are given.
        if not connectivity.IsDensity then
            Gen.map Given matrix

            matrix
            |> Gen.map (fun matrix -> ReadFrom("memory", (fun () -> Ok(WeightMatrix.Full matrix))))

        if post = pre && connectivity = Dense then
            Gen.map OneToOne fixed'
    ]

let isDrawn =
    function
    | Gaussian _
    | Uniform _
    | UniformScaled _ -> true
    | _ -> false

/// Whether a projection may leave out the connections of units to themselves.
let maySpare (projection: Projection) (weights: Weights) =
    Option.isSome (areaOf projection.Source)
    && areaOf projection.Source = areaOf projection.Target
    && not (weights.IsOneToOne && projection.Source = projection.Target)

/// Whether every row of a projection has connections of both signs, or none, so that they can be balanced.
let mayBalance (circuit: Circuit) (projection: Projection) =
    let sources = members circuit projection.Source

    let isSelf i j =
        areaOf projection.Source = areaOf projection.Target && i = j

    let exists row column i j =
        (match projection.Connectivity with
         | Mask mask -> mask[row, column]
         | Dense
         | Density _ -> true)
        && (projection.SelfConnections || not (isSelf i j))

    match signsOf circuit projection with
    | Some signs when
        isBalanceable (Some signs)
        && isDrawn projection.Weights
        && projection.Bounds.IsNone
        ->
        members circuit projection.Target
        |> List.indexed
        |> List.forall (fun (row, i) ->
            let present = [
                for column, (j, sign) in List.indexed (List.zip sources signs) do
                    if exists row column i j then
                        sign
            ]

            List.contains 1 present = List.contains -1 present)
    | _ -> false

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
                Parts = []
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
        let! l1 = Gen.frequency [ 6, Gen.constant 0.0; 1, Gen.constant 0.002 ]
        let! l2 = Gen.frequency [ 6, Gen.constant 0.0; 1, Gen.constant 0.02 ]

        let isTimed, isLate =
            match source, target with
            | _, OfReadout _ -> false, false
            | (OfArea _ | OfPopulation _ | OfReadout _), _ -> true, true
            | _ -> true, false

        return
            {
                arrow with
                    Weights = weights
                    Connectivity = connectivity
                    SelfConnections = not (spares && maySpare arrow weights)
                    Delay =
                        (if isLate then
                             delaySteps |> Option.map (fun k -> dt * float k)
                         else
                             None)
                    Opening = (if isTimed then opening else Always)
                    Bounds = bounds
                    Decay = decay
                    L1 = l1
                    L2 = l2
            }
            |> fun drawn -> {
                drawn with
                    Balanced = isBalanced && mayBalance circuit drawn
            }
    }

/// Distinct names for projections with the same two ends.
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
                    Parts = []
                    Lost = []
                }
            }

        let! all = Gen.collectToList one pairs

        let! kept =
            Gen.listOfLength
                all.Length
                (Gen.frequency [ 2, Gen.constant true; 1, Gen.constant false ])

        return List.zip all kept |> List.filter snd |> List.map fst
    }

/// Windows of truncated BPTT of a few steps, shorter than the trials.
let private creditGen (dt: float<ms>) credit =
    match credit with
    | TruncatedBackward _ ->
        gen {
            let! stride = Gen.choose (1, 4)
            let! more = Gen.choose (0, 3)
            return TruncatedBackward(float (stride + more) * dt, float stride * dt)
        }
    | _ -> Gen.constant credit

let private ruleGen (dt: float<ms>) =
    gen {
        let! ready = Gen.elements Rule.all
        let! credit = creditGen dt ready.Credit
        let rule = { ready with Credit = credit }

        let! update =
            Gen.oneof [
                Gen.constant TrialEnd
                Gen.map2
                    (fun k combine -> EveryTrials(k, combine))
                    (Gen.choose (1, 3))
                    (Gen.elements [ Sum; Mean ])
                match rule.Credit with
                | BackwardInTime
                | Local { Modulator = { Signal = TrialReward } } -> ()
                | TruncatedBackward(_, stride) ->
                    Gen.constant Online
                    let steps = int (round (stride / dt))
                    Gen.map (fun k -> EverySteps(k * steps)) (Gen.choose (1, 3))
                | _ ->
                    Gen.constant Online
                    Gen.map EverySteps (Gen.choose (1, 4))
            ]

        let! optimizer =
            Gen.elements [
                Optimizer.sgd
                Optimizer.sgd
                Optimizer.sgd
                Optimizer.momentum 0.9
                Optimizer.nesterov 0.8
                Optimizer.adam
                Optimizer.adamW 0.1
                Optimizer.rmsProp 0.9
            ]

        let! clip =
            Gen.elements [
                Clip.None
                Clip.None
                Clip.None
                Clip.Each 0.01
                Clip.Each 1.0
                Clip.All 0.02
            ]

        let! rates =
            Gen.elements [
                Schedule.constant
                Schedule.constant
                Schedule.constant
                Schedule.halvedEvery 2.0
                Schedule.inverse 1.0
                Schedule.stepped 2 0.5
                Schedule.cosineTo 0.1 4.0
                Schedule.warmUp 2 (Schedule.onPlateau 0.5 1)
            ]

        let! readout =
            Gen.frequency [
                6, Gen.constant rule.Readout
                1, Gen.constant (RecursiveLeastSquares(0.5, 0.9, 2))
                1, Gen.choose (0, 2) |> Gen.map (fun k -> RidgeRegression(0.1, dt * float k, 2))
            ]

        let! learns =
            Gen.frequency [
                6, Gen.constant rule.Learns
                1, Gen.elements [ OnlyReadouts; OnlyRecurrent; OnlyInputs ]
            ]

        return {
            rule with
                Update = update
                Optimizer = optimizer
                Clip = clip
                Schedule = rates
                Readout = readout
                Learns = learns
        }
    }

let private plasticityOf dt circuit (rule: Rule) projection =
    gen {
        let! learningRate = Gen.elements [ 0.0; 0.001; 0.02 ]
        let! own = ruleGen dt

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

/// Whether a projection needs rewards.
let private asksForReward (experimentRule: Rule) (projection: Projection) =
    let asks (rule: Rule) =
        match rule.Credit with
        | Local {
                    Modulator = {
                                    Signal = TaskReward | RewardError | TemporalDifference _
                                }
                } -> true
        | _ -> false

    match projection.Plasticity with
    | Frozen -> false
    | Learning _ -> asks experimentRule
    | LearningBy(_, own) -> asks own

let private taskOf (circuit: Circuit) dt events isRewarded =
    let channels = channelsIn circuit
    let outputs = outputsIn circuit
    let asked = askedOf circuit

    gen {
        let! steps = Gen.choose (1, 12)
        let! isMasked = Gen.elements [ true; false ]

        return!
            Gen.elements [
                arraysTask channels asked steps isMasked events
                functionTask channels asked dt steps events
                loopTask channels asked dt steps events
                for kind in 0..2 do
                    severalTask kind channels asked dt steps events
                if not isRewarded then
                    phasedTask channels asked dt steps events
                if
                    channels = 0
                    && outputs = 1
                    && List.isEmpty events
                    && not isRewarded
                    && allLinear circuit
                then
                    yield!
                        List.replicate
                            3
                            (Task.periodic (dt * float steps) [ harmonic 1 1.0; harmonic 3 -0.5 ])
            ]
    }

/// A random valid experiment in steps of that duration, with at most so many units in an area.
let experimentOf most (dt: float<ms>) =
    gen {
        let! areaCount = Gen.choose (1, 4)
        // The periodic task fits few circuits: some are made for it.
        let! isPeriodic = rarely
        let few most = if isPeriodic then min 1 most else most
        let! inputCount = Gen.choose (0, (if isPeriodic then 0 else 2))
        let! readoutCount = Gen.frequency [ 1, Gen.constant 0; 12, Gen.choose (1, few 3) ]

        let! areas =
            Gen.collectToList (fun k -> Gen.choose (1, most) |> Gen.bind (areaOfSize dt $"a{k}")) [
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
                        let! outputs = Gen.choose (1, few 3)
                        let! kind = Gen.elements [ yield! System.Enum.GetValues<Output>() ]

                        let! loss =
                            Gen.elements [
                                None
                                None
                                None
                                Some Loss.squaredError
                                Some(Loss.huber 0.2)
                                if kind <> Output.Linear then
                                    Some Loss.poisson
                            ]

                        return {
                            (readout $"y{k}" outputs |> output kind) with
                                Loss = loss
                        }
                    })
                [ 1..readoutCount ]

        let parts = {
            Circuit.empty with
                Areas = areas
                Inputs = inputs
                Readouts = readouts
        }

        let! named = Gen.elements [ []; [ "go" ]; [ "go"; "stop" ] ]
        let events = if isPeriodic then [] else named
        let! drawn = projectionsOf parts dt events
        let wired = parts |> Circuit.projections drawn
        let projections = wired.Projections
        let! feedback = feedbackOf wired
        let told = { wired with Feedback = feedback }
        let! rule = ruleGen dt

        let! plasticities = Gen.collectToList (plasticityOf dt told rule) projections

        let plastic =
            List.map2
                (fun (p: Projection) plasticity -> {
                    p with
                        Plasticity = plasticity
                        Decay = (if plasticity.IsFrozen then 0.0 else p.Decay)
                        L1 = (if plasticity.IsFrozen then 0.0 else p.L1)
                        L2 = (if plasticity.IsFrozen then 0.0 else p.L2)
                })
                projections
                plasticities

        let! task = taskOf told dt events (List.exists (asksForReward rule) plastic)
        let! seed = Gen.choose (1, 1_000_000)

        let! precision =
            Gen.frequency [
                4, Gen.constant Precision.Double
                1, Gen.constant Precision.Single
            ]

        let! stopping =
            Gen.elements [
                Stopping.never
                {
                    Stopping.never with
                        TargetLoss = Some 0.25
                        Patience = Some 3
                        KeepBest = true
                        Window = 2
                }
            ]

        return {
            Name = "random"
            Circuit = { told with Projections = plastic }
            Task = task
            Rule = rule
            Settings = RuleSettings.None
            Trials = (if List.exists isPlastic plastic then 2 else 0)
            Seed = int64 seed
            Dt = dt
            Precision = precision
            Stopping = stopping
            Probes = []
            Perturbations = []
            Lanes = TrialLanes.One
        }
    }

/// A random valid experiment in steps of that duration.
let experimentIn dt = experimentOf 6 dt

let dtGen = Gen.elements [ 1.0<ms>; 0.5<ms>; 2.0<ms>; 0.1<ms> ]

/// A random valid experiment.
let experimentGen = Gen.bind experimentIn dtGen
