namespace Rflo.Core;

/// <summary>
/// A cursor moved by syllables (Murray 2019, Fig 4): each has a tonic input and a target velocity y*(t) in its direction, in
/// lengths a move; the cursor p moves by y(t) / move in each step and stays within the workspace. Syllables are drawn among
/// those that stay there, or follow a sequence; in a sequence an area of the circuit may choose, and correct choices are
/// rewarded.
/// </summary>
/// <remarks>
/// Events: 0, "decide", in the last step of each syllable but a trial's last; 1, "move", in the steps in which a syllable's
/// input is on. State: position, and the syllable that ran last.
/// </remarks>
public sealed class SyllablesTask : IClosedLoopTask
{
    private readonly SyllablesSpec _spec;
    private readonly int[] _sequence;
    private readonly string[] _watches;
    private readonly int _segment;
    private double _x;
    private double _y;
    private int _target;
    private int _run;
    private bool _isOver;

    /// <summary>The task of those times and lengths.</summary>
    /// <exception cref="ArgumentException">A shape or a number is out of range.</exception>
    public SyllablesTask(SyllablesSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        spec = spec with { Directions = [.. spec.Directions], Start = [.. spec.Start], Sequence = spec.Sequence is { } sequence ? [.. sequence] : null };
        _spec = spec;
        Count = spec.Directions.Length / 2;
        if (Count < 1 || spec.Directions.Length % 2 != 0)
            ThrowHelper.ShapeMismatch(nameof(spec.Directions), spec.Directions.Length, 2 * Math.Max(1, Count), "(syllables, 2)");
        if (spec.Start.Length != 2)
            ThrowHelper.ShapeMismatch(nameof(spec.Start), spec.Start.Length, 2, "(x, y)");
        if (spec.Move < 1)
            ThrowHelper.NotPositive(nameof(spec.Move), spec.Move);
        if (spec.Hold < 0)
            ThrowHelper.OutOfRange(nameof(spec.Hold), spec.Hold, "at least 0");
        if (spec.Sequence is null && spec.PerTrial < 1)
            ThrowHelper.NotPositive(nameof(spec.PerTrial), spec.PerTrial);
        foreach (int syllable in spec.Sequence ?? [])
            if (syllable < 0 || syllable >= Count)
                ThrowHelper.Unknown(nameof(spec.Sequence), syllable, Count);
        if (spec.Chooser is not null && spec.Sequence is null)
            ThrowHelper.Invalid("Only syllables of a sequence can be chosen: rewards compare choices with the sequence. Set Sequence, or leave Chooser out.");
        _sequence = spec.Sequence ?? new int[spec.PerTrial];
        _watches = spec.Chooser is { } chooser ? [chooser] : [];
        _segment = spec.Move + spec.Hold;
        MaxSteps = _segment * _sequence.Length;
        if (MaxSteps < 1)
            ThrowHelper.NotPositive(nameof(spec.Sequence), 0);
        (_x, _y) = (spec.Start[0], spec.Start[1]);
    }

    /// <summary>Number of different syllables.</summary>
    public int Count { get; }

    /// <inheritdoc/>
    public int Inputs => _spec.Cue == SyllableCue.None ? 0 : Count;

    /// <inheritdoc/>
    public int Outputs => 2;

    /// <inheritdoc/>
    public int MaxSteps { get; }

    /// <inheritdoc/>
    public int Events => 2;

    /// <summary>"syllable", the number of the first of a trial.</summary>
    public IReadOnlyList<string> Conditions { get; } = ["syllable"];

    /// <inheritdoc/>
    public bool GivesRewards => _spec.Chooser is not null;

    /// <inheritdoc/>
    public IReadOnlyList<string> Watches => _watches;

    /// <inheritdoc/>
    public int StateLength => 3;

    /// <inheritdoc/>
    public void SaveState(Span<double> state) => (state[0], state[1], state[2]) = (_x, _y, _run);

    /// <inheritdoc/>
    public void RestoreState(ReadOnlySpan<double> state) => (_x, _y, _run) = (state[0], state[1], (int)state[2]);

    /// <inheritdoc/>
    public void Fill(int trial, RandomStream stream, Trial into)
    {
        ArgumentNullException.ThrowIfNull(into);
        into.Steps = MaxSteps;
        _isOver = false;
        if (_spec.Returns)
            (_x, _y) = (_spec.Start[0], _spec.Start[1]);
    }

