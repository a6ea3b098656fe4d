using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>What an optimiser remembers of some parameters, and how it turns what was asked for into their change.</summary>
internal sealed class Moments<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Optimiser _optimiser;
    private readonly T[] _first;
    private readonly T[] _second;
    private readonly T[] _row;
    private int _updates;

    /// <param name="optimiser">Which.</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="longest">The most of them that are changed in one call.</param>
    public Moments(Optimiser optimiser, int count, int longest)
    {
        _optimiser = optimiser;
        _first = new T[optimiser.Kind == OptimiserKind.Plain ? 0 : count];
        _second = new T[optimiser.Kind == OptimiserKind.Adam ? count : 0];
        _row = new T[optimiser.Kind == OptimiserKind.Adam ? longest : 0];
    }

    /// <summary>Shows the moments of the updates so far.</summary>
    public void Visit(StateVisitor visitor)
    {
        visitor.Visit("updates", ref _updates);
        visitor.Visit<T>("first", _first);
        visitor.Visit<T>("second", _second);
    }

    /// <summary>Before the parts of an update.</summary>
    public void Begin() => _updates++;

    /// <summary>Changes parameters by what was asked for.</summary>
    /// <param name="asked">What the rule asks for, as it was collected.</param>
    /// <param name="parameters">Changed.</param>
    /// <param name="at">Place of the first of them among all.</param>
    /// <param name="share">Factor of what was asked for.</param>
    /// <param name="rate">Learning rate.</param>
    public void Apply(ReadOnlySpan<T> asked, Span<T> parameters, int at, T share, double rate)
    {
        switch (_optimiser.Kind)
        {
            case OptimiserKind.Momentum:
                Span<T> velocity = _first.AsSpan(at, asked.Length);
                TensorPrimitives.Multiply<T>(velocity, T.CreateTruncating(_optimiser.Beta1), velocity);
                TensorPrimitives.MultiplyAdd<T>(asked, share, velocity, velocity);
                TensorPrimitives.MultiplyAdd<T>(velocity, T.CreateTruncating(rate), parameters, parameters);
                break;
            case OptimiserKind.Adam:
                Adam(asked, parameters, at, share, rate);
                break;
            default:
                TensorPrimitives.MultiplyAdd<T>(asked, share * T.CreateTruncating(rate), parameters, parameters);
                break;
        }
    }

    private void Adam(ReadOnlySpan<T> asked, Span<T> parameters, int at, T share, double rate)
    {
        T beta1 = T.CreateTruncating(_optimiser.Beta1), beta2 = T.CreateTruncating(_optimiser.Beta2);
        Span<T> mean = _first.AsSpan(at, asked.Length), square = _second.AsSpan(at, asked.Length), row = _row.AsSpan(0, asked.Length);
        TensorPrimitives.Multiply<T>(asked, share, row);
        TensorPrimitives.Multiply<T>(mean, beta1, mean);
        TensorPrimitives.MultiplyAdd<T>(row, T.One - beta1, mean, mean);
        TensorPrimitives.Multiply<T>(row, row, row);
        TensorPrimitives.Multiply<T>(square, beta2, square);
        TensorPrimitives.MultiplyAdd<T>(row, T.One - beta2, square, square);
        double start1 = 1 - Math.Pow(_optimiser.Beta1, _updates), start2 = 1 - Math.Pow(_optimiser.Beta2, _updates);
        TensorPrimitives.Multiply<T>(square, T.CreateTruncating(1 / start2), row);
        TensorPrimitives.Sqrt<T>(row, row);
        TensorPrimitives.Add<T>(row, T.CreateTruncating(_optimiser.Epsilon), row);
        TensorPrimitives.Divide<T>(mean, row, row);
        TensorPrimitives.MultiplyAdd<T>(row, T.CreateTruncating(rate / start1), parameters, parameters);
    }
}
