namespace Rflo.Dsl

open System
open Rflo.Core
open CheckValues
open CheckAreas
open CheckProjections
open CheckRules

/// An experiment in which `Check.experiment` found nothing wrong; only it makes one, and only this compiles.
type CheckedExperiment = private {
    Declared: Experiment
    /// The same experiment with the weights that were read, in place of their sources.
    Read: Experiment
} with

    /// The experiment as its author declared it.
    member this.Experiment = this.Declared

    /// The same experiment, in which every matrix of weights has been read.
    member internal this.Resolved = this.Read

/// Finds everything that is wrong with a declaration, in one pass and in the order of declaration.
[<RequireQualifiedAccess>]
module Check =

    let private faultsOf =
        function
        | Ok _ -> []
        | Error faults -> faults

    /// Ends of the array names under which a run saves which connections of a projection exist.
    let private savedParts = [ "exists"; "row"; "column"; "value"; "shape" ]

    let private savedName (circuit: Circuit) (projection: Projection) = [
        let own = Wiring.label projection

        for other in circuit.Projections |> List.map Wiring.label |> List.distinct do
            if savedParts |> List.exists (fun part -> own = $"{other}/{part}") then
                NotAllowed(
                    "the name",
                    own,
                    $"another, since a run saves the connections of {other} under it; give it one by |> named"
                )
    ]

    let private projection (experiment: Experiment) dt read earlier (projection: Projection) = [
        let circuit = experiment.Circuit

        match projection.Label with
        | Some label -> yield! name earlier label
        | None when List.contains (Wiring.label projection) earlier ->
            Contradiction(
                $"an earlier projection has the same two ends, {Wiring.label projection}",
                "name this one apart, such as |> named \"slow\""
            )
        | None -> ()

        yield! savedName circuit projection
        yield! ends projection
        yield! start experiment.Precision projection read
        yield! connectivity projection

        match
            Wiring.resolve circuit projection.Source, Wiring.resolve circuit projection.Target
        with
        | Ok source, Ok target ->
            yield! startShape experiment.Precision circuit projection source target read
            yield! maskShape projection target.Size source.Size
            yield! returns experiment.Seed projection source target
            yield! balance circuit projection source target
            yield! bounds experiment.Precision circuit projection
        | source, target -> yield! List.distinct (faultsOf source @ faultsOf target)

        yield! delay dt projection
        yield! opening dt experiment.Task projection
        yield! boundsAndDecay experiment.Precision projection
        yield! learns experiment projection
        yield! CheckLanes.ofProjection experiment projection

        yield! lost projection.Lost
    ]

    // Feedback.

    let private feedback
        precision
        (circuit: Circuit)
        (earlier: Feedback list)
        (feedback: Feedback)
        = [
        if
            earlier
            |> List.exists (fun other ->
                other.Readout = feedback.Readout && other.Area = feedback.Area)
        then
            Contradiction("an earlier feedback has the same two ends", "leave one of them out")

        yield! lost feedback.Lost

        match
            Wiring.findReadout circuit feedback.Readout, Wiring.findArea circuit feedback.Area
        with
        | Ok readout, Ok area ->
            match feedback.Through with
            | RandomFeedback scale ->
                yield! notNegativeIn precision "the scale of the feedback" scale
            | GivenFeedback matrix ->
                if area.Units < 1 || readout.Outputs < 1 then
                    ()
                elif not (has area.Units readout.Outputs matrix) then
                    WrongShape(
                        "the feedback matrix",
                        shapeOf matrix,
                        $"{shape area.Units readout.Outputs}, (units, outputs)"
                    )
                else
                    yield! allFinite precision "a weight of the feedback" matrix
            | SymmetricFeedback ->
                let listens =
                    circuit.Projections
                    |> List.exists (fun p ->
                        p.Target = OfReadout readout.Name
                        && Wiring.areaOf p.Source = Some area.Name)

                if not listens then
                    Contradiction(
                        $"symmetric feedback is the transpose of weights from {area.Name} to {readout.Name}, and there are none",
                        "use through (randomFeedback 1.0), or declare a projection from the area to the readout"
                    )
        // An arrow that ends at no area is reported by its words without effect.
        | _ when not (List.isEmpty feedback.Lost) -> ()
        | readout, area ->
            yield! faultsOf readout
            yield! faultsOf area
    ]

    // The whole.

    let private taskSizes (experiment: Experiment) = [
        let shown, asked = TaskCompile.sizes experiment.Task
        let inputs = experiment.Circuit.Inputs
        let readouts = experiment.Circuit.Readouts
        let taken = inputs |> List.sumBy (fun input -> input.Channels)
        let given = readouts |> List.sumBy (fun readout -> readout.Outputs)

        let list parts =
            if List.isEmpty parts then
                "none"
            else
                String.concat " + " parts

        // The sum is not checked where a part of it is invalid itself.
        let areSound sizes names =
            List.forall (fun size -> size > 0) sizes && List.distinct names = names

        let soundInputs =
            areSound (inputs |> List.map _.Channels) (inputs |> List.map _.Name)

        let soundReadouts =
            areSound (readouts |> List.map _.Outputs) (readouts |> List.map _.Name)

        if shown >= 0 && shown <> taken && soundInputs then
            let names =
                inputs |> List.map (fun input -> $"{input.Name} {string input.Channels}")

            NotAllowed(
                "the number of input channels",
                string shown,
                $"{taken}, as the circuit's inputs ({list names})"
            )

        if asked >= 0 && asked <> given && soundReadouts then
            let names =
                readouts |> List.map (fun readout -> $"{readout.Name} {string readout.Outputs}")

            NotAllowed(
                "the number of outputs",
                string asked,
                $"{given}, as the circuit's readouts ({list names})"
            )
    ]

    /// Whether a trial of a task may have a performance.
    let rec private isScored (task: Task) =
        match Task.parts task with
        | [] -> task.Score.IsSome || task.Kind.IsCustom
        | parts -> List.exists isScored parts

    /// The criteria of curricula, each with the number of mixtures and blocks around it.
    let rec private criteria depth (task: Task) = [
        match task.Kind with
        | Curriculum(stages, _) -> for _, criterion in stages -> depth, criterion
        | _ -> ()

        let inside = if task.Kind.IsCurriculum then depth else depth + 1

        for part in Task.parts task do
            yield! criteria inside part
    ]

    /// The words that need validations, and whether any validation is declared.
    let private validation (experiment: Experiment) = [
        let isValidated = experiment.Probes |> List.exists _.Probe.IsValidation
        let criteria = criteria 0 experiment.Task

        let lookers = [
            if experiment.Stopping.ByValidation then
                "byValidation"

            if experiment.Stopping.TargetPerformance.IsSome then
                "stopAtPerformance"

            if criteria |> List.exists (fun (_, criterion) -> criterion.IsValidationLossBelow) then
                "validationLossBelow"

            if criteria |> List.exists (fun (_, criterion) -> criterion.IsPerformanceAbove) then
                "performanceAbove"
        ]

        if not isValidated then
            for word in lookers do
                Contradiction(
                    $"{word} needs a validation, and none is declared",
                    "declare one, such as |> validate 50 100"
                )

        for word in [ "stopAtPerformance"; "performanceAbove" ] do
            if List.contains word lookers && not (isScored experiment.Task) then
                Contradiction(
                    $"{word} needs the performance of trials, and the task defines none",
                    "define it, such as by task |> Task.scored (Score.ErrorBelow 0.1)"
                )

        if
            criteria
            |> List.exists (fun (depth, criterion) ->
                depth > 0 && (criterion.IsValidationLossBelow || criterion.IsPerformanceAbove))
        then
            Contradiction(
                "a curriculum within a mixture or blocks is passed by a validation, which is of all their parts",
                "pass it by its losses, such as lossBelow 0.01 50, or make it the outermost"
            )
    ]

    let private ofExperiment (experiment: Experiment) = [
        yield! name [] experiment.Name

        if not (experiment.Dt > 0.0<ms>) || not (Double.IsFinite(float experiment.Dt)) then
            NotAllowed("dt", $"{string (float experiment.Dt)} ms", "finite and more than 0 ms")

        if experiment.Trials < 0 then
            NotAllowed("the number of trials", string experiment.Trials, "at least 0")

        if not (Enum.IsDefined experiment.Precision) then
            NotAllowed("precision", string (int experiment.Precision), oneOf<Precision>())

        yield! CheckLanes.ofExperiment experiment
        yield! schedule experiment.Precision experiment.Dt experiment.Rule

        match experiment.Settings.Update with
        | Some time when time <> experiment.Rule.Update ->
            Contradiction(
                $"its update is {CheckRules.updateWord time}, and that of its rule is {CheckRules.updateWord experiment.Rule.Update}",
                "set the rule by the word rule, such as |> rule Rule.bptt, which keeps the update"
            )
        | _ when not (experiment.Settings.Of(experiment.Rule).Equals experiment.Rule) ->
            Contradiction(
                "its rule has another optimizer, clipping or schedule than its words optimizer, clip and schedule set",
                "set the rule by the word rule, such as |> rule Rule.bptt, which keeps them"
            )
        | _ -> ()

        if List.isEmpty experiment.Circuit.Areas then
            NoArea
        elif CheckRules.changesNothing experiment then
            yield! leavesNothing experiment

        match experiment.Stopping.TargetLoss with
        | Some loss when not (Double.IsFinite loss) ->
            NotAllowed("the loss to stop at", string loss, "finite")
        | _ -> ()

        match experiment.Stopping.Patience with
        | Some trials -> yield! atLeastOne "the patience" trials
        | None -> ()

        match experiment.Stopping.TargetPerformance with
        | Some performance when not (performance > 0.0 && performance <= 1.0) ->
            NotAllowed(
                "the performance to stop at",
                string performance,
                "more than 0 and at most 1: it is a mean share of what was right"
            )
        | _ -> ()

        yield! validation experiment
        yield! atLeastOne "the loss window" experiment.Stopping.Window
        yield! window "the loss window" experiment.Stopping.Window
    ]

    /// The problem of a word that names a part that does not exist.
    let private unmatched one =
        let found kind (word, name, known) = {
            Part = InWord $"{word} \"{name}\""
            Fault = Unknown(kind, name, known)
        }

        match one with
        | NoSuchArea(word, name, known) -> found AreaName (word, name, known)
        | NoSuchInput(word, name, known) -> found InputName (word, name, known)
        | NoSuchReadout(word, name, known) -> found ReadoutName (word, name, known)
        | NoSuchProjection(word, name, known) -> found ProjectionName (word, name, known)

    /// Each part with the names of the parts before it.
    let private withEarlier nameOf parts =
        parts
        |> List.mapi (fun k part -> parts |> List.truncate k |> List.map nameOf, part)

    let private declared isEvaluation (experiment: Experiment) read = [
        let circuit = experiment.Circuit
        let dt = usableDt experiment
        yield! at InExperiment (ofExperiment experiment)
        yield! circuit.Unmatched |> List.map unmatched |> List.distinct
        let tasks = TaskCompile.problems dt experiment.Seed circuit experiment.Task
        yield! tasks
        // A circuit without areas has its own problem; its sizes are not compared with those of the task.
        if not (List.isEmpty circuit.Areas) then
            yield! at InTask (taskSizes experiment)


        for earlier, a in circuit.Areas |> withEarlier (fun a -> a.Name) do
            yield!
                at
                    (InArea a.Name)
                    (area experiment.Precision dt earlier a
                     @ learnsTau experiment a
                     @ learnsInitial experiment a)

            yield! populations a

        for earlier, input in circuit.Inputs |> withEarlier (fun input -> input.Name) do
            yield!
                at (InInput input.Name) [
                    yield! name earlier input.Name
                    yield! atLeastOne "the number of channels" input.Channels

                    yield! lost input.Lost
                ]

        let areaNames = circuit.Areas |> List.map (fun a -> a.Name)

        for earlier, readout in circuit.Readouts |> withEarlier (fun readout -> readout.Name) do
            yield!
                at (InReadout readout.Name) [
                    yield! name (areaNames @ earlier) readout.Name
                    yield! atLeastOne "the number of outputs" readout.Outputs

                    if not (Enum.IsDefined readout.Output) then
                        NotAllowed("output", string (int readout.Output), oneOf<Output>())
                    else
                        yield! lossOf readout

                    yield! lost readout.Lost

                    if
                        circuit.Projections
                        |> List.forall (fun p -> p.Target <> OfReadout readout.Name)
                    then
                        NothingArrives
                ]

        for k, (earlier, p) in circuit.Projections |> withEarlier Wiring.label |> List.indexed do
            yield!
                at
                    (InProjection(Wiring.label p))
                    (projection experiment dt (Map.tryFind k read) earlier p)

        for earlier, f in circuit.Feedback |> withEarlier id do
            yield!
                at (InFeedback(f.Readout, f.Area)) (feedback experiment.Precision circuit earlier f)

        for earlier, watched in experiment.Probes |> withEarlier id do
            yield!
                at
                    (InProbe(Probe.name watched.Probe))
                    (CheckProbes.probe experiment earlier watched)

        let longest =
            match dt, tasks with
            | Some dt, [] -> Some(TaskCompile.longest dt experiment.Task)
            | _ -> None

        for earlier, one in experiment.Perturbations |> withEarlier id do
            yield!
                at
                    (InPerturbation(Perturbation.words one))
                    (CheckPerturbations.perturbation isEvaluation experiment dt longest earlier one)
    ]

    let private memory available (experiment: Experiment) =
        let plan = Memory.plan experiment
        let bytes purpose = float (plan.BytesOf purpose)

        if float plan.Bytes <= available then
            []
        else
            let largest, share =
                [
                    "the influence tensor of RTRL", bytes BufferPurpose.Influence
                    "weights", bytes BufferPurpose.Weights
                    "eligibility traces", bytes BufferPurpose.Traces
                    "the activity of a trial", bytes BufferPurpose.Activity
                    "trials side by side", float plan.BytesOfLanes
                ]
                |> List.maxBy snd

            at InExperiment [
                TooMuchMemory(float plan.Bytes, available, largest, share)
            ]

    /// Memory that this machine lets a process have, in bytes.
    let machineMemory () =
        float (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)

    let private checkedFor
        isEvaluation
        available
        (experiment: Experiment)
        : Result<CheckedExperiment, Problem list> =
        Unused.used ()

        let read =
            Map.ofList [
                for k, projection in List.indexed experiment.Circuit.Projections do
                    match projection.Weights with
                    | ReadFrom(_, read) ->
                        k,
                        try
                            read ()
                        with error ->
                            Error error.Message
                    | _ -> ()
            ]

        let given k (projection: Projection) =
            match Map.tryFind k read with
            | Some(Ok(WeightMatrix.Full matrix)) -> {
                projection with
                    Weights = Given matrix
              }
            | Some(Ok(WeightMatrix.Sparse weights)) -> {
                projection with
                    Weights = GivenSparse weights
              }
            | _ -> projection

        let resolved = {
            experiment with
                Circuit = {
                    experiment.Circuit with
                        Projections = List.mapi given experiment.Circuit.Projections
                }
        }

        match declared isEvaluation experiment read with
        | [] ->
            match memory available resolved with
            | [] ->
                Ok {
                    Declared = experiment
                    Read = resolved
                }
            | problems -> Error problems
        | problems -> Error problems

    /// Checks an experiment against a machine with so many bytes of memory: the experiment, ready to compile, or
    /// every problem it has.
    let experimentFor available (experiment: Experiment) = checkedFor false available experiment

    /// Checks an experiment: the experiment, ready to compile, or every problem it has.
    let experiment (experiment: Experiment) =
        experimentFor (machineMemory ()) experiment

    /// Checks an experiment of which only test trials run: what trains nothing may have its weights replaced.
    let internal evaluation (experiment: Experiment) =
        checkedFor true (machineMemory ()) experiment
