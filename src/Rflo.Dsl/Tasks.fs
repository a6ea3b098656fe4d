namespace Rflo.Dsl

/// Tasks: what is shown and asked.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Task =

    /// `Task.periodic 100.0<ms> [ 1, 1.0; 2, 0.5; 4, 0.25 ]` shows nothing and asks one output for
    /// y*(t) = sum over (k, a) of a sin(2 pi k t / period), one period a trial (Murray 2019, Fig 2).
    let periodic period harmonics = {
        Name = "periodic"
        Kind = Periodic(period, harmonics)
        Events = []
    }

    /// `Task.ofArrays x y` shows x, of shape (steps, channels), and asks for y, of shape (steps, outputs), in every trial.
    let ofArrays inputs targets = {
        Name = "arrays"
        Kind =
            Arrays {
                Inputs = inputs
                Targets = targets
                Mask = None
                Events = []
                Rewards = None
            }
        Events = []
    }

    /// `t |> Task.masked m` counts the targets of the arrays task t only where the mask m, of shape (steps, outputs),
    /// is not 0. Other tasks carry their masks in their trials.
    let masked mask task =
        match task.Kind with
        | Arrays data -> {
            task with
                Kind = Arrays { data with Mask = Some mask }
          }
        | _ -> task

    /// `t |> Task.marked [ "go", [ 20; 60 ] ]` marks the event "go" in those steps, counted from 1, of the arrays task t.
    /// Other tasks carry their events in their trials.
    let marked events task =
        match task.Kind with
        | Arrays data -> {
            task with
                Kind = Arrays { data with Events = events }
                Events = List.map fst events
          }
        | _ -> task

    /// `t |> Task.rewarded r` gives the reward r[t - 1] in step t of the arrays task t. Other tasks carry their rewards in
    /// their trials.
    let rewarded rewards task =
        match task.Kind with
        | Arrays data -> {
            task with
                Kind = Arrays { data with Rewards = Some rewards }
          }
        | _ -> task

    /// `Task.ofFunction 2 1 500.0<ms> draw` shows two channels and asks for one output in trials of at most 500 ms;
    /// `draw k stream` makes trial k, with random numbers from the stream of that trial alone. Trial 0 is also drawn when
    /// the experiment is checked, to see whether its shapes fit.
    let ofFunction inputs outputs duration draw = {
        Name = "function"
        Kind = Drawn(inputs, outputs, duration, draw)
        Events = []
    }

    /// `Task.closedLoop 0 2 500.0<ms> [| 0.0; 0.0 |] start step` looks at the circuit in every step of its trials of 500 ms.
    /// Its memory of two numbers begins as given; `start k stream memory` begins trial k and may change it; `step now
    /// memory` makes the step to come from what the circuit did, and may change it too. The first step of trial 0 is also
    /// made when the experiment is checked, to see whether its lengths fit.
    let closedLoop inputs outputs duration memory start step = {
        Name = "closed-loop"
        Kind =
            InLoop {
                Inputs = inputs
                Outputs = outputs
                Duration = duration
                Watches = []
                Memory = memory
                Begin = start
                Step = step
                Judge = None
            }
        Events = []
    }

    let private mapLoop change task =
        match task.Kind with
        | InLoop loop -> { task with Kind = InLoop(change loop) }
        | _ -> task

    /// `t |> Task.watching [ "striatum" ]` lets the closed-loop task t see the rates of those areas.
    let watching areas =
        mapLoop (fun loop -> { loop with Watches = areas })

    /// `t |> Task.judged judge` rewards each step of the closed-loop task t: `judge now memory` is called when the step is
    /// made, before anybody learns from it.
    let judged judge =
        mapLoop (fun loop -> { loop with Judge = Some judge })

    /// `Task.custom t` is a task written against the core.
    let custom task = {
        Name = "custom"
        Kind = Custom task
        Events = []
    }

    /// `t |> Task.named "reach"` is called so in reports.
    let named name (task: Task) = { task with Name = name }

    /// `t |> Task.events [ "go" ]` names the events that the task marks, in the order of their numbers.
    let events names (task: Task) = { task with Events = names }
