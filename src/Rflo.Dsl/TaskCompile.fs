namespace Rflo.Dsl

open System
open Rflo.Core

/// Tasks as the core wants them: counted in steps, filled into buffers.
[<RequireQualifiedAccess>]
module internal TaskCompile =

    /// The number of steps of a duration, if it is a whole number of them.
    let steps (dt: float<ms>) (duration: float<ms>) =
        let exact = duration / dt
        let whole = Math.Round exact

        if
            Double.IsFinite exact
            && abs (exact - whole) <= 1e-9 * max 1.0 (abs exact)
            && abs whole < 2e9
        then
            Some(int whole)
        else
            None

    let private shape (a: float[,]) = $"({a.GetLength 0}, {a.GetLength 1})"

    let private arrays (data: TrialData) = [
        let steps = data.Targets.GetLength 0

        if steps < 1 then
            NotAllowed("the number of steps of the targets", "0", "at least 1")

        if data.Inputs.GetLength 0 <> steps then
            WrongShape(
                "inputs",
                shape data.Inputs,
                $"({steps}, channels) as the targets have {steps} steps"
            )

        match data.Mask with
        | Some mask when mask.GetLength 0 <> steps || mask.GetLength 1 <> data.Targets.GetLength 1 ->
            WrongShape("mask", shape mask, $"{shape data.Targets} as the targets")
        | _ -> ()
    ]

    let private whole field dt (duration: float<ms>) = [
        if not (duration > 0.0<ms>) || not (Double.IsFinite(float duration)) then
            NotAllowed(field, $"{float duration} ms", "finite and more than 0 ms")
        else
            match steps dt duration with
            | None -> NotWholeSteps(field, duration, dt)
            | Some _ -> ()
    ]

    /// What is wrong with a task.
    let faults dt (task: Task) = [
        match task.Kind with
        | Periodic(period, harmonics) ->
            yield! whole "period" dt period

            if List.isEmpty harmonics then
                NotAllowed("the number of harmonics", "0", "at least 1")

            for harmonic, amplitude in harmonics do
                if harmonic < 1 then
                    NotAllowed("a harmonic", string harmonic, "at least 1")

                if not (Double.IsFinite amplitude) then
                    NotAllowed($"the amplitude of harmonic {harmonic}", string amplitude, "finite")
        | Arrays data -> yield! arrays data
        | Drawn(inputs, outputs, duration, _) ->
            yield! whole "duration" dt duration

            if inputs < 0 then
                NotAllowed("inputs", string inputs, "at least 0")

            if outputs < 0 then
                NotAllowed("outputs", string outputs, "at least 0")
        | Custom _ -> ()
    ]

    /// (input channels, outputs) of a task.
    let sizes (task: Task) =
        match task.Kind with
        | Periodic _ -> 0, 1
        | Arrays data -> data.Inputs.GetLength 1, data.Targets.GetLength 1
        | Drawn(inputs, outputs, _, _) -> inputs, outputs
        | Custom task -> task.Inputs, task.Outputs

    let private copy (rows: int) (columns: int) (from: float[,]) (into: float[]) =
        for t in 0 .. rows - 1 do
            for k in 0 .. columns - 1 do
                into[t * columns + k] <- from[t, k]

    let private fill (task: string) (data: TrialData) (into: Trial) =
        let refuse what =
            raise (ArgumentException $"task {task}: a trial's {what}")

        let steps = data.Targets.GetLength 0

        if steps < 1 || steps > into.MaxSteps then
            refuse
                $"targets have {steps} steps; it must be 1 .. {into.MaxSteps}, the declared duration"

        if
            data.Inputs.GetLength 0 <> steps
            || data.Inputs.GetLength 1 <> into.InputChannels
        then
            refuse
                $"inputs have shape {shape data.Inputs}; it must be ({steps}, {into.InputChannels})"

        if data.Targets.GetLength 1 <> into.Outputs then
            refuse $"targets have shape {shape data.Targets}; it must be ({steps}, {into.Outputs})"

        into.Steps <- steps
        copy steps into.InputChannels data.Inputs into.Inputs
        copy steps into.Outputs data.Targets into.Targets

        match data.Mask with
        | None -> into.Mask.AsSpan().Fill 1.0
        | Some mask when mask.GetLength 0 = steps && mask.GetLength 1 = into.Outputs ->
            copy steps into.Outputs mask into.Mask
        | Some mask -> refuse $"mask has shape {shape mask}; it must be ({steps}, {into.Outputs})"

    /// A task that never changes: filled once, then left as it is.
    let private unchanging name (data: TrialData) =
        let mutable filled: Trial | null = null

        {
            new ITask with
                member _.Inputs = data.Inputs.GetLength 1
                member _.Outputs = data.Targets.GetLength 1
                member _.MaxSteps = data.Targets.GetLength 0
                member _.Events = 0

                member _.Fill(_, _, into) =
                    if not (obj.ReferenceEquals(filled, into)) then
                        fill name data into
                        filled <- into
        }

    let private harmonicSum steps harmonics =
        Array2D.init steps 1 (fun row _ ->
            harmonics
            |> List.sumBy (fun (k, amplitude) ->
                amplitude * sin (2.0 * Math.PI * float k * float (row + 1) / float steps)))

    /// The task for the core; it has no faults.
    let compile dt (task: Task) : ITask =
        match task.Kind with
        | Periodic(period, harmonics) ->
            let count = (steps dt period).Value

            unchanging task.Name {
                Inputs = Array2D.zeroCreate count 0
                Targets = harmonicSum count harmonics
                Mask = None
            }
        | Arrays data -> unchanging task.Name data
        | Drawn(inputs, outputs, duration, draw) ->
            let longest = (steps dt duration).Value

            {
                new ITask with
                    member _.Inputs = inputs
                    member _.Outputs = outputs
                    member _.MaxSteps = longest
                    member _.Events = List.length task.Events
                    member _.Fill(trial, stream, into) = fill task.Name (draw trial stream) into
            }
        | Custom task -> task
