namespace Rflo.Dsl

/// The words of projections and of feedback.
[<AutoOpen>]
module ProjectionWords =

    /// `cue --> motor` is a projection from all of cue to all of motor: frozen normal weights of gain 1, a delay of one step. A
    /// circuit that takes it also has its two ends. From areas, populations, inputs, channels, readouts and `bias`, to areas,
    /// populations and readouts; `errorOf hand --> motor` is feedback.
    let (-->) (source: ISource<'Arrow>) (target: ITarget) : 'Arrow = source.To target

    /// The constant 1: `bias --> cortex` gives each unit of cortex a bias.
    let bias = Bias

    /// Initial weights, for `weights`.
    [<AutoOpen>]
    module Weights =

        /// `gaussian 1.5` draws weights with standard deviation 1.5 / sqrt n, n the expected inputs of a unit (gain g).
        let gaussian gain = Gaussian gain

        /// `uniform -1.0 1.0` draws weights uniformly between the two.
        let uniform low high = Uniform(low, high)

        /// `uniformScaled 1.0` draws weights uniformly between -1 / sqrt n and 1 / sqrt n, n the expected inputs of a unit.
        let uniformScaled bound = UniformScaled bound

        /// `spectralRadius 0.9` draws normal weights of an area to itself and scales them so that the largest magnitude of an
        /// eigenvalue is 0.9, whatever signs and masks they have, as in echo-state networks. O(n^3), once.
        let spectralRadius radius = SpectralRadius radius

        /// `constant 0.1` makes all weights the same.
        let constant weight = Constant weight

        /// `oneToOne 1.0` connects unit k to unit k with that weight, and nothing else.
        let oneToOne weight = OneToOne weight

        /// `ofMatrix w` starts from the matrix w, of shape (post, pre).
        let ofMatrix (matrix: float[,]) = Given(Array2D.copy matrix)

    /// When the gate of a projection is open, for `gate`.
    [<AutoOpen>]
    module Gate =

        /// In every step; the default.
        let always = Always

        /// `gate (every 200.0<ms>)`: once every 200 ms.
        let every (period: float<ms>) = Every period

        /// `gate atTrialEnd`: in the last step of a trial.
        let atTrialEnd = AtTrialEnd

        /// `gate (atEvent "go")`: in the steps in which the task marks that event.
        let atEvent name = AtEvent name

    /// Words for projections.
    [<AutoOpen>]
    module Projection =

        /// `p |> weights (gaussian 1.5)` is the projection p with those initial weights.
        let weights start (projection: Projection) = { projection with Weights = start }

        /// A projection with both a density and a mask, which the check refuses: only one of them can be kept.
        let private twice (projection: Projection) = {
            projection with
                Lost =
                    projection.Lost
                    |> Lost.add
                        "it has a density and a mask, and each of them sets which connections exist"
                        "leave one of them out, or draw the connections of the mask more sparsely"
        }

        /// `p |> density 0.1` keeps a tenth of the connections, drawn once; the others do not exist. It cannot be combined with a
        /// mask or with given weights.
        let density fraction (projection: Projection) =
            match projection.Connectivity with
            | Mask _ -> twice projection
            | Dense
            | Density _ -> {
                projection with
                    Connectivity = Density fraction
              }

        /// `p |> mask m` keeps the connections where the matrix m, of shape (post, pre), is true. It cannot be combined with a density.
        let mask (matrix: bool[,]) (projection: Projection) =
            match projection.Connectivity with
            | Density _ -> twice projection
            | Dense
            | Mask _ -> {
                projection with
                    Connectivity = Mask(Array2D.copy matrix)
              }

        /// `p |> noSelf` has no connection from a unit to itself, for projections from an area to itself.
        let noSelf (projection: Projection) = {
            projection with
                SelfConnections = false
        }

        /// `p |> balanced` scales the inhibitory weights at the start so that the expected inputs of every unit sum to zero, for the
        /// connections that a density, a mask or `noSelf` leave.
        let balanced (projection: Projection) = { projection with Balanced = true }

        /// `p |> delay 5.0<ms>` uses the rates of 5 ms ago; without it, those of one step ago.
        let delay (duration: float<ms>) (projection: Projection) = {
            projection with
                Delay = Some duration
        }

        /// `p |> gate (every 200.0<ms>)` transmits its signal only in those steps.
        let gate opening (projection: Projection) = { projection with Opening = opening }

        /// `p |> learningRate 0.03` learns at that rate: by its own rule, if `learnBy` sets one, else by the experiment's.
        let learningRate rate (projection: Projection) = {
            projection with
                Plasticity =
                    match projection.Plasticity with
                    | LearningBy(_, rule) -> LearningBy(rate, rule)
                    | Learning _
                    | Frozen -> Learning rate
        }

        /// `p |> learnBy Rule.hebb 0.001` learns by a rule of its own, at that rate.
        let learnBy rule rate (projection: Projection) = {
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

        /// With `p |> decay 1e-4` the updates of a trial also subtract learning rate * decay * weight, without optimizer and clipping:
        /// decoupled weight decay. Under `Optimizer.adam` it is AdamW.
        let decay strength (projection: Projection) = { projection with Decay = strength }

        /// `p |> l2 1e-4` adds half of that times the sum of squared weights to the loss: its gradient passes through clipping and
        /// optimizer. Without these it is the same as `decay`.
        let l2 strength (projection: Projection) = { projection with L2 = strength }

        /// `p |> l1 1e-4` adds that times the sum of absolute weights to the loss.
        let l1 strength (projection: Projection) = { projection with L1 = strength }

        /// `p |> label "slow"` has that name; needed where several projections have the same two ends.
        let label name (projection: Projection) = { projection with Label = Some name }

    /// Words for feedback.
    [<AutoOpen>]
    module Feedback =

        /// `errorOf y` is the error of the readout y: `errorOf y --> cortex` sends it to cortex, through fixed random weights.
        let errorOf (readout: Readout) = ErrorOf readout

        /// `through (randomFeedback 1.0)`: fixed random weights with that standard deviation; the default.
        let randomFeedback scale = RandomFeedback scale

        /// `through symmetric`: the transpose of the readout's current weights.
        let symmetric = SymmetricFeedback

        /// `through (feedbackMatrix b)`: these fixed weights, of shape (units, outputs).
        let feedbackMatrix (weights: float[,]) = GivenFeedback(Array2D.copy weights)

        /// `f |> through (randomFeedback 0.5)` carries the error through those weights.
        let through weights (feedback: Feedback) = { feedback with Through = weights }
