namespace Rflo.Host

open System
open System.Globalization
open System.IO
open System.Text.Json.Nodes
open System.Text.RegularExpressions
open System.Threading
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// The results of a run in its folder, by the names of `Trained`. The experiment is not part of it, since no file holds its functions.
[<RequireQualifiedAccess>]
type LoadedRun = {
    /// Full path of the folder.
    Place: string
    /// The settings of the run, its machine, and how it ended.
    Manifest: RunManifest
    Status: RunStatus
    Losses: float[]
    Steps: int[]
    Rewards: float[]
    Seconds: float[]
    Alignments: Map<string * string, float[]>
    /// The values of probes; values of NaN are not in files.
    Probes: Map<string, Series>
    Initial: Map<string, Matrix<float>>
    Final: Map<string, Matrix<float>>
    /// Empty where they were not kept.
    Best: Map<string, Matrix<float>>
    /// The projections of which existing connections only are stored.
    Compressed: Set<string>
    TimeConstants: Map<string, float[]>
    BestTimeConstants: Map<string, float[]>
    InitialStates: Map<string, float[]>
    BestInitialStates: Map<string, float[]>
    Feedback: Map<string * string, Matrix<float>>
    Before: Activity
    After: Activity
}

/// Reads the results of runs; an exception names a damaged file.
[<RequireQualifiedAccess>]
module internal LoadedRuns =

    let private damaged place (part: string) problem =
        raise (
            RunFileException(
                place,
                part,
                problem,
                "Copy the folder again from where it was made, or run the experiment again."
            )
        )

    let private againstIts (saved: SavedRun) =
        // Pages and pictures may have been made again; metrics.csv is compared where it is read.
        for file in saved.Manifest.Files do
            if file.Name = RunFileNames.Weights || file.Name = RunFileNames.Activity then
                file.Check(Path.Combine(saved.Place, file.Name))

    // Activity.

    /// The readouts that a manifest names.
    let readouts place (manifest: RunManifest) : Readout list =
        try
            match manifest.Experiment with
            | null -> []
            | experiment -> [
                for readout in (nonNull experiment["readouts"]).AsArray() do
                    let readout = nonNull readout

                    {
                        Name = (nonNull readout["name"]).GetValue<string>()
                        Outputs = (nonNull readout["outputs"]).GetValue<int>()
                        Output = Enum.Parse<Output>((nonNull readout["output"]).GetValue<string>())
                        Loss = None
                        Lost = []
                    }
              ]
        with e when not (e :? RunFileException) ->
            damaged place "readouts" $"has a manifest without valid readouts ({e.Message})"

    /// The trial before or after training.
    let activity
        place
        (readouts: Readout list)
        (arrays: Map<string, NamedArray>)
        moment
        : Activity =
        let find part = Map.tryFind $"{moment}/{part}" arrays

        let need part =
            match find part with
            | Some array -> array
            | None ->
                damaged (Path.Combine(place, RunFileNames.Activity)) $"{moment}/{part}" "is missing"

        let number part =
            find part
            |> Option.map (fun array -> array.Values[0])
            |> Option.defaultValue nan

        let named part = [
            for KeyValue(name, array) in arrays do
                let start = $"{moment}/{part}/"

                if name.StartsWith(start, StringComparison.Ordinal) then
                    name.Substring start.Length, array
        ]

        let targets = RunRecord.matrixOf (need "targets")

        let expectShape part columns =
            let array = need part

            if array.Shape <> [| targets.RowCount; columns |] then
                damaged
                    (Path.Combine(place, RunFileNames.Activity))
                    $"{moment}/{part}"
                    $"has the shape {Recordings.shapeOf array} beside targets of ({targets.RowCount}, {targets.ColumnCount}), which do not fit each other"

        expectShape "targets" (readouts |> List.sumBy _.Outputs)
        expectShape "mask" targets.ColumnCount

        for readout in readouts do
            expectShape $"outputs/{readout.Name}" readout.Outputs

        {
            Loss = number "loss"
            Conditions =
                Map.ofList [
                    for name, array in named "conditions" -> name, array.Values[0]
                ]
            Performance = number "performance"
            Readouts = readouts
            Inputs =
                match find "inputs" with
                | Some inputs -> RunRecord.matrixOf inputs
                | None -> Matrix<float>.Build.Dense(targets.RowCount, 0)
            Targets = targets
            Mask = RunRecord.matrixOf (need "mask")
            Rewards =
                match find "rewards" with
                | Some rewards -> rewards.Values
                | None -> Array.zeroCreate targets.RowCount
            Events =
                Map.ofList [
                    for name, marks in named "events" -> name, Recordings.marked marks.Values
                ]
            Outputs =
                Map.ofList [
                    for readout in readouts ->
                        readout.Name, RunRecord.matrixOf (need $"outputs/{readout.Name}")
                ]
            Rates =
                Map.ofList [
                    for name, rates in named "rates" -> name, RunRecord.matrixOf rates
                ]
            States =
                Map.ofList [
                    for name, states in named "states" -> name, RunRecord.matrixOf states
                ]
        }

    // Weights.

    let private weightsOf file moment (names: Set<string>) =
        if
            names
            |> Set.exists (fun name -> name.StartsWith($"{moment}/", StringComparison.Ordinal))
        then
            savedWeights file moment
        else
            Map.empty

    /// The matrices of a prefix, by the rest of their names.
    let private ofUnits (prefix: string) (weights: Map<string, Matrix<float>>) =
        Map.ofList [
            for KeyValue(name, matrix) in weights do
                if name.StartsWith(prefix, StringComparison.Ordinal) then
                    name.Substring prefix.Length, matrix.ToColumnMajorArray()
        ]

    let private pair (text: string) =
        match text.Split "->" with
        | [| readout; area |] -> readout, area
        | _ -> text, ""

    // How it ended.

    let private status (manifest: RunManifest) =
        let words = manifest.StatusText

        let behind (mark: string) =
            match words.IndexOf(mark, StringComparison.Ordinal) with
            | -1 -> ""
            | place -> words.Substring(place + mark.Length)

        match manifest.Status with
        | RunEnd.Diverged
        | RunEnd.Failed ->
            let numbers = Regex.Match(words, "at trial (\\d+)(?:, step (\\d+))?, in ")

            let number (group: int) =
                match
                    Int32.TryParse(
                        numbers.Groups[group].Value,
                        NumberStyles.None,
                        CultureInfo.InvariantCulture
                    )
                with
                | true, number -> Some number
                | false, _ -> None

            RunStatus(
                manifest.Status,
                number 1 |> Option.defaultValue (manifest.Trials - 1),
                number 2 |> Option.defaultValue 0,
                behind ", in "
            )
        | RunEnd.Stopped -> RunStatus(manifest.Status, manifest.Trials - 1, 0, behind ": ")
        | ended -> RunStatus(ended, manifest.Trials - 1, 0, "")

    /// Whether a column of metrics.csv is not one of a probe.
    let private isOwn (name: string) =
        List.contains name [ "trial"; "loss"; "seconds"; "steps"; "reward" ]
        || name.StartsWith("alignment ", StringComparison.Ordinal)

    let load (place: string) : LoadedRun =
        let saved = RunFolder.Open place
        againstIts saved
        let manifest = saved.Manifest
        let table = saved.ReadMetrics()
        let columns = List.ofSeq table.Columns
        let column name = table.Column name

        let has name = List.contains name columns

        let losses = column "loss"

        if losses.Length <> manifest.Trials then
            damaged
                (Path.Combine(saved.Place, RunFileNames.Metrics))
                "loss"
                $"has {losses.Length} trials, and manifest.json has {manifest.Trials}"

        let arrays = Map.ofSeq [ for array in saved.ReadActivity() -> array.Name, array ]

        let weights = saved.ReadWeights()
        let names = set [ for array in weights -> array.Name ]
        let file = Path.Combine(saved.Place, RunFileNames.Weights)
        let final, best = weightsOf file "final" names, weightsOf file "best" names
        let readouts = readouts saved.Place manifest
        let after = activity saved.Place readouts arrays "after"

        {
            Place = saved.Place
            Manifest = manifest
            Status = status manifest
            Losses = losses
            Steps =
                if has "steps" then
                    column "steps" |> Array.map int
                else
                    Array.create losses.Length after.Targets.RowCount
            Rewards =
                if has "reward" then
                    column "reward"
                else
                    Array.zeroCreate losses.Length
            Seconds = column "seconds"
            Alignments =
                Map.ofList [
                    for name in columns do
                        if name.StartsWith("alignment ", StringComparison.Ordinal) then
                            pair (name.Substring "alignment ".Length), column name
                ]
            Probes =
                Map.ofList [
                    for name in columns do
                        if not (isOwn name) then
                            let values = column name

                            let measured =
                                [| 0 .. values.Length - 1 |]
                                |> Array.filter (fun trial -> not (Double.IsNaN values[trial]))

                            name,
                            {
                                Series.Trials = measured
                                Series.Values = measured |> Array.map (fun trial -> values[trial])
                            }
                ]
            Initial = weightsOf file "initial" names
            Final = final
            Best = best
            Compressed =
                set [
                    for name in names do
                        if
                            name.StartsWith("final/", StringComparison.Ordinal)
                            && name.EndsWith("/shape", StringComparison.Ordinal)
                        then
                            name.Substring(
                                "final/".Length,
                                name.Length - "final/".Length - "/shape".Length
                            )
                ]
            TimeConstants = ofUnits "tau " final
            BestTimeConstants = ofUnits "tau " best
            InitialStates = ofUnits "start " final
            BestInitialStates = ofUnits "start " best
            Feedback =
                Map.ofList [
                    for array in weights do
                        if array.Name.StartsWith("feedback/", StringComparison.Ordinal) then
                            pair (array.Name.Substring "feedback/".Length), RunRecord.matrixOf array
                ]
            Before = activity saved.Place readouts arrays "before"
            After = after
        }

    // Comparison with a declaration.

    /// Fields on which no number of a trial depends.
    let private besides = [ "name"; "trials"; "stopping"; "probes" ]

    let private parts (node: JsonNode | null) =
        match node with
        | :? JsonObject as fields ->
            Map.ofSeq [
                for field in fields do
                    let text =
                        match field.Value with
                        | null -> "null"
                        | value -> value.ToJsonString()

                    // An earlier version without this list has no such field, so an empty list is left out.
                    if not (List.contains field.Key besides) && text <> "[]" then
                        field.Key, text
            ]
        | _ -> Map.empty

    /// The parts of a declaration that differ from those of the run.
    let private otherParts (manifest: RunManifest) (experiment: Experiment) =
        let declared =
            parts (JsonNode.Parse((ExperimentJson.ofExperiment experiment).ToJsonString()))

        let saved = parts manifest.Experiment

        [
            for name in Seq.append declared.Keys saved.Keys |> Seq.distinct do
                if Map.tryFind name declared <> Map.tryFind name saved then
                    name
        ]

    let private isSame (a: Matrix<float>) (b: Matrix<float>) =
        a.RowCount = b.RowCount
        && a.ColumnCount = b.ColumnCount
        && Seq.forall2 (=) (a.Enumerate()) (b.Enumerate())

    /// The names of initial weights that differ between the declaration and the run.
    let private otherWeights (run: LoadedRun) (declared: Map<string, Matrix<float>>) = [
        for name in Seq.append declared.Keys run.Initial.Keys |> Seq.distinct do
            match Map.tryFind name declared, Map.tryFind name run.Initial with
            | Some a, Some b when isSame a b -> ()
            | _ -> name
    ]

    let private isOther (run: LoadedRun) (experiment: Experiment) what (names: string list) =
        let list = String.concat ", " names

        raise (
            RunFileException(
                run.Place,
                null,
                $"is no run of the experiment {experiment.Name} as it is declared here: {what} {list}",
                "Load it with the script and the options that made it (the folder has a copy of the script), or without an experiment: Run.load."
            )
        )

    /// The run as the result of `Run.train`.
    let asTrained (experiment: Experiment) (run: LoadedRun) : Result<Trained, Problem list> =
        match otherParts run.Manifest experiment with
        | [] -> ()
        | names -> isOther run experiment "these of its parts are others:" names

        Check.experiment experiment
        |> Result.map (fun ready ->
            let compiled = Compile.experiment ready
            let session = Run.session { compiled with Probes = [] }

            match otherWeights run (Run.weights compiled session) with
            | [] -> ()
            | names -> isOther run experiment "it begins from other" names

            let withLosses (activity: Activity) : Activity = {
                activity with
                    Readouts = ready.Experiment.Circuit.Readouts
            }

            {
                Experiment = experiment
                Status = run.Status
                Losses = run.Losses
                Steps = run.Steps
                Best = run.Best
                Rewards = run.Rewards
                Seconds = run.Seconds
                Alignments = run.Alignments
                Probes = run.Probes
                ProbeFailures = Map.empty
                Initial = run.Initial
                Final = run.Final
                Compressed = run.Compressed
                TimeConstants = run.TimeConstants
                BestTimeConstants = run.BestTimeConstants
                InitialStates = run.InitialStates
                BestInitialStates = run.BestInitialStates
                Feedback = run.Feedback
                Before = withLosses run.Before
                After = withLosses run.After
            })

/// Runs that lie in folders.
[<RequireQualifiedAccess>]
module Run =

    /// `Run.load "runs/p1"` is what that run left, in any process and wherever the folder was moved to: weights, losses, metrics, probes,
    /// activity. `experiment |> startingFrom (Run.load "runs/p1").Final` goes on from it. Where the folder is damaged, or of a version
    /// that is not read, a RunFileException says what is wrong.
    let load (place: string) : LoadedRun = LoadedRuns.load place

    /// `Run.loadFor experiment "runs/p1"` is that run as `Run.train` would have left it, with its experiment, whose functions no file holds.
    /// The declaration must be the run's: a RunFileException says which part is another, or which weights begin otherwise. Names,
    /// numbers of trials, stopping and probes may differ. What functions of the script do is not compared.
    let loadFor (experiment: Experiment) (place: string) : Result<Trained, Problem list> =
        LoadedRuns.asTrained experiment (LoadedRuns.load place)
