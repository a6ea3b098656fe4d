/// A name that matches nothing is a problem, wherever a name can be given.
module Rflo.Dsl.Tests.NameTests

open Expecto
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid

let private problems experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> List.map Problem.text problems

let private a = area "cortex" 4
let private y = readout "y" 1

let private network =
    Circuit.empty
    |> areas [ a ]
    |> readouts [ y ]
    |> projections [ a --> a |> learningRate 0.1; a --> y |> learningRate 0.1 ]
    |> feedback [ errorOf y --> a ]

let private wave c =
    experiment "wave" c (Task.periodic 20.0<ms> [ harmonic 1 1.0 ]) |> trials 2

let private unmatched (e: Experiment) =
    match Check.experiment e with
    | Ok _ -> []
    | Error problems -> [
        for problem in problems do
            match problem.Part with
            | InWord _ -> problem.Fault
            | _ -> ()
      ]

[<Tests>]
let tests =
    testList "names that match nothing" [
        test "are reported by the word that was given them, with the nearest known" {
            Expect.equal
                (network
                 |> Circuit.mapArea "cortx" (tau 99.0<ms>)
                 |> Circuit.mapProjection "cortex->Y" (learningRate 0.0)
                 |> wave
                 |> problems)
                [
                    "Circuit.mapArea \"cortx\": no area is named cortx (known: cortex); did you mean cortex?"
                    "Circuit.mapProjection \"cortex->Y\": no projection is named cortex->Y (known: cortex->cortex, cortex->y); did you mean cortex->y?"
                ]
                "both"
        }

        test "of weights are reported by the word that took them" {
            let more =
                Map [
                    "cortex->z", MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.Dense(1, 1)
                ]

            let known = "(known: cortex->cortex, cortex->y); did you mean cortex->y?"

            let texts =
                function
                | Ok _ -> []
                | Error problems -> List.map Problem.text problems

            for word, found in
                [
                    "startingFrom", wave network |> startingFrom more |> problems
                    "Circuit.withWeights", network |> Circuit.withWeights more |> wave |> problems
                    "the weights of test trials",
                    Run.performWith more (wave network) (wave network).Task 1 |> texts
                    "Dynamics.ofWeights", Dynamics.ofWeights [] more (wave network) |> texts
                ] do
                Expect.equal
                    found
                    [
                        $"{word} \"cortex->z\": no projection is named cortex->z {known}"
                    ]
                    word
        }

        test "are problems of weights, whether none matches or some" {
            match Run.train (wave network) with
            | Error problems -> failtest $"%A{problems}"
            | Ok trained ->
                let loaded = network |> Circuit.withWeights trained.Final
                Expect.isEmpty (problems (wave loaded)) "all match"

                let renamed = network |> Circuit.prefix "left"

                Expect.equal
                    (unmatched (wave (renamed |> Circuit.withWeights trained.Final)))
                    [
                        for name in trained.Final.Keys ->
                            Unknown(ProjectionName, name, Circuit.projectionNames renamed)
                    ]
                    "none matches"

                let more = trained.Final |> Map.add "cortex->z" trained.Final["cortex->y"]

                Expect.equal
                    (unmatched (wave (network |> Circuit.withWeights more)))
                    [
                        Unknown(ProjectionName, "cortex->z", Circuit.projectionNames network)
                    ]
                    "one does not"

                for what in [ "tau m1"; "start m1" ] do
                    Expect.equal
                        (unmatched (
                            wave (
                                network
                                |> Circuit.withWeights (
                                    Map [ what, trained.Final["cortex->y"].Transpose() ]
                                )
                            )
                        ))
                        [ Unknown(AreaName, "m1", [ "cortex" ]) ]
                        what
        }

        test "of weights that go into another circuit are each accounted for" {
            match Run.train (wave network |> trials 1) with
            | Error problems -> failtest $"%A{List.map Problem.text problems}"
            | Ok trained ->
                let more =
                    trained.Final
                    |> Map.add "cortex->z" trained.Final["cortex->y"]
                    |> Map.add
                        "cortex->cortex"
                        (trained.Final["cortex->cortex"].SubMatrix(0, 2, 0, 2))

                let moved, report = Circuit.transfer more network
                let units = trained.Final["cortex->cortex"].RowCount

                let taken = [
                    for name in trained.Final.Keys do
                        if name <> "cortex->cortex" then
                            name
                ]

                Expect.equal report.Taken taken "taken"
                Expect.equal report.WithoutPlace [ "cortex->z" ] "without a place"

                Expect.equal
                    report.OtherShapes
                    [ "cortex->cortex", (2, 2), (units, units) ]
                    "shapes"

                Expect.equal report.AsDeclared [ "cortex->cortex" ] "as declared"
                Expect.isEmpty moved.Unmatched "what does not fit is no problem, but in the report"

                Expect.stringContains
                    (string report)
                    $"of another shape: cortex->cortex is (2, 2) there and ({units}, {units}) here"
                    "in words"

                match Run.train (wave moved |> trials 0) with
                | Error problems -> failtest $"%A{List.map Problem.text problems}"
                | Ok begun ->
                    Expect.equal
                        begun.Final["cortex->y"]
                        trained.Final["cortex->y"]
                        "what was taken"

                    Expect.equal
                        begun.Final["cortex->cortex"]
                        trained.Initial["cortex->cortex"]
                        "not"

                let all = wave network |> startingFrom trained.Final |> trials 0

                match Run.train all with
                | Error problems -> failtest $"%A{List.map Problem.text problems}"
                | Ok begun -> Expect.equal begun.Final trained.Final "all of them"
        }

        testPropertyWithConfig
            (config 60)
            "are problems in any circuit, and others are not"
            (fun (Valid experiment) ->
                let change circuit = {
                    experiment with
                        Circuit = circuit experiment.Circuit
                }

                let areas = experiment.Circuit.Areas |> List.map _.Name
                let projections = Circuit.projectionNames experiment.Circuit

                Expect.equal
                    (unmatched (change (Circuit.mapArea "ghost" id)))
                    [ Unknown(AreaName, "ghost", areas) ]
                    "area"

                Expect.equal
                    (unmatched (change (Circuit.mapProjection "ghost" id)))
                    [ Unknown(ProjectionName, "ghost", projections) ]
                    "projection"

                for name in areas do
                    Expect.equal (change (Circuit.mapArea name id)) experiment "an area"

                for name in projections do
                    Expect.equal (change (Circuit.mapProjection name id)) experiment "a projection")

        testPropertyWithConfig
            (config 60)
            "outlive merging, in which order is kept, and prefixing"
            (fun (Valid experiment) ->
                let c = experiment.Circuit
                let one = c |> Circuit.mapArea "one" id
                let two = Circuit.empty |> Circuit.mapProjection "two" id
                let three = Circuit.empty |> Circuit.mapArea "three" id

                Expect.equal
                    (Circuit.merge (Circuit.merge one two) three)
                    (Circuit.merge one (Circuit.merge two three))
                    "associative"

                Expect.equal (Circuit.merge Circuit.empty one) one "the empty circuit on the left"
                Expect.equal (Circuit.merge one Circuit.empty) one "and on the right"

                let prefixed = Circuit.prefix "left" (Circuit.merge one two)
                Expect.equal prefixed.Unmatched (one.Unmatched @ two.Unmatched) "prefixed")

        test "are problems of the points of a sweep, and of its axis" {
            let rate value (e: Experiment) = {
                e with
                    Circuit =
                        e.Circuit |> Circuit.mapProjection "cortex->cortx" (learningRate value)
            }

            let sweep = Sweep.ofExperiment (wave network) |> Sweep.over "rate" [ 0.1; 0.2 ] rate

            Expect.equal
                (List.map Problem.text (Sweep.problems sweep))
                [
                    "sweep wave, axis rate: its values change nothing in the experiment; let each change something, such as Sweep.over \"seed\" [ 1; 2 ] seed, or leave the axis out"
                ]
                "the axis"

            for k in 0..1 do
                Expect.equal (problems (sweep.At k).Experiment).Length 1 "the point"
        }

        test "an axis of which one value changes something is one" {
            let some k (e: Experiment) = if k = 2 then e |> seed 9 else e
            let sweep = Sweep.ofExperiment (wave network) |> Sweep.over "some" [ 0; 1; 2 ] some
            Expect.isEmpty (Sweep.problems sweep) "no problem"
        }
    ]
