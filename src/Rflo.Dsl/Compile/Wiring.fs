namespace Rflo.Dsl

open System

/// The parts that names of a circuit stand for: sizes, populations, signs, labels.
[<RequireQualifiedAccess>]
module internal Wiring =

    /// An end of a projection after its names are resolved.
    type Resolved = {
        /// Number of units, channels or outputs.
        Size: int
        /// Their indices, where they are not all of the part.
        Units: int[] option
    }

    /// An end as text.
    let endName =
        function
        | OfArea area -> area
        | OfPopulation(area, population) -> $"{area}[{population}]"
        | OfInput input -> input
        | OfChannels(input, channels) ->
            let list = channels |> List.map string |> String.concat ","
            $"{input}[{list}]"
        | OfReadout readout -> readout
        | OfBias -> "bias"

    /// The name of a projection: its own, or its two ends.
    let label (projection: Projection) =
        match projection.Label with
        | Some label -> label
        | None -> $"{endName projection.Source}->{endName projection.Target}"

    /// Number of excitatory units under Dale's law, if the fraction gives a whole number.
    let excitatory (area: Area) =
        match area.Dale with
        | Some fraction when fraction >= 0.0 && fraction <= 1.0 ->
            let exact = fraction * float area.Units
            let whole = Math.Round exact
            if abs (exact - whole) < 1e-6 then Some(int whole) else None
        | _ -> None

    /// The populations that Dale's law gives.
    let ofDale = [ "excitatory"; "inhibitory" ]

    /// All populations of an area: those of Dale's law, and those that the model names.
    let private populations (area: Area) = [
        match excitatory area with
        | Some count ->
            "excitatory", [| 0 .. count - 1 |]
            "inhibitory", [| count .. area.Units - 1 |]
        | None -> ()

        for name, units in area.Populations do
            name, Array.ofList units
    ]

    /// The sign of every unit under Dale's law.
    let signs (area: Area) =
        excitatory area
        |> Option.map (fun count -> Array.init area.Units (fun j -> if j < count then 1y else -1y))

    let private find kind name (parts: 'part list) (nameOf: 'part -> string) =
        match parts |> List.tryFind (fun part -> nameOf part = name) with
        | Some part -> Ok part
        | None -> Error [ Unknown(kind, name, parts |> List.map nameOf) ]

    let findArea (circuit: Circuit) name =
        find AreaName name circuit.Areas (fun (area: Area) -> area.Name)

    let findInput (circuit: Circuit) name =
        find InputName name circuit.Inputs (fun (input: Input) -> input.Name)

    let findReadout (circuit: Circuit) name =
        find ReadoutName name circuit.Readouts (fun (readout: Readout) -> readout.Name)

    let private whole size = { Size = size; Units = None }

    let private chosen (units: int[]) = {
        Size = units.Length
        Units = Some units
    }

    /// An end in a part of invalid size has no further faults: the part itself is reported.
    let private sized units found =
        if units < 1 then Error [] else Ok found

    let private resolvePopulation (area: Area) population =
        let known = populations area

        match known |> List.tryFind (fun (name, _) -> name = population) with
        | Some(name, [||]) when List.contains name ofDale ->
            Error [
                NotAllowed($"the number of units of {area.Name}[{name}]", "0", "at least 1")
            ]
        | Some(_, units) when
            units.Length = 0
            || units |> Array.exists (fun unit -> unit < 0 || unit >= area.Units)
            ->
            Error []
        | Some(_, units) -> Ok(chosen units)
        | None when Option.isSome area.Dale && List.contains population ofDale -> Error []
        | None -> Error [ Unknown(PopulationName, population, List.map fst known) ]

    let private resolveChannels (input: Input) channels =
        match channels |> List.filter (fun k -> k < 0 || k >= input.Channels) with
        | [] when List.isEmpty channels ->
            Error [
                NotAllowed("the number of channels taken", "0", "at least 1")
            ]
        | [] -> Ok(chosen (Array.ofList channels))
        | wrong ->
            Error [
                for k in wrong ->
                    NotAllowed("a channel", string k, $"in 0 .. {string (input.Channels - 1)}")
            ]

    /// Resolves an end. An error holds the faults that no other part reports, which may be none.
    let resolve (circuit: Circuit) =
        function
        | OfArea name ->
            findArea circuit name
            |> Result.bind (fun area -> sized area.Units (whole area.Units))
        | OfPopulation(name, population) ->
            findArea circuit name
            |> Result.bind (fun area -> sized area.Units area)
            |> Result.bind (fun area -> resolvePopulation area population)
        | OfInput name ->
            findInput circuit name
            |> Result.bind (fun input -> sized input.Channels (whole input.Channels))
        | OfChannels(name, channels) ->
            findInput circuit name
            |> Result.bind (fun input -> sized input.Channels input)
            |> Result.bind (fun input -> resolveChannels input channels)
        | OfReadout name ->
            findReadout circuit name
            |> Result.bind (fun readout -> sized readout.Outputs (whole readout.Outputs))
        | OfBias -> Ok(whole 1)

    /// The area of an end, where it is an area or a part of one.
    let areaOf =
        function
        | OfArea name
        | OfPopulation(name, _) -> Some name
        | _ -> None

    /// The area or readout that an end is, or is a part of.
    let partOf =
        function
        | OfReadout readout -> Some readout
        | other -> areaOf other

    /// Signs of a projection's presynaptic units: those of the source area, unless it ends at a readout.
    let signsOf (circuit: Circuit) (projection: Projection) =
        match areaOf projection.Source, projection.Target with
        | _, OfReadout _
        | None, _ -> None
        | Some name, _ ->
            match findArea circuit name, resolve circuit projection.Source with
            | Ok area, Ok resolved ->
                signs area
                |> Option.map (fun all ->
                    match resolved.Units with
                    | Some units -> units |> Array.map (fun unit -> all[unit])
                    | None -> all)
            | _ -> None

    /// Whether a projection runs from an area to itself.
    let isRecurrent (projection: Projection) =
        match areaOf projection.Source, areaOf projection.Target with
        | Some source, Some target -> source = target
        | _ -> false

    /// Whether row i and column j of a projection between parts of one area are the same unit.
    let isSelf (source: Resolved) (target: Resolved) (i, j) =
        let unit (resolved: Resolved) k =
            match resolved.Units with
            | Some units -> units[k]
            | None -> k

        unit target i = unit source j

    /// Whether a projection leaves out the connections of units to themselves.
    let sparesSelf (projection: Projection) =
        not projection.SelfConnections && isRecurrent projection

    /// The numbers of connections of a row that may exist from excitatory and from inhibitory units, by its mask and `noSelf`.
    let inputsOf
        (projection: Projection)
        (source: Resolved)
        (target: Resolved)
        (signs: sbyte[])
        (row: int)
        =
        let sparesSelf = sparesSelf projection
        let mutable excitatory, inhibitory = 0, 0

        for column in 0 .. signs.Length - 1 do
            let isConnected =
                match projection.Connectivity with
                | Mask mask -> mask[row, column]
                | Dense
                | Density _ -> true

            if isConnected && not (sparesSelf && isSelf source target (row, column)) then
                if signs[column] > 0y then
                    excitatory <- excitatory + 1
                else
                    inhibitory <- inhibitory + 1

        excitatory, inhibitory

    /// Up to this density only the connections that exist are stored: a synapse of a compressed row takes about as much
    /// time as four of a full one.
    let sparseBelow = 0.25

    /// Whether a projection is stored as compressed rows.
    let isSparse (projection: Projection) (post: int) (pre: int) =
        match projection.Target, projection.Connectivity, projection.Weights with
        | OfReadout _, _, _ -> false
        | _, _, GivenSparse weights -> weights.IsCompressed
        | _, Density fraction, _ -> fraction <= sparseBelow
        | _, _, OneToOne _ -> 1.0 <= sparseBelow * float (max post pre)
        | _ -> false

    /// The name of an area's time constants among the weights of a run; no projection has a name with a space.
    let tauName area = $"tau {area}"

    /// The name of an area's learned initial states.
    let startName area = $"start {area}"

    /// The name of a state of an area's units in activity.
    let stateName area state = $"{area} {state}"

    /// The areas and readouts that signals of a part can reach along projections, by name.
    let reachedFrom (circuit: Circuit) (start: string) =
        let known =
            Set.ofList [
                for area in circuit.Areas -> area.Name
                for readout in circuit.Readouts -> readout.Name
            ]

        let next name =
            circuit.Projections
            |> List.filter (fun projection -> partOf projection.Source = Some name)
            |> List.choose (fun projection -> partOf projection.Target)
            |> List.filter (fun target -> Set.contains target known)

        let rec visit seen name =
            if Set.contains name seen then
                seen
            else
                next name |> List.fold visit (Set.add name seen)

        visit Set.empty start

    /// Whether a rule changes projections of this kind. A projection from a fed-back readout to an area closes a loop, so it is
    /// recurrent; the bias of an area is a constant input.
    let changes (rule: Rule) (projection: Projection) =
        match rule.Learns, projection.Target, projection.Source with
        | Everything, _, _
        | OnlyReadouts, OfReadout _, _ -> true
        | (OnlyRecurrent | OnlyInputs), OfReadout _, _
        | OnlyReadouts, _, _ -> false
        | OnlyRecurrent, _, (OfArea _ | OfPopulation _ | OfReadout _)
        | OnlyInputs, _, (OfInput _ | OfChannels _ | OfBias) -> true
        | (OnlyRecurrent | OnlyInputs), _, _ -> false

    /// The rule and rate by which a projection is declared to learn, whether the rule changes it or not.
    let declaredPlasticity (experiment: Experiment) (projection: Projection) =
        match projection.Plasticity with
        | Frozen -> None
        | Learning rate -> Some(rate, experiment.Rule)
        | LearningBy(rate, rule) -> Some(rate, rule)

    /// The rule and rate by which a projection learns.
    let plasticity (experiment: Experiment) (projection: Projection) =
        declaredPlasticity experiment projection
        |> Option.filter (fun (_, rule) -> changes rule projection)

    /// The learning rate of an area's time constants; none for a rule that changes only some kinds of weights.
    let tauRate (experiment: Experiment) (area: Area) =
        area.TauRate |> Option.filter (fun _ -> experiment.Rule.Learns = Everything)

    /// The learning rate of an area's initial states, in the same way.
    let initialRate (experiment: Experiment) (area: Area) =
        area.InitialRate |> Option.filter (fun _ -> experiment.Rule.Learns = Everything)
