namespace Rflo.Analysis;

/// <summary>A recording that cannot be read, or does not have what is wanted of it: one line that names file and part, says what is wrong and how to fix it.</summary>
public sealed class NwbException : Exception
{
    private const int Longest = 120;

    /// <summary>Says what is wrong with a recording and how to fix it.</summary>
    /// <param name="file">Path of the file.</param>
    /// <param name="place">Path of a group or dataset in it, such as <c>/units/spike_times</c>; null where all of the file is meant.</param>
    /// <param name="problem">What is wrong, as the end of a sentence that begins with the names.</param>
    /// <param name="remedy">What the reader can do, as a sentence.</param>
    /// <param name="inner">What the reader of HDF5 or the system said, if anything.</param>
    public NwbException(string file, string? place, string problem, string remedy, Exception? inner = null)
        : base($"{Line(file)}{(place is null ? "" : $", {Line(place)}")}: {Line(problem)}. {Line(remedy)}", inner)
    {
        File = file;
        Place = place;
        Problem = problem;
        Remedy = remedy;
    }

    /// <summary>Path of the file.</summary>
    public string File { get; }

    /// <summary>Path of a group or dataset in the file; null where all of it is meant.</summary>
    public string? Place { get; }

    /// <summary>What is wrong.</summary>
    public string Problem { get; }

    /// <summary>How to fix it.</summary>
    public string Remedy { get; }

    /// <summary>The message alone: a script that ends by it prints one line.</summary>
    public override string ToString() => Message;

    /// <summary>A name or text from a file, in quotation marks, cut off where it is long.</summary>
    internal static string Quoted(string text) => $"'{(text.Length > Longest ? text[..Longest] + "..." : text)}'";

    /// <summary>Names that a file has, for a message.</summary>
    internal static string Listed(IReadOnlyCollection<string> names)
    {
        const int most = 30;
        string list = string.Join(", ", names.Take(most).Select(name => name.Length > Longest ? name[..Longest] + "..." : name));
        return names.Count > most ? $"{list} and {names.Count - most} more" : list;
    }

    /// <summary>Text of unknown origin as one line: an escape sequence in it does nothing.</summary>
    private static string Line(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? '?' : letter));
}
