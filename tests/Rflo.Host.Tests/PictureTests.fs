module Rflo.Host.Tests.PictureTests

open System
open System.IO
open System.Xml.Linq
open Expecto
open Rflo.Dsl
open Rflo.Host
open Rflo.Pictures
open Rflo.Pictures.Parts
open Rflo.Pictures.Places
open Rflo.Pictures.Routes
open Rflo.Host.Tests.PictureCircuits

// What is in a picture.

let private read (text: string) = XDocument.Parse text

let private classes (element: XElement) =
    match element.Attribute(XName.Get "class") with
    | null -> [||]
    | attribute -> attribute.Value.Split ' '

let private countOf kind (document: XDocument) =
    document.Descendants()
    |> Seq.filter (classes >> Array.contains kind)
    |> Seq.length

let private countIn outer inner (document: XDocument) =
    document.Descendants()
    |> Seq.filter (classes >> Array.contains outer)
    |> Seq.collect _.Descendants()
    |> Seq.filter (classes >> Array.contains inner)
    |> Seq.length

let private textsOf tag (document: XDocument) =
    document.Descendants()
    |> Seq.filter (fun element -> element.Name.LocalName = tag)
    |> Seq.map _.Value
    |> List.ofSeq

let private count test items =
    items |> List.filter test |> List.length

let private holds (outer: Box) (inner: Box) =
    inner.Left >= outer.Left
    && inner.Top >= outer.Top
    && inner.Right <= outer.Right
    && inner.Bottom <= outer.Bottom

let private insideBy margin (box: Box) (point: Point) =
    point.X > box.Left + margin
    && point.X < box.Right - margin
    && point.Y > box.Top + margin
    && point.Y < box.Bottom - margin

let private cortex = area "cortex" 20
let private y = readout "y" 1

let private small =
    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> learningRate 0.1
        cortex --> y |> learningRate 0.1
    ]
    |> feedback [ errorOf y --> cortex ]

let private inFolder test =
    let folder = Directory.CreateTempSubdirectory "rflo-picture-"

    try
        test folder.FullName
    finally
        folder.Delete true

let private experimentOf circuit =
    experiment "drawn" circuit (Task.periodic 10.0<ms> [ harmonic 1 1.0 ])

let private text =
    testList "the text" [
        forEvery 200 "is well-formed" (fun circuit ->
            read (Picture.svg Circuit.empty) |> ignore
            read (Picture.html "a <title> & more" circuit) |> ignore)

        forEvery 100 "says everything that is declared, and every name" (fun circuit ->
            let document = read (Picture.svg Circuit.empty)
            let titles = textsOf "title" document |> set

            for line in Circuit.describe circuit do
                Expect.contains titles line "a tooltip"

            let shown = textsOf "text" document

            for area in circuit.Areas do
                let isShown (text: string) =
                    area.Name.EndsWith(text, StringComparison.Ordinal)

                let start = area.Name.Substring(0, min 20 area.Name.Length)

                Expect.exists
                    shown
                    (fun text -> text <> "" && (isShown text || text.StartsWith start))
                    $"the name {area.Name}")

        forEvery 50 "is the same for the same circuit" (fun circuit ->
            Expect.equal
                (Picture.svg Circuit.empty)
                (Picture.svg {
                    circuit with
                        Areas = List.map id circuit.Areas
                })
                "svg")

        forEvery 200 "marks what is declared, and nothing else" (fun circuit ->
            let document = read (Picture.svg Circuit.empty)
            let arrows = circuit.Projections

            let expect kind number =
                Expect.equal (countOf kind document) number kind

            expect "projection" arrows.Length
            expect "plastic" (arrows |> count (fun p -> p.Plasticity <> Frozen))
            expect "frozen" (arrows |> count (fun p -> p.Plasticity = Frozen))
            expect "gate" (arrows |> count (fun p -> p.Opening <> Always))
            expect "switch" (arrows |> count (fun p -> p.Opening <> Always))
            expect "delay" (arrows |> count _.Delay.IsSome)
            expect "rule" (arrows |> count _.Plasticity.IsLearningBy)
            expect "density" (arrows |> count (fun p -> p.Connectivity <> Dense))
            expect "projection-name" (arrows |> count _.Label.IsSome)
            expect "bias" (arrows |> count _.Source.IsOfBias)
            expect "error" circuit.Feedback.Length
            expect "feedback-kind" circuit.Feedback.Length
            expect "dale" (circuit.Areas |> count _.Dale.IsSome)

            let signs test =
                arrows |> count (fun p -> Circuit.signs circuit p |> Option.exists test)

            let ends kind = countIn "projection" kind document

            Expect.equal
                (ends "inhibitory")
                (signs (fun (e, i) -> e = 0 && i > 0))
                "inhibitory endings"

            Expect.equal
                (ends "excitatory")
                (signs (fun (e, i) -> e > 0 && i = 0))
                "excitatory endings"

            Expect.equal
                (ends "both-signs")
                (signs (fun (e, i) -> e > 0 && i > 0))
                "endings of both signs")

        test "has a node for a name that nobody declared" {
            let document =
                small
                |> projections [ cortex --> area "cortx" 3; input "cue" 1 --> cortex ]
                |> Picture.svg
                |> read

            Expect.equal (countOf "stranger" document) 2 "strangers"
            Expect.contains (textsOf "title" document) "cortx: declared nowhere" "its tooltip"
        }

        test "has what XML cannot carry replaced" {
            let document = Circuit.empty |> areas [ area "a\u0001b\ud800c" 3 ] |> Picture.svg |> read

            Expect.contains (textsOf "text" document) "a\ufffdb\ufffdc" "the name"
        }

        test "shows an empty circuit" {
            Expect.contains
                (read (Picture.svg Circuit.empty) |> textsOf "text")
                "an empty circuit"
                "words"
        }

        test "has no word of the description missing from the page" {
            let page = Picture.html "reach" small
            let items = read page |> textsOf "li"

            for line in Circuit.describe small do
                Expect.contains items line "the list"

            Expect.stringContains page "<h1>reach</h1>" "the heading"
        }
    ]

