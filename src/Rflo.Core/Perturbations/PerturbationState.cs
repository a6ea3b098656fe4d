using System.Numerics;

namespace Rflo.Core;

/// <summary>The perturbations of a network in a trial: which ones act, from which step on, and their effect. It allocates nothing in a step.</summary>
internal sealed class PerturbationState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Outside = -1;

    private readonly Network<T> _network;
    private readonly PerturbationSpec[] _all;
    private readonly int[][] _units;
    private readonly int[][] _ofArea;
    private readonly int[][] _ofProjection;
    private readonly RandomStream?[] _noise;
    private readonly string[] _noiseNames;
    private readonly RandomStream _choice;
    private readonly bool[] _acts;
    private readonly int[] _onset;
    private readonly int[] _position;
    private readonly bool[]?[] _allowed;

    public PerturbationState(Network<T> network)
    {
        Graph graph = network.Graph;
        _network = network;
        _all = [.. graph.Perturbations];
        _units = [.. _all.Select(one => UnitsOf(one, graph))];
        _ofArea = [.. graph.Areas.Select((_, index) => Places(one => one is UnitPerturbation units && units.Area.Index == index))];
        _ofProjection = [.. graph.Projections.Select((_, index) => Places(one => one is ScaleProjection scale && scale.Projection.Index == index))];
        _noiseNames = [.. _all.Select((one, k) => one is Stimulate stimulus ? $"stimulus {graph.Areas[stimulus.Area.Index].Name} {_all[..k].Count(other => other is Stimulate before && before.Area == stimulus.Area)}" : "")];
        _noise = [.. _all.Select((one, k) => one is Stimulate { Noise: > 0 } ? new RandomStream(network.Seed, _noiseNames[k]) : null)];
        _choice = new RandomStream(network.Seed, "perturbed trials");
        _acts = new bool[_all.Length];
        _onset = new int[_all.Length];
        _position = new int[_all.Length];
        _allowed = [.. graph.Areas.Select((area, index) => area.Dynamics == Dynamics.WinnerTakeAll && _ofArea[index].Length > 0 ? new bool[area.Units] : null)];
    }

    /// <summary>Whether the state of an area's units may be cut from that of the step before.</summary>
    public static bool CutsStates(Graph graph, int area) =>
        graph.Areas[area].Dynamics != Dynamics.WinnerTakeAll
        && graph.Perturbations.Any(one => one is UnitPerturbation { CutsStates: true } units && units.Area.Index == area);

    /// <summary>Before a trial is begun: which perturbations act in it.</summary>
    /// <param name="trial">Its number.</param>
    /// <param name="number">The number of its random streams.</param>
    /// <param name="isPerturbed">Whether any do.</param>
    /// <exception cref="TaskException">A function that chooses trials threw.</exception>
    public void Begin(long trial, long number, bool isPerturbed)
    {
        for (int k = 0; k < _all.Length; k++)
        {
            _acts[k] = isPerturbed && Chooses(_all[k].Trials, trial, number);
            _position[k] = Outside;
            _onset[k] = 0;
            if (_acts[k] && _noise[k] is { } stream)
                stream.BeginTrial(_network.Seed, _noiseNames[k], number);
            if (_acts[k] && _all[k].Window.Kind == WindowKind.AfterEvent && _network.Loop is null)
                for (int t = 1; t <= _network.Trial.Steps && _onset[k] == 0; t++)
                    FindOnset(k, t);
        }
    }

    /// <summary>After an area's initial state was set: sets the initial rates of lesioned units to 0.</summary>
    public void BeginArea(AreaState<T> area)
    {
        area.FreeStart();
        foreach (int k in _ofArea[area.Index])
            if (_acts[k] && _all[k] is Lesion)
                for (int t = -_network.Graph.MaxDelay; t <= 0; t++)
                    foreach (int unit in _units[k])
                        area.Hold(t, unit, T.Zero);
    }

    /// <summary>Before a step is made, when the task has marked its events.</summary>
    public void BeginStep(int step)
    {
        for (int k = 0; k < _all.Length; k++)
        {
            if (_acts[k] && _onset[k] == 0 && _all[k].Window.Kind == WindowKind.AfterEvent)
                FindOnset(k, step);
            _position[k] = IsActive(k, step) ? _position[k] + 1 : Outside;
        }
    }

    /// <summary>The factor of a projection's currents in a step.</summary>
    public T Factor(int projection, int step)
    {
        T factor = T.One;
        foreach (int k in _ofProjection[projection])
        {
            var scale = (ScaleProjection)_all[k];
            factor *= T.CreateTruncating(IsActive(k, step) ? scale.Factor : scale.Otherwise);
        }

        return factor;
    }

    /// <summary>Adds stimuli to the currents of an area in the current step; lesioned units have no current and no noise.</summary>
    public void AddCurrents(AreaState<T> area)
    {
        foreach (int k in _ofArea[area.Index])
            if (_position[k] != Outside && _all[k] is Stimulate stimulus)
                AddStimulus(k, stimulus, area.Current.Span);
        foreach (int k in _ofArea[area.Index])
        {
            if (_position[k] == Outside || _all[k] is not Lesion)
                continue;
            foreach (int unit in _units[k])
            {
                area.Current.Span[unit] = T.Zero;
                if (area.Noise.Length > 0)
                    area.Noise.Span[unit] = T.Zero;
            }
        }
    }

    /// <summary>Which units of a winner-take-all area may win in the current step; null where all may.</summary>
    /// <param name="area">The area.</param>
    /// <param name="allowed">Which of them the task allows; null for all.</param>
    public bool[]? Allowed(AreaState<T> area, bool[]? allowed)
    {
        bool isFree = true;
        foreach (int k in _ofArea[area.Index])
            isFree &= _position[k] == Outside || _all[k] is not (Silence or Clamp or Lesion);
        if (isFree)
            return allowed;
        bool[] free = _allowed[area.Index]!;
        if (allowed is null)
            Array.Fill(free, true);
        else
            allowed.CopyTo(free, 0);
        foreach (int k in _ofArea[area.Index])
            if (_position[k] != Outside && _all[k] is Silence or Clamp or Lesion)
                foreach (int unit in _units[k])
                    free[unit] = false;
        return free;
    }

    /// <summary>After an area's step was computed: kicks its states, then holds its signals.</summary>
    public void Act(AreaState<T> area, int step)
    {
        bool isKicked = false;
        foreach (int k in _ofArea[area.Index])
        {
            if (_position[k] != 0 || _all[k] is not KickStates kick)
                continue;
            isKicked = true;
            for (int n = 0; n < _units[k].Length; n++)
                area.Kick(step, _units[k][n], kick.State, T.CreateTruncating(kick.Values[kick.Values.Count == 1 ? 0 : n]), kick.Adds);
        }

        if (isKicked)
            area.SendAgain(step);
        foreach (int k in _ofArea[area.Index])
            if (_position[k] != Outside)
                Hold(k, area, step);
    }

    private void Hold(int k, AreaState<T> area, int step)
    {
        if (_all[k] is not (Silence or Clamp or Lesion))
            return;
        for (int n = 0; n < _units[k].Length; n++)
            area.Hold(step, _units[k][n], _all[k] is Clamp clamp ? T.CreateTruncating(clamp.Course.At(_position[k], n)) : T.Zero);
    }

    private void AddStimulus(int k, Stimulate stimulus, Span<T> current)
    {
        for (int n = 0; n < _units[k].Length; n++)
        {
            double value = stimulus.Course.At(_position[k], n);
            if (_noise[k] is { } stream)
                value += stimulus.Noise * stream.Gaussian();
            current[_units[k][n]] += T.CreateTruncating(value);
        }
    }

    /// <summary>Whether a perturbation acts in a step. Before the first step of a trial only what acts in all of it does.</summary>
    private bool IsActive(int k, int step)
    {
        if (!_acts[k])
            return false;
        PerturbationWindow window = _all[k].Window;
        return window.Kind switch
        {
            WindowKind.WholeTrial => true,
            WindowKind.Steps => step > window.From && step <= window.To,
            WindowKind.Event => step >= 1 && IsMarked(window.Number, step),
            _ => _onset[k] > 0 && step - _onset[k] >= window.From && step - _onset[k] < window.To,
        };
    }

    private bool IsMarked(int kind, int step) => _network.Trial.Events[(step - 1) * _network.Trial.EventKinds + kind];

    private void FindOnset(int k, int step)
    {
        if (IsMarked(_all[k].Window.Number, step))
            _onset[k] = step;
    }

    private bool Chooses(TrialChoice trials, long trial, long number)
    {
        if (trials.Choice is { } choice)
            return IsChosen(choice, trial);
        if (trials.Fraction >= 1)
            return true;
        _choice.BeginTrial(_network.Seed, trials.Key.Length == 0 ? "perturbed trials" : "perturbed trials " + trials.Key, number);
        return _choice.Chance(trials.Fraction);
    }

    private static bool IsChosen(Func<int, bool> choice, long trial)
    {
        try
        {
            return choice((int)trial);
        }
        catch (Exception e)
        {
            throw new TaskException(0, "the trials of a perturbation", e);
        }
    }

    private int[] Places(Func<PerturbationSpec, bool> isOne) => [.. Enumerable.Range(0, _all.Length).Where(k => isOne(_all[k]))];

    private static int[] UnitsOf(PerturbationSpec perturbation, Graph graph) => perturbation is UnitPerturbation units
        ? units.Units is { } some ? [.. some] : [.. Enumerable.Range(0, graph.Areas[units.Area.Index].Units)]
        : [];
}
