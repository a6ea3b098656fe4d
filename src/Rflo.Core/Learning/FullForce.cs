using System.Numerics;
using System.Numerics.Tensors;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>Weights between areas learn by recursive least squares; see <see cref="FullForceRule"/> for what it computes and costs.</summary>
internal sealed class FullForce<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T> _area;
    private readonly AreaState<T> _teacher;
    private readonly Segment[] _segments;
    private readonly FullForceRule _rule;
    private readonly RecursiveProblem<T>[] _problems;
    private readonly T[] _errors;

    /// <param name="network">The network.</param>
    /// <param name="area">The area that learns.</param>
    /// <param name="segments">The projections onto it that learn together.</param>
    /// <param name="rule">The rule.</param>
    public FullForce(Network<T> network, AreaState<T> area, Segment[] segments, FullForceRule rule)
    {
        (_area, _teacher, _segments, _rule) = (area, network.Areas[rule.Teacher.Index], segments, rule);
        _area.KeepCurrents();
        _teacher.KeepCurrents();
        _problems = [.. Regressors<T>.Of(area.Afferents, segments).Select(regressors => new RecursiveProblem<T>(regressors, rule.Alpha))];
        _errors = new T[area.Units];
    }

    public override BufferPurpose Purpose => BufferPurpose.Weights;

    public override IReadOnlyList<PlanOperator> Operators
    {
        get
        {
            string[] weights = [.. _segments.Select(segment => Weights(segment.Spec.Name))];
            string own = _area.Spec.Name;
            return
            [
                new(
                    PlanStage.ApplyStep, $"recursive least squares of {own}",
                    [new(Signals(own)), new(Currents(own)), new(Currents(_teacher.Spec.Name)), .. weights.Select(buffer => new PlanRead(buffer))], weights),
            ];
        }
    }

    public override void Visit(StateVisitor visitor)
    {
        foreach (RecursiveProblem<T> problem in _problems)
            problem.Visit(visitor.Of("unit", problem.Regressors.Outputs[0]));
    }

    public override void ApplyStep(int step)
    {
        if (step % _rule.Every != 0)
            return;
        ReadOnlySpan<T> current = _area.Currents(step)[.._errors.Length];
        TensorPrimitives.Subtract(_teacher.Currents(step)[.._errors.Length], current, _errors);

        // The noise of the area's own units does not depend on weights.
        if (_area.Noise.Length > 0)
            TensorPrimitives.Add(_errors, _area.Noise.Span[.._errors.Length], _errors);
        foreach (RecursiveProblem<T> problem in _problems)
            problem.Learn(step, 1, _rule.Forgetting, _errors);
    }
}
