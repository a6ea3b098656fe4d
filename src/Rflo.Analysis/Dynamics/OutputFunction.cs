using System.Numerics.Tensors;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>The nonlinearities of readouts, and their derivatives.</summary>
internal static class OutputFunction
{
    /// <summary>y from the sums, in place.</summary>
    public static void Apply(OutputKind kind, Span<double> y)
    {
        switch (kind)
        {
            case OutputKind.Sigmoid:
                TensorPrimitives.Sigmoid(y, y);
                break;
            case OutputKind.Softmax:
                TensorPrimitives.Subtract(y, TensorPrimitives.Max<double>(y), y);
                TensorPrimitives.Exp(y, y);
                TensorPrimitives.Divide(y, TensorPrimitives.Sum<double>(y), y);
                break;
            case OutputKind.Exponential:
                TensorPrimitives.Exp(y, y);
                break;
            case OutputKind.Softplus:
                for (int k = 0; k < y.Length; k++)
                    y[k] = Math.Max(0, y[k]) + double.LogP1(Math.Exp(-Math.Abs(y[k])));
                break;
            default:
                break;
        }
    }

    /// <summary>A direction of sums as one of outputs, in place. The derivative is symmetric, so this is its transpose as well.</summary>
    /// <param name="kind">Which nonlinearity.</param>
    /// <param name="y">The outputs.</param>
    /// <param name="direction">Of the sums; of the outputs afterwards.</param>
    public static void Differentiate(OutputKind kind, ReadOnlySpan<double> y, Span<double> direction)
    {
        double mean = kind == OutputKind.Softmax ? TensorPrimitives.Dot(y, direction) : 0;
        for (int k = 0; k < y.Length; k++)
        {
            direction[k] = kind switch
            {
                OutputKind.Sigmoid => y[k] * (1 - y[k]) * direction[k],
                OutputKind.Softmax => y[k] * (direction[k] - mean),
                OutputKind.Exponential => y[k] * direction[k],
                OutputKind.Softplus => -double.ExpM1(-y[k]) * direction[k],
                _ => direction[k],
            };
        }
    }
}
