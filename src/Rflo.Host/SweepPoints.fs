namespace Rflo.Host

open System
open System.Security.Cryptography
open System.Text
open Rflo.Dsl

/// What a point of a sweep is called.
[<RequireQualifiedAccess>]
module SweepPoints =

    [<Literal>]
    let private Format = "rflo point 1"

    /// Hexadecimal digits of a name: 64 bits, so that among a million points two with one name are a chance of 1 in 10^7.
    [<Literal>]
    let private Digits = 16

    let rec private numbersOf (task: Task) =
        seq {
            match task.Kind with
            | Arrays data ->
                yield! Seq.cast<float> data.Inputs
                yield! Seq.cast<float> data.Targets
            | InLoop loop -> yield! loop.Memory
            | _ ->
                for part in Task.parts task do
                    yield! numbersOf part
        }

    /// The numbers that stand in the script itself: ExperimentJson tells matrices by their shape only.
    let private numbers (experiment: Experiment) =
        seq {
            for projection in experiment.Circuit.Projections do
                match projection.Weights with
                | Given matrix -> yield! Seq.cast<float> matrix
                | GivenSparse weights ->
                    yield! Seq.map float weights.RowStart
                    yield! Seq.map float weights.Presynaptic
                    yield! weights.Values
                | _ -> ()

                match projection.Connectivity with
                | Mask mask ->
                    yield! mask |> Seq.cast<bool> |> Seq.map (fun on -> if on then 1.0 else 0.0)
                | _ -> ()

            for feedback in experiment.Circuit.Feedback do
                match feedback.Through with
                | GivenFeedback matrix -> yield! Seq.cast<float> matrix
                | _ -> ()

            yield! numbersOf experiment.Task
        }

    /// The name of a point: a hash of its experiment and its settings. Functions of the script's own, such as a task's, are
    /// known by their names only.
    let id (settings: (string * string) list) (experiment: Experiment) =
        use hash = IncrementalHash.CreateHash HashAlgorithmName.SHA256

        let add (text: string) =
            hash.AppendData(Encoding.UTF8.GetBytes text)
            hash.AppendData [| 0uy |]

        add Format
        add ((ExperimentJson.ofExperiment experiment).ToJsonString())

        for name, value in settings do
            add name
            add value

        for number in numbers experiment do
            hash.AppendData(BitConverter.GetBytes number)

        Convert.ToHexStringLower(hash.GetHashAndReset()).Substring(0, Digits)
