namespace Rflo.Host

open Rflo.Dsl

/// Fig 4 of the paper: a sequence of movements, with and without the loop through basal ganglia and thalamus.
[<RequireQualifiedAccess>]
module PaperFigure4 =

    module C = PaperConditions

    let private asked = [ 0.0, 0.0; 1.0, 0.0; 1.0, 1.0; 0.0, 1.0; 0.0, 0.0 ]

    /// The mean distance of the cursor from where it should be, at the ends of the syllables.
    let private endError (path: (float * float) list) =
        let segment = (path.Length - 1) / 4

        [
            for k in 1..4 do
                let x, y = path[k * segment]
                let x', y' = asked[k]
                sqrt ((x - x') ** 2.0 + (y - y') ** 2.0)
        ]
        |> List.average

    let private error run =
        if PaperRuns.isWell run then
            endError (fst (PaperTrials.performed run))
        else
            PaperRuns.diverged

    /// Direction and length of each syllable in a chain of all four.
    let private syllables results =
        PaperRuns.of' results C.syllables
        |> List.filter PaperRuns.isWell
        |> List.map (fun run ->
            let path, _ = PaperTrials.rehearsed run PaperModels.square
            let segment = (path.Length - 1) / 4

            [
                for k, (dx, dy) in List.indexed PaperModels.moves.Directions do
                    let x0, y0 = path[k * segment]
                    let x1, y1 = path[(k + 1) * segment]
                    let mx, my = x1 - x0, y1 - y0
                    let length = sqrt (mx * mx + my * my)
                    (mx * dx + my * dy) / max length 1e-12, abs (length - 1.0)
            ])

    /// Most runs make every transition of the sequence that they were trained on, or hardly any does.
    let transitions id text source key expectsAll = {
        Id = id
        Text = text
        Source = source
        Threshold =
            if expectsAll then
                "greedy performance makes every transition in at least 2 of 3 runs"
            else
                "greedy performance makes every transition in fewer than 1 of 3 runs"
        Decide =
            fun results ->
                let runs = PaperRuns.of' results key
                let wins = runs |> List.filter PaperTrials.isComplete |> List.length
                let count = runs.Length

                let holds =
                    if expectsAll then
                        3 * wins >= 2 * count
                    else
                        3 * wins < count

                PaperClaims.found holds count $"{wins} of {count} runs"
    }

    let private beats loopKey id text other otherKey = {
        Id = id
        Text = text
        Source = "Fig 4c"
        Threshold = "smaller mean distance from the four corners in most seeds; sign test at 5 %"
        Decide =
            fun results ->
                let pairs = PaperRuns.paired results error loopKey otherKey

                PaperClaims.ofPairs (2 * pairs.Length) pairs (fun wins chance ->
                    $"loop {PaperClaims.spread (List.map fst pairs)}, {other} {PaperClaims.spread (List.map snd pairs)} lengths; {wins} of {pairs.Length}, p = %.2g{chance}")
    }

    let private paths results key title caption =
        PaperRuns.of' results key
        |> List.filter PaperRuns.isWell
        |> List.map (PaperTrials.performed >> fst)
        |> PaperPanels.paths title caption asked

    let fig4 = {
        Id = "fig4"
        Title = "Fig 4: a sequence of movements through the basal ganglia loop"
        About =
            "Cortex learns four syllables by RFLO; then striatum learns their order by reward. One network that learns the whole sequence does worse."
        Notes = [
            "The paper leaves open the speed profile, bounds, start, cortico-striatal rate and initial weights, what a hold is, and what happens to rates between trials. Here a move lasts 200 steps with a bell of speed, in a workspace of two positions by two; there are no holds; rates are carried over from trial to trial; cortico-striatal weights begin as small random numbers."
            "Printed, the cortico-striatal rule takes the current before the competition; shown as a control. The default takes the rate after it; a reward baseline, which is not in the paper, is shown too."
            "The networks without the loop get 20,000 trials of the whole sequence. BPTT's updates are clipped at norm 0.1: without it they blow up."
        ]
        Conditions = C.ofSequence
        Claims = [
            {
                Id = "S11"
                Text = "Each syllable's input moves the cursor the right way, in chains too."
                Source = "Fig 4a"
                Threshold =
                    "in the median run every syllable of a chain has cosine above 0.9 and its length within 25 %"
                Decide =
                    fun results ->
                        let all = syllables results
                        let worst = all |> List.map (List.map fst >> List.min) |> PaperRuns.median
                        let length = all |> List.map (List.map snd >> List.max) |> PaperRuns.median

                        PaperClaims.found
                            (worst > 0.9 && length < 0.25)
                            all.Length
                            $"median over runs of the worst syllable: cosine %.2f{worst}, length off by %.0f{100.0 * length} %%"
            }
            transitions "S12" "The loop performs the sequence." "Fig 4b, c" C.sequence true
            transitions
                "S12 (literal)"
                "With the current before the competition in the rule, as printed, it does not."
                "Methods, as printed"
                C.sequenceLiteral
                false
            transitions
                "S12 (baseline)"
                "With a reward baseline it does."
                "not in the paper"
                C.sequenceBaseline
                true
            beats
                C.sequence
                "S13 (RFLO)"
                "The loop beats RFLO without a loop."
                "RFLO"
                C.untaughtRflo
            beats
                C.sequence
                "S13 (BPTT)"
                "The loop beats even BPTT without a loop."
                "BPTT"
                C.untaughtBptt
        ]
        Panels =
            fun results ->
                let paths = paths results

                [
                    paths
                        C.sequence
                        "With the loop"
                        "The cursor's path in every run, learning off; only the first syllable is shown."
                    paths
                        C.untaughtRflo
                        "RFLO without a loop"
                        "The cursor's path in every run, learning off."
                    paths
                        C.untaughtBptt
                        "BPTT without a loop"
                        "The cursor's path in every run, learning off."
                    PaperPanels.losses
                        "Loss of the syllables"
                        "Stage 1: one syllable a trial."
                        [ "RFLO", C.syllables ]
                        results
                    PaperPanels.losses
                        "Loss of the whole sequence"
                        "Without a loop: four syllables a trial, no input."
                        [ "RFLO", C.untaughtRflo; "BPTT, clipped", C.untaughtBptt ]
                        results
                ]
    }

    // With holds.

    let private heldSyllables = "held syllables"
    let private heldLoop = "held loop"
    let private heldRflo = "held, no loop, rflo"
    let private heldBptt = "held, no loop, bptt"
    let private heldSquare = PaperModels.held PaperModels.square

    let private heldConditions (size: PaperSize) = [
        Condition.alone
            heldSyllables
            (PaperModels.syllablesOf (PaperModels.held PaperModels.moves) 0.01 (size.Trials 10_000))

        Condition.following heldLoop heldSyllables (fun run ->
            PaperModels.sequenceOf
                heldSquare
                (Modules.syllables 100 4 0.01)
                Rule.rewardHebb
                run.Final.Value
                (size.Trials 10_000))

        Condition.alone
            heldRflo
            (PaperModels.untaughtOf heldSquare Rule.rflo 0.001 (size.Trials 20_000))

        Condition.alone
            heldBptt
            (PaperModels.untaughtOf
                heldSquare
                { Rule.bptt with Clip = Some C.clip }
                0.003
                (size.Trials 20_000))
    ]

    let fig4Held = {
        fig4 with
            Id = "fig4-held"
            Title = "Fig 4 with holds: the paper's 1600 steps"
            About =
                "The same with a hold of 200 steps after each of the four moves, in which the cursor is to stay: the reading of the paper's numbers in which a hold is a segment of its own."
            Notes = [
                "Nothing is shown in a hold; striatum decides at its end. Not part of `all`."
            ]
            Conditions = heldConditions
            Claims = [
                beats
                    heldLoop
                    "S13 (held, RFLO)"
                    "The loop beats RFLO without a loop."
                    "RFLO"
                    heldRflo
                beats
                    heldLoop
                    "S13 (held, BPTT)"
                    "The loop beats even BPTT without a loop."
                    "BPTT"
                    heldBptt
            ]
            Panels =
                fun results ->
                    let paths = paths results

                    [
                        paths
                            heldLoop
                            "With the loop"
                            "The cursor's path in every run, learning off."
                        paths
                            heldRflo
                            "RFLO without a loop"
                            "The cursor's path in every run, learning off."
                        paths
                            heldBptt
                            "BPTT without a loop"
                            "The cursor's path in every run, learning off."
                    ]
    }
