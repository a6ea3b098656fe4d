using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>The state of an optimizer for some parameters: what it keeps of them, and the number of updates so far.</summary>
internal sealed class OptimizerState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Optimizer _optimizer;
    private readonly T[][] _memory;
    private readonly T[] _direction;
    private int _updates;

    /// <param name="optimizer">Which.</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="longest">The most of them that are changed in one call.</param>
    public OptimizerState(Optimizer optimizer, long count, long longest)
    {
        _optimizer = optimizer;
        _memory = [.. Enumerable.Range(0, optimizer.Memory).Select(_ => Storage.New<T>(count))];
        _direction = Storage.New<T>(longest);
    }

    /// <summary>Saves or restores what is kept.</summary>
    public void Visit(StateVisitor visitor)
    {
        visitor.Visit("updates", ref _updates);
        for (int k = 0; k < _memory.Length; k++)
            visitor.Visit<T>("memory", _memory[k], k);
    }

    /// <summary>Before the parts of an update.</summary>
    public void Begin() => _updates++;

    /// <summary>Changes parameters by a rule's increments. Allocates nothing.</summary>
    /// <param name="collected">The collected increments.</param>
    /// <param name="parameters">Changed.</param>
    /// <param name="at">Place of the first of them among all.</param>
    /// <param name="share">Factor of what was collected.</param>
    /// <param name="rate">Learning rate.</param>
    public void Apply(ReadOnlySpan<T> collected, Span<T> parameters, int at, T share, double rate)
    {
        Span<T> direction = _direction.AsSpan(0, collected.Length);
        TensorPrimitives.Multiply(collected, share, direction);
        var update = new OptimizerStep<T>(_updates, rate, direction, parameters, _memory, at);
        try
        {
            _optimizer.Update(update);
        }
        catch (Exception e) when (UserCode.Is(_optimizer))
        {
            throw new TaskException(0, $"the optimizer {_optimizer.Description}", e);
        }
    }
}
