using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): W = (1 - eta lambda) W, then Adam's step. A penalty on
/// the loss would pass through Adam's quotient instead, which decays weights of large gradients less.
/// </summary>
/// <param name="WeightDecay">lambda, at least 0.</param>
/// <param name="Beta1">Memory of the first moment, in [0, 1).</param>
/// <param name="Beta2">Memory of the second moment, in [0, 1).</param>
/// <param name="Epsilon">Keeps the quotient finite; more than 0.</param>
public sealed record AdamW(double WeightDecay = 0.01, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8) : Optimizer
{
    /// <inheritdoc/>
    public override int Memory => 2;

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"{Undecayed.Description} with weight decay {WeightDecay}");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems =>
        [.. Undecayed.Problems, .. OutOfRange.UnlessNotNegative("the weight decay of AdamW", WeightDecay)];

    /// <inheritdoc/>
    public override void Update<T>(in OptimizerStep<T> update)
    {
        TensorPrimitives.Multiply(update.Parameters, T.CreateTruncating(1 - update.LearningRate * WeightDecay), update.Parameters);
        Adam.Step(update, Beta1, Beta2, Epsilon);
    }

    private Adam Undecayed => new(Beta1, Beta2, Epsilon);
}
