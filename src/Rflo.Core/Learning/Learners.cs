using System.Numerics;

namespace Rflo.Core;

/// <summary>Makes the learners of a network: which rule trains which projections, and in which form.</summary>
internal static class Learners
{
    /// <summary>The learners that train a network by the plasticity of its projections. A projection with learning rate 0 has no learner.</summary>
    public static LearnerSet<T> ForTraining<T>(Network<T> network)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        new Builder<T>(network, segment => segment.Plasticity is { LearningRate: > 0 } plastic ? plastic : null, applies: true).Build();

    /// <summary>The learners of a parallel trial: they add to the collected increments of the same weights.</summary>
    /// <param name="network">The network of that trial.</param>
    /// <param name="original">The learners of the network whose weights it shares.</param>
    public static LearnerSet<T> Beside<T>(Network<T> network, LearnerSet<T> original)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        new Builder<T>(network, segment => segment.Plasticity is { LearningRate: > 0 } plastic ? plastic : null, applies: true, original).Build();

    /// <summary>
    /// Passive learners: they collect the increments of one rule for every plastic projection and change no weights.
    /// </summary>
    /// <param name="network">The network that they observe.</param>
    /// <param name="rule">The rule, which replaces those of the projections.</param>
    /// <param name="time">Whether its online or its trial-end form runs.</param>
    /// <param name="collected">Receives, for each projection of the graph, where its increments are; null where it is not plastic.</param>
    public static LearnerSet<T> Passive<T>(Network<T> network, LearningRule rule, UpdateTime time, out (Plastic<T> Plastic, Segment Segment)?[] collected)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Passive(network, segment => segment.Plasticity is null ? null : new Plasticity(rule, 1, new UpdateSchedule(time)), out collected);

