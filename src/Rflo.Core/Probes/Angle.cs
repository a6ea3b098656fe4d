using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>The angle and the ratio of norms of two updates, each given as the blocks of its projections.</summary>
internal static class Angle
{
    /// <summary>
    /// The angle in degrees, 2 atan2(|u - v|, |u + v|) for the unit vectors u and v, which is exact for small angles too;
    /// and |a| / |b|. NaN where one of them is 0.
    /// </summary>
    public static (double Degrees, double Ratio) Between(IReadOnlyList<double[]> a, IReadOnlyList<double[]> b)
    {
        double normA = Norm(a), normB = Norm(b), apart = 0, together = 0;
        for (int k = 0; k < a.Count; k++)
        {
            for (int i = 0; i < a[k].Length; i++)
            {
                double u = a[k][i] / normA, v = b[k][i] / normB;
                apart += (u - v) * (u - v);
                together += (u + v) * (u + v);
            }
        }

        return normA > 0 && normB > 0
            ? (2 * Math.Atan2(Math.Sqrt(apart), Math.Sqrt(together)) * 180 / Math.PI, normA / normB)
            : (double.NaN, double.NaN);
    }

    private static double Norm(IReadOnlyList<double[]> blocks) => Math.Sqrt(blocks.Sum(block => TensorPrimitives.SumOfSquares<double>(block)));
}
