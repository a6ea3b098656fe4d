/// What a run is: whatever value of its declaration changes, it is another.
module Rflo.Host.Tests.FingerprintTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Microsoft.FSharp.Reflection
open Rflo.Core
open Rflo.Dsl
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

/// How many values a declaration has.
let private values (experiment: Experiment) =
    let left = ref Int32.MaxValue
    change left experiment |> ignore
    Int32.MaxValue - left.Value

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

            Expect.isGreaterThan changed 150 "values that were changed"
        }

        test "changes with every constant of optimizers, clips, schedules, losses and penalties" {
            let plain = Periodic.experiment 5 20
            let learnsBy rule = { plain with Rule = rule }

            let optimized optimizer =
                learnsBy { Rule.bptt with Optimizer = optimizer }

            let clipped clip = learnsBy { Rule.bptt with Clip = clip }

            let rated rates =
                learnsBy { Rule.bptt with Rates = rates }

            let withLoss loss = {
                plain with
                    Circuit = {
                        plain.Circuit with
                            Readouts = plain.Circuit.Readouts |> List.map (Declare.loss loss)
                    }
            }

            let withCost cost = {
                plain with
                    Circuit = {
                        plain.Circuit with
                            Areas = plain.Circuit.Areas |> List.map (penalties [ cost ])
                    }
            }

            let all = [
                optimized Optimizer.adam
                optimized (Optimizer.momentum 0.9)
                optimized (Optimizer.adamW 0.01)
                optimized (Optimizer.rmsProp 0.99)
                clipped (Clip.Each 0.5)
                clipped (Clip.All 0.5)
                rated (Rates.halvedEvery 100.0)
                rated (Rates.stepped 100 0.5)
                rated (Rates.cosineTo 0.1 100.0)
                rated (Rates.onPlateau 0.5 10)
                rated (Rates.warmUp 10 (Rates.inverse 100.0))
                withLoss (Loss.huber 0.5)
                withLoss (Loss.hinge 1.0)
                withCost (Penalty.l1 0.1)
                withCost (Penalty.meanToward 0.2 0.1)
            ]

            let mutable changed = 0

            for experiment in all do
                let own = Fingerprint.ofExperiment [] experiment

                for place in 0 .. values experiment - 1 do
                    let other = nonNull (change (ref place) experiment) :?> Experiment

                    if other <> experiment then
                        changed <- changed + 1

                        Expect.notEqual
                            (Fingerprint.ofExperiment [] other)
                            own
                            $"value {place}, with {experiment.Rule.Optimizer}, {experiment.Rule.Clip}, {experiment.Rule.Rates}"

            let own = all |> List.map (Fingerprint.ofExperiment [])
            Expect.equal (List.distinct own).Length all.Length "each its own"
            Expect.isGreaterThan changed 600 "values that were changed"
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
