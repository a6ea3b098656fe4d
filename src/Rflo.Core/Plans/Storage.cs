namespace Rflo.Core;

/// <summary>
/// Where the arrays of a session come from. Each part states the size of an array where it makes it, and nowhere else. In a sketch the same parts are
/// made, and their arrays have their sizes but no memory: so a plan has the bytes of a session that does not exist.
/// </summary>
internal static class Storage
{
    [ThreadStatic]
    private static Dictionary<Array, long>? _sizes;

    /// <summary>Whether this thread makes a sketch: arrays are empty, and parts leave out their first values.</summary>
    public static bool IsSketch => _sizes is not null;

    /// <summary>Until it is disposed, parts that this thread makes are sketches.</summary>
    public static Scope Sketch() => new(_sizes);

    /// <summary>A zeroed array; in a sketch an empty one that has that size in a plan.</summary>
    /// <param name="length">Elements.</param>
    /// <param name="pinned">Whether it never moves.</param>
    /// <exception cref="OverflowException">It is longer than arrays can be, and not of a sketch.</exception>
    public static T[] New<T>(long length, bool pinned = false)
        where T : unmanaged
    {
        if (_sizes is not { } sizes)
            return pinned ? GC.AllocateArray<T>(checked((int)length), pinned: true) : new T[checked((int)length)];

        // Not the one empty array of the type: each has a size of its own.
        T[] empty = GC.AllocateArray<T>(0);
        sizes.Add(empty, length);
        return empty;
    }

    /// <summary>The size of an array, that of a sketch among them.</summary>
    public static long LengthOf(Array array) => _sizes is { } sizes && sizes.TryGetValue(array, out long length) ? length : array.LongLength;

    /// <summary>See <see cref="Sketch"/>. A sketch within another one keeps the sizes of both.</summary>
    internal readonly ref struct Scope
    {
        private readonly Dictionary<Array, long>? _before;

        public Scope(Dictionary<Array, long>? before)
        {
            _before = before;
            _sizes ??= new(ReferenceEqualityComparer.Instance);
        }

        public void Dispose() => _sizes = _before;
    }
}
