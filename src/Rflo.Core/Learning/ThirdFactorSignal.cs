using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>The third factor of a local rule: the signal M(t) that each unit of an area receives in each step.</summary>
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

        // An error is carried back by the weights of its step: where they learn within the trial, M(t) is stored.
        bool changes = readsLater && _error is { ChangesInTrial: true };
        if (isOfUnits && (changes || !(isError && rule.ThirdShaping.IsPlain)))
            _shaped = new AlignedArray<T>(network.MaxSteps + 1, area.Padded);
        if (rule.Third == ThirdFactor.RewardError)
            area.KeepCurrents();
        _readsLater = readsLater;
        _scalars = Storage.New<T>(isOfUnits ? 0 : readsLater ? network.MaxSteps + 1 : 1);
    }

    /// <summary>Where M(t) is one vector times one error, in <see cref="LearningSignal{T}.Column"/>, without a shaping; null otherwise.</summary>
    public LearningSignal<T>? OneColumn => _shaped is null && !_area.HasGain && _error is { IsFixedColumn: true } ? _error : null;

    /// <summary>Saves or restores the running mean, which is kept from trial to trial.</summary>
    public void Visit(StateVisitor visitor) => _shaper.Visit(visitor);

    /// <summary>Whether M(t) is computed in the steps, and not when it is read.</summary>
    public bool IsTaken => _shaped is not null || (_error is null && !_rule.NeedsWholeTrial);

    /// <summary>The operator that computes M(t): in the steps, or when the trial has ended.</summary>
    /// <param name="network">The network.</param>
    /// <param name="area">The area whose units receive it.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="group">The projections or units that learn by it.</param>
    /// <param name="stage">When it is computed.</param>
    public static PlanOperator Operator(Network<T> network, AreaState<T> area, ThreeFactorRule rule, string group, PlanStage stage)
    {
        IEnumerable<PlanRead> errors = network.Readouts.Select(readout => new PlanRead(Errors(readout.Spec.Name)));
        IEnumerable<PlanRead> reads = rule.Third switch
        {
            ThirdFactor.Error => LearningSignal<T>.ReadsOf(network, area, rule.Path),
            ThirdFactor.TrialReward or ThirdFactor.StepReward => errors,
            ThirdFactor.TaskReward => [new(BufferNames.Rewards)],
            ThirdFactor.RewardError => [new(BufferNames.Rewards), new(Currents(area.Spec.Name))],
            ThirdFactor.Signal => ModulatorSignal<T>.ReadsOf(network, rule.Source!),
            _ => [],
        };
        return new(rule.NeedsWholeTrial ? PlanStage.ObserveTrial : stage, $"learning signal of {group}", [.. reads], [BufferNames.LearningSignal(group)]);
    }

    /// <summary>After the forward step: stores the factor, where it is available then. Steps must come in order.</summary>
    public void Take(int step)
    {
        if (_shaped is { } shaped)
        {
            Span<T> row = shaped.Row(step, _area.Padded);
            if (_error is { } error)
                error.Write(step, row);
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

    /// <summary>The index of a step's factor, if it is one number: the factors of all steps are stored only if they are read later.</summary>
    private int Place(int step) => _readsLater ? step : 0;

    /// <summary>R(t) - u(t): the prediction error of each unit.</summary>
    private void MissedReward(int step, Span<T> row)
    {
        var reward = T.CreateTruncating(_network.Trial.Rewards[step - 1]);
        ReadOnlySpan<T> current = _area.Currents(step);
        for (int i = 0; i < _area.Units; i++)
            row[i] = reward - current[i];
    }

    /// <summary>
    /// Whether a running mean is updated in a step. That of the task's rewards is updated only in steps in which a gate of the
    /// trained projections is open: the rewards of other steps have no effect on learning. Without a gate it is updated in every step.
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

    /// <summary>After the last step: computes a factor that needs the whole trial.</summary>
    public void TakeTrial(int steps)
    {
        if (!_rule.NeedsWholeTrial)
            return;

        // Without a target there is no loss and hence no reward: the factor is 0, and no running mean is updated.
        if (!_network.Trial.HasTarget)
        {
            _scalars.AsSpan(1, steps).Clear();
            return;
        }

        Span<T> reward = [T.CreateTruncating(-_network.LossSum / steps)];
        _shaper.Apply(reward);
        _scalars.AsSpan(1, steps).Fill(reward[0]);
    }

    /// <summary>M(t), shape (padded units). Overwrites <paramref name="signal"/>.</summary>
    public void Write(int step, Span<T> signal)
    {
        if (_shaped is { } shaped)
        {
            shaped.Row(step, _area.Padded).CopyTo(signal);
        }
        else if (_error is { } error)
        {
            error.Write(step, signal);
        }
        else
        {
            signal.Clear();
            signal[.._area.Units].Fill(_scalars[Place(step)]);
        }

        // A trace of slopes is that of the state; e = g eps is the rate's. Those of a unit model take their own g.
        if (_rule.Post == PostSignal.Slope && !_area.HasModel)
            _area.ThroughGain(step, signal);
    }
}
