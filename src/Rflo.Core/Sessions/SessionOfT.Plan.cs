namespace Rflo.Core;

/// <summary>How the session carries out its trials.</summary>
internal sealed partial class Session<T>
{
    public override Plan Plan
    {
        get
        {
            PlanOperator[] operators = [.. _network.Operators.Concat(_learners.Operators).OrderBy(one => one.Stage)];
            return new Plan(operators, _choices, Inventory());
        }
    }

    private IReadOnlyList<PlanBuffer> Inventory()
    {
        using Storage.Scope sketch = Storage.Sketch();
        var inventory = new PlanInventory<T>();
        inventory.Without(Graph).Without(Metrics);
        foreach (ProjectionSpec projection in Graph.Projections)
            inventory.Add("declaration", $"weights of {projection.Name}", BufferPurpose.Weights, Declared(projection), sizeof(double));
        (Lane<T>[] beside, IReadOnlyList<object> groups) = _group is not null ? ([.. _group.Lanes.Skip(1)], []) : _lanes?.Planned() ?? ([], []);
        (Network<T> Network, LearnerSet<T> Learners)[] lanes = [(_network, _learners), .. beside.Select(lane => (lane.Network, lane.Learners))];
        foreach ((Network<T> network, LearnerSet<T> learners) in lanes)
            inventory.Without(network).Without(learners);
        for (int k = 0; k < lanes.Length; k++)
        {
            inventory.Lane = k;
            Take(inventory, lanes[k].Network, lanes[k].Learners);
        }

        inventory.Lane = 0;
        foreach (object group in groups)
            inventory.Take("lanes together", group, BufferPurpose.Activity);
        if (_group is not null)
            inventory.Take("lanes together", _group, BufferPurpose.Activity);
        foreach (PassiveUpdate<T> passive in _probes.AllPassive)
        {
            inventory.Without(passive.Learners);
            TakeLearners(inventory, "probe: ", passive.Learners);
        }

        return inventory.Take("session", this, BufferPurpose.Activity).Buffers;
    }

    private static void Take(PlanInventory<T> inventory, Network<T> network, LearnerSet<T> learners)
    {
        foreach (AreaState<T> area in network.Areas)
            inventory.Take(area.Spec.Name, area, BufferPurpose.Activity);
        foreach (ReadoutState<T> readout in network.Readouts)
            inventory.Take(readout.Spec.Name, readout, BufferPurpose.Activity);
        inventory.TakeRest("circuit", network, BufferPurpose.Activity);
        TakeLearners(inventory, "", learners);
    }

    private static void TakeLearners(PlanInventory<T> inventory, string of, LearnerSet<T> learners)
    {
        foreach (Plastic<T> plastic in learners.Plastics)
            inventory.Take($"{of}updates of {plastic.Name}", plastic, BufferPurpose.Weights);
        foreach (Learner<T> learner in learners.Learners)
            inventory.Take(of + (learner.Operators is [{ } first, ..] ? first.Name : "learner"), learner, learner.Purpose);
        inventory.TakeRest($"{of}learners", learners, BufferPurpose.Weights);
    }

    /// <summary>Numbers of a projection's declared weights.</summary>
    private long Declared(ProjectionSpec projection) =>
        projection.Synapses.IsSparse ? projection.Synapses.Existing : (long)Graph.Postsynaptic(projection) * Graph.Presynaptic(projection);
}
