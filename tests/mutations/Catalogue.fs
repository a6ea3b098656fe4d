/// The planted mistakes: a catalogue as text, and how each becomes a branch of the code that only its switch takes.
module Rflo.Mutations.Catalogue

open System
open System.IO
open System.Text.RegularExpressions

/// A test list that should see a mistake.
type TestList = {
    /// The project, such as Rflo.Core.Tests.
    Program: string
    /// A part of the list's name, as --filter-test-list takes it.
    List: string
}

type Mutant = {
    Name: string
    /// The file of the catalogue without its ending.
    Area: string
    /// What a user would get.
    Does: string
    /// The source, from the root of the repository.
    File: string
    /// Stands exactly once in the source.
    Context: string
    /// The part of the context that is replaced: where it begins, and how long it is.
    Start: int
    Length: int
    Replacement: string
    SeenBy: TestList list
    /// Why no test can see it.
    Equivalent: string option
}

exception Unreadable of reason: string

let private unreadable reason = raise (Unreadable reason)

// ---- reading ------------------------------------------------------------------------------------

let private opening, closing = '«', '»'

/// The text without its marks, and where the marked part lies: all of it where nothing is marked.
let private marked (text: string) =
    match text.IndexOf opening, text.IndexOf closing with
    | -1, -1 -> text, 0, text.Length
    | first, last when first >= 0 && first < last ->
        text.Remove(last, 1).Remove(first, 1), first, last - first - 1
    | _ -> unreadable $"marks that do not close: {text}"

let private testList (text: string) =
    match text.IndexOf ": " with
    | -1 -> unreadable $"`{text}`: PROGRAM: LIST is wanted"
    | at -> {
        Program = text.Substring(0, at)
        List = text.Substring(at + 2)
      }

let private entry area (lines: string list) =
    let name = lines.Head.Substring(3).Trim()

    let all (key: string) =
        lines.Tail
        |> List.filter (fun line -> line = key.TrimEnd() || line.StartsWith key)
        |> List.map (fun line ->
            if line.Length < key.Length then
                ""
            else
                line.Substring key.Length)

    let one key =
        match all key with
        | [ text ] -> text
        | found -> unreadable $"{name}: {found.Length} lines begin with `{key}`"

    let keys = [
        "does: "
        "in: "
        "- "
        "+ "
        "seen by: "
        "equivalent: "
    ]

    for line in lines.Tail do
        if not (keys |> List.exists (fun key -> line = key.TrimEnd() || line.StartsWith key)) then
            unreadable $"{name}: nothing begins as this line does: {line}"

    let context, start, length = String.concat "\n" (all "- ") |> marked

    if length = 0 || List.isEmpty (all "+ ") then
        unreadable $"{name}: it replaces nothing"

    {
        Name = name
        Area = area
        Does = one "does: "
        File = one "in: "
        Context = context
        Start = start
        Length = length
        Replacement = String.concat "\n" (all "+ ")
        SeenBy = all "seen by: " |> List.map testList
        Equivalent = all "equivalent: " |> List.tryHead
    }

/// The entries of a file: each begins with `## name`; what stands before the first is for the reader.
let private read (path: string) =
    let area = nonNull (Path.GetFileNameWithoutExtension path)

    let entries =
        (File.ReadAllLines path, [])
        ||> Array.foldBack (fun line rest ->
            match rest with
            // The lines below belong to this one, unless they begin with a heading of their own.
            | ((head: string) :: _) :: _ when head.StartsWith "## " -> [ line ] :: rest
            | lines :: others -> (line :: lines) :: others
            | [] -> [ [ line ] ])

    entries
    |> List.filter (fun lines -> lines.Head.StartsWith "## ")
    |> List.map (List.filter (String.IsNullOrWhiteSpace >> not) >> entry area)

/// All mistakes, by area and in the order of their files.
let load (root: string) =
    Directory.GetFiles(Path.Combine(root, "tests", "mutations"), "*.txt")
    |> Array.sort
    |> List.ofArray
    |> List.collect read

// ---- does it still fit? -------------------------------------------------------------------------

/// How often a text stands in another.
let occurrences (part: string) (text: string) =
    let rec count (from: int) found =
        match text.IndexOf(part, from, StringComparison.Ordinal) with
        | -1 -> found
        | at -> count (at + 1) (found + 1)

    count 0 0

