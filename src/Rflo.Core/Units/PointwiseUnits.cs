namespace Rflo.Core;

/// <summary>
/// A unit model from two functions of one unit, in double precision whatever the session's: for a model of a few lines in a script. They
/// are called for every unit in every step; a model of its own (<see cref="UnitModel"/>) goes through all units in one loop.
/// </summary>
/// <param name="Name">Its name, with all of its constants. Models that differ need different names: it is part of a run's identity.</param>
/// <param name="Names">Names of the state variables.</param>
/// <param name="Step">Writes the next state and its derivatives, <see cref="OneUnit.A"/> and <see cref="OneUnit.C"/>.</param>
/// <param name="Signal">Gives the signal of a state, and writes its derivative, <see cref="OneUnit.G"/>.</param>
public sealed record PointwiseUnits(string Name, IReadOnlyList<string> Names, Action<OneUnit> Step, Func<OneUnit, double> Signal) : UnitModel
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> States => Names;

    /// <inheritdoc/>
    public override string Description => Name;

    /// <summary>Where the state variables beyond the first begin, in their order; 0 for those that it does not reach.</summary>
    public IReadOnlyList<double> Initial { get; init; } = [];

    /// <inheritdoc/>
    public override double InitialState(int state) => state - 1 < Initial.Count ? Initial[state - 1] : 0;

    /// <inheritdoc/>
    public override void Advance<T>(in UnitStep<T> update)
    {
        int d = Names.Count;
        var unit = OneUnit.OfThread(d);
        for (int i = 0; i < update.Alpha.Length; i++)
        {
            unit.Alpha = double.CreateTruncating(update.Alpha[i]);
            unit.Current = double.CreateTruncating(update.Current[i]);
            for (int k = 0; k < d; k++)
                unit.Before[k] = double.CreateTruncating(update.Before(k)[i]);
            Array.Clear(unit.State);
            Array.Clear(unit.A);
            Array.Clear(unit.C);
            Step(unit);
            for (int k = 0; k < d; k++)
            {
                update.After(k)[i] = T.CreateTruncating(unit.State[k]);
                update.C(k)[i] = T.CreateTruncating(unit.C[k]);
                for (int l = 0; l < d; l++)
                    update.A(k, l)[i] = T.CreateTruncating(unit.A[k, l]);
            }
        }
    }

    /// <inheritdoc/>
    public override void Send<T>(in UnitOutput<T> output)
    {
        int d = Names.Count;
        var unit = OneUnit.OfThread(d);
        for (int i = 0; i < output.Signal.Length; i++)
        {
            for (int k = 0; k < d; k++)
                unit.State[k] = double.CreateTruncating(output.State(k)[i]);
            Array.Clear(unit.G);
            output.Signal[i] = T.CreateTruncating(Signal(unit));
            for (int k = 0; k < d; k++)
                output.G(k)[i] = T.CreateTruncating(unit.G[k]);
        }
    }
}
