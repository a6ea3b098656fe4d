namespace Rflo.Core;

/// <summary>How a session carries out its trials: its operators in order, the forms that were chosen for them, and the memory that they take.</summary>
/// <param name="Operators">All calculations, in the order of their stages.</param>
/// <param name="Choices">The fast forms that were considered.</param>
/// <param name="Buffers">
/// The arrays of the session and the weights of its declaration. Where every update is of several trials that may run side by side, the lanes of these trials
/// are among them, which are allocated with the first update and only where that saves time. Lanes of test trials are among them once an evaluation has allocated them.
/// </param>
public sealed record Plan(IReadOnlyList<PlanOperator> Operators, IReadOnlyList<PlanChoice> Choices, IReadOnlyList<PlanBuffer> Buffers)
{
    /// <summary>Bytes of all buffers.</summary>
    public long Bytes => Buffers.Sum(buffer => buffer.Bytes);

    /// <summary>Of these, the bytes of lanes beside the first.</summary>
    public long BytesOfLanes => Buffers.Sum(buffer => buffer.Bytes - BytesOfOne(buffer));

    /// <summary>Bytes of the buffers of one purpose, without those of lanes beside the first.</summary>
    public long BytesOf(BufferPurpose purpose) => Buffers.Where(buffer => buffer.Purpose == purpose).Sum(BytesOfOne);

    /// <summary>Whether a form was chosen for any part.</summary>
    public bool Has(string form) => Choices.Any(choice => choice.IsChosen && choice.Form == form);

    /// <summary>
    /// The plan of a session, without the memory of the session. Its weights may be of sizes alone (<see cref="Synapses.OfSize"/>): buffers that follow from
    /// which connections exist are then those of the same number of connections, evenly spread. What the code of a rule of your own keeps is not known.
    /// </summary>
    /// <param name="graph">The circuit.</param>
    /// <param name="task">The task.</param>
    /// <param name="precision">The numbers to compute with.</param>
    /// <param name="lanes">The trials that share every update; null for one trial after another.</param>
    /// <param name="probes">Probes that compare rules, whose increments they keep; others keep nothing that grows with the circuit. Null for none.</param>
    /// <exception cref="ArgumentException">As of <see cref="Session.Create(Graph, ITask, long, Precision)"/>.</exception>
    public static Plan Of(Graph graph, ITask task, Precision precision = Precision.Double, TrialLanes? lanes = null, IReadOnlyList<AngleProbe>? probes = null)
    {
        using Storage.Scope sketch = Storage.Sketch();
        Session session = Session.CreateInLanes(graph, task, 0, precision, lanes ?? TrialLanes.One);
        session.Watch(probes ?? []);
        return session.Plan;
    }

    private static long BytesOfOne(PlanBuffer buffer) => buffer.Bytes / buffer.Lanes;
}
