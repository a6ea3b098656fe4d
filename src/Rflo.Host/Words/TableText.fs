namespace Rflo.Host

open System
open System.Collections.Generic
open System.Globalization
open Rflo.Runs

/// Tables of numbers as text.
[<RequireQualifiedAccess>]
module internal TableText =

    /// Text that reads back to the same bits; empty for NaN.
    let exact (value: float) =
        if Double.IsNaN value then
            ""
        else
            value.ToString("R", CultureInfo.InvariantCulture)

    /// Four digits; a dash for NaN.
    let short (value: float) =
        if Double.IsNaN value then "–" else $"%.4g{value}"

    /// Writes a table, heads and rows, as comma-separated text; raises a `RunFileException` where it cannot be written.
    let writeCsv (path: string) (heads: string list, rows: string list list) =
        TextFiles.WriteCsv(path, heads, rows |> Seq.map (fun row -> row :> IReadOnlyList<string>))
