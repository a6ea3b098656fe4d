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
internal sealed class PlasticTau<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Plasticity _plasticity;
    private readonly Moments<T> _moments;
    private readonly T[] _logarithms;
    private readonly T[] _before;
    private int _trialsCollected;
    private double _rateNow = 1;

    public PlasticTau(AreaState<T> area)
    {
        Area = area;
        _plasticity = area.Spec.TauPlasticity!;
        _moments = new Moments<T>(_plasticity.Optimiser, area.Units, area.Units);
        _logarithms = new T[area.Units];
        _before = new T[area.Units];
        Collected = new T[area.Units];
    }

    public AreaState<T> Area { get; }

    /// <summary>The sum of 1/T times what was asked for and is not yet applied, shape (units).</summary>
    public T[] Collected { get; }

    public bool IsStepwise => _plasticity.Schedule.IsStepwise;

    public void Visit(StateVisitor visitor)
    {
        visitor.Visit("trialsCollected", ref _trialsCollected);
        visitor.Visit<T>("collected", Collected);
        _moments.Visit(visitor.Of("optimiser"));
    }

    public void BeginTrial(int trial) => _rateNow = _plasticity.Rates.At(trial);

    /// <summary>Adds the product of credit and direct effect of one step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="credit">-dL/dh(t), shape (units).</param>
    /// <param name="steps">Steps T of the trial.</param>
    public void AddStep(int step, ReadOnlySpan<T> credit, int steps)
    {
        Span<T> before = Area.Rates(step - 1), now = Area.Rates(step);
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
        Span<T> alpha = Area.Alpha.Span[..Area.Units], decay = Area.Decay.Span;
        double norm = share * Math.Sqrt(double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(Collected)));
        double clip = norm > _plasticity.Optimiser.ClipNorm ? _plasticity.Optimiser.ClipNorm / norm : 1;
        for (int i = 0; i < alpha.Length; i++)
            _before[i] = _logarithms[i] = -T.Log(alpha[i]);
        _moments.Begin();
        _moments.Apply(Collected, _logarithms, 0, T.CreateTruncating(share * clip), _plasticity.LearningRate * _rateNow);
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
