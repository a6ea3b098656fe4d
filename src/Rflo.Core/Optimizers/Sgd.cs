using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>Gradient descent: dW = eta g.</summary>
public sealed record Sgd : Optimizer
{
    /// <inheritdoc/>
    public override string Description => "SGD";

    /// <inheritdoc/>
    public override void Update<T>(in OptimizerStep<T> update) =>
        TensorPrimitives.MultiplyAdd(update.Direction, T.CreateTruncating(update.LearningRate), update.Parameters, update.Parameters);
}
