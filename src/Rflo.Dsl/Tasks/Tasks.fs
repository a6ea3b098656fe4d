namespace Rflo.Dsl

/// `harmonic 2 0.5` is a sine of twice the frequency of the period, with amplitude 0.5, for `Task.periodic`.
[<AutoOpen>]
module Harmonics =

    /// A number of periods in the period of a task, and an amplitude.
    let harmonic (number: int) (amplitude: float) = number, amplitude

/// When a stage of `Task.curriculum` is passed.
[<AutoOpen>]
module Criterion =

    /// `lossBelow 0.02 50`: as soon as the mean loss of the last 50 trials of the stage that had a target is below 0.02.
    let lossBelow loss trials = MeanLossBelow(loss, trials)

    /// `rewardAbove 0.8 100`: as soon as the mean reward of the last 100 trials of the stage, each summed over its steps, is above 0.8.
    let rewardAbove reward trials = MeanRewardAbove(reward, trials)

    /// After so many trials.
    let afterTrials trials = AfterTrials trials

    /// As soon as a validation (`validate`) of the stage has a mean loss below that.
    let validationLossBelow loss = ValidationLossBelow loss

    /// As soon as a validation (`validate`) of the stage has a mean performance above that.
    let performanceAbove performance = PerformanceAbove performance

