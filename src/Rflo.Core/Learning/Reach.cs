namespace Rflo.Core;

/// <summary>Which areas a target's weights can influence: those reachable in the graph of projections.</summary>
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

    /// <summary>
    /// Groups of areas that projections, or readouts fed back, connect in either direction; each in rising order.
    /// </summary>
    public static List<int[]> Groups(Graph graph)
    {
        int areas = graph.Areas.Count;
        bool[][] reaches = Of(graph);
        int[] group = [.. Enumerable.Range(0, areas)];
        for (int from = 0; from < areas; from++)
            for (int to = 0; to < areas; to++)
                if (reaches[from][to] && group[from] != group[to])
                    Join(group, group[from], group[to]);
        return [.. Enumerable.Range(0, areas).GroupBy(area => group[area]).Select(members => members.ToArray())];
    }

    private static void Join(int[] group, int a, int b)
    {
        for (int k = 0; k < group.Length; k++)
            if (group[k] == Math.Max(a, b))
                group[k] = Math.Min(a, b);
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
