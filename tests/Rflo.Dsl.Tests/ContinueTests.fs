/// A run that goes on from what another left is one that never stopped: weights of 0, masks, and learned time constants.
module Rflo.Dsl.Tests.ContinueTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid

/// What a recurrent projection is made of.
type Recurrent =
    | Full
    | Drawn of density: float
    | Masked of share: float
    | NoSelf
    | Diagonal

/// A circuit of two areas without memory from trial to trial, and a task that is the same in every trial.
type Case = {
    Recurrent: Recurrent
    Dale: float option
    Bounds: (float * float) option
    LearnsTau: bool
    LearnsInitial: bool
    Dt: float<ms>
    Precision: Precision
    Update: Update
    Rule: Rule
    Seed: int64
}

let private caseGen =
    gen {
        let! recurrent =
            Gen.frequency [
                1, Gen.constant Full
                4, Gen.elements [ 0.05; 0.25; 0.26; 0.6; 1.0 ] |> Gen.map Drawn
                2, Gen.elements [ 0.1; 0.7 ] |> Gen.map Masked
                1, Gen.constant NoSelf
                2, Gen.constant Diagonal
            ]

        let! dale = Gen.elements [ None; Some 0.5; Some 0.75 ]

        let! bounds =
            Gen.elements [ None; Some(-0.25, 0.25); Some(0.0, 1.0); Some(-1.0, 0.0) ]

        let! learnsTau = Gen.elements [ false; true ]
        let! learnsInitial = Gen.elements [ false; true ]
        let! dt = Gen.elements [ 0.5<ms>; 1.0<ms>; 2.0<ms> ]
        let! precision = Gen.elements [ Precision.Double; Precision.Single ]
        let! update = Gen.elements [ Online; TrialEnd ]
        let! rule = Gen.elements [ Rule.rflo; Rule.bptt; Rule.rtrl; Rule.eprop ]
        let! seed = Gen.choose (1, 1000)

        return {
            Recurrent = recurrent
            Dale = dale
            // Bounds on one side and Dale's law on the other leave half of the units nothing but 0.
            Bounds = bounds
            LearnsTau = learnsTau
            LearnsInitial = learnsInitial
            Dt = dt
            Precision = precision
            Update = (if rule.Name = "bptt" then TrialEnd else update)
            Rule = rule
            Seed = int64 seed
        }
    }

type Arbitraries =
    static member Case() = Arb.fromGen caseGen

let private cases count = {
    config count with
        arbitrary = [ typeof<Arbitraries> ]
}

let private units = 12

let private circuitOf (case: Case) =
    let a =
        area "a" units
        |> tau 5.0<ms>
        |> initial (reset 0.3)
        |> fun a -> { a with Dale = case.Dale }
        |> (if case.LearnsTau then learnTau 3.0 else id)
        |> if case.LearnsInitial then learnInitial 2.0 else id

    let b = area "b" units |> tau 4.0<ms>
    let y = readout "y" 2
    let random = Random(int case.Seed)

    let shape =
        match case.Recurrent with
        | Full -> weights (gaussian 1.0)
        | Drawn fraction -> weights (gaussian 1.0) >> density fraction
        | Masked share ->
            weights (gaussian 1.0)
            >> mask (Array2D.init units units (fun _ _ -> random.NextDouble() < share))
        | NoSelf -> weights (gaussian 1.0) >> noSelf
        | Diagonal -> weights (oneToOne 0.0)

    let bound (projection: Projection) = { projection with Bounds = case.Bounds }

    Circuit.empty
    |> areas [ a; b ]
    |> readouts [ y ]
    |> projections [
        a --> a |> shape |> bound |> learningRate 0.5
        a --> b |> weights (gaussian 1.0) |> density 0.2 |> learningRate 0.5
        b --> a |> weights (gaussian 1.0) |> density 0.2 |> bound |> learningRate 0.5
        bias --> b |> learningRate 0.5
        b --> y
        |> weights (uniformScaled 1.0)
        |> mask (Array2D.init 2 units (fun i j -> i <> j))
        |> learningRate 0.5
        a --> y |> weights (uniformScaled 1.0) |> learningRate 0.5
    ]
    |> feedback [ errorOf y --> a; errorOf y --> b ]

