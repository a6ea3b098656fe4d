namespace Rflo.Core;

/// <summary>Puts back the state that a <see cref="StateWriter"/> took down.</summary>
internal sealed class StateReader(string prefix, IReadOnlyDictionary<string, double[]> state) : StateVisitor
{
    public override StateVisitor Of(string owner) => new StateReader(prefix + owner + ".", state);

    public override void Visit<T>(string name, Span<T> values)
    {
        double[] taken = state[prefix + name];
        for (int k = 0; k < values.Length; k++)
            values[k] = T.CreateChecked(taken[k]);
    }
}
