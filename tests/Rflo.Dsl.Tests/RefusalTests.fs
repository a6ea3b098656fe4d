/// What a declaration says that excludes itself, and what a rule, a name or an arrow cannot do: single mistakes with
/// the one problem that each is, and its wording.
module Rflo.Dsl.Tests.RefusalTests

open Expecto
open Microsoft.FSharp.Reflection
open Rflo.Dsl

let private cortex = area "cortex" 4 |> dale 0.5
let private motor = area "motor" 2
let private striatum = winnerTakeAll "striatum" 3
let private cue = input "cue" 2
let private hand = readout "hand" 1
let private wide steps columns = Array2D.zeroCreate<float> steps columns
let private task = Task.ofArrays (wide 10 2) (wide 10 1)

let private loop =
    Task.closedLoop 2 1 10.0<ms> [||] (fun _ _ _ -> ()) (fun _ _ -> {
        Input = [| 0.0; 0.0 |]
        Target = [| 0.0 |]
        Mask = [||]
        Events = []
    })

let private inner = cortex --> cortex |> learningRate 0.03
let private drive = cue --> cortex
let private reading = cortex --> hand |> learningRate 0.03
let private told = errorOf hand --> cortex

let private network =
    Circuit.empty
    |> areas [ cortex; motor; striatum ]
    |> inputs [ cue ]
    |> readouts [ hand ]
    |> projections [ inner; drive; reading ]
    |> feedback [ told ]

let private plan network = experiment "plan" network task

/// The sound network with one more projection.
let private byNames (projection: Projection) = { projection with Parts = [] }

let private plus projection =
    plan (network |> projections [ projection ])

let private at part fault = { Part = part; Fault = fault }
let private inArrow name = at (InProjection name)

let private contradiction name what instead =
    inArrow name (Contradiction(what, instead))

let private names = [ "cortex"; "motor"; "striatum" ]

let private needsBoth =
    "balanced weights need excitatory and inhibitory units at the source"

let private twoWrongSigns =
    array2D [ [ 0.1; 0.1; -0.1; -0.1 ]; [ 0.0; -0.5; 0.0; 0.5 ] ]

/// A local rule with that modulator, of the weights within cortex; the task gives rewards.
let private modulated signal =
    let rule =
        Rule.local "mine" {
            Trace = NoTrace
            Post = Rule.the Rate
            Pre = Rule.the Presynaptic
            Modulator = Rule.the signal
            Oja = false
        }

    experiment
        "plan"
        (network |> Circuit.mapProjection "cortex->cortex" (learnBy rule 0.1))
        (task |> Task.rewarded (Array.create 10 1.0))

/// Weights within cortex follow the currents of an area of that name.
let private following teacher change =
    network
    |> Circuit.mapArea "cortex" (fun area -> { area with Dale = None })
    |> Circuit.mapProjection "cortex->cortex" (learnBy (Rule.fullForce teacher) 1.0)
    |> change
    |> plan

/// With an area that cortex can follow.
let private withTeacher circuit =
    circuit |> areas [ area "teacher" cortex.Units ]

/// The readout is a critic of that rule.
let private critic rule change =
    network
    |> Circuit.mapProjection "cortex->hand" (learnBy rule 0.1)
    |> fun network -> {
        network with
            Readouts = network.Readouts |> List.map change
    }

