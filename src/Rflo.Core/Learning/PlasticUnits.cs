using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>A trainable parameter of each unit of an area: its collected increments and its updates.</summary>
internal abstract class PlasticUnits<T> : IJointUpdate
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Plasticity _plasticity;
    private readonly TrialLanes _lanes;
    private readonly OptimizerState<T> _optimizer;
    private readonly ScheduleState _rates;
    private readonly JointClip _joint;
    private readonly T[] _values;
    private readonly T[] _before;
    private int _trialsCollected;
    private bool _isStepCollected;
    private double _dueShare;

    /// <param name="area">The area.</param>
    /// <param name="plasticity">How it learns.</param>
    /// <param name="joint">The updates that are clipped together.</param>
    /// <param name="lanes">The trials that share every update.</param>
    protected PlasticUnits(AreaState<T> area, Plasticity plasticity, JointClip joint, TrialLanes lanes)
    {
        _lanes = lanes;
        _joint = joint;
        Area = area;
        _plasticity = plasticity;
        _optimizer = new OptimizerState<T>(_plasticity.Optimizer, area.Units, area.Units);
        _rates = new ScheduleState(_plasticity.Rates);
        _values = new T[area.Units];
        _before = new T[area.Units];
        Collected = new T[area.Units];
        joint.Join(this);
    }

    /// <summary>The area of the units.</summary>
    public AreaState<T> Area { get; }

    /// <summary>The sum of 1/T times the increments that are not yet applied, shape (units).</summary>
    public T[] Collected { get; }

    public bool IsStepwise => _plasticity.Schedule.IsStepwise;

    /// <summary>How many more trials run at the current parameters, the next one included.</summary>
    public int TrialsToUpdate => _plasticity.Schedule.Every - _trialsCollected;

    /// <summary>The trials of an update.</summary>
    public int TrialsOfUpdate => _plasticity.Schedule.Every;

    /// <summary>The name of the buffer of the parameter.</summary>
    protected abstract string Buffer { get; }

    /// <summary>The operator that changes it.</summary>
    public PlanOperator Operator(IReadOnlyList<PlanRead> reads)
    {
        PlanStage stage = IsStepwise ? PlanStage.ApplyStep : _plasticity.Schedule.Every == 1 ? PlanStage.ApplyTrial : PlanStage.ApplyUpdate;
        return new(stage, $"update of {Buffer}", [.. reads, new(Buffer)], [Buffer]);
    }

    public void Visit(StateVisitor visitor)
    {
        visitor.Visit("trialsCollected", ref _trialsCollected);
        visitor.Visit<T>("collected", Collected);
        _optimizer.Visit(visitor.Of("optimizer"));
        _rates.Visit(visitor);
    }

    public void BeginTrial(int trial) => _rates.Begin(trial);

    /// <summary>After a trained trial: passes its loss to schedules.</summary>
    public void ObserveLoss(int trial, double loss) => _rates.Observe(trial, loss);

    public Clip Clip => _plasticity.Clip;

    /// <summary>After a step's increments: applies the update if it is due. That of lanes waits for <see cref="EndStepOfLanes"/>.</summary>
    public void EndStep(int step, int steps)
    {
        if (!IsStepwise)
            return;
        if (_lanes.AreSeveral)
            _isStepCollected = true;
        else if (IsDue(step, steps))
            Apply(1.0);
    }

    /// <summary>After the increments of all lanes in a step: applies the update if it is due.</summary>
    /// <param name="step">t.</param>
    /// <param name="steps">Steps of the longest of their trials.</param>
    public void EndStepOfLanes(int step, int steps)
    {
        if (!_isStepCollected || !IsDue(step, steps))
            return;
        _isStepCollected = false;
        Apply(_lanes.Share);
    }

    /// <summary>At the end of a trial: applies the collected increments, if this was the last of the k trials between updates.</summary>
    public void FinishTrial()
    {
        if (!IsStepwise && ++_trialsCollected >= _plasticity.Schedule.Every)
            ApplyBatch();
    }

    /// <summary>Whether there are collected trials that are not yet applied.</summary>
    public bool HasOpenBatch => _trialsCollected > 0;

    /// <summary>Applies the collected trials, although they are fewer than the trials of an update, at the rate of the last of them.</summary>
    public void ApplyOpenBatch(int trial)
    {
        if (!HasOpenBatch)
            return;
        BeginTrial(trial);
        ApplyBatch();
    }

    private void ApplyBatch()
    {
        Apply(_plasticity.Schedule.Mean ? 1.0 / _trialsCollected : 1.0);
        _trialsCollected = 0;
    }

    private bool IsDue(int step, int steps) =>
        _plasticity.Schedule.Time == UpdateTime.Online || step % _plasticity.Schedule.Every == 0 || step == steps;

    private void Apply(double share)
    {
        _dueShare = share;
        if (Clip.Together)
            _joint.Add(this);
        else
            ApplyDue(Clip.FactorOf(Math.Sqrt(SumOfSquares())));
    }

    public double SumOfSquares() => _dueShare * _dueShare * double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(Collected));

    public void ApplyDue(double factor)
    {
        Read(_values);
        _values.CopyTo(_before, 0);
        _optimizer.Begin();
        _optimizer.Apply(Collected, _values, 0, T.CreateTruncating(_dueShare * factor), _plasticity.LearningRate * _rates.Factor);

        // A unit without an increment keeps its bits.
        for (int i = 0; i < _values.Length; i++)
            if (_values[i] != _before[i])
                Write(i, _values[i]);
        Collected.AsSpan().Clear();
    }

    /// <summary>The trained parameter of every unit.</summary>
    protected abstract void Read(Span<T> values);

    /// <summary>Sets the parameter of one unit.</summary>
    protected abstract void Write(int unit, T value);
}
