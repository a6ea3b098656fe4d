using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// KeRNL (Roth, Kanitscheider and Fiete 2019): the influence of weight (i, j) on rate k is approximated by A_ki e_ij, with a
/// trace e(t) = kappa_i e(t-1) + alpha_i phi'_i(u(t)) s_j(t) of each synapse. The sensitivity A and the decays kappa of traces
/// are learned by <see cref="LearnedSensitivity{T}"/>; dW = eta / T * (A' l)_i e_ij.
/// </summary>
/// <remarks>
/// With A = 1 and kappa = 1 - alpha it is RFLO with the rule's error path. A has a row for the units of all areas and a column
/// for those of the areas that learn. Time and memory O(post * pre + units^2) a step.
/// </remarks>
internal sealed class Kernl<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const string Sensitivities = "sensitivities and memories";
    private readonly Network<T> _network;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _stateSignals;
    private readonly int[] _source;
    private readonly PendingChange<T>?[] _pending;
    private readonly WeightStore<T>?[] _traces;
    private readonly WeightStore<T>?[] _sums;
    private int _steps;

    /// <param name="network">The network.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="source">Random numbers.</param>
    /// <param name="areas">The areas whose projections learn.</param>
    /// <param name="plan">The operators of all other learners, and of the network.</param>
    public Kernl(Network<T> network, KernlRule rule, MixingSource<T> source, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas, IReadOnlyList<PlanOperator> plan)
    {
        _network = network;
        _areas = [.. areas];
        AreaState<T>[] sources = [.. areas.Select(pair => pair.Area).Distinct()];
        _source = [.. _areas.Select(pair => Array.IndexOf(sources, pair.Area))];
        Sensitivity = new LearnedSensitivity<T>(network, sources, source, rule.Rate);
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, rule.Path))];
        _stateSignals = [.. network.Areas.Select(area => new AlignedArray<T>(area.Padded))];
        PlanOperator[] updates = [.. _areas.Select(pair => Updating(pair.Area, pair.Plastic))];
        PlanOperator[] all = [.. plan, Observing, .. _areas.SelectMany((pair, k) => pair.Plastic.Around(updates[k]))];
        _pending = [.. _areas.Select((pair, k) => PendingChange<T>.IsChosen(network, pair.Area, pair.Plastic, all, updates[k]) ? new PendingChange<T>(network, pair.Area, pair.Plastic, null, decayChanges: true) : null)];
        _traces = [.. _areas.Select((pair, k) => _pending[k] is null ? pair.Area.Afferents.NewStore() : null)];
        _sums = [.. _areas.Select(pair => pair.Plastic.IsStepwise ? null : pair.Area.Afferents.NewStore())];
    }

    /// <summary>A and kappa.</summary>
    public LearnedSensitivity<T> Sensitivity { get; }

    /// <summary>Whether the weights of any area are written once a trial, by <see cref="PendingChange{T}"/>, instead of in every step.</summary>
    public bool IsDeferred => _pending.Any(pending => pending is not null);

    /// <summary>The operator that learns the sensitivities. Its products with weights include deferred updates.</summary>
    private PlanOperator Observing => new(
        PlanStage.ObserveStep, "sensitivity of the units", [.. _network.Carrying(_signals), .. _network.AllSignals], [Sensitivities])
    {
        AddsDeferred = true,
    };

    public override BufferPurpose Purpose => BufferPurpose.Influence;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        Observing,
        .. _areas.SelectMany((pair, k) => pair.Plastic.Around(
            _pending[k] is null ? Updating(pair.Area, pair.Plastic) : Updating(pair.Area, pair.Plastic) with { Stage = PlanStage.ApplyTrial, Form = Forms.Deferred.Title() })),
    ];

    private static PlanOperator Updating(AreaState<T> area, Plastic<T> plastic) =>
        plastic.UpdateByTraces(new(Sensitivities), new(Slopes(area.Spec.Name)), new(Signals(area.Spec.Name)));

    public override void Visit(StateVisitor visitor) => Sensitivity.Visit(visitor);

    public override void FollowTimeConstants(AreaState<T> area) => Sensitivity.FollowTimeConstants(area);

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        Sensitivity.Begin(trial);
        foreach (PendingChange<T>? pending in _pending)
            pending?.Begin(steps);
        foreach (WeightStore<T>? traces in _traces)
            traces?.Clear();
        foreach (WeightStore<T>? sum in _sums)
            sum?.Clear();
    }

    public override void ObserveStep(int step)
    {
        foreach (AreaState<T> area in _network.Areas)
            _signals[area.Index].WriteStates(step, _stateSignals[area.Index].Span);
        Sensitivity.Advance(step);
    }

    public override void ApplyStep(int step)
    {
        Sensitivity.Learn(step, _stateSignals);
        for (int k = 0; k < _areas.Length; k++)
        {
            if (_pending[k] is { } pending)
                pending.Learn(step, Sensitivity.Memory(_source[k]), Sensitivity.SourceSignal(_source[k]));
            else
                AdvanceTraces(k, _traces[k]!, step);
        }
    }

    public override void ApplyTrial(int steps)
    {
        for (int k = 0; k < _areas.Length; k++)
        {
            Plastic<T> plastic = _areas[k].Plastic;
            _pending[k]?.End(steps);
            if (_sums[k] is { } sum)
            {
                plastic.BeginIncrements(1);
                plastic.Add(sum, steps);
            }

            plastic.FinishTrial();
        }
    }

    /// <summary>Traces, and the step's increment: into the weights, or into the sum of the trial.</summary>
    private void AdvanceTraces(int k, WeightStore<T> traces, int step)
    {
        (AreaState<T> area, Plastic<T> plastic) = _areas[k];
        bool stepwise = plastic.IsStepwise;
        if (stepwise)
            plastic.BeginIncrements(_steps);
        Span<T> pre = area.Afferents.Signals(step), post = area.Post(step), memory = Sensitivity.Memory(_source[k]), signal = Sensitivity.SourceSignal(_source[k]);
        TraceRows.AdvanceDense(plastic, traces, _sums[k], memory, post, pre, signal, _steps);
        TraceRows.AdvanceSparse(plastic, traces, _sums[k], memory, post, pre, signal, _steps);
        if (stepwise)
            plastic.EndStep(step, _steps);
    }
}
