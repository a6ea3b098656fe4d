namespace Rflo.Core;

/// <summary>The names under which operators declare what they read and write.</summary>
internal static class BufferNames
{
    public const string Inputs = "inputs";
    public const string Events = "events";
    public const string Targets = "targets";
    public const string Rewards = "rewards";

    public static string Weights(string projection) => $"weights of {projection}";

    public static string Signals(string target) => $"signals of {target}";

    public static string Currents(string target) => $"currents of {target}";

    public static string Rates(string area) => $"rates of {area}";

    public static string Slopes(string area) => $"slopes of {area}";

    public static string TimeConstants(string area) => $"time constants of {area}";

    public static string Outputs(string readout) => $"outputs of {readout}";

    public static string Errors(string readout) => $"errors of {readout}";

    public static string Increments(string group) => $"increments of {group}";

    public static string Traces(string group) => $"traces of {group}";

    public static string LearningSignal(string group) => $"learning signal of {group}";
}
