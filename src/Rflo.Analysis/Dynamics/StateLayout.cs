using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>The places of the parts of a circuit in the state of a map.</summary>
internal sealed class StateLayout
{
    private readonly List<StateBlock> _blocks = [];

    public StateLayout(Graph graph, WeightBlock[] blocks, Func<int, double[]> alphas)
    {
        int[] starts = [.. graph.Areas.Select(PlaceStates)];
        Areas = [.. graph.Areas.Select((spec, k) =>
        {
            int lags = Lags(blocks, SignalKind.Area, k);
            return new AreaPart(spec, starts[k], PlaceHistory(spec.Name, "rate", spec.Units, lags), lags, alphas(k), Onto(blocks, false, k));
        })];
        Readouts = [.. graph.Readouts.Select((spec, k) =>
        {
            int lags = Lags(blocks, SignalKind.Readout, k);
            bool isFedBack = blocks.Any(block => block.Source.Kind == SignalKind.Readout && block.Source.Index == k);
            return new ReadoutPart(spec, PlaceHistory(spec.Name, "output", spec.Outputs, lags), lags, isFedBack, Onto(blocks, true, k));
        })];
    }

    public AreaPart[] Areas { get; }

    public ReadoutPart[] Readouts { get; }

    public IReadOnlyList<StateBlock> Blocks => _blocks;

    public int Size { get; private set; }

    private int PlaceStates(AreaSpec area)
    {
        int start = Size;
        string[] variables = area.Model is { } model ? [.. model.States] : [area.Dynamics == Rflo.Core.Dynamics.CurrentForm ? "current" : "rate"];
        foreach (string variable in variables)
            Add(area.Name, variable, area.Units, 0);
        return start;
    }

    private int PlaceHistory(string name, string variable, int width, int lags)
    {
        int start = Size;
        for (int lag = 1; lag <= lags; lag++)
            Add(name, $"{variable} {lag} {(lag == 1 ? "step" : "steps")} ago", width, lag);
        return start;
    }

    private void Add(string name, string variable, int length, int age)
    {
        _blocks.Add(new StateBlock(name, variable, Size, length, age));
        Size += length;
    }

    /// <summary>How many steps back signals are kept beside those of the state itself, which arrive one step later.</summary>
    private static int Lags(WeightBlock[] blocks, SignalKind kind, int index) => blocks
        .Where(block => !block.Spec.Target.IsReadout && block.Source.Kind == kind && block.Source.Index == index)
        .Select(block => block.Source.Delay - 1).DefaultIfEmpty(0).Max();

    private static WeightBlock[] Onto(WeightBlock[] blocks, bool isReadout, int index) =>
        Array.FindAll(blocks, block => block.Spec.Target.IsReadout == isReadout && block.Spec.Target.Index == index);
}
