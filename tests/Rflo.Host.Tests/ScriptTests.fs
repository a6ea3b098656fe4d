module Rflo.Host.Tests.ScriptTests

open System.IO
open System.Text.Json
open Expecto
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private periodic = Path.Combine(examples, "01-periodic.fsx")

let private status (place: string) =
    use manifest =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(place, "manifest.json")))

    manifest.RootElement.GetProperty("status").GetString()

/// Columns of metrics.csv but the times.
let private metrics (place: string) =
    let table = MetricsTable.Read(Path.Combine(place, "metrics.csv"))

    [
        for name in table.Columns do
            if name <> "seconds" then
                name, table.Column name
    ]

let private weights place =
    File.ReadAllBytes(Path.Combine(place, "weights.npz"))

let private refused name options code (message: string) =
    test name {
        inFolder (fun folder ->
            let ended = script folder periodic options
            Expect.equal ended.Code code "exit code"
            Expect.stringContains ended.Errors message "message"
            Expect.isFalse (ended.Errors.Contains "   at ") "no stack trace"
            Expect.isFalse (ended.Output.Contains "trial") "nothing was trained")
    }

[<Tests>]
let tests =
    testList "a script" [
        // Each run starts F# anew, so what four of them leave is looked at together.
        test
            "gives the same numbers in two processes, in the next free folder, which numpy reads and nothing overwrites unless --force" {
            inFolder (fun folder ->
                let go more =
                    script folder periodic ([ "--trials"; "40"; "--no-report" ] @ more)

                let places = [
                    for number in [ 1; 2 ] -> Path.Combine("runs", $"periodic-{number}")
                ]

                for place in places do
                    let ended = go []
                    Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                    Expect.stringContains ended.Output $"{place}/manifest.json" "where"
                    Expect.equal (status (Path.Combine(folder, place))) "completed" "status"

                let a, b = Path.Combine(folder, places[0]), Path.Combine(folder, places[1])
                Expect.equal (metrics a) (metrics b) "metrics"
                Expect.equal (weights a) (weights b) "weights"

                let again = go [ "--out"; places[0] ]
                Expect.equal again.Code 2 "into a folder that is there"
                Expect.stringContains again.Errors "is there already" "message"
                Expect.equal (weights a) (weights b) "it is left alone"

                let forced = go [ "--out"; places[0]; "--force"; "--seed"; "7" ]
                Expect.equal forced.Code 0 "forced"
                Expect.notEqual (weights a) (weights b) "it is replaced"

                let read =
                    numpy
                        folder
                        "w = np.load('runs/periodic-2/weights.npz'); print(w['initial/cortex->cortex'].shape, w['final/cortex->y'].shape, w['feedback/y->cortex'].shape, np.abs(w['final/cortex->y'] - w['initial/cortex->y']).max() > 0)"

                Expect.equal read "(50, 50) (1, 50) (50, 1) True" "what numpy reads")
        }

        refused
            "finds an unwritable folder before it trains"
            [ "--out"; "/proc/rflo" ]
            2
            "/proc/rflo: cannot be written"
        refused
            "tells what a rule cannot do"
            [ "--rule"; "bptt"; "--update"; "online" ]
            1
            "bptt cannot update online"

        test "explains its options and exit codes" {
            inFolder (fun folder ->
                let ended = script folder periodic [ "--"; "--help" ]
                Expect.equal ended.Code 0 "exit code"

                for word in
                    [
                        "--trials"
                        "--learning-rate"
                        "EXIT CODES"
                        "ended early"
                    ] do
                    Expect.stringContains ended.Output word "help")
        }

        test "with problems prints all of them and answers 1" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "bad.fsx"
                        "let a = area \"a\" 3 |> tau 0.1<ms>\nlet c = Circuit.empty |> areas [ a ] |> readouts [ readout \"y\" 1 ]\nexperiment \"bad\" c (Task.periodic 10.0<ms> [ harmonic 1 1.0 ]) |> Host.run\nprintfn \"went on\"\n"

                let ended = script folder path []
                Expect.equal ended.Code 1 "exit code"
                Expect.stringContains ended.Errors "bad: 3 problems" "heading"
                Expect.stringContains ended.Errors "  area a: tau is 0.1 ms" "first"
                Expect.stringContains ended.Errors "  readout y: no projection reaches it" "second"
                Expect.isFalse (ended.Output.Contains "went on") "the script ends there")
        }

        test "that diverges keeps what was before, hints, and answers 3" {
            inFolder (fun folder ->
                let ended = script folder periodic [ "--learning-rate"; "200"; "--out"; "a" ]
                Expect.equal ended.Code 3 "exit code"
                Expect.stringContains ended.Errors "diverged at trial" "where"

                Expect.stringContains
                    ended.Errors
                    "lower the learning rate (cortex->cortex 200, cortex->y 200)"
                    "hint"

                Expect.stringContains ended.Errors "the gain (cortex->cortex 1.5)" "hint"
                let place = Path.Combine(folder, "a")
                Expect.equal (status place) "diverged" "status"
                let _, losses = metrics place |> List.find (fst >> (=) "loss")
                Numbers.isGreaterThan losses.Length 3 "losses before"

                Expect.isTrue
                    (losses[.. losses.Length - 2] |> Array.forall System.Double.IsFinite)
                    "finite before"

                Expect.isTrue (File.Exists(Path.Combine(place, "report.html"))) "report")
        }

        test "whose folder breaks while it trains saves the results elsewhere and answers 3" {
            inFolder (fun folder ->
                // The task removes the folder that is being written.
                let path =
                    write
                        folder
                        "broken.fsx"
                        "let a = area \"a\" 3\nlet y = readout \"y\" 1\nlet c = circuit [ a --> y |> learningRate 0.1 ]\nlet draw trial _ =\n    if trial = 1 then\n        for found in System.IO.Directory.GetDirectories(\".\", \".*a*\") do System.IO.Directory.Delete(found, true)\n    Trial.ofArrays (Array2D.zeroCreate 5 0) (Array2D.zeroCreate 5 1)\nexperiment \"broken\" c (Task.ofTrials 5.0<ms> draw) |> trials 3 |> Host.run\n"

                let ended = script folder path [ "--out"; "a"; "--no-report" ]
                Expect.equal ended.Code 3 "exit code"
                Expect.stringContains ended.Errors "cannot be written" "what happened"

                let said =
                    ended.Errors.Split '\n' |> Array.find _.Contains("the results were written to")

                let place = (said.Split("written to ")[1]).Replace(" instead", "").Trim()
                Expect.equal (status place) "completed" "status"
                Directory.Delete(place, true))
        }

        test "goes on behind Host.run when all went well" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "two.fsx"
                        "let a = area \"a\" 3\nlet y = readout \"y\" 1\nlet c = Circuit.empty |> areas [ a ] |> readouts [ y ] |> projections [ a --> y |> learningRate 0.1 ]\nexperiment \"one\" c (Task.periodic 10.0<ms> [ harmonic 1 1.0 ]) |> trials 2 |> Host.run\nprintfn \"went on\"\n"

                let ended = script folder path [ "--no-report" ]
                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                Expect.stringContains ended.Output "went on" "output")
        }
    ]