/// What has to be mended in the catalogue, in words.
let complaints (root: string) (mutants: Mutant list) = [
    for name, same in mutants |> List.countBy _.Name do
        if same > 1 then
            $"{name}: {same} entries have this name"

        if not (Regex.IsMatch(name, "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")) then
            $"{name}: a name is words of small letters with hyphens between them"

    for mutant in mutants do
        let source = Path.Combine(root, mutant.File)

        if not (mutant.File.StartsWith "src/") || not (File.Exists source) then
            $"{mutant.Name}: there is no {mutant.File}"
        else
            match occurrences mutant.Context (File.ReadAllText source) with
            | 1 -> ()
            | found -> $"{mutant.Name}: its text stands {found} times in {mutant.File}, not once"

        if mutant.Context.Substring(mutant.Start, mutant.Length) = mutant.Replacement then
            $"{mutant.Name}: it changes nothing"

        // Each of them becomes a branch of a conditional.
        for part in
            [
                mutant.Context.Substring(mutant.Start, mutant.Length)
                mutant.Replacement
            ] do
            if part.TrimStart().StartsWith '.' then
                $"{mutant.Name}: `{part}` is no whole expression or statement; mark what stands before it too"

        if mutant.SeenBy.IsEmpty then
            $"{mutant.Name}: no test list is named"

        for list in mutant.SeenBy do
            let folder = Path.Combine(root, "tests", list.Program)

            if not (Directory.Exists folder) then
                $"{mutant.Name}: there is no test program {list.Program}"
            elif
                Directory.GetFiles(folder, "*.fs")
                |> Array.forall (fun file -> occurrences list.List (File.ReadAllText file) = 0)
            then
                $"{mutant.Name}: {list.Program} has no list `{list.List}`"
]

// ---- planting -----------------------------------------------------------------------------------

/// The name of a mistake's switch: a field of Rflo.Core.Mutant.
let switch mutant = "is_" + mutant.Name.Replace('-', '_')

/// A part of a source and what stands there instead under each mistake.
type private Place = {
    From: int
    To: int
    Variants: (Mutant * string) list
}

/// Places that lie in one another become one, with the texts of each mistake.
let private joined (text: string) (outer: Place) (inner: Place) =
    if inner.To > outer.To then
        let name place = (fst place.Variants.Head).Name

        unreadable
            $"{name outer} and {name inner} overlap in {(fst outer.Variants.Head).File}: write one so that it contains the other"

    let before = text.Substring(outer.From, inner.From - outer.From)
    let after = text.Substring(inner.To, outer.To - inner.To)

    {
        outer with
            Variants =
                outer.Variants
                @ (inner.Variants
                   |> List.map (fun (mutant, variant) -> mutant, before + variant + after))
    }

/// A conditional on the switches: a statement where the text ends as one in C#, else an expression.
let private conditional (file: string) (original: string) variants =
    let condition mutant =
        (if file.EndsWith ".fs" then "global." else "global::")
        + "Rflo.Core.Mutant."
        + switch mutant

    let chain form last =
        String.concat "" (variants |> List.map (fun (mutant, text) -> form (condition mutant) text))
        + last

    if file.EndsWith ".fs" then
        if
            (original :: List.map snd variants)
            |> List.exists (fun text -> text.Contains '\n')
        then
            unreadable $"{(fst (List.head variants)).Name}: in F# a mistake is in one line"

        "(if "
        + (variants
           |> List.map (fun (mutant, text) -> $"{condition mutant} then ({text})")
           |> String.concat " elif ")
        + $" else ({original}))"
    // A pattern such as { Rate: > 0 } ends with a brace too, and is an expression.
    elif
        original.TrimEnd().EndsWith ';'
        || (original.TrimEnd().EndsWith '}' && original.Contains ';')
    then
        chain
            (fun condition text -> $"if ({condition}) {{ {text} }} else ")
            ("{ " + original + " }")
    else
        "("
        + chain (fun condition text -> $"{condition} ? ({text}) : ") $"({original}))"

/// A source with all of its mistakes behind their switches.
let plant (file: string) (text: string) (mutants: Mutant list) =
    let places =
        mutants
        |> List.map (fun mutant ->
            let from = text.IndexOf(mutant.Context, StringComparison.Ordinal) + mutant.Start

            {
                From = from
                To = from + mutant.Length
                Variants = List.singleton (mutant, mutant.Replacement)
            })
        |> List.sortBy (fun place -> place.From, -place.To)

    let separate =
        ([], places)
        ||> List.fold (fun found place ->
            match found with
            | last :: earlier when place.From < last.To -> joined text last place :: earlier
            | _ -> place :: found)

    // From the end, so that earlier places keep their positions.
    (text, separate)
    ||> List.fold (fun planted place ->
        let original = text.Substring(place.From, place.To - place.From)

        planted
            .Remove(place.From, original.Length)
            .Insert(place.From, conditional file original place.Variants))

/// The environment variable that names the mistake that a process makes.
let variable = "RFLO_MUTANT"

/// The switches: fields that the compiler of the runtime takes for constants, so that those that are off cost nothing.
let switches (mutants: Mutant list) =
    let lines = [
        "namespace Rflo.Core;"
        ""
        "/// <summary>Which planted mistake this process makes.</summary>"
        "public static class Mutant"
        "{"
        $"    private static readonly string? Chosen = System.Environment.GetEnvironmentVariable(\"{variable}\");"
        for mutant in mutants do
            $"    /// <summary>{mutant.Name}</summary>"
            $"    public static readonly bool {switch mutant} = Chosen == \"{mutant.Name}\";"
        "}"
    ]

    String.concat "\n" lines + "\n"
