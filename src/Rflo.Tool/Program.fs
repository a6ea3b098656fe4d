/// The `rflo` command as a .NET tool: the host's own command, in a package that installs.
module Rflo.Tool.Program

[<EntryPoint>]
let main arguments = Rflo.Host.Program.main arguments
