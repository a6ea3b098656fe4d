/// What a run is: whatever value of its declaration changes, it is another.
module Rflo.Host.Tests.FingerprintTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Microsoft.FSharp.Reflection
open Rflo.Core
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host
open Rflo.Testing

/// Whether a type is a record of C#.
let private isRecord (kind: Type) =
    let hidden = Reflection.BindingFlags.Instance ||| Reflection.BindingFlags.NonPublic

    not (isNull (kind.GetMethod("PrintMembers", hidden)))

/// Changes the k-th number, word, flag or choice of a value, counted as it goes; all others stay. Functions and objects of other
/// libraries are none.
let rec private change (left: int ref) (value: objnull) : objnull =
    let isHere () =
        left.Value <- left.Value - 1
        left.Value = -1

    let rebuilt (old: obj) (fields: objnull[]) make : objnull =
        let changed = fields |> Array.map (change left)

        if Array.forall2 (fun a b -> obj.ReferenceEquals(a, b)) fields changed then
            old
        else
            make changed

    match value with
    | null -> null
    | :? string as text -> if isHere () then box (text + "x") else value
    | :? float as number -> if isHere () then box (number + 0.125) else value
    | :? int as number -> if isHere () then box (number + 1) else value
    | :? int64 as number -> if isHere () then box (number + 1L) else value
    | :? bool as flag -> if isHere () then box (not flag) else value
    | :? (float[]) as numbers when numbers.Length > 0 ->
        if isHere () then
            let copy = Array.copy numbers
            copy[copy.Length - 1] <- copy[copy.Length - 1] + 0.125
            box copy
        else
            value
    | :? (float[,]) as numbers when numbers.Length > 0 ->
        if isHere () then
            let copy = Array2D.copy numbers
            let i, j = Array2D.length1 copy - 1, Array2D.length2 copy - 1
            copy[i, j] <- copy[i, j] + 0.125
            box copy
        else
            value
    | :? (bool[,]) as flags when flags.Length > 0 ->
        if isHere () then
            let copy = Array2D.copy flags
            copy[0, 0] <- not copy[0, 0]
            box copy
        else
            value
    | value ->
        let kind = value.GetType()

        if FSharpType.IsTuple kind then
            rebuilt value (FSharpValue.GetTupleFields value) (fun fields ->
                FSharpValue.MakeTuple(fields, kind))
        elif FSharpType.IsUnion kind then
            let case, fields = FSharpValue.GetUnionFields(value, kind)
            rebuilt value fields (fun fields -> FSharpValue.MakeUnion(case, fields))
        elif FSharpType.IsRecord kind then
            rebuilt value (FSharpValue.GetRecordFields value) (fun fields ->
                FSharpValue.MakeRecord(kind, fields))
        elif kind.IsEnum then
            if isHere () then Enum.ToObject(kind, 99) else value
        elif isRecord kind then
            // A record of C#: made again by its longest constructor.
            let make =
                kind.GetConstructors() |> Array.maxBy (fun each -> each.GetParameters().Length)

            let fields = [|
                for parameter in make.GetParameters() ->
                    (nonNull (kind.GetProperty(nonNull parameter.Name))).GetValue value
            |]

            rebuilt value fields make.Invoke
        else
            value

/// How many values a part has.
let private valuesOf (part: obj) =
    let left = ref Int32.MaxValue
    change left part |> ignore
    Int32.MaxValue - left.Value

/// How many values a declaration has.
let private values (experiment: Experiment) = valuesOf experiment

let private samples count =
    Generate.experiments |> Gen.sampleWithSeed (Rnd 43299UL) 12 count

let private started (experiment: Experiment) =
    match Check.experiment experiment with
    | Ok ready -> Run.start ready
    | Error problems -> failtest $"{List.map Problem.text problems}"

