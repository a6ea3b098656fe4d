using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// KeRNL's model of a circuit (Roth, Kanitscheider and Fiete 2019): a perturbation of unit i changes unit k, after d steps, by
/// about A_ki kappa_i^d. Noise zeta perturbs a copy of the circuit in every step. The difference x between the copy and the
/// circuit is compared with its prediction A omega, where omega = kappa omega + zeta. A and kappa follow the gradient of
/// the squared error, delta = A omega - x.
/// </summary>
/// <remarks>
/// The copy is the circuit's linearization, the limit of a noisy copy for small noise: no result depends on the size of the
/// noise, and small noise causes no rounding errors. Steps are normalized by the squared size of their factors, so the rate has
/// no units and is stable below 1. Initially A = 1 and kappa = 1 - alpha, which is RFLO. Time and memory
/// O(units * learning units) a step.
/// </remarks>
internal sealed class LearnedSensitivity<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AreaState<T>[] _sources;
    private readonly TangentState<T> _difference;
    private readonly AlignedArray<T>?[][] _sensitivity;
    private readonly AlignedArray<T>[] _memory;
    private readonly AlignedArray<T>[] _nudges;
    private readonly AlignedArray<T>[] _expected;
    private readonly AlignedArray<T>[] _slope;
    private readonly AlignedArray<T>[] _pull;
    private readonly AlignedArray<T>[] _squares;
    private readonly AlignedArray<T>[] _sourceSignals;
    private readonly AlignedArray<T>[] _error;
    private readonly AlignedArray<T> _row;
    private readonly MixingSource<T> _source;
    private readonly double _rate;

    /// <param name="network">The network.</param>
    /// <param name="sources">The areas whose units are perturbed: those whose weights learn.</param>
    /// <param name="source">The random numbers of perturbations.</param>
    /// <param name="rate">Learning rate, in [0, 1]; at 0, A and kappa stay constant and no unit is perturbed.</param>
    public LearnedSensitivity(Network<T> network, IEnumerable<AreaState<T>> sources, MixingSource<T> source, double rate)
    {
        _network = network;
        _sources = [.. sources];
        _source = source;
        _rate = rate;
        _difference = new TangentState<T>(network);
        bool[][] reaches = Reach.Of(network.Graph);
        _sensitivity = [.. network.Areas.Select(area => _sources.Select(from => reaches[from.Index][area.Index] ? NewSensitivity(area, from) : null).ToArray())];
        _memory = [.. _sources.Select(NewMemory)];
        AlignedArray<T>[] OfSources() => [.. _sources.Select(area => new AlignedArray<T>(area.Padded))];
        _nudges = OfSources();
        _expected = OfSources();
        _slope = OfSources();
        _pull = OfSources();
        _squares = OfSources();
        _sourceSignals = OfSources();
        _error = [.. network.Areas.Select(area => new AlignedArray<T>(area.Padded))];
        _row = new AlignedArray<T>(network.Areas.Max(area => area.Padded));
    }

    /// <summary>kappa of the k-th source: the decay factor of a perturbation, and of a trace, in one step. Shape (padded units).</summary>
    public Span<T> Memory(int k) => _memory[k].Span;

    /// <summary>A from the k-th source to an area, shape (padded units, padded source); null where it cannot be reached.</summary>
    public AlignedArray<T>? Sensitivity(int area, int k) => _sensitivity[area][k];

    /// <summary>After the time constants of an area were set: its kappa is reset to 1 - alpha.</summary>
    public void FollowTimeConstants(AreaState<T> area)
    {
        for (int k = 0; k < _sources.Length; k++)
            if (_sources[k] == area)
                area.Decay.Span.CopyTo(Memory(k));
    }

    /// <summary>Saves or restores A and kappa, which are kept from trial to trial.</summary>
    public void Visit(StateVisitor visitor)
    {
        for (int k = 0; k < _sources.Length; k++)
        {
            StateVisitor own = visitor.Of("source", k);
            own.Visit("memory", Memory(k)[.._sources[k].Units]);
            foreach (AreaState<T> area in _network.Areas)
                if (_sensitivity[area.Index][k] is { } sensitivity)
                    own.VisitColumns("area", sensitivity.Span, _sources[k].Padded, area.Units, _sources[k].Units, area.Index);
        }
    }

    /// <summary>Before the first step of a trial: resets the difference x and omega to 0.</summary>
    public void Begin(int trial)
    {
        _source.Begin(trial);
        if (_rate > 0)
            _difference.Begin();
        foreach (AlignedArray<T> row in _expected)
            row.Span.Clear();
        foreach (AlignedArray<T> row in _slope)
            row.Span.Clear();
    }

    /// <summary>Advances the difference by the step that the network has just computed; reads weights.</summary>
    public void Advance(int step)
    {
        if (_rate > 0)
            _difference.Advance(step);
    }

    /// <summary>Perturbs the copy, computes delta, and updates A and kappa; then computes A' l, the learning signals of the sources.</summary>
    /// <param name="step">t.</param>
    /// <param name="signals">l of all areas.</param>
    public void Learn(int step, AlignedArray<T>[] signals)
    {
        double size = 0;
        for (int k = 0; _rate > 0 && k < _sources.Length; k++)
        {
            Nudge(k, step);
            size += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(_expected[k].Span));
        }

        if (!(size > 0))
        {
            for (int k = 0; k < _sources.Length; k++)
                ComputeSourceSignal(k, signals);
            return;
        }

        foreach (AreaState<T> area in _network.Areas)
            Compare(area, step);
        double leverage = size;
        for (int k = 0; k < _sources.Length; k++)
        {
            LearnSensitivity(k, T.CreateTruncating(-_rate / size), signals);
            leverage += Leverage(k);
        }

        for (int k = 0; k < _sources.Length; k++)
            LearnMemory(k, T.CreateTruncating(-_rate / leverage));
    }

    /// <summary>A' l: the learning signal of the k-th source's units from those of all areas, computed by <see cref="Learn"/>.</summary>
    public Span<T> SourceSignal(int k) => _sourceSignals[k].Span;

    /// <summary>Computes A' l only, where A does not learn.</summary>
    private void ComputeSourceSignal(int k, AlignedArray<T>[] signals)
    {
        SourceSignal(k).Clear();
        foreach (AreaState<T> area in _network.Areas)
            if (_sensitivity[area.Index][k] is { } sensitivity)
                Kernels.AddTransposed(sensitivity.Span, signals[area.Index].Span, SourceSignal(k));
    }

    private static AlignedArray<T> NewSensitivity(AreaState<T> area, AreaState<T> from)
    {
        var sensitivity = new AlignedArray<T>(area.Padded, from.Padded);
        if (area.Index == from.Index && sensitivity.IsHeld)
            for (int i = 0; i < area.Units; i++)
                sensitivity.Row(i, from.Padded)[i] = T.One;
        return sensitivity;
    }

    private static AlignedArray<T> NewMemory(AreaState<T> area)
    {
        var memory = new AlignedArray<T>(area.Padded);
        area.Decay.Span.CopyTo(memory.Span);
        return memory;
    }

    /// <summary>Adds zeta to the difference and to omega, its prediction; slope = d omega / d kappa.</summary>
    private void Nudge(int k, int step)
    {
        AreaState<T> area = _sources[k];
        Span<T> nudges = _nudges[k].Span[..area.Units], expected = _expected[k].Span, slope = _slope[k].Span;
        _source.Fill(step, nudges);
        TensorPrimitives.MultiplyAdd<T>(slope, _memory[k].Span, expected, slope);
        TensorPrimitives.MultiplyAdd<T>(expected, _memory[k].Span, _nudges[k].Span, expected);
        Span<T> difference = _difference.Of(area.Index, step);
        TensorPrimitives.Add<T>(difference, _nudges[k].Span, difference);
    }

    /// <summary>delta = A omega - x, for an area.</summary>
    private void Compare(AreaState<T> area, int step)
    {
        Span<T> error = _error[area.Index].Span, share = _row.Span[..area.Padded];
        TensorPrimitives.Negate<T>(_difference.Of(area.Index, step), error);
        for (int k = 0; k < _sources.Length; k++)
        {
            if (_sensitivity[area.Index][k] is not { } sensitivity)
                continue;
            Kernels.Multiply(sensitivity.Span, _expected[k].Span, share);
            TensorPrimitives.Add<T>(error, share, error);
        }
    }

    /// <summary>Updates A by the gradient of the squared error; computes A' delta and the sums of squares of its columns before, and A' l after the update.</summary>
    private void LearnSensitivity(int k, T rate, AlignedArray<T>[] signals)
    {
        Span<T> squares = _squares[k].Span, pull = _pull[k].Span;
        pull.Clear();
        squares.Clear();
        SourceSignal(k).Clear();
        foreach (AreaState<T> area in _network.Areas)
        {
            if (_sensitivity[area.Index][k] is not { } sensitivity)
                continue;

            // Backward, since the rows that the comparison read last are still in the cache.
            Kernels.AdvanceSensitivity(
                sensitivity.Span, _error[area.Index].Span, rate, _expected[k].Span, signals[area.Index].Span, pull, squares, SourceSignal(k), backward: true);
        }
    }

    /// <summary>Computes the gradient of the squared error by kappa. Returns the part of the gradient of A omega in the size of a step.</summary>
    private double Leverage(int k)
    {
        Span<T> slope = _slope[k].Span, squares = _squares[k].Span, pull = _pull[k].Span;
        TensorPrimitives.Multiply<T>(pull, slope, pull);
        TensorPrimitives.Multiply<T>(squares, slope, squares);
        return double.CreateTruncating(TensorPrimitives.Dot<T>(squares, slope));
    }

    private void LearnMemory(int k, T rate)
    {
        Span<T> memory = _memory[k].Span;
        TensorPrimitives.MultiplyAdd<T>(_pull[k].Span, rate, memory, memory);
        TensorPrimitives.Clamp<T>(memory, T.Zero, T.One, memory);
    }
}
