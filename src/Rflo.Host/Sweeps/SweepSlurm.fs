namespace Rflo.Host

open System
open System.IO
open Rflo.Dsl
open Rflo.Runs

/// Submits sweeps to the queue of a cluster as job arrays, each task of which runs one part by the same command.
[<RequireQualifiedAccess>]
module internal SweepSlurm =

    /// The most tasks of an array by default: a start of .NET takes seconds, and the scheduler keeps a record of every
    /// task.
    [<Literal>]
    let private UsualTasks = 1000

    /// Points a task, and tasks.
    let chunks (limits: SlurmLimits) (chunk: int option) points : Result<int * int, Mistake> =
        let most = limits.MaxArraySize - 1
        let parts size = (points + size - 1) / size

        match chunk with
        | Some size when parts size > most ->
            let least = (points + most - 1) / most

            Error(
                BadValue(
                    "--chunk",
                    string size,
                    $"at least {least}: {points} points are {parts size} tasks, and an array of this cluster has at most {most} (MaxArraySize)"
                )
            )
        | Some size -> Ok(size, parts size)
        | None ->
            let tasks = min UsualTasks most
            let size = (points + tasks - 1) / tasks
            Ok(size, parts size)

    let private limitLines (limits: SlurmLimits) points (size, parts) = [
        let source =
            if limits.IsKnown then
                ""
            else
                " (default values: Slurm is not installed here)"

        $"  tasks      {parts} of {size} points at most, each a start of .NET and of the script"
        "  scheduler  one sbatch for all tasks; rflo status and rflo collect read the folder and do not query the scheduler"
        $"  limits     an array has at most {limits.MaxArraySize - 1} tasks (MaxArraySize), the controller keeps at most {limits.MaxJobCount} (MaxJobCount){source}"

        if points > limits.MaxArraySize - 1 then
            $"  so         a task for each point is out of the question: tasks run {size} points each, one after the other"
    ]

    /// Prints the cost of a sweep, here and on a cluster, and runs only a few trials of its first point.
    let dryRun (request: SweepRequest) (sweep: Sweep) =
        let limits = Rflo.Runs.Slurm.Limits()
        let chunk = request.Slurm |> Option.bind _.Chunk

        match chunks limits chunk sweep.Count, SweepCosts.measure request.Settings sweep with
        | Error mistake, _ -> Mistake.refuse sweep.Name [ mistake ]
        | _, Error reason ->
            eprintfn $"{sweep.Name}: {reason}"
            ExitCode.EndedEarly
        | Ok tasks, Ok costs ->
            printfn $"{sweep.Name}: {sweep.Count} points"
            List.iter (printfn "%s") (SweepCosts.lines sweep.Count costs)
            List.iter (printfn "%s") (limitLines limits sweep.Count tasks)
            ExitCode.Done

    /// The command of a task: that of this process. Where `rflo` has compiled the script, tasks use the compiled form.
    let private command script (request: SweepRequest) = [
        let interpreter = Environment.GetCommandLineArgs()[0]

        match Option.ofObj Environment.ProcessPath with
        | Some program when Path.GetFileNameWithoutExtension program = "dotnet" ->
            program
            interpreter
        | Some program -> program
        | None ->
            "dotnet"
            interpreter

        if Path.GetFileName interpreter = "Rflo.Cli.dll" then
            "sweep"

        Path.GetFullPath script
        yield! request.Rest
        "--out"
        Path.GetFullPath request.Settings.Place
        "--jobs"
        string request.Settings.Jobs

        if request.Settings.Retry then
            "--retry"
    ]

    let private isLeft retry (folder: SweepFolder) id =
        match (folder.StateOf id).Stage with
        | PointStage.Finished -> false
        | PointStage.Failed
        | PointStage.Damaged -> retry
        | _ -> true

    let private write (path: string) (text: string) =
        try
            Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
            File.WriteAllText(path, text)
        with
        | :? IOException
        | :? UnauthorizedAccessException as e ->
            raise (
                RunFileException(
                    path,
                    null,
                    $"cannot be written ({e.Message.TrimEnd '.'})",
                    "Choose another place with --out."
                )
            )

    /// Writes the job array of a sweep's remaining points, and submits it to the queue.
    let submit (request: SweepRequest) (script: string option) (sweep: Sweep) =
        let settings = request.Settings
        let slurm = Option.get request.Slurm

        match script, chunks (Rflo.Runs.Slurm.Limits()) slurm.Chunk sweep.Count with
        | None, _ ->
            eprintfn
                $"{sweep.Name}: --slurm needs a script that tasks can run; write the sweep into one, or use rflo sweep SCRIPT --slurm"

            ExitCode.Arguments
        | _, Error mistake -> Mistake.refuse sweep.Name [ mistake ]
        | Some script, Ok(size, parts) ->
            let folder, ids = Sweeps.list settings sweep
            let place = Path.Combine(folder.Place, "slurm")
            let last = Path.Combine(place, "job.id")

            let earlier =
                if File.Exists last then
                    Some(File.ReadAllText(last).Trim())
                else
                    None

            match earlier with
            | Some job when Rflo.Runs.Slurm.IsQueued job ->
                eprintfn
                    $"{sweep.Name}: job {job} of this sweep still waits or runs; let it end (rflo status prints its progress), or scancel {job}"

                ExitCode.Arguments
            | _ ->
                let isLeft k = isLeft settings.Retry folder ids[k]

                let tasks = [|
                    for part in 1..parts do
                        let first, last = Sweeps.range sweep.Count (Some(part, parts))

                        if Seq.exists isLeft (seq { first .. last - 1 }) then
                            part
                |]

                if tasks.Length = 0 then
                    printfn $"{sweep.Name}: nothing is left to run"
                    ExitCode.Done
                else
                    let job =
                        SlurmJob(
                            Name = sweep.Name,
                            Command = Array.ofList (command script request),
                            Directory = Directory.GetCurrentDirectory(),
                            Logs = place,
                            Parts = parts,
                            Tasks = tasks,
                            Jobs = settings.Jobs,
                            MaxParallel = Option.toNullable slurm.MaxParallel,
                            Partition = Option.toObj slurm.Partition,
                            Time = Option.toObj slurm.Time,
                            Memory = Option.toObj slurm.Memory,
                            MaxTime = Option.toNullable settings.Guard.MaxTime,
                            TakeOver = (settings.TakeOver || earlier.IsSome)
                        )

                    let path = Path.Combine(place, "job.sh")
                    write path (job.Script())
                    let number = Rflo.Runs.Slurm.Submit path
                    write last (number + "\n")

                    printfn
                        $"{sweep.Name}: job {number}, {tasks.Length} tasks of {size} points at most; rflo status {settings.Place} prints their progress"

                    ExitCode.Done
