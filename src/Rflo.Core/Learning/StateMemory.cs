using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The decay matrix of the traces of a unit model in one step, shape (states, states, padded units): A(t) of its units, or the
/// matrix by which the rule replaces it.
/// </summary>
internal sealed class StateMemory<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AreaState<T> _area;
    private readonly Segment[] _selfConnections;
    private readonly AlignedArray<T>? _own;
    private readonly AlignedArray<T>? _constant;

    public StateMemory(Network<T> network, AreaState<T> area, ThreeFactorRule rule)
    {
        _network = network;
        _area = area;
        _selfConnections = [.. area.SelfConnections];
        int square = area.StateCount * area.StateWidth;
        if (rule.Memory == TraceMemory.OwnJacobian)
            _own = new AlignedArray<T>(network.MaxSteps + 1, square);
        if (rule.FixedMemory<T>() is not { } left)
            return;
        _constant = new AlignedArray<T>(square);
        for (int k = 0; k < area.StateCount && _constant.IsHeld; k++)
            _constant.Span.Slice((k * area.StateCount + k) * area.Padded, area.Units).Fill(left);
    }

    /// <summary>Its operators for projections that learn together.</summary>
    public static IEnumerable<PlanOperator> Operators(AreaState<T> area, ThreeFactorRule rule, string group)
    {
        if (rule.Memory == TraceMemory.OwnJacobian)
            yield return new(
                PlanStage.ObserveStep, $"Jacobian of each unit for {group}", [new(BufferNames.Slopes(area.Spec.Name)), .. area.SelfConnections.Select(segment => new PlanRead(BufferNames.Weights(segment.Spec.Name)))],
                [$"memory of {group}"]);
    }

    /// <summary>The matrix of a step.</summary>
    public ReadOnlySpan<T> Of(int step) => (_own, _constant) switch
    {
        ({ } own, _) => own.Row(step, _area.StateCount * _area.StateWidth),
        (_, { } constant) => constant.Span,
        _ => _area.Jacobian(step),
    };

    /// <summary>
    /// After the forward step: A(t) + c(t) W_ii g(t-1)', the Jacobian of a unit with its own connection (Menick et al. 2021), at the weights of
    /// the step. W_ii sums the self-connections of one step's delay.
    /// </summary>
    public void Take(int step)
    {
        if (_own is null)
            return;
        int d = _area.StateCount, padded = _area.Padded;
        Span<T> own = _own.Row(step, d * _area.StateWidth);
        _area.Jacobian(step).CopyTo(own);
        ReadOnlySpan<T> slope = _area.Post(step), gain = _area.Gain(step - 1);
        foreach (Segment segment in _selfConnections)
        {
            T factor = _network.FactorOf(segment, step);
            if (factor == T.Zero)
                continue;
            for (int j = 0; j < segment.Width; j++)
            {
                int unit = segment.SourceUnit(j);
                T weight = factor * _area.Afferents.Weight(segment, unit, j);
                for (int k = 0; k < d; k++)
                    for (int l = 0; l < d; l++)
                        own[(k * d + l) * padded + unit] += slope[k * padded + unit] * weight * gain[l * padded + unit];
            }
        }
    }
}
