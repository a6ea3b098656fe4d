using System.Numerics;

namespace Rflo.Core;

/// <summary>The measurements of one probe: a few numbers, its columns, after a trial.</summary>
internal abstract class Gauge<T>(IReadOnlyList<string> columns)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The names of its numbers.</summary>
    public IReadOnlyList<string> Columns { get; } = columns;

    /// <summary>The passive rules that it needs to run through the trial before the trial is trained.</summary>
    public virtual IReadOnlyList<PassiveUpdate<T>> Passive => [];

    /// <summary>Saves or restores what it keeps from one measurement to the next, beside the measurements.</summary>
    public virtual void Visit(StateVisitor visitor)
    {
    }

    /// <summary>The numbers, in the order of the columns.</summary>
    /// <param name="trial">The trial that was just trained.</param>
    public abstract IReadOnlyList<double> Read(int trial);
}
