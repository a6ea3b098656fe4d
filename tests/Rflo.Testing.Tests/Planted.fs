/// Rules and learners that break the laws on purpose.
module Rflo.Testing.Tests.Planted

open Rflo.Dsl
open Rflo.Testing

/// The rule of examples/06-your-own-rule.fsx.
let centred =
    Rule.local "slow-and-centred" {
        Trace = TraceTau 30.0<ms>
        Post = Rule.the Slope |> Rule.map "clipped" (fun slope -> min slope 0.08)
        Pre = Rule.the Presynaptic |> Rule.minusMean (OverTime 50.0<ms>)
        Modulator = Rule.the FeedbackError
        Oja = false
    }

/// A rule whose function remembers the last number that it saw, of whatever unit and run that was.
let remembering () =
    let last = ref 0.0

    let change x =
        let before = last.Value
        last.Value <- x
        x - before

    Rule.local "remembering" {
        Trace = NoTrace
        Post = Rule.the Rate |> Rule.map "change" change
        Pre = Rule.the Presynaptic
        Modulator = Rule.the Unmodulated
        Oja = false
    }

/// The core, whose weights somebody spoils once it has trained: `spoil learner k i j w`.
let spoiling spoil (ready: CheckedExperiment) : Learner =
    let core = Learner.ofCore ready
    let mutable hasTrained = false

    {
        core with
            Train =
                fun trials ->
                    core.Train trials
                    hasTrained <- true
            Weights =
                fun () ->
                    let weights = core.Weights()

                    if hasTrained then
                        weights
                        |> Array.mapi (fun k matrix ->
                            matrix |> Array2D.mapi (fun i j w -> spoil ready core k i j w))
                    else
                        weights
    }

let private bitMore w = System.Math.BitIncrement(w: float)

let private projection (ready: CheckedExperiment) k = ready.Experiment.Circuit.Projections[k]

/// Each law that a rule cannot break, with a learner that does.
let learners = [
    "rate zero",
    (fun rule settings -> Laws.rateZeroChangesNothing (rule, settings)),
    spoiling (fun _ _ _ _ _ w -> bitMore w)
    "frozen",
    (fun rule settings -> Laws.frozenStaysFrozen (rule, settings)),
    spoiling (fun ready _ k _ _ w ->
        if (projection ready k).Plasticity = Frozen then
            bitMore w
        else
            w)
    "Dale's law",
    (fun rule settings -> Laws.daleHolds (rule, settings)),
    spoiling (fun _ _ _ _ _ w -> -w)
    "masks",
    (fun rule settings -> Laws.masksStayZero (rule, settings)),
    spoiling (fun _ core k i j w ->
        let exists = core.Exists[k]
        if exists[i, j] then w else 1e-12)
    "bounds",
    (fun rule settings -> Laws.boundsHold (rule, settings)),
    spoiling (fun ready _ k _ _ w ->
        match (projection ready k).Bounds with
        | Some(_, high) -> bitMore high
        | None -> w)
]
