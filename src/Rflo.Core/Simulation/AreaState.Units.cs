using System.Numerics.Tensors;

namespace Rflo.Core;

/// <content>The states of a unit model, and how directions and credit go through its local derivatives A, c and g.</content>
/// <remarks>
/// Numbers of states have the shape (states, padded units). The core's own units need one product a number; here d states need
/// d x d products.
/// </remarks>
internal sealed partial class AreaState<T>
{
    /// <summary>d, the state variables of a unit: 1 but for unit models.</summary>
    public int StateCount { get; }

    /// <summary>Length of a row of states: <see cref="StateCount"/> times <see cref="Padded"/>.</summary>
    public int StateWidth => StateCount * Padded;

    /// <summary>Whether its units are those of a model.</summary>
    public bool HasModel => Spec.Model is not null;

    /// <summary>A(t) = ds(t) / ds(t-1) of a model, shape (states, states, padded units).</summary>
    public Span<T> Jacobian(int step) => _jacobian.Row(step, StateCount * StateWidth);

    /// <summary>One step of a model: states, signals and their derivatives, from the currents.</summary>
    /// <exception cref="TaskException">It is code of another assembly, and threw.</exception>
    public void Advance(int step)
    {
        UnitModel model = Spec.Model!;
        Span<T> after = States(step), jacobian = Jacobian(step), slope = Post(step);
        jacobian.Clear();
        slope.Clear();
        try
        {
            model.Advance(new UnitStep<T>(Alpha.Span, Current.Span, States(step - 1), after, jacobian, slope, Units, Padded));
        }
        catch (Exception e) when (UserCode.IsModel(model))
        {
            throw Failed(step, e);
        }

        Send(step);
        ShowStatesThatAreNone(step);
    }

    /// <summary>Credit or a learning signal of rates becomes that of states: z_k = g_k(t) l.</summary>
    /// <param name="step">t.</param>
    /// <param name="ofRates">l, shape (padded units); may be where the first state's part of z is.</param>
    /// <param name="ofStates">z. Overwritten.</param>
    public void ToStates(int step, ReadOnlySpan<T> ofRates, Span<T> ofStates)
    {
        Span<T> gain = Gain(step);
        for (int k = StateCount - 1; k >= 0; k--)
            TensorPrimitives.Multiply(State(gain, k), ofRates, State(ofStates, k));
    }

    /// <summary>A direction of states as one of rates: sum over k of g_k(t) x_k.</summary>
    /// <param name="step">t.</param>
    /// <param name="ofStates">x.</param>
    /// <param name="ofRates">Shape (padded units). Overwritten.</param>
    public void ToRates(int step, ReadOnlySpan<T> ofStates, Span<T> ofRates) => Contract(Gain(step), ofStates, ofRates);

    /// <summary>Credit of states as that of currents: sum over k of c_k(t) z_k.</summary>
    /// <param name="step">t.</param>
    /// <param name="ofStates">z.</param>
    /// <param name="ofCurrents">Shape (padded units). Overwritten.</param>
    public void ToCurrents(int step, ReadOnlySpan<T> ofStates, Span<T> ofCurrents) => Contract(Post(step), ofStates, ofCurrents);

    /// <summary>A direction through a step: x_k(t) = sum over l of A_kl(t) x_l(t-1) + c_k(t) v, v the product of the weights with it.</summary>
    /// <param name="step">t.</param>
    /// <param name="before">x(t-1).</param>
    /// <param name="ofCurrents">v, shape (padded units).</param>
    /// <param name="after">x(t); may lie where x(t-1) does. Overwritten.</param>
    public void Carry(int step, ReadOnlySpan<T> before, ReadOnlySpan<T> ofCurrents, Span<T> after)
    {
        Span<T> x = stackalloc T[UnitModel.MostStates];
        ReadOnlySpan<T> jacobian = Jacobian(step), slope = Post(step);
        int d = StateCount;
        for (int i = 0; i < Units; i++)
        {
            for (int l = 0; l < d; l++)
                x[l] = before[l * Padded + i];
            for (int k = 0; k < d; k++)
            {
                T sum = slope[k * Padded + i] * ofCurrents[i];
                for (int l = 0; l < d; l++)
                    sum += jacobian[(k * d + l) * Padded + i] * x[l];
                after[k * Padded + i] = sum;
            }
        }
    }

