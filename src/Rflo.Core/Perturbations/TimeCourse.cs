namespace Rflo.Core;

/// <summary>A number, or one for each unit, over the steps in which a perturbation acts. After its end the last value is held.</summary>
public sealed record TimeCourse
{
    private readonly double[] _values;

    private TimeCourse(double[] values, int width) => (_values, Width) = (values, width);

    /// <summary>Numbers in a step: 1 for the same of all units, or one for each of the perturbation's units.</summary>
    public int Width { get; }

    /// <summary>Steps that it lasts.</summary>
    public int Steps => _values.Length / Width;

    /// <summary>All numbers, shape (steps, width).</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>The same number in every step.</summary>
    public static TimeCourse Constant(double value) => new([value], 1);

    /// <summary>One number a step, the same for all units.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static TimeCourse OfSteps(params IReadOnlyList<double> values) => OfUnits(values, 1);

    /// <summary>Numbers of shape (steps, units), row-major.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="units">How many units.</param>
    /// <exception cref="ArgumentException">There are none, or they are no whole steps.</exception>
    public static TimeCourse OfUnits(IReadOnlyList<double> values, int units)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (units < 1)
            ThrowHelper.NotPositive(nameof(units), units);
        if (values.Count == 0 || values.Count % units != 0)
            ThrowHelper.Invalid($"A time course of {values.Count} numbers for {units} units: there must be one or more whole steps.");
        return new TimeCourse([.. values], units);
    }

    /// <summary>The number of a unit in a step, counted from 0 within the window.</summary>
    internal double At(int step, int unit) => _values[Math.Min(step, Steps - 1) * Width + (Width == 1 ? 0 : unit)];
}
