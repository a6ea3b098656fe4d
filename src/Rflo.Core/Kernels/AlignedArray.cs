using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rflo.Core;

/// <summary>
/// A zeroed array whose first element lies on a 64-byte line, so that no vector load of a padded row crosses two lines.
/// The array is pinned for its lifetime (it is on the pinned-object heap), so its alignment does not change.
/// </summary>
internal sealed class AlignedArray<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int LineBytes = 64;
    private readonly T[] _elements;
    private readonly int _offset;
    private readonly int _held;

    /// <param name="length">Elements.</param>
    public AlignedArray(long length)
    {
        int slack = LineBytes / Unsafe.SizeOf<T>();
        _elements = Storage.New<T>(length + slack, pinned: true);
        Length = length;
        if (Storage.IsSketch)
            return;
        nint start = Marshal.UnsafeAddrOfPinnedArrayElement(_elements, 0);
        long bytes = (long)_elements.Length * Unsafe.SizeOf<T>(), past = start % LineBytes;
        if (bytes >= LargePages.LeastBytes)
            LargePages.Request(start, bytes);
        _offset = past == 0 ? 0 : (int)((LineBytes - past) / Unsafe.SizeOf<T>());
        _held = (int)length;
    }

    /// <param name="rows">Rows: units, steps or lanes.</param>
    /// <param name="stride">Elements of a row.</param>
    public AlignedArray(long rows, long stride)
        : this(checked(rows * stride))
    {
    }

    /// <summary>How many elements it has; in a sketch how many it would have, and none of them exists.</summary>
    public long Length { get; }

    /// <summary>Whether it has its elements: not in a sketch.</summary>
    public bool IsHeld => _held == Length;

    public Span<T> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _elements.AsSpan(_offset, _held);
    }

    /// <summary>Row <paramref name="row"/> of a matrix with rows of <paramref name="stride"/> elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<T> Row(int row, int stride) => Span.Slice(row * stride, stride);

    /// <summary>Rows <paramref name="first"/> to the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<T> From(int first, int stride) => Span[(first * stride)..];
}
