/// Other people's ways of doing the same work, each a program of its own that is asked on its standard input.
module Rflo.Bench.Peers

open System
open System.Diagnostics
open System.IO
open System.Runtime.Intrinsics
open System.Runtime.Intrinsics.X86
open System.Text.Json
open System.Text.Json.Nodes
open Rflo.Core
open Rflo.Dsl
open Rflo.Bench.Work

/// The Python of the system, whose numpy, torch and numba come as packages with it.
let private python = "/usr/bin/python3"

/// Numpy, torch, numba: what is measured beside us.
let names = [ "numpy"; "torch"; "numba" ]

/// A peer that is running.
type Peer = {
    Name: string
    Version: string
    Process: Process
}

/// A peer, or why it cannot be measured.
type Found = Result<Peer, string>

/// OpenBLAS takes kernels of 2004 for a processor that it does not know; these are the ones of the registers that ours uses.
let private kernels =
    if Vector512.IsHardwareAccelerated then Some "SKYLAKEX"
    elif Avx2.IsSupported then Some "HASWELL"
    else None

/// One thread, whatever library does the sums. PyTorch sets the number that a work has itself.
let private alone (info: ProcessStartInfo) =
    for variable in
        [
            "OPENBLAS_NUM_THREADS"
            "OMP_NUM_THREADS"
            "MKL_NUM_THREADS"
            "NUMBA_NUM_THREADS"
        ] do
        info.Environment[variable] <- "1"

    info.Environment.Remove "OPENBLAS_L2_SIZE" |> ignore

    kernels
    |> Option.iter (fun name -> info.Environment["OPENBLAS_CORETYPE"] <- name)

    info.Environment["PYTHONDONTWRITEBYTECODE"] <- "1"

/// The next line that a peer says; where there is none, the last line of its complaint.
let private answer (running: Process) : Result<JsonElement, string> =
    match running.StandardOutput.ReadLine() with
    | null ->
        running.StandardError.ReadToEnd().Split '\n'
        |> Array.filter ((<>) "")
        |> Array.tryLast
        |> Option.defaultValue "it ended without a word"
        |> Error
    | line ->
        try
            Ok(JsonDocument.Parse(line).RootElement)
        with :? JsonException ->
            Error $"it says {line}"

let start name : Found =
    let info =
        ProcessStartInfo(
            python,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    info.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, $"peer_{name}.py"))
    alone info

    try
        let started = Process.Start info |> Unchecked.nonNull

        answer started
        |> Result.map (fun hello -> {
            Name = name
            Version = string (hello.GetProperty "version")
            Process = started
        })
    with :? ComponentModel.Win32Exception ->
        Error $"{python} is not here"

let stop (peer: Peer) =
    peer.Process.StandardInput.Close()
    peer.Process.WaitForExit()
    peer.Process.Dispose()

let private ask (peer: Peer) (question: JsonObject) =
    peer.Process.StandardInput.WriteLine(question.ToJsonString())
    peer.Process.StandardInput.Flush()
    answer peer.Process

/// What a peer calls the rule of some work, if it has it.
let ruleOf peer (work: Work) =
    match peer, work.Rule.Name, work.Rule.Update with
    | "torch", "bptt", EveryTrials _ -> Some "bptt"
    | ("numpy" | "numba"), "rflo", Online -> Some "rflo-online"
    | ("numpy" | "numba"), "rflo", TrialEnd -> Some "rflo"
    | ("numpy" | "torch"), "bptt", TrialEnd -> Some "bptt"
    | "numpy", "rtrl", TrialEnd -> Some "rtrl"
    | _ -> None

/// Our initial weights, as doubles: recurrent, readout, feedback, and the targets of a trial.
let private numbersOf (running: Running) = [|
    running.Session.Weights(ProjectionId 0)
    running.Session.Weights(ProjectionId 1)
    running.Compiled.Graph.Feedbacks[0].Matrix |> Unchecked.nonNull
    targets running.Work
|]

let private write (file: string) arrays =
    use stream = File.Create file

    for values: float[] in arrays do
        stream.Write(Runtime.InteropServices.MemoryMarshal.AsBytes(ReadOnlySpan values))

/// Peers round as they like; more than this is other work.
let private tolerance work =
    if work.Precision = Precision.Single then 1e-3 else 1e-9

/// Trials whose losses are compared. Where one takes long, the same code was checked at a smaller size.
let private checkedTrials work =
    if work.Batch > 1 then 2
    elif work.Units <= 100 then 3
    elif work.Rule.Name = "rtrl" then 0
    else 1

/// Gives a peer our network before its first trial, to be trained by what it calls that rule. It trains some trials, whose
/// losses must be ours: nobody is compared on different work.
let loadAs (rule: string) (peer: Peer) (work: Work) : Result<unit, string> =
    let disagreement (theirs: float[]) (ours: float[]) =
        Array.map2 (fun a b -> abs (a - b) / abs b) theirs ours |> Array.fold max 0.0

    match Work.start work with
    | Error problem -> Error problem
    | Ok running ->
        let file = Path.GetTempFileName()

        try
            write file (numbersOf running)
            let question = JsonObject()
            question["rule"] <- JsonValue.Create rule
            question["units"] <- JsonValue.Create work.Units
            question["steps"] <- JsonValue.Create work.Steps
            question["rate"] <- JsonValue.Create(rate work)
            question["checked"] <- JsonValue.Create(checkedTrials work)
            question["batch"] <- JsonValue.Create work.Batch
            question["threads"] <- JsonValue.Create work.Threads
            question["single"] <- JsonValue.Create((work.Precision = Precision.Single))
            question["file"] <- JsonValue.Create file

            ask peer question
            |> Result.bind (fun answer ->
                let theirs = [|
                    for loss in answer.GetProperty("losses").EnumerateArray() -> loss.GetDouble()
                |]

                losses (theirs.Length * work.Batch) work
                |> Result.map (Array.chunkBySize work.Batch >> Array.map Array.head)
                |> Result.bind (fun ours ->
                    match disagreement theirs ours with
                    | far when far <= tolerance work -> Ok()
                    | far ->
                        Error
                            $"its losses are not ours (relative difference %.1e{far}), so it does other work"))
        finally
            File.Delete file

/// Gives a peer our network by its own rule of that name, where it has one.
let load (peer: Peer) (work: Work) =
    match ruleOf peer.Name work with
    | None -> Error $"{peer.Name} has no {ruleName work.Rule}"
    | Some rule -> loadAs rule peer work

/// Trains what was loaded for about so long: microseconds a step, the median over the trials.
let time (seconds: float) (peer: Peer) =
    let question = JsonObject()
    question["seconds"] <- JsonValue.Create seconds

    ask peer question
    |> Result.map (fun answer -> answer.GetProperty("usPerStep").GetDouble())
