namespace Rflo.Dsl

open Rflo.Core

/// One trial of a task, as arrays.
type TrialView = {
    /// Number of the trial, from 0.
    Trial: int
    /// Duration of a step.
    Dt: float<ms>
    /// x(t), shape (steps, channels). Row 0 is step t = 1.
    Inputs: float[,]
    /// y*(t), shape (steps, outputs).
    Targets: float[,]
    /// m(t), shape (steps, outputs).
    Mask: float[,]
    /// Steps, counted from 1, in which each of the task's named events happens.
    Events: (string * int list) list
    /// Name, onset and duration of the phases that the trial has, in order; none where the task has no phases.
    Phases: (string * float<ms> * float<ms>) list
    /// The conditions of the trial by name.
    Conditions: Map<string, float>
}

/// Trials of tasks, without a circuit.
[<RequireQualifiedAccess>]
module Trials =

    let private rowsOf (steps: int) (columns: int) (values: float[]) =
        Array2D.init steps columns (fun t k -> values[t * columns + k])

    let private phases (dt: float<ms>) (events: (string * int list) list) =
        [
            for name, marked in events do
                if events |> List.exists (fun (other, _) -> other = Phase.onset name) then
                    match marked with
                    | first :: _ -> name, float (first - 1) * dt, float marked.Length * dt
                    | [] -> ()
        ]
        |> List.sortBy (fun (_, onset, _) -> onset)

    let private view dt (events: string list) conditions number (trial: Trial) = {
        Trial = number
        Dt = dt
        Inputs = rowsOf trial.Steps trial.InputChannels trial.Inputs
        Targets = rowsOf trial.Steps trial.Outputs trial.Targets
        Mask = rowsOf trial.Steps trial.Outputs trial.Mask
        Events = [
            for kind, name in List.indexed events ->
                name,
                [
                    for t in 1 .. trial.Steps do
                        if trial.Events[(t - 1) * trial.EventKinds + kind] then
                            t
                ]
        ]
        Phases = []
        Conditions = Decisions.conditions conditions trial.Conditions
    }

    /// `Trials.show 1.0<ms> 1L task [ 0; 1; 2 ]` is those trials of the task, as in an experiment with steps of 1 ms and seed 1, or
    /// every problem of the task. The trials of a curriculum are those of its first stage. A closed-loop task has no trials
    /// without a circuit.
    let show
        (dt: float<ms>)
        (seed: int64)
        (task: Task)
        (numbers: int list)
        : Result<TrialView list, Problem list> =
        let usable =
            if dt > 0.0<ms> && System.Double.IsFinite(float dt) then
                Some dt
            else
                None

        match TaskCompile.problems usable seed Circuit.Empty task, usable with
        | [], Some dt ->
            match TaskCompile.compile [] dt task with
            | :? IClosedLoopTask ->
                Error [
                    {
                        Part = InTask
                        Fault =
                            Contradiction(
                                "it is made step by step from what a circuit does, and there is none",
                                "use Before and After of what Run.train returns"
                            )
                    }
                ]
            | core ->
                let buffer = Trial.For core

                Ok [
                    for number in numbers do
                        buffer.Clear()
                        core.Fill(number, RandomStream.OfTrial(seed, "task", number), buffer)
                        let shown = view dt task.Events core.Conditions number buffer

                        {
                            shown with
                                Phases = phases dt shown.Events
                        }
                ]
        | problems, Some _ -> Error problems
        | problems, None ->
            Error(
                {
                    Part = InTask
                    Fault = NotAllowed("dt", $"{string (float dt)} ms", "finite and more than 0 ms")
                }
                :: problems
            )
