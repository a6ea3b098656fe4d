/// Arrows carry their parts: a circuit has what its arrows join, once, in the order in which they mention it.
module Rflo.Dsl.Tests.ArrowTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid

let private texts experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> List.map Problem.text problems

let private cue = input "cue" 2
let private m1 = area "m1" 4 |> population "hand" [ 0; 1 ]
let private pmd = area "pmd" 3
let private hand = readout "hand" 1
let private eye = readout "eye" 1

let private planOf outputs circuit =
    experiment
        "plan"
        circuit
        (Task.ofArrays (Array2D.zeroCreate 8 2) (Array2D.create 8 outputs 0.5))
    |> trials 2

/// The arrow of a projection, from and to the parts of its circuit, as a script would write it.
let private arrowOf (circuit: Circuit) (projection: Projection) =
    let target: ITarget =
        match projection.Target with
        | OfArea name -> Circuit.area name circuit
        | OfPopulation(name, population) -> (Circuit.area name circuit)[population]
        | OfReadout name -> Circuit.readout name circuit
        | other -> failwith $"{other} is no target"

    let arrow =
        match projection.Source with
        | OfArea name -> Circuit.area name circuit --> target
        | OfPopulation(name, population) -> (Circuit.area name circuit)[population] --> target
        | OfInput name -> Circuit.input name circuit --> target
        | OfChannels(name, channels) -> (Circuit.input name circuit)[channels] --> target
        | OfReadout name -> Circuit.readout name circuit --> target
        | OfBias -> bias --> target

    Expect.equal arrow.Source projection.Source "source"
    Expect.equal arrow.Target projection.Target "target"
    { projection with Parts = arrow.Parts }

let private wayOf (circuit: Circuit) (feedback: Feedback) =
    let arrow =
        errorOf (Circuit.readout feedback.Readout circuit)
        --> Circuit.area feedback.Area circuit

    {
        arrow with
            Through = feedback.Through
    }

let private names (circuit: Circuit) =
    List.map (fun (a: Area) -> a.Name) circuit.Areas,
    List.map (fun (x: Input) -> x.Name) circuit.Inputs,
    List.map (fun (y: Readout) -> y.Name) circuit.Readouts

