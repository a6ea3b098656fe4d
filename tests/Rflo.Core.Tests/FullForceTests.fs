/// Recursive least squares of weights between areas, toward the currents of a teacher.
module Rflo.Core.Tests.FullForceTests

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// What a circuit of two areas is made of.
type private Setup = {
    Units: int
    /// The student's units are those of the current form; the teacher's always are.
    IsCurrentForm: bool
    /// Connections of a student's unit from the student's units, by post and pre.
    Exists: int -> int -> bool
    IsSparse: bool
    /// The input learns too.
    LearnsInput: bool
    Noise: float
    Forgetting: float
    Every: int
    Delay: int
    Seed: int
}

let private plain = {
    Units = 6
    IsCurrentForm = true
    Exists = fun _ _ -> true
    IsSparse = false
    LearnsInput = false
    Noise = 0.0
    Forgetting = 1.0
    Every = 1
    Delay = 1
    Seed = 1
}

let private steps = 14
let private trials = 3
let private alpha = 0.7

let private alphasOf n =
    Array.init n (fun k -> 0.3 + 0.05 * float (k % 8))

let private gaussians (random: Random) count scale =
    Array.init count (fun _ -> scale * gaussian random)

let private ruleOf setup =
    FullForceRule(AreaId 0, alpha, setup.Forgetting, setup.Every)

/// Teacher and student, each with weights of its own; both receive the same input of one channel.
let private build setup =
    let random = Random setup.Seed
    let n = setup.Units
    let builder = GraphBuilder()

    let area name isCurrentForm noise =
        AreaSpec(
            Name = name,
            Units = n,
            Alpha = alphasOf n,
            Dynamics =
                (if isCurrentForm then
                     Dynamics.CurrentForm
                 else
                     Dynamics.Leaky),
            InitialRates = gaussians random n 0.5,
            Noise = noise
        )
        |> builder.AddArea

    let teacher = area "teacher" true setup.Noise
    let student = area "student" setup.IsCurrentForm (2.0 * setup.Noise)
    let input = builder.AddInput(InputSpec("x", 1))
    let readout = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))
    let scale = 1.5 / sqrt (float n)
    let ofTeacher = gaussians random (n * n) scale
    let ofStudent = gaussians random (n * n) scale
    let ofInput = gaussians random n 1.0
    let exists = Array.init (n * n) (fun k -> setup.Exists (k / n) (k % n))

    let masked =
        Array.map2 (fun present w -> if present then w else 0.0) exists ofStudent

    let learns = Plasticity(ruleOf setup, 1.0, UpdateSchedule.Online)

    let add name source target synapses plasticity =
        builder.AddProjection(
            ProjectionSpec(
                Name = name,
                Source = source,
                Target = target,
                Synapses = synapses,
                Plasticity = plasticity
            )
        )

    add "teacher" (Source.Area teacher) (Target.Area teacher) (Synapses.Dense(ofTeacher, null)) null
    |> ignore

    let recurrent =
        let synapses =
            if setup.IsSparse then
                let rows = [
                    for i in 0 .. n - 1 ->
                        [
                            for j in 0 .. n - 1 do
                                if exists[i * n + j] then
                                    j
                        ]
                ]

                Synapses.Sparse(
                    rows |> List.scan (fun at row -> at + row.Length) 0 |> Array.ofList,
                    Array.ofList (List.concat rows),
                    [|
                        for i, row in List.indexed rows do
                            for j in row -> masked[i * n + j]
                    |]
                )
            else
                Synapses.Dense(masked, exists)

        add "student" (Source.Area(student, setup.Delay)) (Target.Area student) synapses learns

    for name, target in [ "to teacher", teacher; "to student", student ] do
        add
            name
            (Source.Input input)
            (Target.Area target)
            (Synapses.Dense(Array.map ((*) 0.5) ofInput, null))
            (if name = "to student" && setup.LearnsInput then
                 learns
             else
                 null)
        |> ignore

    add
        "read"
        (Source.Area student)
        (Target.Readout readout)
        (Synapses.Dense(Array.zeroCreate n, null))
        null
    |> ignore

    builder.Build(), recurrent, exists, masked, ofTeacher, Array.map ((*) 0.5) ofInput

