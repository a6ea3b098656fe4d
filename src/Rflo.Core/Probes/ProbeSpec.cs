namespace Rflo.Core;

/// <summary>A measurement during training. It does not change the training.</summary>
/// <param name="Every">Trials between two measurements, at least 1: in trials 0, Every, 2 Every and so on.</param>
public abstract record ProbeSpec(int Every);

/// <summary>A passive rule: its increments over a trial are computed but not applied.</summary>
/// <param name="Name">Its name in columns.</param>
/// <param name="Rule">The rule of all projections onto areas; null where each projection has its own rule.</param>
/// <param name="Time">Whether the online or the trial-end form is computed; without effect where each projection has its own.</param>
public sealed record PassiveRule(string Name, LearningRule? Rule, UpdateTime Time);

/// <summary>
/// The angle between the increments of two rules in a trial, and the ratio of the norms: for each plastic projection onto an
/// area and for all of them together. Both have the same trial, with its inputs and noise, at the weights with which it begins.
/// </summary>
/// <param name="Every">Trials between two measurements.</param>
/// <param name="Rule">The rule.</param>
/// <param name="Reference">The rule that it is compared with; BPTT or RTRL for the exact gradient.</param>
/// <remarks>
/// Columns "angle RULE/REFERENCE" in degrees and "ratio RULE/REFERENCE", each also with the name of a projection behind it.
/// NaN where the increments of one of the two are all 0. Costs a second pass through the trial, shared by all passive rules.
/// </remarks>
public sealed record AngleProbe(int Every, PassiveRule Rule, PassiveRule Reference) : ProbeSpec(Every);

/// <summary>The largest absolute eigenvalue of an area's weights onto itself, all its projections summed, after a trial.</summary>
/// <param name="Every">Trials between two measurements.</param>
/// <param name="Area">Which area.</param>
/// <remarks>Column "spectral-radius AREA".</remarks>
public sealed record SpectralRadiusProbe(int Every, AreaId Area) : ProbeSpec(Every);

/// <summary>In how many dimensions an area's rates moved over a trial: (sum lambda)^2 / sum lambda^2, with lambda the eigenvalues of their covariance.</summary>
/// <param name="Every">Trials between two measurements.</param>
/// <param name="Area">Which area.</param>
/// <remarks>Column "participation-ratio AREA"; NaN where no rate moved.</remarks>
public sealed record ParticipationProbe(int Every, AreaId Area) : ProbeSpec(Every);

/// <summary>
/// The mean rate of an area over units and steps of a trial, and the fraction of them in which the slope of the transfer
/// function is less than a tenth of its largest.
/// </summary>
/// <param name="Every">Trials between two measurements.</param>
/// <param name="Area">Which area.</param>
/// <remarks>Columns "mean-rate AREA" and, where the area has a slope, "saturation AREA".</remarks>
public sealed record RatesProbe(int Every, AreaId Area) : ProbeSpec(Every);

/// <summary>How far the weights of each plastic projection have moved, as a Frobenius norm, after a trial.</summary>
/// <param name="Every">Trials between two measurements.</param>
/// <remarks>Columns "change PROJECTION", from where they began, and "change-since-last PROJECTION", from the measurement before.</remarks>
public sealed record WeightChangeProbe(int Every) : ProbeSpec(Every);

/// <summary>The effect of Dale's law on each projection with signs, after a trial.</summary>
/// <param name="Every">Trials between two measurements.</param>
/// <remarks>
/// Columns "dale-zeros-excitatory PROJECTION" and "dale-zeros-inhibitory PROJECTION", the fraction of weights that are exactly
/// 0, and "dale-violations PROJECTION", the number of weights of the wrong sign.
/// </remarks>
public sealed record DaleProbe(int Every) : ProbeSpec(Every);

/// <summary>The connections of each projection of which some do not exist, after a trial.</summary>
/// <param name="Every">Trials between two measurements.</param>
/// <remarks>
/// Columns "mask-present PROJECTION", the fraction that exists, and "mask-violations PROJECTION", the number of weights that are
/// not 0 where there is no connection.
/// </remarks>
public sealed record MaskProbe(int Every) : ProbeSpec(Every);

/// <summary>
/// Loss and performance in test trials without learning: after every so many trained trials, so many test trials, always the same ones. They are
/// no trials of the training (<see cref="Session.Test"/>) and have none of its perturbations. A task that changes with learning generates them in its current state.
/// </summary>
/// <param name="Every">Trained trials between two validations: after trials Every - 1, 2 Every - 1 and so on.</param>
/// <param name="Trials">Test trials of a validation, at least 1.</param>
/// <remarks>
/// Columns "validation loss", the mean of the trials that have a target, and "validation performance", that of <see cref="ITask.Performance"/>,
/// NaN where the task defines none. Nothing of the run depends on it unless <see cref="Stopping.ByValidation"/>, <see cref="Stopping.TargetPerformance"/>
/// or the task (<see cref="IProgressTask.Validated"/>) uses it. A session has one at most.
/// </remarks>
public sealed record ValidationProbe(int Every, int Trials) : ProbeSpec(Every);

/// <summary>A custom measurement: a number, after a trial.</summary>
/// <param name="Every">Trials between two measurements.</param>
/// <param name="Name">Its column.</param>
/// <param name="Measure">What it is. If it throws, the run ends as <see cref="RunEnd.Failed"/>, as it stood before the trial.</param>
public sealed record CustomProbe(int Every, string Name, Func<Observation, double> Measure) : ProbeSpec(Every);
