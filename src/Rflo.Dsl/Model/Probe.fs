namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// One trial, by the names of its parts. Row 0 is step t = 1; times are in steps.
/// (A record written out in a script, with inputs, targets and mask, is a `TrialData`.)
[<RequireQualifiedAccess>]
type Activity = {
    /// L of the trial.
    Loss: float
    /// The conditions of the trial by name, such as its "coherence" or the duration of its "delay" in ms.
    Conditions: Map<string, float>
    /// Its performance, such as 1 for a right choice and 0 for a wrong one; NaN where the task or the trial defines none.
    Performance: float
    /// x(t), shape (steps, channels).
    Inputs: Matrix<float>
    /// The readouts in order of declaration: the columns of targets and mask are those of the first, then those of the second.
    Readouts: Readout list
    /// y*(t) of all readouts side by side, shape (steps, outputs).
    Targets: Matrix<float>
    /// m(t), shape (steps, outputs).
    Mask: Matrix<float>
    /// The reward of each step; 0 where the task gives none.
    Rewards: float[]
    /// The steps, counted from 1, in which each event of the task happens. A phase is an event of all its steps ("delay"), with another in its first
    /// ("delay.onset").
    Events: Map<string, int list>
    /// y(t) of each readout, shape (steps, outputs).
    Outputs: Map<string, Matrix<float>>
    /// h(t) of each area, shape (steps, units).
    Rates: Map<string, Matrix<float>>
    /// s(t) of the areas that record their states, by the names of area and state ("cortex v"), shape (steps, units).
    States: Map<string, Matrix<float>>
}

/// A trained trial, as the function of a custom probe receives it.
[<RequireQualifiedAccess>]
type Observation = {
    /// Number of the trial, from 0.
    Trial: int
    /// The activity of the trial.
    Activity: Activity
    /// The weights after its update, shape (post, pre), by the name of their projection, learned time constants ("tau cortex") and learned
    /// initial states ("start cortex").
    Weights: Map<string, Matrix<float>>
}

/// A custom measurement. Its name is its column in files, and two with one name are equal.
[<RequireQualifiedAccess; CustomEquality; NoComparison>]
type OwnProbe = {
    Name: string
    Measure: Observation -> float
} with

    override this.Equals other =
        match other with
        | :? OwnProbe as that -> this.Name = that.Name
        | _ -> false

    override this.GetHashCode() = hash this.Name

/// Measurements during training. They change no number of the run.
[<RequireQualifiedAccess>]
type Probe =
    /// The angle and the ratio of norms between the increments of a rule and those of a reference; without a rule, the increments
    /// of the projections' own rules.
    | Angle of rule: Rule option * reference: Rule
    /// The largest absolute eigenvalue of an area's weights onto itself.
    | SpectralRadius of area: string
    /// The number of dimensions of an area's rates over a trial (participation ratio).
    | ParticipationRatio of area: string
    /// The mean rate of an area, and the fraction of its units and steps that are saturated.
    | Rates of area: string
    /// How far the weights of each plastic projection have moved.
    | WeightChange
    /// The effect of Dale's law on each projection that it constrains.
    | Dale
    /// The connections of each projection that lacks some.
    | Masks
    /// The mean loss and performance of so many test trials, always the same ones, after every so many trained trials.
    | Validation of trials: int
    /// A custom measurement.
    | Own of OwnProbe

/// A probe, and how often it is read.
type Watched = {
    Probe: Probe
    /// Trials between two measurements: in trials 0, Every, 2 Every and so on; of a validation, after Every trials, 2 Every and so on.
    Every: int
}

/// Words for probes.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Probe =

    /// `Probe.angle Rule.bptt` is the angle, in degrees, between the increments of the experiment's own rule in a trial and the
    /// exact gradient, and the ratio of their norms: for each plastic projection onto an area and for all of them together.
    let angle reference = Probe.Angle(None, reference)

    /// `Probe.angleOf Rule.rflo Rule.bptt` is the same for a rule that trains nothing: its increments are computed in the same trials.
    let angleOf rule reference = Probe.Angle(Some rule, reference)

    /// `Probe.spectralRadius cortex` is the largest absolute eigenvalue of cortex's weights onto itself.
    let spectralRadius (area: Area) = Probe.SpectralRadius area.Name

    /// `Probe.participationRatio cortex` is (sum lambda)^2 / sum lambda^2 over the eigenvalues of the covariance of cortex's
    /// rates over a trial: the number of dimensions in which they move.
    let participationRatio (area: Area) = Probe.ParticipationRatio area.Name

    /// `Probe.rates cortex` is the mean rate of cortex, and the fraction of its units and steps that are saturated: in which
    /// the slope of the transfer function is less than a tenth of its largest.
    let rates (area: Area) = Probe.Rates area.Name

    /// How far the weights of each plastic projection have moved since the start and since the last measurement
    /// (Frobenius norms).
    let weightChange = Probe.WeightChange

    /// For each projection under Dale's law: the fractions of excitatory and inhibitory weights that are exactly 0, and the
    /// number of weights of the wrong sign.
    let dale = Probe.Dale

    /// For each projection of which some connections do not exist: the fraction that does, and the number of weights that
    /// are not 0 where there is none.
    let masks = Probe.Masks

    /// `Probe.custom "norm" (fun seen -> seen.Weights["cortex->y"].FrobeniusNorm())` is a custom measurement. If the
    /// function throws, the run ends as failed, as it was before that trial. `Dynamics.probe` measures the dynamics.
    let custom name measure =
        Probe.Own {
            OwnProbe.Name = name
            Measure = measure
        }

    /// The name of a probe, with which its columns begin or which they are: "angle own/bptt", "spectral-radius cortex".
    let name (probe: Probe) =
        match probe with
        | Probe.Angle(None, reference) -> $"angle own/{reference.Name}"
        | Probe.Angle(Some rule, reference) -> $"angle {rule.Name}/{reference.Name}"
        | Probe.SpectralRadius area -> $"spectral-radius {area}"
        | Probe.ParticipationRatio area -> $"participation-ratio {area}"
        | Probe.Rates area -> $"rates {area}"
        | Probe.WeightChange -> "weight-change"
        | Probe.Dale -> "dale"
        | Probe.Masks -> "masks"
        | Probe.Validation _ -> "validation"
        | Probe.Own own -> own.Name
