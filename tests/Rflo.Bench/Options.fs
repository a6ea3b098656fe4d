/// The command line of the benchmark.
module Rflo.Bench.Options

open Argu
open Rflo.Host

type Option =
    | Quick
    | Pairs of count: string
    | Only of name: string

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Quick -> "a run of under three minutes that writes no documentation."
            | Pairs _ -> "take so many pairs of measurements for each row; 5, or 3 in a quick run."
            | Only _ ->
                let names = Targets.all |> List.map _.Name
                "measure this alone: " + String.concat ", " names + ", roofline. Repeatable."

/// What is asked of the benchmark.
type Asked = {
    IsQuick: bool
    Pairs: int
    /// Names of the rows to measure; all of them where there is none.
    Only: string list
}

/// The table of dense steps, beside the rows.
let roofline = "roofline"

let private names = (Targets.all |> List.map _.Name) @ [ roofline ]

let private pairs =
    function
    | Pairs text ->
        match Overrides.whole text with
        | Some count when count >= 1L && count <= 1000L -> Some(Ok(int count))
        | _ -> Some(Error(BadValue("--pairs", text, "a whole number from 1 to 1000")))
    | _ -> None

let private only =
    function
    | Only name when List.contains name names -> Some(Ok name)
    | Only name -> Some(Error(UnknownName("--only", name, "row", names)))
    | _ -> None

let private mistakes results =
    results
    |> List.choose (function
        | Error mistake -> Some mistake
        | Ok _ -> None)

let private values results = results |> List.choose Result.toOption

/// What a command line asks for, its help, or everything that is wrong with it.
let internal parse arguments : Result<Asked, Choice<string, Mistake list>> =
    match Arguments.parseWith<Option> "bench" arguments with
    | Error other -> Error other
    | Ok given ->
        let pairs, only = List.choose pairs given, List.choose only given
        let isQuick = List.contains Quick given

        match mistakes pairs @ mistakes only with
        | [] ->
            Ok {
                IsQuick = isQuick
                Pairs =
                    values pairs |> List.tryLast |> Option.defaultValue (if isQuick then 3 else 5)
                Only = values only
            }
        | wrong -> Error(Choice2Of2 wrong)
