/// One piece of work, the periodic-output experiment of Murray (2019) in some size, and how long a step of it takes.
module Rflo.Bench.Work

open System
open System.Collections.Generic
open Rflo.Core
open Rflo.Dsl
open Rflo.Bench.Statistics

/// What is trained.
type Work = {
    /// With the time of its updates.
    Rule: Rule
    Units: int
    Steps: int
    Precision: Precision
    /// Connections that a unit receives from others, on average; all of them where not said.
    Synapses: int option
    /// Trials of an update; more than one run side by side.
    Batch: int
    /// Trials of a group that shares every update, step by step.
    Lanes: int
    /// Cores of one run.
    Threads: int
}

let work rule units = {
    Rule = rule
    Units = units
    Steps = 100
    Precision = Precision.Double
    Synapses = None
    Batch = 1
    Lanes = 1
    Threads = 1
}

/// The same with the mean of so many trials as its update, on so many cores.
let inBatches size threads work = {
    work with
        Rule = {
            work.Rule with
                Update = EveryTrials(size, Mean)
        }
        Batch = size
        Threads = threads
}

/// The same in so many lanes that share every update.
let inLanes count work = {
    work with
        Batch = count
        Lanes = count
}

let online (rule: Rule) = { rule with Update = Online }
let isOnline (rule: Rule) = rule.Update = Online

let ruleName (rule: Rule) =
    if isOnline rule then $"{rule.Name} online" else rule.Name

let name work =
    let sparse =
        match work.Synapses with
        | Some count -> $", {count} synapses a unit"
        | None -> ""

    let single = if work.Precision = Precision.Single then ", single" else ""
    let steps = if work.Steps = 100 then "" else $", T = {work.Steps}"

    let batch =
        if work.Lanes > 1 then $", {work.Lanes} lanes"
        elif work.Batch = 1 then ""
        else $", {work.Batch} trials an update"

    let threads = if work.Threads = 1 then "" else $", {work.Threads} threads"
    $"{ruleName work.Rule}, N = {work.Units:N0}{steps}{sparse}{single}{batch}{threads}"

/// Learning rate of all projections: the notebook's, and so much less in larger networks that no readout overshoots.
let rate work =
    0.03 * min 1.0 (50.0 / float work.Units)

let private harmonics = [ 1, 1.0; 2, 0.5; 4, 0.25 ]

/// The targets of a trial, shape (steps).
let targets work = [|
    for t in 1 .. work.Steps ->
        harmonics
        |> List.sumBy (fun (k, size) ->
            size * sin (2.0 * Math.PI * float (k * t) / float work.Steps))
|]

/// Rules that wait for a reward get one in every step; the others have the task that everybody else uses.
let private task work =
    match work.Rule.Credit with
    | Local {
                Modulator = { Signal = TaskReward | RewardError }
            } ->
        let column (values: float[]) =
            Array2D.init values.Length 1 (fun t _ -> values[t])

        Task.ofArrays (Array2D.zeroCreate work.Steps 0) (column (targets work))
        |> Task.rewarded (Array.create work.Steps 1.0)
    | _ -> Task.periodic (float work.Steps * 1.0<ms>) harmonics

let private withNoise work (cortex: Area) =
    match work.Rule.Credit with
    | Local {
                Post = { Signal = Perturbation | Current }
            } -> cortex |> noise 0.1
    | _ -> cortex

let experimentOf work =
    let cortex = area "cortex" work.Units |> tau 10.0<ms> |> withNoise work
    let y = readout "y" 1

    let connected =
        match work.Synapses with
        | Some count -> density (float count / float work.Units)
        | None -> id

    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex
        |> weights (gaussian 1.5)
        |> connected
        |> learningRate (rate work)
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate (rate work)
    ]
    |> feedback [ errorOf y --> cortex ]
    |> fun network -> experiment "bench" network (task work)
    |> rule work.Rule
    |> precision work.Precision
    |> lanes work.Lanes
    |> trials (1000 * work.Batch)

/// A session that is there to be measured.
type Running = {
    Work: Work
    Compiled: Compiled
    Session: Session
}

/// A session before its first trial, or why there is none. No matrix is made of the weights, so that large sparse circuits
/// stay sparse.
let start work =
    match Check.experiment (experimentOf work) with
    | Error problems -> Error(problems |> List.map Problem.text |> String.concat "; ")
    | Ok ready ->
        let compiled = Compile.experiment ready
        let session = Run.session compiled
        session.Threads <- work.Threads

        Ok {
            Work = work
            Compiled = compiled
            Session = session
        }

/// Trains so many trials; one that does not stay finite is no measurement.
let private train (running: Running) trials =
    let status = running.Session.Run trials

    if status.End <> RunEnd.Completed then
        failwith $"{name running.Work}: {status}"

/// Trials that fit into a time, by the shortest of the last ones; one where none has run.
let private trialsFor (seconds: float) (running: Running) =
    let past = running.Session.Metrics.CopySeconds()

    if Array.isEmpty past then
        1
    else
        let shortest = past |> Array.skip (max 0 (past.Length - 5)) |> Array.min
        max 1 (int (seconds / max 1e-7 shortest))

/// Whole updates of them.
let private whole work trials =
    (trials + work.Batch - 1) / work.Batch * work.Batch

let private warmed = HashSet<string>()

/// Lets the JIT see a small network of the same kind, once for each kind.
let private warmKind work =
    if
        warmed.Add
            $"{ruleName work.Rule} {work.Precision} {work.Synapses.IsSome} {work.Rule.Readout} {work.Batch} {work.Lanes} {work.Threads}"
    then
        let small = {
            work with
                Units = 40
                Steps = 20
                Synapses = work.Synapses |> Option.map (fun _ -> 4)
        }

        match start small with
        | Error _ -> ()
        | Ok running -> Jit.settle (fun () -> train running work.Batch)

/// A session whose code is compiled, and that has trained nothing yet: for trials that take long.
let cold work =
    warmKind work
    start work

/// A session whose code is compiled and whose memory was touched, ready to be measured.
let warm work =
    cold work
    |> Result.map (fun running ->
        train running work.Batch

        if Array.last (running.Session.Metrics.CopySeconds()) < 1.0 then
            train running (min 2000 (trialsFor 0.05 running) |> whole work)

        running)

/// Trains for about so long, at least one update: microseconds a step and trial by the session's own clock. The median over the
/// trials, or the mean where an update is of several: its own time is in the last of them.
let time (seconds: float) (running: Running) =
    let before = running.Session.TrialsDone
    train running (trialsFor seconds running |> whole running.Work)
    let counted = running.Session.Metrics.CopySeconds() |> Array.skip before

    let typical =
        if running.Work.Batch = 1 then
            median counted
        else
            Array.average counted

    1e6 * typical / float running.Work.Steps

/// Microseconds of processor time, a step and trial, that so many test trials take: side by side where the session has lanes for them, or one
/// after another.
let evaluation isInTurn count (running: Running) =
    let before = Environment.CpuUsage.TotalTime

    if isInTurn then
        for trial in 0 .. count - 1 do
            running.Session.Test trial |> ignore
    else
        running.Session.Evaluate(0, count, (fun _ -> ()))

    let taken = Environment.CpuUsage.TotalTime - before
    taken.TotalMicroseconds / float (count * running.Work.Steps)

/// Losses of the first trials of a fresh session.
let losses count work =
    start work
    |> Result.map (fun running ->
        train running count
        running.Session.Metrics.CopyLosses())
