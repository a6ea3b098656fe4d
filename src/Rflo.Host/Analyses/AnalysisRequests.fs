namespace Rflo.Host

open System
open Rflo.Dsl

/// One thing that an analysis computes.
[<RequireQualifiedAccess>]
type internal AnalysisPart =
    | Performance
    /// By a condition, or by the one that the task has for it.
    | Psychometric of condition: string option
    | Outputs
    | Components
    | FixedPoints
    | Exponents
    | Decoding of condition: string
    /// The words of the command line, and what they stand for.
    | Perturbed of words: string * Perturbation

/// What an analysis computes, and how.
type internal AnalysisRequest = {
    /// In the order of the command line; empty for what suits the task.
    Parts: AnalysisPart list
    /// Conditions to split trials by; empty for all with few values.
    Conditions: string list
    /// Constant inputs of fixed points and exponents.
    Inputs: (string * float[]) list
    /// Gated projections, and whether each is open.
    Gates: (string * bool) list
    /// Which weights of the run: final, best or initial.
    Moment: string
    TestTrials: int
    /// Where the page goes, where that is not the run folder.
    Out: string option
}

/// Reads the values of the options of an analysis.
[<RequireQualifiedAccess>]
module internal AnalysisRequests =

    [<Literal>]
    let private UsualTrials = 500

    [<Literal>]
    let private MostTrials = 1_000_000L

    let private moments = [ "final"; "best"; "initial" ]

    let private perturbations =
        "silence:AREA, lesion:AREA, stimulate:AREA=CURRENT, disturb:AREA=NOISE or scale:PROJECTION=FACTOR, with @EVENT behind it for a phase, such as silence:cortex@delay"

    /// "cortex" or "cortex[excitatory]".
    let private units (text: string) =
        match text.IndexOf '[' with
        | at when at > 0 && text.EndsWith ']' ->
            PerturbedUnits.Population(
                text.Substring(0, at),
                text.Substring(at + 1, text.Length - at - 2)
            )
        | _ -> PerturbedUnits.Whole text

    /// What stands before and behind the last sign of a kind; nothing behind where there is none.
    let private cut (sign: char) (text: string) =
        match text.LastIndexOf sign with
        | -1 -> text, None
        | at -> text.Substring(0, at), Some(text.Substring(at + 1))

    let private kindOf (word: string) (target: string) (value: float option) =
        match word, value with
        | _ when target = "" -> None
        | "silence", None -> Some(PerturbationKind.Silence(units target))
        | "lesion", None -> Some(PerturbationKind.Lesion(units target))
        | "stimulate", Some current ->
            Some(PerturbationKind.Stimulate(units target, Course.constant current, 0.0))
        | "disturb", Some noise ->
            Some(PerturbationKind.Stimulate(units target, Course.constant 0.0, noise))
        | "scale", Some factor -> Some(PerturbationKind.ScaleProjection(target, factor))
        | _ -> None

    let private perturbed (text: string) =
        let without, event = cut '@' text

        let named, value = cut '=' without

        let number =
            value
            |> Option.map (fun value -> Overrides.number value |> Option.filter Double.IsFinite)

        let kind =
            match named.IndexOf ':', number with
            | -1, _
            | _, Some None -> None
            | at, number ->
                kindOf (named.Substring(0, at)) (named.Substring(at + 1)) (Option.flatten number)

        match kind, event with
        | None, _
        | _, Some "" -> Error(BadValue("--perturb", text, perturbations))
        | Some kind, event ->
            Ok(
                AnalysisPart.Perturbed(
                    text,
                    {
                        Kind = kind
                        Steps =
                            match event with
                            | Some event -> PerturbedSteps.During event
                            | None -> PerturbedSteps.All
                        Trials = PerturbedTrials.All
                    }
                )
            )

    let private input (text: string) =
        let name, values = cut '=' text

        let numbers =
            values
            |> Option.map (fun values -> values.Split ',' |> Array.map Overrides.number)

        match numbers with
        | Some numbers when name <> "" && numbers |> Array.forall (Option.exists Double.IsFinite) ->
            Ok(name, Array.map Option.get numbers)
        | _ ->
            Error(
                BadValue(
                    "--at",
                    text,
                    "INPUT=NUMBER, or INPUT=NUMBER,NUMBER,... of several channels"
                )
            )

    let private gate (text: string) =
        match cut '=' text with
        | name, Some "open" when name <> "" -> Ok(name, true)
        | name, Some "shut" when name <> "" -> Ok(name, false)
        | _ ->
            Error(
                BadValue("--gate", text, "PROJECTION=open or PROJECTION=shut, such as pfc->m1=open")
            )

    let private count (text: string) =
        match Overrides.whole text with
        | Some count when count >= 2L && count <= MostTrials -> Ok(int count)
        | _ ->
            Error(BadValue("--test-trials", text, $"a whole number from 2 to {string MostTrials}"))

    let private moment (text: string) =
        if List.contains text moments then
            Ok text
        else
            Error(BadValue("--weights", text, "final, best or initial"))

    let private partOf option =
        match option with
        | AnalysisOption.Performance -> Some(Ok AnalysisPart.Performance)
        | AnalysisOption.Psychometric condition -> Some(Ok(AnalysisPart.Psychometric condition))
        | AnalysisOption.Outputs -> Some(Ok AnalysisPart.Outputs)
        | AnalysisOption.Pca -> Some(Ok AnalysisPart.Components)
        | AnalysisOption.Fixed_Points -> Some(Ok AnalysisPart.FixedPoints)
        | AnalysisOption.Lyapunov -> Some(Ok AnalysisPart.Exponents)
        | AnalysisOption.Decode condition -> Some(Ok(AnalysisPart.Decoding condition))
        | AnalysisOption.Perturb text -> Some(perturbed text)
        | _ -> None

    let private split results =
        results |> List.choose Result.toOption,
        results
        |> List.choose (function
            | Ok _ -> None
            | Error mistake -> Some mistake)

    let private last chosen options =
        options |> List.choose chosen |> List.tryLast

    /// Options without an effect on the requested parts.
    let private idle (parts: AnalysisPart list) (options: AnalysisOption list) = [
        let isOfMap =
            List.exists (fun (part: AnalysisPart) -> part.IsFixedPoints || part.IsExponents)

        let isSplit =
            List.exists (fun (part: AnalysisPart) ->
                part.IsPerformance || part.IsOutputs || part.IsComponents || part.IsPerturbed)

        if not parts.IsEmpty && not (isOfMap parts) then
            for option in options do
                match option with
                | AnalysisOption.At _ ->
                    NoEffect(
                        "--at",
                        "inputs are held for --fixed-points and --lyapunov; give one of them too"
                    )
                | AnalysisOption.Gate _ ->
                    NoEffect(
                        "--gate",
                        "gates are held for --fixed-points and --lyapunov; give one of them too"
                    )
                | _ -> ()

        if not parts.IsEmpty && not (isSplit parts) && options |> List.exists _.IsCondition then
            NoEffect(
                "--condition",
                "trials are split for --performance, --outputs, --pca and --perturb; give one of them too"
            )

        let repeatable = [
            for part in parts do
                match part with
                | AnalysisPart.Perturbed(words, _) -> $"--perturb {words}"
                | AnalysisPart.Decoding condition -> $"--decode {condition}"
                | _ -> ()
        ]

        for words, times in List.countBy id repeatable do
            if times > 1 then
                Refused $"{words} is given {times} times; give it once"
    ]

    /// What the options ask for, or everything that is wrong with their values.
    let read (options: AnalysisOption list) : Result<AnalysisRequest, Mistake list> =
        let parts, wrongParts = options |> List.choose partOf |> split

        let inputs, wrongInputs =
            options
            |> List.choose (function
                | AnalysisOption.At text -> Some(input text)
                | _ -> None)
            |> split

        let gates, wrongGates =
            options
            |> List.choose (function
                | AnalysisOption.Gate text -> Some(gate text)
                | _ -> None)
            |> split

        let trials =
            options
            |> last (function
                | AnalysisOption.Test_Trials text -> Some(count text)
                | _ -> None)
            |> Option.defaultValue (Ok UsualTrials)

        let weights =
            options
            |> last (function
                | AnalysisOption.Weights text -> Some(moment text)
                | _ -> None)
            |> Option.defaultValue (Ok "final")

        let wrong = [
            yield! wrongParts
            yield! wrongInputs
            yield! wrongGates

            for result in [ Result.map ignore trials; Result.map ignore weights ] do
                match result with
                | Error mistake -> mistake
                | Ok() -> ()

            yield! idle parts options
        ]

        match trials, weights, wrong with
        | Ok trials, Ok weights, [] ->
            Ok {
                Parts = List.distinct parts
                Conditions =
                    options
                    |> List.choose (function
                        | AnalysisOption.Condition name -> Some name
                        | _ -> None)
                    |> List.distinct
                Inputs = inputs
                Gates = gates
                Moment = weights
                TestTrials = trials
                Out =
                    options
                    |> last (function
                        | AnalysisOption.Out folder -> Some folder
                        | _ -> None)
            }
        | _ -> Error wrong
