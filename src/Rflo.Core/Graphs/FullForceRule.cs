namespace Rflo.Core;

/// <summary>
/// Recursive least squares of weights between areas, the update of full-FORCE (DePasquale et al. 2018): the trained projections of a unit are fitted so that
/// its current u_i equals that of the same unit of a teacher, another area of the circuit. In every k-th step, for each unit i,
/// e_i(t) = u*_i(t) - u_i(t), k = P s / (lambda + s' P s), dW_i = e_i k', P = (P - k (P s)') / lambda, P = I / alpha at the start.
/// </summary>
/// <remarks>
/// s are the presynaptic signals of the step that unit i receives by the projections that learn by one such rule; units that receive the same share P. u*
/// is the teacher's current of the same step, with its noise; u is without the noise of its own area, which no weight makes. After any number of steps with
/// lambda = 1, W_i minimises the sum of (u*_i - c_i - W_i s)^2 + alpha |W_i - W_i(0)|^2, where c_i is the rest of its current. P is kept from trial to
/// trial, in double precision. Time and memory O(pre^2) a step; times the number of units where their connections differ, as without self-connections. The
/// learning rate only decides whether a projection learns: it does if the rate is more than 0.
/// </remarks>
/// <param name="Teacher">An area with as many units.</param>
/// <param name="Alpha">alpha, more than 0: small for fast learning.</param>
/// <param name="Forgetting">lambda, the forgetting factor, in (0, 1]: 1 weights all steps alike.</param>
/// <param name="Every">k, at least 1: an update is made in every k-th step.</param>
public sealed record FullForceRule(AreaId Teacher, double Alpha = 1, double Forgetting = 1, int Every = 1) : LearningRule(ErrorPath.Feedback)
{
    /// <summary>Refuses what has no meaning.</summary>
    /// <param name="projection">What is to learn.</param>
    /// <param name="areas">The areas of the circuit.</param>
    /// <param name="target">The area that it ends at.</param>
    /// <exception cref="ArgumentException">The rule cannot learn there; the message has the reason and a fix.</exception>
    internal void Check(ProjectionSpec projection, IReadOnlyList<AreaSpec> areas, AreaSpec target)
    {
        string name = projection.Name;
        if (Teacher.Index < 0 || Teacher.Index >= areas.Count)
            ThrowHelper.Unknown($"the teacher of {name}", Teacher.Index, areas.Count);
        AreaSpec teacher = areas[Teacher.Index];
        if (Teacher.Index == projection.Target.Index)
            ThrowHelper.Invalid($"{name}: {teacher.Name} cannot be its own teacher. Add an area with as many units.");
        if (teacher.Units != target.Units)
            ThrowHelper.ShapeMismatch($"the units of {teacher.Name}, the teacher of {name}", teacher.Units, target.Units, $"(units of {target.Name})");
        if (teacher.Dynamics == Dynamics.WinnerTakeAll || target.Dynamics == Dynamics.WinnerTakeAll)
            ThrowHelper.Invalid($"{name}: the currents of a winner-take-all area are not made in every step, so none can be a target or follow one.");
        if (!(Alpha > 0) || !double.IsFinite(Alpha))
            ThrowHelper.OutOfRange($"{name}.Alpha", Alpha, "finite and more than 0");
        if (!(Forgetting > 0 && Forgetting <= 1))
            ThrowHelper.OutOfRange($"{name}.Forgetting", Forgetting, "in (0, 1]");
        if (Every < 1)
            ThrowHelper.NotPositive($"{name}.Every", Every);
        if (projection.Signs is not null || double.IsFinite(projection.Lower) || double.IsFinite(projection.Upper))
            ThrowHelper.Invalid($"{name}: the least-squares solution keeps to no signs and no bounds.");
        if (projection.Decay != 0 || projection.IsPenalized)
            ThrowHelper.Invalid($"{name}: least squares have no decay and no penalty but their own alpha.");
    }
}
