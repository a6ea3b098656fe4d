using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// The time constants of an area that learns them. The parameter is ln(tau / dt), so that a learning rate means the same
/// for fast and slow units and no tau turns negative; tau is kept at or above dt.
/// </summary>
/// <remarks>
/// What a rule asks for is -dL/d ln tau. Since h(t) = (1 - alpha) h(t-1) + alpha phi(u) and alpha = dt / tau, a step's
/// direct effect is dh(t) / d ln tau = h(t-1) - h(t), with no division and no second look at phi.
/// </remarks>
internal sealed class PlasticTau<T> : IJointUpdate
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Plasticity _plasticity;
    private readonly OptimizerState<T> _optimizer;
    private readonly ScheduleState _rates;
    private readonly JointClip _joint;
    private readonly T[] _logarithms;
    private readonly T[] _before;
    private int _trialsCollected;
    private double _dueShare;

    public PlasticTau(AreaState<T> area, JointClip joint)
    {
        _joint = joint;
        Area = area;
        _plasticity = area.Spec.TauPlasticity!;
        _optimizer = new OptimizerState<T>(_plasticity.Optimizer, area.Units, area.Units);
        _rates = new ScheduleState(_plasticity.Rates);
        _logarithms = new T[area.Units];
        _before = new T[area.Units];
        Collected = new T[area.Units];
        joint.Join(this);
    }

    public AreaState<T> Area { get; }

    /// <summary>The sum of 1/T times what was asked for and is not yet applied, shape (units).</summary>
    public T[] Collected { get; }

    public bool IsStepwise => _plasticity.Schedule.IsStepwise;

    /// <summary>The operator that changes them.</summary>
    public PlanOperator Operator(IReadOnlyList<PlanRead> reads)
    {
        string name = BufferNames.TimeConstants(Area.Spec.Name);
        PlanStage stage = IsStepwise ? PlanStage.ApplyStep : _plasticity.Schedule.Every == 1 ? PlanStage.ApplyTrial : PlanStage.ApplyUpdate;
        return new(stage, $"update of {name}", [.. reads, new(name)], [name]);
    }

    public void Visit(StateVisitor visitor)
    {
        visitor.Visit("trialsCollected", ref _trialsCollected);
        visitor.Visit<T>("collected", Collected);
        _optimizer.Visit(visitor.Of("optimizer"));
        _rates.Visit(visitor);
    }

    public void BeginTrial(int trial) => _rates.Begin(trial);

    /// <summary>After a trial that trained: its loss, for schedules that look at it.</summary>
    public void ObserveLoss(int trial, double loss) => _rates.Observe(trial, loss);

    public Clip Clip => _plasticity.Clip;

    /// <summary>Adds the product of credit and direct effect of one step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="credit">-dL/ds(t), s the state that the leak acts on; shape (units).</param>
    /// <param name="steps">Steps T of the trial.</param>
    public void AddStep(int step, ReadOnlySpan<T> credit, int steps)
    {
        Span<T> before = Area.States(step - 1), now = Area.States(step);
        var share = T.CreateTruncating(1.0 / steps);
        for (int i = 0; i < Collected.Length; i++)
            Collected[i] = T.FusedMultiplyAdd(share * credit[i], before[i] - now[i], Collected[i]);
    }

    /// <summary>After a step's part: applies what is due.</summary>
    public void EndStep(int step, int steps)
    {
        UpdateSchedule schedule = _plasticity.Schedule;
        if (IsStepwise && (schedule.Time == UpdateTime.Online || step % schedule.Every == 0 || step == steps))
            Apply(1.0);
    }

    /// <summary>At the end of a trial: applies what was collected, if this was the last of the k trials between updates.</summary>
    public void FinishTrial()
    {
        if (!IsStepwise && ++_trialsCollected >= _plasticity.Schedule.Every)
            ApplyBatch();
    }

    /// <summary>Whether trials were collected whose update is still to come.</summary>
    public bool HasOpenBatch => _trialsCollected > 0;

    /// <summary>Applies the trials collected so far, fewer than an update is made of, at the rate of the last of them.</summary>
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
        Span<T> alpha = Area.Alpha.Span[..Area.Units], decay = Area.Decay.Span;
        for (int i = 0; i < alpha.Length; i++)
            _before[i] = _logarithms[i] = -T.Log(alpha[i]);
        _optimizer.Begin();
        _optimizer.Apply(Collected, _logarithms, 0, T.CreateTruncating(_dueShare * factor), _plasticity.LearningRate * _rates.Factor);
        for (int i = 0; i < alpha.Length; i++)
        {
            // A unit that nothing is asked of keeps its bits.
            if (_logarithms[i] == _before[i])
                continue;
            // Of the numbers near it, one that a saved tau gives back to the bit: 1 / (1 / alpha) does not change when repeated.
            double tau = 1 / double.CreateTruncating(T.Exp(-T.Max(T.Zero, _logarithms[i])));
            alpha[i] = T.CreateTruncating(1 / tau);
            decay[i] = T.One - alpha[i];
        }

        Collected.AsSpan().Clear();
    }
}
