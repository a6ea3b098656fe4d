using System.Numerics;

namespace Rflo.Core;

/// <summary>The random numbers of a stochastic rule: a stream of its own for each trial.</summary>
internal class MixingSource<T>(long seed, string name, MixingNoise noise)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private RandomStream? _stream;

    /// <summary>sqrt(a / b), or 1 where either is 0: any positive number is unbiased, this one has the least variance.</summary>
    public static double Balance(double a, double b) => a > 1e-150 && b > 1e-150 ? Math.Sqrt(a / b) : 1;

    public void Begin(int trial) => _stream = RandomStream.OfTrial(seed, "mixing " + name, trial);

    /// <summary>The numbers of a step.</summary>
    public virtual void Fill(int step, Span<T> numbers)
    {
        if (noise == MixingNoise.Gaussian)
            _stream!.FillGaussian(numbers, 1);
        else
            _stream!.FillSigns(numbers);
    }
}
