namespace Rflo.Core;

/// <summary>Restores the state that a <see cref="StateWriter"/> saved.</summary>
internal sealed class StateReader(string prefix, IReadOnlyDictionary<string, double[]> state) : StateVisitor
{
    public override bool Restores => true;

    public override StateVisitor Of(string owner, int index = -1) => new StateReader(prefix + Name(owner, index) + ".", state);

    public override double[] Saved(string name) => state[prefix + name];

    public override void Visit<T>(string name, Span<T> values, int index = -1)
    {
        double[] saved = state[prefix + Name(name, index)];
        for (int k = 0; k < values.Length; k++)
            values[k] = T.CreateChecked(saved[k]);
    }
}
