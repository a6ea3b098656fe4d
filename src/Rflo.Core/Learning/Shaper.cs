using System.Numerics;

namespace Rflo.Core;

/// <summary>Applies a <see cref="Shaping"/> to a vector, step after step; its running mean lives through trials.</summary>
internal sealed class Shaper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T[] _mean;
    private readonly T _alpha;
    private readonly bool _centres;
    private readonly Func<double, double>? _map;

    public Shaper(Shaping shaping, int length)
    {
        _centres = shaping.MeanAlpha > 0;
        _alpha = T.CreateTruncating(shaping.MeanAlpha);
        _map = shaping.Map;
        _mean = new T[_centres ? length : 0];
    }

    /// <summary>Shows the running mean.</summary>
    public void Visit(StateVisitor visitor) => visitor.Visit<T>("mean", _mean);

    /// <summary>values = map(values - mean), element by element; then the mean moves towards the values, if it <paramref name="moves"/>.</summary>
    public void Apply(Span<T> values, bool moves = true)
    {
        if (_centres)
        {
            for (int k = 0; k < values.Length; k++)
            {
                T difference = values[k] - _mean[k];
                if (moves)
                    _mean[k] = T.FusedMultiplyAdd(_alpha, difference, _mean[k]);
                values[k] = difference;
            }
        }

        if (_map is { } map)
            for (int k = 0; k < values.Length; k++)
                values[k] = T.CreateTruncating(map(double.CreateTruncating(values[k])));
    }
}
