using System.Diagnostics;
using System.Text.Json;

namespace Rflo.Runs;

/// <summary>The process that writes a folder. Its file in the folder lets others see whether the writer still lives.</summary>
/// <param name="Process">Number of the process.</param>
/// <param name="Started">When the process began, UTC: numbers are used again.</param>
/// <param name="Host">Name of its machine: a folder may be shared.</param>
internal sealed record Owner(int Process, DateTime Started, string Host)
{
    /// <summary>Name of the file.</summary>
    public const string FileName = ".owner.json";

    private const int LongestFile = 4096;

    /// <summary>The clock may be set while a process runs, which moves the time that the system reports as its start.</summary>
    private static readonly TimeSpan _tolerance = TimeSpan.FromMinutes(1);

    /// <summary>This process.</summary>
    public static Owner Current()
    {
        using Process self = System.Diagnostics.Process.GetCurrentProcess();
        return new Owner(self.Id, self.StartTime.ToUniversalTime(), Environment.MachineName);
    }

    /// <summary>The owner of a folder; null where it has none that can be read.</summary>
    public static Owner? Of(string folder)
    {
        try
        {
            FileInfo file = new(Path.Combine(folder, FileName));
            return file.Length <= LongestFile ? JsonSerializer.Deserialize<Owner>(File.ReadAllText(file.FullName)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
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

    /// <summary>Is it known that the process has ended? Of another machine's nothing is known.</summary>
    public bool IsDead()
    {
        if (Host != Environment.MachineName)
            return false;
        try
        {
            using Process process = System.Diagnostics.Process.GetProcessById(Process);
            return (process.StartTime.ToUniversalTime() - Started).Duration() > _tolerance;
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
