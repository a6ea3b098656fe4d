namespace Rflo.Host

open System
open Plotly.NET
open Plotly.NET.LayoutObjects
open MathNet.Numerics.LinearAlgebra
open Rflo.Dsl

/// Trials on one axis of time: as many steps as all of them have, before and behind an event where that comes at different times.
type internal AlignedTrials = {
    /// The trials, each with the row of its first step on the axis.
    Trials: (Activity * int) list
    /// The end of each step, in ms.
    Times: float[]
    /// The event that is at 0, where trials differ in its time; none where 0 is the start of the trial.
    Anchor: string option
    Dt: float
}

/// What stands behind curves over the time of trials.
type internal TrialMarks = {
    /// Name, begin and end of the phases, in ms.
    Phases: (string * float * float) list
    /// Begins and ends of the steps in which targets count; none where all do.
    Mask: (float * float) list
    /// Begins and ends of the steps in which a perturbation acts.
    Perturbed: (float * float) list
    /// Whether the target counts in every step.
    CountsAlways: bool
    /// What has too many stretches to be drawn, with their numbers.
    Unshaded: string list
}

/// The axis of time of trials: phases by name, mask and perturbation as shades.
[<RequireQualifiedAccess>]
module internal TrialAxes =

    /// The event of the steps in which a perturbation acts, in perturbed trials that are kept for figures.
    [<Literal>]
    let PerturbedEvent = "rflo.perturbed"

    let private perturbedShade = Color.fromString "rgba(213,94,0,0.13)"
    let private maskShade = Color.fromString "rgba(27,31,36,0.07)"

    let private stepsOf (trial: Activity) = trial.Targets.RowCount

    let private phaseNames (trial: Activity) = [
        for KeyValue(name, steps) in trial.Events do
            match steps with
            | first :: _ when trial.Events.ContainsKey(Phase.onset name) -> first, name
            | _ -> ()
    ]

    /// The names of the phases that all trials have, in the order of the first trial.
    let phases (trials: Activity list) =
        match trials with
        | [] -> []
        | first :: others ->
            phaseNames first
            |> List.sortBy fst
            |> List.map snd
            |> List.filter (fun name ->
                others
                |> List.forall (fun trial ->
                    match Map.tryFind name trial.Events with
                    | Some(_ :: _) -> true
                    | _ -> false))

    /// On the time from the event's first step, where it differs between trials; otherwise from the start of the trial.
    let align (dt: float<ms>) (anchor: (string * (Activity -> int option)) option) trials =
        let firsts =
            match anchor with
            | None -> None
            | Some(name, stepOf) ->
                let found = trials |> List.map stepOf

                if List.forall Option.isSome found then
                    let found = found |> List.map Option.get

                    if List.distinct found |> List.length > 1 then
                        Some(name, found)
                    else
                        None
                else
                    None

        let dt = float dt

        match firsts with
        | None ->
            let steps = trials |> List.map stepsOf |> List.min

            {
                Trials = [ for trial in trials -> trial, 0 ]
                Times = Array.init steps (fun t -> dt * float (t + 1))
                Anchor = None
                Dt = dt
            }
        | Some(name, firsts) ->
            let before = List.min firsts - 1
            let rows = firsts |> List.map (fun first -> first - 1 - before)
            let steps = List.map2 (fun trial row -> stepsOf trial - row) trials rows |> List.min

            {
                Trials = List.zip trials rows
                Times = Array.init steps (fun t -> dt * float (t + 1 - before))
                Anchor = Some name
                Dt = dt
            }

    /// The first step of the last phase: the decision, in most tasks.
    let lastPhase (trials: Activity list) =
        match List.tryLast (phases trials) with
        | None -> None
        | Some name ->
            Some(
                name,
                (fun (trial: Activity) -> Map.tryFind name trial.Events |> Option.bind List.tryHead)
            )

    /// The first step in which a perturbation acts.
    let onset (trials: Activity list) =
        match trials with
        | [] -> None
        | _ ->
            Some(
                "the perturbation",
                fun (trial: Activity) ->
                    Map.tryFind PerturbedEvent trial.Events |> Option.bind List.tryHead
            )

    let title (aligned: AlignedTrials) =
        match aligned.Anchor with
        | None -> "time in the trial (ms)"
        | Some name -> $"time from the onset of {name} (ms)"

    let private start (aligned: AlignedTrials) = aligned.Times[0] - aligned.Dt

    let ends (aligned: AlignedTrials) = start aligned, Array.last aligned.Times

    /// The begins and ends of stretches of steps on the axis.
    let private stretches (aligned: AlignedTrials) (holds: bool[]) = [
        let mutable first = -1

        for t in 0 .. holds.Length do
            let isIn = t < holds.Length && holds[t]

            if isIn && first < 0 then
                first <- t
            elif not isIn && first >= 0 then
                start aligned + aligned.Dt * float first, start aligned + aligned.Dt * float t
                first <- -1
    ]

    /// Steps of the axis in which all trials have something.
    let private inAll (aligned: AlignedTrials) (has: Activity -> int -> bool) =
        let holds = Array.create aligned.Times.Length true

        for trial, row in aligned.Trials do
            let has = has trial

            for t in 0 .. holds.Length - 1 do
                holds[t] <- holds[t] && has (row + t)

        holds

    let private marked name (trial: Activity) =
        let marks = Array.zeroCreate (stepsOf trial)

        for step in Map.tryFind name trial.Events |> Option.defaultValue [] do
            marks[step - 1] <- true

        fun row -> marks[row]

    /// Stretches that are shaded or named; more of a kind would hide each other, and fill a page with shapes.
    [<Literal>]
    let private MostStretches = 60

    /// What all trials have at the same place of the axis; the mask is that of some columns of the targets.
    let marks (columns: int list) (aligned: AlignedTrials) : TrialMarks =
        let all = List.map fst aligned.Trials

        let mask =
            inAll aligned (fun trial row ->
                columns |> List.exists (fun k -> trial.Mask[row, k] > 0.0))

        /// Stretches of a kind, or, where they are too many, none and a word about it.
        let limited what stretches =
            match List.length stretches with
            | count when count <= MostStretches -> stretches, None
            | count -> [], Some $"{what}: {count} stretches"

        let named, manyPhases =
            limited "phases" [
                for name in phases all do
                    for low, high in stretches aligned (inAll aligned (marked name)) ->
                        name, low, high
            ]

        let counted, manyCounted =
            limited
                "steps in which the target counts"
                (if Array.forall id mask then [] else stretches aligned mask)

        let perturbed, manyPerturbed =
            limited
                "steps in which the perturbation acts"
                (if all |> List.exists (fun trial -> trial.Events.ContainsKey PerturbedEvent) then
                     stretches aligned (inAll aligned (marked PerturbedEvent))
                 else
                     [])

        {
            Phases = named
            Mask = counted
            Perturbed = perturbed
            CountsAlways = Array.forall id mask
            Unshaded = List.choose id [ manyPhases; manyCounted; manyPerturbed ]
        }

    /// A sentence about the shades.
    let caption (marks: TrialMarks) =
        (if marks.CountsAlways then
             " The target counts in all steps."
         elif marks.Mask.IsEmpty then
             ""
         else
             " Grey: steps in which the target counts in all trials that are shown.")
        + (if marks.Perturbed.IsEmpty then
               ""
           else
               " Orange: steps in which the perturbation acts in all trials that are shown.")
        + (match marks.Unshaded with
           | [] -> ""
           | some ->
               let list = String.concat ", " some
               $" Not shaded, since they are too many ({list}).")

    // Names of phases, in as many rows as they need.

    let private letter, gap = 6.4, 8.0

    let private rowsOf isWide (low: float, high: float) (phases: (string * float * float) list) =
        let pixels = if isWide then 600.0 else 420.0
        let perPixel = (high - low) / pixels
        let ends = ResizeArray<float>()

        [
            for name: string, first, last in phases do
                let half = perPixel * letter * float name.Length / 2.0

                let middle =
                    (first + last) / 2.0 |> max (low + half) |> min (max (low + half) (high - half))

                let row =
                    match
                        ends
                        |> Seq.tryFindIndex (fun last -> last + perPixel * gap <= middle - half)
                    with
                    | Some row -> row
                    | None ->
                        ends.Add -infinity
                        ends.Count - 1

                ends[row] <- middle + half
                name, middle, row
        ],
        ends.Count

    /// A figure of curves over the time of trials, from the smallest to the largest number of the curves: shades behind them, phases named above.
    let figure
        isWide
        (aligned: AlignedTrials)
        (marks: TrialMarks)
        yTitle
        (low: float, high: float)
        curves
        =
        let from, until = ends aligned
        let names, rows = rowsOf isWide (from, until) marks.Phases
        let rowHeight = 0.085 * (high - low)
        let top = high + float rows * rowHeight

        let shade name colour stretches =
            stretches
            |> List.mapi (fun k (first, last) ->
                Style.shade (if k = 0 then name else "") colour [| first; last |] [| low; low |] [|
                    top
                    top
                |]
                |> List.map (fun trace ->
                    if k = 0 then
                        trace
                    else
                        trace |> Chart.withTraceInfo (ShowLegend = false)))
            |> List.concat

        let bounds =
            marks.Phases
            |> List.filter (fun (_, first, _) -> first > from)
            |> List.map (fun (_, first, _) ->
                Style.guide Style.grey StyleParam.DrawingStyle.Dot [| first; first |] [|
                    low
                    top
                |])

        let words = [
            for name, middle, row in names ->
                Annotation.init (
                    X = middle,
                    Y = high + (float row + 0.5) * rowHeight,
                    Text = name,
                    ShowArrow = false,
                    Font = Font.init (Size = 11.0, Color = Style.ink)
                )
        ]

        [
            yield! shade "target counts" maskShade marks.Mask
            yield! shade "perturbation" perturbedShade marks.Perturbed
            yield! bounds
            yield! curves
        ]
        |> Style.figure
            (Style.axis (title aligned) |> Style.ranged (from, until))
            (Style.axis yTitle |> Style.ranged (low, top))
        |> fun chart ->
            if words.IsEmpty then
                chart
            else
                Chart.withAnnotations words chart

    // Numbers along the axis.

    /// The heading of the times in a table.
    let timeHead (aligned: AlignedTrials) =
        match aligned.Anchor with
        | None -> "time ms"
        | Some _ -> "time from onset ms"

    /// A curve over the axis, thinned.
    let line (aligned: AlignedTrials) name colour width values =
        Thinning.line aligned.Times values ||> Style.line name colour width

    /// What an output of a readout is called.
    let labelOf (readout: Readout) k =
        if readout.Outputs = 1 then
            readout.Name
        else
            $"{readout.Name} {k}"

    /// The columns of each readout in targets and mask, in order of declaration.
    let readouts (trial: Activity) =
        let firsts =
            trial.Readouts |> List.scan (fun first readout -> first + readout.Outputs) 0

        List.zip trial.Readouts (List.truncate trial.Readouts.Length firsts)

    let private meanOf (values: float[] list) =
        let count = float values.Length
        Array.init values.Head.Length (fun t -> (values |> List.sumBy (fun one -> one[t])) / count)

    let private along (aligned: AlignedTrials) (of': Activity -> Matrix<float>) k = [
        for trial, row in aligned.Trials ->
            let series = of' trial
            Array.init aligned.Times.Length (fun t -> series[row + t, k])
    ]

    /// An output in each trial, over the axis.
    let outputs (aligned: AlignedTrials) readout k =
        along aligned (fun trial -> trial.Outputs[readout]) k

    /// The mean of an output over the trials.
    let meanOutput aligned readout k = meanOf (outputs aligned readout k)

    /// The mean target over the trials; NaN in steps in which it does not count in all of them.
    let meanTarget (aligned: AlignedTrials) column =
        let counted = inAll aligned (fun trial row -> trial.Mask[row, column] > 0.0)

        Array.map2
            (fun value counts -> if counts then value else nan)
            (meanOf (along aligned _.Targets column))
            counted

    /// The standard deviation of an output over the trials.
    let deviation aligned readout k =
        let all = outputs aligned readout k
        let mean = meanOf all
        let count = float all.Length

        Array.init mean.Length (fun t ->
            let squares = all |> List.sumBy (fun one -> (one[t] - mean[t]) ** 2.0)
            if count > 1.0 then sqrt (squares / (count - 1.0)) else 0.0)

    /// Whether all trials have the same targets and the same mask.
    let haveOneTarget (trials: Activity list) =
        match trials with
        | [] -> false
        | first :: others ->
            others
            |> List.forall (fun trial -> trial.Targets = first.Targets && trial.Mask = first.Mask)

    /// The steps, counted from 1, in which a perturbation acts in a trial.
    let perturbedSteps (dt: float<ms>) (perturbation: Rflo.Dsl.Perturbation) (trial: Activity) =
        let last = stepsOf trial
        let steps duration = int (Math.Round(duration / dt: float))

        let event name =
            Map.tryFind name trial.Events |> Option.defaultValue []

        let all =
            match perturbation.Kind, perturbation.Steps with
            | PerturbationKind.Lesion _, _
            | _, PerturbedSteps.All -> [ 1..last ]
            | _, PerturbedSteps.During name -> event name
            | _, PerturbedSteps.Between(from, until) -> [ steps from + 1 .. min last (steps until) ]
            | _, PerturbedSteps.After(name, after, lasting) ->
                match event name with
                | first :: _ -> [
                    first + steps after .. min last (first + steps after + steps lasting - 1)
                  ]
                | [] -> []

        if perturbation.Kind.IsKick then
            List.truncate 1 all
        else
            all
