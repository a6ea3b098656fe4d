namespace Rflo.Core;

/// <content>What perturbs the circuit.</content>
public sealed partial class GraphBuilder
{
    private readonly List<PerturbationSpec> _perturbations = [];

    /// <summary>Adds a perturbation of parts that were added before.</summary>
    /// <exception cref="ArgumentException">A part is unknown, a shape does not fit, or a number is out of range.</exception>
    public void AddPerturbation(PerturbationSpec perturbation)
    {
        ArgumentNullException.ThrowIfNull(perturbation);
        string kind = perturbation.GetType().Name;
        CheckWindow(kind, perturbation.Window);
        if (!(perturbation.Trials.Fraction >= 0 && perturbation.Trials.Fraction <= 1))
            ThrowHelper.OutOfRange($"{kind}: the fraction of trials", perturbation.Trials.Fraction, "in [0, 1]");
        if (perturbation is ScaleProjection scale)
        {
            Known($"the projection of {kind}", scale.Projection.Index, _projections.Count);
            if (!double.IsFinite(scale.Factor))
                ThrowHelper.OutOfRange($"{kind}: the factor of {_projections[scale.Projection.Index].Name}", scale.Factor, "finite");
            if (!double.IsFinite(scale.Otherwise))
                ThrowHelper.OutOfRange($"{kind}: the factor of {_projections[scale.Projection.Index].Name} otherwise", scale.Otherwise, "finite");
        }

        _perturbations.Add(perturbation is UnitPerturbation ofUnits ? Checked(kind, ofUnits) : perturbation);
    }

    private UnitPerturbation Checked(string kind, UnitPerturbation perturbation)
    {
        Known($"the area of {kind}", perturbation.Area.Index, _areas.Count);
        AreaSpec area = _areas[perturbation.Area.Index];
        int[]? units = perturbation.Units is { } some ? [.. some] : null;
        int count = CheckSubset($"{kind} of {area.Name}", units, area.Units);
        if (count == 0 || units?.Distinct().Count() < count)
            ThrowHelper.Invalid($"{kind} of {area.Name}: it needs one or more units, each once.");
        switch (perturbation)
        {
            case Clamp clamp:
                CheckCourse($"{kind} of {area.Name}", clamp.Course, count);
                break;
            case Stimulate stimulus:
                CheckCourse($"{kind} of {area.Name}", stimulus.Course, count);
                if (!(stimulus.Noise >= 0) || !double.IsFinite(stimulus.Noise))
                    ThrowHelper.OutOfRange($"{kind} of {area.Name}: the noise", stimulus.Noise, "finite and at least 0");
                break;
            case KickStates kick:
                CheckKick($"{kind} of {area.Name}", kick, area, count);
                return kick with { Units = units, Values = [.. kick.Values] };
            case Lesion when perturbation.Window.Kind != WindowKind.WholeTrial:
                ThrowHelper.Invalid($"{kind} of {area.Name}: what is gone is gone for whole trials. Silence the units for a part of one.");
                break;
            case Lesion when area.InitialPolicy == InitialPolicy.CarriedOver:
                ThrowHelper.Invalid($"{kind} of {area.Name}: its rates are carried from trial to trial, and a trial does not write those that it begins with. Silence the units.");
                break;
        }

        return perturbation with { Units = units };
    }

    private static void CheckCourse(string name, TimeCourse course, int units)
    {
        Given(name, course);
        if (course.Width != 1 && course.Width != units)
            ThrowHelper.ShapeMismatch($"{name}: a step of the time course", course.Width, units, "1, or one number a unit,");
        foreach (double value in course.Values)
            if (!double.IsFinite(value))
                ThrowHelper.OutOfRange($"{name}: a value", value, "finite");
    }

    private static void CheckKick(string name, KickStates kick, AreaSpec area, int units)
    {
        Given(name, kick.Values);
        if (area.Dynamics == Dynamics.WinnerTakeAll)
            ThrowHelper.Invalid($"{name}: a winner-take-all area has no state but its choice. Clamp its units.");
        if (kick.Values.Count != 1 && kick.Values.Count != units)
            ThrowHelper.ShapeMismatch($"{name}: Values", kick.Values.Count, units, "1, or one number a unit,");
        Finite($"{name}: Values", [.. kick.Values]);
        Known($"{name}: the state", kick.State, area.StateCount);
    }

    private static void CheckWindow(string name, PerturbationWindow window)
    {
        Defined($"{name}.Window", window.Kind);
        if (window is { Kind: WindowKind.Steps or WindowKind.AfterEvent } && !(window.From >= 0 && window.To > window.From))
            ThrowHelper.Invalid($"{name}: the window from {window.From} to {window.To} steps has no step, or begins before the trial.");
        if (window.IsOfEvent && window.Number < 0)
            ThrowHelper.OutOfRange($"{name}: the event", window.Number, "at least 0");
    }

    private void CheckPerturbations()
    {
        PerturbationRules.CheckTau(_areas, _perturbations);
        foreach (ProjectionSpec projection in _projections)
            if (projection.Plasticity is { LearningRate: > 0 } plastic && !projection.Target.IsReadout)
                PerturbationRules.Check(projection.Name, plastic.Rule, _areas, _perturbations);
    }
}
