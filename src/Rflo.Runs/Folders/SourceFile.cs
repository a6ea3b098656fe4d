namespace Rflo.Runs;

/// <summary>A script, or a file that it loads, as a run folder keeps it.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Name">Its name in the run folder: a name, or a path below the folder such as <c>lib/units.fsx</c>.</param>
public sealed record SourceFile(string Path, string Name);
