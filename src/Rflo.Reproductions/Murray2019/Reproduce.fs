namespace Rflo.Reproductions.Murray2019

open System
open System.Diagnostics
open System.IO
open Argu
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs

/// The options of `rflo reproduce FIGURE`.
type internal ReproduceOption =
    | [<MainCommand>] Figures of name: string list
    | Quick
    | Seeds of count: string
    | Jobs of count: string
    | Out of folder: string
    | Grid
    | Readings

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Figures _ -> "list, all, or the names of figures."
            | Quick -> "fewer runs of fewer trials, in minutes; decides no claim."
            | Seeds _ -> "runs a condition; 9, or 3 with --quick."
            | Jobs _ -> "runs at once; as many as there are cores."
            | Out _ ->
                "the folder of runs and pages; runs/reproduction, or runs/reproduction-quick. Runs that are there are not repeated."
            | Grid -> "search the paper's grid of learning rates too."
            | Readings ->
                "screen readings of what the paper leaves open instead, for fig2a (BPTT, T = 1600) and fig3 (RFLO)."

/// The `rflo reproduce` command: the results of Murray (2019) from models in the language.
[<RequireQualifiedAccess>]
module internal Reproduce =

    let private known size =
        Figure2.all
        @ Supplements.all
        @ [
            Figure3.fig3
            Figure4.fig4
            Appendix.figure size
            Beyond.approximations
            Beyond.loops
            Grid.figure
            Figure4.fig4Short
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

    /// Conditions as a sweep over conditions and seeds.
    let private sweep (seeds: int list) (conditions: (string * (int -> Experiment)) list) =
        let any = snd conditions.Head seeds.Head

        any
        |> Sweep.ofExperiment
        |> Sweep.named "reproduction"
        |> Sweep.over "seed" seeds Experiment.seed
        |> Sweep.overNamed "condition" [
            for key, make in conditions ->
                key,
                fun (experiment: Experiment) ->
                    make (int experiment.Seed) |> Experiment.seed (int experiment.Seed)
        ]

    let private setting name (outcome: Outcome) =
        outcome.Settings |> List.find (fun (known, _) -> known = name) |> snd

    /// Runs the missing runs of conditions with the same seeds, and reads all of them.
    let private runSeeds settings seeds (conditions: (string * (int -> Experiment)) list) =
        match Sweeps.run settings (sweep seeds conditions) with
        | Error problems -> invalidOp (problems |> List.map Problem.text |> String.concat "; ")
        | Ok outcomes ->
            if settings.Cancellation.IsCancellationRequested then
                raise (OperationCanceledException())

            outcomes
            |> List.filter (fun outcome -> Directory.Exists outcome.Place)
            |> List.map (fun outcome ->
                let key, seed = setting "condition" outcome, int (setting "seed" outcome)
                let make = conditions |> List.find (fun (known, _) -> known = key) |> snd
                key, Runs.read seed (make seed |> Experiment.seed seed) outcome.Place)

    let private runAll
        settings
        (size: PaperSize)
        (conditions: (Condition * (int -> Experiment)) list)
        =
        conditions
        |> List.groupBy (fun (condition, _) -> condition.Seeds size.Seeds)
        |> List.collect (fun (seeds, conditions) ->
            conditions
            |> List.map (fun (condition, make) -> condition.Key, make)
            |> runSeeds settings seeds)
        |> List.groupBy fst
        |> List.map (fun (key, runs) -> key, runs |> List.map snd |> List.sortBy _.Seed)
        |> Map.ofList

    /// Conditions without a predecessor first, then those that continue them.
    let runConditions settings (size: PaperSize) (conditions: Condition list) : PaperResults =
        let first, following =
            conditions |> List.distinctBy _.Key |> List.partition _.After.IsNone

        let results =
            first
            |> List.map (fun condition -> condition, fun _ -> condition.Make None)
            |> runAll settings size

        let after (condition: Condition) seed =
            Runs.of' results condition.After.Value
            |> List.tryFind (fun run -> run.Seed = seed)
            |> condition.Make

        following
        |> List.map (fun condition -> condition, after condition)
        |> runAll settings size
        |> Map.fold (fun all key runs -> Map.add key runs all) results

    /// The conditions of figures.
    let run settings size (figures: PaperFigure list) =
        figures
        |> List.collect (fun figure -> figure.Conditions size)
        |> runConditions settings size

    let private write place name (text: string) =
        // A figure without runs has made no folder.
        Directory.CreateDirectory place |> ignore
        let file = Path.Combine(place, name)
        let unfinished = file + ".new"
        File.WriteAllText(unfinished, text)
        File.Move(unfinished, file, overwrite = true)
        file

    let private list size =
        for figure in known size do
            printfn $"  {figure.Id, -10} {figure.Title}"

    let private count option fallback (given: string option) =
        match given with
        | None -> Ok fallback
        | Some text ->
            match Overrides.whole text with
            | Some number when number >= 1L && number <= 10_000L -> Ok(int number)
            | _ -> Error(BadValue(option, text, "a whole number from 1 to 10,000"))

    /// Figures that `all` leaves out.
    let private aside = [ Grid.figure.Id; Figure4.fig4Short.Id ]

    let private chosen (size: PaperSize) names =
        let all = known size
        let ids = all |> List.map _.Id

        if List.contains "all" names then
            Ok(
                all
                |> List.filter (fun figure ->
                    not (List.contains figure.Id aside) || List.contains figure.Id names)
            )
        else
            match names |> List.filter (fun name -> not (List.contains name ids)) with
            | [] -> Ok(all |> List.filter (fun figure -> List.contains figure.Id names))
            | unknown ->
                Error [
                    for name in unknown ->
                        UnknownName("reproduce", name, "figure", ids @ [ "all"; "list" ])
                ]

    let private figures (figures: PaperFigure list) settings size =
        let clock = Stopwatch.StartNew()
        let results = run settings size figures

        let all =
            figures |> List.map (fun figure -> figure, ClaimsPage.findings results figure)

        for figure, findings in all do
            let file =
                write settings.Place $"{figure.Id}.html" (ClaimsPage.html size results figure)

            printfn $"\n{figure.Title}\n{file}"

            for claim, finding in findings do
                printfn
                    $"  {ClaimsPage.verdict finding.Verdict, -14} {claim.Id}: {claim.Text} ({finding.Measured})"

        let file =
            [
                ClaimsPage.summary all
                ClaimsPage.table all
                ClaimsPage.tests all
            ]
            |> String.concat "\n"
            |> write settings.Place "claims.md"

        printfn $"\n{file}\n%.0f{clock.Elapsed.TotalSeconds} s"
        ExitCode.Done

    let private screening (screenings: Screening list) settings size =
        for screening in screenings do
            let found = Screenings.search screening (runConditions settings size) size

            let page =
                write
                    settings.Place
                    $"{screening.Id}-readings.html"
                    (Screenings.html screening found)

            let table =
                write
                    settings.Place
                    $"{screening.Id}-readings.md"
                    (Screenings.table screening found)

            printfn $"\n{screening.Title}\n{Screenings.summary screening found}\n{page}\n{table}"

        ExitCode.Done

    /// The screenings of figures by name; a figure that has none is named.
    let private screenings names =
        let all = Screenings.all

        match
            names
            |> List.filter (fun name -> not (all |> List.exists (fun known -> known.Id = name)))
        with
        | [] -> Ok(all |> List.filter (fun known -> names.IsEmpty || List.contains known.Id names))
        | unknown ->
            Error [
                for name in unknown ->
                    UnknownName(
                        "reproduce --readings",
                        name,
                        "figure with readings to screen",
                        all |> List.map _.Id
                    )
            ]

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
                names @ [ Grid.figure.Id ]
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

        let work =
            if List.contains Readings given then
                screenings names |> Result.map (fun found -> List.length found, screening found)
            else
                chosen size names |> Result.map (fun found -> List.length found, figures found)

        match seeds, jobs, work with
        | _, _, Error mistakes -> Mistake.refuse "rflo" mistakes
        | Error mistake, _, _
        | _, Error mistake, _ -> Mistake.refuse "rflo" [ mistake ]
        | Ok _, Ok _, Ok(0, _) ->
            printfn "rflo reproduce FIGURE... | all | list; --help lists the options\n"
            list size

            if names = [ "list" ] then
                ExitCode.Done
            else
                ExitCode.Arguments
        | Ok seeds, Ok jobs, Ok(_, work) ->
            use interrupt = new Interrupt()

            try
                work
                    {
                        Sweeps.into place with
                            Jobs = jobs
                            Cancellation = interrupt.Token
                    }
                    { size with Seeds = seeds }
            with
            | :? OperationCanceledException ->
                eprintfn "stopped; the same command continues"
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
