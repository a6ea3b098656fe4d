/// Runs that are analyzed after their end: what is computed is what the words of analysis give, what does not fit is one message.
module Rflo.Host.Tests.AnalyzeTests

open System
open System.Globalization
open System.IO
open System.Xml.Linq
open Expecto
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private ok result =
    match result with
    | Ok found -> found
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

let private cortex = area "cortex" 12 |> tau 10.0<ms>

let private decision =
    let x, y = input "x" 3, readout "y" 2

    let network =
        circuit [
            x --> cortex |> weights (uniform -1.0 1.0) |> learningRate 0.01
            cortex --> cortex |> weights (gaussian 0.8) |> learningRate 0.01
            cortex --> y |> weights (uniformScaled 0.3) |> learningRate 0.01
        ]
        |> feedback [ errorOf y --> cortex ]

    Task.perceptualDecision {
        PerceptualDecision.standard with
            Fixation = fixedFor 3.0<ms>
            Stimulus = fixedFor 12.0<ms>
            Decision = fixedFor 5.0<ms>
            Coherences = [ 0.2; 0.6 ]
    }
    |> experiment "decision" network
    |> rule Rule.bptt
    |> optimizer Optimizer.adam
    |> trials 60

let private runInto place (experiment: Experiment) =
    Expect.equal
        (Host.runWith [| "--quiet"; "--no-report"; "--out"; place |] experiment)
        ExitCode.Done
        "the run"

/// The console of a piece of work: output and errors. Tests that take it run one after the other.
let private console (work: unit -> int) =
    let out, errors = Console.Out, Console.Error
    use said = new StringWriter()
    use complained = new StringWriter()
    Console.SetOut said
    Console.SetError complained

    let code =
        try
            work ()
        finally
            Console.SetOut out
            Console.SetError errors

    code, said.ToString(), complained.ToString()

let private analyze place options experiment =
    console (fun () -> Host.runWith (Array.ofList ([ "--analyze"; place ] @ options)) experiment)

let private csv (file: string) = [
    for line in File.ReadAllLines file -> line.Split ',' |> List.ofArray
]

let private number (text: string) =
    if text = "" then
        nan
    else
        Double.Parse(text, CultureInfo.InvariantCulture)

/// A decision network that has been run, and its folder.
let private withRun (body: string -> unit) =
    inFolder (fun folder ->
        let place = Path.Combine(folder, "d1")
        runInto place decision
        body place)

