/// What a script gets by `open Rflo.Host`, and what it does not.
module Rflo.Host.Tests.SurfaceTests

open System
open Expecto
open FSharp.Reflection
open Rflo.Host
open Rflo.Host.Tests.Processes

let private exported = typeof<LoadedRun>.Assembly.GetExportedTypes()

let private isQualified (kind: Type) =
    not (isNull (Attribute.GetCustomAttribute(kind, typeof<RequireQualifiedAccessAttribute>)))

[<Tests>]
let tests =
    testList "what scripts see of the host" [
        test "is what a model script uses, and nothing else" {
            let names =
                exported
                |> Array.filter (fun kind -> not kind.IsNested)
                |> Array.map (fun kind -> kind.FullName)
                |> Array.filter (fun name ->
                    // What the F# compiler makes for itself.
                    not (isNull name) && not ((nonNull name).StartsWith "<StartupCode$"))
                |> Array.sort
                |> List.ofArray

            Expect.equal
                names
                [
                    "Rflo.Host.Charts"
                    "Rflo.Host.ExitCode"
                    "Rflo.Host.Host"
                    "Rflo.Host.LoadedRun"
                    "Rflo.Host.Outcome"
                    "Rflo.Host.Printers"
                    "Rflo.Host.Recordings"
                    "Rflo.Host.Run"
                    "Rflo.Host.TaskFigures"
                    "Rflo.Host.WeightFiles"
                ]
                "types and modules"
        }

        test "brings no field and no case of its own into a script" {
            for kind in exported do
                if FSharpType.IsRecord kind || FSharpType.IsUnion kind then
                    Expect.isTrue (isQualified kind) $"{kind.FullName} requires its name in front"
        }

        test "leaves a field of an experiment what it is" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "fields.fsx"
                        "let shorter e = { e with Trials = 5 }\n\
                         let cortex, y = area \"cortex\" 3, readout \"y\" 1\n\
                         let network = circuit [ cortex --> y |> learningRate 0.1 ]\n\
                         experiment \"fields\" network (Task.periodic 10.0<ms> [ harmonic 1 1.0 ]) |> shorter |> Host.run\n"

                let ended = script folder path [ "--"; "--check" ]
                Expect.equal ended.Code 0 ended.Errors
                Expect.stringContains ended.Output " 5 trials" "what it is")
        }
    ]
