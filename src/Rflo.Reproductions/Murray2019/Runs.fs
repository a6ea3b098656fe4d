namespace Rflo.Reproductions.Murray2019

open System
open MathNet.Numerics.LinearAlgebra
open MathNet.Numerics.Statistics
open Rflo.Core
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs

/// One run of a condition, from its run folder.
type internal PaperRun = {
    Seed: int
    Experiment: Experiment
    Status: RunEnd
    Losses: float[]
    /// Alignment of readout and feedback after every trial; empty where it cannot be.
    Alignment: float[]
    Seconds: float
    /// Weights after the last trial, by the names of projections.
    Final: Lazy<Map<string, Matrix<float>>>
}

/// The part of the paper that a condition reproduces.
type internal PaperOrigin =
    /// A simulation of tests/data/murray-2019.csv; where it departs from the row, the parameter's name and why.
    | Simulation of name: string * departs: (string * string) list
    /// A condition that is not in the paper.
    | Beyond

/// Some experiment of a figure, to be run with several seeds. One that begins where another ended names it.
type internal Condition = {
    /// Its name; figures that share a condition share its runs.
    Key: string
    Origin: PaperOrigin
    /// Its seeds, from how many runs a condition of the paper's size has.
    Seeds: int -> int list
    /// The condition that must be run before, with the same seed.
    After: string option
    /// The experiment, from the run before it.
    Make: PaperRun option -> Experiment
}

/// Conditions.
[<RequireQualifiedAccess>]
module internal Condition =

    /// A condition that needs nothing before it.
    let alone key origin experiment = {
        Key = key
        Origin = origin
        Seeds = fun count -> [ 1..count ]
        After = None
        Make = fun _ -> experiment
    }

    /// A condition that begins where another ended.
    let following key origin earlier make = {
        Key = key
        Origin = origin
        Seeds = fun count -> [ 1..count ]
        After = Some earlier
        Make =
            function
            | Some run -> make run
            | None -> invalidOp $"{key} needs {earlier} to be run before"
    }

    /// Three times as many networks: 27 for the paper's nine, where a ratio of medians of nine is not decisive.
    let threefold condition = {
        condition with
            Seeds = fun count -> [ 1 .. 3 * count ]
    }

    /// Seeds on which nothing was chosen.
    let fresh times condition = {
        condition with
            Seeds = fun count -> [ 301 .. 300 + times * count ]
    }

/// All runs of some conditions.
type internal PaperResults = Map<string, PaperRun list>

/// Numbers of runs, and statistics over them.
[<RequireQualifiedAccess>]
module internal Runs =

    /// The loss of a run that diverged: a finite number larger than any other loss.
    let diverged = 1e9

    /// The number of last trials in the median of a final loss; single trials of RFLO vary.
    let finalTrials = 100

    let private finite value =
        if Double.IsFinite value then
            min value diverged
        else
            diverged

    /// The median, the quartiles beside it: (25 %, 50 %, 75 %).
    let quartiles (values: float seq) =
        let values = values |> Seq.map finite |> Array.ofSeq

        if values.Length = 0 then
            nan, nan, nan
        else
            Quartiles.ofValues values

    /// The median.
    let median values =
        let _, middle, _ = quartiles values
        middle

    /// The loss at the end of a run: the median over its last trials.
    let finalLoss (run: PaperRun) =
        match run.Status with
        | RunEnd.Diverged
        | RunEnd.Failed -> diverged
        | _ -> median (Array.skip (max 0 (run.Losses.Length - finalTrials)) run.Losses)

    /// Whether a run did not diverge.
    let isWell run = finalLoss run < diverged

    /// The loss before anything was learned.
    let firstLoss (run: PaperRun) = finite (Array.head run.Losses)

    /// The runs of a condition.
    let of' (results: PaperResults) key =
        match Map.tryFind key results with
        | Some runs -> runs
        | None -> invalidOp $"no condition is called {key}"

    /// Final losses of a condition.
    let finals results key = of' results key |> List.map finalLoss

    /// Two conditions, seed by seed: the same initial weights, noise and task.
    let paired (results: PaperResults) measure a b = [
        for one in of' results a do
            for other in of' results b do
                if one.Seed = other.Seed then
                    measure one, measure other
    ]

    /// A trial's median and quartiles over the runs, at trials that are evenly spread on a logarithmic axis.
    let curve (series: PaperRun -> float[]) (runs: PaperRun list) =
        let all = runs |> List.map series
        let longest = all |> List.map Array.length |> List.fold max 0

        let trials =
            Seq.init 120 (fun k ->
                int (round (exp (log (float (max 1 longest)) * float k / 119.0))))
            |> Seq.distinct
            |> Array.ofSeq

        // The mean of a neighbourhood, so that one trial's noise does not hide the curve.
        let at trial (values: float[]) =
            let low, high = int (float trial / 1.04), int (float trial * 1.04)
            let from, until = max 0 (low - 1), min (values.Length - 1) (high - 1)
            if from > until then nan else median values[from..until]

        trials
        |> Array.map (fun trial ->
            let now = all |> List.map (at trial) |> List.filter (Double.IsNaN >> not)
            float trial, quartiles now)

    let private column name (record: RunRecord) =
        record.Metrics
        |> List.tryFind (fun (column, _) -> column = name)
        |> Option.map snd

    let private weights (saved: SavedRun) =
        lazy
            (Map.ofSeq [
                for array in saved.ReadWeights() do
                    if
                        array.Name.StartsWith("final/", StringComparison.Ordinal)
                        && array.Shape.Length = 2
                    then
                        array.Name.Substring 6,
                        Matrix<float>
                            .Build.DenseOfRowMajor(array.Shape[0], array.Shape[1], array.Values)
            ])

    /// Reads a run from its folder.
    let read seed experiment place =
        let saved = RunFolder.Open place
        let table = saved.ReadMetrics()
        let columns = List.ofSeq table.Columns

        {
            Seed = seed
            Experiment = experiment
            Status = saved.Manifest.Status
            Losses = table.Column "loss"
            Alignment =
                columns
                |> List.tryFind _.StartsWith("alignment", System.StringComparison.Ordinal)
                |> Option.map table.Column
                |> Option.defaultValue [||]
            Seconds = Array.sum (table.Column "seconds")
            Final = weights saved
        }
