namespace Rflo.Host

open System
open System.IO
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// Several experiments one after the other, each with its run folder, and a page that compares them.
[<RequireQualifiedAccess>]
module internal Compare =

    /// The next free runs/NAME-1, -2, ...
    let nextFree name =
        Seq.initInfinite (fun k -> Path.Combine("runs", $"{name}-{k + 1}"))
        |> Seq.find (fun place -> not (Path.Exists place))

    /// A place for several run folders must be empty.
    let requireEmpty place =
        if
            Directory.Exists place
            && Directory.EnumerateFileSystemEntries place |> Seq.isEmpty |> not
        then
            raise (
                RunFileException(
                    place,
                    null,
                    "is there already",
                    "Choose another name, or delete it."
                )
            )

    /// Trains one experiment and writes its run folder below the place, under the label: the run, and whether all files were written.
    let train
        (interrupt: Interrupt)
        quiet
        guard
        hasReport
        place
        overrides
        script
        (label: string, ready: CheckedExperiment)
        =
        use folder = RunFolder.Create(Path.Combine(place, label))

        let trained =
            Progress.during quiet label ready.Experiment.Trials (fun onTrial note ->
                Training.run
                    {
                        Guard = guard
                        Jobs = 1
                        Folder = folder
                        Arguments = []
                        Sources = Sources.ofScript script
                        Anew = false
                        Note = note
                    }
                    onTrial
                    interrupt.Token
                    ready)

        let saved =
            RunRecord.ofFolder folder overrides trained
            |> Saving.save
                folder
                (Some ready.Experiment.Circuit)
                (if hasReport then Some Report.html else None)

        trained, snd saved

    /// The table, on the terminal.
    let show (runs: Trained list) =
        Terminal.table
            (Comparison.heads runs)
            (List.map (Comparison.row runs) (Comparison.ranked runs))

        Terminal.sentence (Comparison.legendOf runs)

    let private page title hasReport place (trained: (Trained * bool) list) =
        let runs = List.map fst trained
        let ended = runs |> List.filter (fun trained -> not trained.Status.IsWell)

        let note =
            match ended with
            | [] -> $"{runs.Length} runs completed"
            | _ ->
                ended
                |> List.map (fun trained ->
                    $"{Comparison.label runs trained} {Advice.ofRun trained}")
                |> String.concat "; "

        let report = Path.Combine(place, RunFileNames.Report)

        if hasReport then
            File.WriteAllText(report, Comparison.html title (note, List.isEmpty ended) runs)

        show runs
        (if List.isEmpty ended then stdout else stderr).WriteLine note
        printfn $"{if hasReport then report else place}"

        if List.isEmpty ended && List.forall snd trained then
            ExitCode.Done
        else
            ExitCode.EndedEarly

    /// Labels are the names of run folders: two equal labels would share a folder.
    let private equalLabels (labels: string list) = [
        for label, same in List.groupBy id labels do
            if same.Length > 1 then
                Refused
                    $"{same.Length} experiments are called {label}, and each needs a run folder of its own; give each a name, such as {{ e with Name = \"{label}-2\" }} or experiment \"{label}-2\" ..."

            // Some file systems do not distinguish capital letters.
            for other, _ in List.countBy id labels do
                if
                    other <> label
                    && String.Compare(other, label, StringComparison.OrdinalIgnoreCase) = 0
                    && other > label
                then
                    Refused
                        $"the experiments {label} and {other} differ in capital letters only; name one of them otherwise"
    ]

    let private labelled (experiments: Experiment list) =
        let names = experiments |> List.map (fun e -> e.Name)
        let isDistinct = List.length (List.distinct names) = names.Length

        experiments
        |> List.map (fun e -> (if isDistinct then e.Name else e.Rule.Name).Replace('/', '-'), e)

    let private start title (request: Request) guard script (experiments: Experiment list) =
        let results =
            labelled experiments |> List.map (fun (label, e) -> label, Check.experiment e)

        let problems = [
            for label, result in results do
                match result with
                | Error problems -> yield! Problem.report label problems
                | Ok _ -> ()
        ]

        let ready = [
            for label, result in results do
                match result with
                | Ok ready -> label, ready
                | Error _ -> ()
        ]

        if not (List.isEmpty problems) then
            Seq.iter (eprintfn "%s") problems
            ExitCode.Problems
        elif request.CheckOnly then
            for _, each in ready do
                Seq.iter (printfn "%s") (Summary.lines each)

                if request.Plan then
                    Seq.iter (printfn "%s") (PlanText.lines each)

            StandardOutput.finish ExitCode.Done
        else
            let place = request.Out |> Option.defaultWith (fun () -> nextFree title)

            try
                requireEmpty place
                use interrupt = new Interrupt()

                ready
                |> List.map (
                    train
                        interrupt
                        request.Quiet
                        guard
                        request.Report
                        place
                        (Overrides.settings request.Given)
                        script
                )
                |> page title request.Report place
            with
            | :? RunFileException as e ->
                eprintfn $"{title}: {e.Message}"
                ExitCode.Arguments
            | :? IOException
            | :? UnauthorizedAccessException as e ->
                eprintfn $"{title}: {e.Message}"
                ExitCode.EndedEarly

    /// Options of one run, which do not apply where several are compared.
    let private notOfComparisons (request: Request) = [
        yield! HandOver.notASweep ()
        yield! Arguments.contradictions request

        if request.Resume.IsSome then
            Refused
                "--resume continues one run; a script that compares begins anew, in another folder"

        if request.Force then
            Refused
                "--force replaces one run folder; a comparison has several: delete its folder, or give another with --out"

        if not (Arguments.ofLongRuns request).IsEmpty then
            Refused
                "--checkpoint-every, --checkpoint-minutes and --max-minutes are for runs that --resume continues, and a comparison is none; leave them out, or sweep over the rules"
    ]

    /// Runs experiments with these options, each of which applies to all of them; the exit code.
    let runWith title (script: string option) (arguments: string[]) (experiments: Experiment list) =
        StandardOutput.guard ()

        let program =
            match script with
            | Some path -> $"dotnet fsi {path}"
            | None -> "rflo"

        HandOver.mark ()

        match Arguments.parse program arguments with
        | Ok(Arguments.Help text) ->
            printfn $"{text}"
            StandardOutput.finish ExitCode.Done
        | Error mistakes -> Mistake.refuse title mistakes
        | Ok(Arguments.Do request) when not (notOfComparisons request).IsEmpty ->
            Mistake.refuse title (notOfComparisons request)
        | Ok(Arguments.Do request) when request.Analyze.IsSome ->
            Analyses.run title request request.Analyze.Value (fun _ -> experiments)
        | Ok(Arguments.Do request) ->
            let changed = experiments |> List.map (fun e -> Overrides.onto e request.Given)

            let guard = Guards.ofRequest request

            let mistakes =
                [
                    for each in changed do
                        match each with
                        | Error mistakes -> yield! mistakes
                        | Ok _ -> ()

                    match guard with
                    | Error mistakes -> yield! mistakes
                    | Ok _ -> ()
                ]
                |> List.distinct

            if not (List.isEmpty mistakes) then
                Mistake.refuse title mistakes
            else
                let ready = List.choose Result.toOption changed

                match labelled ready |> List.map fst |> equalLabels, request.Graph with
                | _ :: _ as equal, _ -> Mistake.refuse title equal
                | [], Some graph -> CircuitFiles.write title graph (labelled ready)
                | [], None ->
                    start title request (Result.defaultValue Guards.usual guard) script ready
