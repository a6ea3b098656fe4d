/// What a graph cannot mean is refused where it is added, by name; what it was given is copied; sizes are computed in 64 bits.
module Rflo.Core.Tests.BuilderTests

open System
open Expecto
open Rflo.Core

let private area name units =
    AreaSpec(
        Name = name,
        Units = units,
        Alpha = Array.create units 0.5,
        InitialRates = Array.create units 0.1
    )

let private plasticity = Plasticity(InCore.Rules.rflo, 0.1, UpdateSchedule.TrialEnd)

/// A builder with an area a of two units and a readout y, and what a projection onto a needs.
let private begun () =
    let builder = GraphBuilder()
    let a = builder.AddArea(area "a" 2)
    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))
    builder, a, y

let private projection a =
    ProjectionSpec(
        Name = "a->a",
        Source = Source.Area a,
        Target = Target.Area a,
        Synapses = Synapses.Dense [| 0.1; 0.2; 0.3; 0.4 |]
    )

let private withSynapses synapses (signs: sbyte[] | null) lower upper a =
    ProjectionSpec(
        Name = "a->a",
        Source = Source.Area a,
        Target = Target.Area a,
        Synapses = synapses,
        Signs = signs,
        Lower = lower,
        Upper = upper
    )

let private learning plasticity a =
    ProjectionSpec(
        Name = "a->a",
        Source = Source.Area a,
        Target = Target.Area a,
        Synapses = Synapses.Dense [| 0.1; 0.2; 0.3; 0.4 |],
        Plasticity = plasticity
    )

let private four = [| 0.1; 0.2; 0.3; 0.4 |]
let private dense values = Synapses.Dense values

let private areas: (string * string list * AreaSpec) list =
    let spread value =
        AreaSpec(
            Name = "b",
            Units = 1,
            Alpha = [| 1.0 |],
            InitialRates = [| 0.0 |],
            InitialSpread = value
        )

    [
        "two areas of one name", [ "a"; "name of its own" ], area "a" 3
        "no name", [ "no name" ], area "" 3
        "a rate at the start that is none",
        [ "b.InitialRates[1]"; "NaN" ],
        AreaSpec(Name = "b", Units = 2, Alpha = [| 1.0; 1.0 |], InitialRates = [| 0.0; nan |])
        "a negative spread", [ "b.InitialSpread"; "-1" ], spread -1.0
        "a spread that is none", [ "b.InitialSpread"; "NaN" ], spread nan
        "a transfer function that is none",
        [ "b.Transfer"; "99"; "Tanh" ],
        AreaSpec(
            Name = "b",
            Units = 1,
            Alpha = [| 1.0 |],
            InitialRates = [| 0.0 |],
            Transfer = enum 99
        )
        "dynamics that are none",
        [ "b.Dynamics"; "99"; "WinnerTakeAll" ],
        AreaSpec(
            Name = "b",
            Units = 1,
            Alpha = [| 1.0 |],
            InitialRates = [| 0.0 |],
            Dynamics = enum 99
        )
        "a policy that is none",
        [ "b.InitialPolicy"; "-1"; "CarriedOver" ],
        AreaSpec(
            Name = "b",
            Units = 1,
            Alpha = [| 1.0 |],
            InitialRates = [| 0.0 |],
            InitialPolicy = enum -1
        )
        "exploration without a choice",
        [ "b"; "0.5"; "winner-take-all" ],
        AreaSpec(Name = "b", Units = 1, Alpha = [| 1.0 |], InitialRates = [| 0.0 |], Explore = 0.5)
        "-5 units",
        [ "b.Units"; "-5" ],
        AreaSpec(Name = "b", Units = -5, Alpha = [||], InitialRates = [||])
    ]

