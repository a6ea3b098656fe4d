module Rflo.Host.Tests.ReportTests

open System
open System.Collections.Concurrent
open System.IO
open System.Threading
open Expecto
open Microsoft.Playwright
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host
open Rflo.Host.Tests.Processes

let private chromium = "/usr/bin/chromium"

let private pageOf (experiment: Experiment) =
    match Check.experiment experiment with
    | Error problems -> failtest $"{List.map Problem.text problems}"
    | Ok ready ->
        Run.checkedExperiment (fun _ _ -> ()) CancellationToken.None ready
        |> RunRecord.ofTrained DateTimeOffset.UtcNow [] None
        |> Report.html

/// Two areas with an input, two outputs, a mask, and a name that would break out of a careless page.
let private rich =
    let a, b = area "a" 8, area "b" 4
    let x, y = input "x" 1, readout "y" 2

    let network =
        Circuit.empty
        |> areas [ a; b ]
        |> inputs [ x ]
        |> readouts [ y ]
        |> projections [
            x --> a
            a --> b |> learningRate 0.1
            b --> a |> density 0.5 |> learningRate 0.1
            a --> a |> weights (gaussian 1.2) |> learningRate 0.1
            b --> y |> learningRate 0.1
        ]
        |> feedback [ errorOf y --> a; errorOf y --> b ]

    let mask = Array2D.init 12 2 (fun t _ -> if t < 4 then 0.0 else 1.0)

    Task.ofArrays (Array2D.create 12 1 0.5) (Array2D.init 12 2 (fun t k -> sin (float (t + k))))
    |> Task.masked mask
    |> Task.named "</script><b>"
    |> experiment "rich" network
    |> trials 30

let private periodic = Periodic.experiment 10 20 |> trials 1500

let private diverging =
    let network =
        periodic.Circuit |> Circuit.mapProjection "cortex->y" (learningRate 1e4)

    { periodic with Circuit = network }

let private pages = [
    "of a long run", periodic, "completed 1500 trials"
    "of a rich circuit", rich, "completed 30 trials"
    "of a run that diverged", diverging, "diverged at trial"
    "of no trials", periodic |> trials 0, "completed 0 trials"
]

/// Opens a page file, and gives back what went wrong, the requests that were made, and what the body's width is.
let private visit (width: int) (file: string) =
    use playwright = Playwright.CreateAsync().Result

    let options =
        BrowserTypeLaunchOptions(
            ExecutablePath = chromium,
            Args = [ "--no-sandbox"; "--disable-quic" ]
        )

    let browser = playwright.Chromium.LaunchAsync(options).Result

    try
        let size = ViewportSize(Width = width, Height = 800)
        let page = browser.NewPageAsync(BrowserNewPageOptions(ViewportSize = size)).Result
        let wrong, asked = ConcurrentQueue<string>(), ConcurrentQueue<string>()

        page.Console.Add(fun message ->
            if message.Type = "error" || message.Type = "warning" then
                wrong.Enqueue message.Text)

        page.PageError.Add wrong.Enqueue
        page.Request.Add(fun request -> asked.Enqueue request.Url)
        page.GotoAsync("file://" + file).Wait()
        let script = "() => new Promise(done => setTimeout(() => done(), 700))"
        page.EvaluateAsync(script).Wait()

        let plots =
            page
                .EvaluateAsync<int>("() => document.querySelectorAll('.plot .main-svg').length")
                .Result

        let wide =
            page.EvaluateAsync<int>("() => document.documentElement.scrollWidth").Result

        let text = page.InnerTextAsync("main").Result
        List.ofSeq wrong, List.ofSeq asked, plots, wide, text
    finally
        browser.CloseAsync().Wait()

