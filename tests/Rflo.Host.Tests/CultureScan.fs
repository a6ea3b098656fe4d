/// Looks into compiled assemblies for calls whose result depends on the culture of the machine: numbers written or read, letters made
/// upper or lower case, and strings compared, by whatever the machine is set to.
module Rflo.Host.Tests.CultureScan

open System
open System.Collections.Generic
open System.Collections.Immutable
open System.IO
open System.Reflection.Emit
open System.Reflection.Metadata
open System.Reflection.Metadata.Ecma335
open System.Reflection.PortableExecutable

/// Types whose text depends on a culture. Those of whole numbers do so only in the sign of some cultures; F# writes `string n` as
/// such a call, so they are let be.
let private sensitive =
    set [
        "System.Double"
        "System.Single"
        "System.Decimal"
        "System.Half"
        "System.DateTime"
        "System.DateTimeOffset"
        "System.TimeSpan"
    ]

let private parsed =
    sensitive
    + set [
        "System.Int32"
        "System.Int64"
        "System.UInt32"
        "System.UInt64"
        "System.Byte"
    ]

/// Names of types, as far as the rules need them.
type private TypeNames() =
    interface ISignatureTypeProvider<string, unit> with
        member _.GetPrimitiveType code = $"System.{code}"

        member _.GetTypeFromDefinition(reader, handle, _) =
            let definition = reader.GetTypeDefinition handle
            $"{reader.GetString definition.Namespace}.{reader.GetString definition.Name}"

        member _.GetTypeFromReference(reader, handle, _) =
            let reference = reader.GetTypeReference handle
            $"{reader.GetString reference.Namespace}.{reader.GetString reference.Name}"

        member this.GetTypeFromSpecification(reader, _, handle, _) =
            (reader.GetTypeSpecification handle).DecodeSignature(this, ())

        member _.GetSZArrayType element = element + "[]"
        member _.GetArrayType(element, _) = element + "[,]"
        member _.GetByReferenceType element = element + "&"
        member _.GetPointerType element = element + "*"
        member _.GetPinnedType element = element
        member _.GetModifiedType(_, unmodified, _) = unmodified
        member _.GetFunctionPointerType _ = "function"
        member _.GetGenericMethodParameter(_, index) = $"!!{index}"
        member _.GetGenericTypeParameter(_, index) = $"!{index}"

        member _.GetGenericInstantiation(generic, arguments) =
            let list = String.Join(",", arguments)
            $"{generic}<{list}>"

let private codes =
    let table = Dictionary<int, OpCode>()

    for field in typeof<OpCodes>.GetFields() do
        match field.GetValue null with
        | :? OpCode as code -> table[int (uint16 code.Value)] <- code
        | _ -> ()

    table

let private sizeOf (code: OpCode) =
    match code.OperandType with
    | OperandType.InlineNone -> 0
    | OperandType.ShortInlineBrTarget
    | OperandType.ShortInlineI
    | OperandType.ShortInlineVar -> 1
    | OperandType.InlineVar -> 2
    | OperandType.InlineI8
    | OperandType.InlineR -> 8
    | _ -> 4

/// Instructions of a method: the code and, where it is a token, the token.
let private instructions (body: byte[]) = [
    let mutable at = 0

    while at < body.Length do
        let first = int body[at]

        let code =
            if first = 0xFE then
                codes[0xFE00 ||| int body[at + 1]]
            else
                codes[first]

        at <- at + code.Size

        if code.OperandType = OperandType.InlineSwitch then
            let count = BitConverter.ToInt32(body, at)
            at <- at + 4 + 4 * count
            code, 0
        else
            let size = sizeOf code
            code, (if size = 4 then BitConverter.ToInt32(body, at) else 0)
            at <- at + size
]

/// A method that is called: its type, its name, the types of its arguments and of its own parameters.
type private Called = {
    Of: string
    Name: string
    Arguments: string list
    Generic: string list
}

