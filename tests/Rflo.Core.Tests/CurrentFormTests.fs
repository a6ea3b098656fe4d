/// The current form against the form of rates: the same circuit in other coordinates, where all units have one tau.
module Rflo.Core.Tests.CurrentFormTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking

type private Both = {
    Units: int
    Alpha: float
    Transfer: Transfer
    Steps: int
    Draw: int
}

let private anyBoth =
    gen {
        let! units = Gen.choose (1, 12)
        let! alpha = Gen.elements [ 0.05; 0.2; 0.7; 1.0 ]
        let! transfer = Gen.elements [ yield! Enum.GetValues<Transfer>() ]
        let! steps = Gen.choose (1, 60)
        let! draw = Gen.choose (1, 1000000)

        return {
            Units = units
            Alpha = alpha
            Transfer = transfer
            Steps = steps
            Draw = draw
        }
    }
    |> Arb.fromGen

let private session dynamics start (inputs: float[][]) (weights: float[]) (read: float[]) both =
    let builder = GraphBuilder()

    let area =
        AreaSpec(
            Name = "a",
            Units = both.Units,
            Alpha = Array.create both.Units both.Alpha,
            Transfer = both.Transfer,
            Dynamics = dynamics,
            InitialRates = start
        )
        |> builder.AddArea

    let input = builder.AddInput(InputSpec("b", both.Units))
    let output = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    let project name source target values =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = Synapses.Dense values
        )
        |> builder.AddProjection
        |> ignore

    project "a->a" (Source.Area area) (Target.Area area) weights

    let one =
        Array.init (both.Units * both.Units) (fun k ->
            if k / both.Units = k % both.Units then 1.0 else 0.0)

    project "b->a" (Source.Input input) (Target.Area area) one
    project "a->y" (Source.Area area) (Target.Readout output) read
    let asked = Array.create both.Steps [| 0.0 |]
    let task = Networks.Given(inputs, asked, (fun _ -> both.Steps))
    Session.Create(builder.Build(), task, 1L)

/// x(t) = W h(t) + b(t+1), where the form of rates receives b(t+1) = (1 - alpha) b(t) + alpha I(t) and the current form I(t).
let private isOtherCoordinates both =
    let random = Random both.Draw
    let n = both.Units

    let gaussian count scale =
        Array.init count (fun _ -> scale * Circuits.gaussian random)

    let weights = gaussian (n * n) (1.2 / sqrt (float n))
    let read = gaussian n 1.0
    let external = Array.init both.Steps (fun _ -> gaussian n 0.5)
    let h0 = gaussian n 0.3
    let b1 = gaussian n 0.5

    let filtered =
        (b1, external)
        ||> Array.scan (fun b current ->
            Array.map2 (fun b i -> (1.0 - both.Alpha) * b + both.Alpha * i) b current)

    let product (h: float[]) =
        Array.init n (fun i -> Seq.sum (seq { for j in 0 .. n - 1 -> weights[i * n + j] * h[j] }))

    let x0 = Array.map2 (+) (product h0) b1

    let rates =
        (session Dynamics.Leaky h0 (Array.truncate both.Steps filtered) weights read both)
            .Replay(0)
            .Rates[0]

    // One step later: the current form sends phi of what the other one's currents are.
    let ours =
        (session Dynamics.CurrentForm x0 external weights read both).Replay(0).Rates[0]

    for t in 1 .. both.Steps do
        let h = Array.sub rates ((t - 1) * n) n
        let x = Array.map2 (+) (product h) filtered[t]

        let sent =
            x |> Array.map (Reference.transfer (InReference.transferName both.Transfer))

        Numbers.isLessThan
            (norm (Array.map2 (-) sent (Array.sub ours ((t - 1) * n) n)) / (1.0 + norm sent))
            1e-10
            $"step {t}"

[<Tests>]
let tests =
    testList "the current form" [
        test "is the form of rates in other coordinates, where all units have one tau" {
            forAll (cases 200 10000) anyBoth isOtherCoordinates
        }
    ]
