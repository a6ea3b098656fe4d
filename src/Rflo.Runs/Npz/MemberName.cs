namespace Rflo.Runs;

/// <summary>
/// Names of arrays and of the archive members that hold them. A name is kept as it is, so that numpy finds <c>weights["cortex->cortex"]</c>;
/// a name that leads out of the folder when the archive is unpacked is refused, in writing and in reading.
/// </summary>
internal static class MemberName
{
    private const string Suffix = ".npy";

    /// <summary>Longest name; a zip archive holds 65,535 bytes, and a character takes at most three.</summary>
    private const int Longest = 1000;

    /// <summary>The member that holds the array of this name.</summary>
    public static string OfArray(string name) => name + Suffix;

    /// <summary>Is this the member of an array?</summary>
    public static bool IsArray(string member) => member.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>The name of the array that a member holds.</summary>
    public static string ToArray(string member) => member[..^Suffix.Length];

    /// <summary>Why a name is refused; null where it is not.</summary>
    public static string? Fault(string name)
    {
        if (name.Length is 0 or > Longest)
            return $"an array's name has 1 to {Longest} characters; this one has {name.Length}";
        if (name.Any(char.IsControl) || !IsUnicode(name))
            return "its name holds a control character or half a character";
        if (IsArray(name))
            return "its name ends in .npy, which numpy would remove";
        if (name.Contains('\\') || name.StartsWith('/') || name.EndsWith('/') || HasDrive(name) || name.Split('/').Any(IsDots))
            return "its name is a path that leaves the folder";
        return null;
    }

    private static bool HasDrive(string name) => name.Length > 1 && name[1] == ':' && char.IsAsciiLetter(name[0]);

    private static bool IsDots(string segment) => segment is "" or "." or "..";

    private static bool IsUnicode(string name)
    {
        for (int i = 0; i < name.Length; i++)
        {
            if (char.IsHighSurrogate(name[i]) && i + 1 < name.Length && char.IsLowSurrogate(name[i + 1]))
                i++;
            else if (char.IsSurrogate(name[i]))
                return false;
        }

        return true;
    }
}
