// A circuit declared, trained and read from C#: RFLO learns a periodic output (Murray 2019, Fig 2).
//
//     dotnet run --project examples/csharp -c Release
using Rflo.Core;

const int Units = 50;
const int Steps = 100;
const int Seed = 1;

// Declare. Matrices have shape (post, pre), row by row; every random object has a named stream of its own.
double[] Drawn(string name, int count, double deviation)
{
    double[] values = new double[count];
    new RandomStream(Seed, name).FillGaussian(values.AsSpan(), deviation);
    return values;
}

(Graph Graph, ProjectionId Recurrent) Declare(Plasticity plasticity, Loss? loss = null)
{
    var builder = new GraphBuilder();
    AreaId cortex = builder.AddArea(new AreaSpec
    {
        Name = "cortex",
        Units = Units,
        Alpha = [.. Enumerable.Repeat(0.1, Units)], // dt / tau: 1 ms of 10 ms
        InitialRates = [.. Enumerable.Repeat(0.1, Units)],
    });
    ReadoutId output = builder.AddReadout(new ReadoutSpec { Name = "y", Outputs = 1, Loss = loss });
    ProjectionId recurrent = builder.AddProjection(new ProjectionSpec
    {
        Name = "cortex->cortex",
        Source = Source.Area(cortex),
        Target = Target.Area(cortex),
        Synapses = Synapses.Dense(Drawn("weights cortex->cortex", Units * Units, 1.5 / Math.Sqrt(Units))),
        Plasticity = plasticity,
    });
    builder.AddProjection(new ProjectionSpec
    {
        Name = "cortex->y",
        Source = Source.Area(cortex),
        Target = Target.Readout(output),
        Synapses = Synapses.Dense(Drawn("weights cortex->y", Units, 0.1 / Math.Sqrt(Units))),
        Plasticity = plasticity,
    });
    builder.AddFeedback(new FeedbackSpec { Readout = output, Area = cortex, Matrix = Drawn("feedback y->cortex", Units, 1) });
    return (builder.Build(), recurrent);
}

// Train.
(Graph graph, ProjectionId recurrent) = Declare(new Plasticity(ThreeFactorRule.Rflo(), 0.03, UpdateSchedule.TrialEnd));
Session session = Session.Create(graph, new Periodic(Steps), Seed);
double[] before = session.Weights(recurrent);
RunStatus status = session.Run(1000);

// Read.
double[] losses = session.Metrics.CopyLosses();
double moved = Math.Sqrt(session.Weights(recurrent).Zip(before, (now, then) => (now - then) * (now - then)).Sum());
Recording shown = session.Test(0);
Console.WriteLine($"{status}: loss {losses[0]:G3} -> {losses[^1]:G3}");
Console.WriteLine($"the recurrent weights moved by {moved:G3}");
Console.WriteLine($"the output after {Steps / 4} steps is {shown.Outputs[Steps / 4 - 1]:G3}, asked was {shown.Targets[Steps / 4 - 1]:G3}");

// The same network with an optimizer, a loss and a schedule of one's own.
(double first, double last, bool isSame) = OwnParts.Try((plan, loss) => Session.Create(Declare(plan, loss).Graph, new Periodic(Steps), Seed));
Console.WriteLine($"with parts of one's own: loss {first:G3} -> {last:G3}, {(isSame ? "the same" : "other")} bits where it was taken up");

// The same network by a rule of one's own.
(double begun, double ended, bool isTakenUp) = OwnRule.Try(plan => Session.Create(Declare(plan).Graph, new Periodic(Steps), Seed));
Console.WriteLine($"by a rule of one's own: loss {begun:G3} -> {ended:G3}, {(isTakenUp ? "the same" : "other")} bits where it was taken up");

// Spiking units of one's own: every rule against plain loops.
(double distance, int spikes) = new SpikingTwin(units: 8, steps: 60).Compare();
Console.WriteLine($"spiking units of one's own: {spikes} spikes, what rules ask for is within {distance:G1} of plain loops");
return status.IsWell && losses[^1] < 0.1 * losses[0] && last < 0.5 * first && isSame && ended < 0.5 * begun && isTakenUp && spikes > 10 && distance < 1e-12 ? 0 : 1;

/// <summary>No input; one output is asked for a sum of sines, one period a trial.</summary>
internal sealed class Periodic(int steps) : ITask
{
    public int Inputs => 0;

    public int Outputs => 1;

    public int MaxSteps => steps;

    public int Events => 0;

    public void Fill(int trial, RandomStream stream, Trial into)
    {
        into.Steps = steps;
        for (int t = 1; t <= steps; t++)
        {
            double phase = 2 * Math.PI * t / steps;
            into.Targets[t - 1] = Math.Sin(phase) + 0.5 * Math.Sin(2 * phase) + 0.25 * Math.Sin(4 * phase);
        }
    }
}
