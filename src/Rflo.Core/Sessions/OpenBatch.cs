using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The last batch of a training, where it has fewer trials than an update. At the end of a run its trials are applied as an update.
/// The state before is kept, so that further trials, or a resumed run, have the same bits as without the end of the run.
/// </summary>
internal sealed class OpenBatch<T>(Network<T> network, LearnerSet<T> learners)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Dictionary<string, double[]>? _before;

    /// <summary>Whether it is applied, and can be undone.</summary>
    public bool IsApplied => _before is not null;

    /// <summary>At the end of a run: applies what was collected.</summary>
    /// <param name="trial">The last trial.</param>
    public void Apply(int trial)
    {
        if (IsApplied || !learners.HasOpenBatch)
            return;
        _before = [];
        Visit(new StateWriter("", _before));
        learners.ApplyOpenBatch(trial);
    }

    /// <summary>Before more trials: undoes the update, so that the batch is open again.</summary>
    public void TakeBack()
    {
        if (_before is not { } before)
            return;
        _before = null;
        Visit(new StateReader("", before));
    }

    /// <summary>Applies the batch for good, before weights or time constants are set.</summary>
    /// <param name="trial">The last trial.</param>
    public void Close(int trial)
    {
        // In a restored session the batch is open, although it was applied in the captured one.
        Apply(trial);
        _before = null;
    }

    /// <summary>Drops the saved state, after another state was restored.</summary>
    public void Forget() => _before = null;

    private void Visit(StateVisitor visitor)
    {
        foreach (AreaState<T> area in network.Areas)
        {
            StateVisitor own = visitor.Of("area", area.Index);
            own.Visit("alpha", area.Alpha.Span[..area.Units]);
            own.Visit("decay", area.Decay.Span[..area.Units]);
            area.VisitStart(own);
            area.Afferents.Visit(visitor.Of("weights"), area.Afferents.Weights, area.Afferents.Segments);
        }

        foreach (ReadoutState<T> readout in network.Readouts)
            readout.Afferents.Visit(visitor.Of("weights"), readout.Afferents.Weights, readout.Afferents.Segments);
        learners.Visit(visitor);
    }
}
