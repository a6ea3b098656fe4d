/// What each library shows to its users, name by name. A change of it is seen here, so that none is made by accident:
/// `dotnet fsi build.fsx names` writes the files anew.
module Rflo.Host.Tests.PublicNamesTests

open System
open System.IO
open System.Reflection
open System.Runtime.CompilerServices
open Expecto
open FSharp.Reflection

let private libraries = [
    "Rflo.Core"
    "Rflo.Runs"
    "Rflo.Analysis"
    "Rflo.Dsl"
    "Rflo.Host"
    "Rflo.Testing"
]

let private isUpdating = Environment.GetEnvironmentVariable "RFLO_GOLDEN" = "1"
let private folder = Path.Combine(__SOURCE_DIRECTORY__, "names")

/// A type as a reader writes it: without namespaces, with what it is generic in.
let rec private named (it: Type) : string =
    if it.IsByRef || it.IsPointer then
        named (nonNull (it.GetElementType())) + "&"
    elif it.IsArray then
        named (nonNull (it.GetElementType()))
        + "["
        + String(',', it.GetArrayRank() - 1)
        + "]"
    elif it.IsGenericParameter then
        "'" + it.Name
    else
        let own = it.Name.Split('`')[0]

        let outer =
            match it.DeclaringType with
            | null -> ""
            | outer -> (named outer).Split('<')[0] + "."

        match it.GetGenericArguments() with
        | [||] -> outer + own
        | arguments ->
            let inside = arguments |> Array.map named |> String.concat ", "
            $"{outer}{own}<{inside}>"

let private isMade (it: MemberInfo) =
    it.IsDefined(typeof<CompilerGeneratedAttribute>, false)
    || it.IsDefined(typeof<Microsoft.FSharp.Core.CompilationMappingAttribute>, false)
       && it.Name.StartsWith "get_"

/// Members that every record, union or class has.
let private usual =
    set [
        "Equals"
        "GetHashCode"
        "ToString"
        "CompareTo"
        "GetType"
        "Deconstruct"
        "<Clone>$"
        "PrintMembers"
        "EqualityContract"
        "Tag"
        "Tags"
    ]

let private members (it: Type) = [
    let flags =
        BindingFlags.Public
        ||| BindingFlags.Instance
        ||| BindingFlags.Static
        ||| BindingFlags.DeclaredOnly

    for each in it.GetMembers flags do
        if not (usual.Contains each.Name) then
            match each with
            | :? MethodInfo as method when not (method.IsSpecialName || isMade method) ->
                let parameters =
                    method.GetParameters()
                    |> Array.map (fun p -> $"{p.Name}: {named p.ParameterType}")
                    |> String.concat ", "

                $"{each.Name}({parameters}): {named method.ReturnType}"
            | :? MethodInfo as method when method.Name.StartsWith "op_" ->
                let parameters =
                    method.GetParameters()
                    |> Array.map (fun p -> named p.ParameterType)
                    |> String.concat ", "

                $"{each.Name}({parameters}): {named method.ReturnType}"
            | :? PropertyInfo as property when not (isMade property) ->
                let set =
                    match property.SetMethod with
                    | null -> ""
                    | setter when setter.IsPublic -> ", set"
                    | _ -> ""

                $"{each.Name}: {named property.PropertyType}{set}"
            | :? ConstructorInfo as made when made.GetParameters().Length > 0 ->
                let parameters =
                    made.GetParameters()
                    |> Array.map (fun p -> $"{p.Name}: {named p.ParameterType}")
                    |> String.concat ", "

                $"new({parameters})"
            | :? FieldInfo as field when not field.IsSpecialName ->
                $"{each.Name}: {named field.FieldType}"
            | _ -> ()
]

/// The cases of a union, in the order of its declaration.
let private cases (it: Type) = [
    if FSharpType.IsUnion it then
        for each in FSharpType.GetUnionCases it do
            match each.GetFields() with
            | [||] -> $"| {each.Name}"
            | fields ->
                let inside =
                    fields |> Array.map (fun f -> named f.PropertyType) |> String.concat " * "

                $"| {each.Name} of {inside}"
]

let private names library = [
    let assembly = Assembly.Load(library: string)

    for it in assembly.GetExportedTypes() |> Array.sortBy (fun it -> nonNull it.FullName) do
        let isPart =
            match it.DeclaringType with
            | null -> false
            // The cases of a union are among its members.
            | outer -> FSharpType.IsUnion outer

        if not (isPart || isMade it) then
            $"{it.Namespace}.{named it}"

            for each in cases it @ List.sort (members it) do
                $"    {each}"
]

[<Tests>]
let tests =
    testList "public names" [
        for library in libraries do
            test $"of {library} are those of the file" {
                let file = Path.Combine(folder, $"{library}.txt")
                let current = String.concat "\n" (names library) + "\n"

                if isUpdating then
                    Directory.CreateDirectory folder |> ignore
                    File.WriteAllText(file, current)

                if not (File.Exists file) then
                    skiptest "its names are not written down yet: dotnet fsi build.fsx names"

                Expect.equal
                    current
                    (File.ReadAllText file)
                    "if the change is meant: dotnet fsi build.fsx names"
            }
    ]
