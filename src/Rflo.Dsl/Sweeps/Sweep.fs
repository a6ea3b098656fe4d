namespace Rflo.Dsl

open System.Collections.Generic
open Rflo.Core

/// One experiment of a sweep, and its settings in the order of the axes.
[<RequireQualifiedAccess>]
type Point = {
    Settings: (string * string) list
    Experiment: Experiment
}

/// Many experiments that differ in named settings. A point is made when it is needed, so that a sweep of a million points takes no
/// memory for them.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type Sweep = {
    Name: string
    /// The names of the settings, in the order of declaration; the last varies fastest.
    Axes: string list
    /// Number of points.
    Count: int
    /// The points, from 0.
    At: int -> Point
    /// Numbers of every run beside its metrics, by name, in the order of their declaration.
    Measures: (string * (Trained -> float)) list
    /// What is wrong with the declaration of the axes.
    Faults: Problem list
    /// Faults of axes that are found by making their experiments, when the sweep is checked.
    LateFaults: (unit -> Problem list) list
    /// Whether two points may have the same settings, so that they must be compared.
    MayRepeat: bool
}

/// Sweeps: built from one experiment, axis by axis. Every random draw of an experiment is keyed by its seed and the
/// name of its part, so points with the same seed are paired: they begin with the same weights, whatever their rule.
[<RequireQualifiedAccess>]
module Sweep =

    let private most = System.Int32.MaxValue

    /// `e |> Sweep.ofExperiment` has that experiment as its one point.
    let ofExperiment (experiment: Experiment) : Sweep = {
        Name = experiment.Name
        Axes = []
        Count = 1
        At =
            fun _ -> {
                Settings = []
                Experiment = experiment
            }
        Measures = []
        Faults = []
        LateFaults = []
        MayRepeat = false
    }

    /// `s |> Sweep.named "rates"` has that name.
    let named name (sweep: Sweep) : Sweep = { sweep with Name = name }

    let private inAxis (sweep: Sweep) name faults =
        CheckValues.at (InAxis(sweep.Name, name)) faults

    let private nameFaults (sweep: Sweep) names = [
        let taken = sweep.Axes @ List.map fst sweep.Measures
        let earlier = names |> List.scan (fun known name -> name :: known) taken

        for known, name in Seq.zip earlier names do
            yield! inAxis sweep name (CheckValues.name known name)
    ]

    /// The fault of an axis whose values all make the same experiment.
    let private idle (sweep: Sweep) (count: int) names variant () =
        let experiment = lazy (sweep.At 0).Experiment
        let changed k : Experiment = snd (variant k) experiment.Value

        try
            if
                count > 1
                && sweep.Count > 0
                && seq { 1 .. count - 1 } |> Seq.forall (fun k -> changed k = changed 0)
            then
                inAxis sweep (String.concat ", " names) [
                    Contradiction(
                        "its values change nothing in the experiment",
                        "let each change something, such as Sweep.over \"seed\" [ 1; 2 ] seed, or leave the axis out"
                    )
                ]
            else
                []
        with _ ->
            // An exception of the script's function is reported when its point is made.
            []

    /// The product of the points and a number of variants, each of which adds settings and changes the experiment.
    let private times (count: int) names faults variant (sweep: Sweep) : Sweep =
        let all = int64 sweep.Count * int64 count

        {
            sweep with
                Axes = sweep.Axes @ names
                Count = int (min all (int64 most))
                At =
                    fun k ->
                        let point = sweep.At(k / count)
                        let settings, change = variant (k % count)

                        {
                            Settings = point.Settings @ settings
                            Experiment = change point.Experiment
                        }
                LateFaults = sweep.LateFaults @ [ idle sweep count names variant ]
                Faults = [
                    yield! sweep.Faults
                    yield! nameFaults sweep names
                    yield! faults

                    if all > int64 most then
                        yield!
                            CheckValues.at (InSweep sweep.Name) [
                                NotAllowed("the number of points", string all, $"at most {most}")
                            ]
                ]
        }

    /// `s |> Sweep.overNamed "rule" [ for r in rules -> r.Name, rule r ]`: every point with each of these changes, called
    /// by their names.
    let overNamed name (changes: (string * (Experiment -> Experiment)) seq) (sweep: Sweep) =
        let texts, changes = changes |> Array.ofSeq |> Array.unzip
        let faults = inAxis sweep name (Axis.faults texts)
        times texts.Length [ name ] faults (fun k -> [ name, texts[k] ], changes[k]) sweep

    /// `s |> Sweep.over "seed" [ 1..9 ] seed`: every point with each of these values of a setting.
    let over name (values: 'value seq) (apply: 'value -> Experiment -> Experiment) (sweep: Sweep) =
        let named = seq { for value in values -> Axis.text (box value), apply value }
        overNamed name named sweep

    /// `Sweep.uniform "rate" 0.01 0.1 apply` draws a number uniformly between the two.
    let uniform name (low: float) (high: float) apply = Axis.uniform name low high apply

    /// `Sweep.logUniform "rate" 1e-4 1e-1 apply` draws a number log-uniformly between the two.
    let logUniform name (low: float) (high: float) apply = Axis.logUniform name low high apply

    /// `Sweep.choice "units" [ 50; 100; 200 ] apply` draws one of the values.
    let choice name (values: 'value seq) (apply: 'value -> Experiment -> Experiment) : Dimension =
        let values = Array.ofSeq values

        {
            Name = name
            Faults = values |> Array.map (box >> Axis.text) |> Axis.faults
            Draw =
                fun stream ->
                    let value = values[stream.Between(0, values.Length)]
                    Axis.text (box value), apply value
        }

    /// `s |> Sweep.sample 200 7 [ Sweep.logUniform "rate" 1e-4 1e-1 apply ]`: every point with each of 200 random draws.
    /// They are the same for every point, keyed by the seed (here 7), the name of the dimension and the number of the draw:
    /// another dimension changes no number of the others, and 300 draws begin with the 200.
    let sample count seed (dimensions: Dimension list) (sweep: Sweep) : Sweep =
        let drawn k =
            let settings, changes =
                dimensions
                |> List.map (fun dimension ->
                    let stream =
                        RandomStream.OfTrial(int64 seed, $"sweep {dimension.Name}", int64 k)

                    let text, change = dimension.Draw stream
                    (dimension.Name, text), change)
                |> List.unzip

            settings, List.reduce (>>) changes

        let faults = [
            for dimension in dimensions do
                yield! inAxis sweep dimension.Name dimension.Faults

            yield!
                CheckValues.at (InSweep sweep.Name) [
                    yield! CheckValues.atLeastOne "the number of draws" count
                    yield! CheckValues.atLeastOne "the number of dimensions" dimensions.Length
                ]
        ]

        let names = dimensions |> List.map _.Name

        {
            times count names faults drawn sweep with
                MayRepeat = true
        }

    /// `s |> Sweep.measure "slope" (fun trained -> ...)`: a number of every run that ends as it should, from what training left. It is in
    /// the manifest of the run, and a column of the sweep's table and of its report. Points run at the same time: the function must change
    /// nothing outside of itself. Where it throws or returns a number that is not finite, the point stays finished, the value is empty, and the
    /// sweep prints why.
    let measure name (ofRun: Trained -> float) (sweep: Sweep) : Sweep = {
        sweep with
            Measures = sweep.Measures @ [ name, ofRun ]
            Faults =
                sweep.Faults
                @ CheckValues.at
                    (InMeasure(sweep.Name, name))
                    (CheckValues.name (sweep.Axes @ List.map fst sweep.Measures) name)
    }

    /// Measures of one sweep that have the name of an axis of the other, or that of another function: one column cannot hold both.
    let private otherMeasures (more: Sweep) (sweep: Sweep) = [
        let wrong name fault =
            CheckValues.at (InMeasure(sweep.Name, name)) [ fault ]

        for name, ofRun in more.Measures do
            let isOther (known, here) =
                known = name && not (obj.ReferenceEquals(here, ofRun))

            if List.contains name sweep.Axes then
                yield! wrong name (NameTaken name)
            elif List.exists isOther sweep.Measures then
                yield!
                    wrong
                        name
                        (Contradiction(
                            "both of the sweeps have a measure of that name",
                            "declare it once, behind Sweep.append"
                        ))

        for name, _ in sweep.Measures do
            if List.contains name more.Axes then
                yield! wrong name (NameTaken name)
    ]

    /// `a |> Sweep.append b`: the points of a, then those of b. Measures of either hold for all points.
    let append (more: Sweep) (sweep: Sweep) : Sweep =
        let all = int64 sweep.Count + int64 more.Count

        {
            sweep with
                Axes = sweep.Axes @ List.except sweep.Axes more.Axes
                Count = int (min all (int64 most))
                At =
                    fun k ->
                        if k < sweep.Count then
                            sweep.At k
                        else
                            more.At(k - sweep.Count)
                Measures =
                    sweep.Measures
                    @ List.filter
                        (fun (name, _) -> not (List.exists (fst >> (=) name) sweep.Measures))
                        more.Measures
                LateFaults = sweep.LateFaults @ more.LateFaults
                Faults = [
                    yield! sweep.Faults
                    yield! more.Faults
                    yield! otherMeasures more sweep

                    if all > int64 most then
                        yield!
                            CheckValues.at (InSweep sweep.Name) [
                                NotAllowed("the number of points", string all, $"at most {most}")
                            ]
                ]
                MayRepeat = true
        }

    /// Settings as text: "seed 1, gain 0.5".
    let label (settings: (string * string) list) =
        match settings with
        | [] -> "the experiment as it is"
        | _ ->
            settings
            |> List.map (fun (name, value) -> $"{name} {value}")
            |> String.concat ", "

    /// Points that have the settings of an earlier one: the first few.
    let private repeats (sweep: Sweep) =
        let first = Dictionary<(string * string) list, int>()

        seq {
            for k in 0 .. sweep.Count - 1 do
                let settings = (sweep.At k).Settings

                match first.TryGetValue settings with
                | true, earlier ->
                    Contradiction(
                        $"points {earlier + 1} and {k + 1} are the same ({label settings})",
                        "leave one of them out"
                    )
                | _ -> first.Add(settings, k)
        }
        |> Seq.truncate 10
        |> List.ofSeq

    /// Everything that is wrong with a sweep as such; its experiments are checked one by one when it runs.
    let problems (sweep: Sweep) = [
        yield! CheckValues.at (InSweep sweep.Name) (CheckValues.name [] sweep.Name)
        yield! sweep.Faults

        if sweep.Faults.IsEmpty && sweep.Count = 0 then
            yield!
                CheckValues.at (InSweep sweep.Name) [
                    NotAllowed("the number of points", "0", "at least 1")
                ]

        if sweep.Faults.IsEmpty then
            for look in sweep.LateFaults do
                yield! look ()

        if sweep.Faults.IsEmpty && sweep.MayRepeat then
            yield! CheckValues.at (InSweep sweep.Name) (repeats sweep)
    ]
