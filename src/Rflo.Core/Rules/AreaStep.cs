using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>A step of an area in double precision. Values are converted only when the rule reads them.</summary>
internal sealed class AreaStep<T> : LearningStep
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AreaState<T> _area;
    private readonly Segment[] _segments;
    private readonly LearningSignal<T> _signal;
    private readonly AlignedArray<T> _signalRow;
    private readonly double[] _row;
    private readonly double[] _before;
    private readonly double[] _current;
    private readonly double[] _alpha;
    private readonly double[] _learning;
    private readonly double[] _ofStates;
    private readonly double[] _slopes;
    private readonly double[] _gains;
    private readonly double[][] _pre;
    private readonly double[][] _weights;
    private readonly double[][] _increments;
    private readonly bool[] _isWritten;

    public AreaStep(Network<T> network, AreaState<T> area, Segment[] segments, ErrorPath path)
    {
        (_network, _area, _segments) = (network, area, segments);
        _signal = new LearningSignal<T>(network, area, path);
        _signalRow = new AlignedArray<T>(area.Padded);
        int n = area.Units, d = area.StateCount;
        (_row, _before, _current, _alpha, _learning) = (Storage.New<double>(n), Storage.New<double>(n), Storage.New<double>(n), Storage.New<double>(n), Storage.New<double>(n));
        (_ofStates, _slopes, _gains) = (Storage.New<double>((long)n * d * d), Storage.New<double>((long)n * d), Storage.New<double>((long)n * d));
        _pre = [.. segments.Select(segment => Storage.New<double>(segment.Width))];
        _weights = [.. segments.Select(segment => Storage.New<double>(segment.Stored))];
        _increments = [.. segments.Select(segment => Storage.New<double>(segment.Stored))];
        _isWritten = new bool[segments.Length];
    }

    /// <summary>The buffers that its learning signal is computed from.</summary>
    public IEnumerable<PlanRead> Reads => _signal.Reads;

    public override ReadOnlySpan<double> Rates => Converted(_area.Rates(Step), _row);

    public override ReadOnlySpan<double> RatesBefore => Converted(_area.Rates(Step - 1), _before);

    public override ReadOnlySpan<double> Current => Converted(_area.Current.Span, _current);

    public override ReadOnlySpan<double> Alpha => Converted(_area.Alpha.Span, _alpha);

    public override ReadOnlySpan<double> Signal
    {
        get
        {
            _signal.Write(Step, _signalRow.Span);
            return Converted(_signalRow.Span, _learning);
        }
    }

    public override ReadOnlySpan<double> A(int k = 0, int l = 0)
    {
        Span<double> to = _ofStates.AsSpan((k * _area.StateCount + l) * _area.Units, _area.Units);
        return Converted(_area.HasModel ? _area.Jacobian(Step)[((k * _area.StateCount + l) * _area.Padded)..] : _area.DecayOf(Step), to);
    }

    public override ReadOnlySpan<double> C(int k = 0) => Converted(_area.Post(Step)[(k * _area.Padded)..], _slopes.AsSpan(k * _area.Units, _area.Units));

    public override ReadOnlySpan<double> G(int k = 0)
    {
        Span<double> to = _gains.AsSpan(k * _area.Units, _area.Units);
        if (_area.HasGain)
            return Converted(_area.Gain(Step)[(k * _area.Padded)..], to);
        to.Fill(1);
        return to;
    }

    public override ReadOnlySpan<double> Pre(int projection)
    {
        Segment segment = _segments[projection];
        return Converted(_area.Afferents.Signals(Step)[segment.Offset..], _pre[projection]);
    }

    public override ReadOnlySpan<double> Weights(int projection)
    {
        Segment segment = _segments[projection];
        Span<double> to = _weights[projection];
        Afferents<T> afferents = _area.Afferents;
        if (segment.Sparse is not null)
            return Converted(afferents.Weights.Sparse[afferents.Place(segment)], to);
        for (int i = 0; i < _area.Units; i++)
            Converted(afferents.Weights.Dense.Row(i, afferents.DenseStride)[segment.Offset..], to.Slice(i * segment.Width, segment.Width));
        return to;
    }

    public override Span<double> Increments(int projection)
    {
        if (!_isWritten[projection])
            Array.Clear(_increments[projection]);
        _isWritten[projection] = true;
        return _increments[projection];
    }

    /// <summary>Before the rule is called: the step of a trial.</summary>
    /// <param name="trial">Number of the trial.</param>
    /// <param name="step">t.</param>
    /// <param name="loss">The loss of the trial; NaN before its end.</param>
    public void Begin(int trial, int step, double loss)
    {
        (Trial, Step, Steps, TrialLoss) = (trial, step, _network.Trial.Steps, loss);
        (Reward, StepLoss) = (_network.Trial.Rewards[step - 1], _network.StepLoss(step));
        Array.Clear(_isWritten);
    }

    /// <summary>After the rule was called: adds its increments.</summary>
    /// <param name="sum">Added to.</param>
    /// <returns>Whether the rule wrote any increments.</returns>
    public bool AddTo(WeightStore<T> sum)
    {
        bool any = false;
        for (int k = 0; k < _segments.Length; k++)
        {
            if (!_isWritten[k])
                continue;
            any = true;
            Segment segment = _segments[k];
            if (segment.Sparse is not null)
            {
                Add(_increments[k], sum.Sparse[_area.Afferents.Place(segment)]);
                continue;
            }

            for (int i = 0; i < _area.Units; i++)
            {
                Span<double> row = _increments[k].AsSpan(i * segment.Width, segment.Width);
                for (int j = 0; segment.Exists is not null && j < row.Length; j++)
                    row[j] = segment.Has(i, j, segment.Width) ? row[j] : 0;
                Add(row, sum.Dense.Row(i, _area.Afferents.DenseStride).Slice(segment.Offset, segment.Width));
            }
        }

        return any;
    }

    private static void Add(ReadOnlySpan<double> increments, Span<T> to)
    {
        for (int j = 0; j < to.Length; j++)
            to[j] += T.CreateTruncating(increments[j]);
    }

    private static ReadOnlySpan<double> Converted(ReadOnlySpan<T> from, Span<double> to)
    {
        TensorPrimitives.ConvertTruncating<T, double>(from[..to.Length], to);
        return to;
    }
}
