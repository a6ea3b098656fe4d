namespace Rflo.Core;

/// <summary>An area of a graph. A type of its own, so that it cannot be passed in place of a readout.</summary>
/// <param name="Index">Place in the order of declaration, from 0.</param>
public readonly record struct AreaId(int Index);

/// <summary>An external input of a graph.</summary>
/// <param name="Index">Place in the order of declaration, from 0.</param>
public readonly record struct InputId(int Index);

/// <summary>A readout of a graph.</summary>
/// <param name="Index">Place in the order of declaration, from 0.</param>
public readonly record struct ReadoutId(int Index);

/// <summary>A projection of a graph: one block of weights.</summary>
/// <param name="Index">Place in the order of declaration, from 0.</param>
public readonly record struct ProjectionId(int Index);
