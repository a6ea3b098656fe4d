namespace Rflo.Dsl

/// The words of circuits.
[<AutoOpen>]
module CircuitWords =

    /// Words for circuits.
    [<AutoOpen>]
    module Circuit =

        /// `circuit [ cue --> m1 |> weights (gaussian 1.0); m1 --> hand ]` is the circuit of those projections and of the parts
        /// that they join. Inputs, areas and readouts have the order in which they first appear in arrows, source before target.
        /// `inputs` and `readouts` set another order, such as that of the columns of a task.
        let circuit (projections: Projection list) : Circuit =
            Circuit.Empty |> Parts.projections projections

        /// `c |> areas [ m1; pmd ]` has those areas first, in that order, and then its others. Needed only for an area that no arrow touches.
        let areas (first: Area list) (circuit: Circuit) = {
            circuit with
                Areas = Parts.union first circuit.Areas
        }

        /// `c |> inputs [ cue; go ]` has those inputs first, in that order, and then its others: the channels of a task are those of cue and
        /// then those of go.
        let inputs (first: Input list) (circuit: Circuit) = {
            circuit with
                Inputs = Parts.union first circuit.Inputs
        }

        /// `c |> readouts [ hand; eye ]` has those readouts first, in that order, and then its others: the targets of a task are those of
        /// hand and then those of eye.
        let readouts (first: Readout list) (circuit: Circuit) = {
            circuit with
                Readouts = Parts.union first circuit.Readouts
        }

        /// `c |> projections [ pmd --> m1 ]` also has those projections, and the parts that they join.
        let projections (more: Projection list) (circuit: Circuit) = Parts.projections more circuit

        /// `c |> feedback [ errorOf hand --> m1 ]` also has that feedback.
        let feedback (more: Feedback list) (circuit: Circuit) = Parts.feedback more circuit

        /// `c |> learningRateOfAll 0.03` lets every projection of c learn at that rate, frozen ones too; rules of their own stay.
        let learningRateOfAll rate (circuit: Circuit) = {
            circuit with
                Projections = circuit.Projections |> List.map (learningRate rate)
        }
