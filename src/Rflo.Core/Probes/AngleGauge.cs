using System.Numerics;

namespace Rflo.Core;

/// <summary>Compares the increments of two rules.</summary>
internal sealed class AngleGauge<T> : Gauge<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PassiveUpdate<T> _rule;
    private readonly PassiveUpdate<T> _reference;
    private readonly int[] _projections;

    public AngleGauge(Graph graph, AngleProbe probe, PassiveUpdate<T> rule, PassiveUpdate<T> reference)
        : base(Names(graph, $"{probe.Rule.Name}/{probe.Reference.Name}"))
    {
        _rule = rule;
        _reference = reference;
        _projections = [.. Compared(graph)];
    }

    public override IReadOnlyList<PassiveUpdate<T>> Passive => [_rule, _reference];

    public override IReadOnlyList<double> Read(int trial)
    {
        double[][] ours = Array.ConvertAll(_projections, _rule.Increments), theirs = Array.ConvertAll(_projections, _reference.Increments);
        var values = new List<double>();
        void Add((double Degrees, double Ratio) pair) => values.AddRange([pair.Degrees, pair.Ratio]);
        Add(Angle.Between(ours, theirs));
        for (int k = 0; k < ours.Length; k++)
            Add(Angle.Between([ours[k]], [theirs[k]]));
        return values;
    }

    public override void Visit(StateVisitor visitor)
    {
        _rule.Visit(visitor.Of("rule"));
        _reference.Visit(visitor.Of("reference"));
    }

    private static IEnumerable<int> Compared(Graph graph) =>
        Enumerable.Range(0, graph.Projections.Count).Where(k => PassiveUpdate<T>.Learns(graph.Projections[k]));

    private static string[] Names(Graph graph, string pair) =>
        [$"angle {pair}", $"ratio {pair}", .. Compared(graph).SelectMany(k => Of(pair, graph.Projections[k].Name))];

    private static string[] Of(string pair, string projection) => [$"angle {pair} {projection}", $"ratio {pair} {projection}"];
}