let private wave =
    Array2D.init 12 2 (fun t k -> 1.5 * sin (float t * float (k + 1)))

let experimentOf (case: Case) =
    experiment "continued" (circuitOf case) (Task.ofArrays (Array2D.zeroCreate 12 0) wave)
    |> dt case.Dt
    |> seed (int case.Seed)
    |> precision case.Precision
    |> rule { case.Rule with Update = case.Update }

let private train (experiment: Experiment) =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

/// The bits of what a matrix stores, and where.
let entries (matrix: Matrix<float>) =
    let bits: float -> int64 = BitConverter.DoubleToInt64Bits

    if SparseWeights.isStored matrix then
        let weights = SparseWeights.ofMatrix false (fun _ _ _ -> true) matrix
        weights.RowStart, weights.Presynaptic, Array.map bits weights.Values
    else
        [||], [||], Array.map bits (matrix.ToRowMajorArray())

let expectSame message (a: Trained) (b: Trained) =
    Expect.equal (List.ofSeq a.Final.Keys) (List.ofSeq b.Final.Keys) $"{message}: names"

    for KeyValue(name, matrix) in a.Final do
        Expect.equal (entries matrix) (entries b.Final[name]) $"{message}: {name}"

let private first, second = 3, 4

let private continued (case: Case) =
    let experiment = experimentOf case
    let whole = train (experiment |> trials (first + second))
    let before = train (experiment |> trials first)

    let after =
        train (
            {
                experiment with
                    Circuit = Circuit.withWeights before.Final experiment.Circuit
            }
            |> trials second
        )

    Expect.equal (Array.append before.Losses after.Losses) whole.Losses "losses"
    expectSame "whole and in parts" whole after
    before

let private zeros (matrix: Matrix<float>) =
    matrix.ToRowMajorArray() |> Array.filter ((=) 0.0) |> Array.length

