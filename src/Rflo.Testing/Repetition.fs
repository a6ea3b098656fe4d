/// Laws of repeated runs: the same seed, a resume, the two forms of an update.
module internal Rflo.Testing.Repetition

open System
open System.Threading.Tasks
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Trying

let private sameBits (a: float) (b: float) =
    BitConverter.DoubleToInt64Bits a = BitConverter.DoubleToInt64Bits b

/// The first difference between the results of two runs.
let private difference (experiment: Experiment) (a: Learner) (b: Learner) =
    seq {
        let ours, theirs = a.Losses(), b.Losses()

        if ours.Length <> theirs.Length then
            $"it trained {theirs.Length} trials instead of {ours.Length}"
        else
            for trial in 0 .. ours.Length - 1 do
                if not (sameBits ours[trial] theirs[trial]) then
                    $"the loss of trial {trial} is {string (theirs[trial])} instead of {string (ours[trial])}"

        let weights, others = a.Weights(), b.Weights()

        for k, projection in List.indexed experiment.Circuit.Projections do
            let w, o = weights[k], others[k]

            for i in 0 .. Array2D.length1 w - 1 do
                for j in 0 .. Array2D.length2 w - 1 do
                    if not (sameBits w[i, j] o[i, j]) then
                        $"weight ({i}, {j}) of {Projection.name projection} is {string (o[i, j])} instead of {string (w[i, j])}"
    }

let private trained make (experiment: Experiment) =
    let learner: Learner = make experiment
    learner.Train experiment.Trials
    learner

let sameSeed = {
    Name = "same-seed-same-bits"
    Exempts = everyRule
    Prepare = id
    Judge =
        fun make experiment ->
            let first = trained make experiment
            let again = trained make experiment

            let threads = [|
                for _ in 1..2 -> Task.Run(fun () -> trained make experiment)
            |]

            seq {
                for found in difference experiment first again do
                    "run again, " + found

                for thread in threads do
                    for found in difference experiment first thread.Result do
                        "on another thread, " + found
            }
            |> verdict (Fitting.hasPlastic experiment)
}

let resume = {
    Name = "resumed-is-never-stopped"
    Exempts = everyRule
    Prepare =
        fun experiment -> {
            experiment with
                Trials = max 2 experiment.Trials
        }
    Judge =
        fun make experiment ->
            let whole = trained make experiment

            seq {
                for stop in 1 .. experiment.Trials - 1 do
                    let first: Learner = make experiment
                    first.Train stop
                    let second: Learner = make experiment
                    second.Restore(first.Capture())

                    // A run that diverges ends there, whether it was stopped or not.
                    if (whole.Losses()).Length > (first.Losses()).Length then
                        second.Train(experiment.Trials - stop)

                    for found in difference experiment whole second do
                        $"stopped after {stop} trials and resumed, {found}"
            }
            |> verdict (Fitting.hasPlastic experiment)
}

/// The difference of two matrices over the larger of them, and a floor for sums whose terms cancel.
let relative (a: float[,]) (b: float[,]) =
    let norm (m: float[,]) =
        m |> Seq.cast<float> |> Seq.sumBy (fun x -> x * x) |> sqrt

    let difference = Array2D.mapi (fun i j x -> x - b[i, j]) a
    norm difference / (max (norm a) (norm b) + 1e-5)

/// The experiment in double precision, with numbers of comparable size.
let inDouble (experiment: Experiment) = {
    experiment with
        Precision = Precision.Double
}

let trialEnd = {
    Name = "trial-end-is-the-sum-of-online"
    Exempts =
        fun rule ->
            if Fitting.canBeOnline rule then
                None
            else
                Some "it has no increments before the end of a trial"
    Prepare = inDouble
    Judge =
        fun make experiment ->
            let learner: Learner = make experiment
            let atOnce = learner.Increments UpdateTime.TrialEnd 1
            let online = learner.Increments UpdateTime.Online 1

            seq {
                for k, projection in List.indexed experiment.Circuit.Projections do
                    match atOnce[k], online[k] with
                    | Some a, Some b when not (relative a b <= 1e-9) ->
                        $"{Projection.name projection}: its increments sum to %A{b} step by step, and are %A{a} at the end of the trial"
                    | _ -> ()
            }
            |> verdict (Array.exists Option.isSome atOnce)
}
