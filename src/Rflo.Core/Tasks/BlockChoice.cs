namespace Rflo.Core;

/// <summary>Blocks of trials, one task after another; after the last, the first begins again.</summary>
public sealed class BlockChoice : TaskChoice
{
    private readonly long[] _ends;

    /// <summary>Blocks of those lengths.</summary>
    /// <param name="trials">Trials of each block, at least 1.</param>
    /// <exception cref="ArgumentException">There is no block, or one has no trial.</exception>
    public BlockChoice(IReadOnlyList<int> trials)
    {
        ArgumentNullException.ThrowIfNull(trials);
        if (trials.Count == 0)
            ThrowHelper.NotPositive(nameof(trials), 0);
        _ends = new long[trials.Count];
        long end = 0;
        for (int k = 0; k < trials.Count; k++)
        {
            if (trials[k] < 1)
                ThrowHelper.NotPositive(nameof(trials), trials[k]);
            _ends[k] = end += trials[k];
        }
    }

    /// <inheritdoc/>
    public override int Count => _ends.Length;

    /// <inheritdoc/>
    public override int Choose(int trial, RandomStream stream)
    {
        long place = (uint)trial % _ends[^1];
        int block = 0;
        while (place >= _ends[block])
            block++;
        return block;
    }
}
