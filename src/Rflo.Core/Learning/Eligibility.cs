using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// The two local factors of a three-factor rule and the decay of its traces, step by step: decay(t), post(t) and
/// pre(t) in e(t) = decay(t) e(t-1) + post(t) pre(t)'.
/// </summary>
/// <remarks>Factors that the network stores (slopes, signals) are read from it without a copy.</remarks>
internal sealed class Eligibility<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AreaState<T> _area;
    private readonly ThreeFactorRule _rule;
    private readonly Shaper<T> _postShaper;
    private readonly (Segment Segment, Shaper<T> Shaper)[] _pres;
    private readonly AlignedArray<T>? _post;
    private readonly AlignedArray<T>? _pre;
    private readonly AlignedArray<T>? _constantDecay;
    private readonly AlignedArray<T>? _decays;
    private readonly Segment[] _selfConnections;
    private readonly T[] _filtered;
    private readonly T _preAlpha;

    /// <param name="network">The network.</param>
    /// <param name="area">The area of the postsynaptic units.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="learning">The projections whose presynaptic factors are needed; none where only units learn.</param>
    public Eligibility(Network<T> network, AreaState<T> area, ThreeFactorRule rule, Segment[] learning)
    {
        _network = network;
        _area = area;
        _rule = rule;
        _filtered = Storage.New<T>(rule.PreAlpha < 1 ? area.Afferents.Stride : 0);
        _preAlpha = T.CreateTruncating(rule.PreAlpha);
        _postShaper = new Shaper<T>(rule.PostShaping, area.Units, network, area);
        _pres = [.. learning.Select(segment => (segment, new Shaper<T>(rule.PreShaping, segment.Width, network, area)))];
        if (KeepsPost(rule))
            _post = new AlignedArray<T>(network.MaxSteps + 1, area.Padded);
        if (KeepsPre(rule))
            _pre = new AlignedArray<T>(network.MaxSteps + 1, area.Afferents.Stride);
        _selfConnections = [.. area.SelfConnections];

        // The traces of a unit model's slopes have decays of their own (StateMemory).
        bool ofModel = area.HasModel && rule.Post == PostSignal.Slope;
        if (!ofModel && rule.FixedMemory<T>() is { } left)
            _constantDecay = ConstantDecay(left);
        if (KeepsDecay(area, rule))
            _decays = new AlignedArray<T>(network.MaxSteps + 1, area.Padded);
        if (rule.Post == PostSignal.Current)
            area.KeepCurrents();
        if (rule.Post == PostSignal.Noise)
            area.KeepNoises();
    }

    /// <summary>post(t), shape (padded units).</summary>
    public Span<T> Post(int step) => _post is { } own ? own.Row(step, _area.Padded) : _area.Post(step);

    /// <summary>The rows of post from step <paramref name="step"/> on.</summary>
    public Span<T> PostFrom(int step) => _post is { } own ? own.From(step, _area.Padded) : _area.PostFrom(step);

    /// <summary>pre(t), the wide row of presynaptic factors.</summary>
    public Span<T> Pre(int step) => _pre is { } own ? own.Row(step, _area.Afferents.Stride) : _area.Afferents.Signals(step);

    /// <summary>The rows of pre from step <paramref name="step"/> on.</summary>
    public Span<T> PreFrom(int step) => _pre is { } own ? own.From(step, _area.Afferents.Stride) : _area.Afferents.SignalsFrom(step);

    /// <summary>decay(t), shape (padded units): that of the step, before later updates of time constants.</summary>
    public Span<T> Decay(int step) => _decays is { } rows ? rows.Row(step, _area.Padded) : _constantDecay is { } constant ? constant.Span : _area.DecayOf(step);

    /// <summary>Whether decay(t) may differ from step to step.</summary>
    public bool DecayChanges => _decays is not null || (_constantDecay is null && _area.DecayChanges);

    /// <summary>The operator that computes the local factors of each step, where the network does not store all of them.</summary>
    /// <param name="area">The area.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="group">The projections that learn together.</param>
    public static IEnumerable<PlanOperator> Operators(AreaState<T> area, ThreeFactorRule rule, string group)
    {
        if (!KeepsPost(rule) && !KeepsPre(rule) && !KeepsDecay(area, rule))
            yield break;
        string name = area.Spec.Name;
        IEnumerable<PlanRead> own = KeepsDecay(area, rule) && rule.Memory == TraceMemory.OwnJacobian
            ? area.SelfConnections.Select(segment => new PlanRead(Weights(segment.Spec.Name)))
            : [];
        PlanRead post = rule.Post switch
        {
            PostSignal.Slope => new(Slopes(name)),
            PostSignal.Rate => new(Rates(name)),
            _ => new(Currents(name)),
        };
        yield return new(PlanStage.ObserveStep, $"local factors of {group}", [post, new(Signals(name)), new(TimeConstants(name)), .. own], [LocalFactors(group)]);
    }

    /// <summary>The buffers that a trace reads its local factors from.</summary>
    /// <param name="area">The area.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="group">The projections that learn together.</param>
    public static IEnumerable<PlanRead> Reads(AreaState<T> area, ThreeFactorRule rule, string group)
    {
        yield return KeepsPost(rule) ? new(LocalFactors(group)) : new(Slopes(area.Spec.Name));
        yield return KeepsPre(rule) ? new(LocalFactors(group)) : new(Signals(area.Spec.Name));
        yield return KeepsDecay(area, rule) ? new(LocalFactors(group)) : new(TimeConstants(area.Spec.Name));
    }

    private static string LocalFactors(string group) => $"local factors of {group}";

    private static bool KeepsPost(ThreeFactorRule rule) => rule.Post != PostSignal.Slope || !rule.PostShaping.IsPlain;

    private static bool KeepsPre(ThreeFactorRule rule) => rule.PreAlpha < 1 || !rule.PreShaping.IsPlain;

    /// <summary>Whether decay(t) differs from step to step. The traces of a unit model's slopes have decays of their own (StateMemory).</summary>
    private static bool KeepsDecay(AreaState<T> area, ThreeFactorRule rule) => rule.Memory switch
    {
        TraceMemory.OwnJacobian => !(area.HasModel && rule.Post == PostSignal.Slope),
        TraceMemory.AsUnit => area.Spec.TauPlasticity is { LearningRate: > 0, Schedule.IsStepwise: true },
        _ => false,
    };

    /// <summary>Before the first step of a trial: empties the presynaptic filter.</summary>
    public void Begin() => _filtered.AsSpan().Clear();

    /// <summary>Saves or restores the running means, which are kept from trial to trial.</summary>
    public void Visit(StateVisitor visitor)
    {
        _postShaper.Visit(visitor.Of("post"));
        foreach ((Segment segment, Shaper<T> shaper) in _pres)
            shaper.Visit(visitor.Of("pre", segment.Projection));
    }

    /// <summary>After the forward step: computes and stores the factors of that step. Steps must come in order.</summary>
    public void Take(int step)
    {
        if (_post is { } post)
            TakePost(step, post.Row(step, _area.Padded));
        if (_pre is { } pre)
            TakePre(step, pre.Row(step, _area.Afferents.Stride));
        if (_decays is { } decays)
            TakeDecay(step, decays.Row(step, _area.Padded));
    }

    private AlignedArray<T> ConstantDecay(T left)
    {
        var decay = new AlignedArray<T>(_area.Padded);
        if (decay.IsHeld)
            decay.Span[.._area.Units].Fill(left);
        return decay;
    }

    private void TakePost(int step, Span<T> post)
    {
        ReadOnlySpan<T> from = _rule.Post switch
        {
            PostSignal.Rate => _area.Rates(step),
            PostSignal.Current => _area.Currents(step),
            PostSignal.Noise => _area.Noises(step),
            _ => _area.Post(step),
        };
        from.CopyTo(post);
        _postShaper.Apply(post[.._area.Units]);
    }

    /// <summary>The presynaptic factors of the trained projections; between them a row stays 0, whatever value a function has at 0.</summary>
    private void TakePre(int step, Span<T> pre)
    {
        Span<T> signals = _area.Afferents.Signals(step);
        foreach ((Segment segment, Shaper<T> shaper) in _pres)
        {
            Span<T> own = pre.Slice(segment.Offset, segment.Width);
            signals.Slice(segment.Offset, segment.Width).CopyTo(own);
            if (_rule.PreAlpha < 1)
                Filter(own, _filtered.AsSpan(segment.Offset, segment.Width));
            shaper.Apply(own);
        }
    }

    private void Filter(Span<T> signals, Span<T> filtered)
    {
        for (int j = 0; j < signals.Length; j++)
            signals[j] = filtered[j] = T.FusedMultiplyAdd(_preAlpha, signals[j] - filtered[j], filtered[j]);
    }

    /// <summary>1 - alpha of the step, before a time constant learns; for the diagonal Jacobian plus alpha phi'(u) W_ii, where W_ii sums the self-connections of one step's delay.</summary>
    private void TakeDecay(int step, Span<T> decay)
    {
        _area.DecayOf(step).CopyTo(decay);
        if (_rule.Memory != TraceMemory.OwnJacobian)
            return;
        Span<T> slope = _area.Post(step);
        ReadOnlySpan<T> gain = _area.HasGain ? _area.Gain(step - 1) : [];
        foreach (Segment segment in _selfConnections)
        {
            T factor = _network.FactorOf(segment, step);
            if (factor == T.Zero)
                continue;
            for (int k = 0; k < segment.Width; k++)
            {
                int unit = segment.SourceUnit(k);
                T weight = factor * _area.Afferents.Weight(segment, unit, k);
                decay[unit] = T.FusedMultiplyAdd(slope[unit], gain.IsEmpty ? weight : weight * gain[unit], decay[unit]);
            }
        }
    }
}