let private mistakes = [
    "a modulator that is an unknown readout",
    modulated (ReadoutValue "hands"),
    inArrow "cortex->cortex" (Unknown(ReadoutName, "hands", [ "hand" ])),
    "projection cortex->cortex: no readout is named hands (known: hand); did you mean hand?"

    "a temporal difference of a readout with several outputs",
    experiment
        "plan"
        {
            (modulated (TemporalDifference("hand", 0.5))).Circuit with
                Readouts = [ readout "hand" 2 ]
        }
        (Task.ofArrays (wide 10 2) (wide 10 2) |> Task.rewarded (Array.create 10 1.0)),
    inArrow
        "cortex->cortex"
        (RuleCannot(
            "mine",
            "take hand as its modulator, which has 2 outputs",
            "declare a readout with one output, such as readout \"value\" 1, and name it"
        )),
    "projection cortex->cortex: mine cannot take hand as its modulator, which has 2 outputs; declare a readout with one output, such as readout \"value\" 1, and name it"

    "a temporal difference on a task that gives no rewards",
    {
        modulated (TemporalDifference("hand", 0.5)) with
            Task = task
    },
    inArrow
        "cortex->cortex"
        (RuleCannot(
            "mine",
            "learn from rewards, since the task arrays gives none",
            "give its trials rewards, use another rule, or freeze the projection"
        )),
    "projection cortex->cortex: mine cannot learn from rewards, since the task arrays gives none; give its trials rewards, use another rule, or freeze the projection"

    for wrong in [ -0.1; 1.5; nan ] do
        $"a temporal difference with gamma {wrong}",
        modulated (TemporalDifference("hand", wrong)),
        inArrow
            "cortex->cortex"
            (NotAllowed("the gamma of the temporal difference", string wrong, "in [0, 1]")),
        $"projection cortex->cortex: the gamma of the temporal difference is {string wrong}; it must be in [0, 1]"

    "a modulator that is an unknown area",
    modulated (UnitRate("motr", 0, 1.0<ms>)),
    inArrow "cortex->cortex" (Unknown(AreaName, "motr", names)),
    "projection cortex->cortex: no area is named motr (known: cortex, motor, striatum); did you mean motor?"

    for wrong in [ -1; 2 ] do
        $"a modulator that is unit {wrong} of two",
        modulated (UnitRate("motor", wrong, 1.0<ms>)),
        inArrow
            "cortex->cortex"
            (NotAllowed("the unit of motor that modulates mine", string wrong, "from 0 to 1")),
        $"projection cortex->cortex: the unit of motor that modulates mine is {wrong}; it must be from 0 to 1"

    "a modulator without delay",
    modulated (UnitRate("motor", 0, 0.0<ms>)),
    inArrow
        "cortex->cortex"
        (NotAllowed("the delay of the modulator", "0 ms", "finite and at least one step, 1 ms")),
    "projection cortex->cortex: the delay of the modulator is 0 ms; it must be finite and at least one step, 1 ms"

    "a modulator with a delay of one and a half steps",
    modulated (AreaRates("motor", wide 4 2, 1.5<ms>)),
    inArrow "cortex->cortex" (NotWholeSteps("the delay of the modulator", 1.5<ms>, 1.0<ms>)),
    "projection cortex->cortex: the delay of the modulator is 1.5 ms, which is no whole number of steps of 1 ms; change it or dt"

    "weights of a modulator of another shape",
    modulated (AreaRates("motor", wide 2 4, 1.0<ms>)),
    inArrow
        "cortex->cortex"
        (WrongShape(
            "the weights from motor that modulate mine",
            "(2, 4)",
            "(4, 2), (units of cortex, units of motor)"
        )),
    "projection cortex->cortex: the shape of the weights from motor that modulate mine is (2, 4); it must be (4, 2), (units of cortex, units of motor)"

    "a weight of a modulator that is no number",
    modulated (AreaRates("motor", Array2D.create 4 2 nan, 1.0<ms>)),
    inArrow "cortex->cortex" (NotAllowed("a weight of the modulator", "NaN", "finite")),
    "projection cortex->cortex: a weight of the modulator is NaN; it must be finite"

    "a probe by a modulator that there is not",
    plan network
    |> probe 1 [
        Probe.angle (
            match (modulated (ReadoutValue "eye")).Circuit.Projections[0].Plasticity with
            | LearningBy(_, rule) -> rule
            | _ -> Rule.rflo
        )
    ],
    at (InProbe "angle own/mine") (Unknown(ReadoutName, "eye", [ "hand" ])),
    "probe angle own/mine: no readout is named eye (known: hand)"

    "a critic on a task that gives no rewards",
    plan (critic (Rule.td 0.9 0.5) id),
    inArrow
        "cortex->hand"
        (RuleCannot(
            "td",
            "learn from rewards, since the task arrays gives none",
            "give its trials rewards, use another rule, or freeze the projection"
        )),
    "projection cortex->hand: td cannot learn from rewards, since the task arrays gives none; give its trials rewards, use another rule, or freeze the projection"

    "a critic with several outputs",
    experiment
        "plan"
        (critic (Rule.td 0.9 0.5) (fun _ -> readout "hand" 2))
        (Task.ofArrays (wide 10 2) (wide 10 2) |> Task.rewarded (Array.create 10 1.0)),
    inArrow
        "cortex->hand"
        (RuleCannot(
            "td",
            "predict rewards by hand, which has 2 outputs",
            "give the critic a readout with one output, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"
        )),
    "projection cortex->hand: td cannot predict rewards by hand, which has 2 outputs; give the critic a readout with one output, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"

    "a critic that is always 1",
    experiment
        "plan"
        (critic (Rule.td 0.9 0.5) (output softmax))
        (Task.ofArrays (wide 10 2) (Array2D.create 10 1 1.0)
         |> Task.rewarded (Array.create 10 1.0)),
    inArrow
        "cortex->hand"
        (RuleCannot(
            "td",
            "predict rewards by hand, since one softmax output is always 1",
            "make the readout linear, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"
        )),
    "projection cortex->hand: td cannot predict rewards by hand, since one softmax output is always 1; make the readout linear, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"

    for field, rule in [ "gamma", Rule.td 1.25 0.5; "lambda", Rule.td 0.5 1.25 ] do
        $"a critic whose {field} is more than 1",
        experiment "plan" (critic rule id) (task |> Task.rewarded (Array.create 10 1.0)),
        inArrow
            "cortex->hand"
            (NotAllowed($"the {field} of the temporal difference", "1.25", "in [0, 1]")),
        $"projection cortex->hand: the {field} of the temporal difference is 1.25; it must be in [0, 1]"

    "a name that nothing known is near to",
    plus (byNames (area "spinal" 3 --> motor)),
    inArrow "spinal->motor" (Unknown(AreaName, "spinal", names)),
    "projection spinal->motor: no area is named spinal (known: cortex, motor, striatum)"

    "a stranger that projects to itself, said once",
    plus (byNames (area "motr" 3 --> area "motr" 3)),
    inArrow "motr->motr" (Unknown(AreaName, "motr", names)),
    "projection motr->motr: no area is named motr (known: cortex, motor, striatum); did you mean motor?"

    "a winner-take-all area that learns its time constant",
    {
        plan network with
            Circuit = network |> Circuit.mapArea "striatum" (learnTau 0.1)
    },
    at
        (InArea "striatum")
        (Contradiction(
            "it learns tau, which a winner-take-all area does not have",
            "leave learnTau out"
        )),
    "area striatum: it learns tau, which a winner-take-all area does not have; leave learnTau out"

    "a relay that learns its time constant",
    plan (network |> areas [ relay "thalamus" 3 |> learnTau 0.1 ]),
    at
        (InArea "thalamus")
        (Contradiction(
            "it learns tau, and a relay has none",
            "give it a tau to begin with, or leave learnTau out"
        )),
    "area thalamus: it learns tau, and a relay has none; give it a tau to begin with, or leave learnTau out"

    for name in [ "cortex"; "striatum" ] do
        $"states of {name}, which has none beside its rates",
        plan (network |> Circuit.mapArea name recordStates),
        at
            (InArea name)
            (Contradiction(
                "it records its states, and its units have none beside their rates",
                "leave recordStates out; activity.Rates has them"
            )),
        $"area {name}: it records its states, and its units have none beside their rates; leave recordStates out; activity.Rates has them"

    "a winner-take-all area that learns its initial state",
    {
        plan network with
            Circuit = network |> Circuit.mapArea "striatum" (learnInitial 0.1)
    },
    at
        (InArea "striatum")
        (Contradiction(
            "it learns its initial state, and that of a winner-take-all area is a choice, which has no gradient",
            "leave learnInitial out"
        )),
    "area striatum: it learns its initial state, and that of a winner-take-all area is a choice, which has no gradient; leave learnInitial out"

    "initial states that carry over",
    plan (
        network
        |> Circuit.mapArea "cortex" (learnInitial 0.1 >> initial (carriedOver 0.0))
    ),
    at
        (InArea "cortex")
        (Contradiction(
            "it learns its initial state, and its states carry over, so that its trials have none of their own",
            "take initial (reset 0.1), or leave learnInitial out"
        )),
    "area cortex: it learns its initial state, and its states carry over, so that its trials have none of their own; take initial (reset 0.1), or leave learnInitial out"

    "initial states that are drawn anew",
    plan (
        network
        |> Circuit.mapArea "cortex" (learnInitial 0.1 >> initial (randomStart 0.0 0.1))
    ),
    at
        (InArea "cortex")
        (Contradiction(
            "it learns its initial state, which is drawn anew in every trial",
            "take initial (drawnOnce 0.0 0.1), which begins with one draw, or leave learnInitial out"
        )),
    "area cortex: it learns its initial state, which is drawn anew in every trial; take initial (drawnOnce 0.0 0.1), which begins with one draw, or leave learnInitial out"

    "initial states and a rule that knows nothing of them",
    {
        plan (network |> Circuit.mapArea "cortex" (learnInitial 0.1)) with
            Rule = { Rule.uoro with Name = "mine" }
    },
    at
        (InArea "cortex")
        (RuleCannot(
            "mine",
            "learn initial states",
            "use bptt, tbptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnInitial out"
        )),
    "area cortex: mine cannot learn initial states; use bptt, tbptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnInitial out"

    "initial states and a rule without traces",
    {
        plan (network |> Circuit.mapArea "cortex" (learnInitial 0.1)) with
            Rule =
                Rule.local "mine" {
                    Trace = NoTrace
                    Post = Rule.the Slope
                    Pre = Rule.the Presynaptic
                    Modulator = Rule.the FeedbackError
                    Oja = false
                }
    },
    at
        (InArea "cortex")
        (RuleCannot(
            "mine",
            "learn initial states",
            "use bptt, tbptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnInitial out"
        )),
    "area cortex: mine cannot learn initial states; use bptt, tbptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnInitial out"

    "a teacher that is not there",
    following "crtex" id,
    inArrow "cortex->cortex" (Unknown(AreaName, "crtex", names)),
    "projection cortex->cortex: no area is named crtex (known: cortex, motor, striatum); did you mean cortex?"

    "a teacher of itself",
    following "cortex" id,
    inArrow
        "cortex->cortex"
        (RuleCannot(
            "full-force",
            "make cortex its own teacher",
            "name another area with as many units, such as a frozen copy of it"
        )),
    "projection cortex->cortex: full-force cannot make cortex its own teacher; name another area with as many units, such as a frozen copy of it"

    "a teacher without currents",
    following "striatum" id,
    inArrow
        "cortex->cortex"
        (RuleCannot(
            "full-force",
            "follow the currents of striatum, a winner-take-all area, which has none in most steps",
            "name an area of rate units"
        )),
    "projection cortex->cortex: full-force cannot follow the currents of striatum, a winner-take-all area, which has none in most steps; name an area of rate units"

    "a teacher of another size",
    following "motor" (fun circuit -> {
        circuit with
            Areas =
                circuit.Areas
                |> List.map (fun a -> if a.Name = "motor" then { a with Units = 7 } else a)
    }),
    inArrow
        "cortex->cortex"
        (RuleCannot(
            "full-force",
            "make the currents of 4 units of cortex those of 7 units of motor",
            "give motor as many units"
        )),
    "projection cortex->cortex: full-force cannot make the currents of 4 units of cortex those of 7 units of motor; give motor as many units"

    "bounds that least squares of areas do not keep",
    following "teacher" (Circuit.mapProjection "cortex->cortex" (bounds -1.0 1.0) >> withTeacher),
    contradiction
        "cortex->cortex"
        "least squares do not keep weights within bounds"
        "leave the bounds out, or take another rule",
    "projection cortex->cortex: least squares do not keep weights within bounds; leave the bounds out, or take another rule"

    "signs that least squares of areas do not keep",
    following "teacher" (Circuit.mapArea "cortex" (dale 0.5) >> withTeacher),
    contradiction
        "cortex->cortex"
        "least squares do not keep the signs of weights"
        "leave dale out, or take another rule",
    "projection cortex->cortex: least squares do not keep the signs of weights; leave dale out, or take another rule"

    "decay that least squares of areas do not know",
    following "teacher" (Circuit.mapProjection "cortex->cortex" (decay 0.1) >> withTeacher),
    contradiction
        "cortex->cortex"
        "least squares have no decay but their own alpha"
        "leave the decay out, or take another rule",
    "projection cortex->cortex: least squares have no decay but their own alpha; leave the decay out, or take another rule"

    for field, (alpha, forgetting, every), allowed in
        [
            "alpha of the least squares", (0.0, 1.0, 1), "finite and more than 0"
            "the forgetting of the least squares", (1.0, 0.0, 1), "in (0, 1]"
            "the number of steps between least squares", (1.0, 1.0, 0), "at least 1"
        ] do
        $"{field} of areas"
        , following "teacher" withTeacher
          |> fun experiment -> {
              experiment with
                  Circuit =
                      experiment.Circuit
                      |> Circuit.mapProjection
                          "cortex->cortex"
                          (learnBy
                              {
                                  Rule.fullForce "teacher" with
                                      Credit = TowardCurrents("teacher", alpha, forgetting, every)
                              }
                              1.0)
          }
        , inArrow "cortex->cortex" (NotAllowed(field, "0", allowed))
        , $"projection cortex->cortex: {field} is 0; it must be {allowed}"

    "time constants and Oja's term",
    {
        plan (network |> Circuit.mapArea "cortex" (learnTau 0.1)) with
            Rule =
                Rule.local "mine" {
                    Trace = UnitTau
                    Post = Rule.the Slope
                    Pre = Rule.the Presynaptic
                    Modulator = Rule.the FeedbackError
                    Oja = true
                }
    },
    at
        (InArea "cortex")
        (RuleCannot(
            "mine",
            "learn time constants",
            "use bptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnTau out"
        )),
    "area cortex: mine cannot learn time constants; use bptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnTau out"

    "time constants and a rule that knows nothing of them",
    {
        plan (network |> Circuit.mapArea "cortex" (learnTau 0.1)) with
            Rule = { Rule.uoro with Name = "mine" }
    },
    at
        (InArea "cortex")
        (RuleCannot(
            "mine",
            "learn time constants",
            "use bptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnTau out"
        )),
    "area cortex: mine cannot learn time constants; use bptt, rtrl, or a local rule that receives the error and uses slopes, such as rflo; or leave learnTau out"

    "an input that is not there",
    plus (byNames (input "que" 1 --> motor)),
    inArrow "que->motor" (Unknown(InputName, "que", [ "cue" ])),
    "projection que->motor: no input is named que (known: cue); did you mean cue?"

    "a readout that is not there",
    plus (byNames (readout "Hand" 1 --> motor)),
    inArrow "Hand->motor" (Unknown(ReadoutName, "Hand", [ "hand" ])),
    "projection Hand->motor: no readout is named Hand (known: hand); did you mean hand?"

    "a population that is nearly there",
    plus (cortex["exitatory"] --> motor),
    inArrow
        "cortex[exitatory]->motor"
        (Unknown(PopulationName, "exitatory", [ "excitatory"; "inhibitory" ])),
    "projection cortex[exitatory]->motor: no population is named exitatory (known: excitatory, inhibitory); did you mean excitatory?"

    "an event that is nearly there",
    {
        plus (cortex --> striatum |> gate (atEvent "goo")) with
            Task = task |> Task.marked [ "go", [ 5 ] ]
    },
    inArrow "cortex->striatum" (Unknown(EventName, "goo", [ "go" ])),
    "projection cortex->striatum: no event is named goo (known: go); did you mean go?"

    "a channel outside its input",
    plus (cue[[ 0; 2 ]] --> motor),
    inArrow "cue[0,2]->motor" (NotAllowed("a channel", "2", "in 0 .. 1")),
    "projection cue[0,2]->motor: a channel is 2; it must be in 0 .. 1"

    "an empty population",
    plan (network |> Circuit.mapArea "motor" (population "none" [])),
    at (InPopulation("motor", "none")) (NotAllowed("the number of units", "0", "at least 1")),
    "population motor[none]: the number of units is 0; it must be at least 1"

    "a population with a unit twice",
    plan (network |> Circuit.mapArea "motor" (population "both" [ 0; 1; 0 ])),
    at (InPopulation("motor", "both")) (NotAllowed("unit 0", "listed 2 times", "listed once")),
    "population motor[both]: unit 0 is listed 2 times; it must be listed once"

    "Dale's own population named again",
    plan (network |> Circuit.mapArea "cortex" (population "inhibitory" [ 0 ])),
    at (InPopulation("cortex", "inhibitory")) (NameTaken "inhibitory"),
    "population cortex[inhibitory]: the name inhibitory is taken by an earlier part; give it another"

    "the inhibitory units of an area that has none",
    plan (
        Circuit.empty
        |> areas [ cortex ]
        |> inputs [ cue ]
        |> readouts [ hand ]
        |> projections [
            inner
            drive
            reading
            (motor |> dale 1.0)["inhibitory"] --> cortex
        ]
        |> feedback [ told ]
    ),
    inArrow
        "motor[inhibitory]->cortex"
        (NotAllowed("the number of units of motor[inhibitory]", "0", "at least 1")),
    "projection motor[inhibitory]->cortex: the number of units of motor[inhibitory] is 0; it must be at least 1"

    "a readout with the name of an area",
    plan (
        network
        |> Circuit.mapProjection "cortex->hand" (fun p -> { p with Target = OfReadout "motor" })
        |> fun c -> {
            c with
                Readouts = [ readout "motor" 1 ]
                Feedback = []
        }
        |> Circuit.mapProjection "cortex->cortex" frozen
    ),
    at (InReadout "motor") (NameTaken "motor"),
    "readout motor: another part has the name motor; give it another name, or use one value in all arrows"

    "two projections with the same ends",
    plus drive,
    contradiction
        "cue->cortex"
        "an earlier projection has the same two ends, cue->cortex"
        "name this one apart, such as |> named \"slow\"",
    "projection cue->cortex: an earlier projection has the same two ends, cue->cortex; name this one apart, such as |> named \"slow\""

    "two projections of one name",
    plan (
        network
        |> projections [ drive |> label "slow"; inner |> frozen |> label "slow" ]
    ),
    inArrow "slow" (NameTaken "slow"),
    "projection slow: the name slow is taken by an earlier part; give it another"

    "a feedback twice",
    plan (network |> feedback [ told |> through symmetric ]),
    at
        (InFeedback("hand", "cortex"))
        (Contradiction("an earlier feedback has the same two ends", "leave one of them out")),
    "feedback hand --> cortex: an earlier feedback has the same two ends; leave one of them out"

    "symmetric feedback to an area that no readout listens to",
    plan (network |> feedback [ errorOf hand --> motor |> through symmetric ]),
    at
        (InFeedback("hand", "motor"))
        (Contradiction(
            "symmetric feedback is the transpose of weights from motor to hand, and there are none",
            "use through (randomFeedback 1.0), or declare a projection from the area to the readout"
        )),
    "feedback hand --> motor: symmetric feedback is the transpose of weights from motor to hand, and there are none; use through (randomFeedback 1.0), or declare a projection from the area to the readout"

    "feedback of negative scale",
    plan (network |> feedback [ errorOf hand --> motor |> through (randomFeedback -1.0) ]),
    at
        (InFeedback("hand", "motor"))
        (NotAllowed("the scale of the feedback", "-1", "finite and at least 0")),
    "feedback hand --> motor: the scale of the feedback is -1; it must be finite and at least 0"

    "a given weight against Dale's law",
    plus (cortex --> motor |> weights (ofMatrix twoWrongSigns)),
    inArrow
        "cortex->motor"
        (NotAllowed(
            "the weight of row 1, column 1",
            "-0.5",
            "at least 0, since Dale's law makes its presynaptic unit excitatory"
        )),
    "projection cortex->motor: the weight of row 1, column 1 is -0.5; it must be at least 0, since Dale's law makes its presynaptic unit excitatory"

    "bounds that leave inhibition no weight",
    plus (cortex --> motor |> bounds 0.1 1.0),
    contradiction
        "cortex->motor"
        "the bounds [0.1, 1] leave no weight to the inhibitory units of the source"
        "let them include 0",
    "projection cortex->motor: the bounds [0.1, 1] leave no weight to the inhibitory units of the source; let them include 0"

    "a given weight above its bounds",
    plus (
        motor --> motor
        |> weights (ofMatrix (array2D [ [ 0.1; 0.5 ]; [ 0.6; -0.5 ] ]))
        |> bounds -0.5 0.5
    ),
    inArrow
        "motor->motor"
        (NotAllowed("the weight of row 1, column 0", "0.6", "in [-0.5, 0.5], its bounds")),
    "projection motor->motor: the weight of row 1, column 0 is 0.6; it must be in [-0.5, 0.5], its bounds"

    "a bias outside its bounds",
    plus (bias --> motor |> bounds 0.5 1.0),
    inArrow "bias->motor" (NotAllowed("the weight", "0", "in [0.5, 1], its bounds")),
    "projection bias->motor: the weight is 0; it must be in [0.5, 1], its bounds"

    "one-to-one between unequal ends",
    plus (cortex --> motor |> weights (oneToOne 1.0)),
    contradiction
        "cortex->motor"
        "it is one-to-one between 4 and 2 units"
        "make both ends the same size",
    "projection cortex->motor: it is one-to-one between 4 and 2 units; make both ends the same size"

    "one-to-one with a density",
    plus (motor --> motor |> weights (oneToOne 1.0) |> density 0.5),
    contradiction
        "motor->motor"
        "it is one-to-one and has a density or a mask"
        "leave one of them out",
    "projection motor->motor: it is one-to-one and has a density or a mask; leave one of them out"

    "balanced weights without Dale's law",
    plus (motor --> cortex |> balanced),
    contradiction
        "motor->cortex"
        needsBoth
        "give the source a dale fraction between 0 and 1, or leave balanced out",
    "projection motor->cortex: balanced weights need excitatory and inhibitory units at the source; give the source a dale fraction between 0 and 1, or leave balanced out"

    "balanced weights that are given",
    plus (cortex --> motor |> weights (constant 0.5) |> balanced),
    contradiction
        "cortex->motor"
        "balanced weights must be drawn"
        "use gaussian, spectralRadius, uniform or uniformScaled, or leave balanced out; Circuit.withWeights takes the weights of a run unchanged",
    "projection cortex->motor: balanced weights must be drawn; use gaussian, spectralRadius, uniform or uniformScaled, or leave balanced out; Circuit.withWeights takes the weights of a run unchanged"

    "a delayed input",
    plus (cue --> motor |> delay 5.0<ms>),
    contradiction
        "cue->motor"
        "inputs and biases arrive in the same step"
        "leave the delay out, and delay the task's inputs instead",
    "projection cue->motor: inputs and biases arrive in the same step; leave the delay out, and delay the task's inputs instead"

    "a delayed readout",
    plus (motor --> hand |> delay 5.0<ms>),
    contradiction "motor->hand" "a readout receives rates of the same step" "leave the delay out",
    "projection motor->hand: a readout receives rates of the same step; leave the delay out"

    "a delay of 0",
    plus (cortex --> motor |> delay 0.0<ms>),
    inArrow "cortex->motor" (NotAllowed("delay", "0 ms", "finite and at least one step, 1 ms")),
    "projection cortex->motor: delay is 0 ms; it must be finite and at least one step, 1 ms"

    "a gate onto a readout",
    plus (motor --> hand |> gate atTrialEnd),
    contradiction "motor->hand" "a projection onto a readout has no gate" "leave the gate out",
    "projection motor->hand: a projection onto a readout has no gate; leave the gate out"

    "a gate that opens every step and a half",
    plus (cortex --> motor |> gate (every 1.5<ms>)),
    inArrow "cortex->motor" (NotWholeSteps("the gate's period", 1.5<ms>, 1.0<ms>)),
    "projection cortex->motor: the gate's period is 1.5 ms, which is no whole number of steps of 1 ms; change it or dt"

    "an input straight to a readout",
    plus (cue --> hand),
    contradiction
        "cue->hand"
        "a readout receives signals from areas and from the bias only"
        "put an area between the two",
    "projection cue->hand: a readout receives signals from areas and from the bias only; put an area between the two"

    "an arrow that ends at an input",
    plus {
        drive with
            Source = OfArea "motor"
            Target = OfInput "cue"
    },
    contradiction
        "motor->cue"
        "an arrow cannot end at cue"
        "let it end at an area, a population or a readout",
    "projection motor->cue: an arrow cannot end at cue; let it end at an area, a population or a readout"

    "weights that learn onto a winner-take-all",
    plus (cortex --> striatum |> learningRate 0.1),
    inArrow
        "cortex->striatum"
        (RuleCannot(
            "rflo",
            "change weights onto a winner-take-all area, which has no slope",
            "use a rule of rates such as reward-hebb, or freeze the projection"
        )),
    "projection cortex->striatum: rflo cannot change weights onto a winner-take-all area, which has no slope; use a rule of rates such as reward-hebb, or freeze the projection"

    "a trace of the unit's own slope onto a winner-take-all",
    plus (
        cortex --> striatum
        |> learnBy
            (Rule.local "mine" {
                Trace = OwnJacobian
                Post = Rule.the Rate
                Pre = Rule.the Presynaptic
                Modulator = Rule.the Unmodulated
                Oja = false
            })
            0.1
    ),
    inArrow
        "cortex->striatum"
        (RuleCannot(
            "mine",
            "change weights onto a winner-take-all area, which has no slope",
            "use a rule of rates such as reward-hebb, or freeze the projection"
        )),
    "projection cortex->striatum: mine cannot change weights onto a winner-take-all area, which has no slope; use a rule of rates such as reward-hebb, or freeze the projection"

    "BPTT through a winner-take-all",
    plan (
        network
        |> Circuit.mapProjection "cortex->hand" frozen
        |> projections [ cortex --> striatum; striatum --> motor; motor --> hand ]
    )
    |> rule Rule.bptt,
    inArrow
        "cortex->cortex"
        (RuleCannot(
            "bptt",
            "pass credit through the winner-take-all area striatum, which has no slope",
            "use a local rule such as rflo, or freeze the projection"
        )),
    "projection cortex->cortex: bptt cannot pass credit through the winner-take-all area striatum, which has no slope; use a local rule such as rflo, or freeze the projection"

    "BPTT from a readout through a winner-take-all",
    plan (
        network
        |> Circuit.mapProjection "cortex->cortex" frozen
        |> projections [ hand --> striatum; striatum --> hand ]
    )
    |> rule Rule.bptt,
    inArrow
        "cortex->hand"
        (RuleCannot(
            "bptt",
            "pass credit through the winner-take-all area striatum, which has no slope",
            "use a local rule such as rflo, or freeze the projection"
        )),
    "projection cortex->hand: bptt cannot pass credit through the winner-take-all area striatum, which has no slope; use a local rule such as rflo, or freeze the projection"

    "truncated BPTT that updates between looks",
    plan network
    |> rule {
        Rule.truncatedBptt 20.0<ms> 10.0<ms> with
            Update = EverySteps 15
    },
    at
        InExperiment
        (RuleCannot(
            "truncated-bptt",
            "update every 15 steps, since it passes errors backward every 10 ms",
            "use update online, which updates after each of these passes"
        )),
    "experiment: truncated-bptt cannot update every 15 steps, since it passes errors backward every 10 ms; use update online, which updates after each of these passes"

    "truncated BPTT that loses errors",
    plan network |> rule (Rule.truncatedBptt 5.0<ms> 10.0<ms>),
    at
        InExperiment
        (NotAllowed("the window", "5 ms", "at least the stride, 10 ms, so that every error is used")),
    "experiment: the window is 5 ms; it must be at least the stride, 10 ms, so that every error is used"

    "the symmetric local rule where no readout listens",
    plus (motor --> motor |> learnBy Rule.localSymmetric 0.1),
    inArrow
        "motor->motor"
        (RuleCannot(
            "local-symmetric",
            "send an error to motor, since no projection runs from it to a readout",
            "use Rule.rflo and declare feedback, such as by errorOf, or freeze the projection"
        )),
    "projection motor->motor: local-symmetric cannot send an error to motor, since no projection runs from it to a readout; use Rule.rflo and declare feedback, such as by errorOf, or freeze the projection"

    "RFLO in an area that no feedback reaches",
    plus (motor --> motor |> learningRate 0.1),
    inArrow "motor->motor" (NoErrorReaches("motor", "rflo")),
    "projection motor->motor: rflo needs an error, but no feedback reaches motor; declare one, such as errorOf y --> motor, or freeze the projection"

    "a spectral radius between two areas",
    plus (cortex --> motor |> weights (spectralRadius 0.9)),
    contradiction
        "cortex->motor"
        "a spectral radius is that of weights from an area, or a population, to itself"
        "let both ends be the same, or use gaussian",
    "projection cortex->motor: a spectral radius is that of weights from an area, or a population, to itself; let both ends be the same, or use gaussian"

    "a spectral radius of 0",
    plus (motor --> motor |> weights (spectralRadius 0.0)),
    inArrow "motor->motor" (NotAllowed("the spectral radius", "0", "finite and more than 0")),
    "projection motor->motor: the spectral radius is 0; it must be finite and more than 0"

    "a spectral radius within bounds",
    plus (motor --> motor |> weights (spectralRadius 0.9) |> bounds -1.0 1.0),
    contradiction
        "motor->motor"
        "weights of a given spectral radius have no bounds at the start"
        "leave the bounds out, or use gaussian",
    "projection motor->motor: weights of a given spectral radius have no bounds at the start; leave the bounds out, or use gaussian"

    "a spectral radius of connections that never return",
    plus (
        motor --> motor
        |> weights (spectralRadius 0.9)
        |> mask (array2D [ [ false; true ]; [ false; false ] ])
    ),
    contradiction
        "motor->motor"
        "its connections contain no cycle, so its spectral radius is 0 whatever the weights"
        "use more connections, or gaussian weights",
    "projection motor->motor: its connections contain no cycle, so its spectral radius is 0 whatever the weights; use more connections, or gaussian weights"

    "least squares of a readout that is not linear",
    plan (
        Circuit.empty
        |> areas [ cortex ]
        |> inputs [ cue ]
        |> projections [
            cortex --> (hand |> output Output.sigmoid) |> learningRate 0.03
        ]
    )
    |> rule Rule.force,
    inArrow
        "cortex->hand"
        (RuleCannot(
            "force",
            "solve least squares for hand, whose outputs are no linear function of its weights",
            "make the readout linear, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"
        )),
    "projection cortex->hand: force cannot solve least squares for hand, whose outputs are no linear function of its weights; make the readout linear, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"

    "least squares of a softmax",
    {
        plan (
            Circuit.empty
            |> areas [ cortex ]
            |> inputs [ cue ]
            |> projections [ cortex --> (hand |> output softmax) |> learningRate 0.03 ]
        ) with
            Rule = Rule.ridge
            Task = Task.ofArrays (wide 10 2) (Array2D.create 10 1 1.0)
    },
    inArrow
        "cortex->hand"
        (RuleCannot(
            "ridge",
            "solve least squares for hand, whose outputs are no linear function of its weights",
            "make the readout linear, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"
        )),
    "projection cortex->hand: ridge cannot solve least squares for hand, whose outputs are no linear function of its weights; make the readout linear, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"

    "least squares within bounds",
    plus (bias --> hand |> bounds -1.0 1.0 |> learnBy Rule.ridge 1.0),
    contradiction
        "bias->hand"
        "least squares do not keep weights within bounds"
        "leave the bounds out, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule",
    "projection bias->hand: least squares do not keep weights within bounds; leave the bounds out, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"

    "least squares with another decay than their own",
    plus (bias --> hand |> decay 0.1 |> learnBy Rule.force 1.0),
    contradiction
        "bias->hand"
        "least squares have no decay but their own alpha"
        "leave the decay out, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule",
    "projection bias->hand: least squares have no decay but their own alpha; leave the decay out, or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"

    "a rule that changes only what does not learn",
    plan network |> rule (Rule.inputOnly Rule.rflo),
    at
        InExperiment
        (RuleCannot(
            "rflo-inputs",
            "change anything, since it changes only input weights and biases of areas and nothing of that has a learning rate",
            "give it one, such as |> learningRate 0.03, or use a rule that changes more, such as Rule.rflo"
        )),
    "experiment: rflo-inputs cannot change anything, since it changes only input weights and biases of areas and nothing of that has a learning rate; give it one, such as |> learningRate 0.03, or use a rule that changes more, such as Rule.rflo"

    "a rule of one projection that changes others only",
    plus (bias --> cortex |> learnBy (Rule.recurrentOnly Rule.rflo) 0.1),
    contradiction
        "bias->cortex"
        "it learns by rflo-recurrent, which leaves weights of this kind as they are"
        "freeze it, or use a rule that changes more, such as Rule.rflo",
    "projection bias->cortex: it learns by rflo-recurrent, which leaves weights of this kind as they are; freeze it, or use a rule that changes more, such as Rule.rflo"

    "an update every 0 trials of one projection",
    plus (
        bias --> hand
        |> learnBy
            {
                Rule.rflo with
                    Update = EveryTrials(0, Mean)
            }
            0.1
    ),
    inArrow "bias->hand" (NotAllowed("the number of trials between updates", "0", "at least 1")),
    "projection bias->hand: the number of trials between updates is 0; it must be at least 1"

    "a circuit without areas",
    experiment "plan" Circuit.empty task,
    at InExperiment NoArea,
    "experiment: it has no area; declare one, such as areas [ cortex ]"

    "weights that cannot be read",
    plus (
        cortex --> motor
        |> weights (ReadFrom("w.npz", (fun () -> Error "it is truncated")))
    ),
    inArrow "cortex->motor" (Unreadable("w.npz", "it is truncated")),
    "projection cortex->motor: the weights cannot be read from w.npz: it is truncated"

    "a task whose drawing fails",
    {
        plan network with
            Task = Task.ofTrials 10.0<ms> (fun _ _ -> failwith "no more trials")
    },
    at InTask (Failed("drawing trial 0", "no more trials")),
    "task: drawing trial 0 failed: no more trials; fix the function in the script"

    "a task that draws more targets than the circuit has outputs",
    {
        plan network with
            Task =
                Task.ofTrials 10.0<ms> (fun _ _ -> {
                    Inputs = wide 10 2
                    Targets = wide 10 2
                    Mask = None
                    Events = []
                    Rewards = None
                    Conditions = []
                })
    },
    at InTask (NotAllowed("the number of outputs", "2", "1, as the circuit's readouts (hand 1)")),
    "task: the number of outputs is 2; it must be 1, as the circuit's readouts (hand 1)"

    "a mask of another length than the targets",
    {
        plan network with
            Task = task |> Task.masked (wide 9 1)
    },
    at InTask (WrongShape("the mask", "(9, 1)", "(10, 1), as the targets")),
    "task: the shape of the mask is (9, 1); it must be (10, 1), as the targets"

    "channels that nobody takes",
    {
        plan network with
            Task = Task.ofArrays (wide 10 3) (wide 10 1)
    },
    at
        InTask
        (NotAllowed("the number of input channels", "3", "2, as the circuit's inputs (cue 2)")),
    "task: the number of input channels is 3; it must be 2, as the circuit's inputs (cue 2)"

    "a rule of rewards on a task that gives none",
    plus (cortex --> striatum |> learnBy Rule.rewardHebb 0.1),
    inArrow
        "cortex->striatum"
        (RuleCannot(
            "reward-hebb",
            "learn from rewards, since the task arrays gives none",
            "give its trials rewards, use another rule, or freeze the projection"
        )),
    "projection cortex->striatum: reward-hebb cannot learn from rewards, since the task arrays gives none; give its trials rewards, use another rule, or freeze the projection"

    "a rule of unforeseen rewards on a task that gives none",
    plus (cortex --> striatum |> learnBy Rule.rewardDelta 0.1),
    inArrow
        "cortex->striatum"
        (RuleCannot(
            "reward-delta",
            "learn from rewards, since the task arrays gives none",
            "give its trials rewards, use another rule, or freeze the projection"
        )),
    "projection cortex->striatum: reward-delta cannot learn from rewards, since the task arrays gives none; give its trials rewards, use another rule, or freeze the projection"

    "a closed-loop task that watches a stranger",
    {
        plan network with
            Task = loop |> Task.watching [ "striatun" ]
    },
    at InTask (Unknown(AreaName, "striatun", names)),
    "task: no area is named striatun (known: cortex, motor, striatum); did you mean striatum?"

    "a closed-loop task that looks where it does not watch",
    {
        plan network with
            Task = loop |> Task.judged (fun now _ -> now.Rates("motor")[0])
    },
    at InTask (Failed("judging step 1 of trial 0", "The task reads motor, but watches no area.")),
    "task: judging step 1 of trial 0 failed: The task reads motor, but watches no area; fix the function in the script"

    "a closed-loop task of more outputs than it declares",
    {
        plan network with
            Task =
                Task.closedLoop 2 1 10.0<ms> [||] (fun _ _ _ -> ()) (fun _ _ -> {
                    Input = [| 0.0; 0.0 |]
                    Target = [| 0.0; 1.0 |]
                    Mask = [||]
                    Events = []
                })
    },
    at InTask (WrongLength("the targets of a step", 2, 1, "one number an output")),
    "task: the length of the targets of a step is 2; it must be 1, one number an output"

    "a probe of an area that is nearly there",
    plan network |> probe 10 [ Probe.spectralRadius (area "corte" 4) ],
    at (InProbe "spectral-radius corte") (Unknown(AreaName, "corte", names)),
    "probe spectral-radius corte: no area is named corte (known: cortex, motor, striatum); did you mean cortex?"

    "a probe in every 0 trials",
    plan network |> probe 0 [ Probe.weightChange ],
    at (InProbe "weight-change") (NotAllowed("the interval", "0 trials", "at least 1 trial")),
    "probe weight-change: the interval is 0 trials; it must be at least 1 trial"

    "two probes of the same",
    plan network |> probe 1 [ Probe.dale ] |> probe 10 [ Probe.dale ],
    at
        (InProbe "dale")
        (Contradiction(
            "an earlier probe measures the same or has its name",
            "leave one of them out, or give its rule another name"
        )),
    "probe dale: an earlier probe measures the same or has its name; leave one of them out, or give its rule another name"

    "a probe with the name of another column",
    plan network |> probe 1 [ Probe.custom "loss" (fun _ -> 0.0) ],
    at (InProbe "loss") (NameTaken "loss"),
    "probe loss: the name loss is taken by an earlier part; give it another"

    "a probe by a rule that the circuit cannot have",
    plan network |> probe 1 [ Probe.angle Rule.nodePerturbation ],
    at
        (InProbe "angle own/node-perturbation")
        (RuleCannot(
            "node-perturbation",
            "learn from the noise of cortex, which has none",
            "give the area noise, such as |> noise 0.1"
        )),
    "probe angle own/node-perturbation: node-perturbation cannot learn from the noise of cortex, which has none; give the area noise, such as |> noise 0.1"

    "more weights than an array holds",
    plan (
        Circuit.empty
        |> areas [ cortex; motor; area "huge" 50_000 ]
        |> inputs [ cue ]
        |> readouts [ hand ]
        |> projections [
            inner
            drive
            reading
            area "huge" 50_000 --> area "huge" 50_000
        ]
        |> feedback [ told ]
    ),
    inArrow
        "huge->huge"
        (NotAllowed(
            "the number of weights",
            "2500000000",
            "at most 2147483591; split the projection, or give it a density of at most 0.25"
        )),
    "projection huge->huge: the number of weights is 2500000000; it must be at most 2147483591; split the projection, or give it a density of at most 0.25"
]

