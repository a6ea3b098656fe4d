namespace Rflo.Core;

/// <summary>
/// Arrays hold at most <see cref="Array.MaxLength"/> numbers. The sizes of a session follow from products of sizes that are
/// small by themselves, so they are compared in 64 bits before an array is made.
/// </summary>
internal static class SizeLimits
{
    /// <summary>Elements that are reserved for the alignment of an array and the padding of its rows.</summary>
    private const int Slack = 1024;

    private const string Rows = "steps, with the longest delay,";
    private const string ShorterTrials = "Use shorter trials or fewer units.";
    private const string FewerUnits = "Use sparse connections (Synapses.Sparse; a density in the language) or fewer units.";
    private const string AnotherRule = "Use another rule or fewer units.";

    /// <summary>The most numbers of one array.</summary>
    public static long Most => Array.MaxLength - Slack;

    /// <summary>Compares the arrays of a trial.</summary>
    /// <exception cref="ArgumentException">One is too long; the message names it.</exception>
    public static void OfTrial(int steps, int inputs, int outputs, int events)
    {
        Fits("the inputs of a trial", steps, "steps", inputs, "channels", ShorterTrials);
        Fits("the targets of a trial", steps, "steps", outputs, "outputs", ShorterTrials);
        Fits("the events of a trial", steps, "steps", events, "kinds", ShorterTrials);
    }

    /// <summary>Compares all arrays of a session.</summary>
    /// <exception cref="ArgumentException">One is too long; the message names it.</exception>
    public static void OfSession<T>(Graph graph, ITask task)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        OfTrial(task.MaxSteps, task.Inputs, task.Outputs, task.Events);
        long rows = (long)graph.History + task.MaxSteps + 1;
        for (int k = 0; k < graph.Areas.Count; k++)
        {
            Fits($"the rates of area {graph.Areas[k].Name}", rows, Rows, Simd.Padded<T>(graph.Areas[k].Units), "units", ShorterTrials);
            if (graph.Areas[k].Model is { States.Count: var states })
                Fits($"the local derivatives of area {graph.Areas[k].Name}", rows, Rows, (long)states * states * Simd.Padded<T>(graph.Areas[k].Units), "units and pairs of states", ShorterTrials);
            OfTarget<T>(graph, $"area {graph.Areas[k].Name}", false, k, graph.Areas[k].Units, rows);
        }

        for (int k = 0; k < graph.Readouts.Count; k++)
        {
            Fits($"the outputs of readout {graph.Readouts[k].Name}", rows, Rows, Simd.Padded<T>(graph.Readouts[k].Outputs), "outputs", ShorterTrials);
            OfTarget<T>(graph, $"readout {graph.Readouts[k].Name}", true, k, graph.Readouts[k].Outputs, rows);
        }

        OfRules<T>(graph);
    }

    /// <summary>Refuses a matrix that no array can hold.</summary>
    /// <exception cref="ArgumentException">It is too large.</exception>
    public static void Fits(string what, long rows, string rowName, long columns, string columnName, string instead)
    {
        if (rows * columns > Most)
            ThrowHelper.Invalid(FormattableString.Invariant(
                $"{what}: {rows} {rowName} x {columns} {columnName} are more than the {Most} numbers that an array holds. {instead}"));
    }

    private static void OfTarget<T>(Graph graph, string name, bool isReadout, int index, int units, long rows)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        long dense = 0, all = 0;
        foreach (ProjectionSpec projection in graph.Projections)
        {
            if (projection.Target.IsReadout != isReadout || projection.Target.Index != index)
                continue;
            long width = Simd.Padded<T>(graph.Presynaptic(projection));
            all += width;
            dense += projection.Synapses is DenseSynapses ? width : 0;
        }

        Fits($"the dense weights onto {name}", Simd.Padded<T>(units), "units", dense, "presynaptic signals", FewerUnits);
        Fits($"the presynaptic signals of {name}", rows, Rows, all, "signals", ShorterTrials);
    }

    /// <summary>Compares the matrices of rules, beside traces and rows of steps: units by units, and signals by signals.</summary>
    private static void OfRules<T>(Graph graph)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var signals = new long[graph.Readouts.Count];
        foreach (ProjectionSpec projection in graph.Projections)
        {
            if (projection.Plasticity is not { LearningRate: > 0 } plastic)
                continue;
            if (projection.Target.IsReadout)
            {
                if (!plastic.Readout.IsLeastSquares)
                    continue;
                long count = signals[projection.Target.Index] += Simd.Padded<double>(graph.Presynaptic(projection));
                Fits($"{projection.Name}: the matrix of least squares", count, "signals", count, "signals", "Project fewer units to the readout, or use the delta rule.");
                continue;
            }

            AreaSpec area = graph.Areas[projection.Target.Index];
            if (plastic.Rule is KernlRule)
                foreach (AreaSpec other in graph.Areas)
                    Fits($"{projection.Name}: what KeRNL learns", Simd.Padded<T>(other.Units), $"units of {other.Name}", Simd.Padded<T>(area.Units), $"units of {area.Name}", AnotherRule);
            if (plastic.Rule is RtrlRule)
                Fits($"{projection.Name}: the Jacobian of RTRL", graph.Units, "units", graph.Units, "units", AnotherRule);
        }
    }
}
