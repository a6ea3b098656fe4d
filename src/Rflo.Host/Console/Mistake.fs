namespace Rflo.Host

open Rflo.Dsl

/// One thing that is wrong with a command line.
type internal Mistake =
    /// There is no such option.
    | UnknownOption of given: string * known: string list
    /// A word stands where no option takes one.
    | StrayWord of given: string
    /// The option parser refuses the line, with this message.
    | Refused of message: string
    /// The value of an option is not what is allowed.
    | BadValue of option: string * given: string * allowed: string
    /// The value of an option is the name of no part.
    | UnknownName of option: string * given: string * kind: string * known: string list
    /// The option would change something that its part does not have.
    | DoesNotLearn of option: string * projection: string
    /// The option would change nothing, with the reason.
    | NoEffect of option: string * why: string

/// Mistakes as text.
[<RequireQualifiedAccess>]
module internal Mistake =

    let private hint given known =
        match Problem.nearest given known with
        | Some near -> $"; did you mean {near}?"
        | None -> ""

    /// One line: the option, what is wrong, and what is allowed.
    let text =
        function
        | UnknownOption(given, known) ->
            $"there is no option {given}{hint given known} (--help lists all)"
        | StrayWord given -> $"'{given}' belongs to no option (--help lists all)"
        | Refused message -> message
        | BadValue(option, given, allowed) -> $"{option} is '{given}'; it must be {allowed}"
        | UnknownName(option, given, kind, known) ->
            let list =
                if List.isEmpty known then
                    "there is none"
                else
                    "known: " + String.concat ", " known

            $"{option}: no {kind} is named {given} ({list}){hint given known}"
        | DoesNotLearn(option, projection) ->
            $"{option}: {projection} is frozen in the script; give it |> learningRate there first"
        | NoEffect(option, why) -> $"{option} changes nothing: {why}"

    /// Prints all of them, and returns the exit code.
    let refuse (name: string) mistakes =
        for mistake in mistakes do
            eprintfn $"{name}: {text mistake}"

        ExitCode.Arguments
