namespace Rflo.Analysis;

/// <summary>A state at which a circuit does not change, or changes slowly.</summary>
public sealed record FixedPoint
{
    /// <summary>z, shape (n).</summary>
    public required double[] State { get; init; }

    /// <summary>q = 1/2 |F(z) - z|^2.</summary>
    public required double Speed { get; init; }

    /// <summary>Whether it is a fixed point; otherwise a slow one, where q has a minimum that is not 0.</summary>
    public required bool IsFixed { get; init; }

    /// <summary>Eigenvalues and eigenvectors of the Jacobian there, by falling magnitude: all, or of a large circuit the largest.</summary>
    public required IReadOnlyList<Mode> Modes { get; init; }

    /// <summary>Number of eigenvalues, of those in <see cref="Modes"/>, whose magnitude is above 1.</summary>
    public required int UnstableDirections { get; init; }

    /// <summary>How many starts led to it.</summary>
    public required int Starts { get; init; }

    /// <summary>Whether it has no unstable direction.</summary>
    public bool IsStable => UnstableDirections == 0;
}

/// <summary>The options of a search for fixed points.</summary>
public sealed record FixedPointOptions
{
    /// <summary>The defaults.</summary>
    public static FixedPointOptions Standard { get; } = new();

    /// <summary>A point whose q is at most this is fixed.</summary>
    public double FixedBelow { get; init; } = 1e-20;

    /// <summary>A minimum of q that is above <see cref="FixedBelow"/> and at most this is a slow point; others are left out.</summary>
    public double SlowBelow { get; init; } = 1e-6;

    /// <summary>Points whose distance is at most this are one.</summary>
    public double MergeWithin { get; init; } = 1e-4;

    /// <summary>The magnitude of an eigenvalue counts as above 1 if it exceeds 1 by more than this: the tolerance for rounding errors of eigenvalues of 1.</summary>
    public double Marginal { get; init; } = 1e-6;

    /// <summary>The most steps from a start.</summary>
    public int Iterations { get; init; } = 500;

    /// <summary>Of a circuit with at most so many numbers in a state, and no more than <see cref="Rflo.Analysis.Modes.LargestDense"/>, all eigenvalues are found.</summary>
    public int AllModesUpTo { get; init; } = Rflo.Analysis.Modes.LargestDense;

    /// <summary>How many eigenvalues of a larger circuit are found: those of largest magnitude.</summary>
    public int Modes { get; init; } = 10;

    /// <summary>Standard deviation of a random displacement of every start; 0 for none.</summary>
    public double Jitter { get; init; }

    /// <summary>Seed of the displacements.</summary>
    public long Seed { get; init; }
}
