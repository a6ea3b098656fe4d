namespace Rflo.Host

open Argu

/// What is computed of a run that has ended, as Argu reads it; `AnalysisRequests` reads the values. Without any of the first eight, what suits
/// the task of the run.
[<RequireQualifiedAccess>]
type internal AnalysisOption =
    | Performance
    | Psychometric of condition: string option
    | Outputs
    | Pca
    | Fixed_Points
    | Lyapunov
    | Decode of condition: string
    | Perturb of what: string
    | Condition of name: string
    | At of input: string
    | Gate of projection: string
    | Weights of moment: string
    | Test_Trials of count: string
    | Out of folder: string

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Performance ->
                "loss and performance of the test trials, in all and by each of their conditions."
            | Psychometric _ ->
                "how often output 1 is chosen by a condition, with a logistic fit, and reaction times; 'evidence' or 'difference' where none is named."
            | Outputs ->
                "outputs against targets, with the mask and the phases; their means by condition, or several trials."
            | Pca ->
                "principal components of each area, and the means of the trials by condition along the first two."
            | Fixed_Points ->
                "fixed and slow points at constant inputs, with their eigenvalues; for areas of rate units."
            | Lyapunov -> "the largest Lyapunov exponents at constant inputs."
            | Decode _ ->
                "how well a condition is decoded from the rates of each area, step by step; also 'choice', the chosen output. Repeatable."
            | Perturb _ ->
                "the same test trials perturbed: silence:AREA, lesion:AREA, stimulate:AREA=CURRENT, disturb:AREA=NOISE or scale:PROJECTION=FACTOR, and @EVENT behind it for a phase, such as silence:cortex@delay. Repeatable."
            | Condition _ ->
                "split performance, outputs and trajectories by this condition of the trials; without it, by all that have few values. Repeatable."
            | At _ ->
                "fixed points and exponents at these inputs, INPUT=NUMBER,NUMBER,..., a number for each channel; 0 without it. Repeatable."
            | Gate _ ->
                "for fixed points and exponents, whether a gated projection is open: PROJECTION=open or PROJECTION=shut. Repeatable."
            | Weights _ ->
                "the weights of the run: final, best (of a run with keepBest) or initial; final without it."
            | Test_Trials _ -> "show so many test trials; 500 without it."
            | Out _ ->
                "write analysis.html, and the folder analysis with its figures and numbers, here; without it, into the run folder."
