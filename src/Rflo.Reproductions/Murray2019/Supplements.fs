namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// The supplements of Fig 2 of the paper: Dale's law, ablations, size and gain.
[<RequireQualifiedAccess>]
module internal Supplements =

    module C = Conditions

    let private conventions = Figure2.conventions
    let private byPeriod = Figure2.byPeriod
    let private ofPeriods = Figure2.ofPeriods

    /// The loss of an output that stays at 0: half the mean square of the target.
    let private silence = 0.328125

    /// The first trial after which the loss, smoothed over ten trials, has fallen to half of silence's; the number of trials where it
    /// never does.
    let private leaves (run: PaperRun) =
        run.Losses
        |> Array.windowed (min 10 run.Losses.Length)
        |> Array.tryFindIndex (fun losses -> Runs.median losses < silence / 2.0)
        |> Option.defaultValue run.Losses.Length
        |> float

    let private similar period =
        Claims.ratioBelow
            $"S7 (similar, {period})"
            $"The final loss is similar to that without the law, T = {period}: less than a decade above it."
            "Fig 2—supplement 1"
            10.0
            ("half excitatory", C.dale period)
            ("free", C.rflo period)

    let private most period =
        Claims.ratioBelow
            $"S7 (four fifths, {period})"
            $"Half and half does better than four fifths excitatory, T = {period}."
            "not in the paper"
            1.0
            ("half", C.dale period)
            ("four fifths", C.daleMost period)

    let private balancing period =
        Claims.ratioBelow
            $"S7 (balanced, {period})"
            $"With inhibition scaled to balance, four fifths excitatory comes within a decade of the free network, T = {period}."
            "not in the paper"
            10.0
            ("four fifths, balanced", C.daleBalanced period)
            ("free", C.rflo period)

    let supplement1 = {
        Id = "fig2-s1"
        Title = "Fig 2, supplement 1: Dale's law"
        About =
            "Half of the units excitatory, half inhibitory, signs fixed: the loss is said to fall at a similar rate, to a similar end."
        Notes =
            conventions
            @ [
                "Weights begin as the absolute values of the same draws with the signs of their units, as printed. Mean and spread of the spectrum change: the bulk's radius falls from 1.5 to about 0.9, so a network under the law starts nearly silent, and its loss stays at that of a silent output until it leaves silence. That plateau is what differs most from a free network."
                "The rates of the runs under the law are not printed; they have RFLO's of Fig 2b, and at T = 200 a third of it besides."
                "Four fifths excitatory, with and without inhibition scaled so that every unit's expected inputs sum to 0, are conditions of our own."
                "27 networks at T = 200 and 400: the ratio of the medians of nine has an interval of two decades."
            ]
        Conditions =
            fun size -> [
                yield! ofPeriods size
                yield! C.periods |> List.collect (C.ofDale size)
                C.ofDaleSlow size
                yield! C.dalePeriods |> List.collect (C.ofDaleMost size)
            ]
        Claims = [
            Claims.medianBelow
                "S7"
                "A network under Dale's law learns."
                "Fig 2—supplement 1a"
                5e-2
                ("half excitatory, T = 200", C.dale 200)
            Claims.medianBelow
                "S7 (rate 0.01)"
                "The same at a third of the rate."
                "Fig 2—supplement 1a, other rate"
                5e-2
                ("half excitatory, T = 200, rate 0.01", C.daleSlow)
            similar 200
            similar 400
            similar 800
            {
                Id = "S7 (plateau)"
                Text =
                    "Under the law the loss leaves that of a silent output later than without it."
                Source = "not in the paper, which says \"similar rate\""
                Threshold =
                    "T = 200: more trials until the loss is half of silence's in most of the seeds; one-sided sign test at 5 %"
                Decide =
                    fun results ->
                        let pairs = Runs.paired results leaves (C.rflo 200) (C.dale 200)

                        let trials choose =
                            Statistics.median (List.map choose pairs)
                            |> fun i -> $"%.0f{i.Estimate} (%.0f{i.Low} to %.0f{i.High})"

                        Claims.ofPairs pairs (fun wins chance ->
                            $"trials until half of silence's loss: free {trials fst}, half {trials snd}; free first in {wins} of {pairs.Length} pairs, p = %.2g{chance}")
            }
            yield! C.dalePeriods |> List.map most
            yield! C.dalePeriods |> List.map balancing
            {
                Id = "S7 (signs)"
                Text = "No weight ever changes its sign."
                Source = "Fig 2—supplement 1, Methods"
                Threshold =
                    "in every run every column of the recurrent weights has its unit's sign at the end"
                Decide =
                    fun results ->
                        let keys = [
                            for period in C.periods do
                                C.dale period, 0.5

                            for period in C.dalePeriods do
                                C.daleMost period, 0.8
                                C.daleBalanced period, 0.8
                        ]

                        let wrong (share: float) (run: PaperRun) =
                            let weights = run.Final.Value["cortex->cortex"]
                            let excitatory = int (round (share * float weights.ColumnCount))

                            weights.EnumerateIndexed()
                            |> Seq.filter (fun struct (_, j, w) ->
                                if j < excitatory then w < 0.0 else w > 0.0)
                            |> Seq.length

                        let violations = [
                            for key, share in keys do
                                for run in Runs.of' results key do
                                    wrong share run
                        ]

                        Claims.found
                            (List.sum violations = 0)
                            violations.Length
                            $"{List.sum violations} weights of the wrong sign"
            }
        ]
        Panels =
            fun results -> [
                for period in C.dalePeriods do
                    Panels.losses
                        $"Loss, T = {period}"
                        "RFLO with and without Dale's law. An output of 0 has a loss of 0.328, where a network under the law stays until it leaves silence."
                        [
                            "free", C.rflo period
                            "half", C.dale period
                            "four fifths", C.daleMost period
                            "four fifths, balanced", C.daleBalanced period
                        ]
                        results
                Panels.finals
                    "Final loss v. period"
                    "RFLO with and without Dale's law."
                    "period T (steps)"
                    [
                        "free", byPeriod C.rflo
                        "half", byPeriod C.dale
                        "four fifths",
                        [
                            for period in C.dalePeriods -> float period, C.daleMost period
                        ]
                        "four fifths, balanced",
                        [
                            for period in C.dalePeriods -> float period, C.daleBalanced period
                        ]
                    ]
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
            Claims.ofMedians
                "S8 (readout)"
                "The readout alone is worse by far."
                "Fig 2—supplement 2"
                "median final loss of both at most a third of the readout's alone, with its output fed back"
                [ "both", C.rflo 200; "readout", C.readoutOnly ]
                (fun medians -> medians[0] <= medians[1] / 3.0)
            Claims.ofMedians
                "S8 (recurrent)"
                "The recurrent weights alone fail."
                "Fig 2—supplement 2"
                "median final loss above 0.2 (an output of 0 has 0.328)"
                [ "recurrent", C.recurrentOnly ]
                (fun medians -> medians[0] > 0.2)
        ]
        Panels =
            fun results -> [
                Panels.losses
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
            Claims.ofMedians
                "S9 (size)"
                "Final loss falls with the number of units."
                "Fig 2—supplement 3a"
                "at rate 0.9 / N: L(10) >= 10 L(50), and no size worse than the one before by more than a factor 2"
                (C.sizes |> List.map (fun units -> $"N = {units}", C.ofUnits units))
                (fun medians ->
                    medians[0] >= 10.0 * medians[3]
                    && medians |> List.pairwise |> List.forall (fun (a, b) -> b <= 2.0 * a))
            Claims.ofMedians
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
                Panels.finals
                    "Final loss v. size"
                    "T = 200."
                    "units N"
                    [
                        "rate 0.9 / N", ofList (int >> C.ofUnits) (List.map float C.sizes)
                        "rate 0.03", ofList (int >> C.ofUnitsFixed) (List.map float C.sizes)
                    ]
                    results
                Panels.finals
                    "Final loss v. gain"
                    "Recurrent weights and first readout weights scaled by g; T = 200."
                    "gain g"
                    [ "RFLO", ofList C.gain C.gains ]
                    results
            ]
    }

    let all = [ supplement1; supplement2; supplement3 ]
