using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>Calls a closed-loop task with the activity of the circuit, before and after every step.</summary>
internal sealed class ClosedLoop<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly IClosedLoopTask _task;
    private readonly Network<T> _network;
    private readonly RandomStream _stream;
    private readonly AreaState<T>[] _watched;
    private readonly Moment _moment;
    private readonly double[] _start;
    private int _trial;
    private bool _isSaved;

    public ClosedLoop(IClosedLoopTask task, Network<T> network, RandomStream stream)
    {
        _task = task;
        _network = network;
        _stream = stream;
        _watched = [.. task.Watches.Select(name => network.Areas.First(area => area.Spec.Name == name))];
        _moment = new Moment(network.Graph.Outputs, task.Watches, [.. _watched.Select(area => area.Units)]);
        _start = new double[task.StateLength];
        foreach (AreaState<T> area in _watched)
            if (area.Spec.Dynamics == Dynamics.WinnerTakeAll)
                area.Allowed = _moment.Allowed(area.Spec.Name);
    }

    /// <summary>Before the task generates a trial: saves the state that it begins with.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything.")]
    public void Begin(int trial)
    {
        _trial = trial;
        _isSaved = false;
        try
        {
            _task.SaveState(_start);
            _isSaved = true;
        }
        catch (Exception e)
        {
            throw new TaskException(0, e);
        }
    }

    /// <summary>Undoes a trial: restores the task's state at its beginning.</summary>
    public void Rewind()
    {
        if (_isSaved)
            Restore(_start);
    }

    /// <summary>The task's state.</summary>
    public double[] Save()
    {
        double[] state = new double[_task.StateLength];
        _task.SaveState(state);
        return state;
    }

    /// <summary>Restores what <see cref="Save"/> returned.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything.")]
    public void Restore(double[] state)
    {
        try
        {
            _task.RestoreState(state);
        }
        catch (Exception e)
        {
            throw new TaskException(0, e);
        }
    }

    /// <summary>Saves or restores the task's state.</summary>
    public void Visit(StateVisitor visitor)
    {
        double[] state = Save();
        visitor.Visit<double>("state", state);
        if (visitor.Restores)
            Restore(state);
    }

    /// <summary>Calls the task to write a step's inputs, with the activity of the step before.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything.")]
    public void Before(int step)
    {
        _moment.MoveTo(_trial, step, _stream);
        ReadActivity(step - 1);
        try
        {
            _task.Before(_moment, _network.Trial);
            TrialNumbers.CheckInputs(_network.Graph, _network.Trial, step, step);
        }
        catch (Exception e)
        {
            throw Failure(step, e);
        }
    }

    /// <summary>Calls the task after a step, to write its targets and reward.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything.")]
    public void After(int step)
    {
        ReadActivity(step);
        try
        {
            _task.After(_moment, _network.Trial);
            TrialNumbers.CheckTargets(_network.Graph, _network.Trial, step, step);
        }
        catch (Exception e)
        {
            throw Failure(step, e);
        }
    }

    private TaskException Failure(int step, Exception e)
    {
        bool isFinite = double.IsFinite(TensorPrimitives.Sum<double>(_moment.Outputs));
        foreach (AreaState<T> area in _watched)
            isFinite &= double.IsFinite(TensorPrimitives.Sum<double>(_moment.Rates(area.Spec.Name)));
        return new TaskException(step, (e as TaskException)?.InnerException ?? e) { IsCircuitFinite = isFinite };
    }

    private void ReadActivity(int step)
    {
        foreach (ReadoutState<T> readout in _network.Readouts)
            TensorPrimitives.ConvertTruncating<T, double>(
                readout.Output(step)[..readout.Outputs], _moment.Outputs.AsSpan(readout.FirstOutput, readout.Outputs));
        foreach (AreaState<T> area in _watched)
            TensorPrimitives.ConvertTruncating<T, double>(area.Rates(step)[..area.Units], _moment.Rates(area.Spec.Name));
    }
}
