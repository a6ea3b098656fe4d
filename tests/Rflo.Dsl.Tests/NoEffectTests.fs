/// What would have no effect, lose its results or find no room is refused before anything runs, word for word.
module Rflo.Dsl.Tests.NoEffectTests

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl

let private x = input "x" 1
let private y = readout "y" 1
let private a = area "a" 4

let private task =
    Task.ofArrays (Array2D.create 12 1 0.5) (Array2D.create 12 1 0.25)

let private around (a: Area) inner =
    Circuit.empty
    |> areas [ a ]
    |> inputs [ x ]
    |> readouts [ y ]
    |> projections [
        x --> a |> learningRate 0.02
        yield! inner
        a --> y |> learningRate 0.02
    ]
    |> feedback [ errorOf y --> a ]

let private plan circuit =
    experiment "plan" circuit task |> trials 2

let private said experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> List.map Problem.text problems

let private savedUnder part =
    $"projection w/{part}: the name is w/{part}; it must be another, since a run saves the connections of w under it; give it one by |> named"

let private withProbe name =
    plan (around a []) |> probe 1 [ Probe.custom name (fun _ -> 0.0) ]

let private taken name =
    $"probe {name}: the name {name} is taken by an earlier part; give it another"

/// A loss of its own, of which one part throws.
type private OwnLoss(part: string) =
    inherit Loss()

    let orThrow name value =
        if part = name then failwith $"no {name}" else value

    override _.Description = orThrow "description" "own loss"
    override _.Formula = orThrow "formula" "own"
    override _.Problems = orThrow "problems" Seq.empty
    override _.Targets = orThrow "targets" null
    override _.Outputs = orThrow "outputs" null
    override _.Value(_, _) = 0.0
    override _.Slope(_, _) = 0.0
    override this.``<Clone>$``() = this

/// A schedule of its own, of which one part throws, or that keeps so many numbers.
type private OwnRates(part: string, memory: int) =
    inherit LearningRateSchedule()

    let orThrow name value =
        if part = name then failwith $"no {name}" else value

    override _.Description = orThrow "description" "own rates"
    override _.Problems = orThrow "problems" Seq.empty
    override _.Memory = orThrow "memory" memory
    override _.Initialize _ = orThrow "start" ()
    override _.Factor(_, _) = 1.0
    override this.``<Clone>$``() = this

let private withLoss part =
    plan {
        around a [] with
            Readouts = [ y |> loss (OwnLoss part) ]
    }

let private withRates part memory =
    plan (around a [])
    |> rule {
        Rule.bptt with
            Schedule = OwnRates(part, memory)
    }

/// A model of one state, of which a function throws.
let private ownUnits name step signal =
    plan (
        around
            (a
             |> units (
                 UnitModel.define
                     name
                     [ "v" ]
                     (fun _ ->
                         if step then
                             failwith "no step")
                     (fun _ -> if signal then failwith "no signal" else 0.0)
             ))
            []
    )

