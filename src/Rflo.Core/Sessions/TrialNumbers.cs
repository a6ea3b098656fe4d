using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>Checks that the numbers of a task are finite, before a circuit reads them. One pass over the trial; single numbers are checked only where a sum is not finite.</summary>
internal static class TrialNumbers
{
    /// <summary>Checks the inputs from step <paramref name="first"/> to <paramref name="last"/>.</summary>
    /// <exception cref="TaskException">An input is not finite; the message names it.</exception>
    public static void CheckInputs(Graph graph, Trial trial, int first, int last)
    {
        ReadOnlySpan<double> inputs = Rows(trial.Inputs, trial.InputChannels, first, last);
        if (double.IsFinite(TensorPrimitives.Sum(inputs)))
            return;
        for (int k = 0; k < inputs.Length; k++)
        {
            if (double.IsFinite(inputs[k]))
                continue;
            int channel = k % trial.InputChannels, part = 0;
            while (channel >= graph.Inputs[part].Channels)
                channel -= graph.Inputs[part++].Channels;
            Refuse(first + k / trial.InputChannels, FormattableString.Invariant($"channel {channel} of the input {graph.Inputs[part].Name} is {inputs[k]}; it must be finite"));
        }
    }

    /// <summary>Checks targets that count, masks and rewards from step <paramref name="first"/> to <paramref name="last"/>.</summary>
    /// <exception cref="TaskException">One is not finite, or a mask is less than 0; the message names it.</exception>
    public static void CheckTargets(Graph graph, Trial trial, int first, int last)
    {
        ReadOnlySpan<double> targets = Rows(trial.Targets, trial.Outputs, first, last), mask = Rows(trial.Mask, trial.Outputs, first, last);
        if (!double.IsFinite(TensorPrimitives.Sum(targets)) || !double.IsFinite(TensorPrimitives.Sum(mask)) || (mask.Length > 0 && !(TensorPrimitives.Min(mask) >= 0)))
            CheckEach(graph, trial, first, targets, mask);
        ReadOnlySpan<double> rewards = Rows(trial.Rewards, 1, first, last);
        if (double.IsFinite(TensorPrimitives.Sum(rewards)))
            return;
        for (int k = 0; k < rewards.Length; k++)
            if (!double.IsFinite(rewards[k]))
                Refuse(first + k, FormattableString.Invariant($"the reward is {rewards[k]}; it must be finite"));
    }

    private static void CheckEach(Graph graph, Trial trial, int first, ReadOnlySpan<double> targets, ReadOnlySpan<double> mask)
    {
        for (int k = 0; k < targets.Length; k++)
        {
            bool isWeight = mask[k] >= 0 && double.IsFinite(mask[k]);
            if (isWeight && (mask[k] == 0 || double.IsFinite(targets[k])))
                continue;
            int output = k % trial.Outputs, part = 0;
            while (output >= graph.Readouts[part].Outputs)
                output -= graph.Readouts[part++].Outputs;
            string place = $"of output {output} of the readout {graph.Readouts[part].Name}";
            Refuse(first + k / trial.Outputs, isWeight
                ? FormattableString.Invariant($"the target {place} is {targets[k]}; it must be finite, or its mask 0")
                : FormattableString.Invariant($"the mask {place} is {mask[k]}; it must be finite and at least 0"));
        }
    }

    private static ReadOnlySpan<double> Rows(double[] values, int width, int first, int last) => values.AsSpan((first - 1) * width, (last - first + 1) * width);

    private static void Refuse(int step, string message) => throw new TaskException(step, new ArgumentException(message));
}
