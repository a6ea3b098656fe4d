namespace Rflo.Dsl

open Rflo.Core

/// The words of inputs and readouts.
[<AutoOpen>]
module ReadoutWords =

    /// Words for inputs.
    [<AutoOpen>]
    module Input =

        /// `input "cue" 2` is two channels of the task's inputs.
        let input name channels : Input = {
            Name = name
            Channels = channels
            Lost = []
        }

    /// Nonlinearities of readouts, z the sum, for `output`.
    [<RequireQualifiedAccess>]
    module Output =

        /// The sum; squared error. The default.
        let linear = OutputKind.Linear

        /// 1 / (1 + exp(-z)); cross-entropy.
        let sigmoid = OutputKind.Sigmoid

        /// exp z over the sum of all exp z; cross-entropy.
        let softmax = OutputKind.Softmax

        /// exp z; Poisson.
        let exponential = OutputKind.Exponential

        /// ln(1 + exp z); squared error.
        let softplus = OutputKind.Softplus

    /// `output softmax`: probabilities of choices that exclude each other; cross-entropy.
    let softmax = Output.softmax

    /// Words for readouts.
    [<AutoOpen>]
    module Readout =

        /// `readout "hand" 2` is two linear outputs, compared with the task's targets by squared error.
        let readout name outputs : Readout = {
            Name = name
            Outputs = outputs
            Output = Output.Linear
            Loss = None
            Lost = []
        }

        /// `r |> output softmax` is the readout r with that nonlinearity, and its loss unless `loss` sets another.
        let output kind (readout: Readout) = { readout with Output = kind }

        /// `r |> loss (Loss.huber 0.5)` is the readout r whose outputs are compared with the task's targets by that loss.
        let loss (cost: Loss) (readout: Readout) = { readout with Loss = Some cost }
