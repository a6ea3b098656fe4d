namespace Rflo.Dsl

/// Ready-made parts of circuits: functions that return circuits, which can be prefixed, changed and merged.
[<RequireQualifiedAccess>]
module Modules =

    /// `Modules.cortex "cortex" 100 1.5 0.01` is a recurrent area of 100 tanh units with tau 10 ms, whose rates carry
    /// over from trial to trial and whose recurrent weights, of gain 1.5, learn at rate 0.01.
    let cortex name units gain rate : Circuit =
        let area = area name units |> initial (carriedOver 0.1)

        Circuit.empty
        |> areas [ area ]
        |> projections [
            area --> area |> weights (gaussian gain) |> learningRate rate
        ]

    /// `Modules.basalGanglia "striatum" 4 0.1` is a winner-take-all area of 4 striatal units, in which a random
    /// unit wins with probability 0.1. It chooses when the gate of a projection onto it is open, and holds its choice until the next.
    let basalGanglia name choices exploration : Circuit =
        Circuit.empty |> areas [ winnerTakeAll name choices |> explore exploration ]

    /// `Modules.thalamus "thalamus" 4` is an area of 4 units whose rates are their inputs, one step later.
    let thalamus name units : Circuit =
        Circuit.empty |> areas [ relay name units ]

    /// `Modules.loop 100 4 (Every 200.0<ms>)` is the loop of the three (Murray 2019, Fig 4): cortex projects to
    /// striatum through a gate that opens at the end of each syllable, the winner reaches thalamus one to one, and
    /// thalamus drives cortex with a separate input for each choice until the next decision.
    /// Names: cortex, striatum and thalamus; only the projections from cortex and thalamus to cortex learn.
    let loop (units: int) (choices: int) (opening: Opening) : Circuit =
        let three =
            Circuit.concat [
                cortex "cortex" units 1.5 0.01
                basalGanglia "striatum" choices 0.0
                thalamus "thalamus" choices
            ]

        let part name = three |> Circuit.area name

        three
        |> projections [
            part "cortex" --> part "striatum" |> gate opening
            part "striatum" --> part "thalamus" |> weights (oneToOne 1.0)
            part "thalamus" --> part "cortex"
            |> weights (uniform -1.0 1.0)
            |> learningRate 0.01
        ]

    /// `Modules.syllables 100 4 0.01` is a motor cortex of 100 units that learns at rate 0.01 to turn each of 4 tonic inputs
    /// into a velocity of two dimensions: the first stage of Murray (2019), Fig 4, for `Task.syllables`. The input
    /// reaches cortex through thalamus, as the choices of basal ganglia do in the second stage. Rates carry over from trial to trial: a
    /// syllable begins from the rates at the end of any other.
    /// Names: syllable (input), thalamus, cortex, velocity (readout).
    let syllables (units: int) (choices: int) (rate: float) : Circuit =
        let both =
            Circuit.concat [
                thalamus "thalamus" choices
                cortex "cortex" units 1.5 rate
            ]

        let relay = both |> Circuit.area "thalamus"
        let motor = both |> Circuit.area "cortex"
        let syllable = input "syllable" choices
        let velocity = readout "velocity" 2

        both
        |> projections [
            syllable --> relay |> weights (oneToOne 1.0)
            relay --> motor |> weights (uniform -1.0 1.0) |> learningRate rate
            motor --> velocity |> weights (uniformScaled 1.0) |> learningRate rate
        ]
        |> feedback [ errorOf velocity --> motor ]

    /// `c |> Modules.sequenced Rule.rewardHebb 3.0 0.1` closes the loop over a trained circuit of `Modules.syllables`: the
    /// second stage of Murray (2019), Fig 4, for `Task.syllables` with a chooser. All weights of c are frozen. Striatum
    /// receives cortex when the event "decide" opens its gate, at the end of a syllable; one unit wins, a random one with
    /// probability 0.1, and thalamus sends it to cortex in the steps of the event "move". Only cortex to striatum learns, by
    /// that rule of rewards at rate 3, from small weights.
    /// A step's increment carries 1 / T as everywhere: the paper's eta_s is the rate / T.
    let sequenced learningRule (rate: float) (exploration: float) (trained: Circuit) : Circuit =
        let relay = trained |> Circuit.area "thalamus"
        let motor = trained |> Circuit.area "cortex"

        let chooser = winnerTakeAll "striatum" relay.Units |> explore exploration

        Circuit.freeze trained
        |> projections [
            motor --> chooser
            |> weights (gaussian 0.1)
            |> gate (atEvent "decide")
            |> learnBy learningRule rate
            chooser --> relay |> weights (oneToOne 1.0) |> gate (atEvent "move")
        ]