let rec private called (reader: MetadataReader) (handle: EntityHandle) =
    let names: ISignatureTypeProvider<string, unit> = TypeNames()

    let typeName (parent: EntityHandle) =
        match parent.Kind with
        | HandleKind.TypeReference ->
            names.GetTypeFromReference(reader, TypeReferenceHandle.op_Explicit parent, 0uy)
        | HandleKind.TypeDefinition ->
            names.GetTypeFromDefinition(reader, TypeDefinitionHandle.op_Explicit parent, 0uy)
        | HandleKind.TypeSpecification ->
            names.GetTypeFromSpecification(
                reader,
                (),
                TypeSpecificationHandle.op_Explicit parent,
                0uy
            )
        | _ -> ""

    match handle.Kind with
    | HandleKind.MemberReference ->
        let reference = reader.GetMemberReference(MemberReferenceHandle.op_Explicit handle)

        if reference.GetKind() <> MemberReferenceKind.Method then
            None
        else
            let signature = reference.DecodeMethodSignature(names, ())

            Some {
                Of = typeName reference.Parent
                Name = reader.GetString reference.Name
                Arguments = List.ofSeq signature.ParameterTypes
                Generic = []
            }
    | HandleKind.MethodSpecification ->
        let specification =
            reader.GetMethodSpecification(MethodSpecificationHandle.op_Explicit handle)

        called reader specification.Method
        |> Option.map (fun one -> {
            one with
                Generic = List.ofSeq (specification.DecodeSignature(names, ()))
        })
    | _ -> None

let private hasProvider (method: Called) =
    method.Arguments
    |> List.exists (fun argument ->
        argument.EndsWith "IFormatProvider"
        || argument.EndsWith "CultureInfo"
        || argument.EndsWith "StringComparison"
        || argument.EndsWith "StringComparer"
        || argument.Contains "IComparer")

/// Why a call depends on the culture, if it does.
let private verdict (method: Called) =
    let isOf names = Set.contains method.Of names
    let first = method.Arguments |> List.tryHead |> Option.defaultValue ""

    if hasProvider method then
        None
    else
        match method.Of, method.Name with
        | _, "ToString" when isOf sensitive -> Some "writes a number"
        | _, ("Parse" | "TryParse" | "ParseExact") when isOf parsed -> Some "reads a number"
        | "System.Convert", "ToString" when Set.contains first sensitive -> Some "writes a number"
        | "System.Convert",
          ("ToDouble" | "ToSingle" | "ToDecimal" | "ToInt32" | "ToInt64" | "ToDateTime") when
            first = "System.String"
            ->
            Some "reads a number"
        | "System.String", ("ToUpper" | "ToLower") -> Some "changes the case of letters"
        | "System.Char", ("ToUpper" | "ToLower") -> Some "changes the case of letters"
        | "System.String", ("StartsWith" | "EndsWith" | "IndexOf" | "LastIndexOf") when
            first = "System.String"
            ->
            Some "compares strings"
        | "System.String", ("Compare" | "CompareTo") -> Some "compares strings"
        | "System.Text.StringBuilder", "AppendFormat" -> Some "formats"
        | "System.Text.StringBuilder", "Append" when Set.contains first sensitive ->
            Some "writes a number"
        | ("System.IO.TextWriter" | "System.IO.StreamWriter" | "System.Console"),
          ("Write" | "WriteLine") when Set.contains first sensitive -> Some "writes a number"
        | "System.Linq.Enumerable",
          ("OrderBy" | "OrderByDescending" | "ThenBy" | "ThenByDescending" | "Order") when
            List.contains "System.String" (List.truncate 2 (List.rev method.Generic))
            ->
            Some "orders strings"
        | "System.Array", "Sort" when List.contains "System.String" method.Generic ->
            Some "orders strings"
        | owner, ".ctor" when
            owner.StartsWith("System.Collections.Generic.Sorted", StringComparison.Ordinal)
            && owner.Contains "<System.String"
            ->
            Some "orders strings"
        | "System.Runtime.CompilerServices.DefaultInterpolatedStringHandler", "AppendFormatted" when
            method.Generic |> List.exists sensitive.Contains
            ->
            Some "writes a number"
        | _ -> None

