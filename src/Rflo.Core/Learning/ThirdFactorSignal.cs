using System.Numerics;

namespace Rflo.Core;

/// <summary>The third factor of a local rule in motion: what each unit of an area is told in each step.</summary>
internal sealed class ThirdFactorSignal<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AreaState<T> _area;
    private readonly ThreeFactorRule _rule;
    private readonly LearningSignal<T>? _error;
    private readonly Shaper<T> _shaper;
    private readonly AlignedArray<T>? _shaped;
    private readonly T[] _scalars;

    public ThirdFactorSignal(Network<T> network, AreaState<T> area, ThreeFactorRule rule)
    {
        _network = network;
        _area = area;
        _rule = rule;
        bool isError = rule.Third == ThirdFactor.Error;
        _error = isError ? new LearningSignal<T>(network, area, rule.Path) : null;
        _shaper = new Shaper<T>(rule.ThirdShaping, isError ? area.Units : 1);
        if (isError && !rule.ThirdShaping.IsPlain)
            _shaped = new AlignedArray<T>((network.MaxSteps + 1) * area.Padded);
        _scalars = new T[isError ? 0 : network.MaxSteps + 1];
    }

    /// <summary>Shows the running mean, which lives through trials.</summary>
    public void Visit(StateVisitor visitor) => _shaper.Visit(visitor);

    /// <summary>After the forward step: takes what is known then. Steps must come in order.</summary>
    public void Take(int step)
    {
        if (_shaped is { } shaped)
        {
            Span<T> row = shaped.Row(step, _area.Padded);
            _error!.Tell(step, row);
            _shaper.Apply(row[.._area.Units]);
        }
        else if (_error is null && !_rule.NeedsWholeTrial)
        {
            Span<T> scalar = _scalars.AsSpan(step, 1);
            scalar[0] = T.CreateTruncating(_rule.Third switch
            {
                ThirdFactor.StepReward => -_network.StepLoss(step),
                ThirdFactor.TaskReward => _network.Trial.Rewards[step - 1],
                _ => 1.0,
            });
            _shaper.Apply(scalar);
        }
    }

    /// <summary>After the last step: takes what is known only then.</summary>
    public void TakeTrial(int steps)
    {
        if (!_rule.NeedsWholeTrial)
            return;
        Span<T> reward = [T.CreateTruncating(-_network.LossSum / steps)];
        _shaper.Apply(reward);
        _scalars.AsSpan(1, steps).Fill(reward[0]);
    }

    /// <summary>M(t), shape (padded units). Overwrites <paramref name="told"/>.</summary>
    public void Tell(int step, Span<T> told)
    {
        if (_shaped is { } shaped)
        {
            shaped.Row(step, _area.Padded).CopyTo(told);
        }
        else if (_error is { } error)
        {
            error.Tell(step, told);
        }
        else
        {
            told.Clear();
            told[.._area.Units].Fill(_scalars[step]);
        }
    }
}
