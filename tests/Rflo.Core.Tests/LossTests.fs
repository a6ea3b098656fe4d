/// Losses beside the nonlinearities of readouts: their formulas, their slopes, and what is refused.
module Rflo.Core.Tests.LossTests

open System
open Expecto
open Rflo.Core

let private all: (Loss * float list * float list) list = [
    // A loss, some outputs and some targets.
    SquaredError(), [ -2.0; 0.3; 4.0 ], [ -1.0; 0.0; 2.5 ]
    HuberLoss 0.7, [ -2.0; 0.31; 4.0 ], [ -1.0; 0.0; 2.5 ]
    PoissonLoss(), [ 0.02; 0.7; 9.0 ], [ 0.0; 1.0; 5.0 ]
    HingeLoss 1.5, [ -2.0; 0.3; 4.0 ], [ -1.0; 1.0 ]
    CrossEntropy(), [ 0.02; 0.5; 0.98 ], [ 0.0; 0.4; 1.0 ]
]

/// One unit of rate 0.5, read with a weight of its own.
let private session (readout: ReadoutSpec) weight target =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "a",
                Units = 1,
                Alpha = [| 1.0 |],
                Transfer = Transfer.Identity,
                InitialRates = [| 0.0 |]
            )
        )

    let y = builder.AddReadout readout

    ProjectionSpec(
        Name = "bias->a",
        Source = Source.One,
        Target = Target.Area area,
        Synapses = Synapses.Dense [| 0.5 |]
    )
    |> builder.AddProjection
    |> ignore

    let read =
        ProjectionSpec(
            Name = "a->y",
            Source = Source.Area area,
            Target = Target.Readout y,
            Synapses = Synapses.Dense [| weight |],
            Plasticity = Plasticity(BpttRule(), 1.0, UpdateSchedule.TrialEnd)
        )
        |> builder.AddProjection

    let task =
        Networks.Given(Array.create 3 [||], Array.create 3 [| target |], (fun _ -> 3))

    Session.Create(builder.Build(), task, 1L), read

let private sigmoid x = 1.0 / (1.0 + exp -x)

/// What each nonlinearity makes of a sum.
let private outputs = [
    OutputKind.Linear, id
    OutputKind.Sigmoid, sigmoid
    OutputKind.Exponential, exp
    OutputKind.Softplus, (fun s -> log (1.0 + exp s))
]

