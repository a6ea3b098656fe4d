namespace Rflo.Dsl

/// Numbers of things in words.
[<RequireQualifiedAccess>]
module internal Counted =

    /// `Counted.words 1 "unit"` is "1 unit", and of 3 it is "3 units".
    let words (count: int) noun =
        if count = 1 then $"1 {noun}" else $"{string count} {noun}s"
