namespace Rflo.Dsl

open System
open System.Globalization
open Rflo.Core

/// A dimension of random points: a named setting, its distribution, and the change of the experiment.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type Dimension = {
    Name: string
    /// What is wrong with it, if anything.
    Faults: Fault list
    /// Draws a value: its text, and the change of the experiment.
    Draw: RandomStream -> string * (Experiment -> Experiment)
}

/// Values of a setting as text, and which are allowed.
module internal Axis =

    let private longest = 100

    /// A value as text; different values have different texts.
    let text (value: obj | null) =
        match value with
        | null -> "none"
        | :? float as number -> number.ToString("R", CultureInfo.InvariantCulture)
        | :? bool as flag -> if flag then "true" else "false"
        | :? IFormattable as value -> value.ToString(null, CultureInfo.InvariantCulture)
        | value -> string value

    let private isShort (text: string) =
        text <> "" && text.Length <= longest && not (Seq.exists Char.IsControl text)

    /// What is wrong with the texts of an axis's values.
    let faults (values: string[]) = [
        if values.Length = 0 then
            NotAllowed("the number of values", "0", "at least 1")

        match Array.tryFind (isShort >> not) values with
        | Some value ->
            let shown = value.Substring(0, min 20 value.Length).ReplaceLineEndings " "

            NotAllowed(
                "a value",
                $"'{shown}'",
                $"one line of at most {longest} characters; name such values with Sweep.overNamed"
            )
        | None -> ()

        for value, count in Array.countBy id values do
            if count > 1 then
                NotAllowed($"the value {value}", $"given {count} times", "given once")
    ]

    let private between low high isAllowed allowed = [
        for name, value in [ "the lower end", low; "the upper end", high ] do
            if not (Double.IsFinite value && isAllowed value) then
                NotAllowed(name, text value, allowed)

        if low > high then
            NotAllowed("the lower end", text low, $"at most the upper end, {text high}")
    ]

    /// A dimension whose values are numbers.
    let number name faults draw (apply: float -> Experiment -> Experiment) : Dimension = {
        Name = name
        Faults = faults
        Draw =
            fun stream ->
                let value: float = draw stream
                text value, apply value
    }

    /// Uniform between the two.
    let uniform name (low: float) high =
        number name (between low high (fun _ -> true) "finite") (fun stream ->
            stream.Uniform(low, high))

    /// Log-uniform between the two.
    let logUniform name (low: float) (high: float) =
        number
            name
            (between low high (fun value -> value > 0.0) "finite and more than 0")
            (fun stream -> exp (stream.Uniform(log low, log high)))
