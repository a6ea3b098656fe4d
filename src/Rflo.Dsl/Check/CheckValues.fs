namespace Rflo.Dsl

open System
open Rflo.Core
open System.Text.RegularExpressions

/// What is allowed of single values, whatever part they belong to.
module internal CheckValues =

    /// Faults as problems of a part.
    let at part faults = [ for fault in faults -> { Part = part; Fault = fault } ]

    /// The faults of words without effect.
    let lost (words: Lost list) = [
        for word in words -> Contradiction(word.What, word.Instead)
    ]

    let goodName = Regex(@"\A[\p{L}\p{N}._/-]+\z", RegexOptions.Compiled)

    let private longestName = 200

    /// Whether no archive can hold an array of that name: numpy removes .npy, and a path could lead out of the folder.
    let private isNoArray (given: string) =
        given.EndsWith(".npy", StringComparison.Ordinal)
        || given.Split '/'
           |> Array.exists (fun part -> List.contains part [ ""; "."; ".." ])

    let name (earlier: string list) (given: string) = [
        if not (goodName.IsMatch given) then
            BadName given
        elif given.Length > longestName then
            NotAllowed(
                "the name",
                $"{given.Length} characters long",
                $"at most {longestName}, since results are saved under it"
            )
        elif isNoArray given then
            NotAllowed(
                "the name",
                given,
                "one under which results can be saved: no .npy at its end, and no part between its signs / that is empty, . or .."
            )
        elif List.contains given earlier then
            NameTaken given
    ]

    /// The constants that a part of the core reports as not allowed.
    let outOfRange (problems: OutOfRange seq) = [
        for problem in problems do
            NotAllowed(problem.What, string problem.Value, problem.Allowed)
    ]

    /// The faults of a part whose code may come from another assembly; an exception of that code is a fault too. A run reads all
    /// of it, some after its end.
    let ofOwn what (look: unit -> Fault list) =
        try
            look ()
        with error -> [ Failed($"reading {what}", error.Message) ]

    /// A description must be one line, since lists print one line a part.
    let described what (description: string) = [
        if String.IsNullOrWhiteSpace description || Seq.exists Char.IsControl description then
            let shown = description.ReplaceLineEndings " "

            NotAllowed($"the description of {what}", $"'{shown}'", "a name in one line")
    ]

    /// Whether a readout's loss has a meaning for its outputs.
    let lossOf (readout: Readout) =
        ofOwn "the loss" (fun () -> [
            let loss = readout.LossOrNatural
            yield! outOfRange loss.Problems
            let description, _, _ = loss.Description, loss.Formula, loss.Targets
            yield! described "the loss" description

            match loss.Outputs with
            | null -> ()
            | outputs when Seq.contains readout.Output outputs -> ()
            | outputs ->
                let words =
                    outputs
                    |> Seq.map (fun kind -> $"Output.{(string kind).ToLowerInvariant()}")
                    |> String.concat " or "

                Contradiction(
                    $"the {description} has no meaning for outputs of the kind {readout.Output}",
                    $"use |> output {words}, or another loss"
                )
        ])

    let atLeastOne field (given: int) = [
        if given < 1 then
            NotAllowed(field, string given, "at least 1")
    ]

    /// The most numbers of one kind that a run keeps.
    let private mostKept = 10_000_000

    let window field (given: int) = [
        if given > mostKept then
            NotAllowed(field, string given, $"at most {mostKept}")
    ]

    let rates (schedule: Schedule) =
        ofOwn "the learning rate schedule" (fun () -> [
            yield! outOfRange schedule.Problems
            yield! described "the learning rate schedule" schedule.Description

            if schedule.Memory < 0 || schedule.Memory > mostKept then
                NotAllowed(
                    "the memory of the learning rate schedule",
                    string schedule.Memory,
                    $"in 0 .. {mostKept}"
                )
            else
                schedule.Initialize(System.Span(Array.zeroCreate<float> schedule.Memory))
        ])

    let finite field (given: float) = [
        if not (Double.IsFinite given) then
            NotAllowed(field, string given, "finite")
    ]

    let notNegative field (given: float) = [
        if not (given >= 0.0) || not (Double.IsFinite given) then
            NotAllowed(field, string given, "finite and at least 0")
    ]

    let moreThanZero field (given: float) = [
        if not (given > 0.0) || not (Double.IsFinite given) then
            NotAllowed(field, string given, "finite and more than 0")
    ]

    /// Whether a number is finite in the precision of a run; 1e200 is infinite in single precision.
    let isFinite (precision: Precision) (given: float) =
        match precision with
        | Precision.Single -> Single.IsFinite(float32 given)
        | _ -> Double.IsFinite given

    /// A number rounded to the precision of a run.
    let rounded (precision: Precision) (given: float) =
        match precision with
        | Precision.Single -> float (float32 given)
        | _ -> given

    /// The decay rates of an optimizer's means, which are below 1, and its epsilon, which keeps quotients finite.
    let private constantsOf (optimizer: Optimizer) =
        match optimizer with
        | :? Momentum as momentum -> [ momentum.Beta ], []
        | :? Adam as adam -> [ adam.Beta1; adam.Beta2 ], [ adam.Epsilon ]
        | :? AdamW as adam -> [ adam.Beta1; adam.Beta2 ], [ adam.Epsilon ]
        | :? RmsProp as mean -> [ mean.Beta ], [ mean.Epsilon ]
        | _ -> [], []

    /// Constants that are allowed, and that single precision rounds to values that are not.
    let private roundedAway precision (optimizer: Optimizer) = [
        let memories, epsilons = constantsOf optimizer

        for memory in memories do
            if memory < 1.0 && rounded precision memory >= 1.0 then
                NotAllowed(
                    $"a memory of {optimizer}",
                    string memory,
                    "less than 1 in single precision, in which the run computes"
                )

        for epsilon in epsilons do
            if epsilon > 0.0 && rounded precision epsilon = 0.0 then
                NotAllowed(
                    $"the epsilon of {optimizer}",
                    string epsilon,
                    "more than 0 in single precision, in which the run computes"
                )
    ]

    let optimizer precision (optimizer: Optimizer) =
        ofOwn "the optimizer" (fun () -> [
            yield! outOfRange optimizer.Problems
            yield! described "the optimizer" optimizer.Description
            yield! roundedAway precision optimizer

            if optimizer.Memory < 0 then
                NotAllowed("the memory of the optimizer", string optimizer.Memory, "at least 0")
        ])

    let private largest = string Single.MaxValue

    /// The text of what is allowed; in single precision numbers also have a largest size.
    let private within given allowed =
        if Double.IsFinite(given: float) then
            $"{allowed} and at most {largest} in size, since the run is in single precision"
        else
            allowed

    let finiteIn precision field (given: float) = [
        if not (isFinite precision given) then
            NotAllowed(field, string given, within given "finite")
    ]

    let notNegativeIn precision field (given: float) = [
        if not (given >= 0.0) then
            NotAllowed(field, string given, "finite and at least 0")
        elif not (isFinite precision given) then
            NotAllowed(field, string given, within given "finite and at least 0")
    ]

    let probability field (given: float) = [
        if not (given >= 0.0 && given <= 1.0) then
            NotAllowed(field, string given, "in [0, 1]")
    ]

    let oneOf<'choice when 'choice: struct and 'choice :> Enum and 'choice: (new: unit -> 'choice)>
        ()
        =
        "one of " + String.concat ", " (Enum.GetNames<'choice>())

    let shape (rows: int) (columns: int) = $"({rows}, {columns})"

    let shapeOf (matrix: 'a[,]) =
        shape (matrix.GetLength 0) (matrix.GetLength 1)

    let has (rows: int) (columns: int) (matrix: 'a[,]) =
        matrix.GetLength 0 = rows && matrix.GetLength 1 = columns

    let allFinite precision field (matrix: float[,]) = [
        match matrix |> Seq.cast<float> |> Seq.tryFind (isFinite precision >> not) with
        | Some wrong -> yield! finiteIn precision field wrong
        | None -> ()
    ]
