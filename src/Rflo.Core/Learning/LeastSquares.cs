using System.Numerics;

namespace Rflo.Core;

/// <summary>A readout that learns by solving least squares: a problem for all outputs that hear the same and count in the same steps.</summary>
internal abstract class LeastSquares<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Segment[] _segments;

    protected LeastSquares(Network<T> network, ReadoutState<T> readout, Segment[] segments)
    {
        _segments = segments;
        Readout = readout;
        Masks = new OutputMasks<T>(network, readout);
    }

    /// <summary>The problems as they are now; <see cref="Make"/> makes those of the beginning.</summary>
    public List<LeastSquaresProblem<T>> Problems { get; private set; } = [];

    protected ReadoutState<T> Readout { get; }

    protected OutputMasks<T> Masks { get; }

    /// <summary>Outputs whose masks differ in this trial go apart, each with a copy of what was learned so far.</summary>
    public override void Begin(int trial, int steps)
    {
        if (!Problems.TrueForAll(Agree))
            Problems = [.. Problems.SelectMany(problem => Agree(problem) ? [problem] : Apart(problem))];
    }

    /// <summary>Shows the matrices output by output, whoever shares one: a run that is taken up has not seen the masks.</summary>
    public override void Visit(StateVisitor visitor)
    {
        LeastSquaresProblem<T>[] single = [.. Problems.SelectMany(Apart)];
        foreach (LeastSquaresProblem<T> problem in single)
            problem.Visit(visitor.Of($"output{problem.Regressors.Outputs[0]}"));
        Problems = [.. Regressors<T>.Of(Readout.Afferents, _segments).SelectMany(regressors => Together(regressors, single))];
    }

    /// <summary>A problem in which nothing was learned yet.</summary>
    protected abstract LeastSquaresProblem<T> New(Regressors<T> regressors);

    /// <summary>Makes the problems of the beginning; for constructors.</summary>
    protected void Make() => Problems = [.. Regressors<T>.Of(Readout.Afferents, _segments).Select(New)];

    private bool Agree(LeastSquaresProblem<T> problem) => Masks.Agree(problem.Regressors.Outputs);

    private IEnumerable<LeastSquaresProblem<T>> Apart(LeastSquaresProblem<T> problem) =>
        problem.Regressors.Apart().Select((regressors, k) =>
        {
            LeastSquaresProblem<T> alone = New(regressors);
            alone.TakeFrom(problem, k, 0);
            return alone;
        });

    /// <summary>Outputs that have learned the same share one problem again.</summary>
    private LeastSquaresProblem<T>[] Together(Regressors<T> shared, LeastSquaresProblem<T>[] single)
    {
        LeastSquaresProblem<T>[] parts = [.. shared.Outputs.Select(output => single.First(problem => problem.Regressors.Outputs[0] == output))];
        if (!Array.TrueForAll(parts, part => part.Matrix.IsSame(parts[0].Matrix)))
            return parts;
        LeastSquaresProblem<T> together = New(shared);
        for (int k = 0; k < parts.Length; k++)
            together.TakeFrom(parts[k], 0, k);
        return [together];
    }
}

/// <summary>One least-squares problem, with what is kept of it from step to step and from trial to trial.</summary>
internal abstract class LeastSquaresProblem<T>(Regressors<T> regressors)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public Regressors<T> Regressors { get; } = regressors;

    /// <summary>P of recursive least squares, or the Gram matrix of ridge regression.</summary>
    public SymmetricMatrix Matrix { get; } = new(regressors.Count);

    /// <summary>Takes what another problem with the same regressors has learned.</summary>
    /// <param name="other">The other problem.</param>
    /// <param name="from">Which of the other's outputs.</param>
    /// <param name="to">Which output of this problem.</param>
    public virtual void TakeFrom(LeastSquaresProblem<T> other, int from, int to) => Matrix.TakeFrom(other.Matrix);

    /// <summary>Shows what is kept, for a problem of one output.</summary>
    public virtual void Visit(StateVisitor visitor) => Matrix.Visit(visitor, "matrix");
}
