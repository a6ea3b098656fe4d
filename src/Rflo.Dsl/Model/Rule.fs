namespace Rflo.Dsl

open Rflo.Core

/// An elementwise function with a name. Descriptions use the name, and two functions with one name are equal.
[<CustomEquality; NoComparison>]
type Elementwise = {
    Name: string
    Apply: System.Func<float, float>
} with

    override this.Equals other =
        match other with
        | :? Elementwise as that -> this.Name = that.Name
        | _ -> false

    override this.GetHashCode() = hash this.Name

/// The averaging window of a running mean.
type Mean =
    /// Over steps, with this time constant.
    | OverTime of float<ms>
    /// Over about so many trials, for a signal with one value a trial; for rewards of the task, over about so many openings of
    /// the gate of the projection that learns (steps, where it is always open).
    | OverTrials of float

/// A factor of a local rule: a signal, optionally minus its running mean, optionally through a function.
type Shaped<'Signal> = {
    Signal: 'Signal
    Mean: Mean option
    Map: Elementwise option
}

/// The decay of an eligibility trace.
type TraceDecay =
    /// With the unit's own time constant, the area's tau.
    | UnitTau
    /// This time constant.
    | TraceTau of float<ms>
    /// No trace: the product of the step alone.
    | NoTrace
    /// No decay: the sum over the trial.
    | WholeTrial
    /// With the unit's diagonal Jacobian: leak and self-connection.
    | OwnJacobian

/// The postsynaptic factor of the trace.
type PostFactor =
    /// alpha phi'(u): the effect of the current on the rate.
    | Slope
    /// The rate h.
    | Rate
    /// The current u.
    | Current
    /// The noise in the current, in units of the area's `noise`.
    | Perturbation

/// The presynaptic factor of the trace.
type PreFactor =
    /// The signal itself.
    | Presynaptic
    /// The signal, low-pass filtered with this time constant.
    | LowPass of float<ms>

/// The third factor: the signal that multiplies a trace to give a weight change.
type Modulator =
    /// The error of the readouts, sent back to the area by the rule's error path.
    | FeedbackError
    /// Minus the loss of the trial, computed at its end.
    | TrialReward
    /// Minus the loss of the step.
    | StepReward
    /// The reward that the task gives in the step.
    | TaskReward
    /// That reward minus the unit's current: the error of the current as a prediction of the reward.
    | RewardError
    /// Nothing: the trace alone.
    | Unmodulated
    /// The output of a readout that has one, the same for all units.
    | ReadoutValue of readout: string
    /// The temporal-difference error of a readout that has one output V, the same for all units: r(t) + gamma V(t) - V(t-1).
    /// V(0) is computed from the initial rates of the trial; its last step is terminal, where V counts as 0.
    | TemporalDifference of readout: string * gamma: float
    /// The delayed firing rate of one unit of an area, the same for all units.
    | UnitRate of area: string * unit: int * delay: float<ms>
    /// Delayed firing rates of an area through fixed weights, (post, pre).
    | AreaRates of area: string * weights: float[,] * delay: float<ms>

    /// Whether it needs the rewards of the task.
    member internal this.TakesReward =
        match this with
        | TaskReward -> true
        | RewardError -> true
        | TemporalDifference _ -> true
        | _ -> false

/// A local rule of three factors: a trace e(t) = memory e(t-1) + post(t) pre(t) for every synapse, and
/// dW(t) = eta / T modulator(t) e(t).
type ThreeFactor = {
    Trace: TraceDecay
    Post: Shaped<PostFactor>
    Pre: Shaped<PreFactor>
    Modulator: Shaped<Modulator>
    /// Whether weights also decay by modulator post^2 W in every step, which bounds Hebbian growth (Oja 1982).
    Oja: bool
}

