namespace Rflo.Reproductions.Murray2019

open Rflo.Dsl
open Rflo.Host

/// How large a reproduction is.
type internal PaperSize = {
    /// Runs a condition; the paper has nine.
    Seeds: int
    /// Trials for a number of trials of the paper.
    Trials: int -> int
    IsQuick: bool
}

/// A figure of the paper: what is run for it, what it shows and what it claims.
type internal PaperFigure = {
    Id: string
    Title: string
    /// What the paper shows there.
    About: string
    /// What we chose where the paper is silent, and where text, equations, notebook and our runs disagree.
    Notes: string list
    Conditions: PaperSize -> Condition list
    Claims: Claim list
    Panels: PaperResults -> Panel list
}
