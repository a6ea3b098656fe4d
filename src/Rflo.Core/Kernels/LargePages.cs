using System.Runtime.InteropServices;

namespace Rflo.Core;

/// <summary>
/// Asks the system to keep large arrays in pages of 2 MB: a product goes through all of its weights in every step, and with
/// pages of 4 KB the processor has to look up each of thousands of them again.
/// </summary>
/// <remarks>A wish, on Linux alone; where it is not granted, nothing is lost but time.</remarks>
internal static partial class LargePages
{
    private const int PageBytes = 2 << 20, MadviseHugePage = 14;

    /// <summary>Arrays of fewer bytes have too few whole pages to gain by it.</summary>
    public const int LeastBytes = 2 * PageBytes;

    private static bool _isThere = OperatingSystem.IsLinux();

    /// <summary>Asks for the whole large pages between two addresses.</summary>
    /// <param name="start">Where the array begins.</param>
    /// <param name="bytes">How long it is.</param>
    public static void Ask(nint start, long bytes)
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
