namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// A network for the periodic output of Fig 2.
type internal PeriodicModel = {
    Units: int
    /// Gain g of the recurrent weights.
    Gain: float
    /// Factor of the readout's first weights: U(-1, 1) readout / sqrt N.
    Readout: float
    Period: float<ms>
    Rate: float
    Rule: Rule
    Trials: int
    /// Fraction of excitatory units, under Dale's law.
    Dale: float option
    /// Whether inhibitory weights are scaled so that every unit's expected inputs sum to 0 at the start.
    Balanced: bool
    /// Whether the output is fed back into the network through fixed random weights.
    FedBack: bool
    /// The initial rates of a trial.
    Start: Initial
}

/// A network for interval matching, Fig 3.
type internal IntervalModel = {
    Rule: Rule
    Rate: float
    Trials: int
    Task: ReadySetGo
    /// Factor of the readout's first weights.
    Readout: float
    /// Gain g of the recurrent weights.
    Gain: float
    /// Bound of the uniform input weights.
    InputBound: float
    /// Scale of the random feedback.
    Feedback: float
    Start: Initial
}

/// A network, or a loop, for the sequence of Fig 4.
type internal SequenceModel = {
    Task: Syllables
    /// Learning rate of cortex, or of the network without a loop.
    Rate: float
    Rule: Rule
    Trials: int
}

