using System.Reflection;

namespace Rflo.Runs;

/// <summary>Versions of the programs that made a run.</summary>
/// <param name="Rflo">Version of this project.</param>
/// <param name="DotNet">Version of the .NET runtime.</param>
public sealed record RunVersions(string Rflo, string DotNet)
{
    /// <summary>The versions running now.</summary>
    public static RunVersions Current { get; } = new(Project(), Environment.Version.ToString());

    private static string Project()
    {
        Assembly assembly = typeof(RunVersions).Assembly;
        return assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            ?? assembly.GetName().Version?.ToString()
            ?? "unknown";
    }
}
