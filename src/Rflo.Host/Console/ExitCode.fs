namespace Rflo.Host

/// Exit codes of scripts and of the command.
[<RequireQualifiedAccess>]
module ExitCode =

    /// Success.
    [<Literal>]
    let Done = 0

    /// The model has problems.
    [<Literal>]
    let Problems = 1

    /// The command line has mistakes, or the run folder cannot be made.
    [<Literal>]
    let Arguments = 2

    /// Diverged, cancelled, or the results could not be written to their folder.
    [<Literal>]
    let EndedEarly = 3

    /// All of them, for every --help.
    let help =
        String.concat "\n" [
            "EXIT CODES:"
            ""
            "    0    done"
            "    1    the model has problems; all of them are printed"
            "    2    the command line has mistakes, or a folder or file that it names cannot be read or made"
            "    3    ended early: diverged, cancelled, failed, or the results could not be written to their folder;"
            "         the results so far were kept"
        ]
