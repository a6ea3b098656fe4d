namespace Rflo.Core;

/// <summary>Sees that what this session counts in whole numbers is whole in a state from elsewhere, before anything is changed.</summary>
internal sealed class StateCounts(string prefix, IReadOnlyDictionary<string, double[]> state) : StateVisitor
{
    public override StateVisitor Of(string owner) => new StateCounts(prefix + owner + ".", state);

    public override void Visit<T>(string name, Span<T> values)
    {
        if (typeof(T) != typeof(int))
            return;
        foreach (double count in state[prefix + name])
            if (count is not (>= -1 and <= int.MaxValue) || count != Math.Floor(count))
                ThrowHelper.Invalid($"The part '{prefix}{name}' of the state is no count.");
    }
}
