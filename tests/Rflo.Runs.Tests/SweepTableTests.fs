/// Run folders of a sweep, made by hand, collected into one Parquet file and read back.
module Rflo.Runs.Tests.SweepTableTests

open System
open System.IO
open Expecto
open Parquet
open Rflo.Core
open Rflo.Runs
open Rflo.Runs.Tests.Folders

let private manifest (settings: (string * string) list) status =
    RunManifest(
        Name = "p",
        Description = "d",
        Seed = 1L,
        Precision = "double",
        Settings = readOnlyDict settings,
        Started = DateTimeOffset.UnixEpoch,
        Ended = DateTimeOffset.UnixEpoch,
        ElapsedSeconds = 0.0,
        Trials = 2,
        Status = status,
        StatusText = string status,
        FinalLoss = 0.0
    )

type private Made = {
    Id: string
    Settings: (string * string) list
    Columns: string list
    Rows: float list list
    End: RunEnd
}

let private make (sweep: SweepFolder) (point: Made) =
    match sweep.TryBegin(point.Id, false, false) with
    | null, _ -> failtest "the point cannot be begun"
    | folder, _ ->
        use folder = folder
        let metrics = folder.OpenMetrics(Array.ofList point.Columns)

        for row in point.Rows do
            metrics.Append(Array.ofList row)

        folder.Commit(manifest point.Settings point.End) |> ignore

let private sweepOf parent (points: Made list) =
    let description =
        SweepDescription(Name = "p", Points = points.Length, Axes = [| SweepAxis "seed" |])

    let sweep = SweepFolder.Create(Path.Combine(parent, "s"), description)
    sweep.WritePoints(points |> List.map _.Id)
    List.iter (make sweep) points
    sweep

/// Every column of a file by name, its rows as text that tells numbers apart to the bit.
let private readBack (path: string) =
    let read =
        task {
            use! reader = ParquetReader.CreateAsync(path)
            let columns = System.Collections.Generic.Dictionary<string, ResizeArray<string>>()

            for k in 0 .. reader.RowGroupCount - 1 do
                use group = reader.OpenRowGroupReader k
                let rows = int group.RowCount

                for field in reader.Schema.GetDataFields() do
                    if not (columns.ContainsKey field.Name) then
                        columns[field.Name] <- ResizeArray()

                    let add (value: obj | null) =
                        columns[field.Name]
                            .Add(
                                match value with
                                | null -> "null"
                                | :? float as number ->
                                    number.ToString("R", Globalization.CultureInfo.InvariantCulture)
                                | other -> string other
                            )

                    if field.ClrType = typeof<ReadOnlyMemory<char>> then
                        let values = Array.zeroCreate<string> rows
                        do! group.ReadAsync(field, values.AsMemory())
                        values |> Array.iter add
                    elif field.ClrType = typeof<int64> && field.IsNullable then
                        let values = Array.zeroCreate<Nullable<int64>> rows
                        do! group.ReadAsync<int64>(field, values.AsMemory())
                        values |> Array.iter (box >> add)
                    elif field.ClrType = typeof<int64> then
                        let values = Array.zeroCreate<int64> rows
                        do! group.ReadAsync<int64>(field, values.AsMemory())
                        values |> Array.iter (box >> add)
                    else
                        let values = Array.zeroCreate<Nullable<float>> rows
                        do! group.ReadAsync<float>(field, values.AsMemory())
                        values |> Array.iter (box >> add)

            return [ for pair in columns -> pair.Key, List.ofSeq pair.Value ]
        }

    read.Result

let private id (k: int) = $"%016x{k}"

