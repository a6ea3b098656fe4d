namespace Rflo.Host

open Rflo.Dsl

/// The conditions of the figures, by name. A condition that two figures share is run once.
[<RequireQualifiedAccess>]
module PaperConditions =

    let periods = [ 200; 400; 800; 1600 ]

    let private p = PaperModels.periodic

    let private ms steps = float steps * 1.0<ms>

    let private made (size: PaperSize) key (model: PaperModels.Periodic) =
        Condition.alone
            key
            (PaperModels.ofPeriodic {
                model with
                    Trials = size.Trials model.Trials
            })

    /// Learning rates of Fig 2b, as printed.
    let rfloRate =
        function
        | 200 -> 0.03
        | 400 -> 0.01
        | 800 -> 0.001
        | _ -> 0.0003

    let bpttRate =
        function
        | 800 -> 0.01
        | _ -> 0.03

    /// What stabilised runs are clipped at: the norm of the update over the learning rate.
    let clip = 0.1

    let private clipped (rule: Rule) = { rule with Clip = Some clip }

    let rflo period = $"rflo T={period}"
    let bptt period = $"bptt T={period}"
    let bpttClipped period = $"bptt clipped T={period}"

    /// RFLO and BPTT of one period, at the paper's rates; BPTT with clipped updates besides, where it may blow up.
    let ofPeriod size period = [
        made size (rflo period) {
            p with
                Period = ms period
                Rate = rfloRate period
        }
        made size (bptt period) {
            p with
                Period = ms period
                Rate = bpttRate period
                Rule = Rule.bptt
        }

        if period >= 800 then
            made size (bpttClipped period) {
                p with
                    Period = ms period
                    Rate = bpttRate period
                    Rule = clipped Rule.bptt
            }
    ]

    /// The four corners of Fig 2d: local or not, random or symmetric feedback; with and without clipping.
    let corner name isClipped period =
        let clipping = if isClipped then " clipped" else ""
        $"{name}{clipping} T={period}"

    let corners = [
        "rflo", Rule.rflo
        "bptt", Rule.bptt
        "local-symmetric", Rule.localSymmetric
        "bptt-random", Rule.bpttRandom
    ]

    /// Printed for RFLO and BPTT at T = 800; the hybrids' rates are not, and we give each its kind's.
    let private cornerRate isClipped period (rule: Rule) =
        let isLocal = rule.Credit.IsLocal

        match period, isClipped, isLocal with
        | 800, false, true -> 0.001
        | 800, true, true -> 0.003
        | _ -> 0.01

    let ofCorners size isClipped period =
        corners
        |> List.map (fun (name, rule) ->
            // RFLO and BPTT at the paper's own rates are those of Fig 2b.
            let key = corner name isClipped period

            made size key {
                p with
                    Period = ms period
                    Rate = cornerRate isClipped period rule
                    Rule = if isClipped then clipped rule else rule
            })

    let dale period = $"dale T={period}"

    let ofDale size period = [
        made size (dale period) {
            p with
                Period = ms period
                Rate = rfloRate period
                Dale = true
        }
    ]

    /// Dale's law at a third of the rate, which suits it better at the shortest period.
    let daleSlow = "dale T=200, rate 0.01"

    let ofDaleSlow size =
        made size daleSlow { p with Rate = 0.01; Dale = true }

    let readoutOnly = "readout only, fed back"
    let readoutAlone = "readout only"
    let recurrentOnly = "recurrent only"

    let ofAblations size = [
        made size readoutOnly {
            p with
                Rule = Rule.readoutOnly Rule.rflo
                FedBack = true
        }
        made size readoutAlone {
            p with
                Rule = Rule.readoutOnly Rule.rflo
        }
        made size recurrentOnly {
            p with
                Rule = Rule.recurrentOnly Rule.rflo
        }
    ]

    let sizes = [ 10; 20; 30; 50; 100 ]
    let ofUnits units = $"N={units}, rate 0.9/N"
    let ofUnitsFixed units = $"N={units}, rate 0.03"

    let ofSizes size = [
        for units in sizes do
            made size (ofUnits units) {
                p with
                    Units = units
                    Rate = 0.9 / float units
            }

            made size (ofUnitsFixed units) { p with Units = units }
    ]

    let gains = [ 0.25; 0.5; 0.75; 1.0; 1.25; 1.5; 2.0 ]
    let gain g = $"g={string g}"

    let ofGains size =
        gains |> List.map (fun g -> made size (gain g) { p with Gain = g; Readout = g })

    let intervalBptt = "interval bptt, to 250 ms"
    let intervalRflo longest = $"interval rflo, to {longest} ms"

    let ofIntervals (size: PaperSize) = [
        Condition.alone
            intervalBptt
            (PaperModels.interval Rule.bptt 0.003 250.0<ms> (size.Trials 5000))

        for longest in [ 150; 200 ] do
            Condition.alone
                (intervalRflo longest)
                (PaperModels.interval Rule.rflo 0.001 (ms longest) (size.Trials 5000))
    ]

    let syllables = "syllables"
    let sequence = "loop"
    let sequenceLiteral = "loop, literal rule"
    let sequenceBaseline = "loop, reward baseline"
    let untaughtRflo = "no loop, rflo"
    let untaughtBptt = "no loop, bptt"

    let ofSequence (size: PaperSize) = [
        Condition.alone syllables (PaperModels.syllables 0.01 (size.Trials 10_000))

        for key, rule in
            [
                sequence, Rule.rewardHebb
                sequenceLiteral, Rule.rewardHebbLiteral
                sequenceBaseline, Rule.rewardHebbBaseline
            ] do
            Condition.following key syllables (fun run ->
                PaperModels.sequence rule run.Final.Value (size.Trials 10_000))

        Condition.alone untaughtRflo (PaperModels.untaught Rule.rflo 0.001 (size.Trials 20_000))

        Condition.alone
            untaughtBptt
            (PaperModels.untaught (clipped Rule.bptt) 0.003 (size.Trials 20_000))
    ]
