using System.Numerics.Tensors;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>
/// The map z(t) = F(z(t-1)) that a session iterates where inputs are constant and nothing is random: areas in both forms and of unit
/// models, delays, readouts that are fed back. The state z has the states of all areas, followed by the rates and outputs that
/// are in transit through delays longer than a step.
/// </summary>
/// <remarks>A winner-take-all area and a spike have no derivative and are refused; options must state whether a gate is open or shut.</remarks>
public sealed class CircuitMap
{
    private readonly double[][] _drive;

    /// <summary>The map of a graph with the weights and time constants at its start.</summary>
    /// <param name="graph">The circuit.</param>
    /// <param name="inputs">The constant inputs x, shape (channels of all inputs).</param>
    /// <param name="options">Gates and the duration of a step.</param>
    /// <exception cref="ArgumentException">A part of the circuit has no derivative, or a number does not fit.</exception>
    public CircuitMap(Graph graph, double[] inputs, MapOptions? options = null)
        : this(Checked(graph), inputs, options ?? MapOptions.Standard, k => graph.Projections[k].Synapses.Weights, k => graph.Areas[k].Alpha)
    {
    }

    private CircuitMap(Graph graph, double[] inputs, MapOptions options, Func<int, double[]> weights, Func<int, double[]> alphas)
    {
        Graph = graph;
        Options = options;
        CircuitRefusals.Check(graph, options);
        WeightBlock[] blocks = [.. Enumerable.Range(0, graph.Projections.Count).Where(k => IsOpen(graph.Projections[k])).Select(k => new WeightBlock(graph, k, weights(k)))];
        var laid = new StateLayout(graph, blocks, alphas);
        (Areas, Readouts, Blocks, Size) = (laid.Areas, laid.Readouts, laid.Blocks, laid.Size);
        Inputs = CheckedInputs(graph, inputs);
        _drive = DriveOf(Inputs);
    }

    private CircuitMap(CircuitMap other, double[] inputs)
    {
        (Graph, Options, Areas, Readouts, Blocks, Size) = (other.Graph, other.Options, other.Areas, other.Readouts, other.Blocks, other.Size);
        Inputs = CheckedInputs(Graph, inputs);
        _drive = DriveOf(Inputs);
    }

    /// <summary>The map of a session's circuit with the weights and time constants that it has now.</summary>
    /// <param name="session">The session.</param>
    /// <param name="inputs">The constant inputs x, shape (channels of all inputs).</param>
    /// <param name="options">Gates and the duration of a step.</param>
    /// <exception cref="ArgumentException">A part of the circuit has no derivative, or a number does not fit.</exception>
    public static CircuitMap Of(Session session, double[] inputs, MapOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        return new CircuitMap(
            session.Graph, inputs, options ?? MapOptions.Standard, k => session.Weights(new ProjectionId(k)),
            k => Array.ConvertAll(session.TimeConstants(new AreaId(k)), steps => 1 / steps));
    }

    /// <summary>The circuit.</summary>
    public Graph Graph { get; }

    /// <summary>Gates and the duration of a step.</summary>
    public MapOptions Options { get; }

    /// <summary>The constant inputs x, shape (channels).</summary>
    public double[] Inputs { get; }

    /// <summary>n, the numbers of a state z.</summary>
    public int Size { get; }

    /// <summary>The parts of a state: areas first, then signals in transit.</summary>
    public IReadOnlyList<StateBlock> Blocks { get; }

    internal AreaPart[] Areas { get; }

    internal ReadoutPart[] Readouts { get; }

    /// <summary>The same circuit at other inputs; weights are shared.</summary>
    /// <exception cref="ArgumentException">The number of channels is another, or one is not finite.</exception>
    public CircuitMap WithInputs(double[] inputs) => new(this, inputs);

    /// <summary>z before the first step of a trial: the circuit's initial values, which it had at all times before.</summary>
    public double[] InitialState()
    {
        double[] state = new double[Size];
        foreach (AreaPart area in Areas)
        {
            area.Spec.InitialRates.CopyTo(state, area.Start);
            for (int k = 1; k < area.Variables; k++)
                state.AsSpan(area.Start + k * area.Units, area.Units).Fill(area.Spec.Model!.InitialState(k));
        }

        return Settled(state);
    }

    /// <summary>A state whose units are as given, and have been so for as long as the longest delay.</summary>
    /// <param name="state">Shape (n); signals in transit are ignored.</param>
    public double[] Settled(double[] state)
    {
        double[] settled = [.. CheckedState(state)];
        Linearization now = Pass(settled, _drive);
        for (int k = 0; k < Areas.Length; k++)
            for (int lag = 0; lag < Areas[k].Lags; lag++)
                now.Rates[k].CopyTo(settled, Areas[k].History + lag * Areas[k].Units);
        for (int k = 0; k < Readouts.Length; k++)
            for (int lag = 0; lag < Readouts[k].Lags; lag++)
                now.Outputs[k].CopyTo(settled, Readouts[k].History + lag * Readouts[k].Outputs);
        return settled;
    }

