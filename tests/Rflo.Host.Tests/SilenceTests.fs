/// Nothing that was typed goes by without a word: forgotten hosts, equal labels, options that undo each other.
module Rflo.Host.Tests.SilenceTests

open System.IO
open Expecto
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host
open Rflo.Host.Tests.Processes

let private plan = Periodic.experiment 4 10 |> trials 3

let private model =
    """
let cortex = area "cortex" 4
let y = readout "y" 1
let network =
    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [ cortex --> y |> learningRate 0.1 ]
let model = experiment "forgotten" network (Task.periodic 10.0<ms> [ (1, 1.0) ]) |> trials 3
"""

/// What a request is refused for.
let private contradictions (words: string list) =
    match Arguments.parse "rflo" (Array.ofList words) with
    | Ok(Arguments.Do request) -> Arguments.contradictions request |> List.map Mistake.text
    | other -> failtest $"%A{other}"

[<Tests>]
let tests =
    testList "silence" [
        for command, words in [ "dotnet fsi", None; "rflo check", Some "check" ] do
            test $"a script that forgets the host says so under {command}, and answers 1" {
                inFolder (fun folder ->
                    let path = write folder "forgot.fsx" model

                    let ended =
                        match words with
                        | None -> script folder path []
                        | Some word -> rflo folder [ word; path ]

                    Expect.equal ended.Code 1 $"exit code ({ended.Output})"

                    Expect.stringContains
                        ended.Errors
                        "the experiment forgotten was declared, and nothing was done with it"
                        "says so"

                    Expect.stringContains ended.Errors "|> Host.run" "and how to fix it")
            }

        test "a script that does something with its experiment is left alone" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "own.fsx"
                        (model + "Check.experiment model |> Result.isOk |> printfn \"%b\"\n")

                let ended = script folder path []
                Expect.equal (ended.Code, ended.Output.Trim()) (0, "true") ended.Errors
                let run = rflo folder [ "run"; path ]
                Expect.equal run.Code 1 "but rflo run runs nothing of it"
                Expect.stringContains run.Errors "passed no experiment to the host" "says so")
        }

        test
            "a script of stages alone says which options did nothing, and one that ends in a run does not" {
            inFolder (fun folder ->
                let stage = model + "let stage = model |> Host.train\n"
                let alone = write folder "stage.fsx" stage
                let ended = script folder alone [ "--out"; "p1"; "--quiet" ]
                Expect.equal ended.Code 2 $"exit code ({ended.Output})"
                Expect.stringContains ended.Errors "--out did nothing: Host.train" "says so"
                Expect.equal (script folder alone [ "--quiet" ]).Code 0 "without the option"
                let both = write folder "both.fsx" (stage + "model |> Host.run\n")

                let ended = script folder both [ "--out"; "p1"; "--quiet"; "--no-report" ]

                Expect.equal ended.Code 0 ended.Errors
                Expect.isFalse (ended.Errors.Contains "did nothing") ended.Errors)
        }

        test "rflo sweep refuses a script without a sweep" {
            inFolder (fun folder ->
                let path = write folder "single.fsx" (model + "model |> Host.run\n")
                let ended = rflo folder [ "sweep"; path ]
                Expect.equal ended.Code 2 $"exit code ({ended.Output})"
                Expect.stringContains ended.Errors "the script has no sweep" "says so"

                Expect.isFalse
                    (Directory.Exists(Path.Combine(folder, "runs")))
                    "nothing is trained")
        }

        test "experiments of one label are refused before anything runs" {
            inFolder (fun folder ->
                let out = Path.Combine(folder, "out")

                let code experiments =
                    Compare.runWith "both" None [| "--quiet"; "--out"; out |] experiments

                Expect.equal (code [ plan; plan ]) ExitCode.Arguments "one name, one rule"
                let named name = { plan with Name = name }
                let three = [ named "a"; named "b"; named "a" ]
                Expect.equal (code three) ExitCode.Arguments "two of three, and one rule"
                Expect.equal (code [ named "a"; named "A" ]) ExitCode.Arguments "one file name"
                Expect.isFalse (Path.Exists out) "nothing was made")
        }

        test "options that undo each other are refused, others are not" {
            let refused words (said: string) =
                match contradictions words with
                | [ text ] -> Expect.stringContains text said $"%A{words}"
                | several -> failtest $"%A{words}: %A{several}"

            refused [ "--check"; "--graph"; "a.svg" ] "--check and --graph"
            refused [ "--resume"; "a"; "--out"; "b" ] "leave --out out"
            refused [ "--resume"; "a"; "--check" ] "leave --resume out"
            refused [ "--force" ] "leave --force out"

            for words in
                [
                    []
                    [ "--check"; "--out"; "a" ]
                    [ "--force"; "--out"; "a" ]
                    [ "--resume"; "a"; "--force"; "--trials"; "9" ]
                ] do
                Expect.isEmpty (contradictions words) $"%A{words}"
        }

        test "options of single runs are refused where runs are compared" {
            for words in
                [
                    [| "--force"; "--out"; "x" |]
                    [| "--checkpoint-every"; "5" |]
                    [| "--max-minutes"; "1" |]
                    [| "--resume"; "x" |]
                ] do
                Expect.equal
                    (Compare.runWith "both" None words [ plan; { plan with Name = "b" } ])
                    ExitCode.Arguments
                    $"%A{words}"
        }

        test "an option that undoes an axis is refused, whatever the axis is called" {
            inFolder (fun folder ->
                let out = Path.Combine(folder, "out")

                let code options =
                    Sweep.ofExperiment plan
                    |> Sweep.over "replicate" [ 1..3 ] seed
                    |> Sweep.over "rate" [ 0.1; 0.2 ] (fun rate ->
                        fun e -> {
                            e with
                                Circuit =
                                    Circuit.mapProjection
                                        "cortex->y"
                                        (learningRate rate)
                                        e.Circuit
                        })
                    |> SweepHost.runWith None (Array.append [| "--quiet"; "--out"; out |] options)

                Expect.equal (code [| "--seed"; "5" |]) ExitCode.Arguments "seed"
                Expect.equal (code [| "--learning-rate"; "0.3" |]) ExitCode.Arguments "rate"
                Expect.isFalse (Path.Exists out) "nothing ran"
                Expect.equal (code [| "--trials"; "2" |]) ExitCode.Done "another option")
        }

        test "an option takes its value behind a sign of equality too" {
            for words in [ [| "--trials=7" |]; [| "--trials"; "7" |] ] do
                match Arguments.parse "rflo" words with
                | Ok(Arguments.Do request) ->
                    Expect.equal request.Given [ ScriptOption.Trials "7" ] $"%A{words}"
                | other -> failtest $"%A{other}"

            match Arguments.parse "rflo" [| "--learning-rate=cortex->y=0.1" |] with
            | Ok(Arguments.Do request) ->
                Expect.equal
                    request.Given
                    [ Learning_Rate "cortex->y=0.1" ]
                    "the first sign divides"
            | other -> failtest $"%A{other}"

            match Arguments.parse "rflo" [| "--trails=7" |] with
            | Error [ UnknownOption("--trails", _) as mistake ] ->
                Expect.stringContains (Mistake.text mistake) "did you mean --trials?" "hint"
            | other -> failtest $"%A{other}"

            match Arguments.parse "rflo" [| "--force=yes" |] with
            | Error mistakes -> Expect.isNonEmpty mistakes "a flag takes no value"
            | Ok _ -> failtest "taken"
        }

        test "a saved chart opens without a network" {
            inFolder (fun folder ->
                let trained = Run.train plan |> Result.defaultWith (fun _ -> failtest "problems")
                let file = Path.Combine(folder, "loss.html")
                Charts.loss trained |> Charts.save file
                let page = File.ReadAllText file
                Numbers.isGreaterThan page.Length 1_000_000 "plotly is in it"
                Expect.isFalse (page.Contains "src=\"http") "and nothing is fetched"

                Expect.throwsT<System.ArgumentException>
                    (fun () ->
                        Charts.save (Path.Combine(folder, "loss.png")) (Charts.loss trained))
                    "no page")
        }
    ]
