using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// KeRNL (Roth, Kanitscheider and Fiete 2019): the influence of weight (i, j) on rate k is taken to be A_ki e_ij, with a
/// trace e(t) = kappa_i e(t-1) + alpha_i phi'_i(u(t)) s_j(t) of each synapse and a sensitivity A that is learned beside the
/// weights, with the traces' memories kappa, by <see cref="LearnedSensitivity{T}"/>; dW = eta / T * (A' l)_i e_ij.
/// </summary>
/// <remarks>
/// With A = 1 and kappa = 1 - alpha it is RFLO with the rule's error path. Learns what reaches the units of all areas
/// from those of the areas that learn. Time and memory O(post * pre + units^2) a step.
/// </remarks>
internal sealed class Kernl<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _told;
    private readonly AlignedArray<T>[] _toldSources;
    private readonly int[] _source;
    private readonly WeightStore<T>[] _traces;
    private readonly WeightStore<T>?[] _sums;
    private int _steps;

    public Kernl(Network<T> network, KernlRule rule, MixingSource<T> source, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas)
    {
        _network = network;
        _areas = [.. areas];
        AreaState<T>[] sources = [.. areas.Select(pair => pair.Area).Distinct()];
        _source = [.. _areas.Select(pair => Array.IndexOf(sources, pair.Area))];
        Sensitivity = new LearnedSensitivity<T>(network, sources, source, rule.Rate);
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, rule.Path))];
        _told = [.. network.Areas.Select(area => new AlignedArray<T>(area.Padded))];
        _toldSources = [.. _areas.Select(pair => new AlignedArray<T>(pair.Area.Padded))];
        _traces = [.. _areas.Select(pair => pair.Area.Afferents.NewStore())];
        _sums = [.. _areas.Select(pair => pair.Plastic.IsStepwise ? null : pair.Area.Afferents.NewStore())];
    }

    /// <summary>A and kappa.</summary>
    public LearnedSensitivity<T> Sensitivity { get; }

    public override void Visit(StateVisitor visitor) => Sensitivity.Visit(visitor);

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        Sensitivity.Begin(trial);
        foreach (WeightStore<T> traces in _traces)
            traces.Clear();
        foreach (WeightStore<T>? sum in _sums)
            sum?.Clear();
    }

    public override void Tell(int step)
    {
        foreach (AreaState<T> area in _network.Areas)
            _signals[area.Index].Tell(step, _told[area.Index].Span);
        Sensitivity.Advance(step);
    }

    public override void Learn(int step)
    {
        Sensitivity.Learn(step);
        for (int k = 0; k < _areas.Length; k++)
        {
            Sensitivity.Tell(_source[k], _told, _toldSources[k].Span);
            AdvanceTraces(k, step);
        }
    }

    public override void End(int steps)
    {
        for (int k = 0; k < _areas.Length; k++)
        {
            Plastic<T> plastic = _areas[k].Plastic;
            if (_sums[k] is { } sum)
            {
                plastic.BeginIncrements(1);
                plastic.Add(sum, steps);
            }

            plastic.FinishTrial();
        }
    }

    /// <summary>Traces, and the step's increment: into the weights, or into the sum of the trial.</summary>
    private void AdvanceTraces(int k, int step)
    {
        (AreaState<T> area, Plastic<T> plastic) = _areas[k];
        Afferents<T> afferents = area.Afferents;
        bool stepwise = plastic.IsStepwise;
        if (stepwise)
            plastic.BeginIncrements(_steps);
        WeightStore<T> to = _sums[k] ?? plastic.Destination;
        Span<T> pre = afferents.Signals(step), post = area.Post(step), memory = Sensitivity.Memory(_source[k]), told = _toldSources[k].Span;
        foreach (Plastic<T>.Run run in plastic.Runs)
        {
            T scale = stepwise ? plastic.Scale(run.LearningRate, _steps) : T.One;
            for (int i = 0; i < area.Units; i++)
            {
                Kernels.AdvanceTrace(
                    _traces[k].Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    to.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    memory[i], post[i], pre.Slice(run.Offset, run.Width), scale * told[i]);
            }
        }

        foreach (Segment segment in plastic.Segments)
        {
            if (segment.Sparse is not { } pattern)
                continue;
            int at = afferents.Place(segment);
            Kernels.AdvanceTraceSparse(
                pattern, _traces[k].Sparse[at], to.Sparse[at], memory, post, pre.Slice(segment.Offset, segment.Width), told,
                stepwise ? plastic.Scale(segment.Plasticity!.LearningRate, _steps) : T.One);
        }

        if (stepwise)
            plastic.EndStep(step, _steps);
    }
}
