/// `dotnet fsi build.fsx bench`: what a step takes, beside peers and beside what the machine can do at most.
module Rflo.Bench.Main

open System
open System.IO
open Rflo.Host
open Rflo.Bench.Options
open Rflo.Bench.Rows

/// Peers as they are found; one that is not here says why.
let private findPeers () : PeerSet =
    Map.ofList [ for name in Peers.names -> name, Peers.start name ]

let private versions (peers: PeerSet) =
    String.concat ", " [
        for name in Peers.names do
            match peers[name] with
            | Ok peer -> $"{name} {peer.Version}"
            | Error _ -> $"{name} is not here"
    ]

let private effort (asked: Asked) = {
    Pairs = asked.Pairs
    Seconds = if asked.IsQuick then 0.2 else 0.4
    PeerSeconds = if asked.IsQuick then 0.3 else 0.6
}

let private chosen (asked: Asked) =
    Targets.all
    |> List.filter (fun target ->
        if asked.Only.IsEmpty then
            not (asked.IsQuick && target.IsLong)
        else
            List.contains target.Name asked.Only)

let private rows bench (asked: Asked) =
    let targets = chosen asked

    if not targets.IsEmpty then
        printfn $"\n{Tables.consoleLine Tables.heads}"

    [
        for target in targets do
            for row in target.Measure bench do
                printfn $"{Tables.consoleLine (Tables.cells row)}"
                row
    ]

let private dense bench (asked: Asked) =
    if asked.Only.IsEmpty || List.contains roofline asked.Only then
        printfn $"\n{Tables.consoleLine Tables.rooflineHeads}"
        let reached = Targets.roofline bench (Targets.dense asked.IsQuick)

        for step in reached do
            printfn $"{Tables.consoleLine (Tables.rooflineCells step)}"

        reached
    else
        []

/// The dense step that reaches least, as a row of the table.
let private worst (reached: Roofline.Reached list) : Measured list =
    match reached with
    | [] -> []
    | _ ->
        let step = reached |> List.minBy _.Fraction

        [
            Ok {
                Work = $"slowest dense step: {Work.name step.Work}"
                Ours = step.Microseconds
                Beside = "its ceiling"
                Theirs = Some step.Bound.Microseconds
                Scale = Percent
                Value = Statistics.spread [| 100.0 * step.Fraction |]
                Target = Some(100.0 * Targets.denseFraction)
            }
        ]

/// The folder of the repository, above this program's.
let rec private rootAbove (folder: DirectoryInfo | null) =
    match folder with
    | null -> None
    | folder when File.Exists(Path.Combine(folder.FullName, "build.fsx")) -> Some folder.FullName
    | folder -> rootAbove folder.Parent

let private page (bench: Targets.Bench) load rows reached : Page.Findings =
    let seconds = 0.1

    // They take a while, so it is said where they are.
    let over what measure =
        printfn $"curves over {what}"
        measure ()

    {
        Versions = versions bench.Peers
        Load = load
        Pairs = bench.Effort.Pairs
        Ceilings = bench.Ceilings
        Rows = rows
        Roofline = reached
        Units = over "units" (fun () -> Curves.ofUnits seconds)
        Peers = over "units, of the peers" (fun () -> Curves.ofPeers seconds bench.Peers)
        Steps = over "steps of a trial" (fun () -> Curves.ofSteps seconds)
        Density = over "densities" (fun () -> Curves.ofDensity seconds)
        Threads =
            over "threads" (fun () ->
                Curves.ofThreads {
                    bench.Effort with
                        Pairs = 3
                        Seconds = seconds
                })
    }

let private write findings =
    match rootAbove (DirectoryInfo AppContext.BaseDirectory) with
    | None ->
        eprintfn "bench: no build.fsx lies above this program, so the documentation has no place"
        ExitCode.EndedEarly
    | Some root ->
        match Page.write root findings with
        | Ok() ->
            printfn "wrote docs/performance.md"
            ExitCode.Done
        | Error reason ->
            eprintfn $"bench: {reason}"
            ExitCode.EndedEarly

let private run (asked: Asked) =
    let load = Machine.load
    let peers = findPeers ()
    printfn $"{Machine.text}; {versions peers}"

    if load > 1.0 then
        printfn $"%.1f{load} programs want a core already: ratios of pairs hold better than times"

    try
        let bench: Targets.Bench = {
            Effort = effort asked
            Peers = peers
            Ceilings = Ceilings.measure (if asked.IsQuick then 0.05 else 0.2)
        }

        Tables.ceilings bench.Ceilings |> List.iter (printfn "%s")
        let measured = rows bench asked
        let reached = dense bench asked

        for row in worst reached do
            printfn $"\n{Tables.consoleLine (Tables.cells row)}"

        if asked.IsQuick || not asked.Only.IsEmpty then
            ExitCode.Done
        else
            write (page bench load (measured @ worst reached) reached)
    finally
        for found in peers.Values do
            Result.iter Peers.stop found

[<EntryPoint>]
let main arguments =
    match parse arguments with
    | Ok asked -> run asked
    | Error(Choice1Of2 help) ->
        printfn $"{help}"
        ExitCode.Done
    | Error(Choice2Of2 mistakes) -> Mistake.refuse "bench" mistakes
