namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// Runs beyond the paper: other approximations of the gradient on its task, and its loop under harder conditions.
[<RequireQualifiedAccess>]
module internal Beyond =

    module C = Conditions

    /// Rules and rates. The stochastic rules need smaller rates: their increments are right on average and large between.
    let private rules = [
        Rule.rflo, 0.03
        Rule.localSymmetric, 0.03
        Rule.eprop, 0.03
        Rule.snap1, 0.03
        Rule.truncatedBptt 20.0<ms> 10.0<ms>, 0.03
        Rule.kernl, 0.03
        Rule.uoro, 0.001
        Rule.kfRtrl, 0.003
        Rule.bptt, 0.03
    ]

    let private key (rule: Rule) = $"beyond {rule.Name}"

    let private named (rule: Rule, _) = rule.Name, key rule

    let private conditions (size: PaperSize) =
        rules
        |> List.map (fun (rule, rate) ->
            Condition.alone
                (key rule)
                Beyond
                (Models.ofPeriodic {
                    Models.periodic with
                        Rule = rule
                        Rate = rate
                        Trials = size.Trials Models.periodic.Trials
                }))

    let private microseconds (run: PaperRun) =
        1e6 * run.Seconds / (200.0 * float run.Losses.Length)

    let private cost = {
        Id = "cost"
        Text = "What each approximation costs: time of a step, median over runs."
        Source = "not in the paper"
        Threshold =
            "every local rule costs at most twice RFLO's time; runs that share the cores are slower than alone"
        Decide =
            fun results ->
                let times =
                    rules
                    |> List.map (fun (rule, _) ->
                        rule, Runs.median (Runs.of' results (key rule) |> List.map microseconds))

                let own = times |> List.find (fun (rule, _) -> rule = Rule.rflo) |> snd

                let text =
                    times
                    |> List.map (fun (rule, time) -> $"{rule.Name} %.2f{time} us")
                    |> String.concat ", "

                let local =
                    times
                    |> List.filter (fun (rule, _) ->
                        List.contains rule [ Rule.localSymmetric; Rule.eprop; Rule.snap1 ])

                Claims.found
                    (local |> List.forall (fun (_, time) -> time <= 2.0 * own))
                    (rules.Length * (Runs.of' results (key Rule.rflo)).Length)
                    text
    }

    let approximations = {
        Id = "beyond"
        Title = "Beyond the paper: other approximations of the gradient"
        About =
            "The task of Fig 2 at T = 200 by rules that the paper does not try, from the same initial weights: what each buys, and what it costs."
        Notes = [
            "Rates are 0.03, the best of the paper's grid for RFLO and BPTT, but 0.001 for UORO and 0.003 for KF-RTRL, which diverge at 0.03; none was tuned further. E-prop and the symmetric local rule are the same rule for these units."
        ]
        Conditions = conditions
        Claims = [
            Claims.ofMedians
                "all learn"
                "Every one of them learns."
                "not in the paper"
                "median final loss below 0.1 (an output of 0 has 0.328)"
                (List.map named rules)
                (List.forall (fun loss -> loss < 0.1))
            Claims.ofMedians
                "e-prop"
                "E-prop is the symmetric local rule."
                "not in the paper"
                "equal median final losses"
                [
                    "e-prop", key Rule.eprop
                    "local-symmetric", key Rule.localSymmetric
                ]
                (fun medians -> medians[0] = medians[1])
            cost
        ]
        Panels =
            fun results -> [
                Panels.losses
                    "Loss, local rules"
                    "T = 200."
                    (rules |> List.take 4 |> List.map named)
                    results
                Panels.losses
                    "Loss, other approximations, and BPTT"
                    "T = 200."
                    (rules |> List.skip 4 |> List.map named)
                    results
            ]
    }

    // The loop.

    let private stage name = $"syllables, {name}"
    let private loop name = $"loop, {name}"

    let private held = C.sequence C.held
    let private square = Models.square held

    let private otherWay = {
        square with
            Sequence = [ 1; 0; 3; 2 ]
    }

    let private variants = [
        "dale", Modules.syllables 100 4 0.01 |> Circuit.mapArea "cortex" (dale 0.5), Rule.rflo
        "online", Modules.syllables 100 4 0.01, { Rule.rflo with Update = Online }
    ]

    let private loopConditions (size: PaperSize) = [
        let count = size.Trials 10_000

        let first =
            C.ofSequence C.held size |> List.find (fun c -> c.Key = C.syllables C.held)

        first

        Condition.following (loop "other order") Beyond first.Key (fun run ->
            Models.loop
                otherWay
                (Modules.syllables 100 4 0.01)
                Rule.rewardHebb
                run.Final.Value
                count)

        for name, circuit, learningRule in variants do
            Condition.alone
                (stage name)
                Beyond
                (experiment "syllables" circuit (Task.syllables held.Task)
                 |> rule learningRule
                 |> trials count)

            Condition.following (loop name) Beyond (stage name) (fun run ->
                Models.loop square circuit Rule.rewardHebb run.Final.Value count)
    ]

    let private performs name text =
        Figure4.transitions name text "not in the paper" (loop name) true

    let loops = {
        Id = "beyond-loop"
        Title = "Beyond the paper: the loop under harder conditions"
        About =
            "The loop of Fig 4 with another order of the same syllables, with Dale's law in cortex, and with cortex learning online."
        Notes = [
            "Cortex is trained on syllables in random order and never on a sequence; only striatum learns the order."
        ]
        Conditions = loopConditions
        Claims = [
            performs
                "other order"
                "The same cortex serves another sequence, of which only striatum learns the order."
            performs "dale" "It works with Dale's law in cortex, half of the units excitatory."
            performs "online" "It works with a cortex that learned online."
        ]
        Panels =
            fun results -> [
                Panels.losses
                    "Loss of the syllables"
                    "Stage 1: one syllable a trial."
                    [
                        "as in Fig 4", C.syllables C.held
                        "Dale", stage "dale"
                        "online", stage "online"
                    ]
                    results
            ]
    }
