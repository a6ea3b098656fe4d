using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Goes through everything that a run carries from one trial to the next, part by part: one visitor saves it, another
/// restores it. A class with such state lists it in its <c>Visit</c>, once for both directions.
/// </summary>
/// <remarks>
/// A name is a word and a number, and is put together only by a visitor that needs it: going through the state allocates
/// nothing by itself. A visit that only reads changes nothing of its owner.
/// </remarks>
internal abstract class StateVisitor
{
    /// <summary>Whether the visited parts receive the numbers of a saved state.</summary>
    public virtual bool Restores => false;

    /// <summary>Whether the numbers stay in this process, so that they may be copied as they lie in memory.</summary>
    public virtual bool IsLocal => false;

    /// <summary>A visitor of the parts of one owner, whose names begin with the owner's.</summary>
    /// <param name="owner">Name of the owner among its neighbors.</param>
    /// <param name="index">Its number among those of that name; -1 for none.</param>
    public abstract StateVisitor Of(string owner, int index = -1);

    /// <summary>The numbers that a saved state has under a name, for an owner whose shape follows from them; null where the state is being saved.</summary>
    /// <param name="name">A name that is visited next.</param>
    public virtual double[]? Saved(string name) => null;

    /// <summary>Numbers under a name that their owner uses once.</summary>
    /// <param name="name">The name.</param>
    /// <param name="values">The numbers; overwritten by a visitor that restores.</param>
    /// <param name="index">Number of the part among those of that name; -1 for none.</param>
    public abstract void Visit<T>(string name, Span<T> values, int index = -1)
        where T : unmanaged, INumber<T>;

    /// <summary>One count.</summary>
    public void Visit(string name, ref int value) => Visit(name, new Span<int>(ref value));

    /// <summary>Some columns of a matrix, without the padding of its rows, which is this machine's.</summary>
    /// <param name="name">The name.</param>
    /// <param name="matrix">Rows of <paramref name="stride"/> elements, from the first of the columns on.</param>
    /// <param name="stride">Elements a row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="width">How many columns.</param>
    /// <param name="index">Number of the part among those of that name.</param>
    public virtual void VisitColumns<T>(string name, Span<T> matrix, int stride, int rows, int width, int index)
        where T : unmanaged, INumber<T>
    {
        T[] dense = new T[rows * width];
        for (int i = 0; i < rows; i++)
            matrix.Slice(i * stride, width).CopyTo(dense.AsSpan(i * width));
        Visit<T>(name, dense, index);
        if (Restores)
            for (int i = 0; i < rows; i++)
                dense.AsSpan(i * width, width).CopyTo(matrix[(i * stride)..]);
    }

    /// <summary>A word and a number as one name.</summary>
    protected static string Name(string word, int index) => index < 0 ? word : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{word}{index}");
}
