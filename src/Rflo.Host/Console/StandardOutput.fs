namespace Rflo.Host

open System
open System.IO
open System.Text

/// Standard output and standard error may be closed, or on a full disk. The computation continues: lines that cannot be written are
/// left out, with one warning on standard error.
[<RequireQualifiedAccess>]
module internal StandardOutput =

    let private isOfSystem (e: exn) =
        e :? IOException
        || e :? ObjectDisposedException
        || e :? UnauthorizedAccessException
        || e :? NotSupportedException

    /// A writer that passes errors of the system to a function instead of throwing.
    type private Guarded(inner: TextWriter, onFailure: exn -> unit) =
        inherit TextWriter()

        let attempt work =
            try
                work ()
            with e when isOfSystem e ->
                onFailure e

        override _.Encoding = inner.Encoding
        override _.Write(value: char) = attempt (fun () -> inner.Write value)
        override _.Write(value: string | null) = attempt (fun () -> inner.Write value)

        override _.Write(buffer: char[], index: int, count: int) =
            attempt (fun () -> inner.Write(buffer, index, count))

        override _.WriteLine() = attempt inner.WriteLine

        override _.WriteLine(value: string | null) =
            attempt (fun () -> inner.WriteLine value)

        override _.Flush() = attempt inner.Flush

    let private gate = obj ()
    let mutable private failure: string option = None
    let mutable private guardedOut: TextWriter = TextWriter.Null
    let mutable private guardedError: TextWriter = TextWriter.Null

    let private failed (e: exn) =
        let isFirst =
            lock gate (fun () ->
                let isFirst = failure.IsNone
                failure <- Some e.Message
                isFirst)

        if isFirst then
            Console.Error.WriteLine
                $"standard output cannot be written ({e.Message.TrimEnd '.'}); lines of output are left out"

    /// A stream of the process as a writer; none where the system does not open it.
    let private opened onFailure (writer: unit -> TextWriter) =
        try
            writer ()
        with e ->
            onFailure e
            TextWriter.Null

    /// After this call a line that cannot be written does not end the process. Every command and script calls it; a second call has no
    /// effect.
    let guard () =
        lock gate (fun () ->
            let error = opened ignore (fun () -> Console.Error)

            if not (obj.ReferenceEquals(error, guardedError)) then
                Console.SetError(new Guarded(error, ignore))
                guardedError <- Console.Error

            let out = opened failed (fun () -> Console.Out)

            if not (obj.ReferenceEquals(out, guardedOut)) then
                Console.SetOut(new Guarded(out, failed))
                guardedOut <- Console.Out)

    /// The exit code of a command whose only result is its output.
    let finish code =
        if failure.IsSome && code = ExitCode.Done then
            ExitCode.EndedEarly
        else
            code
