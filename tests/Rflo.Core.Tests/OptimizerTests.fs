/// How updates follow from what a rule asks for: optimizers, clipping, rates and schedules against their formulas.
module Rflo.Core.Tests.OptimizerTests

open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.NoisyNetwork

/// Weights after some trials of RFLO with an optimizer, and what the rule asked for in each of them.
let private trained optimizer clip rates schedule trials =
    let plasticity =
        Plasticity(
            ThreeFactorRule.Rflo(),
            0.1,
            schedule,
            Optimizer = optimizer,
            Clip = clip,
            Rates = rates
        )

    let graph = noisy 3 plasticity
    let session = Session.Create(graph, Rewarding 9, 5L)

    [
        for _ in 1..trials do
            let asked =
                nonNull (
                    session.Increments(
                        session.TrialsDone,
                        ThreeFactorRule.Rflo(),
                        UpdateTime.TrialEnd
                    )[0]
                )

            let before = session.Weights(ProjectionId 0)
            session.Run 1 |> ignore
            before, asked, session.Weights(ProjectionId 0)
    ]

let private followsFrom name optimizer clip rates (next: int -> float[] -> float[] -> float[]) =
    for k, (before, asked, after) in
        List.indexed (trained optimizer clip rates UpdateSchedule.TrialEnd 6) do
        let expected = next k before asked
        Numbers.isLessThan (relative after expected) 1e-13 $"{name}, trial {k}"

let private follows name optimizer rates step =
    followsFrom name optimizer Clip.None rates (fun k before asked ->
        Array.map2 (+) before (step k asked))

