using System.Numerics;
using System.Text;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Random;

namespace Rflo.Core;

/// <summary>
/// The random numbers of one named part of an experiment. Two streams with different names, or of different
/// experiments, know nothing of each other, so adding an area, a probe or a trial moves nobody else's numbers.
/// </summary>
/// <remarks>
/// The generator is MathNet's Xoshiro256StarStar, seeded by a hash of seed and name. It is made at the first draw:
/// a stream that nobody draws from costs nothing.
/// </remarks>
public sealed class RandomStream
{
    private int _seed;
    private Xoshiro256StarStar? _generator;

    /// <summary>The stream of the part called <paramref name="name"/> in the experiment with seed <paramref name="seed"/>.</summary>
    /// <param name="seed">Seed of the experiment.</param>
    /// <param name="name">What the numbers are for, such as "weights cortex-&gt;cortex".</param>
    public RandomStream(long seed, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        _seed = Fold(Hash(seed, name));
    }

    private RandomStream(ulong key) => _seed = Fold(key);

    private Xoshiro256StarStar Generator => _generator ??= new Xoshiro256StarStar(_seed, threadSafe: false);

    /// <summary>
    /// The stream of the same part in one trial, so that trial k can be drawn without drawing those before it.
    /// </summary>
    /// <param name="seed">Seed of the experiment.</param>
    /// <param name="name">What the numbers are for, such as "task" or "noise cortex".</param>
    /// <param name="trial">Number of the trial, from 0; test trials use negative numbers.</param>
    public static RandomStream OfTrial(long seed, string name, long trial)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new RandomStream(KeyOfTrial(seed, name, trial));
    }

    /// <summary>
    /// The stream of a part of what this one is for: it depends on this stream's seed and the name alone, so that parts move
    /// neither each other's numbers nor those of the whole.
    /// </summary>
    /// <param name="name">What its numbers are for, such as "phases".</param>
    public RandomStream Part(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new RandomStream(Hash(_seed, name));
    }

    /// <summary>Makes this the stream of <see cref="OfTrial"/>, so that one trial after another needs no new object.</summary>
    internal void BeginTrial(long seed, string name, long trial)
    {
        _seed = Fold(KeyOfTrial(seed, name, trial));
        _generator = null;
    }

    private static ulong KeyOfTrial(long seed, string name, long trial) =>
        Mix(Hash(seed, name) ^ Mix((ulong)trial + 0x9E3779B97F4A7C15UL));

    /// <summary>A number in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double Uniform(double low, double high) => low + (high - low) * Generator.NextDouble();

    /// <summary>A draw from the normal distribution with mean 0 and standard deviation 1.</summary>
    public double Gaussian() => Normal.Sample(Generator, 0.0, 1.0);

    /// <summary>A whole number in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty.</exception>
    public int Between(int low, int high) => Generator.Next(low, high);

    /// <summary>True with probability <paramref name="probability"/>.</summary>
    public bool Chance(double probability) => Generator.NextDouble() < probability;

    /// <summary>Fills <paramref name="values"/> with draws from the normal distribution with mean 0.</summary>
    /// <param name="values">Overwritten.</param>
    /// <param name="deviation">Standard deviation.</param>
    public void FillGaussian<T>(Span<T> values, double deviation)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int k = 0; k < values.Length; k++)
            values[k] = T.CreateTruncating(deviation * Gaussian());
    }

    /// <summary>Fills <paramref name="values"/> with 1 and -1: the same as asking for <see cref="Chance"/> of a half each time.</summary>
    /// <param name="values">Overwritten.</param>
    internal void FillSigns<T>(Span<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Xoshiro256StarStar generator = Generator;

        // A sign is copied, for nobody can predict a branch that depends on it.
        for (int k = 0; k < values.Length; k++)
            values[k] = T.CreateTruncating(-Math.CopySign(1.0, generator.NextDouble() - 0.5));
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

    /// <summary>FNV-1a over the seed and the name, then mixed.</summary>
    private static ulong Hash(long seed, string name)
    {
        ulong hash = 14695981039346656037UL;
        for (int k = 0; k < 8; k++)
            hash = (hash ^ (byte)(seed >> (8 * k))) * 1099511628211UL;
        int longest = Encoding.UTF8.GetMaxByteCount(name.Length);
        Span<byte> room = longest <= 512 ? stackalloc byte[512] : new byte[longest];
        foreach (byte letter in room[..Encoding.UTF8.GetBytes(name, room)])
            hash = (hash ^ letter) * 1099511628211UL;
        return Mix(hash);
    }

    /// <summary>The finaliser of SplitMix64: every bit of the key reaches every bit of the result.</summary>
    private static ulong Mix(ulong key)
    {
        key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9UL;
        key = (key ^ (key >> 27)) * 0x94D049BB133111EBUL;
        return key ^ (key >> 31);
    }

    private static int Fold(ulong key) => (int)(uint)(key ^ (key >> 32));
}
