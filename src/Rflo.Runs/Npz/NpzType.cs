namespace Rflo.Runs;

/// <summary>What the numbers of an array are in a file.</summary>
public enum NpzType
{
    /// <summary>Any number: float64.</summary>
    Number,

    /// <summary>An index or a length: int32, since numpy and scipy take no floating point for these.</summary>
    Index,

    /// <summary>0 or 1, such as those of a mask: bool.</summary>
    Flag,
}
