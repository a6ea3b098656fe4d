using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// Back-propagation through time: one backward pass over the whole trial when it has ended, then
/// dW = eta / T * sum over t of (z(t) alpha phi'(u(t))) s(t)', with z of <see cref="BackwardCredit{T}"/>.
/// </summary>
/// <remarks>
/// The exact gradient of the loss for every differentiable circuit. Time O(post * pre) a step, memory O(units) a step.
/// The path of a carried-over state into earlier trials is cut.
/// </remarks>
internal sealed class Bptt<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly BackwardCredit<T> _backward;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly (ReadoutState<T> Readout, Plastic<T> Plastic)[] _readouts;
    private readonly (AreaState<T> Area, PlasticTau<T> Plastic)[] _taus;
    private readonly (AreaState<T> Area, PlasticStart<T> Plastic)[] _starts;

    public Bptt(
        Network<T> network, ErrorPath path, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas,
        IReadOnlyList<(ReadoutState<T> Readout, Plastic<T> Plastic)> readouts, IReadOnlyList<PlasticTau<T>> taus,
        IReadOnlyList<(AreaState<T> Area, PlasticStart<T> Plastic)> starts)
    {
        _backward = new BackwardCredit<T>(network, path, network.MaxSteps);
        _areas = [.. areas];
        _readouts = [.. readouts];
        _taus = [.. taus.Select(tau => (network.Areas[tau.Area.Index], tau))];
        _starts = [.. starts];
    }

    public override BufferPurpose Purpose => BufferPurpose.Activity;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveTrial, "backward pass", _backward.Reads, ["credit"]),
        .. _areas.SelectMany(pair => Product(pair.Plastic, pair.Area.Spec.Name)),
        .. _readouts.SelectMany(pair => Product(pair.Plastic, pair.Readout.Spec.Name)),
        .. _taus.Select(tau => tau.Plastic.Operator([new("credit")])),
        .. _starts.Select(start => start.Plastic.Operator([new("credit")])),
    ];

    private static IEnumerable<PlanOperator> Product(Plastic<T> plastic, string target) =>
        plastic.Around(plastic.Update("product over the trial", new("credit"), new PlanRead(Signals(target))));

    public override void Visit(StateVisitor visitor)
    {
        foreach ((AreaState<T> area, PlasticTau<T> tau) in _taus)
            tau.Visit(visitor.Of("tau", area.Index));
    }

    public override bool HasOpenBatch => Array.Exists(_taus, tau => tau.Plastic.HasOpenBatch);

    public override void ApplyOpenBatch(int trial)
    {
        foreach ((_, PlasticTau<T> tau) in _taus)
            tau.ApplyOpenBatch(trial);
    }

    public override void Begin(int trial, int steps)
    {
        foreach ((_, PlasticTau<T> tau) in _taus)
            tau.BeginTrial(trial);
    }

    public override void ObserveTrial(int steps) => _backward.Look(first: 1, last: steps, firstError: 1);

    public override void ObserveTrials(ReadOnlySpan<Learner<T>> twins, ReadOnlySpan<int> steps, LanePanels<T> panels)
    {
        var lanes = new BackwardCredit<T>[twins.Length];
        for (int k = 0; k < lanes.Length; k++)
            lanes[k] = ((Bptt<T>)twins[k])._backward;
        BackwardCredit<T>.LookTogether(lanes, steps, panels);
    }

    public override void ApplyTrial(int steps)
    {
        foreach ((AreaState<T> area, PlasticTau<T> tau) in _taus)
        {
            for (int t = 1; t <= steps; t++)
                tau.AddStep(area, t, _backward.Credit(area, t), steps);
            tau.FinishTrial();
        }

        foreach ((AreaState<T> area, PlasticStart<T> plastic) in _starts)
        {
            plastic.Add(_backward.StartCredit(area), steps);
            plastic.FinishTrial();
        }

        foreach ((AreaState<T> area, Plastic<T> plastic) in _areas)
        {
            plastic.BeginIncrements(1);
            plastic.AddTrial(_backward.DeltaFrom(area, 1), area.Padded, area.Afferents.SignalsFrom(1), 1, steps);
            plastic.FinishTrial();
        }

        foreach ((ReadoutState<T> readout, Plastic<T> plastic) in _readouts)
        {
            int first = _backward.FirstOutput;
            plastic.BeginIncrements(1);
            plastic.AddTrial(_backward.OutputDeltaFrom(readout, first), readout.Padded, readout.Afferents.SignalsFrom(first), first, steps);
            plastic.FinishTrial();
        }
    }
}
