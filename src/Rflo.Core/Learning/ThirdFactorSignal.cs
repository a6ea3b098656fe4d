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
    private readonly ModulatorSignal<T>? _signal;
    private readonly Shaper<T> _shaper;
    private readonly AlignedArray<T>? _shaped;
    private readonly Segment[]? _learning;
    private readonly T[] _scalars;
    private readonly bool _readsLater;

    /// <param name="network">The network.</param>
    /// <param name="area">The area whose units receive it.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="learning">The projections that learn by it; null where none does.</param>
    /// <param name="readsLater">Whether M(t) is read when the trial has ended, instead of in step t.</param>
    public ThirdFactorSignal(Network<T> network, AreaState<T> area, ThreeFactorRule rule, Segment[]? learning = null, bool readsLater = false)
    {
        _learning = learning;
        _network = network;
        _area = area;
        _rule = rule;
        bool isError = rule.Third == ThirdFactor.Error;
        _error = isError ? new LearningSignal<T>(network, area, rule.Path) : null;
        _signal = rule is { Third: ThirdFactor.Signal, Source: { } source } ? new ModulatorSignal<T>(network, area, source) : null;
        bool isOfUnits = isError || rule.Third == ThirdFactor.RewardError || _signal is { IsOfUnits: true };
        _shaper = new Shaper<T>(rule.ThirdShaping, isOfUnits ? area.Units : 1, network, area);

        // The weights that carry an error back are those of its step: where they learn within the trial, M(t) is kept.
        bool changes = readsLater && _error is { ChangesInTrial: true };
        if (isOfUnits && (changes || !(isError && rule.ThirdShaping.IsPlain)))
            _shaped = new AlignedArray<T>((network.MaxSteps + 1) * area.Padded);
        if (rule.Third == ThirdFactor.RewardError)
            area.KeepCurrents();
        _readsLater = readsLater;
        _scalars = new T[isOfUnits ? 0 : readsLater ? network.MaxSteps + 1 : 1];
    }

    /// <summary>Where M(t) is one vector times one error, in <see cref="LearningSignal{T}.Column"/>, and nothing shapes it; null otherwise.</summary>
    public LearningSignal<T>? OneColumn => _shaped is null && !_area.HasGain && _error is { IsFixedColumn: true } ? _error : null;

    /// <summary>Shows the running mean, which lives through trials.</summary>
    public void Visit(StateVisitor visitor) => _shaper.Visit(visitor);

    /// <summary>Whether <see cref="Take"/> has anything to do.</summary>
    public bool Takes => _shaped is not null || (_error is null && !_rule.NeedsWholeTrial);

    /// <summary>After the forward step: takes what is known then. Steps must come in order.</summary>
    public void Take(int step)
    {
        if (_shaped is { } shaped)
        {
            Span<T> row = shaped.Row(step, _area.Padded);
            if (_error is { } error)
                error.Tell(step, row);
            else if (_signal is { } signal)
                signal.Write(step, row);
            else
                MissedReward(step, row);
            _shaper.Apply(row[.._area.Units], Moves(step));
        }
        else if (_error is null && !_rule.NeedsWholeTrial)
        {
            Span<T> scalar = _scalars.AsSpan(Place(step), 1);
            scalar[0] = _signal is { } signal ? signal.Value(step) : T.CreateTruncating(_rule.Third switch
            {
                ThirdFactor.StepReward => -_network.StepLoss(step),
                ThirdFactor.TaskReward => _network.Trial.Rewards[step - 1],
                _ => 1.0,
            });
            _shaper.Apply(scalar, Moves(step));
        }
    }

    /// <summary>Where the factor of a step lies, if it is one number: only those that are read later are all kept.</summary>
    private int Place(int step) => _readsLater ? step : 0;

    /// <summary>R(t) - u(t): the reward that the current did not foretell.</summary>
    private void MissedReward(int step, Span<T> row)
    {
        var reward = T.CreateTruncating(_network.Trial.Rewards[step - 1]);
        ReadOnlySpan<T> current = _area.Currents(step);
        for (int i = 0; i < _area.Units; i++)
            row[i] = reward - current[i];
    }

    /// <summary>
    /// Whether a running mean moves in a step. That of the task's rewards does only where a gate of what learns is open:
    /// elsewhere no reward is given, or none can be learned from. Where what learns has no gate, it always does.
    /// </summary>
    private bool Moves(int step)
    {
        if (_learning is null || _rule.Third is not ThirdFactor.TaskReward and not ThirdFactor.RewardError)
            return true;
        foreach (Segment segment in _learning)
            if (_network.IsOpen(segment.Spec.Gate, step))
                return true;
        return false;
    }

    /// <summary>After the last step: takes what is known only then.</summary>
    public void TakeTrial(int steps)
    {
        if (!_rule.NeedsWholeTrial)
            return;

        // Without a target there is no loss, and so no reward: nothing is learned, and no running mean moves.
        if (!_network.Trial.HasTarget)
        {
            _scalars.AsSpan(1, steps).Clear();
            return;
        }

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
            told[.._area.Units].Fill(_scalars[Place(step)]);
        }

        // A trace of slopes is that of the state; e = g eps is the rate's. Those of a unit model take their own g.
        if (_rule.Post == PostSignal.Slope && !_area.HasModel)
            _area.ThroughGain(step, told);
    }
}
