namespace Rflo.Host

open System
open System.Collections.Concurrent
open Rflo.Dsl

/// Names of points of a sweep.
[<RequireQualifiedAccess>]
module internal SweepPoints =

    [<Literal>]
    let private Format = "rflo point 2"

    /// Hexadecimal digits of a name: 64 bits, so that among a million points two with one name are a chance of 1 in 10^7.
    [<Literal>]
    let private Digits = 16

    /// Hashes of the weights of sources. Each source is read once, since a sweep has many points.
    type Readings() =
        let known = ConcurrentDictionary<string, Lazy<string>>()

        /// A hash of the current contents.
        member _.Of(source, read: unit -> Result<WeightMatrix, string>) =
            let look () =
                try
                    Fingerprint.ofWeights (read ())
                with error ->
                    error.Message

            known.GetOrAdd(source, (fun _ -> Lazy<string>(look))).Value

    /// The name of a point: a hash of its experiment and its settings, with the current contents of weights that it reads.
    /// Functions of the script, such as a task's, are represented by their names only.
    let idBy (readings: Readings) (settings: (string * string) list) (experiment: Experiment) =
        let contents = [
            for projection in experiment.Circuit.Projections do
                match projection.Weights with
                | ReadFrom(source, read) -> source, readings.Of(source, read)
                | _ -> ()
        ]

        (Fingerprint.ofExperiment ((Format, "") :: settings @ contents) experiment)
            .Substring(0, Digits)

    /// The name of one point.
    let id settings experiment = idBy (Readings()) settings experiment
