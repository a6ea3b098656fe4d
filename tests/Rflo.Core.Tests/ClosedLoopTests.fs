/// Closed-loop tasks: what they see and write, in which step; what outlives a trial; that credit stops at them.
module Rflo.Core.Tests.ClosedLoopTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.InCore

let private units = 5
let private alpha = 0.25
let private random = Random 11

let private matrix rows columns =
    Array.init (rows * columns) (fun _ -> 2.0 * random.NextDouble() - 1.0)

let private recurrent = matrix units units
let private shown = matrix units 1
let private read = matrix 1 units
let private told = matrix units 1

/// A leaky area, and the channel that it sees.
let private addArea (builder: GraphBuilder) start =
    let area =
        builder.AddArea(
            AreaSpec(
                Name = "area",
                Units = units,
                Alpha = Array.create units alpha,
                InitialRates = Array.create units 0.1,
                InitialPolicy = start
            )
        )

    area, builder.AddInput(InputSpec("x", 1))

/// A leaky area that sees one channel, and one readout.
let private graph rule start =
    let builder = GraphBuilder()
    let area, input = addArea builder start
    let readout = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    for name, source, target, weights in
        [
            "area->area", Source.Area area, Target.Area area, recurrent
            "x->area", Source.Input input, Target.Area area, shown
            "area->y", Source.Area area, Target.Readout readout, read
        ] do
        builder.AddProjection(
            ProjectionSpec(
                Name = name,
                Source = source,
                Target = target,
                Synapses = Synapses.Dense weights,
                Plasticity =
                    (match rule with
                     | Some(rule, schedule) -> Plasticity(rule, 0.05, schedule)
                     | None -> null)
            )
        )
        |> ignore

    builder.AddFeedback(FeedbackSpec(Readout = readout, Area = area, Matrix = told))
    builder.Build()

/// A cursor that the output pushes: it is what the circuit sees, and the target leads it back to a goal of the trial.
/// The cursor stays where it is from one trial to the next. It throws in the step that it is told to.
type private Cursor(steps, failing: int * int) =
    let mutable position = 0.5
    let mutable goal = 0.0
    member _.Position = position

    interface IClosedLoopTask with
        member _.Watches = [| "area" |]
        member _.StateLength = 1
        member _.SaveState state = state[0] <- position
        member _.RestoreState state = position <- state[0]

        member _.Before(now, trial) =
            if (now.Trial, now.Step) = failing then
                failwith "the cursor is stuck"

            position <- position + 0.1 * now.Outputs[0]
            trial.Inputs[now.Step - 1] <- position
            trial.Targets[now.Step - 1] <- goal - position
            trial.Mask[now.Step - 1] <- 1.0

        member _.After(now, trial) =
            trial.Rewards[now.Step - 1] <- now.Outputs[0] + now.Rates("area")[2]

    interface ITask with
        member _.Inputs = 1
        member _.Outputs = 1
        member _.MaxSteps = 64
        member _.Events = 0

        member _.Fill(_, stream, into) =
            into.Steps <- steps
            goal <- stream.Gaussian()

let private cursor steps = Cursor(steps, (-1, -1))

/// The same loop, written as the equations stand: (inputs, targets, outputs, rewards) of one trial, and what is left.
let private simulate steps goal position (rates: float[]) =
    let mutable position = position
    let mutable h = rates

    let output h =
        Array.fold2 (fun sum w h -> sum + w * h) 0.0 read h

    let mutable y = output h

    let rows = [
        for _ in 1..steps do
            position <- position + 0.1 * y

            let next =
                Array.init units (fun i ->
                    let mutable u = shown[i] * position

                    for j in 0 .. units - 1 do
                        u <- u + recurrent[i * units + j] * h[j]

                    (1.0 - alpha) * h[i] + alpha * tanh u)

            h <- next
            y <- output h
            position, goal - position, y, y + h[2]
    ]

    rows, position, h

let private close message (expected: float seq) (actual: float seq) =
    Expect.equal (Seq.length actual) (Seq.length expected) message

    for a, b in Seq.zip expected actual do
        Numbers.isLessThan (abs (a - b)) 1e-12 message

