namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// Experiments that go on from what a run left.
[<AutoOpen>]
module Starting =

    /// `e |> startingFrom trained.Final` begins with those weights, and with the time constants that were learned: what a run left, in this
    /// process or in a folder, `(Run.load "runs/p1").Final`. Each must have its place in the circuit; `Circuit.transfer` takes those that do.
    let startingFrom (weights: Map<string, Matrix<float>>) (experiment: Experiment) = {
        experiment with
            Circuit = Circuit.withWeights weights experiment.Circuit
    }
