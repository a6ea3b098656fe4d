namespace Rflo.Host

open System
open Spectre.Console

/// Layout of text for a terminal of some width, or for a file.
[<RequireQualifiedAccess>]
module internal Terminal =

    /// The separator between the parts of a line of progress; the last parts are dropped where the line is too long.
    let private between = "  "

    /// The first parts of a line, two spaces apart, that fit into the width; at least one.
    let fit width (line: string) =
        let parts = line.Split(between, StringSplitOptions.RemoveEmptyEntries)

        parts
        |> Array.scan (fun taken part -> Array.append taken [| part |]) [||]
        |> Array.map (String.concat between)
        |> Array.filter (fun taken -> taken.Length <= width)
        |> Array.last
        |> fun taken -> if taken = "" then parts[0] else taken

    let private widths (rows: string list list) =
        rows |> List.map (List.map String.length) |> List.reduce (List.map2 max)

    /// Rows as columns of equal width, the first flush left, the others right.
    let columns (heads: string list) (rows: string list list) =
        let all = heads :: rows

        [
            for row in all do
                List.map2
                    (fun (k, width: int) (cell: string) ->
                        if k = 0 then cell.PadRight width else cell.PadLeft width)
                    (List.indexed (widths all))
                    row
                |> String.concat "   "
                |> _.TrimEnd()
        ]

    /// Rows as a list, one line a cell, for terminals that are too narrow for columns.
    let listed (heads: string list) (rows: string list list) =
        let width = heads |> List.tail |> List.map String.length |> List.max

        [
            for row in rows do
                row.Head

                for head, cell in List.zip heads.Tail row.Tail do
                    $"  {head.PadRight width}  {cell}"
        ]

    let private boxed (heads: string list) (rows: string list list) =
        let table = Spectre.Console.Table()
        table.Border <- TableBorder.Rounded

        for k, head in List.indexed heads do
            let column = TableColumn(Markup.Escape head)

            if k > 0 then
                column.Alignment <- Justify.Right

            table.AddColumn column |> ignore

        for row in rows do
            table.AddRow(row |> List.map Markup.Escape |> Array.ofList) |> ignore

        table

    /// A sentence in lines of at most that width, broken between words.
    let wrapped width (sentence: string) =
        ([], sentence.Split ' ')
        ||> Array.fold (fun (lines: string list) word ->
            match lines with
            | last :: before when last.Length + 1 + word.Length <= width ->
                $"{last} {word}" :: before
            | _ -> word :: lines)
        |> List.rev

    /// A sentence: in lines of the terminal's width, in one where output is redirected.
    let sentence (text: string) =
        if Console.IsOutputRedirected then
            printfn $"{text}"
        else
            wrapped AnsiConsole.Profile.Width text |> List.iter (printfn "%s")

    /// A table: in a box on a terminal, as a list on one too narrow for it, in plain columns where output is redirected.
    let table heads rows =
        // A cell of a box has a line and two spaces beside it, and a line closes the row.
        let needed = 1 + List.sumBy ((+) 3) (widths (heads :: rows))

        if Console.IsOutputRedirected then
            columns heads rows |> List.iter (printfn "%s")
        elif needed > AnsiConsole.Profile.Width then
            listed heads rows |> List.iter (printfn "%s")
        else
            AnsiConsole.Write(boxed heads rows)
