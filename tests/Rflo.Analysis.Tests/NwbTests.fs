/// Recordings of neurons from NWB files, against numpy and scipy; and everything that can be wrong with such a file.
module Rflo.Analysis.Tests.NwbTests

open System
open System.IO
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Analysis
open Rflo.Analysis.Tests.NwbFiles
open Rflo.Analysis.Tests.Small
open Rflo.Dsl

/// What an NwbException says: one line that begins with the file.
let private said (file: string) (body: unit -> unit) =
    try
        body ()
        failtest "nothing was refused"
    with :? NwbException as e ->
        Expect.equal e.File file "the file"
        Expect.isTrue (e.Message.StartsWith file) $"begins with the file: {e.Message}"
        Expect.isFalse (e.Message.Contains '\n') "one line"
        Expect.equal (string e) e.Message "no stack trace"
        e.Message.Substring file.Length

let private reading file () = NwbRecording.Read file |> ignore

/// A change of valid content, and all that its message must say.
let private refused name (change: Content -> Content) (words: string list) =
    test name {
        inFolder (fun folder ->
            let file = Path.Combine(folder, "s.nwb")
            write file (change valid)
            let message = said file (reading file)

            for part in words do
                Expect.stringContains message part name)
    }

/// The same of something that is asked of what was read.
let private refusedLater name change (ask: NwbRecording -> unit) (words: string list) =
    test name {
        inFolder (fun folder ->
            let file = Path.Combine(folder, "s.nwb")
            write file (change valid)
            let recording = NwbRecording.Read file
            let message = said file (fun () -> ask recording)

            for part in words do
                Expect.stringContains message part name)
    }

let private set' path (value: Array) (content: Content) = content |> Map.add path value

let private units path (value: Array) = set' $"units/{path}" value
let private trials path (value: Array) = set' $"intervals/trials/{path}" value

let private without (prefix: string) (content: Content) =
    content |> Map.filter (fun path _ -> not (path.StartsWith prefix))

let private ofFile name (make: string -> unit) (words: string list) =
    test name {
        inFolder (fun folder ->
            let file = Path.Combine(folder, "s.nwb")
            make file
            let message = said file (reading file)

            for part in words do
                Expect.stringContains message part name)
    }

