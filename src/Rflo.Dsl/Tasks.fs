namespace Rflo.Dsl

/// Interval matching: its usual parameters.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module ReadySetGo =

    /// Delays of 5 to 15 tau of 10 ms, first pulse at 5 tau, pulses of 1.5 tau and height 1 on one channel, 6 tau after the
    /// latest peak. The paper gives the width, the longest delay, and no more.
    let standard = {
        FirstPulse = 50.0<ms>
        Delays = DrawnBetween(50.0<ms>, 150.0<ms>)
        Width = 15.0<ms>
        Amplitude = 1.0
        TargetAmplitude = 1.0
        Tail = 60.0<ms>
        OwnChannels = false
    }

    /// The same with delays of 5 tau to that many ms.
    let upTo longest = {
        standard with
            Delays = DrawnBetween(50.0<ms>, longest)
    }

/// The cursor task: its usual parameters.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Syllables =

    /// Right, up, left, down, each 200 ms and one length, without a hold; one syllable a trial, drawn among those that stay
    /// in a workspace of two lengths by two, where the cursor stays from trial to trial.
    let standard = {
        Directions = [ 1.0, 0.0; 0.0, 1.0; -1.0, 0.0; 0.0, -1.0 ]
        Move = 200.0<ms>
        Hold = 0.0<ms>
        InputInHold = false
        Length = 1.0
        EvenSpeed = false
        Amplitude = 1.0
        Bounds = Some(-1.0, 1.0)
        Start = 0.0, 0.0
        Returns = false
        MovedByTarget = false
        Sequence = []
        PerTrial = 1
        Cue = EachSyllable
        Chooser = None
        JudgedByPair = false
        StopsAtError = false
    }

    /// `p |> Syllables.inOrder [ 0; 1; 2; 3 ]` asks for that sequence in every trial, from the start, and shows each of it.
    let inOrder sequence syllables = {
        syllables with
            Sequence = sequence
            Returns = true
    }

    /// `p |> Syllables.chosenBy "striatum"` shows the first syllable of a sequence only; that area chooses the others.
    let chosenBy chooser syllables = {
        syllables with
            Cue = FirstSyllable
            Chooser = Some chooser
    }

    /// `p |> Syllables.untaught` shows nothing: the circuit must make the sequence by itself.
    let untaught syllables = { syllables with Cue = NoSyllable }

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

    /// `Task.readySetGo ReadySetGo.standard` shows two pulses on one channel and asks one output for a third after the same
    /// delay (Murray 2019, Fig 3).
    let readySetGo parameters = {
        Name = "ready-set-go"
        Kind = ReadySetGo parameters
        Events = []
    }

    /// `Task.syllables Syllables.standard` shows a syllable on its own channel and asks two outputs for its velocity (Murray
    /// 2019, Fig 4). Events, for gates: "decide" in the last step of each syllable but a trial's last, "move" in the
    /// steps in which a syllable's input is on.
    let syllables parameters = {
        Name = "syllables"
        Kind = Syllables parameters
        Events = [ "decide"; "move" ]
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
