namespace Rflo.Dsl

open Rflo.Core

/// How an update is computed from the increments of a rule; see the module of that name. An assembly may add others.
type Optimizer = Rflo.Core.Optimizer

/// The largest norm of the increments of one update: `Clip.None` (default), `Clip.Each 0.1` for every projection by itself,
/// `Clip.All 1.0` over all parameters together, as PyTorch's clip_grad_norm_ does.
type Clip = Rflo.Core.Clip

/// How learning rates change from trial to trial; see the module of that name. An assembly may add others.
type Schedule = LearningRateSchedule

/// The loss of a readout's outputs and targets; see the module of that name. An assembly may add others.
type Loss = Rflo.Core.Loss

/// A penalty on an area's rates; see the module of that name.
type Penalty = RatePenalty

/// A unit with states of its own, such as a spiking unit; see the module of that name. An assembly may add others.
type UnitModel = Rflo.Core.UnitModel

/// `area "cortex" 100 |> units (UnitModel.lif 1.0)` is an area of spiking units.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module UnitModel =

    /// Leaky integrate-and-fire units with that threshold, whose surrogate slope has the height 0.3 / threshold (Bellec et al. 2020):
    /// v(t) = (1 - alpha) v(t-1) + alpha u(t) - threshold z(t-1), z(t) = 1 where v(t) reaches the threshold, 0 elsewhere.
    let lif threshold : UnitModel = LeakyIntegrateAndFire threshold

    /// The same with another height of the surrogate slope, `UnitModel.lifWith 1.0 0.5` with 0.5 / threshold.
    let lifWith threshold dampening : UnitModel =
        LeakyIntegrateAndFire(threshold, dampening)

    /// `UnitModel.define "adapting (0.7)" [ "v"; "a" ] step signal` is a model of your own: the step writes `State`, and the derivatives `A` and `C` of
    /// it, from `Before`, `Current` and `Alpha`; the signal gives the rate of `State` and writes `G`. The name must contain all
    /// constants. It is called for every unit in every step, in double precision; a C# class (Rflo.Core.UnitModel) is faster.
    let define
        name
        (states: string list)
        (step: OneUnit -> unit)
        (signal: OneUnit -> float)
        : UnitModel =
        PointwiseUnits(name, Array.ofList states, step, signal)

/// `experiment ... |> optimizer Optimizer.adam` learns by Adam, whatever the rule.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Optimizer =

    /// dW = eta g; the default.
    let sgd = Rflo.Core.Optimizer.Plain

    /// m = beta m + g, dW = eta m (Polyak 1964).
    let momentum beta : Optimizer = Momentum(beta, false)

    /// m = beta m + g, dW = eta (g + beta m) (Sutskever et al. 2013).
    let nesterov beta : Optimizer = Momentum(beta, true)

    /// Adam with the usual decay rates of its means, 0.9 and 0.999 (Kingma and Ba 2015).
    let adam: Optimizer = Adam()

    /// Adam with these decay rates.
    let adamWith beta1 beta2 : Optimizer = Adam(beta1, beta2)

    /// `Optimizer.adamW 0.01` is Adam with that decoupled weight decay (Loshchilov and Hutter 2019).
    let adamW decay : Optimizer = AdamW decay

    /// RMSprop with that decay rate, usually 0.99 (Tieleman and Hinton 2012).
    let rmsProp beta : Optimizer = RmsProp beta

/// `experiment ... |> schedule (Schedule.cosine 2000.0)` sets how its learning rates change over trials.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Schedule =

    /// The same throughout; the default.
    let constant = LearningRateSchedule.Constant

    /// Exponential: half as much every so many trials, without steps.
    let halvedEvery trials : Schedule = HalvedRate trials

    /// Inverse: 1 / (1 + trial / trials).
    let inverse trials : Schedule = InverseRate trials

    /// `Schedule.stepped 500 0.1` multiplies them by 0.1 every 500 trials.
    let stepped trials factor : Schedule = SteppedRate(trials, factor)

    /// Half a cosine down to 0 over so many trials (Loshchilov and Hutter 2017).
    let cosine trials : Schedule = CosineRate(trials, 0.0)

    /// `Schedule.cosineTo 0.1 2000.0` is half a cosine down to a tenth over 2,000 trials, and a tenth from then on.
    let cosineTo last trials : Schedule = CosineRate(trials, last)

    /// `Schedule.warmUp 100 (Schedule.cosine 2000.0)` rises linearly over 100 trials; then the other begins.
    let warmUp trials (next: Schedule) : Schedule = WarmUp(trials, next)

    /// `Schedule.onPlateau 0.1 200` multiplies them by 0.1 whenever the mean loss (over the `lossWindow`) has not become smaller
    /// for 200 trials.
    let onPlateau factor patience : Schedule = PlateauRate(factor, patience)

    /// `Schedule.ofTrial "sawtooth" (fun trial -> ...)` takes the factor of a trial, counted from 0, from a function.
    let ofTrial name (factor: int -> float) : Schedule =
        RateOfTrial(name, System.Func<int, float>(factor))

/// `readout "hand" 2 |> loss (Loss.huber 0.5)` is compared with its targets by that loss.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Loss =

    /// Half the squared error.
    let squaredError: Loss = SquaredError()

    /// Cross-entropy, of a sigmoid or a softmax.
    let crossEntropy: Loss = CrossEntropy()

    /// Half the squared error up to an error of delta, linear beyond.
    let huber delta : Loss = HuberLoss delta

    /// Rates against counts: y - y* log y, for an exponential, softplus, sigmoid or softmax readout.
    let poisson: Loss = PoissonLoss()

    /// max(0, margin - y* y), for targets of -1 and 1.
    let hinge margin : Loss = HingeLoss margin

/// `area "cortex" 50 |> penalties [ Penalty.l2 0.01 ]` adds a penalty on rates to the loss; rules that use errors reduce it.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Penalty =

    /// strength / 2 times the sum of squared rates, in the mean over steps.
    let l2 strength =
        RatePenalty(PenaltyKind.Square, strength)

    /// strength times the sum of absolute rates, in the mean over steps.
    let l1 strength =
        RatePenalty(PenaltyKind.Absolute, strength)

    /// `Penalty.toward 0.2 0.01` is 0.01 / 2 times the sum of squared distances from a rate of 0.2, in the mean over steps.
    let toward rate strength =
        RatePenalty(PenaltyKind.Square, strength, rate)

    /// `Penalty.meanToward 0.2 0.01` uses the distance of each unit's mean rate over the trial, which is computed at its end: for
    /// BPTT, and local rules at the end of a trial.
    let meanToward rate strength =
        RatePenalty(PenaltyKind.Square, strength, rate, true)