[<Tests>]
let refusals =
    testList "nwb refusals" [
        ofFile "a file that is not there" ignore [ "is not there" ]

        ofFile "a folder" (Directory.CreateDirectory >> ignore) [ "is a folder"; "export Zarr" ]

        ofFile "an empty file" (fun file -> File.WriteAllText(file, "")) [ "is empty" ]

        ofFile "text" (fun file -> File.WriteAllText(file, String('x', 3000))) [
            "is no HDF5 file"
            "NWB 2"
        ]

        ofFile
            "the beginning of a file"
            (fun file -> File.WriteAllBytes(file, File.ReadAllBytes(fixture "plain")[..700]))
            [ "cannot be"; "Copy the file again" ]

        refused "no units" (without "units/") [
            "has no /units"
            "it has general, intervals"
            "NWB 2"
        ]

        refused "units without ids" (Map.remove "units/id") [ "/units: is no table" ]

        refused
            "no unit"
            (units "id" (Array.empty<int64>) >> units "spike_times_index" Array.empty<int64>)
            [ "/units: has no unit" ]

        refused "no spike times" (without "units/spike_times") [ "/units: has no spike_times" ]

        refused "no index" (Map.remove "units/spike_times_index") [
            "/units/spike_times: has no index"
            "Write /units/spike_times_index"
        ]

        refused "an index beyond the spikes" (units "spike_times_index" [| 3L; 9L |]) [
            "/units/spike_times_index: is 9 in row 1, beyond the 4 values"
        ]

        refused "an index that decreases" (units "spike_times_index" [| 4L; 3L |]) [
            "decreases from 4 in row 0 to 3 in row 1"
        ]

        refused "an index that leaves spikes out" (units "spike_times_index" [| 2L; 3L |]) [
            "ends with 3, and /units/spike_times has 4 values, so 1 are those of no row"
        ]

        refused "an index of another length" (units "spike_times_index" [| 4L |]) [
            "/units/spike_times_index: has 1 values, and the table has 2 rows"
        ]

        refused "an index that is no whole number" (units "spike_times_index" [| 2.5; 4.0 |]) [
            "row 0 is 2.5; it must be a whole number"
        ]

        refused "a negative index" (units "spike_times_index" [| -1L; 4L |]) [ "row 0 is -1" ]

        refused "a spike at no time" (units "spike_times" [| 0.1; 0.2; 0.3; nan |]) [
            "/units/spike_times: has the time NaN in row 3, a spike of the unit in row 1"
        ]

        refused "a spike at infinity" (units "spike_times" [| 0.1; infinity; 0.3; 0.4 |]) [
            "in row 1, a spike of the unit in row 0"
        ]

        refused "spike times that are text" (units "spike_times" [| "a"; "b"; "c"; "d" |]) [
            "/units/spike_times: cannot be read"
            "which are no numbers"
        ]

        refused "spike times of two axes" (units "spike_times" (Array2D.zeroCreate<float> 2 2)) [
            "/units/spike_times: has 2 axes"
        ]

        refused "an electrode that is not there" (units "electrodes" [| 0L; 2L |]) [
            "has the electrode 2, and /general/extracellular_ephys/electrodes has 2 rows"
            "not ids"
        ]

        refused "an electrode that is no row" (units "electrodes" [| 0L; -2L |]) [
            "has the electrode -2"
        ]

        refused "electrodes without a table of them" (without "general/") [
            "/units/electrodes: names electrodes"
            "has no /general/extracellular_ephys/electrodes"
        ]

        refused
            "a location too many"
            (set' "general/extracellular_ephys/electrodes/location" [| "a"; "b"; "c" |])
            [ "location: has 3 values, and the table has 2 rows" ]

        refused "a column of units of another length" (units "quality" [| "good" |]) [
            "/units/quality: has 1 values, and the table has 2 rows"
        ]

        refused "a column of trials of another length" (trials "direction" [| "a"; "b"; "c" |]) [
            "/intervals/trials/direction: has 3 values, and the table has 2 rows"
        ]

        refused "a trial that stops before it starts" (trials "stop_time" [| 0.9; 0.5 |]) [
            "/intervals/trials: has a trial that starts at 1 s and stops before, at 0.5 s, in row 1"
        ]

        refused "a trial without a start" (trials "start_time" [| nan; 1.0 |]) [
            "start_time: is NaN in row 0"
        ]

        refused
            "trials without starts"
            (Map.remove "intervals/trials/start_time" >> trials "start" [| 0.0; 1.0 |])
            [
                "has no column 'start_time'. Did you mean "
                "Its columns are"
            ]

        refused
            "intervals that are no pairs"
            (units "obs_intervals" [| 0.0; 1.0 |] >> units "obs_intervals_index" [| 1L; 2L |])
            [ "/units/obs_intervals: has the shape (2)" ]

        refused
            "an interval that ends before it begins"
            (units "obs_intervals" (array2D [ [ 0.0; 9.0 ]; [ 9.0; 0.0 ] ])
             >> units "obs_intervals_index" [| 1L; 2L |])
            [ "from 9 to 0 in row 1" ]

        refusedLater
            "a column that trials do not have"
            id
            (fun session -> session.Align("go_cue", 0.0, 100.0) |> ignore)
            [
                "/intervals/trials: has no column 'go_cue'. Did you mean go_cue_time? Its columns are direction, go_cue_time, start_time, stop_time"
            ]

        refusedLater
            "alignment to text"
            id
            (fun session -> session.Align("direction", 0.0, 100.0) |> ignore)
            [ "/intervals/trials/direction: is text"; "start_time" ]

        refusedLater
            "an event of no trial"
            (trials "go_cue_time" [| nan; nan |])
            (fun session -> session.Align("go_cue_time", 0.0, 100.0) |> ignore)
            [
                "/intervals/trials/go_cue_time: has a time in none of 2 trials"
            ]

        refusedLater
            "an event at infinity"
            (trials "go_cue_time" [| 1.0; infinity |])
            (fun session -> session.Align("go_cue_time", 0.0, 100.0) |> ignore)
            [ "go_cue_time: is infinite in trial 1" ]

        refusedLater
            "no trials"
            (without "intervals/")
            (fun session -> session.Align("start_time", 0.0, 100.0) |> ignore)
            [ "has no /intervals/trials" ]

        refusedLater
            "an area that is not there"
            id
            (fun session -> session.Align("start_time", 0.0, 100.0).Counts("M2", 10.0) |> ignore)
            [
                "/units: has no unit in 'M2'. Did you mean M1? Its areas are M1, PMd"
            ]

        refusedLater
            "an area where the file says none"
            (without "general/" >> without "units/electrodes")
            (fun session -> session.Align("start_time", 0.0, 100.0).Counts("M1", 10.0) |> ignore)
            [ "does not say where its units were recorded" ]

        refusedLater
            "a condition that is not known"
            (trials "contrast" [| nan; 0.5 |])
            (fun session -> session.Align("start_time", 0.0, 100.0).Labels "contrast" |> ignore)
            [
                "contrast: is NaN in trial 0"
                "Nwb.trialsWhere \"contrast\" System.Double.IsFinite"
            ]

        refusedLater
            "no trial that is so"
            id
            (Nwb.trialsWhere "start_time" (fun time -> time > 5.0) >> ignore)
            [ "/intervals/trials: has 2 trials"; "keeps none" ]

        refusedLater "a value that no trial has" id (Nwb.trialsOf "direction" "rigth" >> ignore) [
            "direction: is 'rigth' in no row. Did you mean right? It has the values left, right"
        ]

        refusedLater "no unit that is so" id (Nwb.unitsWhere (fun _ -> false) >> ignore) [
            "/units: has 2 units"
        ]

        refusedLater
            "a column of several values a row"
            (trials "cursor" (Array2D.zeroCreate<float> 2 2))
            (fun session -> session.Trials.Numbers "cursor" |> ignore)
            [
                "/intervals/trials/cursor: does not have one number or text a row"
            ]

        test "areas that are read for nothing" {
            let file = fixture "plain"

            said file (fun () -> Nwb.readAreas [ "M1"; "PM" ] file |> ignore)
            |> fun message -> Expect.stringContains message "no unit in 'PM'. Did you mean" "PM"

            said file (fun () -> Nwb.readAreas [] file |> ignore)
            |> fun message -> Expect.stringContains message "is read for no area" "none"
        }

        test "a filter that is not there" {
            let file = fixture "lzf"
            let message = said file (reading file)

            for part in [ "lzf"; "h5repack -f GZIP=4" ] do
                Expect.stringContains message part "how to repack it"
        }

        test "more spikes than memory is taken for" {
            let file = fixture "huge"
            let message = said file (reading file)
            Expect.stringContains message "has 1000000000000 spikes of these units" "huge"
            let small = NwbOptions(MaxBytes = 900L)
            let plain = fixture "plain"

            let refused = said plain (fun () -> NwbRecording.Read(plain, small) |> ignore)

            Expect.stringContains refused "has 115 spikes of these units; at most 112" "a limit"
            let fewer = NwbOptions(MaxBytes = 900L, Areas = [ "PMd" ])
            Expect.equal (NwbRecording.Read(plain, fewer)).Units.Count 1 "of one area"
        }

        test "a window in which a unit was not observed" {
            let file = fixture "groups"
            let aligned = NwbRecording.Read(file).Align("start_time", 0.0, 1000.0)
            Expect.equal (aligned.Counts("S1", 10.0)).Units 2 "these were"

            let message = said file (fun () -> aligned.Counts("M1", 10.0) |> ignore)

            for part in [ "/units/obs_intervals"; "trial 3"; "unit 12" ] do
                Expect.stringContains message part "which"

            // Intervals that touch are one.
            let early = NwbRecording.Read(file).WhereTrials(fun row -> row < 3)
            let across = early.Align("start_time", 0.0, 1000.0)
            Expect.equal (across.Counts("M1", 10.0)).Trials 3 "from 4.5 s to 5.5 s too"
        }

        test "windows that are none" {
            let session = NwbRecording.Read(fixture "plain")

            let align first last =
                session.Align("start_time", first, last)

            isRefused [ "window: it is from 100 to 0 ms" ] (fun () -> align 100.0 0.0)
            isRefused [ "window: it is from 0 to NaN ms" ] (fun () -> align 0.0 nan)

            isRefused [ "105 ms are no whole number of steps of 10 ms" ] (fun () ->
                (align 0.0 105.0).Counts("M1", 10.0))

            isRefused [ "a step is 0 ms" ] (fun () -> (align 0.0 100.0).Counts("M1", 0.0))

            isRefused [ "a standard deviation of -1 ms" ] (fun () ->
                (align 0.0 100.0).Rates("M1", 10.0, -1.0))

            isRefused [ "take a larger dt, or fewer units" ] (fun () ->
                (align 0.0 1e6).Counts(null, 1e-3))
        }

        test "files damaged anywhere are read or refused, never anything else" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "s.nwb")
                let mutable refusals = 0

                for name in [ "plain"; "packed" ] do
                    let whole = File.ReadAllBytes(fixture name)
                    let random = Random 1

                    for case in 0..149 do
                        let bytes = Array.copy whole

                        let bytes =
                            if case % 3 = 0 then
                                bytes[.. random.Next bytes.Length]
                            else
                                for _ in 0 .. random.Next 4 do
                                    bytes[random.Next bytes.Length] <- byte (random.Next 256)

                                bytes

                        File.WriteAllBytes(file, bytes)

                        try
                            let session = NwbRecording.Read file
                            session.ToString() |> ignore
                        with :? NwbException as e ->
                            refusals <- refusals + 1
                            Expect.isFalse (e.Message.Contains '\n') "one line"

                Numbers.isGreaterThan refusals 50 "many of them are refused")
        }
    ]

