namespace Rflo.Core;

/// <summary>RMSprop (Tieleman and Hinton 2012): dW = eta g / (sqrt v + epsilon), with a running mean v of g^2 that begins at 0.</summary>
/// <param name="Beta">Memory of that mean, in [0, 1).</param>
/// <param name="Epsilon">Keeps the quotient finite; more than 0.</param>
public sealed record RmsProp(double Beta = 0.99, double Epsilon = 1e-8) : Optimizer
{
    /// <inheritdoc/>
    public override int Memory => 1;

    /// <inheritdoc/>
    public override string Description =>
        Epsilon == 1e-8 ? FormattableString.Invariant($"RMSprop ({Beta})") : FormattableString.Invariant($"RMSprop ({Beta}, epsilon {Epsilon})");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems =>
        [.. OutOfRange.UnlessFraction("the memory of RMSprop", Beta), .. OutOfRange.UnlessPositive("the epsilon of RMSprop", Epsilon)];

    /// <inheritdoc/>
    public override void Update<T>(in OptimizerStep<T> update)
    {
        T beta = T.CreateTruncating(Beta), rest = T.One - beta, epsilon = T.CreateTruncating(Epsilon), rate = T.CreateTruncating(update.LearningRate);
        Span<T> square = update.Memory(0), direction = update.Direction, parameters = update.Parameters;
        for (int k = 0; k < parameters.Length; k++)
        {
            square[k] = beta * square[k] + rest * direction[k] * direction[k];
            parameters[k] += rate * direction[k] / (T.Sqrt(square[k]) + epsilon);
        }
    }
}
