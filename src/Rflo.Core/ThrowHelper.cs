using System.Diagnostics.CodeAnalysis;

namespace Rflo.Core;

/// <summary>Every <c>throw</c> of the core, out of line so that the callers stay small. Messages give the value and what was expected.</summary>
internal static class ThrowHelper
{
    [DoesNotReturn]
    public static void ShapeMismatch(string parameter, long given, long expected, string shape) =>
        throw new ArgumentException($"{parameter} has {given} elements; {shape} needs {expected}.", parameter);

    [DoesNotReturn]
    public static void TooShort(string parameter, long given, long needed) =>
        throw new ArgumentException($"{parameter} has {given} elements; at least {needed} are needed.", parameter);

    [DoesNotReturn]
    public static void NotPositive(string parameter, int given) =>
        throw new ArgumentOutOfRangeException(parameter, given, $"{parameter} is {given}; it must be at least 1.");

    [DoesNotReturn]
    public static void OutOfRange(string parameter, double given, string allowed) =>
        throw new ArgumentOutOfRangeException(parameter, given, FormattableString.Invariant($"{parameter} is {given}; it must be {allowed}."));

    [DoesNotReturn]
    public static void Unknown(string parameter, int index, int count) =>
        throw new ArgumentOutOfRangeException(parameter, index, $"{parameter} is number {index}, but the graph has {count}.");

    [DoesNotReturn]
    public static void Invalid(string message) => throw new ArgumentException(message);
}