let private equations =
    testList "is the loop of its equations" [
        for start in [ InitialPolicy.Reset; InitialPolicy.CarriedOver ] do
            test $"over four trials, the cursor carried over, rates {start}" {
                let session = Session.Create(graph None start, cursor 20, 3L)
                let mutable position = 0.5
                let mutable rates = Array.create units 0.1

                for trial in 0..3 do
                    let recording = session.Replay trial
                    session.Run 1 |> ignore
                    let goal = RandomStream.OfTrial(3L, "task", trial).Gaussian()
                    let rows, after, last = simulate 20 goal position rates
                    close "inputs" [ for x, _, _, _ in rows -> x ] recording.Inputs
                    close "targets" [ for _, y, _, _ in rows -> y ] recording.Targets
                    close "outputs" [ for _, _, y, _ in rows -> y ] recording.Outputs
                    close "rewards" [ for _, _, _, r in rows -> r ] recording.Rewards

                    let loss =
                        rows |> List.averageBy (fun (_, target, y, _) -> 0.5 * (target - y) ** 2.0)

                    close "loss" [ loss ] [ session.Metrics.CopyLosses()[trial] ]

                    close "sum of rewards" [ rows |> List.sumBy (fun (_, _, _, r) -> r) ] [
                        session.Metrics.CopyRewards()[trial]
                    ]

                    position <- after

                    if start = InitialPolicy.CarriedOver then
                        rates <- last
            }

        test "in single precision too, to its rounding" {
            let make precision =
                Session.Create(graph None InitialPolicy.Reset, cursor 20, 3L, precision).Replay 0

            let double, single = make Precision.Double, make Precision.Single

            for a, b in Seq.zip double.Outputs single.Outputs do
                Numbers.isLessThan (abs (a - b)) 1e-5 "output"
        }
    ]

/// Notes the outputs that it finds after each step.
type private Witness(outputs, steps) =
    let found = ResizeArray<float>()
    member _.Found = found

    interface IClosedLoopTask with
        member _.Watches = [||]
        member _.StateLength = 0
        member _.SaveState _ = ()
        member _.RestoreState _ = ()
        member _.Before(_, trial) = trial.Mask[0] <- 1.0
        member _.After(now, _) = found.AddRange now.Outputs

    interface ITask with
        member _.Inputs = 1
        member _.Outputs = outputs
        member _.MaxSteps = steps
        member _.Events = 0
        member _.Fill(_, _, into) = into.Inputs.AsSpan().Fill 0.5

/// A circuit with a readout for each number of outputs.
let private withReadouts (sizes: int list) =
    let builder = GraphBuilder()
    let area, input = addArea builder InitialPolicy.Reset

    let add name source target weights =
        builder.AddProjection(
            ProjectionSpec(
                Name = name,
                Source = source,
                Target = target,
                Synapses = Synapses.Dense weights
            )
        )
        |> ignore

    add "x->area" (Source.Input input) (Target.Area area) shown

    for k, outputs in List.indexed sizes do
        let readout = builder.AddReadout(ReadoutSpec(Name = $"y{k}", Outputs = outputs))
        add $"area->y{k}" (Source.Area area) (Target.Readout readout) (matrix outputs units)

    builder.Build()

let private outputs =
    test "finds the outputs of every readout in its place" {
        for sizes in [ [ 1; 1 ]; [ 2; 1; 3 ]; [ 1; 3 ] ] do
            for precision in [ Precision.Double; Precision.Single ] do
                let task = Witness(List.sum sizes, 6)
                let recording = Session.Create(withReadouts sizes, task, 1L, precision).Replay 0
                Expect.equal task.Found.Count (6 * List.sum sizes) "numbers"
                Expect.equal (List.ofSeq task.Found) (List.ofArray recording.Outputs) $"{sizes}"

                Expect.hasLength
                    (Seq.distinct task.Found)
                    task.Found.Count
                    "all of them differ, so that none stands in the place of another unseen"
    }

/// Shows what a recording shows, come what may.
let private replay (recording: Recording) = {
    new ITask with
        member _.Inputs = 1
        member _.Outputs = 1
        member _.MaxSteps = recording.Steps
        member _.Events = 0

        member _.Fill(_, _, into) =
            recording.Inputs.CopyTo(into.Inputs, 0)
            recording.Targets.CopyTo(into.Targets, 0)
}

let private rules = [
    yield! Rules.all
    StochasticRule InfluenceFactors.RankOne :> LearningRule
]

