// The same network of spiking units once more, by plain loops over matrices: what e-prop and BPTT ask for in one trial.
using Rflo.Core;

/// <summary>
/// An area of adaptive units that projects to itself and to one linear output. Rules are written as definitions: traces of every synapse, and the
/// adjoint of every state.
/// </summary>
internal sealed class SpikingTwin
{
    private const double Alpha = 0.1;
    private const double Delta = 0.02;
    private readonly AdaptiveUnits _model = new();
    private readonly int _units;
    private readonly int _steps;
    private readonly double[] _weights;
    private readonly double[] _input;
    private readonly double[] _readout;
    private readonly double[] _feedback;
    private readonly double[] _shown;
    private readonly double[] _targets;

    public SpikingTwin(int units, int steps)
    {
        _units = units;
        _steps = steps;
        _weights = Drawn("weights", units * units, 1 / Math.Sqrt(units));
        _input = Drawn("input", units, 6);
        _readout = Drawn("readout", units, 1 / Math.Sqrt(units));
        _feedback = Drawn("feedback", units, 1);
        _shown = [.. Enumerable.Range(0, steps).Select(t => 1 + Math.Sin(t * 0.3))];
        _targets = [.. Enumerable.Range(0, steps).Select(t => Math.Cos(t * Delta))];
    }

    /// <summary>The largest distance between what the core and the loops ask for, relative to the largest number, for e-prop by traces and at the end of the trial, BPTT and RTRL; and how many spikes there were.</summary>
    public (double Distance, int Spikes) Compare()
    {
        Session session = Session.Create(Declare(), new Given(_shown, _targets), 1);
        double[] Core(LearningRule rule, UpdateTime time)
        {
            // Another trial first: nothing of it may be left.
            _ = session.Increments(1, rule, time);
            return session.Increments(0, rule, time)[1]!;
        }

        (double[] traces, double[] exact, int spikes) = ByLoops();
        double distance = new[]
        {
            Apart(traces, Core(ThreeFactorRule.Rflo(), UpdateTime.Online)),
            Apart(traces, Core(ThreeFactorRule.Rflo(), UpdateTime.TrialEnd)),
            Apart(exact, Core(new BpttRule(), UpdateTime.TrialEnd)),
            Apart(exact, Core(new RtrlRule(), UpdateTime.TrialEnd)),
        }.Max();
        return (distance, spikes);
    }

    private static double Apart(double[] a, double[] b) =>
        a.Zip(b, (x, y) => Math.Abs(x - y)).Max() / a.Max(Math.Abs);

    private static double[] Drawn(string name, int count, double deviation)
    {
        double[] values = new double[count];
        new RandomStream(3, name).FillGaussian(values.AsSpan(), deviation);
        return values;
    }

    private Graph Declare()
    {
        var builder = new GraphBuilder();
        AreaId area = builder.AddArea(new AreaSpec
        {
            Name = "cortex",
            Units = _units,
            Alpha = [.. Enumerable.Repeat(Alpha, _units)],
            InitialRates = new double[_units],
            Model = _model,
        });
        InputId input = builder.AddInput(new InputSpec("x", 1));
        ReadoutId output = builder.AddReadout(new ReadoutSpec { Name = "y", Outputs = 1 });
        var plastic = new Plasticity(ThreeFactorRule.Rflo(), 0.1, UpdateSchedule.TrialEnd);
        void Add(string name, Source source, Target target, double[] weights) => builder.AddProjection(new ProjectionSpec
        {
            Name = name,
            Source = source,
            Target = target,
            Synapses = Synapses.Dense(weights),
            Plasticity = plastic,
        });
        Add("x->cortex", Source.Input(input), Target.Area(area), _input);
        Add("cortex->cortex", Source.Area(area), Target.Area(area), _weights);
        Add("cortex->y", Source.Area(area), Target.Readout(output), _readout);
        builder.AddFeedback(new FeedbackSpec { Readout = output, Area = area, Matrix = _feedback });
        return builder.Build();
    }

    private (double[] Traces, double[] Exact, int Spikes) ByLoops()
    {
        int n = _units;
        double[,] v = new double[_steps + 1, n], a = new double[_steps + 1, n], z = new double[_steps + 1, n];
        double[] error = new double[_steps + 1], traces = new double[n * n], exact = new double[n * n];
        double[,] ofV = new double[n, n], ofA = new double[n, n];
        int spikes = 0;
        for (int t = 1; t <= _steps; t++)
        {
            double output = 0;
            for (int i = 0; i < n; i++)
            {
                double u = _input[i] * _shown[t - 1];
                for (int j = 0; j < n; j++)
                    u += _weights[i * n + j] * z[t - 1, j];
                v[t, i] = (1 - Alpha) * v[t - 1, i] + Alpha * u - _model.Threshold * z[t - 1, i];
                a[t, i] = _model.Memory * a[t - 1, i] + z[t - 1, i];
                z[t, i] = v[t, i] >= _model.Threshold + _model.Adaptation * a[t, i] ? 1 : 0;
                spikes += (int)z[t, i];
                output += _readout[i] * z[t, i];
            }

            error[t] = _targets[t - 1] - output;
            for (int i = 0; i < n; i++)
            {
                double before = _model.Slope(v[t - 1, i], a[t - 1, i]), now = _model.Slope(v[t, i], a[t, i]);
                for (int j = 0; j < n; j++)
                {
                    ofA[i, j] = (_model.Memory - _model.Adaptation * before) * ofA[i, j] + before * ofV[i, j];
                    ofV[i, j] = (1 - Alpha) * ofV[i, j] + Alpha * z[t - 1, j];
                    traces[i * n + j] += _feedback[i] * error[t] * now * (ofV[i, j] - _model.Adaptation * ofA[i, j]) / _steps;
                }
            }
        }

        double[] creditV = new double[n], creditA = new double[n], fromLater = new double[n];
        for (int t = _steps; t >= 1; t--)
        {
            double[] delta = new double[n];
            for (int i = 0; i < n; i++)
            {
                double slope = _model.Slope(v[t, i], a[t, i]), credit = _readout[i] * error[t] + fromLater[i];

                // What the state of step t + 1 passes back goes through A(t + 1), whose slope is that of step t.
                double backV = (1 - Alpha) * creditV[i] + slope * creditA[i], backA = (_model.Memory - _model.Adaptation * slope) * creditA[i];
                creditV[i] = slope * credit + backV;
                creditA[i] = -_model.Adaptation * slope * credit + backA;
                delta[i] = Alpha * creditV[i];
            }

            Array.Clear(fromLater);
            for (int i = 0; i < n; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    exact[i * n + j] += delta[i] * z[t - 1, j] / _steps;
                    fromLater[j] += _weights[i * n + j] * delta[i];
                }
            }
        }

        return (traces, exact, spikes);
    }

    /// <summary>The same target in every trial; the input is twice as strong in odd ones.</summary>
    private sealed class Given(double[] shown, double[] targets) : ITask
    {
        public int Inputs => 1;

        public int Outputs => 1;

        public int MaxSteps => shown.Length;

        public int Events => 0;

        public void Fill(int trial, RandomStream stream, Trial into)
        {
            into.Steps = shown.Length;
            for (int t = 0; t < shown.Length; t++)
                into.Inputs[t] = (1 + trial % 2) * shown[t];
            targets.CopyTo(into.Targets, 0);
        }
    }
}
