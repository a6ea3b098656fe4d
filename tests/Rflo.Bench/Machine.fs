/// What the numbers were measured on.
module Rflo.Bench.Machine

open System
open System.IO
open System.Runtime.Intrinsics

let private lines file =
    if File.Exists file then File.ReadAllLines file else [||]

let private firstLine file =
    lines file |> Array.tryHead |> Option.defaultValue "?"

let processor =
    lines "/proc/cpuinfo"
    |> Array.tryFind (fun line -> line.StartsWith "model name")
    |> Option.map (fun line -> line[line.IndexOf ':' + 1 ..].Trim())
    |> Option.defaultValue "unknown processor"

/// A cache that holds data, as "L1 32K".
let private caches =
    let folder = "/sys/devices/system/cpu/cpu0/cache"

    if Directory.Exists folder then
        Directory.GetDirectories(folder, "index*")
        |> Array.sort
        |> Array.filter (fun index -> firstLine $"{index}/type" <> "Instruction")
        |> Array.map (fun index ->
            "L" + firstLine $"{index}/level" + " " + firstLine $"{index}/size")
    else
        [||]

let registers =
    if Vector512.IsHardwareAccelerated then 512
    elif Vector256.IsHardwareAccelerated then 256
    else 128

/// Programs that wanted a core over the last minute; what else runs makes times longer.
let load =
    match (firstLine "/proc/loadavg").Split ' ' with
    | [||] -> nan
    | words ->
        match Double.TryParse words[0] with
        | true, load -> load
        | _ -> nan

/// One line: processor, cores, caches, registers, runtime.
let text =
    let all = String.concat ", " caches

    $"{processor}, {Environment.ProcessorCount} cores, {all}, registers of {registers} bits, .NET {Environment.Version}"
