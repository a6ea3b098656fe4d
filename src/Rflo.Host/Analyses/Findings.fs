namespace Rflo.Host

open System
open Plotly.NET
open MathNet.Numerics.LinearAlgebra
open Rflo.Analysis
open Rflo.Dsl

/// What was computed of a run: figures with the numbers behind them, and the numbers that a reader looks for first.
type internal AnalysisResult = {
    /// Heading of its section.
    Title: string
    /// The figures, each with the name of its files and the table of its numbers.
    Figures: (string * Panel * (string list * string list list)) list
    /// A table of the page, with the name of its file, which is empty where a figure has the same numbers.
    Table: (string * (string list * string list list)) option
    /// Sentences.
    Notes: string list
    /// Numbers to be seen at once, by name.
    Key: (string * string) list
}

/// A run that is analyzed, with the test trials of it.
type internal Analyzed = {
    Experiment: Experiment
    Request: AnalysisRequest
    /// The weights that the trials were shown to.
    Weights: Map<string, Matrix<float>>
    Trials: TestedTrial list
    /// The activity of the first of them: as many as memory has room for.
    Activity: Activity list
}

/// What analyses share.
[<RequireQualifiedAccess>]
module internal Findings =

    /// An analysis that this run does not allow; why, and what would.
    exception NotPossible of reason: string

    let notPossible reason : 'a = raise (NotPossible reason)

    /// Most values of a condition by which trials are split where no condition is named.
    [<Literal>]
    let FewValues = 12

    /// Most values of a condition by which trials are split.
    [<Literal>]
    let MostValues = 60

    /// A name as part of a file's.
    let fileName (name: string) =
        name
        |> String.map (fun c ->
            if Char.IsLetterOrDigit c || c = '.' || c = '_' then
                c
            else
                '-')

    let nothing title = {
        Title = title
        Figures = []
        Table = None
        Notes = []
        Key = []
    }

    /// Columns of numbers as rows of text.
    let columns (columns: (string * float[]) list) =
        let longest = columns |> List.map (snd >> Array.length) |> List.fold max 0

        List.map fst columns,
        [
            for row in 0 .. longest - 1 ->
                [
                    for _, values in columns ->
                        if row < values.Length then
                            TableText.exact values[row]
                        else
                            ""
                ]
        ]

    /// Conditions of trials, in the order of their names.
    let conditions (trials: TestedTrial list) =
        trials
        |> Seq.collect _.Conditions.Keys
        |> Seq.distinct
        |> Seq.sort
        |> List.ofSeq

    /// The values that a condition has.
    let valuesOf name (trials: TestedTrial list) =
        trials
        |> List.choose (fun trial -> Map.tryFind name trial.Conditions)
        |> List.distinct
        |> List.sort

    /// A condition that no trial has is a mistake of the option that names it.
    let requireCondition option (trials: TestedTrial list) name more =
        let known = more @ conditions trials

        if not (List.contains name known) then
            notPossible (Mistake.text (UnknownName(option, name, "condition of its trials", known)))

    /// Vertical strokes from low to high at each place, as one trace.
    let intervals colour (x: float[]) (low: float[]) (high: float[]) =
        Style.guide
            colour
            StyleParam.DrawingStyle.Solid
            (x |> Array.collect (fun x -> [| x; x; nan |]))
            (Array.zip low high |> Array.collect (fun (low, high) -> [| low; high; nan |]))

    let marker colour size =
        TraceObjects.Marker.init (Color = colour, Size = size)

    /// Estimates at places, with their intervals of 95 %.
    let estimates name colour (x: float[]) (values: Estimate[]) =
        let has =
            Array.zip x values |> Array.filter (fun (_, one) -> Double.IsFinite one.Value)

        let x, values = Array.unzip has

        [
            intervals colour x (values |> Array.map _.Low) (values |> Array.map _.High)
            Style.points name (marker colour 9) x (values |> Array.map _.Value)
        ]

    /// Ends that hold estimates with their intervals.
    let around (values: Estimate seq) =
        Figures.limits [
            for one in values -> [| one.Value; one.Low; one.High |] |> Array.filter Double.IsFinite
        ]

    /// Rates of an area over the steps that all of some trials have.
    let rates area (trials: Activity list) =
        let steps = trials |> List.map _.Inputs.RowCount |> List.min
        Population.ratesWithin 0 steps area trials, steps

    /// What is said where trials differ in length.
    let window (trials: Activity list) steps =
        if trials |> List.exists (fun trial -> trial.Inputs.RowCount <> steps) then
            $" Trials differ in length: the first {steps} steps of each, which all have, are used."
        else
            ""

    /// What is said where not all test trials are used.
    let some used all =
        if used < all then
            $" Of {all} test trials the first {used} are used."
        else
            ""

    /// Labels of trials: the values of a condition, or the chosen output ("choice"), with the trials that have one. Names of labels in the order
    /// of their numbers.
    let labels condition (trials: TestedTrial list) =
        let valueOf (trial: TestedTrial) =
            if condition = "choice" && not (trial.Conditions.ContainsKey condition) then
                trial.Decision |> Option.map (snd >> float)
            else
                Map.tryFind condition trial.Conditions

        let values = trials |> List.map valueOf

        let distinct = values |> List.choose id |> List.distinct |> List.sort

        distinct,
        [|
            for value in values ->
                value |> Option.map (fun value -> List.findIndex ((=) value) distinct)
        |]

    /// The condition of psychometric curves that a task has by its name.
    let evidence (trials: TestedTrial list) =
        let known = conditions trials

        [ "evidence"; "difference" ]
        |> List.tryFind (fun name -> List.contains name known)

    let private isFew count = count >= 2 && count <= FewValues

    /// The condition that splits trials where none is named: the evidence, or the first with few values.
    let splittingCondition (trials: TestedTrial list) =
        Option.toList (evidence trials) @ conditions trials
        |> List.tryFind (fun name -> isFew (valuesOf name trials).Length)

    /// Some values of a condition, evenly chosen among all, with the first and the last.
    let someValues most (values: float list) =
        if values.Length <= most then
            values
        else
            List.init most (fun k ->
                values[int (Math.Round(float (k * (values.Length - 1)) / float (most - 1)))])

    /// The condition by which trajectories are split where none is named: the evidence, or the first with few values, else the choice, else none.
    let splitting (analyzed: Analyzed) =
        match analyzed.Request.Conditions with
        | name :: _ -> Some name
        | [] ->
            splittingCondition analyzed.Trials
            |> Option.orElseWith (fun () ->
                if isFew (fst (labels "choice" analyzed.Trials)).Length then
                    Some "choice"
                else
                    None)
