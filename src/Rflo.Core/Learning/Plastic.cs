using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The projections of one target that learn together, and how increments become weight changes: directly, or collected and
/// passed to an optimizer; then masks, Dale's signs and bounds are applied.
/// </summary>
internal sealed partial class Plastic<T> : IJointUpdate
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly UpdateSchedule _schedule;
    private readonly ScheduleState _rates;
    private readonly JointClip? _joint;
    private readonly bool _applies;
    private readonly TrialLanes _lanes;
    private readonly List<Run> _runs = [];
    private readonly Constraint<T>[] _constraints;
    private readonly UpdateStep<T>[] _updates;
    private int _trialsCollected;
    private bool _isStepCollected;
    private double _dueShare;
    private int _dueParts;

    /// <param name="afferents">The target's weights.</param>
    /// <param name="segments">The projections that learn.</param>
    /// <param name="plan">When updates are applied, and how they follow from increments: the common settings of the projections.</param>
    /// <param name="joint">The updates that are clipped together with them.</param>
    /// <param name="applies">False for a passive rule, which only collects.</param>
    /// <param name="direct">Whether increments may be added directly to the weights, where only lanes require that they are collected first.</param>
    /// <param name="lanes">The trials that share every update; null for one at a time.</param>
    public Plastic(
        Afferents<T> afferents, Segment[] segments, Plasticity plan, JointClip? joint, bool applies, bool direct = true, TrialLanes? lanes = null)
    {
        Afferents = afferents;
        Segments = segments;
        UpdateSchedule schedule = plan.Schedule;
        _schedule = schedule;
        _rates = new ScheduleState(plan.Rates);
        _joint = joint;
        _applies = applies;
        _lanes = lanes ?? TrialLanes.One;
        Clip = plan.Clip;
        if (applies)
            joint?.Join(this);
        IsSum = applies && direct && CollectingReason(plan) is null;
        IsDirect = IsSum && !_lanes.AreSeveral;
        if (!IsDirect)
            Collected = afferents.NewStore();
        _updates = Collected is { } collected && applies
            ? [.. segments.Select(segment => new UpdateStep<T>(segment, afferents, collected, plan.Optimizer))]
            : [];
        _constraints = [.. segments.Where(segment => applies && segment.IsConstrained).Select(segment => new Constraint<T>(segment, afferents))];
        foreach (Segment segment in segments)
            AddToRuns(segment);
    }

    /// <summary>A contiguous part of a wide row whose dense blocks learn at the same rate, so that one kernel call is enough for all of them.</summary>
    public readonly record struct Run(int Offset, int Width, double LearningRate);

    public Afferents<T> Afferents { get; }

    public Segment[] Segments { get; }

    public Clip Clip { get; }

    public List<Run> Runs => _runs;

    /// <summary>Whether its increments are computed step by step.</summary>
    public bool IsStepwise => _schedule.IsStepwise;

    /// <summary>How many threads may add the increments of a trial.</summary>
    public int Threads { get; set; } = 1;

    /// <summary>The trials of an update; 0 where weights change within a trial.</summary>
    public int TrialsOfUpdate => _schedule.IsStepwise ? 0 : _schedule.Every;

    /// <summary>How many more trials there are until the weights change, the next one included.</summary>
    public int TrialsToUpdate => TrialsOfUpdate - _trialsCollected;

    /// <summary>Whether increments are added directly to the weights.</summary>
    public bool IsDirect { get; }

    /// <summary>Whether weights change by the sum of increments alone, so that it does not matter how many are added at a time.</summary>
    public bool IsSum { get; }

    /// <summary>The sum of increments not yet applied, at learning rate 1; null where they are added directly to the weights.</summary>
    public WeightStore<T>? Collected { get; }

    /// <summary>The store that increments are added to.</summary>
    public WeightStore<T> Destination => Collected ?? Afferents.Weights;

    /// <summary>Before the first step of a trial: sets the learning rate of that trial.</summary>
    public void BeginTrial(int trial) => _rates.Begin(trial);

    /// <summary>After a trained trial: passes its loss to schedules.</summary>
    public void ObserveLoss(int trial, double loss) => _rates.Observe(trial, loss);

    /// <summary>The factor of an increment at a learning rate, for a trial of so many steps.</summary>
    public T Scale(double learningRate, int steps) => T.CreateTruncating((IsDirect ? learningRate * _rates.Factor : 1.0) / steps);

    /// <summary>The factor by which an increment of one of several lanes changes the weights, for a trial of so many steps.</summary>
    public T ScaleOfLane(double learningRate, int steps) => T.CreateTruncating(learningRate * _rates.Factor * _lanes.Share / steps);

    /// <summary>Before increments that are added directly to the weights: applies the decay of every weight.</summary>
    /// <param name="parts">Into how many parts a trial's decay is split: 1 at its end, T in its steps.</param>
    public void BeginIncrements(int parts)
    {
        if (IsDirect)
            foreach (Segment segment in Segments)
                if (segment.Spec.Decay != 0)
                    Afferents.Multiply(segment, 1 - segment.Plasticity!.LearningRate * _rates.Factor * segment.Spec.Decay / parts);
    }

    /// <summary>Adds the product of a whole trial: sum over steps of post(t) pre(t)'.</summary>
    /// <param name="post">Postsynaptic factors from step <paramref name="first"/> on, rows of <paramref name="stride"/> elements.</param>
    /// <param name="stride">Elements a row.</param>
    /// <param name="pre">Presynaptic factors from step <paramref name="first"/> on, in the wide rows of the target.</param>
    /// <param name="first">First step of the product.</param>
    /// <param name="steps">Steps T of the trial; the product ends there.</param>
    public void AddTrial(ReadOnlySpan<T> post, int stride, ReadOnlySpan<T> pre, int first, int steps) =>
        AddSteps(post, stride, pre, steps - first + 1, steps);

    /// <summary>Adds the product of consecutive steps: sum over them of post(t) pre(t)'.</summary>
    /// <param name="post">Postsynaptic factors, rows of <paramref name="stride"/> elements.</param>
    /// <param name="stride">Elements a row.</param>
    /// <param name="pre">Presynaptic factors, in the wide rows of the target.</param>
    /// <param name="count">How many steps.</param>
    /// <param name="steps">Steps T of the trial.</param>
    public void AddSteps(ReadOnlySpan<T> post, int stride, ReadOnlySpan<T> pre, int count, int steps)
    {
        WeightStore<T> to = Destination;
        foreach (Run run in _runs)
        {
            Kernels.AccumulateOuterByThreads(
                post, stride, pre[run.Offset..], Afferents.Stride, count, Scale(run.LearningRate, steps),
                to.Dense.Span[run.Offset..], Afferents.DenseStride, Afferents.BlockRows, run.Width, Threads);

            // The kernel takes rows in blocks, and 0 times a presynaptic factor that is NaN is not 0.
            for (int i = Afferents.Rows; i < Afferents.BlockRows; i++)
                to.Dense.Row(i, Afferents.DenseStride).Slice(run.Offset, run.Width).Clear();
        }

        foreach (Segment segment in Segments)
        {
            if (segment.Sparse is not { } pattern)
                continue;
            T scale = Scale(segment.Plasticity!.LearningRate, steps);
            for (int t = 0; t < count; t++)
            {
                Kernels.AccumulateOuterSparse(
                    pattern, post.Slice(t * stride, Afferents.Rows), pre.Slice(t * Afferents.Stride + segment.Offset, segment.Width),
                    scale, to.Sparse[Afferents.Place(segment)]);
            }
        }
    }

    /// <summary>Adds the product of one step: post(t) pre(t)'.</summary>
    public void AddStep(ReadOnlySpan<T> post, ReadOnlySpan<T> pre, int steps)
    {
        WeightStore<T> to = Destination;
        foreach (Run run in _runs)
        {
            T scale = Scale(run.LearningRate, steps);
            for (int i = 0; i < Afferents.Rows; i++)
                Kernels.AddScaled(to.Dense.Row(i, Afferents.DenseStride).Slice(run.Offset, run.Width), scale * post[i], pre.Slice(run.Offset, run.Width));
        }

        foreach (Segment segment in Segments)
        {
            if (segment.Sparse is { } pattern)
            {
                Kernels.AccumulateOuterSparse(
                    pattern, post, pre.Slice(segment.Offset, segment.Width), Scale(segment.Plasticity!.LearningRate, steps),
                    to.Sparse[Afferents.Place(segment)]);
            }
        }
    }

    /// <summary>Adds increments that were summed elsewhere.</summary>
    public void Add(WeightStore<T> sum, int steps)
    {
        WeightStore<T> to = Destination;
        foreach (Run run in _runs)
        {
            T scale = Scale(run.LearningRate, steps);
            for (int i = 0; i < Afferents.Rows; i++)
            {
                Kernels.AddScaled(
                    to.Dense.Row(i, Afferents.DenseStride).Slice(run.Offset, run.Width), scale,
                    sum.Dense.Row(i, Afferents.DenseStride).Slice(run.Offset, run.Width));
            }
        }

        foreach (Segment segment in Segments)
            if (segment.Sparse is not null && Afferents.Place(segment) is var at)
                Kernels.AddScaled(to.Sparse[at].AsSpan(), Scale(segment.Plasticity!.LearningRate, steps), sum.Sparse[at]);
    }

    /// <summary>Adds a multiple of the weights themselves, for one unit: the decay of Oja's rule.</summary>
    public void AddOfWeights(int unit, T factor, int steps)
    {
        WeightStore<T> to = Destination;
        foreach (Run run in _runs)
        {
            Kernels.AddScaled(
                to.Dense.Row(unit, Afferents.DenseStride).Slice(run.Offset, run.Width), Scale(run.LearningRate, steps) * factor,
                Afferents.Weights.Dense.Row(unit, Afferents.DenseStride).Slice(run.Offset, run.Width));
        }

        foreach (Segment segment in Segments)
        {
            if (segment.Sparse is not { } pattern)
                continue;
            int at = Afferents.Place(segment), start = pattern.Start[unit], count = pattern.Start[unit + 1] - start;
            Kernels.AddScaled(
                to.Sparse[at].AsSpan(start, count), Scale(segment.Plasticity!.LearningRate, steps) * factor,
                Afferents.Weights.Sparse[at].AsSpan(start, count));
        }
    }

    /// <summary>After a step's increments: applies what is due. Those of lanes wait for <see cref="EndStepOfLanes"/>.</summary>
    public void EndStep(int step, int steps)
    {
        if (IsDirect)
            Constrain();
        else if (_lanes.AreSeveral)
            _isStepCollected = true;
        else if (_applies && IsDue(step, steps))
            Apply(1.0, UpdatesInTrial(steps), 1);
    }

    /// <summary>After the increments of all lanes in a step: applies what is due.</summary>
    /// <param name="step">t.</param>
    /// <param name="steps">Steps of the longest of their trials.</param>
    public void EndStepOfLanes(int step, int steps)
    {
        if (!_isStepCollected || !_applies || !IsDue(step, steps))
            return;
        _isStepCollected = false;
        Apply(_lanes.Share, UpdatesInTrial(steps), _lanes.Count);
    }

    /// <summary>Saves or restores the collected increments that are not yet applied, and the state of optimizers and schedule.</summary>
    public void Visit(StateVisitor visitor)
    {
        visitor.Visit("trialsCollected", ref _trialsCollected);
        if (Collected is { } collected)
            Afferents.Visit(visitor.Of("collected"), collected, Segments);
        for (int k = 0; k < _updates.Length; k++)
            _updates[k].Visit(visitor.Of("optimizer", k));
        _rates.Visit(visitor);
    }

    /// <summary>At the end of a trial: applies the collected increments, if this was the last of the k trials between updates.</summary>
    public void FinishTrial()
    {
        if (!_applies || IsStepwise)
            return;
        if (IsDirect)
        {
            Constrain();
            return;
        }

        if (++_trialsCollected >= _schedule.Every)
            ApplyBatch();
    }

    /// <summary>Whether there are collected trials that are not yet applied.</summary>
    public bool HasOpenBatch => _applies && _trialsCollected > 0;

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
        Apply(_schedule.Mean ? 1.0 / _trialsCollected : 1.0, 1, _trialsCollected);
        _trialsCollected = 0;
    }

    private bool IsDue(int step, int steps) => _schedule.Time == UpdateTime.Online || step % _schedule.Every == 0 || step == steps;

    /// <summary>The number of updates of a trial, which share its decay.</summary>
    private int UpdatesInTrial(int steps) =>
        _schedule.Time == UpdateTime.EverySteps ? (steps + _schedule.Every - 1) / _schedule.Every : steps;

    private void Apply(double share, int parts, int trials)
    {
        (_dueShare, _dueParts) = (share, parts);
        foreach (UpdateStep<T> update in _updates)
            update.AddPenalties((double)trials / parts);
        if (Clip.Together && _joint is { } joint)
        {
            joint.Add(this);
            return;
        }

        foreach (UpdateStep<T> update in _updates)
            Apply(update, Clip.IsNone ? 1 : Clip.FactorOf(share * Math.Sqrt(update.SumOfSquares())));
        FinishUpdate();
    }

    public double SumOfSquares()
    {
        double sum = 0;
        foreach (UpdateStep<T> update in _updates)
            sum += update.SumOfSquares();
        return sum * _dueShare * _dueShare;
    }

    public void ApplyDue(double factor)
    {
        foreach (UpdateStep<T> update in _updates)
            Apply(update, factor);
        FinishUpdate();
    }

    private void Apply(UpdateStep<T> update, double clip) =>
        update.Apply(_dueShare * clip, update.Segment.Plasticity!.LearningRate * _rates.Factor, _dueParts);

    private void FinishUpdate()
    {
        Collected!.Clear();
        Constrain();
    }

    /// <summary>Moves every weight to the nearest allowed value.</summary>
    private void Constrain()
    {
        foreach (Constraint<T> constraint in _constraints)
            constraint.Hold();
    }

    private void AddToRuns(Segment segment)
    {
        if (segment.Sparse is not null)
            return;
        double rate = segment.Plasticity!.LearningRate;
        int padded = Simd.Padded<T>(segment.Width);
        if (_runs.Count > 0 && _runs[^1] is { } last && last.Offset + last.Width == segment.Offset && last.LearningRate == rate)
            _runs[^1] = last with { Width = last.Width + padded };
        else
            _runs.Add(new Run(segment.Offset, padded, rate));
    }
}
