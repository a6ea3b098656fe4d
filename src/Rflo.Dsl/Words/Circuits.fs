namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// Which weights of a run another circuit takes (`Circuit.transfer`).
[<RequireQualifiedAccess>]
type Transferred = {
    /// The weights with which the circuit begins.
    Taken: string list
    /// The weights that have another shape than in the circuit: the name, their shape, and that in the circuit.
    OtherShapes: (string * (int * int) * (int * int)) list
    /// The weights for which the circuit has no projection, or no area.
    WithoutPlace: string list
    /// The projections of the circuit with initial weights as declared.
    AsDeclared: string list
} with

    override this.ToString() =
        let names what (names: string list) = [
            if not (List.isEmpty names) then
                let list = String.concat ", " names
                $"{what}: {list}"
        ]

        String.concat
            "\n"
            (names "taken" this.Taken
             @ names "of another shape" [
                 for name, (rows, columns), (post, pre) in this.OtherShapes ->
                     $"{name} is ({rows}, {columns}) there and ({post}, {pre}) here"
             ]
             @ names "without a place" this.WithoutPlace
             @ names "as declared" this.AsDeclared)

/// Circuits as values: merge, rename, change, describe.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Circuit =

    /// The circuit with nothing in it: `Circuit.merge Circuit.empty c = c`.
    let empty: Circuit = Circuit.Empty

    /// `Circuit.merge a b` has the parts of both, those of a first; parts that are alike, name and all, are one. It is associative, and since every random draw is
    /// keyed by the name of its part, it changes no number of either.
    let merge (first: Circuit) (second: Circuit) : Circuit = {
        Areas = Parts.union first.Areas second.Areas
        Inputs = Parts.union first.Inputs second.Inputs
        Readouts = Parts.union first.Readouts second.Readouts
        Projections = first.Projections @ second.Projections
        Feedback = first.Feedback @ second.Feedback
        Unmatched = first.Unmatched @ second.Unmatched
    }

    /// `Circuit.concat [ a; b; c ]` merges them in that order.
    let concat (circuits: Circuit list) = List.fold merge empty circuits

    let private renameEnd rename =
        function
        | OfArea area -> OfArea(rename area)
        | OfPopulation(area, population) -> OfPopulation(rename area, population)
        | OfInput input -> OfInput(rename input)
        | OfChannels(input, channels) -> OfChannels(rename input, channels)
        | OfReadout readout -> OfReadout(rename readout)
        | OfBias -> OfBias

    /// Renames the parts that a rule names: its modulator and its teacher.
    let private renameModulator rename (rule: Rule) =
        match rule.Credit with
        | Local trace ->
            let signal =
                match trace.Modulator.Signal with
                | ReadoutValue readout -> ReadoutValue(rename readout)
                | TemporalDifference(readout, gamma) -> TemporalDifference(rename readout, gamma)
                | UnitRate(area, unit, delay) -> UnitRate(rename area, unit, delay)
                | AreaRates(area, weights, delay) -> AreaRates(rename area, weights, delay)
                | other -> other

            {
                rule with
                    Credit =
                        Local {
                            trace with
                                Modulator = { trace.Modulator with Signal = signal }
                        }
            }
        | TowardCurrents(teacher, alpha, forgetting, every) -> {
            rule with
                Credit = TowardCurrents(rename teacher, alpha, forgetting, every)
          }
        | _ -> rule

    /// `Circuit.rename (fun name -> if name = "m1" then "motor" else name) c` is c with other names of its areas, inputs, readouts and
    /// named projections. Rules of projections refer to the same parts as before. New names draw new random numbers.
    let rename (ofPart: string -> string) (circuit: Circuit) : Circuit = {
        circuit with
            Areas = circuit.Areas |> List.map (fun area -> { area with Name = ofPart area.Name })
            Inputs =
                circuit.Inputs
                |> List.map (fun input -> { input with Name = ofPart input.Name })
            Readouts =
                circuit.Readouts
                |> List.map (fun readout -> {
                    readout with
                        Name = ofPart readout.Name
                })
            Projections =
                circuit.Projections
                |> List.map (fun projection -> {
                    projection with
                        Label = projection.Label |> Option.map ofPart
                        Source = renameEnd ofPart projection.Source
                        Target = renameEnd ofPart projection.Target
                        Plasticity =
                            match projection.Plasticity with
                            | LearningBy(rate, rule) ->
                                LearningBy(rate, renameModulator ofPart rule)
                            | other -> other
                })
            Feedback =
                circuit.Feedback
                |> List.map (fun feedback -> {
                    feedback with
                        Readout = ofPart feedback.Readout
                        Area = ofPart feedback.Area
                })
    }

    /// `Circuit.prefix "left" c` is c with every area, input, readout and named projection called "left.…", so that two
    /// copies of a module stand side by side, as `rename` renames them.
    let prefix (word: string) (circuit: Circuit) : Circuit =
        rename (fun name -> $"{word}.{name}") circuit

    /// The fault of a part that a word did not find, for the check.
    let private missing word (known: string list) : Lost list =
        let known =
            match known with
            | [] -> "it has none"
            | names -> "it has " + String.concat ", " names

        [
            {
                What = $"{word} finds none of that name in the circuit ({known})"
                Instead = "use one of its names, or declare the part"
            }
        ]

    /// `c |> Circuit.area "left.cortex"` is that area of c, to draw arrows from and to; where there is none, the check reports it.
    let area name (circuit: Circuit) : Area =
        circuit.Areas
        |> List.tryFind (fun area -> area.Name = name)
        |> Option.defaultWith (fun () -> {
            Area.area name 1 with
                Lost = circuit.Areas |> List.map _.Name |> missing "Circuit.area"
        })

    /// `c |> Circuit.input "cue"` is that input of c; where there is none, the check reports it.
    let input name (circuit: Circuit) : Input =
        circuit.Inputs
        |> List.tryFind (fun input -> input.Name = name)
        |> Option.defaultWith (fun () -> {
            Input.input name 1 with
                Lost = circuit.Inputs |> List.map _.Name |> missing "Circuit.input"
        })

    /// `c |> Circuit.readout "hand"` is that readout of c; where there is none, the check reports it.
    let readout name (circuit: Circuit) : Readout =
        circuit.Readouts
        |> List.tryFind (fun readout -> readout.Name = name)
        |> Option.defaultWith (fun () -> {
            Readout.readout name 1 with
                Lost = circuit.Readouts |> List.map _.Name |> missing "Circuit.readout"
        })

    /// Records that a word found no part of a name; the check reports it.
    let private without unmatched (circuit: Circuit) : Circuit = {
        circuit with
            Unmatched = circuit.Unmatched @ [ unmatched ]
    }

    /// Changes the part of a name in a list of parts; where there is none, the name is recorded for the check.
    let private mapNamed nameOf (parts: 'part list) replace unmatched word name change circuit =
        let names = parts |> List.map nameOf

        if List.contains name names then
            circuit
            |> replace [
                for part in parts -> if nameOf part = name then change part else part
            ]
        else
            circuit |> without (unmatched (word, name, names))

    /// `c |> Circuit.mapArea "m1" (tau 20.0<ms>)` changes that area and nothing else. Where c has none of that name, the check
    /// reports it.
    let mapArea name change (circuit: Circuit) : Circuit =
        circuit
        |> mapNamed
            (fun (area: Area) -> area.Name)
            circuit.Areas
            (fun areas circuit -> { circuit with Areas = areas })
            NoSuchArea
            "Circuit.mapArea"
            name
            change

    /// `c |> Circuit.mapInput "cue" (fun cue -> { cue with Channels = 4 })` changes that input and nothing else. Where c has none of that
    /// name, the check reports it.
    let mapInput name change (circuit: Circuit) : Circuit =
        circuit
        |> mapNamed
            (fun (input: Input) -> input.Name)
            circuit.Inputs
            (fun inputs circuit -> { circuit with Inputs = inputs })
            NoSuchInput
            "Circuit.mapInput"
            name
            change

    /// `c |> Circuit.mapReadout "hand" (loss (Loss.huber 0.5))` changes that readout and nothing else. Where c has none of that name,
    /// the check reports it.
    let mapReadout name change (circuit: Circuit) : Circuit =
        circuit
        |> mapNamed
            (fun (readout: Readout) -> readout.Name)
            circuit.Readouts
            (fun readouts circuit -> { circuit with Readouts = readouts })
            NoSuchReadout
            "Circuit.mapReadout"
            name
            change

    /// `c |> Circuit.mapProjection "m1->m1" frozen` changes the projection of that name (its own, or its two ends). Where c has
    /// none of that name, the check reports it.
    let mapProjection name change (circuit: Circuit) : Circuit =
        circuit
        |> mapNamed
            Wiring.label
            circuit.Projections
            (fun projections circuit -> {
                circuit with
                    Projections = projections
            })
            NoSuchProjection
            "Circuit.mapProjection"
            name
            change

    /// The initial weights of a projection from a matrix: with the stored entries of a sparse matrix as connections, zeros included;
    /// of a full matrix, with the connections that the projection declares.
    let private startFrom (matrix: Matrix<float>) (projection: Projection) =
        let rows, columns = matrix.RowCount, matrix.ColumnCount

        let isCompressed =
            match projection.Weights, projection.Connectivity with
            | GivenSparse _, _
            | OneToOne _, _
            | _, Density _ -> Wiring.isSparse projection rows columns
            // A sparse matrix for a projection declared without mask or density cannot come from a run of it, so its storage is
            // chosen by density.
            | _, Dense when projection.SelfConnections ->
                SparseWeights.count matrix <= Wiring.sparseBelow * float rows * float columns
            | _ -> false

        let ofConnections exists = {
            projection with
                Weights = GivenSparse(SparseWeights.ofMatrix isCompressed exists matrix)
                Connectivity =
                    match projection.Connectivity with
                    | Density _ -> Dense
                    | other -> other
                Balanced = false
        }

        match projection.Weights, projection.Connectivity with
        | _ when SparseWeights.isStored matrix -> ofConnections (fun _ _ _ -> true)
        | OneToOne _, _ -> ofConnections (fun i j weight -> i = j || weight <> 0.0)
        | GivenSparse weights, _ ->
            ofConnections (fun i j weight ->
                weight <> 0.0 || Option.isSome (SparseWeights.tryItem i j weights))
        | _, Density fraction when fraction < 1.0 -> ofConnections (fun _ _ weight -> weight <> 0.0)
        | _, declared -> {
            projection with
                Weights = Given(matrix.ToArray())
                Connectivity = if declared.IsDensity then Dense else declared
                Balanced = false
          }

    /// A circuit with weights, as a word that names it in problems: of a name that the circuit does not have.
    let internal withWeightsBy
        word
        (weights: Map<string, Matrix<float>>)
        (circuit: Circuit)
        : Circuit =
        let start (projection: Projection) =
            match Map.tryFind (Wiring.label projection) weights with
            | None -> projection
            | Some matrix -> startFrom matrix projection

        let ofTau (area: Area) =
            match Map.tryFind (Wiring.tauName area.Name) weights with
            | None -> area
            | Some taus -> {
                area with
                    Tau = TauOfUnit [| for tau in taus.Enumerate() -> tau * 1.0<ms> |]
              }

        let ofStart (area: Area) =
            match Map.tryFind (Wiring.startName area.Name) weights with
            | None -> area
            | Some states -> {
                area with
                    Initial = ResetTo [| for state in states.Enumerate() -> state |]
              }

        let areas = circuit.Areas |> List.map _.Name
        let projections = circuit.Projections |> List.map Wiring.label

        /// The area whose time constants or initial states these are.
        let areaOf (name: string) =
            [ Wiring.tauName ""; Wiring.startName "" ]
            |> List.tryFind (fun prefix -> name.StartsWith(prefix, System.StringComparison.Ordinal))
            |> Option.map (fun prefix -> name.Substring prefix.Length)

        let unmatched = [
            for name in Map.keys weights do
                match areaOf name with
                | Some area ->
                    if not (List.contains area areas) then
                        NoSuchArea(word, area, areas)
                | None when not (List.contains name projections) ->
                    NoSuchProjection(word, name, projections)
                | None -> ()
        ]

        {
            circuit with
                Areas = circuit.Areas |> List.map (ofTau >> ofStart)
                Projections = circuit.Projections |> List.map start
                Unmatched = circuit.Unmatched @ unmatched
        }

    /// `c |> Circuit.withWeights trained.Final` is c with the weights after that run, by the names of projections, and its learned time
    /// constants and initial states, by those of areas ("tau cortex", "start cortex"). Parts without weights there stay as
    /// declared; the check reports a name that c does not have. Connections that did not exist there (of a density, one to one)
    /// do not exist here either; those of weight 0 do. Of a matrix of your own that is stored in full, a density takes the
    /// connections that are not 0.
    let withWeights weights circuit =
        withWeightsBy "Circuit.withWeights" weights circuit

    /// `Circuit.transfer weights c` is c with those of the weights that fit it by name and shape, and a list of those that it takes and
    /// of those that it does not. Where all must fit, use `Circuit.withWeights`.
    let transfer (weights: Map<string, Matrix<float>>) (circuit: Circuit) : Circuit * Transferred =
        let needed = [
            for projection in circuit.Projections do
                match
                    Wiring.resolve circuit projection.Target,
                    Wiring.resolve circuit projection.Source
                with
                | Ok target, Ok source -> Wiring.label projection, (target.Size, source.Size)
                | _ -> ()
        ]

        // Time constants and initial states fit an area by its name.
        let ofUnits = [
            for area in circuit.Areas do
                Wiring.tauName area.Name, (area.Units, 1)
                Wiring.startName area.Name, (area.Units, 1)
        ]

        let places = Map.ofList (needed @ ofUnits)

        let shapeOf (matrix: Matrix<float>) = matrix.RowCount, matrix.ColumnCount

        let fits name matrix =
            Map.tryFind name places = Some(shapeOf matrix)

        let taken = weights |> Map.filter fits

        withWeights taken circuit,
        {
            Taken = List.ofSeq taken.Keys
            OtherShapes = [
                for KeyValue(name, matrix) in weights do
                    match Map.tryFind name places with
                    | Some place when place <> shapeOf matrix -> name, shapeOf matrix, place
                    | _ -> ()
            ]
            WithoutPlace = [
                for name in weights.Keys do
                    if not (places.ContainsKey name) then
                        name
            ]
            AsDeclared = [
                for name, _ in needed do
                    if not (taken.ContainsKey name) then
                        name
            ]
        }

    /// `c |> Circuit.freeze` is c in which nothing learns: no weight, no time constant, no initial state.
    let freeze (circuit: Circuit) : Circuit = {
        circuit with
            Areas =
                circuit.Areas
                |> List.map (fun area -> {
                    area with
                        TauRate = None
                        InitialRate = None
                })
            Projections = circuit.Projections |> List.map frozen
    }

    /// The name of each projection, in order: its own, or its two ends.
    let projectionNames (circuit: Circuit) =
        circuit.Projections |> List.map Wiring.label

    /// `Circuit.signs c p` is how many of p's presynaptic units Dale's law makes excitatory and how many inhibitory; `None`
    /// where Dale's law does not apply, as for a projection to a readout.
    let signs (circuit: Circuit) (projection: Projection) =
        Wiring.signsOf circuit projection
        |> Option.map (fun signs ->
            let excitatory = signs |> Array.filter (fun sign -> sign > 0y) |> Array.length
            excitatory, signs.Length - excitatory)

    // Description.

    let private number (value: float) = $"%g{value}"

    let private areaText (area: Area) =
        let tau =
            match area.Tau with
            | OneStep -> "tau one step"
            | SameTau tau -> $"tau {number (float tau)} ms"
            | TauOfUnit taus when taus.Length > 0 ->
                $"tau {number (float (Array.min taus))} to {number (float (Array.max taus))} ms"
            | TauOfUnit _ -> "no tau"

        let kind =
            match area.Dynamics with
            | Leaky -> $"%O{area.Transfer}".ToLowerInvariant()
            | CurrentForm -> $"%O{area.Transfer}".ToLowerInvariant() + ", current form"
            | OfModel model -> string model
            | WinnerTakeAll 0.0 -> "winner-take-all"
            | WinnerTakeAll explore -> $"winner-take-all, explores {number explore}"

        String.concat ", " [
            $"""area {area.Name}: {Counted.words area.Units "unit"}"""
            kind
            tau

            match area.Dale with
            | Some fraction -> $"{number (100.0 * fraction)} %% excitatory"
            | None -> ()

            match area.TauRate with
            | Some rate -> $"learns tau at {number rate}"
            | None -> ()

            match area.InitialRate with
            | Some rate -> $"learns initial states at {number rate}"
            | None -> ()

            if area.RecordsStates then
                "records its states"

            if area.Noise > 0.0 then
                $"noise {number area.Noise}"

            for penalty in area.Penalties do
                let whose = if penalty.OfTrialMean then "mean rates" else "rates"
                let kind = (string penalty.Kind).ToLowerInvariant()
                $"{whose} cost {number penalty.Strength} ({kind}, from {number penalty.Target})"

            for name, units in area.Populations do
                $"population {name} of {units.Length}"
        ]

    let private weightsText =
        function
        | Gaussian gain -> $"gaussian, gain {number gain}"
        | SpectralRadius radius -> $"gaussian, spectral radius {number radius}"
        | Uniform(low, high) -> $"uniform in [{number low}, {number high}]"
        | UniformScaled bound -> $"uniform in [-{number bound}, {number bound}] / sqrt n"
        | Constant weight -> $"all {number weight}"
        | OneToOne weight -> $"one-to-one, {number weight}"
        | Given _ -> "given"
        | GivenSparse weights -> $"given, {weights.Values.Length} connections"
        | ReadFrom(source, _) -> $"from {source}"

    let private projectionText (projection: Projection) =
        let arrow =
            $"{Wiring.endName projection.Source} --> {Wiring.endName projection.Target}"

        String.concat ", " [
            match projection.Label with
            | Some label -> $"{arrow} ({label}): {weightsText projection.Weights}"
            | None -> $"{arrow}: {weightsText projection.Weights}"

            match projection.Connectivity with
            | Dense -> ()
            | Density fraction -> $"density {number fraction}"
            | Mask _ -> "masked"

            if projection.Balanced then
                "balanced"

            if not projection.SelfConnections then
                "no self-connections"

            match projection.Delay with
            | Some delay -> $"delay {number (float delay)} ms"
            | None -> ()

            match projection.Opening with
            | Always -> ()
            | Every period -> $"open every {number (float period)} ms"
            | AtTrialEnd -> "open at the end of a trial"
            | AtEvent event -> $"open at {event}"

            match projection.Bounds with
            | Some(low, high) -> $"within [{number low}, {number high}]"
            | None -> ()

            match projection.Plasticity with
            | Frozen -> "frozen"
            | Learning rate -> $"learning rate {number rate}"
            | LearningBy(rate, rule) -> $"learning rate {number rate} by {rule.Name}"

            for word, strength in projection.Decays do
                if strength > 0.0 then
                    $"{word} {number strength}"
        ]

    let private feedbackText (feedback: Feedback) =
        let through =
            match feedback.Through with
            | RandomFeedback scale -> $"fixed random weights of scale {number scale}"
            | SymmetricFeedback -> "the transpose of the readout weights"
            | GivenFeedback _ -> "given weights"

        $"error of {feedback.Readout} --> {feedback.Area}: through {through}"

    /// The circuit in words, a line for each part, in the order of declaration.
    let describe (circuit: Circuit) : string list = [
        for area in circuit.Areas do
            areaText area

        for input in circuit.Inputs do
            $"""input {input.Name}: {Counted.words input.Channels "channel"}"""

        for readout in circuit.Readouts do
            $"""readout {readout.Name}: {Counted.words readout.Outputs "output"}, """
            + $"%O{readout.Output}".ToLowerInvariant()
            + (readout.Loss |> Option.map (fun loss -> $", {loss}") |> Option.defaultValue "")

        for projection in circuit.Projections do
            projectionText projection

        for feedback in circuit.Feedback do
            feedbackText feedback
    ]