    /// <inheritdoc/>
    public void Before(Moment now, Trial trial)
    {
        ArgumentNullException.ThrowIfNull(now);
        ArgumentNullException.ThrowIfNull(trial);
        int row = now.Step - 1, place = row / _segment, phase = row % _segment;
        if (phase == 0)
            Begin(now, place);
        if (row == 0 && trial.Conditions.Length > 0)
            trial.Conditions[0] = _target;
        bool moves = phase < _spec.Move, isOn = moves || _spec.InputInHold;
        if (Inputs > 0)
        {
            Span<double> inputs = trial.Inputs.AsSpan(row * Count, Count);
            inputs.Clear();
            if (isOn && (_spec.Cue == SyllableCue.Each || place == 0))
                inputs[_target] = _spec.Amplitude;
        }

        double speed = moves ? _spec.Length * Speed(phase + 1) : 0;
        trial.Targets[2 * row] = speed * _spec.Directions[2 * _target];
        trial.Targets[2 * row + 1] = speed * _spec.Directions[2 * _target + 1];
        trial.Mask.AsSpan(2 * row, 2).Fill(_isOver ? 0 : 1);
        trial.Rewards[row] = 0;
        bool decides = Decides(row);
        trial.Events[2 * row] = decides;
        trial.Events[2 * row + 1] = isOn;
        if (decides && _spec.Chooser is { } chooser)
            Bar(now.Allowed(chooser));
    }

    /// <inheritdoc/>
    public void After(Moment now, Trial trial)
    {
        ArgumentNullException.ThrowIfNull(now);
        ArgumentNullException.ThrowIfNull(trial);
        int row = now.Step - 1;
        double x = _spec.MovedByTarget ? trial.Targets[2 * row] : now.Outputs[0];
        double y = _spec.MovedByTarget ? trial.Targets[2 * row + 1] : now.Outputs[1];
        (_x, _y) = (Within(_x + x / _spec.Move), Within(_y + y / _spec.Move));
        if (_spec.Chooser is { } chooser && Decides(row))
        {
            bool isRight = IsRight(Winner(now.Rates(chooser)), row / _segment);
            trial.Rewards[row] = isRight ? 1 : 0;
            _isOver = !isRight && _spec.StopsAtError;
        }
    }

    /// <summary>Whether the step of a row is the last of a syllable that another follows.</summary>
    private bool Decides(int row) => !_isOver && row % _segment == _segment - 1 && row + 1 < MaxSteps;

    /// <summary>Speed in a step of a move, counted from 1, with a mean of 1.</summary>
    private double Speed(int step)
    {
        if (_spec.EvenSpeed)
            return 1;
        double sine = Math.Sin(Math.PI * step / _spec.Move);
        return 2 * sine * sine;
    }

    /// <summary>A new syllable: the one of the target, and the one that runs.</summary>
    private void Begin(Moment now, int place)
    {
        _target = _spec.Sequence is null ? Draw(now.Stream) : _sequence[place];
        _run = _spec.Chooser is { } chooser && place > 0 ? Winner(now.Rates(chooser)) : _target;
    }

    private bool IsRight(int choice, int place)
    {
        if (!_spec.JudgedByPair)
            return choice == _sequence[place + 1];
        for (int k = 0; k + 1 < _sequence.Length; k++)
            if (_sequence[k] == _run && _sequence[k + 1] == choice)
                return true;
        return false;
    }

    private static int Winner(double[] rates)
    {
        int winner = 0;
        for (int k = 1; k < rates.Length; k++)
            if (rates[k] > rates[winner])
                winner = k;
        return winner;
    }

    private void Bar(bool[] allowed)
    {
        if (allowed.Length != Count)
            ThrowHelper.ShapeMismatch(_spec.Chooser!, allowed.Length, Count, "one unit a syllable");
        for (int k = 0; k < Count; k++)
            allowed[k] = Stays(k);
    }

    /// <summary>One of the syllables that stay in the workspace, each as likely as another.</summary>
    private int Draw(RandomStream stream)
    {
        int allowed = 0;
        for (int k = 0; k < Count; k++)
            allowed += Stays(k) ? 1 : 0;
        if (allowed == 0)
            ThrowHelper.Invalid(FormattableString.Invariant($"no syllable stays in the workspace from ({_x}, {_y})."));
        int left = stream.Between(0, allowed), syllable = -1;
        while (left >= 0)
            if (Stays(++syllable))
                left--;
        return syllable;
    }

    /// <summary>
    /// Whether a syllable ends in the workspace. The cursor deviates from the target, so up to half a length beyond the border
    /// is allowed; the cursor is then held at the border.
    /// </summary>
    private bool Stays(int syllable)
    {
        double slack = 0.5 * _spec.Length;
        double x = _x + _spec.Length * _spec.Directions[2 * syllable], y = _y + _spec.Length * _spec.Directions[2 * syllable + 1];
        return Math.Min(x, y) >= _spec.Low - slack && Math.Max(x, y) <= _spec.High + slack;
    }

    private double Within(double coordinate) => Math.Clamp(coordinate, _spec.Low, _spec.High);
}
