using System.Diagnostics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>Trials that run as groups of lanes.</summary>
internal sealed partial class Session<T>
{
    private RunStatus RunGroups(LaneTrials<T> group, int trials, Action<int, double>? onTrial, CancellationToken cancellation)
    {
        if (Stopping.Reason(Metrics) is { } already)
            return new RunStatus(RunEnd.Stopped, TrialsDone - 1, 0, already);
        Metrics.Reserve(Math.Min(trials, MostReserved));
        for (int done = 0; done < trials; done += Lanes.Count)
        {
            if (cancellation.IsCancellationRequested)
                return new RunStatus(RunEnd.Cancelled, TrialsDone - 1, 0, "");
            int first = TrialsDone;
            if (RunGroup(group, first, out RunStatus? diverged) is { } failed)
                return failed;
            for (int trial = first; trial < first + Lanes.Count; trial++)
            {
                if (diverged is null && Validate(trial) is { } unmade)
                    return unmade;
                if (ReportTrial(onTrial, trial, Metrics.Losses[trial]) is { } said)
                    return diverged is null ? new RunStatus(RunEnd.Failed, trial, 0, said) : diverged with { Where = $"{diverged.Where}; then {said}" };
            }

            if (diverged is not null)
                return diverged;
            if (Stopping.Reason(Metrics) is { } enough)
                return new RunStatus(RunEnd.Stopped, TrialsDone - 1, 0, enough);
        }

        return new RunStatus(RunEnd.Completed, TrialsDone - 1, 0, "");
    }

    /// <summary>Trains a group and takes the measurements of its trials. If user code throws, all is as it was before the group.</summary>
    /// <param name="group">The lanes.</param>
    /// <param name="first">Number of its first trial.</param>
    /// <param name="diverged">The first trial that diverged; null for none.</param>
    private RunStatus? RunGroup(LaneTrials<T> group, int first, out RunStatus? diverged)
    {
        long start = Stopwatch.GetTimestamp();
        diverged = null;
        _isKept = false;
        bool isSaved = false, isInSteps = false;
        (_inHand, _trialInHand) = ("a run", first);
        try
        {
            for (int k = 0; k < Lanes.Count; k++)
            {
                Lane<T> lane = group.Lanes[k];
                lane.Trial = _trialInHand = first + k;
                Show(lane.Network, lane.Stream, lane.Trial, TestOptions.AsTrained);
            }

            if (_runsUserCode || _probes.RunsUserCode(first))
            {
                HoldRates();
                VisitLearned(_before.Saving());
                isSaved = true;
            }

            _trialInHand = first;
            start += Observe(first);
            group.Lanes[0].PreviousSteps = _previousSteps;
            _best?.SetAside();
            _learners.BeginUpdates(first + Lanes.Count - 1);
            isInSteps = true;
            group.Run();
            isInSteps = false;
            _previousSteps = group.Lanes[0].PreviousSteps;
            CountGroup(group, first, start, ref diverged);
            return null;
        }
        catch (TaskException e)
        {
            int trial = isInSteps ? group.InHand.Trial : _trialInHand;
            RunStatus? broken = e.IsCircuitFinite ? null : Finiteness.Locate(group.Lanes[trial - first].Network, trial, e.Step);
            string? more = Undo(first, isSaved);
            return broken ?? new RunStatus(RunEnd.Failed, trial, e.Step, $"{e.Part}: {e.Message}{more}");
        }
        finally
        {
            (_inHand, _made) = (null, _network);
        }
    }

    /// <summary>Adds the measurements of the trials in their order, and what probes measure of the first.</summary>
    private void CountGroup(LaneTrials<T> group, int first, long start, ref RunStatus? diverged)
    {
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds / Lanes.Count;
        for (int k = 0; k < Lanes.Count; k++)
        {
            _made = group.Lanes[k].Network;
            _trialInHand = first + k;
            int steps = _made.Trial.Steps;
            double loss = LossOf(_made);
            double reward = TensorPrimitives.Sum<double>(_made.Trial.Rewards.AsSpan(0, steps));
            Pass(steps, (first + k, loss, reward), static (task, of) => task.Learned(of.Item1, of.loss, of.reward));
            bool isBest = Count(first + k, loss, seconds, reward);

            // The weights with which the group began are kept once, for whichever of its trials.
            if (isBest && !_isKept)
                _best?.Keep();
            _isKept |= isBest;
            SetAlignments();
            diverged ??= Finiteness.OfTrial(_made, Metrics, first + k, steps);
            if (k == 0)
                _probes.Read(first);
        }
    }
}
