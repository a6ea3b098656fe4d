namespace Rflo.Host

open System
open System.IO
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// Runs experiments for scripts: reads the command line, trains, displays progress, writes the run folder.
[<RequireQualifiedAccess>]
module Host =

    let private complain (lines: string seq) = Seq.iter (eprintfn "%s") lines

    /// A path relative to the current folder, where it is below it.
    let private shown (path: string) =
        let relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path)

        if relative.StartsWith("..", System.StringComparison.Ordinal) then
            path
        else
            relative

    let private openFolder (request: Request) (experiment: Experiment) =
        match request.Resume, request.Out with
        | Some place, _ -> RunFolder.Resume(place, request.Force)
        | None, Some place -> RunFolder.Create(place, request.Force)
        | None, None -> RunFolder.NextFree("runs", experiment.Name.Replace('/', '-'))

    let private number (value: float) = $"%.4g{value}"

    let private tell (trained: Trained) (place: string) (request: Request) =
        let name = trained.Experiment.Name
        let seconds = Array.sum trained.Seconds

        let losses =
            match Losses.firstAndFinal trained with
            | Some text -> $", {text}"
            | None -> ""

        let speed =
            match Speed.microseconds trained.Seconds trained.Steps with
            | Some time -> $" ({number time} us a step, {Speed.meaning})"
            | None -> ""

        let time = if seconds > 0.0 then $", in {number seconds} s" else ""

        let validated =
            [
                for name in Comparison.validations [ trained ] do
                    $", {name} {number (Array.last trained.Probes[name].Values)}"
            ]
            |> String.concat ""

        printfn $"{name}: {trained.Status}{losses}{validated}{time}{speed}"

        let file =
            if request.Report then
                RunFileNames.Report
            else
                RunFileNames.Manifest

        printfn $"{shown (Path.Combine(place, file))}"

    /// The command that continues a stopped run.
    let private toGoOn script (place: string) =
        let command =
            match script with
            | Some path -> $"dotnet fsi {path}"
            | None -> "the same program"

        $"continue with {command} --resume {shown place}"

    let private trainInto
        after
        (request: Request)
        guard
        script
        (folder: RunFolder)
        (ready: CheckedExperiment)
        =
        let experiment = ready.Experiment
        use interrupt = new Interrupt()

        let trained =
            Progress.during request.Quiet experiment.Name experiment.Trials (fun onTrial note ->
                Training.run
                    {
                        Guard = guard
                        Jobs = 1
                        Folder = folder
                        Arguments = request.Words
                        Sources = Sources.ofScript script
                        Anew = false
                        Note = note
                    }
                    onTrial
                    interrupt.Token
                    ready)

        let report = if request.Report then Some Report.html else None

        let saved =
            RunRecord.ofFolder folder (Overrides.settings request.Given) trained
            |> Saving.save folder (Some experiment.Circuit) report

        match saved with
        | None, _ -> ExitCode.EndedEarly
        | Some place, isWhole ->
            tell trained place request
            after trained

            match trained.Status.End with
            | RunEnd.Completed
            | RunEnd.Stopped -> if isWhole then ExitCode.Done else ExitCode.EndedEarly
            | RunEnd.Failed
            | RunEnd.Diverged ->
                complain [ $"{experiment.Name}: {Advice.ofRun trained}" ]

                ExitCode.EndedEarly
            | _ ->
                complain [
                    $"{experiment.Name}: {trained.Status}; {toGoOn script place}"
                ]

                ExitCode.EndedEarly

    /// A request to resume, with the options of all earlier requests; later values replace earlier ones.
    let private sinceItsBegin (request: Request) (folder: RunFolder) =
        let following (earlier: Request) (later: Request) = {
            later with
                Given = earlier.Given @ later.Given
                CheckpointEvery = Option.orElse earlier.CheckpointEvery later.CheckpointEvery
                CheckpointMinutes = Option.orElse earlier.CheckpointMinutes later.CheckpointMinutes
                Threads = Option.orElse earlier.Threads later.Threads
        }

        let earlier =
            List.ofSeq folder.Sessions
            |> List.choose (fun session ->
                match Arguments.parse "" (Array.ofSeq session.Arguments) with
                | Ok(Arguments.Do earlier) -> Some earlier
                | _ -> None)

        List.reduce following (earlier @ [ request ])

    let private start after (request: Request) script (experiment: Experiment) =
        let checkedWith given =
            match Overrides.onto experiment given with
            | Error mistakes -> Error(Mistake.refuse experiment.Name mistakes)
            | Ok experiment ->
                match Check.experiment experiment with
                | Ok ready -> Ok ready
                | Error problems ->
                    complain (Problem.report experiment.Name problems)
                    Error ExitCode.Problems

        let either =
            function
            | Ok code
            | Error code -> code

        let guarded (request: Request) work =
            match Guards.ofRequest request with
            | Error mistakes -> Mistake.refuse experiment.Name mistakes
            | Ok guard -> work guard

        let draw graph =
            match Overrides.onto experiment request.Given with
            | Error mistakes -> Mistake.refuse experiment.Name mistakes
            | Ok experiment ->
                CircuitFiles.write experiment.Name graph [ experiment.Name, experiment ]

        let goOn () =
            use folder = openFolder request experiment
            let request = sinceItsBegin request folder

            guarded request (fun guard ->
                checkedWith request.Given
                |> Result.map (trainInto after request guard script folder)
                |> either)

        // Problems of the model come before those of the folder.
        let begin' () =
            guarded request (fun guard ->
                checkedWith request.Given
                |> Result.map (fun ready ->
                    use folder = openFolder request ready.Experiment
                    trainInto after request guard script folder ready)
                |> either)

        try
            match request.Graph, request.Resume with
            | None, _ when request.Analyze.IsSome ->
                Analyses.run experiment.Name request request.Analyze.Value (fun _ -> [ experiment ])
            | Some graph, _ -> draw graph
            | None, _ when request.CheckOnly ->
                checkedWith request.Given
                |> Result.map (fun ready ->
                    Seq.iter (printfn "%s") (Summary.lines ready)

                    if request.Plan then
                        Seq.iter (printfn "%s") (PlanText.lines ready)

                    StandardOutput.finish ExitCode.Done)
                |> either
            | None, Some _ -> goOn ()
            | None, None -> begin' ()
        with :? RunFileException as e ->
            complain [ $"{experiment.Name}: {e.Message}" ]
            ExitCode.Arguments

    let mutable private isHandedOver = false
    let mutable private isWatched = false

    /// Options of run folders, which do not apply to `Host.train`.
    let private ofFolders (request: Request) = [
        if request.Out.IsSome then
            "--out"

        if request.Force then
            "--force"

        if request.Resume.IsSome then
            "--resume"

        yield! Arguments.ofLongRuns request

        if request.CheckOnly then
            "--check"

        if request.Graph.IsSome then
            "--graph"

        if request.Analyze.IsSome then
            "--analyze"
    ]

    /// Reports at the end of a script options of run folders that took no effect, since the script calls only `Host.train`.
    let private watchStages (script: string option) (request: Request) =
        match script, ofFolders request with
        | Some script, (_ :: _ as options) when not isWatched ->
            isWatched <- true

            AppDomain.CurrentDomain.ProcessExit.Add(fun _ ->
                if not isHandedOver && Environment.ExitCode = ExitCode.Done then
                    let all = String.concat ", " options

                    eprintfn
                        $"{script}: {all} did nothing: Host.train leaves no run folder and draws nothing; end the script with |> Host.run, or leave the options out"

                    Environment.ExitCode <- ExitCode.Arguments)
        | _ -> ()

    let private program script =
        match script with
        | Some path -> $"dotnet fsi {path}"
        | None -> "rflo"

    let private runFrom
        after
        (script: string option)
        (arguments: string[])
        (experiment: Experiment)
        =
        StandardOutput.guard ()
        HandOver.mark ()
        isHandedOver <- true

        match HandOver.notASweep (), Arguments.parse (program script) arguments with
        | _, Ok(Arguments.Help text) ->
            printfn $"{text}"
            StandardOutput.finish ExitCode.Done
        | (_ :: _ as mistakes), _
        | [], Error mistakes -> Mistake.refuse experiment.Name mistakes
        | [], Ok(Arguments.Do request) ->
            match Arguments.contradictions request with
            | [] -> start after request script experiment
            | mistakes -> Mistake.refuse experiment.Name mistakes

    /// Whether the script is compiled for its declarations only, as in tests of a model, so that nothing runs.
    let private isDeclaring =
        match AppContext.TryGetSwitch "Rflo.Host.DeclareOnly" with
        | true, isOn -> isOn
        | _ -> false

    let private handed = ResizeArray<Experiment>()

    /// The experiments that a script passed to `Host.run` and the like, in their order, where the program that compiles the
    /// script has the switch `Rflo.Host.DeclareOnly` (a `RuntimeHostConfigurationOption` of its project): then nothing runs. A
    /// sweep is represented by its first point.
    let declared () : Experiment list = List.ofSeq handed

    let private unlessDeclaring experiments action =
        if isDeclaring then
            handed.AddRange(experiments: Experiment list)
        else
            action ()

    /// The end of a script: does its work under the options behind its name. Without success the script ends with the exit code;
    /// an interactive session continues.
    let private atEnd experiments (work: string option -> string[] -> int) =
        unlessDeclaring experiments (fun () ->
            let script, arguments = Arguments.ofScript ()
            let code = work script (Array.ofList arguments)

            if script.IsSome && code <> ExitCode.Done then
                exit code)

    /// Runs an experiment with these options and returns the exit code: for programs that read their own command line.
    let runWith (arguments: string[]) (experiment: Experiment) =
        runFrom ignore None arguments experiment

    /// As `Host.run`, and then calls a function with the results: `experiment ... |> Host.runThen (fun trained -> ...)`.
    let runThen after (experiment: Experiment) =
        atEnd [ experiment ] (fun script arguments -> runFrom after script arguments experiment)

    /// The last line of a script: `experiment "reach" circuit task |> Host.run`. Reads the options after the script's
    /// name; without success the script ends with the exit code. An interactive session continues.
    let run (experiment: Experiment) = runThen ignore experiment

    /// A stage before the last: `let syllables = experiment ... |> Host.train` trains it with the options after the
    /// script's name, writes no run folder, and returns the results, such as `syllables.Final` for
    /// `Circuit.withWeights`. The script ends if it cannot be trained to its end; where nothing is to be trained (--check,
    /// --graph), it is not.
    let train (experiment: Experiment) : Trained =
        if isDeclaring then
            invalidOp
                "Host.train has a result, and nothing runs in a program with the switch Rflo.Host.DeclareOnly; use Host.trainThen in the script"

        StandardOutput.guard ()
        let script, arguments = Arguments.ofScript ()
        HandOver.mark ()

        match Arguments.parse (program script) (Array.ofList arguments) with
        | Ok(Arguments.Help text) ->
            printfn $"{text}"
            exit ExitCode.Done
        | Error mistakes -> exit (Mistake.refuse experiment.Name mistakes)
        | Ok(Arguments.Do request) when not (Arguments.contradictions request).IsEmpty ->
            exit (Mistake.refuse experiment.Name (Arguments.contradictions request))
        | Ok(Arguments.Do request) ->
            watchStages script request
            let isRun = not request.CheckOnly && request.Graph.IsNone

            // A stage before a run that is analyzed is trained as it was for that run.
            let given =
                match request.Analyze with
                | None -> request.Given
                | Some(place, _) ->
                    try
                        Analyses.given place
                    with :? RunFileException as e ->
                        complain [ $"{experiment.Name}: {e.Message}" ]
                        exit ExitCode.Arguments

            match Overrides.onto experiment given, Guards.ofRequest request with
            | Error mistakes, _
            | _, Error mistakes -> exit (Mistake.refuse experiment.Name mistakes)
            | Ok changed, Ok guard ->
                let planned = {
                    changed with
                        Trials = if isRun then changed.Trials else 0
                }

                match Check.experiment planned with
                | Error problems ->
                    complain (Problem.report experiment.Name problems)
                    exit ExitCode.Problems
                | Ok ready ->
                    use interrupt = new Interrupt()
                    let running = Run.start ready
                    running.Session.Threads <- Guards.threads 1 guard

                    let trained =
                        Progress.during
                            request.Quiet
                            experiment.Name
                            planned.Trials
                            (fun onTrial note ->
                                let tellValidations = Progress.validations running.Session note

                                let hear trial loss =
                                    onTrial trial loss
                                    tellValidations ()

                                Run.go hear interrupt.Token running |> Run.finish running)

                    if not trained.Status.IsWell then
                        complain [ $"{experiment.Name}: {Advice.ofRun trained}" ]
                        exit ExitCode.EndedEarly

                    trained

    /// A stage before the last, in a script that tests compile too: `experiment ... |> Host.trainThen (fun stage -> ... |> Host.run)`.
    let trainThen (next: Trained -> unit) (experiment: Experiment) =
        unlessDeclaring [ experiment ] (fun () -> next (train experiment))

    /// The last line of a script that compares: `[ e1; e2 ] |> Host.compare "dale"`. Each experiment gets its run folder
    /// below the next free runs/dale-1, -2, ..., and one page compares them. Options apply to all of them.
    let compare title (experiments: Experiment list) =
        atEnd experiments (fun script arguments ->
            isHandedOver <- true
            Compare.runWith title script arguments experiments)

    /// The last line of a script that sweeps: `experiment ... |> Sweep.ofExperiment |> Sweep.over "seed" [ 1..9 ] seed |> Host.sweep`.
    /// Every point gets its run folder below runs/NAME; the same command again runs the points that are left. Options apply to
    /// all of them.
    let sweep (sweep: Sweep) =
        atEnd
            [
                if sweep.Count > 0 then
                    (sweep.At 0).Experiment
            ]
            (fun script arguments ->
                isHandedOver <- true
                SweepHost.runWith script arguments sweep)

    /// `Host.sweepInto "runs/rates" 4 sweep` is a sweep from a program of your own: so many points at once, each into its run folder below
    /// that folder; points that are there are not run again. Returns how each point has ended, in their order, or the problems of the
    /// sweep itself. Raises a `RunFileException` where the folder cannot be written.
    let sweepInto (place: string) (jobs: int) (sweep: Sweep) : Result<Outcome list, Problem list> =
        Sweeps.run { Sweeps.into place with Jobs = jobs } sweep
