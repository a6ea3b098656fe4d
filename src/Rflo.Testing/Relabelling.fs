/// The law of relabelled units: nothing depends on the order in which units are listed.
module internal Rflo.Testing.Relabelling

open System
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trying

/// The old index of each new unit of an area; excitatory units stay first, as Dale's law orders them.
let private orderOf (experiment: Experiment) (area: Area) =
    let random = Random(int experiment.Seed + area.Units)

    let shuffled (units: int[]) =
        let copy = Array.copy units
        random.Shuffle copy

        // A short list is often its own shuffle.
        if copy = units then Array.rev units else copy

    let excitatory = excitatoryUnits area |> Option.defaultValue area.Units
    let first, second = Array.splitAt excitatory [| 0 .. area.Units - 1 |]
    Array.append (shuffled first) (shuffled second)

/// The old index of each new row or column of an end.
let private ofEnd (before: Circuit) (after: Circuit) (orders: Map<string, int[]>) finish =
    let old, now = members before finish, members after finish

    match areaOf finish with
    | Some area ->
        let order = orders[area]
        now |> List.map (fun unit -> List.findIndex (fun was -> was = order[unit]) old)
    | None -> [ 0 .. now.Length - 1 ]
    |> Array.ofList

let private pick (rows: int[]) (columns: int[]) (matrix: 'entry[,]) =
    Array2D.init rows.Length columns.Length (fun i j -> matrix[rows[i], columns[j]])

let private relabelArea (orders: Map<string, int[]>) (area: Area) =
    let order = orders[area.Name]
    let place unit = Array.findIndex ((=) unit) order

    let pick values =
        order |> Array.map (fun unit -> Array.item unit values)

    {
        area with
            Tau =
                match area.Tau with
                | TauOfUnit taus -> TauOfUnit(pick taus)
                | other -> other
            Initial =
                match area.Initial with
                | ResetTo rates -> ResetTo(pick rates)
                | other -> other
            Populations =
                area.Populations |> List.map (fun (name, units) -> name, List.map place units)
    }

/// The experiment with its units in another order, and for each projection the old rows and columns of the new ones.
let private relabelled (experiment: Experiment) =
    let circuit = experiment.Circuit

    let orders =
        Map.ofList [
            for area in circuit.Areas -> area.Name, orderOf experiment area
        ]

    let sorted = {
        circuit with
            Areas = List.map (relabelArea orders) circuit.Areas
    }

    let places =
        circuit.Projections
        |> List.map (fun p ->
            ofEnd circuit sorted orders p.Target, ofEnd circuit sorted orders p.Source)

    let relabel (projection: Projection) (rows, columns) = {
        projection with
            Weights =
                match projection.Weights with
                | Given matrix -> Given(pick rows columns matrix)
                | other -> other
            Connectivity =
                match projection.Connectivity with
                | Mask mask -> Mask(pick rows columns mask)
                | other -> other
    }

    let tell (feedback: Feedback) =
        match feedback.Through with
        | GivenFeedback matrix -> {
            feedback with
                Through =
                    GivenFeedback(
                        pick orders[feedback.Area] [| 0 .. Array2D.length2 matrix - 1 |] matrix
                    )
          }
        | _ -> feedback

    {
        experiment with
            Circuit = {
                sorted with
                    Projections = List.map2 relabel circuit.Projections places
                    Feedback = List.map tell circuit.Feedback
            }
    },
    places,
    orders

let private prepare (experiment: Experiment) =
    let still = Explicit.still experiment

    {
        still with
            Circuit = {
                still.Circuit with
                    Areas = still.Circuit.Areas |> List.map (fun area -> { area with Noise = 0.0 })
            }
    }

let private judge make (experiment: Experiment) =
    let written = Explicit.ofDrawn experiment
    let other, places, orders = relabelled written
    let ours = (make written: Learner).Increments UpdateTime.TrialEnd 0
    let theirs = (make other: Learner).Increments UpdateTime.TrialEnd 0

    let moved =
        orders |> Map.exists (fun _ order -> order <> [| 0 .. order.Length - 1 |])

    seq {
        for k, projection in List.indexed experiment.Circuit.Projections do
            match ours[k], theirs[k] with
            | Some ours, Some theirs ->
                let rows, columns = places[k]
                let expected = pick rows columns ours

                if not (Repetition.relative expected theirs <= 1e-9) then
                    let all =
                        orders
                        |> Map.toList
                        |> List.map (fun (area, order) -> $"%A{order} of {area}")
                        |> String.concat ", "

                    $"{Projection.name projection}: with the units in the order {all}, its increments are %A{theirs}, and in their old order %A{expected}, put into the new one"
            | _ -> ()
    }
    |> verdict (moved && Array.exists Option.isSome ours)

let law = {
    Name = "units-may-be-relabelled"
    Exempts =
        fun rule ->
            if Fitting.draws rule || Fitting.needsNoise rule then
                Some "it draws other numbers for other units"
            elif Fitting.namesUnits rule then
                Some "its modulator names units by their places"
            else
                None
    Prepare = prepare
    Judge = judge
}
