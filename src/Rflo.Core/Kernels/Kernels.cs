using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>The operations on whole rows in a step of a simulation or of a rule, one operation a file.</summary>
internal static partial class Kernels
{
    /// <summary>
    /// How the innermost loop of a kernel is compiled. It is a method of its own: inlined into its caller it would use up the JIT's
    /// inlining budget, and the innermost operations would become calls. It is fully optimized at its first call: with tiered
    /// compilation it would stay slow for at least thirty calls.
    /// </summary>
    private const MethodImplOptions Innermost = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
}
