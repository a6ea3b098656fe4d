using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>A session in one precision.</summary>
internal sealed partial class Session<T> : Session
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Trials for whose metrics memory is allocated before a run; a longer run allocates more.</summary>
    private const int MostReserved = 65_536;

    /// <summary>The part of a state that says how many lanes share updates; absent where trials run one after another.</summary>
    private const string LanesPart = "lanes";

    private static readonly TestOptions _validated = new() { Perturbed = false };

    private readonly Network<T> _network;
    private readonly LearnerSet<T> _learners;
    private readonly OpenBatch<T> _openBatch;
    private readonly IReadOnlyList<PlanChoice> _choices;
    private readonly (Afferents<T> Afferents, Segment Segment)[] _blocks;
    private readonly Alignment<T>[] _alignments;
    private readonly RandomStream _taskStream;
    private readonly IProgressTask? _progress;
    private readonly StateCopy _before = new();
    private readonly bool _runsUserCode;
    private readonly double[] _progressBefore;
    private BestWeights<T>? _best;
    private bool _isKept;
    private readonly BatchLanes<T>? _lanes;
    private readonly LaneTrials<T>? _group;
    private readonly bool _testsInLanes;
    private EvaluationLanes<T>? _tests;
    private ProbeSet<T> _probes = new();
    private Network<T> _made;
    private int _previousSteps;
    private bool _isProgressSaved;
    private bool _isRunning;
    private int _isBatchApplied;
    private int _laneCount;
    private string? _inHand;
    private int _trialInHand;

    public Session(Graph graph, ITask task, long seed, Precision precision, Forms forms, TrialLanes lanes)
        : base(graph, task, seed, precision, lanes)
    {
        _laneCount = lanes.Count;
        if (!Storage.IsSketch)
            SizeLimits.OfSession<T>(graph, task);
        _taskStream = RandomStream.OfTrial(seed, "task", 0);
        _network = new Network<T>(graph, task.MaxSteps, task.Events, seed, forms, conditions: task.Conditions.Count) { Lanes = lanes };
        _progress = task as IProgressTask;
        _progressBefore = new double[_progress?.ProgressLength ?? 0];
        _runsUserCode = task is IClosedLoopTask or IProgressTask
            || graph.Readouts.Any(readout => UserCode.Is(readout.LossOrNatural))
            || graph.Areas.Any(area => area.Model is { } model && UserCode.IsModel(model))
            || graph.Perturbations.Any(perturbation => perturbation.Trials.Choice is not null)
            || graph.Plasticities.Any(plasticity => plasticity.RunsUserCode);
        if (task is IClosedLoopTask closed)
            _network.Loop = new ClosedLoop<T>(closed, _network, _taskStream);
        _made = _network;
        _learners = Learners.ForTraining(_network);
        if (lanes.AreSeveral)
            _group = new LaneTrials<T>(_network, _learners, _taskStream);
        else if (_network.Choose(Forms.Lanes, "trials of one update", SideBySide.Obstacle(graph, task) ?? (_learners.KeepsMemory ? "a rule keeps state between trials" : null)))
            _lanes = new BatchLanes<T>(_network, _learners, lane => Show(lane.Network, lane.Stream, lane.Trial, TestOptions.AsTrained));

        string? alone = EvaluationLanes<T>.Obstacle(graph, task);
        int tests = alone is null ? EvaluationLanes<T>.Room(_network) : 0;
        _testsInLanes = _network.Choose(
            Forms.Lanes, "test trials", alone ?? (tests < 2 ? EvaluationLanes<T>.Why(_network) : null), alone is null && EvaluationLanes<T>.IsPaid(_network),
            alone is null ? EvaluationLanes<T>.Why(_network) : "");
        _choices = [.. _network.Choices];
        _openBatch = new OpenBatch<T>(_network, _learners);
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
        if (trials < 0)
            ThrowHelper.OutOfRange(nameof(trials), trials, "at least 0");
        if (trials % Lanes.Count != 0)
            ThrowHelper.OutOfRange(nameof(trials), trials, $"a multiple of {Lanes.Count}, the lanes of a group");
        Refuse(nameof(Run));
        if (_isRunning)
            throw new InvalidOperationException("Run was called from its own callback. Let the callback return; the run continues then.");
        _isRunning = true;
        try
        {
            _openBatch.TakeBack();
            RunStatus status = _group is null ? RunTrials(trials, onTrial, cancellation) : RunGroups(_group, trials, onTrial, cancellation);
            if (status.End is not (RunEnd.Completed or RunEnd.Stopped))
                return status;
            _openBatch.Apply(TrialsDone - 1);
            return status.End == RunEnd.Completed ? Finiteness.OfWeights(_network, TrialsDone - 1, _previousSteps) ?? status : status;
        }
        finally
        {
            _isRunning = false;
        }
    }

    private RunStatus RunTrials(int trials, Action<int, double>? onTrial, CancellationToken cancellation)
    {
        // A run that was resumed after its last trial ends there again.
        if (Stopping.Reason(Metrics) is { } already)
            return new RunStatus(RunEnd.Stopped, TrialsDone - 1, 0, already);
        Metrics.Reserve(Math.Min(trials, MostReserved));
        for (int k = 0; k < trials; k++)
        {
            if (cancellation.IsCancellationRequested)
                return new RunStatus(RunEnd.Cancelled, TrialsDone - 1, 0, "");
            int trial = TrialsDone;
            if (RunTrial(trial, trials - k) is { } failed)
                return failed;
            double loss = Metrics.Losses[trial];
            RunStatus? diverged = Finiteness.OfTrial(_made, Metrics, trial, _previousSteps);
            if (diverged is null && Validate(trial) is { } unmade)
                return unmade;
            if (ReportTrial(onTrial, trial, loss) is { } failure)
                return diverged is null ? new RunStatus(RunEnd.Failed, trial, 0, failure) : diverged with { Where = $"{diverged.Where}; then {failure}" };
            if (diverged is not null)
                return diverged;
            if (Stopping.Reason(Metrics) is { } enough)
                return new RunStatus(RunEnd.Stopped, trial, 0, enough);
        }

        return new RunStatus(RunEnd.Completed, TrialsDone - 1, 0, "");
    }

    /// <summary>Trains a trial and takes its measurements. If user code throws, the state before the trial is restored.</summary>
    /// <param name="trial">Its number.</param>
    /// <param name="left">How many trials the run still has, this one among them.</param>
    private RunStatus? RunTrial(int trial, int left)
    {
        long start = Stopwatch.GetTimestamp();
        _isKept = false;
        bool isSaved = false;
        (_inHand, _trialInHand) = ("a run", trial);
        try
        {
            Lane<T>? lane = _lanes?.Of(trial, left, _probes);
            if (lane is null)
                Show(trial);
            else
                start = Stopwatch.GetTimestamp() - lane.Ticks;
            if (_runsUserCode || _probes.RunsUserCode(trial))
            {
                HoldRates();
                VisitLearned(_before.Saving());
                isSaved = true;
            }

            if (lane is null)
                start += Observe(trial);
            Train(trial, start, lane);
            _probes.Read(trial);
            return null;
        }
        catch (TaskException e)
        {
            RunStatus? diverged = e.IsCircuitFinite ? null : Finiteness.Locate(_network, trial, e.Step);
            string? more = Undo(trial, isSaved);
            return diverged ?? new RunStatus(RunEnd.Failed, trial, e.Step, $"{e.Part}: {e.Message}{more}");
        }
        finally
        {
            _inHand = null;
        }
    }

    /// <summary>Restores the state before a trial in which user code threw.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="isSaved">Whether its state was saved. It is not where only the task's state can have changed.</param>
    /// <returns>A further error; null for none.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything.")]
    private string? Undo(int trial, bool isSaved)
    {
        if (_isKept)
            _best?.Undo();
        Metrics.Truncate(trial);
        if (isSaved)
        {
            // A trial does not write the rates that it begins with.
            VisitLearned(_before.Restoring());
            _previousSteps = 0;
            _group?.Undo();
        }

        try
        {
            _network.Loop?.Rewind();
            if (_isProgressSaved)
                _progress!.RestoreProgress(_progressBefore);
            return null;
        }
        catch (Exception e)
        {
            return $"; and the task could not restore the state before the trial: {TaskException.MessageOf(e)}";
        }
    }

    /// <summary>Calls the callback of a run. Returns its error; null for none.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A callback is user code and may throw anything.")]
    private static string? ReportTrial(Action<int, double>? onTrial, int trial, double loss)
    {
        try
        {
            onTrial?.Invoke(trial, loss);
            return null;
        }
        catch (Exception e)
        {
            return $"the callback after the trial: {TaskException.MessageOf(e)}";
        }
    }

    /// <summary>Refuses a call from user code within a trial, when the state cannot be read or changed.</summary>
    /// <exception cref="InvalidOperationException">It was called within a trial.</exception>
    private void Refuse(string method)
    {
        if (_inHand is { } inHand)
            throw new InvalidOperationException(
                $"{method} was called within trial {_trialInHand} of {inHand}, by a task, a probe or a function of a rule. Call it between trials: in the callback of Run, or after Run.");
    }

    public override IReadOnlyDictionary<string, double[]> Capture()
    {
        Refuse(nameof(Capture));

        // The batch is saved open, so that further trials continue it, with the fact that it was applied.
        var state = new Dictionary<string, double[]>();
        HoldRates();
        bool isApplied = _openBatch.IsApplied;
        _isBatchApplied = isApplied ? 1 : 0;
        _openBatch.TakeBack();
        Visit(new StateWriter("", state));
        if (isApplied)
            _openBatch.Apply(TrialsDone - 1);
        return state;
    }

    public override void Restore(IReadOnlyDictionary<string, double[]> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Refuse(nameof(Restore));
        double lanes = state.TryGetValue(LanesPart, out double[]? saved) && saved is [var count] ? count : 1;
        if (lanes != Lanes.Count)
            ThrowHelper.Invalid(FormattableString.Invariant($"The state is of {lanes} lanes, this run has {Lanes.Count}. Go on with as many lanes as it began with."));
        var needed = new Dictionary<string, int>();
        Visit(new StateOutline("", state, needed));
        StateShape.Check(needed, state);
        _openBatch.Forget();
        Visit(new StateCounts("", state));
        if (_best is not null && state["best.window"][0] is var window && window != WindowOfBest)
            ThrowHelper.Invalid($"The state keeps the best weights by {NameOfBest((int)window)}, this run by {NameOfBest(WindowOfBest)}.");
        Visit(new StateReader("", state));
        _lanes?.Drop();
        _previousSteps = 0;
        _group?.Undo();
        if (_isBatchApplied != 0)
            _openBatch.Apply(TrialsDone - 1);
    }

    public override void Watch(IReadOnlyList<ProbeSpec> probes)
    {
        ArgumentNullException.ThrowIfNull(probes);
        Refuse(nameof(Watch));
        foreach (ProbeSpec probe in probes)
            if (probe.Every > 0 && probe.Every % Lanes.Count != 0)
                ThrowHelper.OutOfRange($"{probe.GetType().Name}.{nameof(probe.Every)}", probe.Every, $"a multiple of {Lanes.Count}, the lanes of a group");
        Block<T>[] blocks = [.. _blocks.Select(block => new Block<T>(block.Afferents, block.Segment, Graph.Postsynaptic(block.Segment.Spec)))];
        var builder = new ProbeSetBuilder<T>(
            _network, blocks, area => Rates(area, _previousSteps), trial => new Observation(trial, Record(_network), Weights, TimeConstants, InitialStates));
        _probes = builder.Build(probes);
        Metrics.Probes = _probes.Series;
        Metrics.Validation = _probes.Validation;
    }

    public override IReadOnlyList<double[]?> Increments(int trial, LearningRule rule, UpdateTime time)
    {
        ArgumentNullException.ThrowIfNull(rule);
        Refuse(nameof(Increments));
        double[]? task = SaveState();
        LearnerSet<T> passive = Learners.Passive(_network, rule, time, out (Plastic<T> Plastic, Segment Segment)?[] collected);
        (_inHand, _trialInHand) = ("a calculation of increments", trial);
        try
        {
            Show(trial);
            Forward(trial, passive);
            passive.End(_previousSteps);
        }
        finally
        {
            _inHand = null;
            RestoreState(task);
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
        Refuse(nameof(SetTimeConstants));
        AreaState<T> state = Area(area);
        if (steps.Length != state.Units)
            ThrowHelper.ShapeMismatch(nameof(steps), steps.Length, state.Units, "(units)");
        foreach (double tau in steps)
            if (!(tau >= 1) || !double.IsFinite(tau))
                ThrowHelper.OutOfRange(nameof(steps), tau, "finite and at least 1: tau must be at least dt");
        CloseBatch();
        _lanes?.Drop();
        state.SetAlpha(Array.ConvertAll(steps, tau => 1 / tau));
        _learners.FollowTimeConstants(state);
        _group?.FollowTimeConstants(area.Index);
        _probes.FollowTimeConstants(state);
    }

    /// <summary>Applies an open batch for good, where weights, time constants or initial states are set between runs. Within a run it stays open.</summary>
    private void CloseBatch()
    {
        if (!_isRunning)
            _openBatch.Close(TrialsDone - 1);
    }

    public override double[] BestTimeConstants(AreaId area)
    {
        AreaState<T> state = Area(area);
        return Steps(Best.AlphaOf(state))[..state.Units];
    }

    public override double[] InitialStates(AreaId area) => [.. Area(area).Start];

    public override void SetInitialStates(AreaId area, double[] states)
    {
        ArgumentNullException.ThrowIfNull(states);
        Refuse(nameof(SetInitialStates));
        AreaState<T> state = Area(area);
        if (!state.KeepsLearnedStart)
            ThrowHelper.Invalid($"{state.Spec.Name} has no {nameof(AreaSpec.InitialPlasticity)}: its initial states are those of its declaration.");
        if (states.Length != state.Units)
            ThrowHelper.ShapeMismatch(nameof(states), states.Length, state.Units, "(units)");
        foreach (double one in states)
            if (!double.IsFinite(one))
                ThrowHelper.OutOfRange(nameof(states), one, "finite");
        CloseBatch();
        _lanes?.Drop();
        states.CopyTo(state.Start, 0);
    }

    public override double[] BestInitialStates(AreaId area) => [.. Best.StartOf(Area(area))];

    public override void KeepBest()
    {
        Refuse(nameof(KeepBest));
        if (_best is null && TrialsDone > 0)
            throw new InvalidOperationException(
                $"KeepBest was called after {TrialsDone} trials, whose weights were not kept. Call it before the first trial.");
        _best ??= new BestWeights<T>(_network);
    }

    public override double[] BestWeights(ProjectionId projection)
    {
        (Afferents<T> afferents, Segment segment) = Block(projection);
        return ReadBlock(afferents, segment, Best.Of(afferents));
    }

    public override void SetWeights(ProjectionId projection, double[] weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Refuse(nameof(SetWeights));
        (Afferents<T> afferents, Segment segment) = Block(projection);
        int expected = segment.Spec.Synapses is SparseSynapses sparse ? sparse.Count : ((DenseSynapses)segment.Spec.Synapses).Weights.Length;
        if (weights.Length != expected)
            ThrowHelper.ShapeMismatch(nameof(weights), weights.Length, expected, segment.Spec.Name);
        foreach (double weight in weights)
            if (!double.IsFinite(weight))
                ThrowHelper.OutOfRange($"a weight of {segment.Spec.Name}", weight, "finite");
        CloseBatch();
        _lanes?.Drop();
        afferents.Load(segment, weights);
    }

    public override double Alignment(int feedback) => _alignments[feedback].Now();

    /// <summary>Trials of the mean loss by which the best weights are chosen; 0 for the validation loss.</summary>
    private int WindowOfBest => Stopping.ByValidation ? 0 : Stopping.Window;

    private static string NameOfBest(int window) => window == 0 ? "the validation loss" : $"the mean loss of {window} trials";

    private BestWeights<T> Best =>
        _best ?? throw new InvalidOperationException("The best weights were not kept. Call KeepBest before the first trial.");

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

    /// <summary>One trial with learning on.</summary>
    private void Train(int trial, long start, Lane<T>? lane)
    {
        _best?.SetAside();
        double loss = lane is null ? Forward(trial, _learners) : Outcome(lane);
        if (lane is null)
            _learners.End(_previousSteps);
        else
            lane.Learners.ApplyTrial(_previousSteps);
        double reward = TensorPrimitives.Sum<double>(_made.Trial.Rewards.AsSpan(0, _previousSteps));
        Pass(_previousSteps, (trial, loss, reward), static (task, of) => task.Learned(of.trial, of.loss, of.reward));

        _isKept = Count(trial, loss, Stopwatch.GetElapsedTime(start).TotalSeconds, reward);
        if (_isKept)
            _best?.Keep();
        SetAlignments();
    }

    /// <summary>Adds the measurements of a trial that was made; whether the weights with which it began are the best so far.</summary>
    private bool Count(int trial, double loss, double seconds, double reward)
    {
        // A trial without a target has no loss; outputs that are NaN are a divergence there as well.
        bool isUnscored = double.IsNaN(loss) && double.IsFinite(_made.LossSum);
        Metrics.Add(loss, isUnscored, seconds, reward, _made.Trial.Steps);
        _learners.ObserveLoss(trial, Metrics.Choice.Mean);

        // While there is no mean loss to choose by, the latest weights are kept.
        return (!Stopping.ByValidation && Metrics.BestTrial == trial) || (Metrics.BestTrial < 0 && (isUnscored || double.IsFinite(loss)));
    }

    private void SetAlignments()
    {
        for (int k = 0; k < _alignments.Length; k++)
            Metrics.SetAlignment(k, _alignments[k].Now());
    }

    /// <summary>The loss of a trial that was run before; the given learners apply its updates.</summary>
    private double Outcome(Lane<T> lane)
    {
        TrialsBeside++;
        _learners.BeginUpdates(lane.Trial);
        _made = lane.Network;
        _previousSteps = lane.Steps;
        return LossOf(_made);
    }

    private protected override void UseThreads()
    {
        Refuse(nameof(Threads));
        if (_lanes is { } lanes)
            lanes.Threads = Threads;
        _tests = null;
        foreach (Plastic<T> plastic in _learners.Plastics)
            plastic.Threads = Threads;
    }

    /// <summary>
    /// Runs the passive rules of probes through the generated trial, at the weights with which it begins; then restores the
    /// state. Returns the ticks that this took, which do not count as the trial's.
    /// </summary>
    private long Observe(int trial)
    {
        IReadOnlyList<PassiveUpdate<T>> passive = _probes.Passive(trial);
        if (passive.Count == 0)
            return 0;
        long start = Stopwatch.GetTimestamp();
        double[]? task = SaveState();
        var learners = LearnerSet<T>.Together([.. passive.Select(update => update.Learners)]);
        foreach (PassiveUpdate<T> update in passive)
            update.Begin(_learners);
        try
        {
            Forward(trial, learners);
            learners.End(_previousSteps);
        }
        finally
        {
            RestoreState(task);
        }

        if (_network.Loop is { } loop)
        {
            loop.Rewind();
            Show(trial);
        }

        return Stopwatch.GetTimestamp() - start;
    }

    /// <summary>Calls the task to generate a trial.</summary>
    /// <exception cref="TaskException">Its code threw, or a number of the trial is not allowed.</exception>
    private void Show(int trial, TestOptions? test = null) => Show(_network, _taskStream, trial, test ?? TestOptions.AsTrained);

    /// <summary>Calls the task to generate a trial for a network.</summary>
    /// <exception cref="TaskException">Its code threw, or a number of the trial is not allowed.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything.")]
    private void Show(Network<T> network, RandomStream stream, int trial, TestOptions test)
    {
        _isProgressSaved = false;
        stream.BeginTrial(Seed, "task", test.StreamOf(trial));
        network.Loop?.Begin(trial);
        Trial shown = network.Trial;
        shown.Clear();
        try
        {
            if (_progress is not null)
            {
                _progress.SaveProgress(_progressBefore);
                _isProgressSaved = true;
            }

            Task.Fill(trial, stream, shown);
        }
        catch (Exception e)
        {
            throw new TaskException(0, e);
        }

        // A closed loop writes its inputs later, step by step.
        if (network.Loop is not null)
            return;
        TrialNumbers.CheckInputs(Graph, shown, 1, shown.Steps);
        TrialNumbers.CheckTargets(Graph, shown, 1, shown.Steps);
    }

    /// <summary>Passes an outcome to a task that changes with learning.</summary>
    /// <param name="step">The step that an exception of it names.</param>
    /// <param name="outcome">The outcome.</param>
    /// <param name="pass">Passes it; static, so that a trial allocates nothing.</param>
    /// <exception cref="TaskException">Its code threw.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything.")]
    private void Pass<TOutcome>(int step, TOutcome outcome, Action<IProgressTask, TOutcome> pass)
    {
        if (_progress is null)
            return;
        try
        {
            pass(_progress, outcome);
        }
        catch (Exception e)
        {
            throw new TaskException(step, e);
        }
    }

    private double Forward(int trial, LearnerSet<T> learners, TestOptions? test = null)
    {
        _made = _network;
        _network.Begin(trial, _previousSteps, learners.ReadsOutputsInSteps, test);
        int steps = _network.Trial.Steps;
        learners.Begin(trial, steps);
        for (int t = 1; t <= steps; t++)
            Step(t, learners);
        _network.End();
        _previousSteps = steps;
        return LossOf(_network);
    }

    /// <summary>L of the trial that a network made; NaN where it had no target.</summary>
    private static double LossOf(Network<T> made) => made.Trial.HasTarget ? made.LossSum / made.Trial.Steps : double.NaN;

    /// <summary>A method of its own, so that the JIT optimizes it as a whole, without on-stack replacement of a loop.</summary>
    private void Step(int step, LearnerSet<T> learners)
    {
        _network.Step(step);
        learners.Step(step);
    }

    /// <summary>Saves or restores the complete state that is kept from trial to trial.</summary>
    private void Visit(StateVisitor visitor)
    {
        visitor.Visit("isBatchApplied", ref _isBatchApplied);
        if (_group is not null)
            visitor.Visit(LanesPart, ref _laneCount);
        Metrics.Visit(visitor.Of("metrics"));
        VisitLearned(visitor);
        _best?.Visit(visitor.Of("best"), WindowOfBest);
        _network.Loop?.Visit(visitor.Of("task"));
        if (_progress is { ProgressLength: > 0 })
            Visit(_progress, visitor.Of("task"));
    }

    /// <summary>Saves or restores the state of the circuit and its rules that a trial changes, and the state of probes.</summary>
    private void VisitLearned(StateVisitor visitor)
    {
        foreach (AreaState<T> area in _network.Areas)
        {
            area.Visit(visitor.Of("area", area.Index));
            area.Afferents.Visit(visitor.Of("weights"), area.Afferents.Weights, area.Afferents.Segments);
        }

        foreach (ReadoutState<T> readout in _network.Readouts)
            readout.Afferents.Visit(visitor.Of("weights"), readout.Afferents.Weights, readout.Afferents.Segments);
        _learners.Visit(visitor);
        _group?.Visit(visitor);
        _probes.Visit(visitor.Of("probes"));
    }

    private static void Visit(IProgressTask task, StateVisitor visitor)
    {
        double[] progress = new double[task.ProgressLength];
        task.SaveProgress(progress);
        visitor.Visit<double>("progress", progress);
        if (visitor.Restores)
            task.RestoreProgress(progress);
    }

    /// <summary>Copies the last rates to the initial rates of the next trial.</summary>
    private void HoldRates()
    {
        _group?.HoldRates();
        if (_previousSteps > 0)
            foreach (AreaState<T> area in _network.Areas)
                area.CarryOver(_previousSteps);

        // Carried over once: a second time would shift a history that reaches further back than the trial.
        _previousSteps = 0;
    }

    /// <summary>The state of a closed loop's task before a trial that is no part of the run; null without one. Carried-over rates are copied first.</summary>
    private double[]? SaveState()
    {
        HoldRates();
        return _network.Loop?.Save();
    }

    /// <summary>Restores the state before such a trial, which does not write the rates that it begins with.</summary>
    private void RestoreState(double[]? task)
    {
        if (task is not null)
            _network.Loop!.Restore(task);
        _previousSteps = 0;
    }

    private Recording Record(Network<T> made)
    {
        Trial shown = made.Trial;
        int steps = shown.Steps;
        double[] outputs = Outputs(made);
        return new Recording
        {
            Steps = steps,
            Loss = LossOf(made),
            RateCost = RateCost(made),
            Inputs = shown.Inputs[..(steps * shown.InputChannels)],
            Targets = shown.Targets[..(steps * shown.Outputs)],
            Mask = shown.Mask[..(steps * shown.Outputs)],
            Rewards = shown.Rewards[..steps],
            Events = shown.Events[..(steps * shown.EventKinds)],
            Outputs = outputs,
            Conditions = [.. shown.Conditions],
            Performance = PerformanceOf(shown, outputs),
            Rates = [.. made.Areas.Select(area => Rates(area, steps))],
            States = [.. made.Areas.Select(area => States(area, steps))],
        };
    }

    /// <exception cref="TaskException">The task's code threw.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything.")]
    private double PerformanceOf(Trial shown, double[] outputs)
    {
        try
        {
            return Task.Performance(shown, outputs);
        }
        catch (Exception e)
        {
            throw new TaskException(shown.Steps, e);
        }
    }

    private static double RateCost(Network<T> made)
    {
        double sum = 0;
        foreach (AreaState<T> area in made.Areas)
            foreach (RatePenalty penalty in area.Spec.Penalties)
                sum += area.CostOf(penalty, made.Trial.Steps);
        return sum;
    }

    private double[] Outputs(Network<T> made)
    {
        int steps = made.Trial.Steps;
        double[] all = new double[steps * Graph.Outputs];
        foreach (ReadoutState<T> readout in made.Readouts)
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

    private static double[][] States(AreaState<T> area, int steps)
    {
        double[][] all = new double[area.Spec.RecordsStates ? area.StateCount : 0][];
        for (int k = 0; k < all.Length; k++)
        {
            all[k] = new double[steps * area.Units];
            for (int t = 1; t <= steps; t++)
                TensorPrimitives.ConvertTruncating<T, double>(area.States(t).Slice(k * area.Padded, area.Units), all[k].AsSpan((t - 1) * area.Units, area.Units));
        }

        return all;
    }
}
