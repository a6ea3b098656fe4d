using System.Collections;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Rflo.Core;

/// <summary>
/// The arrays that are reachable from an object of the core, each once, under the names of the parts and fields that hold them. It follows the fields
/// themselves, so that no array can be left out. For plans that are printed or tested; a run never calls it.
/// </summary>
/// <typeparam name="T">The numbers of the session.</typeparam>
internal sealed class PlanInventory<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly HashSet<object> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly List<PlanBuffer> _buffers = [];

    /// <summary>What was found, the arrays of one name in one part together.</summary>
    public IReadOnlyList<PlanBuffer> Buffers =>
    [
        .. _buffers.GroupBy(buffer => (buffer.Part, buffer.Name))
            .Select(group => new PlanBuffer(group.Key.Part, group.Key.Name, group.Sum(buffer => buffer.Elements), group.Sum(buffer => buffer.Bytes))),
    ];

    /// <summary>Leaves out an object, and the arrays that are reachable only from it.</summary>
    public PlanInventory<T> Without(object known)
    {
        _seen.Add(known);
        return this;
    }

    /// <summary>Adds the arrays that an object holds and that were not found before.</summary>
    /// <param name="part">The name of the object.</param>
    /// <param name="holder">The object.</param>
    public PlanInventory<T> Take(string part, object holder)
    {
        Walk(part, "", holder);
        return this;
    }

    /// <summary>Adds the arrays of an object that was left out before.</summary>
    /// <param name="part">The name of the object.</param>
    /// <param name="holder">The object.</param>
    public PlanInventory<T> TakeRest(string part, object holder)
    {
        _seen.Remove(holder);
        return Take(part, holder);
    }

    private void Walk(string part, string name, object? found)
    {
        if (found is null || found is string or Delegate or Type || (!found.GetType().IsValueType && !_seen.Add(found)))
            return;
        Type type = found.GetType();
        if (found is Array array)
        {
            WalkArray(part, name, array);
            return;
        }

        if (found is ITuple tuple)
        {
            for (int k = 0; k < tuple.Length; k++)
                Walk(part, name, tuple[k]);
            return;
        }

        if (found is IEnumerable several && type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true)
        {
            foreach (object? one in several)
                Walk(part, name, one);
            return;
        }

        if (type.Assembly != typeof(PlanBuffer).Assembly || IsDeclaration(type))
            return;
        for (Type? declaring = type; declaring is not null && declaring != typeof(object); declaring = declaring.BaseType)
            foreach (FieldInfo field in declaring.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                if (!field.FieldType.IsPrimitive && !field.FieldType.IsEnum)
                    Walk(part, Named(name, field, type), field.GetValue(found));
    }

    private void WalkArray(string part, string name, Array array)
    {
        Type element = array.GetType().GetElementType()!;
        if (element.IsPrimitive)
        {
            if (array.LongLength > 0)
                _buffers.Add(new PlanBuffer(part, name, array.LongLength, Buffer.ByteLength(array)));
            return;
        }

        foreach (object? one in array)
            Walk(part, name, one);
    }

    /// <summary>Specs hold the declaration, and no arrays of a session.</summary>
    private static bool IsDeclaration(Type type) => typeof(Graph).IsAssignableFrom(type) || type.Name.EndsWith("Spec", StringComparison.Ordinal)
        || typeof(Synapses).IsAssignableFrom(type) || typeof(LearningRule).IsAssignableFrom(type) || typeof(Plasticity).IsAssignableFrom(type)
        || typeof(Optimizer).IsAssignableFrom(type) || typeof(UnitModel).IsAssignableFrom(type);

    /// <summary>The name of a field in words; of the arrays of an aligned array or a store it is the name of the field that holds them.</summary>
    private static string Named(string name, FieldInfo field, Type holder)
    {
        if (holder == typeof(AlignedArray<T>) || holder == typeof(AlignedArray<double>))
            return name;
        string own = field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name.TrimStart('_');
        var words = new StringBuilder();
        foreach (char letter in own)
        {
            if (char.IsUpper(letter) && words.Length > 0)
                words.Append(' ');
            words.Append(char.ToLowerInvariant(letter));
        }

        return holder == typeof(WeightStore<T>) || name.Length == 0 ? (name.Length == 0 ? words.ToString() : $"{name}, {words}") : $"{name}: {words}";
    }
}