let private projections: (string * string list * (AreaId -> ProjectionSpec)) list = [
    "a Dale's sign of 7",
    [ "a->a.Signs"; "7" ],
    withSynapses (dense four) [| 1y; 7y |] -infinity infinity
    "a weight of the wrong sign",
    [ "(0, 1) of a->a"; "0.2"; "-1" ],
    withSynapses (dense four) [| 1y; -1y |] -infinity infinity
    "a sparse weight of the wrong sign",
    [ "(1, 1) of a->a"; "-0.5" ],
    withSynapses
        (Synapses.Sparse([| 0; 1; 2 |], [| 0; 1 |], [| 0.5; -0.5 |]))
        [| 1y; 1y |]
        -infinity
        infinity
    "a weight above its bound",
    [ "(1, 1) of a->a"; "0.4"; "0.35" ],
    withSynapses (dense four) null -infinity 0.35
    "a weight below its bound",
    [ "(0, 0) of a->a"; "0.1" ],
    withSynapses (dense four) null 0.15 infinity
    "a weight that is none",
    [ "(1, 0) of a->a"; "NaN" ],
    withSynapses (dense [| 0.1; 0.2; nan; 0.4 |]) null -infinity infinity
    "an infinite weight",
    [ "(1, 1) of a->a" ],
    withSynapses
        (Synapses.Sparse([| 0; 1; 2 |], [| 0; 1 |], [| 0.5; infinity |]))
        null
        -infinity
        infinity
    "a negative decay",
    [ "a->a.Decay"; "-0.1" ],
    (fun a ->
        ProjectionSpec(
            Name = "a->a",
            Source = Source.Area a,
            Target = Target.Area a,
            Synapses = dense four,
            Decay = -0.1
        ))
    "a gate that is none",
    [ "a->a.Gate"; "9" ],
    (fun a ->
        ProjectionSpec(
            Name = "a->a",
            Source = Source.Area a,
            Target = Target.Area a,
            Synapses = dense four,
            Gate = Gate(enum 9, 1)
        ))
    "an event below 0",
    [ "a->a.Gate"; "-2" ],
    (fun a ->
        ProjectionSpec(
            Name = "a->a",
            Source = Source.Area a,
            Target = Target.Area a,
            Synapses = dense four,
            Gate = Gate.AtEvent -2
        ))
    "a time of updates that is none",
    [ "a->a.Schedule"; "5" ],
    learning (Plasticity(InCore.Rules.rflo, 0.1, UpdateSchedule(enum 5)))
    "an optimizer whose constants are out of range",
    [ "a->a"; "memory of Adam"; "1.5"; "[0, 1)" ],
    learning (
        Plasticity(InCore.Rules.rflo, 0.1, UpdateSchedule.TrialEnd, Optimizer = Adam(0.9, 1.5))
    )
    "rates that fall in no time",
    [ "a->a"; "trials in which rates fall"; "-3" ],
    learning (Plasticity(InCore.Rules.rflo, 0.1, UpdateSchedule.TrialEnd, Rates = HalvedRate -3.0))
    "rates that fall in no time, after a warm-up",
    [ "a->a"; "trials in which rates fall"; "0" ],
    learning (
        Plasticity(
            InCore.Rules.rflo,
            0.1,
            UpdateSchedule.TrialEnd,
            Rates = WarmUp(3, CosineRate 0.0)
        )
    )
    "a limit of updates that lets none through",
    [ "a->a.Clip"; "0" ],
    learning (Plasticity(InCore.Rules.rflo, 0.1, UpdateSchedule.TrialEnd, Clip = Clip.All 0.0))
    "an error path that is none",
    [ "a->a.Path"; "5" ],
    learning (Plasticity(BpttRule(enum 5), 0.1, UpdateSchedule.TrialEnd))
    "a memory that is none",
    [ "a->a.Memory"; "9" ],
    learning (
        Plasticity(
            ThreeFactorRule(ErrorPath.Feedback, Memory = enum 9),
            0.1,
            UpdateSchedule.TrialEnd
        )
    )
    "a third factor that is none",
    [ "a->a.Third"; "9" ],
    learning (
        Plasticity(
            ThreeFactorRule(ErrorPath.Feedback, Third = enum 9),
            0.1,
            UpdateSchedule.TrialEnd
        )
    )
    "factors that are none",
    [ "a->a.Factors"; "9" ],
    learning (Plasticity(StochasticRule(enum 9), 0.1, UpdateSchedule.TrialEnd))
    "a negative learning rate",
    [ "a->a.LearningRate"; "-1" ],
    learning (Plasticity(InCore.Rules.rflo, -1.0, UpdateSchedule.TrialEnd))
]

