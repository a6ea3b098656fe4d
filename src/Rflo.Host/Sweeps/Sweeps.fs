namespace Rflo.Host

open System
open System.Runtime.CompilerServices
open System.Runtime.ExceptionServices
open System.Threading
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// How a sweep is run.
type internal SweepSettings = {
    /// The folder of the sweep.
    Place: string
    /// Points that run at once, each on a thread of its own.
    Jobs: int
    /// Begin points anew that failed, or whose files are damaged.
    Retry: bool
    /// Take points over from processes on other machines, which the user states have ended.
    TakeOver: bool
    /// Compute the measures of finished points anew, and not only those without a value.
    Remeasure: bool
    /// The k-th of n parts only, from 1; all of it where there is none.
    Part: (int * int) option
    /// Options of a command line, each of which applies to every point.
    Given: ScriptOption list
    /// The words of the command line.
    Words: string list
    /// Checkpoints, and the time after which the sweep ends, to be continued later.
    Guard: Guard
    /// No display.
    Quiet: bool
    /// Checked after every trial of every point.
    Cancellation: CancellationToken
}

/// How one point of a sweep has ended.
[<RequireQualifiedAccess>]
type Outcome = {
    /// Its place in the sweep, from 0.
    Index: int
    /// Its name: a hash of its experiment and its settings.
    Id: string
    Settings: (string * string) list
    /// The run folder, as `RunFolder.Open` reads it; there if it has ended.
    Place: string
    State: PointState
    /// Whether it was trained now, and not found.
    IsNew: bool
    /// The measures that were computed now: numbers, or why there is none.
    Measured: (string * Result<float, string>) list
}