[<Tests>]
let tests =
    testList "the report" [
        test "shows weights of connections that exist, and of no others" {
            let changed change =
                let plain = Periodic.experiment 8 10 |> trials 2

                {
                    plain with
                        Circuit = plain.Circuit |> Circuit.mapProjection "cortex->cortex" change
                }

            for name, change in
                [
                    "all", id
                    "half", density 0.5
                    "a tenth", density 0.1
                    "masked", mask (Array2D.init 8 8 (fun i j -> (i + j) % 3 > 0))
                    "no self", noSelf
                ] do
                match Run.train (changed change) with
                | Error problems -> failtest $"%A{List.map Problem.text problems}"
                | Ok trained ->
                    let record = RunRecord.ofTrained System.DateTimeOffset.UnixEpoch [] None trained

                    for moment, weights in [ "initial", trained.Initial; "final", trained.Final ] do
                        let stored =
                            weights["cortex->cortex"]
                                .Enumerate(MathNet.Numerics.LinearAlgebra.Zeros.AllowSkip)
                            |> Seq.filter ((<>) 0.0)
                            |> Seq.sort
                            |> Array.ofSeq

                        Expect.equal
                            (Report.weightsOf moment "cortex->cortex" record
                             |> Option.map Array.sort)
                            (Some stored)
                            $"{name}, {moment}"
        }

        test "numbers every logarithmic axis, however short, and each number as it is" {
            let random = System.Random 7

            for _ in 1..500 do
                let low = 10.0 ** (24.0 * random.NextDouble() - 12.0)
                let ratio = 1.02 * 10.0 ** (6.0 * random.NextDouble() ** 3.0)
                let high = low * ratio

                let shown =
                    Style.logTicks low high
                    |> Array.filter (fun tick -> tick >= low && tick <= high)

                Numbers.isGreaterThan shown.Length 1 $"ticks from {low} to {high}"

                for tick in shown do
                    let read =
                        match
                            (Style.tickText tick)
                                .Replace(",", "")
                                .Replace("10<sup>", "1e")
                                .Replace("</sup>", "")
                                .Split("·1e")
                        with
                        | [| digit; power |] -> float digit * 10.0 ** float power
                        | [| plain |] -> float plain
                        | _ -> nan

                    Expect.floatClose
                        { absolute = 0.0; relative = 1e-5 }
                        read
                        tick
                        (Style.tickText tick)
        }

        test "says over what an angle is, and takes a probe of a script's own for no other" {
            let measured = [| 80.0; 70.0 |]

            let panels =
                ProbeFigures.ofRun [
                    for column in
                        [
                            "angle own/bptt"
                            "angle own/bptt a->a"
                            "angle own/bptt x->a"
                            "angle"
                            "change"
                        ] do
                        column, measured
                ]

            Expect.equal
                [
                    for panel in panels ->
                        panel.Title, panel.Caption.Contains "over all plastic projections"
                ]
                [
                    "Angle between updates", true
                    "Angle between updates: a->a", false
                    "Angle between updates: x->a", false
                ]
                "panels"

            Expect.stringContains panels[1].Caption "in a trial, over a->a: " "of one projection"
        }

        for name, experiment, status in pages do
            for width in [ 1200; 390 ] do
                test $"{name} opens at {width} pixels with no error and no request" {
                    if not (File.Exists chromium) then
                        skiptest $"there is no {chromium} (Debian: chromium)"

                    inFolder (fun folder ->
                        let file = Path.Combine(folder, "report.html")
                        File.WriteAllText(file, pageOf experiment)
                        let wrong, asked, plots, wide, text = visit width file
                        Expect.isEmpty wrong "messages of the console"

                        Expect.isEmpty
                            (asked
                             |> List.filter (fun url ->
                                 not (url.StartsWith "data:") && url <> "file://" + file))
                            "requests"

                        Numbers.isGreaterThan plots 3 "figures"
                        Numbers.isLessThanOrEqual wide width "nothing sticks out at the side"
                        Expect.stringContains text status "status")
                }
    ]
    |> testSequenced
