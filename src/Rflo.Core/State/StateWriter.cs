namespace Rflo.Core;

/// <summary>Takes down the state that it is shown.</summary>
internal sealed class StateWriter(string prefix, Dictionary<string, double[]> state) : StateVisitor
{
    public override StateVisitor Of(string owner) => new StateWriter(prefix + owner + ".", state);

    public override void Visit<T>(string name, Span<T> values)
    {
        double[] taken = new double[values.Length];
        for (int k = 0; k < taken.Length; k++)
            taken[k] = double.CreateChecked(values[k]);
        state.Add(prefix + name, taken);
    }
}
