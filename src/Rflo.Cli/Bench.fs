namespace Rflo.Cli

open System
open System.Diagnostics
open System.Text.Json.Nodes
open System.Threading
open Argu
open Rflo.Dsl
open Rflo.Host

/// The options of `rflo bench`.
type internal BenchOption =
    | Units of count: string
    | Steps of count: string
    | Rule of name: string
    | Update of time: string
    | Trials of count: string
    | Precision of numbers: string
    | Lanes of trials: string
    | Threads of count: string
    | Json

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Units _ -> "units of the network; 50."
            | Steps _ -> "steps of a trial; 100."
            | Rule _ -> "learning rule; rflo."
            | Update _ -> "online, trial-end (the default) or every-K, the mean of K trials."
            | Trials _ -> "trials to measure, after a warm-up; 1000."
            | Precision _ -> "double (the default) or single."
            | Lanes _ -> "train so many trials side by side, with one update for all of them; 1."
            | Threads _ -> "use so many threads for the trials that run side by side; 1."
            | Json -> "print one line of JSON instead of a table."

/// Measures how fast the periodic task is trained.
[<RequireQualifiedAccess>]
module internal Bench =

    /// The measured numbers.
    type Measured = {
        /// Median over the trials.
        MicrosecondsPerStep: float
        /// On the training thread.
        BytesPerStep: float
        FinalLoss: float
    }

    let private warmUp = TimeSpan.FromSeconds 1.0

    /// Trains a separate session until the JIT has optimized the code.
    let private warm (compiled: Compiled) threads =
        let session = Run.session compiled
        session.Threads <- threads
        let clock = Stopwatch.StartNew()

        // Each call is another pass through the loop of trials, so that it is compiled too.
        while clock.Elapsed < warmUp do
            session.Run(session.Lanes.Count) |> ignore

    /// Warms up, trains a fresh session, measures.
    let measure threads (ready: CheckedExperiment) =
        let compiled = Compile.experiment ready
        warm compiled threads
        let session = Run.session compiled
        session.Threads <- threads
        let trials = ready.Experiment.Trials
        let mutable first, last, counted = 0L, 0L, 0

        // Allocations are counted from the first trial, or its group, to the last that was made: those of the run's metrics come before.
        let count trial (_: float) =
            last <- GC.GetAllocatedBytesForCurrentThread()
            counted <- trial + 1

            if trial = 0 then
                first <- last

        let status = session.Run(trials, Action<int, float>(count), CancellationToken.None)
        let seconds = session.Metrics.CopySeconds() |> Array.sort
        let steps = float compiled.Task.MaxSteps
        let losses = session.Metrics.CopyLosses()

        status,
        {
            MicrosecondsPerStep = 1e6 * seconds[seconds.Length / 2] / steps
            BytesPerStep =
                float (last - first) / (steps * float (max 1 (counted - session.Lanes.Count)))
            FinalLoss = FinalLoss.ofLosses losses
        }

    let private json (measured: Measured) =
        let number (value: float) : JsonNode | null =
            if Double.IsFinite value then
                JsonValue.Create value
            else
                null

        let line = JsonObject()
        line["usPerStep"] <- number measured.MicrosecondsPerStep
        line["allocatedBytesPerStep"] <- number measured.BytesPerStep
        line["finalLoss"] <- number measured.FinalLoss
        line.ToJsonString()

    let private sizes options =
        let atLeast low option text =
            match Overrides.whole text with
            | Some value when value >= low && value <= int64 Int32.MaxValue -> Ok(int value)
            | _ -> Error(BadValue(option, text, $"a whole number, at least {low}"))

        options
        |> List.choose (function
            | Units text -> Some(atLeast 1L "--units" text)
            | Steps text -> Some(atLeast 1L "--steps" text)
            | Trials text -> Some(atLeast 2L "--trials" text)
            | Threads text -> Some(atLeast 1L "--threads" text)
            | _ -> None)
        |> List.choose (function
            | Error mistake -> Some mistake
            | Ok _ -> None)

    let private lastOr otherwise chosen options =
        options
        |> List.choose chosen
        |> List.tryLast
        |> Option.map int
        |> Option.defaultValue otherwise

    /// A batch applies the mean of its trials: their sum would multiply the learning rate.
    let private ofMeans (experiment: Experiment) =
        match experiment.Rule.Update with
        | EveryTrials(count, Sum) -> experiment |> Experiment.batch count
        | _ -> experiment

    /// The experiment of the options, or all of their mistakes.
    let private experiment (options: BenchOption list) =
        match sizes options with
        | _ :: _ as mistakes -> Error mistakes
        | [] ->
            let units =
                options
                |> lastOr 50 (function
                    | Units text -> Some text
                    | _ -> None)

            let steps =
                options
                |> lastOr 100 (function
                    | Steps text -> Some text
                    | _ -> None)

            options
            |> List.choose (function
                | Rule name -> Some(ScriptOption.Rule name)
                | Update time -> Some(ScriptOption.Update time)
                | Trials count -> Some(ScriptOption.Trials count)
                | Precision numbers -> Some(ScriptOption.Precision numbers)
                | Lanes count -> Some(ScriptOption.Lanes count)
                | Units _
                | Steps _
                | Threads _
                | Json -> None)
            |> Overrides.onto (Periodic.experiment units steps)
            |> Result.map ofMeans

    let private table (experiment: Experiment) (measured: Measured) =
        let beside =
            if experiment.Lanes.AreSeveral then
                $", {experiment.Lanes.Count} side by side"
            else
                ""

        printfn
            $"{experiment.Rule.Name}, weights change {Describe.update experiment.Rule}, {experiment.Trials} trials{beside}"

        printfn $"  %.3f{measured.MicrosecondsPerStep} us a step and trial (median over trials)"
        printfn $"  %.3f{measured.BytesPerStep} bytes allocated a step"
        printfn $"  final loss %.6g{measured.FinalLoss} ({FinalLoss.meaning})"

    /// The command; its exit code.
    let run (arguments: string list) =
        Arguments.command<BenchOption> "rflo bench" arguments (fun options ->
            match experiment options with
            | Error mistakes -> Mistake.refuse "rflo bench" mistakes
            | Ok experiment ->
                match Check.experiment experiment with
                | Error problems ->
                    Problem.report "rflo bench" problems |> List.iter (eprintfn "%s")
                    ExitCode.Problems
                | Ok ready ->
                    let threads =
                        options
                        |> lastOr 1 (function
                            | Threads text -> Some text
                            | _ -> None)

                    let status, measured = measure threads ready

                    if List.contains Json options then
                        printfn $"{json measured}"
                    else
                        table experiment measured

                    if status.End = Rflo.Core.RunEnd.Completed then
                        ExitCode.Done
                    else
                        eprintfn $"rflo bench: {status}"
                        ExitCode.EndedEarly)
