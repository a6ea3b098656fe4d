namespace Rflo.Core;

/// <summary>Whether a fast form replaces the plain form of a calculation, and why.</summary>
/// <param name="Form">The form.</param>
/// <param name="Part">The part of the circuit, or the projections, whose calculation it is.</param>
/// <param name="IsChosen">Whether it is chosen.</param>
/// <param name="Why">What makes it illegal or not worthwhile, or what it saves.</param>
public sealed record PlanChoice(string Form, string Part, bool IsChosen, string Why);
