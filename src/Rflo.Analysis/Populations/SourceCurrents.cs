using MathNet.Numerics.LinearAlgebra;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>The currents of an area by their sources, as in CURBD (Perich et al. 2021): W times the signals that arrive in each step.</summary>
public sealed record SourceCurrents
{
    /// <summary>The area that receives.</summary>
    public required string Area { get; init; }

    /// <summary>The first step, from 1, whose delayed signals are all known; rows begin with it.</summary>
    public required int FirstStep { get; init; }

    /// <summary>By the names of projections, shape (steps, units).</summary>
    public required IReadOnlyDictionary<string, Matrix<double>> ByProjection { get; init; }

    /// <summary>By the names of areas, inputs and readouts, and "bias", shape (steps, units).</summary>
    public required IReadOnlyDictionary<string, Matrix<double>> BySource { get; init; }

    /// <summary>The sum over all sources, shape (steps, units): the current without noise.</summary>
    public required Matrix<double> Total { get; init; }

    /// <summary>The currents of a recorded trial.</summary>
    /// <param name="map">The circuit; its constant inputs are not used.</param>
    /// <param name="area">The area that receives.</param>
    /// <param name="recording">A trial of the circuit.</param>
    /// <exception cref="ArgumentException">There is no such area, nothing arrives at it, or the trial is too short.</exception>
    public static SourceCurrents Of(CircuitMap map, string area, Recording recording)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(recording);
        Graph graph = map.Graph;
        AreaPart part = map.Areas.FirstOrDefault(one => one.Spec.Name == area)
            ?? throw new ArgumentException($"There is no area {area}; the circuit has {CircuitMap.Listed(map.Areas.Select(one => one.Spec.Name))}.");
        if (recording.Rates.Count != graph.Areas.Count || recording.Inputs.Length != recording.Steps * graph.InputChannels || recording.Outputs.Length != recording.Steps * graph.Outputs)
            throw new ArgumentException("The trial is one of another circuit.");
        int first = 1 + part.Afferents.Select(block => block.Source.Delay).DefaultIfEmpty(0).Max();
        if (part.Afferents.Length == 0)
            throw new ArgumentException($"Nothing arrives at area {area}.");
        if (recording.Steps < first)
            throw new ArgumentException($"The trial has {recording.Steps} steps, and signals reach area {area} after up to {first - 1}.");
        Dictionary<string, Matrix<double>> byProjection = [], bySource = [];
        Matrix<double> total = Matrix<double>.Build.Dense(recording.Steps - first + 1, part.Units);
        foreach (WeightBlock block in part.Afferents)
        {
            Matrix<double> current = CurrentOf(graph, block, recording, first, part.Units);
            string source = NameOf(graph, block.Source);
            byProjection[block.Spec.Name] = current;
            bySource[source] = bySource.TryGetValue(source, out Matrix<double>? before) ? before + current : current;
            total += current;
        }

        return new SourceCurrents { Area = area, FirstStep = first, ByProjection = byProjection, BySource = bySource, Total = total };
    }

    private static Matrix<double> CurrentOf(Graph graph, WeightBlock block, Recording recording, int first, int units)
    {
        Matrix<double> currents = Matrix<double>.Build.Dense(recording.Steps - first + 1, units);
        for (int t = first; t <= recording.Steps; t++)
        {
            double[] current = new double[units];
            block.AddProduct(Signal(graph, block.Source, recording, t), current);
            currents.SetRow(t - first, current);
        }

        return currents;
    }

    /// <summary>The signals of a source that arrive in a step.</summary>
    private static ReadOnlySpan<double> Signal(Graph graph, Source source, Recording recording, int step)
    {
        int row = step - 1 - source.Delay;
        return source.Kind switch
        {
            SignalKind.Area => recording.Rates[source.Index].AsSpan(row * graph.Areas[source.Index].Units),
            SignalKind.Input => recording.Inputs.AsSpan(row * graph.InputChannels + graph.Inputs.Take(source.Index).Sum(input => input.Channels)),
            SignalKind.Readout => recording.Outputs.AsSpan(row * graph.Outputs + graph.Readouts.Take(source.Index).Sum(readout => readout.Outputs)),
            _ => new double[] { 1 },
        };
    }

    private static string NameOf(Graph graph, Source source) => source.Kind switch
    {
        SignalKind.Area => graph.Areas[source.Index].Name,
        SignalKind.Input => graph.Inputs[source.Index].Name,
        SignalKind.Readout => graph.Readouts[source.Index].Name,
        _ => "bias",
    };
}
