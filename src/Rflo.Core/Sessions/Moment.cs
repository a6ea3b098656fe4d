namespace Rflo.Core;

/// <summary>The activity of the circuit that a closed-loop task reads, and the choices that it allows. The arrays are reused in every step.</summary>
public sealed class Moment
{
    private readonly string[] _areas;
    private readonly double[][] _rates;
    private readonly bool[][] _allowed;

    /// <summary>A moment of a circuit at rest: everything 0, everything allowed.</summary>
    /// <param name="outputs">Outputs of all readouts together.</param>
    /// <param name="areas">Names of the areas that are watched.</param>
    /// <param name="units">Units of each of them.</param>
    /// <exception cref="ArgumentException">There is not one number of units for each area.</exception>
    public Moment(int outputs, IReadOnlyList<string> areas, IReadOnlyList<int> units)
    {
        ArgumentNullException.ThrowIfNull(areas);
        ArgumentNullException.ThrowIfNull(units);
        if (units.Count != areas.Count)
            ThrowHelper.ShapeMismatch(nameof(units), units.Count, areas.Count, "areas");
        Outputs = new double[outputs];
        _areas = [.. areas];
        _rates = [.. units.Select(count => new double[count])];
        _allowed = [.. units.Select(count => Enumerable.Repeat(true, count).ToArray())];
        Stream = new RandomStream(0, "");
    }

    /// <summary>Number of the trial, from 0.</summary>
    public int Trial { get; private set; }

    /// <summary>The step t that comes next, or that was just made: 1 .. T.</summary>
    public int Step { get; private set; }

    /// <summary>Random numbers of this trial and no other, after the draws of <see cref="ITask.Fill"/>.</summary>
    public RandomStream Stream { get; private set; }

    /// <summary>y of all readouts side by side.</summary>
    public double[] Outputs { get; }

    /// <summary>h of a watched area, shape (units).</summary>
    /// <exception cref="ArgumentException">The task does not watch that area.</exception>
    public double[] Rates(string area) => _rates[Place(area)];

    /// <summary>
    /// Which units of a watched winner-take-all area may win in the next step: all of them, unless the task sets false
    /// before that step. Where none may, the area holds its choice.
    /// </summary>
    /// <exception cref="ArgumentException">The task does not watch that area.</exception>
    public bool[] Allowed(string area) => _allowed[Place(area)];

    /// <summary>Moves on to a step of a trial, with every choice allowed.</summary>
    public void MoveTo(int trial, int step, RandomStream stream)
    {
        (Trial, Step, Stream) = (trial, step, stream);
        foreach (bool[] allowed in _allowed)
            allowed.AsSpan().Fill(true);
    }

    private int Place(string area)
    {
        for (int k = 0; k < _areas.Length; k++)
            if (_areas[k] == area)
                return k;
        ThrowHelper.Invalid($"The task reads {area}, but watches {(_areas.Length == 0 ? "no area" : string.Join(", ", _areas))}.");
        return -1;
    }
}
