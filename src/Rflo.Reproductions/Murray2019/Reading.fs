namespace Rflo.Reproductions.Murray2019

open Rflo.Host

/// A choice that the paper leaves open for models of some kind: its text in the paper, and the alternatives.
type internal OpenChoice<'Model> = {
    /// A parameter of tests/data/murray-2019.csv, such as "channels".
    Name: string
    /// The statement of the paper.
    Paper: string
    /// The change of a model by each alternative, by name. A reading that does not name the choice has the first.
    Alternatives: (string * ('Model -> 'Model)) list
}

/// A reading of the paper: which alternative of each open choice is taken, by the names of choice and alternative. Choices that it
/// does not name have their first.
type internal Reading = {
    Name: string
    Settings: (string * string) list
}

/// Readings.
[<RequireQualifiedAccess>]
module internal Reading =

    /// The first alternative of every choice.
    let printed = { Name = "printed"; Settings = [] }

    let private alternative (choices: OpenChoice<'Model> list) (choice, name) =
        match choices |> List.tryFind (fun known -> known.Name = choice) with
        | None ->
            let known = choices |> List.map _.Name |> String.concat ", "
            invalidOp $"no open choice is named {choice} (known: {known})"
        | Some known ->
            match known.Alternatives |> List.tryFind (fun (own, _) -> own = name) with
            | Some(_, apply) -> apply
            | None ->
                let names = known.Alternatives |> List.map fst |> String.concat ", "
                invalidOp $"{choice} has no alternative {name} (known: {names})"

    /// The name of the alternative that a reading takes of a choice.
    let private taken (reading: Reading) (choice: OpenChoice<'Model>) =
        reading.Settings
        |> List.tryFind (fun (own, _) -> own = choice.Name)
        |> Option.map snd
        |> Option.defaultValue (fst choice.Alternatives.Head)

    /// A model in a reading: every choice's alternative, in the order of the choices, so that a reading's own order does not matter.
    let apply (choices: OpenChoice<'Model> list) (reading: Reading) (model: 'Model) =
        for choice, name in reading.Settings do
            alternative choices (choice, name) |> ignore

        (model, choices)
        ||> List.fold (fun model choice ->
            alternative choices (choice.Name, taken reading choice) model)

    /// The names of the choices in which a reading differs from the printed one.
    let departures (choices: OpenChoice<'Model> list) (reading: Reading) =
        reading.Settings
        |> List.filter (fun (choice, name) ->
            let known = choices |> List.find (fun known -> known.Name = choice)
            fst known.Alternatives.Head <> name)
        |> List.map fst

    /// In words: "channels: a channel a pulse; first readout: x 0.1".
    let text (reading: Reading) =
        if reading.Settings.IsEmpty then
            "as printed"
        else
            reading.Settings
            |> List.map (fun (choice, name) -> $"{choice}: {name}")
            |> String.concat "; "

    /// For each choice the statement of the paper, the alternative of a reading, and the others.
    let notes (choices: OpenChoice<'Model> list) (reading: Reading) = [
        for choice in choices do
            let taken = taken reading choice

            let others =
                choice.Alternatives
                |> List.map fst
                |> List.filter ((<>) taken)
                |> String.concat ", "

            $"{choice.Name}: {taken}. Paper: {choice.Paper}. Also: {others}."
    ]

    /// Readings that differ from one in a single choice.
    let neighbors (choices: OpenChoice<'Model> list) (reading: Reading) = [
        for choice in choices do
            let taken = taken reading choice

            for name, _ in choice.Alternatives do
                if name <> taken then
                    {
                        Name = $"{choice.Name} {name}"
                        Settings =
                            (reading.Settings |> List.filter (fun (own, _) -> own <> choice.Name))
                            @ [ choice.Name, name ]
                    }
    ]

    /// Every combination of those settings, each with or without: 2 to the power of their number.
    let combinations (settings: (string * string) list) =
        (settings, [ [] ])
        ||> List.foldBack (fun setting all -> [
            for chosen in all do
                chosen
                setting :: chosen
        ])
        // Two alternatives of one choice exclude each other.
        |> List.filter (fun settings -> (settings |> List.distinctBy fst).Length = settings.Length)
        |> List.map (fun settings -> {
            Name =
                if settings.IsEmpty then
                    "printed"
                else
                    settings |> List.map (fun (c, a) -> $"{c} {a}") |> String.concat ", "
            Settings = settings
        })
