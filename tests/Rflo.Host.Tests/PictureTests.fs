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

/// Arrows whose ends are declared nowhere: only a record that is written out has them.
let private withStrays (arrows: Projection list) (circuit: Circuit) : Circuit = {
    circuit with
        Projections = circuit.Projections @ arrows
}

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
            read (Picture.svg circuit) |> ignore
            read (Picture.html "a <title> & more" circuit) |> ignore)

        forEvery 100 "says everything that is declared, and every name" (fun circuit ->
            let document = read (Picture.svg circuit)
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
                (Picture.svg circuit)
                (Picture.svg {
                    circuit with
                        Areas = List.map id circuit.Areas
                })
                "svg")

        forEvery 200 "marks what is declared, and nothing else" (fun circuit ->
            let document = read (Picture.svg circuit)
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
                |> withStrays [ cortex --> area "cortx" 3; input "cue" 1 --> cortex ]
                |> Picture.svg
                |> read

            Expect.equal (countOf "stranger" document) 2 "strangers"
            Expect.contains (textsOf "title" document) "cortx: declared nowhere" "its tooltip"
        }

        test "has what XML cannot carry replaced" {
            let document =
                Circuit.empty |> areas [ area "a\u0001b\ud800c" 3 ] |> Picture.svg |> read

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

let private attribute name (svg: string) =
    (nonNull ((nonNull (read svg).Root).Attribute(XName.Get name))).Value

let private printed =
    testList "a printed picture" [
        forEvery
            50
            "has its width in millimetres, and the proportions of the picture"
            (fun circuit ->
                let svg = Picture.printIn "Times & Co" 85.0<mm> circuit
                Expect.equal (attribute "width" svg) "85mm" "width"
                let box = (attribute "viewBox" svg).Split ' ' |> Array.map float
                let height = float ((attribute "height" svg).Replace("mm", ""))
                Numbers.isLessThan (abs (height - 85.0 * box[3] / box[2])) 0.1 "height"
                Expect.stringStarts (attribute "font-family" svg) "Times & Co, " "font"
                let points = Picture.smallestText 85.0<mm> circuit

                Numbers.isLessThan
                    (abs (points - 10.0 * 85.0 / box[2] * 72.0 / 25.4))
                    0.01
                    "points"

                let onSlide =
                    (attribute "viewBox" (Picture.svg circuit)).Split ' ' |> Array.map float

                Numbers.isLessThanOrEqual box[2] onSlide[2] "no wider than on a slide")

        test "differs from that of the screen by width, height and font only" {
            let without (svg: string) =
                let document = read svg

                for name in [ "width"; "height"; "font-family" ] do
                    (nonNull document.Root).SetAttributeValue(XName.Get name, null)

                document.ToString()

            Expect.equal
                (without (Picture.print 180.0<mm> small))
                (without (Picture.svg small))
                "everything else"
        }

        test "knows how small its words become" {
            // 25.4 mm are 72 points: at a width of as many points as the picture has pixels, a pixel is a point.
            let pixels = float (attribute "width" (Picture.svg small))
            let points = Picture.smallestText (pixels * 25.4<mm> / 72.0) small

            Numbers.isLessThan (abs (points - 10.0)) 0.01 "points"

            let sizes =
                (Circuit.empty |> areas [ cortex |> dale 0.5 ] |> Picture.svg |> read).Descendants()
                |> Seq.map _.Attribute(XName.Get "font-size")
                |> Seq.filter (isNull >> not)
                |> Seq.map (fun size -> float (nonNull size).Value)

            Expect.equal (Seq.min sizes) 10.0 "the smallest font"
        }

        test "has fewer columns where its words would be too small" {
            let chain = [ for i in 1..12 -> area $"a{i}" 10 ]

            let long =
                Circuit.empty
                |> areas chain
                |> projections [ for a, b in List.pairwise chain -> a --> b ]

            let width svg =
                float ((attribute "viewBox" svg).Split(' ')[2])

            Numbers.isLessThan
                (width (Picture.print 180.0<mm> long))
                (0.75 * width (Picture.svg long))
                "width"

            Expect.equal
                (width (Picture.print 900.0<mm> long))
                (width (Picture.svg long))
                "on a poster"
        }

        test "refuses a width that is none" {
            for width in [ 0.0; -5.0; nan; infinity ] do
                Expect.throwsT<ArgumentOutOfRangeException>
                    (fun () -> Picture.print (width * 1.0<mm>) small |> ignore)
                    $"{width}"
        }
    ]

let private files =
    testList "the option --graph" [
        test "writes a page, an SVG file or one for Graphviz" {
            inFolder (fun folder ->
                for name, start in
                    [
                        "c.html", "<!DOCTYPE html>"
                        "c.svg", "<svg"
                        "c.dot", "digraph {"
                        "c.GV", "digraph {"
                    ] do
                    let file = Path.Combine(folder, name)
                    let code = experimentOf small |> Host.runWith [| "--graph"; file |]
                    Expect.equal code ExitCode.Done name
                    Expect.stringStarts (File.ReadAllText file) start name)
        }

        test "draws a circuit with problems, and says them" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "c.svg")
                let broken = small |> withStrays [ cortex --> area "cortx" 3 ]
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

        test "writes a picture for a page, so wide and in this font" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "c.svg")

                let code =
                    experimentOf small
                    |> Host.runWith [|
                        "--graph"
                        file
                        "--graph-width"
                        "85"
                        "--graph-font"
                        "Arial"
                    |]

                Expect.equal code ExitCode.Done "exit code"

                Expect.equal
                    (File.ReadAllText file)
                    (Picture.printIn "Arial" 85.0<mm> small)
                    "in Arial"

                experimentOf small
                |> Host.runWith [| "--graph"; file; "--graph-width=180" |]
                |> ignore

                Expect.equal (File.ReadAllText file) (Picture.print 180.0<mm> small) "in Helvetica")
        }

        test "refuses a width and a font that have no picture, and widths that are none" {
            inFolder (fun folder ->
                let file name = Path.Combine(folder, name)

                for options in
                    [
                        [ "--graph-width"; "85"; "--trials"; "1" ]
                        [ "--graph"; file "c.svg"; "--graph-font"; "Arial" ]
                        [ "--graph"; file "c.dot"; "--graph-width"; "85" ]
                        [ "--graph"; file "c.html"; "--graph-width"; "85" ]
                        for width in [ "0"; "-1"; "nan"; "inf"; "wide"; "1e9" ] do
                            [ "--graph"; file "c.svg"; "--graph-width"; width ]
                    ] do
                    let code = experimentOf small |> Host.runWith (Array.ofList options)
                    Expect.equal code ExitCode.Arguments (String.concat " " options)

                Expect.isEmpty (Directory.GetFileSystemEntries folder) "files")
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
let tests = testList "picture" [ text; signs; layout; printed; files ]
