namespace Rflo.Dsl

/// A word without effect on its part, such as `explore` on a leaky area. Words do not fail, so the part keeps the word, and `Check`
/// refuses it.
type Lost = {
    /// Why it has no effect.
    What: string
    /// What to write instead.
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

    /// Adds a word, unless it is in the list.
    let add what instead (earlier: Lost list) =
        let lost = { What = what; Instead = instead }

        if List.contains lost earlier then
            earlier
        else
            earlier @ [ lost ]
