namespace Rflo.Dsl

open System.Collections.Generic
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Analysis

/// Analyses of the activity of a population: `let cortex = Population.rates "cortex" trials`, with trials from `Run.evaluate` or
/// `Run.perform`. An argument that does not fit raises an ArgumentException that names it.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Population =

    /// `Population.rates "cortex" trials` is the rates of that area, shape (trials, steps, units). Trials of several lengths need
    /// `Population.ratesWithin`.
    let rates (area: string) (trials: Activity list) =
        TrialSet.Of [|
            for trial in trials ->
                match Map.tryFind area trial.Rates with
                | Some rates -> rates
                | None ->
                    let known = String.concat ", " trial.Rates.Keys
                    invalidArg (nameof area) $"there is no area {area}; the circuit has {known}"
        |]

    /// `Population.ratesWithin 100 50 "cortex" trials` is those of 50 steps from step 100 (counted from 0) of each trial.
    let ratesWithin first count area (trials: Activity list) =
        for k, trial in List.indexed trials do
            let steps = trial.Inputs.RowCount

            if first < 0 || count < 1 || first + count > steps then
                invalidArg
                    (nameof trials)
                    $"trial {k} has {steps} steps, which are not {count} from step {first}"

        trials
        |> List.map (fun trial -> {
            trial with
                Rates =
                    trial.Rates
                    |> Map.map (fun _ rates -> rates.SubMatrix(first, count, 0, rates.ColumnCount))
                States =
                    trial.States
                    |> Map.map (fun _ states ->
                        states.SubMatrix(first, count, 0, states.ColumnCount))
        })
        |> rates area

    /// `let train, test = Population.split 4 direction` is the numbers of the trials to fit something to, and of those to test it on: every fourth of
    /// each condition, in the order of the trials. Nothing is drawn, and both have trials of every condition.
    let split every (conditions: int[]) =
        let split = TrialSplit.WithinConditions(conditions, every)
        List.ofSeq split.Train, List.ofSeq split.Test

    /// `cortex |> Population.ofTrials test` is the activity in those trials, numbered from 0, in their order.
    let ofTrials (trials: int list) (activity: TrialSet) = activity.Take(Array.ofList trials)

    /// `Population.pca cortex` is the principal components over all steps of all trials.
    let pca (activity: TrialSet) = PrincipalComponents.Of activity

    /// `Population.pcaOf conditions cortex` is those of the means over the trials of each condition, one number a trial.
    let pcaOf (conditions: int[]) (activity: TrialSet) =
        PrincipalComponents.Of(activity, conditions)

    /// `cortex |> Population.project 3 components` is the trials along the first three components.
    let project count (components: PrincipalComponents) (activity: TrialSet) =
        components.Project(activity, count)

    /// `Population.dimensions cortex` is the participation ratio, with the error that leaving out trials gives.
    let dimensions (activity: TrialSet) = Participation.Of activity

    /// `cortex |> Population.decodeWith (DecodingOptions(Classifier = Classifier.Ridge)) labels` uses that classifier and those
    /// options.
    let decodeWith (options: DecodingOptions) (labels: int[]) (activity: TrialSet) =
        Decoding.OverTime(activity, labels, options)

    /// `cortex |> Population.decode labels` is the accuracy with which linear discriminants of other trials predict the label of
    /// a trial, in each step.
    let decode (labels: int[]) (activity: TrialSet) =
        decodeWith DecodingOptions.Standard labels activity

    /// `cortex |> Population.decodeAcross labels` trains in each step and tests in every other, shape (step of training, step of test).
    let decodeAcross (labels: int[]) (activity: TrialSet) = Decoding.AcrossTime(activity, labels)

    /// `cortex |> Population.regress coherences` is the share of a number's variance that ridge regression on other trials
    /// predicts, in each step.
    let regress (values: float[]) (activity: TrialSet) = Regression.OverTime(activity, values)

    /// `cortex |> Population.targeted [ "motion", motion; "choice", choice ] conditions` is the axes along which those variables are
    /// represented (Mante et al. 2013); each has one value a trial.
    let targeted (variables: (string * float[]) list) (conditions: int[]) (activity: TrialSet) =
        TargetedReduction.Of(
            activity,
            [|
                for name, values in variables -> KeyValuePair(name, values)
            |],
            conditions
        )

    /// `cortex |> Population.selectivity choices` is how the mean rate of each unit depends on a factor, one level a trial.
    let selectivity (factor: int[]) (activity: TrialSet) =
        Selectivity.Of(activity.MeanOverSteps(), factor)

    /// `cortex |> Population.selectivityOfTwo motion color` is how it depends on two factors and on their combination.
    let selectivityOfTwo (first: int[]) (second: int[]) (activity: TrialSet) =
        Selectivity.Of(activity.MeanOverSteps(), first, second)

    /// `cortex |> Population.dissimilarity Dissimilarity.Correlation conditions` is how far apart the mean rates of every two conditions are.
    let dissimilarity by (conditions: int[]) (activity: TrialSet) =
        Similarity.Dissimilarities(activity.ConditionMeans(conditions).MeanOverSteps(), by)

    /// `Population.compare first second` is the rank correlation of two matrices of dissimilarities.
    let compare (first: Matrix<float>) (second: Matrix<float>) =
        Similarity.Correlation(first, second)

    /// `Population.alignment cortex thalamus` is linear centered kernel alignment, from 0 to 1; both are of the same trials.
    let alignment (first: TrialSet) (second: TrialSet) =
        Similarity.CenteredKernelAlignment(first.Samples(), second.Samples())

    /// `Population.procrustes cortex thalamus` is the Procrustes distance, from 0 to the square root of 2.
    let procrustes (first: TrialSet) (second: TrialSet) =
        let struct (distance, _) = Similarity.Procrustes(first.Samples(), second.Samples())
        distance

    /// `trial |> Population.currents "m1" map` is the currents of that area by their sources, computed from the rates of the
    /// trial and the weights of the map.
    let currents (area: string) (map: CircuitMap) (trial: Activity) =
        let graph = map.Graph
        let isOther name (parts: Map<string, Matrix<float>>) = not (Map.containsKey name parts)

        if
            graph.Areas |> Seq.exists (fun spec -> isOther spec.Name trial.Rates)
            || graph.Readouts |> Seq.exists (fun spec -> isOther spec.Name trial.Outputs)
        then
            invalidArg (nameof trial) "the trial is one of another circuit"

        let steps = trial.Inputs.RowCount

        let outputs = [|
            for t in 0 .. steps - 1 do
                for readout in graph.Readouts do
                    yield! trial.Outputs[readout.Name].Row(t)
        |]

        SourceCurrents.Of(
            map,
            area,
            Recording(
                Steps = steps,
                Loss = trial.Loss,
                Inputs = trial.Inputs.ToRowMajorArray(),
                Targets = trial.Targets.ToRowMajorArray(),
                Mask = trial.Mask.ToRowMajorArray(),
                Rewards = trial.Rewards,
                Outputs = outputs,
                Rates = [|
                    for spec in graph.Areas -> trial.Rates[spec.Name].ToRowMajorArray()
                |]
            )
        )
