/// `dotnet fsi build.fsx bench`: each rule beside the notebook's loop in numpy, measured in turn in one run, as medians
/// and ratios. `--pairs K` takes K pairs (default 5).
module Rflo.Bench.Main

open System
open Rflo.Bench.Work

let private pairs (arguments: string[]) =
    match arguments |> Array.tryFindIndex ((=) "--pairs") with
    | Some at when at + 1 < arguments.Length ->
        match Int32.TryParse arguments[at + 1] with
        | true, count when count > 0 -> Ok count
        | _ -> Error $"--pairs takes a number of at least 1, not {arguments[at + 1]}"
    | Some _ -> Error "--pairs takes a number"
    | None -> Ok 5

let private line count work =
    let measured = [|
        for _ in 1..count ->
            let peer = Peers.numpy work
            peer, measure work
    |]

    let ours = measured |> Array.map snd |> median
    let peers = measured |> Array.choose (fst >> Result.toOption)

    if Array.isEmpty peers then
        let reason =
            match fst measured[0] with
            | Error reason -> reason
            | Ok _ -> ""

        printfn $"%-18s{name work} %9.2f{ours}   skipped: numpy did not run ({reason})"
    else
        let ratios =
            measured
            |> Array.choose (fun (peer, own) ->
                peer |> Result.toOption |> Option.map (fun peer -> peer / own))

        let ratio = median ratios

        let target =
            match work.Target with
            | None -> ""
            | Some target when ratio >= target -> $"%7.0f{target}  met"
            | Some target -> $"%7.0f{target}  not met"

        printfn
            $"%-18s{name work} %9.2f{ours} %9.1f{median peers} %8.1f{ratio} %7.1f{Array.min ratios} %7.1f{Array.max ratios} {target}"

[<EntryPoint>]
let main arguments =
    match pairs arguments with
    | Error message ->
        eprintfn $"bench: {message}"
        2
    | Ok count ->
        printfn $"N = 50, T = 100, double precision, one core; medians of {count} pairs"

        printfn
            "%-18s %9s %9s %8s %7s %7s %7s"
            "rule"
            "us/step"
            "numpy"
            "ratio"
            "min"
            "max"
            "target"

        List.iter (line count) small
        0
