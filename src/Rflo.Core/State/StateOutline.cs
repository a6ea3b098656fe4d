namespace Rflo.Core;

/// <summary>Lists the parts that a session needs of a saved state, and how many numbers each has.</summary>
/// <param name="prefix">Names of the owners.</param>
/// <param name="given">That state: the shape of some owners follows from it.</param>
/// <param name="lengths">Receives the lengths, by name.</param>
internal sealed class StateOutline(string prefix, IReadOnlyDictionary<string, double[]> given, Dictionary<string, int> lengths) : StateVisitor
{
    public override StateVisitor Of(string owner, int index = -1) => new StateOutline(prefix + Name(owner, index) + ".", given, lengths);

    public override double[]? Saved(string name) => given.GetValueOrDefault(prefix + name);

    public override void Visit<T>(string name, Span<T> values, int index = -1) => lengths.Add(prefix + Name(name, index), values.Length);

    public override void VisitColumns<T>(string name, Span<T> matrix, int stride, int rows, int width, int index) =>
        lengths.Add(prefix + Name(name, index), rows * width);
}
