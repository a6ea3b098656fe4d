using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>Momentum (Polyak 1964): m = beta m + g; dW = eta m. Nesterov's form has dW = eta (g + beta m).</summary>
/// <param name="Beta">Memory, in [0, 1).</param>
/// <param name="Nesterov">Whether it has Nesterov's form (Sutskever et al. 2013).</param>
public sealed record Momentum(double Beta = 0.9, bool Nesterov = false) : Optimizer
{
    /// <inheritdoc/>
    public override int Memory => 1;

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"{(Nesterov ? "Nesterov momentum" : "momentum")} {Beta}");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems => OutOfRange.UnlessFraction("the memory of momentum", Beta);

    /// <inheritdoc/>
    public override void Update<T>(in OptimizerStep<T> update)
    {
        Span<T> velocity = update.Memory(0), direction = update.Direction;
        T beta = T.CreateTruncating(Beta), rate = T.CreateTruncating(update.LearningRate);
        TensorPrimitives.Multiply(velocity, beta, velocity);
        TensorPrimitives.Add(direction, velocity, velocity);
        if (Nesterov)
            TensorPrimitives.MultiplyAdd(velocity, beta, direction, direction);
        else
            velocity.CopyTo(direction);
        TensorPrimitives.MultiplyAdd(direction, rate, update.Parameters, update.Parameters);
    }
}