/// The delays of `ReadySetGo`.
[<AutoOpen; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Delays =

    /// Each trial draws one, evenly between the two in whole steps.
    let drawnBetween shortest longest = DrawnBetween(shortest, longest)

    /// Trial k takes number k of the list, and begins it again at its end.
    let inTurn delays = InTurn delays

/// Trials that are given as arrays, for `Task.ofTrials` and `Task.ofTrial`. Row 0 of an array is step t = 1.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Trial =

    /// `Trial.ofArrays x y` has the inputs x, of shape (steps, channels), and the targets y, of shape (steps, outputs).
    let ofArrays (inputs: float[,]) (targets: float[,]) : TrialData = {
        Inputs = Array2D.copy inputs
        Targets = Array2D.copy targets
        Mask = None
        Events = []
        Rewards = None
        Conditions = []
    }

    /// `Trial.ofSteps 150 (fun t -> [ x1; x2 ], [ y ])` calls a function for each step t = 1 .. 150: inputs, a number a channel, and targets, a
    /// number an output.
    let ofSteps steps (step: int -> float list * float list) : TrialData =
        let rows = [ for t in 1..steps -> step t ]

        // array2D throws where a step has another length than the first.
        {
            Inputs = rows |> List.map fst |> array2D
            Targets = rows |> List.map snd |> array2D
            Mask = None
            Events = []
            Rewards = None
            Conditions = []
        }

    /// `t |> Trial.mask m` counts targets only where m, of shape (steps, outputs), is not 0; its other numbers are weights.
    let mask (mask: float[,]) (trial: TrialData) = {
        trial with
            Mask = Some(Array2D.copy mask)
    }

    /// `t |> Trial.event "go" [ 20; 60 ]` marks the event "go" in those steps, counted from 1, for gates. A task has the events that its
    /// first trial names: where an event does not happen in a trial, name it with no steps.
    let event name (steps: int list) (trial: TrialData) = {
        trial with
            Events = trial.Events @ [ name, steps ]
    }

    /// `t |> Trial.rewards r` gives the reward r[t - 1] in step t, for rules that learn by rewards.
    let rewards (rewards: float[]) (trial: TrialData) = {
        trial with
            Rewards = Some(Array.copy rewards)
    }

    /// `t |> Trial.condition "coherence" 0.12` sets a condition of the trial, by which results can be grouped (`Behavior.by`).
    let condition name value (trial: TrialData) = {
        trial with
            Conditions = trial.Conditions @ [ name, value ]
    }

/// Tasks: inputs and targets, trial by trial.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Task =

    /// A task with default settings.
    let private made name kind events = {
        Name = name
        Kind = kind
        Events = events
        Mask = None
        Conditions = []
        Score = None
        Lost = []
    }

    /// `Task.periodic 100.0<ms> [ harmonic 1 1.0; harmonic 2 0.5 ]` has no input and the target
    /// y*(t) = sum over (k, a) of a sin(2 pi k t / period), one period a trial (Murray 2019, Fig 2).
    let periodic period harmonics =
        made "periodic" (Periodic(period, harmonics)) []

    /// `Task.readySetGo ReadySetGo.standard` has two input pulses on one channel; the target is a third after the same
    /// delay (Murray 2019, Fig 3).
    let readySetGo parameters =
        made "ready-set-go" (ReadySetGo parameters) []

    /// `Task.syllables Syllables.standard` has an input channel for each syllable; the two targets are its velocity (Murray
    /// 2019, Fig 4). Events, for gates: "decide" in the last step of each syllable but a trial's last, "move" in the
    /// steps in which a syllable's input is on.
    let syllables parameters =
        made "syllables" (Syllables parameters) [ "decide"; "move" ]

    /// `Trial.ofArrays x y |> Trial.event "go" [ 20 ] |> Task.ofTrial` is that trial every time.
    let ofTrial (trial: TrialData) =
        made "arrays" (Arrays trial) (trial.Events |> List.map fst |> List.distinct)

    /// `Task.ofArrays x y` has the inputs x, of shape (steps, channels), and the targets y, of shape (steps, outputs), in every trial.
    let ofArrays (inputs: float[,]) (targets: float[,]) = ofTrial (Trial.ofArrays inputs targets)

    /// Records a word without effect on the task, which the check refuses.
    let private lost what instead (task: Task) = {
        task with
            Lost = task.Lost |> Lost.add what instead
    }

    let private shape (mask: float[,]) =
        $"({mask.GetLength 0}, {mask.GetLength 1})"

    let private sameShape a b = shape a = shape b

    /// `t |> Task.masked m` counts the targets of t only where the mask m, of shape (steps, outputs), is not 0; its other numbers
    /// are weights. A mask that t or its trials have already is multiplied by it, and so is that of every task of which t is made.
    /// Where trials differ in length, m has the steps of the longest.
    let rec masked (mask: float[,]) (task: Task) : Task =
        match task.Kind with
        | Arrays data when data.Mask.IsNone -> {
            task with
                Kind =
                    Arrays {
                        data with
                            Mask = Some(Array2D.copy mask)
                    }
          }
        | Blocks parts -> {
            task with
                Kind = Blocks [ for part, trials in parts -> masked mask part, trials ]
          }
        | Mixture parts -> {
            task with
                Kind = Mixture [ for part, weight in parts -> masked mask part, weight ]
          }
        | Curriculum(stages, last) -> {
            task with
                Kind =
                    Curriculum(
                        [
                            for part, criterion in stages -> masked mask part, criterion
                        ],
                        masked mask last
                    )
          }
        | _ ->
            match task.Mask with
            | Some own when not (sameShape own mask) ->
                task
                |> lost
                    $"one mask is {shape own} and another {shape mask}"
                    "give all masks a row for each step of the longest trial and a column for each output"
            | own -> {
                task with
                    Mask =
                        own
                        |> Option.map (Array2D.mapi (fun t k weight -> weight * mask[t, k]))
                        |> Option.defaultWith (fun () -> Array2D.copy mask)
                        |> Some
              }

    /// `t |> Task.marked [ "go", [ 20; 60 ] ]` also marks the event "go" in those steps, counted from 1, of the arrays task t.
    /// Other tasks carry their events in their trials; the check refuses it there.
    let marked events task =
        match task.Kind with
        | Arrays data -> {
            task with
                Kind =
                    Arrays {
                        data with
                            Events = data.Events @ events
                    }
                Events = List.distinct (task.Events @ List.map fst events)
          }
        | _ ->
            task
            |> lost
                "Task.marked marks steps of Task.ofArrays, and this is another kind of task"
                "mark events in its trials, or make it of arrays"

    /// `t |> Task.rewarded r` gives the reward r[t - 1] in step t of the arrays task t. Other tasks carry their rewards in
    /// their trials; the check refuses it there.
    let rewarded (rewards: float[]) task =
        match task.Kind with
        | Arrays data -> {
            task with
                Kind =
                    Arrays {
                        data with
                            Rewards = Some(Array.copy rewards)
                    }
          }
        | _ ->
            task
            |> lost
                "Task.rewarded rewards steps of Task.ofArrays, and this is another kind of task"
                "give rewards in its trials, or make it of arrays"

    /// `Task.ofTrials 500.0<ms> (fun trial stream -> Trial.ofArrays x y)` draws every trial anew: from its number, counted from 0, and
    /// random numbers of that trial alone. Trials last at most 500 ms. Trial 0 is drawn here too: it sets the numbers of channels
    /// and outputs, the events and the conditions. The first trials are drawn once more when the experiment is checked, to check
    /// their shapes.
    let ofTrials duration (draw: int -> RandomStream -> TrialData) =
        let first =
            try
                Ok(draw 0 (RandomStream.OfTrial(1L, "task", 0)))
            with error ->
                Error error.Message

        let drawn = {
            Inputs = -1
            Outputs = -1
            Duration = duration
            Conditions = []
            Failure = None
            Draw = draw
        }

        let task = made "trials" (Drawn drawn) []

        match first with
        | Ok data -> {
            task with
                Kind =
                    Drawn {
                        drawn with
                            Inputs = data.Inputs.GetLength 1
                            Outputs = data.Targets.GetLength 1
                            Conditions = data.Conditions |> List.map fst |> List.distinct
                    }
                Events = data.Events |> List.map fst |> List.distinct
          }
        | Error reason -> {
            task with
                Kind = Drawn { drawn with Failure = Some reason }
          }

    /// `Task.ofActivity 10.0<ms> cue [ "direction", directions ] rates` asks outputs for recorded activity: a circuit is fitted to it. Trial k of a
    /// run is number k of the recorded ones, and behind the last comes the first again. There is an output for each unit and a step of 10 ms
    /// for each recorded one. `cue k` is the inputs of trial k, shape (steps, channels); conditions have a value for each trial.
    let ofActivity
        (dt: float<ms>)
        (inputs: int -> float[,])
        (conditions: (string * float[]) list)
        (activity: Rflo.Analysis.TrialSet)
        =
        for name, values in conditions do
            if values.Length <> activity.Trials then
                invalidArg
                    (nameof conditions)
                    $"condition {name} has {values.Length} values for {activity.Trials} trials"

        let draw number _ =
            let k = number % activity.Trials

            {
                Trial.ofArrays (inputs k) (activity.Trial(k).ToArray()) with
                    Conditions = [ for name, values in conditions -> name, values[k] ]
            }

        {
            ofTrials (float activity.Steps * dt) draw with
                Name = "activity"
        }

    /// `Task.ofSessions 10.0<ms> [ cueA, ratesA; cueB, ratesB ]` fits one circuit to several recorded sessions with units of their own. There is
    /// an output for each unit of each session, in order; in a trial of a session the outputs of the others have no target. Trials
    /// take turns: the first of each session, then the second of each; behind the last of a session comes its first again.
    /// `cueA k` is the inputs of trial k of the first session, with the same channels in all sessions. The condition "session" is the
    /// number of the session, from 0.
    let ofSessions (dt: float<ms>) (sessions: ((int -> float[,]) * Rflo.Analysis.TrialSet) list) =
        if sessions.IsEmpty then
            invalidArg (nameof sessions) "there is no session; give at least one"

        let sessions = Array.ofList sessions
        let units = sessions |> Array.map (fun (_, activity) -> activity.Units)
        let firsts = units |> Array.scan (+) 0

        let longest =
            sessions |> Array.map (fun (_, activity) -> activity.Steps) |> Array.max

        let draw number _ =
            let session, k = number % sessions.Length, number / sessions.Length
            let inputs, activity = sessions[session]
            let trial = k % activity.Trials

            /// The value of an output of the session; 0 for those of others.
            let ofOutputs (value: int -> int -> float) =
                Array2D.init activity.Steps (Array.sum units) (fun t output ->
                    let unit = output - firsts[session]

                    if unit >= 0 && unit < units[session] then
                        value t unit
                    else
                        0.0)

            {
                Trial.ofArrays (inputs trial) (ofOutputs (fun t unit -> activity[trial, t, unit])) with
                    Mask = Some(ofOutputs (fun _ _ -> 1.0))
                    Conditions = [ "session", float session ]
            }

        {
            ofTrials (float longest * dt) draw with
                Name = "sessions"
        }

    let private ofPhases name kind phases = made name kind (Phase.events phases)

    /// `Task.phased 2 1 [ phase "cue" (fixedFor 50.0<ms>); phase "delay" (between 50.0<ms> 200.0<ms>) ] draw at` has two channels
    /// and one output in trials of those phases. `draw stream` draws the conditions of a trial; `at drawn now` is its inputs and
    /// targets in the step `now`: `now.Phase`, `now.Since`, `now.Time`, `now.OnsetOf "delay"`. A trial depends on the
    /// experiment's seed and its number alone. Events, for gates: "delay" in all steps of that phase, "delay.onset" in its
    /// first. All steps of trial 0 are also made when the experiment is checked, to check their lengths.
    let phased
        inputs
        outputs
        phases
        (draw: RandomStream -> 'drawn)
        (at: 'drawn -> Instant -> Step)
        =
        let task: Phased = {
            Inputs = inputs
            Outputs = outputs
            Phases = phases
            Conditions = []
            Make = fun _ stream -> at (draw stream)
        }

        ofPhases "phases" (Phased task) phases

    /// `Task.phasedBy 2 1 phases make` is the same for trials whose numbers depend on the durations that were drawn, or that keep
    /// something from step to step: `make timeline stream` begins a trial, and returns the function that makes its steps in order.
    let phasedBy inputs outputs phases make =
        ofPhases
            "phases"
            (Phased {
                Inputs = inputs
                Outputs = outputs
                Phases = phases
                Conditions = []
                Make = make
            })
            phases

    let private standard (task: StandardTask) = {
        ofPhases task.Name (Standard task) task.Phases with
            Score = task.Score
    }

    /// `Task.sine SineCommand.standard` has a tonic command as input; the target is a sine of the frequency that it encodes.
    let sine parameters =
        standard (StandardTask.SineCommand parameters)

    /// `Task.flipFlop FlipFlop.standard` has input pulses up and down on each channel; the target of each output is the latest.
    let flipFlop parameters =
        standard (StandardTask.FlipFlop parameters)

    /// `Task.add AddTask.standard` has random input bits; the target is a weighted sum of those of two delays ago.
    let add parameters =
        standard (StandardTask.AddTask parameters)

    /// `Task.delayedMatch DelayedMatch.standard` has two stimuli a delay apart; two outputs report whether they are the same.
    let delayedMatch parameters =
        standard (StandardTask.DelayedMatch parameters)

    /// `Task.delayedDiscrimination DelayedDiscrimination.standard` has two frequencies a delay apart; two outputs report which
    /// was higher.
    let delayedDiscrimination parameters =
        standard (StandardTask.DelayedDiscrimination parameters)

    /// `Task.perceptualDecision PerceptualDecision.standard` has noisy evidence for two sides; two outputs report for which there
    /// was more.
    let perceptualDecision parameters =
        standard (StandardTask.PerceptualDecision parameters)

    /// `Task.contextIntegration ContextIntegration.standard` has two noisy streams and a context as inputs; the target is the
    /// sign (or the integral) of the stream that the context names.
    let contextIntegration parameters =
        standard (StandardTask.ContextIntegration parameters)

    /// `Task.intervalDiscrimination IntervalDiscrimination.standard` has two intervals; two outputs report which was longer.
    let intervalDiscrimination parameters =
        standard (StandardTask.IntervalDiscrimination parameters)

    /// `Task.evidenceAccumulation EvidenceAccumulation.standard` has cues left and right; two outputs report where there were more.
    let evidenceAccumulation parameters =
        standard (StandardTask.EvidenceAccumulation parameters)

    /// `Task.sensorimotorMap SensorimotorMap.standard` has a stimulus; two outputs report it after a delay.
    let sensorimotorMap parameters =
        standard (StandardTask.SensorimotorMap parameters)

    let private several name kind (parts: Task list) =
        made name kind (parts |> List.collect _.Events |> List.distinct)

    /// `Task.blocks [ a, 100; b, 50 ]` is a for trials 0 .. 99, b for trials 100 .. 149, a for 150 .. 249 and so on. Trial k is trial k
    /// of the task that makes it.
    let blocks parts =
        several "blocks" (Blocks parts) (List.map fst parts)

    /// `Task.mixture [ a, 0.7; b, 0.3 ]` draws the task of each trial: a in seven of ten. Trial k is trial k of the task that makes
    /// it; the draw does not touch its random numbers.
    let mixture parts =
        several "mixture" (Mixture parts) (List.map fst parts)

    /// `Task.curriculum [ easy, lossBelow 0.02 50; harder, afterTrials 1000 ] hardest` is easy until the mean loss of the last 50
    /// trials is below 0.02, then harder for 1000 trials, then hardest. The stage is saved with the run. Trial k is trial k of
    /// the task that makes it.
    let curriculum stages last =
        several "curriculum" (Curriculum(stages, last)) (List.map fst stages @ [ last ])

    /// The tasks that a task is made of, in their order; none for most.
    let parts task =
        match task.Kind with
        | Blocks blocks -> List.map fst blocks
        | Mixture shares -> List.map fst shares
        | Curriculum(stages, last) -> List.map fst stages @ [ last ]
        | _ -> []

    /// `Task.closedLoop 0 2 500.0<ms> [| 0.0; 0.0 |] start step` is a task whose steps depend on the circuit, in trials of 500 ms.
    /// Its memory of two numbers begins as given; `start k stream memory` begins trial k and may change it; `step now
    /// memory` makes the next step from the circuit's activity, and may change it too. The first step of trial 0 is also
    /// made when the experiment is checked, to check its lengths.
    let closedLoop inputs outputs duration (memory: float[]) start step = {
        Name = "closed-loop"
        Kind =
            InLoop {
                Inputs = inputs
                Outputs = outputs
                Duration = duration
                Watches = []
                Memory = Array.copy memory
                Begin = start
                Step = step
                Judge = None
            }
        Events = []
        Mask = None
        Conditions = []
        Score = None
        Lost = []
    }

    let private mapLoop word change (task: Task) =
        match task.Kind with
        | InLoop loop -> { task with Kind = InLoop(change loop) }
        | _ ->
            task
            |> lost
                $"Task.{word} is a word for Task.closedLoop, and this is another kind of task"
                $"make it a closed loop, or leave Task.{word} out"

    /// `t |> Task.watching [ "striatum" ]` gives the closed-loop task t the rates of those areas. The check refuses it for
    /// other tasks.
    let watching areas =
        mapLoop "watching" (fun loop -> { loop with Watches = areas })

    /// `t |> Task.judged judge` rewards each step of the closed-loop task t: `judge now memory` is called when the step is
    /// made, before any learning from it. The check refuses it for other tasks.
    let judged judge =
        mapLoop "judged" (fun loop -> { loop with Judge = Some judge })

    /// `Task.custom t` is a task written against the core.
    let custom task = made "custom" (Custom task) []

    /// `t |> Task.conditions [ "side", draw >> _.Side; "coherence", draw >> _.Coherence ]` adds conditions to each trial of t,
    /// numbers by name: `activity.Conditions["side"]`, and results by condition (`Behavior.by`). Each function receives the
    /// random numbers of the trial from their beginning, as `draw` of `Task.phased` does, and so draws the same values again; no
    /// number of the trial depends on it. In a task made of several, give them to its parts.
    let conditions (named: (string * (RandomStream -> float)) list) (task: Task) : Task = {
        task with
            Conditions =
                task.Conditions
                @ [
                    for name, draw in named -> ({ Name = name; Of = draw }: TrialCondition)
                ]
    }

    /// `t |> Task.scored (Score.ErrorBelow 0.1)` sets when a trial of t is right, which is `activity.Performance`: `Score.Decision`,
    /// `Score.ErrorBelow` or `Score.ShareWithin`. Standard tasks with a decision have the first. In a task made of several, give it to
    /// its parts.
    let scored score (task: Task) : Task = { task with Score = Some score }

    /// `t |> Task.named "reach"` has that name in reports.
    let named name (task: Task) = { task with Name = name }

    /// `t |> Task.events [ "go" ]` names the events that the task marks, in the order of their numbers.
    let events names (task: Task) = { task with Events = names }
