namespace Rflo.Host

open System
open System.IO
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// Analyzes a run that has ended: loads it, shows test trials to what it left, and writes a page with figures and their numbers.
[<RequireQualifiedAccess>]
module internal Analyses =

    [<Literal>]
    let private PageName = "analysis.html"

    /// The folder of figures and numbers.
    [<Literal>]
    let private FolderName = "analysis"

    /// Numbers of activity that are kept of test trials: 160 MB.
    [<Literal>]
    let private MostNumbers = 2e7

    [<Literal>]
    let private MostTiles = 8

    let private complain name (text: string) = eprintfn $"{name}: {text}"

    // The run.

    let private overridesOf (manifest: RunManifest) =
        Overrides.ofSettings [ for pair in manifest.Overrides -> pair.Key, pair.Value ]

    /// The options that changed the experiment of a run, as its folder has them.
    let given (place: string) : ScriptOption list =
        overridesOf (RunFolder.Open place).Manifest

    let private loadedFor (run: LoadedRun) (experiment: Experiment) =
        match Overrides.onto experiment (overridesOf run.Manifest) with
        | Error mistakes -> Error(mistakes |> List.map Mistake.text |> String.concat "; ")
        | Ok changed ->
            try
                LoadedRuns.asTrained changed run
                |> Result.mapError (List.map Problem.text >> String.concat "; ")
            with :? RunFileException as e ->
                Error e.Message

    /// The run with the first of the script's experiments that it is a run of.
    let private loaded (run: LoadedRun) (experiments: Experiment list) =
        let tried = experiments |> Seq.map (loadedFor run) |> Seq.cache

        match tried |> Seq.tryPick Result.toOption with
        | Some trained -> trained
        | None ->
            match List.ofSeq tried with
            | [ Error reason ] -> Findings.notPossible reason
            | all ->
                Findings.notPossible
                    $"{run.Place} is a run of none of the {all.Length} experiments of the script; name the script that made it (the folder has a copy of it)"

    let private weightsOf moment (trained: Trained) : Map<string, Matrix<float>> =
        let weights =
            match moment with
            | "final" when trained.Status.End = RunEnd.Diverged ->
                Findings.notPossible
                    $"the run {trained.Status}, so its final weights are no result; analyze others with --weights best or --weights initial"
            | "best" when trained.Best.IsEmpty ->
                Findings.notPossible
                    "--weights best: the run kept no best weights; train it with --keep-best, or leave --weights out"
            | "best" -> trained.Best
            | "initial" -> trained.Initial
            | _ -> trained.Final

        for KeyValue(name, matrix) in weights do
            if matrix.Enumerate() |> Seq.exists (Double.IsFinite >> not) then
                Findings.notPossible
                    $"the {moment} weights of {name} are not finite; analyze others with --weights"

        weights

    // Its test trials.

    let private numbersOf (activity: Activity) =
        let sum parts =
            parts
            |> Map.toSeq
            |> Seq.sumBy (fun (_, matrix: Matrix<float>) ->
                float matrix.RowCount * float matrix.ColumnCount)

        sum activity.Rates
        + sum activity.Outputs
        + sum activity.States
        + float activity.Inputs.RowCount
          * float (activity.Inputs.ColumnCount + 2 * activity.Targets.ColumnCount)

    let private tested (request: AnalysisRequest) weights (experiment: Experiment) =
        let kept = [| 0.0 |]

        let keep activity =
            kept[0] <- kept[0] + numbersOf activity

            Behavior.ofActivity activity, (if kept[0] <= MostNumbers then Some activity else None)

        Run.evaluateEach
            keep
            Evaluation.standard
            weights
            experiment
            experiment.Task
            request.TestTrials

    // What is computed.

    /// The test trials under perturbations beside those without.
    let private contrasted groups (analyzed: Analyzed) =
        for name in analyzed.Request.Conditions do
            Findings.requireCondition "--condition" analyzed.Trials name []

        match
            Contrasts.run
                MostNumbers
                analyzed.Weights
                analyzed.Experiment
                analyzed.Trials.Length
                ((Contrasts.Control, []) :: groups)
        with
        | Ok trials ->
            ContrastFindings.ofTrials
                analyzed.Experiment.Dt
                (List.tryHead analyzed.Request.Conditions)
                trials
        | Error problems ->
            Findings.notPossible (
                "--perturb: " + (problems |> List.map Problem.text |> String.concat "; ")
            )

    let private compute (analyzed: Analyzed) part =
        match part with
        | AnalysisPart.Performance -> BehaviorFindings.performance analyzed
        | AnalysisPart.Psychometric condition -> BehaviorFindings.psychometric condition analyzed
        | AnalysisPart.Components -> PopulationFindings.components analyzed
        | AnalysisPart.FixedPoints -> DynamicsFindings.fixedPoints analyzed
        | AnalysisPart.Exponents -> DynamicsFindings.exponents analyzed
        | AnalysisPart.Decoding condition -> PopulationFindings.decoding condition analyzed
        | AnalysisPart.Outputs -> OutputFindings.outputs analyzed
        | AnalysisPart.Perturbed(words, perturbation) ->
            contrasted [ words, [ perturbation ] ] analyzed

    /// The parts that the request names; perturbations stand side by side.
    let private requested (analyzed: Analyzed) = [
        let perturbations =
            analyzed.Request.Parts
            |> List.choose (function
                | AnalysisPart.Perturbed(words, perturbation) -> Some(words, [ perturbation ])
                | _ -> None)

        for part in analyzed.Request.Parts do
            if not part.IsPerturbed then
                compute analyzed part

        if not perturbations.IsEmpty then
            contrasted perturbations analyzed
    ]

    let private smallFixedPoints (analyzed: Analyzed) =
        let map = DynamicsFindings.map analyzed

        if map.Size > DynamicsFindings.UnaskedState then
            Findings.notPossible
                $"a state of the circuit has {map.Size} numbers, more than {DynamicsFindings.UnaskedState}; --fixed-points looks for them all the same"

        DynamicsFindings.fixedPointsOf map analyzed

    /// What suits the task, and what was left out with the reason.
    let private suiting (analyzed: Analyzed) =
        let declared = Contrasts.declared analyzed.Experiment

        let tried = [
            for name, work in
                [
                    "performance", BehaviorFindings.performance
                    "psychometric curve", BehaviorFindings.psychometric None
                    "outputs", OutputFindings.outputs

                    "components", PopulationFindings.components
                    "fixed points", smallFixedPoints

                    if not declared.IsEmpty then
                        "perturbations of the training", contrasted declared
                ] do
                try
                    Ok(work analyzed)
                with
                | Findings.NotPossible reason -> Error(name, reason)
                | :? ArgumentException as e -> Error(name, e.Message)
        ]

        let conditions =
            String.concat ", " (Findings.conditions analyzed.Trials @ [ "choice" ])

        tried |> List.choose Result.toOption,
        [
            for one in tried do
                match one with
                | Error left -> left
                | Ok _ -> ()

            "decoding", $"--decode CONDITION computes it (CONDITION is one of {conditions})"
            "Lyapunov exponents", "--lyapunov computes them"
            (if declared.IsEmpty then
                 "perturbations",
                 "--perturb silence:AREA and its like compare trials with and without"
             else
                 "other perturbations",
                 "--perturb silence:AREA and its like compare trials with and without")
        ]

    // What is written.

    let private html (run: LoadedRun) (analyzed: Analyzed) (findings: AnalysisResult list) leftOut =
        let manifest = run.Manifest
        let keys = findings |> List.collect _.Key

        Page.html
            {
                Title = $"{manifest.Name}: analysis"
                Subtitle =
                    $"{analyzed.Trials.Length} test trials of the task {analyzed.Experiment.Task.Name}, without learning, by the {analyzed.Request.Moment} weights of a run."
                Status = manifest.StatusText, run.Status.IsWell
                Tiles = [
                    // Intervals stand in the sections.
                    for name, value in List.truncate MostTiles keys -> name, (value.Split " (")[0]
                ]
            }
            [
                for finding in findings do
                    finding.Title,
                    [
                        match finding.Figures with
                        | [] -> ()
                        | figures -> Panels [ for _, panel, _ in figures -> panel ]

                        match finding.Table with
                        | Some(_, (heads, rows)) -> Table(heads, rows)
                        | None -> ()

                        for note in finding.Notes do
                            Note note
                    ]

                if keys.Length > MostTiles then
                    "Numbers", [ Terms keys ]

                if not (List.isEmpty leftOut) then
                    "Left out", [ Terms leftOut ]

                "The run",
                [
                    Terms [
                        "Folder", run.Place
                        "Task", analyzed.Experiment.Task.Name
                        "Rule", analyzed.Experiment.Rule.Name
                        "Trials", string manifest.Trials
                        "Seed", string manifest.Seed
                        "Weights", analyzed.Request.Moment

                        "Test trials",
                        $"{analyzed.Trials.Length} from number 0, with the model's noise and without exploration; activity of the first {analyzed.Activity.Length} was kept"

                        "Figures", $"as SVG, with their numbers as CSV, in the folder {FolderName}"
                    ]
                ]
            ]

    /// Figures and numbers first, and the page that names them last: the names of the files.
    let private write place page (findings: AnalysisResult list) =
        let folder = Path.Combine(place, FolderName)

        let files = [
            for finding in findings do
                for name, panel, numbers in finding.Figures do
                    FigureFiles.writeWith folder name panel numbers
                    name

                match finding.Table with
                | Some(name, numbers) when name <> "" ->
                    TableText.writeCsv (Path.Combine(folder, $"{name}.csv")) numbers
                    name
                | _ -> ()
        ]

        TextFiles.Write(Path.Combine(place, PageName), page)
        files

    let private shown (path: string) =
        let relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path)

        if relative.StartsWith("..", StringComparison.Ordinal) then
            path
        else
            relative

    let private tell (run: LoadedRun) (analyzed: Analyzed) findings leftOut place files =
        printfn
            $"{run.Manifest.Name}: {analyzed.Trials.Length} test trials by the {analyzed.Request.Moment} weights of {shown run.Place}"

        let keys = findings |> List.collect _.Key

        let width = keys |> List.map (fun (name, _) -> name.Length) |> List.fold max 0

        for name, value in keys do
            printfn $"  {name.PadRight width}  {value}"

        for name, reason in leftOut do
            printfn $"left out: {name}: {reason}"

        printfn "%s" (FigureFiles.words (shown (Path.Combine(place, FolderName))) files)
        printfn "%s" (shown (Path.Combine(place, PageName)))

    let private analyze (request: AnalysisRequest) (run: LoadedRun) experiments =
        let trained = loaded run experiments
        let weights = weightsOf request.Moment trained

        match tested request weights trained.Experiment with
        | Error problems ->
            Seq.iter (eprintfn "%s") (Problem.report run.Manifest.Name problems)
            ExitCode.Problems
        | Ok trials ->
            let analyzed = {
                Experiment = trained.Experiment
                Request = request
                Weights = weights
                Trials = List.map fst trials
                Activity = List.choose snd trials
            }

            let findings, leftOut =
                if request.Parts.IsEmpty then
                    suiting analyzed
                else
                    requested analyzed, []

            let place = request.Out |> Option.defaultValue run.Place
            let files = write place (html run analyzed findings leftOut) findings
            tell run analyzed findings leftOut place files
            StandardOutput.finish ExitCode.Done

    /// Options of the script that would make its experiment another than that of the run.
    let private changing (request: Request) = [
        for name, _ in Overrides.settings request.Given do
            Refused
                $"--analyze takes the options of the run from its folder; leave --{name} out (--test-trials sets how many test trials are shown)"
    ]

    /// Analyzes the run that a request names, with the experiment of those of the script that it is a run of; the exit code.
    let run
        name
        (request: Request)
        (place: string, options)
        (experiments: LoadedRun -> Experiment list)
        =
        match changing request, AnalysisRequests.read options with
        | (_ :: _ as mistakes), _
        | [], Error mistakes -> Mistake.refuse name mistakes
        | [], Ok analysis ->
            try
                let run = Run.load place
                analyze analysis run (experiments run)
            with
            | Findings.NotPossible reason ->
                complain name reason
                ExitCode.Arguments
            | :? RunFileException as e ->
                complain name e.Message
                ExitCode.Arguments
            | :? ArgumentException as e ->
                complain name e.Message
                ExitCode.Arguments
            | :? OutOfMemoryException ->
                complain
                    name
                    "there is not enough memory for this analysis; give --test-trials a smaller number"

                ExitCode.EndedEarly