[<Tests>]
let tests =
    testList "collected sweeps" [
        test
            "hold a row a point and trial, settings and metrics by name, nulls where there is nothing" {
            inFolder (fun parent ->
                let sweep =
                    sweepOf parent [
                        {
                            Id = id 1
                            Settings = [ "seed", "1"; "gain", "0.5"; "rule", "rflo" ]
                            Columns = [ "trial"; "loss" ]
                            Rows = [ [ 0.0; 0.1 ]; [ 1.0; 1.0 / 3.0 ] ]
                            End = RunEnd.Completed
                        }
                        {
                            Id = id 2
                            Settings = [ "seed", "2"; "gain", "1"; "loss", "l" ]
                            Columns = [ "trial"; "loss"; "reward" ]
                            Rows = [ [ 0.0; nan; -0.0 ] ]
                            End = RunEnd.Diverged
                        }
                    ]

                sweep.WritePoints [ id 2; id 1; id 3 ]
                let path = Path.Combine(parent, "r.parquet")
                let table = SweepTable.Write(sweep, path, null)
                Expect.equal (table.Points, table.Rows, table.Missing) (2, 3L, 1) "counts"

                Expect.equal
                    (readBack path)
                    [
                        "point", [ id 2; id 1; id 1 ]
                        "status", [ "diverged"; "completed"; "completed" ]
                        "seed", [ "2"; "1"; "1" ]
                        "gain", [ "1"; "0.5"; "0.5" ]
                        "setting loss", [ "l"; "null"; "null" ]
                        "rule", [ "null"; "rflo"; "rflo" ]
                        "trial", [ "0"; "0"; "1" ]
                        "loss", [ "NaN"; "0.1"; (1.0 / 3.0).ToString "R" ]
                        "reward", [ "-0"; "null"; "null" ]
                    ]
                    "columns")
        }

        test "a setting is whole numbers, numbers or text, as all of its values are" {
            for values, kind, expected in
                [
                    [ "1"; "-2" ], typeof<int64>, [ "1"; "-2" ]
                    [ "9007199254740993"; "0" ], typeof<int64>, [ "9007199254740993"; "0" ]
                    [ "1"; "0.5" ], typeof<float>, [ "1"; "0.5" ]
                    [ "2"; "1e3" ], typeof<float>, [ "2"; "1000" ]
                    [ "1"; "true" ], typeof<ReadOnlyMemory<char>>, [ "1"; "true" ]
                    [ "1,5"; "2" ], typeof<ReadOnlyMemory<char>>, [ "1,5"; "2" ]
                ] do
                inFolder (fun parent ->
                    let sweep =
                        sweepOf parent [
                            for k, value in List.indexed values ->
                                {
                                    Id = id k
                                    Settings = [ "gain", value ]
                                    Columns = [ "trial" ]
                                    Rows = [ [ 0.0 ] ]
                                    End = RunEnd.Completed
                                }
                        ]

                    let path = Path.Combine(parent, "r.parquet")
                    SweepTable.Write(sweep, path, null) |> ignore
                    let column = readBack path |> List.find (fst >> (=) "gain") |> snd
                    Expect.equal (List.sort column) (List.sort expected) $"{values}"

                    let found =
                        task {
                            use! reader = ParquetReader.CreateAsync(path)

                            return
                                reader.Schema.GetDataFields()
                                |> Seq.find (fun field -> field.Name = "gain")
                                |> _.ClrType
                        }

                    Expect.equal found.Result kind $"kind of {values}")
        }

        test "are told of damaged run folders, and hold the others" {
            inFolder (fun parent ->
                let point k = {
                    Id = id k
                    Settings = [ "seed", string k ]
                    Columns = [ "trial"; "loss" ]
                    Rows = [ [ 0.0; float k ] ]
                    End = RunEnd.Completed
                }

                let sweep = sweepOf parent [ point 1; point 2; point 3 ]

                File.WriteAllText(
                    Path.Combine(sweep.PlaceOf(id 1), "metrics.csv"),
                    "trial,loss\n0,x\n"
                )

                File.WriteAllText(Path.Combine(sweep.PlaceOf(id 3), "manifest.json"), "{")
                let path = Path.Combine(parent, "r.parquet")
                let table = SweepTable.Write(sweep, path, null)
                Expect.equal table.Points 1 "points"
                Expect.equal table.Damaged.Count 2 "damaged"

                Expect.equal
                    (readBack path |> List.find (fst >> (=) "loss") |> snd)
                    [ "2" ]
                    "losses")
        }

        test "of more rows than a group holds are whole" {
            inFolder (fun parent ->
                let points = [
                    for k in 1..3 ->
                        {
                            Id = id k
                            Settings = [ "seed", string k ]
                            Columns = [ "trial"; "loss" ]
                            Rows = [
                                for trial in 0..59_999 -> [ float trial; float (trial * k) ]
                            ]
                            End = RunEnd.Completed
                        }
                ]

                let sweep = sweepOf parent points
                let path = Path.Combine(parent, "r.parquet")
                Expect.equal (SweepTable.Write(sweep, path, null)).Rows 180_000L "rows"
                let losses = readBack path |> List.find (fst >> (=) "loss") |> snd

                let expected = [
                    for point in points do
                        for row in point.Rows -> string row[1]
                ]

                Expect.isTrue (losses = expected) "losses")
        }

        test "of a sweep of which nothing has ended are empty" {
            inFolder (fun parent ->
                let sweep = sweepOf parent []
                let path = Path.Combine(parent, "r.parquet")
                Expect.equal (SweepTable.Write(sweep, path, null)).Rows 0L "rows"
                Expect.isTrue (readBack path |> List.forall (snd >> List.isEmpty)) "columns")
        }

        test "have measures as columns, and null where there is no value" {
            inFolder (fun parent ->
                let point k columns row = {
                    Id = id k
                    Settings = [ "seed", string k ]
                    Columns = columns
                    Rows = [ row; row ]
                    End = RunEnd.Completed
                }

                let sweep =
                    sweepOf parent [
                        point 1 [ "trial"; "slope" ] [ 0.0; 5.0 ]
                        point 2 [ "trial" ] [ 0.0 ]
                        point 3 [ "trial" ] [ 0.0 ]
                    ]

                let measure k values failures =
                    (RunFolder.Open(sweep.PlaceOf(id k)))
                        .WriteMeasures(readOnlyDict values, readOnlyDict failures)

                measure 1 [ "slope", 1.0 / 3.0 ] [ "gain", "no" ]
                measure 2 [ "slope", -2.0; "gain", 4.0 ] []
                let path = Path.Combine(parent, "r.parquet")
                SweepTable.Write(sweep, path, null) |> ignore
                let columns = readBack path

                Expect.equal
                    (List.map fst columns)
                    [
                        "point"
                        "status"
                        "seed"
                        "measure slope"
                        "gain"
                        "trial"
                        "slope"
                    ]
                    "names; a metric of that name keeps it"

                let column name =
                    columns |> List.find (fst >> (=) name) |> snd

                Expect.equal
                    (column "measure slope")
                    [
                        (1.0 / 3.0).ToString "R"
                        (1.0 / 3.0).ToString "R"
                        "-2"
                        "-2"
                        "null"
                        "null"
                    ]
                    "slope"

                Expect.equal (column "gain") [ "null"; "null"; "4"; "4"; "null"; "null" ] "gain")
        }

        test "of a row a point have the best first, by the last validation" {
            inFolder (fun parent ->
                let point k status rows = {
                    Id = id k
                    Settings = [ "seed", string k; "trials", "2" ]
                    Columns = [ "trial"; "validation performance"; "seconds" ]
                    Rows = rows
                    End = status
                }

                let sweep =
                    sweepOf parent [
                        point 1 RunEnd.Completed [ [ 0.0; 0.9; 0.5 ]; [ 1.0; nan; 0.25 ] ]
                        point 2 RunEnd.Completed [ [ 0.0; 0.99; 0.5 ]; [ 1.0; 0.5; 0.5 ] ]
                        point 3 RunEnd.Diverged [ [ 0.0; 1.0; 0.5 ] ]
                        point 4 RunEnd.Stopped [ [ 0.0; 0.95; 1.0 ] ]
                    ]

                sweep.WritePoints [ for k in 1..5 -> id k ]
                let table = PointTable.Read sweep
                Expect.equal table.By RankedBy.ValidationPerformance "criterion"
                Expect.equal table.Missing 1 "missing"
                let path = Path.Combine(parent, "points.csv")
                Expect.equal (table.WriteCsv path) path "path"

                Expect.equal
                    (File.ReadAllText path)
                    (String.concat "\n" [
                        "rank,point,status,seed,setting trials,trials,validation performance,final loss,seconds"
                        $"1,{id 4},stopped,4,2,2,0.95,0,1"
                        $"2,{id 1},completed,1,2,2,0.9,0,0.75"
                        $"3,{id 2},completed,2,2,2,0.5,0,1"
                        $"4,{id 3},diverged,3,2,2,,,0.5"
                        ""
                    ])
                    "the file")
        }

        testProperty "are ranked as a plain comparison of all pairs ranks them" (fun (seed: int) ->
            let random = Random seed

            let number () =
                match random.Next 4 with
                | 0 -> nan
                | _ -> float (random.Next 3)

            let scores = [|
                for _ in 1 .. random.Next 8 -> RunScore(number (), number (), number ())
            |]

            let has (value: RunScore -> float) =
                scores |> Array.exists (value >> Double.IsFinite)

            let by, keys =
                if has _.ValidationPerformance then
                    RankedBy.ValidationPerformance,
                    fun (score: RunScore) -> [
                        -score.ValidationPerformance
                        score.ValidationLoss
                        score.FinalLoss
                    ]
                elif has _.ValidationLoss then
                    RankedBy.ValidationLoss,
                    fun (score: RunScore) -> [ score.ValidationLoss; score.FinalLoss ]
                else
                    RankedBy.FinalLoss, (fun (score: RunScore) -> [ score.FinalLoss ])

            let last key =
                if Double.IsNaN key then infinity else key

            /// How many others come before a place.
            let rank place =
                [
                    for other in 0 .. scores.Length - 1 do
                        let theirs = List.map last (keys scores[other]), other
                        let ours = List.map last (keys scores[place]), place

                        if theirs < ours then
                            other
                ]
                |> List.length

            let expected = [| 0 .. scores.Length - 1 |] |> Array.sortBy rank
            RunRanking.Criterion scores = by && RunRanking.Order scores = expected)
    ]
