// Parts of one's own, in an assembly of one's own: an optimizer, a loss and a schedule. Each is a file; nothing is registered.
using Rflo.Core;

/// <summary>Sign descent with memory (Lion without its second memory; Chen et al. 2023): m = beta m + (1 - beta) g; dW = eta sign(m).</summary>
/// <param name="Beta">Memory, in [0, 1).</param>
internal sealed record SignDescent(double Beta = 0.9) : Optimizer
{
    /// <inheritdoc/>
    public override int Memory => 1;

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"sign descent {Beta}");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems =>
        Beta is >= 0 and < 1 ? [] : [new OutOfRange("the memory of sign descent", Beta, "in [0, 1)")];

    /// <inheritdoc/>
    public override void Update<T>(in OptimizerStep<T> update)
    {
        Span<T> mean = update.Memory(0);
        T beta = T.CreateTruncating(Beta), rate = T.CreateTruncating(update.LearningRate);
        for (int k = 0; k < mean.Length; k++)
        {
            mean[k] = beta * mean[k] + (T.One - beta) * update.Direction[k];
            update.Parameters[k] += rate * T.CreateTruncating(T.Sign(mean[k]));
        }
    }
}

/// <summary>log cosh(y - y*): the squared error near the target, the absolute error far from it, and smooth.</summary>
internal sealed record LogCosh : Loss
{
    /// <inheritdoc/>
    public override string Description => "log-cosh loss";

    /// <inheritdoc/>
    public override string Formula => "Σ m(t) log cosh(y(t) − y*(t))";

    /// <inheritdoc/>
    public override double Value(double output, double target) => Math.Log(Math.Cosh(output - target));

    /// <inheritdoc/>
    public override double Slope(double output, double target) => Math.Tanh(output - target);
}

/// <summary>As fast as the mean loss allows: the factor is the mean loss over the first one, at most 1.</summary>
internal sealed record ByLoss : LearningRateSchedule
{
    /// <inheritdoc/>
    public override int Memory => 2;

    /// <inheritdoc/>
    public override string Description => "falling with the mean loss";

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) => memory[0] > 0 ? Math.Min(1, memory[1] / memory[0]) : 1;

    /// <inheritdoc/>
    public override void Observe(int trial, double loss, Span<double> memory)
    {
        if (double.IsNaN(loss))
            return;
        if (memory[0] == 0)
            memory[0] = loss;
        memory[1] = loss;
    }
}

/// <summary>The example's network with these parts: trained, and once more from the middle of the training.</summary>
internal static class OwnParts
{
    /// <summary>The loss of the first trial and of the last; and whether a run that is taken up in its middle ends with the same bits.</summary>
    public static (double First, double Last, bool IsSame) Try(Func<Plasticity, Loss, Session> make)
    {
        var plan = new Plasticity(ThreeFactorRule.Rflo(), 2e-3, UpdateSchedule.TrialEnd)
        {
            Optimizer = new SignDescent(),
            Clip = Clip.All(1),
            Rates = new ByLoss(),
        };
        Session whole = make(plan, new LogCosh()), first = make(plan, new LogCosh()), second = make(plan, new LogCosh());
        whole.Run(400);
        first.Run(150);
        second.Restore(first.Capture());
        second.Run(250);
        double[] losses = whole.Metrics.CopyLosses();
        return (losses[0], losses[^1], losses.AsSpan(150).SequenceEqual(second.Metrics.CopyLosses().AsSpan(150)));
    }
}
