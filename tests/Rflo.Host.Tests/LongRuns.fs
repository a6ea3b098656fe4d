/// Experiments for runs that are killed: small ones, each with something else to carry from trial to trial.
module Rflo.Host.Tests.LongRuns

open System.IO
open System.Reflection
open System.Threading
open Rflo.Dsl
open Rflo.Host
open Rflo.Host.Tests.Processes

/// Trials take 20 ms each as long as the folder has this file, so that no run ends before a test has stopped it.
let private verySlow = "very-slow"

/// Does something while trials take long.
let whileVerySlow folder (body: unit -> 'a) =
    let file = Path.Combine(folder, verySlow)
    File.WriteAllText(file, "")

    try
        body ()
    finally
        File.Delete file

/// A random target, and time enough in a trial that a kill can fall anywhere in a run, on any machine.
let private slowly inputs trial (stream: Rflo.Core.RandomStream) =
    Thread.Sleep(if File.Exists verySlow then 20 else 1)
    let phase = stream.Uniform(0.0, 6.0)

    {
        Inputs = Array2D.init 20 inputs (fun t _ -> cos (0.3 * float t + phase))
        Targets =
            Array2D.init 20 1 (fun t _ -> sin (0.3 * float t + phase + 0.1 * float (trial % 3)))
        Mask = None
        Events = []
        Rewards = None
        Conditions = []
    }

let private network (cortex: Area) =
    let x, y = input "x" 1, readout "y" 1

    Circuit.empty
    |> areas [ cortex ]
    |> inputs [ x ]
    |> readouts [ y ]
    |> projections [
        x --> cortex |> learningRate 0.01
        cortex --> cortex |> weights (gaussian 1.2) |> learningRate 0.01
        cortex --> y |> learningRate 0.01
    ]
    |> feedback [ errorOf y --> cortex ]

let private cortex = area "cortex" 12

let private of' area learning =
    Task.ofTrials 20.0<ms> (slowly 1)
    |> experiment "long" (network area)
    |> rule learning
    |> keepBest
    |> trials 600

/// By name, so that a process can be told which.
let all =
    Map.ofList [
        "rflo-adam-online",
        of' cortex {
            Rule.rflo with
                Update = Online
                Optimizer = Optimizer.adam
        }
        "bptt-every-3",
        of' cortex {
            Rule.bptt with
                Update = EveryTrials(3, Mean)
        }
        "carried-over-noise", of' (cortex |> noise 0.1 |> initial (carriedOver 0.1)) Rule.rflo
        "learned-tau", of' (cortex |> learnTau 0.1 |> learnInitial 0.1) Rule.bptt
        "least-squares",
        of' cortex {
            Rule.rflo with
                Readout = RecursiveLeastSquares(1.0, 0.999, 3)
        }
    ]

/// The disk is full from the second checkpoint on: what would be written lands on a device that has no room.
let private onFullDisk =
    let draw trial stream =
        if trial >= 10 && File.Exists "/dev/full" then
            let next = Path.Combine(".a.writing", $"checkpoint-%010d{trial + 1}.npz.part")

            if not (Path.Exists next) && Directory.Exists ".a.writing" then
                File.CreateSymbolicLink(next, "/dev/full") |> ignore

        slowly 1 trial stream

    Task.ofTrials 20.0<ms> draw |> experiment "long" (network cortex) |> trials 25

/// A loss that is no number from a trial on.
let private diverging =
    let draw trial stream =
        let usual = slowly 1 trial stream

        if trial < 10 then
            usual
        else
            {
                usual with
                    Targets = Array2D.create 20 1 1e300
            }

    Task.ofTrials 20.0<ms> draw |> experiment "long" (network cortex) |> trials 25

/// What a child process does: `Host.runWith`, in this program, which starts faster than a script.
let run kind arguments =
    match kind with
    | "compare" -> Compare.runWith "both" None arguments (List.truncate 2 (List.ofSeq all.Values))
    | "full-disk" -> Host.runWith arguments onFullDisk
    | "diverging" -> Host.runWith arguments diverging
    | kind -> Host.runWith arguments all[kind]

/// Starts a run in a process of its own.
let startRun folder kind (arguments: string list) =
    let program = Assembly.GetExecutingAssembly().Location

    start folder "dotnet" ([ program; "train"; kind; "--quiet"; "--no-report" ] @ arguments)

/// Trains in a process of its own, to its end.
let train folder kind arguments =
    use child = startRun folder kind arguments
    finish child
