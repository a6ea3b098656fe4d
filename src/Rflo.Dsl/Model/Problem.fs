namespace Rflo.Dsl

/// The part of a declaration that a problem is about, by the names that its author gave.
type Part =
    | InExperiment
    | InTask
    /// A task that another is made of; its names from the outermost in.
    | InTaskPart of names: string list
    | InArea of name: string
    | InPopulation of area: string * name: string
    | InInput of name: string
    | InReadout of name: string
    | InProjection of name: string
    | InFeedback of readout: string * area: string
    | InProbe of name: string
    /// A perturbation, in words.
    | InPerturbation of words: string
    | InSweep of name: string
    | InAxis of sweep: string * name: string
    /// A measure of a sweep.
    | InMeasure of sweep: string * name: string
    /// A word that changes a part by its name, as it is typed.
    | InWord of word: string

/// What kind of thing a name stands for.
type Kind =
    | AreaName
    | InputName
    | ReadoutName
    | PopulationName
    | EventName
    | PhaseName
    | RuleName
    | ProjectionName

/// What is wrong with a part.
type Fault =
    /// The name is empty or has a character that is not allowed in file names and lists.
    | BadName of name: string
    /// An earlier part of the same kind has the name.
    | NameTaken of name: string
    /// A number is not what is allowed.
    | NotAllowed of field: string * given: string * allowed: string
    /// A time is no whole number of steps.
    | NotWholeSteps of field: string * given: float<ms> * dt: float<ms>
    /// No part has this name.
    | Unknown of kind: Kind * name: string * known: string list
    /// An array has another shape than the parts that it belongs to.
    | WrongShape of field: string * given: string * expected: string
    /// A list has another length than the part that it belongs to.
    | WrongLength of field: string * given: int * expected: int * because: string
    /// Weights could not be read.
    | Unreadable of source: string * reason: string
    /// The rule needs an error, and no feedback reaches the area.
    | NoErrorReaches of area: string * rule: string
    /// A function of the author's raised an exception.
    | Failed of what: string * reason: string
    /// No projection reaches the readout.
    | NothingArrives
    /// Nothing in the circuit learns.
    | NothingLearns
    /// The circuit has nothing to run.
    | NoArea
    /// The rule cannot do this, with the reason.
    | RuleCannot of rule: string * what: string * instead: string
    /// Two settings of the declaration exclude each other.
    | Contradiction of what: string * instead: string
    /// The experiment does not fit the machine.
    | TooMuchMemory of needed: float * available: float * largest: string * share: float

/// One thing to fix before a circuit can be compiled.
type Problem = { Part: Part; Fault: Fault }

