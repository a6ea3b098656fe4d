using System.Diagnostics.CodeAnalysis;

namespace Rflo.Core;

/// <summary>The number type of a run.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "Double and single precision are the field's terms.")]
public enum Precision
{
    /// <summary>64-bit; the default, and the precision of all tests of accuracy.</summary>
    Double,

    /// <summary>32-bit: half the memory, about twice the speed for large areas.</summary>
    Single,
}

/// <summary>
/// A graph that learns a task, trial after trial: the entry point of the core. The same graph, task, seed and precision
/// give the same bits.
/// </summary>
public abstract class Session
{
    private protected Session(Graph graph, ITask task, long seed, Precision precision, TrialLanes lanes) =>
        (Graph, Task, Seed, Precision, Lanes) = (graph, task, seed, precision, lanes);

    /// <summary>The circuit.</summary>
    public Graph Graph { get; }

    /// <summary>The task: inputs and targets.</summary>
    public ITask Task { get; }

    /// <summary>Seed of every random stream of the run.</summary>
    public long Seed { get; }

    /// <summary>The number type of its calculations.</summary>
    public Precision Precision { get; }

    /// <summary>The trials that run as a group and share every update.</summary>
    public TrialLanes Lanes { get; }

    /// <summary>
    /// How many threads a run may use, at least 1: where an update is of several trials, they run in parallel (<see cref="SideBySide"/>), and test trials do
    /// (<see cref="Evaluate"/>). No bit depends on it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below 1.</exception>
    public int Threads
    {
        get;
        set
        {
            if (value < 1)
                ThrowHelper.NotPositive(nameof(Threads), value);
            field = value;
            UseThreads();
        }
    } = 1;

    /// <summary>How many trials ran in parallel lanes.</summary>
    internal int TrialsBeside { get; private protected set; }

    /// <summary>How many test trials ran in parallel lanes.</summary>
    internal int TestsBeside { get; private protected set; }

    /// <summary>After the number of threads was set.</summary>
    private protected abstract void UseThreads();

    /// <summary>Trials trained so far.</summary>
    public abstract int TrialsDone { get; }

    /// <summary>What was measured in each trained trial.</summary>
    public abstract Metrics Metrics { get; }

    /// <summary>
    /// How the session carries out its trials: operators in order, the buffers that each reads and writes, the forms that were chosen and why,
    /// and all arrays with their bytes. It is computed at every call, which takes time and memory.
    /// </summary>
    public abstract Plan Plan { get; }

