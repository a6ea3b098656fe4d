/// Fixed and slow points of circuits whose dynamics are known.
module Rflo.Analysis.Tests.FixedPointTests

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Analysis
open Rflo.Analysis.Tests.Small

let private find (map: CircuitMap) (starts: float[] list) = FixedPoints.Find(map, starts)

/// The positive solution of h = tanh(w h), by bisection.
let private switchOf w =
    let mutable low, high = 1e-3, 1.0

    for _ in 1..100 do
        let middle = 0.5 * (low + high)

        if tanh (w * middle) > middle then
            low <- middle
        else
            high <- middle

    low

let private isSwitch () =
    let w, alpha = 2.0, 0.2
    let map = mapOf Transfer.Tanh alpha (array2D [ [ w ] ])
    let points = find map [ for h in -1.0 .. 0.1..1.0 -> [| h |] ]

    let at h =
        points |> Seq.find (fun point -> abs (point.State[0] - h) < 0.1)

    let upper = switchOf w
    Expect.equal points.Count 3 "fixed points"

    for h in [ 0.0; upper; -upper ] do
        let point = at h
        isNear 1e-10 h point.State[0] "where it is"
        Expect.isTrue point.IsFixed "it is fixed"
        let slope = 1.0 - alpha + alpha * w * (1.0 - h * h)
        isNear 1e-9 slope point.Modes[0].Value.Real "its eigenvalue"
        isNear 1e-6 (-1.0 / log slope) point.Modes[0].TimeConstant "its time constant, in ms"
        Expect.equal point.IsStable (h <> 0.0) "whether it is stable"

    Expect.equal (points |> Seq.sumBy _.Starts) 21 "every start leads somewhere"

/// Just past the fold of h = tanh(w h + b) there is no fixed point on that side, but a place where it is slow.
let private isGhost () =
    let w, alpha = 2.0, 0.2
    let edge = sqrt (1.0 - 1.0 / w)
    // There the slope of tanh(w h + b) is 1, and the flow least.
    let fold = w * edge - Math.Atanh edge
    let b = fold + 0.002
    let graph = circuitOf Transfer.Tanh [| alpha |] (array2D [ [ w ] ]) [| -b |]
    let map = CircuitMap(graph, Array.empty)
    let h = (Math.Atanh edge + b) / w
    let speed = 0.5 * (alpha * (edge - h)) ** 2.0
    let points = find map [ [| 0.6 |]; [| 0.8 |] ]
    let point = points |> Seq.find (fun point -> not point.IsFixed)
    isNear 1e-5 h point.State[0] "where it is slow"
    isNear (1e-6 * speed) speed point.Speed "how slow it is"

    let strict =
        FixedPoints.Find(map, [ [| 0.6 |] ], FixedPointOptions(SlowBelow = 0.5 * speed))

    Expect.isEmpty (strict |> Seq.filter (fun point -> not point.IsFixed)) "slower ones only"

/// Linear units whose weights have an eigenvalue of 1: every start stays where the line is nearest.
let private isLine () =
    let along = Vector<float>.Build.Dense([| 0.6; 0.8; 0.0 |])
    let across = Vector<float>.Build.Dense([| 0.8; -0.6; 0.0 |])

    let weights =
        (along.OuterProduct along + 0.4 * across.OuterProduct across).ToArray()

    let map = mapOf Transfer.Identity 0.25 weights
    let starts = [ for k in 1..5 -> [| float k; 1.0 - float k; 0.5 |] ]
    let points = find map starts
    Expect.equal points.Count 5 "every start has a point of its own"

    for start in starts do
        let nearest = (along * along.DotProduct(Vector<float>.Build.Dense start)).ToArray()
        let point = points |> Seq.minBy (fun point -> distance point.State nearest)
        Numbers.isLessThan (distance point.State nearest) 1e-6 "the nearest point of the line"
        isNear 1e-12 1.0 (modulus point.Modes[0]) "along the line"
        isNear 1e-12 0.85 (modulus point.Modes[1]) "across the line"
        isNear 1e-12 0.75 (modulus point.Modes[2]) "without weights"

        isNear
            1e-9
            1.0
            (abs (
                along.DotProduct(
                    Vector<float>.Build.Dense(point.Modes[0].Vector |> Array.map _.Real)
                )
            ))
            "the direction that stays"

        Expect.isTrue point.IsStable "an eigenvalue of 1 is none that leaves"

