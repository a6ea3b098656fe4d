namespace Rflo.Host

open System
open System.Diagnostics
open System.IO
open Argu
open Rflo.Dsl
open Rflo.Runs

/// The options of `rflo reproduce FIGURE`.
type ReproduceOption =
    | [<MainCommand>] Figures of name: string list
    | Quick
    | Seeds of count: string
    | Jobs of count: string
    | Out of folder: string
    | Grid

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Figures _ -> "list, all, or the names of figures."
            | Quick -> "fewer runs of fewer trials, in minutes; for a look, not for a verdict."
            | Seeds _ -> "runs a condition; 9, or 3 with --quick."
            | Jobs _ -> "runs at once; as many as there are cores."
            | Out _ ->
                "the folder of runs and pages; runs/reproduction, or runs/reproduction-quick. What is there is not run again."
            | Grid -> "search the paper's grid of learning rates too."

/// The `rflo reproduce` command: the results of Murray (2019) from models in the language.
[<RequireQualifiedAccess>]
module Reproduce =

    let private figures size =
        PaperFigure2.all
        @ PaperSupplements.all
        @ [
            PaperFigure3.fig3
            PaperFigure4.fig4
            PaperAppendix.figure size
            PaperBeyond.approximations
            PaperBeyond.loops
            PaperGrid.figure
            PaperFigure4.fig4Held
        ]

    let private full = {
        Seeds = 9
        Trials = id
        IsQuick = false
    }

    let private quick = {
        Seeds = 3
        Trials = fun trials -> max 100 (trials / 10)
        IsQuick = true
    }

    /// The conditions as a sweep over conditions and seeds.
    let private sweep (size: PaperSize) (conditions: (string * (int -> Experiment)) list) =
        let any = snd conditions.Head 1

        any
        |> Sweep.ofExperiment
        |> Sweep.named "reproduction"
        |> Sweep.over "seed" [ 1 .. size.Seeds ] Declare.seed
        |> Sweep.overNamed "condition" [
            for key, make in conditions ->
                key,
                fun (experiment: Experiment) ->
                    make (int experiment.Seed) |> Declare.seed (int experiment.Seed)
        ]

    let private setting name (outcome: Outcome) =
        outcome.Settings |> List.find (fun (known, _) -> known = name) |> snd

    /// Runs what is not run yet, and reads all of it.
    let private runAll
        settings
        size
        (conditions: (string * (int -> Experiment)) list)
        : PaperResults =
        if conditions.IsEmpty then
            Map.empty
        else
            match Sweeps.run settings (sweep size conditions) with
            | Error problems -> invalidOp (problems |> List.map Problem.text |> String.concat "; ")
            | Ok outcomes ->
                if settings.Cancellation.IsCancellationRequested then
                    raise (OperationCanceledException())

                outcomes
                |> List.filter (fun outcome -> Directory.Exists outcome.Place)
                |> List.map (fun outcome ->
                    let key, seed = setting "condition" outcome, int (setting "seed" outcome)
                    let make = conditions |> List.find (fun (known, _) -> known = key) |> snd
                    key, PaperRuns.read seed (make seed |> Declare.seed seed) outcome.Place)
                |> List.groupBy fst
                |> List.map (fun (key, runs) -> key, runs |> List.map snd |> List.sortBy _.Seed)
                |> Map.ofList

    /// Conditions without a predecessor first, then those that begin where they ended.
    let run (settings: SweepSettings) (size: PaperSize) (figures: PaperFigure list) : PaperResults =
        let conditions =
            figures
            |> List.collect (fun figure -> figure.Conditions size)
            |> List.distinctBy _.Key

        let first, following = conditions |> List.partition _.After.IsNone

        let results =
            first
            |> List.map (fun condition -> condition.Key, fun _ -> condition.Make None)
            |> runAll settings size

        let after (condition: Condition) seed =
            PaperRuns.of' results condition.After.Value
            |> List.tryFind (fun run -> run.Seed = seed)
            |> condition.Make

        following
        |> List.map (fun condition -> condition.Key, after condition)
        |> runAll settings size
        |> Map.fold (fun all key runs -> Map.add key runs all) results

    let private write place name (text: string) =
        let file = Path.Combine(place, name)
        let unfinished = file + ".new"
        File.WriteAllText(unfinished, text)
        File.Move(unfinished, file, overwrite = true)
        file

    let private list size =
        for figure in figures size do
            printfn $"  {figure.Id, -10} {figure.Title}"

    let private count option fallback (given: string option) =
        match given with
        | None -> Ok fallback
        | Some text ->
            match Overrides.whole text with
            | Some number when number >= 1L && number <= 10_000L -> Ok(int number)
            | _ -> Error(BadValue(option, text, "a whole number from 1 to 10,000"))

    /// Figures that `all` leaves out.
    let private aside = [ PaperGrid.figure.Id; PaperFigure4.fig4Held.Id ]

    let private chosen (size: PaperSize) names =
        let all = figures size
        let known = all |> List.map _.Id

        if List.contains "all" names then
            Ok(
                all
                |> List.filter (fun figure ->
                    not (List.contains figure.Id aside) || List.contains figure.Id names)
            )
        else
            match names |> List.filter (fun name -> not (List.contains name known)) with
            | [] -> Ok(all |> List.filter (fun figure -> List.contains figure.Id names))
            | unknown ->
                Error [
                    for name in unknown ->
                        UnknownName("reproduce", name, "figure", known @ [ "all"; "list" ])
                ]

    let private reproduce settings size (figures: PaperFigure list) =
        let clock = Stopwatch.StartNew()
        let results = run settings size figures

        let all =
            figures |> List.map (fun figure -> figure, PaperPage.findings results figure)

        for figure, findings in all do
            let file =
                write settings.Place $"{figure.Id}.html" (PaperPage.html size results figure)

            printfn $"\n{figure.Title}\n{file}"

            for claim, finding in findings do
                printfn
                    $"  {PaperPage.verdict finding.Verdict, -14} {claim.Id}: {claim.Text} ({finding.Measured})"

        let file = write settings.Place "claims.md" (PaperPage.table all)
        printfn $"\n{file}\n%.0f{clock.Elapsed.TotalSeconds} s"
        ExitCode.Done

    let private start (given: ReproduceOption list) =
        let last chosen =
            given |> List.choose chosen |> List.tryLast

        let names =
            given
            |> List.collect (function
                | Figures names -> names
                | _ -> [])

        let names =
            if List.contains Grid given then
                names @ [ PaperGrid.figure.Id ]
            else
                names

        let size = if List.contains Quick given then quick else full

        let seeds =
            last (function
                | Seeds count -> Some count
                | _ -> None)
            |> count "--seeds" size.Seeds

        let jobs =
            last (function
                | Jobs count -> Some count
                | _ -> None)
            |> count "--jobs" Environment.ProcessorCount

        let place =
            last (function
                | Out folder -> Some folder
                | _ -> None)
            |> Option.defaultValue (
                if size.IsQuick then
                    "runs/reproduction-quick"
                else
                    "runs/reproduction"
            )

        match seeds, jobs, chosen size names with
        | _, _, Error mistakes -> Mistake.refuse "rflo" mistakes
        | Error mistake, _, _
        | _, Error mistake, _ -> Mistake.refuse "rflo" [ mistake ]
        | Ok _, Ok _, Ok [] ->
            printfn "rflo reproduce FIGURE... | all | list; --help lists the options\n"
            list size

            if names = [ "list" ] then
                ExitCode.Done
            else
                ExitCode.Arguments
        | Ok seeds, Ok jobs, Ok figures ->
            use interrupt = new Interrupt()

            try
                reproduce
                    {
                        Sweeps.into place with
                            Jobs = jobs
                            Cancellation = interrupt.Token
                    }
                    { size with Seeds = seeds }
                    figures
            with
            | :? OperationCanceledException ->
                eprintfn "stopped; the same command goes on where this one was"
                ExitCode.EndedEarly
            | :? RunFileException as e ->
                eprintfn $"rflo: {e.Message}"
                ExitCode.Arguments

    /// `rflo reproduce ...`.
    let command (arguments: string list) =
        match arguments with
        | [ "list" ] ->
            list full
            ExitCode.Done
        | _ ->
            match
                Arguments.parseWith<ReproduceOption> "rflo reproduce" (Array.ofList arguments)
            with
            | Error(Choice1Of2 help) ->
                printfn $"{help}"
                ExitCode.Done
            | Error(Choice2Of2 mistakes) -> Mistake.refuse "rflo" mistakes
            | Ok given -> start given
