namespace Rflo.Host

open System
open System.Text.Json.Nodes
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// The report of a run, made from the files of its folder.
[<RequireQualifiedAccess>]
module internal Report =

    let private mostUnits = 12
    let private mostReadouts = 4
    let private mostBlocks = 4
    let private mostAlignments = 2

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

    /// The readouts in order of declaration, which is that of their targets: names and kinds of outputs.
    let private readouts (record: RunRecord) =
        match field [ "readouts" ] record.Manifest.Experiment with
        | Some(:? JsonArray as all) -> [
            for readout in all ->
                textIn [ "name" ] readout,
                match field [ "lossFormula" ] readout with
                | Some _ -> textIn [ "loss" ] readout, Some(textIn [ "lossFormula" ] readout)
                | None -> textIn [ "output" ] readout, None
          ]
        | _ -> []

    /// What is said of the losses of a run's readouts.
    let lossesOf record = readouts record |> List.map snd

    /// The trial of a moment; none where the task failed in it.
    let private trial (record: RunRecord) moment =
        match find $"{moment}/targets" record.Activity with
        | Some targets when targets.Shape[0] > 0 ->
            LoadedRuns.activity
                ""
                (LoadedRuns.readouts RunFileNames.Activity record.Manifest)
                (Map.ofList [ for array in record.Activity -> array.Name, array ])
                moment
            |> Some
        | _ -> None

    /// The outputs of every readout on one axis, before and after training side by side.
    let private outputs (dt: float) (record: RunRecord) =
        match trial record "before", trial record "after" with
        | Some before, Some after -> [
            let dt = dt * 1.0<ms>

            for readout in TrialAxes.readouts before |> List.truncate mostReadouts do
                // The first trial after training may differ from that before: each has its own targets.
                let range =
                    Figures.limits (
                        OutputFindings.series dt [ before ] readout
                        @ OutputFindings.series dt [ after ] readout
                    )

                let shown moment trial caption colour =
                    OutputFindings.panel
                        dt
                        [ trial ]
                        $"{(fst readout).Name} {moment} training"
                        caption
                        false
                        colour
                        range
                        readout

                shown "before" before "Test trial 0, with learning off." Style.grey
                shown "after" after "The same task, with learning off." Style.blue
          ]
        | _ -> []

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
        | _ ->
            let largest =
                match Thinning.range (List.map snd (before @ after)) with
                | Some(low, high) -> max 1e-12 (max (abs low) (abs high))
                | None -> 1e-12

            let shown title colour (rates: (string * float[]) list) =
                let steps = (snd rates.Head).Length
                let t = Array.init steps (fun t -> dt * float (t + 1))
                Figures.activity title colour largest t rates

            [
                shown "Rates before training" Style.grey before
                if not after.IsEmpty then
                    shown "Rates after training" Style.blue after
            ]

    /// The alignments of the feedback that the run used. An exact rule uses the readout's own weights, so that declared fixed
    /// feedback may have no effect.
    let private alignments (record: RunRecord) =
        let unused =
            match field [ "feedback" ] record.Manifest.Experiment with
            | Some(:? JsonArray as all) ->
                set [
                    for feedback in all do
                        if textIn [ "used" ] feedback = "false" then
                            let readout, area =
                                textIn [ "readout" ] feedback, textIn [ "area" ] feedback

                            $"{readout}->{area}"
                ]
            | _ -> Set.empty

        record.Metrics
        |> List.choose (fun (name, values) ->
            if name.StartsWith("alignment ", StringComparison.Ordinal) then
                Some(name.Substring 10, values)
            else
                None)
        |> List.filter (fun (name, _) -> not (Set.contains name unused))

    let private isFinite (array: NamedArray) =
        Array.forall Double.IsFinite array.Values

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
                            (RunRecord.matrixOf before)
                            (RunRecord.matrixOf after)
                    )
                )
            | Some _, Some _ ->
                Some(Error $"The spectrum of {name} is left out: its weights are not finite.")
            | _ -> None)

    /// The weights of the connections of a projection that exist.
    let internal weightsOf moment projection (record: RunRecord) =
        let part name =
            find $"{moment}/{projection}{name}" record.Weights

        match part "", part "/exists", part "/value" with
        | Some full, Some exists, _ when exists.Values.Length = full.Values.Length ->
            Array.zip full.Values exists.Values
            |> Array.filter (fun (_, exists) -> exists <> 0.0)
            |> Array.map fst
            |> Some
        | Some full, _, _ -> Some full.Values
        | None, _, Some stored -> Some stored.Values
        | None, _, None -> None

    let private distributions (record: RunRecord) =
        projections record
        |> List.choose (fun projection ->
            let name = textIn [ "name" ] projection

            match weightsOf "initial" name record, weightsOf "final" name record with
            | Some before, Some after when
                before.Length >= 20
                && Array.forall Double.IsFinite before
                && Array.forall Double.IsFinite after
                && before <> after
                ->
                Some(Figures.weights name before after)
            | _ -> None)

    let private short (value: float) = $"%.4g{value}"

    /// Steps of every trial: of their own column, or those of the first trial where all are as long.
    let private steps (record: RunRecord) trials =
        match
            record.Metrics |> List.tryFind (fst >> (=) "steps"),
            find "after/targets" record.Activity
        with
        | Some(_, steps), _ -> Some(Array.map int steps)
        | None, Some targets -> Some(Array.create trials targets.Shape[0])
        | None, None -> None

    let private tiles dt (record: RunRecord) =
        let manifest = record.Manifest

        let values name =
            record.Metrics |> List.tryFind (fst >> (=) name) |> Option.map snd

        let losses = values "loss" |> Option.defaultValue [||]
        let seconds = values "seconds" |> Option.defaultValue [||]

        [
            "trials", string manifest.Trials

            match losses |> Array.tryFind (Double.IsNaN >> not) with
            | Some first ->
                "loss, first trial", short first

                if Double.IsFinite manifest.FinalLoss then
                    $"final loss (mean of the last {Losses.averaged losses} trials)",
                    short manifest.FinalLoss
            | None -> ()

            for name in [ "validation loss"; "validation performance" ] do
                match values name |> Option.bind (Array.tryFindBack (Double.IsNaN >> not)) with
                | Some last -> name, short last
                | None -> ()

            for name, values in alignments record |> List.truncate mostAlignments do
                if values.Length > 0 then
                    $"alignment {name}", $"%.3f{Array.last values}"

            "training time", $"{short (Array.sum seconds)} s"

            match steps record seconds.Length |> Option.bind (Speed.microseconds seconds) with
            | Some time -> $"a step of {string dt} ms ({Speed.meaning})", $"{short time} µs"
            | None -> ()

            "seed", string manifest.Seed
        ]

    /// Notes on what the page leaves out.
    let private leftOut (record: RunRecord) (distributions: Panel list) = [
        let all = readouts record

        if all.Length > mostReadouts then
            Note $"{mostReadouts} of {all.Length} readouts are shown; activity.npz has all of them."

        if distributions.Length > mostBlocks then
            Note
                $"The weights of {mostBlocks} of {distributions.Length} projections are shown; weights.npz has all of them."
    ]

    /// A heading and a sentence for each line of a description.
    let private terms (description: string) =
        description.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        |> Array.map (fun line ->
            match line.IndexOf(": ", System.StringComparison.Ordinal) with
            | -1 -> "", line
            | at -> line.Substring(0, at), line.Substring(at + 2))
        |> List.ofArray

    let private provenance (manifest: RunManifest) = [
        "Started",
        manifest.Started.ToString(
            "yyyy-MM-dd HH:mm:ss 'UTC'",
            System.Globalization.CultureInfo.InvariantCulture
        )
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

    /// The processes that worked on a run, where it was resumed or has notes.
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
                                session.Started.ToString(
                                    "yyyy-MM-dd HH:mm:ss 'UTC'",
                                    System.Globalization.CultureInfo.InvariantCulture
                                )
                                string session.Trial
                                String.concat " " session.Arguments
                                String.concat " " session.Notes
                            ]
                    ]
                )
            ]

    let private pictureCaption =
        "Blue projections learn, grey ones stay; filled arrowheads are excitatory, bars inhibitory, open arrowheads "
        + "of any sign. Dashed arrows carry errors. rflo graph SCRIPT draws the circuit with all signs explained."

    /// Test trials under the perturbations of the training, beside those without; none where the run has none.
    let internal contrasts dt (record: RunRecord) =
        match
            Contrasts.ofArrays
                RunFileNames.Activity
                (LoadedRuns.readouts RunFileNames.Activity record.Manifest)
                record.Activity
        with
        | []
        | [ _ ] -> None
        | trials -> Some(ContrastFindings.ofTrials (dt * 1.0<ms>) None trials)

    /// The head of the page and its sections.
    let page (record: RunRecord) : PageHead * (string * Section list) list =
        let manifest = record.Manifest
        let dt = numberIn [ "dtMs" ] manifest.Experiment |> Option.defaultValue 1.0
        let rule = textIn [ "rule"; "name" ] manifest.Experiment
        let task = textIn [ "task"; "name" ] manifest.Experiment
        let spectra = spectra record
        let distributions = distributions record
        let losses = record.Metrics |> List.filter (fst >> (=) "loss")
        let definition = Losses.definition (lossesOf record)

        {
            Title = manifest.Name
            Subtitle = $"A circuit learns the task {task} by {rule}."
            Status =
                manifest.StatusText,
                (manifest.Status = RunEnd.Completed || manifest.Status = RunEnd.Stopped)
            Tiles = tiles dt record
        },
        [
            "",
            [
                Panels [
                    Figures.loss definition losses
                    yield! outputs dt record

                    match alignments record with
                    | [] -> ()
                    | curves -> Figures.alignment curves

                    yield! ProbeFigures.ofRun record.Metrics
                    yield! spectra |> List.choose Result.toOption
                    yield! List.truncate mostBlocks distributions
                    yield! activity dt record
                ]
                for spectrum in spectra do
                    match spectrum with
                    | Error note -> Note note
                    | Ok _ -> ()
                yield! leftOut record distributions
            ]
            match contrasts dt record with
            | None -> ()
            | Some found ->
                "Perturbations",
                [
                    Panels [ for _, panel, _ in found.Figures -> panel ]

                    match found.Table with
                    | Some(_, (heads, rows)) -> Table(heads, rows)
                    | None -> ()

                    Note
                        "The perturbations of the training, each in all of the same test trials, by the final weights."

                    for note in found.Notes do
                        Note note
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

    /// The page as HTML.
    let html record = page record ||> Page.html
