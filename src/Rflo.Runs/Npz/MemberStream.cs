namespace Rflo.Runs;

/// <summary>One member of an archive, read from front to back, with its length and checksum; errors name the member.</summary>
internal sealed class MemberStream(Stream stream, string file, string name, long length) : IDisposable
{
    private long _left = length;
    private uint _crc;

    /// <summary>Fills all of <paramref name="bytes"/>.</summary>
    /// <exception cref="RunFileException">The member ends before.</exception>
    public void Fill(Span<byte> bytes)
    {
        int read = bytes.Length <= _left ? stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) : -1;
        if (read < bytes.Length)
            throw Damaged("is cut off");
        _left -= read;
        _crc = Crc32.Append(_crc, bytes);
    }

    /// <summary>Checks that the member ends here and that its checksum is the stored one.</summary>
    /// <exception cref="RunFileException">It does not, or is not.</exception>
    public void Finish(uint crc)
    {
        if (_left != 0 || stream.ReadByte() >= 0)
            throw Damaged("is longer than its stored length");
        if (_crc != crc)
            throw Damaged("has changed since it was written (its checksum differs)");
    }

    /// <summary>An exception for damage that no reader can repair.</summary>
    public RunFileException Damaged(string problem) =>
        new(file, name, problem, "The file is damaged: copy it again from where it was made, or write it anew.");

    /// <summary>An exception for content that is intact but not supported.</summary>
    public RunFileException Refused(string problem, string remedy) => new(file, name, problem, remedy);

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();
}
