namespace Rflo.Core;

/// <summary>Sees that what this session counts in whole numbers is whole in a state from elsewhere, before anything is changed.</summary>
internal sealed class StateCounts(string prefix, IReadOnlyDictionary<string, double[]> state) : StateVisitor
{
    public override StateVisitor Of(string owner, int index = -1) => new StateCounts(prefix + Name(owner, index) + ".", state);

    public override double[] Saved(string name) => state[prefix + name];

    public override void Visit<T>(string name, Span<T> values, int index = -1)
    {
        if (typeof(T) != typeof(int))
            return;
        foreach (double count in state[prefix + Name(name, index)])
            if (count is not (>= -1 and <= int.MaxValue) || count != Math.Floor(count))
                ThrowHelper.Invalid($"The part '{prefix}{Name(name, index)}' of the state is no count.");
    }

    public override void VisitColumns<T>(string name, Span<T> matrix, int stride, int rows, int width, int index)
    {
    }
}
