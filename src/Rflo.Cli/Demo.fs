namespace Rflo.Cli

open System
open System.IO
open Argu
open Spectre.Console
open Rflo.Core
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs

/// The options of `rflo demo`.
type internal DemoOption =
    | Quick
    | Out of folder: string

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Quick -> "fewer trials: to test the installation."
            | Out _ ->
                "write the runs and the report here; without it, the next free runs/demo-1, -2, ..."

/// Trains the periodic task by RFLO, BPTT and RTRL from the same weights, and compares them.
[<RequireQualifiedAccess>]
module internal Demo =

    /// Trials over which RTRL's losses must be BPTT's: both are the exact gradient.
    let private compared = 50

    let private tolerance = 1e-9

    let private plan isQuick =
        let many, few = if isQuick then 300, 60 else 10_000, 200

        [ Rule.rflo, many; Rule.bptt, many; Rule.rtrl, few ]
        |> List.map (fun (rule, trials) ->
            Periodic.experiment 50 100 |> Experiment.rule rule |> Experiment.trials trials)

    let private checkedOf experiment =
        match Check.experiment experiment with
        | Ok ready -> ready
        | Error problems -> invalidOp (String.concat "; " (Problem.report "demo" problems))

    /// The largest relative difference of two runs' first losses, and its trial.
    let private difference (a: float[]) (b: float[]) =
        Seq.zip a b
        |> Seq.truncate compared
        |> Seq.indexed
        |> Seq.map (fun (trial, (x, y)) -> abs (x - y) / max (abs x) (abs y), trial)
        |> Seq.fold max (0.0, 0)

    let private small (value: float) =
        value.ToString("0.#e-0", Globalization.CultureInfo.InvariantCulture)

    let private agreement (runs: Trained list) =
        let losses rule =
            (runs |> List.find (fun trained -> trained.Experiment.Rule = rule)).Losses

        let bptt, rtrl = losses Rule.bptt, losses Rule.rtrl

        if min bptt.Length rtrl.Length < compared then
            $"stopped before {compared} trials of bptt and rtrl could be compared", false
        else
            match difference bptt rtrl with
            | largest, _ when largest <= tolerance ->
                $"rtrl's losses agree with bptt's to {small largest} over the first {compared} trials",
                true
            | largest, trial ->
                $"rtrl's loss {string rtrl[trial]} differs from bptt's {string bptt[trial]} in trial {trial}, by {small largest}; {string tolerance} is allowed",
                false

    let private compare (place: string) (trained: (Trained * bool) list) =
        let runs = List.map fst trained
        let note, isGood = agreement runs
        let report = Path.Combine(place, RunFileNames.Report)
        File.WriteAllText(report, Comparison.html "RFLO, BPTT and RTRL" (note, isGood) runs)
        Compare.show runs
        (if isGood then stdout else stderr).WriteLine note
        printfn $"{report}"

        if
            isGood
            && runs |> List.forall (fun trained -> trained.Status.IsWell)
            && List.forall snd trained
        then
            ExitCode.Done
        else
            ExitCode.EndedEarly

    let private runIn place isQuick =
        try
            Compare.requireEmpty place
            use interrupt = new Interrupt()

            plan isQuick
            |> List.map (fun experiment ->
                Compare.train
                    interrupt
                    false
                    Guards.usual
                    true
                    place
                    []
                    None
                    (experiment.Rule.Name, checkedOf experiment))
            |> compare place
        with
        | :? RunFileException as e ->
            eprintfn $"rflo demo: {e.Message}"
            ExitCode.Arguments
        | :? IOException
        | :? UnauthorizedAccessException as e ->
            eprintfn $"rflo demo: {e.Message}"
            ExitCode.EndedEarly

    /// The command; its exit code.
    let run (arguments: string list) =
        Arguments.command<DemoOption> "rflo demo" arguments (fun options ->
            let place =
                options
                |> List.tryPick (function
                    | Out folder -> Some folder
                    | Quick -> None)
                |> Option.defaultWith (fun () -> Compare.nextFree "demo")

            runIn place (List.contains Quick options))
