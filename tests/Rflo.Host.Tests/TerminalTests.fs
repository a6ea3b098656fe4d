module Rflo.Host.Tests.TerminalTests

open System.IO
open System.Text.RegularExpressions
open Expecto
open FsCheck
open Rflo.Host
open Rflo.Host.Tests.Processes

let private scriptTool = "/usr/bin/script"

/// Runs a command of rflo on a terminal so many columns wide; what the terminal was sent.
let private onTerminal folder (columns: int) environment command =
    if not (File.Exists scriptTool) then
        skiptest $"there is no {scriptTool} (Debian: bsdutils)"

    let assembly =
        Path.Combine(root, "src", "Rflo.Cli", "bin", "Release", "net10.0", "Rflo.Cli.dll")

    let line =
        $"stty cols {columns}; env -u NO_COLOR TERM=xterm-256color {environment} dotnet '{assembly}' {command}"

    (run folder scriptTool [ "-qec"; line; "/dev/null" ]).Output

/// The lines that a terminal was sent, without codes.
let private shown (sent: string) =
    // A move upward begins another line.
    let lines = Regex.Replace(sent, @"\x1b\[[0-9]*A", "\n")

    Regex.Replace(lines, @"\x1b\[[0-9;?]*[A-Za-z]", "").Split '\n'
    |> Array.map _.TrimEnd('\r')
    |> List.ofArray

let private heads = [ "run"; "trials"; "final loss" ]

let private rows = [
    [ "rflo"; "300"; "0.03" ]
    [ "truncated-bptt"; "60"; "0.1235" ]
]

[<Tests>]
let tests =
    testList "the terminal" [
        test "lines of progress drop their last parts where there is no room" {
            let line = "trial 5 of 10  loss 0.1  00:00:02 left  31 trials/s"
            Expect.equal (Terminal.fit 80 line) line "all"
            Expect.equal (Terminal.fit 39 line) "trial 5 of 10  loss 0.1  00:00:02 left" "three"
            Expect.equal (Terminal.fit 30 line) "trial 5 of 10  loss 0.1" "two"
            Expect.equal (Terminal.fit 3 line) "trial 5 of 10" "the first in any case"
        }

        testProperty "a line that fits begins the whole and is no wider"
        <| fun (NonEmptyArray(parts: PositiveInt[])) (PositiveInt width) ->
            let line = parts |> Array.map (fun part -> string part.Get) |> String.concat "  "
            let fitted = Terminal.fit width line
            line.StartsWith fitted && (fitted.Length <= width || not (fitted.Contains "  "))

        test "columns are flush" {
            Expect.equal
                (Terminal.columns heads rows)
                [
                    "run              trials   final loss"
                    "rflo                300         0.03"
                    "truncated-bptt       60       0.1235"
                ]
                "lines"
        }

        test "a narrow terminal has a line a cell" {
            Expect.equal
                (Terminal.listed heads (List.take 1 rows))
                [ "rflo"; "  trials      300"; "  final loss  0.03" ]
                "lines"
        }

        for columns, isBoxed in [ 40, false; 100, true ] do
            test $"nothing is wider than {columns} columns, or broken" {
                inFolder (fun folder ->
                    let lines = onTerminal folder columns "NO_COLOR=1" "demo --quick" |> shown
                    let widest = lines |> List.map _.Length |> List.max
                    // The last line names the agreement of two rules, and may wrap like any sentence.
                    let sentences = lines |> List.filter _.Contains("losses agree")
                    Expect.equal sentences.Length 1 "it ran to its end"

                    Numbers.isLessThanOrEqual
                        (lines |> List.except sentences |> List.map _.Length |> List.max)
                        columns
                        $"widest of {widest}"

                    Expect.equal (lines |> List.exists _.Contains("╭")) isBoxed "box"

                    Expect.isTrue
                        (lines |> List.exists (fun line -> Regex.IsMatch(line, @"\b0\.\d{3,4}\b")))
                        "a whole number")
            }

        test "NO_COLOR means no colours, and a terminal without it has some" {
            inFolder (fun folder ->
                let colours environment place =
                    let sent = onTerminal folder 100 environment $"demo --quick --out {place}"
                    Regex.Count(sent, @"\x1b\[[0-9;]*m")

                Expect.equal (colours "NO_COLOR=1" "a") 0 "with NO_COLOR"
                Numbers.isGreaterThan (colours "COLORTERM=truecolor" "b") 0 "without")
        }

        test "output that is redirected has no codes, no boxes and no bar" {
            inFolder (fun folder ->
                let ended = rflo folder [ "demo"; "--quick" ]
                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                Expect.isFalse (ended.Output.Contains '\u001b') "codes"
                Expect.isFalse (ended.Output.Contains '│') "boxes"

                Expect.isTrue
                    (Regex.IsMatch(ended.Output, @"(?m)^rflo +300 +0\.0"))
                    "a row of columns")
        }
    ]
    |> testSequenced
