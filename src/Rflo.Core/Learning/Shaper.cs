using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Rflo.Core;

/// <summary>Applies a <see cref="Shaping"/> to a vector in every step; its running mean is kept from trial to trial.</summary>
internal sealed class Shaper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T[] _mean;
    private readonly T _alpha;
    private readonly bool _centres;
    private readonly Func<double, double>? _map;
    private readonly Network<T> _network;
    private readonly AreaState<T> _area;

    public Shaper(Shaping shaping, int length, Network<T> network, AreaState<T> area)
    {
        _network = network;
        _area = area;
        _centres = shaping.MeanAlpha > 0;
        _alpha = T.CreateTruncating(shaping.MeanAlpha);
        _map = shaping.Map;
        _mean = new T[_centres ? length : 0];
    }

    /// <summary>Saves or restores the running mean.</summary>
    public void Visit(StateVisitor visitor) => visitor.Visit<T>("mean", _mean);

    /// <summary>values = map(values - mean), element by element; then the mean is updated by the values if <paramref name="moves"/> is true.</summary>
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

        if (_map is not null)
            Map(values, _map);
    }

    [SuppressMessage("Design", "CA1031", Justification = "The function of a rule is user code and may throw anything.")]
    private void Map(Span<T> values, Func<double, double> map)
    {
        try
        {
            for (int k = 0; k < values.Length; k++)
                values[k] = T.CreateTruncating(map(double.CreateTruncating(values[k])));
        }
        catch (Exception e)
        {
            throw new TaskException(_network.StepInHand, $"the function of a learning rule of area {_area.Spec.Name}", e);
        }
    }
}
