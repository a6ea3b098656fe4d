namespace Rflo.Host

open System
open Rflo.Dsl

/// Whether a statement held in our runs.
type Verdict =
    | Holds
    | Fails
    /// Too few runs, or runs too short, to say.
    | Undecided of why: string

/// What was found about a claim.
type Finding = {
    Verdict: Verdict
    /// The numbers, in words.
    Measured: string
    /// Over how many runs.
    Runs: int
}

/// A statement of the paper, or about it, that runs can decide; the threshold is fixed before they are made.
type Claim = {
    Id: string
    Text: string
    /// Where the paper says it.
    Source: string
    /// How it is decided.
    Threshold: string
    Decide: PaperResults -> Finding
}

/// Claims of the usual kinds.
[<RequireQualifiedAccess>]
module PaperClaims =

    /// A loss as a table shows it.
    let loss (value: float) =
        if value >= PaperRuns.diverged then "diverged"
        elif Double.IsNaN value then "none"
        else $"%.2g{value}"

    /// Median and quartiles as a table shows them.
    let spread (values: float seq) =
        let low, middle, high = PaperRuns.quartiles values
        $"{loss middle} [{loss low}, {loss high}]"

    /// A finding that holds or not.
    let found holds runs measured = {
        Verdict = if holds then Holds else Fails
        Measured = measured
        Runs = runs
    }

    /// Final losses of conditions, by name.
    let private finals results (keys: (string * string) list) =
        keys |> List.map (fun (name, key) -> name, PaperRuns.finals results key)

    let private told (conditions: (string * float list) list) =
        conditions
        |> List.map (fun (name, values) -> $"{name} {spread values}")
        |> String.concat "; "

    let private count (conditions: (string * float list) list) =
        conditions |> List.sumBy (snd >> List.length)

    /// The median final losses of named conditions satisfy something.
    let ofMedians id text source threshold keys holds = {
        Id = id
        Text = text
        Source = source
        Threshold = threshold
        Decide =
            fun results ->
                let conditions = finals results keys
                let medians = conditions |> List.map (snd >> PaperRuns.median)
                found (holds medians) (count conditions) (told conditions)
    }

    /// Losses fall from each of some trials to the next, in the median over runs.
    let falls id text source key (trials: int list) = {
        Id = id
        Text = text
        Source = source
        Threshold = "the median over runs falls strictly from each of these trials to the next"
        Decide =
            fun results ->
                let runs = PaperRuns.of' results key
                let shortest = runs |> List.map (fun run -> run.Losses.Length) |> List.min
                let trials = trials |> List.filter (fun trial -> trial <= shortest)

                let medians =
                    trials
                    |> List.map (fun trial ->
                        PaperRuns.median (runs |> List.map (fun run -> run.Losses[trial - 1])))

                let numbers =
                    List.zip trials medians
                    |> List.map (fun (trial, median) -> $"trial {trial}: {loss median}")
                    |> String.concat ", "

                found
                    (medians |> List.pairwise |> List.forall (fun (a, b) -> b < a))
                    runs.Length
                    numbers
    }

    /// Pairs of which the first is to be the smaller, by a test of signs at 5 %; `say` puts the wins and the chance in words.
    let ofPairs runs (pairs: (float * float) list) say =
        let wins = pairs |> List.filter (fun (a, b) -> a < b) |> List.length
        let chance = PaperRuns.signTest wins pairs.Length
        let finding = found (chance < 0.05) runs (say wins chance)

        // Four pairs cannot reach 5 %, whatever they show.
        if pairs.Length < 5 then
            {
                finding with
                    Verdict = Undecided $"{pairs.Length} pairs are too few for the test"
            }
        else
            finding

    /// Seed by seed, the first condition ends with a smaller loss than the second.
    let below id text source (name, a) (other, b) = {
        Id = id
        Text = text
        Source = source
        Threshold =
            "smaller final loss in most of the seeds, paired by initial weights; sign test at 5 %"
        Decide =
            fun results ->
                let pairs = PaperRuns.paired results PaperRuns.finalLoss a b
                let conditions = finals results [ name, a; other, b ]

                ofPairs (count conditions) pairs (fun wins chance ->
                    $"{told conditions}; {name} below in {wins} of {pairs.Length} pairs, p = %.2g{chance}")
    }

    /// Alignments at the end of runs.
    let alignments results key =
        PaperRuns.of' results key
        |> List.choose (fun run -> Array.tryLast run.Alignment)
