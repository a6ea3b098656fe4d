namespace Rflo.Core;

/// <summary>An update that is due, and waits for the norm of all that are due with it.</summary>
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
/// The updates of one moment that are clipped by the norm over all of them (<see cref="Clip.All"/>). Squares are summed in the order in
/// which the updates joined, whoever was due first.
/// </summary>
internal sealed class JointClip
{
    private readonly List<IJointUpdate> _members = [];
    private readonly List<bool> _isDue = [];
    private bool _anyDue;

    /// <summary>An update that is clipped so joins, before the first trial.</summary>
    public void Join(IJointUpdate update)
    {
        if (!update.Clip.Together)
            return;
        _members.Add(update);
        _isDue.Add(false);
    }

    /// <summary>An update is due.</summary>
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

    /// <summary>A trial begins, and one before it may have been given up: nothing is due.</summary>
    public void Clear()
    {
        for (int k = 0; k < _isDue.Count; k++)
            _isDue[k] = false;
        _anyDue = false;
    }
}
