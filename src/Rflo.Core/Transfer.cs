namespace Rflo.Core;

/// <summary>The transfer function phi of an area: from a unit's current u to the rate that it relaxes towards.</summary>
public enum Transfer
{
    /// <summary>phi(u) = tanh u (Murray 2019, Eq 1).</summary>
    Tanh,

    /// <summary>phi(u) = max(0, u).</summary>
    Relu,

    /// <summary>phi(u) = 1 / (1 + exp(-u)).</summary>
    Sigmoid,

    /// <summary>phi(u) = log(1 + exp u).</summary>
    Softplus,

    /// <summary>phi(u) = u: a linear area, or a relay.</summary>
    Identity,

    /// <summary>phi(u) = max(0, tanh u).</summary>
    RectifiedTanh,
}
