using System.Reflection;

namespace Rflo.Core;

/// <summary>Which parts of a session are user code, which may throw anything.</summary>
internal static class UserCode
{
    /// <summary>Whether a part was declared outside this assembly.</summary>
    public static bool Is(object part) => part.GetType().Assembly != typeof(UserCode).Assembly;

    /// <summary>Whether a unit model was, or calls functions of the user's.</summary>
    public static bool IsModel(UnitModel model) => model is PointwiseUnits || Is(model);

    /// <summary>Whether the performance of a trial follows from the trial and its outputs alone: the task says so, or defines none.</summary>
    public static bool IsScoredAlone(ITask task)
    {
        if (task.IsPerformancePure)
            return true;
        InterfaceMapping methods = task.GetType().GetInterfaceMap(typeof(ITask));
        int place = Array.FindIndex(methods.InterfaceMethods, method => method.Name == nameof(ITask.Performance));
        return methods.TargetMethods[place].DeclaringType == typeof(ITask);
    }

    /// <summary>Whether a schedule, or one within it, was, or calls a function of the user's.</summary>
    public static bool IsSchedule(LearningRateSchedule schedule) => schedule switch
    {
        RateOfTrial => true,
        WarmUp warmUp => IsSchedule(warmUp.Then),
        _ => Is(schedule),
    };
}
