using System.Numerics;

namespace Rflo.Core;

/// <summary>A trial that runs in parallel with others at the same weights: activity and learners of its own.</summary>
internal sealed class Lane<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <param name="network">The network whose weights it shares.</param>
    /// <param name="learners">The learners of that network.</param>
    public Lane(Network<T> network, LearnerSet<T> learners)
    {
        Network = network.Beside();
        Learners = Rflo.Core.Learners.Beside(Network, learners);
        Stream = RandomStream.OfTrial(network.Seed, "task", 0);
    }

    /// <summary>The lane of a session's own network, learners and random numbers.</summary>
    /// <param name="network">The network.</param>
    /// <param name="learners">Its learners.</param>
    /// <param name="stream">Random numbers of the task.</param>
    public Lane(Network<T> network, LearnerSet<T> learners, RandomStream stream) => (Network, Learners, Stream) = (network, learners, stream);

    /// <summary>Activity of the trial; weights and time constants are shared.</summary>
    public Network<T> Network { get; }

    /// <summary>Its learners; their increments are added to those of all lanes.</summary>
    public LearnerSet<T> Learners { get; }

    /// <summary>Random numbers of the task.</summary>
    public RandomStream Stream { get; }

    /// <summary>Number of the trial.</summary>
    public int Trial { get; set; }

    /// <summary>Steps of the trial before in this lane, whose last rates may be carried over; 0 where they are carried over already, or there was none.</summary>
    public int PreviousSteps { get; set; }

    /// <summary>Steps T of the trial.</summary>
    public int Steps => Network.Trial.Steps;

    /// <summary>Its share of the time that all lanes took, in ticks of the stopwatch.</summary>
    public long Ticks { get; set; }
}
