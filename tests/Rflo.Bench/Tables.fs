/// The rows as words: for the console and for the documentation.
module Rflo.Bench.Tables

open Rflo.Bench.Ceilings
open Rflo.Bench.Rows
open Rflo.Bench.Work

/// A number with three digits that count.
let short (value: float) =
    if value >= 99.95 then $"{value:N0}"
    elif value >= 9.995 then $"%.1f{value}"
    else $"%.2f{value}"

let private unit scale =
    match scale with
    | Times -> " x"
    | Percent -> " %"
    | MillionUpdates -> " M/s"

/// Heads of the table of targets.
let heads = [
    "work"
    "us/step"
    "beside"
    "us/step"
    "ratio"
    "least .. most"
    "target"
    "met"
]

/// The cells of one row, under those heads.
let cells (measured: Measured) =
    match measured with
    | Error(work, reason) -> [ work; "-"; $"skipped: {reason}"; "-"; "-"; "-"; "-"; "-" ]
    | Ok row ->
        let unit = unit row.Scale

        [
            row.Work
            short row.Ours
            row.Beside
            row.Theirs |> Option.map short |> Option.defaultValue "-"
            short row.Value.Median + unit
            $"{short row.Value.Least} .. {short row.Value.Most}"
            row.Target
            |> Option.map (fun target -> $"{target}{unit}")
            |> Option.defaultValue "-"
            match isMet row with
            | Some true -> "yes"
            | Some false -> "no"
            | None -> "-"
        ]

let rooflineHeads = [
    "dense step"
    "multiply-adds"
    "bytes"
    "bound by"
    "bound, us"
    "us/step"
    "reached"
    "half of it"
]

/// A number of things with a prefix.
let scaled (value: float) =
    if value >= 1e9 then $"{short (value / 1e9)} G"
    elif value >= 1e6 then $"{short (value / 1e6)} M"
    elif value >= 1e3 then $"{short (value / 1e3)} k"
    else short value

let rooflineCells (reached: Roofline.Reached) = [
    name reached.Work
    scaled reached.Bound.MultiplyAdds
    scaled reached.Bound.Bytes
    if reached.Bound.IsArithmetic then
        "multiply-adds"
    else
        "bandwidth"
    short reached.Bound.Microseconds
    short reached.Microseconds
    $"%.0f{100.0 * reached.Fraction} %%"
    if reached.Fraction >= Targets.denseFraction then
        "yes"
    else
        "no"
]

/// What one core can do at most, line by line.
let ceilings (measured: Ceilings) =
    let a = measured.Arithmetic
    let giga value = $"%.1f{value / 1e9}"

    let wide = Option.map giga >> Option.defaultValue "no such registers"

    let at kib =
        let pick choose =
            giga (bytesASecond choose (1024.0 * kib) measured)

        $"{pick _.Read} read, {pick _.ReadWrite} read and written"

    [
        $"multiply-adds, double: {giga a.Double256} G/s in registers of 256 bits, {wide a.Double512} of 512"
        $"multiply-adds, single: {giga a.Single256} G/s in registers of 256 bits, {wide a.Single512} of 512"
        $"clock: {giga a.Clock} GHz, so %.1f{multiplyAdds false measured / a.Clock} double multiply-adds a cycle"
        $"GB/s from 16 KiB: {at 16.0}"
        $"GB/s from 512 KiB: {at 512.0}"
        $"GB/s from 8 MiB: {at 8192.0}"
        $"GB/s from 128 MiB: {at 131072.0}"
    ]

/// A table in Markdown.
let markdown heads rows =
    let line cells = "| " + String.concat " | " cells + " |"

    [
        line heads
        line (heads |> List.map (fun _ -> "---"))
        yield! List.map line rows
    ]

let private widths = [ 42; 9; 18; 9; 11; 17; 8; 4 ]

/// A line of the console's table.
let consoleLine (cells: string list) =
    List.map2
        (fun (cell: string) (width, isText) ->
            if isText then cell.PadRight width else cell.PadLeft width)
        cells
        (widths |> List.indexed |> List.map (fun (k, width) -> width, k = 0 || k = 2))
    |> String.concat " "
    |> _.TrimEnd()
