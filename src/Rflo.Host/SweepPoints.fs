namespace Rflo.Host

open Rflo.Dsl

/// What a point of a sweep is called.
[<RequireQualifiedAccess>]
module SweepPoints =

    [<Literal>]
    let private Format = "rflo point 2"

    /// Hexadecimal digits of a name: 64 bits, so that among a million points two with one name are a chance of 1 in 10^7.
    [<Literal>]
    let private Digits = 16

    /// The name of a point: a hash of its experiment and its settings. Functions of the script's own, such as a task's, are
    /// known by their names only.
    let id (settings: (string * string) list) (experiment: Experiment) =
        (Fingerprint.ofExperiment ((Format, "") :: settings) experiment).Substring(0, Digits)
