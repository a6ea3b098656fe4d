/// A sweep on a real cluster of one machine: slurmctld, slurmd and munged over loopback.
module Rflo.Host.Tests.SlurmTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json.Nodes
open System.Threading
open Expecto
open Rflo.Runs
open Rflo.Host
open Rflo.Host.Tests.Processes

let private slurm = Path.Combine(root, "tests", "slurm.sh")

/// A sweep whose trials wait for 20 ms each as long as a file exists: no task ends before the test is done with it.
let private sweepText (slow: string) =
    $"""
let slow = @"{slow}"

let noisyWave =
    Task.ofTrials 50.0<ms> (fun _ stream ->
        if System.IO.File.Exists slow then
            System.Threading.Thread.Sleep 20

        let height = stream.Uniform(0.5, 1.0)
        Trial.ofSteps 50 (fun t -> [], [ height * sin (0.1 * float t) ]))

let cortex = area "cortex" 20
let y = readout "y" 1

let network =
    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]

experiment "cluster" network noisyWave
|> trials 1500
|> Sweep.ofExperiment
|> Sweep.over "seed" [ 1..8 ] seed
|> Sweep.overNamed "rule" [ for r in [ Rule.rflo; Rule.bptt ] -> r.Name, rule r ]
|> Host.sweep
"""

/// Starts the cluster, or skips the test and says what is missing.
let private onCluster (folder: string) (body: unit -> unit) =
    let cluster = Path.Combine(folder, "slurm")
    // The daemons keep what they inherit open: their output goes to a file.
    let log = Path.Combine(folder, "slurm.out")

    let command what =
        run folder "/bin/bash" [ "-c"; $"bash '{slurm}' {what} '{cluster}' >'{log}' 2>&1" ]

    let started = command "start"

    if started.Code = 4 then
        skiptest (File.ReadAllText(log).Trim())

    Expect.equal started.Code 0 $"slurm.sh start ({File.ReadAllText log})"
    Environment.SetEnvironmentVariable("SLURM_CONF", Path.Combine(cluster, "slurm.conf"))

    try
        body ()
    finally
        command "stop" |> ignore
        Environment.SetEnvironmentVariable("SLURM_CONF", null)

/// Waits until something is so. The limit is for what never comes: a busy machine takes ten times what a quiet one does.
let private waitFor what (isSo: unit -> bool) =
    let clock = Stopwatch.StartNew()

    while not (isSo ()) do
        if clock.Elapsed.TotalMinutes > 5.0 then
            failtest $"waited five minutes for {what}"

        Thread.Sleep 20

/// What a point has measured, but for the time it took, and the weights that it learned.
let private measured (sweep: SweepFolder) id =
    let saved = RunFolder.Open(sweep.PlaceOf id)
    let table = saved.ReadMetrics()

    [
        for name in table.Columns do
            if name <> "seconds" then
                name, table.Column name |> Array.map BitConverter.DoubleToInt64Bits |> List.ofArray

        for weights in saved.ReadWeights() do
            weights.Name, weights.Values |> Array.map BitConverter.DoubleToInt64Bits |> List.ofArray
    ]

let private said (name: string) (file: string) =
    (nonNull ((nonNull (JsonNode.Parse(File.ReadAllText file)))[name])).GetValue<int>()

/// Points that a process has in hand and that have a checkpoint: the point, and the process.
let private inHand (sweep: string) = [
    let points = Path.Combine(sweep, "points")

    if Directory.Exists points then
        for folder in Directory.GetDirectories points do
            for writing in Directory.GetDirectories(folder, ".*.writing") do
                let owner = Path.Combine(writing, ".owner.json")

                if
                    Directory.GetFiles(writing, "checkpoint-*.npz").Length > 0 && File.Exists owner
                then
                    (nonNull (Path.GetFileName writing)).Replace(".writing", "").Substring 1,
                    said "Process" owner
]

let private queue folder =
    (run folder "squeue" [ "--noheader"; "--array"; "--format"; "%i %T" ])
        .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)

/// The task of the job array that a process of it runs, such as `7_2`.
let private taskOf (pid: int) =
    let variables = File.ReadAllText($"/proc/{pid}/environ").Split '\000'

    let variable (name: string) =
        variables
        |> Array.find (fun variable -> variable.StartsWith(name + "="))
        |> fun found -> found.Substring(name.Length + 1)

    variable "SLURM_ARRAY_JOB_ID" + "_" + variable "SLURM_ARRAY_TASK_ID"

let private isRunning folder task =
    queue folder
    |> Array.exists (fun line -> line = task + " RUNNING" || line = task + " COMPLETING")

let private scontrol folder words =
    let ended = run folder "scontrol" words
    Expect.equal ended.Code 0 $"scontrol ({ended.Errors})"

