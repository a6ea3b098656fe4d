namespace Rflo.Dsl

open System
open Rflo.Core
open CheckValues

/// What is wrong with an area.
module internal CheckAreas =

    /// The dt of an experiment if it is valid: an invalid dt is reported once, not again for every time.
    let usableDt (experiment: Experiment) =
        if experiment.Dt > 0.0<ms> && Double.IsFinite(float experiment.Dt) then
            Some experiment.Dt
        else
            None

    let tau (dt: float<ms> option) (area: Area) =
        let least = dt |> Option.defaultValue 0.0<ms>

        let isAllowed (given: float<ms>) =
            given > 0.0<ms> && given >= least && Double.IsFinite(float given)

        let allowed =
            match dt with
            | Some dt -> $"finite and at least dt, {string (float dt)} ms"
            | None -> "finite and more than 0 ms"

        match area.Tau with
        | OneStep -> []
        | SameTau given -> [
            if not (isAllowed given) then
                NotAllowed("tau", $"{string (float given)} ms", allowed)
          ]
        | TauOfUnit given -> [
            if area.Units > 0 && given.Length <> area.Units then
                WrongLength("taus", given.Length, area.Units, "one for each unit")

            match given |> Array.tryFindIndex (isAllowed >> not) with
            | Some unit ->
                NotAllowed($"tau of unit {unit}", $"{string (float given[unit])} ms", allowed)
            | None -> ()
          ]

    let recorded (area: Area) = [
        match area.Dynamics with
        | (Leaky | WinnerTakeAll _) when area.RecordsStates ->
            Contradiction(
                "it records its states, and its units have none beside their rates",
                "leave recordStates out; activity.Rates has them"
            )
        | _ -> ()
    ]

    let initial precision (area: Area) = [
        match area.Initial with
        | Reset rate
        | CarriedOver rate -> yield! finiteIn precision "the initial rate" rate
        | ResetTo rates ->
            if area.Units > 0 && rates.Length <> area.Units then
                WrongLength("the initial rates", rates.Length, area.Units, "one for each unit")

            match rates |> Array.tryFindIndex (isFinite precision >> not) with
            | Some unit -> yield! finiteIn precision $"the initial rate of unit {unit}" rates[unit]
            | None -> ()
        | RandomStart(mean, deviation)
        | DrawnOnce(mean, deviation) ->
            yield! finiteIn precision "the mean of the initial rates" mean
            yield! notNegativeIn precision "the deviation of the initial rates" deviation
    ]

    let penalties precision (area: Area) = [
        for penalty in area.Penalties do
            yield! notNegativeIn precision "the strength of a penalty" penalty.Strength
            yield! finiteIn precision "the target rate of a penalty" penalty.Target

            if not (Enum.IsDefined penalty.Kind) then
                NotAllowed("the kind of a penalty", string (int penalty.Kind), oneOf<PenaltyKind>())

        if not area.Penalties.IsEmpty && area.Dynamics.IsWinnerTakeAll then
            Contradiction(
                "it has penalties on its rates, and the rates of a winner-take-all area have no slope",
                "leave penalties out"
            )
    ]

    let daleFraction (area: Area) = [
        match area.Dale with
        | None -> ()
        | Some fraction ->
            let faults = probability "dale" fraction
            yield! faults

            if List.isEmpty faults && area.Units > 0 && Option.isNone (Wiring.excitatory area) then
                NotAllowed(
                    "dale",
                    $"""{string fraction} of {Counted.words area.Units "unit"}""",
                    "a fraction that gives a whole number of excitatory units"
                )
    ]

    let population (area: Area) earlier (given: string, units: int list) = [
        yield! name earlier given

        if List.isEmpty units then
            NotAllowed("the number of units", "0", "at least 1")

        if area.Units > 0 then
            for unit in units |> List.filter (fun unit -> unit < 0 || unit >= area.Units) do
                NotAllowed("a unit", string unit, $"in 0 .. {string (area.Units - 1)}")

        for unit, times in List.countBy id units do
            if times > 1 then
                NotAllowed($"unit {unit}", $"listed {times} times", "listed once")
    ]

    let populations (area: Area) = [
        let automatic = if Option.isSome area.Dale then Wiring.ofDale else []

        for k, (given, units) in List.indexed area.Populations do
            let earlier = area.Populations |> List.truncate k |> List.map fst

            yield!
                at
                    (InPopulation(area.Name, given))
                    (population area (automatic @ earlier) (given, units))
    ]

    /// What is wrong with a unit model, and with the area's other settings beside it.
    let private unitModelFaults (model: UnitModel) (area: Area) = [
        yield! described "the unit model" model.Description
        let states = List.ofSeq model.States

        if states.IsEmpty || states.Length > UnitModel.MostStates then
            NotAllowed(
                $"the number of states of {model}",
                string states.Length,
                $"from 1 to {string UnitModel.MostStates}"
            )

        for state, count in List.countBy id states do
            if String.IsNullOrWhiteSpace state then
                NotAllowed($"a state of {model}", "''", "a name")
            elif count > 1 then
                NotAllowed(
                    $"a state of {model}",
                    $"'{state}', {string count} times",
                    "a name of its own"
                )

        for problem in model.Problems do
            NotAllowed($"{problem.What} of {model}", string problem.Value, problem.Allowed)

        for k in 1 .. states.Length - 1 do
            yield!
                finiteIn
                    Precision.Double
                    $"where {states[k]} of {model} begins"
                    (model.InitialState k)

        if area.Transfer <> Transfer.Tanh then
            Contradiction(
                $"it has a transfer function, for which the unit model {model} has no use",
                "leave transfer out"
            )
    ]

    /// One step of one unit, computed by the model's functions: an exception here would end every run.
    let private makeOneStep (model: UnitModel) =
        let builder = GraphBuilder()

        AreaSpec(
            Name = "unit",
            Units = 1,
            Alpha = [| 0.5 |],
            InitialRates = [| 0.0 |],
            Model = model
        )
        |> builder.AddArea
        |> ignore

        let step = {
            new ITask with
                member _.Inputs = 0
                member _.Outputs = 0
                member _.MaxSteps = 1
                member _.Events = 0
                member _.Fill(_, _, into) = into.Steps <- 1
        }

        Session.Create(builder.Build(), step, 1L, Precision.Double).Test 0 |> ignore

    let unitModel (model: UnitModel) (area: Area) =
        ofOwn "the unit model" (fun () ->
            match unitModelFaults model area with
            | [] ->
                makeOneStep model
                []
            | wrong -> wrong)

    let area precision dt earlier (area: Area) = [
        yield! name earlier area.Name
        yield! atLeastOne "the number of units" area.Units
        yield! tau dt area

        if not (Enum.IsDefined area.Transfer) then
            NotAllowed("transfer", string (int area.Transfer), oneOf<Transfer>())

        yield! notNegativeIn precision "noise" area.Noise
        yield! penalties precision area
        yield! recorded area
        yield! initial precision area
        yield! daleFraction area

        match area.Dynamics with
        | WinnerTakeAll explore ->
            yield! probability "explore" explore

            if area.Tau <> OneStep then
                Contradiction(
                    "it has a tau, which a winner-take-all area does not have",
                    "leave tau out"
                )

            if area.Transfer <> Transfer.Identity && Enum.IsDefined area.Transfer then
                Contradiction(
                    "it has a transfer function, which a winner-take-all area does not have",
                    "leave transfer out"
                )
        | OfModel model -> yield! unitModel model area
        | Leaky
        | CurrentForm -> ()

        yield! lost area.Lost
    ]