let private problemsOf experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> problems

let private caseOf (fault: Fault) =
    let case, _ = FSharpValue.GetUnionFields(fault, typeof<Fault>)
    case.Name

[<Tests>]
let tests =
    testList "refusals" [
        test "the network around the mistakes is sound" {
            Expect.equal (problemsOf (plan network)) [] "problems"
        }

        for sentence, experiment, expected, wording in mistakes do
            test sentence {
                let problems = problemsOf experiment
                Expect.equal (List.map Problem.text problems) [ wording ] "in words"
                Expect.equal problems [ expected ] "as data"
            }

        test "nine mistakes in one projection are nine problems" {
            let hopeless =
                byNames (area "motr" 2 --> motor)
                |> weights (gaussian nan)
                |> density 1.4
                |> delay 0.0<ms>
                |> gate (atEvent "go")
                |> bounds 1.0 -1.0
                |> learningRate nan
                |> label "no hope"

            Expect.equal
                (problemsOf (plus hopeless) |> List.map Problem.text)
                [
                    "projection no hope: the name 'no hope' has a character that is not allowed in lists and file names; use letters, digits and . _ - /"
                    "projection no hope: the gain is NaN; it must be finite and at least 0"
                    "projection no hope: density is 1.4; it must be in (0, 1]"
                    "projection no hope: no area is named motr (known: cortex, motor, striatum); did you mean motor?"
                    "projection no hope: delay is 0 ms; it must be finite and at least one step, 1 ms"
                    "projection no hope: no event is named go (none is declared)"
                    "projection no hope: the lower bound is 1; it must be at most the upper bound, -1"
                    "projection no hope: the learning rate is NaN; it must be finite and at least 0"
                    "projection no hope: rflo needs an error, but no feedback reaches motor; declare one, such as errorOf y --> motor, or freeze the projection"
                ]
                "problems"
        }

        test "the examples have every case of Fault" {
            let examples = CheckTests.mistakes @ mistakes

            // CheckTests has one of too much memory.
            let faults =
                "TooMuchMemory" :: [ for _, _, problem, _ in examples -> caseOf problem.Fault ]

            let cases = [
                for case in FSharpType.GetUnionCases typeof<Fault> -> case.Name
            ]

            Expect.equal (List.except faults cases) List.empty "cases without an example"
        }
    ]