    /// <summary>The decay of a trace: x_k(t) = sum over l of M_kl x_l(t-1).</summary>
    /// <param name="memory">M, shape (states, states, padded units).</param>
    /// <param name="trace">x(t-1); x(t) afterwards.</param>
    public void CarryTrace(ReadOnlySpan<T> memory, Span<T> trace)
    {
        Span<T> x = stackalloc T[UnitModel.MostStates];
        int d = StateCount;
        for (int i = 0; i < Units; i++)
        {
            for (int l = 0; l < d; l++)
                x[l] = trace[l * Padded + i];
            for (int k = 0; k < d; k++)
            {
                T sum = T.Zero;
                for (int l = 0; l < d; l++)
                    sum += memory[(k * d + l) * Padded + i] * x[l];
                trace[k * Padded + i] = sum;
            }
        }
    }

    /// <summary>Credit through a step, backward: z_l(t-1) = sum over k of A_kl(t) z_k(t).</summary>
    /// <param name="jacobian">A(t), shape (states, states, padded units).</param>
    /// <param name="after">z(t).</param>
    /// <param name="before">z(t-1); lies elsewhere. Overwritten.</param>
    private void CarryBack(ReadOnlySpan<T> jacobian, ReadOnlySpan<T> after, Span<T> before)
    {
        int d = StateCount;
        before[..StateWidth].Clear();
        for (int k = 0; k < d; k++)
        {
            for (int l = 0; l < d; l++)
            {
                Span<T> to = State(before, l);
                TensorPrimitives.MultiplyAdd(jacobian.Slice((k * d + l) * Padded, Padded), State(after, k), to, to);
            }
        }
    }

    /// <summary>
    /// One backward step of credit: z(t) = g(t) l(t) + the credit carried from step t + 1. It gives the credit of currents, c(t) . z(t), and that carried on by A(t).
    /// </summary>
    /// <param name="step">t.</param>
    /// <param name="jacobian">A(t), or what takes its place.</param>
    /// <param name="ofRates">l(t), shape (padded units).</param>
    /// <param name="ofStates">z(t). Overwritten.</param>
    /// <param name="ofCurrents">Shape (padded units). Overwritten.</param>
    /// <param name="carried">From step t + 1; that for step t - 1 afterwards.</param>
    public void CarryCredit(int step, ReadOnlySpan<T> jacobian, ReadOnlySpan<T> ofRates, Span<T> ofStates, Span<T> ofCurrents, Span<T> carried)
    {
        ToStates(step, ofRates, ofStates);
        TensorPrimitives.Add(ofStates, carried, ofStates);
        ToCurrents(step, ofStates, ofCurrents);
        CarryBack(jacobian, ofStates, carried);
    }

    /// <summary>The part of one state variable in a row of states.</summary>
    private Span<T> State(Span<T> states, int k) => states.Slice(k * Padded, Padded);

    private ReadOnlySpan<T> State(ReadOnlySpan<T> states, int k) => states.Slice(k * Padded, Padded);

    private void Contract(ReadOnlySpan<T> factors, ReadOnlySpan<T> states, Span<T> sum)
    {
        TensorPrimitives.Multiply(State(factors, 0), State(states, 0), sum);
        for (int k = 1; k < StateCount; k++)
            TensorPrimitives.MultiplyAdd(State(factors, k), State(states, k), sum, sum);
    }

    /// <summary>Sets the state variables beyond the first to the initial values of the model.</summary>
    private void BeginStates(Span<T> states)
    {
        for (int k = 1; k < StateCount; k++)
            State(states, k)[..Units].Fill(_initialStates[k]);
    }

    private void Send(int step)
    {
        UnitModel model = Spec.Model!;
        Span<T> rates = Rates(step), gain = Gain(step);
        gain.Clear();
        try
        {
            model.Send(new UnitOutput<T>(States(step), rates, gain, Units, Padded));
        }
        catch (Exception e) when (UserCode.IsModel(model))
        {
            throw Failed(Math.Max(step, 0), e);
        }
    }

    private TaskException Failed(int step, Exception e) => new(step, $"the unit model of area {Spec.Name}", e);

    /// <summary>A state that is not finite may leave a signal that is, such as no spike: then the signal is NaN, so that the run ends as diverged.</summary>
    private void ShowStatesThatAreNone(int step)
    {
        ReadOnlySpan<T> states = States(step);
        if (T.IsFinite(TensorPrimitives.Sum(states)))
            return;
        Span<T> rates = Rates(step);
        for (int k = 0; k < StateCount; k++)
            for (int i = 0; i < Units; i++)
                if (!T.IsFinite(states[k * Padded + i]))
                    rates[i] = T.NaN;
    }
}