/// Tanh units on a ring, connected by the cosine of their distance: a bump can stand anywhere.
let private isRing () =
    let units, strength = 32, 4.0
    let angle i = 2.0 * Math.PI * float i / float units

    let map =
        Array2D.init units units (fun i j -> strength / float units * cos (angle i - angle j))
        |> mapOf Transfer.Tanh 0.1

    let starts = [
        for k in 0..5 -> Array.init units (fun i -> 0.8 * cos (angle i - 0.61 * float k))
    ]

    let points = find map starts
    Expect.equal points.Count 6 "every start has a bump of its own"

    let amplitude (point: FixedPoint) =
        let part f =
            Seq.sum (seq { for i in 0 .. units - 1 -> point.State[i] * f (angle i) })

        sqrt (part cos ** 2.0 + part sin ** 2.0)

    for point in points do
        isNear 1e-6 (amplitude points[0]) (amplitude point) "bumps are of one size"
        isNear 1e-6 1.0 (modulus point.Modes[0]) "around the ring"
        Numbers.isLessThan (modulus point.Modes[1]) 0.99 "off the ring"

/// Two units that turn: 0 is an unstable spiral, and its eigenvalues are known.
let private isSpiral () =
    let gain, turn, alpha = 1.5, 0.4, 0.3
    let c, s = gain * cos turn, gain * sin turn

    let map =
        CircuitMap(
            circuitOf Transfer.Tanh [| alpha; alpha |] (array2D [ [ c; -s ]; [ s; c ] ]) [|
                0.0
                0.0
            |],
            Array.empty,
            MapOptions(Dt = 2.0)
        )

    let point = find map [ [| 0.1; 0.05 |] ] |> Seq.exactlyOne
    let re, im = 1.0 - alpha + alpha * c, alpha * s
    Numbers.isLessThan (norm point.State) 1e-10 "where it is"
    Expect.equal point.UnstableDirections 2 "both directions leave"
    isNear 1e-12 re point.Modes[0].Value.Real "real part"
    isNear 1e-12 im (abs point.Modes[0].Value.Imaginary) "imaginary part"

    isNear
        1e-9
        (1000.0 * atan2 im re / (2.0 * Math.PI * 2.0))
        point.Modes[0].Frequency
        "turns per second"

    isNear
        1e-9
        (-2.0 / log (sqrt (re * re + im * im)))
        point.Modes[0].TimeConstant
        "time constant in ms"

/// Linear units: one fixed point, where the equations put it, and the eigenvalues of the weights.
let private isLinear draw =
    let units = 5
    let weights = random 0.7 units draw
    let stream = RandomStream(draw, "a test")
    let alpha = Array.init units (fun _ -> stream.Uniform(0.1, 1.0))
    let bias = Array.init units (fun _ -> stream.Gaussian())
    let map = CircuitMap(circuitOf Transfer.Identity alpha weights bias, Array.empty)
    let identity = Matrix<float>.Build.DenseIdentity units

    let expected =
        (identity - matrix weights).Solve(Vector<float>.Build.Dense bias).ToArray()

    let leak = Matrix<float>.Build.DenseOfDiagonalArray alpha
    let jacobian = identity - leak + leak * matrix weights

    let point =
        find map [ Array.zeroCreate units; Array.create units 3.0 ] |> Seq.exactlyOne

    Numbers.isLessThan (distance expected point.State) 1e-9 "where it is"
    let values = jacobian.Evd().EigenValues |> Seq.map _.Magnitude |> Seq.sortDescending

    for mode, value in Seq.zip point.Modes values do
        isNear 1e-10 value (modulus mode) "eigenvalues"
        let vector = Vector<Numerics.Complex>.Build.Dense mode.Vector
        let image = jacobian.ToComplex() * vector
        Numbers.isLessThan ((image - vector * mode.Value).L2Norm()) 1e-10 "eigenvectors"

