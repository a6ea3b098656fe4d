using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// The learning signal of an area's units: l(t) = sum over readouts of B eps(t), with B the declared feedback matrix, or the
/// transpose of the readout's current weights.
/// </summary>
internal sealed class LearningSignal<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AreaState<T> _area;
    private readonly ErrorPath _path;
    private readonly (ReadoutState<T> Readout, AlignedArray<T> Transposed)[] _fixed;
    private readonly (ReadoutState<T> Readout, Segment Segment)[] _symmetric;
    private readonly ReadoutState<T>? _only;
    private readonly AlignedArray<T> _column;
    private readonly int _columnAt;

    public LearningSignal(Network<T> network, AreaState<T> area, ErrorPath path)
    {
        (_network, _area, _path) = (network, area, path);
        ReadoutState<T> ReadoutOf(FeedbackSpec feedback) => network.Readouts[feedback.Readout.Index];
        _fixed =
        [
            .. FeedbacksOnto(network, area, path).Where(feedback => feedback.Matrix is not null)
                .Select(feedback => (ReadoutOf(feedback), Transpose(feedback.Matrix!, ReadoutOf(feedback).Outputs))),
        ];
        _symmetric = [.. Symmetric(network, area, path)];
        ChangesInTrial = _symmetric.Any(pair => LearnsInSteps(pair.Segment.Plasticity));
        _column = new AlignedArray<T>(0);
        string? obstacle = area.Spec.Penalties.Count > 0 ? $"rates of {area.Spec.Name} cost something"
            : Array.Exists(_symmetric, pair => network.Scales(pair.Segment)) ? "a perturbation scales what carries errors back"
            : (_fixed, _symmetric) is ([{ Readout.Outputs: 1 }], []) or ([], [{ Readout.Outputs: 1, Segment: { Sparse: null, Source.Units: null } }]) ? null
            : "it is not of one output and one column of weights";
        if (!network.Choose(Forms.OneColumn, $"learning signal of {area.Spec.Name}", obstacle))
            return;
        if (_fixed is [var (readout, column)])
            (_only, _column) = (readout, column);
        else
            (_only, _column, _columnAt) = (_symmetric[0].Readout, _symmetric[0].Readout.Afferents.Weights.Dense, _symmetric[0].Segment.Offset);
    }

    /// <summary>Its sources: errors, the weights of readouts that carry them back, rates with a penalty.</summary>
    public IEnumerable<PlanRead> Reads => ReadsOf(_network, _area, _path);

    /// <summary>The sources of an area's learning signal, without making one.</summary>
    public static IEnumerable<PlanRead> ReadsOf(Network<T> network, AreaState<T> area, ErrorPath path)
    {
        foreach (FeedbackSpec feedback in FeedbacksOnto(network, area, path))
            if (feedback.Matrix is not null)
                yield return new(Errors(network.Readouts[feedback.Readout.Index].Spec.Name));
        foreach ((ReadoutState<T> readout, Segment segment) in Symmetric(network, area, path))
        {
            yield return new(Errors(readout.Spec.Name));
            yield return new(Weights(segment.Spec.Name));
        }

        if (area.Spec.Penalties.Count > 0)
            yield return new(Rates(area.Spec.Name));
    }

    /// <summary>Whether B may differ at the end of a trial: it is the weights of a readout that learns step by step.</summary>
    public bool ChangesInTrial { get; }

    /// <summary>Whether l(t) = B eps(t) for one output, whose B is <see cref="Column"/>.</summary>
    public bool IsOneColumn => _only is not null;

    /// <summary>Whether that B never changes.</summary>
    public bool IsFixedColumn => IsOneColumn && _fixed.Length == 1;

    /// <summary>That B as it is now, shape (padded units).</summary>
    public ReadOnlySpan<T> Column => _column.Span.Slice(_columnAt, _area.Padded);

    /// <summary>eps of that one output from a step on, <see cref="ErrorStride"/> apart.</summary>
    public ReadOnlySpan<T> ErrorsFrom(int step) => _only!.ErrorsFrom(step);

    /// <summary>Elements from one step's error to the next step's.</summary>
    public int ErrorStride => _only!.Padded;

    /// <summary>eps(t) of that one output.</summary>
    public T Error(int step) => _only!.Error(step)[0];

    /// <summary>l(t), shape (padded units). Overwrites <paramref name="signal"/>.</summary>
    public void Write(int step, Span<T> signal)
    {
        // One product instead of a sum that begins at 0: most circuits have one output, and this is called in every step.
        if (IsOneColumn)
        {
            Kernels.Scale(Column, Error(step), signal);
            return;
        }

        signal.Clear();
        Add(step, signal);
    }

    /// <summary>g(t) l(t): the same of the states of the area's units, which the rules that carry influences forward keep. Overwrites <paramref name="signal"/>, in the shape of the states.</summary>
    public void WriteStates(int step, Span<T> signal)
    {
        Write(step, signal[.._area.Padded]);
        _area.ThroughGain(step, signal);
    }

    /// <summary>Adds l(t) to <paramref name="signal"/>, shape (padded units).</summary>
    public void Add(int step, Span<T> signal)
    {
        foreach ((ReadoutState<T> readout, AlignedArray<T> matrix) in _fixed)
        {
            Span<T> error = readout.Error(step);
            for (int k = 0; k < readout.Outputs; k++)
                Kernels.AddScaled(signal, error[k], matrix.Row(k, _area.Padded));
        }

        foreach ((ReadoutState<T> readout, Segment segment) in _symmetric)
            AddSymmetric(readout, segment, readout.Error(step), _network.FactorOf(segment, step), signal);
        foreach (RatePenalty penalty in _area.Spec.Penalties)
            AddPenalty(penalty, penalty.OfTrialMean ? _area.MeanRates : _area.Rates(step), signal);
    }

    /// <summary>Minus the slope of a cost of rates.</summary>
    private void AddPenalty(RatePenalty penalty, ReadOnlySpan<T> rates, Span<T> signal)
    {
        for (int i = 0; i < _area.Units; i++)
            signal[i] -= T.CreateTruncating(penalty.Slope(double.CreateTruncating(rates[i])));
    }

    private static void AddSymmetric(ReadoutState<T> readout, Segment segment, ReadOnlySpan<T> error, T factor, Span<T> signal)
    {
        Afferents<T> afferents = readout.Afferents;
        int[]? population = segment.Source.Units;
        if (segment.Sparse is { } pattern)
        {
            T[] block = afferents.Weights.Sparse[afferents.Place(segment)];
            for (int k = 0; k < pattern.Rows; k++)
                for (int n = pattern.Start[k]; n < pattern.Start[k + 1]; n++)
                    signal[population is null ? pattern.Column[n] : population[pattern.Column[n]]] += factor * error[k] * block[n];
            return;
        }

        for (int k = 0; k < readout.Outputs; k++)
        {
            Span<T> weights = afferents.Weights.Dense.Row(k, afferents.DenseStride).Slice(segment.Offset, segment.Width);
            if (population is not { } units)
            {
                Kernels.AddScaled(signal[..segment.Width], factor * error[k], weights);
                continue;
            }

            for (int j = 0; j < units.Length; j++)
                signal[units[j]] += factor * error[k] * weights[j];
        }
    }

    private static bool LearnsInSteps(Plasticity? plasticity) =>
        plasticity is { LearningRate: > 0 } plastic && (plastic.Readout is RlsReadout || (!plastic.Readout.IsLeastSquares && plastic.Schedule.IsStepwise));

    private static FeedbackSpec[] FeedbacksOnto(Network<T> network, AreaState<T> area, ErrorPath path) =>
        path == ErrorPath.Symmetric ? [] : [.. network.Graph.Feedbacks.Where(feedback => feedback.Area.Index == area.Index)];

    /// <summary>The readouts whose own weights carry their errors back to an area, and those weights.</summary>
    private static IEnumerable<(ReadoutState<T> Readout, Segment Segment)> Symmetric(Network<T> network, AreaState<T> area, ErrorPath path)
    {
        IEnumerable<ReadoutState<T>> readouts = path == ErrorPath.Symmetric
            ? network.Readouts
            : FeedbacksOnto(network, area, path).Where(feedback => feedback.Matrix is null).Select(feedback => network.Readouts[feedback.Readout.Index]);
        return readouts.SelectMany(readout => readout.Afferents.Segments
            .Where(segment => segment.Source is { Kind: SignalKind.Area } source && source.Index == area.Index).Select(segment => (readout, segment)));
    }

    private AlignedArray<T> Transpose(double[] matrix, int outputs)
    {
        var transposed = new AlignedArray<T>(outputs, _area.Padded);
        for (int i = 0; i < _area.Units && transposed.IsHeld; i++)
            for (int k = 0; k < outputs; k++)
                transposed.Span[k * _area.Padded + i] = T.CreateTruncating(matrix[i * outputs + k]);
        return transposed;
    }
}