let private shown trial t = sin (float (trial + 1) * float t)

let private task = {
    new ITask with
        member _.Inputs = 1
        member _.Outputs = 1
        member _.MaxSteps = steps
        member _.Events = 0

        member _.Fill(trial, _, into) =
            into.Steps <- steps

            for t in 1..steps do
                into.Inputs[t - 1] <- shown trial t
                into.Mask[t - 1] <- 0.0
}

let private noises name scale n trial =
    let stream = RandomStream.OfTrial(3L, $"noise {name}", int64 trial)

    [|
        for _ in 1..steps ->
            [|
                for _ in 1..n -> if scale > 0.0 then scale * stream.Gaussian() else 0.0
            |]
    |]

/// By plain loops: a matrix P a unit, and what each unit's weights are regressed on: (regressors, target).
let private byHand setup =
    let graph, _, exists, masked, ofTeacher, ofInput = build setup
    let n = setup.Units
    let alphas = alphasOf n
    let w = Array.copy masked
    let win = Array.copy ofInput

    let regressors = [|
        for i in 0 .. n - 1 ->
            [|
                for j in 0 .. n - 1 do
                    if exists[i * n + j] then
                        j
                if setup.LearnsInput then
                    n
            |]
    |]

    let p =
        regressors
        |> Array.map (fun own -> Matrix<float>.Build.DenseIdentity(own.Length) / alpha)

    let seen = Array.init n (fun _ -> ResizeArray<Vector<float> * float>())

    for trial in 0 .. trials - 1 do
        let ofT, ofS =
            noises "teacher" setup.Noise n trial, noises "student" (2.0 * setup.Noise) n trial

        let startOf k =
            graph.Areas[k].InitialRates |> Array.ofSeq

        let mutable xT, xS = startOf 0, startOf 1
        let rates = ResizeArray<float[]>()

        let send isCurrent (x: float[]) =
            if isCurrent then Array.map tanh x else Array.copy x

        for _ in 1 .. setup.Delay do
            rates.Add(send setup.IsCurrentForm xS)

        for t in 1..steps do
            let x = shown trial t
            let rT = Array.map tanh xT
            let rS = rates[rates.Count - setup.Delay]

            let uT =
                Array.init n (fun i ->
                    Seq.sum [ for j in 0 .. n - 1 -> ofTeacher[i * n + j] * rT[j] ]
                    + ofInput[i] * x
                    + ofT[t - 1].[i])

            let own =
                Array.init n (fun i ->
                    Seq.sum [ for j in 0 .. n - 1 -> w[i * n + j] * rS[j] ] + win[i] * x)

            let uS = Array.mapi (fun i u -> u + ofS[t - 1].[i]) own
            xT <- Array.init n (fun i -> (1.0 - alphas[i]) * xT[i] + alphas[i] * uT[i])

            xS <-
                Array.init n (fun i ->
                    (1.0 - alphas[i]) * xS[i]
                    + alphas[i] * (if setup.IsCurrentForm then uS[i] else tanh uS[i]))

            rates.Add(send setup.IsCurrentForm xS)

            if t % setup.Every = 0 then
                for i in 0 .. n - 1 do
                    let s =
                        Vector<float>
                            .Build.DenseOfArray(
                                regressors[i] |> Array.map (fun j -> if j = n then x else rS[j])
                            )

                    // Of what the learned part makes, given what else arrives.
                    seen[i].Add(s, uT[i] - (if setup.LearnsInput then 0.0 else win[i] * x))
                    let error = uT[i] - own[i]

                    if s.Count > 0 then
                        let ps = p[i] * s
                        let divisor = setup.Forgetting + s * ps

                        p[i] <- (p[i] - ps.OuterProduct ps / divisor) / setup.Forgetting

                        for k, j in Seq.indexed regressors[i] do
                            let by = error * ps[k] / divisor

                            if j = n then
                                win[i] <- win[i] + by
                            else
                                w[i * n + j] <- w[i * n + j] + by

    w, win, seen, regressors, (masked, ofInput)

