namespace Rflo.Host

open System
open System.Reflection
open Rflo.Dsl

/// How values of models print in an interactive session: `Printers.register fsi` once, and circuits, experiments, rules, problems
/// and runs print as descriptions.
[<RequireQualifiedAccess>]
module Printers =

    let private lines (parts: string list) = String.concat "\n" parts

    /// A circuit, a line for each part.
    let circuit (circuit: Circuit) =
        match Circuit.describe circuit with
        | [] -> "a circuit without parts"
        | parts -> lines parts

    /// An experiment, a line for each part.
    let experiment (experiment: Experiment) =
        $"{experiment.Name}\n{Describe.text experiment}"

    /// A rule: its name, its credit assignment, and when weights change.
    let rule (rule: Rule) =
        $"{rule.Name}: {Describe.credit rule.Credit}; weights change {Describe.update rule}"

    /// A problem of a declaration, as the check prints it.
    let problem problem = Problem.text problem

    /// The results of a run: how it ended, its losses, its weights by name and shape.
    let trained (trained: Trained) =
        lines [
            $"{trained.Experiment.Name}: {trained.Status}"

            match Losses.firstAndFinal trained with
            | Some text -> $"{text}, in %.3g{Array.sum trained.Seconds} s"
            | None -> ()

            for KeyValue((readout, area), values) in trained.Alignments do
                if values.Length > 0 then
                    $"alignment {readout}->{area}: %.3f{Array.last values}"

            for KeyValue(name, matrix) in trained.Final do
                $"weights {name}: ({matrix.RowCount}, {matrix.ColumnCount})"

            for KeyValue(name, series) in trained.Probes do
                if series.Values.Length > 0 then
                    $"probe {name}: %.4g{Array.last series.Values} in trial {Array.last series.Trials}"
        ]

    let private add (session: obj) (method: MethodInfo) (printer: 'value -> string) =
        method.MakeGenericMethod(typeof<'value>).Invoke(session, [| box printer |])
        |> ignore

    /// Registers printers of models in an interactive session: `Printers.register fsi`. Any other argument raises an
    /// ArgumentException. (A notebook of .NET Interactive has its own formatters, which take the functions beside this one.)
    let register (session: obj) =
        match session.GetType().GetMethod "AddPrinter" with
        | null ->
            invalidArg
                (nameof session)
                $"a {session.GetType().Name} prints nothing; pass the fsi of an interactive session"
        | method ->
            add session method circuit
            add session method experiment
            add session method rule
            add session method problem
            add session method trained
