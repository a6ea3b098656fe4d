module Rflo.Runs.Tests.MetricsTests

open System
open System.Globalization
open System.IO
open Expecto
open FsCheck
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private written (columns: string array) (rows: float array list) (check: string -> unit) =
    inFolder (fun parent ->
        use folder = RunFolder.Create(Path.Combine(parent, "p1"))
        let metrics = folder.OpenMetrics columns
        rows |> List.iter (fun row -> metrics.Append row)
        let place = folder.Commit manifest
        check (Path.Combine(place, RunFileNames.Metrics)))

let private refused (text: string) words =
    inFolder (fun folder ->
        let file = Path.Combine(folder, "metrics.csv")
        File.WriteAllText(file, text)
        expectRefusal (file :: words) (fun () -> MetricsTable.Read file))

[<Tests>]
let tests =
    testList "metrics" [
        testPropertyWithConfig
            config
            "numbers read back to the bit"
            (fun (values: (int64 * float) list) ->
                // NaN has one spelling, and so one pattern of bits.
                let number bits =
                    let value = BitConverter.Int64BitsToDouble bits
                    if Double.IsNaN value then nan else value

                let rows =
                    values
                    |> List.map (fun (a, b) -> [| number a; (if Double.IsNaN b then nan else b) |])

                written [| "a"; "b" |] rows (fun file ->
                    let table = MetricsTable.Read file

                    let bits values =
                        values |> Seq.map BitConverter.DoubleToInt64Bits |> List.ofSeq

                    Expect.equal table.Rows rows.Length "rows"

                    Expect.equal
                        (bits (table.Column "a"))
                        (bits (rows |> List.map (Array.item 0)))
                        "first column"

                    Expect.equal
                        (bits (table.Column "b"))
                        (bits (rows |> List.map (Array.item 1)))
                        "last column"))

        testPropertyWithConfig
            config
            "names of columns are kept, whatever they hold"
            (fun (first: NonEmptyString) ->
                let name = String.filter (Char.IsSurrogate >> not) first.Get + "x"

                written [| name; "other" |] [ [| 1.0; 2.0 |] ] (fun file ->
                    Expect.equal
                        (List.ofSeq (MetricsTable.Read file).Columns)
                        [ name; "other" ]
                        "names"))

        test "the file is plain text in the invariant culture, whatever that of the machine is" {
            // Everything that a number's text is made of is another character here.
            let other = CultureInfo.InvariantCulture.Clone() :?> CultureInfo
            other.NumberFormat.NumberDecimalSeparator <- ","
            other.NumberFormat.NegativeSign <- "~"
            other.NumberFormat.NaNSymbol <- "none"
            other.NumberFormat.NegativeInfinitySymbol <- "~much"
            other.NumberFormat.PositiveInfinitySymbol <- "much"
            let before = CultureInfo.CurrentCulture
            CultureInfo.CurrentCulture <- other

            use _ = {
                new IDisposable with
                    member _.Dispose() = CultureInfo.CurrentCulture <- before
            }

            written
                [| "trial"; "loss, \"all\"" |]
                [
                    [| 0.0; 0.1 |]
                    [| 1.0; nan |]
                    [| 2.0; -infinity |]
                    [| 3.0; -1e-7 |]
                ]
                (fun file ->
                    Expect.equal
                        (File.ReadAllText file)
                        "trial,\"loss, \"\"all\"\"\"\n0,0.1\n1,NaN\n2,-Infinity\n3,-1E-07\n"
                        "text"

                    let read = (MetricsTable.Read file).Column "loss, \"all\""
                    Expect.equal (read[0], read[2], read[3]) (0.1, -infinity, -1e-7) "read")
        }

        test "what was not measured is an empty field, and no number when read" {
            inFolder (fun parent ->
                use folder = RunFolder.Create(Path.Combine(parent, "p1"))
                let metrics = folder.OpenMetrics [| "a"; "b" |]
                metrics.Append [| Nullable 1.0; Nullable() |]
                metrics.Append [| Nullable(); Nullable nan |]
                let file = Path.Combine(folder.Commit manifest, RunFileNames.Metrics)
                Expect.equal (File.ReadAllText file) "a,b\n1,\n,NaN\n" "text"
                let table = MetricsTable.Read file
                Expect.equal (Array.head (table.Column "a")) 1.0 "there"
                let absent = Array.append (Array.tail (table.Column "a")) (table.Column "b")
                Expect.all absent Double.IsNaN "not there")
        }

        test "a missing column is named beside those that are there" {
            written [| "trial"; "loss" |] [] (fun file ->
                expectRefusal [ file; "'los'"; "trial, loss" ] (fun () ->
                    (MetricsTable.Read file).Column "los"))
        }

        test "damage is named by its line" {
            refused "" [ "line 1"; "no names" ]
            refused "a,a\n" [ "two columns have one name" ]
            refused "a,b\n1,2\n3\n" [ "line 3"; "1 fields"; "2 columns" ]
            refused "a\nx1\n" [ "line 2"; "'x1'"; "no number" ]
            refused "a\n1\n2" [ "line 3"; "cut off" ]
            refused "\"a\n1\n" [ "never closed" ]
            refused (String('a', 10_000) + "\n") [ "longer than 4096" ]
        }

        test "Windows' ends of lines are read too" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "metrics.csv")
                File.WriteAllText(file, "a,b\r\n1,2\r\n")
                Expect.equal ((MetricsTable.Read file).Column "b") [| 2.0 |] "column")
        }

        test "a row of another length is the caller's mistake, and so are nameless columns" {
            inFolder (fun parent ->
                use folder = RunFolder.Create(Path.Combine(parent, "p1"))

                Expect.throwsT<ArgumentException>
                    (fun () -> folder.OpenMetrics [| "a"; "a" |] |> ignore)
                    "one name"

                Expect.throwsT<ArgumentException>
                    (fun () -> folder.OpenMetrics [||] |> ignore)
                    "no columns"

                let metrics = folder.OpenMetrics [| "a" |]
                Expect.throwsT<ArgumentException> (fun () -> metrics.Append(1.0, 2.0)) "too many")
        }
    ]
