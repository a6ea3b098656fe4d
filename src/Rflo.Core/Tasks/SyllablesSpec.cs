namespace Rflo.Core;

/// <summary>Which syllables the task gives as inputs, as a tonic input on the syllable's own channel.</summary>
public enum SyllableCue
{
    /// <summary>Every syllable.</summary>
    Each,

    /// <summary>The first of a trial; the circuit chooses the others.</summary>
    First,

    /// <summary>None; the task has no channels.</summary>
    None,
}

/// <summary>The parameters of a cursor task: times in steps, lengths in the workspace. Murray (2019), Fig 4, does not give most of them.</summary>
public sealed record SyllablesSpec
{
    /// <summary>Where each syllable goes, shape (syllables, 2): x and y in units of <see cref="Length"/>.</summary>
    public required double[] Directions { get; init; }

    /// <summary>Steps of a move, at least 1.</summary>
    public required int Move { get; init; }

    /// <summary>Steps of the hold after each move, in which the target velocity is 0.</summary>
    public int Hold { get; init; }

    /// <summary>Whether the syllable's input stays on while the cursor is held.</summary>
    public bool InputInHold { get; init; }

    /// <summary>The distance that a syllable covers.</summary>
    public double Length { get; init; } = 1;

    /// <summary>
    /// Whether the speed is even through the move, instead of a bell, 2 sin^2(pi t / move), which has the same mean.
    /// </summary>
    public bool EvenSpeed { get; init; }

    /// <summary>The tonic input of the syllable that is on.</summary>
    public double Amplitude { get; init; } = 1;

    /// <summary>The workspace: both coordinates stay between the two; infinite for none.</summary>
    public double Low { get; init; } = double.NegativeInfinity;

    /// <summary>The upper end of the workspace.</summary>
    public double High { get; init; } = double.PositiveInfinity;

    /// <summary>Where the cursor begins: x and y.</summary>
    public double[] Start { get; init; } = [0, 0];

    /// <summary>Whether it returns there before every trial, instead of staying where it is.</summary>
    public bool Returns { get; init; }

    /// <summary>Whether the target moves the cursor, instead of the circuit's output.</summary>
    public bool MovedByTarget { get; init; }

    /// <summary>The target syllables of a trial, in order; null where they are drawn, among those that stay in the workspace.</summary>
    public int[]? Sequence { get; init; }

    /// <summary>Syllables a trial, where they are drawn.</summary>
    public int PerTrial { get; init; } = 1;

    /// <summary>Which of them the task gives as inputs.</summary>
    public SyllableCue Cue { get; init; } = SyllableCue.Each;

    /// <summary>
    /// The winner-take-all area that chooses each syllable of a sequence but the first, of one unit a syllable; null where
    /// the task gives all of them. Choices that lead out of the workspace are barred.
    /// </summary>
    public string? Chooser { get; init; }

    /// <summary>
    /// Whether a choice is correct if it follows the last syllable anywhere in the sequence. If not, it must be the syllable at the
    /// current place of the sequence.
    /// </summary>
    public bool JudgedByPair { get; init; }

    /// <summary>Whether nothing is chosen or counted any more in a trial after a wrong choice.</summary>
    public bool StopsAtError { get; init; }
}
