using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>An area of a map: the place of its numbers in the state, and its presynaptic input.</summary>
internal sealed class AreaPart(AreaSpec spec, int start, int history, int lags, double[] alpha, WeightBlock[] afferents)
{
    public AreaSpec Spec { get; } = spec;

    public int Units => Spec.Units;

    /// <summary>d, the state variables of a unit.</summary>
    public int Variables => Spec.Model?.States.Count ?? 1;

    /// <summary>Whether rates are a function of the state instead of the state itself.</summary>
    public bool HasGain => Spec.Model is not null || Spec.Dynamics == Rflo.Core.Dynamics.CurrentForm;

    /// <summary>Place of its states, shape (variables, units).</summary>
    public int Start { get; } = start;

    /// <summary>Place of its rates of 1, 2, ... steps ago, as many rows as <see cref="Lags"/>.</summary>
    public int History { get; } = history;

    /// <summary>How many steps back its rates are kept beside its state.</summary>
    public int Lags { get; } = lags;

    /// <summary>dt / tau, shape (units).</summary>
    public double[] Alpha { get; } = alpha;

    /// <summary>The projections onto it with open gates.</summary>
    public WeightBlock[] Afferents { get; } = afferents;
}

/// <summary>A readout of a map.</summary>
internal sealed class ReadoutPart(ReadoutSpec spec, int history, int lags, bool isFedBack, WeightBlock[] afferents)
{
    public ReadoutSpec Spec { get; } = spec;

    public int Outputs => Spec.Outputs;

    /// <summary>Place of its outputs of 1, 2, ... steps ago.</summary>
    public int History { get; } = history;

    /// <summary>How many steps back its outputs are kept.</summary>
    public int Lags { get; } = lags;

    /// <summary>Whether it is part of the dynamics.</summary>
    public bool IsFedBack { get; } = isFedBack;

    /// <summary>The projections onto it.</summary>
    public WeightBlock[] Afferents { get; } = afferents;
}
