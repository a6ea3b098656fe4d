namespace Rflo.Core;

/// <summary>Checks that the counters of a state that was saved elsewhere are whole numbers, before anything is changed.</summary>
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
                ThrowHelper.Invalid($"The part '{prefix}{Name(name, index)}' of the state is not a whole number from -1 to {int.MaxValue}.");
    }

    public override void VisitColumns<T>(string name, Span<T> matrix, int stride, int rows, int width, int index)
    {
    }
}
