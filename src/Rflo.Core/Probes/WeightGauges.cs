using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>A projection's weights while a session runs.</summary>
internal readonly record struct Block<T>(Afferents<T> Afferents, Segment Segment, int Post)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public ProjectionSpec Spec => Segment.Spec;

    /// <summary>The weights that exist, in the shape of the declaration.</summary>
    public double[] Weights() => Afferents.Read(Segment, Afferents.Weights, Post);
}

/// <summary>How far weights have moved.</summary>
internal sealed class WeightChangeGauge<T> : Gauge<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Block<T>[] _blocks;
    private readonly double[][] _start;
    private readonly double[][] _last;

    public WeightChangeGauge(IEnumerable<Block<T>> blocks)
        : base([.. Plastic(blocks).SelectMany(block => new[] { $"change {block.Spec.Name}", $"change-since-last {block.Spec.Name}" })])
    {
        _blocks = [.. Plastic(blocks)];
        _start = Array.ConvertAll(_blocks, block => block.Weights());
        _last = Array.ConvertAll(_start, weights => (double[])weights.Clone());
    }

    public override IReadOnlyList<double> Read(int trial)
    {
        var values = new List<double>();
        for (int k = 0; k < _blocks.Length; k++)
        {
            double[] now = _blocks[k].Weights();
            values.AddRange([Distance(now, _start[k]), Distance(now, _last[k])]);
            _last[k] = now;
        }

        return values;
    }

    /// <summary>A sparse projection may have drawn no connection at all: 0.</summary>
    private static double Distance(double[] now, double[] then) => now.Length == 0 ? 0 : TensorPrimitives.Distance<double>(now, then);

    public override void Visit(StateVisitor visitor)
    {
        for (int k = 0; k < _blocks.Length; k++)
        {
            visitor.Visit<double>("start", _start[k], k);
            visitor.Visit<double>("last", _last[k], k);
        }
    }

    private static IEnumerable<Block<T>> Plastic(IEnumerable<Block<T>> blocks) => blocks.Where(block => block.Segment.Plasticity is { LearningRate: > 0 });
}

/// <summary>The effect of Dale's law.</summary>
internal sealed class DaleGauge<T>(IEnumerable<Block<T>> blocks) : Gauge<T>([.. Signed(blocks).SelectMany(block => Names(block.Spec.Name))])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Block<T>[] _blocks = [.. Signed(blocks)];

    public override IReadOnlyList<double> Read(int trial) => [.. _blocks.SelectMany(Read)];

    private static double[] Read(Block<T> block)
    {
        double[] weights = block.Weights();
        double[] zeros = new double[2], all = new double[2];
        double violations = 0;
        sbyte[] signs = block.Spec.Signs!;
        for (int k = 0; k < weights.Length; k++)
        {
            if (block.Spec.Synapses is DenseSynapses { Exists: { } exists } && !exists[k])
                continue;
            int sign = signs[block.Spec.Synapses is SparseSynapses sparse ? sparse.Columns[k] : k % signs.Length];
            if (sign == 0)
                continue;
            int kind = sign > 0 ? 0 : 1;
            all[kind]++;
            if (weights[k] == 0)
                zeros[kind]++;
            else if (!(sign * weights[k] > 0))
                violations++;
        }

        return [zeros[0] / all[0], zeros[1] / all[1], violations];
    }

    private static IEnumerable<Block<T>> Signed(IEnumerable<Block<T>> blocks) => blocks.Where(block => block.Spec.Signs is not null);

    private static string[] Names(string projection) =>
        [$"dale-zeros-excitatory {projection}", $"dale-zeros-inhibitory {projection}", $"dale-violations {projection}"];
}

/// <summary>Whether the weights of connections that do not exist are still 0.</summary>
internal sealed class MaskGauge<T>(Graph graph, IEnumerable<Block<T>> blocks)
    : Gauge<T>([.. Masked(graph, blocks).SelectMany(block => new[] { $"mask-present {block.Spec.Name}", $"mask-violations {block.Spec.Name}" })])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Block<T>[] _blocks = [.. Masked(graph, blocks)];

    public override IReadOnlyList<double> Read(int trial) => [.. _blocks.SelectMany(block => new[] { Present(graph, block.Spec), Violations(block) })];

    private static double Present(Graph graph, ProjectionSpec spec) =>
        spec.Synapses.Count / ((double)graph.Postsynaptic(spec) * graph.Presynaptic(spec));

    /// <summary>Reads the store itself, since reading a projection returns 0 for absent connections. A sparse block has no place for them.</summary>
    private static double Violations(Block<T> block)
    {
        (Afferents<T> afferents, Segment segment, _) = block;
        double found = 0;
        if (segment.Sparse is not null)
            return found;
        for (int row = 0; row < afferents.Rows; row++)
            for (int column = 0; column < segment.Width; column++)
                if (!segment.Has(row, column, segment.Width) && afferents.Weights.Dense.Row(row, afferents.DenseStride)[segment.Offset + column] != T.Zero)
                    found++;
        return found;
    }

    private static IEnumerable<Block<T>> Masked(Graph graph, IEnumerable<Block<T>> blocks) => blocks.Where(block => Present(graph, block.Spec) < 1);
}
