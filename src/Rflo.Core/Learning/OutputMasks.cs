using System.Numerics;

namespace Rflo.Core;

/// <summary>The masks m(t) of one readout's outputs in the current trial.</summary>
internal sealed class OutputMasks<T>(Network<T> network, ReadoutState<T> readout)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>m(t) of an output.</summary>
    public double At(int step, int output) => network.Trial.Mask[Index(step, output)];

    /// <summary>y*(t) of an output.</summary>
    public double Target(int step, int output) => network.Trial.Targets[Index(step, output)];

    /// <summary>Whether these outputs have the same mask in every step of the trial, so that they may share a least-squares problem.</summary>
    public bool Agree(int[] outputs)
    {
        for (int step = 1; step <= network.Trial.Steps; step++)
            foreach (int output in outputs)
                if (At(step, output) != At(step, outputs[0]))
                    return false;
        return true;
    }

    private int Index(int step, int output) => (step - 1) * network.Graph.Outputs + readout.FirstOutput + output;
}