[<Tests>]
let tests =
    testList "nwb" [
        for name in [ "plain"; "packed"; "groups"; "pynwb" ] do
            test $"{name}.nwb is what numpy and scipy find in it" { check (fixture name) }

        for seed in 1..12 do
            test $"session {seed} of h5py is what numpy and scipy find in it" {
                inFolder (fun folder ->
                    make [ "random"; string seed; folder ]
                    check (Path.Combine(folder, "session.nwb")))
            }

        test "what is no column of one value a row is named" {
            let session = NwbRecording.Read(fixture "plain")
            Expect.equal (Set.ofSeq session.Trials.Unread) (set [ "cursor"; "touches" ]) "trials"

            Expect.stringEnds
                (string session)
                "plain.nwb: 1 unit in PMd, 1 unit in M1, 1 unit in unknown, 1 unit in shank-c; 5 trials with block, contrast, correct, direction, go_cue_time, start_time, stop_time"
                "what it is"

            Expect.equal
                (string (session.Align("go_cue_time", -100.0, 50.0)))
                "4 of 5 trials, from -100 to 50 ms around go_cue_time"
                "what a window is"
        }

        test "of a file that pynwb wrote, what is no column of one value a row is named" {
            let session = NwbRecording.Read(fixture "pynwb")

            Expect.equal
                (Set.ofSeq session.Trials.Unread)
                (set [ "lever"; "tags"; "timeseries"; "touches" ])
                "trials: pairs, ragged texts, ragged records with references, ragged numbers"

            Expect.equal
                (Set.ofSeq session.UnitTable.Unread)
                (set [ "features"; "waveform_mean" ])
                "units"

            Expect.equal
                [
                    for unit in session.Units ->
                        match unit.Observed with
                        | null -> []
                        | observed -> List.ofSeq observed
                ]
                [ for _ in 1..4 -> [ struct (-1.0, 12.0) ] ]
                "intervals that touch are one"
        }

        test "of some areas the same is read as of all" {
            let all = NwbRecording.Read(fixture "packed")
            let some = Nwb.readAreas [ "M1"; "unknown" ] (fixture "packed")
            Expect.equal [ for unit in some.Units -> unit.Id ] [ 12L; 17L ] "units"

            for unit in some.Units do
                Expect.equal
                    (unit.SpikeTimes.ToArray())
                    (all.Units[unit.Row].SpikeTimes.ToArray())
                    "spikes"

            Expect.equal (some.UnitTable.Texts "quality") [| "mua"; "good" |] "their rows"
        }

        test "units and trials are taken by what their tables say" {
            let session = Nwb.read (fixture "plain")
            let good = session |> Nwb.unitsOf "quality" "good"
            Expect.equal [ for unit in good.Units -> unit.Id ] [ 11L; 17L; 20L ] "good units"
            Expect.equal (good.UnitTable.Numbers "depth") [| 100.0; 300.0; 420.0 |] "their depths"
            let again = good |> Nwb.unitsWhere (fun unit -> unit.SpikeTimes.Length > 0)
            Expect.equal [ for unit in again.Units -> unit.Id ] [ 11L; 20L ] "that fired"

            let right =
                session
                |> Nwb.trialsOf "direction" "left"
                |> Nwb.trialsWhere "contrast" (fun contrast -> contrast < 0.9)

            Expect.equal (List.ofSeq right.Trials.Ids) [ 1L; 4L ] "trials"
            let aligned = right |> Nwb.align "go_cue_time" 0.0<ms> 100.0<ms>
            Expect.equal (Nwb.trials aligned) [ 0; 1 ] "both have a cue"
            Expect.equal (Nwb.values "contrast" aligned) [| 0.25; 0.5 |] "values"
            Expect.equal (Nwb.levels "block" aligned) [ "2" ] "one block"

            Expect.equal
                (session |> Nwb.align "start_time" 0.0<ms> 1.0<ms> |> Nwb.levels "block")
                [ "2"; "10" ]
                "by value, not by letters"
        }

        test "spikes of a unit in any order are a train" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "s.nwb")
                valid |> units "spike_times" [| 0.3; 0.1; 0.2; 1.5 |] |> write file
                let session = NwbRecording.Read file
                Expect.equal (session.Units[0].SpikeTimes.ToArray()) [| 0.1; 0.2; 0.3 |] "sorted")
        }

        test "a spike on an edge is the later bin's" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "s.nwb")
                valid |> units "spike_times" [| 0.25; 0.5; 0.75; 1.5 |] |> write file
                let aligned = NwbRecording.Read(file).Align("start_time", 250.0, 750.0)
                let counts = aligned.Counts("M1", 250.0)
                Expect.equal (counts.Trial(0).ToRowMajorArray()) [| 1.0; 1.0 |] "0.75 is outside")
        }

        test "spikes around the window count in smoothed rates" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "s.nwb")
                // One spike every 10 ms: 100 spikes a second.
                let regular = Array.init 300 (fun k -> 0.005 + 0.01 * float k)

                valid
                |> units "spike_times" regular
                |> units "spike_times_index" [| 300L; 300L |]
                |> write file

                let aligned = NwbRecording.Read(file).Align("start_time", 500.0, 900.0)
                let rates = aligned.Rates("M1", 10.0, 30.0)

                for rate in rates.Trial(0).Enumerate() do
                    isNear 1e-9 100.0 rate "no fall at the ends")
        }

        test "recorded areas are what Population takes" {
            let window = Nwb.read reaching |> Nwb.align "go_cue_time" -400.0<ms> 400.0<ms>

            let rates area =
                window |> Nwb.rates 20.0<ms> 40.0<ms> area

            let direction = window |> Nwb.labels "direction"
            Expect.equal (Nwb.levels "direction" window) [ "left"; "right" ] "levels"
            let pmd, m1 = rates "PMd", rates "M1"
            Expect.equal (pmd.Trials, pmd.Steps, pmd.Units) (24, 40, 5) "shape"

            let early area =
                (rates area |> Population.decode direction).Accuracy[10..18] |> Array.average

            Numbers.isGreaterThan (early "PMd") 0.8 "PMd prepares the direction"
            Numbers.isLessThan (early "M1") 0.75 "M1 does not"
            let late = (m1 |> Population.decode direction).Accuracy[27..33] |> Array.average
            Numbers.isGreaterThan late 0.8 "M1 moves"
            Expect.equal (pmd |> Population.pcaOf direction).Mean.Count 5 "components"
            Numbers.isGreaterThan (Population.dimensions m1).Ratio 1.0 "dimensions"
            Numbers.isGreaterThan (Population.alignment pmd m1) 0.0 "alignment"

            let axes =
                pmd |> Population.targeted [ "direction", Array.map float direction ] direction

            Expect.equal (List.ofSeq axes.Variables) [ "direction" ] "axes"
        }

        test "a task of sessions takes turns among them, and asks of each its own units" {
            let recorded trials steps units from =
                TrialSet(
                    Array.init (trials * steps * units) (fun k -> from + float k),
                    trials,
                    steps,
                    units
                )

            let first, second = recorded 3 4 2 100.0, recorded 2 5 1 200.0

            let cue steps session k =
                Array2D.create steps 1 (float (10 * session + k))

            let sessions = [ cue 4 0, first; cue 5 1, second ]

            // Trials of the first are 0, 2, 4, ...: its trial 1 is number 2, and number 8 again.
            match Trials.show 20.0<ms> 1L (Task.ofSessions 20.0<ms> sessions) [ 2; 8; 7 ] with
            | Error problems -> failtest $"%A{List.map Problem.text problems}"
            | Ok [ one; again; other ] ->
                let column values (rows: float[,]) k = Expect.equal rows[*, k] values

                for k in 0..1 do
                    column
                        ((first.Trial 1).Column(k).ToArray())
                        one.Targets
                        k
                        "targets of the first"

                    column [| 1.0; 1.0; 1.0; 1.0 |] one.Mask k "which count"

                column [| 0.0; 0.0; 0.0; 0.0 |] one.Mask 2 "a unit of the other session"
                Expect.equal one.Inputs (cue 4 0 1) "inputs"
                Expect.equal one.Conditions["session"] 0.0 "the first"
                Expect.equal again.Targets one.Targets "round again"

                column
                    ((second.Trial 1).Column(0).ToArray())
                    other.Targets
                    2
                    "targets of the second"

                Expect.equal
                    (Array.sum (Array.ofSeq (Seq.cast<float> other.Mask)))
                    5.0
                    "nothing else"

                Expect.equal other.Inputs (cue 5 1 1) "its inputs"
                Expect.equal other.Conditions["session"] 1.0 "the second"
            | Ok _ -> failtest "three trials were to be shown"

            isRefused [ "there is no session" ] (fun () -> Task.ofSessions 20.0<ms> [])
        }

        test "a task of recorded activity is its trials, and round again" {
            let counts =
                Nwb.read reaching
                |> Nwb.align "go_cue_time" 0.0<ms> 100.0<ms>
                |> Nwb.counts 20.0<ms> "M1"

            let cue k = Array2D.create 5 1 (float k)
            let numbers = Array.init 24 (fun k -> float (k % 3))
            let task = Task.ofActivity 20.0<ms> cue [ "third", numbers ] counts

            match Trials.show 20.0<ms> 1L task [ 2; 26 ] with
            | Error problems -> failtest $"%A{List.map Problem.text problems}"
            | Ok [ two; again ] ->
                Expect.equal two.Targets (counts.Trial(2).ToArray()) "targets"
                Expect.equal two.Inputs (cue 2) "inputs"
                Expect.equal two.Conditions["third"] 2.0 "condition"
                Expect.equal again.Targets two.Targets "round again"
            | Ok _ -> failtest "two trials were to be shown"

            isRefused [ "condition third has 2 values for 24 trials" ] (fun () ->
                Task.ofActivity 20.0<ms> cue [ "third", [| 0.0; 1.0 |] ] counts)
        }
    ]
