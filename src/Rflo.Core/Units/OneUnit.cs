using System.Diagnostics.CodeAnalysis;

namespace Rflo.Core;

/// <summary>One unit in one step, the argument of the functions of <see cref="PointwiseUnits"/>. What they write is copied; the object is reused for the next unit.</summary>
[SuppressMessage("Performance", "CA1819", Justification = "Arrays are what functions of a script index most plainly.")]
[SuppressMessage("Performance", "CA1814", Justification = "A is a square.")]
public sealed class OneUnit
{
    [ThreadStatic]
    private static OneUnit?[]? _ofThread;

    private OneUnit(int states)
    {
        Before = new double[states];
        State = new double[states];
        A = new double[states, states];
        C = new double[states];
        G = new double[states];
    }

    /// <summary>dt / tau of the unit, in (0, 1].</summary>
    public double Alpha { get; internal set; }

    /// <summary>u(t), with the noise.</summary>
    public double Current { get; internal set; }

    /// <summary>s(t-1), shape (states).</summary>
    public double[] Before { get; }

    /// <summary>s(t), shape (states): to be written by the step, and read by the signal.</summary>
    public double[] State { get; }

    /// <summary>A(t) = ds(t) / ds(t-1), shape (states, states). To be written by the step where it is not 0.</summary>
    public double[,] A { get; }

    /// <summary>c(t) = ds(t) / du(t), shape (states). To be written by the step where it is not 0.</summary>
    public double[] C { get; }

    /// <summary>g(t) = dr(t) / ds(t), shape (states). To be written by the signal where it is not 0.</summary>
    public double[] G { get; }

    /// <summary>The instance of this thread for so many states: sessions run in parallel, and a step allocates nothing.</summary>
    internal static OneUnit OfThread(int states)
    {
        _ofThread ??= new OneUnit?[UnitModel.MostStates + 1];
        return _ofThread[states] ??= new OneUnit(states);
    }
}