/// How the changes of weights are computed from an error: credit assignment.
type Credit =
    /// An eligibility trace for every synapse and nothing non-local.
    | Local of ThreeFactor
    /// Backward through the stored trial; exact (Murray 2019, Eqs 18 to 23).
    | BackwardInTime
    /// At the end of every `stride`, its errors are passed backward over the `window` and no further (Williams and Peng 1990).
    | TruncatedBackward of window: float<ms> * stride: float<ms>
    /// Forward, by the influence of every weight on every unit; exact (Eqs 10 to 14).
    | ForwardInTime
    /// Forward, by a random product of small factors whose mean is that influence.
    | Stochastic of factors: InfluenceFactors * noise: MixingNoise
    /// A trace for every synapse, and the sensitivity of every unit to every other with its time constant, learned at this rate from
    /// the effect of small perturbations (KeRNL; Roth et al. 2019).
    | LearnedSensitivity of rate: float
    /// By recursive least squares, in every k-th step: the target of each unit's current is the current of the same unit of
    /// another area, the teacher, in the same step (full-FORCE; DePasquale et al. 2018). `alpha` and `forgetting` are those of
    /// `RecursiveLeastSquares`. Exact for that at a forgetting of 1.
    | TowardCurrents of teacher: string * alpha: float * forgetting: float * everySteps: int
    /// A rule from outside the core: it receives the signals of one area step by step.
    | Own of CustomRule

    /// Whether it uses only signals of the area onto which it learns, and of the projections onto that area.
    member this.StaysInArea = this.IsLocal || this.IsOwn || this.IsTowardCurrents

/// The path of a readout's error to an area.
type ErrorPath =
    /// Through the feedback that the circuit declares.
    | DeclaredFeedback
    /// Through the transpose of the readout's own weights, as in the exact gradient.
    | SymmetricPath

/// How the increments of several trials become one update.
type Combine =
    | Sum
    | Mean

/// How the weights onto a readout learn, whatever the rule of the areas is.
type ReadoutRule =
    /// By the delta rule, dW = eta / T sum over t of eps(t) h(t)'; at the times and with the optimizer of the rule.
    | DeltaRule
    /// By recursive least squares, the readout's part of FORCE (Sussillo and Abbott 2009), in every k-th step: weights that
    /// minimise the sum of squared errors so far, where older ones count less by `forgetting` in (0, 1] with each step, plus
    /// alpha times the squared distance from the weights at the start. Exact at 1. Time and memory O(n^2) a step.
    | RecursiveLeastSquares of alpha: float * forgetting: float * everySteps: int
    /// By ridge regression over all trials so far without the washout of each, at the end of every k-th trial:
    /// weights that minimise the sum of squared errors plus alpha times the squared weights. Exact. Time O(n^2) a step and
    /// O(n^3) an update, memory O(n^2).
    | RidgeRegression of alpha: float * washout: float<ms> * everyTrials: int
    /// By temporal differences, so that the output predicts the rewards of the task: dW = eta / T sum over t of delta(t) e(t-1), where
    /// delta(t) = r(t) + gamma V(t) - V(t-1) and e(t) = gamma lambda e(t-1) + h(t); at the times and with the optimizer of the rule.
    | TdLambda of gamma: float * lambda: float

/// The projections that a rule changes. The weights of the others keep every bit, whatever their learning rates.
type Learns =
    | Everything
    /// Only projections onto readouts, biases included.
    | OnlyReadouts
    /// Only projections onto areas from areas, or from readouts that are fed back.
    | OnlyRecurrent
    /// Only projections onto areas from inputs and from the bias.
    | OnlyInputs

/// When increments are applied to weights.
type Update =
    /// In every step.
    | Online
    /// In every k-th step, and at the end of a trial.
    | EverySteps of k: int
    /// At the end of every trial.
    | TrialEnd
    /// At the end of every k-th trial.
    | EveryTrials of k: int * combine: Combine

/// A learning rule: a point in a space of independent choices. `Rule.rflo |> Rule.update online` is its neighbor
/// that learns step by step.
type Rule = {
    /// Its name in tables and figures.
    Name: string
    Credit: Credit
    Error: ErrorPath
    Update: Update
    Optimizer: Optimizer
    /// Largest norm of the rule's increments in one update.
    Clip: Clip
    Schedule: Schedule
    /// How the weights onto readouts learn.
    Readout: ReadoutRule
    /// The projections that it changes.
    Learns: Learns
}

