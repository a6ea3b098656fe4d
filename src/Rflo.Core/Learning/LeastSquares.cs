using System.Numerics;

namespace Rflo.Core;

/// <summary>A readout that learns by solving least squares: one problem for all outputs with the same connections and masks.</summary>
internal abstract class LeastSquares<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const string Sharing = "sharing";
    private readonly Segment[] _segments;
    private readonly int[] _owners;

    protected LeastSquares(Network<T> network, ReadoutState<T> readout, Segment[] segments)
    {
        _segments = segments;
        Readout = readout;
        _owners = new int[readout.Outputs];
        Masks = new OutputMasks<T>(network, readout);
    }

    public override BufferPurpose Purpose => BufferPurpose.Weights;

    /// <summary>The problems as they are now; <see cref="Make"/> makes the initial ones.</summary>
    public List<LeastSquaresProblem<T>> Problems { get; private set; } = [];

    protected ReadoutState<T> Readout { get; }

    /// <summary>The weights that it solves for, by name.</summary>
    protected string[] Written => [.. _segments.Select(segment => BufferNames.Weights(segment.Spec.Name))];

    /// <summary>The same, read.</summary>
    protected IEnumerable<PlanRead> WeightReads => Written.Select(buffer => new PlanRead(buffer));

    protected OutputMasks<T> Masks { get; }

    /// <summary>Splits problems whose outputs have different masks in this trial; each output receives a copy of the sums so far.</summary>
    public override void Begin(int trial, int steps)
    {
        if (!Problems.TrueForAll(Agree))
            Problems = [.. Problems.SelectMany(problem => Agree(problem) ? [problem] : Apart(problem))];
    }

    /// <summary>
    /// Saves or restores each problem once, and which outputs share it: a resumed run cannot derive this from masks, which are
    /// those of earlier trials.
    /// </summary>
    public override void Visit(StateVisitor visitor)
    {
        List<LeastSquaresProblem<T>> problems = visitor.Saved(Sharing) is { } sharing ? Arranged(sharing) : Problems;
        if (problems == Problems)
            TakeOwners();
        visitor.Visit<int>(Sharing, problems == Problems ? _owners : OwnersOf(problems));
        foreach (LeastSquaresProblem<T> problem in problems)
            problem.Visit(visitor.Of("output", problem.Regressors.Outputs[0]));
        if (visitor.Restores)
            Problems = problems;
    }

    /// <summary>A problem without data.</summary>
    protected abstract LeastSquaresProblem<T> New(Regressors<T> regressors);

    /// <summary>Makes the initial problems; for constructors.</summary>
    protected void Make() => Problems = [.. Regressors<T>.Of(Readout.Afferents, _segments).Select(New)];

    private bool Agree(LeastSquaresProblem<T> problem) => Masks.Agree(problem.Regressors.Outputs);

    private IEnumerable<LeastSquaresProblem<T>> Apart(LeastSquaresProblem<T> problem) =>
        problem.Regressors.Apart().Select((regressors, k) =>
        {
            LeastSquaresProblem<T> alone = New(regressors);
            alone.TakeFrom(problem, k, 0);
            return alone;
        });

    /// <summary>For each output the first one that shares its problem; -1 for an output without one.</summary>
    private int[] OwnersOf(List<LeastSquaresProblem<T>> problems)
    {
        int[] owners = new int[Readout.Outputs];
        WriteOwners(problems, owners);
        return owners;
    }

    private void TakeOwners() => WriteOwners(Problems, _owners);

    private static void WriteOwners(List<LeastSquaresProblem<T>> problems, int[] owners)
    {
        Array.Fill(owners, -1);
        foreach (LeastSquaresProblem<T> problem in problems)
            foreach (int output in problem.Regressors.Outputs)
                owners[output] = problem.Regressors.Outputs[0];
    }

    /// <summary>Problems without data, shared among outputs as in a saved state.</summary>
    /// <exception cref="ArgumentException">Outputs with different connections cannot share one.</exception>
    private List<LeastSquaresProblem<T>> Arranged(double[] owners)
    {
        List<LeastSquaresProblem<T>> problems =
            [.. Regressors<T>.Of(Readout.Afferents, _segments).SelectMany(all => all.GroupedBy(output => output < owners.Length ? owners[output] : double.NaN)).Select(New)];
        if (!OwnersOf(problems).Select(owner => (double)owner).SequenceEqual(owners))
            ThrowHelper.Invalid($"The part '{Sharing}' of the state shares problems among outputs of {Readout.Spec.Name} that cannot share them.");
        return problems;
    }
}

/// <summary>One least-squares problem, with its state from step to step and from trial to trial.</summary>
internal abstract class LeastSquaresProblem<T>(Regressors<T> regressors)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public Regressors<T> Regressors { get; } = regressors;

    /// <summary>P of recursive least squares, or the Gram matrix of ridge regression.</summary>
    public SymmetricMatrix Matrix { get; } = new(regressors.Count);

    /// <summary>Copies the state of another problem with the same regressors.</summary>
    /// <param name="other">The other problem.</param>
    /// <param name="from">Which of the other's outputs.</param>
    /// <param name="to">Which output of this problem.</param>
    public virtual void TakeFrom(LeastSquaresProblem<T> other, int from, int to) => Matrix.TakeFrom(other.Matrix);

    /// <summary>Saves or restores what is kept.</summary>
    public virtual void Visit(StateVisitor visitor) => Matrix.Visit(visitor, "matrix");
}
