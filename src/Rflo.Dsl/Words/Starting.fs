namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// Experiments that start from the results of a run.
[<AutoOpen>]
module Starting =

    /// `e |> startingFrom trained.Final` begins with those weights, learned time constants and learned initial states: the
    /// results of a run in this process or in a folder, `(Run.load "runs/p1").Final`. The circuit must have a part for each;
    /// `Circuit.transfer` takes those that fit.
    let startingFrom (weights: Map<string, Matrix<float>>) (experiment: Experiment) = {
        experiment with
            Circuit = Circuit.withWeightsBy "startingFrom" weights experiment.Circuit
    }