/// The settings of a rule that words of an experiment set; they replace the rule's own.
[<RequireQualifiedAccess>]
type RuleSettings = {
    Update: Update option
    Optimizer: Optimizer option
    Clip: Clip option
    Schedule: Schedule option
} with

    /// Nothing.
    static member None: RuleSettings = {
        Update = None
        Optimizer = None
        Clip = None
        Schedule = None
    }

    /// The rule as the settings have it.
    member this.Of(rule: Rule) : Rule = {
        rule with
            Update = this.Update |> Option.defaultValue rule.Update
            Optimizer = this.Optimizer |> Option.defaultValue rule.Optimizer
            Clip = this.Clip |> Option.defaultValue rule.Clip
            Schedule = this.Schedule |> Option.defaultValue rule.Schedule
    }

/// Ready-made rules, and the parts of new ones.
[<RequireQualifiedAccess>]
module Rule =

    // Parts.

    /// `Rule.the Rate` is that signal as it is.
    let the signal = {
        Signal = signal
        Mean = None
        Map = None
    }

    /// `Rule.the Rate |> Rule.minusMean (OverTime 100.0<ms>)` is the rate minus its running mean.
    let minusMean mean (factor: Shaped<'Signal>) = { factor with Mean = Some mean }

    /// `Rule.the Current |> Rule.map "cube" (fun x -> x * x * x)` is the current through that function.
    /// A second function is applied to what the first returns.
    let map name (apply: float -> float) (factor: Shaped<'Signal>) = {
        factor with
            Map =
                match factor.Map with
                | None ->
                    Some {
                        Name = name
                        Apply = System.Func<float, float>(apply)
                    }
                | Some first ->
                    Some {
                        Name = $"{name} of {first.Name}"
                        Apply = System.Func<float, float>(first.Apply.Invoke >> apply)
                    }
    }

    /// `Rule.local "mine" trace` is a local rule made of those factors, applied at the end of a trial.
    let local name (trace: ThreeFactor) = {
        Name = name
        Credit = Local trace
        Error = DeclaredFeedback
        Update = TrialEnd
        Optimizer = Optimizer.sgd
        Clip = Clip.None
        Schedule = Schedule.constant
        Readout = DeltaRule
        Learns = Everything
    }

    // Local rules. Time and memory O(n^2) a step for n units.

    let private rfloTrace = {
        Trace = UnitTau
        Post = the Slope
        Pre = the Presynaptic
        Modulator = the FeedbackError
        Oja = false
    }

    let private hebbTrace = {
        Trace = NoTrace
        Post = the Rate
        Pre = the Presynaptic
        Modulator = the Unmodulated
        Oja = false
    }

    /// Random feedback local online learning (Murray 2019, Eqs 5 and 6), applied at the end of a trial. Approximate.
    let rflo = local "rflo" rfloTrace

    /// RFLO with the readout's own weights as feedback: local, but not random. Approximate.
    let localSymmetric = {
        local "local-symmetric" rfloTrace with
            Error = SymmetricPath
    }

    /// E-prop (Bellec et al. 2020): the effect of a unit on itself through other units is left out. For leaky rate units only the leak
    /// remains, so the trace is RFLO's; with the readout's own weights as feedback. Approximate.
    let eprop = {
        local "e-prop" rfloTrace with
            Error = SymmetricPath
    }

    /// SnAp-1 (Menick et al. 2020): RTRL that keeps only a weight's influence on its own unit. Exact where units project
    /// only to themselves; RFLO's trace with the self-connection added.
    let snap1 = {
        local "snap-1" { rfloTrace with Trace = OwnJacobian } with
            Error = SymmetricPath
    }

    /// Hebb's rule: the product of presynaptic and postsynaptic rates. It uses no error.
    let hebb = local "hebb" hebbTrace

    /// Oja's rule (1982): Hebb's, with a decay that keeps a unit's weights at length 1; finds the first principal
    /// component of its presynaptic signals.
    let oja = local "oja" { hebbTrace with Oja = true }

    /// Hebb's rule times the reward that the task gives (Murray 2019, Fig 4).
    let rewardHebb =
        local "reward-hebb" {
            hebbTrace with
                Modulator = the TaskReward
        }

    /// Hebb's rule times the reward minus its running mean over about 100 openings of the gate: with many choices, the choice that
    /// is rewarded first does not replace all others (not in the paper).
    let rewardHebbBaseline =
        local "reward-hebb-baseline" {
            hebbTrace with
                Modulator = the TaskReward |> minusMean (OverTrials 100.0)
        }

    /// The equation as printed in the paper: reward times the current before the competition, instead of the rate after it. The
    /// weights of the largest current grow most, whether it is the right choice or not: it does not learn a sequence.
    let rewardHebbLiteral =
        local "reward-hebb-literal" {
            hebbTrace with
                Post = the Current
                Modulator = the TaskReward
        }

    /// Rate times presynaptic signal times the reward minus the current: the delta rule (Rescorla and Wagner 1972). The current
    /// converges to the expected reward, where learning stops.
    let rewardDelta =
        local "reward-delta" {
            hebbTrace with
                Modulator = the RewardError
        }

    /// Node perturbation, or REINFORCE (Williams 1992; Murray 2019, Eq 8): the area's noise times the presynaptic signal, times the
    /// trial's reward minus its running mean. Its mean follows the gradient; its variance is large.
    let nodePerturbation =
        local "node-perturbation" {
            hebbTrace with
                Post = the Perturbation
                Modulator = the TrialReward |> minusMean (OverTrials 20.0)
        }

    /// Miconi's rule (2017): node perturbation with the cube of the current's deviation from its mean in place of the noise, which
    /// the rule then does not use.
    let miconi =
        local "miconi" {
            hebbTrace with
                Post =
                    the Current |> minusMean (OverTime 20.0<ms>) |> map "cube" (fun x -> x * x * x)
                Modulator = the TrialReward |> minusMean (OverTrials 20.0)
        }

    // Exact rules.

    /// Back-propagation through time. Exact; time O(n^2) a step, memory O(n T) for T steps.
    let bptt = {
        rflo with
            Name = "bptt"
            Credit = BackwardInTime
            Error = SymmetricPath
    }

    /// Back-propagation through time with the declared feedback in place of the readout's weights: random, but not
    /// local. Cost as BPTT.
    let bpttRandom = {
        bptt with
            Name = "bptt-random"
            Error = DeclaredFeedback
    }

    /// `Rule.truncatedBptt 20.0<ms> 10.0<ms>` passes the errors of every 10 ms backward over the last 20 ms: BPTT without effects from
    /// before the window; it can update online. Time O(n^2 window / stride) a step, memory O(n window) beside the trial's own. The
    /// windows do not overlap where both are equal; every error goes equally far back where the stride is dt; it is BPTT where the
    /// window is at least as long as a trial.
    let truncatedBptt window stride = {
        bptt with
            Name = "truncated-bptt"
            Credit = TruncatedBackward(window, stride)
    }

    /// Truncated BPTT with the usual choice of a window of two strides: 20 ms and 10 ms.
    let tbptt = truncatedBptt 20.0<ms> 10.0<ms>

    /// Real-time recurrent learning. Exact; time O(n^4) a step online, an eighth of it with updates at the end of a trial (where
    /// products can be reordered), memory O(n^3).
    let rtrl = {
        bptt with
            Name = "rtrl"
            Credit = ForwardInTime
    }

    /// Real-time recurrent learning with the declared feedback in place of the readout's weights. Cost as RTRL.
    let rtrlRandom = {
        rtrl with
            Name = "rtrl-random"
            Error = DeclaredFeedback
    }

    // Random approximations of RTRL, right on average.

    /// Unbiased online recurrent optimization (Tallec and Ollivier 2017). Time and memory O(n^2) a step; very noisy.
    let uoro = {
        rtrl with
            Name = "uoro"
            Credit = Stochastic(InfluenceFactors.RankOne, MixingNoise.Rademacher)
    }

    /// KF-RTRL (Mujika et al. 2018). Time O(n^3) a step, memory O(n^2); the least noisy of the three.
    let kfRtrl = {
        rtrl with
            Name = "kf-rtrl"
            Credit = Stochastic(InfluenceFactors.Kronecker, MixingNoise.Rademacher)
    }

    /// Reverse KF-RTRL. Time O(n^3) a step, memory O(n^2); about as noisy as UORO.
    let reverseKfRtrl = {
        rtrl with
            Name = "reverse-kf-rtrl"
            Credit = Stochastic(InfluenceFactors.ReverseKronecker, MixingNoise.Rademacher)
    }

    // Learned approximations of RTRL.

    /// KeRNL (Roth, Kanitscheider and Fiete 2019): it begins as the symmetric local rule, and also learns the sensitivities of units to
    /// each other. Approximate, but nearer to the gradient; time and memory O(n^2) a step.
    let kernl = {
        rtrl with
            Name = "kernl"
            Credit = LearnedSensitivity 0.02
    }

    // Weights between areas by least squares.

    /// `cortex --> cortex |> learnBy (Rule.fullForce "teacher") 1.0` learns by recursive least squares in every step, alpha = 1, to make the currents of
    /// cortex those of the area "teacher", which has as many units: full-FORCE (DePasquale et al. 2018). Time and memory O(n^2) a step where all units
    /// receive the same, O(n^3) where connections differ, as without self-connections. The rate only marks a projection as plastic.
    let fullForce teacher = {
        rflo with
            Name = "full-force"
            Credit = TowardCurrents(teacher, 1.0, 1.0, 1)
    }

    // Custom rules.

    /// `Rule.ofCore (MyRule())` is a rule that derives from `Rflo.Core.CustomRule`; its name is its description. It has an error
    /// path of its own.
    let ofCore (custom: CustomRule) = {
        rflo with
            Name = custom.Description
            Credit = Own custom
            Error =
                if custom.Path = Rflo.Core.ErrorPath.Symmetric then
                    SymmetricPath
                else
                    DeclaredFeedback
    }

    /// `Rule.defineLearner "my rule" (fun site -> { new AreaLearner() with ... })` is a rule from an object for each area, which
    /// may keep numbers from one trial to the next (`Memory`, saved with checkpoints) and receive whole trials (`ObserveTrial`).
    /// The name holds all its constants: two rules of one name are the same.
    let defineLearner name (start: AreaSite -> AreaLearner) =
        ofCore (DefinedRule(name, System.Func<_, _> start))

    let private ofSteps (start: AreaSite -> LearningStep -> unit) =
        System.Func<_, _>(fun site ->
            // Applied here, once an area: in a delegate of the whole expression `start` would be called in every step.
            let step = start site
            System.Action<LearningStep>(fun now -> step now))

    /// `Rule.define "my rflo" (fun site -> let trace = ... in fun now -> ...)` is a rule from a function that is called once for each area,
    /// and returns a function that is called after every step: it reads `now.Pre 0`, `now.C()`, `now.Signal`, ..., and writes the
    /// increments of projection k into `now.Increments k`, shape (post, pre), row-major. Traces are its variables, reset where
    /// `now.Step = 1`. The name holds all its constants: two rules of one name are the same.
    let define name start =
        ofCore (DefinedRule.OfSteps(name, ofSteps start))

    /// `Rule.defineUnsupervised "my hebb" (fun site -> fun now -> ...)` is `Rule.define` for a rule that reads no error
    /// (`now.Signal`), so that its areas need no feedback.
    let defineUnsupervised name start =
        ofCore (DefinedRule.OfSteps(name, ofSteps start, readsSignal = false))

    // Settings of rules.

    /// `Rule.bptt |> Rule.update online` sets when its updates are applied.
    let update time (rule: Rule) = { rule with Rule.Update = time }

    /// `Rule.bptt |> Rule.optimizer Optimizer.adam` computes its updates by Adam.
    let optimizer how (rule: Rule) = { rule with Rule.Optimizer = how }

    /// `Rule.bptt |> Rule.clip (Clip.All 1.0)` shortens its increments in one update to that norm.
    let clip norm (rule: Rule) = { rule with Rule.Clip = norm }

    /// `Rule.bptt |> Rule.schedule (Schedule.cosine 2000.0)` sets the schedule of its learning rates.
    let schedule rates (rule: Rule) = { rule with Rule.Schedule = rates }

    /// `Rule.bptt |> Rule.readoutsBy (RidgeRegression(alpha = 1e-6, washout = 50.0<ms>, everyTrials = 1))` sets how the weights
    /// onto readouts learn.
    let readoutsBy how (rule: Rule) = { rule with Rule.Readout = how }

    /// `Rule.rflo |> Rule.withErrorPath SymmetricPath` sets the path of its errors.
    let withErrorPath path (rule: Rule) = { rule with Rule.Error = path }

    // Ablations: a rule without some projections.

    let private wordOf =
        function
        | Everything -> ""
        | OnlyReadouts -> "-readouts"
        | OnlyRecurrent -> "-recurrent"
        | OnlyInputs -> "-inputs"

    /// Replaces an earlier ablation, also in the rule's name.
    let private only learns (rule: Rule) =
        let before = wordOf rule.Learns

        let name =
            if before <> "" && rule.Name.EndsWith(before, System.StringComparison.Ordinal) then
                rule.Name.Substring(0, rule.Name.Length - before.Length)
            else
                rule.Name

        {
            rule with
                Name = name + wordOf learns
                Learns = learns
        }

    /// `Rule.readoutOnly Rule.rflo` is that rule where only projections onto readouts learn.
    let readoutOnly rule = only OnlyReadouts rule

    /// `Rule.recurrentOnly Rule.bptt` is that rule where only projections from areas and fed-back readouts onto areas
    /// learn.
    let recurrentOnly rule = only OnlyRecurrent rule

    /// `Rule.inputOnly Rule.rtrl` is that rule where only input weights and biases of areas learn.
    let inputOnly rule = only OnlyInputs rule

    // Rules for readouts alone.

    /// Only readouts learn, by the delta rule. Exact where none is fed back; time and memory O(n) a step and output.
    let delta = { readoutOnly rflo with Name = "delta" }

    /// FORCE (Sussillo and Abbott 2009): only readouts learn, by recursive least squares in every step, alpha = 1. Where the
    /// readout is fed back, the fed-back signal changes as it learns. Time and memory O(n^2) a step.
    let force = {
        delta with
            Name = "force"
            Readout = RecursiveLeastSquares(1.0, 1.0, 1)
    }

    /// The readout of an echo-state network (Jaeger 2001): only readouts learn, by ridge regression over all trials so far,
    /// alpha = 1e-6, no washout. Time O(n^2) a step and O(n^3) a trial, memory O(n^2).
    let ridge = {
        delta with
            Name = "ridge"
            Readout = RidgeRegression(1e-6, 0.0<ms>, 1)
    }

    /// With `Rule.td 0.95 0.9` readouts are critics: by TD(lambda), with gamma 0.95 a step and lambda 0.9, they learn to predict the
    /// rewards of the task (Sutton and Barto 2018). `cortex --> value |> learnBy (Rule.td 0.95 0.9) 0.1` is one beside other
    /// rules. Time and memory O(n) a step.
    let td gamma lambda = {
        delta with
            Name = "td"
            Readout = TdLambda(gamma, lambda)
    }

    /// Every ready-made rule, in the order of the documentation.
    let all = [
        rflo
        localSymmetric
        eprop
        snap1
        hebb
        oja
        rewardHebb
        rewardHebbBaseline
        rewardHebbLiteral
        rewardDelta
        nodePerturbation
        miconi
        bptt
        bpttRandom
        tbptt
        rtrl
        rtrlRandom
        uoro
        kfRtrl
        reverseKfRtrl
        kernl
        delta
        force
        ridge
    ]

    /// `Rule.named "bptt"` is the ready-made rule of that name, if there is one.
    let named name =
        all |> List.tryFind (fun (rule: Rule) -> rule.Name = name)
