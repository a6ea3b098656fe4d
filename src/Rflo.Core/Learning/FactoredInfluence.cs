using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// The common part of KF-RTRL and its reverse: a factor C with a row for every rate, carried forward by the circuit's Jacobian,
/// and increments that are one outer product a step.
/// </summary>
internal abstract class FactoredInfluence<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _product;
    private readonly InfluenceColumns<T> _columns = new();
    private readonly (AlignedArray<T> Post, AlignedArray<T> Pre)[] _trial;
    private readonly MixingSource<T> _source;
    private int _steps;

    protected FactoredInfluence(
        Network<T> network, ErrorPath path, MixingSource<T> source, int columns, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas)
    {
        Network = network;
        Areas = [.. areas];
        _source = source;
        _columns.AddFree(columns);
        StateFactor = new InfluencePanels<T>(network, _columns, []);
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        OfStates = [.. network.Areas.Select(area => new AlignedArray<T>(area.StateWidth))];
        _product = [.. network.Areas.Select(area => new AlignedArray<T>(area.BlockRows, Width))];
        Contracted = new AlignedArray<T>(_columns.Count);
        _trial = [.. Areas.Select(pair => (
            new AlignedArray<T>(network.MaxSteps + 1, pair.Area.Padded), new AlignedArray<T>(network.MaxSteps + 1, pair.Area.Afferents.Stride)))];
        FirstUnit = new int[network.Areas.Length];
        for (int k = 1; k < FirstUnit.Length; k++)
            FirstUnit[k] = FirstUnit[k - 1] + network.Areas[k - 1].Units;
    }

    /// <summary>C, as panels of columns over the rates of all areas.</summary>
    public InfluencePanels<T> StateFactor { get; }

    protected static int Width => Kernels.PanelColumns<T>();

    protected Network<T> Network { get; }

    protected (AreaState<T> Area, Plastic<T> Plastic)[] Areas { get; }

    /// <summary>Learning signals of the states of all areas.</summary>
    protected AlignedArray<T>[] OfStates { get; }

    /// <summary>l' J C: the learning signals through the factor, before it is mixed.</summary>
    protected AlignedArray<T> Contracted { get; }

    /// <summary>Place of an area's first unit among the units of all areas.</summary>
    protected int[] FirstUnit { get; }

    public override BufferPurpose Purpose => BufferPurpose.Influence;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveStep, "factor of the states", [.. Network.Carrying(_signals)], ["factor of the states"]),
        new(PlanStage.ApplyStep, "mixed factors", [new("factor of the states"), .. Network.AllSlopes, .. Network.AllSignals], ["factors of the step", "factor of the states"]),
        .. Areas.SelectMany(pair => pair.Plastic.Around(pair.Plastic.Update("product of the factors", new PlanRead("factors of the step")))),
    ];

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _source.Begin(trial);
        StateFactor.Clear();
    }

    public override void ObserveStep(int step)
    {
        foreach (AreaState<T> area in Network.Areas)
            _signals[area.Index].WriteStates(step, OfStates[area.Index].Span);
        Contracted.Span.Clear();
        for (int panel = 0; panel < _columns.Panels; panel++)
            Carry(panel, step);
    }

    public override void ApplyStep(int step)
    {
        Mix(step);
        for (int k = 0; k < Areas.Length; k++)
        {
            Plastic<T> plastic = Areas[k].Plastic;
            Span<T> post = _trial[k].Post.Row(step, Areas[k].Area.Padded), pre = _trial[k].Pre.Row(step, plastic.Afferents.Stride);
            Factor(k, step, post, pre);
            if (!plastic.IsStepwise)
                continue;
            plastic.BeginIncrements(_steps);
            plastic.AddStep(post, pre, _steps);
            plastic.EndStep(step, _steps);
        }
    }

    public override void ApplyTrial(int steps)
    {
        for (int k = 0; k < Areas.Length; k++)
        {
            (AreaState<T> area, Plastic<T> plastic) = Areas[k];
            if (!plastic.IsStepwise)
            {
                plastic.BeginIncrements(1);
                plastic.AddTrial(_trial[k].Post.From(1, area.Padded), area.Padded, _trial[k].Pre.From(1, area.Afferents.Stride), 1, steps);
            }

            plastic.FinishTrial();
        }
    }

    /// <summary>Mixes the step's immediate influence into both factors, once C has been carried forward.</summary>
    protected abstract void Mix(int step);

    /// <summary>The two factors of the step's increment of the k-th learning area.</summary>
    protected abstract void Factor(int k, int step, Span<T> post, Span<T> pre);

    /// <summary>The random numbers of a step.</summary>
    protected void Draw(int step, Span<T> numbers) => _source.Fill(step, numbers);

    /// <summary>One entry of C: row of a unit's state, column of any direction.</summary>
    protected ref T Entry(AreaState<T> area, int step, int state, int unit, int column) =>
        ref StateFactor.Panel(area.Index, step, column / Width)[(state * area.BlockRows + unit) * Width + column % Width];

    protected static double Norm(ReadOnlySpan<T> values) => Math.Sqrt(double.CreateTruncating(TensorPrimitives.SumOfSquares(values)));

    private void Carry(int panel, int step)
    {
        foreach (AreaState<T> area in Network.Areas)
            StateFactor.Multiply(area, panel, step, _product[area.Index].Span);
        foreach (AreaState<T> area in Network.Areas)
            StateFactor.Advance(area, panel, step, _product[area.Index].Span, OfStates[area.Index].Span, Contracted.Span.Slice(panel * Width, Width));
    }
}
