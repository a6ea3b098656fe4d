namespace Rflo.Dsl

/// Ready-made parts of circuits, as ordinary functions that return circuits. Prefix, change and connect them at will.
[<RequireQualifiedAccess>]
module Modules =

    /// `Modules.cortex "cortex" 100 1.5 0.01` is a recurrent area of 100 tanh units with tau 10 ms, whose rates carry
    /// over from trial to trial and whose recurrent weights, of gain 1.5, learn at rate 0.01.
    let cortex name units gain rate : Circuit =
        let area = area name units |> initial (CarriedOver 0.1)

        circuit
        |> areas [ area ]
        |> projections [
            area --> area |> weights (gaussian gain) |> learning rate
        ]

    /// `Modules.basalGanglia "striatum" 4 0.1` is a striatal area of 4 units in which the winner takes all, and a random
    /// unit wins with probability 0.1. It decides when a gated projection onto it opens, and holds its choice.
    let basalGanglia name choices exploration : Circuit =
        circuit |> areas [ winnerTakeAll name choices |> explore exploration ]

    /// `Modules.thalamus "thalamus" 4` is an area of 4 units that hands on what it receives, one step later.
    let thalamus name units : Circuit = circuit |> areas [ relay name units ]

    /// `Modules.loop 100 4 (Every 200.0<ms>)` is the loop of the three (Murray 2019, Fig 4): cortex projects to
    /// striatum through a gate that opens at the end of each syllable, the winner reaches thalamus one to one, and
    /// thalamus drives cortex with an input of its own for each choice until the next decision.
    /// Names: cortex, striatum and thalamus; only cortex and what thalamus sends it learn.
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
            part "thalamus" --> part "cortex" |> weights (uniform -1.0 1.0) |> learning 0.01
        ]
