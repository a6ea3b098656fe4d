namespace Rflo.Dsl

open Rflo.Core

/// The words of a model. Each takes its part last, so that parts are built with `|>`; none can fail: what is wrong
/// with a declaration is said by `Check`, all of it at once. The order of different words does not matter; a word that is said
/// again replaces what it said before. Arrays are copied.
[<AutoOpen>]
module Declare =

    // Areas.

    /// `area "cortex" 50` is an area of 50 tanh units: tau 10 ms, no noise, every trial from rates 0.1.
    let area name units : Area = {
        Name = name
        Units = units
        Tau = SameTau 10.0<ms>
        Transfer = Transfer.Tanh
        Dynamics = Leaky
        Noise = 0.0
        Initial = Reset 0.1
        Dale = None
        TauRate = None
        Penalties = []
        Populations = []
        Lost = []
    }

    /// `relay "thalamus" 4` is an area that hands on what it receives: identity, a leak of one step, rates from 0.
    let relay name units : Area = {
        area name units with
            Tau = OneStep
            Transfer = Transfer.Identity
            Initial = Reset 0.0
    }

    /// `winnerTakeAll "striatum" 4` is an area in which the unit with the largest current is 1 and the others are 0.
    let winnerTakeAll name units : Area = {
        area name units with
            Dynamics = WinnerTakeAll 0.0
            Tau = OneStep
            Transfer = Transfer.Identity
            Initial = Reset 0.0
    }

    /// `a |> tau 20.0<ms>` is the area a with that time constant in every unit.
    let tau (constant: float<ms>) (area: Area) = { area with Tau = SameTau constant }

    /// `a |> taus [| 5.0<ms>; 20.0<ms> |]` is the area a with a time constant of its own for each unit.
    let taus (constants: float<ms>[]) (area: Area) = {
        area with
            Tau = TauOfUnit(Array.copy constants)
    }

    /// `a |> transfer Transfer.Relu` is the area a with that transfer function.
    let transfer phi (area: Area) = { area with Transfer = phi }

    /// `a |> noise 0.1` is the area a with normal noise in every current, of that standard deviation in steps of 1 ms; with
    /// steps of dt it is 0.1 / sqrt(dt / ms), so that rates vary alike whatever dt is.
    let noise deviation (area: Area) = { area with Noise = deviation }

    /// `a |> initial (CarriedOver 0.0)` is the area a whose trials begin so.
    let initial start (area: Area) = {
        area with
            Initial =
                match start with
                | ResetTo rates -> ResetTo(Array.copy rates)
                | other -> other
    }

    /// `a |> learnTau 0.1` lets every unit of a learn its time constant by the experiment's rule: d ln tau = -0.1 dL / d ln tau,
    /// exact under BPTT and RTRL, local under RFLO and its like; tau stays at or above dt.
    let learnTau rate (area: Area) = { area with TauRate = Some rate }

    /// `a |> dale 0.8` is the area a under Dale's law: the first 80 % of its units are excitatory, the others
    /// inhibitory, and every weight that leaves a unit for an area has the unit's sign.
    let dale excitatory (area: Area) = { area with Dale = Some excitatory }

    /// A word that can have no effect on the area: the check says so.
    let private losing what instead (area: Area) = {
        area with
            Lost = area.Lost |> Lost.add what instead
    }

    let private bothForms (model: UnitModel) =
        losing $"it is given the current form and the units {model}" "leave one of them out"

    /// `a |> currentForm` is the area a in the current form, tau dx/dt = -x + W h + ..., h = phi(x), as PsychRNN, FORCE and most cognitive
    /// models have it; by default tau dh/dt = -h + phi(W h + ...). `initial` then says where x begins.
    let currentForm (area: Area) =
        match area.Dynamics with
        | Leaky
        | CurrentForm -> { area with Dynamics = CurrentForm }
        | OfModel model -> bothForms model area
        | WinnerTakeAll _ ->
            area
            |> losing
                "it is given the current form, and a winner-take-all area has no leak"
                $"declare it as area \"{area.Name}\", or leave currentForm out"

    /// `a |> units (UnitModel.lif 1.0)` is the area a of leaky integrate-and-fire units, or of units of any other model. `initial` then says where
    /// their first state begins; the model has no use for a transfer function.
    let units (model: UnitModel) (area: Area) =
        match area.Dynamics with
        | Leaky
        | OfModel _ -> { area with Dynamics = OfModel model }
        | CurrentForm -> bothForms model area
        | WinnerTakeAll _ ->
            area
            |> losing
                $"it is given the units {model}, and a winner-take-all area has units of its own"
                $"declare it as area \"{area.Name}\", or leave units out"

    /// `a |> penalties [ Penalty.l2 0.01 ]` is the area a whose rates cost that, beside the losses of the readouts: all rules that
    /// learn from errors learn by it.
    let penalties (costs: Penalty list) (area: Area) = { area with Penalties = costs }

    /// `a |> population "left" [ 0 .. 9 ]` is the area a in which those units have a name; `a["left"]` is an end of
    /// projections.
    let population name units (area: Area) = {
        area with
            Populations = area.Populations @ [ name, units ]
    }

    /// `s |> explore 0.1` is the winner-take-all area s in which a random unit wins with that probability. Other areas do not
    /// explore; the check refuses it.
    let explore probability (area: Area) =
        match area.Dynamics with
        | WinnerTakeAll _ -> {
            area with
                Dynamics = WinnerTakeAll probability
          }
        | Leaky
        | OfModel _
        | CurrentForm ->
            area
            |> losing
                "it explores, and only a winner-take-all area does"
                $"declare it as winnerTakeAll \"{area.Name}\", or leave explore out"

    // Inputs and readouts.

    /// `input "cue" 2` is two channels of what the task shows.
    let input name channels : Input = { Name = name; Channels = channels }

    /// `readout "hand" 2` is two linear outputs, compared with the task's targets by squared error.
    let readout name outputs : Readout = {
        Name = name
        Outputs = outputs
        Output = Output.Linear
        Loss = None
    }

    /// `r |> output Output.Softmax` is the readout r with that nonlinearity, and its loss if `loss` names no other.
    let output kind (readout: Readout) = { readout with Output = kind }

    /// `r |> loss (Loss.huber 0.5)` is the readout r whose outputs are compared with the task's targets by that loss.
    let loss (cost: Loss) (readout: Readout) = { readout with Loss = Some cost }

    /// The constant 1: `bias --> cortex` gives each unit of cortex a bias.
    let bias = Bias

    // Projections: how they begin.

    /// `gaussian 1.5` draws weights with standard deviation 1.5 / sqrt n, n the expected inputs of a unit (gain g).
    let gaussian gain = Gaussian gain

    /// `uniform -1.0 1.0` draws weights evenly between the two.
    let uniform low high = Uniform(low, high)

    /// `uniformScaled 1.0` draws weights evenly between -1 / sqrt n and 1 / sqrt n, n the expected inputs of a unit.
    let uniformScaled bound = UniformScaled bound

    /// `spectralRadius 0.9` draws normal weights of an area to itself and scales them so that the largest magnitude of an
    /// eigenvalue is 0.9, whatever signs and masks they have: how an echo-state network begins. O(n^3) once.
    let spectralRadius radius = SpectralRadius radius

    /// `constant 0.1` makes all weights the same.
    let constant weight = Constant weight

    /// `oneToOne 1.0` connects unit k to unit k with that weight, and nothing else.
    let oneToOne weight = OneToOne weight

    /// `given w` starts from the matrix w, of shape (post, pre).
    let given (matrix: float[,]) = Given(Array2D.copy matrix)

    /// `p |> weights (gaussian 1.5)` is the projection p with weights that begin so.
    let weights start (projection: Projection) = { projection with Weights = start }

    /// Of a density and a mask, one would be lost.
    let private twice (projection: Projection) = {
        projection with
            Lost =
                projection.Lost
                |> Lost.add
                    "it has a density and a mask, and either says which connections exist"
                    "leave one of them out, or draw the connections of the mask more sparsely"
    }

    /// `p |> density 0.1` keeps a tenth of the connections, drawn once; the others do not exist. Not beside a mask, nor with weights
    /// that are given.
    let density fraction (projection: Projection) =
        match projection.Connectivity with
        | Mask _ -> twice projection
        | Dense
        | Density _ -> {
            projection with
                Connectivity = Density fraction
          }

    /// `p |> mask m` keeps the connections where the matrix m, of shape (post, pre), is true. Not beside a density.
    let mask (matrix: bool[,]) (projection: Projection) =
        match projection.Connectivity with
        | Density _ -> twice projection
        | Dense
        | Mask _ -> {
            projection with
                Connectivity = Mask(Array2D.copy matrix)
          }

    /// `p |> noSelf` has no connection from a unit to itself; of projections from an area to itself.
    let noSelf (projection: Projection) = {
        projection with
            SelfConnections = false
    }

    /// `p |> balanced` scales the inhibitory weights at the start so that the expected inputs of every unit sum to zero, whatever
    /// connections a density, a mask or `noSelf` leave it.
    let balanced (projection: Projection) = { projection with Balanced = true }

    // Projections: when they act.

    /// `p |> delay 5.0<ms>` acts on rates that are 5 ms old; without it, on those of one step ago.
    let delay (duration: float<ms>) (projection: Projection) = {
        projection with
            Delay = Some duration
    }

    /// `p |> gate (Every 200.0<ms>)` lets its signal through only then.
    let gate opening (projection: Projection) = { projection with Opening = opening }

    // Projections: how they learn.

    /// `p |> learning 0.03` learns at that rate: by its own rule, if `learningBy` gave it one, else by the experiment's.
    let learning rate (projection: Projection) = {
        projection with
            Plasticity =
                match projection.Plasticity with
                | LearningBy(_, rule) -> LearningBy(rate, rule)
                | Learning _
                | Frozen -> Learning rate
    }

    /// `p |> learningBy Rule.rflo 0.03` learns at that rate by a rule of its own.
    let learningBy rule rate (projection: Projection) = {
        projection with
            Plasticity = LearningBy(rate, rule)
    }

    /// `p |> frozen` does not learn, so it does not decay either; the default.
    let frozen (projection: Projection) = {
        projection with
            Plasticity = Frozen
            Decay = 0.0
            L1 = 0.0
            L2 = 0.0
    }

    /// `p |> bounds -1.0 1.0` keeps every weight between the two.
    let bounds low high (projection: Projection) = {
        projection with
            Bounds = Some(low, high)
    }

    /// `p |> decay 1e-4` lets the updates of a trial also take learning rate * decay * weight away, past optimizer and clipping:
    /// decoupled weight decay. Under `Optimizer.adam` it is AdamW.
    let decay strength (projection: Projection) = { projection with Decay = strength }

    /// `p |> l2 1e-4` adds that over 2 times the sum of squared weights to what is minimised: its gradient passes through clipping and
    /// optimizer. Without these it is the same as `decay`.
    let l2 strength (projection: Projection) = { projection with L2 = strength }

    /// `p |> l1 1e-4` adds that times the sum of absolute weights to what is minimised.
    let l1 strength (projection: Projection) = { projection with L1 = strength }

    /// `p |> named "slow"` is called by that name; needed where several projections have the same two ends.
    let named label (projection: Projection) = { projection with Label = Some label }

    // Feedback.

    /// `errorOf y` is the error of the readout y: `errorOf y --> cortex` tells it to cortex.
    let errorOf (readout: Readout) = ErrorOf readout.Name

    /// `random 1.0`: fixed random weights with that standard deviation.
    let random scale = RandomFeedback scale

    /// The transpose of the readout's own weights, at every moment.
    let symmetric = SymmetricFeedback

    /// `matrix b`: these fixed weights, of shape (units, outputs).
    let matrix (weights: float[,]) = GivenFeedback(Array2D.copy weights)

    /// `f |> through (random 0.5)` carries the error through those weights.
    let through weights (feedback: Feedback) = { feedback with Through = weights }

    // Circuits.

    /// The empty circuit: the unit of `Circuit.merge`, and where a declaration starts.
    let circuit: Circuit = {
        Areas = []
        Inputs = []
        Readouts = []
        Projections = []
        Feedback = []
        Unmatched = []
    }

    /// `c |> areas [ m1; pmd ]` also has those areas.
    let areas more (circuit: Circuit) = {
        circuit with
            Areas = circuit.Areas @ more
    }

    /// `c |> inputs [ cue ]` also has those inputs; their channels follow those declared before.
    let inputs more (circuit: Circuit) = {
        circuit with
            Inputs = circuit.Inputs @ more
    }

    /// `c |> readouts [ hand ]` also has those readouts; their targets follow those declared before.
    let readouts more (circuit: Circuit) = {
        circuit with
            Readouts = circuit.Readouts @ more
    }

    /// `c |> projections [ pmd --> m1 ]` also has those projections.
    let projections more (circuit: Circuit) = {
        circuit with
            Projections = circuit.Projections @ more
    }

    /// `c |> feedback [ errorOf hand --> m1 ]` also tells those errors.
    let feedback more (circuit: Circuit) = {
        circuit with
            Feedback = circuit.Feedback @ more
    }

    // Experiments.

    /// `experiment "reach" c t` trains the circuit c on the task t: RFLO, 1000 trials, seed 1, dt 1 ms, double precision.
    let experiment name circuit task =
        Unused.declared name

        {
            Name = name
            Circuit = circuit
            Task = task
            Rule = Rule.rflo
            Update = None
            Trials = 1000
            Seed = 1L
            Dt = 1.0<ms>
            Precision = Precision.Double
            Stopping = Stopping.never
            Probes = []
            Perturbations = []
        }

    /// `e |> rule Rule.bptt` learns by that rule, at the time that `update` says, if it was said.
    let rule (learning: Rule) (experiment: Experiment) = {
        experiment with
            Rule =
                match experiment.Update with
                | Some time -> { learning with Update = time }
                | None -> learning
    }

    /// `e |> update Online` applies the updates of the experiment's rule then, whatever the rule says by itself.
    let update time (experiment: Experiment) = {
        experiment with
            Rule = { experiment.Rule with Update = time }
            Update = Some time
    }

    /// `e |> trials 10_000` trains for that many trials.
    let trials count (experiment: Experiment) = { experiment with Trials = count }

    /// `e |> seed 3` draws all its random numbers from seed 3.
    let seed number (experiment: Experiment) = { experiment with Seed = int64 number }

    /// `e |> dt 0.5<ms>` makes steps of half a millisecond.
    let dt (duration: float<ms>) (experiment: Experiment) = { experiment with Dt = duration }

    /// `e |> precision Precision.Single` computes with 32-bit numbers.
    let precision numbers (experiment: Experiment) = { experiment with Precision = numbers }

    /// `e |> stopAtLoss 1e-4` ends the run as soon as the mean loss of the last 50 trials that have a target (`lossWindow` sets another
    /// number) is at or below that.
    let stopAtLoss loss (experiment: Experiment) = {
        experiment with
            Stopping = {
                experiment.Stopping with
                    TargetLoss = Some loss
            }
    }

    /// `e |> patience 200` ends the run when 200 trials in a row, of those that have a target, brought no new smallest mean loss
    /// (of the last 50 trials; `lossWindow` sets another number).
    let patience trials (experiment: Experiment) = {
        experiment with
            Stopping = {
                experiment.Stopping with
                    Patience = Some trials
            }
    }

    /// `e |> lossWindow 20` lets `stopAtLoss`, `patience` and `keepBest` look at the mean loss of the last 20 trials that have a target.
    /// Before there were so many there is no mean, and no run stops.
    let lossWindow trials (experiment: Experiment) = {
        experiment with
            Stopping = {
                experiment.Stopping with
                    Window = trials
            }
    }

    /// `e |> keepBest` keeps the weights of the trial that made the mean loss (of the last 50 trials that have a target; `lossWindow`
    /// sets another number) the smallest, beside those of the last trial. Of a run too short for a mean they are those of its last trial.
    let keepBest (experiment: Experiment) = {
        experiment with
            Stopping = {
                experiment.Stopping with
                    KeepBest = true
            }
    }

    /// `e |> validate 50 100` runs 100 test trials without learning after every 50 trained trials: the columns "validation loss" and
    /// "validation performance" of metrics.csv, `trained.Probes["validation loss"]`. They are always the same 100, and none of the training.
    /// No bit of the run depends on them, unless `byValidation`, `stopAtPerformance` or a curriculum looks at them.
    let validate every trials (experiment: Experiment) = {
        experiment with
            Probes =
                {
                    Probe = Probe.Validation trials
                    Every = every
                }
                :: (experiment.Probes |> List.filter (_.Probe.IsValidation >> not))
    }

    /// `e |> byValidation` lets `stopAtLoss`, `patience`, `keepBest` and `Rates.plateau` look at the validation loss (`validate`) and not at
    /// the losses of the training.
    let byValidation (experiment: Experiment) = {
        experiment with
            Stopping = {
                experiment.Stopping with
                    ByValidation = true
            }
    }

    /// `e |> stopAtPerformance 0.9` ends the run as soon as the validation performance (`validate`) is at or above that.
    let stopAtPerformance performance (experiment: Experiment) = {
        experiment with
            Stopping = {
                experiment.Stopping with
                    TargetPerformance = Some performance
            }
    }

    /// `e |> probe 10 [ Probe.angle Rule.bptt; Probe.spectralRadius cortex ]` also measures those in every tenth trial,
    /// the first among them. No bit of the run depends on it.
    let probe every probes (experiment: Experiment) = {
        experiment with
            Probes = experiment.Probes @ [ for probe in probes -> { Probe = probe; Every = every } ]
    }

    /// `e |> perturb [ silence cortex |> during "delay" |> inFraction 0.3 ]` trains under those perturbations too.
    let perturb more (experiment: Experiment) = {
        experiment with
            Perturbations = experiment.Perturbations @ more
    }
