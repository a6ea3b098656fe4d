/// The runs of the examples: the site shows what they print and draw, and tests look at the folders that they leave.
module Examples

open System.IO

let nameOf (file: string) =
    nonNull (Path.GetFileNameWithoutExtension file)

/// Trials of a run: enough for a curve, few enough for a build.
let trialsOf (name: string) =
    match name with
    | "07-echo-state"
    | "08-force" -> 10
    | "09-ready-set-go"
    | "10-syllables"
    | "13-your-own-task"
    | "17-silencing" -> 100
    | "11-sweep" -> 5
    | _ -> 200

let seed = 3

/// The example that holds rules to laws and takes no options.
let isOfLaws (code: string) = code.Contains "Rflo.Testing"

let isSweep (code: string) = code.Contains "Host.sweep"

/// The options of a run, whose results go to runs/a of the folder that it runs in.
let optionsOf (file: string) =
    let code = File.ReadAllText file

    if isOfLaws code then
        []
    else
        [
            "--trials"
            string (trialsOf (nameOf file))
            if not (isSweep code) then
                "--seed"
                string seed
            "--out"
            "runs/a"
        ]

/// Where the run of an example lies below the folder of all runs, and the file with what it printed.
let folderOf (work: string) (file: string) =
    Path.Combine(work, "examples", nameOf file)

let output = "output.txt"
