namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// Fig 4 of the paper: a sequence of movements, with and without the loop through basal ganglia and thalamus.
[<RequireQualifiedAccess>]
module internal Figure4 =

    module C = Conditions

    let private corners = [ 0.0, 0.0; 1.0, 0.0; 1.0, 1.0; 0.0, 1.0; 0.0, 0.0 ]

    /// The mean distance of the cursor from the corners of the square, at the ends of the syllables.
    let private endError (path: (float * float) list) =
        let segment = (path.Length - 1) / 4

        [
            for k in 1..4 do
                let x, y = path[k * segment]
                let x', y' = corners[k]
                sqrt ((x - x') ** 2.0 + (y - y') ** 2.0)
        ]
        |> List.average

    let private error run =
        if Runs.isWell run then
            endError (fst (TestTrials.performed run))
        else
            Runs.diverged

    /// Direction and length of each syllable in a chain of all four.
    let private syllables results reading =
        let square = Models.square (C.sequence reading)

        Runs.of' results (C.syllables reading)
        |> List.filter Runs.isWell
        |> List.map (fun run ->
            let path, _ = TestTrials.rehearsed run square
            let segment = (path.Length - 1) / 4

            [
                for k, (dx, dy) in List.indexed Models.moves.Directions do
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
                let runs = Runs.of' results key
                let wins = runs |> List.filter TestTrials.isComplete |> List.length
                let count = runs.Length

                let holds =
                    if expectsAll then
                        3 * wins >= 2 * count
                    else
                        3 * wins < count

                Claims.found holds count $"{wins} of {count} runs"
    }

    let private beats loopKey id text other otherKey = {
        Id = id
        Text = text
        Source = "Fig 4c"
        Threshold = "smaller mean distance from the four corners in most seeds; sign test at 5 %"
        Decide =
            fun results ->
                let pairs = Runs.paired results error loopKey otherKey

                Claims.ofPairs pairs (fun wins chance ->
                    $"loop {Claims.spread (List.map fst pairs)}, {other} {Claims.spread (List.map snd pairs)} lengths; {wins} of {pairs.Length}, p = %.2g{chance}")
    }

    let private paths results key title caption =
        Runs.of' results key
        |> List.filter Runs.isWell
        |> List.map (TestTrials.performed >> fst)
        |> Panels.paths title caption corners

    let private claims reading = [
        {
            Id = "S11"
            Text = "Each syllable's input moves the cursor the right way, in chains too."
            Source = "Fig 4a"
            Threshold =
                "in the median run every syllable of a chain has cosine above 0.9 and its length within 25 %"
            Decide =
                fun results ->
                    let all = syllables results reading
                    let worst = all |> List.map (List.map fst >> List.min) |> Runs.median
                    let length = all |> List.map (List.map snd >> List.max) |> Runs.median

                    Claims.found
                        (worst > 0.9 && length < 0.25)
                        all.Length
                        $"median over runs of the worst syllable: cosine %.2f{worst}, length off by %.0f{100.0 * length} %%"
        }
        transitions "S12" "The loop performs the sequence." "Fig 4b, c" (C.loop reading) true
        transitions
            "S12 (literal)"
            "With the current before the competition in the rule, as printed, it does not."
            "Methods, as printed"
            (C.loopLiteral reading)
            false
        transitions
            "S12 (baseline)"
            "With a reward baseline it does."
            "not in the paper"
            (C.loopBaseline reading)
            true
        beats
            (C.loop reading)
            "S13 (RFLO)"
            "The loop beats RFLO without a loop."
            "RFLO"
            (C.untaughtRflo reading)
        beats
            (C.loop reading)
            "S13 (BPTT)"
            "The loop beats even BPTT without a loop, as printed."
            "BPTT"
            (C.untaughtBptt reading)
        beats
            (C.loop reading)
            "S13 (BPTT, clipped)"
            "The same with BPTT's updates clipped at norm 0.1, which the paper does not mention."
            "clipped BPTT"
            (C.untaughtClipped reading)
    ]

    let private panels reading results =
        let paths = paths results

        [
            paths
                (C.loop reading)
                "With the loop"
                "The cursor's path in every run, learning off; the input shows the first syllable only."
            paths
                (C.untaughtRflo reading)
                "RFLO without a loop"
                "The cursor's path in every run, learning off."
            paths
                (C.untaughtBptt reading)
                "BPTT without a loop, as printed"
                "The cursor's path in every run, learning off."
            paths
                (C.untaughtClipped reading)
                "BPTT without a loop, clipped"
                "The cursor's path in every run, learning off."
            Panels.losses
                "Loss of the syllables"
                "Stage 1: one syllable a trial."
                [ "RFLO", C.syllables reading ]
                results
            Panels.losses
                "Loss of the whole sequence"
                "Without a loop: four syllables a trial, no input."
                [
                    "RFLO", C.untaughtRflo reading
                    "BPTT", C.untaughtBptt reading
                    "BPTT, clipped", C.untaughtClipped reading
                ]
                results
        ]

    let fig4 = {
        Id = "fig4"
        Title = "Fig 4: a sequence of movements through the basal ganglia loop"
        About =
            "Cortex learns four syllables by RFLO; then striatum learns their order by reward. One network that learns the whole sequence of 1600 steps, four moves and four holds, does worse."
        Notes =
            [
                "The paper also leaves open bounds, start, cortico-striatal rate and initial weights, and what happens to rates between trials. Here the workspace is two positions by two; rates are carried over from trial to trial; cortico-striatal weights begin as small random numbers; striatum decides at the end of a hold."
                "Printed, the cortico-striatal rule takes the current before the competition; shown as a control. The default takes the rate after it; a reward baseline, which is not in the paper, is shown too."
                "The networks without the loop get 20,000 trials of the whole sequence. BPTT is shown as printed, at RFLO's rate, where its updates blow up, and with updates clipped at norm 0.1 at rate 0.003: that the loop beats even BPTT is a statement about the first."
            ]
            @ Reading.notes Models.sequenceChoices C.held
        Conditions = C.ofSequence C.held
        Claims = claims C.held
        Panels = panels C.held
    }

    let fig4Short = {
        fig4 with
            Id = "fig4-short"
            Title = "Fig 4 without holds: 800 steps"
            About =
                "The same with four moves and no holds: a sequence half as long as the paper's, which a single network can learn."
            Notes = "Not part of `all`." :: Reading.notes Models.sequenceChoices C.short
            Conditions = C.ofSequence C.short
            Claims = claims C.short
            Panels = panels C.short
    }
