/// Mistakes in a projection that is otherwise sound.
module Rflo.Dsl.Tests.SpoiledProjections

open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Circuits
open Rflo.Dsl.Tests.Planting

/// The projections between ends that earlier mistakes have left as they were.
let private soundProjections (e: Experiment) =
    List.indexed e.Circuit.Projections
    |> List.filter (fun (_, p) -> sizeOf e.Circuit p.Source > 0 && sizeOf e.Circuit p.Target > 0)

/// Mistakes in an existing projection that is otherwise plain.
let private projections name needs ways =
    kind name (fun e -> [
        for index, p in soundProjections e do
            for (changed: Projection), fault in ways e (plain p) do
                setProjection index changed e
                |> inProjection index (always fault) [ $"projection {index}" ] [
                    yield! needs
                    endSize e.Circuit p.Source
                    endSize e.Circuit p.Target
                ]
    ])

let private single fault changed = [ changed, fault ]

let private sizes (e: Experiment) (p: Projection) =
    sizeOf e.Circuit p.Target, sizeOf e.Circuit p.Source

let private entry00 (post, pre) value =
    Array2D.init post pre (fun i j -> if i + j = 0 then value else 0.0)

let private firstSign (e: Experiment) p =
    signsOf e.Circuit p |> Option.bind List.tryHead

let private needsBothKinds =
    Contradiction(
        "balanced weights need excitatory and inhibitory units at the source",
        "give the source a dale fraction between 0 and 1, or leave balanced out"
    )

let private isOntoReadout (p: Projection) = p.Target.IsOfReadout

/// Least squares keep to no bounds, which would be a second mistake.
let private mayBeBounded (e: Experiment) (p: Projection) =
    match p.Plasticity with
    | LearningBy(_, rule) when isOntoReadout p -> rule.Readout = DeltaRule
    | Learning _ when isOntoReadout p -> e.Rule.Readout = DeltaRule
    | _ -> true

let private isRecalled (p: Projection) =
    match p.Source with
    | OfInput _
    | OfChannels _
    | OfBias -> false
    | _ -> not (isOntoReadout p)

