/// Projections that should not be there.
module Rflo.Dsl.Tests.StrayProjections

open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Dsl.Tests.Planting

let private more name ways =
    kind name (fun e -> [
        for projection, needs, (fault: Experiment -> Fault) in ways e do
            let index, wired = appended projection e
            wired |> inProjection index fault [] needs
    ])


let private populationNames index (e: Experiment) = [
    let area = (areaNamed e.Circuit e.Circuit.Areas[index].Name).Value

    if area.Dale.IsSome then
        "excitatory"
        "inhibitory"

    yield! List.map fst area.Populations
]


let all = [
    more "unknown source" (fun e -> [
        for a in e.Circuit.Areas do
            arrow (OfArea "ghost") (OfArea a.Name), [], unknown AreaName areaNames
            arrow (OfPopulation("ghost", "left")) (OfArea a.Name), [], unknown AreaName areaNames
            arrow (OfInput "ghost") (OfArea a.Name), [], unknown InputName inputNames
            arrow (OfChannels("ghost", [ 0 ])) (OfArea a.Name), [], unknown InputName inputNames
            arrow (OfReadout "ghost") (OfArea a.Name), [], unknown ReadoutName readoutNames
    ])
    more "unknown target" (fun e -> [
        for a in e.Circuit.Areas do
            arrow (OfArea a.Name) (OfArea "ghost"), [], unknown AreaName areaNames

            arrow (OfArea a.Name) (OfReadout "ghost"),
            [ areaSize a ],
            unknown ReadoutName readoutNames
    ])
    more "one stranger at both ends" (fun _ -> [
        arrow (OfArea "ghost") (OfArea "ghost"), [], unknown AreaName areaNames
    ])
    more "unknown population" (fun e -> [
        for index, a in List.indexed e.Circuit.Areas do
            arrow OfBias (OfPopulation(a.Name, "ghost")),
            [ areaSize a; $"populations of area {index}" ],
            unknown PopulationName (populationNames index)
    ])
    more "channel outside the input" (fun e -> [
        for x in e.Circuit.Inputs do
            arrow (OfChannels(x.Name, [ 0; x.Channels ])) (OfArea e.Circuit.Areas[0].Name),
            [ $"size of input {x.Name}" ],
            notAllowed "a channel" (string x.Channels) $"in 0 .. {x.Channels - 1}"

            arrow (OfChannels(x.Name, [])) (OfArea e.Circuit.Areas[0].Name),
            [ $"size of input {x.Name}" ],
            notAllowed "the number of channels taken" "0" "at least 1"
    ])
    more "input straight to a readout" (fun e -> [
        for x in e.Circuit.Inputs do
            for index, y in List.indexed e.Circuit.Readouts do
                arrow (OfInput x.Name) (OfReadout y.Name),
                [ $"readout {index}" ],
                always (
                    Contradiction(
                        "a readout receives signals from areas and from the bias only",
                        "put an area between the two"
                    )
                )
    ])
    more "arrow that ends at an input" (fun e -> [
        for x in e.Circuit.Inputs do
            arrow OfBias (OfInput x.Name),
            [ "names" ],
            always (
                Contradiction(
                    $"an arrow cannot end at {x.Name}",
                    "let it end at an area, a population or a readout"
                )
            )
    ])
    kind "two projections of one name" (fun e -> [
        for index, p in List.indexed e.Circuit.Projections do
            let fault (final: Experiment) =
                let label = labelOf final.Circuit.Projections[index]

                if p.Label.IsSome then
                    NameTaken label
                else
                    Contradiction(
                        $"an earlier projection has the same two ends, {label}",
                        "name this one apart, such as |> named \"slow\""
                    )

            withCircuit (Circuit.projections [ frozen (plain p) ]) e
            |> inProjection e.Circuit.Projections.Length fault [ $"projection {index}" ] []
    ])
    more "weights that learn onto a winner-take-all" (fun e -> [
        for a in e.Circuit.Areas do
            if isWinnerTakeAll a then
                arrow OfBias (OfArea a.Name) |> own Rule.rflo,
                [ "learning"; "names" ],
                always (
                    RuleCannot(
                        "rflo",
                        "change weights onto a winner-take-all area, which has no slope",
                        "use a rule of rates such as reward-hebb, or freeze the projection"
                    )
                )
    ])
    kind "noise that an area does not have" (fun e -> [
        let name = $"silent{e.Circuit.Areas.Length}"

        let index, wired =
            withCircuit (appendAreas [ area name 2 |> tau (e.Dt * 5.0) ]) e
            |> appended (arrow OfBias (OfArea name) |> own Rule.nodePerturbation)

        wired
        |> inProjection
            index
            (always (
                RuleCannot(
                    "node-perturbation",
                    $"learn from the noise of {name}, which has none",
                    "give the area noise, such as |> noise 0.1"
                )
            )) [
                $"size of area {name}"
                $"noise of area {e.Circuit.Areas.Length}"
            ] [ "learning"; "dt"; "names" ]
    ])
    kind "RFLO where no feedback arrives" (fun e -> [
        let name = $"lonely{e.Circuit.Areas.Length}"

        for rule, fault in
            [
                Rule.rflo, NoErrorReaches(name, "rflo")
                Rule.localSymmetric,
                RuleCannot(
                    "local-symmetric",
                    $"send an error to {name}, since no projection runs from it to a readout",
                    "use Rule.rflo and declare feedback, such as by errorOf, or freeze the projection"
                )
                if List.isEmpty e.Circuit.Feedback then
                    Rule.bpttRandom, NoErrorReaches(name, "bptt-random")
            ] do
            let index, wired =
                withCircuit (appendAreas [ area name 2 |> tau (e.Dt * 5.0) ]) e
                |> appended (arrow OfBias (OfArea name) |> own rule)

            wired
            |> inProjection index (always fault) [ $"size of area {name}" ] [
                "learning"
                "dt"
                "feedback"
                "names"
            ]
    ])
    kind "exact credit through a winner-take-all" (fun e -> [
        match e.Circuit.Readouts with
        | y :: _ when not (List.exists isWinnerTakeAll e.Circuit.Areas) ->
            let through =
                withCircuit
                    (appendAreas [
                        area "before" 2 |> tau (e.Dt * 5.0)
                        winnerTakeAll "chooser" 2
                    ])
                    e
                |> appended (arrow (OfArea "before") (OfArea "chooser"))
                |> snd
                |> appended (arrow (OfArea "chooser") (OfReadout y.Name))
                |> snd

            for rule in [ Rule.bptt; Rule.rtrl ] do
                let index, wired = through |> appended (arrow OfBias (OfArea "before") |> own rule)

                wired
                |> inProjection
                    index
                    (always (
                        RuleCannot(
                            rule.Name,
                            "pass credit through the winner-take-all area chooser, which has no slope",
                            "use a local rule such as rflo, or freeze the projection"
                        )
                    )) [ "competition" ] [ "learning"; "dt"; "names"; "readout 0" ]
        | _ -> ()
    ])
]
