namespace Rflo.Dsl

open Rflo.Core

/// The words of experiments.
[<AutoOpen>]
module ExperimentWords =

    /// When updates are applied, for `update`.
    [<AutoOpen>]
    module Update =

        /// In every step.
        let online = Online

        /// `update (everySteps 5)`: in every fifth step, and at the end of a trial.
        let everySteps steps = EverySteps steps

        /// At the end of every trial.
        let trialEnd = TrialEnd

        /// `update (everyTrials 10)`: at the end of every tenth trial, the mean of ten: a batch.
        let everyTrials trials = EveryTrials(trials, Mean)

        /// `update (everyTrialsSum 10)`: at the end of every tenth trial, the sum of ten.
        let everyTrialsSum trials = EveryTrials(trials, Sum)

    /// The numbers of a run, for `precision`.
    [<RequireQualifiedAccess>]
    module Precision =

        /// 64-bit numbers; the default.
        let double = Rflo.Core.Precision.Double

        /// 32-bit numbers.
        let single = Rflo.Core.Precision.Single

    /// Words for experiments.
    [<AutoOpen>]
    module Experiment =

        /// `experiment "reach" c t` trains the circuit c on the task t: RFLO, 1000 trials, seed 1, dt 1 ms, double precision.
        let experiment name circuit task =
            Unused.declared name

            {
                Name = name
                Circuit = circuit
                Task = task
                Rule = Rule.rflo
                Settings = RuleSettings.None
                Trials = 1000
                Seed = 1L
                Lanes = TrialLanes.One
                Dt = 1.0<ms>
                Precision = Precision.Double
                Stopping = Stopping.never
                Probes = []
                Perturbations = []
            }

        /// `e |> rule Rule.bptt` learns by that rule, with the settings of the words `update`, `optimizer`, `clip` and `schedule`
        /// where used.
        let rule (learning: Rule) (experiment: Experiment) = {
            experiment with
                Rule = experiment.Settings.Of learning
        }

        let private withSettings settings (experiment: Experiment) = {
            experiment with
                Settings = settings
                Rule = settings.Of experiment.Rule
        }

        /// `e |> update online` sets when the updates of the experiment's rule are applied; it replaces the rule's own setting.
        let update time (experiment: Experiment) =
            experiment
            |> withSettings {
                experiment.Settings with
                    RuleSettings.Update = Some time
            }

        /// `e |> batch 10` applies one update after every ten trials, the mean of theirs: `update (everyTrials 10)`. They run side by
        /// side where the task and the circuit allow it.
        let batch trials (experiment: Experiment) =
            experiment |> update (Update.everyTrials trials)

        /// `e |> lanes 8` runs eight trials side by side as a group. Each has activity, noise and traces of its own; weights are shared. Every
        /// update, in every step where the rule learns online, is made of the mean of the eight trials' increments.
        let lanes trials (experiment: Experiment) = {
            experiment with
                Lanes = TrialLanes(trials, true)
        }

        /// `e |> lanesSum 8`: as `lanes 8`, with the sum of the eight trials' increments instead of their mean.
        let lanesSum trials (experiment: Experiment) = {
            experiment with
                Lanes = TrialLanes(trials, false)
        }

        /// `e |> optimizer Optimizer.adam` computes the updates of the experiment's rule by Adam.
        let optimizer how (experiment: Experiment) =
            experiment
            |> withSettings {
                experiment.Settings with
                    RuleSettings.Optimizer = Some how
            }

        /// `e |> clip (Clip.All 1.0)` shortens the increments of the experiment's rule in one update to that norm.
        let clip norm (experiment: Experiment) =
            experiment
            |> withSettings {
                experiment.Settings with
                    RuleSettings.Clip = Some norm
            }

        /// `e |> schedule (Schedule.cosine 2000.0)` sets the schedule of the learning rates of the experiment's rule.
        let schedule rates (experiment: Experiment) =
            experiment
            |> withSettings {
                experiment.Settings with
                    RuleSettings.Schedule = Some rates
            }

        /// `e |> trials 10_000` trains for that many trials.
        let trials count (experiment: Experiment) = { experiment with Trials = count }

        /// `e |> seed 3` draws all its random numbers from seed 3.
        let seed number (experiment: Experiment) = { experiment with Seed = int64 number }

        /// `e |> dt 0.5<ms>` makes steps of half a millisecond.
        let dt (duration: float<ms>) (experiment: Experiment) = { experiment with Dt = duration }

        /// `e |> precision Precision.single` computes with 32-bit numbers.
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

        /// `e |> patience 200` ends the run when 200 trials in a row, of those that have a target, gave no new smallest mean loss
        /// (of the last 50 trials; `lossWindow` sets another number).
        let patience trials (experiment: Experiment) = {
            experiment with
                Stopping = {
                    experiment.Stopping with
                        Patience = Some trials
                }
        }

        /// With `e |> lossWindow 20`, `stopAtLoss`, `patience` and `keepBest` use the mean loss of the last 20 trials that have a
        /// target. In the first 19 such trials there is no mean, and the run does not stop.
        let lossWindow trials (experiment: Experiment) = {
            experiment with
                Stopping = {
                    experiment.Stopping with
                        Window = trials
                }
        }

        /// `e |> keepBest` keeps the weights of the trial with the smallest mean loss (of the last 50 trials that have a target;
        /// `lossWindow` sets another number), beside those of the last trial. In a run too short for a mean they are those of its
        /// last trial.
        let keepBest (experiment: Experiment) = {
            experiment with
                Stopping = {
                    experiment.Stopping with
                        KeepBest = true
                }
        }

        /// `e |> validate 50 100` runs 100 test trials without learning after every 50 trained trials: the columns "validation loss" and
        /// "validation performance" of metrics.csv, `trained.Probes["validation loss"]`. They are the same 100 each time, and
        /// none of them is a trial of the training. The run does not depend on them, unless `byValidation`, `stopAtPerformance`
        /// or a curriculum uses them.
        let validate every trials (experiment: Experiment) = {
            experiment with
                Probes =
                    {
                        Probe = Probe.Validation trials
                        Every = every
                    }
                    :: (experiment.Probes |> List.filter (_.Probe.IsValidation >> not))
        }

        /// With `e |> byValidation`, `stopAtLoss`, `patience`, `keepBest` and `Schedule.onPlateau` use the validation loss
        /// (`validate`) instead of the losses of the training.
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
        /// from trial 0. No number of the run depends on it.
        let probe every probes (experiment: Experiment) = {
            experiment with
                Probes =
                    experiment.Probes @ [ for probe in probes -> { Probe = probe; Every = every } ]
        }

        /// `e |> perturb [ silence cortex |> during "delay" |> inFraction 0.3 ]` also trains under those perturbations.
        let perturb more (experiment: Experiment) = {
            experiment with
                Perturbations = experiment.Perturbations @ more
        }