/// Untyped holes of an F# interpolated string are %P() by themselves; %g and its like, which stand before them, are invariant.
let private holes (format: string) = [
    let pieces = format.Split "%P("

    for k in 0 .. pieces.Length - 2 do
        let before = pieces[k]
        let spec = before.LastIndexOf '%'

        spec >= 0
        && spec > before.LastIndexOf ')'
        && before.Substring(spec + 1)
           |> Seq.forall (fun c -> Char.IsDigit c || "+-# .gGfFeEdixXosM".Contains c)
        && before.Length - spec >= 2
        && Char.IsLetter before[before.Length - 1]
]

/// Calls of a method body that depend on the culture.
let private inBody (reader: MetadataReader) body = [
    let names: ISignatureTypeProvider<string, unit> = TypeNames()
    let code = Array.ofList (instructions body)
    let mutable lastText = ""
    // Arrays of what fills the holes of a string that is being made: its format, and the types of what was put in.
    let open' = Stack<string * ResizeArray<string>>()
    let mutable providers = false

    for at in 0 .. code.Length - 1 do
        let instruction, token = code[at]
        let name = instruction.Name

        if name = "ldstr" then
            lastText <- reader.GetUserString(MetadataTokens.UserStringHandle(token &&& 0xFFFFFF))
        elif name = "newarr" then
            open'.Push(lastText, ResizeArray())
        elif name = "stelem" || name = "stelem.ref" then
            if open'.Count > 0 then
                let before, boxed = code[at - 1]

                let kind =
                    if before.Name = "box" then
                        match MetadataTokens.EntityHandle boxed with
                        | handle when handle.Kind = HandleKind.TypeReference ->
                            names.GetTypeFromReference(
                                reader,
                                TypeReferenceHandle.op_Explicit handle,
                                0uy
                            )
                        | _ -> "other"
                    else
                        "other"

                (snd (open'.Peek())).Add kind
        elif name = "call" || name = "callvirt" || name = "newobj" then
            match called reader (MetadataTokens.EntityHandle token) with
            | None -> ()
            | Some method ->
                if
                    method.Of.Contains "DefaultInterpolatedStringHandler" && method.Name = ".ctor"
                then
                    providers <- hasProvider method

                if
                    method.Of.StartsWith(
                        "Microsoft.FSharp.Core.PrintfFormat`5",
                        StringComparison.Ordinal
                    )
                then
                    if open'.Count > 0 && method.Arguments.Length = 3 then
                        let format, filled = open'.Pop()

                        for number, (isTyped, kind) in Seq.indexed (Seq.zip (holes format) filled) do
                            if not isTyped && sensitive.Contains kind then
                                $"hole {number} of \"{format}\" takes a {kind}"
                else
                    match verdict method with
                    | Some why when not (method.Name = "AppendFormatted" && providers) ->
                        let arguments = String.Join(", ", method.Arguments)
                        $"{method.Of}.{method.Name}({arguments}) {why}"
                    | _ -> ()
]

/// Every such call in an assembly, by the method that makes it.
let ofAssembly (path: string) = [
    use stream = File.OpenRead path
    use file = new PEReader(stream)
    let reader = file.GetMetadataReader()

    for handle in reader.MethodDefinitions do
        let method = reader.GetMethodDefinition handle

        if method.RelativeVirtualAddress <> 0 then
            let owner = reader.GetTypeDefinition(method.GetDeclaringType())
            let body = file.GetMethodBody(method.RelativeVirtualAddress).GetILBytes()

            match body with
            | null -> ()
            | body ->
                for finding in inBody reader body do
                    $"{reader.GetString owner.Name}.{reader.GetString method.Name}: {finding}"
]
