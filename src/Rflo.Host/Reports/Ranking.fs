namespace Rflo.Host

open Rflo.Dsl
open Rflo.Runs

/// Compared runs in the order of `RunRanking`.
[<RequireQualifiedAccess>]
module internal Ranking =

    /// The last value of a column of validations; NaN where the run has none.
    let lastOf column (probes: Map<string, Series>) =
        probes
        |> Map.tryFind column
        |> Option.bind (fun series -> Array.tryLast series.Values)
        |> Option.defaultValue nan

    /// The numbers that rank a run; none of a run that did not end well.
    let score isWell (probes: Map<string, Series>) finalLoss =
        if isWell then
            RunScore(
                lastOf "validation performance" probes,
                lastOf "validation loss" probes,
                finalLoss
            )
        else
            RunScore.None

    let private scores (score: 'run -> RunScore) runs = runs |> List.map score |> Array.ofList

    /// The criterion of these runs.
    let criterion score runs = RunRanking.Criterion(scores score runs)

    /// The runs, the best first.
    let order score (runs: 'run list) = [
        for place in RunRanking.Order(scores score runs) -> runs[place]
    ]

    /// The order of the table in words, as the beginning of a legend.
    let words score runs =
        $"best first, by {RunRanking.Words(criterion score runs)}; runs without one are last; "
