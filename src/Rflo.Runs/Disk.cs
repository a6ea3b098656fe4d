namespace Rflo.Runs;

/// <summary>File operations; a refusal of the system becomes one exception that names the file.</summary>
internal static class Disk
{
    private const int BufferBytes = 1 << 16;
    private const string Choose = "Choose a place that you may write to and that has room left.";

    /// <summary>The ending of a file's name until it is complete.</summary>
    public const string Unfinished = ".part";

    /// <summary>Writes a file under another name, flushes it to the disk, and moves it into place: it is complete or not there.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string path, Action<Stream> write) => Write(path, path + Unfinished, write);

    /// <summary>As <see cref="Write(string, Action{Stream})"/>, for a file that other processes may be writing too: each under a name of its own.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void WriteShared(string path, Action<Stream> write) => Write(path, $"{path}.{Guid.NewGuid():n}{Unfinished}", write);

    private static void Write(string path, string unfinished, Action<Stream> write) =>
        Writing(path, () =>
        {
            try
            {
                // The writer of HDF5 also reads what it wrote.
                using (FileStream stream = new(unfinished, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, BufferBytes))
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }

                File.Move(unfinished, path, overwrite: true);
            }
            catch
            {
                Remove(unfinished);
                throw;
            }
        });

    /// <summary>Deletes a file, if it is there and can be deleted.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (IsSystem(e))
        {
            // A failed cleanup must not hide the exception that caused it.
        }
    }

    /// <summary>Runs an action that writes to <paramref name="path"/>.</summary>
    /// <exception cref="RunFileException">The system refuses.</exception>
    public static void Writing(string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (IsSystem(e))
        {
            throw NotWritten(path, e);
        }
    }

    /// <summary>The exception for a file that the system refuses to write.</summary>
    public static RunFileException NotWritten(string path, Exception e) =>
        new(path, null, $"cannot be written ({e.Message.TrimEnd('.')})", Choose, e);

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="RunFileException">There is none, it cannot be opened, or it is a pipe or a device.</exception>
    public static FileStream OpenRead(string path) =>
        SystemCalls.IsSpecial(path)
            ? throw new RunFileException(path, null, "is no ordinary file but a pipe, a socket or a device", "Name a file, or put one in its place.")
            : Reading(path, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes));

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="RunFileException">There is none, it cannot be read, or it is longer than <paramref name="most"/> bytes.</exception>
    public static byte[] ReadAll(string path, long most)
    {
        using FileStream stream = OpenRead(path);
        if (stream.Length > most)
            throw new RunFileException(path, null, $"has {stream.Length} bytes; {most} is the limit", "Copy the file again from where it was made.");
        byte[] bytes = new byte[stream.Length];
        Reading(path, () => stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        return bytes;
    }

    /// <summary>Reads a text.</summary>
    /// <exception cref="RunFileException">There is none, it cannot be read, or it is longer than <paramref name="most"/> bytes.</exception>
    public static string ReadText(string path, long most) => new StreamReader(new MemoryStream(ReadAll(path, most))).ReadToEnd();

    /// <summary>Runs an action that reads <paramref name="path"/>.</summary>
    /// <exception cref="RunFileException">The system refuses.</exception>
    public static T Reading<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RunFileException(path, null, "there is no such file", "Check the path.", e);
        }
        catch (Exception e) when (IsSystem(e))
        {
            throw new RunFileException(path, null, $"cannot be read ({e.Message.TrimEnd('.')})", "Check the path and its permissions.", e);
        }
    }

    /// <summary>Is this an exception of a refusal of the system?</summary>
    public static bool IsSystem(Exception e) =>
        e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException or System.Security.SecurityException;
}
