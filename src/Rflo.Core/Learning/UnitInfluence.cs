using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Learns time constants and initial states by real-time recurrent learning: S(t) = J(t) S(t-1) + diag(direct(t)), one column for every unit
/// that learns; d theta = eta / T * l(t)' S(t). Of ln tau, direct(t) = dh(t)/d ln tau at fixed h(t-1). Of s(0) it is 0, and S(0) is 1 for the
/// unit's own first state, at all times before step 1.
/// </summary>
/// <remarks>Exact at fixed weights for every differentiable circuit. Time O(n pre k) a step, memory O(n k), k the units that learn.</remarks>
internal sealed class UnitInfluence<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly PlasticTau<T>[] _plastics;
    private readonly int[] _firstColumn;
    private readonly (AreaState<T> Area, PlasticStart<T> Plastic, int FirstColumn, T[] Increments)[] _starts;
    private readonly InfluenceColumns<T> _columns = new();
    private readonly InfluencePanels<T> _influence;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _stateSignals;
    private readonly AlignedArray<T>[] _product;
    private readonly AlignedArray<T> _gradient;
    private readonly int _width = Kernels.PanelColumns<T>();
    private int _steps;

    public UnitInfluence(Network<T> network, ErrorPath path, IReadOnlyList<PlasticTau<T>> plastics, IReadOnlyList<(AreaState<T> Area, PlasticStart<T> Plastic)> starts)
    {
        _network = network;
        _plastics = [.. plastics];
        _firstColumn = new int[_plastics.Length];
        int units = 0;
        for (int k = 0; k < _plastics.Length; k++)
        {
            _firstColumn[k] = units;
            units += _plastics[k].Area.Units;
        }

        _starts = new (AreaState<T>, PlasticStart<T>, int, T[])[starts.Count];
        for (int k = 0; k < _starts.Length; k++)
        {
            (AreaState<T> area, PlasticStart<T> plastic) = starts[k];
            _starts[k] = (area, plastic, units, new T[area.Units]);
            units += area.Units;
        }

        _columns.AddFree(units);
        _influence = new InfluencePanels<T>(network, _columns, []);
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _stateSignals = [.. network.Areas.Select(area => new AlignedArray<T>(area.StateWidth))];
        _product = [.. network.Areas.Select(area => new AlignedArray<T>(area.BlockRows, _width))];
        _gradient = new AlignedArray<T>(_columns.Count);
    }

    public override void Visit(StateVisitor visitor)
    {
        foreach (PlasticTau<T> plastic in _plastics)
            plastic.Visit(visitor.Of("tau", plastic.Area.Index));
    }

    public override bool HasOpenBatch => Array.Exists(_plastics, plastic => plastic.HasOpenBatch);

    public override void ApplyOpenBatch(int trial)
    {
        foreach (PlasticTau<T> plastic in _plastics)
            plastic.ApplyOpenBatch(trial);
    }

    public override BufferPurpose Purpose => BufferPurpose.Influence;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveStep, $"influence of {Learned}", [.. _network.Carrying(_signals)], [$"gradient of {Learned}"]),
        .. _plastics.Cast<PlasticUnits<T>>().Concat(_starts.Select(start => start.Plastic)).Select(plastic => plastic.Operator([new($"gradient of {Learned}")])),
    ];

    private string Learned => _starts.Length == 0 ? "the time constants" : _plastics.Length == 0 ? "the initial states" : "time constants and initial states";

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _influence.Clear();
        foreach ((AreaState<T> area, _, int first, T[] increments) in _starts)
        {
            increments.AsSpan().Clear();
            BeginStart(area, first);
        }

        foreach (PlasticTau<T> plastic in _plastics)
            plastic.BeginTrial(trial);
    }

    public override void ObserveStep(int step)
    {
        _gradient.Span.Clear();
        for (int k = 0; k < _signals.Length; k++)
            _signals[k].WriteStates(step, _stateSignals[k].Span);
        for (int panel = 0; panel < _columns.Panels; panel++)
            Carry(panel, step);
        for (int k = 0; k < _plastics.Length; k++)
            AddImmediate(_plastics[k], _firstColumn[k], step);
        foreach ((_, _, int first, T[] increments) in _starts)
            for (int i = 0; i < increments.Length; i++)
                increments[i] += _gradient.Span[first + i];
    }

    public override void ApplyStep(int step)
    {
        foreach (PlasticTau<T> plastic in _plastics)
            plastic.EndStep(step, _steps);
        foreach ((_, PlasticStart<T> plastic, _, T[] increments) in _starts)
        {
            if (!plastic.IsStepwise)
                continue;
            plastic.Add(increments, _steps);
            increments.AsSpan().Clear();
            plastic.EndStep(step, _steps);
        }
    }

    public override void ApplyTrial(int steps)
    {
        foreach (PlasticTau<T> plastic in _plastics)
            plastic.FinishTrial();
        foreach ((_, PlasticStart<T> plastic, _, T[] increments) in _starts)
        {
            if (!plastic.IsStepwise)
                plastic.Add(increments, steps);
            plastic.FinishTrial();
        }
    }

    /// <summary>The influence of the first states on states before step 1, as far back as delays reach.</summary>
    private void BeginStart(AreaState<T> area, int first)
    {
        for (int t = 1 - _network.Graph.MaxDelay; t <= 0; t++)
            for (int i = 0; i < area.Units; i++)
                if (!area.IsStartHeld(i))
                    _influence.Panel(area.Index, t, (first + i) / _width)[i * _width + (first + i) % _width] = T.One;
    }

    private void Carry(int panel, int step)
    {
        foreach (AreaState<T> area in _network.Areas)
            _influence.Multiply(area, panel, step, _product[area.Index].Span);
        foreach (AreaState<T> area in _network.Areas)
            _influence.Advance(area, panel, step, _product[area.Index].Span, _stateSignals[area.Index].Span, _gradient.Span.Slice(panel * _width, _width));
    }

    /// <summary>A tau's direct effect on its own unit's rate, and the increment of the step.</summary>
    private void AddImmediate(PlasticTau<T> plastic, int first, int step)
    {
        AreaState<T> area = _network.Areas[plastic.Area.Index];
        Span<T> before = area.States(step - 1), now = area.States(step), signal = _stateSignals[area.Index].Span;
        var share = T.CreateTruncating(1.0 / _steps);
        for (int i = 0; i < area.Units; i++)
        {
            int column = first + i;
            T direct = before[i] - now[i];
            _influence.Panel(area.Index, step, column / _width)[i * _width + column % _width] += direct;
            T increment = T.FusedMultiplyAdd(signal[i], direct, _gradient.Span[column]);
            plastic.Collected[i] = T.FusedMultiplyAdd(share, increment, plastic.Collected[i]);
        }
    }
}