    /// <summary>When <see cref="Run"/> ends before its last trial, and the window of the mean loss by which <see cref="KeepBest"/> chooses.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The window is below 1.</exception>
    public Stopping Stopping
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Window < 1)
                ThrowHelper.NotPositive("Stopping.Window", value.Window);
            if (value.Window != Metrics.Window.Length)
                Metrics.LookAt(value.Window);
            Metrics.IsByValidation = value.ByValidation;
            field = value;
        }
    } = Stopping.Never;

    /// <summary>Makes a session and allocates all memory that it needs.</summary>
    /// <param name="graph">The circuit.</param>
    /// <param name="task">The task: inputs and targets.</param>
    /// <param name="seed">Seed of every random stream of the run.</param>
    /// <param name="precision">The numbers to compute with.</param>
    /// <exception cref="ArgumentException">The task has other numbers of inputs or outputs than the graph, or a gate uses an event that it does not have.</exception>
    public static Session Create(Graph graph, ITask task, long seed, Precision precision = Precision.Double) =>
        Create(graph, task, seed, precision, Forms.All);

    /// <summary>Makes a session whose trials run in lanes; takes all the memory that it will need.</summary>
    /// <param name="graph">The circuit.</param>
    /// <param name="task">What is shown and asked.</param>
    /// <param name="seed">Seed of every random stream of the run.</param>
    /// <param name="precision">The numbers to compute with.</param>
    /// <param name="lanes">The trials that run as a group and share every update.</param>
    /// <exception cref="ArgumentException">
    /// The task has other numbers of inputs or outputs than the graph, a gate waits for an event that it does not have, or the circuit or the task cannot run
    /// in lanes (<see cref="TrialLanes.Obstacles"/>).
    /// </exception>
    public static Session CreateInLanes(Graph graph, ITask task, long seed, Precision precision, TrialLanes lanes)
    {
        ArgumentNullException.ThrowIfNull(lanes);
        return CreateInLanes(graph, task, seed, precision, lanes, Forms.All);
    }

    /// <summary>A session that may choose some forms of its calculations only.</summary>
    internal static Session Create(Graph graph, ITask task, long seed, Precision precision, Forms forms) =>
        CreateInLanes(graph, task, seed, precision, TrialLanes.One, forms);

    /// <summary>The same in lanes.</summary>
    internal static Session CreateInLanes(Graph graph, ITask task, long seed, Precision precision, TrialLanes lanes, Forms forms)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(task);
        if (task.Inputs != graph.InputChannels)
            ThrowHelper.ShapeMismatch("task.Inputs", task.Inputs, graph.InputChannels, "the graph");
        if (task.Outputs != graph.Outputs)
            ThrowHelper.ShapeMismatch("task.Outputs", task.Outputs, graph.Outputs, "the graph");
        if (task.MaxSteps < 1)
            ThrowHelper.NotPositive("task.MaxSteps", task.MaxSteps);
        if (!Storage.IsSketch && graph.Projections.FirstOrDefault(projection => projection.Synapses is SizedSynapses) is { } sized)
            ThrowHelper.Invalid($"{sized.Name}: only the number of its connections is known. Give its weights, or compute a plan alone (Plan.Of).");
        foreach (ProjectionSpec projection in graph.Projections)
            if (projection.Gate.Kind == GateKind.Event && (projection.Gate.Number < 0 || projection.Gate.Number >= task.Events))
                ThrowHelper.Unknown($"event of {projection.Name}", projection.Gate.Number, task.Events);
        CheckPerturbations(graph, task);
        if (task is IClosedLoopTask { Watches: { } watches })
            foreach (string area in watches)
                if (!graph.Areas.Any(spec => spec.Name == area))
                    ThrowHelper.Invalid($"The task watches the area {area}, which the graph does not have.");
        if (lanes.Count < 1)
            ThrowHelper.NotPositive(nameof(lanes), lanes.Count);
        if (lanes.Obstacles(graph, task) is { Count: > 0 } obstacles)
            ThrowHelper.Invalid($"{lanes.Count} lanes cannot share updates: {string.Join("; ", obstacles)}.");
        return precision == Precision.Single ? new Session<float>(graph, task, seed, precision, forms, lanes) : new Session<double>(graph, task, seed, precision, forms, lanes);
    }

    private static void CheckPerturbations(Graph graph, ITask task)
    {
        foreach (PerturbationSpec perturbation in graph.Perturbations)
        {
            PerturbationWindow window = perturbation.Window;
            if (window.IsOfEvent && window.Number >= task.Events)
                ThrowHelper.Unknown($"the event of {perturbation.GetType().Name}", window.Number, task.Events);
            if (window is { Kind: WindowKind.Steps or WindowKind.AfterEvent } && window.From >= task.MaxSteps)
                ThrowHelper.OutOfRange($"the first step of {perturbation.GetType().Name}", window.From + 1, $"at most {task.MaxSteps}, the steps of the longest trial");
        }
    }

    /// <summary>Trains for a number of trials, or none where the criterion of <see cref="Stopping"/> is already met.</summary>
    /// <param name="trials">How many more trials, at least 0.</param>
    /// <param name="onTrial">Called after every trial with its number and loss, NaN where it had no target; null for none. The trial is complete then.</param>
    /// <param name="cancellation">Checked after every trial.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of trials is below 0, or no multiple of the lanes.</exception>
    /// <exception cref="InvalidOperationException">It was called by code that it runs itself.</exception>
    /// <remarks>
    /// If the code of a task, or the function of a rule or of a probe, throws, the run ends as <see cref="RunEnd.Failed"/> and the
    /// session is as it was before that trial: weights, optimizers, running means, time constants, metrics. If the callback
    /// throws, the run ends in the same way after the trial. Code that runs within a trial may read weights and metrics. It may not run, test,
    /// capture, restore or change the session. The callback may do all of these except running it.
    /// <para>
    /// Where the last trials are fewer than those of an update (<see cref="UpdateSchedule"/>, <see cref="RidgeReadout"/>), the update of these
    /// trials is applied once the run has completed or stopped; a mean divides by their number. A further call continues the
    /// batch as if the run had not ended, unless weights or time constants were set in between.
    /// </para>
    /// <para>
    /// With <see cref="Lanes"/> it trains whole groups: the number of trials is a multiple of the lanes. When a group has ended, its trials are counted,
    /// and the callback is called for each of them. <see cref="Stopping"/> and the cancellation decide between groups.
    /// </para>
    /// </remarks>
    public abstract RunStatus Run(int trials, Action<int, double>? onTrial = null, CancellationToken cancellation = default);

    /// <summary>
    /// The complete state that later trials depend on, and the metrics, as named arrays: weights, increments that were collected
    /// and not applied, the state of optimizers and running means, carried-over rates, metrics, the state of a closed-loop
    /// task, the progress of a task that changes with learning, time constants. It may be called between trials only,
    /// such as from the callback of <see cref="Run"/>. Random streams are keyed by trial and are not part of it.
    /// </summary>
    /// <returns>Copies, by names that are valid for a session of the same graph only.</returns>
    public abstract IReadOnlyDictionary<string, double[]> Capture();

    /// <summary>
    /// Restores the result of <see cref="Capture"/> from a session of the same graph, task, seed, precision and probes. Later trials have
    /// the same bits as in that session.
    /// </summary>
    /// <param name="state">The captured state.</param>
    /// <exception cref="ArgumentException">A part is missing, unknown, of another length, or a count that is no whole number; nothing was changed.</exception>
    public abstract void Restore(IReadOnlyDictionary<string, double[]> state);

    /// <summary>
    /// Sets the probes of later trials; their measurements are in <see cref="Metrics.Probes"/>. No bit of the run depends on them.
    /// They use the current weights as the initial ones.
    /// </summary>
    /// <param name="probes">Which; they replace any that were set before.</param>
    /// <exception cref="ArgumentException">An area is unknown, an interval is below 1 or no multiple of the lanes, or two probes have a column of one name.</exception>
    public abstract void Watch(IReadOnlyList<ProbeSpec> probes);

    /// <summary>
    /// Runs one test trial with learning off. Its task, noise and initial state draw from streams of their own, so that it is none of
    /// the trials of the training, unless the options select these (or the task draws nothing). The same number gives the same trial.
    /// </summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <param name="options">Which trials, and which of their parts are random; <see cref="TestOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    /// <exception cref="TaskException">The code of the task threw; the session is as before.</exception>
    public abstract Recording Test(int trial, TestOptions? options = null);

    /// <summary>
    /// Runs so many test trials, each as by <see cref="Test"/>, to the bit. They run side by side where <see cref="Plan"/> says so ("test trials"): weights are then
    /// read once for all of them, and the memory of these lanes is allocated by the first call.
    /// </summary>
    /// <param name="first">Number of the first, from 0.</param>
    /// <param name="count">How many, at least 0.</param>
    /// <param name="onTrial">Receives each of them, in their order. It may read weights and metrics, and may not run, test, capture, restore or change the session.</param>
    /// <param name="options">As of <see cref="Test"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or the last trial has too large a number.</exception>
    /// <exception cref="TaskException">The code of the task threw, in the trial after the last one that was received; the session is as before that trial.</exception>
    /// <remarks>
    /// Trials are generated in order, several before the first is received. Where code of a unit model or of a loss throws, the trials that ran beside it are
    /// run again one after another, and it is called again.
    /// </remarks>
    public abstract void Evaluate(int first, int count, Action<Recording> onTrial, TestOptions? options = null);

    /// <summary>
    /// Runs a trial of the training with learning off: the same inputs, targets, noise and exploration as in training. State that areas
    /// or the task carry from trial to trial is not changed.
    /// </summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <exception cref="TaskException">The code of the task threw.</exception>
    public Recording Replay(int trial) => Test(trial, TestOptions.AsTrained);

    /// <summary>
    /// The increments of a rule for each plastic projection over one trial, at learning rate 1 and fixed weights:
    /// 1/T times their sum, in the shape of <see cref="Weights"/>; for the exact rules -dL/dW.
    /// Null where a projection is not plastic. The session is not changed.
    /// </summary>
    /// <param name="trial">Number of the trial.</param>
    /// <param name="rule">The rule, which replaces those of the projections.</param>
    /// <param name="time">The form in which it runs: online or trial-end.</param>
    public abstract IReadOnlyList<double[]?> Increments(int trial, LearningRule rule, UpdateTime time);

    /// <summary>The weights of a projection: shape (post, pre), row-major, or one number an entry where it is sparse.</summary>
    /// <exception cref="ArgumentException">There is no such projection.</exception>
    public abstract double[] Weights(ProjectionId projection);

    /// <summary>tau / dt of every unit of an area, as they are now, shape (units).</summary>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    public abstract double[] TimeConstants(AreaId area);

    /// <summary>
    /// Sets tau / dt of every unit of an area. Traces with the unit's decay use the new time constants; the decays that KeRNL learned
    /// for that area are reset to them.
    /// </summary>
    /// <param name="area">The area.</param>
    /// <param name="steps">In steps, each at least 1, shape (units).</param>
    /// <exception cref="ArgumentException">There is no such area, the number of units is another, or a time constant is below 1.</exception>
    public abstract void SetTimeConstants(AreaId area, double[] steps);

    /// <summary>The time constants of the smallest mean loss, as <see cref="TimeConstants"/>.</summary>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    /// <exception cref="InvalidOperationException"><see cref="KeepBest"/> was not called.</exception>
    public abstract double[] BestTimeConstants(AreaId area);

    /// <summary>The first state variable of every unit of an area before step 1, as it is now, shape (units): h(0), or x(0) of the current form.</summary>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    public abstract double[] InitialStates(AreaId area);

    /// <summary>Sets that of an area whose initial states learn (<see cref="AreaSpec.InitialPlasticity"/>, at a rate of 0 or more).</summary>
    /// <param name="area">The area.</param>
    /// <param name="states">Shape (units).</param>
    /// <exception cref="ArgumentException">There is no such area, its initial states are those of its declaration, the number of units is another, or a state is not finite.</exception>
    public abstract void SetInitialStates(AreaId area, double[] states);

    /// <summary>The initial states of the smallest mean loss, as <see cref="InitialStates"/>.</summary>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    /// <exception cref="InvalidOperationException"><see cref="KeepBest"/> was not called.</exception>
    public abstract double[] BestInitialStates(AreaId area);

    /// <summary>
    /// From now on keeps the weights of the trial with which the smallest mean loss is reached (<see cref="Metrics.BestTrial"/>). Before
    /// there is a mean, it keeps those of the latest trial. It must be called before the first trial.
    /// </summary>
    /// <exception cref="InvalidOperationException">Trials were trained already: their weights were not kept.</exception>
    public abstract void KeepBest();

    /// <summary>The weights of the smallest mean loss (<see cref="KeepBest"/>), in the shape of <see cref="Weights"/>.</summary>
    /// <exception cref="ArgumentException">There is no such projection.</exception>
    /// <exception cref="InvalidOperationException"><see cref="KeepBest"/> was not called.</exception>
    public abstract double[] BestWeights(ProjectionId projection);

    /// <summary>Replaces the weights of a projection, in the shape that <see cref="Weights"/> gives; absent ones stay 0.</summary>
    /// <exception cref="ArgumentException">There is no such projection, the number of weights is another, or one is not finite.</exception>
    public abstract void SetWeights(ProjectionId projection, double[] weights);

    /// <summary>The alignment of a readout's weights with a feedback matrix; NaN where the area has no readout of its own or B is symmetric.</summary>
    /// <param name="feedback">Place of the feedback in the graph.</param>
    public abstract double Alignment(int feedback);
}