let private rows = [
    "a unit model of its own", ownUnits "silent" false false, []

    "a unit model whose step throws",
    ownUnits "silent" true false,
    [
        "area a: reading the unit model failed: no step; fix the function in the script"
    ]

    "a unit model whose signal throws",
    ownUnits "silent" false true,
    [
        "area a: reading the unit model failed: no signal; fix the function in the script"
    ]

    for name, shown in [ "", ""; "two\nlines", "two lines" ] do
        $"a unit model called '{shown}'",
        ownUnits name false false,
        [
            $"area a: the description of the unit model is '{shown}'; it must be a name in one line"
        ]

    for optimizer, said in
        [
            Optimizer.momentum 0.99999999999,
            "a memory of momentum 0.99999999999 is 0.99999999999; it must be less than 1"
            Optimizer.adamWith 0.9 0.99999999999,
            "a memory of Adam (0.9, 0.99999999999) is 0.99999999999; it must be less than 1"
            Optimizer.rmsProp 0.99999999999,
            "a memory of RMSprop (0.99999999999) is 0.99999999999; it must be less than 1"
            (Adam(0.9, 0.999, 1e-60) :> Optimizer),
            "the epsilon of Adam (0.9, 0.999, epsilon 1E-60) is 1E-60; it must be more than 0"
        ] do
        let learning = plan (around a []) |> rule { Rule.bptt with Optimizer = optimizer }

        $"{optimizer} in single precision",
        learning |> precision Precision.single,
        [
            $"experiment: {said} in single precision, in which the run computes"
        ]

        $"{optimizer} in double precision", learning, []

    "KeRNL beside a unit model",
    plan (around (a |> units (UnitModel.lif 1.0)) []) |> rule Rule.kernl,
    [
        "projection x->a: kernl cannot learn the sensitivities of units to those of a, which have a unit model; use another rule, such as Rule.rflo, or leave units out"
    ]

    "a loss of its own", withLoss "", []
    "a schedule of its own", withRates "" 3, []

    for part in
        [
            "description"
            "formula"
            "problems"
            "targets"
            "outputs"
        ] do
        $"a loss whose {part} throw",
        withLoss part,
        [
            $"readout y: reading the loss failed: no {part}; fix the function in the script"
        ]

    for part in [ "description"; "problems"; "memory"; "start" ] do
        $"a schedule whose {part} throws",
        withRates part 1,
        [
            $"experiment: reading the learning rate schedule failed: no {part}; fix the function in the script"
        ]

    for memory in [ -1; Int32.MaxValue ] do
        $"a schedule that keeps {memory} numbers",
        withRates "" memory,
        [
            $"experiment: the memory of the learning rate schedule is {memory}; it must be in 0 .. 10000000"
        ]

    for part in [ "exists"; "row"; "column"; "value"; "shape" ] do
        $"a name under which connections are saved, {part}",
        plan (
            around a [
                a --> a |> density 0.5 |> label "w"
                a --> a |> delay 2.0<ms> |> label $"w/{part}"
            ]
        ),
        [ savedUnder part ]

    for name in [ ".."; "."; "../w"; "w/"; "/w"; "a//b"; "w.npy" ] do
        let problem =
            $"the name is {name}; it must be one under which results can be saved: no .npy at its end, and no part between its signs / that is empty, . or .."

        $"a projection called {name}",
        plan (around a [ a --> a |> label name ]),
        [ $"projection {name}: {problem}" ]

        $"a probe called {name}", withProbe name, [ $"probe {name}: {problem}" ]

    "a name longer than any file has room for",
    plan (around a [ a --> a |> label (String('w', 201)) ]),
    [
        $"projection {String('w', 201)}: the name is 201 characters long; it must be at most 200, since results are saved under it"
    ]

    "names that are paths and stay in the folder",
    plan (around a [ a --> a |> label "left/slow.1/..x" ]),
    []

    for name in
        [
            "trial"
            "loss"
            "seconds"
            "steps"
            "reward"
            "point"
            "status"
        ] do
        $"a probe with the name of a column, {name}", withProbe name, [ taken name ]

    "a loss window that no memory holds",
    plan (around a []) |> lossWindow Int32.MaxValue,
    [
        "experiment: the loss window is 2147483647; it must be at most 10000000"
    ]

    "a curriculum judged by trials that no memory holds",
    experiment
        "plan"
        (around a [])
        (Task.curriculum
            [
                task |> Task.named "first", MeanLossBelow(0.1, Int32.MaxValue)
            ]
            task),
    [
        "task: the number of trials that first is judged by is 2147483647; it must be at most 10000000"
    ]

    "a mixture whose weights have no sum",
    experiment "plan" (around a []) (Task.mixture [ task, 1e308; task, 1e308 ]),
    [
        "task: the sum of the weights of its tasks is Infinity; it must be finite; only their proportions matter"
    ]

    "a penalty of a kind that is none",
    plan (around (a |> penalties [ RatePenalty(enum 7, 0.1) ]) []),
    [
        "area a: the kind of a penalty is 7; it must be one of Square, Absolute"
    ]

    "factors and noise of an influence that are none",
    plan (around a [])
    |> rule {
        Rule.uoro with
            Credit = Stochastic(enum 9, enum 8)
    },
    [
        "experiment: the factors of the influence is 9; it must be one of RankOne, Kronecker, ReverseKronecker"
        "experiment: the mixing noise is 8; it must be one of Rademacher, Gaussian"
    ]

    "an event that is never marked",
    experiment "plan" (around a [ a --> a |> gate (atEvent "go") ]) (task |> Task.events [ "go" ]),
    [
        "task: it names the event go and marks no step with it; mark some, such as Task.marked [ \"go\", [ 1 ] ], or leave the name out"
    ]
]

[<Tests>]
let tests =
    testList "without effect" [
        for name, experiment, expected in rows do
            test name { Expect.equal (said experiment) expected "what is said" }

        test "what rates cost counts where the description of a run says so" {
            let b = area "b" 3

            let chain first second =
                Circuit.empty
                |> areas [ first; second ]
                |> inputs [ x ]
                |> readouts [ y ]
                |> projections [
                    x --> first |> learningRate 0.02
                    first --> second
                    second --> y |> learningRate 0.02
                ]
                |> feedback [ errorOf y --> first ]

            let costly = penalties [ Penalty.l2 0.1 ]
            let noisy = a |> noise 0.1

            let pairs = [
                around noisy [], around (costly noisy) [], "a"
                chain noisy b, chain (costly noisy) b, "a"
                chain noisy b, chain noisy (costly b), "b"
            ]

            let mutable counted, idle = 0, 0

            for rule' in Rule.readoutOnly Rule.bptt :: Rule.all do
                for plain, costs, name in pairs do
                    let experiment = plan costs |> rule rule'

                    match Run.train experiment, Run.train (plan plain |> rule rule') with
                    | Ok costly, Ok plain ->
                        let isSame =
                            Seq.forall2
                                (fun (KeyValue(_, one: Matrix<float>)) (KeyValue(_, other)) ->
                                    one.Equals other)
                                costly.Final
                                plain.Final

                        let counts =
                            ErrorPaths.costsCount experiment (Circuit.area name experiment.Circuit)

                        if counts then counted <- counted + 1 else idle <- idle + 1
                        Expect.equal isSame (not counts) $"{rule'.Name}, {name}"
                    | Error _, Error _ -> ()
                    | _ -> failtest $"{rule'.Name} minds what rates cost"

            Numbers.isGreaterThan counted 10 "of which rules learn"
            Numbers.isGreaterThan idle 10 "of which no rule learns"
        }

        test "an evaluation has no trials behind the last number" {
            match Run.train (plan (around a [])) with
            | Ok trained ->
                let from first =
                    Run.evaluate
                        {
                            Evaluation.standard with
                                First = first
                        }
                        trained.Final
                        trained.Experiment
                        task
                        1

                Expect.isError (from Int32.MaxValue) "behind"
                Expect.isOk (from (Int32.MaxValue - 1)) "the last"
            | Error problems -> failtest $"{List.map Problem.text problems}"
        }
    ]
