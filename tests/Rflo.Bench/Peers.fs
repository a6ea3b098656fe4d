/// Other people's ways of doing the same work, each a program of its own.
module Rflo.Bench.Peers

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Rflo.Dsl
open Rflo.Bench.Work

/// The Python of the system, whose numpy comes as a package with it.
let private python = "/usr/bin/python3"

/// Runs a peer on one core and gives its last line, or why there is none.
let private lastLine arguments =
    let info =
        ProcessStartInfo(python, RedirectStandardOutput = true, RedirectStandardError = true)

    List.iter info.ArgumentList.Add arguments
    info.Environment["OPENBLAS_NUM_THREADS"] <- "1"

    try
        use started = Process.Start info |> Unchecked.nonNull
        let errors = started.StandardError.ReadToEndAsync()
        let output = started.StandardOutput.ReadToEnd()
        started.WaitForExit()

        match output.Split('\n', StringSplitOptions.RemoveEmptyEntries) |> Array.tryLast with
        | Some line when started.ExitCode = 0 -> Ok line
        | _ ->
            Error(
                (errors.Result.Split '\n'
                 |> Array.filter ((<>) "")
                 |> Array.tryLast
                 |> Option.defaultValue "no output")
            )
    with :? ComponentModel.Win32Exception ->
        Error $"{python} is not here"

let private peerRule work =
    match work.Rule.Name, work.Update with
    | name, Online -> $"{name}-online"
    | name, _ -> name

/// Microseconds a step of the notebook's loop in numpy, or why it cannot be measured.
let numpy work =
    lastLine [
        Path.Combine(AppContext.BaseDirectory, "peer_numpy.py")
        peerRule work
        string work.Units
        string work.Steps
        string work.PeerTrials
    ]
    |> Result.map (fun line ->
        JsonDocument.Parse(line).RootElement.GetProperty("usPerStep").GetDouble())
