/// The work that is measured: the periodic-output experiment of Murray (2019), as its author's notebook has it.
module Rflo.Bench.Work

open Rflo.Dsl

/// One line of the table.
type Work = {
    Rule: Rule
    Update: Update
    Units: int
    Steps: int
    /// Trials of one measurement of ours, after the JIT has done its work.
    Trials: int
    /// Trials of one measurement of a peer.
    PeerTrials: int
    /// How many times as fast as the notebook's loop a step must be, where that is asked.
    Target: float option
}

let name work =
    match work.Update with
    | Online -> $"{work.Rule.Name} online"
    | _ -> $"{work.Rule.Name} trial-end"

let private experimentOf work =
    let cortex = area "cortex" work.Units |> tau 10.0<ms>
    let y = readout "y" 1

    let network =
        circuit
        |> areas [ cortex ]
        |> readouts [ y ]
        |> projections [
            cortex --> cortex |> weights (gaussian 1.5) |> learning 0.03
            cortex --> y |> weights (uniformScaled 0.1) |> learning 0.03
        ]
        |> feedback [ errorOf y --> cortex ]

    let period = float work.Steps * 1.0<ms>

    experiment "bench" network (Task.periodic period [ 1, 1.0; 2, 0.5; 4, 0.25 ])
    |> rule { work.Rule with Update = work.Update }

let median (values: float[]) =
    let sorted = Array.sort values
    sorted[sorted.Length / 2]

/// Microseconds a step, the median over the trials of one run; the first fifth warms up.
let measure work =
    match experimentOf work |> trials (work.Trials * 5 / 4) |> Run.train with
    | Ok trained ->
        let counted = trained.Seconds |> Array.skip (work.Trials / 4)
        1e6 * median counted / float work.Steps
    | Error problems ->
        Problem.report "bench" problems |> List.iter (eprintfn "%s")
        nan

/// The work of the first table: N = 50, T = 100.
let small =
    let work rule update trials peerTrials target = {
        Rule = rule
        Update = update
        Units = 50
        Steps = 100
        Trials = trials
        PeerTrials = peerTrials
        Target = target
    }

    [
        work Rule.rflo TrialEnd 4000 100 (Some 60.0)
        work Rule.rflo Online 4000 100 None
        work Rule.bptt TrialEnd 4000 100 (Some 40.0)
        work Rule.rtrl TrialEnd 200 5 (Some 8.0)
    ]
