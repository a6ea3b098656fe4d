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
        var inventory = new PlanInventory<T>();
        inventory.Without(_network).Without(_learners).Without(Graph);
        foreach (AreaState<T> area in _network.Areas)
            inventory.Take(area.Spec.Name, area);
        foreach (ReadoutState<T> readout in _network.Readouts)
            inventory.Take(readout.Spec.Name, readout);
        foreach (Plastic<T> plastic in _learners.Plastics)
            inventory.Take($"updates of {plastic.Name}", plastic);
        foreach (Learner<T> learner in _learners.Learners)
            inventory.Take(learner.Operators is [{ } first, ..] ? first.Name : "learner", learner);
        if (_group is not null)
            inventory.Take("lanes beside the first", _group);
        return inventory.Without(Metrics).TakeRest("circuit", _network).TakeRest("learners", _learners).Take("session", this).Buffers;
    }
}
