namespace Rflo.Dsl

open System
open Rflo.Core
open CheckValues

/// What is wrong with least squares, and with a projection that learns by them.
[<RequireQualifiedAccess>]
module internal CheckLeastSquares =

    /// What is wrong with the numbers of recursive least squares.
    let settings alpha forgetting every = [
        yield! moreThanZero "alpha of the least squares" alpha

        if not (forgetting > 0.0 && forgetting <= 1.0) then
            NotAllowed("the forgetting of the least squares", string forgetting, "in (0, 1]")

        yield! atLeastOne "the number of steps between least squares" every
    ]

    /// Bounds and penalties, which the solution of least squares does not take into account.
    let private ownAlphaAlone instead (projection: Projection) = [
        if Option.isSome (CheckProjections.soundBounds projection) then
            Contradiction(
                "least squares do not keep weights within bounds",
                $"leave the bounds out, {instead}"
            )

        for label, strength in projection.Decays do
            let word = label.ToLowerInvariant()

            if strength > 0.0 then
                Contradiction(
                    $"least squares have no {word} but their own alpha",
                    $"leave the {word} out, {instead}"
                )
    ]

    /// What is wrong with a projection onto a readout that learns by least squares. Invalid values of the readout itself are
    /// reported elsewhere.
    let ofReadout (rule: Rule) (readout: Readout) (projection: Projection) = [
        let instead =
            "or let the readout learn by the delta rule, Rule.readoutsBy DeltaRule"

        if readout.Output <> Output.Linear && Enum.IsDefined readout.Output then
            RuleCannot(
                rule.Name,
                $"solve least squares for {readout.Name}, whose outputs are no linear function of its weights",
                $"make the readout linear, {instead}"
            )

        yield! ownAlphaAlone instead projection

        match readout.LossOrNatural with
        | :? SquaredError -> ()
        | loss ->
            if readout.Output = Output.Linear then
                Contradiction(
                    $"least squares minimize the squared error, and the loss of {readout.Name} is the {loss.Description}",
                    $"leave the loss out, {instead}"
                )
    ]

    /// What is wrong with a projection onto an area that learns the currents of a teacher.
    let ofArea (circuit: Circuit) (rule: Rule) (target: Area) (projection: Projection) = [
        match rule.Credit with
        | TowardCurrents(name, _, _, _) ->
            let instead = "or take another rule"

            match Wiring.findArea circuit name with
            | Error faults -> yield! faults
            | Ok _ when target.Dynamics.IsWinnerTakeAll -> ()
            | Ok teacher ->
                if name = target.Name then
                    RuleCannot(
                        rule.Name,
                        $"make {name} its own teacher",
                        "name another area with as many units, such as a frozen copy of it"
                    )
                elif teacher.Dynamics.IsWinnerTakeAll then
                    RuleCannot(
                        rule.Name,
                        $"follow the currents of {name}, a winner-take-all area, which has none in most steps",
                        "name an area of rate units"
                    )
                elif teacher.Units <> target.Units then
                    RuleCannot(
                        rule.Name,
                        $"make the currents of {string target.Units} units of {target.Name} those of {string teacher.Units} units of {name}",
                        $"give {name} as many units"
                    )

            if target.Dynamics.IsWinnerTakeAll then
                RuleCannot(
                    rule.Name,
                    "change weights onto a winner-take-all area, which has no current in most steps",
                    "use a rule of rates such as reward-hebb, or freeze the projection"
                )

            if Option.isSome (Wiring.signsOf circuit projection) then
                Contradiction(
                    "least squares do not keep the signs of weights",
                    $"leave dale out, {instead}"
                )

            yield! ownAlphaAlone instead projection
        | _ -> ()
    ]