[<Tests>]
let tests =
    testList "going on from a run" [
        testPropertyWithConfig (cases 60) "is never having stopped, to the bit" (fun (case: Case) ->
            continued case |> ignore)

        test "weights that Dale's law holds at 0 exist, and grow again" {
            let case = {
                Recurrent = Drawn 0.2
                Dale = Some 0.5
                Bounds = None
                LearnsTau = false
                LearnsInitial = false
                Dt = 1.0<ms>
                Precision = Precision.Double
                Update = TrialEnd
                Rule = Rule.rflo
                Seed = 3L
            }

            let strong =
                experimentOf case
                |> fun e -> {
                    e with
                        Circuit = e.Circuit |> Circuit.mapProjection "a->a" (learningRate 5.0)
                }

            let before = train (strong |> trials 10)
            let left = before.Final["a->a"]
            let _, connections, values = entries left
            Expect.contains values 0L "some are held at 0"

            let again = {
                strong with
                    Circuit = Circuit.withWeights before.Final strong.Circuit
                    // What pushed them to 0 now pulls them away.
                    Task =
                        Task.ofArrays (Array2D.zeroCreate 12 0) (wave |> Array2D.map (fun y -> -y))
            }

            let after = (train (again |> trials 10)).Final["a->a"]
            let _, now, _ = entries after
            Expect.equal now connections "the same connections"

            let grown =
                Seq.zip (left.Enumerate()) (after.Enumerate())
                |> Seq.filter (fun (then', now) -> then' = 0.0 && now <> 0.0)

            Expect.isNonEmpty grown "grown again"
        }

        test
            "a matrix of one's own takes the place of weights, and its zeros are no connections of a density" {
            let circuit =
                circuitOf {
                    (Gen.sample 1 caseGen)[0] with
                        Recurrent = Drawn 0.2
                        Dale = None
                        Bounds = None
                }

            let own =
                Matrix<float>
                    .Build.Dense(units, units, fun i j -> if (i + j) % 4 = 0 then 0.1 else 0.0)

            let changed = Circuit.withWeights (Map [ "a->a", own ]) circuit

            let trained =
                train (
                    experiment
                        "own"
                        changed
                        (Task.ofArrays (Array2D.zeroCreate 3 0) (Array2D.zeroCreate 3 2))
                    |> trials 0
                )

            Expect.equal (trained.Initial["a->a"].ToArray()) (own.ToArray()) "weights"
            Expect.equal (zeros trained.Initial["a->a"]) (zeros own) "absent"
            let _, connections, _ = entries trained.Initial["a->a"]
            Expect.equal connections.Length (units * units / 4) "connections"
        }

        test "a matrix that stores some connections says which exist, those of weight 0 among them" {
            let stored =
                SparseWeights.toMatrix {
                    Rows = units
                    Columns = units
                    RowStart = [| for i in 0..units -> 2 * i |]
                    Presynaptic = [|
                        for i in 0 .. units - 1 do
                            i / 2
                            units / 2 + i / 2
                    |]
                    Values = [|
                        for i in 0 .. units - 1 do
                            0.0
                            0.1 * float (i + 1)
                    |]
                    IsCompressed = false
                }

            for recurrent in [ Full; Drawn 0.2; Drawn 0.6; Drawn 1.0 ] do
                let changed =
                    circuitOf {
                        (Gen.sample 1 caseGen)[0] with
                            Recurrent = recurrent
                            Dale = None
                            Bounds = None
                            LearnsTau = false
                            LearnsInitial = false
                    }
                    |> Circuit.withWeights (Map [ "a->a", stored ])

                let trained =
                    experiment "stored" changed (Task.ofArrays (Array2D.zeroCreate 12 0) wave)
                    |> trials 2
                    |> train

                Expect.equal (entries trained.Initial["a->a"]) (entries stored) $"{recurrent}"
                let _, connections, _ = entries trained.Final["a->a"]
                let _, expected, _ = entries stored
                Expect.equal connections expected $"{recurrent}, after learning"
        }

        test "a density beside weights that say which connections exist is refused" {
            let trained =
                train (
                    experimentOf {
                        (Gen.sample 1 caseGen)[0] with
                            Recurrent = Drawn 0.2
                            Bounds = None
                    }
                    |> trials 1
                )

            let twice =
                trained.Experiment.Circuit
                |> Circuit.withWeights trained.Final
                |> Circuit.mapProjection "a->a" (density 0.5)

            match
                Check.experiment {
                    trained.Experiment with
                        Circuit = twice
                }
            with
            | Error [ problem ] ->
                Expect.stringContains (Problem.text problem) "leave the density out" "advice"
            | other -> failtest $"{other}"
        }

        test
            "twenty thousand units with two million synapses are evaluated in memory in proportion to these" {
            let large = area "large" 20000
            let y = readout "y" 1

            let sparse =
                Circuit.empty
                |> areas [ large ]
                |> readouts [ y ]
                |> projections [
                    large --> large |> weights (gaussian 1.0) |> density 0.005 |> learningRate 0.1
                    large --> y |> learningRate 0.1
                ]
                |> feedback [ errorOf y --> large ]

            let task = Task.ofArrays (Array2D.zeroCreate 2 0) (Array2D.zeroCreate 2 1)
            let trained = train (experiment "large" sparse task |> trials 0)
            let before = GC.GetAllocatedBytesForCurrentThread()

            match Run.perform trained task 1 with
            | Ok [ shown ] -> Expect.equal shown.Loss trained.Before.Loss "the same trial"
            | other -> failtest $"{other}"

            // Two million synapses are 24 MB as compressed rows; a full matrix of one byte a pair of units is 400 MB.
            let took = GC.GetAllocatedBytesForCurrentThread() - before
            Numbers.isLessThan took 300_000_000L "bytes"
        }
    ]
