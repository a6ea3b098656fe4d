/// Populations whose numbers are known, and what must not change them.
module Rflo.Analysis.Tests.PopulationTests

open System
open Expecto
open FsCheck.FSharp
open MathNet.Numerics.Distributions
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Analysis
open Rflo.Analysis.Tests.Small

let private normal rows columns draw =
    let stream = RandomStream(draw, "a population")
    Matrix<float>.Build.Dense(rows, columns, fun _ _ -> stream.Gaussian())

/// A rotation, perhaps with a reflection.
let private rotation units draw = (normal units units draw).QR().Q

let private shifted (samples: Matrix<float>) draw =
    let shift = (normal 1 samples.ColumnCount draw).Row 0

    Matrix<float>
        .Build.Dense(samples.RowCount, samples.ColumnCount, fun i j -> samples[i, j] + shift[j])

let private trialsOf (value: int -> int -> int -> float) trials steps units =
    TrialSet(
        [|
            for k in 0 .. trials - 1 do
                for t in 0 .. steps - 1 do
                    for i in 0 .. units - 1 -> value k t i
        |],
        trials,
        steps,
        units
    )

let private noise trials steps units draw =
    let stream = RandomStream(draw, "trials")
    trialsOf (fun _ _ _ -> stream.Gaussian()) trials steps units

let private isSame (a: Matrix<float>) (b: Matrix<float>) tolerance message =
    Numbers.isLessThanOrEqual ((a - b).FrobeniusNorm()) tolerance message

// ---- trials ------------------------------------------------------------------------------------

let private trials =
    testList "trials" [
        testCase "are read by trial, step and unit"
        <| fun () ->
            let set = trialsOf (fun k t i -> float (100 * k + 10 * t + i)) 3 4 2
            Expect.equal set[2, 3, 1] 231.0 "one number"
            Expect.equal ((set.Trial 1).[2, 1]) 121.0 "a trial"
            Expect.equal ((set.AtStep 2).[1, 0]) 120.0 "a step"
            Expect.equal ((set.Samples()).[6, 1]) 121.0 "samples"
            Expect.equal ((set.MeanOverSteps()).[2, 1]) 216.0 "means"
            Expect.equal ((set.Window(1, 2)).[2, 1, 0]) 220.0 "a window"
            let again = TrialSet.Of [| for k in 0..2 -> set.Trial k |]
            Expect.equal (again.ToArray()) (set.ToArray()) "from matrices"

        testCase "have means by condition, in rising order"
        <| fun () ->
            let set = trialsOf (fun k t i -> float (100 * k + 10 * t + i)) 4 2 1
            let means = set.ConditionMeans [| 7; -1; 7; -1 |]
            Expect.equal (means.ToArray()) [| 200.0; 210.0; 100.0; 110.0 |] "-1 first"

        testCase "are taken by their numbers, in the order given"
        <| fun () ->
            let set = trialsOf (fun k t i -> float (100 * k + 10 * t + i)) 4 2 2
            let some = set |> Rflo.Dsl.Population.ofTrials [ 3; 0; 3 ]
            Expect.equal (some.Trials, some.Steps, some.Units) (3, 2, 2) "shape"
            Expect.equal (some[0, 1, 1]) 311.0 "first"
            Expect.equal (some[1, 1, 0]) 10.0 "second"
            Expect.equal (some.Trial 2) (some.Trial 0) "twice"
            isRefused [ "no trial 4"; "from 0 to 3" ] (fun () -> set.Take [| 0; 4 |])
            isRefused [ "no trial -1" ] (fun () -> set.Take [| -1 |])
            isRefused [ "none of them is taken" ] (fun () -> set.Take [||])

        testCase "are split within each condition, and every trial is in one part"
        <| fun () ->
            let train, test = Rflo.Dsl.Population.split 3 [| 5; 5; 2; 5; 2; 2; 5; 5; 5; 2 |]
            Expect.equal test [ 3; 5; 8 ] "the third and sixth of 5, the third of 2"
            Expect.equal train [ 0; 1; 2; 4; 6; 7; 9 ] "all others"

            for seed in 1..50 do
                let random = Random seed
                let every = random.Next(2, 5)
                let kinds = random.Next(1, 4)

                let conditions = Array.init (12 * kinds + random.Next 20) (fun k -> k * 7 % kinds)

                let train, test = Rflo.Dsl.Population.split every conditions
                Expect.equal (List.sort (train @ test)) [ 0 .. conditions.Length - 1 ] "each once"
                Expect.equal (List.sort train) train "rising"

                for condition, all in Array.countBy id conditions do
                    let held = test |> List.filter (fun k -> conditions[k] = condition)
                    Expect.equal held.Length (all / every) $"condition {condition}"

        testCase "are not split where a part would be empty"
        <| fun () ->
            let split every conditions () =
                TrialSplit.WithinConditions(conditions, every)

            isRefused [ "one trial in 1 to test on" ] (split 1 [| 0; 0 |])
            isRefused [ "there is no trial" ] (split 2 [||])

            isRefused
                [ "condition 4 has 2 trials"; "one in 3"; "Take one in 2" ]
                (split 3 [| 0; 4; 0; 4; 0 |])

            isRefused
                [ "condition 1 has 1 trials"; "Leave that condition out" ]
                (split 2 [| 0; 1; 0 |])

        testCase "say what does not fit"
        <| fun () ->
            let set = noise 3 4 2 1L
            isRefused [ "5 numbers" ] (fun () -> TrialSet(Array.zeroCreate 5, 1, 2, 3))

            isRefused [ "trial 1, step 0, unit 1"; "NaN" ] (fun () ->
                TrialSet([| 1.0; 1.0; 1.0; nan |], 2, 1, 2))

            isRefused [ "trial 1 has 3 steps"; "window" ] (fun () ->
                TrialSet.Of [| normal 2 2 1L; normal 3 2 1L |])

            isRefused [ "trial 1 has 3 units" ] (fun () ->
                TrialSet.Of [| normal 2 2 1L; normal 2 3 1L |])

            isRefused [ "no trial" ] (fun () -> TrialSet.Of [||])
            isRefused [ "window"; "4 steps" ] (fun () -> set.Window(2, 3))
            isRefused [ "conditions: 2"; "3 trials" ] (fun () -> set.ConditionMeans [| 1; 2 |])
    ]

