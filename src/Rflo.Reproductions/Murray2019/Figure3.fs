namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// Fig 3 of the paper: interval matching.
[<RequireQualifiedAccess>]
module internal Figure3 =

    module C = Conditions

    let private task (run: PaperRun) =
        match run.Experiment.Task.Kind with
        | ReadySetGo task -> task
        | _ -> invalidOp $"{run.Experiment.Name} is no interval matching"

    let private longest run =
        match (task run).Delays with
        | DrawnBetween(_, longest) -> longest
        | InTurn delays -> List.max delays

    /// Slope and error of a run over delays up to some, in ms.
    let timing upTo run =
        TestTrials.intervals (task run) (longest run) run
        |> List.filter (fun (target, _) -> target <= upTo)
        |> TestTrials.timing

    /// A slope of at least 0.6 of produced against target delay, and an error of at most 1.5 time constants.
    let isTimed upTo run =
        Runs.isWell run
        && (let slope, error = timing upTo run
            slope >= 0.6 && error <= 15.0)

    let private timings results key upTo =
        Runs.of' results key |> List.filter Runs.isWell |> List.map (timing upTo)

    let private words timings =
        let slope = Runs.median (List.map fst timings)
        let error = Runs.median (List.map snd timings)
        $"median slope %.2f{slope}, error %.0f{error} ms"

    /// Most networks of a condition are timed. Outcomes are bimodal, so the count decides and a median does not.
    let private most id text source key upTo =
        let share =
            Claims.shareAbove
                id
                text
                source
                0.5
                key
                (isTimed upTo)
                "reach a slope of 0.6 and an error of at most 15 ms"

        {
            share with
                Decide =
                    fun results ->
                        let finding = share.Decide results

                        {
                            finding with
                                Measured = $"{finding.Measured}; {words (timings results key upTo)}"
                        }
        }

    let private few claim = {
        claim with
            Threshold = $"{claim.Threshold}; the claim is that it does not"
            Decide =
                fun results ->
                    let finding = claim.Decide results

                    {
                        finding with
                            Verdict =
                                match finding.Verdict with
                                | Holds -> Fails
                                | Fails -> Holds
                                | other -> other
                    }
    }

    let private chosen = Reading.text Models.intervalChosen

    let fig3 = {
        Id = "fig3"
        Title = "Fig 3: interval matching"
        About =
            "Two pulses a random delay apart; the output must peak the same delay after the second. RFLO is said to do about as well as BPTT for delays up to 15 time constants, and worse for longer ones."
        Notes =
            [
                "Printed: N = 100, pulses of 15 steps, rates 0.001 (RFLO) and 0.003 (BPTT), 5000 trials, updates after every 10 trials, longest delays of 15, 20 and 25 tau. The paper shows one network of each, without a spread."
                $"Two readings are shown: as printed, and one that was chosen ({chosen}). The second was chosen for its timing on other seeds; the runs here have seeds from 301 on, on which nothing was chosen. `rflo reproduce fig3 --readings` screens it among others."
                "The peak is the output's maximum after the second pulse, with learning off, in trials whose delays are given."
            ]
            @ Reading.notes Models.intervalChoices Models.intervalChosen
        Conditions = C.ofIntervals
        Claims = [
            most
                "S10 (BPTT)"
                "BPTT's intervals follow the target's up to 15 tau, when trained up to 25 tau."
                "Fig 3c"
                C.intervalBptt
                150.0
            most
                "S10 (BPTT, 25 tau)"
                "BPTT's intervals follow the target's up to 25 tau."
                "Fig 3c"
                C.intervalBptt
                250.0
            most
                "S10 (15 tau, printed)"
                "RFLO, as printed, follows delays up to 15 tau."
                "Fig 3b, red"
                (C.intervalPrinted 150)
                150.0
            most
                "S10 (15 tau, chosen)"
                $"RFLO follows delays up to 15 tau in a reading ({chosen})."
                "Fig 3b, red"
                (C.intervalChosen 150)
                150.0
            few (
                most
                    "S10 (20 tau, chosen)"
                    "Trained up to 20 tau in that reading, RFLO is visibly worse: most networks miss the thresholds."
                    "Fig 3b, blue"
                    (C.intervalChosen 200)
                    200.0
            )
            {
                Id = "S10 (against BPTT)"
                Text =
                    "On the same delays, up to 20 tau and in that reading, RFLO's error is larger than BPTT's."
                Source = "Fig 3b, blue, against 3c"
                Threshold = "larger error in most of the seeds; one-sided sign test at 5 %"
                Decide =
                    fun results ->
                        let error run =
                            if Runs.isWell run then
                                snd (timing 200.0 run)
                            else
                                Runs.diverged

                        let rflo, bptt = C.intervalChosen 200, C.intervalBpttChosen 200
                        let pairs = Runs.paired results error bptt rflo

                        Claims.ofPairs pairs (fun wins chance ->
                            $"RFLO {words (timings results rflo 200.0)}; BPTT {words (timings results bptt 200.0)}; BPTT below in {wins} of {pairs.Length} pairs, p = %.2g{chance}")
            }
        ]
        Panels =
            fun results ->
                let produced key =
                    Runs.of' results key
                    |> List.filter Runs.isWell
                    |> List.collect (fun run -> TestTrials.intervals (task run) (longest run) run)
                    |> List.groupBy fst
                    |> List.map (fun (target, points) -> target, List.map snd points)

                let slopes = [
                    "RFLO 15 tau, printed", C.intervalPrinted 150, 150.0
                    "RFLO 15 tau, chosen", C.intervalChosen 150, 150.0
                    "BPTT 15 tau, chosen", C.intervalBpttChosen 150, 150.0
                    "RFLO 20 tau, printed", C.intervalPrinted 200, 200.0
                    "RFLO 20 tau, chosen", C.intervalChosen 200, 200.0
                    "BPTT 20 tau, chosen", C.intervalBpttChosen 200, 200.0
                    "BPTT 25 tau, printed", C.intervalBptt, 250.0
                ]

                [
                    Panels.intervals "Produced against target delay" [
                        "RFLO, 15 tau, printed", produced (C.intervalPrinted 150)
                        "RFLO, 15 tau, chosen", produced (C.intervalChosen 150)
                        "RFLO, 20 tau, chosen", produced (C.intervalChosen 200)
                        "BPTT, 25 tau, printed", produced C.intervalBptt
                    ]
                    Panels.dots
                        "Every network's slope"
                        "Slope of produced against target delay by least squares; one dot a network. 1 is perfect; 0.6 is the threshold."
                        "slope"
                        (-0.5, 1.5) [ 0.6; 1.0 ] [
                            for name, key, upTo in slopes ->
                                name, timings results key upTo |> List.map fst
                        ]
                    Panels.dots
                        "Every network's error"
                        "Root of the mean squared difference of produced and target delay; one dot a network. 15 ms is the threshold."
                        "error (ms)"
                        (0.0, 100.0) [ 15.0 ] [
                            for name, key, upTo in slopes ->
                                name, timings results key upTo |> List.map snd
                        ]
                    Panels.losses
                        "Loss, delays up to 15 tau"
                        "Each on its own range of delays."
                        [
                            "RFLO, printed", C.intervalPrinted 150
                            "RFLO, chosen", C.intervalChosen 150
                            "BPTT, chosen", C.intervalBpttChosen 150
                        ]
                        results
                    Panels.output
                        "An example trial, RFLO"
                        "After training in the chosen reading, first seed, learning off."
                        (C.intervalChosen 150)
                        results
                    Panels.output
                        "An example trial, BPTT"
                        "After training as printed, first seed, learning off."
                        C.intervalBptt
                        results
                ]
    }
