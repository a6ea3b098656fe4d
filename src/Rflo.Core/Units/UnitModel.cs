using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// A unit with d state variables: how its state s follows from the state before and from its current, what signal r it sends,
/// and the local derivatives of both. Every rule of the core learns through these derivatives, so a model that is added by
/// another assembly learns by all of them.
/// </summary>
/// <remarks>
/// In step t, for each unit i: s(t) = f(s(t-1), u(t)) and r(t) = h(s(t)), with A(t) = ds(t)/ds(t-1), shape (d, d),
/// c(t) = ds(t)/du(t), shape (d), and g(t) = dr(t)/ds(t), shape (d). RFLO's trace is
/// eps(t) = A(t) eps(t-1) + c(t) pre(t) and e(t) = g(t) . eps(t) (Bellec et al. 2020), of which the leaky rate unit of Murray (2019)
/// has d = 1, A = 1 - alpha, c = alpha phi'(u) and g = 1. A spiking unit gives a surrogate slope in g. Rules do not include what the
/// model leaves out of A, c and g, such as the reset of a spike. Records compare by their constants.
/// </remarks>
public abstract record UnitModel
{
    /// <summary>The most state variables that a unit may have.</summary>
    public const int MostStates = 16;

    /// <summary>Names of the state variables, such as ["v"; "a"]; from 1 to <see cref="MostStates"/> of them, all different.</summary>
    public abstract IReadOnlyList<string> States { get; }

    /// <summary>
    /// Its description, with all of its constants, such as "LIF (threshold 1)". Models that differ need different descriptions: it is part of a
    /// run's identity.
    /// </summary>
    public abstract string Description { get; }

    /// <summary>Its constants that are out of range, each with what is allowed.</summary>
    public virtual IEnumerable<OutOfRange> Problems => [];

    /// <summary>One step of all units of an area: writes the next state and its derivatives A and c. Must allocate nothing, and treat every unit alike.</summary>
    /// <param name="update">State before, currents and time constants; receives the state and its derivatives.</param>
    public abstract void Advance<T>(in UnitStep<T> update)
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>The signal r of all units of an area, and its derivative g by the state. Must allocate nothing.</summary>
    /// <param name="output">The state; receives signal and derivative.</param>
    public abstract void Send<T>(in UnitOutput<T> output)
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>A state variable before the first step of a trial. That of the first one is what the area gives (<see cref="AreaSpec.InitialRates"/>).</summary>
    /// <param name="state">Which, from 1 to d - 1.</param>
    public virtual double InitialState(int state) => 0;

    /// <summary><see cref="Description"/>, whatever the culture.</summary>
    public sealed override string ToString() => Description;
}
