namespace Rflo.Core;

/// <summary>The names under which operators declare what they read and write.</summary>
internal static class BufferNames
{
    public const string Inputs = "inputs";
    public const string Events = "events";
    public const string Targets = "targets";
    public const string Rewards = "rewards";

    private const string OfWeights = "weights of ";
    private const string OfOutputs = "outputs of ";
    private const string OfErrors = "errors of ";

    /// <summary>Whether a buffer holds weights.</summary>
    public static bool IsOfWeights(string buffer) => buffer.StartsWith(OfWeights, StringComparison.Ordinal);

    /// <summary>Whether a buffer holds outputs or errors of a readout.</summary>
    public static bool IsOfReadouts(string buffer) => buffer.StartsWith(OfOutputs, StringComparison.Ordinal) || buffer.StartsWith(OfErrors, StringComparison.Ordinal);

    public static string Weights(string projection) => OfWeights + projection;

    public static string Signals(string target) => $"signals of {target}";

    public static string Currents(string target) => $"currents of {target}";

    public static string Rates(string area) => $"rates of {area}";

    public static string Slopes(string area) => $"slopes of {area}";

    public static string TimeConstants(string area) => $"time constants of {area}";

    public static string InitialStates(string area) => $"initial states of {area}";

    public static string Outputs(string readout) => OfOutputs + readout;

    public static string Errors(string readout) => OfErrors + readout;

    public static string Increments(string group) => $"increments of {group}";

    public static string Traces(string group) => $"traces of {group}";

    public static string LearningSignal(string group) => $"learning signal of {group}";
}
