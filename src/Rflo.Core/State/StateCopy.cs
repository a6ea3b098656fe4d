namespace Rflo.Core;

/// <summary>
/// A copy of the state in this process, in the session's number type, which is restored if a trial cannot be finished.
/// The owners are visited in the same order each time, so that no part needs a name. Once it has its size, it allocates nothing.
/// </summary>
internal sealed class StateCopy : StateVisitor
{
    private readonly List<Array> _parts = [];
    private int _next;
    private bool _restores;

    public override bool Restores => _restores;

    public override bool IsLocal => true;

    /// <summary>Begins to save.</summary>
    public StateVisitor Saving()
    {
        (_next, _restores) = (0, false);
        return this;
    }

    /// <summary>Begins to restore what was saved last.</summary>
    public StateVisitor Restoring()
    {
        (_next, _restores) = (0, true);
        return this;
    }

    public override StateVisitor Of(string owner, int index = -1) => this;

    public override double[]? Saved(string name) => _restores ? Array.ConvertAll((int[])_parts[_next], count => (double)count) : null;

    public override void Visit<T>(string name, Span<T> values, int index = -1)
    {
        T[] part = Next<T>(values.Length);
        if (_restores)
            part.CopyTo(values);
        else
            values.CopyTo(part);
    }

    public override void VisitColumns<T>(string name, Span<T> matrix, int stride, int rows, int width, int index)
    {
        T[] part = Next<T>(rows * width);
        for (int i = 0; i < rows; i++)
        {
            Span<T> row = matrix.Slice(i * stride, width), copy = part.AsSpan(i * width, width);
            if (_restores)
                copy.CopyTo(row);
            else
                row.CopyTo(copy);
        }
    }

    private T[] Next<T>(int length)
    {
        if (_next == _parts.Count)
            _parts.Add(new T[length]);
        if (!_restores && (_parts[_next] is not T[] || _parts[_next].Length != length))
            _parts[_next] = new T[length];
        return (T[])_parts[_next++];
    }
}
