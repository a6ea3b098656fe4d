/// What an interactive session or a notebook uses: printed values, charts, runs that can be cancelled.
module Rflo.Host.Tests.InteractiveTests

open System
open System.Diagnostics
open System.IO
open System.Threading
open Expecto
open Plotly.NET
open Rflo.Core
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host
open Rflo.Host.Tests.Processes

let private trained =
    lazy
        (match Run.train (Periodic.experiment 10 20 |> trials 30) with
         | Ok trained -> trained
         | Error problems -> failtest $"{List.map Problem.text problems}")

/// Two readouts, the later name first, with a mask.
let private two =
    lazy
        (let a = area "a" 6

         let network =
             Circuit.empty
             |> areas [ a ]
             |> readouts [ readout "z" 1; readout "b" 2 ]
             |> projections [
                 a --> readout "z" 1 |> learningRate 0.1
                 a --> readout "b" 2
             ]

         let targets = Array2D.init 8 3 (fun t k -> float (10 * k + t))
         let mask = Array2D.init 8 3 (fun t _ -> if t < 2 then 0.0 else 1.0)

         let task = Task.ofArrays (Array2D.zeroCreate 8 0) targets |> Task.masked mask

         match Run.train (experiment "two" network task |> trials 2) with
         | Ok trained -> trained
         | Error problems -> failtest $"{List.map Problem.text problems}")

let private traces (chart: GenericChart) =
    GenericChart.getTraces chart |> List.ofSeq

let private names chart =
    traces chart
    |> List.choose (fun trace -> trace.TryGetTypedPropertyValue<string> "name")

let private values (name: string) chart =
    let trace =
        traces chart
        |> List.find (fun trace -> trace.TryGetTypedPropertyValue<string> "name" = Some name)

    (trace.TryGetTypedPropertyValue<float seq> "y")
    |> Option.map Array.ofSeq
    |> Option.defaultValue [||]

/// Every chart makes a page: whatever Plotly.NET cannot write would show here.
let private isWhole chart =
    Numbers.isGreaterThan (GenericChart.toEmbeddedHTML chart).Length 500 "a page"

let private refused make (words: string) =
    try
        make () |> ignore
        failtest "the name was taken"
    with :? ArgumentException as e ->
        Expect.stringContains e.Message words "message"

let private charts = [
    test "every chart can be written" {
        let run = trained.Value

        for chart in
            [
                Charts.loss run
                Charts.losses [ "a", run; "b", run ]
                Charts.output run
                Charts.outputOf run.Experiment run.Before
                Charts.activity "cortex" run
                Charts.activityOf run.Experiment "cortex" run.Before
                Charts.weights "cortex->cortex" run
                Charts.weights "cortex->y" run
                Charts.spectrum "cortex->cortex" run
                Charts.alignment run
            ] do
            isWhole chart
    }

    test "outputs stand with their own targets, which are left out where they do not count" {
        let chart = Charts.output two.Value

        Expect.equal
            (names chart)
            [
                "target of z"
                "z"
                "target of b 0"
                "b 0"
                "target of b 1"
                "b 1"
            ]
            "curves"

        let asked = values "target of b 0" chart
        Expect.isTrue (Double.IsNaN asked[1]) "not counted"
        Expect.equal asked[2..] [| 12.0 .. 17.0 |] "target of b 0"
        Expect.equal (values "b 1" chart) ((two.Value.After.Outputs["b"]).Column(1).ToArray()) "b 1"
    }

    test "a comparison shows each readout beside its own target" {
        let panels = Comparison.outputs [ two.Value ]

        Expect.equal
            (panels |> List.map _.Title)
            [
                "Output of z after 2 trials of two"
                "Output of b after 2 trials of two"
            ]
            "in order of declaration"

        for panel, name, first in List.zip3 panels [ "z"; "b" ] [ 2.0; 12.0 ] do
            let asked = values "target" panel.Chart
            Expect.equal asked[2..] [| first .. first + 5.0 |] name
            let output = two.Value.After.Outputs[name].Column(0).ToArray()
            Expect.equal (values "output" panel.Chart) output name
    }

    test "a loss curve has every trial" {
        let run = trained.Value
        Expect.equal (values "periodic" (Charts.loss run)) run.Losses "losses"
    }

    test "a name that the run does not have is refused with those it has" {
        let run = trained.Value
        refused (fun () -> Charts.activity "cortx" run) "did you mean cortex?"
        refused (fun () -> Charts.weights "cortex->z" run) "it has: cortex->cortex, cortex->y"
        refused (fun () -> Charts.spectrum "cortex->y" run) "weights of shape (1, 10)"
    }
]