// ---- components ----------------------------------------------------------------------------------

/// The variances are the eigenvalues of the covariance, and the components its eigenvectors, whichever side is longer.
let private isCovariance (rows, columns, draw) =
    let samples =
        shifted (normal rows columns draw * normal columns columns (draw + 1L)) draw

    let found = PrincipalComponents.Of samples
    let mean = samples.ColumnSums() / float rows

    let centred =
        Matrix<float>.Build.Dense(rows, columns, fun i j -> samples[i, j] - mean[j])

    let covariance = centred.TransposeThisAndMultiply centred / float (rows - 1)
    let count = min rows columns
    Expect.equal found.Variances.Length count "as many as can be"
    let inner = found.Components.TransposeThisAndMultiply found.Components
    isSame inner (Matrix<float>.Build.DenseIdentity count) 1e-9 "components are orthogonal"
    let image = covariance * found.Components

    let scaled =
        found.Components * Matrix<float>.Build.DenseOfDiagonalArray found.Variances

    isSame image scaled (1e-9 * (1.0 + covariance.FrobeniusNorm())) "eigenvectors of the covariance"
    isNear 1e-9 1.0 (Array.sum found.Explained) "shares"

    isNear
        (1e-9 * covariance.Trace())
        (covariance.Trace())
        (Array.sum found.Variances)
        "the variance of all"

    Expect.equal (Array.sortDescending found.Variances) found.Variances "in falling order"

let private shapes =
    gen {
        let! rows = Gen.choose (2, 12)
        let! columns = Gen.choose (1, 12)
        let! draw = Gen.choose (1, 1000000)
        return rows, columns, int64 draw
    }
    |> Arb.fromGen

