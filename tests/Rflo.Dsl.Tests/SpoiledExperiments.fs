/// Mistakes in what stands around a circuit.
module Rflo.Dsl.Tests.SpoiledExperiments

open Rflo.Dsl
open Rflo.Dsl.Tests.Planting

/// Mistakes in the experiment's rule.
let private ruled name needs ways =
    kind name (fun e -> [
        for rule, fault in ways e e.Rule do
            { e with Rule = rule } |> inExperiment 4 (always fault) [ "rule" ] needs
    ])

let all = [
    kind "experiment without a name" (fun e -> [
        { e with Name = "" } |> inExperiment 0 (always (BadName "")) [ "name" ] []
    ])
    kind "dt that is no duration" (fun e -> [
        for dt in [ 0.0<ms>; -1.0<ms>; nan * 1.0<ms>; infinity * 1.0<ms> ] do
            { e with Dt = dt }
            |> inExperiment 1 (notAllowed "dt" $"{float dt} ms" "finite and more than 0 ms") [
                "dt"
            ] []
    ])
    kind "negative number of trials" (fun e -> [
        { e with Trials = -3 }
        |> inExperiment 2 (notAllowed "the number of trials" "-3" "at least 0") [ "trials" ] []
    ])
    kind "unknown precision" (fun e -> [
        { e with Precision = enum 7 }
        |> inExperiment 3 (notAllowed "precision" "7" "one of Double, Single") [ "precision" ] []
    ])
    kind "loss to stop at that is no number" (fun e -> [
        for loss in [ nan; infinity ] do
            {
                e with
                    Stopping = {
                        e.Stopping with
                            TargetLoss = Some loss
                    }
            }
            |> inExperiment 6 (notAllowed "the loss to stop at" (string loss) "finite") [
                "target loss"
            ] []
    ])
    kind "no patience" (fun e -> [
        {
            e with
                Stopping = { e.Stopping with Patience = Some 0 }
        }
        |> inExperiment 7 (notAllowed "the patience" "0" "at least 1") [ "patience" ] []
    ])
    kind "BPTT online" (fun e -> [
        if e.Rule.Credit = BackwardInTime then
            {
                e with
                    Rule = { e.Rule with Update = Online }
            }
            |> inExperiment
                4
                (always (
                    RuleCannot(
                        e.Rule.Name,
                        "update online, since it passes errors backward over a whole trial",
                        "use update trialEnd, or Rule.rtrl with update online"
                    )
                )) [ "rule" ] []
    ])
    kind "updates every 0 trials" (fun e -> [
        {
            e with
                Rule = {
                    e.Rule with
                        Update = EveryTrials(0, Sum)
                }
        }
        |> inExperiment 4 (notAllowed "the number of trials between updates" "0" "at least 1") [
            "rule"
        ] []
    ])
    ruled "momentum that never forgets" [] (fun _ rule -> [
        {
            rule with
                Optimizer = Optimizer.momentum 1.0
        },
        NotAllowed("the memory of momentum", "1", "in [0, 1)")
    ])
    ruled "memory of Adam below 0" [] (fun _ rule -> [
        {
            rule with
                Optimizer = Optimizer.adamWith 0.9 -0.5
        },
        NotAllowed("a memory of Adam", "-0.5", "in [0, 1)")
    ])
    ruled "constants of other optimizers" [] (fun _ rule -> [
        {
            rule with
                Optimizer = Optimizer.rmsProp 1.0
        },
        NotAllowed("the memory of RMSprop", "1", "in [0, 1)")
        {
            rule with
                Optimizer = Optimizer.adamW -0.1
        },
        NotAllowed("the weight decay of AdamW", "-0.1", "finite and at least 0")
    ])
    ruled "clipping at 0" [] (fun _ rule -> [
        for norm in [ 0.0; -1.0; nan ] do
            for clip in [ Clip.Each norm; Clip.All norm ] do
                { rule with Clip = clip },
                NotAllowed("the norm at which updates are clipped", string norm, "more than 0")
    ])
    ruled "rates that fall in no trial" [] (fun _ rule -> [
        for rates in
            [
                Schedule.halvedEvery 0.0
                Schedule.inverse 0.0
                Schedule.cosine 0.0
                Schedule.warmUp 3 (Schedule.halvedEvery 0.0)
            ] do
            { rule with Schedule = rates },
            NotAllowed("the number of trials in which rates fall", "0", "finite and more than 0")
    ])
    ruled "least squares of a number out of range" [] (fun _ rule -> [
        match rule.Readout with
        | RecursiveLeastSquares(alpha, forgetting, every) ->
            for wrong in [ 0.0; -1.0; nan; infinity ] do
                {
                    rule with
                        Readout = RecursiveLeastSquares(wrong, forgetting, every)
                },
                NotAllowed("alpha of the least squares", string wrong, "finite and more than 0")

            for wrong in [ 0.0; 1.5; nan ] do
                {
                    rule with
                        Readout = RecursiveLeastSquares(alpha, wrong, every)
                },
                NotAllowed("the forgetting of the least squares", string wrong, "in (0, 1]")

            {
                rule with
                    Readout = RecursiveLeastSquares(alpha, forgetting, 0)
            },
            NotAllowed("the number of steps between least squares", "0", "at least 1")
        | _ -> ()
    ])
    ruled "ridge regression of a number out of range" [ "dt" ] (fun e rule -> [
        match rule.Readout with
        | RidgeRegression(alpha, washout, every) ->
            for wrong in [ 0.0; -1.0; nan; infinity ] do
                {
                    rule with
                        Readout = RidgeRegression(wrong, washout, every)
                },
                NotAllowed("alpha of the ridge regression", string wrong, "finite and more than 0")

            for wrong in [ -e.Dt; nan * e.Dt; infinity * e.Dt ] do
                {
                    rule with
                        Readout = RidgeRegression(alpha, wrong, every)
                },
                NotAllowed("the washout", $"{float wrong} ms", "finite and at least 0 ms")

            {
                rule with
                    Readout = RidgeRegression(alpha, 1.5 * e.Dt, every)
            },
            NotWholeSteps("the washout", 1.5 * e.Dt, e.Dt)

            {
                rule with
                    Readout = RidgeRegression(alpha, washout, 0)
            },
            NotAllowed("the number of trials between ridge regressions", "0", "at least 1")
        | _ -> ()
    ])
    ruled "updates every 0 steps" [] (fun _ rule -> [
        match rule.Credit with
        | BackwardInTime
        | Local { Modulator = { Signal = TrialReward } } -> ()
        | _ ->
            { rule with Update = EverySteps 0 },
            NotAllowed("the number of steps between updates", "0", "at least 1")
    ])
    ruled "window that is no whole number of steps" [ "dt" ] (fun e rule -> [
        match rule.Credit with
        | TruncatedBackward(_, stride) ->
            let odd = stride + 10.5 * e.Dt

            {
                rule with
                    Credit = TruncatedBackward(odd, stride)
            },
            NotWholeSteps("the window", odd, e.Dt)
        | _ -> ()
    ])
    ruled "stride shorter than a step" [ "dt" ] (fun e rule -> [
        match rule.Credit with
        | TruncatedBackward(window, _) ->
            for stride in [ 0.0<ms>; -1.0<ms>; e.Dt / 2.0; nan * 1.0<ms> ] do
                {
                    rule with
                        Credit = TruncatedBackward(window, stride)
                },
                NotAllowed(
                    "the stride",
                    $"{float stride} ms",
                    $"finite and at least one step, {float e.Dt} ms"
                )
        | _ -> ()
    ])
    ruled "window shorter than the stride" [] (fun _ rule -> [
        match rule.Credit with
        | TruncatedBackward(_, stride) ->
            {
                rule with
                    Credit = TruncatedBackward(stride, 2.0 * stride)
                    Update = TrialEnd
            },
            NotAllowed(
                "the window",
                $"{float stride} ms",
                $"at least the stride, {float (2.0 * stride)} ms, so that every error is used"
            )
        | _ -> ()
    ])
    ruled "updates between looks back" [ "dt" ] (fun e rule -> [
        match rule.Credit with
        | TruncatedBackward(_, stride) ->
            let k = int (round (stride / e.Dt)) + 1

            if k > 2 then
                { rule with Update = EverySteps k },
                RuleCannot(
                    rule.Name,
                    $"update every {k} steps, since it passes errors backward every {float stride} ms",
                    "use update online, which updates after each of these passes"
                )
        | _ -> ()
    ])
    ruled "sensitivities learned at a rate above 1" [] (fun _ rule -> [
        match rule.Credit with
        | LearnedSensitivity _ ->
            for rate in [ 1.5; -0.1; nan ] do
                {
                    rule with
                        Credit = LearnedSensitivity rate
                },
                NotAllowed("the rate at which sensitivities are learned", string rate, "in [0, 1]")
        | _ -> ()
    ])
    ruled "trace shorter than a step" [ "dt" ] (fun e rule -> [
        match rule.Credit with
        | Local trace when trace.Trace <> OwnJacobian ->
            {
                rule with
                    Credit =
                        Local {
                            trace with
                                Trace = TraceTau(e.Dt / 2.0)
                        }
            },
            NotAllowed(
                "the time constant of the trace",
                $"{float (e.Dt / 2.0)} ms",
                $"finite and at least one step, {float e.Dt} ms"
            )
        | _ -> ()
    ])
    ruled "running mean over half a trial" [] (fun _ rule -> [
        match rule.Credit with
        | Local trace ->
            {
                rule with
                    Credit =
                        Local {
                            trace with
                                Post = trace.Post |> Rule.minusMean (OverTrials 0.5)
                        }
            },
            NotAllowed("the running mean of the post factor", "over 0.5 trials", "over at least 1")
        | _ -> ()
    ])
    ruled "reward of a trial before its end" [] (fun _ rule -> [
        match rule.Credit with
        | Local { Modulator = { Signal = TrialReward } } ->
            { rule with Update = Online },
            RuleCannot(
                rule.Name,
                "update online, since the reward of a trial is known at its end",
                "use update trialEnd, or the reward of each step, Rule.the StepReward"
            )
        | _ -> ()
    ])
    kind "nothing learns" (fun e -> [
        { e with Trials = 5 }
        |> withCircuit (fun c -> {
            c with
                Projections = c.Projections |> List.map frozen
        })
        |> inExperiment 5 (always NothingLearns) [ "learning" ] [ "trials" ]
    ])
]
