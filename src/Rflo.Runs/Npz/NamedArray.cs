namespace Rflo.Runs;

/// <summary>An array with a name: an element of an .npz file.</summary>
public sealed class NamedArray
{
    /// <summary>Names an array; nothing is copied.</summary>
    /// <param name="name">Name, such as <c>cortex->cortex</c> or <c>initial/cortex->cortex</c>; <see cref="Npz"/> describes the allowed names.</param>
    /// <param name="shape">Lengths along the axes; empty for a single number.</param>
    /// <param name="values">The numbers in C order: the last axis runs fastest.</param>
    /// <param name="type">Their type in a file.</param>
    /// <exception cref="ArgumentException">A length is negative, the shape does not hold that many values, or one is none of the type.</exception>
    public NamedArray(string name, int[] shape, double[] values, NpzType type = NpzType.Number)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(values);
        long count = 1;
        foreach (int length in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(shape));
            // The count saturates above the length of any array, unless an axis is empty.
            count = length == 0 ? 0 : Math.Min(count * length, int.MaxValue + 1L);
        }

        if (count != values.Length)
            throw new ArgumentException($"{name} has {values.Length} values; its shape ({string.Join(", ", shape)}) holds another number.", nameof(values));
        if (type == NpzType.Index && Array.Exists(values, value => value != (int)value) || type == NpzType.Flag && Array.Exists(values, value => value is not (0 or 1)))
            throw new ArgumentException($"{name} has a value that is no {type}.", nameof(values));
        Name = name;
        Type = type;
        Shape = shape;
        Values = values;
    }

    /// <summary>Name of the array.</summary>
    public string Name { get; }

    /// <summary>Lengths along the axes; empty for a single number.</summary>
    public int[] Shape { get; }

    /// <summary>The numbers in C order: the last axis runs fastest.</summary>
    public double[] Values { get; }

    /// <summary>Their type in a file that is written of them; arrays that were read are all doubles.</summary>
    public NpzType Type { get; }

    /// <summary>Name and shape.</summary>
    public override string ToString() => $"{Name} ({string.Join(", ", Shape)})";
}
