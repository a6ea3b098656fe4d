namespace Rflo.Analysis;

/// <summary>A part of the state of a <see cref="CircuitMap"/>.</summary>
/// <param name="Name">The area or readout that it belongs to.</param>
/// <param name="Variable">What it holds: "rate", "current", the name of a state variable, or "rate 2 steps ago" and the like for signals in transit.</param>
/// <param name="Start">Place of its first number in the state.</param>
/// <param name="Length">How many numbers it has.</param>
/// <param name="Age">0 for the state of units, k for signals that are k steps old.</param>
public sealed record StateBlock(string Name, string Variable, int Start, int Length, int Age);