[<Tests>]
let tests =
    testSequenced
    <| testList "Slurm" [
        test
            "a killed task, a task put back into the queue and a drained node cost nothing but time" {
            inFolder (fun folder ->
                onCluster folder (fun () ->
                    let slow = Path.Combine(folder, "slow")
                    File.WriteAllText(slow, "")
                    let path = write folder "cluster.fsx" (sweepText slow)
                    let place = Path.Combine(folder, "cluster")

                    let submit () =
                        script folder path [
                            "--slurm"
                            "--chunk"
                            "4"
                            "--checkpoint-every"
                            "50"
                            "--out"
                            "cluster"
                        ]

                    let submitted = submit ()
                    Expect.equal submitted.Code 0 $"submission ({submitted.Errors})"
                    Expect.stringContains submitted.Output "4 tasks" "what it says"
                    let mutable hit = []

                    // Somebody kills the process of one task.
                    waitFor "a checkpoint" (fun () ->
                        hit <- inHand place
                        not hit.IsEmpty)

                    let killed, pid = hit.Head
                    let failed = taskOf pid
                    Process.GetProcessById(pid).Kill()
                    waitFor "the end of its task" (fun () -> not (isRunning folder failed))

                    // The cluster needs the room of another: it is put back into the queue in the midst of a point.
                    waitFor "another checkpoint" (fun () ->
                        hit <- inHand place |> List.filter (fun (id, _) -> id <> killed)
                        not hit.IsEmpty)

                    let putBack = taskOf (snd hit.Head)
                    scontrol folder [ "requeue"; putBack ]

                    // While the node drains, nothing new begins.
                    let node = Environment.MachineName

                    scontrol folder [
                        "update"
                        $"nodename={node}"
                        "state=drain"
                        "reason=test"
                    ]

                    File.Delete slow

                    waitFor "the running tasks" (fun () ->
                        queue folder
                        |> Array.forall (fun line ->
                            not (line.Contains "RUNNING" || line.Contains "COMPLETING")))

                    Expect.isNonEmpty (queue folder) "tasks that wait"
                    let whileDrained = rflo folder [ "status"; "cluster" ]
                    Expect.stringContains whileDrained.Output "16 points" "status"
                    let early = rflo folder [ "collect"; "cluster"; "--out"; "early.parquet" ]
                    Expect.equal early.Code 0 $"collect ({early.Errors})"
                    let again = submit ()
                    Expect.equal again.Code 2 "a second submission"
                    Expect.stringContains again.Errors "still waits or runs" "why"
                    scontrol folder [ "update"; $"nodename={node}"; "state=resume" ]
                    // A task that was put back waits for two minutes otherwise.
                    scontrol folder [ "update"; $"jobid={putBack}"; "starttime=now" ]
                    waitFor "the job" (fun () -> queue folder |> Array.isEmpty)

                    // What the killed task left is handed in again by the same command.
                    let rest = submit ()
                    Expect.equal rest.Code 0 $"submission of the rest ({rest.Errors})"
                    Expect.stringContains rest.Output "1 tasks" "one part is left"
                    waitFor "the rest" (fun () -> queue folder |> Array.isEmpty)

                    let here = script folder path [ "--out"; "local" ]
                    Expect.equal here.Code 0 $"the sweep on one machine ({here.Errors})"

                    let cluster, local =
                        SweepFolder.Open place, SweepFolder.Open(Path.Combine(folder, "local"))

                    let ids = List.ofSeq (cluster.ReadPoints())
                    Expect.equal ids (List.ofSeq (local.ReadPoints())) "points"
                    Expect.equal ids.Length 16 "number of points"

                    for id in ids do
                        Expect.equal
                            (cluster.StateOf id).Stage
                            PointStage.Finished
                            $"state of {id}"

                        Expect.equal (measured cluster id) (measured local id) $"bits of {id}"

                    let folders =
                        Directory.GetDirectories(Path.Combine(place, "points"))
                        |> Array.collect Directory.GetDirectories
                        |> Array.map (fun path -> nonNull (Path.GetFileName path))
                        |> Array.sort

                    Expect.equal
                        folders
                        (Array.sort (Array.ofList ids))
                        "one folder a point, and nothing half-way"

                    // Each trial was run once: a point was begun once, or taken up from a checkpoint.
                    let sessions id =
                        (RunFolder.Open(cluster.PlaceOf id)).Manifest.Sessions

                    for id in ids do
                        Expect.isTrue
                            (sessions id
                             |> Seq.skip 1
                             |> Seq.forall (fun session -> session.Trial > 0))
                            $"{id} goes on from a checkpoint"

                    let takenUp = ids |> List.filter (fun id -> (sessions id).Count > 1)
                    Expect.contains takenUp killed "the point of the killed task was taken up"
                    Numbers.isLessThanOrEqual takenUp.Length 2 "and no more than what was in hand"))
        }
    ]

let private job =
    SlurmJob(
        Name = "a sweep/of mine",
        Command = [| "dotnet"; "it's" |],
        Directory = "/home/me",
        Logs = "/home/me/runs",
        Parts = 9,
        Tasks = [| 1; 2; 3; 5; 8; 9 |],
        MaxParallel = 2
    )

[<Tests>]
let planning =
    testList "job arrays" [
        test "name the tasks that are left, in ranges" {
            Expect.equal job.Array "1-3,5,8-9%2" "array"
        }

        test "quote what a shell would read, and ask for what was asked" {
            let script = job.Script()
            Expect.stringContains script "#SBATCH --job-name=rflo-a-sweep-of-mine\n" "name"
            Expect.stringContains script "'it'\\''s'" "words"
            Expect.stringContains script "--part \"$SLURM_ARRAY_TASK_ID/9\"" "part"

            Expect.isFalse
                (script.Contains "--partition" || script.Contains "--mem")
                "what was not asked for"
        }

        test "of a million points have as many points a task as the cluster's limits need" {
            let chunk given =
                SweepSlurm.chunks SlurmLimits.Usual given 1_000_000

            Expect.equal (chunk None) (Ok(1000, 1000)) "as usual"
            Expect.equal (chunk (Some 2000)) (Ok(2000, 500)) "as asked"

            match chunk (Some 10) with
            | Error mistake ->
                Expect.stringContains (Mistake.text mistake) "at least 1000" "the least"
            | Ok _ -> failtest "too many tasks"
        }
    ]
