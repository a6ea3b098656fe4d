namespace Rflo.Host

open System
open System.Diagnostics
open System.Runtime.InteropServices
open System.Threading

/// Ctrl-C, the signal by which a queue ends a job, and the one of a terminal that is closed: after the first one the run stops with the
/// trial in hand, the second one kills. One that was ignored when the process began (a shell does that to Ctrl-C for what it starts in
/// the background, nohup to a closed terminal) stays ignored.
type internal Interrupt() =
    let source = new CancellationTokenSource()
    let sinceFirst = Stopwatch()

    /// A signal that goes to a whole group of processes may come from the group and from a process between.
    let atOnce = TimeSpan.FromSeconds 0.5

    let stop (signal: PosixSignalContext) =
        if source.IsCancellationRequested then
            signal.Cancel <- sinceFirst.Elapsed < atOnce
        else
            signal.Cancel <- true
            sinceFirst.Start()
            Console.Error.WriteLine "stopping after this trial; once more to kill"
            source.Cancel()

    let registrations = [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, stop)
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, stop)
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, stop)
    ]

    /// Cancelled by the first signal.
    member _.Token = source.Token

    interface IDisposable with
        member _.Dispose() =
            for registration in registrations do
                registration.Dispose()

            source.Dispose()
