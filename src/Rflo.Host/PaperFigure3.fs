namespace Rflo.Host

open Rflo.Dsl

/// Fig 3 of the paper: interval matching.
[<RequireQualifiedAccess>]
module PaperFigure3 =

    module C = PaperConditions

    let private longest =
        [
            C.intervalRflo 150, 150.0<ms>
            C.intervalRflo 200, 200.0<ms>
            C.intervalBptt, 250.0<ms>
        ]
        |> Map.ofList

    /// Slope and error of every run that did not diverge, over delays up to some.
    let private timings results key upTo =
        PaperRuns.of' results key
        |> List.filter PaperRuns.isWell
        |> List.map (fun run ->
            PaperTrials.intervals longest[key] run
            |> List.filter (fun (asked, _) -> asked <= upTo)
            |> PaperTrials.timing)

    let private told timings =
        let slope = PaperRuns.median (List.map fst timings)
        let error = PaperRuns.median (List.map snd timings)
        slope, error, $"slope %.2f{slope}, error %.0f{error} ms"

    let private decided id text source threshold decide = {
        Id = id
        Text = text
        Source = source
        Threshold = threshold
        Decide = decide
    }

    let private accurate id text source key upTo =
        decided
            id
            text
            source
            "median slope of produced against asked delay at least 0.6, error at most 15 ms (1.5 tau)"
            (fun results ->
                let timings = timings results key upTo
                let slope, error, text = told timings
                PaperClaims.found (slope >= 0.6 && error <= 15.0) timings.Length text)

    let fig3 = {
        Id = "fig3"
        Title = "Fig 3: interval matching"
        About =
            "Two pulses a random delay apart; the output must peak the same delay after the second. RFLO is said to do about as well as BPTT for delays up to 15 time constants, and worse for longer ones."
        Notes = [
            "The paper gives N = 100, pulses of 15 steps, rates 0.001 (RFLO) and 0.003 (BPTT), 5000 trials, updates after every 10 trials, and longest delays of 15, 20 and 25 tau. It does not give channels, heights, the first pulse's time, shortest delay, trial length or whether the 10 trials are summed: here one channel, height 1, 50 ms, 50 ms, 60 ms after the latest peak, and a sum with 1/T, which other re-runs found to fit the printed rates."
            "The peak is the output's maximum after the second pulse, with learning off."
        ]
        Conditions = C.ofIntervals
        Claims = [
            accurate
                "S10 (BPTT)"
                "BPTT's intervals follow the asked ones, 5 to 15 tau."
                "Fig 3c"
                C.intervalBptt
                150.0
            accurate
                "S10 (RFLO, 15 tau)"
                "RFLO does similarly well for delays up to 15 tau."
                "Fig 3b, red"
                (C.intervalRflo 150)
                150.0
            decided
                "S10 (RFLO, 20 tau)"
                "Trained on delays up to 20 tau, RFLO follows the delays, and less closely than BPTT."
                "Fig 3b, blue"
                "median slope above 0, and below BPTT's over the same delays"
                (fun results ->
                    let rflo = timings results (C.intervalRflo 200) 200.0
                    let bptt = timings results C.intervalBptt 200.0
                    let slope, _, text = told rflo
                    let other, _, otherText = told bptt

                    PaperClaims.found
                        (slope > 0.0 && slope < other)
                        (rflo.Length + bptt.Length)
                        $"RFLO {text}; BPTT {otherText}")
        ]
        Panels =
            fun results ->
                let produced key =
                    PaperRuns.of' results key
                    |> List.filter PaperRuns.isWell
                    |> List.collect (PaperTrials.intervals longest[key])
                    |> List.groupBy fst
                    |> List.map (fun (asked, points) -> asked, List.map snd points)

                [
                    PaperPanels.intervals "Produced v. asked delay" [
                        "RFLO, to 15 tau", produced (C.intervalRflo 150)
                        "RFLO, to 20 tau", produced (C.intervalRflo 200)
                        "BPTT, to 25 tau", produced C.intervalBptt
                    ]
                    PaperPanels.losses
                        "Loss"
                        "Each on its own range of delays."
                        [
                            "RFLO, to 15 tau", C.intervalRflo 150
                            "RFLO, to 20 tau", C.intervalRflo 200
                            "BPTT, to 25 tau", C.intervalBptt
                        ]
                        results
                    PaperPanels.output
                        "An example trial, RFLO"
                        "After training, first seed, learning off."
                        (C.intervalRflo 150)
                        results
                    PaperPanels.output
                        "An example trial, BPTT"
                        "After training, first seed, learning off."
                        C.intervalBptt
                        results
                ]
    }
