namespace Rflo.Host

open Rflo.Dsl

/// The circuits and tasks of Murray (2019), doi 10.7554/eLife.43299, in the language. Every choice that the paper leaves
/// open is a parameter, or stands in a comment beside its line.
[<RequireQualifiedAccess>]
module PaperModels =

    /// Time constant of every unit: 10 steps of 1 ms.
    let private tau10 = tau 10.0<ms>

    let private y = readout "y" 1

    /// y*(t) of Fig 2: one period a trial.
    let target period =
        Task.periodic period [ 1, 1.0; 2, 0.5; 4, 0.25 ]

    /// A network for Fig 2.
    type Periodic = {
        Units: int
        /// Gain g of the recurrent weights.
        Gain: float
        /// By how much the readout's first weights are scaled: U(-1, 1) readout / sqrt N.
        Readout: float
        Period: float<ms>
        Rate: float
        Rule: Rule
        Trials: int
        Dale: bool
        /// Whether the output is fed back into the network through fixed random weights.
        FedBack: bool
    }

    /// N = 30, g = 1.5, T = 200, eta = 0.03, RFLO, 10,000 trials. Rates begin every trial at 0.1, updates are made at its
    /// end, and every increment carries 1/T: the paper says none of it; its notebook does.
    let periodic = {
        Units = 30
        Gain = 1.5
        Readout = 1.0
        Period = 200.0<ms>
        Rate = 0.03
        Rule = Rule.rflo
        Trials = 10_000
        Dale = false
        FedBack = false
    }

    /// The experiment of a network of Fig 2.
    let ofPeriodic (p: Periodic) =
        let cortex =
            area "cortex" p.Units
            |> tau10
            // 80 % excitatory units (Fig 2, supplement 1).
            |> if p.Dale then dale 0.8 else id

        circuit
        |> areas [ cortex ]
        |> readouts [ y ]
        |> projections [
            cortex --> cortex |> weights (gaussian p.Gain) |> learning p.Rate
            cortex --> y |> weights (uniformScaled p.Readout) |> learning p.Rate

            // N(0, 1), as the feedback of the error; one input a unit, so the gain is the standard deviation.
            if p.FedBack then
                y --> cortex |> weights (gaussian 1.0)
        ]
        |> feedback [ errorOf y --> cortex ]
        |> fun network ->
            experiment "periodic" network (target p.Period)
            |> rule p.Rule
            |> trials p.Trials

    /// Interval matching (Fig 3): N = 100, increments summed over 10 trials.
    let interval learningRule rate longest count =
        let cortex = area "cortex" 100 |> tau10
        let cue = input "cue" 1

        circuit
        |> areas [ cortex ]
        |> inputs [ cue ]
        |> readouts [ y ]
        |> projections [
            cortex --> cortex |> weights (gaussian 1.5) |> learning rate
            cue --> cortex |> weights (uniform -1.0 1.0) |> learning rate
            cortex --> y |> weights (uniformScaled 1.0) |> learning rate
        ]
        |> feedback [ errorOf y --> cortex ]
        |> fun network ->
            experiment "interval" network (Task.readySetGo (ReadySetGo.upTo longest))
            |> rule {
                learningRule with
                    Update = EveryTrials(10, Sum)
            }
            |> trials count

    /// The workspace of Fig 4: two positions along each axis, so that two of four moves stay in it.
    let moves = {
        Syllables.standard with
            Bounds = Some(0.0, 1.0)
    }

    /// The sequence of Fig 4: a square.
    let square = moves |> Syllables.inOrder [ 0; 1; 2; 3 ]

    /// The same with a hold of one more length of time after each move: the 1600 steps of the paper, where a hold is a
    /// segment of its own, without input.
    let held task = { task with Hold = 200.0<ms> }

    /// Stage 1 of Fig 4: syllables by RFLO.
    let syllablesOf task rate count =
        experiment "syllables" (Modules.syllables 100 4 rate) (Task.syllables task)
        |> trials count

    /// Stage 1 without holds.
    let syllables rate count = syllablesOf moves rate count

    /// Stage 2: a cortex as stage 1 left it, and the order of some sequence learned by striatum.
    let sequenceOf (task: Syllables) cortex learningRule weights count =
        let loop =
            cortex |> Circuit.withWeights weights |> Modules.sequenced learningRule 3.0 0.1

        experiment "sequence" loop (Task.syllables (task |> Syllables.chosenBy "striatum"))
        |> rule learningRule
        |> trials count

    /// Stage 2 of Fig 4.
    let sequence learningRule weights count =
        sequenceOf square (Modules.syllables 100 4 0.01) learningRule weights count

    /// The sequence without a loop: one network makes all of it, with no input.
    let untaughtOf task learningRule rate count =
        let cortex = area "cortex" 100 |> tau10
        let velocity = readout "velocity" 2

        circuit
        |> areas [ cortex ]
        |> readouts [ velocity ]
        |> projections [
            cortex --> cortex |> weights (gaussian 1.5) |> learning rate
            cortex --> velocity |> weights (uniformScaled 1.0) |> learning rate
        ]
        |> feedback [ errorOf velocity --> cortex ]
        |> fun network ->
            experiment "untaught" network (Task.syllables (Syllables.untaught task))
            |> rule learningRule
            |> trials count

    /// The sequence without holds and without a loop.
    let untaught learningRule rate count =
        untaughtOf square learningRule rate count
