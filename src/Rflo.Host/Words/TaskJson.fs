namespace Rflo.Host

open System.Text.Json.Nodes
open Rflo.Dsl
open Json

/// A task in full, as in manifest.json, without the functions of the script.
[<RequireQualifiedAccess>]
module internal TaskJson =

    let private lasting =
        function
        | FixedFor duration -> case "fixed" [ "durationMs", time duration ]
        | EvenlyBetween(shortest, longest) ->
            case "evenlyBetween" [ "shortestMs", time shortest; "longestMs", time longest ]
        | OneOf durations -> case "oneOf" [ "durationsMs", list (Seq.map time durations) ]
        | ExponentialBetween(mean, shortest, longest) ->
            case "exponential" [
                "meanMs", time mean
                "shortestMs", time shortest
                "longestMs", time longest
            ]

    let private phases (phases: Phase list) =
        list [
            for phase in phases -> record [ "name", text phase.Name; "lasts", lasting phase.Lasts ]
        ]

    let private setting =
        function
        | Time given -> time given
        | Number given -> number given
        | Numbers given -> list (Seq.map number given)
        | Pairs given -> list [ for a, b in given -> list [ number a; number b ] ]
        | Whole given -> whole given
        | Flag given -> flag given
        | Word given -> text given

    let private passed =
        function
        | MeanLossBelow(loss, trials) ->
            case "meanLossBelow" [ "loss", number loss; "trials", whole trials ]
        | MeanRewardAbove(reward, trials) ->
            case "meanRewardAbove" [ "reward", number reward; "trials", whole trials ]
        | AfterTrials trials -> case "afterTrials" [ "trials", whole trials ]
        | ValidationLossBelow loss -> case "validationLossBelow" [ "loss", number loss ]
        | PerformanceAbove performance ->
            case "performanceAbove" [ "performance", number performance ]

    let private ofScore =
        function
        | Score.Decision -> case "decision" []
        | Score.ErrorBelow error -> case "errorBelow" [ "error", number error ]
        | Score.ShareWithin error -> case "shareWithin" [ "error", number error ]

    /// The task.
    let rec ofTask (task: Task) : JsonNode =
        let kind =
            match task.Kind with
            | Periodic(period, harmonics) ->
                case "periodic" [
                    "periodMs", time period
                    "harmonics",
                    list [
                        for k, amplitude in harmonics ->
                            record [ "harmonic", whole k; "amplitude", number amplitude ]
                    ]
                ]
            | Arrays data ->
                case "arrays" [
                    "inputs", shape data.Inputs
                    "targets", shape data.Targets
                    "masked", flag data.Mask.IsSome
                    "rewarded", flag data.Rewards.IsSome
                ]
            | Drawn drawn ->
                case "function" [
                    "inputs", whole drawn.Inputs
                    "outputs", whole drawn.Outputs
                    "durationMs", time drawn.Duration
                ]
            | Phased given ->
                case "phases" [
                    "inputs", whole given.Inputs
                    "outputs", whole given.Outputs
                    "phases", phases given.Phases
                ]
            | Standard given ->
                let settings = [
                    for name, value in StandardTasks.settings given ->
                        (if value.IsTime then name + "Ms" else name), setting value
                ]

                case given.Name (("phases", phases given.Phases) :: settings)
            | ReadySetGo p ->
                case "ready-set-go" [
                    "firstPulseMs", time p.FirstPulse
                    "delaysMs",
                    (match p.Delays with
                     | DrawnBetween(shortest, longest) ->
                         case "drawn" [ "shortest", time shortest; "longest", time longest ]
                     | InTurn delays -> case "in-turn" [ "delays", list (Seq.map time delays) ])
                    "widthMs", time p.Width
                    "amplitude", number p.Amplitude
                    "targetAmplitude", number p.TargetAmplitude
                    "tailMs", time p.Tail
                    "ownChannels", flag p.OwnChannels
                ]
            | Syllables p ->
                case "syllables" [
                    "directions", list [ for x, y in p.Directions -> list [ number x; number y ] ]
                    "moveMs", time p.Move
                    "holdMs", time p.Hold
                    "inputInHold", flag p.InputInHold
                    "length", number p.Length
                    "evenSpeed", flag p.EvenSpeed
                    "amplitude", number p.Amplitude
                    "bounds",
                    list [
                        for low, high in Option.toList p.Bounds do
                            number low
                            number high
                    ]
                    "start", list [ number (fst p.Start); number (snd p.Start) ]
                    "returns", flag p.Returns
                    "movedByTarget", flag p.MovedByTarget
                    "sequence", list (Seq.map whole p.Sequence)
                    "perTrial", whole p.PerTrial
                    "cue", text (string p.Cue)
                    "chooser", text (Option.defaultValue "" p.Chooser)
                    "judgedByPair", flag p.JudgedByPair
                    "stopsAtError", flag p.StopsAtError
                ]
            | InLoop loop ->
                case "closed-loop" [
                    "inputs", whole loop.Inputs
                    "outputs", whole loop.Outputs
                    "durationMs", time loop.Duration
                    "watches", list (Seq.map text loop.Watches)
                    "memory", whole loop.Memory.Length
                    "rewarded", flag loop.Judge.IsSome
                ]
            | Blocks blocks ->
                case "blocks" [
                    "parts",
                    list [
                        for part, trials in blocks ->
                            record [ "trials", whole trials; "task", ofTask part ]
                    ]
                ]
            | Mixture shares ->
                case "mixture" [
                    "parts",
                    list [
                        for part, weight in shares ->
                            record [ "weight", number weight; "task", ofTask part ]
                    ]
                ]
            | Curriculum(stages, last) ->
                case "curriculum" [
                    "stages",
                    list [
                        for part, criterion in stages ->
                            record [ "passed", passed criterion; "task", ofTask part ]
                    ]
                    "last", ofTask last
                ]
            | Custom custom ->
                case "custom" [
                    "type", text (custom.GetType().Name)
                    "inputs", whole custom.Inputs
                    "outputs", whole custom.Outputs
                    "maxSteps", whole custom.MaxSteps
                ]

        record [
            "name", text task.Name
            "kind", kind
            "events", list (Seq.map text task.Events)

            match task.Mask with
            | Some mask -> "mask", shape mask
            | None -> ()

            if not (List.isEmpty task.Conditions) then
                "conditions", list [ for condition in task.Conditions -> text condition.Name ]

            match task.Score with
            | Some score -> "score", ofScore score
            | None -> ()
        ]
