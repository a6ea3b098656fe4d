using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Learns time constants by real-time recurrent learning: S(t) = J(t) S(t-1) + diag(dh(t)/d ln tau at fixed h(t-1)), one
/// column for every unit that learns its tau; d ln tau = eta / T * l(t)' S(t).
/// </summary>
/// <remarks>Exact at fixed weights for every differentiable circuit. Time O(n pre k) a step, memory O(n k), k the units that learn.</remarks>
internal sealed class TauInfluence<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly PlasticTau<T>[] _plastics;
    private readonly int[] _firstColumn;
    private readonly InfluenceColumns<T> _columns = new();
    private readonly InfluencePanels<T> _influence;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _told;
    private readonly AlignedArray<T>[] _product;
    private readonly AlignedArray<T> _gradient;
    private readonly int _width = Kernels.PanelColumns<T>();
    private int _steps;

    public TauInfluence(Network<T> network, ErrorPath path, IReadOnlyList<PlasticTau<T>> plastics)
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

        _columns.AddFree(units);
        _influence = new InfluencePanels<T>(network, _columns, []);
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _told = [.. network.Areas.Select(area => new AlignedArray<T>(area.StateWidth))];
        _product = [.. network.Areas.Select(area => new AlignedArray<T>(area.BlockRows * _width))];
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

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveStep, "influence of the time constants", [.. _network.Carrying(_signals)], ["gradient of the time constants"]),
        .. _plastics.Select(plastic => plastic.Operator([new("gradient of the time constants")])),
    ];

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _influence.Clear();
        foreach (PlasticTau<T> plastic in _plastics)
            plastic.BeginTrial(trial);
    }

    public override void Tell(int step)
    {
        _gradient.Span.Clear();
        for (int k = 0; k < _signals.Length; k++)
            _signals[k].TellStates(step, _told[k].Span);
        for (int panel = 0; panel < _columns.Panels; panel++)
            Carry(panel, step);
        for (int k = 0; k < _plastics.Length; k++)
            AddImmediate(_plastics[k], _firstColumn[k], step);
    }

    public override void Learn(int step)
    {
        foreach (PlasticTau<T> plastic in _plastics)
            plastic.EndStep(step, _steps);
    }

    public override void End(int steps)
    {
        foreach (PlasticTau<T> plastic in _plastics)
            plastic.FinishTrial();
    }

    private void Carry(int panel, int step)
    {
        foreach (AreaState<T> area in _network.Areas)
            _influence.Multiply(area, panel, step, _product[area.Index].Span);
        foreach (AreaState<T> area in _network.Areas)
            _influence.Advance(area, panel, step, _product[area.Index].Span, _told[area.Index].Span, _gradient.Span.Slice(panel * _width, _width));
    }

    /// <summary>A tau's direct effect on its own unit's rate; and what the step asks for.</summary>
    private void AddImmediate(PlasticTau<T> plastic, int first, int step)
    {
        AreaState<T> area = plastic.Area;
        Span<T> before = area.States(step - 1), now = area.States(step), told = _told[area.Index].Span;
        var share = T.CreateTruncating(1.0 / _steps);
        for (int i = 0; i < area.Units; i++)
        {
            int column = first + i;
            T direct = before[i] - now[i];
            _influence.Panel(area.Index, step, column / _width)[i * _width + column % _width] += direct;
            T asked = T.FusedMultiplyAdd(told[i], direct, _gradient.Span[column]);
            plastic.Collected[i] = T.FusedMultiplyAdd(share, asked, plastic.Collected[i]);
        }
    }
}
