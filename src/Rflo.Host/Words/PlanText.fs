namespace Rflo.Host

open System.Globalization
open Rflo.Core
open Rflo.Dsl

/// The plan of a session in lines: operators in their order, the forms that were chosen for them, the arrays that it keeps.
[<RequireQualifiedAccess>]
module internal PlanText =

    let private stage =
        function
        | PlanStage.Forward -> "in every step: the circuit"
        | PlanStage.ObserveStep -> "in every step: learning reads"
        | PlanStage.ApplyStep -> "in every step: learning writes"
        | PlanStage.ObserveTrial -> "when the trial has ended: learning reads"
        | PlanStage.ApplyTrial -> "when the trial has ended: learning writes"
        | _ -> "when the last trial of an update has ended"

    let private operator (one: PlanOperator) = [
        if one.Form = "" then
            $"    {one.Name}"
        else
            $"    {one.Name} ({one.Form})"

        $"""      reads   {String.concat "; " (Seq.map string one.Reads)}"""
        $"""      writes  {String.concat "; " one.Writes}"""
    ]

    let private operators (plan: Plan) = [
        for at, several in Seq.groupBy (fun (one: PlanOperator) -> one.Stage) plan.Operators do
            $"  {stage at}"

            for one in several do
                yield! operator one
    ]

    let private choice (one: PlanChoice) =
        let mark = if one.IsChosen then "yes" else "no "
        let why = if one.Why = "" then "" else $": {one.Why}"
        $"  {mark}  {one.Form} ({one.Part}){why}"

    let private bytes (count: int64) =
        count.ToString("N0", CultureInfo.InvariantCulture)

    let private buffers (plan: Plan) =
        let width =
            plan.Buffers
            |> Seq.map (fun buffer -> (bytes buffer.Bytes).Length)
            |> Seq.append [ (bytes plan.Bytes).Length ]
            |> Seq.max

        let line count what =
            $"  {(bytes count).PadLeft width}  {what}"

        [
            for part, several in Seq.groupBy (fun (buffer: PlanBuffer) -> buffer.Part) plan.Buffers do
                for buffer in several do
                    let lanes = if buffer.Lanes > 1 then $" ({buffer.Lanes} lanes)" else ""
                    line buffer.Bytes $"{part}: {buffer.Name}{lanes}"

            line plan.Bytes "all arrays"
        ]

    /// The plan of the session that trains a compiled experiment. No session is made.
    let ofCompiled (compiled: Compiled) =
        let angles = [|
            for probe in compiled.Probes do
                match probe with
                | :? AngleProbe as angle -> angle
                | _ -> ()
        |]

        Plan.Of(compiled.Graph, compiled.Task, compiled.Precision, compiled.Lanes, angles)

    /// The lines of a checked experiment's plan.
    let lines (ready: CheckedExperiment) =
        let plan = ofCompiled (Compile.experiment ready)

        [
            "operators"
            yield! operators plan
            "fast forms"
            yield! List.map choice (List.ofSeq plan.Choices)
            "arrays, in bytes"
            yield! buffers plan
        ]