[<Tests>]
let tests =
    testList "the identity of a run" [
        test "changes with every value of its declaration" {
            let random = Random 5
            let mutable changed = 0

            for experiment in samples 25 do
                let own = Fingerprint.ofExperiment [] experiment
                Expect.equal (Fingerprint.ofExperiment [] experiment) own "the same twice"
                let count = values experiment

                for _ in 1..12 do
                    let place = random.Next count
                    let other = nonNull (change (ref place) experiment) :?> Experiment

                    if other <> experiment then
                        changed <- changed + 1

                        Expect.notEqual
                            (Fingerprint.ofExperiment [] other)
                            own
                            $"value {place} of {experiment.Name}"

                        Expect.notEqual
                            (SweepPoints.id [] other)
                            (SweepPoints.id [] experiment)
                            "point"

            Numbers.isGreaterThan changed 150 "values that were changed"
        }

        test "is that of the weights that a point reads, as they are" {
            let at source value =
                let plain = Periodic.experiment 5 20

                let read =
                    ReadFrom(source, fun () -> Ok(WeightMatrix.Full(Array2D.create 5 5 value)))

                {
                    plain with
                        Circuit =
                            plain.Circuit |> Circuit.mapProjection "cortex->cortex" (weights read)
                }

            let id = SweepPoints.id []
            Expect.equal (id (at "a" 0.5)) (id (at "a" 0.5)) "the same"
            Expect.notEqual (id (at "a" 0.5)) (id (at "a" 0.25)) "other weights in one place"
            Expect.notEqual (id (at "a" 0.5)) (id (at "b" 0.5)) "another place"
        }

        test "has the window of losses where a schedule of rates looks at them" {
            let run window rates =
                Periodic.experiment 5 20
                |> lossWindow window
                |> rule { Rule.bptt with Schedule = rates }
                |> started
                |> Fingerprint.ofRun

            let plateau = Schedule.warmUp 2 (Schedule.onPlateau 0.5 3)
            Expect.notEqual (run 5 plateau) (run 6 plateau) "it looks"
            Expect.equal (run 5 plateau) (run 5 plateau) "the same"
            Expect.equal (run 5 (Schedule.cosine 9.0)) (run 6 (Schedule.cosine 9.0)) "it does not"
        }

        test "changes with every constant of optimizers, clips, schedules, losses and penalties" {
            let plain = Periodic.experiment 5 20
            let learnsBy rule = { plain with Rule = rule }

            let withLoss loss = {
                plain with
                    Circuit = {
                        plain.Circuit with
                            Readouts = plain.Circuit.Readouts |> List.map (Readout.loss loss)
                    }
            }

            let withCost cost = {
                plain with
                    Circuit = plain.Circuit |> Circuit.mapArea "cortex" (penalties [ cost ])
            }

            let withModel model = {
                plain with
                    Circuit = plain.Circuit |> Circuit.mapArea "cortex" (units model)
            }

            let part (one: 'part) (put: 'part -> Experiment) =
                nonNull (box one), (fun (other: obj) -> put (unbox other))

            let all = [
                for optimizer in
                    [
                        Optimizer.sgd
                        Optimizer.adam
                        Optimizer.momentum 0.9
                        Optimizer.adamW 0.01
                        Optimizer.rmsProp 0.99
                    ] do
                    part optimizer (fun one -> learnsBy { Rule.bptt with Optimizer = one })
                for clip in [ Clip.Each 0.5; Clip.All 0.5 ] do
                    part clip (fun one -> learnsBy { Rule.bptt with Clip = one })
                for rates in
                    [
                        Schedule.halvedEvery 100.0
                        Schedule.stepped 100 0.5
                        Schedule.cosineTo 0.1 100.0
                        Schedule.onPlateau 0.5 10
                        Schedule.warmUp 10 (Schedule.inverse 100.0)
                    ] do
                    part rates (fun one -> learnsBy { Rule.bptt with Schedule = one })
                for loss in [ Loss.huber 0.5; Loss.hinge 1.0; Loss.poisson ] do
                    part loss withLoss
                for model in [ LeakyIntegrateAndFire() ] do
                    part model withModel
                for cost in [ Penalty.l1 0.1; Penalty.meanToward 0.2 0.1 ] do
                    part cost withCost
            ]

            let mutable changed = 0

            for one, put in all do
                let own = Fingerprint.ofExperiment [] (put one)

                for place in 0 .. valuesOf one - 1 do
                    changed <- changed + 1

                    Expect.notEqual
                        (Fingerprint.ofExperiment [] (put (nonNull (change (ref place) one))))
                        own
                        $"value {place} of {one}"

            let own = [
                for one, put in all -> Fingerprint.ofExperiment [] (put one)
            ]

            Expect.equal (List.distinct own).Length all.Length "each its own"
            Numbers.isGreaterThan changed 30 "values that were changed"
        }

        test
            "is that of its declaration, its weights and its feedback, and not of its trials and its end" {
            for experiment in samples 12 |> Array.filter (fun experiment -> experiment.Trials > 0) do
                let own = Fingerprint.ofRun (started experiment)

                let longer = {
                    experiment with
                        Trials = experiment.Trials + 1
                        Stopping = {
                            experiment.Stopping with
                                TargetLoss = Some 0.125
                        }
                }

                Expect.equal (Fingerprint.ofRun (started longer)) own "more trials"

                let running = started experiment

                for k in 0 .. running.Compiled.Graph.Projections.Count - 1 do
                    let weights = running.Session.Weights(ProjectionId k)
                    let at = weights |> Array.tryFindIndexBack (fun weight -> weight <> 0.0)

                    match at with
                    | Some at ->
                        let other = Array.copy weights
                        // Within signs and bounds; half of a weight is another weight.
                        other[at] <- other[at] / 2.0
                        running.Session.SetWeights(ProjectionId k, other)
                        Expect.notEqual (Fingerprint.ofRun running) own "another weight"
                        running.Session.SetWeights(ProjectionId k, weights)
                    | None -> ()

                Expect.equal (Fingerprint.ofRun running) own "the same weights"
        }
    ]