let private credit =
    testList "stops credit" [
        for rule in rules do
            for time in
                [
                    UpdateTime.TrialEnd
                    if not (rule :? BpttRule) then
                        UpdateTime.Online
                ] do
                test $"{rule}, {time}: as if what it showed had been drawn" {
                    let learns = Some(Rules.rflo, UpdateSchedule.TrialEnd)
                    let network = graph learns InitialPolicy.Reset
                    let closed = Session.Create(network, cursor 20, 3L)
                    let opened = Session.Create(network, replay (closed.Replay 0), 3L)
                    let a = closed.Increments(0, rule, time)
                    let b = opened.Increments(0, rule, time)

                    for k in 0..2 do
                        Expect.equal a[k] b[k] $"projection {k}"
                        Expect.exists (nonNull a[k]) (fun w -> w <> 0.0) "something is asked for"
                }
    ]

let private weights (session: Session) = [| for k in 0..2 -> session.Weights(ProjectionId k) |]

let private learning = Some(Rules.rflo, UpdateSchedule.TrialEnd)

let private states =
    testList "keeps its state" [
        test "around tests and increments" {
            let make () =
                let task = cursor 20
                task, Session.Create(graph learning InitialPolicy.CarriedOver, task, 3L)

            let task, watched = make ()
            let _, alone = make ()

            for trial in 0..4 do
                watched.Run 1 |> ignore
                alone.Run 1 |> ignore
                let position = task.Position
                let before = watched.Replay(trial + 7)
                watched.Increments(0, Rules.bptt, UpdateTime.TrialEnd) |> ignore
                Expect.equal task.Position position "position"
                Expect.equal (watched.Replay(trial + 7)).Outputs before.Outputs "same test"

            Expect.equal (weights watched) (weights alone) "weights"
        }

        test "in what a session hands over" {
            let make () =
                Session.Create(graph learning InitialPolicy.CarriedOver, cursor 20, 3L)

            let whole, first, second = make (), make (), make ()
            whole.Run 9 |> ignore
            first.Run 4 |> ignore
            second.Restore(first.Capture())
            second.Run 5 |> ignore
            Expect.equal (weights second) (weights whole) "weights"
            Expect.equal (second.Metrics.CopyLosses()) (whole.Metrics.CopyLosses()) "losses"
            Expect.equal (second.Metrics.CopyRewards()) (whole.Metrics.CopyRewards()) "rewards"
        }

        test "as it was before a trial that it could not make" {
            let task = Cursor(20, (3, 11))
            let session = Session.Create(graph learning InitialPolicy.CarriedOver, task, 3L)
            let sound = cursor 20
            let other = Session.Create(graph learning InitialPolicy.CarriedOver, sound, 3L)
            other.Run 3 |> ignore
            let status = session.Run 10
            Expect.equal status.End RunEnd.Failed "failed"
            Expect.equal (status.Trial, status.Step) (3, 11) "where"

            Expect.equal
                (string status)
                "failed at trial 3, step 11, in the task: the cursor is stuck"
                "in words"

            Expect.equal session.Metrics.Count 3 "trials before"
            Expect.equal task.Position sound.Position "cursor"
            Expect.equal (weights session) (weights other) "weights"
            Expect.equal (session.Replay 5).Outputs (other.Replay 5).Outputs "rates"

            Expect.throwsT<TaskException>
                (fun () -> session.Replay 3 |> ignore)
                "a test of that trial"

            Expect.equal task.Position sound.Position "cursor after that test"
        }
    ]

/// Four choices, read from four channels; the task bars some and rewards the choice of unit 1.
type private Choices(bars: int -> int list) =
    interface IClosedLoopTask with
        member _.Watches = [| "striatum" |]
        member _.StateLength = 0
        member _.SaveState _ = ()
        member _.RestoreState _ = ()

        member _.Before(now, trial) =
            for unit in bars now.Step do
                now.Allowed("striatum")[unit] <- false

            for k in 0..3 do
                trial.Inputs[4 * (now.Step - 1) + k] <- float (k + 1)

        member _.After(now, trial) =
            trial.Rewards[now.Step - 1] <- now.Rates("striatum")[1]

    interface ITask with
        member _.Inputs = 4
        member _.Outputs = 0
        member _.MaxSteps = 3000
        member _.Events = 0
        member _.GivesRewards = true
        member _.Fill(_, _, _) = ()