/// Runs sweeps: many points at once, each into an ordinary run folder. Finished points are not run again, points that were
/// stopped or killed continue from their checkpoints, and the results do not depend on the order or the number of threads.
[<RequireQualifiedAccess>]
module internal Sweeps =

    /// A sweep into a folder: as many points at once as there are cores, a checkpoint every five minutes.
    let into place = {
        Place = place
        Jobs = Environment.ProcessorCount
        Retry = false
        TakeOver = false
        Remeasure = false
        Part = None
        Given = []
        Words = []
        Guard = Guards.usual
        Quiet = false
        Cancellation = CancellationToken.None
    }

    /// The points of a part, from the first to before the second. Parts differ by one point at most.
    let range count part =
        match part with
        | None -> 0, count
        | Some(k, n) ->
            let first part =
                int (int64 count * int64 part / int64 n)

            first (k - 1), first k

    /// A point with the options applied, and its name. Called by one thread at a time, since functions of a script need not be
    /// thread-safe.
    let private point (settings: SweepSettings) (sweep: Sweep) =
        let turn = obj ()
        let id = SweepPoints.idBy (SweepPoints.Readings())

        fun index ->
            let point = lock turn (fun () -> sweep.At index)

            match Overrides.onto point.Experiment settings.Given with
            | Ok experiment -> point.Settings, Ok experiment, id point.Settings experiment
            | Error mistakes ->
                let reason = mistakes |> List.map Mistake.text |> String.concat "; "
                point.Settings, Error reason, id point.Settings point.Experiment

    let rec private written (task: Task) =
        match task.Kind with
        | Custom own -> [ own ]
        | _ -> Task.parts task |> List.collect written

    /// A task written against the core may have state: points that share such a task run one after another. Locks of several tasks are
    /// taken in one order, so that no deadlock occurs.
    let private inTurn (experiment: Experiment) work =
        let rec holding tasks =
            match tasks with
            | [] -> work ()
            | first :: rest -> lock first (fun () -> holding rest)

        written experiment.Task |> List.sortBy RuntimeHelpers.GetHashCode |> holding

    let private failed reason = PointState(PointStage.Failed, reason)

    let private stateOf (status: RunStatus) =
        match status.End with
        | RunEnd.Completed
        | RunEnd.Stopped -> PointState PointStage.Finished
        | RunEnd.Cancelled -> PointState PointStage.Stopped
        | _ -> failed (string status)

    /// Trains a point that was begun.
    let private train
        (settings: SweepSettings)
        measures
        cancellation
        onShare
        place
        (folder: RunFolder)
        ready
        =
        let experiment = (ready: CheckedExperiment).Experiment

        let onTrial trial (_: float) =
            onShare (float (trial + 1) / float experiment.Trials)

        let trained =
            inTurn experiment (fun () ->
                Training.run
                    {
                        Guard = settings.Guard
                        Jobs = settings.Jobs
                        Folder = folder
                        Arguments = settings.Words
                        Sources = []
                        Anew = settings.Retry
                        Note = ignore
                    }
                    onTrial
                    cancellation
                    ready)

        let measured =
            if trained.Status.IsWell then
                SweepMeasures.ofTrained measures trained
            else
                []

        RunRecord.ofPoint
            place
            measured
            folder.Sessions[0].Started
            (Overrides.settings settings.Given)
            trained
        |> RunRecord.write folder
        |> ignore

        stateOf trained.Status, measured

    let private problems (experiment: Experiment) =
        match Check.experiment experiment with
        | Ok ready -> Ok ready
        | Error problems -> Error(problems |> List.map Problem.text |> String.concat "; ")

    /// Runs a point unless it has ended: returns its state, whether it ran, and what was measured. A fault in the files of one point does not keep the
    /// others from running.
    let private runPoint
        (settings: SweepSettings)
        measures
        cancellation
        (folder: SweepFolder)
        onShare
        (named, experiment, id)
        =
        let mutable state = PointState()

        let giveUp (reason: string) =
            folder.Fail(id, readOnlyDict named, reason)
            failed reason, true, []

        let train (begun: RunFolder) =
            try
                match Result.bind problems experiment with
                | Error reason -> giveUp reason
                | Ok ready ->
                    let state, measured =
                        train settings measures cancellation onShare named begun ready

                    folder.Forgive id
                    state, true, measured
            with
            // A full disk is no failure of the point: it runs again the next time.
            | :? RunFileException as e -> failed e.Message, true, []
            | e -> giveUp $"{e.GetType().Name}: {e.Message}"

        try
            use begun = folder.TryBegin(id, settings.Retry, settings.TakeOver, &state)

            match begun with
            | null ->
                state,
                false,
                (match experiment with
                 | Ok experiment when state.Stage = PointStage.Finished ->
                     SweepMeasures.ofFinished
                         settings.Remeasure
                         measures
                         experiment
                         (folder.PlaceOf id)
                 | _ -> [])
            | begun -> train begun
        with :? RunFileException as e ->
            PointState(PointStage.Damaged, e.Message), false, []

    /// Calls a function for every index from the first to before the last, on so many threads, until it is cancelled.
    let private onThreads
        jobs
        first
        last
        (cancellation: CancellationToken)
        (work: int -> int -> unit)
        =
        let next = [| first - 1 |]
        let troubles = System.Collections.Concurrent.ConcurrentQueue<exn>()

        let body job () =
            try
                let mutable index = Interlocked.Increment &next[0]

                while index < last && troubles.IsEmpty && not cancellation.IsCancellationRequested do
                    work job index
                    index <- Interlocked.Increment &next[0]
            with trouble ->
                troubles.Enqueue trouble

        let threads = [
            for job in 0 .. jobs - 1 ->
                Thread(body job, Name = $"points {job}", IsBackground = true)
        ]

        for thread in threads do
            thread.Start()

        for thread in threads do
            thread.Join()

        match troubles.TryDequeue() with
        | true, trouble -> ExceptionDispatchInfo.Throw trouble
        | _ -> ()

    let private describe (settings: SweepSettings) (sweep: Sweep) =
        SweepDescription(
            Name = sweep.Name,
            Points = sweep.Count,
            Axes = [| for name in sweep.Axes -> SweepAxis name |],
            Overrides = readOnlyDict (Overrides.settings settings.Given)
        )

    /// The names of the points from the first to before the last.
    let private ids (settings: SweepSettings) point first last =
        let ids = Array.zeroCreate<string>(last - first)

        onThreads settings.Jobs first last CancellationToken.None (fun _ index ->
            let _, _, id = point index
            ids[index - first] <- id)

        ids

    /// Makes the folder of a sweep and the list of its points, and runs none: the folder and their names, in order.
    let list (settings: SweepSettings) (sweep: Sweep) : SweepFolder * string[] =
        let folder = SweepFolder.Create(settings.Place, describe settings sweep)
        let ids = ids settings (point settings sweep) 0 sweep.Count
        folder.WritePoints ids
        folder, ids

    let private runAll (settings: SweepSettings) (sweep: Sweep) : Outcome list =
        let point = point settings sweep
        let first, last = range sweep.Count settings.Part
        let folder = SweepFolder.Create(settings.Place, describe settings sweep)
        let ids = ids settings point first last

        if settings.Part.IsNone then
            folder.WritePoints ids

        let states = Array.create (last - first) (PointState(), false, [])
        let reached = Array.create (last - first) false
        let progress = SweepProgress(last - first, settings.Jobs)
        use ending = CancellationTokenSource.CreateLinkedTokenSource settings.Cancellation
        Option.iter (fun (time: TimeSpan) -> ending.CancelAfter time) settings.Guard.MaxTime

        let settings = {
            settings with
                Guard = { settings.Guard with MaxTime = None }
        }

        Progress.show
            settings.Quiet
            sweep.Name
            (fun () -> progress.Share)
            (fun () -> progress.Line)
            (fun () ->
                onThreads settings.Jobs first last ending.Token (fun job index ->
                    let onShare share = progress.Hear(job, share)

                    let state, isNew, measured =
                        runPoint settings sweep.Measures ending.Token folder onShare (point index)

                    states[index - first] <- state, isNew, measured
                    reached[index - first] <- true
                    progress.Ended(job, isNew, state.Stage)))

        [
            for index in first .. last - 1 do
                let id = ids[index - first]
                let state, isNew, measured = states[index - first]

                {
                    Outcome.Index = index
                    Outcome.Id = id
                    Outcome.Settings = (sweep.At index).Settings
                    Outcome.Place = folder.PlaceOf id
                    Outcome.State = if reached[index - first] then state else folder.StateOf id
                    Outcome.IsNew = isNew
                    Outcome.Measured = measured
                }
        ]

    /// Runs the remaining points of a sweep: returns how each of its points has ended, in order, or the problems of the sweep
    /// itself. Raises a `RunFileException` where the folder cannot be written.
    let run (settings: SweepSettings) (sweep: Sweep) : Result<Outcome list, Problem list> =
        match Sweep.problems sweep with
        | [] -> Ok(runAll settings sweep)
        | problems -> Error problems