let private signs =
    testList "the signs of a projection" [
        test "are counted by Dale's law" {
            let m1 = area "m1" 10 |> dale 0.8 |> population "edge" [ 7; 8; 9 ]
            let parts = Circuit.empty |> areas [ m1; cortex ] |> readouts [ y ]
            let signs projection = Circuit.signs parts projection
            Expect.equal (signs (m1 --> cortex)) (Some(8, 2)) "the whole area"
            Expect.equal (signs (m1["inhibitory"] --> cortex)) (Some(0, 2)) "its inhibitory units"
            Expect.equal (signs (m1["edge"] --> cortex)) (Some(1, 2)) "some units"
            Expect.equal (signs (m1 --> y)) None "readouts are exempt"
            Expect.equal (signs (cortex --> m1)) None "no law"
            Expect.equal (signs (area "m2" 3 --> m1)) None "no such area"
        }
    ]

let private layout =
    testList "the layout" [
        forEvery 200 "keeps nodes apart" (fun circuit ->
            let layout = Layout.ofCircuit circuit
            let boxes = layout.Nodes |> Array.map snd

            for i in 1 .. boxes.Length - 1 do
                for j in 0 .. i - 1 do
                    Expect.equal
                        (Labels.overlap boxes[i] boxes[j])
                        0.0
                        $"{(fst layout.Nodes[i]).Name} and {(fst layout.Nodes[j]).Name}")

        forEvery 200 "has everything in view, and labels beside nodes" (fun circuit ->
            let layout = Layout.ofCircuit circuit
            Expect.all layout.Nodes (snd >> holds layout.View) "nodes"
            Expect.all layout.Frames (snd >> holds layout.View) "frames"
            let labels = layout.Arrows |> Array.choose _.Label
            Expect.all labels (holds layout.View) "labels"

            for label in labels do
                for node, box in layout.Nodes do
                    Expect.equal (Labels.overlap label box) 0.0 $"a label on {node.Name}")

        forEvery 200 "leads no arrow through a node" (fun circuit ->
            let layout = Layout.ofCircuit circuit

            for drawn in layout.Arrows do
                for point in Labels.sample drawn.Route do
                    for i in 0 .. layout.Nodes.Length - 1 do
                        let node, box = layout.Nodes[i]
                        // An arrow begins on a border, which may lie within the box of a node that is round.
                        let margin =
                            if i = drawn.Arrow.Source || i = drawn.Arrow.Target then
                                box.Height / 2.0
                            else
                                0.0

                        Expect.isFalse
                            (insideBy margin box point)
                            $"{drawn.Arrow.Words} through {node.Name}")

        test "follows the flow from left to right" {
            let chain = [ for i in 1..4 -> area $"a{i}" 10 ]

            let layout =
                Circuit.empty
                |> areas (List.rev chain)
                |> inputs [ input "cue" 1 ]
                |> readouts [ y ]
                |> projections [
                    input "cue" 1 --> chain[0]
                    for a, b in List.pairwise chain do
                        a --> b
                        b --> a
                    chain[3] --> y
                ]
                |> Layout.ofCircuit

            let left name =
                layout.Nodes |> Array.find (fun (node, _) -> node.Name = name) |> snd |> _.Left

            let order = [ "cue"; "a1"; "a2"; "a3"; "a4"; "y" ] |> List.map left
            Expect.sequenceEqual order (List.sort order) "columns"
        }

        test "keeps groups in frames of their own" {
            let half = Modules.loop 20 3 AtTrialEnd

            let layout =
                Circuit.merge (Circuit.prefix "left" half) (Circuit.prefix "right" half)
                |> Layout.ofCircuit

            Expect.sequenceEqual (Array.map fst layout.Frames) [ "left"; "right" ] "names"

            for node, box in layout.Nodes do
                for group, frame in layout.Frames do
                    if node.Group = group then
                        Expect.isTrue (holds frame box) $"{node.Name} in {group}"
                    else
                        Expect.equal (Labels.overlap frame box) 0.0 $"{node.Name} outside {group}"
        }

        test "makes larger areas of more units" {
            let height units =
                let layout = Circuit.empty |> areas [ area "a" units ] |> Layout.ofCircuit
                (snd layout.Nodes[0]).Height

            Numbers.isLessThan (height 10) (height 100) "10 and 100 units"
            Numbers.isLessThan (height 10_000) (2.0 * height 10) "10,000 units"
        }
    ]