[<Tests>]
let tests =
    testList "losses" [
        test "have the slopes that differences of their values have" {
            for loss, outputs, targets in all do
                for y in outputs do
                    for target in targets do
                        let step = 1e-6

                        let slope =
                            (loss.Value(y + step, target) - loss.Value(y - step, target))
                            / (2.0 * step)

                        Numbers.isLessThan
                            (abs (slope - loss.Slope(y, target)))
                            (1e-7 * (1.0 + abs slope))
                            $"{loss} of {y} and {target}"
        }

        test "are their formulas" {
            let close name found wanted =
                Expect.floatClose Accuracy.veryHigh found wanted name

            close "squared" (SquaredError().Value(1.0, 3.0)) 2.0
            close "Huber within" (HuberLoss(0.5).Value(1.0, 1.4)) (0.5 * 0.4 * 0.4)
            close "Huber beyond" (HuberLoss(0.5).Value(1.0, 3.0)) (0.5 * (2.0 - 0.25))
            close "Poisson" (PoissonLoss().Value(2.0, 3.0)) (2.0 - 3.0 * log 2.0)
            close "Poisson of no count" (PoissonLoss().Value(2.0, 0.0)) 2.0
            close "hinge" (HingeLoss(1.0).Value(0.25, -1.0)) 1.25
            close "hinge, right by the margin" (HingeLoss(1.0).Value(1.5, 1.0)) 0.0
        }

        test "reach weights through every nonlinearity, with the value that is recorded" {
            for loss, _, targets in all do
                for kind, output in outputs do
                    let isMeant =
                        match loss.Outputs with
                        | null -> true
                        | meant -> Seq.contains kind meant

                    for target in targets do
                        for weight in [ -1.7; 0.9 ] do
                            if isMeant then
                                let readout =
                                    ReadoutSpec(Name = "y", Outputs = 1, Kind = kind, Loss = loss)

                                let session, read = session readout weight target
                                let found = session.Replay(0).Loss

                                let wanted w =
                                    let y = output (0.5 * w)

                                    match loss, kind with
                                    | :? CrossEntropy, OutputKind.Sigmoid ->
                                        -target * log y - (1.0 - target) * log (1.0 - y)
                                    | _ -> loss.Value(y, target)

                                let what = $"{loss} of a {kind} readout, target {target}"
                                Expect.floatClose Accuracy.high found (wanted weight) what
                                session.Run 1 |> ignore
                                let step = 1e-6

                                let slope =
                                    (wanted (weight + step) - wanted (weight - step)) / (2.0 * step)

                                Numbers.isLessThan
                                    (abs (session.Weights(read)[0] - (weight - slope)))
                                    (1e-7 * (1.0 + abs slope))
                                    what
        }

        test "that have no meaning for an output, or no constants, are refused by name" {
            let refused words (readout: ReadoutSpec) =
                let message =
                    try
                        session readout 1.0 0.5 |> ignore
                        ""
                    with :? ArgumentException as e ->
                        e.Message

                for word in words do
                    Expect.stringContains message word $"%A{readout.Loss}"

            let readout kind loss =
                ReadoutSpec(Name = "hand", Outputs = 1, Kind = kind, Loss = loss)

            refused
                [ "hand"; "Poisson loss"; "Exponential" ]
                (readout OutputKind.Linear (PoissonLoss()))

            refused
                [ "hand"; "cross-entropy"; "Softmax" ]
                (readout OutputKind.Linear (CrossEntropy()))

            refused [ "hand"; "delta"; "-1" ] (readout OutputKind.Linear (HuberLoss -1.0))
            refused [ "hand"; "margin"; "0" ] (readout OutputKind.Linear (HingeLoss 0.0))
        }

        test "a circuit that diverges is said to, whatever its rates cost" {
            for kind in [ PenaltyKind.Square; PenaltyKind.Absolute ] do
                let rules: LearningRule list = [ BpttRule(); RtrlRule(); ThreeFactorRule.Rflo() ]

                for rule in rules do
                    let builder = GraphBuilder()

                    let area =
                        builder.AddArea(
                            AreaSpec(
                                Name = "a",
                                Units = 2,
                                Alpha = [| 1.0; 1.0 |],
                                Transfer = Transfer.Identity,
                                InitialRates = [| 1.0; 1.0 |],
                                Penalties = [| RatePenalty(kind, 0.1) |]
                            )
                        )

                    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))
                    let plastic = Plasticity(rule, 0.1, UpdateSchedule.TrialEnd)

                    // Rates grow beyond all numbers, and the difference of two such is none.
                    builder.AddProjection(
                        ProjectionSpec(
                            Name = "a->a",
                            Source = Source.Area area,
                            Target = Target.Area area,
                            Synapses = Synapses.Dense [| 3.0; -3.0; 3.0; 3.0 |],
                            Plasticity = plastic
                        )
                    )
                    |> ignore

                    builder.AddProjection(
                        ProjectionSpec(
                            Name = "a->y",
                            Source = Source.Area area,
                            Target = Target.Readout y,
                            Synapses = Synapses.Dense [| 1.0; 1.0 |],
                            Plasticity = plastic
                        )
                    )
                    |> ignore

                    builder.AddFeedback(
                        FeedbackSpec(Readout = y, Area = area, Matrix = [| 1.0; 1.0 |])
                    )

                    let task = {
                        new ITask with
                            member _.Inputs = 0
                            member _.Outputs = 1
                            member _.MaxSteps = 800
                            member _.Events = 0
                            member _.Fill(_, _, _) = ()
                    }

                    let status = (Session.Create(builder.Build(), task, 1L)).Run 2
                    Expect.equal status.End RunEnd.Diverged $"{rule.GetType().Name}, {kind}"
        }
    ]
