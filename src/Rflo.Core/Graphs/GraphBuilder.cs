namespace Rflo.Core;

/// <summary>
/// Builds a <see cref="Graph"/> part by part. Shapes and ranges are checked where a part is added, so an exception
/// points at the part that is wrong; nothing is checked again while the graph runs. Arrays are copied.
/// </summary>
public sealed partial class GraphBuilder
{
    private readonly List<AreaSpec> _areas = [];
    private readonly List<InputSpec> _inputs = [];
    private readonly List<ReadoutSpec> _readouts = [];
    private readonly List<ProjectionSpec> _projections = [];
    private readonly List<FeedbackSpec> _feedbacks = [];

    /// <summary>Adds an area.</summary>
    /// <exception cref="ArgumentException">An array has another length than the number of units, or a number is out of range.</exception>
    public AreaId AddArea(AreaSpec area)
    {
        ArgumentNullException.ThrowIfNull(area);
        CheckName("area", area.Name, _areas.Select(other => other.Name));
        Given($"{area.Name}.Alpha", area.Alpha);
        Given($"{area.Name}.InitialRates", area.InitialRates);
        Defined($"{area.Name}.Transfer", area.Transfer);
        Defined($"{area.Name}.Dynamics", area.Dynamics);
        Defined($"{area.Name}.InitialPolicy", area.InitialPolicy);
        if (area.Units < 1)
            ThrowHelper.NotPositive($"{area.Name}.Units", area.Units);
        if (area.Alpha.Length != area.Units)
            ThrowHelper.ShapeMismatch($"{area.Name}.Alpha", area.Alpha.Length, area.Units, "(units)");
        if (area.InitialRates.Length != area.Units)
            ThrowHelper.ShapeMismatch($"{area.Name}.InitialRates", area.InitialRates.Length, area.Units, "(units)");
        foreach (double alpha in area.Alpha)
            if (!(alpha > 0 && alpha <= 1))
                ThrowHelper.OutOfRange($"{area.Name}.Alpha", alpha, "in (0, 1]: tau must be at least dt");
        if (!(area.Noise >= 0) || !double.IsFinite(area.Noise))
            ThrowHelper.OutOfRange($"{area.Name}.Noise", area.Noise, "finite and at least 0");
        if (!(area.NoiseUnit >= 0) || !double.IsFinite(area.NoiseUnit))
            ThrowHelper.OutOfRange($"{area.Name}.NoiseUnit", area.NoiseUnit, "finite and at least 0");
        Finite($"{area.Name}.InitialRates", area.InitialRates);
        if (!(area.InitialSpread >= 0) || !double.IsFinite(area.InitialSpread))
            ThrowHelper.OutOfRange($"{area.Name}.InitialSpread", area.InitialSpread, "finite and at least 0");
        if (!(area.Explore >= 0 && area.Explore <= 1))
            ThrowHelper.OutOfRange($"{area.Name}.Explore", area.Explore, "in [0, 1]");
        if (area.Explore > 0 && area.Dynamics != Dynamics.WinnerTakeAll)
            ThrowHelper.Invalid(FormattableString.Invariant($"{area.Name}: it explores with probability {area.Explore}, but only a winner-take-all area chooses. Set Dynamics to WinnerTakeAll, or Explore to 0."));
        CheckPenalties(area);
        CheckModel(area);
        if (area.TauPlasticity is { } plastic)
            CheckTau(area, plastic);
        if (area.InitialPlasticity is { } beginning)
            CheckInitial(area, beginning);
        if (area is { RecordsStates: true, StateNames.Count: 0 })
            ThrowHelper.Invalid($"{area.Name}.RecordsStates: its units have no state beside their rates. Leave it out.");
        _areas.Add(area with { Penalties = [.. area.Penalties], Alpha = [.. area.Alpha], InitialRates = [.. area.InitialRates] });
        return new AreaId(_areas.Count - 1);
    }

