/// Converts a circuit to the elements of its picture.
module internal Rflo.Pictures.Dissection

open System.Globalization
open Rflo.Dsl
open Rflo.Pictures.Parts

/// A number as short text.
let number (value: float) =
    value.ToString("0.####", CultureInfo.InvariantCulture)

let private plural count one =
    if count = 1 then $"1 {one}" else $"{count} {one}s"

let private named shape name units words = {
    Name = name
    Group = ""
    Short = name
    Shape = shape
    Units = units
    Lines = []
    Excitatory = None
    Words = words
}

let private areaNode words (area: Area) =
    let tau =
        match area.Tau with
        | OneStep -> "τ one step"
        | SameTau tau -> $"τ {number (float tau)} ms"
        | TauOfUnit taus when taus.Length > 0 ->
            $"τ {number (float (Array.min taus))} to {number (float (Array.max taus))} ms"
        | TauOfUnit _ -> "no τ"

    let shape, character =
        match area.Dynamics, area.Tau, area.Transfer with
        | WinnerTakeAll 0.0, _, _ -> Shape.WinnerTakeAll, [ "winner takes all" ]
        | WinnerTakeAll explore, _, _ ->
            Shape.WinnerTakeAll, [ "winner takes all"; $"explores {number explore}" ]
        | Leaky, OneStep, Transfer.Identity -> Shape.Relay, [ "relay" ]
        | Leaky, _, Transfer.Tanh -> Shape.Area, [ tau ]
        | Leaky, _, phi -> Shape.Area, [ $"{tau} · " + $"%O{phi}".ToLowerInvariant() ]
        | OfModel model, _, _ -> Shape.Area, [ tau; string model ]
        | CurrentForm, _, phi ->
            Shape.Area,
            [
                $"{tau} · " + $"%O{phi}".ToLowerInvariant()
                "current form"
            ]

    {
        named shape area.Name area.Units words with
            Lines = plural area.Units "unit" :: character
            Excitatory = area.Dale
    }

let private inputNode words (input: Input) = {
    named Shape.Input input.Name input.Channels words with
        Lines = [ plural input.Channels "channel" ]
}

let private readoutNode words (readout: Readout) =
    let kind =
        match readout.Output with
        | Output.Linear -> []
        | other -> [ $"%O{other}".ToLowerInvariant() ]

    {
        named Shape.Readout readout.Name readout.Outputs words with
            Lines =
                plural readout.Outputs "output" :: kind
                @ (readout.Loss |> Option.map _.Description |> Option.toList)
    }

let private stranger (shape, name) = {
    named (Shape.Stranger shape) name 1 $"{name}: declared nowhere" with
        Lines = [ "not declared" ]
}

/// The node of an end: its shape and name. The constant 1 has none.
let private nodeOf finish =
    match finish with
    | OfArea name
    | OfPopulation(name, _) -> Some(Shape.Area, name)
    | OfInput name
    | OfChannels(name, _) -> Some(Shape.Input, name)
    | OfReadout name -> Some(Shape.Readout, name)
    | OfBias -> None

let private ending circuit projection =
    match Circuit.signs circuit projection with
    | None
    | Some(0, 0) -> Ending.AnySign
    | Some(_, 0) -> Ending.Excitatory
    | Some(0, _) -> Ending.Inhibitory
    | Some _ -> Ending.Both

/// The subsets at the two ends, as in "E → I".
let private subsets (projection: Projection) =
    let subset =
        function
        | OfPopulation(_, "excitatory") -> "E"
        | OfPopulation(_, "inhibitory") -> "I"
        | OfPopulation(_, name) -> name
        | OfChannels(_, [ channel ]) -> $"channel {channel}"
        | OfChannels(_, channels) ->
            "channels " + (channels |> List.map string |> String.concat ", ")
        | _ -> ""

    $"{subset projection.Source} → {subset projection.Target}".Trim()

