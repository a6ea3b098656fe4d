using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The projections of one target that learn together, and how increments become weight changes: at once, or collected
/// over trials; then held to masks, Dale's signs and bounds.
/// </summary>
internal sealed class Plastic<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly UpdateSchedule _schedule;
    private readonly bool _applies;
    private readonly List<Run> _runs = [];
    private readonly Constraint<T>[] _constraints;
    private int _trialsCollected;

    /// <param name="afferents">The target's weights.</param>
    /// <param name="segments">The projections that learn.</param>
    /// <param name="schedule">When updates are applied.</param>
    /// <param name="applies">False for a passive rule, which only collects.</param>
    public Plastic(Afferents<T> afferents, Segment[] segments, UpdateSchedule schedule, bool applies)
    {
        Afferents = afferents;
        Segments = segments;
        _schedule = schedule;
        _applies = applies;
        IsDirect = applies && (schedule.Time == UpdateTime.Online || schedule.Trials == 1);
        if (!IsDirect)
            Collected = afferents.NewStore();
        _constraints = [.. segments.Where(segment => applies && segment.IsConstrained).Select(segment => new Constraint<T>(segment, afferents))];
        foreach (Segment segment in segments)
            AddToRuns(segment);
    }

    /// <summary>A stretch of a wide row whose dense blocks learn at the same rate, so that one kernel call serves them all.</summary>
    public readonly record struct Run(int Offset, int Width, double LearningRate);

    public Afferents<T> Afferents { get; }

    public Segment[] Segments { get; }

    public List<Run> Runs => _runs;

    /// <summary>Whether increments are added to the weights as they come.</summary>
    public bool IsDirect { get; }

    /// <summary>The sum of increments not yet applied, at learning rate 1; null where they are applied as they come.</summary>
    public WeightStore<T>? Collected { get; }

    /// <summary>Where increments go.</summary>
    public WeightStore<T> Destination => Collected ?? Afferents.Weights;

    /// <summary>The factor of an increment at a learning rate, for a trial of so many steps.</summary>
    public T Scale(double learningRate, int steps) => T.CreateTruncating((IsDirect ? learningRate : 1.0) / steps);

    /// <summary>Adds the product of a whole trial: sum over steps of post(t) pre(t)'.</summary>
    /// <param name="post">Postsynaptic factors from step <paramref name="first"/> on, rows of <paramref name="stride"/> elements.</param>
    /// <param name="stride">Elements a row.</param>
    /// <param name="first">First step of the product.</param>
    /// <param name="steps">Steps T of the trial; the product ends there.</param>
    public void AddTrial(ReadOnlySpan<T> post, int stride, int first, int steps)
    {
        if (IsDirect)
            Forget(1.0);
        WeightStore<T> to = Destination;
        int count = steps - first + 1;
        foreach (Run run in _runs)
        {
            Kernels.AccumulateOuter(
                post, stride, Afferents.SignalsFrom(first)[run.Offset..], Afferents.Stride, count, Scale(run.LearningRate, steps),
                to.Dense.Span[run.Offset..], Afferents.DenseStride, Afferents.Rows, run.Width);
        }

        foreach (Segment segment in Segments)
        {
            if (segment.Sparse is not { } pattern)
                continue;
            T scale = Scale(segment.Plasticity!.LearningRate, steps);
            for (int t = first; t <= steps; t++)
            {
                Kernels.AccumulateOuterSparse(
                    pattern, post.Slice((t - first) * stride, Afferents.Rows), Afferents.Signals(t).Slice(segment.Offset, segment.Width),
                    scale, to.Sparse[Afferents.Place(segment)]);
            }
        }

        if (IsDirect)
            Constrain();
    }

    /// <summary>Adds the product of one step: post(t) pre(t)'.</summary>
    public void AddStep(ReadOnlySpan<T> post, int step, int steps)
    {
        if (IsDirect)
            Forget(1.0 / steps);
        WeightStore<T> to = Destination;
        Span<T> signals = Afferents.Signals(step);
        foreach (Run run in _runs)
        {
            T scale = Scale(run.LearningRate, steps);
            for (int i = 0; i < Afferents.Rows; i++)
                Kernels.AddScaled(to.Dense.Row(i, Afferents.DenseStride).Slice(run.Offset, run.Width), scale * post[i], signals.Slice(run.Offset, run.Width));
        }

        foreach (Segment segment in Segments)
        {
            if (segment.Sparse is { } pattern)
            {
                Kernels.AccumulateOuterSparse(
                    pattern, post, signals.Slice(segment.Offset, segment.Width), Scale(segment.Plasticity!.LearningRate, steps),
                    to.Sparse[Afferents.Place(segment)]);
            }
        }

        if (IsDirect)
            Constrain();
    }

    /// <summary>At the end of a trial: applies what was collected, if this was the last of the k trials between updates.</summary>
    public void FinishTrial()
    {
        if (!_applies || Collected is not { } collected || ++_trialsCollected < _schedule.Trials)
            return;
        Forget(1.0);
        double share = _schedule.Mean ? 1.0 / _trialsCollected : 1.0;
        foreach (Run run in _runs)
        {
            T scale = T.CreateTruncating(run.LearningRate * share);
            for (int i = 0; i < Afferents.Rows; i++)
            {
                Kernels.AddScaled(
                    Afferents.Weights.Dense.Row(i, Afferents.DenseStride).Slice(run.Offset, run.Width), scale,
                    collected.Dense.Row(i, Afferents.DenseStride).Slice(run.Offset, run.Width));
            }
        }

        foreach (Segment segment in Segments)
        {
            if (segment.Sparse is not null)
            {
                int at = Afferents.Place(segment);
                Kernels.AddScaled(Afferents.Weights.Sparse[at].AsSpan(), T.CreateTruncating(segment.Plasticity!.LearningRate * share), collected.Sparse[at]);
            }
        }

        collected.Clear();
        _trialsCollected = 0;
        Constrain();
    }

    /// <summary>Before direct increments: L2 decay takes its part of every weight.</summary>
    /// <param name="share">Part of an update's decay that is due now: 1 for a trial, 1/T for a step.</param>
    public void Forget(double share)
    {
        foreach (Segment segment in Segments)
        {
            if (segment.Spec.Decay == 0)
                continue;
            var keep = T.CreateTruncating(1 - segment.Plasticity!.LearningRate * segment.Spec.Decay * share);
            if (segment.Sparse is not null)
            {
                Span<T> block = Afferents.Weights.Sparse[Afferents.Place(segment)];
                System.Numerics.Tensors.TensorPrimitives.Multiply(block, keep, block);
                continue;
            }

            for (int i = 0; i < Afferents.Rows; i++)
            {
                Span<T> row = Afferents.Weights.Dense.Row(i, Afferents.DenseStride).Slice(segment.Offset, segment.Width);
                System.Numerics.Tensors.TensorPrimitives.Multiply(row, keep, row);
            }
        }
    }

    /// <summary>Puts every weight back where it may be: absent ones to 0, wrong signs to exactly 0, others within bounds.</summary>
    public void Constrain()
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
