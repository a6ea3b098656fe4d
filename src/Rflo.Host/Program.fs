module Rflo.Host.Program

/// The `rflo` command: it knows no word yet, says so, and answers 2.
[<EntryPoint>]
let main arguments =
    let given = String.concat " " arguments
    eprintfn $"rflo: no command is known yet (given: {given})"
    2
