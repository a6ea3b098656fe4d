/// Who writes a folder, and whether that process still lives.
module Rflo.Runs.Tests.OwnerTests

open System
open System.IO
open System.Text.Json.Nodes
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private owner (folder: RunFolder) =
    Path.Combine(folder.Temporary, ".owner.json")

/// A folder of this process, whose owner's file is changed: is it known that the owner has ended?
let private isAbandoned (change: JsonObject -> unit) =
    let mutable found = 0

    inFolder (fun parent ->
        use folder = RunFolder.Create(Path.Combine(parent, "p1"))
        let json = (nonNull (JsonNode.Parse(File.ReadAllText(owner folder)))).AsObject()
        change json
        File.WriteAllText(owner folder, json.ToJsonString())
        found <- (RunFolder.Abandoned parent).Count)

    found = 1

let private set (name: string) (value: string) (json: JsonObject) =
    json[name] <- JsonValue.Create value

let private hours (count: float) (json: JsonObject) =
    let started = (nonNull json["Started"]).GetValue<DateTime>()
    json["Started"] <- JsonValue.Create(started.AddHours count)

let private onLinux =
    if not (OperatingSystem.IsLinux()) then
        skiptest "the numbers of processes are known on Linux only"

/// What a child does that says how many folders it takes for abandoned.
let abandoned parent =
    printfn $"abandoned: {(RunFolder.Abandoned parent).Count}"

[<Tests>]
let tests =
    testList "the owner of a folder" [
        test "lives while its process does, whatever the clock is set to" {
            onLinux
            Expect.isFalse (isAbandoned ignore) "this process"

            for step in [ -30.0; -1.0; 1.0; 1000.0 ] do
                Expect.isFalse (isAbandoned (hours step)) $"the clock was moved by {step} hours"
        }

        test
            "is dead where its number belongs to another process, or its machine has been started anew" {
            onLinux
            let ticks (json: JsonObject) = json["Ticks"] <- JsonValue.Create 1L
            Expect.isTrue (isAbandoned ticks) "a process that began at another time"
            Expect.isTrue (isAbandoned (set "Boot" "another")) "another start of the machine"

            let number (json: JsonObject) =
                json["Process"] <- JsonValue.Create 999_999_999

            Expect.isTrue (isAbandoned number) "no such process"
        }

        test "is unknown on another machine and in another container" {
            onLinux
            Expect.isFalse (isAbandoned (set "Host" "elsewhere")) "another machine"
            Expect.isFalse (isAbandoned (set "Namespace" "pid:[1]")) "another container"

            let dead (json: JsonObject) =
                json["Process"] <- JsonValue.Create 999_999_999
                set "Namespace" "pid:[1]" json

            Expect.isFalse (isAbandoned dead) "whose numbers mean nothing here"
            let nobody (json: JsonObject) = json["Host"] <- null
            Expect.isFalse (isAbandoned nobody) "a damaged file"
        }

        test "is seen to live from another namespace of processes, and from within one" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                use child = OtherUsers.startElsewhere [ "write-half"; place ]

                try
                    Expect.stringContains
                        (nonNull (child.StandardOutput.ReadLine()))
                        "half"
                        "it writes"

                    Expect.isEmpty (RunFolder.Abandoned parent) "from outside"

                    expectRefusal [ place; "in another container"; "--force" ] (fun () ->
                        RunFolder.Resume place)

                    use own = RunFolder.Create(Path.Combine(parent, "p2"))
                    use other = OtherUsers.startElsewhere [ "abandoned"; parent ]

                    Expect.stringContains
                        (other.StandardOutput.ReadToEnd())
                        "abandoned: 0"
                        "from within"

                    other.WaitForExit()
                    Expect.isTrue (File.Exists(owner own)) "there all the time"
                finally
                    // The first process of a namespace takes the others with it.
                    child.Kill true
                    child.WaitForExit())
        }
    ]