let private expectRefused parts act =
    let message =
        try
            act ()
            "nothing was refused"
        with :? ArgumentException as e ->
            e.Message

    for part: string in parts do
        Expect.stringContains message part "names the part, the value and what is allowed"

// ---- copies -------------------------------------------------------------------------------------

let private spoilable () =
    let ints = Collections.Generic.List<int[]>()
    let floats = Collections.Generic.List<float[]>()

    let int values =
        ints.Add values
        values

    let float values =
        floats.Add values
        values

    let exists = [| true; true; false; true |]
    let signs = [| 1y; 1y |]
    let builder = GraphBuilder()

    let a =
        AreaSpec(
            Name = "a",
            Units = 2,
            Alpha = float [| 0.5; 0.5 |],
            InitialRates = float [| 0.1; 0.2 |]
        )
        |> builder.AddArea

    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    let add name source target synapses (signs: sbyte[] | null) =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = synapses,
            Signs = signs,
            Plasticity = plasticity
        )
        |> builder.AddProjection
        |> ignore

    let sparse columns =
        Synapses.Sparse(int [| 0; 1; 2 |], int columns, float [| 0.3; 0.4 |])

    add
        "dense"
        (Source.Area a)
        (Target.Area a)
        (Synapses.Dense(float (Array.copy four), exists))
        signs

    add "sparse" (Source.Area a) (Target.Area a) (sparse [| 1; 0 |]) null

    add
        "parts"
        (Source.Area(a, 1, int [| 1; 0 |]))
        (Target.Area(a, int [| 1; 0 |]))
        (sparse [| 0; 1 |])
        null

    add "a->y" (Source.Area a) (Target.Readout y) (Synapses.Dense(float [| 0.5; -0.5 |])) null
    builder.AddFeedback(FeedbackSpec(Readout = y, Area = a, Matrix = float [| 1.0; -1.0 |]))

    let spoil () =
        for array in ints do
            array[0] <- 2_000_000_000

        for array in floats do
            array[0] <- nan

        exists[0] <- false
        // Another sign, not a number that is none: what follows it may look at the sign only.
        signs[0] <- -1y

    builder, spoil

let private one = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = 6
        member _.Events = 0
        member _.Fill(_, _, into) = into.Targets.AsSpan().Fill 1.0
}

let private known (session: Session) =
    session.Run 3 |> ignore
    RandomExperiments.known session

// ---- sizes --------------------------------------------------------------------------------------

let private large name units synapses (rule: LearningRule) readout =
    let builder = GraphBuilder()
    let a = builder.AddArea(area "a" units)
    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    ProjectionSpec(
        Name = name,
        Source = Source.Area a,
        Target = Target.Area a,
        Synapses = synapses,
        Plasticity = Plasticity(rule, 0.1, UpdateSchedule.TrialEnd)
    )
    |> builder.AddProjection
    |> ignore

    if readout then
        ProjectionSpec(
            Name = "a->y",
            Source = Source.Area a,
            Target = Target.Readout y,
            Synapses = Synapses.Sparse([| 0; 1 |], [| 0 |], [| 0.5 |]),
            Plasticity = Plasticity(rule, 0.1, UpdateSchedule.TrialEnd, Readout = RlsReadout 1.0)
        )
        |> builder.AddProjection
        |> ignore

    builder.Build()

/// Every unit is connected with itself.
let private diagonal units =
    Synapses.Sparse(Array.init (units + 1) id, Array.init units id, Array.create units 0.5)

let private steps count = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = count
        member _.Events = 0
        member _.Fill(_, _, _) = ()
}

