namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// The paper's grid search of learning rates, again.
[<RequireQualifiedAccess>]
module internal Grid =

    module C = Conditions

    /// The grid, as printed.
    let rates = [ 1e-4; 3e-4; 1e-3; 3e-3; 1e-2; 3e-2; 1e-1; 3e-1 ]

    let private rules = [ Rule.rflo, C.rfloRate; Rule.bptt, C.bpttRate ]

    let private key (rule: Rule) period (rate: float) =
        $"grid {rule.Name} T={period}, rate {string rate}"

    let private losses results rule period =
        rates
        |> List.map (fun rate -> rate, Runs.median (Runs.finals results (key rule period rate)))

    let private claim (rule: Rule, printed: int -> float) = {
        Id = rule.Name
        Text = $"The printed rates of {rule.Name} are the best of the grid."
        Source = "Methods; legend of Fig 2b"
        Threshold =
            "at every period the printed rate's median final loss is within a factor 2 of the best rate's"
        Decide =
            fun results ->
                let found =
                    C.periods
                    |> List.map (fun period ->
                        let all = losses results rule period
                        let rate, loss = List.minBy snd all

                        let own =
                            all |> List.find (fun (known, _) -> known = printed period) |> snd

                        period, rate, loss, own)

                let text =
                    found
                    |> List.map (fun (period, rate, loss, own) ->
                        $"T = {period}: best {string rate} ({Claims.loss loss}), printed {string (printed period)} ({Claims.loss own})")
                    |> String.concat "; "

                let runs = (Runs.of' results (key rule 200 0.03)).Length

                Claims.found
                    (found |> List.forall (fun (_, _, loss, own) -> own <= 2.0 * loss))
                    (C.periods.Length * rates.Length * runs)
                    text
    }

    let figure = {
        Id = "grid"
        Title = "Learning rates: the paper's grid search"
        About =
            "RFLO and BPTT at every rate of the paper's grid, for the periods of Fig 2b. Not part of `all`."
        Notes = [
            "BPTT is not clipped here, as in the paper; runs that diverge count as larger than any other."
        ]
        Conditions =
            fun size -> [
                for rule, printed in rules do
                    for period in C.periods do
                        for rate in rates do
                            Condition.alone
                                (key rule period rate)
                                (Simulation(
                                    $"fig2-{rule.Name}-{period}",
                                    [
                                        if rate <> printed period then
                                            "rate", "the paper's grid"
                                    ]
                                ))
                                (Models.ofPeriodic {
                                    Models.periodic with
                                        Rule = rule
                                        Period = float period * 1.0<ms>
                                        Rate = rate
                                        Trials = size.Trials Models.periodic.Trials
                                })
            ]
        Claims = List.map claim rules
        Panels =
            fun results ->
                rules
                |> List.map (fun (rule, _) ->
                    Panels.finals
                        $"Final loss v. rate, {rule.Name}"
                        "One curve for each period T."
                        "learning rate"
                        (C.periods
                         |> List.map (fun period ->
                             $"T = {period}",
                             rates |> List.map (fun rate -> rate, key rule period rate)))
                        results)
    }
