namespace Rflo.Runs;

/// <summary>The type of an array's numbers in a file.</summary>
public enum NpzType
{
    /// <summary>Any number: float64.</summary>
    Number,

    /// <summary>An index or a length: int32, since numpy and scipy take no floating point for these.</summary>
    Index,

    /// <summary>0 or 1, such as those of a mask: bool.</summary>
    Flag,
}
