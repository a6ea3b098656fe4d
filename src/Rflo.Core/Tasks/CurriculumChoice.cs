namespace Rflo.Core;

/// <summary>One task after another: the next one begins as soon as the criterion of the current stage is met. The last task stays.</summary>
/// <remarks>State: the stage, the trials trained in it and those of them with a target, and the last losses and rewards.</remarks>
public sealed class CurriculumChoice : TaskChoice
{
    private readonly CurriculumStage[] _stages;
    private readonly double[] _losses;
    private readonly double[] _rewards;
    private int _trained;
    private int _scored;

    /// <summary>A curriculum of one stage more than there are criteria.</summary>
    /// <param name="passed">When each stage but the last is passed.</param>
    /// <exception cref="ArgumentException">A criterion covers less than one trial, or a threshold is NaN.</exception>
    public CurriculumChoice(IReadOnlyList<CurriculumStage> passed)
    {
        ArgumentNullException.ThrowIfNull(passed);
        _stages = [.. passed];
        foreach (CurriculumStage stage in _stages)
        {
            if (stage.Trials < 1)
                ThrowHelper.NotPositive(nameof(stage.Trials), stage.Trials);
            if (double.IsNaN(stage.LossBelow))
                ThrowHelper.OutOfRange(nameof(stage.LossBelow), stage.LossBelow, "a number");
            if (double.IsNaN(stage.RewardAbove))
                ThrowHelper.OutOfRange(nameof(stage.RewardAbove), stage.RewardAbove, "a number");
            if (double.IsNaN(stage.ValidationLossBelow))
                ThrowHelper.OutOfRange(nameof(stage.ValidationLossBelow), stage.ValidationLossBelow, "a number");
            if (double.IsNaN(stage.PerformanceAbove))
                ThrowHelper.OutOfRange(nameof(stage.PerformanceAbove), stage.PerformanceAbove, "a number");
        }

        int longest = _stages.Select(stage => stage.Trials).DefaultIfEmpty(0).Max();
        _losses = new double[longest];
        _rewards = new double[longest];
    }

    /// <summary>The stage that the next trial belongs to, from 0.</summary>
    public int Stage { get; private set; }

    /// <inheritdoc/>
    public override int Count => _stages.Length + 1;

    /// <inheritdoc/>
    public override int StateLength => 3 + 2 * _losses.Length;

    /// <inheritdoc/>
    public override int Choose(int trial, RandomStream stream) => Stage;

    /// <inheritdoc/>
    public override void Learned(double loss, double reward)
    {
        if (Stage == _stages.Length)
            return;
        CurriculumStage stage = _stages[Stage];
        _rewards[_trained++ % stage.Trials] = reward;
        if (!double.IsNaN(loss))
            _losses[_scored++ % stage.Trials] = loss;
        if (!stage.IsByValidation && IsPassed(stage))
            Pass();
    }

    /// <inheritdoc/>
    public override void Validated(double loss, double performance)
    {
        if (Stage == _stages.Length)
            return;
        CurriculumStage stage = _stages[Stage];
        bool isBelow = double.IsPositiveInfinity(stage.ValidationLossBelow) || loss < stage.ValidationLossBelow;
        bool isAbove = double.IsNegativeInfinity(stage.PerformanceAbove) || performance > stage.PerformanceAbove;
        if (stage.IsByValidation && isBelow && isAbove && IsPassed(stage))
            Pass();
    }

    private void Pass() => (Stage, _trained, _scored) = (Stage + 1, 0, 0);

    private bool IsPassed(CurriculumStage stage) =>
        _trained >= stage.Trials && LossIsBelow(stage) && Mean(_rewards, stage.Trials) > stage.RewardAbove;

    private bool LossIsBelow(CurriculumStage stage) =>
        double.IsPositiveInfinity(stage.LossBelow)
        || (_scored >= stage.Trials && Mean(_losses, stage.Trials) < stage.LossBelow);

    /// <inheritdoc/>
    public override void Save(Span<double> state)
    {
        (state[0], state[1], state[2]) = (Stage, _trained, _scored);
        _losses.CopyTo(state[3..]);
        _rewards.CopyTo(state[(3 + _losses.Length)..]);
    }

    /// <inheritdoc/>
    public override void Restore(ReadOnlySpan<double> state)
    {
        Stage = Math.Clamp((int)state[0], 0, _stages.Length);
        _trained = Math.Max(0, (int)state[1]);
        _scored = Math.Max(0, (int)state[2]);
        state.Slice(3, _losses.Length).CopyTo(_losses);
        state.Slice(3 + _losses.Length, _rewards.Length).CopyTo(_rewards);
    }

    private static double Mean(double[] values, int count)
    {
        double sum = 0;
        for (int k = 0; k < count; k++)
            sum += values[k];
        return sum / count;
    }
}