let private files =
    testList "the option --graph" [
        test "writes a page or an SVG file" {
            inFolder (fun folder ->
                for name, start in [ "c.html", "<!DOCTYPE html>"; "c.svg", "<svg" ] do
                    let file = Path.Combine(folder, name)
                    let code = experimentOf small |> Host.runWith [| "--graph"; file |]
                    Expect.equal code ExitCode.Done name
                    Expect.stringStarts (File.ReadAllText file) start name)
        }

        test "draws a circuit with problems, and says them" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "c.svg")
                let broken = small |> projections [ cortex --> area "cortx" 3 ]
                let code = experimentOf broken |> Host.runWith [| "--graph"; file |]
                Expect.equal code ExitCode.Problems "exit code"
                Expect.stringContains (File.ReadAllText file) "cortx" "the picture")
        }

        test "refuses other kinds of file, and places that are not there" {
            inFolder (fun folder ->
                for name in [ "c.png"; "nowhere/c.svg" ] do
                    let file = Path.Combine(folder, name)
                    let code = experimentOf small |> Host.runWith [| "--graph"; file |]
                    Expect.equal code ExitCode.Arguments name
                    Expect.isFalse (File.Exists file) name)
        }

        test "draws each of several circuits once" {
            inFolder (fun folder ->
                let larger =
                    small |> Circuit.mapArea "cortex" (fun area -> { area with Units = 40 })

                let code =
                    [ "a", small; "b", larger; "c", small ]
                    |> List.map (fun (name, circuit) -> {
                        experimentOf circuit with
                            Name = name
                    })
                    |> Compare.runWith "both" None [| "--graph"; Path.Combine(folder, "of.svg") |]

                Expect.equal code ExitCode.Done "exit code"
                let files = Directory.GetFiles folder |> Array.map Path.GetFileName |> Array.sort
                Expect.sequenceEqual files [ "of-a.svg"; "of-b.svg" ] "files")
        }

        test "and a run's folder and report have the picture" {
            inFolder (fun folder ->
                let place = Path.Combine(folder, "run")

                let code =
                    experimentOf small
                    |> Host.runWith [| "--trials"; "2"; "--quiet"; "--out"; place |]

                Expect.equal code ExitCode.Done "exit code"
                let svg = File.ReadAllText(Path.Combine(place, "circuit.svg"))
                Expect.equal svg (Picture.svg small) "circuit.svg"
                let data = Convert.ToBase64String(Text.Encoding.UTF8.GetBytes svg)

                Expect.stringContains
                    (File.ReadAllText(Path.Combine(place, "report.html")))
                    data
                    "the report")
        }
    ]

[<Tests>]
let tests = testList "picture" [ text; signs; layout; files ]
