using System.Numerics;

namespace Rflo.Core;

/// <summary>The state of a readout in a trial: its weights, its outputs and errors over the trial.</summary>
internal sealed class ReadoutState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedArray<T> _outputs;
    private readonly AlignedArray<T> _errors;
    private readonly int _history;
    private readonly T[] _overTime;
    private readonly Loss _loss;
    private readonly bool _isNatural;

    /// <param name="graph">The circuit.</param>
    /// <param name="index">Which readout.</param>
    /// <param name="firstOutput">Place of its first output among the outputs of all readouts.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="original">The readout whose weights it shares, in a parallel trial; null for weights of its own.</param>
    public ReadoutState(Graph graph, int index, int firstOutput, int maxSteps, ReadoutState<T>? original = null)
    {
        Spec = graph.Readouts[index];
        Index = index;
        Outputs = Spec.Outputs;
        FirstOutput = firstOutput;
        Padded = Simd.Padded<T>(Outputs);
        IsFedBack = graph.IsFedBack(index);
        _history = graph.MaxDelay;
        Afferents = original is null ? new Afferents<T>(graph, isReadout: true, index, Outputs, maxSteps, _history) : new Afferents<T>(original.Afferents);
        _overTime = Storage.New<T>(maxSteps);
        _loss = Spec.LossOrNatural;
        _isNatural = _loss.Equals(Loss.Natural(Spec.Kind)) && Spec.Kind != OutputKind.Softplus;
        Sums = new AlignedArray<T>(Padded);
        _outputs = new AlignedArray<T>(_history + maxSteps + 1, Padded);
        _errors = new AlignedArray<T>(_history + maxSteps + 1, Padded);
    }

    public ReadoutSpec Spec { get; }

    public int Index { get; }

    public int Outputs { get; }

    /// <summary>Place of its first output among the outputs of all readouts.</summary>
    public int FirstOutput { get; }

    public int Padded { get; }

    /// <summary>Whether its outputs return to an area.</summary>
    public bool IsFedBack { get; }

    /// <summary>Whether a rule reads y(0).</summary>
    public bool KeepsStart { get; private set; }

    public Afferents<T> Afferents { get; }

    /// <summary>W h + b of the current step, before the nonlinearity.</summary>
    public AlignedArray<T> Sums { get; }

    /// <summary>y(t); steps before 1 exist where the output is fed back.</summary>
    public Span<T> Output(int step) => _outputs.Row(_history + step, Padded);

    /// <summary>
    /// The error that its weights and the feedback receive: -dL/d(sum) without the 1/T, which for a linear readout
    /// and the squared error is eps(t) = m (y* - y). Zero before step 1.
    /// </summary>
    public Span<T> Error(int step) => _errors.Row(_history + step, Padded);

    /// <summary>The rows of errors from step <paramref name="step"/> on, each <see cref="Padded"/> long.</summary>
    public Span<T> ErrorsFrom(int step) => _errors.From(_history + step, Padded);

    /// <summary>Numbers of the activity of a trial: what a network that runs beside another allocates for this readout.</summary>
    public long NumbersOfTrial => _outputs.Length + _errors.Length + Storage.LengthOf(_overTime) + Sums.Length + Afferents.NumbersOfTrial;

    /// <summary>Requests y(0), the output from the rates with which a trial begins.</summary>
    public void KeepStart() => KeepsStart = true;

    /// <summary>Whether all its outputs of a trial are one product: it is linear, and receives one whole area through dense weights.</summary>
    public bool HasOneProduct => Spec.Kind == OutputKind.Linear && Afferents.IsShared && Afferents.DenseStride > 0;

    /// <summary>y(t) of all steps: rates over time are a matrix, and the weights of an output the vector that it is multiplied with.</summary>
    public void ComputeAllOutputs(int steps)
    {
        Span<T> overTime = _overTime.AsSpan(0, steps);
        for (int k = 0; k < Outputs; k++)
        {
            Kernels.Multiply(Afferents.SignalsFrom(1), Afferents.Weights.Dense.Row(k, Afferents.DenseStride), overTime);
            Span<T> outputs = _outputs.From(_history + 1, Padded);
            for (int t = 0; t < steps; t++)
                outputs[t * Padded + k] = overTime[t];
        }
    }

    /// <summary>y(t) from the sums.</summary>
    public void ComputeOutput(int step)
    {
        Span<T> y = Output(step)[..Outputs];
        Span<T> sum = Sums.Span[..Outputs];
        switch (Spec.Kind)
        {
            case OutputKind.Sigmoid:
                System.Numerics.Tensors.TensorPrimitives.Sigmoid<T>(sum, y);
                break;
            case OutputKind.Softmax:
                T top = System.Numerics.Tensors.TensorPrimitives.Max<T>(sum);
                T total = T.Zero;
                for (int k = 0; k < Outputs; k++)
                    total += y[k] = T.Exp(sum[k] - top);
                for (int k = 0; k < Outputs; k++)
                    y[k] /= total;
                break;
            case OutputKind.Exponential:
                System.Numerics.Tensors.TensorPrimitives.Exp<T>(sum, y);
                break;
            case OutputKind.Softplus:
                for (int k = 0; k < Outputs; k++)
                    y[k] = T.Max(T.Zero, sum[k]) + T.LogP1(T.Exp(-T.Abs(sum[k])));
                break;
            default:
                sum.CopyTo(y);
                break;
        }
    }

    /// <summary>The errors of a step, and its share of the loss before the 1/T. Where the mask is 0 there is no target, so it may be NaN.</summary>
    /// <param name="step">t.</param>
    /// <param name="targets">y*(t) of all readouts.</param>
    /// <param name="mask">m(t) of all readouts.</param>
    public double ComputeErrorsAndLoss(int step, ReadOnlySpan<double> targets, ReadOnlySpan<double> mask)
    {
        Span<T> y = Output(step), error = Error(step);
        targets = targets.Slice(FirstOutput, Outputs);
        mask = mask.Slice(FirstOutput, Outputs);
        if (!_isNatural)
            return CompareBy(_loss, step, targets, mask);
        return Spec.Kind switch
        {
            OutputKind.Sigmoid or OutputKind.Exponential => CompareOfSums(y, error, targets, mask),
            OutputKind.Softmax => CompareDistributions(y, error, targets, mask),
            _ => CompareSquares(y, error, targets, mask),
        };
    }

    private double CompareSquares(ReadOnlySpan<T> y, Span<T> error, ReadOnlySpan<double> targets, ReadOnlySpan<double> mask)
    {
        double loss = 0;
        for (int k = 0; k < Outputs; k++)
        {
            error[k] = T.Zero;
            if (mask[k] == 0)
                continue;
            T difference = T.CreateTruncating(targets[k]) - y[k];
            error[k] = T.CreateTruncating(mask[k]) * difference;
            double d = double.CreateTruncating(difference);
            loss += 0.5 * mask[k] * d * d;
        }

        return loss;
    }

    /// <summary>The binary cross-entropy of a sigmoid, and the Poisson loss of an exponential, from the sums s: log(1 + e^s) - y* s, and e^s - y* s.</summary>
    private double CompareOfSums(ReadOnlySpan<T> y, Span<T> error, ReadOnlySpan<double> targets, ReadOnlySpan<double> mask)
    {
        Span<T> sum = Sums.Span;
        double loss = 0;
        for (int k = 0; k < Outputs; k++)
        {
            error[k] = T.Zero;
            if (mask[k] == 0)
                continue;
            error[k] = T.CreateTruncating(mask[k]) * (T.CreateTruncating(targets[k]) - y[k]);
            double s = double.CreateTruncating(sum[k]);
            double of = Spec.Kind == OutputKind.Sigmoid ? Math.Max(0, s) + double.LogP1(Math.Exp(-Math.Abs(s))) : double.CreateTruncating(y[k]);
            loss += mask[k] * (of - targets[k] * s);
        }

        return loss;
    }

    private double CompareDistributions(ReadOnlySpan<T> y, Span<T> error, ReadOnlySpan<double> targets, ReadOnlySpan<double> mask)
    {
        Span<T> sum = Sums.Span;
        double loss = 0, all = 0, top = double.NegativeInfinity, total = 0;
        for (int k = 0; k < Outputs; k++)
        {
            all += Counted(mask[k], targets[k]);
            top = Math.Max(top, double.CreateTruncating(sum[k]));
        }

        for (int k = 0; k < Outputs; k++)
            total += Math.Exp(double.CreateTruncating(sum[k]) - top);
        for (int k = 0; k < Outputs; k++)
        {
            double counted = Counted(mask[k], targets[k]);
            error[k] = T.CreateTruncating(counted) - T.CreateTruncating(all) * y[k];
            if (counted != 0)
                loss += counted * (top + Math.Log(total) - double.CreateTruncating(sum[k]));
        }

        return loss;
    }

    /// <summary>The loss and the errors of any other loss, by its value and slope.</summary>
    /// <exception cref="TaskException">It is code of another assembly, and threw.</exception>
    private double CompareBy(Loss by, int step, ReadOnlySpan<double> targets, ReadOnlySpan<double> mask)
    {
        Span<T> error = Error(step), y = Output(step);
        double loss = 0;
        try
        {
            for (int k = 0; k < Outputs; k++)
            {
                error[k] = T.Zero;
                if (mask[k] == 0)
                    continue;
                double output = double.CreateTruncating(y[k]);
                loss += mask[k] * by.Value(output, targets[k]);
                error[k] = T.CreateTruncating(-mask[k] * by.Slope(output, targets[k]));
            }
        }
        catch (Exception e) when (UserCode.Is(by))
        {
            throw new TaskException(step, $"the loss of readout {Spec.Name}", e);
        }

        ThroughNonlinearity(step, error);
        return loss;
    }

    /// <summary>m y*; 0 where m is 0, whatever the target.</summary>
    private static double Counted(double mask, double target) => mask == 0 ? 0 : mask * target;

    /// <summary>Carries the credit of outputs back to the sums, through the nonlinearity: credit = (dy/d sum)' credit.</summary>
    public void ThroughNonlinearity(int step, Span<T> credit)
    {
        Span<T> y = Output(step);
        switch (Spec.Kind)
        {
            case OutputKind.Sigmoid:
                for (int k = 0; k < Outputs; k++)
                    credit[k] *= y[k] * (T.One - y[k]);
                break;
            case OutputKind.Exponential:
                for (int k = 0; k < Outputs; k++)
                    credit[k] *= y[k];
                break;
            case OutputKind.Softplus:
                // The slope, 1 / (1 + exp(-s)), from y = log(1 + exp(s)).
                for (int k = 0; k < Outputs; k++)
                    credit[k] *= -T.ExpM1(-y[k]);
                break;
            case OutputKind.Softmax:
                T mean = T.Zero;
                for (int k = 0; k < Outputs; k++)
                    mean += y[k] * credit[k];
                for (int k = 0; k < Outputs; k++)
                    credit[k] = y[k] * (credit[k] - mean);
                break;
            default:
                break;
        }
    }
}