    /// <summary>F(z).</summary>
    /// <exception cref="ArgumentException">The state has another length.</exception>
    public double[] Next(double[] state) => Pass(CheckedState(state), _drive).Next;

    /// <summary>F at z with all of its derivatives.</summary>
    /// <exception cref="ArgumentException">The state has another length.</exception>
    public Linearization At(double[] state) => Pass(CheckedState(state), _drive);

    /// <summary>z, F(z), F(F(z)), ...: the state and as many steps from it.</summary>
    public double[][] Trajectory(double[] state, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        double[][] states = new double[steps + 1][];
        states[0] = [.. CheckedState(state)];
        for (int t = 1; t <= steps; t++)
            states[t] = Next(states[t - 1]);
        return states;
    }

    /// <summary>The trajectory of the circuit under inputs over time, without noise.</summary>
    /// <param name="state">z(0).</param>
    /// <param name="inputs">x(1), x(2), ..., shape (steps, channels).</param>
    /// <returns>z(0), z(1), ...</returns>
    public double[][] Driven(double[] state, double[] inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        int channels = Graph.InputChannels;
        if (channels == 0 || inputs.Length % channels != 0)
            throw new ArgumentException($"inputs: {inputs.Length} numbers are no whole number of steps of {channels} channels.");
        double[][] states = new double[inputs.Length / channels + 1][];
        states[0] = [.. CheckedState(state)];
        for (int t = 1; t < states.Length; t++)
            states[t] = Pass(states[t - 1], DriveOf(inputs.AsSpan((t - 1) * channels, channels))).Next;
        return states;
    }

    /// <summary>The rates h of an area in a state, shape (units).</summary>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    public double[] Rates(double[] state, string area) => [.. Pass(CheckedState(state), _drive).Rates[IndexOf(area)]];

    /// <summary>The outputs y of a readout in a state, shape (outputs).</summary>
    /// <exception cref="ArgumentException">There is no such readout.</exception>
    public double[] Outputs(double[] state, string readout)
    {
        int index = Array.FindIndex(Readouts, part => part.Spec.Name == readout);
        if (index < 0)
            throw new ArgumentException($"There is no readout {readout}; the circuit has {Listed(Readouts.Select(part => part.Spec.Name))}.");
        Linearization pass = Pass(CheckedState(state), _drive);
        return Output(Readouts[index], pass.Rates);
    }

    /// <summary>Where the states of an area lie in z: shape (state variables, units).</summary>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    public StateBlock Block(string area)
    {
        AreaPart part = Areas[IndexOf(area)];
        return new StateBlock(area, "state", part.Start, part.Variables * part.Units, 0);
    }

    /// <summary>1/2 |F(z) - z|^2: 0 at a fixed point, small where the circuit is slow (Sussillo and Barak 2013).</summary>
    public double Speed(double[] state)
    {
        double[] next = Next(state);
        double distance = TensorPrimitives.Distance<double>(next, state);
        return 0.5 * distance * distance;
    }

    internal static string Listed(IEnumerable<string> names) => string.Join(", ", names);

    private static Graph Checked(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph;
    }

    private static double[] CheckedInputs(Graph graph, double[] inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        if (inputs.Length != graph.InputChannels)
            throw new ArgumentException($"inputs: {inputs.Length} numbers were given; the circuit has {graph.InputChannels} input channels.");
        int wrong = Array.FindIndex(inputs, x => !double.IsFinite(x));
        if (wrong >= 0)
            throw new ArgumentException(FormattableString.Invariant($"inputs: channel {wrong} is {inputs[wrong]}; inputs must be finite."));
        return [.. inputs];
    }

