using System.Runtime.InteropServices;

namespace Rflo.Runs;

/// <summary>System calls without a .NET equivalent: the kind of a file before it is opened, and flushing a folder's entries to the disk.</summary>
/// <remarks>Where the system has no such function, a file counts as an ordinary one and a folder's entries are not flushed.</remarks>
internal static partial class SystemCalls
{
    // Layout and numbers of statx are those of the kernel, on every processor.
    private const int StatxBytes = 256, ModeOffset = 28, CurrentFolder = -100;
    private const uint TypeAndMode = 0x3;
    private const int KindOfFile = 0xF000, Regular = 0x8000, Folder = 0x4000;
    private const int ReadOnly = 0;

    /// <summary>Is it certain that this is no ordinary file, but a pipe, a device or a socket? Opening a pipe can block without end.</summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        Span<byte> found = stackalloc byte[StatxBytes];
        found.Clear();
        try
        {
            if (Stat(CurrentFolder, path, 0, TypeAndMode, ref MemoryMarshal.GetReference(found)) != 0)
                return false;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }

        int kind = BitConverter.ToUInt16(found[ModeOffset..]) & KindOfFile;
        return kind is not Regular and not Folder;
    }

    /// <summary>Flushes the names of a folder's entries to the disk: otherwise a power failure may undo the renaming of a file.</summary>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        try
        {
            int folder = Open(path, ReadOnly);
            if (folder < 0)
                return;
            // Not every file system supports this; the failure is ignored.
            _ = Sync(folder);
            _ = Close(folder);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // As above.
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Stat(int folder, string path, int flags, uint mask, ref byte found);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int file);
}
