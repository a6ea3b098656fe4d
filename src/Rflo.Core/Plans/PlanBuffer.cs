namespace Rflo.Core;

/// <summary>An array that a session keeps.</summary>
/// <param name="Part">The part of the circuit, or the rule, that it belongs to.</param>
/// <param name="Name">What it holds.</param>
/// <param name="Elements">How many numbers, the padding of rows among them.</param>
/// <param name="Bytes">Bytes that it takes.</param>
public sealed record PlanBuffer(string Part, string Name, long Elements, long Bytes);
