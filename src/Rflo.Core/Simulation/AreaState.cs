using System.Numerics;

namespace Rflo.Core;

/// <summary>The state of an area in a trial: its weights, its rates over the trial and the slopes that learning needs.</summary>
internal sealed partial class AreaState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedArray<T> _rates;
    private readonly AlignedArray<T> _states;
    private readonly AlignedArray<T>? _gain;
    private readonly AlignedArray<T> _post;
    private readonly AlignedArray<T> _jacobian;
    private readonly int _history;
    private readonly int _maxSteps;
    private readonly T[] _means;
    private readonly T[] _initialStates;
    private readonly bool[]? _startHeld;
    private AlignedArray<T>? _currents;
    private AlignedArray<T>? _noises;

    /// <param name="graph">The circuit.</param>
    /// <param name="index">Which area.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="original">The area whose weights and time constants it shares, in a parallel trial; null for those of its own.</param>
    public AreaState(Graph graph, int index, int maxSteps, AreaState<T>? original = null)
    {
        Spec = graph.Areas[index];
        Index = index;
        Units = Spec.Units;
        Padded = Simd.Padded<T>(Units);
        _history = graph.History;
        _maxSteps = maxSteps;
        Afferents = original is null ? new Afferents<T>(graph, isReadout: false, index, Units, maxSteps, history: 0) : new Afferents<T>(original.Afferents);
        Alpha = original?.Alpha ?? new AlignedArray<T>(Padded);
        Decay = original?.Decay ?? new AlignedArray<T>(Padded);
        if (original is null && !Storage.IsSketch)
            SetAlpha(Spec.Alpha);
        Current = new AlignedArray<T>(Padded);
        Noise = new AlignedArray<T>(Spec.Noise > 0 ? Padded : 0);
        _rates = new AlignedArray<T>(_history + maxSteps + 1, Padded);
        StateCount = Spec.StateCount;
        _initialStates = [.. Enumerable.Range(0, StateCount).Select(k => T.CreateTruncating(k == 0 ? 0 : Spec.Model!.InitialState(k)))];
        _gain = Spec.Dynamics == Dynamics.CurrentForm || HasModel ? new AlignedArray<T>(_history + maxSteps + 1, StateWidth) : null;
        _states = _gain is null ? _rates : new AlignedArray<T>(_history + maxSteps + 1, StateWidth);
        _post = new AlignedArray<T>(maxSteps + 1, StateWidth);
        _jacobian = new AlignedArray<T>(HasModel ? maxSteps + 1 : 0, StateCount * StateWidth);
        Start = original?.Start ?? [.. Spec.InitialRates];
        if (LearnsStart && graph.Perturbations.Count > 0)
            _startHeld = new bool[Units];
        _means = Storage.New<T>(Spec.Penalties.Any(penalty => penalty.OfTrialMean) ? Units : 0);
        if (!Storage.IsSketch)
            ResetRates();
    }

    public AreaSpec Spec { get; }

    public int Index { get; }

    public int Units { get; }

    /// <summary>Units rounded up to whole vectors: the length of every row of this area.</summary>
    public int Padded { get; }

    /// <summary>Units rounded up to whole blocks of four rows, as products take them; at most <see cref="Padded"/>.</summary>
    public int BlockRows => Afferents.BlockRows;

    public Afferents<T> Afferents { get; }

    /// <summary>The projections from the area to itself whose signals arrive one step later: those that the Jacobian of a single unit has.</summary>
    public IEnumerable<Segment> SelfConnections =>
        Afferents.Segments.Where(segment => segment.Source is { Kind: SignalKind.Area, Delay: 1 } source && source.Index == Index);

    /// <summary>dt / tau, shape (padded); 0 in the padding.</summary>
    public AlignedArray<T> Alpha { get; }

    /// <summary>1 - dt / tau, shape (padded); 0 in the padding.</summary>
    public AlignedArray<T> Decay { get; }

    public AlignedArray<T> Current { get; }

    public AlignedArray<T> Noise { get; }

    /// <summary>h(t), for t from 1 - delay to the end of the trial, where delay is the longest of the graph.</summary>
    public Span<T> Rates(int step) => _rates.Row(_history + step, Padded);

    /// <summary>All rates, in rows of <see cref="Padded"/>, and the row of t = 0.</summary>
    public (AlignedArray<T> Rows, int Start) RateRows => (_rates, _history);

    /// <summary>
    /// s(t), the state that the leak acts on: the rates themselves, or x(t) of the current form; of a unit model, shape
    /// (states, padded units). In the words of docs/model.md, s(t) = A s(t-1) + ..., with A = 1 - alpha.
    /// </summary>
    public Span<T> States(int step) => _states.Row(_history + step, StateWidth);

    /// <summary>Whether rates are a function of the state, instead of the state itself.</summary>
    public bool HasGain => _gain is not null;

    /// <summary>g(t) = dh(t) / ds(t), in the shape of the states: phi'(x(t)) of the current form. Only where there is a gain; elsewhere it is 1.</summary>
    public Span<T> Gain(int step) => _gain!.Row(_history + step, StateWidth);

    /// <summary>Carries what rates receive, dL/dh, to the states: g(t) times it. Does nothing where there is no gain.</summary>
    /// <param name="step">t.</param>
    /// <param name="signal">Of rates in its first part; that of states afterwards, in their shape.</param>
    public void ThroughGain(int step, Span<T> signal)
    {
        if (HasGain)
            ToStates(step, signal[..Padded], signal);
    }

    /// <summary>Makes rates and gains of a step from its states.</summary>
    public void Transmit(int step)
    {
        if (!HasGain)
            return;
        if (HasModel)
        {
            Send(step);
            return;
        }

        Span<T> rates = Rates(step), gain = Gain(step);
        Kernels.TransferSlope(Spec.Transfer, States(step), rates, gain);
        rates[Units..].Clear();
        gain[Units..].Clear();
    }

    /// <summary>
    /// c(t) = ds(t) / du(t), the postsynaptic factor of step t, in the shape of the states: alpha phi'(u(t)), or alpha in the current form.
    /// </summary>
    public Span<T> Post(int step) => _post.Row(step, StateWidth);

    /// <summary>The same from a step on, in rows of <see cref="StateWidth"/>.</summary>
    public Span<T> PostFrom(int step) => _post.From(step, StateWidth);

    /// <summary>u(t), where a rule reads it.</summary>
    public Span<T> Currents(int step) => _currents!.Row(step, Padded);

    /// <summary>The noise in units of <see cref="AreaSpec.NoiseUnit"/>, where a rule uses it.</summary>
    public Span<T> Noises(int step) => _noises!.Row(step, Padded);

    /// <summary>The mean of the rates over the trial that has ended, where a penalty uses it; shape (units).</summary>
    public ReadOnlySpan<T> MeanRates => _means;

    /// <summary>After the last step: takes that mean.</summary>
    public void TakeMeans(int steps)
    {
        if (_means.Length == 0)
            return;
        _means.AsSpan().Clear();
        for (int t = 1; t <= steps; t++)
            System.Numerics.Tensors.TensorPrimitives.Add<T>(_means, Rates(t)[..Units], _means);
        System.Numerics.Tensors.TensorPrimitives.Divide<T>(_means, T.CreateTruncating(steps), _means);
    }

    /// <summary>The cost of its rates by a penalty in the last trial: the mean over steps of the sum over units, or the cost of the means.</summary>
    public double CostOf(RatePenalty penalty, int steps)
    {
        double sum = 0;
        for (int t = 1; t <= (penalty.OfTrialMean ? 1 : steps); t++)
            foreach (T rate in penalty.OfTrialMean ? MeanRates : Rates(t)[..Units])
                sum += penalty.Value(double.CreateTruncating(rate));
        return penalty.OfTrialMean ? sum : sum / steps;
    }

    /// <summary>Which units may win in the current step, where the task observes a winner-take-all area; null where all may.</summary>
    public bool[]? Allowed { get; set; }

    /// <summary>Allocates the currents of a whole trial.</summary>
    public void KeepCurrents() => _currents ??= new AlignedArray<T>(_maxSteps + 1, Padded);

    /// <summary>Allocates the noise of a whole trial.</summary>
    public void KeepNoises() => _noises ??= new AlignedArray<T>(_maxSteps + 1, Padded);

    /// <summary>Stores the currents and the noise of the current step, where a rule reads them.</summary>
    public void Keep(int step)
    {
        if (_currents is { } currents)
            Current.Span.CopyTo(currents.Row(step, Padded));
        if (_noises is { } noises)
            System.Numerics.Tensors.TensorPrimitives.Divide(Noise.Span, T.CreateTruncating(Spec.NoiseUnit > 0 ? Spec.NoiseUnit : Spec.Noise), noises.Row(step, Padded));
    }

    /// <summary>The first state variable of each unit before step 1: h(0), or x(0) of the current form; shape (units). In double precision, as it is declared.</summary>
    public double[] Start { get; }

    /// <summary>Whether it learns.</summary>
    public bool LearnsStart => Spec.InitialPlasticity is { LearningRate: > 0 };

    /// <summary>Whether its first states may differ from those that it was declared with.</summary>
    public bool KeepsLearnedStart => Spec.InitialPlasticity is not null;

    /// <summary>Whether a unit's rates before step 1 are held by a perturbation in the current trial, whatever its state.</summary>
    public bool IsStartHeld(int unit) => _startHeld is { } held && held[unit];

    /// <summary>Before a trial: no initial rate is held.</summary>
    public void FreeStart()
    {
        if (_startHeld is { } held)
            Array.Clear(held);
    }

    /// <summary>Rates before the first step, and further back for delayed projections: all equal to h(0).</summary>
    public void ResetRates()
    {
        for (int t = -_history; t <= 0; t++)
        {
            Span<T> row = States(t);
            row.Clear();
            for (int i = 0; i < Units; i++)
                row[i] = T.CreateTruncating(Start[i]);
            BeginStates(row);
            Transmit(t);
        }
    }

    /// <summary>The last rates of a trial become the first of the next.</summary>
    public void CarryOver(int steps)
    {
        for (int t = -_history; t <= 0; t++)
        {
            States(steps + t).CopyTo(States(t));
            Transmit(t);
        }
    }

    /// <summary>Begins the next trial where another network of the same circuit begins its own.</summary>
    /// <param name="other">The same area there.</param>
    public void BeginAs(AreaState<T> other)
    {
        for (int t = -_history; t <= 0; t++)
        {
            other.States(t).CopyTo(States(t));
            Transmit(t);
        }
    }

    /// <summary>Numbers of the activity of a trial: what a network that runs beside another allocates for this area, but for what only rules read.</summary>
    public long NumbersOfTrial =>
        _rates.Length + (HasGain ? _states.Length + _gain!.Length : 0) + _post.Length + _jacobian.Length + (_decays?.Length ?? 0)
        + Current.Length + Noise.Length + Afferents.NumbersOfTrial;

    /// <summary>h(0) plus a draw of its own, the same for all times before step 1.</summary>
    public void RandomiseRates(RandomStream stream)
    {
        Span<T> start = States(0);
        for (int i = 0; i < Units; i++)
            start[i] = T.CreateTruncating(Start[i] + Spec.InitialSpread * stream.Gaussian());
        BeginStates(start);
        Transmit(0);
        for (int t = -_history; t < 0; t++)
        {
            start.CopyTo(States(t));
            Transmit(t);
        }
    }

    /// <summary>
    /// Saves or restores the time constants, which may have been learned or set, and the rates with which the next trial begins,
    /// where they are those of the last. A copy within the process leaves the rates: a trial does not write where it begins.
    /// </summary>
    public void Visit(StateVisitor visitor)
    {
        visitor.Visit("alpha", Alpha.Span[..Units]);
        if (visitor.Restores)
            UpdateDecay();
        VisitStart(visitor);
        VisitRates(visitor);
    }

    /// <summary>The part of <see cref="Visit"/> that each of several lanes has of its own: the rates with which its next trial begins.</summary>
    public void VisitRates(StateVisitor visitor)
    {
        if (Spec.InitialPolicy != InitialPolicy.CarriedOver || visitor.IsLocal)
            return;
        for (int t = -_history; t <= 0; t++)
        {
            visitor.Visit("rates", States(t)[..Units], -t);
            for (int k = 1; k < StateCount; k++)
                visitor.Visit($"state {k}", States(t).Slice(k * Padded, Units), -t);
            if (visitor.Restores)
                Transmit(t);
        }
    }

    /// <summary>Saves or restores the first states, where they learn.</summary>
    public void VisitStart(StateVisitor visitor)
    {
        if (KeepsLearnedStart)
            visitor.Visit<double>("start", Start);
    }

    /// <summary>Sets every unit's dt / tau.</summary>
    public void SetAlpha(ReadOnlySpan<double> alpha)
    {
        for (int i = 0; i < Units; i++)
            Alpha.Span[i] = T.CreateTruncating(alpha[i]);
        UpdateDecay();
    }

    private void UpdateDecay()
    {
        for (int i = 0; i < Units; i++)
            Decay.Span[i] = T.One - Alpha.Span[i];
    }
}