let private printers = [
    test "values print as a person would describe them" {
        let run = trained.Value
        let circuit = run.Experiment.Circuit
        Expect.stringContains (Printers.circuit circuit) "area cortex: 10 units, tanh" "circuit"
        Expect.equal (Printers.circuit Circuit.empty) "a circuit without parts" "empty circuit"
        Expect.stringContains (Printers.experiment run.Experiment) "Training: rflo" "experiment"
        Expect.stringContains (Printers.rule Rule.bptt) "bptt: back-propagation" "rule"
        let said = Printers.trained run

        for words in
            [
                "periodic: completed 30 trials"
                "loss "
                "alignment y->cortex"
                "weights cortex->y: (1, 10)"
            ] do
            Expect.stringContains said words "run"
    }

    test "a run whose loss is no number is not said to have had no target where it diverged" {
        for ended in
            [
                RunEnd.Completed
                RunEnd.Stopped
                RunEnd.Cancelled
                RunEnd.Diverged
            ] do
            for losses in
                [
                    [||]
                    [| nan |]
                    [| nan; nan |]
                    [| nan; 0.5; nan |]
                    [| 0.5; 0.25 |]
                ] do
                let said =
                    Printers.trained {
                        trained.Value with
                            Status = RunStatus(ended, losses.Length - 1, 1, "readout y")
                            Losses = losses
                    }

                Expect.equal
                    (said.Contains "no trial had a target")
                    (losses.Length > 0
                     && Array.forall Double.IsNaN losses
                     && ended <> RunEnd.Diverged)
                    said
    }

    test "only a session can be told how to print" {
        refused (fun () -> Printers.register "fsi") "pass the fsi of an interactive session"
    }

    test "an interactive session prints them, and takes charts" {
        inFolder (fun folder ->
            let info =
                ProcessStartInfo(
                    "dotnet",
                    [ "fsi"; "--nologo" ],
                    WorkingDirectory = folder,
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true
                )

            info.Environment["NO_COLOR"] <- "1"
            use session = nonNull (Process.Start info)

            for line in
                [
                    load.TrimEnd()
                    "let a = area \"a\" 3"
                    "let y = readout \"y\" 1"
                    "let c = Circuit.empty |> areas [ a ] |> readouts [ y ] |> projections [ a --> y |> learningRate 0.1 ]"
                    "let e = experiment \"small\" c (Task.periodic 10.0<ms> [ harmonic 1 1.0 ]) |> trials 3"
                    "let r = Run.train e"
                    "let wrong = Run.train { e with Trials = -1 }"
                    "let chart = r |> Result.map Charts.loss |> Result.isOk"
                    "#quit"
                ] do
                session.StandardInput.WriteLine(line + if line.StartsWith "#q" then "" else ";;")

            session.StandardInput.Close()
            let ended = finish session

            for words in
                [
                    "area a: 3 units, tanh, tau 10 ms"
                    "Training: rflo"
                    "small: completed 3 trials"
                    "weights a->y: (1, 3)"
                    "experiment: the number of trials is -1"
                    "val chart: bool = true"
                ] do
                Expect.stringContains ended.Output words $"what it prints ({ended.Errors})")
    }
]

let private cancellation = [
    test "a run ends after the trial in which it is cancelled, and keeps what was trained" {
        use source = new CancellationTokenSource()
        let heard = ResizeArray<int>()

        let onTrial trial (_: float) =
            heard.Add trial

            if trial = 3 then
                source.Cancel()

        match Run.trainWith onTrial source.Token (Periodic.experiment 10 20 |> trials 500) with
        | Error problems -> failtest $"{List.map Problem.text problems}"
        | Ok run ->
            Expect.equal run.Status.End RunEnd.Cancelled "status"
            Expect.equal (List.ofSeq heard) [ 0..3 ] "trials heard"
            Expect.equal run.Losses trained.Value.Losses[..3] "losses"
            Expect.isTrue (run.Final["cortex->y"] <> run.Initial["cortex->y"]) "weights moved"
    }

    test "a run that is cancelled before it begins trains nothing" {
        match
            Run.trainWith (fun _ _ -> ()) (CancellationToken true) (Periodic.experiment 10 20)
        with
        | Error problems -> failtest $"{List.map Problem.text problems}"
        | Ok run ->
            Expect.equal run.Status.End RunEnd.Cancelled "status"
            Expect.isEmpty run.Losses "losses"
    }
]

[<Tests>]
let tests =
    testList "interactive" [
        testList "charts" charts
        testList "printers" printers
        testList "cancellation" cancellation
    ]
