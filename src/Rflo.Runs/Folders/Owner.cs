using System.Diagnostics;
using System.Text.Json;

namespace Rflo.Runs;

/// <summary>The process that writes a folder. Its file in the folder lets others see whether the writer still lives.</summary>
/// <param name="Process">Number of the process.</param>
/// <param name="Started">When the process began, UTC: numbers are used again.</param>
/// <param name="Host">Name of its machine: a folder may be shared.</param>
/// <param name="Boot">The start of its machine since which the number is given; empty where it is not known.</param>
/// <param name="Namespace">The namespace of its number; empty where it is not known.</param>
/// <param name="Ticks">When the process began, in ticks since the start of the machine; 0 where it is not known.</param>
internal sealed record Owner(int Process, DateTime Started, string Host, string Boot = "", string Namespace = "", long Ticks = 0)
{
    /// <summary>Name of the file.</summary>
    public const string FileName = ".owner.json";

    private const int LongestFile = 4096;
    private static readonly JsonSerializerOptions _options = new() { RespectNullableAnnotations = true };

    /// <summary>Where ticks are not known: the clock may be set while a process runs, which moves the time that the system reports as its start.</summary>
    private static readonly TimeSpan _tolerance = TimeSpan.FromMinutes(1);

    /// <summary>Somebody of whom nothing is known.</summary>
    public static Owner Unknown { get; } = new(0, default, "");

    /// <summary>This process.</summary>
    public static Owner Current()
    {
        using Process self = System.Diagnostics.Process.GetCurrentProcess();
        return new Owner(
            self.Id, self.StartTime.ToUniversalTime(), Environment.MachineName, ProcessTable.Boot, ProcessTable.Namespace, ProcessTable.StartOf(self.Id) ?? 0);
    }

    /// <summary>Can this process see whether that one lives? Of another machine's, and of another container's, nothing is known.</summary>
    public bool IsHere => Host == Environment.MachineName && (HasEndedWithItsMachine || Namespace == ProcessTable.Namespace || Namespace == "");

    /// <summary>The machine has been started anew since.</summary>
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
        // Moved into place, so that no moment has half a name in it.
        string path = Path.Combine(folder, FileName), unfinished = $"{path}-{Process}";
        File.WriteAllText(unfinished, JsonSerializer.Serialize(this));
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Takes its file out of a folder that is finished; one that stays does no harm.</summary>
    public static void Unsign(string folder) => Disk.Remove(Path.Combine(folder, FileName));

    /// <summary>Is it known that the process has ended?</summary>
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
