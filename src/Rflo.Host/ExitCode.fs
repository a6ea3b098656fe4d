namespace Rflo.Host

/// What a process of ours ends with.
[<RequireQualifiedAccess>]
module ExitCode =

    /// Everything went well.
    [<Literal>]
    let Done = 0

    /// The model has problems.
    [<Literal>]
    let Problems = 1

    /// The command line has mistakes, or the run folder cannot be made.
    [<Literal>]
    let Arguments = 2

    /// Diverged, cancelled, or the results could not be written where they belong.
    [<Literal>]
    let EndedEarly = 3
