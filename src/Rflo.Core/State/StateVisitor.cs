using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Goes through everything that a run carries from one trial to the next, part by part: one visitor takes it down,
/// another puts it back. Whoever keeps such state names it in its <c>Visit</c>, once for both ways.
/// </summary>
/// <remarks>All numbers travel as doubles, which hold every float and every count exactly.</remarks>
internal abstract class StateVisitor
{
    /// <summary>A visitor of the parts of one owner, whose names begin with the owner's.</summary>
    /// <param name="owner">Name of the owner among its neighbours.</param>
    public abstract StateVisitor Of(string owner);

    /// <summary>Numbers under a name that their owner uses once.</summary>
    public abstract void Visit<T>(string name, Span<T> values)
        where T : unmanaged, INumber<T>;

    /// <summary>One count.</summary>
    public void Visit(string name, ref int value) => Visit(name, new Span<int>(ref value));
}
