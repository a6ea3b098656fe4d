namespace Rflo.Host

open System
open System.Collections
open System.Collections.Concurrent
open System.Reflection
open System.Runtime.InteropServices
open System.Security.Cryptography
open System.Text
open Microsoft.FSharp.Reflection
open Rflo.Core
open Rflo.Dsl

/// A hash of everything that an experiment declares. It visits the value by reflection, so that it includes every field, also
/// new ones. Functions of a script are represented by the names that are declared with them.
[<RequireQualifiedAccess>]
module internal Fingerprint =

    let private text (hash: IncrementalHash) (words: string) =
        let bytes = Encoding.UTF8.GetBytes words
        hash.AppendData(BitConverter.GetBytes bytes.Length)
        hash.AppendData bytes

    /// All numbers of an array of a primitive type, in one go.
    let private bytesOf (array: Array) =
        let size = Buffer.ByteLength array
        MemoryMarshal.CreateReadOnlySpan(&MemoryMarshal.GetArrayDataReference array, size)

    /// How values of a type are added, built once a type, since reflection is slow and a sweep has many points.
    let private ways = ConcurrentDictionary<Type, IncrementalHash -> obj -> unit>()

    /// A part that may come from another assembly: represented by its type and its description, which has all of its constants.
    let private described hash (part: obj) (description: string) =
        text hash (part.GetType().Name)
        text hash description

    /// Whether a type is a record of C#: all of its values are in its properties.
    let private isRecord (kind: Type) =
        not (
            isNull (
                kind.GetMethod("PrintMembers", BindingFlags.Instance ||| BindingFlags.NonPublic)
            )
        )

    let rec private add (hash: IncrementalHash) (value: objnull) =
        match value with
        | null -> text hash "none"
        | :? string as words -> text hash words
        | :? float as number -> hash.AppendData(BitConverter.GetBytes number)
        | :? Optimizer as optimizer -> described hash optimizer optimizer.Description
        | :? LearningRateSchedule as schedule -> described hash schedule schedule.Description
        | :? Loss as loss -> described hash loss loss.Description
        | :? UnitModel as model ->
            described hash model model.Description

            add hash [|
                for state in 1 .. model.States.Count - 1 -> model.InitialState state
            |]
        | :? ITask as task ->
            text hash (task.GetType().Name)
            add hash [| task.Inputs; task.Outputs; task.MaxSteps; task.Events |]
        | :? Array as array ->
            text hash (array.GetType().Name)

            for dimension in 0 .. array.Rank - 1 do
                hash.AppendData(BitConverter.GetBytes(array.GetLength dimension))

            if (nonNull (array.GetType().GetElementType())).IsPrimitive then
                hash.AppendData(bytesOf array)
            else
                for each in array do
                    add hash each
        | :? IEnumerable as several ->
            for each in several do
                text hash "next"
                add hash each

            text hash "end"
        | other -> (ways.GetOrAdd(other.GetType(), wayOf)) hash other

    and private all (read: obj -> objnull[]) (hash: IncrementalHash) value =
        for each in read value do
            add hash each

    and private wayOf (kind: Type) =
        if FSharpType.IsFunction kind then
            fun hash _ -> text hash "function"
        elif FSharpType.IsTuple kind then
            all (FSharpValue.PreComputeTupleReader kind)
        elif FSharpType.IsUnion kind then
            let tag = FSharpValue.PreComputeUnionTagReader kind

            let cases = [|
                for case in FSharpType.GetUnionCases kind ->
                    case.Name, all (FSharpValue.PreComputeUnionReader case)
            |]

            fun hash value ->
                let name, fields = cases[tag value]
                text hash name
                fields hash value
        elif FSharpType.IsRecord kind then
            all (FSharpValue.PreComputeRecordReader kind)
        elif
            kind.IsGenericType
            && kind.GetGenericTypeDefinition() = typedefof<Generic.KeyValuePair<_, _>>
        then
            let parts = [|
                for name in [ "Key"; "Value" ] -> nonNull (kind.GetProperty name)
            |]

            all (fun value -> parts |> Array.map (fun part -> part.GetValue value))
        elif kind.IsPrimitive || kind.IsEnum then
            fun hash value ->
                text
                    hash
                    (Convert.ToString(value, Globalization.CultureInfo.InvariantCulture) |> nonNull)
        elif isRecord kind then
            let parts = kind.GetProperties(BindingFlags.Instance ||| BindingFlags.Public)

            fun hash value ->
                text hash kind.Name
                all (fun value -> parts |> Array.map (fun part -> part.GetValue value)) hash value
        else
            fun hash _ -> text hash kind.Name

    let private begun () =
        IncrementalHash.CreateHash HashAlgorithmName.SHA256

    let private finish (hash: IncrementalHash) =
        Convert.ToHexStringLower(hash.GetHashAndReset())

    /// The hash of an experiment, and of words that belong to it, such as the settings of a sweep's point.
    let ofExperiment (words: (string * string) list) (experiment: Experiment) =
        use hash = begun ()
        add hash words
        add hash experiment
        finish hash

    /// The hash of weights that were read.
    let ofWeights (weights: Result<WeightMatrix, string>) =
        use hash = begun ()
        add hash weights
        finish hash

    /// Whether a schedule of learning rates depends on losses, by the mean over the window of the run.
    let private looksAtLosses (experiment: Experiment) =
        [
            experiment.Rule
            for projection in experiment.Circuit.Projections do
                match projection.Plasticity with
                | LearningBy(_, rule) -> rule
                | Learning _
                | Frozen -> ()
        ]
        |> List.exists (fun rule -> rule.Schedule.Memory > 0)

    /// The identity of a run in one hash: the experiment without its number of trials and its stopping, with all its random
    /// draws: initial weights and feedback.
    let ofRun (running: Run.Running) =
        use hash = begun ()
        let experiment = running.Experiment

        add hash {
            experiment with
                Trials = 0
                Stopping =
                    if looksAtLosses experiment then
                        {
                            Stopping.never with
                                Window = experiment.Stopping.Window
                                ByValidation = experiment.Stopping.ByValidation
                        }
                    else
                        Stopping.never
        }

        for k in 0 .. running.Compiled.Graph.Projections.Count - 1 do
            add hash (running.Session.Weights(ProjectionId k))

        for feedback in running.Compiled.Graph.Feedbacks do
            add hash feedback.Matrix

        finish hash
