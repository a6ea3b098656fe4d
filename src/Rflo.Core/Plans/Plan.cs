namespace Rflo.Core;

/// <summary>How a session carries out its trials: its operators in order, the forms that were chosen for them, and the memory that they take.</summary>
/// <param name="Operators">All calculations, in the order of their stages.</param>
/// <param name="Choices">The fast forms that were considered.</param>
/// <param name="Buffers">The arrays of the session; those of parallel lanes are allocated with the first update or evaluation and are not among them before.</param>
public sealed record Plan(IReadOnlyList<PlanOperator> Operators, IReadOnlyList<PlanChoice> Choices, IReadOnlyList<PlanBuffer> Buffers)
{
    /// <summary>Bytes of all buffers.</summary>
    public long Bytes => Buffers.Sum(buffer => buffer.Bytes);

    /// <summary>Whether a form was chosen for any part.</summary>
    public bool Has(string form) => Choices.Any(choice => choice.IsChosen && choice.Form == form);
}