let private components =
    testList "principal components" [
        testCase "are those of the covariance"
        <| fun () -> forAll (cases 100 2000) shapes isCovariance

        testCase "turn a trial into its coordinates"
        <| fun () ->
            let set = noise 5 6 4 3L
            let found = PrincipalComponents.Of set
            let turned = found.Project(set, 4)
            let back = (turned.Trial 2) * found.Components.Transpose()

            for t in 0..5 do
                for i in 0..3 do
                    isNear 1e-12 set[2, t, i] (back[t, i] + found.Mean[i]) "there and back"

            let first = found.Project(set, 1).Samples().Column 0

            isNear
                1e-9
                found.Variances[0]
                (first.DotProduct first / 29.0)
                "the variance along the first"

        testCase "of conditions do not see what cancels within them"
        <| fun () ->
            // Unit 1 varies between the trials of a condition only, unit 0 between conditions.
            let set =
                trialsOf
                    (fun k t i -> if i = 0 then float (k / 2 * t) else float (2 * (k % 2) - 1))
                    4
                    3
                    2

            let found = PrincipalComponents.Of(set, [| 0; 0; 1; 1 |])

            Expect.equal
                (found.Components.Column(0).ToArray() |> Array.map (fun x -> Math.Round(x, 12)))
                [| 1.0; 0.0 |]
                "unit 0"

            isNear 1e-12 0.0 found.Variances[1] "unit 1"

        testCase "of 20,000 units need no matrix of units"
        <| fun () ->
            let direction = (normal 1 20_000 5L).Row(0).Normalize 2.0

            let samples =
                Matrix<float>
                    .Build
                    .Dense(12, 20_000, fun k i -> (if k < 6 then 1.0 else -1.0) * direction[i])

            let found = PrincipalComponents.Of samples
            isNear 1e-9 1.0 (abs (found.Components.Column(0).DotProduct direction)) "the direction"
            isNear 1e-9 (12.0 / 11.0) found.Variances[0] "its variance"

        testCase "say what does not fit"
        <| fun () ->
            isRefused [ "1 sample" ] (fun () -> PrincipalComponents.Of(normal 1 3 1L))
            let set = noise 3 4 2 1L

            isRefused [ "components: 3"; "there are 2" ] (fun () ->
                PrincipalComponents.Of(set).Project(set, 3))

            isRefused [ "axes"; "2 units"; "of 3" ] (fun () ->
                PrincipalComponents.Of(set).Project(noise 3 4 3 1L, 1))
    ]

// ---- dimensions ----------------------------------------------------------------------------------

let private dimensions =
    testList "participation ratio" [
        testCase "is the number of directions of equal variance"
        <| fun () ->
            for count in 1..4 do
                // Each trial is one of so many unit vectors, or its opposite, turned.
                let turn = rotation 5 (int64 count)

                let set =
                    trialsOf
                        (fun k _ i -> (if k % 2 = 0 then 1.0 else -1.0) * turn[k / 2 % count, i])
                        (4 * count)
                        1
                        5

                isNear 1e-9 (float count) (Participation.Of set).Ratio $"{count} directions"

        testCase "of isotropic noise is n less its bias"
        <| fun () ->
            let found = Participation.Of(noise 60 20 6 2L)
            // E tr(C)^2 / E tr(C^2) of m samples of n units is n m / (m + n + 1).
            isNear 0.1 (6.0 * 1200.0 / 1207.0) found.Ratio "all units alike"
            Numbers.isLessThan (abs (found.Corrected - 6.0)) (4.0 * found.Error) "corrected"
            Numbers.isGreaterThan found.Error 0.0 "an error"

        testCase "has the error that leaving out trials gives"
        <| fun () ->
            // Two units: the trials' variances are known, and so are the ratios without each.
            let value = [| 1.0; -1.0; 2.0; -2.0 |]

            let set =
                trialsOf
                    (fun k t i ->
                        if i = 0 then
                            value[k] * float (1 - 2 * t)
                        else
                            (if k < 2 then 1.0 else 0.0) * float (1 - 2 * (t % 2)))
                    4
                    2
                    2

            let ratio kept =
                let a = kept |> List.sumBy (fun k -> 2.0 * value[k] * value[k])
                let b = kept |> List.sumBy (fun k -> if k < 2 then 2.0 else 0.0)
                let c = kept |> List.sumBy (fun k -> if k < 2 then 2.0 * value[k] else 0.0)
                (a + b) ** 2.0 / (a * a + b * b + 2.0 * c * c)

            let without = [
                for left in 0..3 -> ratio (List.filter ((<>) left) [ 0..3 ])
            ]

            let mean = List.average without
            let error = sqrt (0.75 * List.sumBy (fun r -> (r - mean) ** 2.0) without)
            let found = Participation.Of set
            isNear 1e-12 (ratio [ 0..3 ]) found.Ratio "of all"
            isNear 1e-12 error found.Error "jackknife"
            isNear 1e-12 (4.0 * ratio [ 0..3 ] - 3.0 * mean) found.Corrected "less its bias"

        testCase "has the same error with silent units, of which there may be more than samples"
        <| fun () ->
            let rate k t i =
                if i < 3 then
                    sin (float (k + 1) * float (t + 2) * float (i + 1))
                else
                    0.0

            let narrow = Participation.Of(trialsOf rate 5 4 3)
            let wide = Participation.Of(trialsOf rate 5 4 60)
            isNear 1e-12 narrow.Ratio wide.Ratio "ratio"
            isNear 1e-12 narrow.Error wide.Error "jackknife"
            isNear 1e-12 narrow.Corrected wide.Corrected "less its bias"

        testCase "is that of the variances of principal components, whichever side is longer"
        <| fun () ->
            for units in [ 3; 40 ] do
                let set = noise 4 3 units 9L
                let variances = (PrincipalComponents.Of set).Variances
                let squares = variances |> Array.sumBy (fun v -> v * v)
                let expected = Array.sum variances ** 2.0 / squares
                isNear 1e-9 expected (Participation.Of set).Ratio $"{units} units"

        testCase "does not depend on where, how large and how turned activity is"
        <| fun () ->
            for draw in 1L .. 20L do
                let set = noise 4 5 7 draw
                let turn = 3.0 * rotation 7 (draw + 100L)
                let turned = set.Project(turn, Vector<float>.Build.Dense(7, 0.3))
                isNear 1e-9 (Participation.Of set).Ratio (Participation.Of turned).Ratio "turned"

        testCase "says what does not fit"
        <| fun () ->
            isRefused [ "no unit varies" ] (fun () ->
                Participation.Of(trialsOf (fun _ _ _ -> 1.0) 3 2 2))

            Expect.isTrue
                (Double.IsNaN (Participation.Of(noise 1 5 2 1L)).Error)
                "a single trial has no error"
    ]

