namespace Rflo.Core;

/// <content>The backward pass over whole trials that ran in parallel lanes: weights are read once for all of them.</content>
internal sealed partial class BackwardCredit<T>
{
    /// <summary>The backward pass over a trial of each lane, from its last step to its first, with the bits of <see cref="Look"/>.</summary>
    /// <param name="lanes">The backward passes of all lanes, which have the same areas.</param>
    /// <param name="steps">Steps of each trial.</param>
    /// <param name="panels">For the products.</param>
    public static void LookTogether(ReadOnlySpan<BackwardCredit<T>> lanes, ReadOnlySpan<int> steps, LanePanels<T> panels)
    {
        int longest = 0;
        for (int k = 0; k < lanes.Length; k++)
        {
            lanes[k]._first = 1;
            longest = Math.Max(longest, steps[k]);
        }

        for (int place = 0; place < lanes[0]._alone.Length; place++)
            LookAtAreas(lanes, steps, longest, place, panels);
        if (lanes[0]._together.Length == 0)
            return;
        for (int k = 0; k < lanes.Length; k++)
            lanes[k].BeginTogether(1, steps[k]);
        for (int back = 0; back < longest; back++)
            Back(lanes, steps, back, panels);
        for (int k = 0; k < lanes.Length; k++)
            lanes[k].EndTogether(1);
    }

    /// <summary>The credit of an isolated area.</summary>
    private static void LookAtAreas(ReadOnlySpan<BackwardCredit<T>> lanes, ReadOnlySpan<int> steps, int longest, int place, LanePanels<T> panels)
    {
        // Rows of seven registers stay in registers from step to step.
        if (lanes[0]._alone[place].Padded == 7 * Simd.Count<T>())
        {
            for (int k = 0; k < lanes.Length; k++)
                lanes[k].LookAtArea(lanes[k]._alone[place], 1, steps[k], 1);
            return;
        }

        for (int k = 0; k < lanes.Length; k++)
        {
            BackwardCredit<T> lane = lanes[k];
            AreaState<T> area = lane._alone[place];
            for (int t = 1; t <= steps[k]; t++)
                lane._signals[area.Index].Write(t, lane.Credit(area, t));
            lane._credit[area.Index].Row(0, area.Padded).Clear();
        }

        for (int back = 0; back < longest; back++)
        {
            for (int k = 0; k < lanes.Length; k++)
                if (steps[k] - back >= 1)
                    lanes[k].BackThroughUnits(lanes[k]._alone[place], steps[k] - back);
            BackToAreas(lanes, steps, back, panels, lanes[0]._alone[place].Index);
        }
    }

    /// <summary>Credit of one step of each trial that has so many behind it.</summary>
    private static void Back(ReadOnlySpan<BackwardCredit<T>> lanes, ReadOnlySpan<int> steps, int back, LanePanels<T> panels)
    {
        for (int k = 0; k < lanes.Length; k++)
            if (steps[k] - back >= 1)
                lanes[k].BackFromOutputs(steps[k] - back, withErrors: true);
        for (int place = 0; place < lanes[0]._together.Length; place++)
        {
            AreaState<T> shape = lanes[0]._together[place];
            for (int k = 0; k < lanes.Length; k++)
                if (steps[k] - back >= 1)
                    lanes[k].BackThroughUnits(lanes[k]._together[place], steps[k] - back);
            if (shape.Afferents is { IsShared: true, DenseStride: > 0 })
                BackToAreas(lanes, steps, back, panels, shape.Index);
            else
                BackToSignals(lanes, steps, back, panels, shape.Index);
        }
    }

    /// <summary>Carries the credit of currents that come from one whole area directly to the credit of its rates.</summary>
    private static void BackToAreas(ReadOnlySpan<BackwardCredit<T>> lanes, ReadOnlySpan<int> steps, int back, LanePanels<T> panels, int index)
    {
        Afferents<T> shape = lanes[0]._network.Areas[index].Afferents;
        Source source = shape.Segments[0].Source;
        int count = 0;
        for (int k = 0; k < lanes.Length; k++)
        {
            Span<T> credit = CreditOfLane(lanes[k], steps[k] - back, source);
            if (credit.IsEmpty)
                continue;
            lanes[k].Delta(lanes[k]._network.Areas[index], steps[k] - back)[..shape.Rows].CopyTo(panels.Vector(count, shape.Rows));
            credit.CopyTo(panels.Result(count++, shape.DenseStride));
        }

        panels.AddTransposed(shape, count);
        count = 0;
        for (int k = 0; k < lanes.Length; k++)
            if (CreditOfLane(lanes[k], steps[k] - back, source) is { IsEmpty: false } credit)
                panels.Result(count++, shape.DenseStride).CopyTo(credit);
    }

    /// <summary>The credit of a source's rates that a step of a lane received; empty where the lane's trial has no such step, or it is dropped.</summary>
    private static Span<T> CreditOfLane(BackwardCredit<T> lane, int step, Source source) => step < 1 ? [] : lane.CreditOfSource(source.Index, step - source.Delay);

    /// <summary>Carries the credit of currents that come from any sources to the credit of those sources.</summary>
    private static void BackToSignals(ReadOnlySpan<BackwardCredit<T>> lanes, ReadOnlySpan<int> steps, int back, LanePanels<T> panels, int index)
    {
        Afferents<T> shape = lanes[0]._network.Areas[index].Afferents;
        int count = 0;
        for (int k = 0; k < lanes.Length; k++)
        {
            if (steps[k] - back < 1 || !lanes[k].PassesOn(steps[k] - back))
                continue;
            lanes[k].Delta(lanes[k]._network.Areas[index], steps[k] - back)[..shape.Rows].CopyTo(panels.Vector(count, shape.Rows));
            panels.Result(count++, shape.DenseStride).Clear();
        }

        if (shape.DenseStride > 0)
            panels.AddTransposed(shape, count);
        count = 0;
        for (int k = 0; k < lanes.Length; k++)
        {
            int step = steps[k] - back;
            if (step < 1 || !lanes[k].PassesOn(step))
                continue;
            BackwardCredit<T> lane = lanes[k];
            AreaState<T> area = lane._network.Areas[index];
            Span<T> signals = lane._back.Span[..shape.Stride];
            panels.Result(count++, shape.DenseStride).CopyTo(signals);
            area.Afferents.TransposedSparse(lane.Delta(area, step), signals);
            lane.Scatter(area.Afferents, signals, step);
        }
    }
}
