/// The semantics of circuits, implemented again apart from the library, so that tests can compare the two.
module internal Rflo.Testing.Meaning

open Rflo.Dsl

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

let private channelsOf (circuit: Circuit) name =
    circuit.Inputs
    |> List.tryFind (fun input -> input.Name = name)
    |> Option.map (fun input -> [ 0 .. input.Channels - 1 ])
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
    | OfInput name -> channelsOf circuit name
    | OfChannels(name, chosen) ->
        let existing = channelsOf circuit name
        chosen |> List.filter (fun k -> List.contains k existing)
    | OfReadout name ->
        circuit.Readouts
        |> List.tryFind (fun readout -> readout.Name = name)
        |> Option.map (fun readout -> [ 0 .. readout.Outputs - 1 ])
        |> Option.defaultValue []
    | OfBias -> [ 0 ]

let channelsIn (circuit: Circuit) =
    circuit.Inputs |> List.sumBy (fun input -> max 0 input.Channels)

let outputsIn (circuit: Circuit) =
    circuit.Readouts |> List.sumBy (fun readout -> max 0 readout.Outputs)

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

/// Whether there are excitatory and inhibitory units to balance.
let isBalanceable signs =
    match signs with
    | Some signs -> List.contains 1 signs && List.contains -1 signs
    | None -> false

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

let isWinnerTakeAll (area: Area) = area.Dynamics.IsWinnerTakeAll

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

    rule.Credit.StaysInArea || not (List.exists blocks circuit.Areas)

/// Whether the rule uses no slope, which winner-take-all areas do not have.
let private isOfRates (rule: Rule) =
    match rule.Credit with
    | Local trace -> trace.Post.Signal <> Slope && trace.Trace <> OwnJacobian
    | Own _ -> true
    | _ -> false

/// Which part of an ablation a projection belongs to.
let groupOf (projection: Projection) =
    match projection.Target, projection.Source with
    | OfReadout _, _ -> OnlyReadouts
    | _, (OfInput _ | OfChannels _ | OfBias) -> OnlyInputs
    | _, (OfArea _ | OfPopulation _ | OfReadout _) -> OnlyRecurrent

let isChangedBy (rule: Rule) projection =
    rule.Learns = Everything || rule.Learns = groupOf projection

let private isLinear (circuit: Circuit) name =
    circuit.Readouts
    |> List.forall (fun r ->
        r.Name <> name
        || r.Output = Output.Linear && r.LossOrNatural = Loss.squaredError)

/// Whether the rule can change the weights of the projection.
let canLearn (circuit: Circuit) (rule: Rule) (projection: Projection) =
    match projection.Target, areaOf projection.Target |> Option.bind (areaNamed circuit) with
    | _ when not (isChangedBy rule projection) -> false
    | OfReadout name, _ when rule.Readout.IsTdLambda ->
        circuit.Readouts
        |> List.exists (fun readout ->
            readout.Name = name && readout.Outputs = 1 && readout.Output <> Output.Softmax)
    | OfReadout name, _ when rule.Readout <> DeltaRule ->
        isLinear circuit name
        && projection.Bounds.IsNone
        && projection.Decay = 0.0
        && projection.L1 = 0.0
        && projection.L2 = 0.0
    | OfReadout name, _ -> creditPasses circuit rule name
    | _, None -> false
    | _, Some area ->
        let isTold =
            circuit.Feedback |> List.exists (fun feedback -> feedback.Area = area.Name)

        (not (isWinnerTakeAll area) || isOfRates rule)
        && creditPasses circuit rule area.Name
        && (match rule.Credit, rule.Error with
            | Local {
                        Modulator = { Signal = FeedbackError }
                    },
              DeclaredFeedback -> isTold
            | Local {
                        Modulator = { Signal = FeedbackError }
                    },
              SymmetricPath -> listens circuit (fun _ -> true) area.Name
            | Local { Post = { Signal = Perturbation } }, _ -> area.Noise > 0.0
            | Local _, _ -> true
            | _, DeclaredFeedback -> not (List.isEmpty circuit.Feedback)
            | _, SymmetricPath -> true)
