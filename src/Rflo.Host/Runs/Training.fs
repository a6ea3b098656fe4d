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

    /// Writes checkpoints when they are due. One that cannot be written is told of once; the run goes on.
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
                    Console.Error.WriteLine $"{e.Message} The run goes on without this checkpoint."
                    told <- true

            last <- session.TrialsDone
            sinceLast.Restart()

        member this.Hear(loss: float) =
            let isDue =
                match guard.EveryTrials with
                | Some trials when session.TrialsDone - last >= trials -> true
                | _ -> sinceLast.Elapsed >= guard.Every

            // Of a run that has just diverged the last checkpoint is the one worth having.
            if isDue && (Double.IsFinite loss || session.Metrics.LastIsUnscored) then
                this.Write()

    /// A checkpoint may ask for as much memory as the run that it is of takes anyway.
    let private limits (folder: RunFolder) (session: Session) =
        let usual = ReadLimits.Default

        if folder.Sessions.Count = 0 then
            usual
        else
            let own = session.Capture().Values |> Seq.sumBy (fun part -> int64 part.Length * 8L)
            ReadLimits(MaxTotalBytes = max usual.MaxTotalBytes (2L * own))

    /// Goes on from the newest usable checkpoint; what is wrong with the others. Where there is none that can be used, the run begins
    /// with its first trial if that is wanted.
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
                    "can go on from none of its checkpoints",
                    $"Resume it with the script and the options that began it, or begin it anew: --out {place} --force instead of --resume; a point of a sweep with --retry."
                )
            )
        | _, passedOver -> passedOver

    /// Copies what is about to run. A copy that fails is no reason not to run; a note says that it is missing.
    let private archive (folder: RunFolder) (sources: SourceFile list) =
        try
            folder.Archive(List.toArray sources), []
        with :? RunFileException as e ->
            Console.Error.WriteLine $"{e.Message} The run goes on without a copy of its script."
            [||], [ $"{e.Message} The script was not copied." ]

    let private commitOf (sources: SourceFile list) =
        match sources with
        | script :: _ -> GitCommit.Find script.Path
        | [] -> null

    /// What a run begins with.
    type Start = {
        Guard: Guard
        /// Runs at once, which share the cores.
        Jobs: int
        Folder: RunFolder
        /// The words of the command line.
        Arguments: string list
        /// The script and what it loads.
        Sources: SourceFile list
        /// Begin with the first trial where no checkpoint can be used.
        Anew: bool
        /// Takes what is to be shown beside the loss.
        Note: string -> unit
    }

    /// Trains in a folder that was begun or taken up. Everything that went before, whatever process did it, is in the result.
    let run
        (start: Start)
        (onTrial: int -> float -> unit)
        (cancellation: CancellationToken)
        (ready: CheckedExperiment)
        : Trained =
        let guard, folder = start.Guard, start.Folder
        let started = DateTimeOffset.UtcNow
        // The script may change while it runs, and another commit be checked out.
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
                $"{note} It was passed over; the run goes on after trial {session.TrialsDone}."

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

        // A run whose callback throws ends as failed. What goes wrong here, such as a full disk, is no failure of the
        // experiment: it goes on to whoever began the run, which can be resumed.
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

        // What diverged or failed is left at the checkpoint before.
        if status.End = RunEnd.Cancelled || (status.IsWell && guard.KeepsLast) then
            keeper.Write()

        folder.DropsCheckpoints <- status.IsWell && not guard.KeepsLast

        let trained = Run.finish running status

        for KeyValue(name, said) in trained.ProbeFailures do
            Console.Error.WriteLine $"probe {name} failed, first in {said}"

        trained
