// Draws one trial of each task into an offline page:
//
//     dotnet fsi docs/tasks/pictures.fsx tasks.html
//
// With the name of a task behind it, only that one. The pictures of docs/tasks.md are screenshots of these pages.
#load "../../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let dt = 1.0<ms>

/// Cursor tasks need a circuit that moves the cursor: an untrained one, moved by the target.
let syllables =
    let cortex = area "cortex" 2
    let cue = input "cue" 4
    let y = readout "y" 2

    let network = circuit [ cue --> cortex; cortex --> y ]

    let task =
        Task.syllables {
            Syllables.standard with
                MovedByTarget = true
                PerTrial = 4
        }

    let run =
        experiment "syllables" network task |> trials 0 |> Run.train |> Problem.orFail

    {
        Trial = 0
        Dt = dt
        Inputs = run.Before.Inputs.ToArray()
        Targets = run.Before.Targets.ToArray()
        Mask = run.Before.Mask.ToArray()
        Events = []
        Phases = []
        Conditions = run.Before.Conditions
    }

let own =
    Task.phased
        2
        1
        [
            phase "cue" (fixedFor 30.0<ms>)
            phase "delay" (exponential 60.0<ms> 40.0<ms> 200.0<ms>)
            phase "go" (fixedFor 60.0<ms>)
        ]
        (fun stream -> stream.Uniform(-1.0, 1.0))
        (fun value now ->
            let cue = if now.During "cue" then value else 0.0
            let go = if now.During "go" then 1.0 else 0.0
            let wave = go * value * sin (System.Math.PI * now.Since / 60.0<ms>)

            Step.ofArrays [| cue; go |] [| wave |]
            |> Step.mask (if now.During "delay" then 0.1 else 1.0))
    |> Task.named "own"

/// Each with a typical trial.
let tasks = [
    Task.periodic 100.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ], 0
    Task.readySetGo {
        ReadySetGo.standard with
            OwnChannels = true
    },
    0
    Task.sine SineCommand.standard, 1
    Task.flipFlop FlipFlop.standard, 0
    Task.add AddTask.standard, 0
    Task.sensorimotorMap SensorimotorMap.standard, 0
    Task.delayedMatch DelayedMatch.standard, 0
    Task.delayedDiscrimination DelayedDiscrimination.standard, 0
    Task.perceptualDecision PerceptualDecision.standard, 3
    Task.contextIntegration ContextIntegration.standard, 0
    Task.contextIntegration {
        ContextIntegration.standard with
            Report = RunningSum 0.01
            Decision = fixedFor 0.0<ms>
    }
    |> Task.named "context-sum",
    0
    Task.intervalDiscrimination IntervalDiscrimination.standard, 0
    Task.evidenceAccumulation EvidenceAccumulation.standard, 0
    own, 0
]

let panels = [
    for task, number in tasks do
        let view = Trials.show dt 1L task [ number ] |> Problem.orFail |> List.head
        task.Name, $"Trial {number} of seed 1.", view

    "syllables", "Trial 0 of seed 1, four syllables a trial.", syllables
]

match List.tail (List.ofArray fsi.CommandLineArgs) with
| [ path ] -> TaskFigures.write path panels
| [ path; name ] ->
    match panels |> List.filter (fun (other, _, _) -> other = name) with
    | [] ->
        let names = [ for name, _, _ in panels -> name ] |> String.concat ", "
        eprintfn $"no task is named {name}; known: {names}"
        exit 2
    | chosen -> TaskFigures.write path chosen
| _ ->
    eprintfn "give the file of the page, such as tasks.html"
    exit 2