/// The circuits and tasks of Murray (2019), doi 10.7554/eLife.43299, in the language. The parameters that the paper gives are
/// here and in tests/data/murray-2019.csv; each that it leaves open is an `OpenChoice`.
[<RequireQualifiedAccess>]
module internal Models =

    /// Time constant of every unit: 10 steps of 1 ms.
    let private tau10 = tau 10.0<ms>

    let private y = readout "y" 1

    // ---- Fig 2: periodic output -----------------------------------------------------------------

    /// y*(t) of Fig 2: one period a trial.
    let target period =
        Task.periodic period [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

    /// N = 30, g = 1.5, T = 200, eta = 0.03, RFLO, 10,000 trials.
    let periodic: PeriodicModel = {
        Units = 30
        Gain = 1.5
        Readout = 1.0
        Period = 200.0<ms>
        Rate = 0.03
        Rule = Rule.rflo
        Trials = 10_000
        Dale = None
        Balanced = false
        FedBack = false
        Start = Reset 0.1
    }

    /// What the paper leaves open for Fig 2. Every increment carries 1/T, as in the author's notebook; without it the printed rates
    /// diverge in every run, so that is no alternative.
    let periodicChoices: OpenChoice<PeriodicModel> list = [
        {
            Name = "start of a trial"
            Paper = "not given; the notebook begins every trial at 0.1"
            Alternatives = [
                "0.1", id
                "0", (fun p -> { p with Start = Reset 0.0 })
                "random in every trial", (fun p -> { p with Start = RandomStart(0.0, 0.5) })
                "carried over", (fun p -> { p with Start = CarriedOver 0.1 })
            ]
        }
        {
            Name = "first readout"
            Paper = "uniform within 1 / sqrt N; the notebook has a tenth of it"
            Alternatives = [ "x 1", id; "x 0.1", (fun p -> { p with Readout = 0.1 }) ]
        }
        {
            Name = "updates"
            Paper =
                "\"can be\" made in every step or at the end of a trial; the notebook makes them at the end"
            Alternatives = [
                "trial end", id
                "online",
                (fun p -> {
                    p with
                        Rule = { p.Rule with Update = Online }
                })
            ]
        }
        {
            Name = "clipping"
            Paper = "not mentioned"
            Alternatives = [
                "none", id
                "norm 0.1",
                (fun p -> {
                    p with
                        Rule = { p.Rule with Clip = Clip.Each 0.1 }
                })
            ]
        }
        {
            Name = "rate"
            Paper = "printed for RFLO and BPTT in Fig 2b, from a grid"
            Alternatives = [
                "printed", id
                "a third", (fun p -> { p with Rate = p.Rate / 3.0 })
                "a tenth", (fun p -> { p with Rate = p.Rate / 10.0 })
                "a thirtieth", (fun p -> { p with Rate = p.Rate / 30.0 })
            ]
        }
        {
            Name = "gain"
            Paper = "1.5"
            Alternatives = [ "1.5", id; "1", (fun p -> { p with Gain = 1.0 }) ]
        }
    ]

    /// The experiment of a network of Fig 2.
    let ofPeriodic (p: PeriodicModel) =
        let cortex =
            area "cortex" p.Units
            |> tau10
            |> initial p.Start
            |> match p.Dale with
               | Some fraction -> dale fraction
               | None -> id

        Circuit.empty
        |> areas [ cortex ]
        |> readouts [ y ]
        |> projections [
            cortex --> cortex
            |> weights (gaussian p.Gain)
            |> (if p.Balanced then balanced else id)
            |> learningRate p.Rate

            cortex --> y |> weights (uniformScaled p.Readout) |> learningRate p.Rate

            // N(0, 1), as the feedback of the error; one input a unit, so the gain is the standard deviation.
            if p.FedBack then
                y --> cortex |> weights (gaussian 1.0)
        ]
        |> feedback [ errorOf y --> cortex ]
        |> fun network ->
            experiment "periodic" network (target p.Period)
            |> rule p.Rule
            |> trials p.Trials

    // ---- Fig 3: interval matching ---------------------------------------------------------------

    let private summed (learningRule: Rule) = {
        learningRule with
            Update = EveryTrials(10, Sum)
    }

    /// Interval matching as printed: N = 100, 5000 trials, increments applied after every 10 trials, delays up to `longest`.
    let interval learningRule rate longest : IntervalModel = {
        Rule = summed learningRule
        Rate = rate
        Trials = 5000
        Task = ReadySetGo.upTo longest
        Readout = 1.0
        Gain = 1.5
        InputBound = 1.0
        Feedback = 1.0
        Start = Reset 0.1
    }

    /// What the paper leaves open for Fig 3, and a few numbers that it gives, to test their effect.
    let intervalChoices: OpenChoice<IntervalModel> list = [
        {
            Name = "channels"
            Paper = "not given; the figure shows both pulses in one trace"
            Alternatives = [
                "one", id
                "one a pulse",
                (fun m -> {
                    m with
                        Task = { m.Task with OwnChannels = true }
                })
            ]
        }
        {
            Name = "first readout"
            Paper = "uniform within 1 / sqrt N; the notebook has a tenth of it"
            Alternatives = [ "x 1", id; "x 0.1", (fun m -> { m with Readout = 0.1 }) ]
        }
        {
            Name = "rate"
            Paper = "0.001 (RFLO) and 0.003 (BPTT), from a grid"
            Alternatives = [
                "printed", id
                "0.003", (fun m -> { m with Rate = 0.003 })
                "0.01", (fun m -> { m with Rate = 0.01 })
            ]
        }
        {
            Name = "updates"
            Paper = "applied after every 10 trials; sum or mean is not given"
            Alternatives = [
                "sum over 10 trials", id
                "mean over 10 trials",
                (fun m -> {
                    m with
                        Rule = {
                            m.Rule with
                                Update = EveryTrials(10, Mean)
                        }
                })
                "every trial",
                (fun m -> {
                    m with
                        Rule = { m.Rule with Update = TrialEnd }
                })
            ]
        }
        {
            Name = "number of updates"
            Paper = "5000 trials; 500 updates if 10 trials make one"
            Alternatives = [
                "500", id
                "5000", (fun m -> { m with Trials = 10 * m.Trials })
            ]
        }
        {
            Name = "start of a trial"
            Paper = "not given; the notebook begins every trial at 0.1"
            Alternatives = [
                "0.1", id
                "0", (fun m -> { m with Start = Reset 0.0 })
                "random in every trial", (fun m -> { m with Start = RandomStart(0.0, 0.5) })
                "carried over", (fun m -> { m with Start = CarriedOver 0.1 })
            ]
        }
        {
            Name = "first pulse"
            Paper = "not given"
            Alternatives = [
                "50 ms", id
                "100 ms",
                (fun m -> {
                    m with
                        Task = { m.Task with FirstPulse = 100.0<ms> }
                })
            ]
        }
        {
            Name = "input weights"
            Paper = "uniform in [-1, 1]"
            Alternatives = [
                "U(-1, 1)", id
                "U(-3, 3)", (fun m -> { m with InputBound = 3.0 })
            ]
        }
        {
            Name = "feedback"
            Paper = "N(0, 1)"
            Alternatives = [
                "N(0, 1)", id
                "x 0.3", (fun m -> { m with Feedback = 0.3 })
            ]
        }
        {
            Name = "gain"
            Paper = "1.5"
            Alternatives = [
                "1.5", id
                "1.2", (fun m -> { m with Gain = 1.2 })
                "0.8", (fun m -> { m with Gain = 0.8 })
            ]
        }
    ]

    /// The reading of Fig 3 that is run beside the printed one: a channel a pulse, the notebook's small first readout and the next rate
    /// of the grid. More networks learn in it than as printed; docs/reproduction.md has the numbers.
    let intervalChosen = {
        Name = "chosen"
        Settings = [
            "channels", "one a pulse"
            "first readout", "x 0.1"
            "rate", "0.003"
        ]
    }

    /// The experiment of a network of Fig 3.
    let ofInterval (m: IntervalModel) =
        let cortex = area "cortex" 100 |> tau10 |> initial m.Start
        let cue = input "cue" (if m.Task.OwnChannels then 2 else 1)

        Circuit.empty
        |> areas [ cortex ]
        |> inputs [ cue ]
        |> readouts [ y ]
        |> projections [
            cortex --> cortex |> weights (gaussian m.Gain) |> learningRate m.Rate
            cue --> cortex
            |> weights (uniform -m.InputBound m.InputBound)
            |> learningRate m.Rate
            cortex --> y |> weights (uniformScaled m.Readout) |> learningRate m.Rate
        ]
        |> feedback [
            errorOf y --> cortex |> through (randomFeedback m.Feedback)
        ]
        |> fun network ->
            experiment "interval" network (Task.readySetGo m.Task)
            |> rule m.Rule
            |> trials m.Trials

    // ---- Fig 4: a sequence of movements ---------------------------------------------------------

    /// The workspace of Fig 4: two positions along each axis, so that two of four moves stay in it.
    let moves = {
        Syllables.standard with
            Bounds = Some(0.0, 1.0)
    }

    /// A square: the four moves in order.
    let private inSquare = Syllables.inOrder [ 0; 1; 2; 3 ]

    /// A network that learns the sequence of Fig 4 without a loop; the task is the moves without their order.
    let sequence: SequenceModel = {
        Task = moves
        Rate = 0.01
        Rule = Rule.rflo
        Trials = 10_000
    }

    /// What the paper leaves open for Fig 4.
    let sequenceChoices: OpenChoice<SequenceModel> list = [
        {
            Name = "holds"
            Paper = "four moves and four holds in 1600 steps, a syllable of 200"
            Alternatives = [
                "200 ms after each move",
                (fun m -> {
                    m with
                        Task = { m.Task with Hold = 200.0<ms> }
                })
                "none", id
            ]
        }
        {
            Name = "input in a hold"
            Paper = "not given"
            Alternatives = [
                "none", id
                "stays on",
                (fun m -> {
                    m with
                        Task = { m.Task with InputInHold = true }
                })
            ]
        }
        {
            Name = "speed"
            Paper = "not given"
            Alternatives = [
                "a bell", id
                "even",
                (fun m -> {
                    m with
                        Task = { m.Task with EvenSpeed = true }
                })
            ]
        }
        {
            Name = "clipping"
            Paper = "not mentioned"
            Alternatives = [
                "none", id
                "norm 0.1",
                (fun m -> {
                    m with
                        Rule = { m.Rule with Clip = Clip.Each 0.1 }
                })
            ]
        }
        {
            Name = "rate"
            Paper = "not given for Fig 4"
            Alternatives = [
                "ours", id
                "0.03", (fun m -> { m with Rate = 0.03 })
                "0.003", (fun m -> { m with Rate = 0.003 })
                "0.001", (fun m -> { m with Rate = 0.001 })
            ]
        }
    ]

    /// The task of a model with its moves in a square.
    let square (m: SequenceModel) = inSquare m.Task

    /// Stage 1 of Fig 4: syllables by RFLO.
    let syllables (m: SequenceModel) =
        experiment "syllables" (Modules.syllables 100 4 m.Rate) (Task.syllables m.Task)
        |> rule m.Rule
        |> trials m.Trials

    /// Stage 2: the cortex after stage 1, and the order of some sequence learned by striatum.
    let loop (task: Syllables) cortex learningRule weights count =
        let loop =
            cortex |> Circuit.withWeights weights |> Modules.sequenced learningRule 3.0 0.1

        experiment "sequence" loop (Task.syllables (task |> Syllables.chosenBy "striatum"))
        |> rule learningRule
        |> trials count

    /// The sequence without a loop: one network produces all of it, with no input.
    let untaught (m: SequenceModel) =
        let cortex = area "cortex" 100 |> tau10
        let velocity = readout "velocity" 2

        Circuit.empty
        |> areas [ cortex ]
        |> readouts [ velocity ]
        |> projections [
            cortex --> cortex |> weights (gaussian 1.5) |> learningRate m.Rate
            cortex --> velocity |> weights (uniformScaled 1.0) |> learningRate m.Rate
        ]
        |> feedback [ errorOf velocity --> cortex ]
        |> fun network ->
            experiment "untaught" network (Task.syllables (Syllables.untaught (square m)))
            |> rule m.Rule
            |> trials m.Trials
