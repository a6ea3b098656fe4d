using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>Refuses circuits that have no map; each message names the part.</summary>
internal static class CircuitRefusals
{
    public static void Check(Graph graph, MapOptions options)
    {
        if (!(options.Dt > 0) || !double.IsFinite(options.Dt))
            throw new ArgumentException(FormattableString.Invariant($"the duration of a step is {options.Dt} ms; it must be finite and more than 0."));
        if (graph.Perturbations is [var perturbation, ..])
            throw new ArgumentException($"{perturbation.GetType().Name}: a perturbation acts in some steps of some trials, and a map is the same in all. Analyze the circuit without perturbations.");
        foreach (AreaSpec area in graph.Areas)
        {
            if (area.Dynamics == Rflo.Core.Dynamics.WinnerTakeAll)
                throw new ArgumentException($"area {area.Name}: a winner-take-all area has no derivative, so the dynamics of this circuit cannot be linearized. Analyze a circuit without it.");
            if (area.Model is LeakyIntegrateAndFire model)
                throw new ArgumentException($"area {area.Name}: {model} sends spikes, which have no derivative; its slope is a surrogate for learning. Analyze a circuit without it.");
        }

        foreach (ProjectionSpec projection in graph.Projections)
            if (projection.Gate is not ({ Kind: GateKind.Always } or { Kind: GateKind.Every, Number: 1 }) && !options.Open.ContainsKey(projection.Name))
                throw new ArgumentException($"projection {projection.Name}: its gate opens at some steps only, which a map at constant inputs does not have. Set whether it is open or shut.");
        foreach (string name in options.Open.Keys)
            if (!graph.Projections.Any(projection => projection.Name == name))
                throw new ArgumentException($"There is no projection {name} to be open or shut; the circuit has {CircuitMap.Listed(graph.Projections.Select(projection => projection.Name))}.");
    }
}
