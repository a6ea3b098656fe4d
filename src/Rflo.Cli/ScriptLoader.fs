namespace Rflo.Cli

open System
open System.IO
open System.Reflection
open System.Runtime.Loader

/// The assemblies of a script: its own, and what it refers to, apart from those of this command, which may be of another version.
type internal ScriptContext(places: string list) =
    inherit AssemblyLoadContext("script")

    /// What the compiler's folder has, and a script needs from there.
    let ofCompiler = [ "FSharp.Core"; "FSharp.Compiler.Interactive.Settings" ]

    override this.Load name =
        let file = $"{name.Name}.dll"

        let from =
            match places with
            | _ :: references when not (List.contains (nonNull name.Name) ofCompiler) -> references
            | all -> all

        from
        |> List.map (fun place -> Path.Combine(place, file))
        |> List.tryFind File.Exists
        |> Option.map this.LoadFromAssemblyPath
        |> Option.toObj

/// Runs a compiled script in this process, as `dotnet fsi` would: the words behind it are its options.
[<RequireQualifiedAccess>]
module internal ScriptLoader =

    /// The command of `rflo` that runs the assembly which the next variable names. No command of users: it has no help.
    [<Literal>]
    let Command = "script"

    [<Literal>]
    let private Variable = "RFLO_COMPILED_SCRIPT"

    /// What the process that runs it needs in its environment.
    let environment (compiled: CompiledScript) = [
        Variable, String.concat "\n" (compiled.Assembly :: compiled.Places)
    ]

    /// `fsi.CommandLineArgs` is the script and its options.
    let private setArguments (context: AssemblyLoadContext) (arguments: string list) =
        let settings =
            context.LoadFromAssemblyName(AssemblyName "FSharp.Compiler.Interactive.Settings")

        let session =
            settings.GetType "FSharp.Compiler.Interactive.Settings"
            |> nonNull
            |> _.GetProperty("fsi")
            |> nonNull
            |> _.GetValue(null)
            |> nonNull

        session.GetType().GetProperty("CommandLineArgs")
        |> nonNull
        |> _.SetValue(session, Array.ofList arguments)

    /// What the script itself threw.
    let rec private innermost (thrown: exn) =
        match thrown, thrown.InnerException with
        | (:? TargetInvocationException | :? TypeInitializationException), (NonNull inner) ->
            innermost inner
        | _ -> thrown

    /// Runs the script; its exit code. `words` are the script, and its options behind `--`.
    let run (words: string list) =
        match Environment.GetEnvironmentVariable Variable with
        | null
        | "" ->
            eprintfn "rflo: this command is for rflo itself; type `rflo run SCRIPT.fsx`"
            2
        | variable ->
            // What the script starts is no compiled script.
            Environment.SetEnvironmentVariable(Variable, null)
            let parts = variable.Split '\n' |> List.ofArray
            let context = ScriptContext parts.Tail

            setArguments
                context
                (match words with
                 | script :: "--" :: options -> script :: options
                 | all -> all)

            try
                let assembly = context.LoadFromAssemblyPath parts.Head
                let entry = nonNull assembly.EntryPoint

                let arguments: obj[] =
                    if entry.GetParameters().Length = 0 then
                        [||]
                    else
                        [| Array.empty<string> |]

                match entry.Invoke(null, arguments) with
                | :? int as code -> code
                | _ -> 0
            with thrown ->
                eprintfn $"{innermost thrown}"
                1
