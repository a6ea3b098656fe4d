namespace Rflo.Dsl

open System
open System.Text.RegularExpressions
open Rflo.Core

/// An experiment in which `Check.experiment` found nothing wrong; only it makes one, and only this compiles.
type CheckedExperiment = private {
    Declared: Experiment
    /// Matrices of weights that were read, by place of their projection.
    Read: Map<int, float[,]>
} with

    /// The experiment as its author declared it.
    member this.Experiment = this.Declared

    /// The matrix that a projection starts from, where it was given or read.
    member internal this.Matrix(index: int, projection: Projection) =
        match projection.Weights with
        | Given matrix -> Some matrix
        | _ -> Map.tryFind index this.Read

/// Finds everything that is wrong with a declaration, in one pass and in the order of declaration.
[<RequireQualifiedAccess>]
module Check =

    // What is allowed of single values.

    let private goodName = Regex(@"^[\p{L}\p{N}._/-]+$", RegexOptions.Compiled)

    let private name (earlier: string list) (given: string) = [
        if not (goodName.IsMatch given) then
            BadName given
        elif List.contains given earlier then
            NameTaken given
    ]

    let private atLeastOne field (given: int) = [
        if given < 1 then
            NotAllowed(field, string given, "at least 1")
    ]

    let private finite field (given: float) = [
        if not (Double.IsFinite given) then
            NotAllowed(field, string given, "finite")
    ]

    let private notNegative field (given: float) = [
        if not (given >= 0.0) || not (Double.IsFinite given) then
            NotAllowed(field, string given, "finite and at least 0")
    ]

    let private probability field (given: float) = [
        if not (given >= 0.0 && given <= 1.0) then
            NotAllowed(field, string given, "in [0, 1]")
    ]

    let private shape (rows: int) (columns: int) = $"({rows}, {columns})"

    let private shapeOf (matrix: 'a[,]) =
        shape (matrix.GetLength 0) (matrix.GetLength 1)

    let private has (rows: int) (columns: int) (matrix: 'a[,]) =
        matrix.GetLength 0 = rows && matrix.GetLength 1 = columns

    let private allFinite field (matrix: float[,]) = [
        if matrix |> Seq.cast<float> |> Seq.exists (Double.IsFinite >> not) then
            NotAllowed(field, "partly NaN or infinite", "finite everywhere")
    ]

    // Areas.

    let private tau (dt: float<ms>) (area: Area) =
        let one (given: float<ms>) = [
            if not (given >= dt) || not (Double.IsFinite(float given)) then
                NotAllowed("tau", $"{float given} ms", $"finite and at least dt, {float dt} ms")
        ]

        match area.Tau with
        | OneStep -> []
        | SameTau given -> one given
        | TauOfUnit given -> [
            if given.Length <> area.Units then
                WrongLength("taus", given.Length, area.Units, "one for each unit")

            match given |> Array.tryFind (fun each -> not (List.isEmpty (one each))) with
            | Some wrong -> yield! one wrong
            | None -> ()
          ]

    let private initial (area: Area) = [
        match area.Initial with
        | Reset rate
        | CarriedOver rate -> yield! finite "the initial rate" rate
        | ResetTo rates ->
            if rates.Length <> area.Units then
                WrongLength("the initial rates", rates.Length, area.Units, "one for each unit")

            if Array.exists (Double.IsFinite >> not) rates then
                NotAllowed("an initial rate", "NaN or infinite", "finite")
        | RandomStart(mean, deviation) ->
            yield! finite "the mean of the initial rates" mean
            yield! notNegative "the deviation of the initial rates" deviation
    ]

    let private daleFraction (area: Area) = [
        match area.Dale with
        | None -> ()
        | Some fraction ->
            let faults = probability "dale" fraction
            yield! faults

            if List.isEmpty faults && Option.isNone (Wiring.excitatory area) then
                NotAllowed(
                    "dale",
                    $"{fraction} of {area.Units} units",
                    "a fraction that gives a whole number of excitatory units"
                )
    ]

    let private populations (area: Area) = [
        let automatic =
            if Option.isSome area.Dale then
                [ "excitatory"; "inhibitory" ]
            else
                []

        let mutable earlier = automatic

        for population, units in area.Populations do
            yield! name earlier population
            earlier <- population :: earlier

            if List.isEmpty units then
                NotAllowed($"the number of units of population {population}", "0", "at least 1")

            for unit in
                units
                |> List.filter (fun unit -> unit < 0 || unit >= area.Units)
                |> List.truncate 1 do
                NotAllowed(
                    $"a unit of population {population}",
                    string unit,
                    $"in 0 .. {area.Units - 1}"
                )

            if List.length (List.distinct units) <> List.length units then
                NotAllowed(
                    $"population {population}",
                    "a list with repeated units",
                    "a list of different units"
                )
    ]

    let private area dt earlier (area: Area) = [
        yield! name earlier area.Name
        yield! atLeastOne "units" area.Units
        yield! tau dt area

        if not (Enum.IsDefined area.Transfer) then
            NotAllowed("transfer", string (int area.Transfer), "a transfer function")

        yield! notNegative "noise" area.Noise
        yield! initial area
        yield! daleFraction area
        yield! populations area

        match area.Dynamics with
        | WinnerTakeAll explore -> yield! probability "explore" explore
        | Leaky -> ()
    ]

    // Projections.

    let private givenMatrix
        (circuit: Circuit)
        projection
        (post: int)
        (pre: int)
        (matrix: float[,])
        = [
        if not (has post pre matrix) then
            WrongShape("the weights", shapeOf matrix, $"{shape post pre}, (post, pre)")
        else
            yield! allFinite "the weights" matrix

            match Wiring.signsOf circuit projection with
            | Some signs when
                Seq.exists
                    (fun (i, j) -> float signs[j] * matrix[i, j] < 0.0)
                    (Seq.allPairs (seq { 0 .. post - 1 }) (seq { 0 .. pre - 1 }))
                ->
                NotAllowed(
                    "a weight",
                    "of the wrong sign",
                    "of the sign of its presynaptic unit, by Dale's law of the source"
                )
            | _ -> ()

            match projection.Bounds with
            | Some(low, high) when
                matrix |> Seq.cast<float> |> Seq.exists (fun w -> w < low || w > high)
                ->
                NotAllowed("a weight", "outside the bounds", $"in [{low}, {high}]")
            | _ -> ()
    ]

    /// What is wrong with a start whatever the sizes of the two ends.
    let private start (projection: Projection) read = [
        match projection.Weights with
        | Gaussian gain -> yield! notNegative "the gain" gain
        | UniformScaled bound -> yield! notNegative "the bound of the uniform weights" bound
        | Constant weight
        | OneToOne weight -> yield! finite "the weight" weight
        | Uniform(low, high) ->
            yield! finite "the lower end of the uniform weights" low
            yield! finite "the upper end of the uniform weights" high

            if low > high then
                NotAllowed(
                    "the lower end of the uniform weights",
                    string low,
                    $"at most the upper end, {high}"
                )
        | Given _ -> ()
        | ReadFrom(source, _) ->
            match read with
            | Some(Error reason) -> Unreadable(source, reason)
            | _ -> ()

        match projection.Weights with
        | Gaussian _
        | Uniform _
        | UniformScaled _ -> ()
        | _ when projection.Balanced ->
            Contradiction(
                "balanced weights must be drawn",
                "use gaussian, uniform or uniformScaled"
            )
        | _ -> ()
    ]

    /// What is wrong with a start between so many units.
    let private startShape circuit (projection: Projection) (post: int) (pre: int) read = [
        match projection.Weights, read with
        | OneToOne _, _ when post <> pre ->
            Contradiction(
                $"it is one-to-one between {pre} and {post} units",
                "make both ends the same size"
            )
        | Given matrix, _
        | ReadFrom _, Some(Ok matrix) -> yield! givenMatrix circuit projection post pre matrix
        | _ -> ()
    ]

    let private connectivity (projection: Projection) = [
        match projection.Connectivity, projection.Weights with
        | Density fraction, _ when not (fraction > 0.0 && fraction <= 1.0) ->
            NotAllowed("density", string fraction, "in (0, 1]")
        | (Density _ | Mask _), OneToOne _ ->
            Contradiction("it is one-to-one and has a density or a mask", "leave one of them out")
        | _ -> ()
    ]

    let private maskShape (projection: Projection) (post: int) (pre: int) = [
        match projection.Connectivity with
        | Mask matrix when not (has post pre matrix) ->
            WrongShape("the mask", shapeOf matrix, $"{shape post pre}, (post, pre)")
        | _ -> ()
    ]

    let private balance circuit (projection: Projection) = [
        if projection.Balanced then
            match Wiring.signsOf circuit projection with
            | Some signs when Array.contains 1y signs && Array.contains -1y signs -> ()
            | _ ->
                Contradiction(
                    "balanced weights need excitatory and inhibitory units at the source",
                    "give the source a dale fraction between 0 and 1, or leave balanced out"
                )
    ]

    let private delay (dt: float<ms>) (projection: Projection) = [
        match projection.Delay, projection.Source, projection.Target with
        | None, _, _ -> ()
        | Some _, _, OfReadout _ ->
            Contradiction("a readout listens to rates of the same step", "leave the delay out")
        | Some _, (OfInput _ | OfChannels _ | OfBias), _ ->
            Contradiction(
                "inputs and biases arrive in the same step",
                "leave the delay out, and delay the task's inputs instead"
            )
        | Some duration, _, _ ->
            if not (duration >= dt) || not (Double.IsFinite(float duration)) then
                NotAllowed(
                    "delay",
                    $"{float duration} ms",
                    $"finite and at least one step, {float dt} ms"
                )
            elif Option.isNone (TaskCompile.steps dt duration) then
                NotWholeSteps("delay", duration, dt)
    ]

    let private opening (dt: float<ms>) (task: Task) (projection: Projection) = [
        match projection.Opening, projection.Target with
        | Always, _ -> ()
        | _, OfReadout _ ->
            Contradiction("a projection onto a readout has no gate", "leave the gate out")
        | Every duration, _ ->
            if not (duration >= dt) || not (Double.IsFinite(float duration)) then
                NotAllowed(
                    "the gate's period",
                    $"{float duration} ms",
                    $"finite and at least one step, {float dt} ms"
                )
            elif Option.isNone (TaskCompile.steps dt duration) then
                NotWholeSteps("the gate's period", duration, dt)
        | AtEvent event, _ when not (List.contains event task.Events) ->
            Unknown(EventName, event, task.Events)
        | _ -> ()
    ]

    let private ends (projection: Projection) = [
        match projection.Source, projection.Target with
        | (OfInput _ | OfChannels _ | OfReadout _), OfReadout _ ->
            Contradiction(
                "a readout listens to areas and to the bias only",
                "put an area between the two"
            )
        | _ -> ()
    ]

    let private boundsAndDecay (projection: Projection) = [
        match projection.Bounds with
        | Some(low, high) when not (low <= high) ->
            NotAllowed("the lower bound", string low, $"at most the upper bound, {high}")
        | _ -> ()

        yield! notNegative "decay" projection.Decay
    ]

    // Rules.

    let private isExact (rule: Rule) =
        rule.Credit = BackwardInTime || rule.Credit = ForwardInTime

    let private errorReaches (circuit: Circuit) (rule: Rule) (target: Area) = [
        let told =
            circuit.Feedback |> List.exists (fun feedback -> feedback.Area = target.Name)

        let hasReadout =
            circuit.Projections
            |> List.exists (fun p ->
                p.Target.IsOfReadout && Wiring.areaOf p.Source = Some target.Name)

        match rule.Credit, rule.Error with
        | EligibilityTrace, DeclaredFeedback when not told -> NoErrorReaches(target.Name, rule.Name)
        | EligibilityTrace, SymmetricPath when not hasReadout ->
            RuleCannot(
                rule.Name,
                $"tell {target.Name} an error, since no readout listens to it",
                "use rflo and declare a feedback, or freeze the projection"
            )
        | _, DeclaredFeedback when List.isEmpty circuit.Feedback ->
            NoErrorReaches(target.Name, rule.Name)
        | _ -> ()
    ]

    let private throughCompetition (circuit: Circuit) (rule: Rule) (target: Area) = [
        match target.Dynamics with
        | WinnerTakeAll _ ->
            RuleCannot(
                rule.Name,
                "change weights onto a winner-take-all area, which has no slope",
                "freeze the projection"
            )
        | Leaky when isExact rule ->
            let reached = Wiring.reachedFrom circuit target.Name

            for competitor in circuit.Areas do
                if competitor.Dynamics <> Leaky && Set.contains competitor.Name reached then
                    let beyond = Wiring.reachedFrom circuit competitor.Name

                    if
                        circuit.Readouts
                        |> List.exists (fun readout -> Set.contains readout.Name beyond)
                    then
                        RuleCannot(
                            rule.Name,
                            $"pass credit through the winner-take-all area {competitor.Name}, which has no slope",
                            "use a local rule such as rflo, or freeze the projection"
                        )
        | Leaky -> ()
    ]

    let private schedule (rule: Rule) = [
        match rule.Credit, rule.Update with
        | BackwardInTime, Online ->
            RuleCannot(
                rule.Name,
                "update online, since it looks back over a whole trial",
                "use TrialEnd, or rtrl online"
            )
        | _, EveryTrials(k, _) -> yield! atLeastOne "the number of trials between updates" k
        | _ -> ()
    ]

    let private learns (experiment: Experiment) (projection: Projection) = [
        match Wiring.plasticity experiment projection with
        | None -> ()
        | Some(rate, rule) ->
            yield! notNegative "the learning rate" rate

            // The experiment's rule is checked once, with the experiment.
            if projection.Plasticity.IsLearningBy then
                yield! schedule rule

            match Wiring.areaOf projection.Target with
            | Some target ->
                match Wiring.findArea experiment.Circuit target with
                | Ok target ->
                    yield! errorReaches experiment.Circuit rule target
                    yield! throughCompetition experiment.Circuit rule target
                | Error _ -> ()
            | None -> ()
    ]

    let private projection (experiment: Experiment) read earlier (projection: Projection) = [
        let circuit = experiment.Circuit

        match projection.Label with
        | Some label -> yield! name earlier label
        | None when List.contains (Wiring.label projection) earlier ->
            Contradiction(
                $"an earlier projection has the same two ends, {Wiring.label projection}",
                "name this one apart, such as |> named \"slow\""
            )
        | None -> ()

        yield! ends projection
        yield! start projection read
        yield! connectivity projection

        match
            Wiring.resolve circuit projection.Source, Wiring.resolve circuit projection.Target
        with
        | Ok source, Ok target ->
            yield! startShape circuit projection target.Size source.Size read
            yield! maskShape projection target.Size source.Size
            yield! balance circuit projection
        | source, target ->
            for faults in [ source; target ] do
                match faults with
                | Error faults -> yield! faults
                | Ok _ -> ()

        yield! delay experiment.Dt projection
        yield! opening experiment.Dt experiment.Task projection
        yield! boundsAndDecay projection
        yield! learns experiment projection
    ]

    // Feedback.

    let private feedback (circuit: Circuit) (earlier: Feedback list) (feedback: Feedback) = [
        if
            earlier
            |> List.exists (fun other ->
                other.Readout = feedback.Readout && other.Area = feedback.Area)
        then
            NameTaken $"{feedback.Readout} --> {feedback.Area}"

        match
            Wiring.findReadout circuit feedback.Readout, Wiring.findArea circuit feedback.Area
        with
        | Ok readout, Ok area ->
            match feedback.Through with
            | RandomFeedback scale -> yield! notNegative "the scale of the feedback" scale
            | GivenFeedback matrix ->
                if not (has area.Units readout.Outputs matrix) then
                    WrongShape(
                        "the feedback matrix",
                        shapeOf matrix,
                        $"{shape area.Units readout.Outputs}, (units, outputs)"
                    )
                else
                    yield! allFinite "the feedback matrix" matrix
            | SymmetricFeedback ->
                let listens =
                    circuit.Projections
                    |> List.exists (fun p ->
                        p.Target = OfReadout readout.Name
                        && Wiring.areaOf p.Source = Some area.Name)

                if not listens then
                    Contradiction(
                        $"symmetric feedback is the transpose of weights from {area.Name} to {readout.Name}, and there are none",
                        "use random feedback, or let the readout listen to the area"
                    )
        | readout, area ->
            match readout with
            | Error faults -> yield! faults
            | Ok _ -> ()

            match area with
            | Error faults -> yield! faults
            | Ok _ -> ()
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

        if shown <> taken then
            let names = inputs |> List.map (fun input -> $"{input.Name} {input.Channels}")

            NotAllowed(
                "the number of input channels",
                string shown,
                $"{taken}, as the circuit's inputs ({list names})"
            )

        if asked <> given then
            let names =
                readouts |> List.map (fun readout -> $"{readout.Name} {readout.Outputs}")

            NotAllowed(
                "the number of outputs",
                string asked,
                $"{given}, as the circuit's readouts ({list names})"
            )
    ]

    let private ofExperiment (experiment: Experiment) = [
        yield! name [] experiment.Name

        if not (experiment.Dt > 0.0<ms>) || not (Double.IsFinite(float experiment.Dt)) then
            NotAllowed("dt", $"{float experiment.Dt} ms", "finite and more than 0 ms")

        if experiment.Trials < 0 then
            NotAllowed("trials", string experiment.Trials, "at least 0")

        if not (Enum.IsDefined experiment.Precision) then
            NotAllowed("precision", string (int experiment.Precision), "Double or Single")

        yield! schedule experiment.Rule

        if List.isEmpty experiment.Circuit.Areas then
            NoArea
        elif
            experiment.Trials > 0
            && experiment.Circuit.Projections
               |> List.forall (fun p -> Option.isNone (Wiring.plasticity experiment p))
        then
            NothingLearns
    ]

    /// Every part with the names of the parts before it.
    let private withEarlier nameOf parts =
        parts
        |> List.mapi (fun k part -> parts |> List.truncate k |> List.map nameOf, part)

    let private at part faults = [ for fault in faults -> { Part = part; Fault = fault } ]

    let private declared (experiment: Experiment) read = [
        let circuit = experiment.Circuit
        yield! at InExperiment (ofExperiment experiment)
        yield! at InTask (TaskCompile.faults experiment.Dt experiment.Task)
        yield! at InTask (taskSizes experiment)

        for earlier, a in circuit.Areas |> withEarlier (fun a -> a.Name) do
            yield! at (InArea a.Name) (area experiment.Dt earlier a)

        for earlier, input in circuit.Inputs |> withEarlier (fun input -> input.Name) do
            yield!
                at (InInput input.Name) [
                    yield! name earlier input.Name
                    yield! atLeastOne "channels" input.Channels
                ]

        let areaNames = circuit.Areas |> List.map (fun a -> a.Name)

        for earlier, readout in circuit.Readouts |> withEarlier (fun readout -> readout.Name) do
            yield!
                at (InReadout readout.Name) [
                    yield! name (areaNames @ earlier) readout.Name
                    yield! atLeastOne "outputs" readout.Outputs

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
                    (projection experiment (Map.tryFind k read) earlier p)

        for earlier, f in circuit.Feedback |> withEarlier id do
            yield! at (InFeedback(f.Readout, f.Area)) (feedback circuit earlier f)
    ]

    let private memory available (experiment: Experiment) =
        let estimate = Memory.estimate experiment

        if estimate.Total <= available then
            []
        else
            let largest, share =
                [
                    "the influence tensor of RTRL", estimate.Influence
                    "weights", estimate.Weights
                    "eligibility traces", estimate.Traces
                    "the activity of a trial", estimate.Activity
                ]
                |> List.maxBy snd

            at InExperiment [ TooMuchMemory(estimate.Total, available, largest, share) ]

    /// Memory that this machine lets a process have, in bytes.
    let machineMemory () =
        float (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)

    /// Checks an experiment against a machine with so many bytes of memory: the experiment, ready to compile, or
    /// every problem it has.
    let experimentFor available (experiment: Experiment) : Result<CheckedExperiment, Problem list> =
        let read =
            experiment.Circuit.Projections
            |> List.indexed
            |> List.choose (fun (k, projection) ->
                match projection.Weights with
                | ReadFrom(_, read) -> Some(k, read ())
                | _ -> None)
            |> Map.ofList

        match declared experiment read with
        | [] ->
            match memory available experiment with
            | [] ->
                let matrices =
                    read
                    |> Map.toSeq
                    |> Seq.choose (fun (k, result) ->
                        result |> Result.toOption |> Option.map (fun m -> k, m))

                Ok {
                    Declared = experiment
                    Read = Map.ofSeq matrices
                }
            | problems -> Error problems
        | problems -> Error problems

    /// Checks an experiment: the experiment, ready to compile, or every problem it has.
    let experiment (experiment: Experiment) =
        experimentFor (machineMemory ()) experiment
