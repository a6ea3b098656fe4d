using System.Runtime.InteropServices;

namespace Rflo.Runs;

/// <summary>The machine that a run was made on.</summary>
/// <param name="Processors">Logical processors that the run could use.</param>
/// <param name="OperatingSystem">Name and version of the operating system.</param>
/// <param name="Cpu">Name of the processor; null where it cannot be read.</param>
/// <param name="MemoryBytes">Memory that the run could use, in bytes.</param>
public sealed record MachineInfo(int Processors, string OperatingSystem, string? Cpu, long MemoryBytes)
{
    /// <summary>This machine.</summary>
    public static MachineInfo Current { get; } = new(
        Environment.ProcessorCount,
        RuntimeInformation.OSDescription,
        ReadCpu(),
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    private static string? ReadCpu()
    {
        try
        {
            return File.ReadLines("/proc/cpuinfo")
                .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?
                .Split(':', 2)[^1]
                .Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
