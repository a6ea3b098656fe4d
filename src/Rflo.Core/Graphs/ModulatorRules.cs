namespace Rflo.Core;

/// <summary>Which signals of a circuit can modulate a rule.</summary>
internal static class ModulatorRules
{
    /// <summary>Refuses a signal that the circuit does not have.</summary>
    /// <param name="name">Name of the projection that is to learn.</param>
    /// <param name="rule">Its rule.</param>
    /// <param name="areas">All areas of the circuit.</param>
    /// <param name="readouts">All readouts of the circuit.</param>
    /// <param name="target">The area that it ends at.</param>
    /// <param name="history">Steps before the first whose rates are kept; the longest delay that there can be.</param>
    /// <exception cref="ArgumentException">The signal is not one of the circuit; the message has the reason.</exception>
    public static void Check(string name, LearningRule rule, IReadOnlyList<AreaSpec> areas, IReadOnlyList<ReadoutSpec> readouts, AreaSpec target, int history)
    {
        if (rule is not ThreeFactorRule local)
            return;
        if (local.Third == ThirdFactor.Signal != local.Source is not null)
            ThrowHelper.Invalid($"{name}: its third factor is {local.Third}, and Source is {local.Source?.ToString() ?? "null"}. A signal of the circuit needs both Third = Signal and a Source.");
        switch (local.Source)
        {
            case ReadoutModulator readout:
                CheckReadout(name, readouts, readout.Readout, readout.Output);
                break;
            case TemporalDifferenceModulator difference:
                CheckReadout(name, readouts, difference.Readout, difference.Output);
                if (!(difference.Gamma >= 0 && difference.Gamma <= 1))
                    ThrowHelper.OutOfRange($"{name}.Gamma", difference.Gamma, "in [0, 1]");
                break;
            case AreaModulator area:
                CheckArea(name, areas, area, target, history);
                break;
            default:
                break;
        }
    }

    private static void CheckReadout(string name, IReadOnlyList<ReadoutSpec> readouts, ReadoutId readout, int output)
    {
        if (readout.Index < 0 || readout.Index >= readouts.Count)
            ThrowHelper.Unknown($"the readout that modulates {name}", readout.Index, readouts.Count);
        if (output < 0 || output >= readouts[readout.Index].Outputs)
            ThrowHelper.OutOfRange($"the output of {readouts[readout.Index].Name} that modulates {name}", output, $"from 0 to {readouts[readout.Index].Outputs - 1}");
    }

    private static void CheckArea(string name, IReadOnlyList<AreaSpec> areas, AreaModulator modulator, AreaSpec target, int history)
    {
        if (modulator.Area.Index < 0 || modulator.Area.Index >= areas.Count)
            ThrowHelper.Unknown($"the area that modulates {name}", modulator.Area.Index, areas.Count);
        AreaSpec area = areas[modulator.Area.Index];
        if (modulator.Delay < 1)
            ThrowHelper.NotPositive($"the delay from {area.Name} that modulates {name}", modulator.Delay);
        if (modulator.Delay > history)
            ThrowHelper.OutOfRange($"the delay from {area.Name} that modulates {name}", modulator.Delay, $"at most {history}, the steps that the graph keeps. Set History of its builder");
        if (modulator.Unit < 0 || modulator.Unit >= area.Units)
            ThrowHelper.OutOfRange($"the unit of {area.Name} that modulates {name}", modulator.Unit, $"from 0 to {area.Units - 1}");
        if (modulator.Weights is not { } weights)
            return;
        long expected = (long)target.Units * area.Units;
        if (weights.Count != expected)
            ThrowHelper.ShapeMismatch($"the weights from {area.Name} that modulate {name}", weights.Count, expected, $"(post {target.Units}, pre {area.Units})");
        for (int k = 0; k < weights.Count; k++)
            if (!double.IsFinite(weights[k]))
                ThrowHelper.OutOfRange($"the weight ({k / area.Units}, {k % area.Units}) from {area.Name} that modulates {name}", weights[k], "finite");
    }
}
