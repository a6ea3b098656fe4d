/// Random circuits for pictures: of any kind, with and without problems.
module Rflo.Host.Tests.PictureCircuits

open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Dsl

let private names = [
    "cortex"
    "M1 & <M2>"
    "a \"quoted\" 'name'"
    "Größe"
    "left.V1"
    "left.V2"
    "right.V1"
    "right.V2"
    "x"
    "46"
    "an area whose name is much longer than any slide would bear"
    "a.b.c"
]

let private areaOf name =
    gen {
        let! units = Gen.elements [ 1; 4; 50; 1000 ]
        let! dale = Gen.elements [ None; None; Some 0.5; Some 1.0; Some 0.0 ]
        let! kind = Gen.choose (0, 4)

        let made =
            match kind with
            | 0 -> relay name units
            | 1 -> winnerTakeAll name units
            | _ -> area name units

        return { made with Dale = dale }
    }

let private pick items otherwise =
    match items with
    | [] -> Gen.constant otherwise
    | some -> Gen.frequency [ 20, Gen.elements some; 1, Gen.constant otherwise ]

let private source (circuit: Circuit) =
    gen {
        let! area = pick [ for a in circuit.Areas -> a.Name ] "ghost"
        let! input = pick [ for i in circuit.Inputs -> i.Name ] "ghost"
        let! readout = pick [ for r in circuit.Readouts -> r.Name ] "ghost"

        return!
            Gen.frequency [
                6, Gen.constant (OfArea area)
                2,
                Gen.elements [
                    OfPopulation(area, "excitatory")
                    OfPopulation(area, "inhibitory")
                ]
                2, Gen.constant (OfInput input)
                1, Gen.constant (OfChannels(input, [ 0 ]))
                1, Gen.constant (OfReadout readout)
                1, Gen.constant OfBias
            ]
    }

let private target (circuit: Circuit) =
    gen {
        let! area = pick [ for a in circuit.Areas -> a.Name ] "ghost"
        let! readout = pick [ for r in circuit.Readouts -> r.Name ] "ghost"

        return!
            Gen.frequency [
                6, Gen.constant (OfArea area)
                1, Gen.constant (OfPopulation(area, "excitatory"))
                2, Gen.constant (OfReadout readout)
            ]
    }

let private ownRule = { Rule.rflo with Name = "hebb & co" }

let private projection (circuit: Circuit) =
    gen {
        let! source = source circuit
        let! target = target circuit
        let! label = Gen.elements [ None; None; Some "slow"; Some "<fast>" ]
        let! delay = Gen.elements [ None; None; Some 5.0<ms>; Some(nan * 1.0<ms>) ]

        let! gate =
            Gen.elements [
                Always
                Always
                Every 200.0<ms>
                AtTrialEnd
                AtEvent "go & stop"
            ]

        let! connectivity =
            Gen.elements [ Dense; Density 0.1; Mask(Array2D.create 1 1 true) ]

        let! plasticity = Gen.elements [ Frozen; Learning 0.1; LearningBy(0.1, ownRule) ]

        return {
            (area "a" 1 --> area "b" 1) with
                Parts = []
                Source = source
                Target = target
                Label = label
                Delay = delay
                Opening = gate
                Connectivity = connectivity
                Plasticity = plasticity
        }
    }

let private error (circuit: Circuit) =
    gen {
        let! readout = pick [ for r in circuit.Readouts -> r.Name ] "ghost"
        let! area = pick [ for a in circuit.Areas -> a.Name ] "ghost"

        let! through =
            Gen.elements [
                randomFeedback 1.0
                symmetric
                feedbackMatrix (Array2D.zeroCreate 1 1)
            ]

        return {
            Readout = readout
            Area = area
            Through = through
            Parts = []
            Lost = []
        }
    }

/// Circuits of any kind.
let circuits =
    gen {
        let! count = Gen.choose (0, names.Length)
        let! areaList = names |> List.truncate count |> List.map areaOf |> Gen.sequenceToList

        let! inputs =
            Gen.elements [
                []
                [ input "cue" 2 ]
                [ input "left.cue" 2; input "right.cue" 1 ]
            ]

        let! readouts =
            Gen.elements [
                []
                [ readout "hand" 2 ]
                [ readout "hand" 2; readout "left.eye" 1 ]
            ]

        let parts =
            Circuit.empty
            |> areas areaList
            |> Circuit.inputs inputs
            |> Circuit.readouts readouts

        let! projectionCount = Gen.choose (0, 3 * count)
        let! all = Gen.listOfLength projectionCount (projection parts)
        let! errorCount = Gen.choose (0, count)
        let! errors = Gen.listOfLength errorCount (error parts)
        return parts |> projections all |> feedback errors
    }

/// A property of random circuits.
let forEvery count name (test: Circuit -> unit) =
    testPropertyWithConfig
        {
            FsCheckConfig.defaultConfig with
                maxTest = count
                replay = Some(43299UL, 20191104001UL, None)
        }
        name
        (Prop.forAll (Arb.fromGen circuits) test)
