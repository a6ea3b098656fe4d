/// Tests that hold for every model, for that of model.fsx: `dotnet run --project tests`.
module Tests

open Expecto
open Rflo.Dsl
open Rflo.Host

/// The experiment that model.fsx passes to the host; in these tests it does not run there.
let model () =
    match Host.declared () with
    | experiment :: _ -> experiment
    | [] -> failtest "model.fsx passes no experiment to the host; end it with |> Host.run"

/// Trains an experiment with only these probes, in every trial, and returns the results.
let watch probes (experiment: Experiment) =
    match Run.train ({ experiment with Probes = [] } |> probe 1 probes) with
    | Ok trained -> trained
    | Error problems -> failtest (String.concat "\n" (Problem.report "model.fsx" problems))

let train = watch []

/// The difference of two rules' increments over some trials: the largest angle (degrees), and the largest distance of the ratio
/// of their lengths from 1. `angleOf` does not train by these rules.
let differenceIn count rule reference (experiment: Experiment) =
    let probes =
        (experiment |> trials count |> watch [ Probe.angleOf rule reference ]).Probes

    let largest prefix distance =
        Map.filter (fun (name: string) _ -> name.StartsWith $"{prefix} ") probes
        |> Map.values
        |> Seq.collect _.Values
        |> Seq.map distance
        |> Seq.max

    largest "angle" id, largest "ratio" (fun ratio -> abs (ratio - 1.0))

let areSame (angle, lengths) =
    Expect.isTrue (angle < 1e-3) $"an angle of {angle} degrees"
    Expect.isTrue (lengths < 1e-9) $"a ratio of lengths that is {lengths} from 1"

/// The model without signals between areas, and with errors through the readout's own weights: the case in
/// which RFLO is the gradient, until the first update. Areas without a projection to a readout are frozen.
let withoutRecurrence (experiment: Experiment) =
    let network = experiment.Circuit

    let readers = [
        for p in network.Projections do
            match p.Source, p.Target with
            | OfArea area, OfReadout readout -> area, readout
            | _ -> ()
    ]

    let isHeard area = List.exists (fst >> (=) area) readers

    let alone (p: Projection) =
        match p.Source, p.Target with
        | OfArea _, OfArea _ -> {
            (p |> weights (constant 0.0)) with
                Balanced = false
          }
        | _ -> p

    let told (p: Projection) =
        match p.Target with
        | OfArea area when not (isHeard area) -> p |> frozen
        | _ -> p

    {
        experiment with
            Circuit = {
                network with
                    Projections = List.map (alone >> told) network.Projections
                    Feedback = [
                        for area, readout in List.distinct readers ->
                            errorOf (Circuit.readout readout network) --> Circuit.area area network
                            |> through symmetric
                    ]
            }
    }

let tests =
    testList "model.fsx" [
        test "BPTT and RTRL have the same increments: both are the gradient" {
            (model ()) |> rule Rule.rflo |> differenceIn 2 Rule.rtrl Rule.bptt |> areSame
        }

        test "RFLO is the gradient where no recurrent weight carries credit" {
            withoutRecurrence (model ())
            |> rule Rule.rflo
            |> differenceIn 1 Rule.rflo Rule.bptt
            |> areSame
        }

        test "the same seed gives the same bits" {
            let first, second = train (trials 5 (model ())), train (trials 5 (model ()))
            Expect.equal first.Losses second.Losses "losses"
            Expect.equal first.Final second.Final "weights"
        }

        test "no weight under Dale's law changes its sign" {
            // Where no area obeys the law, there is nothing to measure.
            if (model ()).Circuit.Areas |> List.exists (fun area -> area.Dale.IsSome) then
                let measured = (model ()) |> trials 20 |> watch [ Probe.dale ]

                for KeyValue(name, series) in measured.Probes do
                    if name.StartsWith "dale-violations" then
                        Expect.all series.Values ((=) 0.0) name
        }
    ]

[<EntryPoint>]
let main arguments =
    let plain = System.Console.IsOutputRedirected

    runTestsWithCLIArgs
        [
            if plain then
                Colours 0
        ]
        arguments
        tests