let all = [
    projections "density outside 0 to 1" [] (fun _ p -> [
        for given in [ 0.0; -0.5; 1.4; nan ] do
            p |> density given, NotAllowed("density", string given, "in (0, 1]")
    ])
    projections "gain below 0" [] (fun _ p -> [
        for given in [ -1.5; nan; infinity ] do
            p |> weights (gaussian given),
            NotAllowed("the gain", string given, "finite and at least 0")
    ])
    projections "uniform weights from high to low" [] (fun _ p ->
        p
        |> weights (uniform 1.0 -1.0)
        |> single (
            NotAllowed("the lower end of the uniform weights", "1", "at most the upper end, -1")
        ))
    projections "uniform weights without end" [] (fun _ p ->
        p
        |> weights (uniform -infinity 1.0)
        |> single (NotAllowed("the lower end of the uniform weights", "-Infinity", "finite")))
    projections "bound of uniform weights below 0" [] (fun _ p ->
        p
        |> weights (uniformScaled -2.0)
        |> single (NotAllowed("the bound of the uniform weights", "-2", "finite and at least 0")))
    projections "constant weight that is no number" [] (fun _ p ->
        p
        |> weights (constant nan)
        |> single (NotAllowed("the weight", "NaN", "finite")))
    projections "given weights of another shape" [] (fun e p ->
        let post, pre = sizes e p

        p
        |> weights (ofMatrix (Array2D.zeroCreate (post + 1) pre))
        |> single (
            WrongShape("the weights", $"({post + 1}, {pre})", $"({post}, {pre}), (post, pre)")
        ))
    projections "given weight that is no number" [] (fun e p ->
        p
        |> weights (ofMatrix (entry00 (sizes e p) nan))
        |> single (NotAllowed("a weight", "NaN", "finite")))
    projections "given weight against Dale's law" [] (fun e p -> [
        match firstSign e p with
        | Some sign ->
            let kind, allowed =
                if sign > 0 then
                    "excitatory", "at least 0"
                else
                    "inhibitory", "at most 0"

            p |> weights (ofMatrix (entry00 (sizes e p) (-0.5 * float sign))),
            NotAllowed(
                "the weight of row 0, column 0",
                string (-0.5 * float sign),
                $"{allowed}, since Dale's law makes its presynaptic unit {kind}"
            )
        | None -> ()
    ])
    projections "given weight outside the bounds" [] (fun e p ->
        let weight = 5.0 * float (firstSign e p |> Option.defaultValue 1)

        p
        |> weights (ofMatrix (entry00 (sizes e p) weight))
        |> bounds -1.0 2.0
        |> single (
            NotAllowed("the weight of row 0, column 0", string weight, "in [-1, 2], its bounds")
        )
        |> List.filter (fun _ -> mayBeBounded e p))
    projections "constant weight outside the bounds" [] (fun e p ->
        let weight = 3.0 * float (firstSign e p |> Option.defaultValue 1)

        p
        |> weights (constant 3.0)
        |> bounds -1.0 2.0
        |> single (NotAllowed("the weight", string weight, "in [-1, 2], its bounds"))
        |> List.filter (fun _ -> mayBeBounded e p))
    projections "bounds that leave a Dale unit no weight" [] (fun e p -> [
        match signsOf e.Circuit p with
        | Some signs when List.contains -1 signs ->
            p |> bounds 0.1 1.0,
            Contradiction(
                "the bounds [0.1, 1] leave no weight to the inhibitory units of the source",
                "let them include 0"
            )
        | Some _ ->
            p |> bounds -1.0 -0.1,
            Contradiction(
                "the bounds [-1, -0.1] leave no weight to the excitatory units of the source",
                "let them include 0"
            )
        | None -> ()
    ])
    projections "bounds from high to low" [] (fun _ p -> [
        p |> bounds 2.0 1.0, NotAllowed("the lower bound", "2", "at most the upper bound, 1")
        p |> bounds nan 1.0, NotAllowed("the lower bound", "NaN", "at most the upper bound, 1")
    ])
    projections "bounds at infinity" [] (fun _ p -> [
        p |> bounds infinity infinity,
        NotAllowed("the lower bound", "Infinity", "less than infinity")
        p |> bounds -infinity -infinity,
        NotAllowed("the upper bound", "-Infinity", "more than -infinity")
    ])
    projections "decay below 0" [ "learning" ] (fun _ p -> [
        for wrong in [ -1e-4; nan ] do
            p |> decay wrong, NotAllowed("decay", string wrong, "finite and at least 0")
    ])
    projections "mask of another shape" [] (fun e p ->
        let post, pre = sizes e p

        p
        |> mask (Array2D.create post (pre + 1) true)
        |> single (WrongShape("the mask", $"({post}, {pre + 1})", $"({post}, {pre}), (post, pre)")))
    projections "one-to-one between unequal ends" [] (fun e p -> [
        let post, pre = sizes e p

        if post <> pre then
            p |> weights (oneToOne 1.0),
            Contradiction(
                $"it is one-to-one between {pre} and {post} units",
                "make both ends the same size"
            )
    ])
    projections "one-to-one with a density" [] (fun e p -> [
        let post, pre = sizes e p

        if post = pre then
            p |> weights (oneToOne 1.0) |> density 0.5,
            Contradiction("it is one-to-one and has a density or a mask", "leave one of them out")
    ])
    projections "balanced weights that are not drawn" [] (fun e p -> [
        if isBalanceable (signsOf e.Circuit p) then
            p |> weights (constant 0.5) |> balanced,
            Contradiction(
                "balanced weights must be drawn",
                "use gaussian, spectralRadius, uniform or uniformScaled, or leave balanced out; Circuit.withWeights takes the weights of a run unchanged"
            )
    ])
    projections "balanced weights of one sign" [] (fun e p -> [
        if isOntoReadout p then
            p |> balanced,
            Contradiction(
                "balanced weights have signs, and those of a readout have none",
                "leave balanced out"
            )
        elif not (isBalanceable (signsOf e.Circuit p)) then
            p |> balanced, needsBothKinds
    ])
    projections "balanced weights with bounds" [] (fun e p -> [
        if isBalanceable (signsOf e.Circuit p) then
            p |> balanced |> bounds -1.0 1.0,
            Contradiction(
                "bounds at the start would unbalance balanced weights",
                "leave one of the two out"
            )
    ])
    projections "balanced weights of which a row has one sign" [] (fun e p -> [
        match signsOf e.Circuit p with
        | Some signs when isBalanceable (Some signs) ->
            let post, pre = sizes e p
            let first = List.head signs

            // Row 0 has connections of the first unit's sign only.
            p
            |> balanced
            |> mask (Array2D.init post pre (fun i j -> i > 0 || signs[j] = first)),
            Contradiction(
                "row 0 has connections of one sign only, which cannot be balanced",
                "give it connections of both signs, or leave balanced out"
            )
        | _ -> ()
    ])
    projections "density of weights that are given" [] (fun e p ->
        let post, pre = sizes e p

        let fault =
            Contradiction(
                "its weights are given and it has a density, which would draw connections among them",
                "leave the density out; a mask, or a sparse matrix, says which connections exist"
            )

        let zeros = Array2D.zeroCreate post pre

        [
            for weights in
                [
                    ofMatrix zeros
                    ReadFrom("memory", (fun () -> Ok(WeightMatrix.Full zeros)))
                ] do
                p |> Projection.weights weights |> density 0.5, fault
                p |> density 0.5 |> Projection.weights weights, fault
        ])
    projections "density and mask" [] (fun e p ->
        let post, pre = sizes e p
        let every = Array2D.create post pre true

        let fault =
            Contradiction(
                "it has a density and a mask, and each of them sets which connections exist",
                "leave one of them out, or draw the connections of the mask more sparsely"
            )

        [
            p |> density 0.5 |> mask every, fault
            p |> mask every |> density 0.5, fault
        ])
    projections "no self-connections between different parts" [] (fun _ p -> [
        if areaOf p.Source <> areaOf p.Target || Option.isNone (areaOf p.Source) then
            p |> noSelf,
            Contradiction(
                "it leaves out the connections of units to themselves, and does not run from an area to itself",
                "leave noSelf out"
            )
    ])
    projections "one-to-one without self-connections" [] (fun _ p -> [
        if p.Source = p.Target then
            p |> weights (oneToOne 0.5) |> noSelf,
            Contradiction(
                "it is one-to-one and leaves out the connections of units to themselves, so no connection is left",
                "leave noSelf out"
            )
    ])
    kind "decay of what is frozen" (fun e -> [
        for index, p in soundProjections e do
            if not (isPlastic p) then
                setProjection index (plain p |> decay 0.01) e
                |> inProjection
                    index
                    (always (
                        Contradiction(
                            "it decays with every update and is frozen, so it has no update",
                            "let it learn, such as |> learningRate 0.03, or leave decay out"
                        )
                    )) [ $"projection {index}" ] [ "learning" ]
    ])
    kind "penalty on weights that are frozen" (fun e -> [
        for index, p in soundProjections e do
            if not (isPlastic p) then
                for word, spoiled in [ "l1", plain p |> l1 0.01; "l2", plain p |> l2 0.01 ] do
                    setProjection index spoiled e
                    |> inProjection
                        index
                        (always (
                            Contradiction(
                                "it has a penalty on its weights and is frozen, so it has no update",
                                $"let it learn, such as |> learningRate 0.03, or leave {word} out"
                            )
                        )) [ $"projection {index}" ] [ "learning" ]
    ])
    projections "delay that is none" [ "dt" ] (fun e p -> [
        if isRecalled p then
            for given in [ 0.0<ms>; -1.0<ms>; e.Dt / 2.0; nan * 1.0<ms> ] do
                p |> delay given,
                NotAllowed(
                    "delay",
                    $"{float given} ms",
                    $"finite and at least one step, {float e.Dt} ms"
                )
    ])
    projections "delay of half a step too much" [ "dt" ] (fun e p -> [
        if isRecalled p then
            p |> delay (halfSteps e), NotWholeSteps("delay", halfSteps e, e.Dt)
    ])
    projections "delayed input" [] (fun e p -> [
        if not (isRecalled p) && not (isOntoReadout p) then
            p |> delay e.Dt,
            Contradiction(
                "inputs and biases arrive in the same step",
                "leave the delay out, and delay the task's inputs instead"
            )
    ])
    projections "delayed readout" [] (fun e p -> [
        if isOntoReadout p then
            p |> delay e.Dt,
            Contradiction("a readout receives rates of the same step", "leave the delay out")
    ])
    projections "gate that opens every 0 ms" [ "dt" ] (fun e p -> [
        if not (isOntoReadout p) then
            p |> gate (every 0.0<ms>),
            NotAllowed(
                "the gate's period",
                "0 ms",
                $"finite and at least one step, {float e.Dt} ms"
            )

            p |> gate (Every(halfSteps e)), NotWholeSteps("the gate's period", halfSteps e, e.Dt)
    ])
    projections "gate of a readout" [] (fun _ p -> [
        if isOntoReadout p then
            p |> gate atTrialEnd,
            Contradiction("a projection onto a readout has no gate", "leave the gate out")
    ])
    projections "gate at an event that nobody named" [ "task" ] (fun e p -> [
        if not (isOntoReadout p) then
            p |> gate (atEvent "gong"), Unknown(EventName, "gong", e.Task.Events)
    ])
    projections "learning rate that is none" [ "learning" ] (fun _ p -> [
        for given in [ -0.1; nan; infinity ] do
            let fault = NotAllowed("the learning rate", string given, "finite and at least 0")

            match p.Plasticity with
            | Learning _ -> p |> learningRate given, fault
            | LearningBy(_, rule) -> p |> learnBy rule given, fault
            | Frozen -> ()
    ])
    projections "own rule that BPTT cannot follow" [ "learning"; "competition" ] (fun e p -> [
        if isOntoReadout p && canLearn e.Circuit Rule.bptt p then
            p |> learnBy { Rule.bptt with Update = Online } 0.1,
            RuleCannot(
                "bptt",
                "update online, since it passes errors backward over a whole trial",
                "use update trialEnd, or Rule.rtrl with update online"
            )
    ])
    kind "name of a projection that is none" (fun e -> [
        for index, p in List.indexed e.Circuit.Projections do
            setProjection index { p with Label = Some "my arrow" } e
            |> inProjection index (always (BadName "my arrow")) [
                $"projection {index}"
                "bad label"
            ] []
    ])
    projections "weights that cannot be read" [] (fun _ p -> [
        p |> weights (ReadFrom("w.npz", (fun () -> Error "it is truncated"))),
        Unreadable("w.npz", "it is truncated")
        p |> weights (ReadFrom("w.npz", (fun () -> failwith "it is gone"))),
        Unreadable("w.npz", "it is gone")
    ])
]
