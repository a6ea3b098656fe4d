using System.Diagnostics;
using System.Text.Json;

namespace Rflo.Runs;

/// <summary>The process that writes a folder. By its file in the folder, other processes determine whether it is still running.</summary>
/// <param name="Process">Number of the process.</param>
/// <param name="Started">When the process began, UTC: numbers are reused.</param>
/// <param name="Host">Name of its machine: a folder may be shared.</param>
/// <param name="Boot">The boot of its machine in which the number is valid; empty where it is unknown.</param>
/// <param name="Namespace">The namespace of its number; empty where it is unknown.</param>
/// <param name="Ticks">When the process began, in ticks since the start of the machine; 0 where it is unknown.</param>
internal sealed record Owner(int Process, DateTime Started, string Host, string Boot = "", string Namespace = "", long Ticks = 0)
{
    /// <summary>Name of the file.</summary>
    public const string FileName = ".owner.json";

    private const int LongestFile = 4096;
    private static readonly JsonSerializerOptions _options = new() { RespectNullableAnnotations = true };

    /// <summary>The tolerance of start times where ticks are unknown: setting the clock while a process runs changes the start time that the system reports.</summary>
    private static readonly TimeSpan _tolerance = TimeSpan.FromMinutes(1);

    /// <summary>An owner that cannot be read.</summary>
    public static Owner Unknown { get; } = new(0, default, "");

    /// <summary>This process.</summary>
    public static Owner Current()
    {
        using Process self = System.Diagnostics.Process.GetCurrentProcess();
        return new Owner(
            self.Id, self.StartTime.ToUniversalTime(), Environment.MachineName, ProcessTable.Boot, ProcessTable.Namespace, ProcessTable.StartOf(self.Id) ?? 0);
    }

    /// <summary>Can this process determine whether the owner is running? It cannot for owners on another machine or in another container.</summary>
    public bool IsHere => Host == Environment.MachineName && (HasEndedWithItsMachine || Namespace == ProcessTable.Namespace || Namespace == "");

    /// <summary>Was the machine restarted since?</summary>
    private bool HasEndedWithItsMachine => Boot != "" && ProcessTable.Boot != "" && Boot != ProcessTable.Boot;

    /// <summary>The owner of a folder; null where it has none that can be read.</summary>
    public static Owner? Of(string folder)
    {
        try
        {
            Owner? owner = JsonSerializer.Deserialize<Owner>(Disk.ReadText(Path.Combine(folder, FileName), LongestFile), _options);
            return owner?.Host is null ? null : owner;
        }
        catch (Exception e) when (e is RunFileException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes its file into a folder.</summary>
    public void Sign(string folder)
    {
        // Moved into place, so that the file is never incomplete.
        string path = Path.Combine(folder, FileName), unfinished = $"{path}-{Process}";
        File.WriteAllText(unfinished, JsonSerializer.Serialize(this));
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Deletes its file from a finished folder; a file that stays has no effect.</summary>
    public static void Unsign(string folder) => Disk.Remove(Path.Combine(folder, FileName));

    /// <summary>Is it certain that the process has ended?</summary>
    public bool IsDead()
    {
        if (!IsHere)
            return false;
        if (HasEndedWithItsMachine)
            return true;
        try
        {
            using Process process = System.Diagnostics.Process.GetProcessById(Process);
            return Ticks > 0 && ProcessTable.StartOf(Process) is { } ticks
                ? ticks != Ticks
                : (process.StartTime.ToUniversalTime() - Started).Duration() > _tolerance;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return true;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
