namespace Rflo.Core;

/// <summary>The data of one trial: copies, which later trials do not change. Row 0 is step t = 1.</summary>
public sealed record Recording
{
    /// <summary>Steps T of the trial.</summary>
    public required int Steps { get; init; }

    /// <summary>The trial's loss L.</summary>
    public required double Loss { get; init; }

    /// <summary>The cost of the rates of areas with penalties (<see cref="RatePenalty"/>), beside the loss; 0 without penalties.</summary>
    public double RateCost { get; init; }

    /// <summary>x(t), shape (steps, channels).</summary>
    public required double[] Inputs { get; init; }

    /// <summary>y*(t), shape (steps, outputs).</summary>
    public required double[] Targets { get; init; }

    /// <summary>m(t), shape (steps, outputs).</summary>
    public required double[] Mask { get; init; }

    /// <summary>The rewards that the task gave, shape (steps).</summary>
    public required double[] Rewards { get; init; }

    /// <summary>Which events of the task happen, shape (steps, kinds of events).</summary>
    public bool[] Events { get; init; } = [];

    /// <summary>y(t) of all readouts side by side, shape (steps, outputs).</summary>
    public required double[] Outputs { get; init; }

    /// <summary>The conditions of the trial, one number for each of <see cref="ITask.Conditions"/>; NaN where it has none of that name.</summary>
    public double[] Conditions { get; init; } = [];

    /// <summary>The performance (<see cref="ITask.Performance"/>); NaN where its task defines none.</summary>
    public double Performance { get; init; } = double.NaN;

    /// <summary>h(t), for each area an array of shape (steps, units).</summary>
    public required IReadOnlyList<double[]> Rates { get; init; }

    /// <summary>
    /// s(t), for each area and each of its state variables (<see cref="AreaSpec.StateNames"/>) an array of shape (steps, units); no array of areas
    /// without <see cref="AreaSpec.RecordsStates"/>.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<double[]>> States { get; init; } = [];
}
