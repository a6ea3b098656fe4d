namespace Rflo.Host

open System
open System.Diagnostics
open System.Runtime.ExceptionServices
open System.Threading
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// Trains an experiment into its run folder, with checkpoints on the way.
[<RequireQualifiedAccess>]
module internal Training =

    /// Writes checkpoints when they are due. The first one that cannot be written is reported; the run continues.
    type private Keeper(guard: Guard, checkpoints: Checkpoints, session: Session) =
        let sinceLast = Stopwatch.StartNew()
        let mutable last = session.TrialsDone
        let mutable told = false

        member _.Write() =
            try
                checkpoints.Write(session.TrialsDone, session.Capture())
                told <- false
            with :? RunFileException as e ->
                if not told then
                    Console.Error.WriteLine
                        $"{e.Message} The run continues without this checkpoint."

                    told <- true

            last <- session.TrialsDone
            sinceLast.Restart()

        member this.Hear(loss: float) =
            let isDue =
                match guard.EveryTrials with
                | Some trials when session.TrialsDone - last >= trials -> true
                | _ -> sinceLast.Elapsed >= guard.Every

            // A run that has just diverged keeps the checkpoint before.
            if isDue && (Double.IsFinite loss || session.Metrics.LastIsUnscored) then
                this.Write()

    /// The limits for reading a checkpoint: at least twice the size of the run's own state.
    let private limits (folder: RunFolder) (session: Session) =
        let usual = ReadLimits.Default

        if folder.Sessions.Count = 0 then
            usual
        else
            let own = session.Capture().Values |> Seq.sumBy (fun part -> int64 part.Length * 8L)
            ReadLimits(MaxTotalBytes = max usual.MaxTotalBytes (2L * own))

    /// Resumes from the newest usable checkpoint; returns the problems of the others. Without a usable one the run begins
    /// with its first trial if `anew` is true.
    let private takeUp place anew (checkpoints: Checkpoints) (session: Session) =
        let used, passedOver =
            checkpoints.TakeUp(fun checkpoint -> session.Restore checkpoint.State)

        match Option.ofObj used, List.ofSeq passedOver with
        | None, (_ :: _ as all) when not anew ->
            for wrong in all do
                Console.Error.WriteLine wrong

            raise (
                RunFileException(
                    place,
                    null,
                    "can continue from none of its checkpoints",
                    $"Resume it with the script and the options that began it, or begin it anew: --out {place} --force instead of --resume; a point of a sweep with --retry."
                )
            )
        | _, passedOver -> passedOver

    /// Copies the script. If that fails, the run continues, and a note records that the copy is missing.
    let private archive (folder: RunFolder) (sources: SourceFile list) =
        try
            folder.Archive(List.toArray sources), []
        with :? RunFileException as e ->
            Console.Error.WriteLine $"{e.Message} The run continues without a copy of its script."
            [||], [ $"{e.Message} The script was not copied." ]

    let private commitOf (sources: SourceFile list) =
        match sources with
        | script :: _ -> GitCommit.Find script.Path
        | [] -> null

    /// The settings with which a run begins.
    type Start = {
        Guard: Guard
        /// Runs at once, which share the cores.
        Jobs: int
        Folder: RunFolder
        /// The words of the command line.
        Arguments: string list
        /// The script and the files that it loads.
        Sources: SourceFile list
        /// Whether to begin with the first trial where no checkpoint can be used.
        Anew: bool
        /// Receives the text after the loss of the progress line.
        Note: string -> unit
    }

    /// Trains in a folder that was begun or resumed. The result includes the trials of all earlier processes.
    let run
        (start: Start)
        (onTrial: int -> float -> unit)
        (cancellation: CancellationToken)
        (ready: CheckedExperiment)
        : Trained =
        let guard, folder = start.Guard, start.Folder
        let started = DateTimeOffset.UtcNow
        // Copied first: during the run the script may change, or another commit may be checked out.
        let sources, uncopied = archive folder start.Sources
        let commit = commitOf start.Sources
        let clock = Stopwatch.StartNew()
        let running = Run.start ready
        let session = running.Session
        session.Threads <- Guards.threads start.Jobs guard

        let checkpoints =
            folder.Checkpoints(Fingerprint.ofRun running, limits folder session)

        let notes = takeUp folder.Place start.Anew checkpoints session

        for note in notes do
            Console.Error.WriteLine
                $"{note} It was skipped; the run continues after trial {session.TrialsDone}."

        folder.Begin(
            RunSession(
                started,
                session.TrialsDone,
                List.toArray start.Arguments,
                List.toArray (notes @ uncopied),
                sources,
                commit
            )
        )

        use limited = CancellationTokenSource.CreateLinkedTokenSource cancellation
        let keeper = Keeper(guard, checkpoints, session)

        // A run whose callback throws ends as failed. An exception here, such as of a full disk, is no failure of the
        // experiment: it is thrown to the caller, and the run can be resumed.
        let broken = ref None

        let tellValidations = Progress.validations session start.Note

        let hear trial loss =
            try
                onTrial trial loss
                tellValidations ()
                keeper.Hear loss

                match guard.MaxTime with
                | Some time when clock.Elapsed >= time -> limited.Cancel()
                | _ -> ()
            with e ->
                broken.Value <- Some(ExceptionDispatchInfo.Capture e)
                reraise ()

        let status = Run.go hear limited.Token running

        match broken.Value with
        | Some thrown -> thrown.Throw()
        | None -> ()

        // A run that diverged or failed keeps the checkpoint before.
        if status.End = RunEnd.Cancelled || (status.IsWell && guard.KeepsLast) then
            keeper.Write()

        folder.DropsCheckpoints <- status.IsWell && not guard.KeepsLast

        let trained = Run.finish running status

        for KeyValue(name, said) in trained.ProbeFailures do
            Console.Error.WriteLine $"probe {name} failed, first in {said}"

        trained
