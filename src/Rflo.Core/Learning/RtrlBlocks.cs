using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// Real-time recurrent learning at the end of a trial, a few steps at once. While weights do not change, matrix products
/// may be taken in any order: over a block of steps with Jacobians J(1) .. J(B), the influence advances by
/// P' = (J(B) .. J(1)) P + sum over s of (J(B) .. J(s+1)) immediate(s), and the learning signals of the block reach P
/// through r = J(1)' c(1), where c(s) = l(s) + J(s+1)' c(s+1).
/// </summary>
/// <remarks>
/// The same sums as <see cref="Rtrl{T}"/>, with the one costly product, of n^2 K, once a block instead of once a step
/// (Schmidhuber 1992 makes the block n steps long). It works on one group of areas that are connected with each other, so
/// that an unconnected circuit has the same bits with and without others beside it. It covers groups whose delays are one
/// step and to which no output is fed back. Memory O(n K).
/// </remarks>
internal sealed class RtrlBlocks<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Steps of a block: longer blocks save less than the other costs of a step.</summary>
    public const int Steps = 8;

    private readonly Network<T> _network;
    private readonly AreaState<T>[] _group;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly InfluenceColumns<T> _columns = new();
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _delta;
    private readonly AlignedArray<T>[] _panels;
    private readonly AlignedArray<T>[] _jacobian;
    private readonly AlignedArray<T>[] _carry;
    private readonly AlignedArray<T> _blockSignals;
    private readonly AlignedArray<T> _credit;
    private readonly AlignedArray<T> _whole;
    private readonly AlignedArray<T> _product;
    private readonly AlignedArray<T> _post;
    private readonly AlignedArray<T> _gradient;
    private readonly int[] _firstUnit;
    private readonly int _block;
    private readonly int _rows;
    private readonly int _width = Kernels.PanelColumns<T>();
    private int _steps;
    private int _filled;

    /// <param name="network">The network.</param>
    /// <param name="path">How the error reaches the areas.</param>
    /// <param name="group">Areas that are connected with each other and with no others.</param>
    /// <param name="areas">The areas that learn by this rule; those outside the group are skipped.</param>
    /// <param name="block">Steps of a block.</param>
    public RtrlBlocks(
        Network<T> network, ErrorPath path, IReadOnlyList<int> group, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas, int block)
    {
        _network = network;
        _group = [.. group.Select(index => network.Areas[index])];
        _areas = [.. areas.Where(pair => group.Contains(pair.Area.Index))];
        _block = block;
        foreach ((AreaState<T> area, Plastic<T> plastic) in _areas)
            _columns.Add(area.Index, area.Afferents, plastic.Segments);
        _firstUnit = new int[network.Areas.Length];
        int units = 0;
        foreach (AreaState<T> area in _group)
        {
            _firstUnit[area.Index] = units;
            units += area.Units;
        }

        _rows = (units + 3) / 4 * 4;
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _delta = [.. network.Areas.Select(area => new AlignedArray<T>(network.MaxSteps + 1, area.Padded))];
        _panels =
        [
            .. Enumerable.Range(0, _columns.Panels).Select(_ => new AlignedArray<T>(_rows, _width)),
            .. _columns.Sizes.Select(sized => new AlignedArray<T>(sized.Panels * _rows, _width)),
        ];
        _jacobian = [.. Enumerable.Range(0, block + 1).Select(_ => new AlignedArray<T>(_rows, _rows))];
        _carry = [.. Enumerable.Range(0, block + 1).Select(_ => new AlignedArray<T>(_rows, _rows))];
        _blockSignals = new AlignedArray<T>(block + 1, _rows);
        _credit = new AlignedArray<T>(2, _rows);
        _whole = new AlignedArray<T>(_rows, _rows);
        _product = new AlignedArray<T>(_rows, _width);
        _post = new AlignedArray<T>(block, _rows);
        _gradient = new AlignedArray<T>(_columns.Count);
    }

    /// <summary>Why the block form does not cover a group of areas; null where it does.</summary>
    public static string? Obstacle(Graph graph, IReadOnlyList<int> group)
    {
        foreach (int index in group)
            if (graph.Areas[index] is { Dynamics: Dynamics.CurrentForm } or { Model: not null })
                return $"the units of {graph.Areas[index].Name} are not leaky rate units";
        foreach (ProjectionSpec projection in graph.Projections)
        {
            if (projection.Target.IsReadout || !group.Contains(projection.Target.Index))
                continue;
            if (projection.Source.Kind == SignalKind.Readout)
                return $"{projection.Name} feeds a readout back";
            if (projection.Source is { Kind: SignalKind.Area, Delay: not 1 })
                return $"{projection.Name} has a delay of {projection.Source.Delay} steps";
        }

        return null;
    }

    public override BufferPurpose Purpose => BufferPurpose.Influence;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveStep, "influence of every weight", [.. _network.Carrying(_signals), .. _network.AllSignals], ["influence", "gradient"])
        {
            Form = Forms.Blocks.Title(),
        },
        .. _areas.SelectMany(pair => pair.Plastic.Around(pair.Plastic.Update("gradient", new PlanRead("gradient")))),
    ];

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _filled = 0;
        _gradient.Span.Clear();
        foreach (AlignedArray<T> panel in _panels)
            panel.Span.Clear();
    }

    /// <summary>Stores learning signals and the Jacobian while weights are those of the step; advances the influence when a block is full.</summary>
    public override void ObserveStep(int step)
    {
        _filled++;
        foreach (AreaState<T> area in _group)
        {
            // The padding of a row is used for the next area, so the signal is computed in a row of its own.
            Span<T> signal = _delta[area.Index].Row(step, area.Padded);
            _signals[area.Index].Write(step, signal);
            signal[..area.Units].CopyTo(_blockSignals.Row(_filled, _rows)[_firstUnit[area.Index]..]);
        }

        TakeJacobian(step);
        if (_filled == _block || step == _steps)
            FinishBlock(step - _filled);
    }

    public override void ApplyTrial(int steps)
    {
        foreach ((AreaState<T> area, Plastic<T> plastic) in _areas)
        {
            plastic.BeginIncrements(1);
            plastic.AddTrial(_delta[area.Index].From(1, area.Padded), area.Padded, area.Afferents.SignalsFrom(1), 1, steps);
            _columns.Add(_gradient.Span, plastic, area.Index, steps);
            plastic.FinishTrial();
        }
    }

    /// <summary>J(t) over the rates of all areas: 1 - alpha on the diagonal, alpha phi'(u) W elsewhere.</summary>
    private void TakeJacobian(int step)
    {
        Span<T> jacobian = _jacobian[_filled].Span;
        jacobian.Clear();
        foreach (AreaState<T> area in _group)
        {
            Span<T> post = area.Post(step), decay = area.DecayOf(step);
            int first = _firstUnit[area.Index];
            for (int i = 0; i < area.Units; i++)
                jacobian[(first + i) * _rows + first + i] = decay[i];
            foreach (Segment segment in area.Afferents.Segments)
            {
                if (segment.Source.Kind != SignalKind.Area || _network.FactorOf(segment, step) is var factor && factor == T.Zero)
                    continue;
                for (int i = 0; i < area.Units; i++)
                    AddRow(area.Afferents, segment, i, factor * post[i], jacobian.Slice((first + i) * _rows + _firstUnit[segment.Source.Index], _network.Areas[segment.Source.Index].Units));
            }
        }
    }

    private static void AddRow(Afferents<T> afferents, Segment segment, int unit, T post, Span<T> row)
    {
        if (segment.Sparse is { } pattern)
        {
            T[] weights = afferents.Weights.Sparse[afferents.Place(segment)];
            for (int k = pattern.Start[unit]; k < pattern.Start[unit + 1]; k++)
                row[segment.Source.Units is { } some ? some[pattern.Column[k]] : pattern.Column[k]] += post * weights[k];
            return;
        }

        Span<T> dense = afferents.Weights.Dense.Row(unit, afferents.DenseStride).Slice(segment.Offset, segment.Width);
        if (segment.Source.Units is not { } units)
            Kernels.AddScaled(row, post, dense);
        else
            for (int k = 0; k < units.Length; k++)
                row[units[k]] += post * dense[k];
    }

    /// <summary>The block's share of the gradient, and the influence at its end.</summary>
    /// <param name="before">The step before the block's first.</param>
    private void FinishBlock(int before)
    {
        Span<T> credit = _credit.Span[.._rows], earlier = _credit.Span.Slice(_rows, _rows);
        credit.Clear();
        for (int s = _filled; s >= 1; s--)
        {
            TensorPrimitives.Add<T>(credit, _blockSignals.Row(s, _rows), credit);
            foreach (AreaState<T> area in _group)
            {
                Span<T> delta = _delta[area.Index].Row(before + s, area.Padded)[..area.Units];
                TensorPrimitives.Multiply<T>(credit.Slice(_firstUnit[area.Index], area.Units), area.Post(before + s)[..area.Units], delta);
            }

            Kernels.MultiplyTransposed(_jacobian[s].Span, credit, earlier);
            earlier.CopyTo(credit);
        }

        if (before > 0)
        {
            for (int panel = 0; panel < _panels.Length; panel++)
            {
                Span<T> gradient = _gradient.Span.Slice(panel * _width, _width), share = _product.Span[.._width];
                Kernels.MultiplyTransposed(_panels[panel].Span, credit, share);
                TensorPrimitives.Add<T>(gradient, share, gradient);
            }
        }

        if (before + _filled < _steps)
            AdvanceInfluence(before);
        _filled = 0;
    }

    private void AdvanceInfluence(int before)
    {
        // carry(s) = (J(B) .. J(s+1))', so that the effect of a unit's rate at s on all rates at the end is one row.
        Span<T> last = _carry[_filled].Span;
        last.Clear();
        for (int k = 0; k < _rows; k++)
            last[k * _rows + k] = T.One;
        for (int s = _filled; s >= 1; s--)
        {
            _carry[s - 1].Span.Clear();
            Kernels.AccumulateOuter<T>(_jacobian[s].Span, _rows, _carry[s].Span, _rows, _rows, T.One, _carry[s - 1].Span, _rows, _rows, _rows);
        }

        Span<T> whole = _whole.Span, transposed = _carry[0].Span;
        for (int i = 0; i < _rows; i++)
            for (int k = 0; k < _rows; k++)
                whole[i * _rows + k] = transposed[k * _rows + i];

        int unit = -1, owner = -1;
        for (int panel = 0; panel < _panels.Length; panel++)
        {
            if (before > 0)
            {
                Kernels.MultiplyPanel(whole, _rows, _rows, _rows, _panels[panel].Span, _product.Span);
                _product.Span.CopyTo(_panels[panel].Span);
            }

            AreaState<T> area = _network.Areas[_columns.Owner(panel)];
            foreach (InfluenceColumns<T>.Piece piece in _columns.Pieces(panel))
            {
                if (piece.Unit != unit || area.Index != owner)
                    TakePost(area, piece.Unit, before);
                (unit, owner) = (piece.Unit, area.Index);
                AddImmediate(area, piece, panel, before);
            }
        }
    }

    /// <summary>The effect of one unit's current, in each step of the block, on all rates at the block's end.</summary>
    private void TakePost(AreaState<T> area, int unit, int before)
    {
        for (int s = 1; s <= _filled; s++)
        {
            Span<T> row = _carry[s].Row(_firstUnit[area.Index] + unit, _rows);
            TensorPrimitives.Multiply<T>(row, area.Post(before + s)[unit], _post.Row(s - 1, _rows));
        }
    }

    private void AddImmediate(AreaState<T> area, in InfluenceColumns<T>.Piece piece, int panel, int before)
    {
        Span<T> to = _panels[panel].Span[piece.Column..];
        if (piece.Contiguous)
        {
            Kernels.AccumulateOuter<T>(
                _post.Span, _rows, area.Afferents.SignalsFrom(before + 1)[piece.Signals[0]..], area.Afferents.Stride, _filled, T.One,
                to, _width, _rows, piece.Signals.Length);
            return;
        }

        for (int n = 0; n < piece.Signals.Length; n++)
            Kernels.AccumulateOuter<T>(
                _post.Span, _rows, area.Afferents.SignalsFrom(before + 1)[piece.Signals[n]..], area.Afferents.Stride, _filled, T.One,
                to[n..], _width, _rows, 1);
    }
}
