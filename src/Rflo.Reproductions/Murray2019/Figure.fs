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

/// A figure of the paper: its runs, its plots and its claims.
type internal PaperFigure = {
    Id: string
    Title: string
    /// The content of the figure in the paper.
    About: string
    /// Our choices where the paper gives none, and where text, equations, notebook and our runs disagree.
    Notes: string list
    Conditions: PaperSize -> Condition list
    Claims: Claim list
    Panels: PaperResults -> Panel list
}
