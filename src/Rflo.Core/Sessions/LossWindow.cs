namespace Rflo.Core;

/// <summary>
/// The mean loss of the last trials that had a target, which early stopping and the choice of the best weights use. The loss of a
/// single trial is noisy, since targets differ between trials; a trial without a target has no loss and does not count.
/// </summary>
internal sealed class LossWindow(int length)
{
    private readonly double[] _losses = new double[length];

    /// <summary>Trials of a mean.</summary>
    public int Length => _losses.Length;

    /// <summary>Trials with a target so far.</summary>
    public int Counted { get; private set; }

    /// <summary>The mean of the last trials that count, oldest first; NaN before there were enough of them.</summary>
    public double Mean { get; private set; } = double.NaN;

    /// <summary>The smallest mean so far.</summary>
    public double BestMean { get; private set; } = double.NaN;

    /// <summary>The trial with which the smallest mean was reached, the first of several; -1 where there is no mean yet.</summary>
    public int BestTrial { get; private set; } = -1;

    /// <summary>Trials that counted since then.</summary>
    public int SinceBest { get; private set; }

    /// <summary>Adds the loss of the next trial; NaN where it had no target.</summary>
    public void Add(int trial, double loss)
    {
        if (double.IsNaN(loss))
            return;
        _losses[Counted % Length] = loss;
        Counted++;
        if (Counted < Length)
            return;
        double sum = 0;
        for (int k = 0; k < Length; k++)
            sum += _losses[(Counted + k) % Length];
        Mean = sum / Length;
        SinceBest++;
        if (BestTrial < 0 || Mean < BestMean)
            (BestMean, BestTrial, SinceBest) = (Mean, trial, 0);
    }
}