[<Tests>]
let tests =
    testList "arrows" [
        testPropertyWithConfig
            (config 200)
            "make the circuit that lists of its parts make"
            (fun (Valid experiment) ->
                let circuit = experiment.Circuit
                let arrows = circuit.Projections |> List.map (arrowOf circuit)
                let ways = circuit.Feedback |> List.map (wayOf circuit)

                let listed =
                    Circuit.empty
                    |> areas circuit.Areas
                    |> inputs circuit.Inputs
                    |> readouts circuit.Readouts
                    |> projections arrows
                    |> feedback ways

                Expect.equal listed circuit "lists first: arrows add nothing"

                // Lists last: they say the order of what arrows took.
                let drawn =
                    Circuit.empty
                    |> projections arrows
                    |> feedback ways
                    |> areas circuit.Areas
                    |> inputs circuit.Inputs
                    |> readouts circuit.Readouts

                Expect.equal drawn circuit "lists last"

                // Arrows alone: whatever they touch.
                let alone = Circuit.empty |> projections arrows |> feedback ways

                let touched = [
                    for arrow in arrows do
                        yield! arrow.Parts
                    for way in ways do
                        yield! way.Parts
                ]

                for a in circuit.Areas do
                    Expect.equal
                        (List.contains a alone.Areas)
                        (List.contains (CircuitPart.Area a) touched)
                        $"area {a.Name}"

                for x in circuit.Inputs do
                    Expect.equal
                        (List.contains x alone.Inputs)
                        (List.contains (CircuitPart.Input x) touched)
                        $"input {x.Name}"

                Expect.all (alone.Projections |> List.map _.Parts) List.isEmpty "taken")

        test "mention their parts in the order of the circuit, source before target" {
            let made =
                circuit [
                    cue --> m1
                    pmd --> eye
                    m1["hand"] --> hand
                    cue[[ 1 ]] --> pmd
                    bias --> m1
                ]

            Expect.equal (names made) ([ "m1"; "pmd" ], [ "cue" ], [ "eye"; "hand" ]) "order"

            Expect.equal
                (made |> readouts [ hand ] |> names)
                ([ "m1"; "pmd" ], [ "cue" ], [ "hand"; "eye" ])
                "another order"
        }

        test "of two versions of a part are a problem, of equal ones none" {
            let slow = m1 |> tau 40.0<ms>

            Expect.equal
                (texts (
                    planOf 1 (circuit [ cue --> m1; slow --> hand |> learningRate 0.1 ])
                    |> rule Rule.delta
                ))
                [
                    "area m1: another part has the name m1; give it another name, or use one value in all arrows"
                ]
                "two versions"

            let noWhere = m1 |> tau (nan * 1.0<ms>)

            Expect.hasLength
                (texts (
                    planOf 1 (circuit [ cue --> noWhere; noWhere --> hand |> learningRate 0.1 ])
                    |> rule Rule.delta
                ))
                1
                "a tau that is no number is one mistake, not two areas"
        }

        test "of circuits that merge share what is equal" {
            let left = circuit [ cue --> m1; m1 --> hand |> learningRate 0.1 ]
            let right = circuit [ cue --> pmd; pmd --> hand |> learningRate 0.1 ]
            let both = Circuit.merge left right
            Expect.equal (names both) ([ "m1"; "pmd" ], [ "cue" ], [ "hand" ]) "shared"
            Expect.isEmpty (texts (planOf 1 both |> rule Rule.delta)) "no problem"
        }

        test "of errors end at areas" {
            let network = circuit [ cue --> m1; m1 --> hand |> learningRate 0.1 ]

            Expect.equal
                (texts (planOf 1 (network |> feedback [ errorOf hand --> m1["hand"] ])))
                [
                    "feedback hand --> m1: it ends at the population hand, and an error reaches whole areas; write errorOf hand --> m1, or make the population an area"
                ]
                "a population"

            Expect.equal
                (texts (planOf 1 (network |> feedback [ errorOf hand --> hand ])))
                [
                    "feedback hand --> hand: it ends at the readout hand, and an error reaches areas; write errorOf hand --> the area that learns by it"
                ]
                "a readout"
        }

        test "from parts that a circuit does not have are problems of those parts" {
            let network = circuit [ cue --> m1; m1 --> hand |> learningRate 0.1 ]

            let said arrow =
                texts (planOf 1 (network |> projections [ arrow ]) |> rule Rule.delta)

            Expect.contains
                (said (Circuit.input "que" network --> m1))
                "input que: Circuit.input finds none of that name in the circuit (it has cue); use one of its names, or declare the part"
                "an input"

            Expect.contains
                (said (Circuit.readout "hnd" network --> m1))
                "readout hnd: Circuit.readout finds none of that name in the circuit (it has hand); use one of its names, or declare the part"
                "a readout"
        }

        test "can be factored: half of one is a function, targets are a list" {
            let onto target (source: ISource<Projection>) = source --> target |> density 0.5

            let targets: ITarget list = [ m1; pmd; hand ]

            let made =
                circuit [
                    onto m1 cue
                    onto m1 pmd
                    yield! [
                        for target in targets -> m1 --> target |> label $"to {target.End}"
                    ]
                ]

            Expect.equal made.Projections.Length 5 "five"
            Expect.equal (names made) ([ "m1"; "pmd" ], [ "cue" ], [ "hand" ]) "parts"
        }

        test "get one rate by one word, and keep rules of their own" {
            let made =
                circuit [
                    cue --> m1 |> frozen
                    m1 --> m1 |> learnBy Rule.hebb 0.5
                    m1 --> hand
                ]
                |> learningRateOfAll 0.02

            Expect.equal
                (made.Projections |> List.map _.Plasticity)
                [
                    Learning 0.02
                    LearningBy(0.02, Rule.hebb)
                    Learning 0.02
                ]
                "rates"
        }

        test "leave inputs and readouts to be changed by name" {
            let network = circuit [ cue --> m1; m1 --> hand |> learningRate 0.1 ]

            let wider =
                network
                |> Circuit.mapInput "cue" (fun cue -> { cue with Channels = 5 })
                |> Circuit.mapReadout "hand" (output softmax)

            Expect.equal wider.Inputs [ { cue with Channels = 5 } ] "input"
            Expect.equal wider.Readouts [ hand |> output softmax ] "readout"

            Expect.equal
                (texts (
                    planOf 1 (network |> Circuit.mapInput "que" id |> Circuit.mapReadout "Hand" id)
                    |> rule Rule.delta
                ))
                [
                    "Circuit.mapInput \"que\": no input is named que (known: cue); did you mean cue?"
                    "Circuit.mapReadout \"Hand\": no readout is named Hand (known: hand); did you mean hand?"
                ]
                "names that fit nothing"
        }
    ]