/// A point that is found is a minimum of q: it is no faster than its start, and q is level there.
let private isMinimum (draw: int) =
    let map = mapOf Transfer.Tanh 0.3 (random 1.4 8 (int64 draw))
    let stream = RandomStream(int64 draw, "starts")

    let starts = [
        for _ in 1..6 -> Array.init 8 (fun _ -> 0.5 * stream.Gaussian())
    ]

    let points = FixedPoints.Find(map, starts, FixedPointOptions(SlowBelow = 10.0))
    Expect.equal (points |> Seq.sumBy _.Starts) 6 "every start led somewhere"
    let slowest = starts |> List.map (fun start -> map.Speed start) |> List.max

    for point in points do
        Numbers.isLessThanOrEqual point.Speed slowest "no faster than where it came from"
        isNear (1e-12 + 1e-9 * point.Speed) (map.Speed point.State) point.Speed "its speed"
        let rest = Array.map2 (-) (map.Next point.State) point.State
        let gradient = Array.zeroCreate<float> 8
        map.At(point.State).MultiplyTransposed(rest, gradient)
        Numbers.isLessThanOrEqual (distance gradient rest) (1e-3 * norm rest + 1e-9) "q is level"

/// With a delay the state is larger, and the fixed points are those without it.
let delayed units delay =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "cortex",
                Units = units,
                Alpha = Array.create units 0.2,
                InitialRates = Array.create units 0.3
            )
        )

    ProjectionSpec(
        Name = "cortex->cortex",
        Source = Source.Area(area, delay),
        Target = Target.Area area,
        Synapses =
            Synapses.Dense(
                Array.init (units * units) (fun k -> if k % (units + 1) = 0 then 2.0 else 0.0)
            )
    )
    |> builder.AddProjection
    |> ignore

    CircuitMap(builder.Build(), Array.empty)

/// The largest eigenvalues from products alone are those of the whole matrix, pairs not cut in two.
let private isLeading draw =
    let units = 130
    let whole = matrix (random 1.0 units draw)

    let multiply =
        MatrixProduct(fun vector product ->
            let result = whole * Vector<float>.Build.Dense(vector.ToArray())
            result.ToArray().CopyTo product)

    let pairs = LeadingEigenvalues.Of(units, 5, multiply)

    let all =
        whole.Evd().EigenValues.ToArray()
        |> Array.map _.Magnitude
        |> Array.sortDescending

    Numbers.isGreaterThanOrEqual pairs.Length 5 "as many as were asked for"
    isNear 1e-9 0.0 (pairs |> Seq.sumBy _.Value.Imaginary) "pairs are whole"

    for k, pair in Seq.indexed pairs do
        isNear 1e-8 all[k] pair.Value.Magnitude "its magnitude"
        let vector = Vector<Numerics.Complex>.Build.Dense pair.Vector
        isNear 1e-12 1.0 (vector.L2Norm()) "its length"
        let image = whole.ToComplex() * vector
        Numbers.isLessThan ((image - vector * pair.Value).L2Norm()) 1e-7 "its eigenvector"

