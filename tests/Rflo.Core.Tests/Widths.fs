/// The laws of the core for every width of registers, whatever this machine has: this program runs itself again with the width
/// set, since the JIT compiles a kernel for one width in the life of a process.
module Rflo.Core.Tests.Widths

open System
open System.Diagnostics
open System.Reflection
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking

[<Literal>]
let private Lists = "RFLO_TEST_LISTS"

/// The kernels against their twins, and the laws of what is made of them.
let private laws = [
    "kernels"
    "kernels of short rows"
    "fast paths"
    "looking back over a whole trial"
    "gradients"
    "RFLO"
    "RTRL in blocks"
    "traces"
    "tangents"
]

/// The test lists that this process is to run, where it is one of those that `tests` starts.
let listsOfThisProcess () =
    match Environment.GetEnvironmentVariable Lists with
    | null
    | "" -> None
    | lists -> Some(lists.Split '|' |> Set)

/// Runs the lists; fails where one of them has no test, so that none is lost when it gets another name.
let run (lists: Set<string>) =
    let all =
        Impl.testFromAssembly (Assembly.GetExecutingAssembly())
        |> Option.defaultValue (testList "none" [])

    let listOf (name: string list) = List.head name

    let present =
        Test.toTestCodeList all |> Seq.map (fun test -> listOf test.name) |> Set

    let missing = lists - present

    if not missing.IsEmpty then
        eprintfn $"no tests are called %A{missing}"
        1
    else
        printfn $"registers of {Simd.Bits} bits, fused: {Simd.IsFused}"

        runTestsWithCLIArgs
            [ No_Spinner; Colours 0; CLIArguments.Summary ]
            [||]
            (all |> Test.filter " / " (fun name -> lists.Contains(listOf name)))

let private again (lists: string list) (environment: (string * string) list) =
    let dll = Assembly.GetExecutingAssembly().Location

    let info =
        ProcessStartInfo(
            "dotnet",
            [ dll ],
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    for name, value in
        [
            Lists, String.concat "|" lists
            Brief, "1"
            "DOTNET_NOLOGO", "1"
        ]
        @ environment do
        info.Environment[name] <- value

    use child = nonNull (Process.Start info)
    let errors = child.StandardError.ReadToEndAsync()
    let output = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    child.ExitCode, output + errors.Result

/// Bits, further switches, and what the child must say of itself.
let private runs = [
    for bits in [ 512; 256; 128 ] do
        if bits <> Simd.Bits then
            $"registers of {bits} bits",
            laws,
            [ Simd.Switch, string bits ],
            $"registers of {bits} bits"

    "no wide registers, and no fused multiplication",
    laws,
    [
        Simd.Switch, ""
        "DOTNET_EnableAVX2", "0"
        "DOTNET_EnableFMA", "0"
    ],
    (if Runtime.Intrinsics.X86.X86Base.IsSupported then
         "registers of 128 bits, fused: False"
     else
         "registers of 128 bits")
]

[<Tests>]
let tests =
    testList "widths" [
        for name, lists, environment, says in runs do
            test $"the core keeps its laws with {name}" {
                if isBrief then
                    skiptest "not in the inner loop"

                let code, output = again lists environment
                Expect.equal code 0 $"all pass:\n{output}"
                Expect.stringContains output says "it ran so"
            }

        test "a width that registers cannot have is refused by name" {
            let code, output = again laws [ Simd.Switch, "100" ]
            Expect.notEqual code 0 "it fails"
            Expect.stringContains output "RFLO_REGISTERS is 100" "and says why"
        }
    ]