    private double[] CheckedState(double[] state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Length != Size)
            throw new ArgumentException($"state: {state.Length} numbers were given; a state of this circuit has {Size}.");
        return state;
    }

    private int IndexOf(string area)
    {
        int index = Array.FindIndex(Areas, part => part.Spec.Name == area);
        return index >= 0 ? index : throw new ArgumentException($"There is no area {area}; the circuit has {Listed(Areas.Select(part => part.Spec.Name))}.");
    }

    private bool IsOpen(ProjectionSpec projection) =>
        projection.Gate is { Kind: GateKind.Always } or { Kind: GateKind.Every, Number: 1 } || Options.Open[projection.Name];

    /// <summary>The part of the currents of each area that comes from biases and inputs.</summary>
    private double[][] DriveOf(ReadOnlySpan<double> inputs)
    {
        double[][] drive = new double[Areas.Length][];
        for (int k = 0; k < Areas.Length; k++)
        {
            drive[k] = new double[Areas[k].Units];
            foreach (WeightBlock block in Areas[k].Afferents)
            {
                if (block.Source.Kind == SignalKind.One)
                    block.AddProduct([1], drive[k]);
                else if (block.Source.Kind == SignalKind.Input)
                    block.AddProduct(inputs[Graph.Inputs.Take(block.Source.Index).Sum(input => input.Channels)..], drive[k]);
            }
        }

        return drive;
    }

    private static double[] Output(ReadoutPart readout, double[][] rates)
    {
        double[] y = new double[readout.Outputs];
        foreach (WeightBlock block in readout.Afferents)
            block.AddProduct(block.Source.Kind == SignalKind.One ? [1] : rates[block.Source.Index], y);
        OutputFunction.Apply(readout.Spec.Kind, y);
        return y;
    }

    /// <summary>One step and its local derivatives.</summary>
    private Linearization Pass(ReadOnlySpan<double> state, double[][] drive)
    {
        var pass = new Linearization(this);
        for (int k = 0; k < Areas.Length; k++)
            Send(Areas[k], state, pass.Rates[k], pass.Gains[k]);
        for (int k = 0; k < Readouts.Length; k++)
            pass.Outputs[k] = Readouts[k].IsFedBack ? Output(Readouts[k], pass.Rates) : [];
        for (int k = 0; k < Areas.Length; k++)
        {
            double[] current = [.. drive[k]];
            foreach (WeightBlock block in Areas[k].Afferents)
                if (block.Source.Kind is SignalKind.Area or SignalKind.Readout)
                    block.AddProduct(Signal(block.Source, state, pass), current);
            Advance(Areas[k], state, current, pass, k);
        }

        foreach (Delayed delayed in Delays())
            delayed.Shift(state, delayed.IsReadout ? pass.Outputs[delayed.Index] : pass.Rates[delayed.Index], pass.Next);
        return pass;
    }

    /// <summary>The signals of a source as they arrive: those of this state, or those in transit.</summary>
    private ReadOnlySpan<double> Signal(Source source, ReadOnlySpan<double> state, Linearization pass)
    {
        bool isArea = source.Kind == SignalKind.Area;
        if (source.Delay == 1)
            return isArea ? pass.Rates[source.Index] : pass.Outputs[source.Index];
        return state[Place(source)..];
    }

    /// <summary>Where the signals of a source with a delay of more than one step lie.</summary>
    internal int Place(Source source) => source.Kind == SignalKind.Area
        ? Areas[source.Index].History + (source.Delay - 2) * Areas[source.Index].Units
        : Readouts[source.Index].History + (source.Delay - 2) * Readouts[source.Index].Outputs;

    /// <summary>All lines of delayed signals.</summary>
    internal IEnumerable<Delayed> Delays()
    {
        for (int k = 0; k < Areas.Length; k++)
            yield return new Delayed(false, k, Areas[k].History, Areas[k].Lags, Areas[k].Units);
        for (int k = 0; k < Readouts.Length; k++)
            yield return new Delayed(true, k, Readouts[k].History, Readouts[k].Lags, Readouts[k].Outputs);
    }

    private static void Send(AreaPart area, ReadOnlySpan<double> state, double[] rates, double[] gain)
    {
        ReadOnlySpan<double> own = state.Slice(area.Start, area.Variables * area.Units);
        if (!area.HasGain)
            own.CopyTo(rates);
        else if (area.Spec.Model is { } model)
            model.Send(new UnitOutput<double>(own, rates, gain, area.Units, area.Units));
        else
            TransferFunction.Evaluate(area.Spec.Transfer, own, rates, gain);
    }

    private static void Advance(AreaPart area, ReadOnlySpan<double> state, double[] current, Linearization pass, int index)
    {
        int n = area.Units;
        ReadOnlySpan<double> before = state.Slice(area.Start, area.Variables * n);
        Span<double> after = pass.Next.AsSpan(area.Start, area.Variables * n);
        double[] slope = pass.Slopes[index], decay = pass.Decays[index];
        if (area.Spec.Model is { } model)
        {
            model.Advance(new UnitStep<double>(area.Alpha, current, before, after, decay, slope, n, n));
            return;
        }

        if (area.Spec.Dynamics == Rflo.Core.Dynamics.CurrentForm)
            Array.Fill(slope, 1);
        else
            TransferFunction.Evaluate(area.Spec.Transfer, current, current, slope);
        for (int i = 0; i < n; i++)
        {
            decay[i] = 1 - area.Alpha[i];
            slope[i] *= area.Alpha[i];
            after[i] = decay[i] * before[i] + area.Alpha[i] * current[i];
        }
    }
}
