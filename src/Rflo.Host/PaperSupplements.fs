namespace Rflo.Host

open Rflo.Dsl

/// The supplements of Fig 2 of the paper: Dale's law, ablations, size and gain.
[<RequireQualifiedAccess>]
module PaperSupplements =

    module C = PaperConditions

    let private conventions = PaperFigure2.conventions
    let private byPeriod = PaperFigure2.byPeriod
    let private ofPeriods = PaperFigure2.ofPeriods

    let supplement1 = {
        Id = "fig2-s1"
        Title = "Fig 2, supplement 1: Dale's law"
        About = "With signs fixed for every unit, the loss is said to fall at a similar rate."
        Notes =
            conventions
            @ [
                "80 % of units are excitatory; weights begin as the absolute values of the same draws with the signs of their units, so the spectrum is not that of the unconstrained network. The rates of the Dale runs are not printed; they have RFLO's."
            ]
        Conditions =
            fun size -> [
                yield! ofPeriods size
                yield! C.periods |> List.collect (C.ofDale size)
                C.ofDaleSlow size
            ]
        Claims = [
            PaperClaims.ofMedians
                "S7"
                "A network under Dale's law learns."
                "Fig 2—supplement 1a"
                "median final loss below 5e-2 at T = 200"
                [ "Dale", C.dale 200 ]
                (fun medians -> medians[0] < 5e-2)
            PaperClaims.ofMedians
                "S7 (rate 0.01)"
                "The same at a third of the rate."
                "Fig 2—supplement 1a, other rate"
                "median final loss below 5e-2 at T = 200"
                [ "Dale", C.daleSlow ]
                (fun medians -> medians[0] < 5e-2)
            PaperClaims.ofMedians
                "S7 (similar, 200)"
                "It does about as well as without the law, T = 200."
                "Fig 2—supplement 1"
                "median final losses within a factor 3"
                [ "Dale", C.dale 200; "free", C.rflo 200 ]
                (fun medians -> medians[0] < 3.0 * medians[1])
            PaperClaims.ofMedians
                "S7 (similar, 400)"
                "It does about as well as without the law, T = 400."
                "Fig 2—supplement 1b"
                "median final losses within a factor 3"
                [ "Dale", C.dale 400; "free", C.rflo 400 ]
                (fun medians -> medians[0] < 3.0 * medians[1])
            {
                Id = "S7 (signs)"
                Text = "No weight ever changes its sign."
                Source = "Fig 2—supplement 1, Methods"
                Threshold =
                    "in every run every column of the recurrent weights has its unit's sign at the end"
                Decide =
                    fun results ->
                        let runs = C.periods |> List.collect (C.dale >> PaperRuns.of' results)

                        let violations =
                            runs
                            |> List.sumBy (fun run ->
                                let weights = run.Final.Value["cortex->cortex"]
                                let excitatory = weights.ColumnCount * 4 / 5

                                weights.EnumerateIndexed()
                                |> Seq.filter (fun struct (_, j, w) ->
                                    if j < excitatory then w < 0.0 else w > 0.0)
                                |> Seq.length)

                        PaperClaims.found
                            (violations = 0)
                            runs.Length
                            $"{violations} weights of the wrong sign"
            }
        ]
        Panels =
            fun results -> [
                PaperPanels.losses
                    "Loss, T = 200"
                    "RFLO with and without Dale's law."
                    [
                        "RFLO", C.rflo 200
                        "Dale", C.dale 200
                        "Dale, rate 0.01", C.daleSlow
                    ]
                    results
                PaperPanels.finals
                    "Final loss v. period"
                    "RFLO with and without Dale's law."
                    "period T (steps)"
                    [ "RFLO", byPeriod C.rflo; "Dale", byPeriod C.dale ]
                    results
            ]
    }

    let supplement2 = {
        Id = "fig2-s2"
        Title = "Fig 2, supplement 2: only the readout, only the recurrent weights"
        About =
            "Both sets of weights together learn far better than the readout alone; the recurrent weights alone fail."
        Notes =
            conventions
            @ [
                "Where only the readout learns, its output of the step before enters the network through fixed N(0, 1) weights; the paper says \"through B\". Without that it is a reservoir, shown as well."
            ]
        Conditions = fun size -> [ yield! C.ofPeriod size 200; yield! C.ofAblations size ]
        Claims = [
            PaperClaims.ofMedians
                "S8 (readout)"
                "The readout alone is worse by far."
                "Fig 2—supplement 2"
                "median final loss of both at most a third of the readout's alone, with its output fed back"
                [ "both", C.rflo 200; "readout", C.readoutOnly ]
                (fun medians -> medians[0] <= medians[1] / 3.0)
            PaperClaims.ofMedians
                "S8 (recurrent)"
                "The recurrent weights alone fail."
                "Fig 2—supplement 2"
                "median final loss above 0.2 (an output of 0 has 0.328)"
                [ "recurrent", C.recurrentOnly ]
                (fun medians -> medians[0] > 0.2)
        ]
        Panels =
            fun results -> [
                PaperPanels.losses
                    "Loss, T = 200"
                    "What learns: both, the readout alone (with and without its output fed back), the recurrent weights alone."
                    [
                        "both", C.rflo 200
                        "readout, fed back", C.readoutOnly
                        "readout", C.readoutAlone
                        "recurrent", C.recurrentOnly
                    ]
                    results
            ]
    }

    let private ofList key values =
        values |> List.map (fun value -> value, key value)

    let supplement3 = {
        Id = "fig2-s3"
        Title = "Fig 2, supplement 3: size and gain"
        About = "Larger networks, and networks with larger initial gain, learn better."
        Notes =
            conventions
            @ [
                "The paper does not print the sizes, the gains or the rates. The readout learns by least mean squares, which is stable only while rate times N is below about 2: at a fixed rate of 0.03 large networks may diverge, so rates 0.9 / N are shown besides. T = 200."
            ]
        Conditions =
            fun size -> [
                yield! C.ofPeriod size 200
                yield! C.ofSizes size
                yield! C.ofGains size
            ]
        Claims = [
            PaperClaims.ofMedians
                "S9 (size)"
                "Final loss falls with the number of units."
                "Fig 2—supplement 3a"
                "at rate 0.9 / N: L(10) >= 10 L(50), and no size worse than the one before by more than a factor 2"
                (C.sizes |> List.map (fun units -> $"N = {units}", C.ofUnits units))
                (fun medians ->
                    medians[0] >= 10.0 * medians[3]
                    && medians |> List.pairwise |> List.forall (fun (a, b) -> b <= 2.0 * a))
            PaperClaims.ofMedians
                "S9 (gain)"
                "Final loss falls with the initial gain."
                "Fig 2—supplement 3b"
                "L(0.25) > L(0.75) > L(1.5), and L(0.5) >= 10 L(1.5)"
                ([ 0.25; 0.5; 0.75; 1.5 ] |> List.map (fun g -> $"g = {string g}", C.gain g))
                (function
                 | [ a; b; c; d ] -> a > c && c > d && b >= 10.0 * d
                 | _ -> false)
        ]
        Panels =
            fun results -> [
                PaperPanels.finals
                    "Final loss v. size"
                    "T = 200."
                    "units N"
                    [
                        "rate 0.9 / N", ofList (int >> C.ofUnits) (List.map float C.sizes)
                        "rate 0.03", ofList (int >> C.ofUnitsFixed) (List.map float C.sizes)
                    ]
                    results
                PaperPanels.finals
                    "Final loss v. gain"
                    "Recurrent weights and first readout weights scaled by g; T = 200."
                    "gain g"
                    [ "RFLO", ofList C.gain C.gains ]
                    results
            ]
    }

    let all = [ supplement1; supplement2; supplement3 ]