// ---- comparisons ---------------------------------------------------------------------------------

let private compare =
    testList "similarity" [
        testCase "by kernels and Procrustes does not depend on shift, scale and rotation"
        <| fun () ->
            forAll (cases 100 2000) shapes (fun (rows, columns, draw) ->
                let rows = rows + 2
                let first, second = normal rows columns draw, normal rows (columns + 1) (draw + 7L)
                let turned = shifted (2.5 * second * rotation (columns + 1) (draw + 9L)) draw

                isNear
                    1e-9
                    1.0
                    (Similarity.CenteredKernelAlignment(second, turned))
                    "itself turned"

                isNear
                    1e-9
                    (Similarity.CenteredKernelAlignment(first, second))
                    (Similarity.CenteredKernelAlignment(first, turned))
                    "kernels"

                let struct (same, _) = Similarity.Procrustes(second, turned)
                isNear 1e-6 0.0 same "itself turned"

                let struct (one, _), struct (other, _) =
                    Similarity.Procrustes(first, second), Similarity.Procrustes(first, turned)

                isNear 1e-9 one other "Procrustes"
                let struct (back, _) = Similarity.Procrustes(second, first)
                isNear 1e-9 one back "either way")

        testCase "of axes that share nothing is 0, and the distance the largest"
        <| fun () ->
            let first =
                Matrix<float>.Build.DenseOfArray(array2D [ [ 1.0 ]; [ -1.0 ]; [ 0.0 ]; [ 0.0 ] ])

            let second =
                Matrix<float>.Build.DenseOfArray(array2D [ [ 0.0 ]; [ 0.0 ]; [ 2.0 ]; [ -2.0 ] ])

            isNear 1e-12 0.0 (Similarity.CenteredKernelAlignment(first, second)) "kernels"
            let struct (distance, _) = Similarity.Procrustes(first, second)
            isNear 1e-12 (sqrt 2.0) distance "Procrustes"

        testCase "of one axis is the squared correlation"
        <| fun () ->
            let first, second = normal 30 1 1L, normal 30 1 2L

            let r =
                MathNet.Numerics.Statistics.Correlation.Pearson(first.Column 0, second.Column 0)

            isNear 1e-12 (r * r) (Similarity.CenteredKernelAlignment(first, second)) "kernels"
            let struct (distance, _) = Similarity.Procrustes(first, second)
            isNear 1e-12 (sqrt (2.0 - 2.0 * abs r)) distance "Procrustes"

        testCase "gives the rotation between two populations"
        <| fun () ->
            let first, turn = normal 20 4 3L, rotation 4 4L
            let struct (_, found) = Similarity.Procrustes(first * turn, first)
            isSame found turn 1e-9 "the rotation"

        testCase "of more units than samples is the same by either product"
        <| fun () ->
            let first, second = normal 6 40 1L, normal 6 50 2L
            // Zeros in further samples' units change nothing, but the shorter product.
            let centre (m: Matrix<float>) =
                m
                - Matrix<float>.Build.Dense(6, m.ColumnCount, fun _ j -> (m.Column(j).Sum() / 6.0))

            let x, y = centre first, centre second

            let square (a: Matrix<float>) (b: Matrix<float>) =
                (a.TransposeThisAndMultiply b).FrobeniusNorm() ** 2.0

            isNear
                1e-10
                (square x y / sqrt (square x x * square y y))
                (Similarity.CenteredKernelAlignment(first, second))
                "kernels"

        testCase "of conditions is correlation, distance or angle"
        <| fun () ->
            let conditions =
                Matrix<float>
                    .Build.DenseOfArray(
                        array2D [ [ 1.0; 2.0; 3.0 ]; [ 3.0; 2.0; 1.0 ]; [ 2.0; 4.0; 6.0 ] ]
                    )

            let by measure =
                Similarity.Dissimilarities(conditions, measure)

            isNear 1e-12 2.0 (by Dissimilarity.Correlation).[0, 1] "opposite"
            isNear 1e-12 0.0 (by Dissimilarity.Correlation).[0, 2] "the same but for scale"
            isNear 1e-12 (sqrt 8.0) (by Dissimilarity.Euclidean).[0, 1] "distance"
            isNear 1e-12 (1.0 - 10.0 / 14.0) (by Dissimilarity.Cosine).[0, 1] "angle"
            Expect.equal ((by Dissimilarity.Correlation).[1, 1]) 0.0 "from itself"

        testCase "of dissimilarities is their rank correlation"
        <| fun () ->
            let of' (values: float list) =
                Matrix<float>.Build.Dense(3, 3, fun i j -> if i = j then 0.0 else values[i + j - 1])

            isNear
                1e-12
                1.0
                (Similarity.Correlation(of' [ 1.0; 2.0; 3.0 ], of' [ 1.0; 10.0; 11.0 ]))
                "the same order"

            isNear
                1e-12
                -1.0
                (Similarity.Correlation(of' [ 1.0; 2.0; 3.0 ], of' [ 3.0; 2.0; 1.0 ]))
                "the opposite order"

            isNear
                1e-12
                0.5
                (Similarity.Correlation(of' [ 1.0; 2.0; 3.0 ], of' [ 1.0; 3.0; 2.0 ]))
                "two exchanged"

        testCase "says what does not fit"
        <| fun () ->
            isRefused [ "the first population has 4"; "the second 5" ] (fun () ->
                Similarity.CenteredKernelAlignment(normal 4 2 1L, normal 5 2 1L))

            isRefused [ "second population does not vary" ] (fun () ->
                Similarity.Procrustes(normal 4 2 1L, Matrix<float>.Build.Dense(4, 2, 1.0)))

            isRefused [ "condition 1"; "correlation" ] (fun () ->
                Similarity.Dissimilarities(
                    Matrix<float>.Build.DenseOfArray(array2D [ [ 1.0; 2.0 ]; [ 1.0; 1.0 ] ])
                ))

            isRefused [ "first population"; "not finite" ] (fun () ->
                Similarity.Procrustes(Matrix<float>.Build.Dense(4, 2, nan), normal 4 2 1L))

            isRefused [ "2 conditions" ] (fun () ->
                Similarity.Correlation(normal 2 2 1L, normal 2 2 1L))
    ]

