using System.Globalization;
using System.Text.RegularExpressions;

namespace Rflo.Runs;

/// <summary>The header of an array: a Python dictionary in one line, such as <c>{'descr': '&lt;f8', 'fortran_order': False, 'shape': (2, 3), }</c>.</summary>
/// <param name="Descriptor">Type of the elements, such as <c>&lt;f8</c>.</param>
/// <param name="IsFortranOrder">Does the first axis run fastest?</param>
/// <param name="Shape">Lengths along the axes.</param>
internal sealed partial record NpyHeader(string Descriptor, bool IsFortranOrder, int[] Shape)
{
    /// <summary>Most axes that numpy allows.</summary>
    private const int MostAxes = 64;

    /// <summary>Number of elements; may exceed what an array holds.</summary>
    public double Count => Shape.Aggregate(1.0, (count, length) => count * length);

    /// <summary>Reads the dictionary; null where it is not one that numpy would write.</summary>
    public static NpyHeader? Parse(string text)
    {
        string line = text.TrimEnd(' ', '\n');
        if (line is not ['{', .., '}'])
            return null;

        Dictionary<string, string> entries = [];
        string inner = line[1..^1].TrimEnd();
        int at = 0;
        for (Match match = Entry().Match(inner); match.Success && match.Index == at; match = match.NextMatch())
        {
            if (!entries.TryAdd(match.Groups["key"].Value, match.Groups["value"].Value))
                return null;
            at += match.Length;
        }

        return at == inner.Length && entries.Count == 3 ? FromEntries(entries) : null;
    }

    private static NpyHeader? FromEntries(Dictionary<string, string> entries)
    {
        if (!entries.TryGetValue("descr", out string? descriptor)
            || !entries.TryGetValue("fortran_order", out string? order)
            || !entries.TryGetValue("shape", out string? shape))
            return null;
        return order is "True" or "False" && shape is ['(', .., ')'] && ParseShape(shape[1..^1]) is { } lengths
            ? new NpyHeader(descriptor.Trim('\'', '"'), order == "True", lengths)
            : null;
    }

    private static int[]? ParseShape(string text)
    {
        if (text.Trim() == "")
            return [];
        string[] parts = text.Split(',');
        // One axis is written (3,), and several may end in a comma too: nothing follows the last comma.
        if (parts.Length > 1 && parts[^1].Trim() == "")
            parts = parts[..^1];
        int[] shape = new int[parts.Length];
        for (int axis = 0; axis < parts.Length; axis++)
        {
            // Python 2 wrote long numbers with an L.
            if (!int.TryParse(parts[axis].Trim().TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out shape[axis]))
                return null;
        }

        return shape.Length <= MostAxes ? shape : null;
    }

    // A structured type is a list; it is kept whole, for the message of its refusal.
    [GeneratedRegex("""\G\s*['"](?<key>\w{1,20})['"]\s*:\s*(?<value>'[^']*'|"[^"]*"|True|False|\([^()]*\)|\[.*\])\s*(,|$)\s*""")]
    private static partial Regex Entry();
}
