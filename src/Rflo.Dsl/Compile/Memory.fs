namespace Rflo.Dsl

open System
open Rflo.Core

/// The memory that an experiment needs, before a weight is drawn or a session is made.
[<RequireQualifiedAccess>]
module Memory =

    /// Connections of which only the number is counted.
    let private sized
        _
        _
        (projection: Projection)
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        =
        let post, pre = target.Size, source.Size
        let all = float post * float pre

        let declared =
            match projection.Connectivity, projection.Weights with
            | _, OneToOne _ -> float post
            | Mask matrix, _ -> matrix |> Seq.cast<bool> |> Seq.filter id |> Seq.length |> float
            | _, GivenSparse weights -> float weights.Values.Length
            | Density fraction, _ -> fraction * all
            | Dense, _ -> all

        // Of the connections that may exist, about so many are those of units with themselves.
        let existing =
            if Wiring.sparesSelf projection then
                declared - declared / all * float (min post pre)
            else
                declared

        let isMasked =
            existing < all
            || match projection.Connectivity, projection.Weights with
               | Mask _, _
               | _, GivenSparse _
               | _, OneToOne _ -> true
               | _ -> false

        Synapses.OfSize(int64 (Math.Round existing), Wiring.isSparse projection post pre, isMasked)

    /// The plan of an experiment without problems: its operators, forms and buffers, as those of the session that trains it.
    let plan (experiment: Experiment) =
        let angles =
            experiment.Probes
            |> List.choose (fun watched ->
                match watched.Probe with
                | Probe.Angle(rule, reference) ->
                    Some(GraphCompile.angle experiment watched.Every rule reference)
                | _ -> None)

        Plan.Of(
            GraphCompile.graph sized experiment,
            TaskCompile.compile experiment.Circuit.Readouts experiment.Dt experiment.Task,
            experiment.Precision,
            experiment.Lanes,
            angles
        )
