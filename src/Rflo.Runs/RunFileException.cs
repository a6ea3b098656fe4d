namespace Rflo.Runs;

/// <summary>A file or folder of a run that cannot be read or written: the one exception of this assembly for files and folders.</summary>
/// <remarks>Wrong arguments of a caller are <see cref="ArgumentException"/>, as everywhere.</remarks>
public sealed class RunFileException : Exception
{
    /// <summary>An exception with the problem of a file and its fix.</summary>
    /// <param name="file">Path of the file or folder.</param>
    /// <param name="member">Part of it, such as an array of an archive or a column; null where all of it is meant.</param>
    /// <param name="problem">What is wrong, as the end of a sentence that begins with the name.</param>
    /// <param name="remedy">What the reader can do, as a sentence.</param>
    /// <param name="inner">The exception of the system, if there is one.</param>
    public RunFileException(string file, string? member, string problem, string remedy, Exception? inner = null)
        : base($"{Printable.Line(file)}{(member is null ? "" : $", '{Printable.Text(member)}'")}: {problem}. {remedy}", inner)
    {
        File = file;
        Member = member;
        Problem = problem;
        Remedy = remedy;
    }

    /// <summary>Path of the file or folder.</summary>
    public string File { get; }

    /// <summary>Part of the file, such as the name of an array or a column; null where all of it is meant.</summary>
    public string? Member { get; }

    /// <summary>What is wrong.</summary>
    public string Problem { get; }

    /// <summary>The fix.</summary>
    public string Remedy { get; }
}
