namespace Rflo.Host

open System
open System.Runtime.InteropServices
open System.Threading

/// Ctrl-C, and the signal by which a queue ends a job: the first one asks the run to stop after the trial in hand, the
/// second one kills.
type Interrupt() =
    let source = new CancellationTokenSource()

    let stop (signal: PosixSignalContext) =
        if not source.IsCancellationRequested then
            signal.Cancel <- true
            Console.Error.WriteLine "stopping after this trial; once more to kill"
            source.Cancel()

    let registrations = [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, stop)
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, stop)
    ]

    /// Cancelled by the first signal.
    member _.Token = source.Token

    interface IDisposable with
        member _.Dispose() =
            for registration in registrations do
                registration.Dispose()

            source.Dispose()
