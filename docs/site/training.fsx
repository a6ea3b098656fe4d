/// The runs behind the figures of the rule pages.
module Training

#load "../../src/Rflo.Host/host.fsx"
#load "plot.fsx"

open System.Collections.Concurrent
open Rflo.Dsl
open Plot

/// Trials and seeds of every curve.
let private length = 400

let private seeds = [ 1; 2; 3 ]

/// The network of examples/05-compare-rules.fsx: a little noise, so that node perturbation has something to learn from.
let private network =
    let cortex = area "cortex" 30 |> tau 10.0<ms> |> noise 0.05
    let y = readout "y" 1

    circuit [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]

let private target =
    Task.periodic 100.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

let private train experiment =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failwith (String.concat "\n" (Problem.report "a figure" problems))

let private runs = ConcurrentDictionary<string * float, Lazy<Trained list>>()

/// Three runs of a rule, each made once.
let private runsOf (r: Rule) rate =
    runs
        .GetOrAdd(
            (r.Name, rate),
            fun _ ->
                lazy
                    [
                        for number in seeds ->
                            let changed =
                                Circuit.mapProjection "cortex->cortex" (learningRate rate) network

                            experiment "figure" changed target
                            |> rule r
                            |> trials length
                            |> seed number
                            |> probe 10 [
                                // Where only readouts learn, no weights onto an area have an angle.
                                if r.Learns <> OnlyReadouts then
                                    Probe.angle Rule.bptt
                            ]
                            |> train
                    ]
        )
        .Value

let private losses label ink r rate = {
    Label = label
    Ink = ink
    Points = runsOf r rate |> List.map _.Losses |> median |> thin 10
}

let private angles label ink r rate = {
    Label = label
    Ink = ink
    Points =
        runsOf r rate
        |> List.map (fun trained -> trained.Probes["angle own/bptt"].Values)
        |> median
        |> Array.mapi (fun k angle -> float (10 * k), angle)
        |> List.ofArray
}

let private lossPanel curves = {
    Title = "loss (median of 3 seeds)"
    Across = "trials"
    IsLog = true
    Curves = curves
}

/// A rule on the periodic task beside BPTT: its loss, and how far what it asks for is from the gradient.
let besideBptt (r: Rule) rate =
    [
        lossPanel [
            losses r.Name "first" r rate
            if r.Name <> "bptt" then
                losses "bptt" "second" Rule.bptt 0.03
            losses "readout only" "third" Rule.delta 0.03
        ]
        {
            Title = "angle to the gradient (degrees)"
            Across = "trials"
            IsLog = false
            Curves = [
                angles r.Name "first" r rate
                if r.Name <> "rflo" then
                    angles "rflo" "second" Rule.rflo 0.03
            ]
        }
    ]
    |> svg $"Loss of {r.Name} on the periodic task beside BPTT, and its angle to the gradient"

/// A rule of readouts on the periodic task beside BPTT.
let readoutOnly (r: Rule) =
    [
        lossPanel [
            losses r.Name "first" r 0.03
            if r.Name <> "delta" then
                losses "delta" "second" Rule.delta 0.03
            losses "bptt" "third" Rule.bptt 0.03
        ]
    ]
    |> svg $"Loss of {r.Name} on the periodic task beside the delta rule and BPTT"

let private norms (r: Rule) = [
    for number in seeds ->
        let changed = Circuit.mapProjection "cortex->cortex" (learningRate 0.03) network

        let trained =
            experiment "figure" changed target
            |> rule r
            |> trials length
            |> seed number
            |> probe 5 [
                Probe.custom "norm" (fun seen -> seen.Weights["cortex->cortex"].FrobeniusNorm())
            ]
            |> train

        trained.Probes["norm"].Values
]

/// How large the recurrent weights become under Hebb's and Oja's rules.
let growth () =
    let curve (r: Rule) ink = {
        Label = r.Name
        Ink = ink
        Points =
            norms r
            |> median
            |> Array.mapi (fun k norm -> float (5 * k), norm)
            |> List.ofArray
    }

    svg "Norm of the recurrent weights under Hebb's and Oja's rules" [
        {
            Title = "norm of recurrent weights (3 seeds)"
            Across = "trials"
            IsLog = false
            Curves = [ curve Rule.hebb "first"; curve Rule.oja "second" ]
        }
    ]

/// Four cues, four actions: cortex shows which cue it is, striatum chooses, the right action is rewarded.
let private choosing (r: Rule) number =
    let cue = input "cue" 4
    let cortex = relay "cortex" 4

    let striatum = winnerTakeAll "striatum" 4 |> explore 0.2

    let steps = 4

    let begin' _ (stream: RandomStream) (memory: float[]) =
        memory[0] <- float (stream.Between(0, 4))

    let step (now: Moment) (memory: float[]) = {
        Input = Array.init 4 (fun k -> if k = int memory[0] then 1.0 else 0.0)
        Target = [||]
        Mask = [||]
        Events = if now.Step = steps - 1 then [ "decide" ] else []
    }

    let judge (now: Moment) (memory: float[]) =
        if now.Step = steps - 1 && now.Rates("striatum")[int memory[0]] > 0.5 then
            1.0
        else
            0.0

    let task =
        Task.closedLoop 4 0 (float steps * 1.0<ms>) [| 0.0 |] begin' step
        |> Task.watching [ "striatum" ]
        |> Task.judged judge
        |> Task.events [ "decide" ]

    let circuit' =
        circuit [
            cue --> cortex |> weights (oneToOne 1.0)
            cortex --> striatum
            |> weights (gaussian 0.1)
            |> gate (atEvent "decide")
            |> learningRate 0.5
        ]

    (experiment "choice" circuit' task
     |> rule r
     |> trials length
     |> seed number
     |> train)
        .Rewards

/// How often the right action is chosen, under two rules.
let choices (first: Rule) (second: Rule) =
    let curve (r: Rule) ink = {
        Label = r.Name
        Ink = ink
        Points = [ for number in 1..9 -> choosing r number ] |> mean |> thin 20
    }

    svg "How often the rewarded action is chosen" [
        {
            Title = "right choices of four, mean of 9 seeds"
            Across = "trials"
            IsLog = false
            Curves = [ curve first "first"; curve second "second" ]
        }
    ]
