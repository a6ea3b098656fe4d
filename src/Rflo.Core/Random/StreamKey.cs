namespace Rflo.Core;

/// <summary>
/// What a random stream is keyed by, as 128 bits: the seed of an experiment and the name of one of its parts. Two different
/// pairs have the same key with a probability of 2^-128; among a thousand million keys any two are the same with a
/// probability of 10^18 / 2^129, about 10^-21. The trial is no part of the key. It is a word of the counter, so streams of different trials never coincide.
/// </summary>
/// <param name="Low">First word.</param>
/// <param name="High">Second word.</param>
internal readonly record struct StreamKey(ulong Low, ulong High)
{
    // The first digits of pi: any constant is as good.
    private static readonly StreamKey _start = new(0x243F6A8885A308D3, 0x13198A2E03707344);

    /// <summary>The key of a part of an experiment.</summary>
    public static StreamKey Of(long seed, string name) => _start.With((ulong)seed, 0).With(name);

    /// <summary>The key of a part of a stream that has this key and the counter's upper word and marks given.</summary>
    public StreamKey PartOf(ulong trial, ulong marks, string name) => With(trial, marks | 1).With(name);

    /// <summary>
    /// The length first, so that no name continues another; then eight letters at a time, as they are: another encoding could
    /// map two names to one.
    /// </summary>
    private StreamKey With(string name)
    {
        StreamKey key = With((ulong)name.Length, 0);
        for (int first = 0; first < name.Length; first += 8)
            key = key.With(Letters(name, first), Letters(name, first + 4));
        return key;
    }

    /// <summary>One step of a hash (Matyas, Meyer and Oseas 1985): the message enciphered under the hash so far, added to the message.</summary>
    private StreamKey With(ulong low, ulong high)
    {
        ulong x = low, y = high;
        Threefry.Block(this, ref x, ref y);
        return new StreamKey(x ^ low, y ^ high);
    }

    private static ulong Letters(string name, int first)
    {
        ulong letters = 0;
        for (int k = 0; k < 4 && first + k < name.Length; k++)
            letters |= (ulong)name[first + k] << (16 * k);
        return letters;
    }
}