/// 20,000 units with 10 inputs each, of weights 0.08 in the mean: an eigenvalue beyond all others, for which no whole matrix is needed.
let private large () =
    (let units, inputs = 20_000, 10
     let stream = RandomStream(7L, "a large circuit")
     let builder = GraphBuilder()

     let area =
         builder.AddArea(
             AreaSpec(
                 Name = "cortex",
                 Units = units,
                 Alpha = Array.create units 0.5,
                 InitialRates = Array.zeroCreate units
             )
         )

     let block = units / inputs

     ProjectionSpec(
         Name = "cortex->cortex",
         Source = Source.Area area,
         Target = Target.Area area,
         Synapses =
             Synapses.Sparse(
                 Array.init (units + 1) (fun i -> i * inputs),
                 Array.init (units * inputs) (fun k ->
                     (k % inputs) * block + stream.Between(0, block)),
                 Array.init (units * inputs) (fun _ -> 0.08 + 0.04 * stream.Gaussian())
             )
     )
     |> builder.AddProjection
     |> ignore

     CircuitMap(builder.Build(), Array.empty))

let private isLarge () =
    let map = large ()
    let start = Array.create map.Size 0.003

    let point =
        FixedPoints.Find(map, [ start ], FixedPointOptions(Modes = 1)) |> Seq.exactlyOne

    Expect.isTrue point.IsFixed "it is fixed"
    Numbers.isLessThan (norm point.State) 1e-8 "without input all is 0"
    let mode = point.Modes[0]
    isNear 0.02 0.9 mode.Value.Real "1 - alpha + alpha 10 * 0.08"
    let vector = mode.Vector |> Array.map _.Real
    let image = Array.zeroCreate<float> map.Size
    map.At(point.State).Multiply(vector, image)

    Numbers.isLessThan
        (distance image (vector |> Array.map ((*) mode.Value.Real)))
        1e-8
        "its eigenvector"

    let spectrum = LyapunovSpectrum.Of(map, Array.zeroCreate map.Size, 1, 10, 45)
    isNear 1e-3 (log mode.Value.Real) spectrum.PerStep[0] "the exponent at rest"

/// Of many states the chosen ones are few, the slowest first, and no group of states is without one.
let private areSpread () =
    let map = mapOf Transfer.Tanh 0.2 (array2D [ [ 2.0; 0.0 ]; [ 0.0; 2.0 ] ])
    let stream = RandomStream(5L, "groups of states")
    let upper = switchOf 2.0
    // Near two fixed points the circuit is slow; the other two groups are fast.
    let middles = [
        [| upper; upper |]
        [| 0.0; 0.0 |]
        [| 3.0; 0.5 |]
        [| -3.0; 2.0 |]
    ]

    let states = [
        for middle in middles do
            for _ in 1..200 do
                yield middle |> Array.map (fun x -> x + 0.01 * stream.Gaussian())

        yield [| nan; 0.0 |]
    ]

    let chosen = FixedPointStarts.Choose(map, states, 8)
    Expect.equal chosen.Length 8 "as many as were asked for"
    let finite = states |> List.filter (Array.forall Double.IsFinite)
    Expect.equal chosen[0] (finite |> List.minBy (fun state -> map.Speed state)) "the slowest first"

    for start in chosen do
        Expect.contains states start "a start is one of the states"

    Expect.equal (Array.distinct chosen).Length 8 "no state twice"

    for middle in middles do
        Expect.exists chosen (fun start -> distance start middle < 0.1) $"none near %A{middle}"

    // The slow starts keep apart: the two slow groups have one each before the fast ones.
    for k, middle in [ 1, [| upper; upper |]; 1, [| 0.0; 0.0 |] ] do
        Expect.exists chosen[..k] (fun start -> distance start middle < 0.1) "slow starts lie apart"

    Expect.equal (FixedPointStarts.Choose(map, states, 8)) chosen "the same states, the same starts"
    Expect.equal (FixedPointStarts.Choose(map, states.[..2], 8)).Length 3 "no more than there are"

    Expect.equal
        (FixedPointStarts.Choose(map, List.replicate 5 [| 1.0; 1.0 |], 4)).Length
        1
        "one of equal states"

    Expect.isEmpty (FixedPointStarts.Choose(map, [ [| nan; 0.0 |] ], 4)) "of none"

    // From a few of them the search finds what it finds from all.
    let places (starts: float[] seq) =
        FixedPoints.Find(map, starts)
        |> Seq.filter _.IsFixed
        |> Seq.map (fun point -> point.State |> Array.map (fun x -> Math.Round(x, 6) + 0.0))
        |> Set.ofSeq

    Expect.equal
        (places chosen)
        (places (finite |> List.chunkBySize 10 |> List.map List.head))
        "points"

