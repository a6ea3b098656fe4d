using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>What a step of a simulation or of a rule does with whole rows, one operation a file.</summary>
internal static partial class Kernels
{
    /// <summary>
    /// How the innermost loop of a kernel is compiled: as a method of its own, for inlined into its caller it would spend the JIT's
    /// budget, and the innermost operations would become calls; and whole at its first call, for tiers would leave it slow for
    /// thirty calls and more.
    /// </summary>
    private const MethodImplOptions Innermost = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;
}
