namespace Rflo.Host

open System
open System.Text.Json.Nodes
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Runs

/// The page that shows a run, made of what its folder holds.
[<RequireQualifiedAccess>]
module Report =

    let private mostUnits = 12
    let private mostOutputs = 4
    let private mostBlocks = 4

    /// Eigenvalues take N³ time: beyond this size they are left out.
    let private largestSpectrum = 600

    /// A field of the experiment, if it is there.
    let private field (path: string list) (json: JsonNode | null) =
        (Option.ofObj json, path)
        ||> List.fold (fun node name ->
            node
            |> Option.bind (fun (node: JsonNode) ->
                match node with
                | :? JsonObject as fields -> Option.ofObj fields[name]
                | _ -> None))

    let private numberIn path json =
        field path json
        |> Option.bind (fun node ->
            match node with
            | :? JsonValue as value ->
                match
                    Double.TryParse(
                        value.ToJsonString(),
                        Globalization.CultureInfo.InvariantCulture
                    )
                with
                | true, number -> Some number
                | _ -> None
            | _ -> None)

    let private textIn path json =
        field path json |> Option.map string |> Option.defaultValue ""

    let private find name (arrays: NamedArray list) =
        arrays |> List.tryFind (fun array -> array.Name = name)

    let private column k (array: NamedArray) =
        let width = array.Shape[1]
        Array.init array.Shape[0] (fun t -> array.Values[t * width + k])

    let private withPrefix prefix (arrays: NamedArray list) =
        arrays
        |> List.filter (fun array ->
            array.Name.StartsWith(prefix, StringComparison.Ordinal)
            && array.Shape.Length = 2)
        |> List.map (fun array -> array.Name.Substring prefix.Length, array)

    let private times (dt: float) (array: NamedArray) =
        Array.init array.Shape[0] (fun t -> dt * float (t + 1))

    /// Every output of every readout before and after training, side by side.
    let private outputs dt (record: RunRecord) = [
        let before = withPrefix "before/outputs/" record.Activity
        let mutable first = 0

        match find "before/targets" record.Activity, find "before/mask" record.Activity with
        | Some targets, Some mask ->
            for name, values in before do
                for k in 0 .. values.Shape[1] - 1 do
                    let label = if values.Shape[1] = 1 then name else $"{name} {k}"
                    let target, counted = column (first + k) targets, column (first + k) mask

                    match find $"after/outputs/{name}" record.Activity with
                    | Some later when first + k < mostOutputs ->
                        let range = Figures.limits [ target; column k values; column k later ]
                        let show = Figures.output
                        let t = times dt values

                        show
                            $"{label} before training"
                            "Test trial 0, with learning off."
                            range
                            Style.grey
                            t
                            target
                            counted
                            (column k values)

                        show
                            $"{label} after training"
                            "The same task, with learning off."
                            range
                            Style.blue
                            t
                            target
                            counted
                            (column k later)
                    | _ -> ()

                first <- first + values.Shape[1]
        | _ -> ()
    ]

    /// Some units of all areas, evenly chosen.
    let private units moment (record: RunRecord) =
        let all = [
            for area, rates in withPrefix $"{moment}/rates/" record.Activity do
                for unit in 0 .. rates.Shape[1] - 1 -> $"{area} {unit}", (rates, unit)
        ]

        let count = min mostUnits all.Length

        List.init count (fun k -> all[k * all.Length / count])
        |> List.map (fun (name, (rates, unit)) -> name, column unit rates)

    let private activity dt (record: RunRecord) =
        let before, after = units "before" record, units "after" record

        match before with
        | [] -> []
        | (_, first) :: _ ->
            let largest =
                match Thinning.range (List.map snd (before @ after)) with
                | Some(low, high) -> max 1e-12 (max (abs low) (abs high))
                | None -> 1e-12

            let t = Array.init first.Length (fun t -> dt * float (t + 1))

            [
                Figures.activity "Rates before training" Style.grey largest t before
                Figures.activity "Rates after training" Style.blue largest t after
            ]

    let private alignments (record: RunRecord) =
        record.Metrics
        |> List.choose (fun (name, values) ->
            if name.StartsWith("alignment ", StringComparison.Ordinal) then
                Some(name.Substring 10, values)
            else
                None)

    let private isFinite (array: NamedArray) =
        Array.forall Double.IsFinite array.Values

    let private matrix (array: NamedArray) =
        Matrix<float>.Build.DenseOfRowMajor(array.Shape[0], array.Shape[1], array.Values)

    let private projections (record: RunRecord) =
        match field [ "projections" ] record.Manifest.Experiment with
        | Some(:? JsonArray as all) -> List.ofSeq all
        | _ -> []

    /// Spectra of recurrent blocks; a note for each that cannot be shown.
    let private spectra (record: RunRecord) =
        projections record
        |> List.filter (fun p -> textIn [ "recurrent" ] p = "true")
        |> List.choose (fun p ->
            let name = textIn [ "name" ] p

            match find $"initial/{name}" record.Weights, find $"final/{name}" record.Weights with
            | Some before, Some _ when before.Shape[0] > largestSpectrum ->
                Some(
                    Error
                        $"The spectrum of {name} is left out: {before.Shape[0]} units are more than {largestSpectrum}."
                )
            | Some before, Some after when isFinite before && isFinite after ->
                Some(
                    Ok(
                        Figures.spectrum
                            name
                            (numberIn [ "weights"; "gain" ] p)
                            (matrix before)
                            (matrix after)
                    )
                )
            | Some _, Some _ ->
                Some(Error $"The spectrum of {name} is left out: its weights are not finite.")
            | _ -> None)

    let private distributions (record: RunRecord) =
        withPrefix "initial/" record.Weights
        |> List.choose (fun (name, before) ->
            match find $"final/{name}" record.Weights with
            | Some after when
                before.Values.Length >= 20
                && isFinite before
                && isFinite after
                && before.Values <> after.Values
                ->
                Some(Figures.weights name before.Values after.Values)
            | _ -> None)
        |> List.truncate mostBlocks

    let private short (value: float) = $"%.4g{value}"

    let private tiles dt (record: RunRecord) =
        let manifest = record.Manifest

        let values name =
            record.Metrics |> List.tryFind (fst >> (=) name) |> Option.map snd

        let losses = values "loss" |> Option.defaultValue [||]
        let seconds = values "seconds" |> Option.defaultValue [||]

        [
            "trials", string manifest.Trials

            if losses.Length > 0 then
                "loss, first trial", short losses[0]
                "loss, last trial", short (Array.last losses)

            for name, values in alignments record |> List.truncate 2 do
                if values.Length > 0 then
                    $"alignment {name}", $"%.3f{Array.last values}"

            "training time", $"{short (Array.sum seconds)} s"

            match find "after/targets" record.Activity with
            | Some targets when seconds.Length > 0 ->
                let median = (Array.sort seconds)[seconds.Length / 2]

                $"a step of {dt} ms (median trial)",
                $"{short (1e6 * median / float targets.Shape[0])} µs"
            | _ -> ()

            "seed", string manifest.Seed
        ]

    /// A heading and a sentence for each line of a description.
    let private terms (description: string) =
        description.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        |> Array.map (fun line ->
            match line.IndexOf ": " with
            | -1 -> "", line
            | at -> line.Substring(0, at), line.Substring(at + 2))
        |> List.ofArray

    let private provenance (manifest: RunManifest) = [
        "Started", manifest.Started.ToString "yyyy-MM-dd HH:mm:ss 'UTC'"
        "Took", $"{short manifest.ElapsedSeconds} s"

        for KeyValue(setting, value) in manifest.Overrides do
            $"--{setting}", value

        match manifest.Script with
        | null -> ()
        | script -> "Script", script

        match manifest.Commit with
        | null -> ()
        | commit -> "Commit", commit

        "Rflo.Dsl", manifest.Versions.Rflo
        ".NET", manifest.Versions.DotNet
        "Operating system", manifest.Machine.OperatingSystem

        match manifest.Machine.Cpu with
        | null -> ()
        | cpu -> "Processor", $"{cpu}, {manifest.Machine.Processors} logical processors"
    ]

    /// The processes that worked on a run, where there is more to say than that it was one.
    let private sessions (manifest: RunManifest) =
        let all = List.ofSeq manifest.Sessions

        if all.Length < 2 && all |> List.forall (fun session -> session.Notes.Count = 0) then
            []
        else
            [
                Table(
                    [ "Session"; "Began"; "After trials"; "Options"; "Notes" ],
                    [
                        for k, session in List.indexed all ->
                            [
                                string (k + 1)
                                session.Started.ToString "yyyy-MM-dd HH:mm:ss 'UTC'"
                                string session.Trial
                                String.concat " " session.Arguments
                                String.concat " " session.Notes
                            ]
                    ]
                )
            ]

    let private pictureCaption =
        "Blue projections learn, grey ones stay; filled arrowheads are excitatory, bars inhibitory, open arrowheads "
        + "of any sign. Dashed arrows tell errors. rflo graph SCRIPT draws the circuit with all signs explained."

    /// The page.
    let html (record: RunRecord) =
        let manifest = record.Manifest
        let dt = numberIn [ "dtMs" ] manifest.Experiment |> Option.defaultValue 1.0
        let rule = textIn [ "rule"; "name" ] manifest.Experiment
        let task = textIn [ "task"; "name" ] manifest.Experiment
        let spectra = spectra record
        let losses = record.Metrics |> List.filter (fst >> (=) "loss")

        Page.html
            {
                Title = manifest.Name
                Subtitle = $"A circuit learns the task {task} by {rule}."
                Status =
                    manifest.StatusText,
                    (manifest.Status = RunEnd.Completed || manifest.Status = RunEnd.Stopped)
                Tiles = tiles dt record
            }
            [
                "",
                [
                    Panels [
                        Figures.loss losses
                        yield! outputs dt record

                        match alignments record with
                        | [] -> ()
                        | curves -> Figures.alignment curves

                        yield! ProbeFigures.ofRun record.Metrics
                        yield! spectra |> List.choose Result.toOption
                        yield! distributions record
                        yield! activity dt record
                    ]
                    for spectrum in spectra do
                        match spectrum with
                        | Error note -> Note note
                        | Ok _ -> ()
                ]
                "The experiment",
                [
                    match record.Picture with
                    | Some svg -> Drawing("The circuit", svg, pictureCaption)
                    | None -> ()

                    Terms(terms manifest.Description)
                ]
                "The run",
                [
                    Terms(provenance manifest)
                    yield! sessions manifest

                    match record.Script with
                    | Some script -> Folded("The script", script)
                    | None -> ()
                ]
            ]
