namespace Rflo.Reproductions.Murray2019

open System
open Rflo.Dsl
open Rflo.Host

/// Whether a statement holds in our runs.
type internal Verdict =
    | Holds
    | Fails
    /// Too few runs, or too short ones, to decide.
    | Undecided of why: string

/// The result for a claim.
type internal Finding = {
    Verdict: Verdict
    /// The numbers, in words.
    Measured: string
    /// Over how many runs.
    Runs: int
    /// The p value: the probability of a result at least so good if the claim were false, where a test is used.
    Chance: float option
}

/// A statement of the paper, or about it, that runs can decide; the threshold is fixed before they are made.
type internal Claim = {
    Id: string
    Text: string
    /// Its place in the paper.
    Source: string
    /// How it is decided.
    Threshold: string
    Decide: PaperResults -> Finding
}

/// Claims of the usual kinds.
[<RequireQualifiedAccess>]
module internal Claims =

    /// A loss as a table shows it.
    let loss (value: float) =
        if value >= Runs.diverged then "diverged"
        elif Double.IsNaN value then "none"
        else $"%.2g{value}"

    /// Median and quartiles as a table shows them.
    let spread (values: float seq) =
        let low, middle, high = Runs.quartiles values
        $"{loss middle} [{loss low}, {loss high}]"

    /// An interval as a table shows it: "4.7 (1.9 to 7.7)".
    let interval (interval: Interval) =
        $"{loss interval.Estimate} ({loss interval.Low} to {loss interval.High})"

    /// A finding that holds or not.
    let found holds runs measured = {
        Verdict = if holds then Holds else Fails
        Measured = measured
        Runs = runs
        Chance = None
    }

    /// A finding of runs that are too few to decide.
    let undecided why runs measured = {
        found false runs measured with
            Verdict = Undecided why
    }

    let private would =
        function
        | Some runs -> $"about {runs} would"
        | None -> "no number of runs would, if this went on"

    /// Decides by a 95 % interval: it holds where all of the interval is on the right side of the threshold, fails where all of it
    /// is on the other, and is not decided where the threshold lies within.
    let byInterval isBelow scale threshold runs (interval: Interval) measured =
        if interval.High <= threshold then
            found isBelow runs measured
        elif interval.Low >= threshold then
            found (not isBelow) runs measured
        else
            let needed = Statistics.runsNeeded scale threshold runs interval
            undecided $"{runs} runs do not decide it; {would needed}" runs measured

    /// Final losses of conditions, by name.
    let private finals results (keys: (string * string) list) =
        keys |> List.map (fun (name, key) -> name, Runs.finals results key)

    let private told (conditions: (string * float list) list) =
        conditions
        |> List.map (fun (name, values) -> $"{name} {spread values}")
        |> String.concat "; "

    let private count (conditions: (string * float list) list) =
        conditions |> List.sumBy (snd >> List.length)

    /// The median final losses of named conditions satisfy a condition.
    let ofMedians id text source threshold keys holds = {
        Id = id
        Text = text
        Source = source
        Threshold = threshold
        Decide =
            fun results ->
                let conditions = finals results keys
                let medians = conditions |> List.map (snd >> Runs.median)
                found (holds medians) (count conditions) (told conditions)
    }

    /// The median final loss of a condition is below a number.
    let medianBelow id text source limit (name, key) = {
        Id = id
        Text = text
        Source = source
        Threshold = $"the 95 %% interval of the median final loss lies below {string limit}"
        Decide =
            fun results ->
                let values = Runs.finals results key
                let median = Statistics.median values
                byInterval true log limit values.Length median $"{name} {interval median}"
    }

    /// The ratio of the median final losses of two conditions is below a number.
    let ratioBelow id text source limit (name, a) (other, b) = {
        Id = id
        Text = text
        Source = source
        Threshold =
            $"the 95 %% interval of the ratio of median final losses, {name} / {other}, lies below {string limit}"
        Decide =
            fun results ->
                let pairs = Runs.paired results Runs.finalLoss a b
                let ratio = Statistics.ratioOfMedians pairs
                let below = pairs |> List.filter (fun (a, b) -> a < b) |> List.length

                byInterval
                    true
                    log
                    limit
                    pairs.Length
                    ratio
                    $"{told (finals results [ name, a; other, b ])}; ratio {interval ratio}; {name} below in {below} of {pairs.Length} pairs"
    }

    /// Losses fall from each of some trials to the next, in the median over runs.
    let falls id text source key (trials: int list) = {
        Id = id
        Text = text
        Source = source
        Threshold = "the median over runs falls strictly from each of these trials to the next"
        Decide =
            fun results ->
                let runs = Runs.of' results key
                let shortest = runs |> List.map (fun run -> run.Losses.Length) |> List.min
                let trials = trials |> List.filter (fun trial -> trial <= shortest)

                let medians =
                    trials
                    |> List.map (fun trial ->
                        Runs.median (runs |> List.map (fun run -> run.Losses[trial - 1])))

                let numbers =
                    List.zip trials medians
                    |> List.map (fun (trial, median) -> $"trial {trial}: {loss median}")
                    |> String.concat ", "

                found
                    (medians |> List.pairwise |> List.forall (fun (a, b) -> b < a))
                    runs.Length
                    numbers
    }

    /// Pairs of which the first is to be the smaller, by a test of signs at 5 %; `say` is the text of the wins and the p value. It
    /// fails where the second is the smaller by the same test, and is not decided between.
    let ofPairs (pairs: (float * float) list) say =
        let wins = pairs |> List.filter (fun (a, b) -> a < b) |> List.length
        let losses = pairs |> List.filter (fun (a, b) -> a > b) |> List.length
        // Equal pairs count for neither.
        let decided = wins + losses
        let chance = Statistics.signTest wins decided
        let reverse = Statistics.signTest losses decided
        let runs = 2 * pairs.Length

        let finding =
            if chance < 0.05 then
                found true runs (say wins chance)
            elif reverse < 0.05 then
                found false runs (say wins chance)
            else
                let needed = Statistics.pairsNeeded (max wins losses) decided

                undecided
                    $"{pairs.Length} pairs do not decide it; {would needed}"
                    runs
                    (say wins chance)

        { finding with Chance = Some chance }

    /// Seed by seed, the first condition ends with a smaller loss than the second.
    let below id text source (name, a) (other, b) = {
        Id = id
        Text = text
        Source = source
        Threshold =
            "smaller final loss in most of the seeds, paired by initial weights; one-sided sign test at 5 %"
        Decide =
            fun results ->
                let pairs = Runs.paired results Runs.finalLoss a b
                let conditions = finals results [ name, a; other, b ]

                ofPairs pairs (fun wins chance ->
                    $"{told conditions}; {name} below in {wins} of {pairs.Length} pairs, p = %.2g{chance}")
    }

    /// More than a share of the runs have a property, by the exact 95 % interval of the share.
    let shareAbove id text source limit key (does: PaperRun -> bool) what = {
        Id = id
        Text = text
        Source = source
        Threshold =
            $"the 95 %% interval of the share of networks that {what} lies above %.0f{100.0 * limit} %%"
        Decide =
            fun results ->
                let runs = Runs.of' results key
                let wins = runs |> List.filter does |> List.length
                let share = Statistics.share wins runs.Length

                byInterval
                    false
                    (fun share -> share)
                    limit
                    runs.Length
                    share
                    $"{wins} of {runs.Length} networks (95 %%: %.0f{100.0 * share.Low} to %.0f{100.0 * share.High} %%)"
    }

    /// Alignments at the end of runs.
    let alignments results key =
        Runs.of' results key |> List.choose (fun run -> Array.tryLast run.Alignment)
