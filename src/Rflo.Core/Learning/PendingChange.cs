using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The deferred updates of an online rule, for an area that is large compared with the length of a trial: each update is a product
/// of one step's pre with one vector of units. The factors are kept, and the contribution of the updates to the currents is added.
/// </summary>
/// <remarks>
/// With e(t) = sum over s up to t of D(s, t) post(s) pre(s)', where D multiplies the decays of steps s + 1 .. t, the weights
/// of step t are W(t) = W(0) + eta / T * sum over t' up to t of M(t') e(t'). So W(t) x = W(0) x + eta / T * sum over t' of M(t') f(t'),
/// where f(t') = e(t') x is one vector of units that follows from the one before:
/// f(t') = decay(t') f(t' - 1) + post(t') (pre(t')' x). Every step reads the weights once, writes no weight and computes no
/// trace. At the end of the trial the learning signals are filtered backward, and one product over its steps gives the update. The
/// numbers are those of traces but for rounding; time O(T * (post + pre)) a step beside the product, memory O(T * post).
/// </remarks>
internal sealed class PendingChange<T> : IPendingChange<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly Eligibility<T>? _eligibility;
    private readonly LearningSignal<T>? _oneColumn;
    private readonly AlignedArray<T> _learningSignals;
    private readonly AlignedArray<T> _errors;
    private readonly AlignedArray<T> _decay;
    private readonly bool _decayChanges;
    private readonly AlignedArray<T> _credit;
    private readonly AlignedArray<T> _overlap;
    private readonly AlignedArray<T> _overlapBeside;
    private readonly bool _isOfLane;
    private int _steps;

    /// <param name="network">The network.</param>
    /// <param name="area">The area whose weights learn.</param>
    /// <param name="plastic">How.</param>
    /// <param name="eligibility">The local factors; null where they are the slopes and the signals themselves.</param>
    /// <param name="decayChanges">Whether the decay of traces differs between steps.</param>
    /// <param name="oneColumn">The learning signal, where it is one vector times an error; null where it is a vector of its own in each step.</param>
    public PendingChange(
        Network<T> network, AreaState<T> area, Plastic<T> plastic, Eligibility<T>? eligibility, bool decayChanges, LearningSignal<T>? oneColumn = null)
    {
        int rows = network.MaxSteps + 1;
        _isOfLane = network.Lanes.AreSeveral;
        _area = area;
        _plastic = plastic;
        _eligibility = eligibility;
        _decayChanges = decayChanges;

        // The learning signals of lanes are filtered in every step, so all are kept.
        _oneColumn = _isOfLane ? null : oneColumn;
        _learningSignals = new AlignedArray<T>(rows, area.Padded);
        _errors = new AlignedArray<T>(rows);
        _decay = new AlignedArray<T>(decayChanges ? rows : 1, area.Padded);
        _credit = new AlignedArray<T>(area.Padded);
        _overlap = new AlignedArray<T>(rows);
        _overlapBeside = new AlignedArray<T>(rows);
    }

    /// <summary>
    /// Whether updates of an area's weights may be deferred to the end of the trial, and save time: until then no other operator changes the weights, or reads
    /// them without adding deferred updates; all blocks are dense; and the sums over steps are small compared with the weights.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="area">The area whose weights learn.</param>
    /// <param name="plastic">How.</param>
    /// <param name="plan">All operators.</param>
    /// <param name="update">The one that changes the weights in every step.</param>
    public static bool IsChosen(Network<T> network, AreaState<T> area, Plastic<T> plastic, IEnumerable<PlanOperator> plan, PlanOperator update)
    {
        if (!plastic.IsStepwise)
            return false;
        long signals = area.Afferents.Segments.Sum(segment => (long)segment.Width);
        bool isOfLanes = network.Lanes.AreSeveral;
        long steps = (isOfLanes ? 1L : 2L) * network.MaxSteps;
        bool pays = signals >= steps;
        return network.Choose(
            Forms.Deferred, plastic.Name, Obstacle(area, plastic, plan, update) ?? (isOfLanes ? ObstacleOfLanes(plan) : null), pays,
            $"{signals} presynaptic signals are {(pays ? "at least" : "fewer than")} {(isOfLanes ? "" : "2 x ")}{network.MaxSteps} steps");
    }

    private static string? Obstacle(AreaState<T> area, Plastic<T> plastic, IEnumerable<PlanOperator> plan, PlanOperator update) =>
        plastic.DenseObstacle
        ?? (area.Afferents.DenseStride != area.Afferents.Stride ? $"some weights onto {area.Spec.Name} are sparse" : null)
        ?? (area.Spec.Dynamics == Dynamics.WinnerTakeAll ? $"the units of {area.Spec.Name} compete" : null)
        ?? (update.Reads.FirstOrDefault(read => read.Lag == 0 && update.Writes.Contains(read.Buffer)) is { Buffer: { } own } ? $"the {update.Name} reads the {own} itself" : null)
        ?? Rewrites.ToTrialEnd(plan, update);

    /// <summary>Of lanes, the changes count in the product that makes the currents of all of them, and nowhere else.</summary>
    private static string? ObstacleOfLanes(IEnumerable<PlanOperator> plan) =>
        plan.FirstOrDefault(one => one.AddsDeferred && one.Stage != PlanStage.Forward) is { } reader ? $"the {reader.Name} adds the changes of one trial" : null;

    /// <summary>Steps whose factors were taken in the trial in hand.</summary>
    public int Taken { get; private set; }

    /// <summary>The share of a lane's increment in a change of the weights.</summary>
    public T RateOfLane => _plastic.ScaleOfLane(_plastic.Runs[0].LearningRate, _steps);

    /// <summary>Before the first step of a trial: there are no deferred updates.</summary>
    public void Begin(int steps)
    {
        _steps = steps;
        Taken = 0;
        if (!_isOfLane)
            _area.Afferents.Pending = this;
    }

    /// <summary>Stores a step's factors. Steps come in order.</summary>
    /// <param name="step">t.</param>
    /// <param name="decay">Decay factor of traces, shape (padded units).</param>
    /// <param name="signal">Learning signal, same shape; not read where it is one vector times an error.</param>
    public void Learn(int step, ReadOnlySpan<T> decay, ReadOnlySpan<T> signal)
    {
        Taken = step;
        if (_oneColumn is { } column)
            _errors.Span[step] = column.Error(step);
        else
            signal.CopyTo(_learningSignals.Row(step, _area.Padded));
        if (_decayChanges || step == 1)
            decay.CopyTo(Decay(step));
    }

    public void AddTo(int step, ReadOnlySpan<T> row, Span<T> product)
    {
        if (step == 1)
            return;
        Span<T> overlap = _overlap.Span[..(step - 1)];
        Kernels.Multiply(PreFrom(1), row, overlap);
        Add(overlap, product);
    }

    public void AddToBoth(int step, ReadOnlySpan<T> signals, Span<T> current, ReadOnlySpan<T> row, Span<T> product)
    {
        if (step == 1)
            return;
        Span<T> overlap = _overlap.Span[..(step - 1)], beside = _overlapBeside.Span[..(step - 1)];
        Kernels.MultiplyBoth(PreFrom(1), signals, row, overlap, beside);
        if (_oneColumn is null)
        {
            Kernels.AddPendingBoth(FactorsOfPost, Decays, LearningSignals, overlap, beside, Rate, current, product);
            return;
        }

        Add(overlap, current);
        Add(beside, product);
    }

    /// <summary>The presynaptic factors of steps from one on, in the wide rows of the area.</summary>
    /// <param name="step">The first.</param>
    public ReadOnlySpan<T> Signals(int step) => PreFrom(step);

    /// <summary>
    /// What the presynaptic factors of each step are multiplied with in the changes up to the step that was taken last:
    /// post(s) times the sum over t from s on of M(t) D(s, t).
    /// </summary>
    /// <param name="rows">One for each step from 1 on, shape (steps, padded units). Overwritten.</param>
    public void MakeFactors(Span<T> rows)
    {
        _credit.Span.Clear();
        for (int s = Taken; s >= 1; s--)
            Kernels.BackwardFilter(_credit.Span, Decay(Math.Min(s + 1, Taken)), _learningSignals.Row(s, _area.Padded), Post(s), rows.Slice((s - 1) * _area.Padded, _area.Padded));
    }

    /// <summary>After the last step: applies the updates.</summary>
    public void End(int steps)
    {
        _area.Afferents.Pending = null;
        _credit.Span.Clear();
        for (int t = steps; t >= 1; t--)
        {
            // The learning signal of this step is not read again: its row receives the postsynaptic factor of the step's update.
            Span<T> row = _learningSignals.Row(t, _area.Padded);
            if (_oneColumn is { } column)
                Kernels.Scale(column.Column, _errors.Span[t], row);
            Kernels.BackwardFilter(_credit.Span, Decay(Math.Min(t + 1, steps)), row, Post(t), row);
        }

        _plastic.AddTrial(_learningSignals.From(1, _area.Padded), _area.Padded, PreFrom(1), 1, steps);
        if (_isOfLane)
            _plastic.EndStep(steps, steps);
    }

    private Span<T> Decay(int step) => _decay.Row(_decayChanges ? step : 0, _area.Padded);

    private Span<T> Post(int step) => _eligibility is { } own ? own.Post(step) : _area.Post(step);

    private Span<T> PostFrom(int step) => _eligibility is { } own ? own.PostFrom(step) : _area.PostFrom(step);

    private Span<T> PreFrom(int step) => _eligibility is { } own ? own.PreFrom(step) : _area.Afferents.SignalsFrom(step);

    private StepRows<T> FactorsOfPost => new(PostFrom(1));

    private StepRows<T> Decays => new(_decayChanges ? _decay.From(1, _area.Padded) : _decay.Span, isSame: !_decayChanges);

    private StepRows<T> LearningSignals => new(_learningSignals.From(1, _area.Padded));

    /// <summary>eta / T.</summary>
    private T Rate => _plastic.Scale(_plastic.Runs[0].LearningRate, _steps);

    /// <summary>Adds the product of the updates so far with a row, from the row's inner products with the signals of earlier steps.</summary>
    private void Add(ReadOnlySpan<T> overlap, Span<T> product)
    {
        if (_oneColumn is { } column)
            Kernels.AddPending(FactorsOfPost, Decays, _errors.Span[1..], column.Column, overlap, Rate, product);
        else
            Kernels.AddPending(FactorsOfPost, Decays, LearningSignals, overlap, Rate, product);
    }
}
