namespace Rflo.Core;

/// <summary>What the numbers of a buffer are for.</summary>
public enum BufferPurpose
{
    /// <summary>Weights, those of the declaration among them; increments collected between updates, state of optimizers, and the matrices of least squares.</summary>
    Weights,

    /// <summary>Rates, signals, slopes and outputs of the longest trial, and what rules keep of its steps.</summary>
    Activity,

    /// <summary>Traces, and what else rules keep in the shape of the weights.</summary>
    Traces,

    /// <summary>RTRL's influence tensor, the only cubic term; or its approximations.</summary>
    Influence,
}
