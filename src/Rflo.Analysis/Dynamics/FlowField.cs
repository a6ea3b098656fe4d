using System.Numerics.Tensors;

namespace Rflo.Analysis;

/// <summary>The change of a circuit's state in a step, from the states of a plane.</summary>
public sealed record FlowField
{
    /// <summary>Coordinates along the first direction, shape (columns).</summary>
    public required double[] Horizontal { get; init; }

    /// <summary>Coordinates along the second direction, shape (rows).</summary>
    public required double[] Vertical { get; init; }

    /// <summary>The part of F(z) - z along the first direction, shape (rows, columns), row-major.</summary>
    public required double[] AlongHorizontal { get; init; }

    /// <summary>The part along the second direction.</summary>
    public required double[] AlongVertical { get; init; }

    /// <summary>|F(z) - z|, with the part outside of the plane.</summary>
    public required double[] Speed { get; init; }

    /// <summary>The flow F(z) - z at z = origin + a first + b second, where units have had these states for as long as the longest delay.</summary>
    /// <param name="map">The circuit at constant inputs.</param>
    /// <param name="origin">A state.</param>
    /// <param name="first">The first direction; its length has no effect.</param>
    /// <param name="second">The second; its part along the first is subtracted.</param>
    /// <param name="horizontal">Coordinates a.</param>
    /// <param name="vertical">Coordinates b.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the directions make no plane.</exception>
    public static FlowField Of(CircuitMap map, double[] origin, double[] first, double[] second, double[] horizontal, double[] vertical)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(horizontal);
        ArgumentNullException.ThrowIfNull(vertical);
        foreach ((string name, double[] vector) in new[] { (nameof(origin), origin), (nameof(first), first), (nameof(second), second) })
            if (vector is null || vector.Length != map.Size)
                throw new ArgumentException($"{name}: it has {vector?.Length ?? 0} numbers; a state of this circuit has {map.Size}.");
        double[] across = Present(map, first), up = Present(map, second);
        Normalize(nameof(first), across);
        double length = TensorPrimitives.Norm<double>(up);
        TensorPrimitives.MultiplyAdd(across, -TensorPrimitives.Dot<double>(across, up), up, up);
        if (TensorPrimitives.Norm<double>(up) <= 1e-10 * length)
            throw new ArgumentException("first and second: they lie on one line, so they make no plane.");
        Normalize(nameof(second), up);
        int columns = horizontal.Length, count = columns * vertical.Length;
        double[] ofFirst = new double[count], ofSecond = new double[count], speed = new double[count];
        for (int k = 0; k < count; k++)
        {
            double[] state = [.. origin];
            TensorPrimitives.MultiplyAdd(across, horizontal[k % columns], state, state);
            TensorPrimitives.MultiplyAdd(up, vertical[k / columns], state, state);
            state = map.Settled(state);
            double[] flow = map.Next(state);
            TensorPrimitives.Subtract<double>(flow, state, flow);
            (ofFirst[k], ofSecond[k], speed[k]) = (
                TensorPrimitives.Dot<double>(flow, across), TensorPrimitives.Dot<double>(flow, up), TensorPrimitives.Norm<double>(flow));
        }

        return new FlowField
        {
            Horizontal = [.. horizontal],
            Vertical = [.. vertical],
            AlongHorizontal = ofFirst,
            AlongVertical = ofSecond,
            Speed = speed,
        };
    }

    /// <summary>A direction without the signals in transit, which follow from the state.</summary>
    private static double[] Present(CircuitMap map, double[] direction)
    {
        double[] present = [.. direction];
        foreach (StateBlock block in map.Blocks)
            if (block.Age > 0)
                Array.Clear(present, block.Start, block.Length);
        return present;
    }

    private static void Normalize(string name, double[] vector)
    {
        double length = TensorPrimitives.Norm<double>(vector);
        if (!(length > 0) || !double.IsFinite(length))
            throw new ArgumentException($"{name}: its length is {FormattableString.Invariant($"{length}")}; a direction has a finite length above 0.");
        TensorPrimitives.Divide(vector, length, vector);
    }
}
