namespace Rflo.Host

open System
open System.IO
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// Several experiments one after the other, each with its run folder, and a page that lays them side by side.
[<RequireQualifiedAccess>]
module Compare =

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

    /// Trains one experiment and writes its run folder below the place, under the label: the run, and whether all of it lies there.
    let train
        (interrupt: Interrupt)
        quiet
        place
        overrides
        script
        (label: string, ready: CheckedExperiment)
        =
        use folder = RunFolder.Create(Path.Combine(place, label))

        let trained =
            Progress.during quiet label ready.Experiment.Trials (fun onTrial ->
                Training.run
                    {
                        Guard = Guards.usual
                        Folder = folder
                        Arguments = []
                        Sources = Sources.ofScript script
                        Anew = false
                    }
                    onTrial
                    interrupt.Token
                    ready)

        let saved =
            RunRecord.ofFolder folder overrides trained
            |> Saving.save folder (Some ready.Experiment.Circuit) (Some Report.html)

        trained, snd saved

    /// The table, on the terminal.
    let show (runs: Trained list) =
        Terminal.table (Comparison.heads runs) (List.map (Comparison.row runs) runs)

    let private page title place (trained: (Trained * bool) list) =
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
        File.WriteAllText(report, Comparison.html title (note, List.isEmpty ended) runs)
        show runs
        (if List.isEmpty ended then stdout else stderr).WriteLine note
        printfn $"{report}"

        if List.isEmpty ended && List.forall snd trained then
            ExitCode.Done
        else
            ExitCode.EndedEarly

    let private labelled (experiments: Experiment list) =
        let names = experiments |> List.map (fun e -> e.Name)
        let isDistinct = List.length (List.distinct names) = names.Length

        experiments
        |> List.map (fun e -> (if isDistinct then e.Name else e.Rule.Name), e)

    let private start title (request: Request) script (experiments: Experiment list) =
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

            StandardOutput.finish ExitCode.Done
        else
            let place = request.Out |> Option.defaultWith (fun () -> nextFree title)

            try
                requireEmpty place
                use interrupt = new Interrupt()

                ready
                |> List.map (
                    train interrupt request.Quiet place (Overrides.settings request.Given) script
                )
                |> page title place
            with
            | :? RunFileException as e ->
                eprintfn $"{title}: {e.Message}"
                ExitCode.Arguments
            | :? IOException
            | :? UnauthorizedAccessException as e ->
                eprintfn $"{title}: {e.Message}"
                ExitCode.EndedEarly

    /// Runs experiments with these options, each of which applies to all of them; the exit code.
    let runWith title (script: string option) (arguments: string[]) (experiments: Experiment list) =
        StandardOutput.guard ()

        let program =
            match script with
            | Some path -> $"dotnet fsi {path}"
            | None -> "rflo"

        match Arguments.parse program arguments with
        | Ok(Arguments.Help text) ->
            printfn $"{text}"
            StandardOutput.finish ExitCode.Done
        | Error mistakes -> Mistake.refuse title mistakes
        | Ok(Arguments.Do { Resume = Some _ }) ->
            eprintfn
                $"{title}: --resume goes on with one run; a script that compares begins anew, in another folder"

            ExitCode.Arguments
        | Ok(Arguments.Do request) ->
            let changed = experiments |> List.map (fun e -> Overrides.onto e request.Given)

            let mistakes =
                changed
                |> List.collect (function
                    | Error mistakes -> mistakes
                    | Ok _ -> [])
                |> List.distinct

            if not (List.isEmpty mistakes) then
                Mistake.refuse title mistakes
            else
                let ready = List.choose Result.toOption changed

                match request.Graph with
                | Some file -> Graph.write title file (labelled ready)
                | None -> start title request script ready
