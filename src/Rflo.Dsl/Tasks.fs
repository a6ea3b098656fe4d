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

    /// `Task.ofFunction 2 1 500.0<ms> draw` shows two channels and asks for one output in trials of at most 500 ms;
    /// `draw k stream` makes trial k, with random numbers from the stream of that trial alone. Trial 0 is also drawn when
    /// the experiment is checked, to see whether its shapes fit.
    let ofFunction inputs outputs duration draw = {
        Name = "function"
        Kind = Drawn(inputs, outputs, duration, draw)
        Events = []
    }

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
