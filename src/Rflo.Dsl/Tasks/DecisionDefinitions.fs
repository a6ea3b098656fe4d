namespace Rflo.Dsl

open System
open Rflo.Core
open Defining

/// Tasks with a decision at the end of a trial.
module internal DecisionDefinitions =

    let delayedMatch (task: DelayedMatch) : Definition = {
        Summary =
            $"a sample and a test, among {task.Directions} directions on a ring; two outputs report whether they match"
        Settings =
            [
                "directions", Whole task.Directions
                "matchShare", Number task.MatchShare
                "noise", Number task.Noise
            ]
            @ answerSettings task.Answer
        Inputs = 1 + task.Directions
        Outputs = 2
        Conditions = [ "sample-direction"; "test-direction"; "match" ]
        Faults =
            fun _ -> [
                if task.Directions < 2 then
                    NotAllowed("the number of directions", string task.Directions, "at least 2")

                yield! CheckValues.probability "the share of matches" task.MatchShare
                yield! noiseFaults task.Noise
                yield! answerFaults task.Answer
            ]
        Make =
            fun timeline stream ->
                let count = task.Directions
                let noise = noiseOf task.Noise timeline.Dt
                let sample = stream.Between(0, count)
                let matches = stream.Chance task.MatchShare

                let test =
                    if matches then
                        sample
                    else
                        (sample + stream.Between(1, count)) % count

                let ring direction =
                    Array.init count (fun k ->
                        let angle = 2.0 * Math.PI * float (k - direction) / float count
                        0.5 + 0.5 * cos angle)

                let sampleRing, testRing = ring sample, ring test
                let right = if matches then 0 else 1

                says timeline [
                    "sample-direction", float sample
                    "test-direction", float test
                    "match", (if matches then 1.0 else 0.0)
                ]

                fun now ->
                    let input = Array.zeroCreate (1 + count)
                    input[0] <- fixation now

                    let show (shown: float[]) =
                        for k in 0 .. count - 1 do
                            input[k + 1] <- shown[k] + noise * now.Stream.Gaussian()

                    match now.Phase with
                    | "sample" -> show sampleRing
                    | "test" -> show testRing
                    | _ -> ()

                    answered task.Answer right now input
    }

    let delayedDiscrimination (task: DelayedDiscrimination) : Definition = {
        Summary =
            $"two frequencies of one of {task.Pairs.Length} pairs, one after the other; two outputs report which was higher"
        Settings =
            [
                "pairs", Pairs task.Pairs
                "lowest", Number task.Lowest
                "highest", Number task.Highest
                "noise", Number task.Noise
            ]
            @ answerSettings task.Answer
        Inputs = 3
        Outputs = 2
        Conditions = [ "f1"; "f2"; "difference" ]
        Faults =
            fun _ -> [
                if List.isEmpty task.Pairs then
                    NotAllowed("the number of pairs", "0", "at least 1")

                for f1, f2 in task.Pairs do
                    if not (Double.IsFinite(f1 + f2)) || f1 = f2 then
                        NotAllowed(
                            "a pair of frequencies",
                            $"({string f1}, {string f2})",
                            "two different finite numbers"
                        )

                if
                    not (task.Highest > task.Lowest)
                    || not (Double.IsFinite(task.Highest - task.Lowest))
                then
                    NotAllowed(
                        "the highest frequency",
                        string task.Highest,
                        $"finite and more than the lowest, {string task.Lowest}"
                    )

                yield! noiseFaults task.Noise
                yield! answerFaults task.Answer
            ]
        Make =
            let pairs = Array.ofList task.Pairs

            fun timeline stream ->
                let noise = noiseOf task.Noise timeline.Dt
                let a, b = oneOf pairs stream
                let f1, f2 = if stream.Chance 0.5 then a, b else b, a
                let right = if f1 > f2 then 0 else 1
                let range = task.Highest - task.Lowest
                says timeline [ "f1", f1; "f2", f2; "difference", f2 - f1 ]

                fun now ->
                    let shown =
                        match now.Phase with
                        | "first" -> Some f1
                        | "second" -> Some f2
                        | _ -> None

                    let up, down =
                        match shown with
                        | Some f ->
                            0.4 + 0.8 * (f - task.Lowest) / range,
                            0.4 + 0.8 * (task.Highest - f) / range
                        | None -> 0.0, 0.0

                    answered task.Answer right now [|
                        fixation now
                        up + noise * now.Stream.Gaussian()
                        down + noise * now.Stream.Gaussian()
                    |]
    }

    let perceptualDecision (task: PerceptualDecision) : Definition = {
        Summary =
            $"noisy evidence for two sides, noise {string task.Noise}; two outputs report for which there was more"
        Settings =
            [
                "coherences", Numbers task.Coherences
                "noise", Number task.Noise
            ]
            @ answerSettings task.Answer
        Inputs = 3
        Outputs = 2
        Conditions = [ "side"; "coherence"; "evidence" ]
        Faults =
            fun _ -> [
                yield! coherenceFaults task.Coherences
                yield! noiseFaults task.Noise
                yield! answerFaults task.Answer
            ]
        Make =
            let coherences = Array.ofList task.Coherences

            fun timeline stream ->
                let noise = noiseOf task.Noise timeline.Dt
                let side = stream.Between(0, 2)
                let coherence = oneOf coherences stream

                says timeline [
                    "side", float side
                    "coherence", coherence
                    "evidence", (if side = 1 then coherence else 0.0 - coherence)
                ]

                fun now ->
                    let evidence k =
                        if now.Phase <> "stimulus" then 0.0
                        elif k = side then 1.0 + coherence
                        else 1.0

                    answered task.Answer side now [|
                        fixation now
                        evidence 0 + noise * now.Stream.Gaussian()
                        evidence 1 + noise * now.Stream.Gaussian()
                    |]
    }

    let contextIntegration (task: ContextIntegration) : Definition = {
        Summary =
            match task.Report with
            | SignAtEnd _ ->
                $"two noisy streams and a context, noise {string task.Noise}; the target is the sign of the stream that the context names"
            | RunningSum _ ->
                $"two noisy streams and a context, noise {string task.Noise}; the target is the integral of the stream that the context names"
        Settings = [
            "coherences", Numbers task.Coherences
            "gain", Number task.Gain
            "noise", Number task.Noise
            match task.Report with
            | SignAtEnd weight ->
                "report", Word "signAtEnd"
                "quietWeight", Number weight
            | RunningSum scale ->
                "report", Word "runningSum"
                "scale", Number scale
        ]
        Inputs = 4
        Outputs = 1
        Conditions = [ "context"; "motion"; "color"; "evidence" ]
        Faults =
            fun _ -> [
                yield! coherenceFaults task.Coherences
                yield! CheckValues.finite "the gain" task.Gain
                yield! noiseFaults task.Noise

                match task.Report with
                | SignAtEnd weight ->
                    yield! CheckValues.notNegative "the weight before the decision" weight
                | RunningSum scale -> yield! CheckValues.finite "the scale of the sum" scale
            ]
        Make =
            let coherences = Array.ofList task.Coherences

            fun timeline stream ->
                let noise = noiseOf task.Noise timeline.Dt

                let drawn = [|
                    for _ in 0..1 ->
                        let size = oneOf coherences stream
                        let sign = sign stream

                        {|
                            Mean = task.Gain * sign * size
                            Sign = sign
                            Size = size
                        |}
                |]

                let named = stream.Between(0, 2)
                let mutable sum = 0.0

                let signed = [| for one in drawn -> one.Sign * one.Size |]

                says timeline [
                    "context", float named
                    "motion", signed[0]
                    "color", signed[1]
                    "evidence", signed[named]
                ]

                fun now ->
                    let input = Array.zeroCreate 4
                    input[2 + named] <- 1.0

                    if now.Phase = "stimulus" then
                        for k in 0..1 do
                            input[k] <- drawn[k].Mean + noise * now.Stream.Gaussian()

                        sum <- sum + input[named] * float timeline.Dt

                    match task.Report with
                    | RunningSum scale -> {
                        Input = input
                        Target = [| scale * sum |]
                        Mask = [||]
                        Events = []
                      }
                    | SignAtEnd _ when now.Phase = "decision" -> {
                        Input = input
                        Target = [| drawn[named].Sign |]
                        Mask = [||]
                        Events = []
                      }
                    | SignAtEnd weight -> {
                        Input = input
                        Target = [| 0.0 |]
                        Mask = [| weight |]
                        Events = []
                      }
    }

    let intervalDiscrimination (task: IntervalDiscrimination) : Definition = {
        Summary = "two intervals, one after the other; two outputs report which was longer"
        Settings = answerSettings task.Answer
        Inputs = 3
        Outputs = 2
        Conditions = [ "difference" ]
        Faults = fun _ -> answerFaults task.Answer
        Make =
            fun timeline _ ->
                let first, second = timeline.DurationOf "first", timeline.DurationOf "second"
                let right = if first > second then 0 else 1
                says timeline [ "difference", float (second - first) ]

                fun now ->
                    let presented =
                        answered task.Answer right now [|
                            fixation now
                            if now.Phase = "first" then 1.0 else 0.0
                            if now.Phase = "second" then 1.0 else 0.0
                        |]

                    if first = second then
                        presented |> Step.mask 0.0
                    else
                        presented
    }

    let evidenceAccumulation (task: EvidenceAccumulation) : Definition = {
        Summary =
            $"{task.Cues} cues left and right, {string task.Share} of them on one side; two outputs report where there were more"
        Settings =
            [
                "cues", Whole task.Cues
                "on", Time task.On
                "off", Time task.Off
                "share", Number task.Share
            ]
            @ answerSettings task.Answer
        Inputs = 3
        Outputs = 2
        Conditions = [ "side"; "evidence" ]
        Faults =
            fun dt -> [
                if task.Cues < 1 || task.Cues % 2 = 0 then
                    NotAllowed("the number of cues", string task.Cues, "odd and at least 1")

                yield! Steps.faults "the duration of a cue" dt task.On

                if task.Off <> 0.0<ms> then
                    yield! Steps.faults "the time between cues" dt task.Off

                yield! CheckValues.probability "the share of cues on the side drawn" task.Share
                yield! answerFaults task.Answer
            ]
        Make =
            fun timeline stream ->
                let side = stream.Between(0, 2)

                let cues =
                    Array.init task.Cues (fun _ ->
                        if stream.Chance task.Share then side else 1 - side)

                let onRight = Array.sum cues
                let right = if 2 * onRight > task.Cues then 1 else 0

                says timeline [
                    "side", float right
                    "evidence", float (2 * onRight - task.Cues)
                ]

                let on = int (round (task.On / timeline.Dt))
                let each = on + int (round (task.Off / timeline.Dt))

                fun now ->
                    let input = Array.zeroCreate 3

                    match now.Phase with
                    | "cues" when (now.Step - 1) % each < on ->
                        input[cues[(now.Step - 1) / each]] <- 1.0
                    | "decision" -> input[2] <- 1.0
                    | _ -> ()

                    answered task.Answer right now input
    }
