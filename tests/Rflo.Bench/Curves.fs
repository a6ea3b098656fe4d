/// Times over sizes, lengths, densities and threads, for the pictures.
module Rflo.Bench.Curves

open Rflo.Dsl
open Rflo.Bench.Rows
open Rflo.Bench.Work

/// Times of one kind of work, (x, microseconds a step).
type Curve = {
    Name: string
    Points: (float * float) list
}

let private sizes = [ 10; 20; 50; 100; 200; 500; 1000; 2000 ]

/// A trial of more steps than this many seconds is not waited for.
let private longestTrial = 3.0

/// Steps of a trial where 100 would take too long.
let private fewSteps = 16

/// RTRL takes no product in a trial of a few blocks, so a short trial of ours would say nothing of a long one.
let private canBeShort work = work.Rule.Credit <> ForwardInTime

/// Goes from small sizes to large ones while a trial is expected to be short enough; the growth that is seen between two
/// sizes tells what the next will take.
let private grow name canBeShort (timed: Work -> Result<float, string>) make : Curve =
    let expected units (points: (float * float) list) =
        match points with
        | (lastSize, lastTime) :: (size, time) :: _ ->
            let power = max 1.0 (log (lastTime / time) / log (lastSize / size))
            lastTime * (float units / lastSize) ** power
        | _ -> 0.0

    let rec go points sizes =
        match sizes with
        | [] -> points
        | units :: rest ->
            let work: Work = make units

            let seconds steps =
                1e-6 * expected units points * float steps

            let fitting =
                if seconds work.Steps <= longestTrial / 3.0 then
                    Some work
                elif canBeShort work && seconds fewSteps <= longestTrial then
                    Some { work with Steps = fewSteps }
                else
                    None

            match fitting |> Option.map timed with
            | Some(Ok time) -> go ((float units, time) :: points) rest
            | _ -> points

    {
        Name = name
        Points = List.rev (go [] sizes)
    }

let private ours seconds (work: Work) = warm work |> Result.map (time seconds)

let private theirs seconds peer work =
    Peers.load peer work |> Result.bind (fun () -> Peers.time seconds peer)

/// The rules that differ in what they do; the others differ in a name or in what error they hear.
let rules = [
    Rule.rflo
    online Rule.rflo
    online Rule.hebb
    Rule.snap1
    Rule.nodePerturbation
    Rule.bptt
    Rule.tbptt
    Rule.rtrl
    Rule.uoro
    Rule.kfRtrl
    Rule.reverseKfRtrl
    online Rule.kernl
    Rule.delta
    Rule.force
    Rule.ridge
]

/// Time a step over the number of units, every rule.
let ofUnits seconds : (Rule * Curve) list = [
    for rule in rules -> rule, grow (ruleName rule) canBeShort (ours seconds) (work rule)
]

/// The rules that peers have.
let compared = [ Rule.rflo; online Rule.rflo; Rule.bptt; Rule.rtrl ]

/// Times of the peers that run, by the rule's name.
let ofPeers seconds (peers: PeerSet) : (string * Curve) list = [
    for rule in compared do
        for name, found in Map.toList peers do
            match found with
            | Ok peer when (Peers.ruleOf name (work rule 10)).IsSome ->
                ruleName rule, grow name (fun _ -> true) (theirs seconds peer) (work rule)
            | _ -> ()
]

let private each name points (make: 'x -> Work) (x: 'x -> float) seconds = {
    Name = name
    Points = [
        for point in points do
            match ours seconds (make point) with
            | Ok time -> x point, time
            | Error _ -> ()
    ]
}

/// Time a step over the length of a trial, N = 50.
let ofSteps seconds = [
    for rule in compared ->
        each
            (ruleName rule)
            [ 10; 30; 100; 300; 1000; 3000 ]
            (fun steps -> { work rule 50 with Steps = steps })
            float
            seconds
]

/// Time a step over the fraction of connections that exist, N = 2,000.
let ofDensity seconds =
    let units = 2000

    [
        for rule in [ Rule.rflo; online Rule.rflo ] ->
            each
                (ruleName rule)
                [ 0.005; 0.01; 0.02; 0.05; 0.1; 0.2; 0.25; 0.3; 0.5; 1.0 ]
                (fun density -> {
                    work rule units with
                        Steps = 20
                        Synapses = Some(int (density * float units))
                })
                id
                seconds
    ]

/// How many times as fast two runs are on two threads as one after the other, over the number of units.
let ofThreads effort : Curve list = [
    for rule in [ Rule.rflo; online Rule.rflo ] ->
        {
            Name = ruleName rule
            Points = [
                for units in [ 20; 50; 100; 200; 500; 1000; 2000 ] do
                    match twoRuns effort { work rule units with Steps = 50 } None with
                    | Ok row -> float units, row.Value.Median
                    | Error _ -> ()
            ]
        }
]

/// The exponent with which time grows from N = 100 on, where there are enough points to tell.
let growth (curve: Curve) =
    match curve.Points |> List.filter (fun (units, _) -> units >= 100.0) with
    | points when points.Length >= 3 -> Some(Statistics.exponent points)
    | _ -> None

/// The exponent that a rule's arithmetic gives.
let theory (rule: Rule) =
    match rule.Credit, rule.Learns, rule.Readout with
    | _, OnlyReadouts, RidgeRegression _ -> "2, and 3 once a trial"
    | _, OnlyReadouts, _ -> "2"
    | ForwardInTime, _, _ -> "4"
    | Stochastic(factors, _), _, _ when factors <> Rflo.Core.InfluenceFactors.RankOne -> "3"
    | _ -> "2"
