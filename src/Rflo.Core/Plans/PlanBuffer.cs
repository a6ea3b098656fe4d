namespace Rflo.Core;

/// <summary>An array of a session, or several of one name.</summary>
/// <param name="Part">The part of the circuit, or the rule, that it belongs to.</param>
/// <param name="Name">What it holds.</param>
/// <param name="Purpose">What for.</param>
/// <param name="Elements">How many numbers, of all lanes and with the padding of rows.</param>
/// <param name="Bytes">Bytes that it takes.</param>
/// <param name="Lanes">The batch axis: for how many trials side by side it is there; 1 where all share it.</param>
public sealed record PlanBuffer(string Part, string Name, BufferPurpose Purpose, long Elements, long Bytes, int Lanes);