// ---- decoding ------------------------------------------------------------------------------------

let private withClassifier classifier =
    DecodingOptions(Classifier = classifier)

/// Trials of classes that lie so far apart along one unit, from the second step on.
let private apart distance classes trials draw =
    let stream = RandomStream(draw, "classes")
    let labels = Array.init trials (fun k -> k % classes)

    trialsOf
        (fun k t i -> stream.Gaussian() + (if i = labels[k] % 3 && t > 0 then distance else 0.0))
        trials
        2
        3,
    labels

/// So many of trials right are as likely as 1e-6 or less.
let private isWithin (p: float) trials (accuracy: float) message =
    let right = int (Math.Round(accuracy * float trials))
    let below = Binomial.CDF(p, trials, float right)
    let above = 1.0 - Binomial.CDF(p, trials, float (right - 1))
    Numbers.isGreaterThan (min below above) 1e-6 $"{message}: {right} of {trials} at {p}"

let private decoding =
    testList "decoding" [
        for classifier in [ Classifier.LinearDiscriminant; Classifier.Ridge ] do
            testCase $"{classifier} finds what is there, and nothing before"
            <| fun () ->
                let set, labels = apart 12.0 3 90 1L
                let found = Decoding.OverTime(set, labels, withClassifier classifier)
                Expect.equal found.Accuracy[1] 1.0 "far apart"
                isWithin (1.0 / 3.0) 90 found.Accuracy[0] "before"
                isNear 1e-12 (1.0 / 3.0) found.Chance "chance"

            testCase $"{classifier} is at chance for labels that were shuffled"
            <| fun () ->
                for draw in 1L .. 5L do
                    let set, labels = apart 12.0 2 100 draw
                    let order = Array.init 100 id
                    Random(int draw).Shuffle order
                    let shuffled = order |> Array.map (fun k -> labels[k])
                    let found = Decoding.OverTime(set, shuffled, withClassifier classifier)
                    isWithin 0.5 100 found.Accuracy[1] "shuffled"

        testCase "reaches what two normal classes allow"
        <| fun () ->
            // Two units differ by 1.5 and -1.5: d' = 1.5 sqrt 2, and Phi(d' / 2) is right.
            let set, labels = apart 1.5 2 2000 7L
            let best = Normal.CDF(0.0, 1.0, 1.5 * sqrt 2.0 / 2.0)
            let found = Decoding.OverTime(set, labels)
            isWithin best 2000 found.Accuracy[1] "the best"

            isNear
                1e-12
                (sqrt (found.Accuracy[1] * (1.0 - found.Accuracy[1]) / 2000.0))
                found.Errors[1]
                "its error"

        testCase "weighs labels by how frequent they are"
        <| fun () ->
            // A tenth of the trials lies 4 deviations away: the best border is ln 9 / 4 nearer to them than the middle.
            let stream = RandomStream(8L, "rare")
            let labels = Array.init 4000 (fun k -> if k % 10 = 0 then 1 else 0)
            let set = trialsOf (fun k _ _ -> 4.0 * float labels[k] + stream.Gaussian()) 4000 1 1
            let border = log 9.0 / 4.0
            let upTo = fun x -> Normal.CDF(0.0, 1.0, x)
            let best = 0.9 * upTo (2.0 + border) + 0.1 * upTo (2.0 - border)
            isWithin best 4000 (Decoding.OverTime(set, labels)).Accuracy[0] "the best border"

        testCase "uses the covariance within classes"
        <| fun () ->
            // The class is the difference of two units that share a large noise.
            let stream = RandomStream(3L, "shared")
            let shared = Array.init 200 (fun _ -> 30.0 * stream.Gaussian())

            let set =
                trialsOf
                    (fun k _ i ->
                        shared[k] + (if i = k % 2 then 1.0 else 0.0) + 0.1 * stream.Gaussian())
                    200
                    1
                    2

            let options = DecodingOptions(Shrinkage = 1e-6)
            let found = Decoding.OverTime(set, Array.init 200 (fun k -> k % 2), options)
            Numbers.isGreaterThan found.Accuracy[0] 0.98 "the difference"

        testCase "guesses the more frequent label where there is nothing else"
        <| fun () ->
            let set = trialsOf (fun _ _ _ -> 0.0) 40 1 2
            let labels = Array.init 40 (fun k -> if k < 30 then 9 else 5)

            for classifier in [ Classifier.LinearDiscriminant; Classifier.Ridge ] do
                let found = Decoding.OverTime(set, labels, withClassifier classifier)
                Expect.equal found.Accuracy [| 0.75 |] $"{classifier}"

            Expect.equal (Decoding.OverTime(set, labels)).Chance 0.75 "chance"

        testCase "across time is that of each step on its diagonal"
        <| fun () ->
            let set, labels = apart 2.0 2 60 4L
            let across = Decoding.AcrossTime(set, labels)

            Expect.equal
                (across.Diagonal().ToArray())
                (Decoding.OverTime(set, labels)).Accuracy
                "the diagonal"

            isWithin 0.5 60 across[1, 0] "trained later, tested before"

        testCase "has the same parts by the same seed, and labels in all of them"
        <| fun () ->
            // With as many trials of a label as parts, each part has one: all are predicted by others of it.
            let set = trialsOf (fun k _ i -> if i = k % 5 then 1.0 else 0.0) 25 1 5
            let labels = Array.init 25 (fun k -> k % 5)

            for seed in 1L .. 20L do
                let found = Decoding.OverTime(set, labels, DecodingOptions(Seed = seed, Folds = 5))
                Expect.equal found.Accuracy [| 1.0 |] "every label was seen"

            let noisy, labels = apart 1.0 2 60 4L

            let of' seed =
                (Decoding.OverTime(noisy, labels, DecodingOptions(Seed = seed))).Accuracy

            Expect.equal (of' 3L) (of' 3L) "the same seed"

            Numbers.isGreaterThan
                (Seq.distinct [ for seed in 1L .. 8L -> of' seed ] |> Seq.length)
                1
                "other seeds"

        testCase "of numbers explains what is linear, and nothing of noise"
        <| fun () ->
            let stream = RandomStream(5L, "numbers")
            let values = Array.init 80 (fun _ -> stream.Gaussian())

            let set =
                trialsOf
                    (fun k t i ->
                        if t = 0 then
                            stream.Gaussian()
                        else
                            float (i + 1) * values[k] + 3.0)
                    80
                    2
                    2

            let found = Regression.OverTime(set, values, DecodingOptions(Shrinkage = 1e-9))
            isNear 1e-6 1.0 found[1] "linear"
            Numbers.isLessThan found[0] 0.15 "noise"

        testCase "says what does not fit"
        <| fun () ->
            let set, labels = apart 1.0 2 12 1L
            isRefused [ "labels: 3"; "12 trials" ] (fun () -> Decoding.OverTime(set, [| 1; 2; 3 |]))

            isRefused [ "nothing to decode" ] (fun () ->
                Decoding.OverTime(set, Array.zeroCreate 12))

            isRefused [ "label 1 has 2 trials"; "5 folds" ] (fun () ->
                Decoding.OverTime(set, Array.init 12 (fun k -> if k < 2 then 1 else 0)))

            isRefused [ "folds: 1" ] (fun () ->
                Decoding.OverTime(set, labels, DecodingOptions(Folds = 1)))

            isRefused [ "shrinkage: 0" ] (fun () ->
                Decoding.OverTime(set, labels, DecodingOptions(Shrinkage = 0.0)))

            isRefused [ "values" ] (fun () -> Regression.OverTime(set, Array.create 12 1.0))
    ]

// ---- regression on variables of the task, selectivity ----------------------------------------------

let private pair name (values: float[]) =
    Collections.Generic.KeyValuePair(name, values)

/// Two variables along known directions, each largest in a step of its own.
let private mante draw =
    let stream = RandomStream(draw, "variables")
    let units, trials = 8, 40
    let motion = Array.init trials (fun k -> float (k % 5) - 2.0)
    let choice = Array.init trials (fun k -> if k / 5 % 2 = 0 then 1.0 else -1.0)
    let a, b = (normal 1 units draw).Row 0, (normal 1 units (draw + 1L)).Row 0
    let size = [| 0.0; 1.0; 0.3; 0.1 |]
    let later = [| 0.0; 0.2; 0.5; 1.0 |]

    let set =
        trialsOf
            (fun k t i ->
                2.0
                + size[t] * motion[k] * a[i]
                + later[t] * choice[k] * b[i]
                + 1e-6 * stream.Gaussian())
            trials
            4
            units

    let conditions = Array.init trials (fun k -> k % 10)
    set, motion, choice, conditions, a, b

let private targeted =
    testList "targeted reduction" [
        testCase "finds the directions of the variables and the steps at which they are largest"
        <| fun () ->
            for draw in [ 1L; 11L; 21L ] do
                let set, motion, choice, conditions, a, b = mante draw

                let found =
                    TargetedReduction.Of(
                        set,
                        [| pair "motion" motion; pair "choice" choice |],
                        conditions
                    )

                Expect.equal found.Steps [| 1; 3 |] "the steps"
                Numbers.isLessThan ((found.Coefficients.Column 0 - a).L2Norm()) 1e-4 "motion"
                Numbers.isLessThan ((found.Coefficients.Column 1 - b).L2Norm()) 1e-4 "choice"

                Numbers.isLessThan
                    ((found.Axes.Column 0 - a.Normalize 2.0).L2Norm())
                    1e-4
                    "the first axis is as it is"

                let rest = b - found.Axes.Column 0 * (found.Axes.Column(0).DotProduct b)

                Numbers.isLessThan
                    ((found.Axes.Column 1 - rest.Normalize 2.0).L2Norm())
                    1e-4
                    "the second without the first"

                let along = found.Project set

                isNear
                    1e-3
                    (2.0 * a.L2Norm())
                    (along[4, 1, 0] - along[2, 1, 0] - (along[4, 0, 0] - along[2, 0, 0]))
                    "trials along motion"

        testCase "keeps coefficients within the components of the conditions"
        <| fun () ->
            let set, motion, _, conditions, _, _ = mante 1L
            let one = TargetedReduction.Of(set, [| pair "motion" motion |], conditions, 1)
            let component' = PrincipalComponents.Of(set, conditions).Components.Column 0
            let found = one.Coefficients.Column(0).Normalize 2.0
            isNear 1e-6 1.0 (abs (found.DotProduct component')) "along the first component"

        testCase "says what does not fit"
        <| fun () ->
            let set, motion, choice, conditions, _, _ = mante 1L

            isRefused [ "variables: motion, again"; "not independent" ] (fun () ->
                TargetedReduction.Of(
                    set,
                    [| pair "motion" motion; pair "again" motion |],
                    conditions
                ))

            isRefused [ "variable choice"; "39" ] (fun () ->
                TargetedReduction.Of(set, [| pair "choice" choice[1..] |], conditions))

            isRefused [ "variable motion"; "not finite" ] (fun () ->
                TargetedReduction.Of(set, [| pair "motion" (Array.create 40 nan) |], conditions))

            isRefused [ "components: 1"; "2 variables" ] (fun () ->
                TargetedReduction.Of(
                    set,
                    [| pair "motion" motion; pair "choice" choice |],
                    conditions,
                    1
                ))
    ]

let private effects =
    testList "selectivity" [
        testCase "of one factor is a one-way analysis of variance"
        <| fun () ->
            // Means 2, 3, 7 of three groups: between 42, within 6, F(2, 6) = 21.
            let values = [ 1.0; 2.0; 3.0; 2.0; 3.0; 4.0; 6.0; 7.0; 8.0 ]
            let activity = Matrix<float>.Build.Dense(9, 1, fun k _ -> values[k])
            let found = Selectivity.Of(activity, [| 0; 0; 0; 1; 1; 1; 2; 2; 2 |])
            isNear 1e-12 (42.0 / 48.0) found.First[0].Explained "explained"
            isNear 1e-12 (1.0 - FisherSnedecor.CDF(2.0, 6.0, 21.0)) found.First[0].P "P"
            Expect.equal (found.Selective 0.01) [| 0 |] "selective"
            Expect.isEmpty (found.Mixed 0.01) "one factor alone is not mixed"

        testCase "of two factors tells either, both and their combination"
        <| fun () ->
            let stream = RandomStream(1L, "units")
            let first = Array.init 80 (fun k -> k % 2)
            let second = Array.init 80 (fun k -> k / 2 % 2)

            let rate unit k =
                let a, b = float (2 * first[k] - 1), float (2 * second[k] - 1)

                match unit with
                | 0 -> a
                | 1 -> b
                | 2 -> a + b
                | 3 -> a * b
                | _ -> 0.0

            let activity =
                Matrix<float>
                    .Build.Dense(80, 5, fun k unit -> rate unit k + 0.3 * stream.Gaussian())

            let found = Selectivity.Of(activity, first, second)
            Expect.equal (found.Selective 1e-6) [| 0; 2 |] "the first factor"
            Expect.equal (found.Mixed 1e-6) [| 2; 3 |] "mixed"
            Numbers.isGreaterThan found.Interaction[3].Explained 0.8 "the combination"
            Numbers.isLessThan found.Interaction[2].Explained 0.05 "a sum is no combination"
            Numbers.isLessThan found.Second[0].Explained 0.05 "not the second"

        testCase "is not misled by unequal numbers of trials"
        <| fun () ->
            // The first factor goes along with the second, on which alone the unit depends.
            let first =
                Array.init 60 (fun k ->
                    if k < 25 then 0
                    elif k < 30 then 1
                    elif k < 35 then 0
                    else 1)

            let second = Array.init 60 (fun k -> if k < 30 then 0 else 1)

            let activity =
                Matrix<float>
                    .Build.Dense(60, 1, fun k _ -> float second[k] + 0.1 * cos (float (7 * k)))

            let found = Selectivity.Of(activity, first, second)
            Numbers.isGreaterThan found.First[0].P 0.05 "not the first"
            Numbers.isLessThan found.Second[0].P 1e-10 "the second"

        testCase "of a unit that does not vary is none"
        <| fun () ->
            let found =
                Selectivity.Of(Matrix<float>.Build.Dense(6, 1, 0.1), [| 0; 0; 0; 1; 1; 1 |])

            Expect.equal found.First[0].Explained 0.0 "nothing to explain"
            Expect.isTrue (Double.IsNaN found.First[0].P) "no probability"
            Expect.isEmpty (found.Selective 0.05) "not selective"

        testCase "says what does not fit"
        <| fun () ->
            let activity = normal 6 2 1L

            isRefused [ "the factor: 2 levels"; "6 trials" ] (fun () ->
                Selectivity.Of(activity, [| 0; 1 |]))

            isRefused [ "the factor"; "same level" ] (fun () ->
                Selectivity.Of(activity, Array.zeroCreate 6))

            isRefused [ "the factor"; "6 levels" ] (fun () -> Selectivity.Of(activity, [| 0..5 |]))

            isRefused
                [
                    "no trial has level 1 of the first and level 1 of the second"
                ]
                (fun () -> Selectivity.Of(activity, [| 0; 0; 0; 1; 1; 1 |], [| 0; 1; 0; 0; 0; 0 |]))
    ]

[<Tests>]
let tests =
    testList "populations" [
        trials
        components
        dimensions
        compare
        decoding
        targeted
        effects
    ]
