module Rflo.Dsl.Tests.CheckTests

open Expecto
open Rflo.Dsl

// A declaration without a mistake, and its parts for those that follow.

let private cortex = area "cortex" 5
let private y = readout "y" 1

let private recurrent =
    cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03

let private reading = cortex --> y |> learningRate 0.03
let private told = errorOf y --> cortex
let private task = Task.periodic 20.0<ms> [ harmonic 1 1.0 ]

let private wired areas' projections' feedback' =
    Circuit.empty
    |> areas areas'
    |> readouts [ y ]
    |> projections projections'
    |> feedback feedback'

let private network = wired [ cortex ] [ recurrent; reading ] [ told ]

let private plan network =
    experiment "plan" network task |> trials 3

let private withArea changed =
    plan (network |> Circuit.mapArea "cortex" (fun _ -> changed))

let private withRecurrent changed =
    plan (wired [ cortex ] [ changed; reading ] [ told ])

let private withTask task = experiment "plan" network task
let private at part fault = { Part = part; Fault = fault }
let private inRecurrent = at (InProjection "cortex->cortex")
let private inCortex = at (InArea "cortex")

let private problemsOf experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> problems

/// A mistake that somebody makes, the one problem that is found, and how it reads.
let mistakes = [
    "an area of no units",
    plan (wired [ area "m1" 0 ] [ area "m1" 0 --> y |> frozen ] []) |> trials 0,
    at (InArea "m1") (NotAllowed("the number of units", "0", "at least 1")),
    "area m1: the number of units is 0; it must be at least 1"

    "a tau below dt",
    withArea (cortex |> tau 0.5<ms>),
    inCortex (NotAllowed("tau", "0.5 ms", "finite and at least dt, 1 ms")),
    "area cortex: tau is 0.5 ms; it must be finite and at least dt, 1 ms"

    "taus for another number of units",
    withArea (cortex |> taus [| 5.0<ms>; 6.0<ms> |]),
    inCortex (WrongLength("taus", 2, 5, "one for each unit")),
    "area cortex: the length of taus is 2; it must be 5, one for each unit"

    "noise below 0",
    withArea (cortex |> noise -0.1),
    inCortex (NotAllowed("noise", "-0.1", "finite and at least 0")),
    "area cortex: noise is -0.1; it must be finite and at least 0"

    "an initial rate that is no number",
    withArea (cortex |> initial (reset nan)),
    inCortex (NotAllowed("the initial rate", "NaN", "finite")),
    "area cortex: the initial rate is NaN; it must be finite"

    "a Dale fraction beyond 1",
    withArea (cortex |> dale 1.2),
    inCortex (NotAllowed("dale", "1.2", "in [0, 1]")),
    "area cortex: dale is 1.2; it must be in [0, 1]"

    "a Dale fraction that splits a unit",
    withArea (cortex |> dale 0.5),
    inCortex (
        NotAllowed(
            "dale",
            "0.5 of 5 units",
            "a fraction that gives a whole number of excitatory units"
        )
    ),
    "area cortex: dale is 0.5 of 5 units; it must be a fraction that gives a whole number of excitatory units"

    "a population with a unit that is not there",
    withArea (cortex |> population "left" [ 0; 9 ]),
    at (InPopulation("cortex", "left")) (NotAllowed("a unit", "9", "in 0 .. 4")),
    "population cortex[left]: a unit is 9; it must be in 0 .. 4"

    "two areas of one name",
    plan (
        wired [ cortex ] [
            recurrent
            (cortex |> tau 20.0<ms>) --> y |> learningRate 0.03
        ] [ told ]
    ),
    inCortex (NameTaken "cortex"),
    "area cortex: another part has the name cortex; give it another name, or use one value in all arrows"

    "an experiment without a name",
    { plan network with Name = "" },
    at InExperiment (BadName ""),
    "experiment: it has no name; give it one"

    "a name with a character that files refuse",
    { plan network with Name = "a*b" },
    at InExperiment (BadName "a*b"),
    "experiment: the name 'a*b' has a character that is not allowed in lists and file names; use letters, digits and . _ - /"

    "a dt of 0",
    plan network |> dt 0.0<ms>,
    at InExperiment (NotAllowed("dt", "0 ms", "finite and more than 0 ms")),
    "experiment: dt is 0 ms; it must be finite and more than 0 ms"

    "fewer than no trials",
    plan network |> trials -1,
    at InExperiment (NotAllowed("the number of trials", "-1", "at least 0")),
    "experiment: the number of trials is -1; it must be at least 0"

    "a density beyond 1",
    withRecurrent (recurrent |> density 1.4),
    inRecurrent (NotAllowed("density", "1.4", "in (0, 1]")),
    "projection cortex->cortex: density is 1.4; it must be in (0, 1]"

    "a learning rate that is no number",
    withRecurrent (recurrent |> learningRate nan),
    inRecurrent (NotAllowed("the learning rate", "NaN", "finite and at least 0")),
    "projection cortex->cortex: the learning rate is NaN; it must be finite and at least 0"

    "a gain below 0",
    withRecurrent (recurrent |> weights (gaussian -1.0)),
    inRecurrent (NotAllowed("the gain", "-1", "finite and at least 0")),
    "projection cortex->cortex: the gain is -1; it must be finite and at least 0"

    "uniform weights whose ends are swapped",
    withRecurrent (recurrent |> weights (uniform 1.0 -1.0)),
    inRecurrent (
        NotAllowed("the lower end of the uniform weights", "1", "at most the upper end, -1")
    ),
    "projection cortex->cortex: the lower end of the uniform weights is 1; it must be at most the upper end, -1"

    "weights of another shape",
    withRecurrent (recurrent |> weights (ofMatrix (Array2D.zeroCreate 4 5))),
    inRecurrent (WrongShape("the weights", "(4, 5)", "(5, 5), (post, pre)")),
    "projection cortex->cortex: the shape of the weights is (4, 5); it must be (5, 5), (post, pre)"

    "weights that are not finite",
    withRecurrent (recurrent |> weights (ofMatrix (Array2D.create 5 5 infinity))),
    inRecurrent (NotAllowed("a weight", "Infinity", "finite")),
    "projection cortex->cortex: a weight is Infinity; it must be finite"

    "a mask of another shape",
    withRecurrent (recurrent |> mask (Array2D.create 5 4 true)),
    inRecurrent (WrongShape("the mask", "(5, 4)", "(5, 5), (post, pre)")),
    "projection cortex->cortex: the shape of the mask is (5, 4); it must be (5, 5), (post, pre)"

    "a delay below a step",
    withRecurrent (recurrent |> delay 0.5<ms>),
    inRecurrent (NotAllowed("delay", "0.5 ms", "finite and at least one step, 1 ms")),
    "projection cortex->cortex: delay is 0.5 ms; it must be finite and at least one step, 1 ms"

    "a delay of a step and a half",
    withRecurrent (recurrent |> delay 1.5<ms>),
    inRecurrent (NotWholeSteps("delay", 1.5<ms>, 1.0<ms>)),
    "projection cortex->cortex: delay is 1.5 ms, which is no whole number of steps of 1 ms; change it or dt"

    "a gate at an event that the task does not have",
    withRecurrent (recurrent |> gate (atEvent "go")),
    inRecurrent (Unknown(EventName, "go", [])),
    "projection cortex->cortex: no event is named go (none is declared)"

    "bounds that are swapped",
    withRecurrent (recurrent |> bounds 1.0 -1.0),
    inRecurrent (NotAllowed("the lower bound", "1", "at most the upper bound, -1")),
    "projection cortex->cortex: the lower bound is 1; it must be at most the upper bound, -1"

    "decay below 0",
    withRecurrent (recurrent |> decay -1.0),
    inRecurrent (NotAllowed("decay", "-1", "finite and at least 0")),
    "projection cortex->cortex: decay is -1; it must be finite and at least 0"

    "a projection from an area that is not there",
    plan (
        wired [ cortex ] [
            recurrent
            reading
            {
                (area "cortx" 5 --> cortex) with
                    Parts = []
            }
        ] [ told ]
    ),
    at (InProjection "cortx->cortex") (Unknown(AreaName, "cortx", [ "cortex" ])),
    "projection cortx->cortex: no area is named cortx (known: cortex); did you mean cortex?"

    "a population that is not there",
    plan (wired [ cortex ] [ recurrent; reading; cortex["left"] --> cortex ] [ told ]),
    at (InProjection "cortex[left]->cortex") (Unknown(PopulationName, "left", [])),
    "projection cortex[left]->cortex: no population is named left (none is declared)"

    "RFLO without feedback",
    plan (wired [ cortex ] [ recurrent; reading ] []),
    inRecurrent (NoErrorReaches("cortex", "rflo")),
    "projection cortex->cortex: rflo needs an error, but no feedback reaches cortex; declare one, such as errorOf y --> cortex, or freeze the projection"

    "BPTT online",
    plan network |> rule Rule.bptt |> update online,
    at
        InExperiment
        (RuleCannot(
            "bptt",
            "update online, since it passes errors backward over a whole trial",
            "use update trialEnd, or Rule.rtrl with update online"
        )),
    "experiment: bptt cannot update online, since it passes errors backward over a whole trial; use update trialEnd, or Rule.rtrl with update online"

    "a circuit in which nothing learns",
    plan (wired [ cortex ] [ recurrent |> frozen; reading |> frozen ] []),
    at InExperiment NothingLearns,
    "experiment: nothing learns; give a projection a rate, such as |> learningRate 0.03"

    "a readout that nothing reaches",
    plan (wired [ cortex ] [ recurrent ] [ told ]),
    at (InReadout "y") NothingArrives,
    "readout y: no projection reaches it; declare one, such as cortex --> y"

    "a task that asks for another number of outputs",
    withTask (Task.ofArrays (Array2D.zeroCreate 20 0) (Array2D.zeroCreate 20 2)),
    at InTask (NotAllowed("the number of outputs", "2", "1, as the circuit's readouts (y 1)")),
    "task: the number of outputs is 2; it must be 1, as the circuit's readouts (y 1)"

    "inputs and targets of different lengths",
    withTask (Task.ofArrays (Array2D.zeroCreate 19 0) (Array2D.zeroCreate 20 1)),
    at InTask (WrongShape("the inputs", "(19, 0)", "(20, 0), since the targets have 20 steps")),
    "task: the shape of the inputs is (19, 0); it must be (20, 0), since the targets have 20 steps"

    "a period of no whole number of steps",
    withTask (Task.periodic 20.5<ms> [ harmonic 1 1.0 ]),
    at InTask (NotWholeSteps("period", 20.5<ms>, 1.0<ms>)),
    "task: period is 20.5 ms, which is no whole number of steps of 1 ms; change it or dt"

    "harmonic 0",
    withTask (Task.periodic 20.0<ms> [ harmonic 0 1.0 ]),
    at InTask (NotAllowed("a harmonic", "0", "at least 1")),
    "task: a harmonic is 0; it must be at least 1"

    "a feedback matrix of another shape",
    plan (
        wired [ cortex ] [ recurrent; reading ] [
            told |> through (feedbackMatrix (Array2D.zeroCreate 5 2))
        ]
    ),
    at
        (InFeedback("y", "cortex"))
        (WrongShape("the feedback matrix", "(5, 2)", "(5, 1), (units, outputs)")),
    "feedback y --> cortex: the shape of the feedback matrix is (5, 2); it must be (5, 1), (units, outputs)"
]