    /// <summary>Adds an external input; its channels follow those of the inputs added before.</summary>
    /// <exception cref="ArgumentException">It has no channel.</exception>
    public InputId AddInput(InputSpec input)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckName("input", input.Name, _inputs.Select(other => other.Name));
        if (input.Channels < 1)
            ThrowHelper.NotPositive($"{input.Name}.Channels", input.Channels);
        _inputs.Add(input);
        return new InputId(_inputs.Count - 1);
    }

    /// <summary>Adds a readout; its targets follow those of the readouts added before.</summary>
    /// <exception cref="ArgumentException">It has no output.</exception>
    public ReadoutId AddReadout(ReadoutSpec readout)
    {
        ArgumentNullException.ThrowIfNull(readout);
        CheckName("readout", readout.Name, _readouts.Select(other => other.Name));
        Defined($"{readout.Name}.Kind", readout.Kind);
        if (readout.Outputs < 1)
            ThrowHelper.NotPositive($"{readout.Name}.Outputs", readout.Outputs);
        CheckLoss(readout);
        _readouts.Add(readout);
        return new ReadoutId(_readouts.Count - 1);
    }

    /// <summary>Adds a projection between parts that were added before.</summary>
    /// <exception cref="ArgumentException">An index is unknown, a shape does not fit, or a number is out of range.</exception>
    public ProjectionId AddProjection(ProjectionSpec projection)
    {
        ArgumentNullException.ThrowIfNull(projection);
        CheckName("projection", projection.Name, _projections.Select(other => other.Name));
        Given($"{projection.Name}.Source", projection.Source);
        Given($"{projection.Name}.Target", projection.Target);
        Given($"{projection.Name}.Synapses", projection.Synapses);
        Defined($"{projection.Name}.Gate", projection.Gate.Kind);
        int sources = SourceSize(projection);
        int targets = TargetSize(projection);
        int pre = CheckSubset(projection.Name, projection.Source.Units, sources);
        int post = CheckSubset(projection.Name, projection.Target.Units, targets);
        if (projection.Target.Units is { } population && population.Distinct().Count() != post)
            ThrowHelper.Invalid($"{projection.Name}: a unit of the target is named twice, so it would have two rows of weights.");
        CheckSynapses(projection, post, pre);
        if (projection.Signs is { } signs && signs.Length != pre)
            ThrowHelper.ShapeMismatch($"{projection.Name}.Signs", signs.Length, pre, "(pre)");
        if (projection.Source.Kind is SignalKind.Area or SignalKind.Readout && projection.Source.Delay < 1 && !projection.Target.IsReadout)
            ThrowHelper.NotPositive($"{projection.Name}.Delay", projection.Source.Delay);
        if (projection.Target.IsReadout && projection.Source.Kind is SignalKind.Readout or SignalKind.Input)
            ThrowHelper.Invalid($"{projection.Name}: a readout receives areas and the constant 1 only.");
        if (projection.Gate is { Kind: GateKind.Every, Number: < 1 } gate)
            ThrowHelper.NotPositive($"{projection.Name}.Gate", gate.Number);
        if (projection.Gate is { Kind: GateKind.Event, Number: < 0 } atEvent)
            ThrowHelper.OutOfRange($"the event of {projection.Name}.Gate", atEvent.Number, "at least 0");
        if (projection.Target.IsReadout && projection.Gate.Kind != GateKind.Always)
            ThrowHelper.Invalid($"{projection.Name}: a projection onto a readout has no gate.");
        if (projection.Plasticity is { } plastic)
            CheckPlasticity(projection, plastic);
        if (!(projection.Lower <= projection.Upper))
            ThrowHelper.Invalid(FormattableString.Invariant($"{projection.Name}: the lower bound {projection.Lower} is above the upper bound {projection.Upper}."));
        if (!(projection.Decay >= 0) || !double.IsFinite(projection.Decay))
            ThrowHelper.OutOfRange($"{projection.Name}.Decay", projection.Decay, "finite and at least 0");
        foreach ((string penalty, double strength) in new[] { ("L1", projection.L1), ("L2", projection.L2) })
            if (!(strength >= 0) || !double.IsFinite(strength))
                ThrowHelper.OutOfRange($"{projection.Name}.{penalty}", strength, "finite and at least 0");
        CheckWeights(projection, pre);
        _projections.Add(projection with { Signs = projection.Signs is { } copied ? [.. copied] : null });
        return new ProjectionId(_projections.Count - 1);
    }

    /// <summary>Adds the feedback of a readout's error to an area.</summary>
    /// <exception cref="ArgumentException">A part is unknown or the matrix is not of shape (units, outputs).</exception>
    public void AddFeedback(FeedbackSpec feedback)
    {
        ArgumentNullException.ThrowIfNull(feedback);
        Known(nameof(feedback.Readout), feedback.Readout.Index, _readouts.Count);
        Known(nameof(feedback.Area), feedback.Area.Index, _areas.Count);
        string name = $"the feedback matrix of {_readouts[feedback.Readout.Index].Name} to {_areas[feedback.Area.Index].Name}";
        long expected = (long)_areas[feedback.Area.Index].Units * _readouts[feedback.Readout.Index].Outputs;
        if (feedback.Matrix is { } matrix)
        {
            if (matrix.Length != expected)
                ThrowHelper.ShapeMismatch(name, matrix.Length, expected, "(units, outputs)");
            Finite(name, matrix);
        }

        _feedbacks.Add(feedback with { Matrix = feedback.Matrix is { } copied ? [.. copied] : null });
    }

    /// <summary>The graph of everything added so far.</summary>
    /// <exception cref="ArgumentException">There is no area.</exception>
    public Graph Build()
    {
        if (_areas.Count == 0)
            ThrowHelper.Invalid("A graph needs at least one area.");
        CheckTrialMeans();
        CheckModelsOfRules();
        CheckPerturbations();
        var graph = new Graph([.. _areas], [.. _inputs], [.. _readouts], [.. _projections], [.. _feedbacks], [.. _perturbations], History);
        CheckModulators(graph);
        return graph;
    }

    private static void Known(string what, int index, int count)
    {
        if (index < 0 || index >= count)
            ThrowHelper.Unknown(what, index, count);
    }

    private int SourceSize(ProjectionSpec projection)
    {
        Source source = projection.Source;
        switch (source.Kind)
        {
            case SignalKind.Area:
                Known(projection.Name, source.Index, _areas.Count);
                return _areas[source.Index].Units;
            case SignalKind.Input:
                Known(projection.Name, source.Index, _inputs.Count);
                return _inputs[source.Index].Channels;
            case SignalKind.Readout:
                Known(projection.Name, source.Index, _readouts.Count);
                return _readouts[source.Index].Outputs;
            default:
                return 1;
        }
    }

    private int TargetSize(ProjectionSpec projection)
    {
        Target target = projection.Target;
        Known(projection.Name, target.Index, target.IsReadout ? _readouts.Count : _areas.Count);
        return target.IsReadout ? _readouts[target.Index].Outputs : _areas[target.Index].Units;
    }

    private static int CheckSubset(string name, int[]? units, int size)
    {
        if (units is null)
            return size;
        foreach (int unit in units)
            Known(name, unit, size);
        return units.Length;
    }

    private static void CheckSynapses(ProjectionSpec projection, int post, int pre)
    {
        switch (projection.Synapses)
        {
            case DenseSynapses dense:
                long expected = (long)post * pre;
                SizeLimits.Fits($"{projection.Name}.Weights", post, "units", pre, "presynaptic signals", "Use sparse connections (Synapses.Sparse; a density in the language) or fewer units.");
                if (dense.Weights.Length != expected)
                    ThrowHelper.ShapeMismatch($"{projection.Name}.Weights", dense.Weights.Length, expected, $"(post {post}, pre {pre})");
                if (dense.Exists is { } exists && exists.Length != expected)
                    ThrowHelper.ShapeMismatch($"{projection.Name}.Exists", exists.Length, expected, $"(post {post}, pre {pre})");
                break;
            case SparseSynapses sparse:
                if (sparse.RowStart.Length != post + 1 || sparse.RowStart[0] != 0 || sparse.RowStart[post] != sparse.Columns.Length)
                    ThrowHelper.Invalid($"{projection.Name}: row starts do not describe {post} rows of {sparse.Columns.Length} entries.");
                if (sparse.Weights.Length != sparse.Columns.Length)
                    ThrowHelper.ShapeMismatch($"{projection.Name}.Weights", sparse.Weights.Length, sparse.Columns.Length, "(entries)");
                for (int row = 0; row < post; row++)
                    CheckRow(projection.Name, sparse, row, pre);
                break;
            case SizedSynapses sized:
                if (sized.Existing < 0 || sized.Existing > (long)post * pre)
                    ThrowHelper.OutOfRange($"{projection.Name}: the number of connections", sized.Existing, FormattableString.Invariant($"in 0 .. {(long)post * pre}"));
                break;
            default:
                ThrowHelper.Invalid($"{projection.Name}: no such kind of synapses.");
                break;
        }
    }

    private static void CheckRow(string name, SparseSynapses sparse, int row, int pre)
    {
        int previous = -1;
        if (sparse.RowStart[row + 1] < sparse.RowStart[row])
            ThrowHelper.Invalid($"{name}: row {row} ends before it starts.");
        for (int k = sparse.RowStart[row]; k < sparse.RowStart[row + 1]; k++)
        {
            Known(name, sparse.Columns[k], pre);
            if (sparse.Columns[k] <= previous)
                ThrowHelper.Invalid($"{name}: the columns of row {row} do not rise.");
            previous = sparse.Columns[k];
        }
    }

    private static void CheckTau(AreaSpec area, Plasticity plastic)
    {
        string name = $"{area.Name}.TauPlasticity";
        CheckPlan(name, plastic);
        if (area.Dynamics == Dynamics.WinnerTakeAll)
            ThrowHelper.Invalid($"{name}: a winner-take-all area has no time constant.");
        if (area.Model is { } model)
            ThrowHelper.Invalid($"{name}: time constants do not learn under the unit model {model}, which does not give its derivative by them. Leave TauPlasticity out.");
        if (plastic.Rule is not (BpttRule or RtrlRule) && !(plastic.Rule is ThreeFactorRule local && local.LearnsTau))
            ThrowHelper.Invalid($"{name}: {plastic.Rule.GetType().Name} has no form for time constants.");
    }

    private static void CheckInitial(AreaSpec area, Plasticity plastic)
    {
        string name = $"{area.Name}.InitialPlasticity";
        CheckPlan(name, plastic);
        if (plastic.Rule is TruncatedBpttRule truncated)
            CheckWindow(name, truncated, plastic.Schedule);
        if (area.Dynamics == Dynamics.WinnerTakeAll)
            ThrowHelper.Invalid($"{name}: the state of a winner-take-all area is a choice, which has no gradient. Leave InitialPlasticity out.");
        if (area.InitialPolicy == InitialPolicy.CarriedOver)
            ThrowHelper.Invalid($"{name}: an area that carries its states over has no initial state of its own. Set InitialPolicy to Reset, or leave InitialPlasticity out.");
        if (plastic.Rule is not (BpttRule or TruncatedBpttRule or RtrlRule) && !(plastic.Rule is ThreeFactorRule { LearnsInitialStates: true }))
            ThrowHelper.Invalid($"{name}: {plastic.Rule.GetType().Name} has no form for initial states.");
    }

    private void CheckPlasticity(ProjectionSpec projection, Plasticity plastic)
    {
        CheckPlan(projection.Name, plastic);
        if (plastic.Rule is TruncatedBpttRule truncated)
            CheckWindow(projection.Name, truncated, plastic.Schedule);
        if (plastic.Rule is KernlRule kernl && !(kernl.Rate >= 0 && kernl.Rate <= 1))
            ThrowHelper.OutOfRange($"{projection.Name}.Rate", kernl.Rate, "in [0, 1]");
        if (projection.Target.IsReadout)
        {
            CheckReadoutRule(projection, plastic.Readout);
            return;
        }

        AreaSpec area = _areas[projection.Target.Index];
        if (plastic.Rule is FullForceRule full)
            full.Check(projection, _areas, area);
        if (plastic.Rule is ThreeFactorRule local)
            CheckLocal(projection.Name, local, plastic.Schedule, area);
        else if (area.Dynamics == Dynamics.WinnerTakeAll && plastic.Rule is not CustomRule)
            ThrowHelper.Invalid($"{projection.Name}: a winner-take-all area has no slope, so {plastic.Rule.GetType().Name} cannot reach it.");
    }

    private static void CheckPlan(string name, Plasticity plastic)
    {
        Given($"{name}.Rule", plastic.Rule);
        CheckRule(name, plastic.Rule);
        Defined($"{name}.Schedule", plastic.Schedule.Time);
        Given($"{name}.Optimizer", plastic.Optimizer);
        Given($"{name}.Rates", plastic.Rates);
        if (!(plastic.LearningRate >= 0) || !double.IsFinite(plastic.LearningRate))
            ThrowHelper.OutOfRange($"{name}.LearningRate", plastic.LearningRate, "finite and at least 0");
        if (plastic.Schedule.Every < 1)
            ThrowHelper.NotPositive($"{name}.Schedule", plastic.Schedule.Every);
        foreach (OutOfRange problem in plastic.Optimizer.Problems.Concat(plastic.Rates.Problems))
            ThrowHelper.OutOfRange($"{name}: {problem.What}", problem.Value, problem.Allowed);
        if (!(plastic.Clip.Norm > 0))
            ThrowHelper.OutOfRange($"{name}.Clip", plastic.Clip.Norm, "more than 0");
        if (plastic is { Rule: BpttRule, Schedule.IsStepwise: true })
            ThrowHelper.Invalid($"{name}: BPTT needs the whole trial and cannot update online.");
    }

    private static void CheckWindow(string name, TruncatedBpttRule rule, UpdateSchedule schedule)
    {
        if (rule.Stride < 1)
            ThrowHelper.NotPositive($"{name}.Stride", rule.Stride);
        if (rule.Window < rule.Stride)
            ThrowHelper.Invalid($"{name}: a window of {rule.Window} steps is shorter than the {rule.Stride} steps between backward passes, so some errors would be left out.");
        if (schedule.Time == UpdateTime.EverySteps && schedule.Every % rule.Stride != 0)
            ThrowHelper.Invalid($"{name}: updates every {schedule.Every} steps fall between backward passes, which are {rule.Stride} steps apart.");
    }

    private static void CheckLocal(string name, ThreeFactorRule rule, UpdateSchedule schedule, AreaSpec area)
    {
        if (rule.Post == PostSignal.Slope && area.Dynamics == Dynamics.WinnerTakeAll)
            ThrowHelper.Invalid($"{name}: a winner-take-all area has no slope. Set Post to Rate.");
        if (rule.Post == PostSignal.Noise && !(area.Noise > 0))
            ThrowHelper.Invalid($"{name}: the trace takes the noise of {area.Name}, which has none.");
        if (rule.NeedsWholeTrial && schedule.IsStepwise)
            ThrowHelper.Invalid($"{name}: the reward of a trial is computed at its end, so updates cannot be online.");
        foreach ((string what, double alpha) in new[] { ("MemoryAlpha", rule.MemoryAlpha), ("PreAlpha", rule.PreAlpha) })
            if (!(alpha > 0 && alpha <= 1))
                ThrowHelper.OutOfRange($"{name}.{what}", alpha, "in (0, 1]");
        foreach (Shaping shaping in new[] { rule.PostShaping, rule.PreShaping, rule.ThirdShaping })
            if (!(shaping.MeanAlpha >= 0 && shaping.MeanAlpha <= 1))
                ThrowHelper.OutOfRange($"{name}.MeanAlpha", shaping.MeanAlpha, "in [0, 1]");
    }
}
