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

    let private at part faults = [ for fault in faults -> { Part = part; Fault = fault } ]

    // What is allowed of single values.

    let private goodName = Regex(@"\A[\p{L}\p{N}._/-]+\z", RegexOptions.Compiled)

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

    let private oneOf<'choice
        when 'choice: struct and 'choice :> Enum and 'choice: (new: unit -> 'choice)>
        ()
        =
        "one of " + String.concat ", " (Enum.GetNames<'choice>())

    let private shape (rows: int) (columns: int) = $"({rows}, {columns})"

    let private shapeOf (matrix: 'a[,]) =
        shape (matrix.GetLength 0) (matrix.GetLength 1)

    let private has (rows: int) (columns: int) (matrix: 'a[,]) =
        matrix.GetLength 0 = rows && matrix.GetLength 1 = columns

    let private allFinite field (matrix: float[,]) = [
        match matrix |> Seq.cast<float> |> Seq.tryFind (Double.IsFinite >> not) with
        | Some wrong -> NotAllowed(field, string wrong, "finite")
        | None -> ()
    ]

    // Areas.

    /// The dt of an experiment, where it is one: a wrong dt is one mistake, not one in every time beside it.
    let private usableDt (experiment: Experiment) =
        if experiment.Dt > 0.0<ms> && Double.IsFinite(float experiment.Dt) then
            Some experiment.Dt
        else
            None

    let private tau (dt: float<ms> option) (area: Area) =
        let least = dt |> Option.defaultValue 0.0<ms>

        let isAllowed (given: float<ms>) =
            given > 0.0<ms> && given >= least && Double.IsFinite(float given)

        let allowed =
            match dt with
            | Some dt -> $"finite and at least dt, {float dt} ms"
            | None -> "finite and more than 0 ms"

        match area.Tau with
        | OneStep -> []
        | SameTau given -> [
            if not (isAllowed given) then
                NotAllowed("tau", $"{float given} ms", allowed)
          ]
        | TauOfUnit given -> [
            if area.Units > 0 && given.Length <> area.Units then
                WrongLength("taus", given.Length, area.Units, "one for each unit")

            match given |> Array.tryFindIndex (isAllowed >> not) with
            | Some unit -> NotAllowed($"tau of unit {unit}", $"{float given[unit]} ms", allowed)
            | None -> ()
          ]

    let private initial (area: Area) = [
        match area.Initial with
        | Reset rate
        | CarriedOver rate -> yield! finite "the initial rate" rate
        | ResetTo rates ->
            if area.Units > 0 && rates.Length <> area.Units then
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

            if List.isEmpty faults && area.Units > 0 && Option.isNone (Wiring.excitatory area) then
                NotAllowed(
                    "dale",
                    $"{fraction} of {area.Units} units",
                    "a fraction that gives a whole number of excitatory units"
                )
    ]

    let private population (area: Area) earlier (given: string, units: int list) = [
        yield! name earlier given

        if List.isEmpty units then
            NotAllowed("the number of units", "0", "at least 1")

        if area.Units > 0 then
            for unit in units |> List.filter (fun unit -> unit < 0 || unit >= area.Units) do
                NotAllowed("a unit", string unit, $"in 0 .. {area.Units - 1}")

        for unit, times in List.countBy id units do
            if times > 1 then
                NotAllowed($"unit {unit}", $"listed {times} times", "listed once")
    ]

    let private populations (area: Area) = [
        let automatic = if Option.isSome area.Dale then Wiring.ofDale else []

        for k, (given, units) in List.indexed area.Populations do
            let earlier = area.Populations |> List.truncate k |> List.map fst

            yield!
                at
                    (InPopulation(area.Name, given))
                    (population area (automatic @ earlier) (given, units))
    ]

    let private area dt earlier (area: Area) = [
        yield! name earlier area.Name
        yield! atLeastOne "the number of units" area.Units
        yield! tau dt area

        if not (Enum.IsDefined area.Transfer) then
            NotAllowed("transfer", string (int area.Transfer), oneOf<Transfer>())

        yield! notNegative "noise" area.Noise
        yield! initial area
        yield! daleFraction area

        match area.Dynamics with
        | WinnerTakeAll explore -> yield! probability "explore" explore
        | Leaky -> ()
    ]

    // Projections.

    /// The bounds of a projection, where they make sense.
    let private soundBounds (projection: Projection) =
        projection.Bounds
        |> Option.filter (fun (low, high) -> low <= high && low < infinity && high > -infinity)

    /// Whether a connection may exist, as far as its projection says.
    let private mayExist projection source target (matrix: float[,]) (i, j) =
        let isMasked =
            match projection.Connectivity with
            | Mask mask when has (matrix.GetLength 0) (matrix.GetLength 1) mask -> not mask[i, j]
            | _ -> false

        not isMasked
        && not (Wiring.sparesSelf projection && Wiring.isSelf source target (i, j))

    let private givenMatrix
        (circuit: Circuit)
        projection
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        (matrix: float[,])
        = [
        let post, pre = target.Size, source.Size

        if not (has post pre matrix) then
            WrongShape("the weights", shapeOf matrix, $"{shape post pre}, (post, pre)")
        else
            yield! allFinite "a weight" matrix

            let existing =
                Seq.allPairs (seq { 0 .. post - 1 }) (seq { 0 .. pre - 1 })
                |> Seq.filter (mayExist projection source target matrix)

            match Wiring.signsOf circuit projection with
            | Some signs ->
                match
                    existing |> Seq.tryFind (fun (i, j) -> float signs[j] * matrix[i, j] < 0.0)
                with
                | Some(i, j) ->
                    let kind = if signs[j] > 0y then "excitatory" else "inhibitory"
                    let sign = if signs[j] > 0y then "at least 0" else "at most 0"

                    NotAllowed(
                        $"the weight of row {i}, column {j}",
                        string matrix[i, j],
                        $"{sign}, since Dale's law makes its presynaptic unit {kind}"
                    )
                | None -> ()
            | None -> ()

            match soundBounds projection with
            | Some(low, high) ->
                match
                    existing
                    |> Seq.tryFind (fun (i, j) -> matrix[i, j] < low || matrix[i, j] > high)
                with
                | Some(i, j) ->
                    NotAllowed(
                        $"the weight of row {i}, column {j}",
                        string matrix[i, j],
                        $"in [{low}, {high}], its bounds"
                    )
                | None -> ()
            | None -> ()
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

    /// The most weights that one array can hold.
    let private mostWeights = float Array.MaxLength

    /// What is wrong with a start between those units.
    let private startShape
        circuit
        (projection: Projection)
        (source: Wiring.Resolved)
        (target: Wiring.Resolved)
        read
        = [
        let post, pre = target.Size, source.Size

        match projection.Weights, read with
        | OneToOne _, _ when post <> pre ->
            Contradiction(
                $"it is one-to-one between {pre} and {post} units",
                "make both ends the same size"
            )
        | Given matrix, _
        | ReadFrom _, Some(Ok matrix) -> yield! givenMatrix circuit projection source target matrix
        | _ -> ()

        let stored =
            match projection.Connectivity with
            | Density fraction when Wiring.isSparse projection post pre ->
                fraction * float post * float pre
            | _ when Wiring.isSparse projection post pre -> float post
            | _ -> float post * float pre

        if stored > mostWeights then
            NotAllowed(
                "the number of weights",
                $"%.0f{stored}",
                $"at most %.0f{mostWeights}; split the projection, or give it a density of at most {Wiring.sparseBelow}"
            )
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

    /// Whether the signs of a projection's source cannot be told, since its area is unknown or its Dale fraction wrong.
    let private areSignsUnknown circuit (projection: Projection) =
        match Wiring.areaOf projection.Source |> Option.map (Wiring.findArea circuit) with
        | Some(Ok area) -> Option.isSome area.Dale && Option.isNone (Wiring.excitatory area)
        | Some(Error _) -> true
        | None -> false

    let private balance circuit (projection: Projection) = [
        if projection.Balanced then
            match Wiring.signsOf circuit projection with
            | Some signs when Array.contains 1y signs && Array.contains -1y signs -> ()
            | _ when areSignsUnknown circuit projection -> ()
            | _ ->
                Contradiction(
                    "balanced weights need excitatory and inhibitory units at the source",
                    "give the source a dale fraction between 0 and 1, or leave balanced out"
                )
    ]

    /// Every value that a start without draws gives its weights.
    let private fixedValues (projection: Projection) (signs: sbyte[] option) =
        match projection.Weights, signs with
        | (Constant weight | OneToOne weight), None -> [ weight ]
        | (Constant weight | OneToOne weight), Some signs -> [
            for sign in Array.distinct signs -> float sign * abs weight
          ]
        | _ -> []

    let private bounds circuit (projection: Projection) = [
        let signs = Wiring.signsOf circuit projection

        let has sign =
            signs |> Option.exists (Array.contains sign)

        match soundBounds projection with
        | Some _ when areSignsUnknown circuit projection -> ()
        | Some(low, high) ->
            if low > 0.0 && has -1y || high < 0.0 && has 1y then
                let kind = if low > 0.0 then "inhibitory" else "excitatory"

                Contradiction(
                    $"the bounds [{low}, {high}] leave no weight to the {kind} units of the source",
                    "let them include 0"
                )
            else
                match
                    fixedValues projection signs
                    |> List.tryFind (fun value -> value < low || value > high)
                with
                | Some value ->
                    NotAllowed("the weight", string value, $"in [{low}, {high}], its bounds")
                | None -> ()
        | None -> ()
    ]

    let private delay dt (projection: Projection) = [
        match projection.Delay, projection.Source, projection.Target with
        | None, _, _ -> ()
        | Some _, _, OfReadout _ ->
            Contradiction("a readout listens to rates of the same step", "leave the delay out")
        | Some _, (OfInput _ | OfChannels _ | OfBias), _ ->
            Contradiction(
                "inputs and biases arrive in the same step",
                "leave the delay out, and delay the task's inputs instead"
            )
        | Some duration, _, _ -> yield! TaskCompile.durationFaults "delay" dt duration
    ]

    let private opening dt (task: Task) (projection: Projection) = [
        match projection.Opening, projection.Target with
        | Always, _ -> ()
        | _, OfReadout _ ->
            Contradiction("a projection onto a readout has no gate", "leave the gate out")
        | Every duration, _ -> yield! TaskCompile.durationFaults "the gate's period" dt duration
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
        | _, (OfInput _ | OfChannels _ | OfBias) ->
            Contradiction(
                $"an arrow cannot end at {Wiring.endName projection.Target}",
                "let it end at an area, a population or a readout"
            )
        | _ -> ()
    ]

    let private boundsAndDecay (projection: Projection) = [
        match projection.Bounds with
        | Some(low, _) when low = infinity ->
            NotAllowed("the lower bound", string low, "less than infinity")
        | Some(_, high) when high = -infinity ->
            NotAllowed("the upper bound", string high, "more than -infinity")
        | Some(low, high) when not (low <= high) ->
            NotAllowed("the lower bound", string low, $"at most the upper bound, {high}")
        | _ -> ()

        yield! notNegative "decay" projection.Decay
    ]

    // Rules.

    /// Whether credit follows the arrows of the circuit, exactly or on average.
    let private followsArrows (rule: Rule) = not rule.Credit.IsLocal

    let private asksForError (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Modulator.Signal = FeedbackError
        | _ -> true

    let private errorReaches (circuit: Circuit) (rule: Rule) (target: Area) = [
        let told =
            circuit.Feedback |> List.exists (fun feedback -> feedback.Area = target.Name)

        let hasReadout =
            circuit.Projections
            |> List.exists (fun p ->
                p.Target.IsOfReadout && Wiring.areaOf p.Source = Some target.Name)

        match rule.Credit, rule.Error with
        | _ when not (asksForError rule) -> ()
        | Local _, DeclaredFeedback when not told -> NoErrorReaches(target.Name, rule.Name)
        | Local _, SymmetricPath when not hasReadout ->
            RuleCannot(
                rule.Name,
                $"tell {target.Name} an error, since no readout listens to it",
                "use rflo and declare a feedback, or freeze the projection"
            )
        | _, DeclaredFeedback when List.isEmpty circuit.Feedback ->
            NoErrorReaches(target.Name, rule.Name)
        | _ -> ()
    ]

    /// Exact credit follows the arrows from a target to the readouts; a winner-take-all area on the way stops it.
    let private throughCompetition (circuit: Circuit) (rule: Rule) target = [
        if followsArrows rule then
            let reached = Wiring.reachedFrom circuit target

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
    ]

    let private usesSlope (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Post.Signal = Slope || trace.Trace = OwnJacobian
        | _ -> true

    let private usesNoise (rule: Rule) =
        match rule.Credit with
        | Local trace -> trace.Post.Signal = Perturbation
        | _ -> false

    let private ontoArea (circuit: Circuit) (rule: Rule) (target: Area) = [
        match target.Dynamics with
        | WinnerTakeAll _ when usesSlope rule ->
            RuleCannot(
                rule.Name,
                "change weights onto a winner-take-all area, which has no slope",
                "use a rule of rates such as reward-hebb, or freeze the projection"
            )
        | _ ->
            yield! errorReaches circuit rule target
            yield! throughCompetition circuit rule target.Name

            if usesNoise rule && target.Noise = 0.0 then
                RuleCannot(
                    rule.Name,
                    $"learn from the noise of {target.Name}, which has none",
                    "give the area noise, such as |> noise 0.1"
                )
    ]

    let private moreThanZero field (given: float) = [
        if not (given > 0.0) || not (Double.IsFinite given) then
            NotAllowed(field, string given, "finite and more than 0")
    ]

    /// Where dt itself is no duration, any positive time will do: one mistake is enough.
    let private atLeastOneStep field (dt: float<ms>) (given: float<ms>) = [
        let isDuration = dt > 0.0<ms> && Double.IsFinite(float dt)
        let isLongEnough = given > 0.0<ms> && (not isDuration || given >= dt)

        if not isLongEnough || not (Double.IsFinite(float given)) then
            let allowed =
                if isDuration then
                    $"finite and at least one step, {float dt} ms"
                else
                    "finite and more than 0 ms"

            NotAllowed(field, $"{float given} ms", allowed)
    ]

    let private meanOf field dt (factor: Shaped<'Signal>) = [
        match factor.Mean with
        | Some(OverTime tau) -> yield! atLeastOneStep $"the running mean of the {field}" dt tau
        | Some(OverTrials trials) ->
            if not (trials >= 1.0) || not (Double.IsFinite trials) then
                NotAllowed(
                    $"the running mean of the {field}",
                    $"over {trials} trials",
                    "over at least 1"
                )
        | None -> ()
    ]

    /// What is wrong with the parts of a rule, whatever it is used for.
    let private parts (dt: float<ms>) (rule: Rule) = [
        match rule.Credit with
        | Local trace ->
            match trace.Trace with
            | TraceTau tau -> yield! atLeastOneStep "the time constant of the trace" dt tau
            | _ -> ()

            match trace.Pre.Signal with
            | LowPass tau -> yield! atLeastOneStep "the time constant of the low-pass" dt tau
            | Presynaptic -> ()

            yield! meanOf "post factor" dt trace.Post
            yield! meanOf "pre factor" dt trace.Pre
            yield! meanOf "modulator" dt trace.Modulator
        | _ -> ()

        match rule.Optimiser with
        | Plain -> ()
        | Momentum beta ->
            if not (beta >= 0.0 && beta < 1.0) then
                NotAllowed("the memory of momentum", string beta, "in [0, 1)")
        | Adam(beta1, beta2) ->
            for beta in [ beta1; beta2 ] do
                if not (beta >= 0.0 && beta < 1.0) then
                    NotAllowed("a memory of Adam", string beta, "in [0, 1)")

        match rule.Clip with
        | Some norm -> yield! moreThanZero "the norm at which updates are clipped" norm
        | None -> ()

        match rule.Rates with
        | HalvedEvery trials
        | FallingAfter trials ->
            yield! moreThanZero "the number of trials in which rates fall" trials
        | ConstantRates -> ()
    ]

    let private schedule (dt: float<ms>) (rule: Rule) = [
        match rule.Credit, rule.Update with
        | BackwardInTime, (Online | EverySteps _) ->
            RuleCannot(
                rule.Name,
                "update online, since it looks back over a whole trial",
                "use TrialEnd, or rtrl online"
            )
        | Local { Modulator = { Signal = TrialReward } }, (Online | EverySteps _) ->
            RuleCannot(
                rule.Name,
                "update online, since the reward of a trial is known at its end",
                "use TrialEnd, or the reward of the step"
            )
        | _, EveryTrials(k, _) -> yield! atLeastOne "the number of trials between updates" k
        | _, EverySteps k -> yield! atLeastOne "the number of steps between updates" k
        | _ -> ()

        yield! parts dt rule
    ]

    let private learns (experiment: Experiment) (projection: Projection) = [
        match Wiring.plasticity experiment projection with
        | None -> ()
        | Some(rate, rule) ->
            yield! notNegative "the learning rate" rate

            // The experiment's rule is checked once, with the experiment.
            if projection.Plasticity.IsLearningBy then
                yield! schedule experiment.Dt rule

            match projection.Target with
            | OfArea target
            | OfPopulation(target, _) ->
                match Wiring.findArea experiment.Circuit target with
                | Ok target -> yield! ontoArea experiment.Circuit rule target
                | Error _ -> ()
            | OfReadout readout -> yield! throughCompetition experiment.Circuit rule readout
            | _ -> ()
    ]

    let private faultsOf =
        function
        | Ok _ -> []
        | Error faults -> faults

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

        yield! ends projection
        yield! start projection read
        yield! connectivity projection

        match
            Wiring.resolve circuit projection.Source, Wiring.resolve circuit projection.Target
        with
        | Ok source, Ok target ->
            yield! startShape circuit projection source target read
            yield! maskShape projection target.Size source.Size
            yield! balance circuit projection
            yield! bounds circuit projection
        | source, target -> yield! List.distinct (faultsOf source @ faultsOf target)

        yield! delay dt projection
        yield! opening dt experiment.Task projection
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
            Contradiction("an earlier feedback has the same two ends", "leave one of them out")

        match
            Wiring.findReadout circuit feedback.Readout, Wiring.findArea circuit feedback.Area
        with
        | Ok readout, Ok area ->
            match feedback.Through with
            | RandomFeedback scale -> yield! notNegative "the scale of the feedback" scale
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
                    yield! allFinite "a weight of the feedback" matrix
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

        // Of parts that are wrong themselves, no sum is asked.
        let areSound sizes names =
            List.forall (fun size -> size > 0) sizes && List.distinct names = names

        let soundInputs =
            areSound (inputs |> List.map _.Channels) (inputs |> List.map _.Name)

        let soundReadouts =
            areSound (readouts |> List.map _.Outputs) (readouts |> List.map _.Name)

        if shown >= 0 && shown <> taken && soundInputs then
            let names = inputs |> List.map (fun input -> $"{input.Name} {input.Channels}")

            NotAllowed(
                "the number of input channels",
                string shown,
                $"{taken}, as the circuit's inputs ({list names})"
            )

        if asked >= 0 && asked <> given && soundReadouts then
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
            NotAllowed("the number of trials", string experiment.Trials, "at least 0")

        if not (Enum.IsDefined experiment.Precision) then
            NotAllowed("precision", string (int experiment.Precision), oneOf<Precision>())

        yield! schedule experiment.Dt experiment.Rule

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

    let private declared (experiment: Experiment) read = [
        let circuit = experiment.Circuit
        let dt = usableDt experiment
        yield! at InExperiment (ofExperiment experiment)
        yield! at InTask (TaskCompile.faults dt experiment.Seed experiment.Task)
        // A circuit without areas is no circuit yet; what the task should fit is not known.
        if not (List.isEmpty circuit.Areas) then
            yield! at InTask (taskSizes experiment)


        for earlier, a in circuit.Areas |> withEarlier (fun a -> a.Name) do
            yield! at (InArea a.Name) (area dt earlier a)
            yield! populations a

        for earlier, input in circuit.Inputs |> withEarlier (fun input -> input.Name) do
            yield!
                at (InInput input.Name) [
                    yield! name earlier input.Name
                    yield! atLeastOne "the number of channels" input.Channels
                ]

        let areaNames = circuit.Areas |> List.map (fun a -> a.Name)

        for earlier, readout in circuit.Readouts |> withEarlier (fun readout -> readout.Name) do
            yield!
                at (InReadout readout.Name) [
                    yield! name (areaNames @ earlier) readout.Name
                    yield! atLeastOne "the number of outputs" readout.Outputs

                    if not (Enum.IsDefined readout.Output) then
                        NotAllowed("output", string (int readout.Output), oneOf<Output>())

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
