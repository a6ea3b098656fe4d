/// Child processes of this very program as another user, or in another namespace of process numbers.
module Rflo.Runs.Tests.OtherUsers

open System
open System.Diagnostics
open System.IO
open System.Reflection
open Expecto

let private program = Assembly.GetExecutingAssembly().Location

let start (file: string) (arguments: string list) =
    let info =
        ProcessStartInfo(
            file,
            arguments,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    nonNull (Process.Start info)

/// Runs a program to its end: exit code, and all that it said.
let run file arguments =
    use child = start file arguments
    let errors = child.StandardError.ReadToEndAsync()
    let output = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    child.ExitCode, output + errors.Result

let private can file arguments =
    File.Exists file && fst (run file arguments) = 0

let private setpriv = "/usr/bin/setpriv"

let private asNobody = [ "--reuid=65534"; "--regid=65534"; "--clear-groups" ]

let private unshare = "/usr/bin/unshare"
let private inNamespace = [ "--pid"; "--fork"; "--mount-proc" ]

/// What this program does as another user; skips the test where it may not become one.
let asOther (words: string list) =
    if not (can setpriv (asNobody @ [ "dotnet"; program; "nothing" ])) then
        skiptest "this user may not start a process as another one, who can read this program"

    snd (run setpriv (asNobody @ [ "dotnet"; program ] @ words))

/// Starts this program in a namespace of its own; skips the test where that is not permitted.
let startElsewhere (words: string list) =
    if not (can unshare (inNamespace @ [ "true" ])) then
        skiptest "this user may not make a namespace of processes"

    start unshare (inNamespace @ [ "dotnet"; program ] @ words)

/// Mounts a small file system at a folder for the time of a test; skips it where that is not permitted.
let onSmallDisk (kilobytes: int) folder (body: unit -> unit) =
    let mount = "/usr/bin/mount"

    if
        not (
            can mount [
                "-t"
                "tmpfs"
                "-o"
                $"size={kilobytes}k"
                "tmpfs"
                folder
            ]
        )
    then
        skiptest "this user may not mount a file system"

    try
        body ()
    finally
        run "/usr/bin/umount" [ folder ] |> ignore

/// Changes what the system lets others do with a file or folder.
let mode (path: string) (mode: UnixFileMode) = File.SetUnixFileMode(path, mode)

let nothing = UnixFileMode.None

let everything =
    UnixFileMode.UserRead
    ||| UnixFileMode.UserWrite
    ||| UnixFileMode.UserExecute
    ||| UnixFileMode.GroupRead
    ||| UnixFileMode.GroupExecute
    ||| UnixFileMode.OtherRead
    ||| UnixFileMode.OtherExecute
    ||| UnixFileMode.OtherWrite

/// Makes a pipe, which nobody writes to; skips the test where there are none.
let pipe (path: string) =
    if not (can "/usr/bin/mkfifo" [ path ]) then
        skiptest "there is no mkfifo"
