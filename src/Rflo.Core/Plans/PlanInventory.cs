using System.Collections;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Rflo.Core;

/// <summary>
/// The arrays that are reachable from parts of a session, each once, under the names of the parts and fields that hold them. It follows the fields
/// themselves, so that no array can be left out. Each has the size with which its part made it (<see cref="Storage"/>).
/// </summary>
/// <typeparam name="T">The numbers of the session.</typeparam>
internal sealed class PlanInventory<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly HashSet<object> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly List<PlanBuffer> _buffers = [];
    private BufferPurpose _purpose;
    private bool _isOfWeights;

    /// <summary>The lane whose arrays are added.</summary>
    public int Lane { get; set; }

    /// <summary>Bytes of all that was found.</summary>
    public long Bytes => _buffers.Sum(buffer => buffer.Bytes);

    /// <summary>What was found, the arrays of one name in one part together, of all lanes.</summary>
    public IReadOnlyList<PlanBuffer> Buffers =>
    [
        .. _buffers.GroupBy(buffer => (buffer.Part, buffer.Name, buffer.Purpose))
            .Select(group => new PlanBuffer(
                group.Key.Part, group.Key.Name, group.Key.Purpose, group.Sum(buffer => buffer.Elements), group.Sum(buffer => buffer.Bytes), group.Select(buffer => buffer.Lanes).Distinct().Count())),
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
    /// <param name="purpose">What its arrays are for; weights of a network are weights in any case.</param>
    public PlanInventory<T> Take(string part, object holder, BufferPurpose purpose)
    {
        _purpose = purpose;
        Walk(part, "", holder);
        return this;
    }

    /// <summary>Adds the arrays of an object that was left out before.</summary>
    /// <param name="part">The name of the object.</param>
    /// <param name="holder">The object.</param>
    /// <param name="purpose">What its arrays are for.</param>
    public PlanInventory<T> TakeRest(string part, object holder, BufferPurpose purpose)
    {
        _seen.Remove(holder);
        return Take(part, holder, purpose);
    }

    /// <summary>Adds numbers that are no array of the session.</summary>
    public PlanInventory<T> Add(string part, string name, BufferPurpose purpose, long elements, int bytesOfOne)
    {
        if (elements > 0)
            _buffers.Add(new PlanBuffer(part, name, purpose, elements, elements * bytesOfOne, Lane));
        return this;
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
        bool before = _isOfWeights;
        _isOfWeights |= _purpose == BufferPurpose.Activity && (found is WeightStore<T> or Segment);
        for (Type? declaring = type; declaring is not null && declaring != typeof(object); declaring = declaring.BaseType)
            foreach (FieldInfo field in declaring.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                if (!field.FieldType.IsPrimitive && !field.FieldType.IsEnum && !IsLent(field.FieldType))
                    Walk(part, Named(name, field, type), field.GetValue(found));
        _isOfWeights = before;
    }

    private void WalkArray(string part, string name, Array array)
    {
        Type element = array.GetType().GetElementType()!;
        if (element.IsPrimitive)
        {
            Add(part, name, _isOfWeights ? BufferPurpose.Weights : _purpose, Storage.LengthOf(array), SizeOf(element));
            return;
        }

        foreach (object? one in array)
            Walk(part, name, one);
    }

    /// <summary>Bytes of a number: those of an element in an array.</summary>
    private static int SizeOf(Type element) => Buffer.ByteLength(Array.CreateInstance(element, 1));

    /// <summary>What a rule gives an area for a trial is listed with the rule, whether or not a trial has run.</summary>
    private static bool IsLent(Type type) => type == typeof(ICompanion<T>) || type == typeof(IPendingChange<T>);

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
