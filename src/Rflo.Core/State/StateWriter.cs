namespace Rflo.Core;

/// <summary>Saves the state that it goes through. All numbers travel as doubles, which hold every float and every count exactly.</summary>
internal sealed class StateWriter(string prefix, Dictionary<string, double[]> state) : StateVisitor
{
    public override StateVisitor Of(string owner, int index = -1) => new StateWriter(prefix + Name(owner, index) + ".", state);

    public override void Visit<T>(string name, Span<T> values, int index = -1)
    {
        double[] saved = new double[values.Length];
        for (int k = 0; k < saved.Length; k++)
            saved[k] = double.CreateChecked(values[k]);
        state.Add(prefix + Name(name, index), saved);
    }
}
