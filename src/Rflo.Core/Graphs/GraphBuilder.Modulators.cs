namespace Rflo.Core;

/// <content>Signals that modulate rules.</content>
public sealed partial class GraphBuilder
{
    /// <summary>
    /// Steps before the first whose rates are kept, at least; 0 for as many as the circuit needs. Passive rules (<see cref="PassiveRule"/>) whose modulator is
    /// an area (<see cref="AreaModulator"/>) may take its rates from as far back.
    /// </summary>
    public int History { get; init; }

    private void CheckModulators(Graph graph)
    {
        foreach (ProjectionSpec projection in _projections)
            if (projection.Plasticity is { } plastic && !projection.Target.IsReadout)
                ModulatorRules.Check(projection.Name, plastic.Rule, _areas, _readouts, _areas[projection.Target.Index], graph.History);
    }
}
