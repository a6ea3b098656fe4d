using System.Numerics;

namespace Rflo.Core;

/// <summary>One step of the units of an area; every span has one element a unit.</summary>
public readonly ref struct UnitStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlySpan<T> _before;
    private readonly Span<T> _after;
    private readonly Span<T> _jacobian;
    private readonly Span<T> _slope;
    private readonly int _stride;
    private readonly int _units;

    /// <summary>A step of units whose numbers lie in these spans, for code that runs a model outside of a session.</summary>
    /// <param name="alpha">dt / tau, shape (units).</param>
    /// <param name="current">u(t), shape (units).</param>
    /// <param name="before">s(t-1), shape (states, stride).</param>
    /// <param name="after">s(t), shape (states, stride). Receives the next state.</param>
    /// <param name="jacobian">A(t), shape (states, states, stride), zeros. Receives derivatives.</param>
    /// <param name="slope">c(t), shape (states, stride), zeros. Receives derivatives.</param>
    /// <param name="units">Number of units.</param>
    /// <param name="stride">Length of the part of one state variable, at least the number of units.</param>
    public UnitStep(
        ReadOnlySpan<T> alpha, ReadOnlySpan<T> current, ReadOnlySpan<T> before, Span<T> after, Span<T> jacobian, Span<T> slope, int units, int stride)
    {
        Alpha = alpha[..units];
        Current = current[..units];
        _before = before;
        _after = after;
        _jacobian = jacobian;
        _slope = slope;
        _units = units;
        _stride = stride;
    }

    /// <summary>dt / tau, in (0, 1].</summary>
    public ReadOnlySpan<T> Alpha { get; }

    /// <summary>u(t), with the noise.</summary>
    public ReadOnlySpan<T> Current { get; }

    /// <summary>s_k(t-1).</summary>
    public ReadOnlySpan<T> Before(int k) => _before.Slice(k * _stride, _units);

    /// <summary>s_k(t). To be written.</summary>
    public Span<T> After(int k) => _after.Slice(k * _stride, _units);

    /// <summary>A_kl(t) = ds_k(t) / ds_l(t-1). To be written where it is not 0.</summary>
    /// <param name="k">The state variable that changes.</param>
    /// <param name="l">The one that it depends on.</param>
    public Span<T> A(int k, int l) => _jacobian.Slice(((k * (_slope.Length / _stride)) + l) * _stride, _units);

    /// <summary>c_k(t) = ds_k(t) / du(t). To be written where it is not 0.</summary>
    public Span<T> C(int k) => _slope.Slice(k * _stride, _units);
}

/// <summary>The signals of the units of an area in one step; every span has one element a unit.</summary>
public readonly ref struct UnitOutput<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlySpan<T> _states;
    private readonly Span<T> _gain;
    private readonly int _stride;

    /// <summary>Signals of units whose numbers lie in these spans, for code that runs a model outside of a session.</summary>
    /// <param name="states">s(t), shape (states, stride).</param>
    /// <param name="signal">r(t), shape (units). Receives the signals.</param>
    /// <param name="gain">g(t), shape (states, stride), zeros. Receives derivatives.</param>
    /// <param name="units">Number of units.</param>
    /// <param name="stride">Length of the part of one state variable, at least the number of units.</param>
    public UnitOutput(ReadOnlySpan<T> states, Span<T> signal, Span<T> gain, int units, int stride)
    {
        _states = states;
        _gain = gain;
        _stride = stride;
        Signal = signal[..units];
    }

    /// <summary>s_k(t).</summary>
    public ReadOnlySpan<T> State(int k) => _states.Slice(k * _stride, Signal.Length);

    /// <summary>r(t), what projections carry: the rate, or 1 for a spike. To be written.</summary>
    public Span<T> Signal { get; }

    /// <summary>g_k(t) = dr(t) / ds_k(t). To be written where it is not 0.</summary>
    public Span<T> G(int k) => _gain.Slice(k * _stride, Signal.Length);
}
