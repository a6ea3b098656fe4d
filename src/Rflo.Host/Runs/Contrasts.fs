namespace Rflo.Host

open System
open MathNet.Numerics.LinearAlgebra
open Rflo.Dsl

/// Test trials under perturbations that act together, or without any: results of all, activity of the first.
type internal ContrastedTrials = {
    /// What was perturbed; "control" where nothing was.
    Words: string
    Tested: TestedTrial list
    /// Without rates and states, of as many trials as there is room for, marked with the steps in which the perturbations act.
    Activity: Activity list
}

/// Test trials without and with perturbations.
[<RequireQualifiedAccess>]
module internal Contrasts =

    [<Literal>]
    let Control = "control"

    /// Test trials of each kind after a training under perturbations.
    [<Literal>]
    let private TrialsOfRun = 200

    /// Numbers of them that a run folder keeps: 16 MB.
    [<Literal>]
    let private NumbersOfRun = 2e6

    [<Literal>]
    let private LongestWords = 200

    /// What figures of outputs need.
    let private light (activity: Activity) = {
        activity with
            Inputs = Matrix<float>.Build.Dense(activity.Targets.RowCount, 0)
            Rates = Map.empty
            States = Map.empty
    }

    let private numbersOf (activity: Activity) =
        let outputs =
            activity.Outputs |> Map.toSeq |> Seq.sumBy (fun (_, y) -> y.ColumnCount)

        float activity.Targets.RowCount
        * float (outputs + 2 * activity.Targets.ColumnCount)

    /// Marks the steps in which any of the perturbations acts.
    let marked dt perturbations (activity: Activity) =
        let steps =
            perturbations
            |> List.collect (fun one -> TrialAxes.perturbedSteps dt one activity)
            |> List.distinct
            |> List.sort

        {
            activity with
                Events = activity.Events |> Map.add TrialAxes.PerturbedEvent steps
        }

    /// Runs the same test trials under each group of perturbations, without the numbers of the circuit that figures do not need.
    /// <param name="most">Numbers of activity that are kept of each.</param>
    let run
        most
        weights
        (experiment: Experiment)
        count
        (groups: (string * Perturbation list) list)
        : Result<ContrastedTrials list, Problem list> =
        let shown (words, perturbations: Perturbation list) =
            let kept = [| 0.0 |]

            let keep activity =
                kept[0] <- kept[0] + numbersOf activity

                Behavior.ofActivity activity,
                (if kept[0] <= most then
                     Some(light activity |> marked experiment.Dt perturbations)
                 else
                     None)

            let how = {
                Evaluation.standard with
                    Perturbations = perturbations
            }

            Run.evaluateEach keep how weights experiment experiment.Task count
            |> Result.map (fun trials -> {
                Words = words
                Tested = List.map fst trials
                Activity = List.choose snd trials
            })

        (Ok [], groups)
        ||> List.fold (fun before group ->
            before
            |> Result.bind (fun before ->
                shown group |> Result.map (fun found -> before @ [ found ])))

    /// The perturbations of a training in groups that act in the same trials, each in all test trials.
    let declared (experiment: Experiment) =
        experiment.Perturbations
        |> List.groupBy _.Trials
        |> List.mapi (fun k (_, group) ->
            let always = [
                for one in group ->
                    {
                        one with
                            Trials = PerturbedTrials.All
                    }
            ]

            let words = always |> List.map Perturbation.words |> String.concat " and "

            (if words.Length > LongestWords then
                 $"{words.Substring(0, LongestWords)} ... (group {k + 1})"
             else
                 words),
            always)
        |> List.distinctBy fst

    /// Test trials of a run that was trained under perturbations, by its final weights: the control first. None where the run has no perturbations or
    /// did not end well.
    let ofRun (trained: Trained) : (string * Activity list) list =
        let experiment = trained.Experiment

        if experiment.Perturbations.IsEmpty || not trained.Status.IsWell then
            []
        else
            let groups = (Control, []) :: declared experiment

            let most = NumbersOfRun / float groups.Length / max 1.0 (numbersOf trained.After)

            let count = max 2 (min TrialsOfRun (int (min 1e6 most)))

            try
                match run infinity trained.Final experiment count groups with
                | Ok found -> [ for one in found -> one.Words, one.Activity ]
                | Error problems ->
                    failwith (problems |> List.map Problem.text |> String.concat "; ")
            with e ->
                Console.Error.WriteLine
                    $"{experiment.Name}: its perturbed test trials were not run, and its report has none: {e.Message}"

                []

    [<Literal>]
    let private Prefix = "contrast/"

    /// Test trials as arrays of activity.npz: contrast/control/ and contrast/WORDS/.
    let arrays (contrasts: (string * Activity list) list) = [
        for words, trials in contrasts do
            yield! Recordings.arrays $"{Prefix}{words}/" trials
    ]

    /// The test trials that `arrays` made arrays of.
    let ofArrays file readouts (arrays: Rflo.Runs.NamedArray list) : ContrastedTrials list = [
        let last = "/steps"

        for one in arrays do
            if
                one.Name.StartsWith(Prefix, StringComparison.Ordinal)
                && one.Name.EndsWith(last, StringComparison.Ordinal)
            then
                let start = one.Name.Substring(0, one.Name.Length - last.Length + 1)

                let found =
                    Map.ofList [
                        for array in arrays do
                            if array.Name.StartsWith(start, StringComparison.Ordinal) then
                                array.Name.Substring start.Length, array
                    ]

                let trials =
                    Recordings.ofArrays file readouts (List.ofSeq found.Keys) (fun name ->
                        found[name])

                {
                    Words = start.Substring(Prefix.Length).TrimEnd '/'
                    Tested = List.map Behavior.ofActivity trials
                    Activity = trials
                }
    ]
