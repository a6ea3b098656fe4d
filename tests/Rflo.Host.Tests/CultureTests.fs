/// The culture of the machine changes no number and no word, in any of the assemblies.
module Rflo.Host.Tests.CultureTests

open System
open System.IO
open System.Reflection
open Expecto
open Rflo.Host.Tests.Processes

/// What the scan must find: each of these depends on the culture.
module Offenders =
    let hole (x: float) = $"it is {x} ms"
    let holeOfTwo (name: string) (x: float) = $"{name} is %g{x} or {x}"
    let case (text: string) = text.ToUpper()
    let starts (text: string) = text.StartsWith "i"
    let reads (text: string) = Double.Parse text
    let writes (x: float) = x.ToString "F2"
    let day (at: DateTime) = at.ToString "d"

/// What it must let pass.
module Innocents =
    let hole (x: float) (n: int) = $"it is %g{x} ms, {string x}, {n}"
    let case (text: string) = text.ToUpperInvariant()

    let starts (text: string) =
        text.StartsWith("i", StringComparison.Ordinal)

    let reads (text: string) =
        Double.Parse(text, Globalization.CultureInfo.InvariantCulture)

    let writes (x: float) =
        x.ToString("F2", Globalization.CultureInfo.InvariantCulture)

let private own = Assembly.GetExecutingAssembly().Location

let private scripted folder culture options =
    use child =
        let path = Path.Combine(examples, "07-echo-state.fsx")
        startScriptIn [ "LC_ALL", culture; "LANG", culture ] folder path options

    finish child

[<Tests>]
let tests =
    testList "culture" [
        test "the scan finds what depends on it, and nothing else" {
            let found = CultureScan.ofAssembly own

            let under name =
                found
                |> List.filter (fun (line: string) ->
                    line.StartsWith($"{name}.", StringComparison.Ordinal))

            Expect.equal
                (under "Offenders"
                 |> List.map (fun line -> line.Split(':')[0])
                 |> List.distinct
                 |> List.sort)
                (List.sort [
                    for name in
                        [
                            "hole"
                            "holeOfTwo"
                            "case"
                            "starts"
                            "reads"
                            "writes"
                            "day"
                        ] -> $"Offenders.{name}"
                ])
                "found"

            Expect.isEmpty (under "Innocents") "let pass"
        }

        test "no assembly writes or reads a number, changes case or compares strings by it" {
            let assemblies =
                Directory.GetFiles(AppContext.BaseDirectory, "Rflo.*.dll")
                |> Array.filter (fun path ->
                    let name = Path.GetFileNameWithoutExtension path

                    List.contains name [
                        "Rflo.Core"
                        "Rflo.Analysis"
                        "Rflo.Runs"
                        "Rflo.Dsl"
                        "Rflo.Host"
                        "Rflo.Testing"
                        "Rflo.Pictures"
                        "Rflo.Reproductions"
                        "Rflo.Cli"
                    ])

            Numbers.isGreaterThan assemblies.Length 3 "assemblies"

            for path in assemblies do
                Expect.equal (CultureScan.ofAssembly path) [] (nonNull (Path.GetFileName path))
        }

        test "a script says the same under a decimal comma and a dotless i" {
            inFolder (fun folder ->
                let plain = scripted folder "C.UTF-8" [ "--check" ]
                Expect.equal plain.Code 0 plain.Errors

                for culture in [ "de_DE.UTF-8"; "tr_TR.UTF-8" ] do
                    let other = scripted folder culture [ "--check" ]

                    Expect.equal
                        (other.Code, other.Output, other.Errors)
                        (0, plain.Output, plain.Errors)
                        culture)
        }
    ]