[<Tests>]
let tests =
    testList "analyses of runs" [
        test "without an option compute what suits the task, and say what was left out" {
            withRun (fun place ->
                let code, said, complained = analyze place [ "--test-trials"; "60" ] decision
                Expect.equal complained "" "complaints"
                Expect.equal code ExitCode.Done "exit code"
                let page = File.ReadAllText(Path.Combine(place, "analysis.html"))

                for words in
                    [
                        "Performance by coherence"
                        "Choices by evidence"
                        "Variance of cortex"
                        "Trajectories of cortex"
                        "Outputs and targets of y"
                        "y 0 by evidence"
                        "Fixed points"
                        "The search started from"
                    ] do
                    Expect.stringContains page words "page"

                for words in
                    [
                        "decision: 60 test trials by the final weights"
                        "performance"
                        "left out: decoding: --decode CONDITION computes it"
                        "left out: Lyapunov exponents"
                        "analysis.html"
                    ] do
                    Expect.stringContains said words "output"

                let files =
                    Directory.GetFiles(Path.Combine(place, "analysis"))
                    |> Array.map (fun file -> nonNull (Path.GetFileName file))

                for name in
                    [
                        "performance-by-coherence"
                        "psychometric-evidence"
                        "variance-cortex"
                        "trajectories-cortex"
                    ] do
                    Expect.contains files $"{name}.svg" "figures"
                    Expect.contains files $"{name}.csv" "numbers"

                for file in Directory.GetFiles(Path.Combine(place, "analysis"), "*.svg") do
                    Expect.equal (nonNull (XDocument.Load file).Root).Name.LocalName "svg" file

                // The run is untouched: it loads, and its report is made again.
                Expect.isOk (Run.loadFor decision place) "the run")
        }

        test "give the numbers of the words of analysis" {
            withRun (fun place ->
                let code, _, complained =
                    analyze
                        place
                        [
                            "--performance"
                            "--condition"
                            "coherence"
                            "--psychometric"
                            "--pca"
                            "--decode"
                            "choice"
                            "--perturb"
                            "silence:cortex@decision"
                            "--perturb"
                            "scale:cortex->y=0"
                            "--test-trials"
                            "80"
                        ]
                        decision

                Expect.equal complained "" "complaints"
                Expect.equal code ExitCode.Done "exit code"
                let trained = ok (Run.loadFor decision place)
                let trials = ok (Behavior.test trained decision.Task 80)

                let within name =
                    csv (Path.Combine(place, "analysis", name + ".csv"))

                // By coherence.
                let heads, rows =
                    List.head (within "performance-by-coherence"),
                    List.tail (within "performance-by-coherence")

                Expect.equal (List.take 3 heads) [ "coherence"; "trials"; "performance" ] "heads"

                Expect.equal
                    [
                        for row in rows -> number row[0], int row[1], number row[2], number row[5]
                    ]
                    [
                        for coherence, found in Behavior.by "coherence" trials ->
                            coherence, found.Trials, found.Performance.Value, found.Loss.Value
                    ]
                    "by coherence"

                // The curve.
                let curve = Behavior.psychometric "evidence" trials

                Expect.equal
                    [
                        for row in List.tail (within "psychometric-evidence") ->
                            number row[0], number row[1], number row[5]
                    ]
                    [
                        for x, share in curve.Points -> x, share.Value, curve.At x
                    ]
                    "curve"

                // Components.
                let activity = ok (Run.perform trained decision.Task 80)
                let components = Population.rates "cortex" activity |> Population.pca

                Expect.equal
                    [
                        for row in List.tail (within "variance-cortex") -> number row[1]
                    ]
                    (List.ofArray components.Explained)
                    "variance"

                // Decoding of the choice.
                let labels = [| for trial in trials -> snd trial.Decision.Value |]
                let decoded = Population.rates "cortex" activity |> Population.decode labels

                Expect.equal
                    [
                        for row in List.tail (within "decoding-choice") -> number row[1]
                    ]
                    (List.ofArray decoded.Accuracy)
                    "accuracy"

                // Perturbations, of the same trials.
                let perturbed how =
                    ok (
                        Behavior.testWith
                            {
                                Evaluation.standard with
                                    Perturbations = how
                            }
                            trained.Final
                            decision
                            decision.Task
                            80
                    )
                    |> Behavior.summary

                Expect.equal
                    [
                        for row in List.tail (within "perturbations") ->
                            row[0], number row[2], number row[5]
                    ]
                    [
                        for words, how in
                            [
                                "control", []
                                "silence:cortex@decision", [ silence cortex |> during "decision" ]
                                "scale:cortex->y=0", [ scaleProjection "cortex->y" 0.0 ]
                            ] ->
                            let found = perturbed how
                            words, found.Performance.Value, found.Loss.Value
                    ]
                    "perturbed")
        }

        test
            "show the outputs, the choices and the differences of the same trials with and without a perturbation" {
            withRun (fun place ->
                let code, said, complained =
                    analyze
                        place
                        [
                            "--perturb"
                            "silence:cortex@stimulus"
                            "--condition"
                            "side"
                            "--test-trials"
                            "60"
                        ]
                        decision

                Expect.equal (code, complained) (ExitCode.Done, "") "analysis"
                let trained = ok (Run.loadFor decision place)

                let contrast =
                    ok (
                        Run.contrast
                            {
                                Evaluation.standard with
                                    Perturbations = [ silence cortex |> during "stimulus" ]
                            }
                            trained.Final
                            decision
                            decision.Task
                            60
                    )

                let controls, perturbed =
                    contrast |> List.map _.Control, contrast |> List.map _.Perturbed

                let within name =
                    csv (Path.Combine(place, "analysis", name + ".csv")) |> List.tail

                // Differences are those of pairs.
                let difference =
                    Estimate.pairedDifference
                        (controls |> List.map _.Performance)
                        (perturbed |> List.map _.Performance)

                match within "perturbation-differences" with
                | [ [ words; pairs; value; low; high ] ] ->
                    Expect.equal (words, pairs) ("silence:cortex@stimulus", "60") "row"

                    Expect.equal
                        (number value, number low, number high)
                        (difference.Value, difference.Low, difference.High)
                        "difference"
                | other -> failtest $"%A{other}"

                Expect.stringContains
                    said
                    $"difference of performance, silence:cortex@stimulus  {difference}"
                    "output"

                // Outputs are means of the trials of each side.
                let means (trials: Activity list) side t =
                    trials
                    |> List.filter (fun trial -> trial.Conditions["side"] = side)
                    |> List.averageBy (fun trial -> trial.Outputs["y"][t, 1])

                for t, row in List.indexed (within "outputs-silence-cortex-stimulus-y-1") do
                    let expected = [
                        for side in
                            controls |> List.map _.Conditions["side"] |> List.distinct |> List.sort do
                            means controls side t
                            means perturbed side t
                    ]

                    Expect.equal (number row[0]) (float (t + 1)) "time"

                    for value, found in List.zip expected (List.map number row.Tail) do
                        Numbers.isLessThan (abs (value - found)) 1e-12 $"step {t + 1}"

                // Choices by the evidence, perturbed ones too.
                let curve =
                    Behavior.psychometric "evidence" (perturbed |> List.map Behavior.ofActivity)

                Expect.equal
                    [
                        for row in within "psychometric-evidence-perturbed" do
                            if row[0] = "silence:cortex@stimulus" then
                                number row[1], number row[2], number row[6]
                    ]
                    [
                        for x, share in curve.Points -> x, share.Value, curve.At x
                    ]
                    "choices"

                let figure =
                    File.ReadAllText(
                        Path.Combine(place, "analysis", "outputs-silence-cortex-stimulus-y-1.svg")
                    )

                for words in
                    [
                        ">perturbation<"
                        ">perturbed<"
                        ">stimulus<"
                        ">decision<"
                    ] do
                    Expect.stringContains figure words "words of the figure")
        }

        test "mark the steps in which a perturbation acts" {
            let trained = ok (Run.train (trials 3 decision))
            let dt = decision.Dt

            for perturbation in
                [
                    silence cortex
                    silence cortex |> during "stimulus"
                    silence cortex |> betweenTimes 4.0<ms> 9.0<ms>
                    silence cortex |> afterOnset "stimulus" 2.0<ms> 5.0<ms>
                    silence cortex |> afterOnset "decision" 3.0<ms> 50.0<ms>
                    lesion cortex
                ] do
                let words = Perturbation.words perturbation

                let how = {
                    Evaluation.standard with
                        Perturbations = [ perturbation ]
                }

                for trial in ok (Run.evaluate how trained.Final decision decision.Task 3) do
                    // No unit is at 0 by itself in these trials.
                    let silent = [
                        for t in 0 .. trial.Targets.RowCount - 1 do
                            if trial.Rates["cortex"].Row(t) |> Seq.forall ((=) 0.0) then
                                t + 1
                    ]

                    Expect.isNonEmpty silent words
                    Expect.equal (TrialAxes.perturbedSteps dt perturbation trial) silent words

            let trial = (ok (Run.perform trained decision.Task 1)).Head

            Expect.equal
                (TrialAxes.perturbedSteps dt (kick cortex (Kick.add 1.0) |> during "decision") trial)
                [ trial.Events["decision"].Head ]
                "a kick acts once"
        }

        test "of a training under perturbations show these, in its report too" {
            inFolder (fun folder ->
                let place = Path.Combine(folder, "d1")

                let robust =
                    decision
                    |> perturb [
                        silence cortex |> during "stimulus" |> inFraction 0.3
                        scaleProjection "cortex->y" 0.5 |> inFractionOf "other" 0.2
                    ]

                Expect.equal
                    (Host.runWith [| "--quiet"; "--out"; place |] robust)
                    ExitCode.Done
                    "the run"

                let report = File.ReadAllText(Path.Combine(place, "report.html"))

                for words in
                    [
                        "Performance under perturbations"
                        "Difference of performance to the control"
                        "Choices by evidence, control and perturbed"
                        "y 0: control and silence cortex during stimulus"
                        "y 1: control and scale cortex-&gt;y by 0.5"
                    ] do
                    Expect.stringContains report words "report"

                // The folder has what the report was made of, so that it can be made again, and the run loads.
                let saved = RunFolder.Open place

                Expect.stringContains
                    (Report.html (RunRecord.ofSaved saved))
                    "Difference of performance to the control"
                    "the report again"

                let trained = ok (Run.loadFor robust place)

                match Contrasts.ofRun trained with
                | [ control, trials; first, perturbed; second, _ ] ->
                    Expect.equal control "control" "the control"

                    Expect.equal
                        [ first; second ]
                        [
                            "silence cortex during stimulus"
                            "scale cortex->y by 0.5"
                        ]
                        "each by itself, in all trials"

                    let found =
                        Contrasts.ofArrays
                            "activity.npz"
                            decision.Circuit.Readouts
                            (List.ofSeq (saved.ReadActivity()))

                    Expect.equal found.Length 3 "arrays"
                    Expect.equal found[0].Activity.Length trials.Length "trials"

                    for k, trial in List.indexed perturbed do
                        let kept = found[1].Activity[k]
                        Expect.equal kept.Outputs trial.Outputs "outputs"
                        Expect.equal kept.Targets trial.Targets "targets"
                        Expect.equal kept.Conditions trial.Conditions "conditions"

                        Expect.equal
                            kept.Events[TrialAxes.PerturbedEvent]
                            trial.Events["stimulus"]
                            "where it acts"

                        Expect.equal
                            found[1].Tested[k]
                            (Behavior.ofActivity trial)
                            "results of the trial"
                | other -> failtest $"%A{List.map fst other}"

                let code, said, complained = analyze place [ "--test-trials"; "40" ] robust

                Expect.equal (code, complained) (ExitCode.Done, "") "analysis"

                Expect.stringContains
                    said
                    "performance, silence cortex during stimulus"
                    "what suits the task"

                Expect.isTrue
                    (File.Exists(Path.Combine(place, "analysis", "perturbation-differences.svg")))
                    "figures")
        }

        test "of tasks without conditions show outputs, trajectories and intervals" {
            inFolder (fun folder ->
                let place = Path.Combine(folder, "p1")
                let periodic = Rflo.Cli.Periodic.experiment 10 20 |> trials 30
                runInto place periodic
                let code, _, complained = analyze place [ "--test-trials"; "5" ] periodic
                Expect.equal (code, complained) (ExitCode.Done, "") "periodic"
                let trained = ok (Run.loadFor periodic place)
                let trial = (ok (Run.perform trained periodic.Task 1)).Head

                let rows = csv (Path.Combine(place, "analysis", "outputs-y.csv"))

                Expect.equal rows.Head [ "time ms"; "y target"; "y output"; "y deviation" ] "heads"

                // Every trial is the same without noise.
                for t, row in List.indexed rows.Tail do
                    Numbers.isLessThan (abs (number row[1] - trial.Targets[t, 0])) 1e-12 "target"

                    Numbers.isLessThan
                        (abs (number row[2] - trial.Outputs["y"][t, 0]))
                        1e-12
                        "output"

                    Numbers.isLessThan (abs (number row[3])) 1e-12 "deviation"

                let page = File.ReadAllText(Path.Combine(place, "analysis.html"))
                Expect.stringContains page "Mean over 5 held-out test trials" "page"
                Expect.stringContains page "colored by time" "trajectories"

                let place = Path.Combine(folder, "r1")

                let task = {
                    ReadySetGo.standard with
                        FirstPulse = 10.0<ms>
                        Delays = drawnBetween 10.0<ms> 40.0<ms>
                        Tail = 10.0<ms>
                        Width = 3.0<ms>
                }

                let timing = {
                    periodic with
                        Name = "timing"
                        Task = Task.readySetGo task
                        Circuit =
                            let x, y = input "x" 1, readout "y" 1

                            circuit [
                                x --> cortex |> weights (uniform -1.0 1.0)
                                cortex --> cortex |> weights (gaussian 1.2) |> learningRate 0.01
                                cortex --> y |> weights (uniformScaled 0.3) |> learningRate 0.01
                            ]
                            |> feedback [ errorOf y --> cortex ]
                }

                runInto place timing
                let code, said, complained = analyze place [ "--test-trials"; "20" ] timing
                Expect.equal (code, complained) (ExitCode.Done, "") "ready-set-go"
                let trained = ok (Run.loadFor timing place)

                Expect.equal
                    [
                        for row in
                            csv (Path.Combine(place, "analysis", "intervals.csv")) |> List.tail ->
                            number row[1], number row[2]
                    ]
                    [
                        for trial in ok (Run.perform trained timing.Task 20) ->
                            let asked, produced = Measure.interval task timing.Dt trial
                            float asked, float produced
                    ]
                    "intervals"

                Expect.stringContains said "produced minus target interval" "numbers"
                let page = File.ReadAllText(Path.Combine(place, "analysis.html"))

                Expect.stringContains
                    page
                    "The first 4 held-out test trials, whose targets differ."
                    "page"

                Expect.stringContains
                    page
                    "The first 4 test trials along the first two"
                    "trajectories")
        }

        test "find the fixed points and exponents that the words find, at inputs that are given" {
            withRun (fun place ->
                let code, _, complained =
                    analyze
                        place
                        [
                            "--fixed-points"
                            "--lyapunov"
                            "--at"
                            "x=1,0.5,0"
                            "--weights"
                            "initial"
                            "--test-trials"
                            "20"
                        ]
                        decision

                Expect.equal complained "" "complaints"
                Expect.equal code ExitCode.Done "exit code"
                let trained = ok (Run.loadFor decision place)

                let map =
                    ok (Dynamics.ofWeights [] trained.Initial decision)
                    |> Dynamics.at [ "x", [| 1.0; 0.5; 0.0 |] ]

                let exponents = map |> Dynamics.lyapunov 5 2000

                Expect.equal
                    [
                        for row in
                            List.tail (
                                csv (Path.Combine(place, "analysis", "lyapunov-exponents.csv"))
                            ) -> number row[1]
                    ]
                    (List.ofArray exponents.PerStep)
                    "exponents"

                let outputs = [
                    for row in
                        List.tail (csv (Path.Combine(place, "analysis", "fixed-points.csv"))) ->
                        row[1], number row[7], number row[8]
                ]

                Expect.isNonEmpty outputs "points"

                // Each listed fixed point is one: from a state nearby the map settles at its outputs.
                let settled = (map.Trajectory(map.InitialState(), 3000))[3000]
                let y = map |> Dynamics.outputs "y" settled

                let stands =
                    Array.forall2 (fun a b -> abs (a - b) < 1e-9) settled (map.Next settled)

                if stands then
                    Expect.exists
                        outputs
                        (fun (kind, a, b) ->
                            kind = "fixed" && abs (a - y[0]) < 1e-3 && abs (b - y[1]) < 1e-3)
                        "where the circuit settles")
        }

        test "of a run whose options changed its experiment take these from its folder" {
            inFolder (fun folder ->
                let place = Path.Combine(folder, "d1")

                Expect.equal
                    (Host.runWith
                        [|
                            "--quiet"
                            "--no-report"
                            "--out"
                            place
                            "--seed"
                            "7"
                            "--trials"
                            "5"
                            "--learning-rate"
                            "0.02"
                            "--learning-rate"
                            "cortex->y=0.1"
                        |]
                        decision)
                    ExitCode.Done
                    "the run"

                let code, _, complained =
                    analyze place [ "--performance"; "--test-trials"; "10" ] decision

                Expect.equal (code, complained) (ExitCode.Done, "") "analysis")
        }

        test "of points of a sweep and runs of a comparison find their experiment in the script" {
            inFolder (fun folder ->
                let sweep =
                    Sweep.ofExperiment (trials 3 decision) |> Sweep.over "seed" [ 1..2 ] seed

                let place = Path.Combine(folder, "sweep")

                let points = ok (Host.sweepInto place 1 sweep)

                let code, _, complained =
                    console (fun () ->
                        SweepHost.runWith
                            None
                            [|
                                "--analyze"
                                points[1].Place
                                "--performance"
                                "--test-trials"
                                "10"
                                "--out"
                                Path.Combine(folder, "page")
                            |]
                            sweep)

                Expect.equal (code, complained) (ExitCode.Done, "") "a point"

                Expect.isTrue
                    (File.Exists(Path.Combine(folder, "page", "analysis.html")))
                    "where --out is"

                Expect.isFalse
                    (File.Exists(Path.Combine(points[1].Place, "analysis.html")))
                    "not in the run folder"

                let both = [
                    trials 3 decision
                    {
                        trials 3 decision with
                            Name = "other"
                            Seed = 9L
                    }
                ]

                let compared = Path.Combine(folder, "compared")

                let code, _, _ =
                    console (fun () ->
                        Compare.runWith
                            "both"
                            None
                            [| "--quiet"; "--no-report"; "--out"; compared |]
                            both)

                Expect.equal code ExitCode.Done "the comparison"

                let code, _, complained =
                    console (fun () ->
                        Compare.runWith
                            "both"
                            None
                            [|
                                "--analyze"
                                Path.Combine(compared, "other")
                                "--performance"
                                "--test-trials"
                                "10"
                            |]
                            both)

                Expect.equal (code, complained) (ExitCode.Done, "") "a run of the comparison")
        }

        test "refuse what does not fit with one message, and write nothing" {
            withRun (fun place ->
                let before = Directory.GetFileSystemEntries place |> Array.sort

                for options, words in
                    [
                        [ "--decode"; "coherenc" ],
                        "--decode: no condition of its trials is named coherenc (known: choice, coherence, evidence, side); did you mean coherence?"
                        [ "--performance"; "--condition"; "sides" ],
                        "--condition: no condition of its trials is named sides (known: coherence, evidence, side); did you mean side?"
                        [ "--psychometric"; "contrast" ],
                        "--psychometric: no condition of its trials is named contrast"
                        [ "--perturb"; "silence:cortx" ], "no area is named cortx (known: cortex)"
                        [ "--perturb"; "silence:cortex@dely" ], "dely"
                        [ "--perturb"; "scale:cortex->z=0" ], "cortex->z"
                        [ "--perturb"; "silence" ],
                        "--perturb is 'silence'; it must be silence:AREA"
                        [ "--perturb"; "stimulate:cortex" ],
                        "--perturb is 'stimulate:cortex'; it must be silence:AREA"
                        [ "--fixed-points"; "--at"; "z=1" ],
                        "the circuit has no input z (it has: x)"
                        [ "--fixed-points"; "--at"; "x=1" ],
                        "input x has 3 channels, and 1 numbers were given"
                        [ "--at"; "x"; "--lyapunov" ], "--at is 'x'; it must be INPUT=NUMBER"
                        [ "--pca"; "--at"; "x=1,0,0" ],
                        "--at changes nothing: inputs are held for --fixed-points and --lyapunov"
                        [ "--lyapunov"; "--condition"; "side" ],
                        "--condition changes nothing: trials are split for --performance, --outputs, --pca and --perturb"
                        [ "--weights"; "best" ], "--weights best: the run kept no best weights"
                        [ "--weights"; "middle" ],
                        "--weights is 'middle'; it must be final, best or initial"
                        [ "--test-trials"; "1" ],
                        "--test-trials is '1'; it must be a whole number from 2 to 1000000"
                        [ "--rule"; "rflo" ],
                        "--analyze takes the options of the run from its folder; leave --rule out"
                        [ "--check" ],
                        "--analyze trains nothing and takes none of the options of a run; leave --check out"
                        [ "--pcaa" ], "there is no option --pcaa"
                        [
                            "--gate"
                            "cortex->y=open"
                            "--gate"
                            "z=ajar"
                            "--lyapunov"
                        ],
                        "--gate is 'z=ajar'; it must be PROJECTION=open or PROJECTION=shut"
                        [ "--lyapunov"; "--gate"; "z=open" ], "There is no projection z"
                        [ "--decode"; "side"; "--decode"; "side" ],
                        "--decode side is given 2 times; give it once"
                    ] do
                    let all =
                        if List.contains "--test-trials" options then
                            options
                        else
                            options @ [ "--test-trials"; "20" ]

                    let code, _, complained = analyze place all decision
                    Expect.equal code ExitCode.Arguments $"%A{options}"
                    Expect.stringContains complained words $"%A{options}"

                    Expect.equal
                        (complained.TrimEnd().Split('\n').Length)
                        1
                        $"one message: {complained}"

                Expect.equal (Directory.GetFileSystemEntries place |> Array.sort) before "files")
        }

        test "refuse a run of another declaration, one that diverged, and a folder that is none" {
            withRun (fun place ->
                let code, _, complained = analyze place [] (decision |> rule Rule.rflo)
                Expect.equal code ExitCode.Arguments "another rule"

                Expect.stringContains
                    complained
                    "these of its parts are others: feedback, rule"
                    "another rule"

                let code, _, complained = analyze (place + "-none") [] decision
                Expect.equal code ExitCode.Arguments "no folder"
                Expect.stringContains complained "manifest.json" "no folder"

                let steep = {
                    decision with
                        Circuit =
                            decision.Circuit
                            |> Circuit.mapProjection "cortex->y" (learningRate 1e200)
                        Rule = Rule.rflo
                        Settings = RuleSettings.None
                }

                let diverged = place + "-diverged"

                Host.runWith [| "--quiet"; "--no-report"; "--out"; diverged |] steep |> ignore
                let code, _, complained = analyze diverged [] steep
                Expect.equal code ExitCode.Arguments "diverged"

                Expect.stringContains
                    complained
                    "so its final weights are no result; analyze others with --weights best or --weights initial"
                    "diverged")
        }

        test "options of analyses without --analyze are named as such" {
            let code, _, complained = console (fun () -> Host.runWith [| "--pca" |] decision)

            Expect.equal code ExitCode.Arguments "exit code"

            Expect.stringContains
                complained
                "--pca is for the analysis of a run that has ended; give --analyze RUN too, or type rflo analyze RUN --pca"
                "message"
        }

        test "the overrides of a manifest are the options that made them" {
            let isSetting option =
                not (Overrides.settings [ option ]).IsEmpty

            let all =
                FSharp.Reflection.FSharpType.GetUnionCases(
                    typeof<ScriptOption>,
                    Reflection.BindingFlags.NonPublic ||| Reflection.BindingFlags.Public
                )
                |> Array.map (fun case ->
                    FSharp.Reflection.FSharpValue.MakeUnion(
                        case,
                        [| for _ in case.GetFields() -> box "5" |],
                        Reflection.BindingFlags.NonPublic ||| Reflection.BindingFlags.Public
                    )
                    |> nonNull
                    |> unbox<ScriptOption>)
                |> List.ofArray
                |> List.filter isSetting

            Numbers.isGreaterThan all.Length 10 "options"

            for option in all do
                Expect.equal
                    (Overrides.ofSettings (Overrides.settings [ option ]))
                    [ option ]
                    $"%A{option}"

            let rates = [ Learning_Rate "0.1"; Learning_Rate "a->b=0.2" ]
            Expect.equal (Overrides.ofSettings (Overrides.settings rates)) rates "several"
        }

        test "rflo analyze refuses before it starts a script" {
            withRun (fun place ->
                for words, said in
                    [
                        [], "it must be: rflo analyze RUN [options]"
                        [ "model.fsx" ], "which run of model.fsx?"
                        [ place; "--run"; place ], "--run names the run of a script"
                        [ place; "--run" ], "argument '--run' must be followed by <folder>"
                        [ place; "--pcaa" ], "there is no option --pcaa; did you mean --pca?"
                        [ place; "--test-trials"; "none" ], "--test-trials is 'none'"
                        [ place ], "has no copy of a script"
                        [ place + "-none" ], "manifest.json"
                    ] do
                    let code, _, complained = console (fun () -> Analyze.run words)
                    Expect.equal code ExitCode.Arguments $"%A{words}"
                    Expect.stringContains complained said $"%A{words}")
        }

        test "the script of a run folder is laid out as it lay, with what it loads" {
            inFolder (fun folder ->
                let write path (text: string) =
                    let full = Path.Combine(folder, path)
                    Directory.CreateDirectory(nonNull (Path.GetDirectoryName full)) |> ignore
                    File.WriteAllText(full, text)
                    full

                write "a/src/Rflo.Host/host.fsx" "#r \"Rflo.Host.dll\"" |> ignore
                write "a/lib/units.fsx" "// units" |> ignore
                write "a/models/near/parts.fsx" "#load \"../../lib/units.fsx\"" |> ignore

                let script =
                    write
                        "a/models/model.fsx"
                        "#load \"../src/Rflo.Host/host.fsx\"\n#load \"near/parts.fsx\"\n"

                let place =
                    use run = RunFolder.Create(Path.Combine(folder, "run"))
                    let sources = run.Archive(Array.ofList (Sources.ofScript (Some script)))

                    run.Begin(RunSession(DateTimeOffset.UtcNow, 0, [||], [||], sources))

                    RunRecord.write
                        run
                        (RunRecord.ofFolder run [] (ok (Run.train (trials 1 decision))))

                let into = Path.Combine(folder, "again")

                match ArchivedScript.restore (RunFolder.Open place) into with
                | None -> failtest "no script"
                | Some restored ->
                    Expect.equal (File.ReadAllText restored) (File.ReadAllText script) "script"

                    let beside path =
                        Path.GetFullPath(
                            Path.Combine(nonNull (Path.GetDirectoryName restored), path)
                        )

                    Expect.equal
                        (File.ReadAllText(beside "near/parts.fsx"))
                        "#load \"../../lib/units.fsx\""
                        "what it loads"

                    Expect.equal
                        (File.ReadAllText(beside "../lib/units.fsx"))
                        "// units"
                        "what that loads"

                    Expect.stringContains
                        (File.ReadAllText(beside "../src/Rflo.Host/host.fsx"))
                        "Rflo.Host"
                        "the host is of this version")
        }

        test "rflo analyze runs the script that a run folder has" {
            inFolder (fun folder ->
                let script = Path.Combine(examples, "01-periodic.fsx")

                let ran = rflo folder [ "run"; script; "--trials"; "5"; "--out"; "p1"; "--quiet" ]
                Expect.equal ran.Code 0 $"the run: {ran.Errors}"

                let ended = rflo folder [ "analyze"; "p1"; "--performance"; "--test-trials"; "3" ]

                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                Expect.stringContains ended.Output "3 test trials by the final weights" "output"
                Expect.isTrue (File.Exists(Path.Combine(folder, "p1", "analysis.html"))) "page")
        }
    ]
    |> testSequenced
