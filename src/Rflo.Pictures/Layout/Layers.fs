/// The column of each node of a picture, so that signals flow from left to right.
module internal Rflo.Pictures.Layers

open Rflo.Pictures.Parts

/// Whether a node begins, continues or ends the flow.
let private role node =
    match node.Shape with
    | Shape.Input
    | Shape.Stranger Shape.Input -> 0
    | Shape.Readout
    | Shape.Stranger Shape.Readout -> 2
    | _ -> 1

/// The arrows that decide columns: no errors, no loops, none between two groups, which stand one above the other.
let private flow (parts: Parts) =
    parts.Arrows
    |> Array.filter (fun arrow ->
        let source, target = parts.Nodes[arrow.Source], parts.Nodes[arrow.Target]

        arrow.Paint <> Paint.Error
        && arrow.Source <> arrow.Target
        && (source.Group = target.Group || source.Group = "" || target.Group = ""))
    |> Array.map (fun arrow -> arrow.Source, arrow.Target)

/// Arrows to walk from the nearest start to each node; 0 where no start leads.
let private distances count (steps: (int * int)[]) starts =
    let next = steps |> Array.groupBy fst |> Map.ofArray
    let found: int option[] = Array.create count None

    let rec walk distance nodes =
        let fresh = nodes |> List.distinct |> List.filter (fun node -> found[node].IsNone)

        for node in fresh do
            found[node] <- Some distance

        if not (List.isEmpty fresh) then
            walk (distance + 1) [
                for node in fresh do
                    match next.TryFind node with
                    | Some arrows -> yield! Array.map snd arrows
                    | None -> ()
            ]

    walk 0 starts
    found |> Array.map (Option.defaultValue 0)

/// How bad an order is: the arrows that point backwards, then the length of all of them.
let private badness (steps: (int * int)[]) (order: int[]) =
    let place = Array.zeroCreate order.Length
    order |> Array.iteri (fun i node -> place[node] <- i)

    steps
    |> Array.fold
        (fun (backwards, length) (source, target) ->
            let forward = place[target] - place[source]
            (if forward < 0 then backwards + 1 else backwards), length + abs forward)
        (0, 0)

/// Moves a node to the best place between the others, if one is better than where it is.
let private sift steps first last (order: int[]) node =
    let now = System.Array.IndexOf(order, node)
    let others = Array.removeAt now order

    let best =
        [ first..last ]
        |> List.map (fun at -> Array.insertAt at node others)
        |> List.minBy (badness steps)

    if badness steps best < badness steps order then
        best
    else
        order

/// All nodes in an order that the flow follows: inputs, areas, readouts. Areas in the order of declaration, or by how
/// near they are to an input and how far from a readout, whichever leads to fewer arrows against the order.
let private ordered (parts: Parts) (steps: (int * int)[]) =
    let count = parts.Nodes.Length
    let roles = parts.Nodes |> Array.map role

    let all wanted =
        [ 0 .. count - 1 ] |> List.filter (fun node -> roles[node] = wanted)

    let inputs, areas, readouts = all 0, all 1, all 2
    let fromInputs = distances count steps inputs
    let backwards = steps |> Array.map (fun (source, target) -> target, source)
    let toReadouts = distances count backwards readouts

    let round order =
        List.fold (sift steps inputs.Length (inputs.Length + areas.Length - 1)) order areas

    // Every node is tried against every place: too slow for hundreds of areas, whose picture is not readable anyway.
    let rounds = if areas.Length > 60 then 0 else 3

    [
        areas
        areas |> List.sortBy (fun node -> fromInputs[node] - toReadouts[node])
    ]
    |> List.map (fun areas -> Array.ofList (inputs @ areas @ readouts))
    |> List.map (fun start -> List.fold (fun order _ -> round order) start [ 1..rounds ])
    |> List.minBy (badness steps)
    |> List.ofArray

/// Pulls a node towards the side where it has more arrows, as far as the arrows allow.
let private tighten (before: int list[]) (after: int list[]) (layers: int[]) node =
    let low = before[node] |> List.map (fun other -> layers[other] + 1)
    let high = after[node] |> List.map (fun other -> layers[other] - 1)

    match low, high with
    | [], [] -> ()
    | [], _ -> layers[node] <- List.min high
    | _, [] -> layers[node] <- List.max low
    | _ when high.Length > low.Length -> layers[node] <- List.min high
    | _ when high.Length < low.Length -> layers[node] <- List.max low
    | _ -> ()

/// Spreads nodes without arrows over columns, and puts readouts that only send errors into the last column.
let private placeLoose (parts: Parts) (loose: int list) (layers: int[]) =
    let last = if layers.Length = 0 then 0 else Array.max layers

    let tellers, others =
        loose |> List.partition (fun node -> role parts.Nodes[node] = 2)

    let width = others.Length |> float |> sqrt |> ceil |> int |> max (last + 1)

    others
    |> List.indexed
    |> List.iter (fun (i, node) -> layers[node] <- if others.Length < 3 then 0 else i % width)

    let behind =
        if layers.Length > tellers.Length then
            Array.max layers + 1
        else
            0

    tellers |> List.iter (fun node -> layers[node] <- behind)

/// More columns than these are too wide for a slide.
let mostColumns = 8

/// Stands neighbouring columns of areas one above the other, the emptiest first, until there are few enough.
let rec private fold most (parts: Parts) (steps: (int * int)[]) (layers: int[]) =
    let count = Array.fold max -1 layers + 1
    let isArea node = role parts.Nodes[node] = 1

    let joining c =
        steps
        |> Array.filter (fun (a, b) ->
            min layers[a] layers[b] = c && max layers[a] layers[b] = c + 1)

    let within c =
        steps
        |> Array.filter (fun (a, b) ->
            min layers[a] layers[b] >= c && max layers[a] layers[b] <= c + 1)

    let areas c =
        [ 0 .. layers.Length - 1 ]
        |> List.filter (fun node -> layers[node] = c && isArea node)
        |> List.length

    let foldable =
        [ 0 .. count - 2 ]
        |> List.filter (fun c ->
            areas c + areas (c + 1) <= 4
            && joining c |> Array.forall (fun (a, b) -> isArea a && isArea b))

    if count <= most || foldable.IsEmpty then
        layers
    else
        let at =
            foldable |> List.minBy (fun c -> (within c).Length, areas c + areas (c + 1))

        layers
        |> Array.map (fun layer -> if layer > at then layer - 1 else layer)
        |> fold most parts steps

/// The column of each node, counted from 0 on the left; so many columns, where that can be.
let columns (most: int) (parts: Parts) : int[] =
    let steps = flow parts
    let order = ordered parts steps
    let place = order |> List.mapi (fun i node -> node, i) |> Map.ofList
    let count = parts.Nodes.Length
    let before, after = Array.create count [], Array.create count []

    for a, b in Array.distinct steps do
        let first, second = if place[a] < place[b] then a, b else b, a
        before[second] <- first :: before[second]
        after[first] <- second :: after[first]

    let layers = Array.zeroCreate count

    for node in order do
        layers[node] <- before[node] |> List.fold (fun most other -> max most (layers[other] + 1)) 0

    for _ in 1..3 do
        List.rev order |> List.iter (tighten before after layers)

    let isLoose node =
        before[node].IsEmpty && after[node].IsEmpty

    let tied = order |> List.filter (isLoose >> not)

    if not tied.IsEmpty then
        let first = tied |> List.map (fun node -> layers[node]) |> List.min

        for node in tied do
            layers[node] <- layers[node] - first

    placeLoose parts (List.filter isLoose order) layers
    fold most parts steps layers