let private choosing explore plasticity bars =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "striatum",
                Units = 4,
                Alpha = Array.create 4 1.0,
                Dynamics = Dynamics.WinnerTakeAll,
                InitialRates = [| 1.0; 0.0; 0.0; 0.0 |],
                Explore = explore
            )
        )

    let input = builder.AddInput(InputSpec("cue", 4))

    ProjectionSpec(
        Name = "cue->striatum",
        Source = Source.Input input,
        Target = Target.Area area,
        Synapses = Synapses.Dense(Array.init 16 (fun k -> if k % 5 = 0 then 1.0 else 0.0)),
        Gate = Gate.Every 3,
        Plasticity = plasticity
    )
    |> builder.AddProjection
    |> ignore

    Session.Create(builder.Build(), Choices bars, 1L)

let private winners (session: Session) =
    let rates = (session.Replay 0).Rates[0]

    [|
        for t in 0..2999 -> Array.findIndex ((=) 1.0) rates[4 * t .. 4 * t + 3]
    |]

let private choices =
    testList "bars choices" [
        test "the largest current wins among those that are allowed; none allowed holds the choice" {
            let bars step =
                match step / 3 % 4 with
                | 0 -> [ 3 ]
                | 1 -> []
                | 2 -> [ 0; 1; 2; 3 ]
                | _ -> [ 1; 2; 3 ]

            let chosen = winners (choosing 0.0 null bars)
            // Decided in steps 3, 6, 9, 12, ...: nobody barred, everybody barred, all but 0 barred, 3 barred.
            Expect.equal chosen[0..13] [| 0; 0; 3; 3; 3; 3; 3; 3; 0; 0; 0; 2; 2; 2 |] "winners"
        }

        test "exploration draws among those that are allowed, each as likely" {
            let chosen = winners (choosing 1.0 null (fun _ -> [ 1 ]))
            let decided = [| for t in 3..3..3000 -> chosen[t - 1] |]

            let count unit =
                decided |> Array.filter ((=) unit) |> Array.length |> float

            Expect.equal (count 1) 0.0 "barred"

            for unit in [ 0; 2; 3 ] do
                Numbers.isLessThan
                    (abs (count unit - 1000.0 / 3.0))
                    (4.0 * sqrt (1000.0 * 2.0 / 9.0))
                    $"unit {unit}"
        }

        test "a reward reaches the rule in the step that it judges" {
            let hebb =
                ThreeFactorRule(
                    ErrorPath.Feedback,
                    Memory = TraceMemory.None,
                    Post = PostSignal.Rate,
                    Third = ThirdFactor.TaskReward
                )

            let bars step = if step % 2 = 0 then [ 2; 3 ] else []
            let session = choosing 0.0 (Plasticity(hebb, 1.0, UpdateSchedule.TrialEnd)) bars
            let increments = nonNull (session.Increments(0, hebb, UpdateTime.TrialEnd)[0])

            // Unit 1 wins in every other of the 1000 decisions; 500 rewards of 1 in 3000 steps.
            let expected =
                Array.init 16 (fun k ->
                    if k / 4 = 1 then
                        500.0 / 3000.0 * float (k % 4 + 1)
                    else
                        0.0)

            close "increments" expected increments
        }

        test "an area that the graph does not have cannot be watched" {
            Expect.throwsT<ArgumentException>
                (fun () ->
                    Session.Create(graph None InitialPolicy.Reset, Choices(fun _ -> []), 1L)
                    |> ignore)
                "refused"
        }

        test "nor looked at without being watched" {
            Expect.throwsT<ArgumentException>
                (fun () -> Moment(1, [| "area" |], [| 3 |]).Rates "striatum" |> ignore)
                "refused"
        }
    ]

/// Bytes taken by a number of trials, after as many to warm up.
let private bytes rule steps trials =
    let session =
        Session.Create(graph (Some rule) InitialPolicy.CarriedOver, cursor steps, 1L)

    session.Run 40 |> ignore
    let before = GC.GetAllocatedBytesForCurrentThread()
    session.Run trials |> ignore
    GC.GetAllocatedBytesForCurrentThread() - before

[<Tests>]
let tests =
    testList "a closed loop" [
        equations
        outputs
        credit
        states
        choices
        testSequenced
        <| testList "takes no memory" [
            for rule in
                [
                    Rules.rflo, UpdateSchedule.Online
                    Rules.bptt, UpdateSchedule.TrialEnd
                ] do
                test $"{Rules.name (fst rule)}, {(snd rule).Time}" {
                    bytes rule 40 100 |> ignore
                    Expect.equal (bytes rule 40 200) (bytes rule 4 200) "bytes, by steps"
                }
        ]
    ]
