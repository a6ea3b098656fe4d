using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>
/// A graph in a run: the state of all areas and readouts over one trial. It has the equations of a circuit, without
/// learning.
/// </summary>
/// <remarks>
/// In step t, for each area: u(t) = sum over projections of g(t) W s(t) + noise, h(t) = (1 - alpha) h(t-1) + alpha phi(u(t));
/// then for each readout: y(t) from W h(t), and its error. Murray (2019), Eqs 1 and 2.
/// </remarks>
internal sealed partial class Network<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedArray<T> _inputs;
    private readonly int[] _firstChannel;
    private readonly double[] _stepLosses;
    private readonly RandomStream?[] _noise;
    private readonly RandomStream?[] _exploration;
    private readonly Forms _forms;
    private readonly PerturbationState<T>? _perturbed;
    private bool _answersAtEnd;

    /// <param name="graph">The circuit.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="events">Kinds of events of the task.</param>
    /// <param name="seed">Seed of every random stream.</param>
    /// <param name="forms">Which forms of a calculation may be chosen.</param>
    /// <param name="original">The network whose weights and time constants it shares, in a parallel trial; null for those of its own.</param>
    /// <param name="conditions">Conditions of the task.</param>
    public Network(Graph graph, int maxSteps, int events, long seed, Forms forms = Forms.All, Network<T>? original = null, int conditions = 0)
    {
        _forms = forms;
        Graph = graph;
        MaxSteps = maxSteps;
        Seed = seed;
        Areas = [.. Enumerable.Range(0, graph.Areas.Count).Select(k => new AreaState<T>(graph, k, maxSteps, original?.Areas[k]))];
        int output = 0;
        Readouts = new ReadoutState<T>[graph.Readouts.Count];
        for (int k = 0; k < Readouts.Length; k++)
        {
            Readouts[k] = new ReadoutState<T>(graph, k, output, maxSteps, original?.Readouts[k]);
            output += Readouts[k].Outputs;
        }

        foreach (AreaState<T> area in Areas)
            if (PerturbationState<T>.CutsStates(graph, area.Index))
                area.KeepDecays();
        foreach (AreaState<T> area in Areas)
            area.Afferents.Connect(Areas, MayShare(area.Spec.Name, area.Afferents));
        foreach (ReadoutState<T> readout in Readouts)
            readout.Afferents.Connect(Areas, MayShare(readout.Spec.Name, readout.Afferents));
        _firstChannel = new int[graph.Inputs.Count];
        for (int k = 1; k < _firstChannel.Length; k++)
            _firstChannel[k] = _firstChannel[k - 1] + graph.Inputs[k - 1].Channels;
        _inputs = new AlignedArray<T>(maxSteps, graph.InputChannels);
        _stepLosses = Storage.New<double>(maxSteps + 1L);
        _noise = new RandomStream?[Areas.Length];
        _exploration = new RandomStream?[Areas.Length];
        Trial = new Trial(maxSteps, graph.InputChannels, graph.Outputs, events, conditions);
        _perturbed = graph.Perturbations.Count > 0 ? new PerturbationState<T>(this) : null;
    }

    /// <summary>The same circuit in a trial that runs beside this one: the same weights and time constants, activity of its own.</summary>
    public Network<T> Beside() => new(Graph, MaxSteps, Trial.EventKinds, Seed, _forms, this, Trial.Conditions.Length) { Lanes = Lanes };

    /// <summary>Bytes of <see cref="Beside"/>: activity over the longest trial, and that trial's inputs, targets, masks, rewards and events.</summary>
    public long BytesBeside =>
        Unsafe.SizeOf<T>() * (_inputs.Length + Areas.Sum(area => area.NumbersOfTrial) + Readouts.Sum(readout => readout.NumbersOfTrial))
        + sizeof(double) * new Array[] { Trial.Inputs, Trial.Targets, Trial.Mask, Trial.Rewards, _stepLosses }.Sum(Storage.LengthOf)
        + Storage.LengthOf(Trial.Events);

    /// <summary>The trials that share every update.</summary>
    public TrialLanes Lanes { get; init; } = TrialLanes.One;

    public Graph Graph { get; }

    public int MaxSteps { get; }

    /// <summary>Seed of every random stream of the run.</summary>
    public long Seed { get; }

    public AreaState<T>[] Areas { get; }

    public ReadoutState<T>[] Readouts { get; }

    /// <summary>The closed loop with the task; null for other tasks.</summary>
    public ClosedLoop<T>? Loop
    {
        get;
        set
        {
            field = value;
            (_operators, _outputsMayWait) = (null, null);
        }
    }

    /// <summary>Inputs, targets, mask, rewards and events of this trial.</summary>
    public Trial Trial { get; }

    /// <summary>Sum over the trial's steps of half the squared errors, or of the cross-entropies; L is this over T.</summary>
    public double LossSum { get; private set; }

    /// <summary>The step that is computed, or was computed last; 0 before the first of a trial.</summary>
    public int StepInHand { get; private set; }

    /// <summary>A step's share of <see cref="LossSum"/>.</summary>
    public double StepLoss(int step) => _stepLosses[step];

    /// <summary>Prepares a trial whose inputs and targets are already in <see cref="Trial"/>.</summary>
    /// <param name="number">Number of the trial: its noise is drawn from streams of this number.</param>
    /// <param name="previousSteps">Steps of the trial before, whose last rates may be carried over; 0 for none.</param>
    /// <param name="errorsInSteps">Whether a learner reads the errors of a step before the next step; if not, <see cref="End"/> computes them.</param>
    /// <param name="test">The options of a test trial; null for a trial of the training.</param>
    public void Begin(long number, int previousSteps, bool errorsInSteps = true, TestOptions? test = null)
    {
        test ??= TestOptions.AsTrained;
        long trial = number;
        number = test.StreamOf(number);
        _perturbed?.Begin(trial, number, test.Perturbed);
        _answersAtEnd = (_forms & Forms.AnswersAtEnd) != 0 && !errorsInSteps && OutputsMayWait;
        LossSum = 0;
        StepInHand = 0;
        TakeInputs(0, Trial.Steps);
        foreach (AreaState<T> area in Areas)
        {
            area.Afferents.DenseAhead = area.Afferents.SparseAhead = 0;
            area.Afferents.Pending = null;
            area.Afferents.Beside = null;
            BeginArea(area, number, previousSteps);
            _perturbed?.BeginArea(area);
            _noise[area.Index] = test.Noise && area.Spec.Noise > 0 ? RandomStream.OfTrial(Seed, "noise " + area.Spec.Name, number) : null;
            _exploration[area.Index] = test.Exploration && area.Spec.Explore > 0 ? RandomStream.OfTrial(Seed, "exploration " + area.Spec.Name, number) : null;
        }

        foreach (ReadoutState<T> readout in Readouts)
            if (readout.IsFedBack || Loop is not null)
                for (int t = 1 - Graph.MaxDelay; t <= 0; t++)
                    ComputeOutput(readout, t);
            else if (readout.KeepsStart)
                ComputeOutput(readout, 0);
    }

    /// <summary>One step of the whole circuit.</summary>
    public void Step(int step)
    {
        StepInHand = step;
        if (Loop is { } before)
        {
            before.Before(step);
            TakeInputs(step - 1, 1);
        }

        _perturbed?.BeginStep(step);
        foreach (AreaState<T> area in Areas)
        {
            bool open = Gather(area.Afferents, step);
            if (area.Spec.Dynamics == Dynamics.WinnerTakeAll)
                UpdateWinnerTakeAll(area, step, open);
            else
                UpdateLeakyUnits(area, step);
            _perturbed?.Act(area, step);
        }

        if (_answersAtEnd)
            return;
        foreach (ReadoutState<T> readout in Readouts)
            ComputeOutput(readout, step);
        Loop?.After(step);
        ComputeErrorsAndLoss(step);
    }

    /// <summary>After the last step: computes the outputs of the whole trial where no step needed them.</summary>
    public void End()
    {
        foreach (AreaState<T> area in Areas)
            area.TakeMeans(Trial.Steps);
        if (!_answersAtEnd)
            return;
        foreach (ReadoutState<T> readout in Readouts)
            if (readout.HasOneProduct)
                readout.ComputeAllOutputs(Trial.Steps);
        for (int t = 1; t <= Trial.Steps; t++)
        {
            foreach (ReadoutState<T> readout in Readouts)
                if (!readout.HasOneProduct)
                    ComputeOutput(readout, t);
            ComputeErrorsAndLoss(t);
        }
    }

    private void ComputeErrorsAndLoss(int step)
    {
        double loss = 0;
        int row = (step - 1) * Graph.Outputs;
        foreach (ReadoutState<T> readout in Readouts)
        {
            loss += readout.ComputeErrorsAndLoss(
                step, Trial.Targets.AsSpan(row, Graph.Outputs), Trial.Mask.AsSpan(row, Graph.Outputs));
        }

        _stepLosses[step] = loss;
        LossSum += loss;
    }

    /// <summary>Whether a gate is open in a step of this trial.</summary>
    public bool IsOpen(Gate gate, int step) => gate.Kind switch
    {
        GateKind.Every => step % gate.Number == 0,
        GateKind.TrialEnd => step == Trial.Steps,
        GateKind.Event => Trial.Events[(step - 1) * Trial.EventKinds + gate.Number],
        _ => true,
    };

    /// <summary>The factor of a projection's signals in a step: 0 where its gate is shut; 1, or the factor of perturbations, where it is open.</summary>
    public T FactorOf(Segment segment, int step)
    {
        if (step >= 1 && !IsOpen(segment.Spec.Gate, step))
            return T.Zero;
        return _perturbed is null ? T.One : _perturbed.Factor(segment.Projection, step);
    }

    /// <summary>Whether a perturbation scales a projection in any trial.</summary>
    public bool Scales(Segment segment) => Graph.Perturbations.Any(one => one is ScaleProjection scale && scale.Projection.Index == segment.Projection);

    /// <summary>Converts the trial's inputs of so many steps to the number type of this network.</summary>
    private void TakeInputs(int first, int steps)
    {
        Span<T> inputs = _inputs.Span;
        int end = (first + steps) * Graph.InputChannels;
        for (int k = first * Graph.InputChannels; k < end; k++)
            inputs[k] = T.CreateTruncating(Trial.Inputs[k]);
    }

    private void BeginArea(AreaState<T> area, long number, int previousSteps)
    {
        switch (area.Spec.InitialPolicy)
        {
            case InitialPolicy.CarriedOver when previousSteps > 0:
                area.CarryOver(previousSteps);
                break;
            case InitialPolicy.CarriedOver:
                break;
            case InitialPolicy.Random:
                area.RandomiseRates(RandomStream.OfTrial(Seed, "initial state " + area.Spec.Name, number));
                break;
            default:
                area.ResetRates();
                break;
        }
    }

    /// <summary>
    /// Gathers the presynaptic signals of an area's next step, after the step before it: every delay is at least one step. It is
    /// not called in a closed loop, whose task writes inputs later. Returns false beyond the trial.
    /// </summary>
    public bool GatherAhead(AreaState<T> area, int step)
    {
        if (step > Trial.Steps)
            return false;
        Gather(area.Afferents, step);
        return true;
    }

    /// <summary>Fills the wide row of a target's presynaptic signals. Returns whether any gate was open.</summary>
    private bool Gather(Afferents<T> afferents, int step)
    {
        if (afferents.IsShared)
            return true;
        Span<T> row = afferents.Signals(step);
        bool any = false;
        foreach (Segment segment in afferents.Segments)
        {
            Span<T> signals = row.Slice(segment.Offset, segment.Width);
            T factor = FactorOf(segment, step);
            any |= factor != T.Zero;
            if (factor == T.Zero)
            {
                signals.Clear();
                continue;
            }

            ReadSource(segment, step, signals);
            if (factor != T.One)
                TensorPrimitives.Multiply(signals, factor, signals);
        }

        return any;
    }

    private void ReadSource(Segment segment, int step, Span<T> signals)
    {
        Source source = segment.Source;
        ReadOnlySpan<T> from;
        switch (source.Kind)
        {
            case SignalKind.Area:
                from = Areas[source.Index].Rates(step - (segment.Spec.Target.IsReadout ? 0 : source.Delay));
                break;
            case SignalKind.Readout:
                from = Readouts[source.Index].Output(step - source.Delay);
                break;
            case SignalKind.Input:
                from = _inputs.Span.Slice((step - 1) * Graph.InputChannels + _firstChannel[source.Index]);
                break;
            default:
                signals.Fill(T.One);
                return;
        }

        segment.Take(from, signals);
    }

    private void UpdateLeakyUnits(AreaState<T> area, int step)
    {
        Span<T> current = area.Current.Span, post = area.Post(step);
        area.Afferents.Currents(step, current);
        AddNoise(area);
        _perturbed?.AddCurrents(area);
        area.Keep(step);
        area.BeginDecay(step);
        if (area.HasModel)
        {
            area.Advance(step);
            return;
        }

        if (area.HasGain)
        {
            post.Fill(T.One);
            Kernels.LeakyStep(area.Alpha.Span, current, post, area.States(step - 1), area.States(step));
            area.Transmit(step);
            return;
        }

        if (area.Spec.Transfer == Transfer.Tanh)
        {
            Kernels.LeakyTanh(area.Alpha.Span, current, area.Rates(step - 1), post, area.Rates(step));
            return;
        }

        Kernels.TransferSlope(area.Spec.Transfer, current, current, post);
        Kernels.LeakyStep(area.Alpha.Span, current, post, area.Rates(step - 1), area.Rates(step));
    }

    private void AddNoise(AreaState<T> area)
    {
        if (_noise[area.Index] is not { } stream)
            return;
        Span<T> noise = area.Noise.Span[..area.Units], current = area.Current.Span;
        stream.FillGaussian(noise, area.Spec.Noise);
        for (int i = 0; i < noise.Length; i++)
            current[i] += noise[i];
    }

    /// <summary>
    /// The unit with the largest current wins, among those that the task allows; ties go to the first. Where none is
    /// allowed, the choice before is held. A current that is not finite makes all rates NaN for the rest of the trial: a
    /// choice would hide the divergence.
    /// </summary>
    private void UpdateWinnerTakeAll(AreaState<T> area, int step, bool open)
    {
        Span<T> rates = area.Rates(step);
        area.Post(step).Clear();
        Span<T> current = area.Current.Span;
        if (!open)
        {
            // There is no current, hence no noise.
            current.Clear();
            area.Noise.Span.Clear();
            area.Keep(step);
            area.Rates(step - 1).CopyTo(rates);
            return;
        }

        area.Afferents.Currents(step, current);
        AddNoise(area);
        _perturbed?.AddCurrents(area);
        area.Keep(step);
        if (!T.IsFinite(area.Rates(step - 1)[0]) || !T.IsFinite(TensorPrimitives.MaxMagnitude<T>(current[..area.Units])))
        {
            rates[..area.Units].Fill(T.NaN);
            return;
        }

        bool[]? allowed = _perturbed is null ? area.Allowed : _perturbed.Allowed(area, area.Allowed);
        int winner = Largest(current[..area.Units], allowed);
        if (winner < 0)
        {
            area.Rates(step - 1).CopyTo(rates);
            return;
        }

        if (_exploration[area.Index] is { } exploration && exploration.Chance(area.Spec.Explore))
            winner = Any(exploration, area.Units, allowed);
        rates.Clear();
        rates[winner] = T.One;
    }

    private static int Largest(ReadOnlySpan<T> current, bool[]? allowed)
    {
        int winner = -1;
        for (int i = 0; i < current.Length; i++)
            if ((allowed is null || allowed[i]) && (winner < 0 || current[i] > current[winner]))
                winner = i;
        return winner;
    }

    /// <summary>One of the allowed units, each as likely as another.</summary>
    private static int Any(RandomStream stream, int units, bool[]? allowed)
    {
        if (allowed is null)
            return stream.Between(0, units);
        int left = stream.Between(0, allowed.AsSpan().Count(true));
        int unit = -1;
        while (left >= 0)
            if (allowed[++unit])
                left--;
        return unit;
    }

    private void ComputeOutput(ReadoutState<T> readout, int step)
    {
        Gather(readout.Afferents, step);
        readout.Afferents.Currents(step, readout.Sums.Span);
        readout.ComputeOutput(step);
    }
}
