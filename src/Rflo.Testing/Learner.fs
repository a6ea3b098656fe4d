namespace Rflo.Testing

open System.Collections.Generic
open Rflo.Core
open Rflo.Dsl

/// A learner of an experiment: the interface that the laws test. `Learner.ofCore` makes one from this library's core;
/// make your own to test another simulator, or a rule that no `Rule` can declare, by the same laws. Projections are identified
/// by their indices in the circuit; matrices have shape (post, pre).
type Learner = {
    /// Trains for so many more trials.
    Train: int -> unit
    /// The weights of every projection, copied; 0 where there is no connection.
    Weights: unit -> float[,][]
    /// Replaces the weights of a projection.
    SetWeights: int -> float[,] -> unit
    /// Which connections of every projection exist.
    Exists: bool[,][]
    /// The losses of the trials that were trained.
    Losses: unit -> float[]
    /// The loss of a trial, by its number, with learning off.
    Loss: int -> float
    /// The increments of the experiment's rule for every projection in a trial, by its number, at rate 1 and fixed weights,
    /// computed step by step or at the end of the trial: 1/T times their sum over steps; none where nothing learns.
    Increments: UpdateTime -> int -> float[,] option[]
    /// The state on which later trials depend.
    Capture: unit -> IReadOnlyDictionary<string, float[]>
    /// Restores a state that a learner of the same experiment captured.
    Restore: IReadOnlyDictionary<string, float[]> -> unit
}

/// Learners for the laws.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Learner =

    /// Where the weights of a projection lie in its matrix, in the order in which a session lists them.
    let private places post pre (synapses: Synapses) =
        match synapses with
        | :? SparseSynapses as sparse -> [|
            for i in 0 .. post - 1 do
                for k in sparse.RowStart[i] .. sparse.RowStart[i + 1] - 1 do
                    struct (i, sparse.Columns[k])
          |]
        | _ -> [|
            for i in 0 .. post - 1 do
                for j in 0 .. pre - 1 do
                    struct (i, j)
          |]

    let private existing post pre (synapses: Synapses) (places: struct (int * int)[]) =
        let exists = Array2D.create post pre false

        for k, struct (i, j) in Array.indexed places do
            exists[i, j] <-
                match synapses with
                | :? DenseSynapses as dense ->
                    match dense.Exists with
                    | null -> true
                    | listed -> listed[k]
                | _ -> true

        exists

    /// The core's learner of a checked experiment.
    let ofCore (ready: CheckedExperiment) : Learner =
        let compiled = Compile.experiment ready
        let session = Run.session compiled
        let graph = compiled.Graph

        let shapes = [|
            for k in 0 .. graph.Projections.Count - 1 ->
                let struct (post, pre) = graph.ShapeOf(ProjectionId k)
                post, pre, places post pre graph.Projections[k].Synapses
        |]

        let matrix k (values: float[]) =
            let post, pre, places = shapes[k]
            let matrix = Array2D.zeroCreate post pre

            for n, struct (i, j) in Array.indexed places do
                matrix[i, j] <- values[n]

            matrix

        let values k (matrix: float[,]) =
            let _, _, places = shapes[k]
            places |> Array.map (fun struct (i, j) -> matrix[i, j])

        let rule =
            Seq.zip ready.Experiment.Circuit.Projections graph.Projections
            |> Seq.tryPick (fun (declared, spec) ->
                match declared.Plasticity, spec.Plasticity with
                | Learning _, NonNull plasticity -> Some plasticity.Rule
                | _ -> None)

        {
            Train =
                fun trials ->
                    let status = session.Run trials

                    // An exception of a rule's function ends a run as failed; an exception here fails the law.
                    if status.End = RunEnd.Failed then
                        invalidOp (string status)
            Weights =
                fun () ->
                    Array.init shapes.Length (fun k -> matrix k (session.Weights(ProjectionId k)))
            SetWeights = fun k weights -> session.SetWeights(ProjectionId k, values k weights)
            Exists =
                shapes
                |> Array.mapi (fun k (post, pre, places) ->
                    existing post pre graph.Projections[k].Synapses places)
            Losses = fun () -> session.Metrics.CopyLosses()
            Loss =
                fun trial ->
                    let shown = session.Replay trial

                    // A trial without a target has no loss; rules then learn from penalties on rates only.
                    let loss =
                        if Array.forall ((=) 0.0) shown.Mask then
                            0.0
                        else
                            shown.Loss

                    loss + shown.RateCost
            Increments =
                fun time trial ->
                    match rule with
                    | None -> Array.create shapes.Length None
                    | Some rule ->
                        session.Increments(trial, rule, time)
                        |> Seq.mapi (fun k block -> block |> Option.ofObj |> Option.map (matrix k))
                        |> Array.ofSeq
            Capture = session.Capture
            Restore = session.Restore
        }
