using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>The learner of a rule of another assembly in one area.</summary>
internal sealed class CustomLearner<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly CustomRule _rule;
    private readonly AreaLearner _learner;
    private readonly AreaStep<T> _step;
    private readonly WeightStore<T> _sum;
    private readonly (string Name, double[] Numbers)[] _memory;
    private readonly Action _observe;
    private readonly Action _finish;
    private int _trial;
    private bool _any;

    public CustomLearner(Network<T> network, AreaState<T> area, Plastic<T> plastic, CustomRule rule)
    {
        (_network, _area, _plastic, _rule) = (network, area, plastic, rule);
        _step = new AreaStep<T>(network, area, plastic.Segments, rule.Path);
        _sum = area.Afferents.NewStore();
        SiteProjection[] projections =
        [
            .. plastic.Segments.Select(segment => new SiteProjection(
                segment.Spec.Name, segment.Width, (int)segment.Stored, segment.Sparse?.Start.AsReadOnly(), segment.Sparse?.Column.AsReadOnly())),
        ];

        // Without connections there is nothing that the rule could be called for.
        _learner = Array.Exists(plastic.Segments, segment => segment.CountOnly is not null)
            ? new Unknown()
            : rule.Learn(new AreaSite(area.Spec.Name, area.Units, area.StateCount, network.MaxSteps, projections));
        _observe = () => _learner.ObserveStep(_step);
        _finish = () => _learner.ObserveTrial(_step);
        _memory = [.. _learner.Memory.OrderBy(part => part.Key, StringComparer.Ordinal).Select(part => (part.Key, part.Value))];
    }

    /// <summary>The rule may read all of a step: the signal, errors of all readouts through the losses, rewards, weights.</summary>
    public override IReadOnlyList<PlanOperator> Operators
    {
        get
        {
            PlanRead[] step =
            [
                new(Slopes(_area.Spec.Name)), new(Signals(_area.Spec.Name)), new(BufferNames.Rewards), .. _plastic.WeightReads,
                .. _network.Readouts.Select(readout => new PlanRead(Errors(readout.Spec.Name))), .. _step.Reads,
            ];
            string sum = $"sums of {_plastic.Name}";
            return
            [
                new(PlanStage.ObserveStep, $"{_rule.Description} of {_plastic.Name}", [.. step.Distinct()], [sum]),
                new(PlanStage.ObserveTrial, $"{_rule.Description} of {_plastic.Name} at the end of the trial", [.. step.Distinct()], [sum]),
                .. _plastic.Around(_plastic.Update("update", new PlanRead(sum))),
            ];
        }
    }

    public override void Visit(StateVisitor visitor)
    {
        foreach ((string name, double[] numbers) in _memory)
            visitor.Visit<double>(name, numbers);
    }

    public override void Begin(int trial, int steps)
    {
        _trial = trial;
        _any = false;
        _sum.Clear();
        Call(0, () => _learner.BeginTrial(trial, steps));
    }

    public override void ObserveStep(int step)
    {
        _step.Begin(_trial, step, double.NaN);
        Call(step, _observe);
    }

    public override void ApplyStep(int step)
    {
        if (!_plastic.IsStepwise)
        {
            _any |= _step.AddTo(_sum);
            return;
        }

        _plastic.BeginIncrements(_step.Steps);
        if (_step.AddTo(_sum))
        {
            _plastic.Add(_sum, _step.Steps);
            _sum.Clear();
        }

        _plastic.EndStep(step, _step.Steps);
    }

    public override void ObserveTrial(int steps)
    {
        _step.Begin(_trial, steps, _network.Trial.HasTarget ? _network.LossSum / steps : double.NaN);
        Call(steps, _finish);
        _any |= _step.AddTo(_sum);
    }

    public override void ApplyTrial(int steps)
    {
        if (!_plastic.IsStepwise)
            _plastic.BeginIncrements(1);
        if (_any)
        {
            _plastic.Add(_sum, steps);
            if (_plastic.IsStepwise)
                _plastic.EndStep(steps, steps);
        }

        _plastic.FinishTrial();
    }

    [SuppressMessage("Design", "CA1031", Justification = "A rule of another assembly may throw anything.")]
    private void Call(int step, Action call)
    {
        try
        {
            call();
        }
        catch (Exception e)
        {
            throw new TaskException(step, $"the rule {_rule.Description} in area {_area.Spec.Name}", e);
        }
    }

    /// <summary>The learner of a sketch, which is never called.</summary>
    private sealed class Unknown : AreaLearner
    {
        public override void ObserveStep(LearningStep now)
        {
        }
    }
}
