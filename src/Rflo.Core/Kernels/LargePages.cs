using System.Runtime.InteropServices;

namespace Rflo.Core;

/// <summary>
/// Requests pages of 2 MB for large arrays. A product reads all of its weights in every step; with pages of 4 KB, thousands of
/// them miss the TLB.
/// </summary>
/// <remarks>A hint to the operating system, on Linux only. Without large pages only the speed differs.</remarks>
internal static partial class LargePages
{
    private const int PageBytes = 2 << 20, MadviseHugePage = 14;

    /// <summary>Arrays of fewer bytes have too few whole pages to benefit.</summary>
    public const int LeastBytes = 2 * PageBytes;

    private static bool _isThere = OperatingSystem.IsLinux();

    /// <summary>Requests the whole large pages of an array.</summary>
    /// <param name="start">Where the array begins.</param>
    /// <param name="bytes">How long it is.</param>
    public static void Request(nint start, long bytes)
    {
        nint first = (start + PageBytes - 1) / PageBytes * PageBytes, end = (nint)((start + bytes) / PageBytes * PageBytes);
        if (!_isThere || end <= first)
            return;
        try
        {
            _isThere = Advise(first, (nuint)(end - first), MadviseHugePage) == 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            _isThere = false;
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(nint address, nuint length, int advice);
}