let private marks (projection: Projection) = [
    match projection.Opening with
    | Always -> ()
    | Every period -> Mark.Gate $"every {number (float period)} ms"
    | AtTrialEnd -> Mark.Gate "trial end"
    | AtEvent event -> Mark.Gate $"at {event}"

    match projection.Label with
    | Some label -> Mark.Name label
    | None -> ()

    match subsets projection with
    | "→" -> ()
    | text -> Mark.Populations text

    match projection.Delay with
    | Some delay -> Mark.Delay $"{number (float delay)} ms"
    | None -> ()

    match projection.Connectivity, projection.Weights with
    | Density fraction, _ -> Mark.Density $"{number (100.0 * fraction)} %%"
    | Mask _, _ -> Mark.Density "masked"
    | Dense, OneToOne _ -> Mark.Density "1 : 1"
    | Dense, _ -> ()

    match projection.Plasticity with
    | LearningBy(_, rule) -> Mark.Rule $"by {rule.Name}"
    | _ -> ()
]

let private feedbackMark =
    function
    | RandomFeedback _ -> Mark.Feedback "random"
    | SymmetricFeedback -> Mark.Feedback "Wᵀ"
    | GivenFeedback _ -> Mark.Feedback "given"

/// Gives every node its group: the word before the first point of its name, where several nodes have it.
let private grouped (nodes: Node list) =
    let prefix (name: string) =
        match name.IndexOf '.' with
        | at when at > 0 && at < name.Length - 1 -> name.Substring(0, at)
        | _ -> ""

    let shared = nodes |> List.countBy (fun node -> prefix node.Name) |> Map.ofList

    nodes
    |> List.map (fun node ->
        match prefix node.Name with
        | "" -> node
        | word when shared[word] < 2 -> node
        | word -> {
            node with
                Group = word
                Short = node.Name.Substring(word.Length + 1)
          })

/// The shape and name of both ends of every arrow of the circuit; for the constant 1 only the target.
let private spokenOf (circuit: Circuit) = [
    for projection in circuit.Projections do
        yield! Option.toList (nodeOf projection.Source)
        nodeOf projection.Target |> Option.defaultValue (Shape.Input, "bias")

    for feedback in circuit.Feedback do
        Shape.Readout, feedback.Readout
        Shape.Area, feedback.Area
]

/// The elements of a circuit. A name that is not declared becomes a `Stranger`; of two parts with one name, the first is used.
let ofCircuit (circuit: Circuit) : Parts =
    let words = Circuit.describe circuit |> Array.ofList
    let areas, inputs = circuit.Areas.Length, circuit.Inputs.Length

    let declared = [
        for i, area in List.indexed circuit.Areas -> (Shape.Area, area.Name), areaNode words[i] area
        for i, input in List.indexed circuit.Inputs ->
            (Shape.Input, input.Name), inputNode words[areas + i] input
        for i, readout in List.indexed circuit.Readouts ->
            (Shape.Readout, readout.Name), readoutNode words[areas + inputs + i] readout
    ]

    let known = declared |> List.map fst |> set

    let strangers =
        spokenOf circuit
        |> List.distinct
        |> List.filter (fun key -> not (known.Contains key))
        |> List.map (fun key -> key, stranger key)

    let all = declared @ strangers
    let place = all |> List.mapi (fun i (key, _) -> key, i) |> List.rev |> Map.ofList
    let first = declared.Length

    let projections =
        circuit.Projections
        |> List.mapi (fun i projection ->
            let target = nodeOf projection.Target |> Option.defaultValue (Shape.Input, "bias")
            let source = nodeOf projection.Source

            source.IsNone,
            {
                Source = place[defaultArg source target]
                Target = place[target]
                Ending = ending circuit projection
                Paint =
                    if projection.Plasticity.IsFrozen then
                        Paint.Frozen
                    else
                        Paint.Plastic
                Marks = marks projection
                Words = words[first + i]
            })

    let errors =
        circuit.Feedback
        |> List.mapi (fun i feedback -> {
            Source = place[Shape.Readout, feedback.Readout]
            Target = place[Shape.Area, feedback.Area]
            Ending = Ending.AnySign
            Paint = Paint.Error
            Marks = [ feedbackMark feedback.Through ]
            Words = words[first + projections.Length + i]
        })

    let biases, arrows = projections |> List.partition fst

    {
        Nodes = all |> List.map snd |> grouped |> Array.ofList
        Arrows = List.map snd arrows @ errors |> Array.ofList
        Biases = biases |> List.map snd |> Array.ofList
    }
