using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Real-time recurrent learning over a whole circuit: P holds the influence of every weight on every state,
/// P(t) = (1 - alpha) P(t-1) + alpha phi'(u(t)) [ sum over projections of W ds(t)/dw + immediate ], and
/// dW(t) = eta / T * l(t)' P(t) (Murray 2019, Eqs 10 to 14, with rows scaled by their own slopes).
/// </summary>
/// <remarks>
/// Exact at fixed weights for every differentiable circuit. With n rates and K weights: time O(n * pre * K) a step,
/// memory O(n * K * longest delay). The tensor is kept panel by panel (a panel is a few columns of all rates, side by
/// side in memory), so that a step reads and writes each panel once, while it lies in the nearest cache.
/// </remarks>
internal sealed class Rtrl<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly (ReadoutState<T> Readout, Plastic<T> Plastic)[] _readouts;
    private readonly bool _isStepwise;
    private readonly InfluenceColumns<T> _columns = new();
    private readonly InfluencePanels<T> _influence;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _stateSignals;
    private readonly AlignedArray<T>[] _product;
    private readonly AlignedArray<T> _gradient;
    private readonly bool[][] _reaches;
    private readonly int _width = Kernels.PanelColumns<T>();
    private int _steps;

    public Rtrl(
        Network<T> network, ErrorPath path, bool isStepwise, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas,
        IReadOnlyList<(ReadoutState<T> Readout, Plastic<T> Plastic)> readouts)
    {
        _network = network;
        _areas = [.. areas];
        _readouts = [.. readouts];
        _isStepwise = isStepwise;
        foreach ((AreaState<T> area, Plastic<T> plastic) in areas)
            _columns.Add(area.Index, area.Afferents, plastic.Segments);
        foreach ((ReadoutState<T> readout, Plastic<T> plastic) in readouts)
            _columns.Add(network.Areas.Length + readout.Index, readout.Afferents, plastic.Segments);
        _reaches = Reach.Of(network.Graph);
        _influence = new InfluencePanels<T>(network, _columns, _reaches);
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _stateSignals = [.. network.Areas.Select(area => new AlignedArray<T>(area.StateWidth))];
        _product = [.. network.Areas.Select(area => new AlignedArray<T>(area.BlockRows, _width))];
        _gradient = new AlignedArray<T>(_columns.Count);
    }

    public override BufferPurpose Purpose => BufferPurpose.Influence;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveStep, "influence of every weight", [.. _network.Carrying(_signals).Union(_network.FedBackErrors), .. _network.AllSignals], ["influence", "gradient"]),
        .. _areas.Select(pair => pair.Plastic).Concat(_readouts.Select(pair => pair.Plastic))
            .SelectMany(plastic => plastic.Around(plastic.Update("gradient", new PlanRead("gradient")))),
    ];

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _gradient.Span.Clear();
        _influence.Clear();
    }

    public override void ObserveStep(int step)
    {
        for (int k = 0; k < _signals.Length; k++)
            _signals[k].WriteStates(step, _stateSignals[k].Span);
        if (_isStepwise)
            _gradient.Span.Clear();
        for (int panel = 0; panel < _columns.Panels; panel++)
            Advance(panel, step);
    }

    public override void ApplyStep(int step)
    {
        if (_isStepwise)
            Apply(step);
    }

    public override void ApplyTrial(int steps)
    {
        if (!_isStepwise)
            Apply(steps);
        foreach ((AreaState<T> _, Plastic<T> plastic) in _areas)
            plastic.FinishTrial();
        foreach ((ReadoutState<T> _, Plastic<T> plastic) in _readouts)
            plastic.FinishTrial();
    }

    /// <summary>One panel of columns, for all areas: products first, since the new rows may overwrite the oldest.</summary>
    private void Advance(int panel, int step)
    {
        int owner = _columns.Owner(panel);
        foreach (AreaState<T> area in _network.Areas)
            if (_reaches[owner][area.Index])
                _influence.Multiply(area, panel, step, _product[area.Index].Span);

        Span<T> gradient = _gradient.Span.Slice(panel * _width, _width);
        foreach (AreaState<T> area in _network.Areas)
        {
            if (_reaches[owner][area.Index])
                _influence.Advance(area, panel, step, _product[area.Index].Span, _stateSignals[area.Index].Span, gradient);
        }

        if (owner < _network.Areas.Length)
            AddImmediate(_network.Areas[owner], panel, step, gradient);
        else
            AddDelta(_network.Readouts[owner - _network.Areas.Length], panel, step, gradient);
    }

    /// <summary>A weight's direct effect on the states of its own unit.</summary>
    private void AddImmediate(AreaState<T> area, int panel, int step, Span<T> gradient)
    {
        Span<T> signals = area.Afferents.Signals(step), post = area.Post(step), signal = _stateSignals[area.Index].Span;
        Span<T> influence = _influence.Panel(area.Index, step, panel);
        foreach (InfluenceColumns<T>.Piece piece in _columns.Pieces(panel))
        {
            for (int k = 0; k < area.StateCount; k++)
            {
                int at = k * area.Padded + piece.Unit;
                AddPiece(influence.Slice((k * area.BlockRows + piece.Unit) * _width, _width), piece, post[at], signals);
                AddPiece(gradient, piece, signal[at] * post[at], signals);
            }
        }
    }

    /// <summary>The direct effect of a fed-back readout's weights on its own error: the delta rule.</summary>
    private void AddDelta(ReadoutState<T> readout, int panel, int step, Span<T> gradient)
    {
        foreach (InfluenceColumns<T>.Piece piece in _columns.Pieces(panel))
            AddPiece(gradient, piece, readout.Error(step)[piece.Unit], readout.Afferents.Signals(step));
    }

    private static void AddPiece(Span<T> columns, in InfluenceColumns<T>.Piece piece, T factor, ReadOnlySpan<T> signals)
    {
        int count = piece.Signals.Length;
        if (piece.Contiguous)
        {
            Kernels.AddScaled(columns.Slice(piece.Column, count), factor, signals.Slice(piece.Signals[0], count));
            return;
        }

        for (int n = 0; n < count; n++)
            columns[piece.Column + n] += factor * signals[piece.Signals[n]];
    }

    private void Apply(int step)
    {
        foreach ((AreaState<T> area, Plastic<T> plastic) in _areas)
            Apply(plastic, area.Index, step);
        foreach ((ReadoutState<T> readout, Plastic<T> plastic) in _readouts)
            Apply(plastic, _network.Areas.Length + readout.Index, step);
    }

    private void Apply(Plastic<T> plastic, int owner, int step)
    {
        plastic.BeginIncrements(_isStepwise ? _steps : 1);
        _columns.Add(_gradient.Span, plastic, owner, _steps);
        if (_isStepwise)
            plastic.EndStep(step, _steps);
    }
}