    /// <summary>Passive learners: they collect the increments of rules and change no weights.</summary>
    /// <param name="network">The network that they observe.</param>
    /// <param name="plan">The rule of each projection; null for those without a learner.</param>
    /// <param name="collected">Receives, for each projection of the graph, where its increments are; null where there is no learner.</param>
    public static LearnerSet<T> Passive<T>(Network<T> network, Func<Segment, Plasticity?> plan, out (Plastic<T> Plastic, Segment Segment)?[] collected)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var builder = new Builder<T>(network, plan, applies: false);
        LearnerSet<T> learners = builder.Build();
        collected = builder.BySegment;
        return learners;
    }

    private sealed class Builder<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Network<T> _network;
        private readonly Func<Segment, Plasticity?> _plan;
        private readonly bool _applies;
        private readonly List<Learner<T>> _learners = [];
        private readonly List<Plastic<T>> _plastics = [];
        private readonly List<PlasticTau<T>> _taus = [];
        private readonly List<PlasticStart<T>> _starts = [];
        private readonly Dictionary<(LearningRule, UpdateSchedule), Exact> _exact = [];
        private readonly JointClip _joint;

        private readonly LearnerSet<T>? _original;
        private readonly List<(int Place, KernlRule Rule, Exact Parts, LearnerKey Key)> _kernl = [];
        private readonly List<(int Place, AreaState<T> Area, Plastic<T> Plastic, ThreeFactorRule Rule, LearnerKey Key)> _online = [];

        /// <param name="network">The network.</param>
        /// <param name="plan">How each projection learns; null for those that do not.</param>
        /// <param name="applies">Whether weights change; if not, increments are collected only.</param>
        /// <param name="original">The learners whose updates these add to; null for updates of their own.</param>
        public Builder(Network<T> network, Func<Segment, Plasticity?> plan, bool applies, LearnerSet<T>? original = null)
        {
            _original = original;
            _joint = original?.Joint ?? new JointClip();
            _network = network;
            _plan = segment => plan(segment) is { } plastic ? OfLanes(plastic) : null;
            _applies = applies;
            BySegment = new (Plastic<T>, Segment)?[network.Graph.Projections.Count];
        }

        public (Plastic<T> Plastic, Segment Segment)?[] BySegment { get; }

        public LearnerSet<T> Build()
        {
            foreach (AreaState<T> area in _network.Areas)
                AddFullForce(area);
            foreach (AreaState<T> area in _network.Areas)
                foreach ((LearningRule rule, UpdateSchedule schedule, Plastic<T> plastic) in Groups(area.Afferents, isDeltaRule: false))
                {
                    string name = plastic.Segments[0].Spec.Name;
                    ModelRules.Check(name, rule, _network.Graph.Areas, area.Spec);
                    ModulatorRules.Check(name, rule, _network.Graph.Areas, _network.Graph.Readouts, area.Spec, _network.Graph.History);
                    PerturbationRules.Check(name, rule, _network.Graph.Areas, _network.Graph.Perturbations);
                    Add(area, rule, schedule, plastic);
                }

            foreach (ReadoutState<T> readout in _network.Readouts)
            {
                AddLeastSquares(readout);
                foreach ((LearningRule rule, UpdateSchedule schedule, Plastic<T> plastic) in Groups(readout.Afferents, isDeltaRule: !readout.IsFedBack))
                    Add(readout, rule, schedule, plastic);
            }

            if (_applies)
                foreach (AreaState<T> area in _network.Areas)
                    if (area.Spec.TauPlasticity is { LearningRate: > 0 } plasticity)
                    {
                        Plasticity shared = OfLanes(plasticity);
                        _taus.Add(_original?.Taus.First(own => own.Area.Index == area.Index) ?? new PlasticTau<T>(area, shared, _joint, _network.Lanes));
                        Add(_taus[^1], shared);
                    }

            if (_applies)
                foreach (AreaState<T> area in _network.Areas)
                    if (area.Spec.InitialPlasticity is { LearningRate: > 0 } plasticity)
                        AddStart(area, OfLanes(plasticity) with { Schedule = ScheduleOf(plasticity.Rule, OfLanes(plasticity).Schedule) });

            foreach (((LearningRule rule, UpdateSchedule schedule), Exact parts) in _exact)
            {
                if (rule is RtrlRule && !schedule.IsStepwise)
                    AddBlocks(rule, schedule, parts);
                if (rule is RtrlRule && parts.Taus.Count + parts.Starts.Count > 0)
                    Add(new UnitInfluence<T>(_network, rule.Path, parts.Taus, parts.Starts), KeyOf(rule, schedule));
                if (parts.Areas.Count == 0 && parts.Readouts.Count == 0 && (rule is RtrlRule || parts.Taus.Count + parts.Starts.Count == 0))
                    continue;
                if (rule is KernlRule learned)
                {
                    _kernl.Add((_learners.Count, learned, parts, KeyOf(rule, schedule)));
                    _learners.Add(null!);
                    continue;
                }

                Learner<T> learner = rule switch
                {
                    BpttRule => new Bptt<T>(_network, rule.Path, parts.Areas, parts.Readouts, parts.Taus, parts.Starts),
                    TruncatedBpttRule truncated => new TruncatedBptt<T>(_network, truncated, schedule.IsStepwise, parts.Areas, parts.Readouts, parts.Starts),
                    RtrlRule => new Rtrl<T>(_network, rule.Path, schedule.IsStepwise, parts.Areas, parts.Readouts),
                    StochasticRule stochastic => Stochastic(stochastic, parts.Areas),
                    _ => throw new NotSupportedException($"There is no learner for the rule {rule}."),
                };
                Add(learner, KeyOf(rule, schedule));
            }

            foreach ((int place, KernlRule kernl, Exact parts, LearnerKey key) in _kernl)
                _learners[place] = new Kernl<T>(_network, kernl, new MixingSource<T>(_network.Seed, "KeRNL", MixingNoise.Gaussian), parts.Areas, Operators()) { Key = key };
            AddOnline();
            string? obstacle = Rewrites.OutputsToTrialEnd(Operators());
            _network.Choose(Forms.AnswersAtEnd, "readouts", obstacle);
            return new LearnerSet<T>([.. _learners], [.. _plastics], [.. _taus], [.. _starts], _joint, readsOutputsInSteps: obstacle is not null);
        }

        /// <summary>The operators of the network and of all learners; online three-factor rules have their plain form until their learners are made.</summary>
        private PlanOperator[] Operators() =>
        [
            .. _network.Operators,
            .. _learners.OfType<Learner<T>>().SelectMany(learner => learner.Operators),
            .. _online.Where(one => _learners[one.Place] is null).SelectMany(one => Plain(one.Area, one.Plastic, one.Rule)),
        ];

        private IEnumerable<PlanOperator> Plain(AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule) =>
            [.. ThreeFactorOnline<T>.Observing(_network, area, plastic, rule), .. plastic.Around(ThreeFactorOnline<T>.Updating(area, plastic, rule))];

        /// <summary>Makes the learners of three-factor rules online: their forms depend on what all others read and write.</summary>
        private void AddOnline()
        {
            foreach ((int place, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule, LearnerKey key) in _online)
            {
                PlanOperator[] plan = Operators();
                PlanOperator update = plan.Single(ThreeFactorOnline<T>.Updating(area, plastic, rule).IsSame);
                _learners[place] = PendingChange<T>.IsChosen(_network, area, plastic, plan, update)
                    ? new ThreeFactorDeferred<T>(_network, area, plastic, rule)
                    : Online(area, plastic, rule, plan, update);
                _learners[place].Key = key;
            }
        }

        private ThreeFactorOnline<T> Online(AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule, PlanOperator[] plan, PlanOperator update)
        {
            PlanOperator[] others = [.. plan.Where(one => !plastic.BeforeUpdate().Any(one.IsSame))];
            string? obstacle = (_network.Lanes.AreSeveral ? SharedUpdates : null)
                ?? plastic.DenseObstacle
                ?? (area.Spec.Dynamics == Dynamics.WinnerTakeAll ? $"the units of {area.Spec.Name} compete" : null)
                ?? Rewrites.IntoUpdate(others, update, _network.CurrentsOf(area, sparseToo: false));
            bool isAhead = _network.Choose(Forms.Ahead, plastic.Name, obstacle);
            return new ThreeFactorOnline<T>(_network, area, plastic, rule, isAhead, sparseToo: isAhead && plastic.OwnsSparse && Rewrites.IntoUpdate(others, update, _network.CurrentsOf(area, sparseToo: true)) is null);
        }

        private static LearnerKey KeyOf(LearningRule rule, UpdateSchedule schedule) => new("circuit", -1, (rule, schedule, null, Clip.None, null));

        private LearnerKey KeyOf(string part, int index, LearningRule rule, UpdateSchedule schedule, Plastic<T> plastic) =>
            _plan(plastic.Segments[0]) is { } plan ? new(part, index, (rule, schedule, plan.Optimizer, plan.Clip, plan.Rates)) : LearnerKey.None;

        private void Add(Learner<T> learner, LearnerKey key)
        {
            learner.Key = key;
            _learners.Add(learner);
        }

        private void Add(AreaState<T> area, LearningRule rule, UpdateSchedule schedule, Plastic<T> plastic)
        {
            switch (rule)
            {
                case CustomRule custom:
                    Add(new CustomLearner<T>(_network, area, plastic, custom), KeyOf("area", area.Index, rule, schedule, plastic));
                    break;
                case ThreeFactorRule { Post: PostSignal.Slope } local when area.HasModel:
                    Add(
                        schedule.IsStepwise ? new ThreeFactorStatesOnline<T>(_network, area, plastic, local) : new ThreeFactorStatesTrialEnd<T>(_network, area, plastic, local),
                        KeyOf("area", area.Index, rule, schedule, plastic));
                    break;
                case ThreeFactorRule local when schedule.IsStepwise:
                    _online.Add((_learners.Count, area, plastic, local, KeyOf("area", area.Index, rule, schedule, plastic)));
                    _learners.Add(null!);
                    break;
                case ThreeFactorRule local:
                    Add(new ThreeFactorTrialEnd<T>(_network, area, plastic, local), KeyOf("area", area.Index, rule, schedule, plastic));
                    break;
                default:
                    ExactOf(rule, schedule).Areas.Add((area, plastic));
                    break;
            }
        }

        private void Add(PlasticTau<T> tau, Plasticity plasticity)
        {
            if (plasticity.Rule is ThreeFactorRule local)
                Add(new TauTrace<T>(_network, tau, local), new LearnerKey("tau", tau.Area.Index, null));
            else
                ExactOf(plasticity.Rule, plasticity.Schedule).Taus.Add(tau);
        }

        private void AddStart(AreaState<T> area, Plasticity plasticity)
        {
            PlasticStart<T> plastic = _original?.Starts.First(own => own.Area.Index == area.Index) ?? new PlasticStart<T>(area, plasticity, _joint, _network.Lanes);
            _starts.Add(plastic);
            if (plasticity.Rule is ThreeFactorRule local)
                Add(new StartTrace<T>(_network, area, plastic, local), new LearnerKey("initial states", area.Index, null));
            else
                ExactOf(plasticity.Rule, plasticity.Schedule).Starts.Add((area, plastic));
        }

        private void Add(ReadoutState<T> readout, LearningRule rule, UpdateSchedule schedule, Plastic<T> plastic)
        {
            if (_plan(plastic.Segments[0]) is { Readout: TdReadout difference })
                Add(new TemporalDifferenceRule<T>(_network, readout, plastic, difference), KeyOf("readout", readout.Index, rule, schedule, plastic));
            else if (readout.IsFedBack && rule is BpttRule or TruncatedBpttRule or RtrlRule)
                ExactOf(rule, schedule).Readouts.Add((readout, plastic));
            else
                Add(new DeltaRule<T>(readout, plastic), KeyOf("readout", readout.Index, rule, schedule, plastic));
        }

        /// <summary>All projections onto a readout that solve the same least-squares problem solve it together, whatever their other settings.</summary>
        private void AddLeastSquares(ReadoutState<T> readout)
        {
            foreach (var group in readout.Afferents.Segments.Where(IsLeastSquares).GroupBy(segment => _plan(segment)!.Readout))
            {
                switch (group.Key)
                {
                    case RlsReadout rule:
                        Add(new RecursiveLeastSquares<T>(_network, readout, [.. group], rule), new LearnerKey("least squares", readout.Index, null));
                        break;
                    case RidgeReadout rule:
                        Add(new RidgeRegression<T>(_network, readout, [.. group], rule), new LearnerKey("least squares", readout.Index, null));
                        break;
                    default:
                        throw new NotSupportedException($"There is no learner for the readout rule {group.Key}.");
                }
            }
        }

        /// <summary>All projections onto an area that follow one teacher alike solve their least-squares problems together, whatever their other settings.</summary>
        private void AddFullForce(AreaState<T> area)
        {
            foreach (var group in area.Afferents.Segments.Where(IsLeastSquares).GroupBy(segment => (FullForceRule)_plan(segment)!.Rule))
            {
                string name = string.Join(", ", group.Select(segment => segment.Spec.Name));
                if (!_applies)
                    ThrowHelper.Invalid($"{name}: recursive least squares have no increments; they change the weights. Compare other rules.");
                if (_network.Graph.Perturbations.OfType<Lesion>().Any(lesion => lesion.Area.Index == area.Index))
                    ThrowHelper.Invalid($"{name}: lesioned units of {area.Spec.Name} have no current that can follow a teacher's. Leave the lesion out, or silence them.");
                Add(new FullForce<T>(_network, area, [.. group], group.Key), new LearnerKey("least squares of an area", area.Index, null));
            }
        }

        private bool IsLeastSquares(Segment segment) => _plan(segment) is { } plan && plan.IsLeastSquares(segment.Spec.Target.IsReadout);

        /// <summary>Makes RTRL in blocks for the groups of areas that it covers; the others remain for RTRL step by step.</summary>
        private void AddBlocks(LearningRule rule, UpdateSchedule schedule, Exact parts)
        {
            foreach (int[] group in Reach.Groups(_network.Graph))
            {
                bool learns = parts.Areas.Exists(pair => group.Contains(pair.Area.Index));
                string part = $"influence on {string.Join(", ", group.Select(index => _network.Graph.Areas[index].Name))}";
                if (!learns || !_network.Choose(Forms.Blocks, part, RtrlBlocks<T>.Obstacle(_network.Graph, group)))
                    continue;
                Add(new RtrlBlocks<T>(_network, rule.Path, group, parts.Areas, RtrlBlocks<T>.Steps), KeyOf(rule, schedule));
                parts.Areas.RemoveAll(pair => group.Contains(pair.Area.Index));
            }
        }

        private Learner<T> Stochastic(StochasticRule rule, List<(AreaState<T> Area, Plastic<T> Plastic)> areas)
        {
            var source = new MixingSource<T>(_network.Seed, rule.Factors.ToString(), rule.Noise);
            return rule.Factors switch
            {
                InfluenceFactors.RankOne => new Uoro<T>(_network, rule.Path, source, areas),
                InfluenceFactors.Kronecker => new KroneckerInfluence<T>(_network, rule.Path, source, areas),
                _ => new ReverseKroneckerInfluence<T>(_network, rule.Path, source, areas),
            };
        }

        private Exact ExactOf(LearningRule rule, UpdateSchedule schedule)
        {
            if (!_exact.TryGetValue((rule, schedule), out Exact? parts))
                _exact[(rule, schedule)] = parts = new Exact([], [], [], []);
            return parts;
        }

        private List<(LearningRule Rule, UpdateSchedule Schedule, Plastic<T> Plastic)> Groups(Afferents<T> afferents, bool isDeltaRule)
        {
            var groups = new List<(LearningRule, UpdateSchedule, Plastic<T>)>();
            foreach (var group in afferents.Segments.Where(segment => _plan(segment) is not null && !IsLeastSquares(segment)).GroupBy(segment => Key(_plan(segment)!, segment.Spec.Target.IsReadout)))
            {
                Segment[] segments = [.. group];
                (LearningRule rule, UpdateSchedule schedule, _, _, _, TdReadout? difference) = group.Key;
                if (!isDeltaRule && difference is null)
                    schedule = ScheduleOf(rule, schedule);

                // Oja's term uses the weights before the update: where they also decay, both are collected first.
                string? obstacle = Array.Find(segments, segment => segment.Spec.IsPenalized) is { } penalized ? $"the weights of {penalized.Spec.Name} cost something"
                    : rule is ThreeFactorRule { Oja: true } && Array.Find(segments, segment => segment.Spec.Decay != 0) is { } decaying ? $"Oja's term of {decaying.Spec.Name} is of the weights before they decay"
                    : Plastic<T>.CollectingReason(_plan(segments[0])! with { Schedule = schedule });
                string name = string.Join(", ", segments.Select(segment => segment.Spec.Name));
                bool direct = _applies && _original is null && (_network.Lanes.AreSeveral
                    ? !_network.Choose(Forms.Direct, name, obstacle ?? SharedUpdates) && obstacle is null
                    : _network.Choose(Forms.Direct, name, obstacle));
                Plastic<T> plastic = _original?.Plastics.First(own => own.Segments.Contains(segments[0]))
                    ?? new Plastic<T>(afferents, segments, _plan(segments[0])! with { Schedule = schedule }, _joint, _applies, direct, _network.Lanes);
                _plastics.Add(plastic);
                foreach (Segment segment in segments)
                    BySegment[segment.Projection] = (plastic, segment);
                groups.Add((rule, schedule, plastic));
            }

            return groups;
        }

        /// <summary>Why weights do not change as the increments of one trial come.</summary>
        private string SharedUpdates => $"{_network.Lanes.Count} lanes share every update";

        /// <summary>With lanes, updates at ends of trials are of all trials of a group.</summary>
        private Plasticity OfLanes(Plasticity plasticity) =>
            _network.Lanes.AreSeveral && plasticity.Schedule is { Time: UpdateTime.TrialEnd, Every: 1 }
                ? plasticity with { Schedule = new UpdateSchedule(UpdateTime.TrialEnd, _network.Lanes.Count, _network.Lanes.Mean) }
                : plasticity;

        /// <summary>Online, truncated BPTT has increments only in the steps of its backward passes.</summary>
        private static UpdateSchedule ScheduleOf(LearningRule rule, UpdateSchedule schedule) =>
            rule is TruncatedBpttRule truncated && schedule.Time == UpdateTime.Online ? new UpdateSchedule(UpdateTime.EverySteps, truncated.Stride) : schedule;

        /// <summary>Projections that agree in all of this learn together, whatever their rates.</summary>
        private static (LearningRule Rule, UpdateSchedule Schedule, Optimizer Optimizer, Clip Clip, LearningRateSchedule Rates, TdReadout? Difference) Key(Plasticity plasticity, bool isReadout) =>
            (plasticity.Rule, plasticity.Schedule, plasticity.Optimizer, plasticity.Clip, plasticity.Rates, isReadout ? plasticity.Readout as TdReadout : null);

        private sealed record Exact(List<(AreaState<T> Area, Plastic<T> Plastic)> Areas, List<(ReadoutState<T> Readout, Plastic<T> Plastic)> Readouts, List<PlasticTau<T>> Taus, List<(AreaState<T> Area, PlasticStart<T> Plastic)> Starts);
    }
}
