using System.Numerics;

namespace Rflo.Core;

/// <summary>One probe at work: it reads a few numbers, its columns, after a trial.</summary>
internal abstract class Gauge<T>(IReadOnlyList<string> columns)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>What its numbers are called.</summary>
    public IReadOnlyList<string> Columns { get; } = columns;

    /// <summary>The rules that it wants to see through the trial before it is trained.</summary>
    public virtual IReadOnlyList<PassiveUpdate<T>> Passive => [];

    /// <summary>Shows what it keeps from one measurement to the next, beside what it measured.</summary>
    public virtual void Visit(StateVisitor visitor)
    {
    }

    /// <summary>The numbers, in the order of the columns.</summary>
    /// <param name="trial">The trial that was just trained.</param>
    public abstract IReadOnlyList<double> Read(int trial);
}