/// The leading modes of a point are the first of all its modes.
let private haveLeadingModes () =
    let map = mapOf Transfer.Tanh 0.3 (random 0.8 90 11L)
    let start = Array.create 90 0.1
    let all = FixedPoints.Find(map, [ start ]) |> Seq.exactlyOne

    let leading =
        FixedPoints.Find(map, [ start ], FixedPointOptions(AllModesUpTo = 80, Modes = 6))
        |> Seq.exactlyOne

    Expect.equal all.Modes.Count 90 "all modes"
    Numbers.isLessThan leading.Modes.Count 10 "some modes"
    Expect.equal leading.UnstableDirections all.UnstableDirections "none leaves"

    for k in 0 .. leading.Modes.Count - 1 do
        isNear 1e-7 (modulus all.Modes[k]) (modulus leading.Modes[k]) $"mode {k}"

[<Tests>]
let tests =
    testList "fixed points" [
        testCase "are searched from slow states and from states that are spread" areSpread
        testCase "of larger circuits have leading modes" haveLeadingModes
        testCase "of a switch are where tanh(w h) = h" isSwitch
        testCase "that are none are slow, past a fold" isGhost
        testCase "of a line attractor are a line" isLine
        testCase "of a ring attractor are a ring" isRing
        testCase "of an oscillator are an unstable spiral" isSpiral

        testCase "of linear units are where the equations put them"
        <| fun () ->
            for draw in 1L .. 20L do
                isLinear draw

        testCase "are minima of q"
        <| fun () ->
            for draw in 1..12 do
                isMinimum draw

        testCase "are the same with a delay"
        <| fun () ->
            let map = delayed 1 4
            Expect.equal map.Size 4 "a rate, and three under way"

            let points =
                find map [
                    for h in [ -0.5; 0.1; 0.5 ] -> map.Settled [| h; 0.0; 0.0; 0.0 |]
                ]

            for point in points do
                Numbers.isLessThan
                    (Array.max point.State - Array.min point.State)
                    1e-9
                    "all ages alike"

            Expect.containsAll
                (points |> Seq.map (fun point -> Math.Round(point.State[0], 8)) |> List.ofSeq)
                [
                    Math.Round(switchOf 2.0, 8)
                    Math.Round(-(switchOf 2.0), 8)
                ]
                "those of the switch"

        testCase "have leading modes that are those of the whole Jacobian"
        <| fun () ->
            for draw in 1L .. 3L do
                isLeading draw

        testCase "of 20,000 units need no whole Jacobian" isLarge

        testCase "are the same from starts that are displaced by the same seed"
        <| fun () ->
            let map = mapOf Transfer.Tanh 0.3 (random 1.5 6 3L)

            let found seed =
                FixedPoints.Find(
                    map,
                    [ Array.zeroCreate 6 ],
                    FixedPointOptions(Jitter = 0.5, Seed = seed, SlowBelow = 1.0)
                )
                |> Seq.map _.State
                |> List.ofSeq

            Expect.equal (found 1L) (found 1L) "the same seed"
            Expect.isNonEmpty (found 1L) "something is found"

        testCase "say what does not fit"
        <| fun () ->
            let map = mapOf Transfer.Tanh 0.2 (array2D [ [ 2.0 ] ])
            isRefused [ "starts"; "none" ] (fun () -> find map [])
            isRefused [ "state 1"; "2 numbers" ] (fun () -> find map [ [| 0.0 |]; [| 0.0; 1.0 |] ])
            isRefused [ "state 0"; "not finite" ] (fun () -> find map [ [| nan |] ])
    ]
