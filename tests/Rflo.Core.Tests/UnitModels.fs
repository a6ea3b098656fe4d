/// Unit models for tests: the core's own units once more, with one state and with two, and one with two states that act on each
/// other.
module Rflo.Core.Tests.UnitModels

open System
open Rflo.Core
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.InReference

let model
    name
    (states: string list)
    (step: OneUnit -> unit)
    (signal: OneUnit -> float)
    : UnitModel =
    PointwiseUnits(name, states, step, signal)

/// Leaky rates whose state is cut into two parts: r = s0 + s1, of which the first has the share p of what comes in.
let private cut share transfer =
    model
        $"leaky {transfer}, cut at {share}"
        [ "first"; "second" ]
        (fun unit ->
            let slope = unit.Alpha * Reference.slope (transferName transfer) unit.Current

            let value = unit.Alpha * Reference.transfer (transferName transfer) unit.Current

            for k, part in [ 0, share; 1, 1.0 - share ] do
                unit.State[k] <- (1.0 - unit.Alpha) * unit.Before[k] + part * value
                unit.A[k, k] <- 1.0 - unit.Alpha
                unit.C[k] <- part * slope)
        (fun unit ->
            unit.G[0] <- 1.0
            unit.G[1] <- 1.0
            unit.State[0] + unit.State[1])

let private leaky transfer =
    model
        $"leaky {transfer}"
        [ "h" ]
        (fun unit ->
            unit.A[0, 0] <- 1.0 - unit.Alpha
            unit.C[0] <- unit.Alpha * Reference.slope (transferName transfer) unit.Current

            unit.State[0] <-
                (1.0 - unit.Alpha) * unit.Before[0]
                + unit.Alpha * Reference.transfer (transferName transfer) unit.Current)
        (fun unit ->
            unit.G[0] <- 1.0
            unit.State[0])

let private currentForm transfer =
    model
        $"current form, {transfer}"
        [ "x" ]
        (fun unit ->
            unit.A[0, 0] <- 1.0 - unit.Alpha
            unit.C[0] <- unit.Alpha
            unit.State[0] <- (1.0 - unit.Alpha) * unit.Before[0] + unit.Alpha * unit.Current)
        (fun unit ->
            unit.G[0] <- Reference.slope (transferName transfer) unit.State[0]
            Reference.transfer (transferName transfer) unit.State[0])

/// The units of an area as a model with one state.
let twin (area: AreaSpec) =
    let model =
        if area.Dynamics = Dynamics.CurrentForm then
            currentForm area.Transfer
        else
            leaky area.Transfer

    Remade.WithUnits(area, model)

/// The units of an area of leaky rates as a model with two states; those of others as one with one.
let twinOfTwo (area: AreaSpec) =
    if area.Dynamics = Dynamics.CurrentForm then
        twin area
    else
        Remade.WithUnits(area, cut 0.3 area.Transfer)

/// Two states that act on each other, both reached by the current and both sent: every part of A, c and g matters.
let adapting =
    PointwiseUnits(
        "adapting",
        [ "v"; "a" ],
        (fun unit ->
            let v, w, u = unit.Before[0], unit.Before[1], unit.Current
            unit.State[0] <- (1.0 - unit.Alpha) * v + unit.Alpha * (u - 0.7 * w)
            let positive x = Math.Tanh(max 0.0 x)
            unit.State[1] <- 0.8 * w + 0.2 * positive v ** 2.0 - 0.3 * positive u ** 2.0
            unit.A[0, 0] <- 1.0 - unit.Alpha
            unit.A[0, 1] <- -0.7 * unit.Alpha
            unit.A[1, 1] <- 0.8
            unit.C[0] <- unit.Alpha

            // What is 0 is left out.
            let slope x =
                2.0 * positive x * (1.0 - positive x ** 2.0)

            if v > 0.0 then
                unit.A[1, 0] <- 0.2 * slope v

            if u > 0.0 then
                unit.C[1] <- -0.3 * slope u),
        (fun unit ->
            let positive = Math.Tanh(max 0.0 unit.State[1])
            let r = Math.Tanh(unit.State[0] - 0.5 * positive * positive)
            unit.G[0] <- 1.0 - r * r

            if positive > 0.0 then
                unit.G[1] <- -(1.0 - r * r) * positive * (1.0 - positive * positive)

            r),
        Initial = [| 0.2 |]
    )

/// An area with those units.
let asAdapting (area: AreaSpec) = Remade.WithUnits(area, adapting)

/// What a trace of a model's slopes can have: one number a unit for each slope, shaped by nothing.
let allows (rule: LearningRule) =
    match rule with
    | :? KernlRule -> false
    | :? ThreeFactorRule as rule ->
        not rule.Oja
        && (rule.Post <> PostSignal.Slope
            || (rule.PostShaping.MeanAlpha = 0.0 && isNull rule.PostShaping.Map))
    | _ -> true