/// Problems as text.
[<RequireQualifiedAccess>]
module Problem =

    let private part =
        function
        | InExperiment -> "experiment"
        | InTask -> "task"
        | InTaskPart names -> "task, its part " + String.concat ", its part " names
        | InArea name -> $"area {name}"
        | InPopulation(area, name) -> $"population {area}[{name}]"
        | InInput name -> $"input {name}"
        | InReadout name -> $"readout {name}"
        | InProjection name -> $"projection {name}"
        | InFeedback(readout, area) -> $"feedback {readout} --> {area}"
        | InProbe name -> $"probe {name}"
        | InPerturbation words -> $"perturbation {words}"
        | InSweep name -> $"sweep {name}"
        | InAxis(sweep, name) -> $"sweep {sweep}, axis {name}"
        | InMeasure(sweep, name) -> $"sweep {sweep}, measure {name}"
        | InWord word -> word

    let private kind =
        function
        | AreaName -> "area"
        | InputName -> "input"
        | ReadoutName -> "readout"
        | PopulationName -> "population"
        | EventName -> "event"
        | PhaseName -> "phase"
        | RuleName -> "rule"
        | ProjectionName -> "projection"

    /// The known name with the fewest edits from a wrong one, if few are needed.
    let nearest (name: string) (known: string list) =
        let far = max 2 (name.Length / 2)

        known
        |> List.map (fun candidate ->
            Rflo.Analysis.NearestName.Edits(name.ToLowerInvariant(), candidate.ToLowerInvariant()),
            candidate)
        |> List.filter (fun (edits, _) -> edits <= far)
        |> List.sortBy fst
        |> List.tryHead
        |> Option.map snd

    /// A number of bytes as text, in a unit that keeps the number short.
    let bytes (count: float) =
        let units = [| "bytes"; "kB"; "MB"; "GB"; "TB"; "PB"; "EB" |]
        let mutable size, unit = count, 0

        while size >= 1000.0 && unit < units.Length - 1 do
            size <- size / 1000.0
            unit <- unit + 1

        if unit = 0 then
            $"%.0f{count} bytes"
        else
            $"%.1f{size} {units[unit]}"

    let private fault =
        function
        | BadName "" -> "it has no name; give it one"
        | BadName name ->
            $"the name '{name}' has a character that is not allowed in lists and file names; use letters, digits and . _ - /"
        | NameTaken name -> $"the name {name} is taken by an earlier part; give it another"
        | NotAllowed(field, given, allowed) -> $"{field} is {given}; it must be {allowed}"
        | NotWholeSteps(field, given, dt) ->
            $"{field} is {string given} ms, which is no whole number of steps of {string dt} ms; change it or dt"
        | Unknown(what, name, known) ->
            let hint =
                match nearest name known with
                | Some near -> $"; did you mean {near}?"
                | None -> ""

            let names =
                if List.isEmpty known then
                    "none is declared"
                else
                    "known: " + String.concat ", " known

            $"no {kind what} is named {name} ({names}){hint}"
        | WrongShape(field, given, expected) ->
            $"the shape of {field} is {given}; it must be {expected}"
        | WrongLength(field, given, expected, because) ->
            $"the length of {field} is {given}; it must be {expected}, {because}"
        | Unreadable(source, reason) -> $"the weights cannot be read from {source}: {reason}"
        | NoErrorReaches(area, rule) ->
            $"{rule} needs an error, but no feedback reaches {area}; declare one, such as errorOf y --> {area}, or freeze the projection"
        | Failed(what, reason) ->
            let said = reason.TrimEnd '.'
            $"{what} failed: {said}; fix the function in the script"
        | NothingArrives -> "no projection reaches it; declare one from an area, such as cortex"
        | NothingLearns -> "nothing learns; give a projection a rate, such as |> learningRate 0.03"
        | NoArea -> "it has no area; declare one, such as areas [ cortex ]"
        | RuleCannot(rule, what, instead) -> $"{rule} cannot {what}; {instead}"
        | Contradiction(what, instead) -> $"{what}; {instead}"
        | TooMuchMemory(needed, available, largest, share) ->
            $"it needs {bytes needed} of memory ({largest}: {bytes share}) and the machine has {bytes available}; use fewer units, shorter trials, single precision or another rule"

    /// One line: the part, what is wrong, and the fix.
    let text problem =
        let said =
            match problem.Part, problem.Fault with
            // Arrows carry their parts: two that differ and have one name are most often two versions of one.
            | (InArea _ | InInput _ | InReadout _), NameTaken name ->
                $"another part has the name {name}; give it another name, or use one value in all arrows"
            | InReadout name, NothingArrives ->
                $"no projection reaches it; declare one, such as cortex --> {name}"
            | _ -> fault problem.Fault

        $"{part problem.Part}: {said}"

    /// All problems of an experiment: a heading, and a line for each.
    let report (name: string) (problems: Problem list) =
        let count =
            match List.length problems with
            | 1 -> "1 problem"
            | several -> $"{several} problems"

        $"{name}: {count}" :: [ for problem in problems -> "  " + text problem ]

    /// `Run.train model |> Problem.orFail` is the value; where there are problems instead, an InvalidOperationException says all of
    /// them, a line each.
    let orFail (result: Result<'value, Problem list>) =
        match result with
        | Ok value -> value
        | Error problems -> invalidOp (problems |> List.map text |> String.concat "\n")
