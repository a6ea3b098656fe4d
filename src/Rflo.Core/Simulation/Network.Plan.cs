using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>What a step of the circuit reads and writes, and which forms are chosen.</summary>
internal sealed partial class Network<T>
{
    private readonly List<PlanChoice> _choices = [];
    private IReadOnlyList<PlanOperator>? _operators;
    private bool? _outputsMayWait;

    /// <summary>Whether the outputs of all steps may be computed when the trial has ended.</summary>
    private bool OutputsMayWait => _outputsMayWait ??= Rewrites.OutputsToTrialEnd(Operators) is null;

    /// <summary>The forms that were considered so far.</summary>
    public IReadOnlyList<PlanChoice> Choices => _choices;

    /// <summary>Whether a form replaces the plain one. All forms are chosen here.</summary>
    /// <param name="form">The form.</param>
    /// <param name="part">What of the circuit it computes.</param>
    /// <param name="obstacle">What makes it illegal; null where it is legal.</param>
    /// <param name="pays">Whether it saves time or memory.</param>
    /// <param name="why">The quantities that this depends on.</param>
    public bool Choose(Forms form, string part, string? obstacle, bool pays = true, string why = "")
    {
        bool isAllowed = (_forms & form) == form;
        bool isChosen = obstacle is null && isAllowed && (pays || (_forms & Forms.Unpaid) != 0);
        var choice = new PlanChoice(form.Title(), part, isChosen, obstacle ?? (isAllowed ? why : "it is switched off"));
        if (!_choices.Contains(choice))
            _choices.Add(choice);
        return isChosen;
    }

    /// <summary>Whether a form that is legal is chosen, where that may differ from trial to trial.</summary>
    public bool IsWorth(Forms form, bool pays) => (_forms & form) == form && (pays || (_forms & Forms.Unpaid) != 0);

    /// <summary>The operators that make the currents of an area: signals, dense blocks, and sparse blocks if requested.</summary>
    public PlanOperator[] CurrentsOf(AreaState<T> area, bool sparseToo) => [.. Arriving(area.Spec.Name, area.Afferents, sparseToo)];

    /// <summary>The operators of a step.</summary>
    public IReadOnlyList<PlanOperator> Operators => _operators ??= [.. StepOperators()];

    /// <summary>What carries rates to later rates: weights onto areas, and weights and outputs (for the slopes of their nonlinearity) of readouts that are fed back.</summary>
    public IEnumerable<PlanRead> Recurrence => Graph.Projections
        .Where(projection => !projection.Target.IsReadout || Graph.IsFedBack(projection.Target.Index)).Select(projection => new PlanRead(Weights(projection.Name)))
        .Concat(Readouts.Where(readout => readout.IsFedBack).Select(readout => new PlanRead(Outputs(readout.Spec.Name))));

    /// <summary>The errors of readouts that are fed back: through them their own weights reach later rates.</summary>
    public IEnumerable<PlanRead> FedBackErrors => Readouts.Where(readout => readout.IsFedBack).Select(readout => new PlanRead(Errors(readout.Spec.Name)));

    /// <summary>What a rule reads that carries influence or credit through the circuit: <see cref="Recurrence"/>, slopes, and the sources of its learning signals.</summary>
    /// <param name="signals">The learning signals of all areas.</param>
    public IEnumerable<PlanRead> Carrying(IEnumerable<LearningSignal<T>> signals) =>
        Recurrence.Concat(AllSlopes).Concat(signals.SelectMany(signal => signal.Reads)).Distinct();

    /// <summary>The slopes of all areas.</summary>
    public IEnumerable<PlanRead> AllSlopes => Areas.Select(area => new PlanRead(Slopes(area.Spec.Name)));

    /// <summary>The presynaptic signals of all areas.</summary>
    public IEnumerable<PlanRead> AllSignals => Areas.Select(area => new PlanRead(Signals(area.Spec.Name)));

    private IEnumerable<PlanOperator> StepOperators()
    {
        string[] rates = [.. Areas.Select(area => Rates(area.Spec.Name))], outputs = [.. Readouts.Select(readout => Outputs(readout.Spec.Name))];
        if (Loop is not null)
            yield return new(PlanStage.Forward, "closed loop's inputs", [.. rates.Concat(outputs).Select(buffer => new PlanRead(buffer, 1))], [Inputs, Events]);
        foreach (AreaState<T> area in Areas)
        {
            string name = area.Spec.Name;
            foreach (PlanOperator one in Arriving(name, area.Afferents))
                yield return one;
            if (Graph.Perturbations.Any(one => one is UnitPerturbation units && units.Area.Index == area.Index))
                yield return new(PlanStage.Forward, $"perturbed currents of {name}", [new(Currents(name)), new(Events)], [Currents(name)]);
            yield return new(
                PlanStage.Forward, $"units of {name}", [new(Currents(name)), new(TimeConstants(name)), new(Rates(name), 1)], [Rates(name), Slopes(name)]);
        }

        foreach (ReadoutState<T> readout in Readouts)
        {
            string name = readout.Spec.Name;
            foreach (PlanOperator one in Arriving(name, readout.Afferents))
                yield return one;
            yield return new(PlanStage.Forward, $"outputs of {name}", [new(Currents(name))], [Outputs(name)]);
        }

        if (Loop is not null)
            yield return new(PlanStage.Forward, "closed loop's targets", [.. rates.Concat(outputs).Select(buffer => new PlanRead(buffer))], [Targets, BufferNames.Rewards]);
        foreach (ReadoutState<T> readout in Readouts)
            yield return new(PlanStage.Forward, $"errors of {readout.Spec.Name}", [new(Outputs(readout.Spec.Name)), new(Targets)], [Errors(readout.Spec.Name)]);
    }

    /// <summary>Signals and currents of a target.</summary>
    private IEnumerable<PlanOperator> Arriving(string target, Afferents<T> afferents, bool sparseToo = true)
    {
        PlanRead[] sources = [.. afferents.Segments.Select(segment => segment.Source switch
        {
            { Kind: SignalKind.Area } source => new PlanRead(Rates(Graph.Areas[source.Index].Name), segment.Spec.Target.IsReadout ? 0 : source.Delay),
            { Kind: SignalKind.Readout } source => new PlanRead(Outputs(Graph.Readouts[source.Index].Name), source.Delay),
            { Kind: SignalKind.Input } => new PlanRead(Inputs),
            _ => new PlanRead("the constant 1"),
        }).Distinct()];
        if (Array.Exists(afferents.Segments, segment => segment.Spec.Gate.Kind == GateKind.Event || Scales(segment)))
            sources = [.. sources, new(Events)];
        yield return new(PlanStage.Forward, $"signals of {target}", sources, [Signals(target)]);
        foreach (bool isSparse in sparseToo ? new[] { false, true } : [false])
        {
            PlanRead[] weights = [.. afferents.Segments.Where(segment => segment.Sparse is not null == isSparse).Select(segment => new PlanRead(Weights(segment.Spec.Name)))];
            if (weights.Length > 0)
            {
                yield return new(PlanStage.Forward, $"{(isSparse ? "sparse" : "dense")} currents of {target}", [new(Signals(target)), .. weights], [Currents(target)])
                {
                    AddsDeferred = true,
                };
            }
        }
    }

    /// <summary>Whether the rates of a source area are the rows of presynaptic signals of a target, so that nothing is copied.</summary>
    private bool MayShare(string target, Afferents<T> afferents) =>
        Choose(Forms.SharedRows, $"signals of {target}", Array.Exists(afferents.Segments, Scales) ? "a perturbation scales it" : afferents.SharingObstacle);
}
