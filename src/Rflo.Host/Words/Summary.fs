namespace Rflo.Host

open Rflo.Core
open Rflo.Dsl

/// A summary of a compiled experiment, which `--check` prints.
[<RequireQualifiedAccess>]
module internal Summary =

    /// Rows as columns of equal width, except the last column.
    let private columns (rows: string list list) =
        let widths =
            rows |> List.map (List.map String.length) |> List.reduce (List.map2 max)

        rows
        |> List.map (fun row ->
            List.map2 (fun width (cell: string) -> cell.PadRight width) widths row
            |> String.concat "   "
            |> fun line -> "  " + line.TrimEnd())

    let private learning (spec: ProjectionSpec) =
        match spec.Plasticity with
        | null -> "frozen"
        | plastic when plastic.LearningRate = 0.0 -> "rate 0"
        | plastic -> $"learns at rate {string plastic.LearningRate}"

    /// The settings of a projection that differ from the defaults.
    let private besides (projection: Projection) = [
        match projection.Plasticity with
        | LearningBy(_, rule) ->
            $"by {rule.Name}"
            yield! Describe.besides rule
        | Learning _
        | Frozen -> ()

        if projection.Balanced then
            "balanced"

        match projection.Delay with
        | Some delay -> $"delay {string (float delay)} ms"
        | None -> ()

        match projection.Opening with
        | Always -> ()
        | Every period -> $"open every {string (float period)} ms"
        | AtTrialEnd -> "open at the end of a trial"
        | AtEvent event -> $"open at {event}"

        match projection.Bounds with
        | Some(low, high) -> $"within [{string low}, {string high}]"
        | None -> ()

        for word, strength in projection.Decays do
            if strength > 0.0 then
                $"{word} {string strength}"
    ]

    let private blocks (circuit: Circuit) (compiled: Compiled) = [
        for k, spec in Seq.indexed compiled.Graph.Projections do
            let struct (post, pre) = compiled.Graph.ShapeOf(ProjectionId k)

            let layout =
                match spec.Synapses with
                | :? SparseSynapses -> "sparse"
                | _ -> "dense"

            [
                compiled.Projections[k]
                $"({post}, {pre})"
                $"{spec.Synapses.Count} connections"
                layout
                String.concat ", " (learning spec :: besides circuit.Projections[k])
            ]
    ]

    /// The settings of an area beside its units and its tau.
    let private more experiment (declared: Area) (spec: AreaSpec) = [
        match spec.TauPlasticity with
        | null -> ()
        | plastic -> $"learns tau at rate {string plastic.LearningRate}"

        match spec.InitialPlasticity with
        | null -> ()
        | plastic -> $"learns initial states at rate {string plastic.LearningRate}"

        match declared.Dale with
        | Some fraction -> $"{string (100.0 * fraction)} %% excitatory"
        | None -> ()

        if declared.Noise > 0.0 then
            $"noise {string declared.Noise}"

        match declared.Dynamics with
        | WinnerTakeAll explore when explore > 0.0 -> $"explores {string explore}"
        | _ -> ()

        yield! Describe.costs experiment declared

        match declared.Initial with
        | CarriedOver _ -> "carried over from trial to trial"
        | RandomStart _ -> "random at the start"
        | DrawnOnce _ -> "a start drawn once"
        | Reset _
        | ResetTo _ -> ()
    ]

    let private areas (experiment: Experiment) (compiled: Compiled) = [
        for declared, area in Seq.zip experiment.Circuit.Areas compiled.Graph.Areas ->
            [
                area.Name
                Counted.words area.Units "unit"
                match declared.Dynamics with
                | WinnerTakeAll _ -> "winner-take-all"
                | OfModel model -> string model
                | CurrentForm -> area.Transfer.ToString().ToLowerInvariant() + ", current form"
                | Leaky -> area.Transfer.ToString().ToLowerInvariant()
                let tau alpha = $"%g{float experiment.Dt / alpha} ms"

                match Array.max area.Alpha, Array.min area.Alpha with
                | fast, slow when fast = slow -> $"tau {tau fast}"
                | fast, slow -> $"tau {tau fast} to {tau slow}"

                String.concat ", " (more experiment declared area)
            ]
    ]

    let private memory compiled isSideBySide =
        let plan = PlanText.ofCompiled compiled
        let lanes = if isSideBySide then plan.BytesOfLanes else 0L

        let parts =
            [
                "weights", plan.BytesOf BufferPurpose.Weights
                "activity", plan.BytesOf BufferPurpose.Activity
                "traces", plan.BytesOf BufferPurpose.Traces
                "influence", plan.BytesOf BufferPurpose.Influence
                "trials side by side", lanes
            ]
            |> List.filter (fun (_, bytes) -> bytes > 0L)
            |> List.map (fun (name, bytes) -> $"{name} {string (Problem.bytes (float bytes))}")
            |> String.concat ", "

        $"{Problem.bytes (float (plan.Bytes - plan.BytesOfLanes + lanes))} ({parts})"

    /// Whether trials run side by side, for updates of several trials.
    let private sideBySide (compiled: Compiled) obstacle =
        let lanes = compiled.Lanes

        let ofSeveral =
            compiled.Graph.Projections
            |> Seq.exists (fun spec ->
                match spec.Plasticity with
                | null -> false
                | plasticity -> not plasticity.Schedule.IsStepwise && plasticity.Schedule.Every > 1)

        match obstacle with
        | _ when lanes.AreSeveral ->
            let combined = if lanes.Mean then "mean" else "sum"

            [
                $"trials      {lanes.Count} lanes side by side share every update, the {combined} of their increments"
            ]
        | _ when not ofSeveral -> []
        | None -> [
            "trials      of one update run side by side where that pays; no number depends on it"
          ]
        | Some reason -> [
            $"trials      of one update run one after the other: {reason}"
          ]

    /// Lines with areas, blocks and their shapes, connections, learning, parameters and memory.
    let lines (ready: CheckedExperiment) =
        let experiment = ready.Experiment
        let compiled = Compile.experiment ready

        let obstacle =
            Rflo.Core.SideBySide.Obstacle(compiled.Graph, compiled.Task) |> Option.ofObj

        let learned =
            compiled.Graph.Projections
            |> Seq.filter (fun spec -> not (isNull spec.Plasticity))
            |> Seq.sumBy (fun spec -> int64 spec.Synapses.Count)

        let rule =
            [
                experiment.Rule.Name
                $"weights change {Describe.update experiment.Rule}"
                Describe.scope experiment.Rule.Learns
                yield! Describe.besides experiment.Rule
                Counted.words experiment.Trials "trial"
                $"seed {string experiment.Seed}"
            ]
            |> List.filter (fun part -> part <> "")
            |> String.concat ", "

        [
            $"{experiment.Name}: no problems"
            "areas"
            yield! columns (areas experiment compiled)
            "blocks, shape (post, pre)"
            yield! columns (blocks experiment.Circuit compiled)

            if not compiled.Feedback.IsEmpty then
                "feedback"

                for readout, area in compiled.Feedback do
                    $"  {readout}->{area}"

            $"""task        {experiment.Task.Name}, at most {Counted.words compiled.Task.MaxSteps "step"} of {string (float experiment.Dt)} ms, {Counted.words compiled.Task.Inputs "input"}, {Counted.words compiled.Task.Outputs "output"}"""
            $"learning    {rule}"

            for one in experiment.Perturbations do
                $"perturbed   {Perturbation.words one}"

            yield! sideBySide compiled obstacle
            $"parameters  {compiled.Graph.Weights}, of which {learned} learn"
            $"memory      {memory compiled (experiment.Lanes.AreSeveral || Option.isNone obstacle)}"
        ]
