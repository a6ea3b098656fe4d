namespace Rflo.Core;

/// <content>States that are kicked and signals that are held.</content>
internal sealed partial class AreaState<T>
{
    private AlignedArray<T>? _decays;

    /// <summary>Whether the decay of a unit's state may differ between steps: in some, a perturbation makes states independent of earlier ones.</summary>
    public bool DecayChanges => _decays is not null;

    /// <summary>A(t) of units with one state, shape (padded): 1 - dt / tau, or 0 where the state of step t does not follow from the one before.</summary>
    public Span<T> DecayOf(int step) => _decays is { } rows ? rows.Row(step, Padded) : Decay.Span;

    /// <summary>Allocates the decays of a whole trial.</summary>
    public void KeepDecays()
    {
        if (!HasModel)
            _decays ??= new AlignedArray<T>(_maxSteps + 1, Padded);
    }

    /// <summary>Before perturbations act in a step: its decays are those of the leak.</summary>
    public void BeginDecay(int step)
    {
        if (_decays is { } rows)
            Decay.Span.CopyTo(rows.Row(step, Padded));
    }

    /// <summary>Holds the signal of a unit in a step that was computed. A signal that is NaN stays NaN.</summary>
    public void Hold(int step, int unit, T value)
    {
        Span<T> rates = Rates(step);
        if (T.IsNaN(rates[unit]))
            return;
        rates[unit] = value;
        if (step < 1 && !HasGain && _startHeld is { } held)
            held[unit] = true;
        if (HasGain)
        {
            for (int k = 0; k < StateCount; k++)
                Gain(step)[k * Padded + unit] = T.Zero;
        }
        else if (step >= 1)
        {
            CutState(step, unit, 0);
        }
    }

    /// <summary>Sets a state of a unit in a step that was computed, or adds to it.</summary>
    public void Kick(int step, int unit, int state, T value, bool adds)
    {
        ref T kicked = ref States(step)[state * Padded + unit];
        kicked = adds ? kicked + value : value;
        if (!adds)
            CutState(step, unit, state);
    }

    /// <summary>After states were kicked: signals and gains follow.</summary>
    public void SendAgain(int step)
    {
        Transmit(step);
        if (HasModel)
            ShowStatesThatAreNone(step);
    }

    /// <summary>A state of step t depends on nothing before: neither on the currents, c = 0, nor on states, A = 0.</summary>
    private void CutState(int step, int unit, int state)
    {
        Post(step)[state * Padded + unit] = T.Zero;
        if (_decays is { } rows)
            rows.Row(step, Padded)[unit] = T.Zero;
        if (HasModel)
            for (int l = 0; l < StateCount; l++)
                Jacobian(step)[(state * StateCount + l) * Padded + unit] = T.Zero;
    }
}