let private run setup =
    let graph, recurrent, exists, _, _, _ = build setup
    let session = Session.Create(graph, task, 3L)
    session.Run trials |> ignore
    let found = session.Weights recurrent
    let n = setup.Units

    if setup.IsSparse then
        let mutable at = -1

        [|
            for k in 0 .. n * n - 1 ->
                if exists[k] then
                    at <- at + 1
                    found[at]
                else
                    0.0
        |]
    else
        found

let private setups = [
    "dense", plain
    "leaky units",
    {
        plain with
            IsCurrentForm = false
            Seed = 2
    }
    "no self-connections",
    {
        plain with
            Exists = fun i j -> i <> j
            Seed = 3
    }
    "sparse, with an input that learns",
    {
        plain with
            Exists = fun i j -> (i + 2 * j) % 3 <> 0
            IsSparse = true
            LearnsInput = true
            Seed = 4
    }
    "a unit that receives nothing",
    {
        plain with
            Exists = fun i _ -> i <> 2
            Seed = 5
    }
    "noise", { plain with Noise = 0.3; Seed = 6 }
    "forgetting, every second step, a delay",
    {
        plain with
            Forgetting = 0.97
            Every = 2
            Delay = 3
            Seed = 7
    }
]

[<Tests>]
let tests =
    testList "full FORCE" [
        for name, setup in setups do
            test $"is recursive least squares by plain loops: {name}" {
                let expected, _, _, _, (before, _) = byHand setup
                let found = run setup

                Numbers.isGreaterThan
                    (norm (Array.map2 (-) expected before))
                    0.1
                    "something is learned"

                Numbers.isLessThan
                    (norm (Array.map2 (-) expected found))
                    (1e-9 * (1.0 + norm expected))
                    $"%A{found} and %A{expected}"
            }

        test "forgetting nothing, it is the least-squares solution of the currents so far" {
            for _, setup in setups |> List.filter (fun (_, setup) -> setup.Forgetting = 1.0) do
                let _, win, seen, regressors, (before, inputs) = byHand setup
                let found = run setup
                let n = setup.Units

                for i in 0 .. n - 1 do
                    let own = regressors[i]

                    if own.Length > 0 then
                        let start =
                            Vector<float>
                                .Build.DenseOfArray(
                                    own
                                    |> Array.map (fun j ->
                                        if j = n then inputs[i] else before[i * n + j])
                                )

                        // (S + alpha I) (W - W0) = sum of (target - W0 s) s
                        let left =
                            (Matrix<float>.Build.DenseIdentity(own.Length) * alpha, seen[i])
                            ||> Seq.fold (fun sum (s, _) -> sum + s.OuterProduct s)

                        let right =
                            (Vector<float>.Build.Dense own.Length, seen[i])
                            ||> Seq.fold (fun sum (s, target) -> sum + (target - start * s) * s)

                        let solved = (start + left.Solve right).ToArray()

                        let actual =
                            own |> Array.map (fun j -> if j = n then win[i] else found[i * n + j])

                        Numbers.isLessThan
                            (norm (Array.map2 (-) solved actual))
                            (1e-8 * (1.0 + norm solved))
                            $"unit {i}"
        }

        test "a run that is taken up goes on as if it never had been stopped, to the bit" {
            for _, setup in setups do
                let graph, recurrent, _, _, _, _ = build setup
                let make () = Session.Create(graph, task, 3L)
                let whole, first, second = make (), make (), make ()
                whole.Run 5 |> ignore
                first.Run 2 |> ignore
                second.Restore(first.Capture())
                second.Run 3 |> ignore

                Expect.isTrue
                    (sameBits (whole.Weights recurrent) (second.Weights recurrent))
                    "the weights"
        }

        test "a student that begins as its teacher learns nothing, bit for bit" {
            let graph, _, _, _, ofTeacher, _ = build { plain with LearnsInput = false }

            let same =
                let builder = GraphBuilder()

                for area in graph.Areas do
                    builder.AddArea(Remade.Area(area, rates = Array.create plain.Units 0.3))
                    |> ignore

                builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1)) |> ignore

                for k in 0..1 do
                    builder.AddProjection(
                        ProjectionSpec(
                            Name = $"{k}",
                            Source = Source.Area(AreaId k),
                            Target = Target.Area(AreaId k),
                            Synapses = Synapses.Dense(ofTeacher, null),
                            Plasticity =
                                (if k = 1 then
                                     Plasticity(ruleOf plain, 1.0, UpdateSchedule.Online)
                                 else
                                     null)
                        )
                    )
                    |> ignore

                builder.Build()

            let still = {
                new ITask with
                    member _.Inputs = 0
                    member _.Outputs = 1
                    member _.MaxSteps = steps
                    member _.Events = 0
                    member _.Fill(_, _, into) = into.Steps <- steps
            }

            let session = Session.Create(same, still, 1L)
            session.Run 3 |> ignore
            Expect.isTrue (sameBits ofTeacher (session.Weights(ProjectionId 1))) "the weights"
        }

        test "memory is that of the plan, with one matrix and with one a unit" {
            for exists in [ (fun _ _ -> true); (fun i j -> i <> j) ] do
                let graph, _, _, _, _, _ =
                    build {
                        plain with
                            Units = 48
                            Exists = exists
                    }

                let session = Session.Create(graph, task, 3L)
                let plan = Plan.Of(graph, task)
                Expect.equal (List.ofSeq plan.Buffers) (List.ofSeq session.Plan.Buffers) "buffers"
        }

        test "no step takes memory" {
            let graph, _, _, _, _, _ =
                build {
                    plain with
                        Exists = (fun i j -> i <> j)
                }

            let session = Session.Create(graph, task, 3L)
            session.Run 30 |> ignore
            let before = GC.GetAllocatedBytesForCurrentThread()
            session.Run 20 |> ignore
            let few = GC.GetAllocatedBytesForCurrentThread() - before
            let before = GC.GetAllocatedBytesForCurrentThread()
            session.Run 40 |> ignore
            let many = GC.GetAllocatedBytesForCurrentThread() - before
            // Runs take some memory, trials beyond what their metrics take none.
            Numbers.isLessThan (many - few) 4096L "bytes"
        }

        test "what cannot follow a teacher is refused" {
            let with' (rule: FullForceRule) change =
                let graph, _, _, _, _, _ = build plain
                let builder = GraphBuilder()

                for k, area in Seq.indexed graph.Areas do
                    builder.AddArea(change k area) |> ignore

                builder.AddProjection(
                    ProjectionSpec(
                        Name = "p",
                        Source = Source.One,
                        Target = Target.Area(AreaId 1),
                        Synapses =
                            Synapses.Dense(Array.zeroCreate (change 1 graph.Areas[1]).Units, null),
                        Plasticity = Plasticity(rule, 1.0, UpdateSchedule.Online)
                    )
                )
                |> ignore

            let refused what rule change =
                Expect.throws (fun () -> with' rule change) what

            with' (ruleOf plain) (fun _ area -> area)
            let same _ (area: AreaSpec) = area

            for rule in
                [
                    FullForceRule(AreaId 1)
                    FullForceRule(AreaId 7)
                    FullForceRule(AreaId -1)
                    FullForceRule(AreaId 0, 0.0)
                    FullForceRule(AreaId 0, nan)
                    FullForceRule(AreaId 0, 1.0, 0.0)
                    FullForceRule(AreaId 0, 1.0, 1.1)
                    FullForceRule(AreaId 0, 1.0, 1.0, 0)
                ] do
                refused (string rule) rule same

            refused "units" (ruleOf plain) (fun k area ->
                if k = 0 then
                    Remade.Area(
                        area,
                        units = 5,
                        alpha = area.Alpha[..4],
                        rates = area.InitialRates[..4]
                    )
                else
                    area)

            for k in 0..1 do
                refused "winners" (ruleOf plain) (fun place area ->
                    if place = k then
                        Remade.Area(area, dynamics = Dynamics.WinnerTakeAll)
                    else
                        area)
        }

        test "no probe compares it" {
            let graph, _, _, _, _, _ = build plain
            let session = Session.Create(graph, task, 3L)

            Expect.throwsT<ArgumentException>
                (fun () -> session.Increments(0, ruleOf plain, UpdateTime.Online) |> ignore)
                "increments"
        }
    ]
