using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The last batch of a training, where its trials are fewer than an update is made of. At the end of a run it is applied for
/// what it holds. The state before is kept, so that more trials, or a run that is resumed, go on as though none had ended.
/// </summary>
internal sealed class OpenBatch<T>(Network<T> network, LearnerSet<T> learners)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Dictionary<string, double[]>? _before;

    /// <summary>Whether it is applied, and may be taken back.</summary>
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

    /// <summary>Before more trials: the batch is open again.</summary>
    public void TakeBack()
    {
        if (_before is not { } before)
            return;
        _before = null;
        Visit(new StateReader("", before));
    }

    /// <summary>The batch ends here, applied for what it holds: weights or time constants are about to be set.</summary>
    /// <param name="trial">The last trial.</param>
    public void Close(int trial)
    {
        // A session that was restored has it open where the one that was captured had it applied.
        Apply(trial);
        _before = null;
    }

    /// <summary>Another state takes the place of what was applied.</summary>
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
