/// Mistakes in areas and populations.
module Rflo.Dsl.Tests.SpoiledAreas

open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Dsl.Tests.Planting

/// The areas that an earlier mistake has left some units.
let private soundAreas (e: Experiment) =
    List.indexed e.Circuit.Areas |> List.filter (fun (_, area) -> area.Units > 0)

let private areas name rank field ways =
    kind name (fun e -> [
        for index, area in soundAreas e do
            for (changed: Area), fault, needs in ways e area do
                setArea index changed e
                |> inArea index rank (always fault) [ $"{field} of area {index}" ] needs
    ])

let private population name ways =
    kind name (fun e -> [
        for index, area in soundAreas e do
            for given, units, fault in ways area do
                setArea index (area |> Area.population given units) e
                |> inPopulation index given (always fault) [ $"populations of area {index}" ] [
                    areaSize area
                ]
    ])

let all = [
    areas "noise below 0" 4 "noise" (fun _ a -> [
        for given in [ -0.1; nan; infinity ] do
            { a with Noise = given },
            NotAllowed("noise", string given, "finite and at least 0"),
            []
    ])
    areas "tau below dt" 2 "tau" (fun e a -> [
        if not (isWinnerTakeAll a) then
            for given in [ e.Dt / 2.0; 0.0<ms>; -10.0<ms>; nan * 1.0<ms> ] do
                { a with Tau = SameTau given },
                NotAllowed("tau", $"{float given} ms", $"finite and at least dt, {float e.Dt} ms"),
                [ "dt" ]
    ])
    areas "too many taus" 2 "tau" (fun e a -> [
        if not (isWinnerTakeAll a) then
            {
                a with
                    Tau = TauOfUnit(Array.create (a.Units + 1) (e.Dt * 3.0))
            },
            WrongLength("taus", a.Units + 1, a.Units, "one for each unit"),
            [ "dt"; areaSize a ]
    ])
    areas "tau of one unit below dt" 2 "tau" (fun e a -> [
        if not (isWinnerTakeAll a) then
            let last = a.Units - 1
            let constants = Array.create a.Units (e.Dt * 3.0)
            constants[last] <- e.Dt / 4.0

            { a with Tau = TauOfUnit constants },
            NotAllowed(
                $"tau of unit {last}",
                $"{float (e.Dt / 4.0)} ms",
                $"finite and at least dt, {float e.Dt} ms"
            ),
            [ "dt"; areaSize a ]
    ])
    areas "tau of a winner-take-all area" 9 "tau" (fun e a -> [
        if isWinnerTakeAll a then
            for constant in
                [
                    tau (e.Dt * 3.0)
                    taus (Array.create a.Units (e.Dt * 3.0))
                ] do
                constant a,
                Contradiction(
                    "it has a tau, which a winner-take-all area does not have",
                    "leave tau out"
                ),
                [ "dt"; areaSize a ]
    ])
    areas "transfer function of a winner-take-all area" 10 "transfer" (fun _ a -> [
        if isWinnerTakeAll a then
            a |> transfer relu,
            Contradiction(
                "it has a transfer function, which a winner-take-all area does not have",
                "leave transfer out"
            ),
            []
    ])
    areas "exploration of units that do not compete" 11 "exploration" (fun _ a -> [
        if not (isWinnerTakeAll a) then
            a |> explore 0.1,
            Contradiction(
                "it explores, and only a winner-take-all area does",
                $"declare it as winnerTakeAll \"{a.Name}\", or leave explore out"
            ),
            []
    ])
    areas "unknown transfer function" 3 "transfer" (fun _ a -> [
        { a with Transfer = enum 99 },
        NotAllowed(
            "transfer",
            "99",
            "one of Tanh, Relu, Sigmoid, Softplus, Identity, RectifiedTanh"
        ),
        []
    ])
    areas "initial rate that is no number" 5 "initial" (fun _ a -> [
        { a with Initial = Reset nan }, NotAllowed("the initial rate", "NaN", "finite"), []
        {
            a with
                Initial = CarriedOver infinity
        },
        NotAllowed("the initial rate", "Infinity", "finite"),
        []
    ])
    areas "too few initial rates" 5 "initial" (fun _ a -> [
        {
            a with
                Initial = ResetTo(Array.zeroCreate (a.Units - 1))
        },
        WrongLength("the initial rates", a.Units - 1, a.Units, "one for each unit"),
        [ areaSize a ]
    ])
    areas "initial rates of negative deviation" 5 "initial" (fun _ a -> [
        {
            a with
                Initial = RandomStart(0.0, -1.0)
        },
        NotAllowed("the deviation of the initial rates", "-1", "finite and at least 0"),
        []
        { a with Initial = DrawnOnce(0.0, nan) },
        NotAllowed("the deviation of the initial rates", "NaN", "finite and at least 0"),
        []
    ])
    areas "unit model that cannot be" 7 "units" (fun e a -> [
        let of' model = {
            a with
                Dynamics = OfModel model
                Transfer = Transfer.Tanh
                TauRate = None
        }

        let define states =
            UnitModel.define "mine" states ignore (fun _ -> 0.0)

        // Rules that cannot learn with a model are faults of their own.
        let allows (rule: Rule) =
            match rule.Credit with
            | Local trace ->
                not trace.Oja && (trace.Post.Signal <> Slope || trace.Post = Rule.the Slope)
            | LearnedSensitivity _ -> false
            | _ -> true

        let rules = [
            e.Rule
            for projection in e.Circuit.Projections do
                match projection.Plasticity with
                | LearningBy(_, rule) -> rule
                | _ -> ()
            for watched in e.Probes do
                match watched.Probe with
                | Probe.Angle(rule, reference) ->
                    yield! Option.toList rule
                    reference
                | _ -> ()
        ]

        if not (isWinnerTakeAll a) && List.forall allows rules then
            of' (UnitModel.lif -1.0),
            NotAllowed(
                "the threshold of leaky integrate-and-fire (threshold -1, dampening 0.3)",
                "-1",
                "finite and more than 0"
            ),
            []

            of' (define []), NotAllowed("the number of states of mine", "0", "from 1 to 16"), []

            of' (define [ "v"; "v" ]),
            NotAllowed("a state of mine", "'v', 2 times", "a name of its own"),
            []

            of' (define [ " " ]), NotAllowed("a state of mine", "''", "a name"), []

            {
                of' (UnitModel.lif 1.0) with
                    Transfer = Transfer.Relu
            },
            Contradiction(
                "it has a transfer function, for which the unit model leaky integrate-and-fire (threshold 1, dampening 0.3) has no use",
                "leave transfer out"
            ),
            []
    ])
    kind "Dale fraction outside 0 to 1" (fun e -> [
        for index, a in List.indexed e.Circuit.Areas do
            for given in [ 1.4; -0.1; nan ] do
                setArea index { a with Dale = Some given } e
                |> inArea index 6 (notAllowed "dale" (string given) "in [0, 1]") [ areaSize a ] []
    ])
    kind "Dale fraction of half a unit" (fun e -> [
        for index, a in soundAreas e do
            let given = 0.5 / float a.Units

            setArea index { a with Dale = Some given } e
            |> inArea
                index
                6
                (notAllowed
                    "dale"
                    (if a.Units = 1 then
                         $"{given} of 1 unit"
                     else
                         $"{given} of {a.Units} units")
                    "a fraction that gives a whole number of excitatory units") [ areaSize a ] []
    ])
    kind "area without units" (fun e -> [
        for index, a in List.indexed e.Circuit.Areas do
            for given in [ 0; -2 ] do
                setArea index { a with Units = given } e
                |> inArea index 1 (notAllowed "the number of units" (string given) "at least 1") [
                    areaSize a
                ] []
    ])
    areas "exploration above 1" 7 "explore" (fun _ a -> [
        if isWinnerTakeAll a then
            { a with Dynamics = WinnerTakeAll 1.5 }, NotAllowed("explore", "1.5", "in [0, 1]"), []
    ])
    kind "area with a bad name" (fun e -> [
        for index, a in List.indexed e.Circuit.Areas do
            for given in [ $"{a.Name} b"; $"{a.Name}\n"; $"{a.Name}->b" ] do
                withCircuit (renamed a.Name given) e
                |> inArea index 0 (always (BadName given)) [ "names" ] [ areaSize a ]
    ])
    kind "two areas of one name" (fun e -> [
        for a in e.Circuit.Areas do
            let index = e.Circuit.Areas.Length
            let copy = area a.Name 3 |> tau (e.Dt * 10.0)

            withCircuit (appendAreas [ copy ]) e
            |> inArea index 0 (always (NameTaken a.Name)) [ "names" ] [ "dt" ]
    ])
    population "population of nobody" (fun _ -> [
        "nobody", [], NotAllowed("the number of units", "0", "at least 1")
    ])
    population "population with a unit that is not there" (fun a -> [
        for unit in [ -1; a.Units ] do
            "outside", [ 0; unit ], NotAllowed("a unit", string unit, $"in 0 .. {a.Units - 1}")
    ])
    population "population with a unit twice" (fun _ -> [
        "twice", [ 0; 0 ], NotAllowed("unit 0", "listed 2 times", "listed once")
    ])
    population "population with a bad name" (fun _ -> [ "a b", [ 0 ], BadName "a b" ])
    population "two populations of one name" (fun a -> [
        for name, _ in a.Populations do
            name, [ 0 ], NameTaken name

        if a.Dale.IsSome then
            "excitatory", [ 0 ], NameTaken "excitatory"
    ])
]