[<Tests>]
let tests =
    testList "optimizers" [
        test "the plain optimizer, with rates that fall" {
            follows "plain" Optimizer.Plain (HalvedRate(2.0)) (fun k asked ->
                asked |> Array.map (fun g -> 0.1 * 0.5 ** (float k / 2.0) * g))

            follows "plain" Optimizer.Plain (InverseRate(3.0)) (fun k asked ->
                asked |> Array.map (fun g -> 0.1 / (1.0 + float k / 3.0) * g))
        }

        test "momentum" {
            let mutable velocity = Array.zeroCreate (units * units)

            follows "momentum" (Momentum 0.8) LearningRateSchedule.Constant (fun _ asked ->
                velocity <- Array.map2 (fun v g -> 0.8 * v + g) velocity asked
                velocity |> Array.map ((*) 0.1))
        }

        test "Nesterov's momentum" {
            let mutable velocity = Array.zeroCreate (units * units)

            follows "Nesterov" (Momentum(0.8, true)) LearningRateSchedule.Constant (fun _ asked ->
                velocity <- Array.map2 (fun v g -> 0.8 * v + g) velocity asked
                Array.map2 (fun v g -> 0.1 * (g + 0.8 * v)) velocity asked)
        }

        test "RMSprop" {
            let mutable square = Array.zeroCreate (units * units)

            follows "RMSprop" (RmsProp(0.9, 1e-6)) LearningRateSchedule.Constant (fun _ asked ->
                square <- Array.map2 (fun v g -> 0.9 * v + 0.1 * g * g) square asked
                Array.map2 (fun v g -> 0.1 * g / (sqrt v + 1e-6)) square asked)
        }

        test "AdamW is Adam on weights that decayed first" {
            let mutable mean, square =
                Array.zeroCreate (units * units), Array.zeroCreate (units * units)

            followsFrom
                "AdamW"
                (AdamW(0.5, 0.9, 0.99, 1e-6))
                Clip.None
                LearningRateSchedule.Constant
                (fun k before asked ->
                    mean <- Array.map2 (fun m g -> 0.9 * m + 0.1 * g) mean asked
                    square <- Array.map2 (fun v g -> 0.99 * v + 0.01 * g * g) square asked
                    let t = float (k + 1)

                    Array.map3
                        (fun w m v ->
                            w * (1.0 - 0.1 * 0.5)
                            + 0.1 * (m / (1.0 - 0.9 ** t)) / (sqrt (v / (1.0 - 0.99 ** t)) + 1e-6))
                        before
                        mean
                        square)
        }

        test "rates follow their schedules" {
            let constants = Array.empty

            let factors (schedule: LearningRateSchedule) =
                [ 0; 1; 2; 3; 7 ]
                |> List.map (fun trial -> schedule.Factor(trial, System.ReadOnlySpan constants))

            let expect name schedule expected =
                for found, wanted in List.zip (factors schedule) expected do
                    Expect.floatClose Accuracy.veryHigh found wanted name

            expect "constant" (ConstantRate()) [ 1.0; 1.0; 1.0; 1.0; 1.0 ]
            expect "halved" (HalvedRate 2.0) [ 1.0; sqrt 0.5; 0.5; 0.5 * sqrt 0.5; 0.5 ** 3.5 ]
            expect "inverse" (InverseRate 2.0) [ 1.0; 2.0 / 3.0; 0.5; 0.4; 1.0 / 4.5 ]
            expect "steps" (SteppedRate(3, 0.1)) [ 1.0; 1.0; 1.0; 0.1; 0.01 ]

            expect "cosine" (CosineRate(4.0, 0.2)) [
                1.0
                0.2 + 0.4 * (1.0 + sqrt 0.5)
                0.6
                0.2 + 0.4 * (1.0 - sqrt 0.5)
                0.2
            ]

            expect "warm-up" (WarmUp(2, HalvedRate 1.0)) [ 0.5; 1.0; 1.0; 0.5; 1.0 / 32.0 ]
        }

        test "rates fall on a plateau of the mean loss, and not before" {
            let schedule = PlateauRate(0.5, 2, 0.2)
            let memory = Array.zeroCreate schedule.Memory
            schedule.Initialize(System.Span memory)

            let factors =
                [
                    nan
                    1.0
                    0.9
                    0.8995
                    0.8999
                    0.5
                    nan
                    0.5
                    0.6
                    0.7
                    0.8
                    0.9
                    0.95
                ]
                |> List.mapi (fun trial loss ->
                    schedule.Observe(trial, loss, System.Span memory)
                    schedule.Factor(trial + 1, System.ReadOnlySpan memory))

            // Two trials that are not smaller by a thousandth; then the best, and two pairs of others.
            Expect.equal
                factors
                [
                    1.0
                    1.0
                    1.0
                    1.0
                    0.5
                    0.5
                    0.5
                    0.5
                    0.25
                    0.25
                    0.2
                    0.2
                    0.2
                ]
                "factors"
        }

        test "clipped together, projections and time constants share one norm" {
            let tally = Tally()

            forAll (cases 20 500) RandomCircuits.anyCircuit (fun case ->
                // A time constant of dt cannot become shorter, whatever the gradient.
                let mayBeHeld = case.Circuit.Areas |> List.exists (fun area -> fst area.Tau < 1.5)

                let run clip =
                    let plan = Plasticity(BpttRule(), 1e-3, UpdateSchedule.TrialEnd, Clip = clip)

                    let session =
                        InCore.sessionWith
                            {
                                InCore.asDeclared with
                                    Plasticity = fun _ -> plan
                                    Tau = (if mayBeHeld then None else Some plan)
                                    Initial = Some plan
                            }
                            case

                    let all () = [|
                        for k in 0 .. session.Graph.Projections.Count - 1 do
                            yield! session.Weights(ProjectionId k)
                        for k in 0 .. session.Graph.Areas.Count - 1 do
                            yield! Array.map log (session.TimeConstants(AreaId k))
                            yield! session.InitialStates(AreaId k)
                    |]

                    let before = all ()
                    session.Run 1 |> ignore
                    Array.map2 (fun a b -> (a - b) / 1e-3) (all ()) before

                let free = run Clip.None
                tally.Count()

                if not (norm free > 1e-4 && norm free < 1e4) then
                    tally.Idle()
                else
                    let clipped = run (Clip.All(0.25 * norm free))

                    Numbers.isLessThan
                        (relative clipped (Array.map ((*) 0.25) free))
                        1e-6
                        "one factor"

                    Numbers.isLessThan
                        (relative (run (Clip.All(2.0 * norm free))) free)
                        1e-9
                        "none")

            tally.Demand 0.3
        }

        test "Adam" {
            let mutable mean, square =
                Array.zeroCreate (units * units), Array.zeroCreate (units * units)

            follows "Adam" (Adam(0.9, 0.99, 1e-6)) LearningRateSchedule.Constant (fun k asked ->
                mean <- Array.map2 (fun m g -> 0.9 * m + 0.1 * g) mean asked
                square <- Array.map2 (fun v g -> 0.99 * v + 0.01 * g * g) square asked
                let t = float (k + 1)

                Array.map2
                    (fun m v ->
                        0.1 * (m / (1.0 - 0.9 ** t)) / (sqrt (v / (1.0 - 0.99 ** t)) + 1e-6))
                    mean
                    square)
        }

        test "updates are clipped to their norm, and small ones are not touched" {
            let step limit asked =
                let size: float = norm asked

                asked
                |> Array.map (fun g -> 0.1 * g * (if size > limit then limit / size else 1.0))

            for limit in [ 1e-3; 1e3 ] do
                followsFrom
                    $"limit {limit}"
                    Optimizer.Plain
                    (Clip.Each limit)
                    LearningRateSchedule.Constant
                    (fun _ before asked -> Array.map2 (+) before (step limit asked))
        }

        test "every k steps is online for k = 1, and tends to it as the rate falls" {
            let after schedule rate =
                let graph = noisy 3 (Plasticity(ThreeFactorRule.Rflo(), rate, schedule))
                let session = Session.Create(graph, Rewarding 9, 5L)
                session.Run 2 |> ignore
                session.Weights(ProjectionId 0)

            let every k =
                UpdateSchedule(UpdateTime.EverySteps, k)

            Numbers.isLessThan
                (relative (after (every 1) 0.1) (after UpdateSchedule.Online 0.1))
                1e-13
                "k = 1"

            let apart rate =
                norm (Array.map2 (-) (after (every 3) rate) (after UpdateSchedule.Online rate))
                / rate

            Numbers.isGreaterThan (apart 0.1) 1e-6 "k = 3 is something else"
            let ratio = apart 0.005 / apart 0.01
            Numbers.isLessThan (abs (ratio - 0.5)) 0.1 "half the rate, half the difference"
        }
    ]
