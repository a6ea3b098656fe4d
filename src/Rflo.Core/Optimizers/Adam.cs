using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// Adam (Kingma and Ba 2015): dW = eta m' / (sqrt v' + epsilon), with running means m of g and v of g^2, corrected for their
/// start.
/// </summary>
/// <param name="Beta1">Memory of the first moment, in [0, 1).</param>
/// <param name="Beta2">Memory of the second moment, in [0, 1).</param>
/// <param name="Epsilon">Keeps the quotient finite; more than 0.</param>
public sealed record Adam(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8) : Optimizer
{
    /// <inheritdoc/>
    public override int Memory => 2;

    /// <inheritdoc/>
    public override string Description =>
        Epsilon == 1e-8 ? FormattableString.Invariant($"Adam ({Beta1}, {Beta2})") : FormattableString.Invariant($"Adam ({Beta1}, {Beta2}, epsilon {Epsilon})");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems =>
    [
        .. OutOfRange.UnlessFraction("a memory of Adam", Beta1),
        .. OutOfRange.UnlessFraction("a memory of Adam", Beta2),
        .. OutOfRange.UnlessPositive("the epsilon of Adam", Epsilon),
    ];

    /// <inheritdoc/>
    public override void Update<T>(in OptimizerStep<T> update) => Step(update, Beta1, Beta2, Epsilon);

    /// <summary>The step, with constants of its own.</summary>
    internal static void Step<T>(in OptimizerStep<T> update, double memory1, double memory2, double epsilon)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T beta1 = T.CreateTruncating(memory1), beta2 = T.CreateTruncating(memory2);
        Span<T> mean = update.Memory(0), square = update.Memory(1), row = update.Direction;
        TensorPrimitives.Multiply(mean, beta1, mean);
        TensorPrimitives.MultiplyAdd(row, T.One - beta1, mean, mean);
        TensorPrimitives.Multiply(row, row, row);
        TensorPrimitives.Multiply(square, beta2, square);
        TensorPrimitives.MultiplyAdd(row, T.One - beta2, square, square);
        double start1 = 1 - Math.Pow(memory1, update.Number), start2 = 1 - Math.Pow(memory2, update.Number);
        TensorPrimitives.Multiply(square, T.CreateTruncating(1 / start2), row);
        TensorPrimitives.Sqrt(row, row);
        TensorPrimitives.Add(row, T.CreateTruncating(epsilon), row);
        TensorPrimitives.Divide(mean, row, row);
        TensorPrimitives.MultiplyAdd(row, T.CreateTruncating(update.LearningRate / start1), update.Parameters, update.Parameters);
    }
}
