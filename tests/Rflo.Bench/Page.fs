/// docs/performance.md: what was measured goes between two markers; what stands around them is written by hand.
module Rflo.Bench.Page

open System
open System.IO
open Rflo.Dsl
open Rflo.Bench.Curves
open Rflo.Bench.Tables

let private beginning = "<!-- measured: written by `dotnet fsi build.fsx bench` -->"
let private ending = "<!-- end of what was measured -->"

/// All that a full run measures.
type Findings = {
    Versions: string
    Load: float
    Pairs: int
    Ceilings: Ceilings.Ceilings
    Rows: Rows.Measured list
    Roofline: Roofline.Reached list
    Units: (Rule * Curve) list
    Peers: (string * Curve) list
    Steps: Curve list
    Density: Curve list
    Threads: Curve list
}

let private picture file what = $"![{what}](performance/{file})"

let private counts (reached: Roofline.Reached list) =
    reached
    |> List.map (fun step -> Work.ruleName step.Work.Rule, step.Dense.Count)
    |> List.distinct
    |> List.map (fun (rule, count) -> [ rule; count ])

let private growth (units: (Rule * Curve) list) =
    units
    |> List.map (fun (rule, curve) -> [
        curve.Name
        theory rule
        curve |> Curves.growth |> Option.map short |> Option.defaultValue "-"
    ])

let private body (found: Findings) = [
    beginning
    ""
    $"{Machine.text}; {found.Versions}."

    $"Medians of {found.Pairs} pairs; %.1f{found.Load} programs wanted a core when it began."
    ""
    "## Targets"
    ""
    yield! markdown heads (List.map cells found.Rows)
    ""
    "## Ceilings"
    ""
    yield! ceilings found.Ceilings |> List.map (fun line -> $"- {line}")
    ""
    picture "bandwidth.png" "Bytes a second over the size of what is gone through"
    ""
    "## Dense steps under their roofs"
    ""
    yield! markdown rooflineHeads (List.map rooflineCells found.Roofline)
    ""
    "Multiply-adds and bytes of a step, n units, b bytes a number, T steps a trial:"
    ""
    yield! markdown [ "rule"; "counted" ] (counts found.Roofline)
    ""
    picture "roofline.png" "Multiply-adds a second over multiply-adds a byte"
    ""
    "## Growth"
    ""
    picture "units.png" "Time of a step over the number of units, every rule"
    ""
    "Exponents of N from 100 units on; where caches are left behind a step grows faster than its operations:"
    ""
    yield! markdown [ "rule"; "theory"; "measured" ] (growth found.Units)
    ""
    for rule in compared do
        let name = Work.ruleName rule

        picture
            $"""peers-{name.Replace(' ', '-')}.png"""
            $"Time of a step of {name} over the number of units, beside the peers"

        ""
    picture "steps.png" "Time of a step over the length of a trial"
    ""
    picture "density.png" "Time of a step over the density of connections"
    ""
    picture "threads.png" "Two runs on two threads beside one"
    ""
    ending
]

/// The page with new numbers, or what is wrong with it.
let private replaced (text: string) (lines: string list) =
    let first, last = text.IndexOf beginning, text.IndexOf ending

    if first < 0 || last < first then
        Error
            $"docs/performance.md lacks the markers between which numbers belong: {beginning} and {ending}"
    else
        Ok(text[.. first - 1] + String.concat "\n" lines + text[last + ending.Length ..])

/// Writes the pictures and the page's numbers.
let write (root: string) (found: Findings) : Result<unit, string> =
    let file = Path.Combine(root, "docs", "performance.md")
    let folder = Path.Combine(root, "docs", "performance")

    if not (File.Exists file) then
        Error "docs/performance.md is not there"
    else
        replaced (File.ReadAllText file) (body found)
        |> Result.map (fun text ->
            Directory.CreateDirectory folder |> ignore
            let units = List.map snd found.Units
            Plots.units folder units
            Plots.peers folder units found.Peers
            Plots.bandwidth folder found.Ceilings
            Plots.roofline folder found.Ceilings found.Roofline
            Plots.steps folder found.Steps
            Plots.density folder found.Density
            Plots.threads folder found.Threads
            File.WriteAllText(file, text))