/// Eight mistakes in one declaration.
let private hopeless =
    let bad = area "bad" 4 |> tau 0.1<ms> |> noise -1.0

    Circuit.empty
    |> areas [ cortex; bad ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> density 0.0 |> learningRate -1.0
        cortex --> y |> weights (ofMatrix (Array2D.zeroCreate 2 5)) |> learningRate 0.03
        {
            (bad --> area "cortx" 3) with
                Parts = []
        }
    ]
    |> feedback [
        {
            (errorOf (readout "z" 1) --> cortex) with
                Parts = []
        }
    ]
    |> fun network -> experiment "hopeless" network task |> update (everyTrialsSum 0)

[<Tests>]
let tests =
    testList "check" [
        test "finds nothing wrong with a sound declaration" {
            Expect.equal (problemsOf (plan network)) [] "problems"
        }

        testList "names one mistake" [
            for sentence, experiment, expected, wording in mistakes do
                test sentence {
                    let problems = problemsOf experiment

                    Expect.equal problems [ expected ] "as data"
                    Expect.equal (List.map Problem.text problems) [ wording ] "in words"
                }
        ]

        test "says everything that is wrong, in the order of declaration" {
            Expect.equal
                (problemsOf hopeless |> List.map Problem.text)
                [
                    "experiment: the number of trials between updates is 0; it must be at least 1"
                    "area bad: tau is 0.1 ms; it must be finite and at least dt, 1 ms"
                    "area bad: noise is -1; it must be finite and at least 0"
                    "projection cortex->cortex: density is 0; it must be in (0, 1]"
                    "projection cortex->cortex: the learning rate is -1; it must be finite and at least 0"
                    "projection cortex->y: the shape of the weights is (2, 5); it must be (1, 5), (post, pre)"
                    "projection bad->cortx: no area is named cortx (known: cortex, bad); did you mean cortex?"
                    "feedback z --> cortex: no readout is named z (known: y); did you mean y?"
                ]
                "problems"
        }

        test "refuses what does not fit the machine, with the numbers" {
            match Check.experimentFor 1000.0 (plan network) with
            | Error [ {
                          Part = InExperiment
                          Fault = TooMuchMemory(needed, 1000.0, _, _)
                      } as problem ] ->
                Numbers.isGreaterThan needed 1000.0 "needed"

                Expect.stringContains
                    (Problem.text problem)
                    "the machine has 1.0 kB; use fewer units, shorter trials, single precision or another rule"
                    "in words"
            | other -> failtest $"found {other}"
        }

        test "heads the report with the number of problems" {
            let lines = Problem.report "plan" (problemsOf (plan network |> trials -1))
            Expect.equal lines.Head "plan: 1 problem" "heading"

            Expect.equal
                (Problem.report "hopeless" (problemsOf hopeless)).Head
                "hopeless: 8 problems"
                "heading"
        }
    ]
