namespace Rflo.Host

open System
open System.Diagnostics
open System.Threading
open Spectre.Console
open Rflo.Core

/// Progress of a run: a bar on a terminal, plain lines where output is redirected.
[<RequireQualifiedAccess>]
module internal Progress =

    let private plainEvery = TimeSpan.FromSeconds 2.0
    let private barEvery = TimeSpan.FromMilliseconds 100.0

    /// Numbers that the training thread writes after every trial and the display reads at intervals.
    type private State(trials: int) =
        let clock = Stopwatch.StartNew()
        let mutable doneTrials = 0
        let mutable lastLoss = nan
        // False before the first trial with a target; then `loss` is that of the last such trial.
        let mutable hasLoss = false
        // A resumed run does not begin with trial 0.
        let mutable before = -1
        let mutable note = ""

        member _.Trials = trials
        member _.Done = Volatile.Read &doneTrials

        member _.Hear(trial: int, loss: float) =
            if before < 0 then
                before <- trial

            if not (Double.IsNaN loss) then
                lastLoss <- loss
                Volatile.Write(&hasLoss, true)

            Volatile.Write(&doneTrials, trial + 1)

        /// The text after the loss.
        member _.Note(text: string) = Volatile.Write(&note, text)

        member this.Line =
            let seconds = clock.Elapsed.TotalSeconds
            let rate = float (this.Done - max 0 before) / seconds

            let left =
                match this.Done with
                | 0 -> "?"
                | count -> string (TimeSpan.FromSeconds(ceil (float (trials - count) / rate)))

            let speed = if rate >= 100.0 then $"%.0f{rate}" else $"%.1f{rate}"

            let loss =
                if Volatile.Read &hasLoss then
                    $"  loss %.4g{lastLoss}"
                else
                    ""

            if this.Done = 0 then
                $"0 of {trials} trials"
            else
                $"{this.Done} of {trials} trials{loss}{Volatile.Read &note}  {left} left  {speed} trials/s"

    let private timer (every: TimeSpan) (tell: unit -> unit) =
        new Timer((fun _ -> tell ()), null, every, every)

    let private plain (name: string) (line: unit -> string) work =
        let tell () =
            Console.Out.WriteLine $"{name}: {line ()}"

        let result =
            use _ = timer plainEvery tell
            work ()

        tell ()
        result

    /// The width of the bar, with the space around it; 0 on a narrow terminal.
    let private barWidth width =
        if width < 76 then 2 else min 40 (width - 58)

    let private columns width : ProgressColumn[] = [|
        if width >= 76 then
            ProgressBarColumn(Width = barWidth width - 4)

        TaskDescriptionColumn(Alignment = Justify.Left)
    |]

    let private bar (name: string) (share: unit -> float) (line: unit -> string) work =
        let width = AnsiConsole.Profile.Width

        AnsiConsole
            .Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(columns width)
            .Start(fun (context: ProgressContext) ->
                let task = context.AddTask(Markup.Escape name, maxValue = 1.0)

                let tell () =
                    task.Value <- share ()

                    task.Description <-
                        Markup.Escape(Terminal.fit (width - barWidth width) (line ()))

                use _ = timer barEvery tell
                work ())

    /// Does some work and displays its progress: the share that is done, and a line of text.
    let show quiet (name: string) share line (work: unit -> 'result) =
        if quiet then
            work ()
        elif Console.IsOutputRedirected || not AnsiConsole.Profile.Capabilities.Interactive then
            plain name line work
        else
            bar name share line work

    /// Writes the results of the newest validation of a session into the progress line.
    let validations (session: Session) (note: string -> unit) : unit -> unit =
        let series =
            session.Metrics.Probes
            |> Seq.filter (fun series ->
                series.Name.StartsWith("validation ", StringComparison.Ordinal))
            |> Array.ofSeq

        let mutable seen = 0

        fun () ->
            if series.Length > 0 && series[0].Count > seen then
                seen <- series[0].Count

                [
                    for one in series do
                        if not (Double.IsNaN one.Last) then
                            $"  {one.Name} %.4g{one.Last}"
                ]
                |> String.concat ""
                |> note

    /// Trains and displays the progress: the training reports every trial with its loss, and sometimes a note.
    let during
        quiet
        (name: string)
        (trials: int)
        (work: (int -> float -> unit) -> (string -> unit) -> 'result)
        =

        let state = State trials
        let share () = float state.Done / float trials

        show (quiet || trials = 0) name share (fun () -> state.Line) (fun () ->
            work (fun trial loss -> state.Hear(trial, loss)) state.Note)
