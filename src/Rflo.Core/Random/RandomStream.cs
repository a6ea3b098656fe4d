using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>
/// The random numbers of one named part of an experiment. Streams of different names, trials or seeds share no numbers, so
/// adding an area, a probe or a trial changes no other draw.
/// </summary>
/// <remarks>
/// The generator is Threefry2x64-20, which computes block k of a stream from a key and k. Seed and name make the key of 128 bits; the
/// trial is one word of the counter, the block the other. So streams of two trials of one part never coincide, and among 10^9
/// parts any two coincide with a probability of 10^-21. The numbers are the same bits on every machine. A stream without draws
/// costs only its memory.
/// </remarks>
public sealed class RandomStream
{
    private const int Batch = 2 * Threefry.BatchBlocks;

    // Marks in the upper bits of the counter's first word: the block, from 0, never reaches them.
    private const ulong OfATrial = 1UL << 63, Normals = 1UL << 62;

    private StreamKey _key;
    private ulong _trial, _marks;

    // Normal draws have blocks of their own, in whole batches: uniform draws and normal draws do not change each other.
    private ulong _wordBlock, _normalBlock;
    private int _word = Batch, _normal = Batch;
    private Words _words;
    private Doubles _normals;

    /// <summary>The stream of the part called <paramref name="name"/> in the experiment with seed <paramref name="seed"/>.</summary>
    /// <param name="seed">Seed of the experiment.</param>
    /// <param name="name">What the numbers are for, such as "weights cortex-&gt;cortex".</param>
    public RandomStream(long seed, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        _key = StreamKey.Of(seed, name);
    }

    private RandomStream(StreamKey key, ulong trial, ulong marks) => (_key, _trial, _marks) = (key, trial, marks);

    /// <summary>
    /// The stream of the same part in one trial, so that trial k can be drawn without drawing those before it.
    /// </summary>
    /// <param name="seed">Seed of the experiment.</param>
    /// <param name="name">What the numbers are for, such as "task" or "noise cortex".</param>
    /// <param name="trial">Number of the trial: from 0 in training, <see cref="TestTrial"/> in a test.</param>
    public static RandomStream OfTrial(long seed, string name, long trial)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new RandomStream(StreamKey.Of(seed, name), (ulong)trial, OfATrial);
    }

    /// <summary>
    /// The number for <see cref="OfTrial"/> of a test's trial <paramref name="k"/>. It is negative, so no test shares a stream with
    /// a training trial, however long the training is.
    /// </summary>
    /// <param name="k">The trial among those of the test, from 0.</param>
    public static long TestTrial(long k)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        return -1 - k;
    }

    /// <summary>
    /// The stream of a part of what this one is for: it depends on this stream's key and trial and on the name alone, so that
    /// parts change neither each other's numbers nor those of the whole.
    /// </summary>
    /// <param name="name">What its numbers are for, such as "phases".</param>
    public RandomStream Part(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new RandomStream(_key.PartOf(_trial, _marks, name), 0, 0);
    }

    /// <summary>The same stream from its first number on. This one stays where it is.</summary>
    public RandomStream FromStart() => new(_key, _trial, _marks);

    /// <summary>Makes this the stream of <see cref="OfTrial"/>, so that one trial after another needs no new object.</summary>
    internal void BeginTrial(long seed, string name, long trial)
    {
        (_key, _trial, _marks) = (StreamKey.Of(seed, name), (ulong)trial, OfATrial);
        (_wordBlock, _normalBlock, _word, _normal) = (0, 0, Batch, Batch);
    }

    /// <summary>64 random bits.</summary>
    internal ulong Next()
    {
        if (_word == Batch)
        {
            Threefry.Fill(_key, _marks | _wordBlock, _trial, _words);
            _wordBlock += Threefry.BatchBlocks;
            _word = 0;
        }

        return _words[_word++];
    }

    /// <summary>A number in [0, 1), a multiple of 2^-53.</summary>
    private double NextDouble() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>A number in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double Uniform(double low, double high)
    {
        double value = low + (high - low) * NextDouble();

        // Rounding may reach the end of a short range.
        return value < high || !(low < high) ? value : Math.BitDecrement(high);
    }

    /// <summary>A draw from the normal distribution with mean 0 and standard deviation 1.</summary>
    public double Gaussian()
    {
        if (_normal == Batch)
            FillNormals();
        return _normals[_normal++];
    }

    /// <summary>A whole number in [<paramref name="low"/>, <paramref name="high"/>), each with the same probability.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty.</exception>
    public int Between(int low, int high)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(low, high);

        // Lemire (2019): the upper word of a product. The lowest products of a number are one too many where 2^64 is
        // no multiple of the range; they are drawn again.
        ulong range = (ulong)((long)high - low);
        ulong number = Math.BigMul(Next(), range, out ulong rest);
        if (rest < range)
        {
            ulong tooMany = (0 - range) % range;
            while (rest < tooMany)
                number = Math.BigMul(Next(), range, out rest);
        }

        return (int)(low + (long)number);
    }

    /// <summary>True with probability <paramref name="probability"/>.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>Fills <paramref name="values"/> with draws from the normal distribution with mean 0: those of <see cref="Gaussian"/>, a batch at a time.</summary>
    /// <param name="values">Overwritten.</param>
    /// <param name="deviation">Standard deviation.</param>
    public void FillGaussian<T>(Span<T> values, double deviation)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        while (values.Length > 0)
        {
            if (_normal == Batch)
                FillNormals();
            ReadOnlySpan<double> ready = ((ReadOnlySpan<double>)_normals)[_normal..];
            int count = Math.Min(ready.Length, values.Length);
            for (int k = 0; k < count; k++)
                values[k] = T.CreateTruncating(deviation * ready[k]);
            _normal += count;
            values = values[count..];
        }
    }

    private void FillNormals()
    {
        Span<ulong> words = stackalloc ulong[Batch];
        Threefry.Fill(_key, _marks | Normals | _normalBlock, _trial, words);
        BoxMuller.Transform(words, _normals);
        _normalBlock += Threefry.BatchBlocks;
        _normal = 0;
    }

    /// <summary>Fills <paramref name="values"/> with 1 and -1: the same as drawing <see cref="Chance"/> of a half each time.</summary>
    /// <param name="values">Overwritten.</param>
    internal void FillSigns<T>(Span<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // A sign is copied, for no processor predicts a branch that depends on it.
        for (int k = 0; k < values.Length; k++)
            values[k] = T.CreateTruncating(-Math.CopySign(1.0, NextDouble() - 0.5));
    }

    /// <summary>The numbers 0 .. <paramref name="count"/> - 1 in random order.</summary>
    public int[] Permutation(int count)
    {
        int[] order = new int[count];
        for (int k = 0; k < count; k++)
            order[k] = k;
        for (int k = count - 1; k > 0; k--)
        {
            int other = Between(0, k + 1);
            (order[k], order[other]) = (order[other], order[k]);
        }

        return order;
    }

    [InlineArray(Batch)]
    private struct Words
    {
        private ulong _first;
    }

    [InlineArray(Batch)]
    private struct Doubles
    {
        private double _first;
    }
}
