namespace Rflo.Host

open System
open System.Diagnostics
open System.IO
open Rflo.Dsl
open Rflo.Runs

/// Sweeps for scripts: what they print, and the exit code.
[<RequireQualifiedAccess>]
module internal SweepHost =

    /// Failures that are listed one by one.
    [<Literal>]
    let private Listed = 20

    let private count (stage: PointStage) (outcomes: Outcome list) =
        outcomes
        |> List.filter (fun outcome -> outcome.State.Stage = stage)
        |> List.length

    /// The numbers of points by how they ended, such as "24 points: 22 finished, 2 failed".
    let summary (outcomes: Outcome list) =
        let parts = [
            for stage, word in
                [
                    PointStage.Finished, "finished"
                    PointStage.Failed, "failed"
                    PointStage.Damaged, "damaged"
                    PointStage.Stopped, "stopped"
                    PointStage.Running, "being written by another process"
                    PointStage.NotBegun, "not begun"
                ] do
                match count stage outcomes with
                | 0 -> ()
                | points -> $"{points} {word}"
        ]

        let all = String.concat ", " parts
        $"{outcomes.Length} points: {all}"

    let private isFailure (outcome: Outcome) =
        outcome.State.Stage = PointStage.Failed
        || outcome.State.Stage = PointStage.Damaged

    /// A line for each of the first failures and damages. Reasons were read from files, which may hold anything.
    let failures (outcomes: Outcome list) =
        let failed = outcomes |> List.filter isFailure

        [
            for outcome in List.truncate Listed failed do
                $"  {Sweep.label outcome.Settings} ({outcome.Id}): {Printable.Line outcome.State.Reason}"

            if failed.Length > Listed then
                $"  and {failed.Length - Listed} more"
        ]

    /// What was measured now: of each measure how many points have a value, and of those without, the first and why.
    let measured (outcomes: Outcome list) = [
        let all = outcomes |> List.collect _.Measured

        for name in all |> List.map fst |> List.distinct do
            let wrong = [
                for outcome in outcomes do
                    for other, result in outcome.Measured do
                        match result with
                        | Error reason when other = name -> outcome, reason
                        | _ -> ()
            ]

            let count = all |> List.filter (fst >> (=) name) |> List.length

            match wrong with
            | [] -> Ok $"measure {name}: {count} values"
            | (first, reason) :: _ ->
                Error
                    $"measure {name}: no value of {wrong.Length} of {count} points, first of {Sweep.label first.Settings} ({first.Id}): {reason}; the points are finished, and the same command measures these again"
    ]

    let private shown (path: string) =
        let relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path)

        if relative.StartsWith("..", System.StringComparison.Ordinal) then
            path
        else
            relative

    /// Notes on other contents of the sweep's folder.
    let private notes (settings: SweepSettings) =
        let folder = SweepFolder.Open settings.Place

        if settings.Part.IsSome then
            []
        else
            List.ofSeq (folder.Notes(folder.ReadPoints()))

    let private tell name (settings: SweepSettings) (seconds: float) (outcomes: Outcome list) =
        let trained = outcomes |> List.filter _.IsNew |> List.length
        printfn $"{name}: {summary outcomes} ({trained} run now, in %.4g{seconds} s)"

        for line in measured outcomes do
            match line with
            | Ok values -> printfn $"  {values}"
            | Error missing -> eprintfn $"{name}: {missing}"

        let failed = failures outcomes

        if not failed.IsEmpty then
            for line in failed do
                eprintfn $"{line}"

            eprintfn "--retry begins them anew; damaged folders are kept beside them"

        for note in notes settings do
            eprintfn $"{name}: {note}"

        printfn $"{shown settings.Place}"

        let isOver (outcome: Outcome) =
            outcome.State.Stage = PointStage.Finished
            || outcome.State.Stage = PointStage.Running

        if List.forall isOver outcomes then
            ExitCode.Done
        else
            if
                List.length (List.filter isFailure outcomes) <
                    outcomes.Length - List.length (List.filter isOver outcomes)
            then
                eprintfn "the same command continues"

            ExitCode.EndedEarly

    let private train name (settings: SweepSettings) (sweep: Sweep) =
        use interrupt = new Interrupt()
        let clock = Stopwatch.StartNew()

        match
            Sweeps.run
                {
                    settings with
                        Cancellation = interrupt.Token
                }
                sweep
        with
        | Ok outcomes -> tell name settings clock.Elapsed.TotalSeconds outcomes
        | Error problems ->
            Seq.iter (eprintfn "%s") (Problem.report name problems)
            ExitCode.Problems

    /// Checks every point, and trains nothing.
    let private check name (given: ScriptOption list) (sweep: Sweep) =
        let wrong =
            seq {
                for k in 0 .. sweep.Count - 1 do
                    let point = sweep.At k

                    match Overrides.onto point.Experiment given with
                    | Error _ -> ()
                    | Ok experiment ->
                        match Check.experiment experiment with
                        | Error problems ->
                            yield! Problem.report (Sweep.label point.Settings) problems
                        | Ok _ -> ()
            }
            |> List.ofSeq

        if wrong.IsEmpty then
            let axes = String.concat ", " sweep.Axes
            printfn $"{name}: {sweep.Count} points over {axes}; no problems"
            ExitCode.Done
        else
            Seq.iter (eprintfn "%s") wrong
            ExitCode.Problems

    /// The number of points that are checked for options against axes.
    [<Literal>]
    let private Looked = 2_000

    /// The options without which two points that differ in one axis only would differ, and with which they are one experiment.
    let private undone (given: ScriptOption list) (sweep: Sweep) =
        let points = [ for k in 0 .. min sweep.Count Looked - 1 -> sweep.At k ]

        let isElsewhereSame axis (one: Point) (other: Point) =
            let apart = List.filter (fst >> (<>) axis)
            one.Settings <> other.Settings && apart one.Settings = apart other.Settings

        let withOptions options (point: Point) =
            Overrides.onto point.Experiment options |> Result.toOption

        [
            for axis in sweep.Axes do
                match points |> List.tryFind (isElsewhereSame axis points.Head) with
                | Some other when points.Head.Experiment <> other.Experiment ->
                    for option in given do
                        let changed = withOptions [ option ]

                        if changed points.Head = changed other then
                            for name, _ in Overrides.settings [ option ] -> name, axis
                | _ -> ()
        ]

    /// An option that would undo the effect of an axis on its experiments.
    let private againstAxes (given: ScriptOption list) (sweep: Sweep) = [
        let byName = [
            for name, _ in Overrides.settings given do
                if List.contains name sweep.Axes then
                    name, name
        ]

        for name, axis in List.distinct (byName @ undone given sweep) do
            Refused
                $"--{name} would undo the axis {axis} of the sweep; change the axis in the script, or leave the option out"
    ]

    /// The experiment of the point of a sweep that a run is.
    let private pointOf (sweep: Sweep) (run: LoadedRun) =
        let settings = [
            for pair in run.Manifest.Settings -> pair.Key, pair.Value
        ]

        let found =
            seq { 0 .. sweep.Count - 1 }
            |> Seq.map sweep.At
            |> Seq.tryFind (fun point -> point.Settings = settings)

        match found with
        | Some point -> [ point.Experiment ]
        | None ->
            Findings.notPossible
                $"{run.Place} is no point of the sweep {sweep.Name}, which has none with {Sweep.label settings}; name the folder of one of its points"

    let private start (request: SweepRequest) script (sweep: Sweep) =
        let name = sweep.Name

        try
            match Sweep.problems sweep with
            | [] when request.Script.Analyze.IsSome ->
                Analyses.run name request.Script request.Script.Analyze.Value (pointOf sweep)
            | problem :: more ->
                Seq.iter (eprintfn "%s") (Problem.report name (problem :: more))
                ExitCode.Problems
            | [] ->
                let first = (sweep.At 0).Experiment

                // An option that no experiment can take is a mistake of the command line, not of thousands of points.
                let given = request.Script.Given

                match Overrides.onto first given, request.Script.Graph with
                | Error mistakes, _ -> Mistake.refuse name mistakes
                | _ when not (againstAxes given sweep).IsEmpty ->
                    Mistake.refuse name (againstAxes given sweep)
                | Ok experiment, Some graph -> CircuitFiles.write name graph [ name, experiment ]
                | Ok _, None when request.Script.CheckOnly -> check name given sweep
                | Ok _, None when request.DryRun -> SweepSlurm.dryRun request sweep
                | Ok _, None when request.Slurm.IsSome -> SweepSlurm.submit request script sweep
                | Ok _, None -> train name request.Settings sweep
        with :? RunFileException as e ->
            eprintfn $"{name}: {e.Message}"
            ExitCode.Arguments

    /// Runs a sweep with these options; the exit code.
    let runWith (script: string option) (arguments: string[]) (sweep: Sweep) =
        StandardOutput.guard ()

        let program =
            match script with
            | Some path -> $"dotnet fsi {path}"
            | None -> "rflo"

        HandOver.mark ()
        let place = Path.Combine("runs", sweep.Name.Replace('/', '-'))

        match SweepArguments.parse program place arguments with
        | Ok(SweepArguments.Help text) ->
            printfn $"{text}"
            StandardOutput.finish ExitCode.Done
        | Error mistakes -> Mistake.refuse sweep.Name mistakes
        | Ok(SweepArguments.Do request) -> start request script sweep
