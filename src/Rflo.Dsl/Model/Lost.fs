namespace Rflo.Dsl

/// A word that can have no effect on the part that it was said of, such as `explore` of a leaky area. Words cannot fail, so the part
/// keeps it for `Check`, which refuses it.
type Lost = {
    /// Why it has no effect.
    What: string
    /// What to say instead.
    Instead: string
}

/// A word that changes a part by its name, where no part has the name: it changes nothing, so the circuit keeps it for `Check`.
type Unmatched =
    | NoSuchArea of word: string * name: string * known: string list
    | NoSuchInput of word: string * name: string * known: string list
    | NoSuchReadout of word: string * name: string * known: string list
    | NoSuchProjection of word: string * name: string * known: string list

/// Words that have no effect.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal Lost =

    /// One more, which is kept once.
    let add what instead (earlier: Lost list) =
        let lost = { What = what; Instead = instead }

        if List.contains lost earlier then
            earlier
        else
            earlier @ [ lost ]
