namespace Rflo.Analysis;

/// <summary>The signals of an area or a readout that are in transit, in a state: those of the step before first.</summary>
internal readonly record struct Delayed(bool IsReadout, int Index, int Start, int Lags, int Width)
{
    /// <summary>One step: the current signals become a step old, and all others a step older.</summary>
    public void Shift(ReadOnlySpan<double> before, ReadOnlySpan<double> present, Span<double> after)
    {
        if (Lags == 0)
            return;
        present[..Width].CopyTo(after[Start..]);
        before.Slice(Start, (Lags - 1) * Width).CopyTo(after[(Start + Width)..]);
    }

    /// <summary>The transpose of <see cref="Shift"/>, added.</summary>
    public void ShiftBack(ReadOnlySpan<double> after, Span<double> present, Span<double> before)
    {
        for (int lag = 0; lag < Lags; lag++)
        {
            Span<double> to = lag == 0 ? present : before[(Start + (lag - 1) * Width)..];
            for (int i = 0; i < Width; i++)
                to[i] += after[Start + lag * Width + i];
        }
    }
}