let private session precision steps' graph () =
    Session.Create(graph, steps steps', 1L, precision) |> ignore

[<Tests>]
let tests =
    testList "what a builder is given" [
        for name, parts, spec in areas do
            test $"an area is refused: {name}" {
                expectRefused parts (fun () ->
                    let builder, _, _ = begun ()
                    builder.AddArea spec |> ignore)
            }

        for name, parts, spec in projections do
            test $"a projection is refused: {name}" {
                expectRefused parts (fun () ->
                    let builder, a, _ = begun ()
                    builder.AddProjection(spec a) |> ignore)
            }

        test "inputs, readouts and projections of one name are refused" {
            let builder, a, _ = begun ()
            builder.AddInput(InputSpec("x", 1)) |> ignore
            builder.AddProjection(projection a) |> ignore
            expectRefused [ "x" ] (fun () -> builder.AddInput(InputSpec("x", 2)) |> ignore)

            expectRefused [ "y" ] (fun () ->
                builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 2)) |> ignore)

            expectRefused [ "a->a" ] (fun () -> builder.AddProjection(projection a) |> ignore)
        }

        test "a readout's kind and a feedback matrix that are none are refused" {
            let builder, a, y = begun ()

            expectRefused [ "z.Kind"; "8" ] (fun () ->
                builder.AddReadout(ReadoutSpec(Name = "z", Outputs = 1, Kind = enum 8))
                |> ignore)

            expectRefused [ "feedback matrix of y to a[1]"; "NaN" ] (fun () ->
                builder.AddFeedback(FeedbackSpec(Readout = y, Area = a, Matrix = [| 1.0; nan |])))
        }

        test "a connection that does not exist may have any weight" {
            let builder, a, _ = begun ()

            builder.AddProjection(
                withSynapses
                    (Synapses.Dense([| nan; 0.2; 0.3; 0.4 |], [| false; true; true; true |]))
                    null
                    0.15
                    infinity
                    a
            )
            |> ignore
        }

        test "what was given may be changed afterwards: nothing follows" {
            let expected = known (Session.Create((fst (spoilable ())).Build(), one, 1L))
            let builder, spoil = spoilable ()
            spoil ()
            let graph = builder.Build()
            let session = Session.Create(graph, one, 1L)
            spoil ()

            Expect.isEmpty
                (RandomExperiments.differences expected (known session))
                "parts that differ"

            Expect.isEmpty
                (RandomExperiments.differences expected (known (Session.Create(graph, one, 1L))))
                "later"
        }

        test "weights that no array can hold are refused by name and limit" {
            for units in [ 46_341; 50_000; 65_536 ] do
                for weights in [ [||]; [| 1.0 |] ] do
                    expectRefused [ "big.Weights"; string units; "2147482567"; "sparse" ] (fun () ->
                        large "big" units (Synapses.Dense weights) InCore.Rules.rflo false
                        |> ignore)
        }

        test "sizes of a session that no array can hold are refused by name and limit" {
            let refused parts precision count graph =
                expectRefused ("2147482567" :: parts) (session precision count graph)

            for precision in [ Precision.Double; Precision.Single ] do
                refused
                    [ "rates of area a"; "30002 steps"; "100000 units" ]
                    precision
                    30_000
                    (large "p" 100_000 (diagonal 100_000) InCore.Rules.rflo false)

                refused
                    [ "p: what KeRNL learns"; "50000 units of a" ]
                    precision
                    2
                    (large "p" 50_000 (diagonal 50_000) (KernlRule 0.1) false)

                refused
                    [ "p: the Jacobian of RTRL"; "50000 units" ]
                    precision
                    2
                    (large "p" 50_000 (diagonal 50_000) (RtrlRule()) false)

                refused
                    [ "a->y: the matrix of least squares"; "50000 signals" ]
                    precision
                    2
                    (large "p" 50_000 (diagonal 50_000) InCore.Rules.rflo true)

            expectRefused [ "targets of a trial"; "2000000000 steps" ] (fun () ->
                Trial(2_000_000_000, 1, 3, 0) |> ignore)
        }

        test "weights are set only by numbers" {
            let session = Session.Create((fst (spoilable ())).Build(), one, 1L)
            let before = session.Weights(ProjectionId 0)

            expectRefused [ "dense"; "NaN" ] (fun () ->
                session.SetWeights(ProjectionId 0, [| 0.1; nan; 0.2; 0.3 |]))

            Expect.equal (session.Weights(ProjectionId 0)) before "nothing changed"
        }
    ]
