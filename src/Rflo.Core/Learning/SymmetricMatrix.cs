namespace Rflo.Core;

/// <summary>A symmetric matrix in double precision, in full, with rows of whole vectors.</summary>
internal sealed class SymmetricMatrix(int size)
{
    private readonly AlignedArray<double> _elements = new(size, Simd.Padded<double>(size));

    /// <summary>n.</summary>
    public int Size { get; } = size;

    /// <summary>Elements a row.</summary>
    public int Stride { get; } = Simd.Padded<double>(size);

    /// <summary>All rows, padding included.</summary>
    public Span<double> Span => _elements.Span;

    /// <summary>A row, padding included.</summary>
    public Span<double> Row(int row) => _elements.Row(row, Stride);

    /// <summary>Copies the numbers of a matrix of the same size.</summary>
    public void TakeFrom(SymmetricMatrix other) => other.Span.CopyTo(Span);

    /// <summary>Saves one triangle, or restores both from it.</summary>
    public void Visit(StateVisitor visitor, string name)
    {
        if (visitor.IsLocal)
        {
            visitor.Visit(name, Span);
            return;
        }

        double[] half = new double[checked(Size * (Size + 1) / 2)];
        int at = 0;
        for (int i = 0; i < Size; i++)
            for (int j = 0; j <= i; j++)
                half[at++] = Row(i)[j];
        visitor.Visit<double>(name, half);
        if (!visitor.Restores)
            return;
        at = 0;
        for (int i = 0; i < Size; i++)
            for (int j = 0; j <= i; j++)
                Row(i)[j] = Row(j)[i] = half[at++];
    }
}
