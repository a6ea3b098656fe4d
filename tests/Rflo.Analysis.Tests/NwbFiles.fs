/// Files in the layout of NWB: those that h5py wrote, what a reader must find in them, and files with a mistake.
module Rflo.Analysis.Tests.NwbFiles

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Expecto
open PureHDF
open Rflo.Analysis

/// The top folder of the repository.
let root =
    let rec up (folder: string | null) =
        match folder with
        | null -> failwith "the tests lie in no repository"
        | folder when File.Exists(Path.Combine(folder, "Rflo.Dsl.sln")) -> folder
        | folder -> up (Path.GetDirectoryName folder)

    up AppContext.BaseDirectory

/// The files that make.py wrote, with what numpy and scipy find in them beside.
let fixtures = Path.Combine(root, "tests", "data", "nwb")

let fixture name = Path.Combine(fixtures, name + ".nwb")

let reaching = Path.Combine(root, "examples", "reaching.nwb")

let inFolder (body: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "rflo-nwb-"

    try
        body folder.FullName
    finally
        folder.Delete true

let private python = "/usr/bin/python3"

let private run (arguments: string list) =
    let info =
        ProcessStartInfo(
            python,
            arguments,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    use child = nonNull (Process.Start info)
    let output = child.StandardOutput.ReadToEndAsync()
    let errors = child.StandardError.ReadToEndAsync()
    child.WaitForExit()
    child.ExitCode, output.Result + errors.Result

let private hasH5py =
    lazy (File.Exists python && fst (run [ "-c"; "import h5py, scipy" ]) = 0)

/// Runs make.py, or skips the test where there is no h5py.
let make (arguments: string list) =
    if not hasH5py.Value then
        skiptest $"{python} has no h5py or scipy (Debian: python3-h5py, python3-scipy)"

    let code, printed = run (Path.Combine(fixtures, "make.py") :: arguments)
    Expect.equal code 0 $"exit code ({printed})"

// What must be found.

let private floats (element: JsonElement) = [|
    for one in element.EnumerateArray() ->
        if one.ValueKind = JsonValueKind.Null then
            nan
        else
            one.GetDouble()
|]

let private ints (element: JsonElement) = [|
    for one in element.EnumerateArray() -> one.GetInt32()
|]

let private texts (element: JsonElement) = [|
    for one in element.EnumerateArray() -> nonNull (one.GetString())
|]

let private part (name: string) (element: JsonElement) = element.GetProperty name

/// NaN is equal to NaN here.
let private sameBits (expected: float[]) (found: float[]) what =
    Expect.equal (found |> Array.map string) (expected |> Array.map string) what

    for a, b in Array.zip expected found do
        if not (Double.IsNaN a) then
            Expect.equal b a what

let private checkTable (table: NwbTable) (expected: JsonElement) =
    for column in expected.EnumerateObject() do
        let isText =
            column.Value.GetArrayLength() > 0
            && column.Value[0].ValueKind = JsonValueKind.String

        Expect.equal (table.IsNumeric column.Name) (not isText) $"kind of {column.Name}"

        if isText then
            Expect.equal (table.Texts column.Name) (texts column.Value) column.Name
        else
            sameBits (floats column.Value) (table.Numbers column.Name) column.Name

    Expect.equal
        (Set.ofSeq table.Columns)
        (set [ for column in expected.EnumerateObject() -> column.Name ])
        "columns"

let private checkWindow (recording: NwbRecording) (expected: JsonElement) =
    let number name = (part name expected).GetDouble()
    let area = nonNull ((part "area" expected).GetString())
    let event = nonNull ((part "event" expected).GetString())
    let aligned = recording.Align(event, number "first", number "last")
    Expect.equal (Array.ofSeq aligned.Rows) (ints (part "rows" expected)) "trials with the event"
    let counts = aligned.Counts(area, number "dt")

    Expect.equal
        [| counts.Trials; counts.Steps; counts.Units |]
        (ints (part "shape" expected))
        "shape"

    sameBits (floats (part "counts" expected)) (counts.ToArray()) "counts"
    let rates = aligned.Rates(area, number "dt", number "deviation").ToArray()

    for a, b in Array.zip (floats (part "rates" expected)) rates do
        Numbers.isLessThan (abs (a - b)) (1e-10 * (1.0 + abs a)) "rates"

/// Compares a recording with what numpy and scipy found in its file.
let check (file: string) =
    let json = nonNull (Path.ChangeExtension(file, ".json"))
    use document = JsonDocument.Parse(File.ReadAllText json)
    let expected = document.RootElement
    let recording = NwbRecording.Read file
    let units = List.ofSeq recording.Units
    let list name = [ for one in (part name expected).EnumerateArray() -> one ]
    Expect.equal [| for unit in units -> int unit.Id |] (ints (part "ids" expected)) "ids"
    Expect.equal [| for unit in units -> unit.Area |] (texts (part "areas" expected)) "areas"

    for unit, spikes, electrodes in List.zip3 units (list "spikes") (list "electrodes") do
        sameBits (floats spikes) (unit.SpikeTimes.ToArray()) $"{unit}"
        Expect.equal (Array.ofSeq unit.Electrodes) (ints electrodes) $"electrodes of {unit}"

    checkTable recording.UnitTable (part "units" expected)
    checkTable recording.Trials (part "trials" expected)

    let windows = list "windows"
    windows |> List.iter (checkWindow recording)
    let first = windows.Head
    let event = nonNull ((part "event" first).GetString())
    let aligned = recording.Align(event, 0.0, 100.0)

    for column in (part "labels" expected).EnumerateObject() do
        Expect.equal (aligned.Labels column.Name) (ints column.Value) $"labels of {column.Name}"

// Files with a mistake.

/// Datasets by their paths.
type Content = Map<string, Array>

/// Two units in two areas, two trials.
let valid: Content =
    Map.ofList [
        "units/id", [| 5L; 6L |] :> Array
        "units/spike_times", [| 0.1; 0.2; 0.3; 1.5 |] :> Array
        "units/spike_times_index", [| 3L; 4L |] :> Array
        "units/electrodes", [| 0L; 1L |] :> Array
        "units/electrodes_index", [| 1L; 2L |] :> Array
        "general/extracellular_ephys/electrodes/id", [| 7L; 8L |] :> Array
        "general/extracellular_ephys/electrodes/location", [| "M1"; "PMd" |] :> Array
        "intervals/trials/id", [| 0L; 1L |] :> Array
        "intervals/trials/start_time", [| 0.0; 1.0 |] :> Array
        "intervals/trials/stop_time", [| 0.9; 1.9 |] :> Array
        "intervals/trials/go_cue_time", [| 0.2; 1.2 |] :> Array
        "intervals/trials/direction", [| "left"; "right" |] :> Array
    ]

let private groupOf (parent: H5Group) (name: string) =
    if not (parent.ContainsKey name) then
        parent[name] <- H5Group()

    parent[name] :?> H5Group

/// Writes datasets as an HDF5 file.
let write (file: string) (content: Content) =
    let top = H5File()

    for pair in content do
        let names = pair.Key.Split '/'
        let group = names[.. names.Length - 2] |> Array.fold groupOf (top :> H5Group)
        group[Array.last names] <- pair.Value

    top.Write file
