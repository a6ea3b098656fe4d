namespace Rflo.Host

open System.Text.Json.Nodes

/// How experiments differ, word by word, from the JSON that manifests hold of them.
[<RequireQualifiedAccess>]
module internal Differences =

    /// The words of the language where a field has another name.
    let private wordOf part field =
        match part, field with
        | "rule", "name" -> "rule"
        | "task", "kind" -> "task"
        | "rule", "rates" -> "schedule"
        | "stopping", "targetLoss" -> "stopAtLoss"
        | "stopping", "targetPerformance" -> "stopAtPerformance"
        | _, "tauMs" -> "tau"
        | _, "dtMs" -> "dt"
        | _, "tauRate" -> "learnTau"
        | _, "initialRate" -> "learnInitial"
        | _, "recordsStates" -> "recordStates"
        | _, "delayMs" -> "delay"
        | _, "plasticity" -> "learningRate"
        | _, "selfConnections" -> "self connections"
        | _, other -> other

    /// Lists of parts that have names, and what one of them is called.
    let private partOf field =
        match field with
        | "areas" -> "area"
        | "inputs" -> "input"
        | "readouts" -> "readout"
        | "projections" -> "projection"
        | "probes" -> "probe"
        | other -> other

    let private fieldText (name: string) (fields: JsonObject) =
        match fields[name] with
        | null -> ""
        | value -> string value

    /// A part's own name among others of its list; none of a list whose parts have none.
    let private nameOf (node: JsonNode | null) =
        match node with
        | :? JsonObject as fields when fields.ContainsKey "readout" && fields.ContainsKey "area" ->
            Some $"""{fieldText "readout" fields}->{fieldText "area" fields}"""
        | :? JsonObject as fields when fields.ContainsKey "name" -> Some(fieldText "name" fields)
        | _ -> None

    /// Whether an object is one of several choices: it has a kind, which is a word.
    let private isChoice (fields: JsonObject) =
        match fields["kind"] with
        | :? JsonValue -> true
        | _ -> false

    /// A value in words: of a choice its kind and what belongs to it.
    let rec private words (node: JsonNode | null) : string =
        match node with
        | null -> "none"
        | :? JsonObject as fields ->
            let rest = [
                for field in fields do
                    if field.Key <> "kind" || not (isChoice fields) then
                        $"{field.Key} {words field.Value}"
            ]

            let inside = String.concat ", " rest

            match isChoice fields, rest with
            | true, [] -> fieldText "kind" fields
            | true, _ -> $"""{fieldText "kind" fields} ({inside})"""
            | false, _ -> inside
        | :? JsonArray as all -> "[" + String.concat ", " [ for each in all -> words each ] + "]"
        | value -> string value

    /// Every field of an experiment: its part, its word, its value.
    let fields (experiment: JsonNode | null) : ((string * string) * string) list = [
        match experiment with
        | :? JsonObject as top ->
            for entry in top do
                match entry.Key, entry.Value with
                | "name", _ -> ()
                | key, (:? JsonArray as parts) when parts |> Seq.forall (nameOf >> Option.isSome) ->
                    for part in parts do
                        let name = nameOf part |> Option.defaultValue ""

                        match part with
                        | :? JsonObject as fields ->
                            for field in fields do
                                if
                                    not (
                                        List.contains field.Key [
                                            "name"
                                            "source"
                                            "target"
                                            "recurrent"
                                            "used"
                                        ]
                                    )
                                then
                                    ($"{partOf key} {name}", wordOf key field.Key),
                                    words field.Value
                        | _ -> ()
                | key, (:? JsonObject as fields) when not (isChoice fields) ->
                    for field in fields do
                        (key, wordOf key field.Key), words field.Value
                | key, value -> ("experiment", wordOf key key), words value
        | _ -> ()
    ]

    /// What differs between experiments: part, word, and the value of each; empty text where an experiment does not say it.
    let between (experiments: (JsonNode | null) list) : (string * string * string list) list =
        let all = experiments |> List.map (fields >> Map.ofList)

        let order = experiments |> List.collect (fields >> List.map fst) |> List.distinct

        [
            for part, word in order do
                let values = [
                    for one in all -> Map.tryFind (part, word) one |> Option.defaultValue ""
                ]

                if values |> List.distinct |> List.length > 1 then
                    part, word, values
        ]
