namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// Fig 2 of the paper: periodic output.
[<RequireQualifiedAccess>]
module internal Figure2 =

    module C = Conditions

    /// Choices that hold for all of Fig 2.
    let conventions = [
        "The paper does not say how rates begin, when updates are made, or whether printed rates carry the factor 1/T of its Eq 15. Here rates begin every trial at 0.1, updates are made at its end, and every increment carries 1/T: without it the printed rates diverge."
        "Final loss is the median over the last 100 trials, with Eq 2's factor 1/2; the paper defines none. A run that diverged counts as larger than any other."
    ]

    let private untrained results key =
        Runs.of' results key |> List.map Runs.firstLoss

    /// A condition of each period.
    let byPeriod key =
        C.periods |> List.map (fun period -> float period, key period)

    /// The meaning of a decade on the paper's axis: "logarithmic plots spanning many orders of magnitude" (reply to reviewers).
    let private comparable = [
        Claims.ratioBelow
            "S1 (decade)"
            "RFLO and BPTT learn a short period about equally well, read on the paper's logarithmic axis: less than a decade apart."
            "Fig 2a left; main text, \"comparable\""
            10.0
            ("RFLO", C.rflo 200)
            ("BPTT", C.bptt 200)
        Claims.ratioBelow
            "S1 (strict)"
            "The same in the strict sense: final losses within a factor of 2."
            "Fig 2a left; main text, \"comparable\""
            2.0
            ("RFLO", C.rflo 200)
            ("BPTT", C.bptt 200)
    ]

    let private belowUntrained = {
        Id = "S1b"
        Text = "Both end far below an untrained network."
        Source = "Fig 2b, grey line"
        Threshold = "median final losses at most a tenth of the median loss of the first trial"
        Decide =
            fun results ->
                let before = Runs.median (untrained results (C.rflo 200))

                let after =
                    [ C.rflo 200; C.bptt 200 ] |> List.map (Runs.finals results >> Runs.median)

                Claims.found
                    (after |> List.forall (fun loss -> loss <= before / 10.0))
                    (2 * (Runs.of' results (C.rflo 200)).Length)
                    $"untrained {Claims.loss before}, RFLO {Claims.loss after[0]}, BPTT {Claims.loss after[1]}"
    }

    let private trials = [ 1; 100; 1000; 10_000 ]

    let private losses title period =
        Panels.losses title $"Period of {period} steps." [
            "RFLO", C.rflo period
            "BPTT", C.bptt period
        ]

    let fig2a = {
        Id = "fig2a"
        Title = "Fig 2a: learning a periodic output, short and long period"
        About =
            "Loss falls for both rules at a period of 20 time constants; at 160, BPTT is said to have the advantage. N = 30; 27 networks at T = 200, nine at T = 1600."
        Notes = conventions
        Conditions = fun size -> [ yield! C.ofPeriod size 200; yield! C.ofPeriod size 1600 ]
        Claims = [
            yield! comparable
            belowUntrained
            Claims.falls
                "S2 (RFLO)"
                "RFLO's loss falls over training."
                "Fig 2a left"
                (C.rflo 200)
                trials
            Claims.falls
                "S2 (BPTT)"
                "BPTT's loss falls over training."
                "Fig 2a left"
                (C.bptt 200)
                trials
            Claims.below
                "S4 (1600)"
                "BPTT has the advantage when the period is very long."
                "Fig 2a right; main text"
                ("BPTT", C.bptt 1600)
                ("RFLO", C.rflo 1600)
            Claims.below
                "S4 (1600, clipped)"
                "The same with BPTT's updates clipped at norm 0.1, which the paper does not mention."
                "Fig 2a right, with a stabilised BPTT"
                ("clipped BPTT", C.bpttClipped 1600)
                ("RFLO", C.rflo 1600)
        ]
        Panels =
            fun results -> [
                losses "Loss, T = 200" 200 results
                losses "Loss, T = 1600" 1600 results
                Panels.output
                    "Output of RFLO, T = 200"
                    "After training, first seed, learning off."
                    (C.rflo 200)
                    results
                Panels.output
                    "Output of BPTT, T = 200"
                    "After training, first seed, learning off."
                    (C.bptt 200)
                    results
                Panels.output
                    "Output of RFLO, T = 1600"
                    "After training, first seed, learning off."
                    (C.rflo 1600)
                    results
                Panels.output
                    "Output of BPTT, T = 1600"
                    "After training, first seed, learning off."
                    (C.bptt 1600)
                    results
            ]
    }

    /// RFLO and BPTT at every period of the paper.
    let ofPeriods size =
        C.periods |> List.collect (C.ofPeriod size)

    let fig2b = {
        Id = "fig2b"
        Title = "Fig 2b: final loss v. period"
        About = "Both rules do about equally at short periods; BPTT is better as the period grows."
        Notes =
            conventions
            @ [
                "The printed rates are RFLO 0.03, 0.01, 0.001, 0.0003 and BPTT 0.03, 0.03, 0.01, 0.03 for periods of 200, 400, 800, 1600. `rflo reproduce fig2b --grid` searches the paper's grid again."
            ]
        Conditions = ofPeriods
        Claims = [
            Claims.ofMedians
                "S3"
                "RFLO's final loss grows with the period."
                "Fig 2b"
                "median final losses L(200) < L(400) < L(800), and L(1600) at least L(800) / 3"
                (C.periods |> List.map (fun period -> $"T = {period}", C.rflo period))
                (function
                 | [ a; b; c; d ] -> a < b && b < c && d >= c / 3.0
                 | _ -> false)
            Claims.below
                "S4 (800)"
                "BPTT is better at T = 800."
                "Fig 2b"
                ("BPTT", C.bptt 800)
                ("RFLO", C.rflo 800)
            Claims.below
                "S4 (800, clipped)"
                "The same with BPTT's updates clipped at norm 0.1."
                "Fig 2b, with a stabilised BPTT"
                ("clipped BPTT", C.bpttClipped 800)
                ("RFLO", C.rflo 800)
        ]
        Panels =
            fun results -> [
                Panels.finals
                    "Final loss v. period"
                    "Clipped: updates of at most norm 0.1, not in the paper."
                    "period T (steps)"
                    [
                        "RFLO", byPeriod C.rflo
                        "BPTT", byPeriod C.bptt
                        "BPTT, clipped",
                        [
                            for period in [ 800; 1600 ] -> float period, C.bpttClipped period
                        ]
                    ]
                    results
                losses "Loss, T = 400" 400 results
                losses "Loss, T = 800" 800 results
            ]
    }

    let fig2c = {
        Id = "fig2c"
        Title = "Fig 2c: readout weights align with the feedback"
        About =
            "Under RFLO the readout's weights turn towards the fixed feedback weights, faster for short periods."
        Notes = conventions
        Conditions = ofPeriods
        Claims = [
            {
                Id = "S5"
                Text = "Under RFLO readout and feedback align."
                Source = "Fig 2c"
                Threshold =
                    "at T = 200 the median alignment ends at 0.6 or more, and no run's below 0.4"
                Decide =
                    fun results ->
                        let ends = Claims.alignments results (C.rflo 200)
                        let low, middle, high = Runs.quartiles ends
                        let least = List.min ends

                        Claims.found
                            (middle >= 0.6 && least >= 0.4)
                            ends.Length
                            $"median %.2f{middle} [%.2f{low}, %.2f{high}], least %.2f{least}"
            }
            {
                Id = "S5 (control)"
                Text = "Under BPTT, which does not use the feedback, they do not."
                Source = "follows from the rule"
                Threshold = "at T = 200 the absolute value of the median alignment stays below 0.2"
                Decide =
                    fun results ->
                        let ends = Claims.alignments results (C.bptt 200)
                        let low, middle, high = Runs.quartiles ends

                        Claims.found
                            (abs middle < 0.2)
                            ends.Length
                            $"median %.2f{middle} [%.2f{low}, %.2f{high}]"
            }
            {
                Id = "S5 (period)"
                Text = "Alignment rises more slowly for longer periods."
                Source = "Fig 2c"
                Threshold = "median final alignments fall from T = 200 to 400 to 800"
                Decide =
                    fun results ->
                        let medians =
                            [ 200; 400; 800 ]
                            |> List.map (fun period ->
                                Runs.median (Claims.alignments results (C.rflo period)))

                        let text = medians |> List.map (fun m -> $"%.2f{m}") |> String.concat ", "

                        Claims.found
                            (medians |> List.pairwise |> List.forall (fun (a, b) -> b < a))
                            ([ 200; 400; 800 ]
                             |> List.sumBy (fun period -> (Runs.of' results (C.rflo period)).Length))
                            $"T = 200, 400, 800: {text}"
            }
        ]
        Panels =
            fun results -> [
                Panels.alignments
                    "Alignment under RFLO"
                    "Cosine of readout weights and feedback weights."
                    (C.periods |> List.map (fun period -> $"T = {period}", C.rflo period))
                    results
                Panels.alignments
                    "Alignment, T = 200"
                    "RFLO, and BPTT as the control."
                    [ "RFLO", C.rflo 200; "BPTT", C.bptt 200 ]
                    results
            ]
    }

    let private cornersAt isClipped period =
        C.corners |> List.map (fun (name, _) -> name, C.corner name isClipped period)

    /// The local approximation explains the gap between RFLO and BPTT; random feedback costs little.
    let private explains id isClipped period = {
        Id = id
        Text =
            "Dropping the non-local term explains the gap between RFLO and BPTT; random feedback alone costs little."
        Source = "Fig 2d"
        Threshold =
            "the 95 % interval of the ratio of median final losses, local and symmetric / exact with random feedback, lies above 1, and the medians of the local rule and of RFLO are within a factor 5"
        Decide =
            fun results ->
                let key name = C.corner name isClipped period

                let median name =
                    Runs.median (Runs.finals results (key name))

                let pairs =
                    Runs.paired results Runs.finalLoss (key "local-symmetric") (key "bptt-random")

                let ratio = Statistics.ratioOfMedians pairs

                let shown =
                    [
                        "BPTT", "bptt"
                        "exact, random feedback", "bptt-random"
                        "local, symmetric", "local-symmetric"
                        "RFLO", "rflo"
                    ]
                    |> List.map (fun (name, rule) ->
                        $"{name} {Claims.spread (Runs.finals results (key rule))}")
                    |> String.concat "; "

                let finding =
                    Claims.byInterval
                        false
                        log
                        1.0
                        pairs.Length
                        ratio
                        $"{shown}; local / random {Claims.interval ratio}"

                let isNear = abs (log (median "local-symmetric" / median "rflo")) < log 5.0

                {
                    finding with
                        Runs = 4 * pairs.Length
                        Verdict = if isNear then finding.Verdict else Fails
                }
    }

    let private cornerPeriods = [ 400, true; 800, true; 800, false ]

    let fig2d = {
        Id = "fig2d"
        Title = "Fig 2d: local or not, random feedback or not"
        About =
            "Two hybrids stand between RFLO and BPTT: the local rule with symmetric feedback, and the exact gradient with random feedback."
        Notes =
            conventions
            @ [
                "Rates of the hybrids are not printed; each has that of its kind. Without clipping all four end near the untrained loss at T = 800 in other re-runs; both forms are shown. Clipped at norm 0.1, local rules have rate 0.003 at T = 800 and all rules 0.01 at T = 400."
            ]
        Conditions =
            fun size ->
                cornerPeriods
                |> List.collect (fun (period, isClipped) -> C.ofCorners size isClipped period)
        Claims = [
            explains "S6 (800)" false 800
            explains "S6 (800, clipped)" true 800
            explains "S6 (400, clipped)" true 400
        ]
        Panels =
            fun results ->
                cornerPeriods
                |> List.map (fun (period, isClipped) ->
                    let how = if isClipped then ", clipped" else ""

                    Panels.losses
                        $"Loss, T = {period}{how}"
                        "Four rules from the same initial weights."
                        (cornersAt isClipped period)
                        results)
    }

    let all = [ fig2a; fig2b; fig2c; fig2d ]
