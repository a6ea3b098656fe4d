using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>A session in one precision.</summary>
internal sealed class Session<T> : Session
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly LearnerSet<T> _learners;
    private readonly (Afferents<T> Afferents, Segment Segment)[] _blocks;
    private readonly Alignment<T>[] _alignments;
    private readonly RandomStream _taskStream;
    private readonly IProgressTask? _progress;
    private BestWeights<T>? _best;
    private ProbeSet<T> _probes = new();
    private int _previousSteps;

    public Session(Graph graph, ITask task, long seed, Precision precision)
        : base(graph, task, seed, precision)
    {
        _taskStream = RandomStream.OfTrial(seed, "task", 0);
        _network = new Network<T>(graph, task.MaxSteps, task.Events, seed);
        _progress = task as IProgressTask;
        if (task is IClosedLoopTask closed)
            _network.Loop = new ClosedLoop<T>(closed, _network, _taskStream);
        _learners = Learners.ForTraining(_network);
        _blocks = new (Afferents<T>, Segment)[graph.Projections.Count];
        foreach (Afferents<T> afferents in _network.Areas.Select(area => area.Afferents).Concat(_network.Readouts.Select(readout => readout.Afferents)))
            foreach (Segment segment in afferents.Segments)
                _blocks[segment.Projection] = (afferents, segment);
        _alignments = [.. graph.Feedbacks.Select(feedback => new Alignment<T>(_network, feedback))];
        Metrics = new Metrics(graph.Feedbacks.Count);
    }

    public override int TrialsDone => Metrics.Count;

    public override Metrics Metrics { get; }

    public override RunStatus Run(int trials, Action<int, double>? onTrial = null, CancellationToken cancellation = default)
    {
        // A run that was taken up after its last trial ends there once more.
        if (Stopping.Reason(Metrics) is { } already)
            return new RunStatus(RunEnd.Stopped, TrialsDone - 1, 0, already);
        Metrics.Reserve(trials);
        for (int k = 0; k < trials; k++)
        {
            if (cancellation.IsCancellationRequested)
                return new RunStatus(RunEnd.Cancelled, TrialsDone - 1, 0, "");
            int trial = TrialsDone;
            long start = Stopwatch.GetTimestamp();
            double loss;
            try
            {
                Show(trial);
                start += Observe(trial);
                loss = Train(trial, start);
            }
            catch (TaskException e)
            {
                ForgetTrial(e.Step);
                return new RunStatus(RunEnd.Failed, trial, e.Step, e.Message);
            }

            _probes.Read(trial);
            onTrial?.Invoke(trial, loss);
            if (!double.IsFinite(loss))
                return Finiteness.Locate(_network, trial, _previousSteps);
            if (Stopping.Reason(Metrics) is { } enough)
                return new RunStatus(RunEnd.Stopped, trial, 0, enough);
        }

        return Finiteness.OfWeights(_network, TrialsDone - 1, _previousSteps)
            ?? new RunStatus(RunEnd.Completed, TrialsDone - 1, 0, "");
    }

    public override IReadOnlyDictionary<string, double[]> Capture()
    {
        var state = new Dictionary<string, double[]>();
        HoldRates();
        Visit(new StateWriter("", state));
        return state;
    }

    public override void Restore(IReadOnlyDictionary<string, double[]> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        StateShape.Check(Capture(), state);
        Visit(new StateCounts("", state));
        Visit(new StateReader("", state));
    }

    public override void Watch(IReadOnlyList<ProbeSpec> probes)
    {
        ArgumentNullException.ThrowIfNull(probes);
        Block<T>[] blocks = [.. _blocks.Select(block => new Block<T>(block.Afferents, block.Segment, Graph.Postsynaptic(block.Segment.Spec)))];
        var builder = new ProbeSetBuilder<T>(
            _network, blocks, area => Rates(area, _previousSteps), trial => new Observation(trial, Record(Metrics.Losses[^1]), Weights));
        _probes = builder.Build(probes);
        Metrics.Probes = _probes.Series;
    }

    public override Recording Test(int trial)
    {
        Carried carried = SaveState();
        try
        {
            Show(trial);
            return Record(Forward(trial, LearnerSet<T>.None));
        }
        finally
        {
            RestoreState(carried);
        }
    }

    public override IReadOnlyList<double[]?> Increments(int trial, LearningRule rule, UpdateTime time)
    {
        ArgumentNullException.ThrowIfNull(rule);
        Carried carried = SaveState();
        LearnerSet<T> passive = Learners.Passive(_network, rule, time, out (Plastic<T> Plastic, Segment Segment)?[] collected);
        try
        {
            Show(trial);
            Forward(trial, passive);
            passive.End(_previousSteps);
        }
        finally
        {
            RestoreState(carried);
        }

        return [.. collected.Select(block => block is { } found ? ReadBlock(found.Plastic.Afferents, found.Segment, found.Plastic.Collected!) : null)];
    }

    public override double[] Weights(ProjectionId projection)
    {
        (Afferents<T> afferents, Segment segment) = Block(projection);
        return ReadBlock(afferents, segment, afferents.Weights);
    }

    public override double[] TimeConstants(AreaId area) => Steps(Area(area).Alpha)[..Area(area).Units];

    public override void SetTimeConstants(AreaId area, double[] steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        AreaState<T> state = Area(area);
        if (steps.Length != state.Units)
            ThrowHelper.ShapeMismatch(nameof(steps), steps.Length, state.Units, "(units)");
        foreach (double tau in steps)
            if (!(tau >= 1) || !double.IsFinite(tau))
                ThrowHelper.OutOfRange(nameof(steps), tau, "finite and at least 1: tau must be at least dt");
        state.SetAlpha(Array.ConvertAll(steps, tau => 1 / tau));
    }

    public override double[] BestTimeConstants(AreaId area)
    {
        AreaState<T> state = Area(area);
        return Steps(Best.AlphaOf(state))[..state.Units];
    }

    public override void KeepBest() => _best ??= new BestWeights<T>(_network);

    public override double[] BestWeights(ProjectionId projection)
    {
        (Afferents<T> afferents, Segment segment) = Block(projection);
        return ReadBlock(afferents, segment, Best.Of(afferents));
    }

    public override void SetWeights(ProjectionId projection, double[] weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (Afferents<T> afferents, Segment segment) = Block(projection);
        int expected = segment.Spec.Synapses is SparseSynapses sparse ? sparse.Count : ((DenseSynapses)segment.Spec.Synapses).Weights.Length;
        if (weights.Length != expected)
            ThrowHelper.ShapeMismatch(nameof(weights), weights.Length, expected, segment.Spec.Name);
        afferents.Load(segment, segment.Spec.Synapses is SparseSynapses pattern
            ? Synapses.Sparse(pattern.RowStart, pattern.Columns, weights)
            : Synapses.Dense(weights));
    }

    public override double Alignment(int feedback) => _alignments[feedback].Now();

    private BestWeights<T> Best =>
        _best ?? throw new InvalidOperationException("The best weights were not kept: ask for them before the first trial.");

    private AreaState<T> Area(AreaId area)
    {
        if (area.Index < 0 || area.Index >= _network.Areas.Length)
            ThrowHelper.Unknown(nameof(area), area.Index, _network.Areas.Length);
        return _network.Areas[area.Index];
    }

    private static double[] Steps(AlignedArray<T> alpha) => Array.ConvertAll(alpha.Span.ToArray(), one => 1 / double.CreateTruncating(one));

    private (Afferents<T> Afferents, Segment Segment) Block(ProjectionId projection)
    {
        if (projection.Index < 0 || projection.Index >= _blocks.Length)
            ThrowHelper.Unknown(nameof(projection), projection.Index, _blocks.Length);
        return _blocks[projection.Index];
    }

    private double[] ReadBlock(Afferents<T> afferents, Segment segment, WeightStore<T> store) =>
        afferents.Read(segment, store, Graph.Postsynaptic(segment.Spec));

    /// <summary>One trial with learning on; its loss.</summary>
    private double Train(int trial, long start)
    {
        _best?.SetAside();
        double loss = Forward(trial, _learners);
        _learners.End(_previousSteps);
        double reward = TensorPrimitives.Sum<double>(_network.Trial.Rewards.AsSpan(0, _previousSteps));
        Tell(trial, loss, reward);
        Metrics.Add(loss, Stopwatch.GetElapsedTime(start).TotalSeconds, reward);
        if (Metrics.BestTrial == trial)
            _best?.Keep();
        for (int k = 0; k < _alignments.Length; k++)
            Metrics.SetAlignment(k, _alignments[k].Now());
        return loss;
    }

    /// <summary>
    /// Lets the rules that probes asked for watch the trial that was made, at the weights with which it begins; then all is
    /// as it was. The ticks that it took, which are not the trial's.
    /// </summary>
    private long Observe(int trial)
    {
        IReadOnlyList<PassiveUpdate<T>> passive = _probes.Passive(trial);
        if (passive.Count == 0)
            return 0;
        long start = Stopwatch.GetTimestamp();
        Carried carried = SaveState();
        var learners = LearnerSet<T>.Together(passive.Select(update => update.Learners));
        foreach (PassiveUpdate<T> update in passive)
            update.Begin(_learners);
        try
        {
            Forward(trial, learners);
            learners.End(_previousSteps);
        }
        catch (TaskException)
        {
            // The training meets it in the same step, and says so.
        }
        finally
        {
            RestoreState(carried);
        }

        if (_network.Loop is { } loop)
        {
            loop.Rewind();
            Show(trial);
        }

        return Stopwatch.GetTimestamp() - start;
    }

    /// <summary>Lets the task make a trial.</summary>
    /// <exception cref="TaskException">Its code threw.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "A task is somebody else's code and may throw anything.")]
    private void Show(int trial)
    {
        _network.Loop?.Begin(trial);
        _taskStream.BeginTrial(Seed, "task", trial);
        try
        {
            Task.Fill(trial, _taskStream, _network.Trial);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new TaskException(0, e);
        }
    }

    /// <summary>Lets a task that changes with what is learned hear of a trained trial.</summary>
    /// <exception cref="TaskException">Its code threw.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "A task is somebody else's code and may throw anything.")]
    private void Tell(int trial, double loss, double reward)
    {
        if (_progress is null)
            return;
        try
        {
            _progress.Learned(trial, loss, reward);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new TaskException(_previousSteps, e);
        }
    }

    /// <summary>
    /// Goes back to before a trial that the task could not make. If it ended in its midst, the rates that it began with are
    /// still in their place, and what rules changed step by step stays changed.
    /// </summary>
    private void ForgetTrial(int step)
    {
        _network.Loop?.Rewind();
        if (step > 0)
            _previousSteps = 0;
    }

    private double Forward(int trial, LearnerSet<T> learners)
    {
        _network.Begin(trial, _previousSteps, learners.ActInSteps);
        int steps = _network.Trial.Steps;
        learners.Begin(trial, steps);
        for (int t = 1; t <= steps; t++)
            Step(t, learners);
        _network.End();
        _previousSteps = steps;
        return _network.LossSum / steps;
    }

    /// <summary>A method of its own, so that the JIT optimises it whole instead of replacing a loop on the stack.</summary>
    private void Step(int step, LearnerSet<T> learners)
    {
        _network.Step(step);
        learners.Step(step);
    }

    /// <summary>All that one trial hands to the next.</summary>
    private void Visit(StateVisitor visitor)
    {
        Metrics.Visit(visitor.Of("metrics"));
        foreach (AreaState<T> area in _network.Areas)
        {
            area.Visit(visitor.Of($"area{area.Index}"));
            area.Afferents.Visit(visitor.Of("weights"), area.Afferents.Weights, area.Afferents.Segments);
        }

        foreach (ReadoutState<T> readout in _network.Readouts)
            readout.Afferents.Visit(visitor.Of("weights"), readout.Afferents.Weights, readout.Afferents.Segments);
        _learners.Visit(visitor);
        _best?.Visit(visitor.Of("best"));
        _network.Loop?.Visit(visitor.Of("task"));
        if (_progress is { ProgressLength: > 0 })
            Visit(_progress, visitor.Of("task"));
        _probes.Visit(visitor.Of("probes"));
    }

    private static void Visit(IProgressTask task, StateVisitor visitor)
    {
        double[] progress = new double[task.ProgressLength];
        task.SaveProgress(progress);
        visitor.Visit<double>("progress", progress);
        task.RestoreProgress(progress);
    }

    /// <summary>Moves the last rates to where the next trial begins.</summary>
    private void HoldRates()
    {
        if (_previousSteps > 0)
            foreach (AreaState<T> area in _network.Areas)
                area.CarryOver(_previousSteps);

        // Carried over once: a second time would shift a history that reaches further back than the trial.
        _previousSteps = 0;
    }

    /// <summary>What outlives a trial: rates of areas before step 1, and the state of the task.</summary>
    private readonly record struct Carried(T[][] Rates, double[]? Task);

    private Carried SaveState()
    {
        HoldRates();
        return new Carried([.. _network.Areas.Select(area => area.SaveStart())], _network.Loop?.Save());
    }

    private void RestoreState(Carried carried)
    {
        for (int k = 0; k < carried.Rates.Length; k++)
            _network.Areas[k].RestoreStart(carried.Rates[k]);
        if (carried.Task is { } task)
            _network.Loop!.Restore(task);
        _previousSteps = 0;
    }

    private Recording Record(double loss)
    {
        Trial shown = _network.Trial;
        int steps = shown.Steps;
        return new Recording
        {
            Steps = steps,
            Loss = loss,
            Inputs = shown.Inputs[..(steps * shown.InputChannels)],
            Targets = shown.Targets[..(steps * shown.Outputs)],
            Mask = shown.Mask[..(steps * shown.Outputs)],
            Rewards = shown.Rewards[..steps],
            Outputs = Outputs(steps),
            Rates = [.. _network.Areas.Select(area => Rates(area, steps))],
        };
    }

    private double[] Outputs(int steps)
    {
        double[] all = new double[steps * Graph.Outputs];
        foreach (ReadoutState<T> readout in _network.Readouts)
            for (int t = 1; t <= steps; t++)
                TensorPrimitives.ConvertTruncating<T, double>(
                    readout.Output(t)[..readout.Outputs], all.AsSpan((t - 1) * Graph.Outputs + readout.FirstOutput, readout.Outputs));
        return all;
    }

    private static double[] Rates(AreaState<T> area, int steps)
    {
        double[] all = new double[steps * area.Units];
        for (int t = 1; t <= steps; t++)
            TensorPrimitives.ConvertTruncating<T, double>(area.Rates(t)[..area.Units], all.AsSpan((t - 1) * area.Units, area.Units));
        return all;
    }
}
