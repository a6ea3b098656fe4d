/// The rows of the table of targets: what is measured, beside what, and what is asked of it.
module Rflo.Bench.Rows

open System.Threading
open Rflo.Core
open Rflo.Dsl
open Rflo.Bench.Statistics
open Rflo.Bench.Work

/// What a row's number means.
type Scale =
    /// How many times as fast.
    | Times
    /// Percent of a ceiling.
    | Percent
    /// Millions of synapse updates a second.
    | MillionUpdates

type Row = {
    Work: string
    /// Microseconds a step of ours.
    Ours: float
    /// What it stands beside.
    Beside: string
    /// Microseconds a step of that, where it has steps.
    Theirs: float option
    Scale: Scale
    Value: Spread
    Target: float option
}

/// A row, or the name of its work and why nothing was measured.
type Measured = Result<Row, string * string>

/// How long and how often things are measured.
type Effort = {
    Pairs: int
    /// Seconds of one measurement of ours.
    Seconds: float
    /// Seconds of one measurement of a peer.
    PeerSeconds: float
}

let isMet row =
    row.Target |> Option.map (fun target -> row.Value.Median >= target)

/// Peers that run already, or the reasons why they do not, by name.
type PeerSet = Map<string, Peers.Found>

let private failed work reason : Measured = Error(name work, reason)

let private against effort work (running: Running) (peer: Peers.Peer) target : Measured =
    let pairs = [|
        for _ in 1 .. effort.Pairs ->
            time effort.Seconds running, Peers.time effort.PeerSeconds peer
    |]

    match
        pairs
        |> Array.tryPick (fun (_, theirs) ->
            match theirs with
            | Error reason -> Some reason
            | Ok _ -> None)
    with
    | Some reason -> failed work $"{peer.Name}: {reason}"
    | None ->
        let theirs = pairs |> Array.map (snd >> Result.defaultValue nan)

        Ok {
            Work = name work
            Ours = pairs |> Array.map fst |> median
            Beside = peer.Name
            Theirs = Some(median theirs)
            Scale = Times
            Value = Array.map2 (fun (ours, _) theirs -> theirs / ours) pairs theirs |> spread
            // Against the reference BLAS nothing is won.
            Target =
                if peer.Version.Contains "reference BLAS" then
                    None
                else
                    target
        }

let private besideLoaded effort (peers: PeerSet) work theirs running (peer, target) =
    match Map.tryFind peer peers with
    | None -> failed work $"there is no peer {peer}"
    | Some(Error reason) -> failed work $"{peer} does not run: {reason}"
    | Some(Ok found) ->
        match Peers.load found theirs with
        | Error reason -> failed work $"{peer}: {reason}"
        | Ok() -> against effort work running found target

/// A work beside some peers, each with what is asked: ours, the peer, ours, the peer, and so on.
let besidePeers effort peers work (asked: (string * float option) list) : Measured list =
    match warm work with
    | Error problem -> [ failed work problem ]
    | Ok running -> asked |> List.map (besideLoaded effort peers work work running)

/// One trial of a work of long trials, beside a peer in so many steps: its steps all take the same time.
let oneTrial effort peers work peer peerSteps : Measured list =
    match cold work with
    | Error problem -> [ failed work problem ]
    | Ok running -> [
        besideLoaded
            { effort with Pairs = 1 }
            peers
            work
            { work with Steps = peerSteps }
            running
            (peer, None)
      ]

/// Medians of so many measurements of one work.
let private repeatedly effort running = [|
    for _ in 1 .. effort.Pairs -> time effort.Seconds running
|]

/// A work whose number follows from its time alone.
let private alone effort work beside theirs scale target (value: float -> float) : Measured =
    warm work
    |> Result.mapError (fun problem -> name work, problem)
    |> Result.map (fun running ->
        let ours = repeatedly effort running

        {
            Work = name work
            Ours = median ours
            Beside = beside
            Theirs = theirs
            Scale = scale
            Value = ours |> Array.map value |> spread
            Target = target
        })

/// How much of its bound a dense step reaches.
let besideBound effort ceilings work beside target : Measured =
    match Roofline.step work with
    | None -> failed work "its operations are not counted"
    | Some dense ->
        let bound = Roofline.bound ceilings work dense

        alone effort work beside (Some bound.Microseconds) Percent target (fun ours ->
            100.0 * bound.Microseconds / ours)

/// Synapse updates a second of a sparse work.
let updates effort work target : Measured =
    let synapses =
        float work.Units * float (Option.defaultValue work.Units work.Synapses)

    alone effort work "synapse updates" None MillionUpdates target (fun ours -> synapses / ours)

/// Two works in turn: how many times as fast the first is.
let inTurn effort work slower beside target : Measured =
    match warm work, warm slower with
    | Error problem, _
    | _, Error problem -> failed work problem
    | Ok fast, Ok slow ->
        let pairs = [|
            for _ in 1 .. effort.Pairs -> time effort.Seconds fast, time effort.Seconds slow
        |]

        Ok {
            Work = name work
            Ours = pairs |> Array.map fst |> median
            Beside = beside
            Theirs = Some(pairs |> Array.map snd |> median)
            Scale = Times
            Value = pairs |> Array.map (fun (fast, slow) -> slow / fast) |> spread
            Target = target
        }

/// Test trials as an evaluation runs them, and one after another, in turn: how many times as fast the first is, by processor time.
let evaluations effort count work : Measured =
    let title = $"{count} test trials, {name work}"

    warm work
    |> Result.mapError (fun problem -> title, problem)
    |> Result.map (fun running ->
        let pair () =
            evaluation false count running, evaluation true count running

        // Lanes are allocated, and code is compiled.
        pair () |> ignore
        let pairs = [| for _ in 1 .. effort.Pairs -> pair () |]

        {
            Work = title
            Ours = pairs |> Array.map fst |> median
            Beside = "one after another"
            Theirs = Some(pairs |> Array.map snd |> median)
            Scale = Times
            Value = pairs |> Array.map (fun (ours, theirs) -> theirs / ours) |> spread
            Target = None
        })

/// Microseconds a step of runs that train at the same time, each on a thread of its own.
let private together seconds (runs: Running list) =
    use ready = new Barrier(runs.Length)
    let times = Array.zeroCreate runs.Length

    let threads =
        runs
        |> List.mapi (fun k running ->
            Thread(fun () ->
                ready.SignalAndWait()
                times[k] <- time seconds running))

    threads |> List.iter _.Start()
    threads |> List.iter _.Join()
    times

/// Steps a second of two independent runs on two threads, over those of one alone.
let twoRuns effort work target : Measured =
    match warm work, warm work with
    | Error problem, _
    | _, Error problem -> failed work problem
    | Ok one, Ok other ->
        let pairs = [|
            for _ in 1 .. effort.Pairs ->
                time effort.Seconds one, together effort.Seconds [ one; other ]
        |]

        Ok {
            Work = $"two runs of {name work}"
            Ours = pairs |> Array.map (snd >> Array.average) |> median
            Beside = "one run"
            Theirs = Some(pairs |> Array.map fst |> median)
            Scale = Times
            Value =
                pairs
                |> Array.map (fun (alone, both) -> both |> Array.sumBy (fun each -> alone / each))
                |> spread
            Target = target
        }
