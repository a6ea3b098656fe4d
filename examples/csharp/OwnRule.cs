// A learning rule of one's own, in an assembly of one's own. Nothing is registered.
using Rflo.Core;

/// <summary>
/// RFLO whose learning signal is measured against what is usual: each unit's signal is divided by the root of its mean square over the last trials, so that
/// units that receive strong feedback learn no faster than others.
/// </summary>
/// <param name="Memory">What is left of a mean square after a trial, in (0, 1).</param>
internal sealed record NormalizedRflo(double Memory = 0.9) : CustomRule
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"normalized RFLO (memory {Memory})");

    /// <inheritdoc/>
    public override AreaLearner Learn(AreaSite site) => new InArea(site, Memory);

    private sealed class InArea(AreaSite site, double memory) : AreaLearner
    {
        private readonly double[][] _traces = [.. site.Projections.Select(projection => new double[projection.Count])];
        private readonly double[] _squares = new double[site.Units];
        private readonly double[] _usual = [.. Enumerable.Repeat(1.0, site.Units)];

        /// <summary>The mean squares live through trials, so they are saved with checkpoints.</summary>
        public override IReadOnlyDictionary<string, double[]> Memory => new Dictionary<string, double[]> { ["usual"] = _usual };

        public override void BeginTrial(int trial, int steps)
        {
            Array.Clear(_squares);
            foreach (double[] trace in _traces)
                Array.Clear(trace);
        }

        public override void ObserveStep(LearningStep now)
        {
            ReadOnlySpan<double> left = now.A(), slope = now.C(), signal = now.Signal;
            for (int i = 0; i < site.Units; i++)
                _squares[i] += signal[i] * signal[i];
            for (int k = 0; k < _traces.Length; k++)
            {
                ReadOnlySpan<double> pre = now.Pre(k);
                Span<double> ask = now.Increments(k);
                for (int at = 0; at < ask.Length; at++)
                {
                    int i = at / pre.Length;
                    _traces[k][at] = left[i] * _traces[k][at] + slope[i] * pre[at % pre.Length];
                    ask[at] = signal[i] / Math.Sqrt(_usual[i]) * _traces[k][at];
                }
            }
        }

        public override void ObserveTrial(LearningStep last)
        {
            for (int i = 0; i < site.Units; i++)
                _usual[i] = memory * _usual[i] + (1 - memory) * _squares[i] / last.Steps;
        }
    }
}

/// <summary>A run by that rule, and the same run stopped and taken up.</summary>
internal static class OwnRule
{
    public static (double First, double Last, bool IsSame) Try(Func<Plasticity, Session> make)
    {
        var plasticity = new Plasticity(new NormalizedRflo(), 0.01, UpdateSchedule.Online);
        Session whole = make(plasticity), before = make(plasticity), after = make(plasticity);
        whole.Run(300);
        before.Run(120);
        after.Restore(before.Capture());
        after.Run(180);
        double[] losses = whole.Metrics.CopyLosses();
        return (losses[0], losses[^1], losses.AsSpan().SequenceEqual(after.Metrics.CopyLosses()));
    }
}
