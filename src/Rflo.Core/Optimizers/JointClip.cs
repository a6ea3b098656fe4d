namespace Rflo.Core;

/// <summary>An update that is applied once the norm over all updates of the same time is computed.</summary>
internal interface IJointUpdate
{
    /// <summary>Its limit, which the others share.</summary>
    Clip Clip { get; }

    /// <summary>The sum of squares of what it would change at a learning rate of 1.</summary>
    double SumOfSquares();

    /// <summary>Applies it, scaled by a factor.</summary>
    void ApplyDue(double factor);
}

/// <summary>
/// The updates of one time that are clipped by the norm over all of them (<see cref="Clip.All"/>). Squares are summed in the order in
/// which the updates were registered, whatever the order in which they became due.
/// </summary>
internal sealed class JointClip
{
    private readonly List<IJointUpdate> _members = [];
    private readonly List<bool> _isDue = [];
    private bool _anyDue;

    /// <summary>Registers an update that is clipped jointly, before the first trial.</summary>
    public void Join(IJointUpdate update)
    {
        if (!update.Clip.Together)
            return;
        _members.Add(update);
        _isDue.Add(false);
    }

    /// <summary>Marks an update as due.</summary>
    public void Add(IJointUpdate update)
    {
        _isDue[_members.IndexOf(update)] = true;
        _anyDue = true;
    }

    /// <summary>Applies all that are due: those of one limit share one norm. Allocates nothing.</summary>
    public void Apply()
    {
        if (!_anyDue)
            return;
        for (int first = 0; first < _members.Count; first++)
        {
            if (!_isDue[first])
                continue;
            Clip clip = _members[first].Clip;
            double sum = 0;
            for (int k = first; k < _members.Count; k++)
                if (_isDue[k] && _members[k].Clip == clip)
                    sum += _members[k].SumOfSquares();
            double factor = clip.FactorOf(Math.Sqrt(sum));
            for (int k = first; k < _members.Count; k++)
            {
                if (!_isDue[k] || _members[k].Clip != clip)
                    continue;
                _members[k].ApplyDue(factor);
                _isDue[k] = false;
            }
        }

        _anyDue = false;
    }

    /// <summary>Clears all marks at the beginning of a trial: the trial before may have been aborted.</summary>
    public void Clear()
    {
        for (int k = 0; k < _isDue.Count; k++)
            _isDue[k] = false;
        _anyDue = false;
    }
}
