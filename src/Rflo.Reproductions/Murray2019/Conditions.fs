namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// The conditions of the figures, by name. A condition that two figures share is run once.
[<RequireQualifiedAccess>]
module internal Conditions =

    let periods = [ 200; 400; 800; 1600 ]

    let private p = Models.periodic

    let private ms steps = float steps * 1.0<ms>

    let private made (size: PaperSize) key origin (model: PeriodicModel) =
        Condition.alone
            key
            origin
            (Models.ofPeriodic {
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

    /// The clipping norm of stabilized runs: the norm of the update over the learning rate.
    let clip = 0.1

    let private clipped (rule: Rule) = { rule with Clip = Clip.Each clip }

    let private clippedBecause =
        "clipping",
        "without it BPTT blows up in the chaotic regime; see the readings that were tried"

    let rflo period = $"rflo T={period}"
    let bptt period = $"bptt T={period}"
    let bpttClipped period = $"bptt clipped T={period}"

    /// The shortest periods are cheap, and their comparisons need more than nine networks.
    let private networks period =
        if period <= 400 then Condition.threefold else id

    /// RFLO and BPTT of one period, at the paper's rates; BPTT with clipped updates besides, where it may blow up.
    let ofPeriod size period = [
        made size (rflo period) (Simulation($"fig2-rflo-{period}", [])) {
            p with
                Period = ms period
                Rate = rfloRate period
        }
        |> networks period

        made size (bptt period) (Simulation($"fig2-bptt-{period}", [])) {
            p with
                Period = ms period
                Rate = bpttRate period
                Rule = Rule.bptt
        }
        |> networks period

        if period >= 800 then
            made size (bpttClipped period) (Simulation($"fig2-bptt-{period}", [ clippedBecause ])) {
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

    /// Printed for RFLO and BPTT at T = 800; the rates of the hybrids are not printed, and each has that of its kind.
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

            let departs = [
                if isClipped then
                    clippedBecause

                if period <> 800 then
                    "T", "a cheaper period at which the gap shows; the paper has 800"

                if rule.Credit.IsLocal && (isClipped || period <> 800) then
                    "rate", "0.003 at T = 800 and 0.01 at T = 400: what clipped updates allow"
            ]

            made size key (Simulation($"fig2d-{name}-800", departs)) {
                p with
                    Period = ms period
                    Rate = cornerRate isClipped period rule
                    Rule = if isClipped then clipped rule else rule
            })

    // ---- Dale's law -----------------------------------------------------------------------------

    /// Half of the units excitatory, as printed.
    let dale period = $"dale half T={period}"

    /// Half, at a third of the rate.
    let daleSlow = "dale half T=200, rate 0.01"

    /// Four fifths excitatory.
    let daleMost period = $"dale four fifths T={period}"

    /// Four fifths excitatory, inhibition scaled so that every unit's expected inputs sum to 0.
    let daleBalanced period = $"dale four fifths balanced T={period}"

    /// Where the shares are compared.
    let dalePeriods = [ 200; 400 ]

    let ofDale size period = [
        made size (dale period) (Simulation($"s1-dale-{period}", [])) {
            p with
                Period = ms period
                Rate = rfloRate period
                Dale = Some 0.5
        }
        |> networks period
    ]

    let ofDaleSlow size =
        made
            size
            daleSlow
            (Simulation("s1-dale-200", [ "rate", "a third of the rate of the free network" ]))
            { p with Rate = 0.01; Dale = Some 0.5 }
        |> Condition.threefold

    let ofDaleMost size period = [
        let mostly isBalanced = {
            p with
                Period = ms period
                Rate = rfloRate period
                Dale = Some 0.8
                Balanced = isBalanced
        }

        let origin =
            Simulation(
                $"s1-dale-{period}",
                [
                    "excitatory", "four fifths, as in cortex; the paper has one half"
                ]
            )

        made size (daleMost period) origin (mostly false) |> Condition.threefold
        made size (daleBalanced period) origin (mostly true) |> Condition.threefold
    ]

    // ---- ablations, size, gain ------------------------------------------------------------------

    let readoutOnly = "readout only, fed back"
    let readoutAlone = "readout only"
    let recurrentOnly = "recurrent only"

    let ofAblations size = [
        made size readoutOnly (Simulation("s2-readout-only", [])) {
            p with
                Rule = Rule.readoutOnly Rule.rflo
                FedBack = true
        }
        made
            size
            readoutAlone
            (Simulation("s2-readout-only", [ "fed back", "a reservoir without its output" ]))
            {
                p with
                    Rule = Rule.readoutOnly Rule.rflo
            }
        made size recurrentOnly (Simulation("s2-recurrent-only", [])) {
            p with
                Rule = Rule.recurrentOnly Rule.rflo
        }
    ]

    let sizes = [ 10; 20; 30; 50; 100 ]
    let ofUnits units = $"N={units}, rate 0.9/N"
    let ofUnitsFixed units = $"N={units}, rate 0.03"

    let ofSizes size = [
        for units in sizes do
            made size (ofUnits units) (Simulation("s3-size", [])) {
                p with
                    Units = units
                    Rate = 0.9 / float units
            }

            made size (ofUnitsFixed units) (Simulation("s3-size", [])) { p with Units = units }
    ]

    let gains = [ 0.25; 0.5; 0.75; 1.0; 1.25; 1.5; 2.0 ]
    let gain g = $"g={string g}"

    let ofGains size =
        gains
        |> List.map (fun g ->
            made size (gain g) (Simulation("s3-gain", [])) { p with Gain = g; Readout = g })

    // ---- interval matching ----------------------------------------------------------------------

    let private interval
        (size: PaperSize)
        key
        simulation
        (reading: Reading)
        departs
        (model: IntervalModel)
        =
        // A choice that a reading keeps as printed is no departure.
        let changes (choice, alternative) =
            let changed =
                model
                |> Reading.apply Models.intervalChoices {
                    reading with
                        Settings = [ choice, alternative ]
                }

            Models.ofInterval changed <> Models.ofInterval model

        let own =
            reading.Settings
            |> List.filter changes
            |> List.map (fun (choice, _) -> choice, Reading.text reading)

        let model = Reading.apply Models.intervalChoices reading model

        Condition.alone
            key
            (Simulation(simulation, own @ departs))
            (Models.ofInterval {
                model with
                    Trials = size.Trials model.Trials
            })
        |> Condition.fresh 2

    /// RFLO as printed, trained on delays up to so many ms.
    let intervalPrinted longest =
        $"interval rflo, printed, to {longest} ms"

    /// RFLO in the chosen reading.
    let intervalChosen longest =
        $"interval rflo, holding, to {longest} ms"

    /// BPTT as printed, to 25 tau.
    let intervalBptt = "interval bptt, printed, to 250 ms"

    /// BPTT in the channels and first readout of the chosen reading, on the delays of RFLO.
    let intervalBpttChosen longest =
        $"interval bptt, holding, to {longest} ms"

    let intervalLongest = [ 150; 200 ]

    let ofIntervals (size: PaperSize) = [
        for longest in intervalLongest do
            let tau = longest / 10

            interval
                size
                (intervalPrinted longest)
                $"fig3-rflo-{tau}"
                Reading.printed
                []
                (Models.interval Rule.rflo 0.001 (ms longest))

            interval
                size
                (intervalChosen longest)
                $"fig3-rflo-{tau}"
                Models.intervalChosen
                []
                (Models.interval Rule.rflo 0.001 (ms longest))

            interval
                size
                (intervalBpttChosen longest)
                "fig3-bptt-25"
                Models.intervalChosen
                [
                    "longest delay", "the delays of RFLO, to compare the two"
                ]
                (Models.interval Rule.bptt 0.003 (ms longest))

        interval
            size
            intervalBptt
            "fig3-bptt-25"
            Reading.printed
            []
            (Models.interval Rule.bptt 0.003 250.0<ms>)
    ]

    // ---- sequences ------------------------------------------------------------------------------

    /// The paper's 1600 steps: four moves and four holds.
    let held = Reading.printed

    /// Four moves of 200 steps without holds.
    let short = {
        Name = "short"
        Settings = [ "holds", "none" ]
    }

    let private named (reading: Reading) key =
        if reading.Settings.IsEmpty then
            key
        else
            $"{key}, {reading.Name}"

    let syllables reading = named reading "syllables"
    let loop reading = named reading "loop"
    let loopLiteral reading = named reading "loop, literal rule"
    let loopBaseline reading = named reading "loop, reward baseline"
    let untaughtRflo reading = named reading "no loop, rflo"
    let untaughtBptt reading = named reading "no loop, bptt"
    let untaughtClipped reading = named reading "no loop, bptt clipped"

    /// A model of Fig 4 in a reading.
    let sequence reading =
        Reading.apply Models.sequenceChoices reading Models.sequence

    let ofSequence (reading: Reading) (size: PaperSize) = [
        let model = sequence reading

        let departs = [
            for choice in Reading.departures Models.sequenceChoices reading do
                choice, Reading.text reading

            if model.Task.Hold = 0.0<ms> then
                "T", "four moves without holds are 800 steps"
        ]

        Condition.alone
            (syllables reading)
            (Simulation("fig4-syllables", departs))
            (Models.syllables {
                model with
                    Trials = size.Trials 10_000
            })

        for key, rule, why in
            [
                loop, Rule.rewardHebb, [ "striatal factor", "the rate after the competition" ]
                loopLiteral, Rule.rewardHebbLiteral, []
                loopBaseline,
                Rule.rewardHebbBaseline,
                [
                    "striatal factor", "the rate after the competition"
                    "baseline", "a running mean of the reward is subtracted"
                ]
            ] do
            Condition.following
                (key reading)
                (Simulation("fig4-loop", departs @ why))
                (syllables reading)
                (fun run ->
                    Models.loop
                        (Models.square model)
                        (Modules.syllables 100 4 0.01)
                        rule
                        run.Final.Value
                        (size.Trials 10_000))

        for key, rule, rate, simulation, why in
            [
                untaughtRflo, Rule.rflo, 0.001, "fig4-rflo", []
                untaughtBptt, Rule.bptt, 0.001, "fig4-bptt", []
                untaughtClipped, clipped Rule.bptt, 0.003, "fig4-bptt", [ clippedBecause ]
            ] do
            Condition.alone
                (key reading)
                (Simulation(simulation, departs @ why))
                (Models.untaught {
                    model with
                        Rule = rule
                        Rate = rate
                        Trials = size.Trials 20_000
                })
    ]
