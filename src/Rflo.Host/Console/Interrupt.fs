namespace Rflo.Host

open System
open System.Diagnostics
open System.Runtime.InteropServices
open System.Threading

/// SIGINT (Ctrl-C), SIGTERM and SIGHUP: after the first signal the run ends with the current trial, a second one kills the process. A
/// signal that was ignored when the process began stays ignored (a shell ignores Ctrl-C for background processes, nohup ignores
/// SIGHUP).
type internal Interrupt() =
    let source = new CancellationTokenSource()
    let sinceFirst = Stopwatch()

    /// Signals within this time count as one: one sent to a process group may arrive both directly and from a parent process.
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
