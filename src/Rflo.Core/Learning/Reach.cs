namespace Rflo.Core;

/// <summary>Which areas a target's weights can ever influence, by following the arrows of the circuit.</summary>
internal static class Reach
{
    /// <summary>
    /// reaches[target][area], targets being areas first, then readouts: true where a change of the target's incoming
    /// weights can change the area's rates, at once or later.
    /// </summary>
    public static bool[][] Of(Graph graph)
    {
        int areas = graph.Areas.Count, targets = areas + graph.Readouts.Count;
        bool[][] reaches = new bool[targets][];
        for (int target = 0; target < targets; target++)
        {
            bool[] seen = new bool[targets];
            Visit(graph, target, seen);
            reaches[target] = seen[..areas];
        }

        return reaches;
    }

    private static void Visit(Graph graph, int node, bool[] seen)
    {
        if (seen[node])
            return;
        seen[node] = true;
        foreach (ProjectionSpec projection in graph.Projections)
        {
            int? from = projection.Source.Kind switch
            {
                SignalKind.Area => projection.Source.Index,
                SignalKind.Readout => graph.Areas.Count + projection.Source.Index,
                _ => null,
            };
            if (from == node)
                Visit(graph, projection.Target.IsReadout ? graph.Areas.Count + projection.Target.Index : projection.Target.Index, seen);
        }
    }
}
