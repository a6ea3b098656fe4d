namespace Rflo.Core;

/// <content>Test trials: by themselves, for validations, and side by side.</content>
internal sealed partial class Session<T>
{
    public override Recording Test(int trial, TestOptions? options = null)
    {
        Refuse(nameof(Test));
        (_inHand, _trialInHand) = ("a test", trial);
        try
        {
            return RunTest(trial, options ?? TestOptions.Default, Record);
        }
        finally
        {
            _inHand = null;
        }
    }

    public override void Evaluate(int first, int count, Action<Recording> onTrial, TestOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(onTrial);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count > int.MaxValue - first)
            ThrowHelper.OutOfRange(nameof(count), count, $"at most {int.MaxValue - first} from trial {first} on");
        Refuse(nameof(Evaluate));
        (_inHand, _trialInHand) = ("an evaluation", first);
        try
        {
            RunTests(first, count, options ?? TestOptions.Default, Record, recording =>
            {
                onTrial(recording);
                _trialInHand++;
            });
        }
        finally
        {
            _inHand = null;
        }
    }

    /// <summary>Runs test trials after a trial, where they are due.</summary>
    /// <returns>How the run ends where the task cannot generate one; null where it continues.</returns>
    private RunStatus? Validate(int trial)
    {
        if (_probes.Validation is not { } validation || !validation.IsDue(trial))
            return null;
        var sums = (Loss: 0.0, Losses: 0, Performance: 0.0, Performances: 0);
        (_inHand, _trialInHand) = ("a validation", trial);
        try
        {
            RunTests(0, validation.Probe.Trials, _validated, Score, of =>
            {
                if (!double.IsNaN(of.Loss))
                    sums = sums with { Loss = sums.Loss + of.Loss, Losses = sums.Losses + 1 };
                if (!double.IsNaN(of.Performance))
                    sums = sums with { Performance = sums.Performance + of.Performance, Performances = sums.Performances + 1 };
            });

            (double meanLoss, double meanPerformance) = (sums.Loss / sums.Losses, sums.Performance / sums.Performances);
            Metrics.AddValidation(trial, meanLoss, meanPerformance);
            if (Stopping.ByValidation && Metrics.BestTrial == trial)
                _best?.KeepNow();
            Pass(0, (trial, meanLoss, meanPerformance), static (task, of) => task.Validated(of.trial, of.meanLoss, of.meanPerformance));
            return null;
        }
        catch (TaskException e)
        {
            return new RunStatus(RunEnd.Failed, trial, e.Step, $"{e.Part}, in a test trial after it: {e.Message}");
        }
        finally
        {
            _inHand = null;
        }
    }

    /// <summary>The loss and the performance of a trial that was made.</summary>
    private (double Loss, double Performance) Score(Network<T> made) => (LossOf(made), PerformanceOf(made.Trial, Outputs(made)));

    /// <summary>Runs a test trial; the state of the session is restored, unless it is to be carried over.</summary>
    /// <param name="trial">Its number.</param>
    /// <param name="test">Its options.</param>
    /// <param name="read">Reads the results from the network that made it.</param>
    private TResult RunTest<TResult>(int trial, TestOptions test, Func<Network<T>, TResult> read)
    {
        double[]? task = SaveState();
        bool goesOn = false;
        try
        {
            Show(trial, test);
            Forward(trial, LearnerSet<T>.None, test);
            TResult result = read(_network);
            goesOn = test.CarriesOver;
            return result;
        }
        finally
        {
            if (!goesOn)
                RestoreState(task);
        }
    }

    /// <summary>Runs test trials: side by side where that has the same bits and is faster, else one after another.</summary>
    /// <param name="first">Number of the first.</param>
    /// <param name="count">How many.</param>
    /// <param name="test">Their options.</param>
    /// <param name="read">Reads the results of a trial from the network that made it.</param>
    /// <param name="take">Receives them, in the order of the trials.</param>
    /// <exception cref="TaskException">Code of the task, a unit model or a loss threw; the trials before were received.</exception>
    private void RunTests<TResult>(int first, int count, TestOptions test, Func<Network<T>, TResult> read, Action<TResult> take)
    {
        bool isInTurn = count < 2 || !_testsInLanes || (test.CarriesOver && Array.Exists(_network.Areas, area => area.Spec.InitialPolicy == InitialPolicy.CarriedOver));
        if (!isInTurn)
        {
            HoldRates();

            // Threads may call no code of the user's.
            int lanes = Math.Min(EvaluationLanes<T>.Room(_network), count);
            if (_tests is null || _tests.Count < lanes)
                _tests = new EvaluationLanes<T>(_network, lanes, _runsUserCode ? 1 : Threads, (lane, options) => Show(lane.Network, lane.Stream, lane.Trial, options));
        }

        for (int done = 0; done < count;)
        {
            int made = isInTurn ? 0 : _tests!.Run(first + done, count - done, test);
            TestsBeside += made;
            for (int k = 0; k < made; k++)
                take(read(_tests!.Made[k].Network));
            done += made;
            if (made > 0)
                continue;

            // What code of the user's threw, it throws again when its trial is due.
            isInTurn = true;
            take(RunTest(first + done, test, read));
            done++;
        }
    }
}
